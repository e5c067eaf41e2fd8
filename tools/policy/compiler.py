"""Compiles a policy as people write it (TOML) to the policy as it is signed, or to every fault with its line.

`sample.toml` beside this file is a whole policy with comments. In short:

    [policy]        commune, version, authority, text, valid_from, valid_until
    [site]          latitude, longitude
    [[calendar]]    name, and its nights with their steps                          (`calendars`)
    [[group]]       name, calendar, kind, feeders
    [[limit]], [[exemption]]   what neither calendar nor command may do            (`legal_limits`)
    [[operator]]    name, key, rights, until (the last day of the key; without it, none)

    [[group]]
    name = "rues"
    calendar = "rues"
    kind = "switched"                 # or "permanent", always powered and without a calendar; "switched" when left out
    feeders = ["bourg", { name = "gare", kind = "permanent" }]

Validity is counted in nights: from noon of `valid_from` to the noon after `valid_until`, in local time. A group and a
feeder must not have the same name: a command or a limit names either as its target. Must not sign, and must not guess:
what is not understood is a fault.
"""

import datetime
import tomllib
from typing import Any, NamedTuple

from gateway.language import N_, Sentence, reasons
from policy import civil, document, lighting, limits
from policy.document import FeederRule, Lighting, Limit, Operator, Policy
from tools.policy import calendars, legal_limits
from tools.policy.toml_source import Path, SourceFault, SourceFaults, Table, lines_of, wrong_type
from wire import cose, topic
from wire.command import NAME_BYTES_MAX, POLICY_BYTES_MAX
from wire.faults import WireFault

SOURCE_CHARACTERS_MAX = 262_144  # a town's policy takes a tenth
VALIDITY_DAYS_MAX = 3660  # ten years: every night of it is checked against the limits
RIGHTS = {"override": document.OVERRIDE, "emergency": document.EMERGENCY, "test": document.TEST,
          "directive": document.DIRECTIVE, "light": document.LIGHT, "heat": document.HEAT,
          "dry": document.DRY}  # fmt: skip
_EPOCH = datetime.date(1970, 1, 1)
_NOON_S = 43_200
_HEX_BYTES_MAX = 80
KINDS = {"switched": document.SWITCHED, "permanent": document.PERMANENT}


class Compiled(NamedTuple):
    """Holds the result: the policy, or None and the faults of the text. `calendars`: the names of the policy's
    calendars."""

    policy: Policy | None
    faults: tuple[SourceFault, ...]
    calendars: tuple[str, ...] = ()


class Heading(NamedTuple):
    """Holds the content of the `[policy]` table. `evenings`: the civil days whose nights the policy is for; None after
    a fault."""

    version: int | None
    insee: str | None
    authority: str | None
    text: str | None
    evenings: range | None

    @property
    def valid_from_s(self) -> int:
        assert self.evenings is not None
        return civil.unix_from_local(civil.PARIS, self.evenings.start, _NOON_S)

    @property
    def valid_until_s(self) -> int:
        assert self.evenings is not None
        return civil.unix_from_local(civil.PARIS, self.evenings.stop, _NOON_S)

    @property
    def years(self) -> range:
        """Returns the years of the policy's dates, and the year before: a season that wraps over New Year begins
        there."""
        if self.evenings is None:
            return range(0)
        first = civil.civil_from_days(self.evenings.start)[0]
        return range(first - 1, civil.civil_from_days(self.evenings.stop - 1)[0] + 1)


