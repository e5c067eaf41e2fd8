"""A policy as people write it (TOML) to the policy as it is signed, or every fault with its line.

`sample.toml` beside this file is a whole one with comments. In short:

    [policy]        commune, version, authority, text, valid_from, valid_until     (`heading`)
    [site]          latitude, longitude
    [[calendar]]    name, and its nights with their steps                          (`calendars`, `instants`)
    [[group]]       name, calendar, kind, feeders                                  (`groups`)
    [[limit]], [[exemption]]   what neither calendar nor command may do            (`bounds`, `legal`)
    [[operator]]    name, key, rights                                              (`heading`)

Validity is in nights: from noon of `valid_from` to noon after `valid_until`, in local time.

Must not sign, and must not guess: what is not understood is a fault.
"""

import re
import tomllib
from typing import NamedTuple

from policy import document, limits
from policy.document import FeederRule, Lighting, Limit, Policy
from tools.policy import bounds, calendars, groups, heading, legal
from tools.policy.complaints import Complaint, Complaints
from tools.policy.heading import Heading
from tools.policy.source_lines import lines_of
from tools.policy.table import Table
from wire.command import POLICY_BYTES_MAX
from wire.faults import WireFault

SOURCE_CHARACTERS_MAX = 262_144  # a town's policy takes a tenth
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Compiled(NamedTuple):
    """The policy, or None and what is wrong with the text. `calendars`: the names of the policy's calendars."""

    policy: Policy | None
    complaints: tuple[Complaint, ...]
    calendars: tuple[str, ...] = ()


def compile_text(source: str) -> Compiled:
    """The `Compiled` of a TOML text. Raises nothing, whatever the text."""
    if len(source) > SOURCE_CHARACTERS_MAX:
        return Compiled(None, (Complaint(1, "", "source_long", {"max": SOURCE_CHARACTERS_MAX}),))
    try:
        data = tomllib.loads(source)
        lines = lines_of(source.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        return Compiled(None, (_syntax(source, str(error)),))
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return Compiled(None, (Complaint(1, "", "syntax", {"why": "too deep or too long"}),))
    root = Table(Complaints(lines), (), data)
    policy, names = _compile(root)
    if root.complaints.count():
        return Compiled(None, root.complaints.listed())
    return Compiled(policy, (), names)


def _syntax(source: str, message: str) -> Complaint:
    found = _PLACE.search(message)
    line = int(found.group(1)) if found and found.group(1) else max(1, len(source.splitlines()))
    return Complaint(line, "", "syntax", {"why": _PLACE.sub("", message)})


def _compile(root: Table) -> tuple[Policy | None, tuple[str, ...]]:
    complaints = root.complaints
    head_table, site_table = root.table("policy"), root.table("site")
    head = heading.read(head_table) if head_table else None
    site = heading.read_site(site_table) if site_table else None
    tables = root.tables("calendar", limits.calendars_max, needed=True)
    written = [table.data.get("name") for table in tables]
    named = [calendars.read(table) for table in tables]
    for i, name in enumerate(written):
        if isinstance(name, str) and name in written[:i]:
            tables[i].add("name", "twice", name=name)
    names = groups.CalendarNames(written)
    feeders = groups.read(root, names)
    names.close(complaints)
    limited = _limits(root, feeders, head)
    operators = [
        heading.read_operator(table) for table in root.tables("operator", limits.operators_max, needed=False)
    ]
    root.close()
    sound = [one for one in named if one is not None]
    if complaints.count() or head is None or head.evenings is None or site is None:
        return None, ()
    heading.check_keys(root, operators)
    section = Lighting(site, tuple(one.calendar for one in sound), tuple(feeders), tuple(limited))
    legal.check(complaints, section, sound, head.evenings)
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
    if not complaints.count():
        _check_document(root, policy)
    return policy, tuple(one.name for one in sound)


def _limits(root: Table, feeders: list[FeederRule], head: Heading | None) -> list[Limit]:
    """Limits and exemptions: one list in the document, with one bound."""
    targets = {name for feeder in feeders for name in (feeder.name, feeder.group) if name is not None}
    years = head.years if head else range(0)
    found: list[Limit] = []
    for table in root.tables("limit", limits.ceilings_max, needed=False):
        found += bounds.read_limit(table, targets)
    for table in root.tables("exemption", limits.ceilings_max, needed=False):
        found += bounds.read_exemption(table, targets, years)
    if len(found) > limits.ceilings_max:
        root.complaints.add(root.path, "too_many_limits", count=len(found), max=limits.ceilings_max)
    return found


def _check_document(root: Table, policy: Policy) -> None:
    """What the gateway will decode is what was written; only the size can still be wrong."""
    try:
        payload = document.encode(policy)
    except WireFault:
        root.complaints.add(root.path, "too_long", max=POLICY_BYTES_MAX)
        return
    decoded, faults = document.decode(payload)
    assert decoded == policy, f"the compiler let pass what the document refuses: {faults}"
