"""The cabinet's part of an agent's document, taken out of plain JSON with suspicion.

Whatever is absent, of another kind or too long is None or left out, so that an older or newer agent can be asked,
and so that no screen fails at an open cabinet because of one odd value. Texts are bounded and without control
characters; who shows them in HTML escapes them there. Must not raise whatever the document, and must not guess.
"""

from typing import Any, NamedTuple

from gateway.show.explain.values import flag, integer, listed, mapping, mappings, moment, number, text

FEEDERS_MAX = 64
_CHANGES_MAX = 200
# The policy's hex comes in pieces, for the status socket shortens long texts.
_POLICY_DIGITS_MAX = 2 * 16_384


class Asked(NamedTuple):
    """What one rule wants of a feeder. `said`: a name (who tests, who commands) or a word (`switch-on`, `locked`); of
    the policy the agent tells a number, which we reckon ourselves. `command`: the id of the one behind it."""

    rule: str
    said: str | None
    wants: bool | None
    until_unix_s: int | None
    command: str | None


class Feeder(NamedTuple):
    """One feeder as the agent tells it; `place` is its index in the configuration, by which orders go. `closed`: what
    its contactor is ordered to be, by `rule`; `asked`: every rule that had a wish, from the strongest down."""

    place: int
    name: str
    group: str | None
    is_permanent: bool
    lamps: int | None
    closed: bool | None
    feedback: bool | None
    power_w: float | None
    energy_wh: int | None
    expected_w: float | None
    normal_w: float | None
    rule: str | None
    asked: tuple[Asked, ...]
    because: str | None
    since_s: int | None
    until_unix_s: int | None
    night: tuple[tuple[int, int], ...]
    locked_by: str | None
    test_left_s: int | None


class Command(NamedTuple):
    """A command that the agent knows, of whatever state."""

    id: str | None
    kind: str
    author: str | None
    reason: str | None
    not_before_s: int | None
    expires_s: int | None
    target: str | None
    level: int | None
    state: str | None


class Alarm(NamedTuple):
    """A condition that stands. `lamps`: how many are concerned, where it says so; `detail`: what else it says, shown as
    it is."""

    what: str
    feeder: str | None
    since_s: int | None
    lamps: int | None
    detail: str | None


class PolicyTold(NamedTuple):
    version: int | None
    insee: str | None
    authority: str | None
    text: str | None
    valid_from_s: int | None
    valid_until_s: int | None
    state: str | None
    next_version: int | None


class Cabinet(NamedTuple):
    """All of it. `site`: latitude and longitude in 10^-4 degrees; `policy_plain`: the document in force, as signed."""

    in_control: bool | None
    basis: str | None
    uncertainty_s: int | None
    switch: str | None
    door_open: bool | None
    mains: bool | None
    ups_v: float | None
    temperature_c: float | None
    lux: int | None
    linky: dict[str, Any]
    policy: PolicyTold
    lease_held: bool | None
    lease_left_s: int | None
    commands: tuple[Command, ...]
    alarms: tuple[Alarm, ...]
    feeders: tuple[Feeder, ...]
    unix_s: int | None
    policy_plain: bytes | None
    site: tuple[int, int] | None


# Alarms whose detail begins with how many lamps are concerned.
_COUNTING = ("lampsLost", "cableFault")
# What the wire calls by number (firmware/wire/command.py), should an agent tell it so.
_KINDS = {1: "override", 2: "emergency", 3: "end", 4: "test"}


def cabinet_of(document: Any) -> Cabinet | None:
    """The cabinet of this document; None without one."""
    told = document.get("cabinet") if isinstance(document, dict) else None
    if not isinstance(told, dict):
        return None
    lease = mapping(told.get("lease"))
    return Cabinet(
        in_control=flag(told.get("in_control")),
        basis=text(told.get("basis")),
        uncertainty_s=integer(told.get("uncertainty_s")),
        switch=text(told.get("switch")),
        door_open=flag(told.get("door_open")),
        mains=flag(told.get("mains")),
        ups_v=number(told.get("ups_v")),
        temperature_c=number(told.get("temperature_c")),
        lux=integer(told.get("lux")),
        linky=mapping(told.get("linky")),
        policy=_policy(mapping(told.get("policy"))),
        lease_held=flag(lease.get("held")),
        lease_left_s=integer(lease.get("left_s")),
        commands=tuple(_command(one) for one in mappings(told.get("commands"))),
        alarms=tuple(_alarm(one) for one in mappings(told.get("alarms")) if text(one.get("what"))),
        # Places count: orders go by them, so what is no feeder keeps its place as one without a name.
        feeders=tuple(_feeder(place, one) for place, one in enumerate(listed(told.get("feeders"))[:FEEDERS_MAX])),
        unix_s=moment(told.get("unix_s")),
        policy_plain=_plain(told.get("policy_plain")),
        site=_site(told.get("site")),
    )


