"""What a file of the authority chain says, in words, and whether its signatures hold.

Policies are shown in the language of the form (`sunset+15 on`), so that they can be compared with it.
"""

from policy import document, keyset
from policy.document import Limit, Policy
from policy.fault import Fault
from policy.keyset import KeySet
from policy.lighting import Calendar
from tools.policy import instants
from tools.policy import keys as person_keys
from tools.policy.files import Found
from tools.policy.heading import RIGHTS
from tools.policy.words import clock, moment, word
from wire import cose

_LIMIT_WORDS = {
    document.DARK_WINDOW: "dark",
    document.NO_DARKENING: "keep_lit",
    document.DARK_BY_DAY: "dark_by_day",
}


def lines(found: Found, keys: KeySet | None, language: str) -> list[str]:
    """The file in words. `keys`: the set in force, against which signatures are checked."""
    shown = []
    for fault in found.faults:
        shown.append(word("show.fault", language, where=fault.path, problem=fault.problem))
    if isinstance(found.content, Policy):
        shown += _policy(found.content, language)
    elif isinstance(found.content, KeySet):
        shown += _keyset(found.content, language)
    return [*shown, "", *_signatures(found, keys, language)]


def summary(content: Policy | KeySet, language: str) -> list[str]:
    """In two lines what somebody is about to put their name to."""
    if isinstance(content, KeySet):
        return _keyset(content, language)[:1]
    return _policy(content, language)[:3]


def holds(found: Found, keys: KeySet) -> bool:
    """True when a gateway with this set in force takes the file."""
    return not _refusal(found, keys)


def _refusal(found: Found, keys: KeySet) -> tuple:
    if isinstance(found.content, KeySet):
        return keyset.open_keyset(found.data, keys, person_keys.verify)[1]
    return keyset.open_policy(found.data, keys, person_keys.verify)[2]


def _signatures(found: Found, keys: KeySet | None, language: str) -> list[str]:
    if found.message is None:
        return [word("show.unsigned", language)]
    shown = []
    for one in found.message.signatures:
        known = keyset.key_of(keys, one.kid) if keys else None
        name = known[1] if known else "?"
        shown.append(word("show.signature", language, kid=one.kid.hex(), name=name))
    if keys is None:
        return [*shown, word("show.unverified", language)]
    faults = _refusal(found, keys)
    if not faults:
        return [*shown, word("show.holds", language, version=keys.version)]
    return [*shown, *(word("show.refused", language, problem=_problem(fault, language)) for fault in faults)]


def _problem(fault: Fault, language: str) -> str:
    """Why a gateway would refuse it; a fault of the content has no words but its own."""
    key = f"refused.{fault.path}"
    return word(key, language) if fault.path in keyset.WORDS else f"{fault.path} {fault.problem}"


def _keyset(keys: KeySet, language: str) -> list[str]:
    head = word(
        "show.keyset", language, version=keys.version, insee=keys.insee, threshold=keys.threshold, count=len(keys.keys)
    )
    return [head, *(f"  {cose.kid_of(key).hex()}  {key.hex()}  {name}" for key, name in keys.keys)]


def _policy(policy: Policy, language: str) -> list[str]:
    section = policy.lighting
    shown = [
        word("show.policy", language, version=policy.version, insee=policy.insee),
        f"  {policy.authority}, {policy.text}",
        word(
            "show.valid",
            language,
            first=moment(policy.valid_from_s, language),
            last=moment(policy.valid_until_s, language),
        ),
        word(
            "show.site",
            language,
            latitude=f"{section.site.latitude_e4 / 1e4:.4f}",
            longitude=f"{section.site.longitude_e4 / 1e4:.4f}",
        ),
    ]
    for i, calendar in enumerate(section.calendars):
        shown += ["", word("show.calendar", language, number=i + 1), *_calendar(calendar)]
        for feeder in section.feeders:
            if feeder.calendar == i:
                kind = "permanent" if feeder.kind == document.PERMANENT else "switched"
                shown.append(word("show.feeder", language, name=feeder.name, group=feeder.group, kind=kind))
    if section.limits:
        shown += ["", word("show.limits", language), *(_limit(limit) for limit in section.limits)]
    if policy.operators:
        shown += ["", word("show.operators", language)]
        for operator in policy.operators:
            rights = " ".join(name for name, bit in RIGHTS.items() if operator.rights & bit)
            shown.append(f"  {cose.kid_of(operator.key).hex()}  {operator.key.hex()}  {operator.name}: {rights}")
    return shown


def _calendar(calendar: Calendar) -> list[str]:
    shown = []
    for rule in calendar.rules:
        steps = ", ".join(instants.step_text(step) for step in calendar.programs[rule.program])
        shown.append(f"  {instants.rule_text(rule)}: {steps}")
    return shown


def _limit(limit: Limit) -> str:
    when = f" [{instants.dates_text(limit.first, limit.last)}]" if limit.first or limit.last else ""
    if limit.kind == document.EXEMPTION:
        what = f"exemption {_LIMIT_WORDS[limit.a]}"
    elif limit.kind == document.DARK_WINDOW:
        what = f"dark {clock(limit.a)}..{clock(limit.b)}"
    elif limit.kind == document.DARK_BY_DAY:
        what = f"dark_by_day sunrise+{limit.a}..sunset-{limit.b}"
    else:
        what = "keep_lit"
    return f"  {limit.target}: {what}{when} ({limit.authority}, {limit.text})"
