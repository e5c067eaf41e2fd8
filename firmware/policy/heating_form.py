"""Checks and converts the plain-data form of a heating programme: lists, integers and two texts a limit, ready for
CBOR.

    [1, rules, days, setpoints]  or  [1, rules, days, setpoints, ceilings, exemptions]
    rule      [weekdays, first, last, day]          weekdays: bit 0 = Monday … bit 6 = Sunday
    day       [span, span, …], empty when closed
    span      [from, to]  or  [from, to, setpoint]  minutes of the wall clock; 0.01 °C
    setpoints [comfort, empty, empty 24 h, empty 48 h]   0.01 °C
    ceiling   [kind, limit, first, last, authority, text]     kind: 0 occupied, 1 empty for 24 h, 2 for 48 h
    exemption the same, with full dates: an exemption is temporary

Field meanings are those of `heating`. All faults are reported at once, each with its path and a remedy; a document with
a fault yields no programme at all. Must not raise on any data, and must not guess a repair.
"""

from policy import heating, lighting, limits
from policy.fault import Faults, brief
from policy.lighting_form import dates

version = 1


def decode(data):
    """Returns (Programme, ()) or (None, faults)."""
    faults = Faults()
    _document(faults, data)
    if faults.count():
        return (None, faults.listed())
    rules = tuple(heating.Rule(rule[0], rule[1], rule[2], rule[3]) for rule in data[1])
    days = tuple(tuple(_span(span) for span in day) for day in data[2])
    setpoints = heating.Setpoints(data[3][0], data[3][1], data[3][2], data[3][3])
    ceilings = tuple(_limit(limit) for limit in data[4]) if len(data) == 6 else ()
    exemptions = tuple(_limit(limit) for limit in data[5]) if len(data) == 6 else ()
    return (heating.Programme(rules, days, setpoints, ceilings, exemptions), ())


def validate(data):
    """Returns all faults of the plain data, as a tuple of `Fault`; empty when it is sound."""
    return decode(data)[1]


def encode(programme):
    """Returns the plain data of a programme; `decode(encode(p))[0] == p` for a sound one."""
    rules = [[rule.weekdays, rule.first, rule.last, rule.day] for rule in programme.rules]
    days = [[_plain_span(span) for span in day] for day in programme.days]
    plain = [version, rules, days, list(programme.setpoints)]
    if programme.ceilings or programme.exemptions:
        plain.append([list(limit) for limit in programme.ceilings])
        plain.append([list(limit) for limit in programme.exemptions])
    return plain


def _span(plain):
    return heating.Span(plain[0], plain[1], plain[2] if len(plain) == 3 else 0)


def _plain_span(span):
    plain = [span.from_min, span.to_min]
    if span.setpoint_ck:
        plain.append(span.setpoint_ck)
    return plain


def _limit(plain):
    return heating.Limit(plain[0], plain[1], plain[2], plain[3], plain[4], plain[5])


def _document(faults, data):
    if not faults.sequence("programme", data, 4, 6):
        return
    if len(data) == 5:
        faults.add("programme", "has 5 items", "give 4, or 6 with ceilings and exemptions")
        return
    faults.integer("version", data[0], version, version)
    days = 0
    if faults.sequence("days", data[2], 1, limits.heating_days_max):
        days = len(data[2])
        for index in range(days):
            _day(faults, f"days[{index}]", data[2][index])
    if faults.sequence("rules", data[1], 1, limits.heating_rules_max):
        for index in range(len(data[1])):
            _rule(faults, f"rules[{index}]", data[1][index], days)
    _setpoints(faults, data[3])
    if len(data) == 6:
        _limits(faults, "ceilings", data[4], False)
        _limits(faults, "exemptions", data[5], True)


def _rule(faults, path, rule, days):
    if not faults.sequence(path, rule, 4, 4):
        return
    faults.integer(f"{path}.weekdays", rule[0], 1, lighting.EVERY_DAY)
    if days:
        faults.integer(f"{path}.day", rule[3], 0, days - 1)
    dates(faults, path, rule[1], rule[2])


def _day(faults, path, day):
    """Checks that spans ascend and do not overlap; a gap between two spans is time in which the room is empty."""
    if not faults.sequence(path, day, 0, limits.heating_spans_max):
        return
    free_min = 0
    for index in range(len(day)):
        place, span = f"{path}[{index}]", day[index]
        if not faults.sequence(place, span, 2, 3):
            continue
        sound = faults.integer(f"{place}.from", span[0], 0, 1439) and faults.integer(f"{place}.to", span[1], 1, 1440)
        if len(span) == 3:
            _temperature(faults, f"{place}.setpoint", span[2])
        if not sound:
            continue
        if span[0] < free_min:
            faults.add(f"{place}.from", f"is {span[0]}, inside the span before it", "list the spans in order, apart")
        if span[1] <= span[0]:
            faults.add(f"{place}.to", f"is {span[1]}, not after from", "end a span at 1440 and go on the day after")
        free_min = max(free_min, span[1])


def _setpoints(faults, setpoints):
    if not faults.sequence("setpoints", setpoints, 4, 4):
        return
    sound = True
    for index in range(4):
        sound = _temperature(faults, f"setpoints[{index}]", setpoints[index]) and sound
    if sound and not setpoints[0] >= setpoints[1] >= setpoints[2] >= setpoints[3]:
        faults.add("setpoints", "rise", "give comfort first, then no more for each longer emptiness")


def _temperature(faults, path, value):
    return faults.integer(path, value, limits.setpoint_min_ck, limits.setpoint_max_ck)


def _limits(faults, path, listed, is_exemption):
    if not faults.sequence(path, listed, 0, limits.heating_limits_max):
        return
    for index in range(len(listed)):
        place, limit = f"{path}[{index}]", listed[index]
        if not faults.sequence(place, limit, 6, 6):
            continue
        faults.integer(f"{place}.kind", limit[0], heating.OCCUPIED, heating.EMPTY_48H)
        _temperature(faults, f"{place}.limit", limit[1])
        form = dates(faults, place, limit[2], limit[3])
        if is_exemption and form not in (None, "full"):
            faults.add(f"{place}.first", "has no year", "date an exemption: YYYYMMDD of its first and last day")
        _text(faults, f"{place}.authority", limit[4], limits.authority_bytes_max)
        _text(faults, f"{place}.text", limit[5], limits.text_bytes_max)


def _text(faults, path, value, bytes_max):
    if not isinstance(value, str) or not value.strip():
        faults.add(path, f"is {brief(value)}", "name who decided, and by which text")
    elif len(value.encode()) > bytes_max:
        faults.add(path, "is too long", f"give {bytes_max} bytes at most")
