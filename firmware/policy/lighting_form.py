"""Checks and converts the plain-data form of a lighting calendar: lists and integers, ready for CBOR.

    [1, rules, programs]
    rule    [weekdays, first, last, program]     weekdays: bit 0 = Monday evening … bit 6 = Sunday evening
    program [step, step, …]                      in the order of the night, from noon to noon
    step    [reference, minutes, level]  or  [reference, minutes, level, by_day]

Field meanings are those of `lighting`. All faults are reported at once, each with its path and a remedy; a document
with a fault yields no calendar at all. Must not raise on any data, and must not guess a repair.
"""

from policy import civil, lighting, limits
from policy.fault import Faults

version = 1


def decode(data):
    """Returns (Calendar, ()) or (None, faults)."""
    faults = Faults()
    _document(faults, data)
    if faults.count():
        return (None, faults.listed())
    rules = tuple(lighting.Rule(rule[0], rule[1], rule[2], rule[3]) for rule in data[1])
    programs = tuple(tuple(_step(step) for step in program) for program in data[2])
    return (lighting.Calendar(rules, programs), ())


def validate(data):
    """Returns all faults of the plain data, as a tuple of `Fault`; empty when it is sound."""
    return decode(data)[1]


def encode(calendar):
    """Returns the plain data of a calendar; `decode(encode(c))[0] == c` for a sound one."""
    rules = [[rule.weekdays, rule.first, rule.last, rule.program] for rule in calendar.rules]
    programs = [[_plain_step(step) for step in program] for program in calendar.programs]
    return [version, rules, programs]


def _step(plain):
    return lighting.Step(plain[0], plain[1], plain[2], plain[3] if len(plain) == 4 else 0)


def _plain_step(step):
    plain = [step.reference, step.minutes, step.level_percent]
    if step.by_day:
        plain.append(1)
    return plain


def _document(faults, data):
    if not faults.sequence("calendar", data, 3, 3):
        return
    faults.integer("version", data[0], version, version)
    programs = 0
    if faults.sequence("programs", data[2], 1, limits.lighting_programs_max):
        programs = len(data[2])
        for i in range(programs):
            _program(faults, f"programs[{i}]", data[2][i])
    if faults.sequence("rules", data[1], 1, limits.lighting_rules_max):
        for i in range(len(data[1])):
            _rule(faults, f"rules[{i}]", data[1][i], programs)


def _rule(faults, path, rule, programs):
    if not faults.sequence(path, rule, 4, 4):
        return
    faults.integer(f"{path}.weekdays", rule[0], 1, lighting.EVERY_DAY)
    if programs:
        faults.integer(f"{path}.program", rule[3], 0, programs - 1)
    dates(faults, path, rule[1], rule[2])


def dates(faults, path, first, last):
    """Returns the form of a pair of dates ("any", "yearly", "full"); notes the fault and returns None when one is
    wrong."""
    first_form = _date(faults, f"{path}.first", first)
    last_form = _date(faults, f"{path}.last", last)
    if first_form is None or last_form is None:
        return None
    if first_form != last_form:
        faults.add(f"{path}.last", "is not of the form of first", "give both as 0, as MMDD or as YYYYMMDD")
        return None
    if first_form == "full" and first > last:
        faults.add(f"{path}.last", f"is {last}, before first", "put the earlier date first")
        return None
    return first_form


def _date(faults, path, value):
    """Returns the form of a date ("any", "yearly", "full"), or None when it is wrong."""
    if not faults.integer(path, value, 0, limits.year_max * 10000 + 1231):
        return None
    if value == 0:
        return "any"
    year, month, day = value // 10000, value // 100 % 100, value % 100
    # 29 February is valid in a rule for every year: in other years no evening has this date.
    if not civil.is_date(year or 2000, month, day):
        faults.add(path, f"is {value}, no such date", "give 0, MMDD or YYYYMMDD of a day that exists")
        return None
    if year and not limits.year_min <= year:
        faults.add(path, f"is {value}", f"give a year from {limits.year_min} to {limits.year_max}")
        return None
    return "full" if year else "yearly"


def _program(faults, path, program):
    if not faults.sequence(path, program, 1, limits.lighting_steps_max):
        return
    before = faults.count()
    for i in range(len(program)):
        _check_step(faults, f"{path}[{i}]", program[i])
    if faults.count() == before:
        _order(faults, path, [_step(step) for step in program])


def _check_step(faults, path, step):
    if not faults.sequence(path, step, 3, 4):
        return
    if faults.integer(f"{path}.reference", step[0], lighting.CLOCK, lighting.SUNRISE):
        clock = step[0] == lighting.CLOCK
        reach = limits.lighting_offset_max_min
        faults.integer(f"{path}.minutes", step[1], 0 if clock else -reach, 1439 if clock else reach)
    faults.integer(f"{path}.level", step[2], 0, limits.level_max_percent)
    if len(step) == 4:
        faults.integer(f"{path}.by_day", step[3], 0, 1)


def _order(faults, path, steps):
    """Checks that steps of one reference ascend, those of the evening come before those of the morning, and the night
    ends dark."""
    latest = {}
    morning = False
    for i in range(len(steps)):
        reference, minutes = steps[i].reference, steps[i].minutes
        if reference == lighting.CLOCK:
            minutes = (minutes + 720) % 1440
        if reference in latest and minutes <= latest[reference]:
            faults.add(
                f"{path}[{i}].minutes",
                "is not after the step before it",
                "list the steps in the order of the night, which runs from noon to noon",
            )
        latest[reference] = minutes
        evening = reference == lighting.SUNSET or (reference == lighting.CLOCK and minutes < 720)
        if evening and morning:
            faults.add(
                f"{path}[{i}].reference",
                "is a step of the evening below one of the morning",
                "list steps at sunset or before midnight above steps after midnight or at sunrise",
            )
        morning = morning or not evening
    if steps[-1].level_percent and not steps[-1].by_day:
        faults.add(
            f"{path}[{len(steps) - 1}].level",
            "leaves the lamp lit at the end of the night",
            "end with a step of level 0, such as [2, 0, 0] (sunrise), or set by_day",
        )