def feeder_named(cabinet: Cabinet, name: str) -> Feeder | None:
    """By its name; capital or small letters matter only where two names differ by nothing else."""
    exact = [feeder for feeder in cabinet.feeders if feeder.name == name]
    alike = [feeder for feeder in cabinet.feeders if feeder.name.casefold() == name.casefold()]
    found = exact or alike
    return found[0] if len(found) == 1 else None


# --- parts ----------------------------------------------------------------------------------------------------------


def _policy(told: dict[str, Any]) -> PolicyTold:
    return PolicyTold(
        integer(told.get("version")),
        text(told.get("insee")),
        text(told.get("authority")),
        text(told.get("text")),
        moment(told.get("valid_from_s")),
        moment(told.get("valid_until_s")),
        text(told.get("state")),
        integer(told.get("next_version")),
    )


def _command(told: dict[str, Any]) -> Command:
    kind = told.get("kind")
    named = _KINDS.get(kind) if isinstance(kind, int) else text(kind)
    return Command(
        text(told.get("id")),
        named or "?",
        text(told.get("author")),
        text(told.get("reason")),
        moment(told.get("not_before_s")),
        moment(told.get("expires_s")),
        text(told.get("target")),
        integer(told.get("level")),
        text(told.get("state")),
    )


def _alarm(told: dict[str, Any]) -> Alarm:
    """Its detail is a list in the order of `wire.event` without the feeder: lamps first where they are counted."""
    what = text(told.get("what")) or "?"
    detail = listed(told.get("detail"))
    lamps = integer(detail[0]) if detail and what in _COUNTING else None
    words = next((text(one) for one in detail if text(one)), None)
    return Alarm(what, text(told.get("feeder")), integer(told.get("since_s")), lamps, words)


def _feeder(place: int, value: Any) -> Feeder:
    told = mapping(value)
    expected_w = number(told.get("expected_w"))
    asked = [_asked(one) for one in mappings(told.get("considered"))]
    own = _asked(told)
    if own.rule not in [one.rule for one in asked]:  # an agent that does not tell them, or not well
        asked = [own] if text(told.get("rule")) else []
    return Feeder(
        place=place,
        name=text(told.get("name")) or f"n° {place + 1}",
        group=text(told.get("group")),
        is_permanent=told.get("kind") == "permanent",
        lamps=integer(told.get("lamps")),
        closed=flag(told.get("closed")),
        feedback=flag(told.get("feedback")),
        power_w=number(told.get("power_w")),
        energy_wh=integer(told.get("energy_wh")),
        expected_w=expected_w,
        normal_w=number(told.get("normal_w")) or expected_w,
        rule=text(told.get("rule")),
        asked=tuple(asked),
        because=text(told.get("because")),
        since_s=integer(told.get("since_s")),
        until_unix_s=moment(told.get("until_unix_s")),
        night=_night(told.get("night")),
        locked_by=text(told.get("locked_by")),
        test_left_s=integer(told.get("test_left_s")),
    )


def _asked(told: dict[str, Any]) -> Asked:
    return Asked(
        text(told.get("rule")) or "?",
        text(told.get("reason")),
        flag(told.get("wants")),
        moment(told.get("until_unix_s")),
        text(told.get("command")),
    )


def _night(value: Any) -> tuple[tuple[int, int], ...]:
    """[(Unix s, level)], ascending; nothing rather than half of it."""
    changes: list[tuple[int, int]] = []
    for change in listed(value)[:_CHANGES_MAX]:
        pair = listed(change)
        at_s, level = (moment(pair[0]), integer(pair[1])) if len(pair) >= 2 else (None, None)
        if at_s is None or level is None or (changes and at_s <= changes[-1][0]):
            return ()
        changes.append((at_s, min(100, max(0, level))))
    return tuple(changes)


def _plain(value: Any) -> bytes | None:
    pieces = [value] if isinstance(value, str) else listed(value)
    if not pieces or not all(isinstance(piece, str) for piece in pieces):
        return None
    digits = "".join(pieces)
    try:
        return bytes.fromhex(digits) if len(digits) <= _POLICY_DIGITS_MAX else None
    except ValueError:  # shortened on its way
        return None


def _site(value: Any) -> tuple[int, int] | None:
    pair = [integer(one) for one in listed(value)]
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        return None
    return (pair[0], pair[1]) if abs(pair[0]) <= 900_000 and abs(pair[1]) <= 1_800_000 else None
