"""What the commune's policy wants of a feeder at an instant, reckoned from the signed document itself.

The same evaluation as the agent's (`policy.lighting`), from the bytes that it says are in force, so that an
explanation is not the agent's own word for it. Without those bytes (none in force, a format of a newer agent) a
feeder runs sunset to sunrise where the site is known, and otherwise nothing is claimed. A night is reckoned once
and kept. Reads no clock.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from gateway.core.status import CabinetStatus, FeederStatus
from policy import ceiling, civil, document, lighting

PERMANENT, CALENDAR, DEFAULT = "permanent", "calendar", "default"


class Law(NamedTuple):
    """What a feeder runs by. `number`: of its calendar, from 1; None for the default. `rules`: the policy's lighting
    section and this feeder in it, for its limits; None without a policy."""

    kind: str
    calendar: Any
    number: int | None
    site: Any
    rules: tuple[Any, Any] | None = None


class Wish(NamedTuple):
    """What is wanted at an instant. `rule` and `step` as in `policy.lighting`; `until_s`: of the next change."""

    law: Law
    level: int
    rule: int
    step: int
    until_s: int | None
    night: Any

    @property
    def wants_light(self) -> bool:
        return self.level > 0


@lru_cache(maxsize=4)
def policy_of(plain: bytes | None) -> Any:
    """The `document.Policy` behind these bytes; None for none, or for one that this version cannot read."""
    if plain is None:
        return None
    return document.decode(plain)[0]


def law_of(cabinet: CabinetStatus, feeder: FeederStatus) -> Law | None:
    """By what this feeder runs; None where this cannot be told."""
    policy = policy_of(cabinet.policy_plain)
    if policy is None:
        # A policy that we cannot read is in force all the same: nothing is claimed in its place.
        if cabinet.site is None or cabinet.policy.version is not None:
            return None
        return Law(DEFAULT, lighting.DEFAULT_CALENDAR, None, lighting.Site(*cabinet.site, civil.PARIS))
    section = policy.lighting
    found = next((one for one in section.feeders if one.name == feeder.name), None)
    if found is None:
        unnamed = document.FeederRule(feeder.name, document.SWITCHED, 0, feeder.group or "")
        return Law(DEFAULT, lighting.DEFAULT_CALENDAR, None, section.site, (section, unnamed))
    kind = PERMANENT if found.kind == document.PERMANENT else CALENDAR
    return Law(kind, section.calendars[found.calendar], found.calendar + 1, section.site, (section, found))


def wish(law: Law, unix_s: int, uncertainty_s: int = 0) -> Wish:
    """What the law wants at this instant; of those in doubt by an uncertain clock the brightest, as the agent does."""
    night = night_of(law, unix_s)
    if law.kind == PERMANENT:
        return Wish(law, 100, lighting.NO_RULE, lighting.NO_STEP, None, night)
    wanted = _plan(law.calendar, law.site).brightest(unix_s, uncertainty_s)
    rule, step = lighting.reason_parts(wanted.reason)
    return Wish(law, wanted.level_percent, rule, step, wanted.until_s, night)


def limits_of(law: Law, unix_s: int) -> list[Any]:
    """The limits that bind the feeder in the night that holds this instant; exemptions are accounted for."""
    if law.rules is None:
        return []
    section, feeder = law.rules
    return list(ceiling.binding(section, feeder, lighting.evening_of(law.site, unix_s)))


def night_of(law: Law, unix_s: int) -> Any:
    """The `lighting.Night` that holds this instant."""
    return _night(law.calendar, law.site, lighting.evening_of(law.site, unix_s))


@lru_cache(maxsize=128)
def _night(calendar: Any, site: Any, evening: int) -> Any:
    return lighting.Night(calendar, site, evening)


@lru_cache(maxsize=32)
def _plan(calendar: Any, site: Any) -> Any:
    return lighting.Plan(calendar, site)