def compile_text(source: str) -> Compiled:
    """Compiles a TOML text. Raises nothing for any text."""
    if len(source) > SOURCE_CHARACTERS_MAX:
        return Compiled(None, (SourceFault(1, "", "source_long", {"max": SOURCE_CHARACTERS_MAX}),))
    try:
        data = tomllib.loads(source)
        lines = lines_of(source.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        return Compiled(None, (_syntax(source, error),))
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return Compiled(None, (SourceFault(1, "", "syntax", {"why": Sentence(N_("too deep or too long"))}),))
    root = Table(SourceFaults(lines), (), data)
    policy, names = _compile(root)
    if root.faults.count():
        return Compiled(None, root.faults.in_order())
    return Compiled(policy, (), names)


def _syntax(source: str, error: tomllib.TOMLDecodeError) -> SourceFault:
    line, reason = reasons.of_toml(error)
    return SourceFault(line or max(1, len(source.splitlines())), "", "syntax", {"why": reason})


def _compile(root: Table) -> tuple[Policy | None, tuple[str, ...]]:
    faults = root.faults
    head_table, site_table = root.table("policy"), root.table("site")
    head = _heading(head_table) if head_table else None
    site = _site(site_table) if site_table else None
    tables = root.tables("calendar", limits.calendars_max, needed=True)
    written = [table.data.get("name") for table in tables]
    named = [calendars.read(table) for table in tables]
    for i, name in enumerate(written):
        if isinstance(name, str) and name in written[:i]:
            tables[i].add("name", "twice", name=name)
    names = _CalendarNames(written)
    placed = _feeders(root, names)
    feeders = list(placed)
    names.close(faults)
    limited = _limits(root, feeders, head)
    operators = [
        _operator(table) for table in root.tables("operator", limits.operators_max, needed=False)
    ]
    root.close()
    sound = [one for one in named if one is not None]
    if faults.count() or head is None or head.evenings is None or site is None:
        return None, ()
    _check_keys(root, operators, head.valid_from_s)
    section = Lighting(site, tuple(one.calendar for one in sound), tuple(feeders), tuple(limited))
    for one in sound:
        calendars.check_acts(faults, one, site, head.evenings)
    legal_limits.check(faults, section, sound, placed, head.evenings)
    policy = Policy(
        head.version,
        head.insee,
        head.valid_from_s,
        head.valid_until_s,
        head.authority,
        head.text,
        section,
        tuple(operators),
    )
    if not faults.count():
        _check_document(root, policy)
    return policy, tuple(one.name for one in sound)


def _limits(root: Table, feeders: list[FeederRule], head: Heading | None) -> list[Limit]:
    """Returns the limits and exemptions, which are one list with one bound in the document."""
    targets = {name for feeder in feeders for name in (feeder.name, feeder.group) if name is not None}
    years = head.years if head else range(0)
    found: list[Limit] = []
    for table in root.tables("limit", limits.ceilings_max, needed=False):
        found += legal_limits.read_limit(table, targets)
    for table in root.tables("exemption", limits.ceilings_max, needed=False):
        found += legal_limits.read_exemption(table, targets, years)
    if len(found) > limits.ceilings_max:
        root.faults.add(root.path, "too_many_limits", count=len(found), max=limits.ceilings_max)
    return found


def _check_document(root: Table, policy: Policy) -> None:
    """Checks that the gateway will decode what was written; only the size can still be wrong."""
    try:
        payload = document.encode(policy)
    except WireFault:
        root.faults.add(root.path, "too_long", max=POLICY_BYTES_MAX)
        return
    decoded, faults = document.decode(payload)
    assert decoded == policy, f"the compiler let pass what the document refuses: {faults}"


# --- whose policy it is, where it holds, and who may command -------------------------------------------------------


def _heading(table: Table) -> Heading:
    insee = table.text("commune", 5)
    if insee is not None and not topic.is_insee(insee):
        table.add("commune", "insee")
    version = table.integer("version", 1, limits.version_max)
    authority = table.text("authority", limits.authority_bytes_max)
    text = table.text("text", limits.text_bytes_max)
    evenings = _evenings(table)
    table.close()
    return Heading(version, insee, authority, text, evenings)


def _site(table: Table) -> lighting.Site:
    latitude = table.degrees("latitude", limits.latitude_min_e4 / 1e4, limits.latitude_max_e4 / 1e4)
    longitude = table.degrees("longitude", limits.longitude_min_e4 / 1e4, limits.longitude_max_e4 / 1e4)
    table.close()
    return lighting.Site(round((latitude or 0) * 10_000), round((longitude or 0) * 10_000), civil.PARIS)


def _operator(table: Table) -> Operator:
    name = table.text("name", limits.name_bytes_max)
    key = _public_key(table)
    rights = 0
    for path, value in table.items("rights"):
        if isinstance(value, str) and value in RIGHTS:
            rights |= RIGHTS[value]
        else:
            table.faults.add(path, "one_of", value=value, words=", ".join(RIGHTS))
    until_s = _key_end(table)
    table.close()
    return Operator(key, name, rights, until_s)


def _key_end(table: Table) -> int:
    """Returns the midnight after the last day of a key, 0 for a key without an end."""
    last = table.day("until", needed=False)
    if last is None:
        return 0
    if not limits.year_min < last.year < limits.year_max:
        table.add("until", "year", value=last.year, low=limits.year_min + 1, high=limits.year_max - 1)
        return 0
    return civil.unix_from_local(civil.PARIS, (last - _EPOCH).days + 1, 0)


def _check_keys(root: Table, operators: list[Operator], valid_from_s: int) -> None:
    """Checks that no two operators share a key, since the key of an order identifies its author, and that no key ends
    before the policy begins."""
    kids = [cose.kid_of(operator.key) for operator in operators]
    for i, kid in enumerate(kids):
        if 0 < operators[i].until_s <= valid_from_s:
            root.faults.add(("operator", i, "until"), "key_over")
        if kid in kids[:i]:
            root.faults.add(("operator", i, "key"), "key_twice", name=operators[kids.index(kid)].name)


def _public_key(table: Table) -> bytes:
    text = table.text("key", _HEX_BYTES_MAX)
    try:
        key = bytes.fromhex(text or "")
    except ValueError:
        key = b""
    if text is not None and not cose.is_sound_key(key):
        table.add("key", "key")
    return key


def _evenings(table: Table) -> range | None:
    first, last = table.day("valid_from"), table.day("valid_until")
    for key, day in (("valid_from", first), ("valid_until", last)):
        # A year apart from the ends of the calendar, for the nights around New Year.
        if day and not limits.year_min < day.year < limits.year_max:
            table.add(key, "year", value=day.year, low=limits.year_min + 1, high=limits.year_max - 1)
            return None
    if first is None or last is None:
        return None
    evenings = range((first - _EPOCH).days, (last - _EPOCH).days + 1)
    if not evenings:
        table.add("valid_until", "until_before")
        return None
    if len(evenings) > VALIDITY_DAYS_MAX:
        table.add("valid_until", "validity", max=VALIDITY_DAYS_MAX // 366)
        return None
    return evenings


# --- groups and their feeders --------------------------------------------------------------------------------------


class _CalendarNames:
    """Holds the calendars of the file by name, and which of them a feeder uses. It includes the names of faulty
    calendars."""

    def __init__(self, names: list[Any]) -> None:
        self._names = names
        self._used: set[str] = set()

    def index(self, table: Table, name: str | None) -> int:
        """Returns the index of the calendar that `table` names; 0 after a fault."""
        if name is None:
            return 0
        self._used.add(name)
        known = ", ".join(one for one in self._names if isinstance(one, str))
        if name not in self._names:
            if known:  # otherwise a fault says already that there is no calendar with a name
                table.add("calendar", "no_calendar", name=name, names=known)
            return 0
        return self._names.index(name)

    def close(self, faults: SourceFaults) -> None:
        """Adds a fault for every calendar that no feeder uses: nothing in a policy may be without effect."""
        for i, name in enumerate(self._names):
            if isinstance(name, str) and name not in self._used:
                faults.add(("calendar", i, "name"), "unused", name=name)


def _feeders(root: Table, calendars: _CalendarNames) -> dict[FeederRule, Path]:
    """Returns all feeders and their places, in the order of the file; after a fault some may be missing."""
    feeders: dict[FeederRule, Path] = {}
    places: dict[str, Path] = {}
    for table in root.tables("group", limits.feeders_max, needed=True):
        name = table.text("name", NAME_BYTES_MAX)
        _note_name(root.faults, places, table.at("name"), name)
        kind = table.one_of("kind", tuple(KINDS), otherwise="switched") or "switched"
        own = [(path, _feeder(table.faults, path, value, kind, calendars)) for path, value in table.items("feeders")]
        calendar = _calendar(table, calendars, [one for _, one in own])
        for path, one in own:
            if one is None:
                continue
            _note_name(table.faults, places, path, one.name)
            feeders[one._replace(calendar=calendar if one.calendar is None else one.calendar, group=name)] = path
            if len(feeders) == limits.feeders_max + 1:
                table.faults.add(path, "too_many", max=limits.feeders_max)
        table.close()
    return feeders


def _calendar(table: Table, calendars: _CalendarNames, feeders: list[FeederRule | None]) -> int:
    """Returns the index of the group's calendar; a group that is always powered has none."""
    if not feeders or any(one is None or one.kind == document.SWITCHED for one in feeders):
        return calendars.index(table, table.text("calendar", NAME_BYTES_MAX))
    table.allow("calendar")
    if table.has("calendar"):
        table.add("calendar", "permanent")
    return 0


def _feeder(
    faults: SourceFaults, path: Path, value: Any, group_kind: str, calendars: _CalendarNames
) -> FeederRule | None:
    """Returns the feeder of one item of `feeders`; its calendar is None where it follows its group's."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        wrong_type(faults, path, value, "text")
        return None
    table = Table(faults, path, value)
    name = table.text("name", NAME_BYTES_MAX)
    kind = KINDS[table.one_of("kind", tuple(KINDS), otherwise=group_kind) or group_kind]
    calendar = None
    if kind == document.PERMANENT:
        calendar = 0  # which the cabinet does not read
        table.allow("calendar")
        if table.has("calendar"):
            table.add("calendar", "permanent")
    elif table.has("calendar"):
        calendar = calendars.index(table, table.text("calendar", NAME_BYTES_MAX))
    table.close()
    return None if name is None else FeederRule(name, kind, calendar, None)


def _note_name(faults: SourceFaults, places: dict[str, Path], path: Path, name: str | None) -> None:
    """Notes a name of a group or feeder; a name that is used twice is a fault."""
    if name is None:
        return
    if name == document.ALL:
        faults.add(path, "star")
    elif name in places:
        faults.add(path, "twice", name=name)
    places.setdefault(name, path)
