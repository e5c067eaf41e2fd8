"""Defines the state of a gateway as one typed document, and its form as JSON.

`gateway/shell/facts.py` makes it in a running agent, `gateway/show` turns it into text. Inside
the agent it is passed on as it is; JSON exists only at the status socket: `as_json` writes it, `parse` reads it back.
The other end of the socket may be an older or newer release, so `parse` never raises: a value that is absent, too long
or of another type becomes the field's default, and a text becomes one bounded line without control characters.

Durations are in seconds, instants in Unix seconds, None where no clock is known: a cabinet may have no clock. Powers
are in W and voltages in V. Parts that a gateway does not have are None.

Long because the document is one tree, and its two forms must agree field by field.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from gateway.core.bearers.modem import ModemState
from gateway.core.heartbeats import LateTask

STARTING, RUNNING, STOPPING = "starting", "running", "stopping"
# Phases that only another process reports: there is no agent, it does not answer, this user may not query it.
ABSENT, MUTE, FORBIDDEN = "absent", "mute", "forbidden"
_PHASES = (STARTING, RUNNING, STOPPING, ABSENT, MUTE, FORBIDDEN)
DOCUMENT = 2

_NONE: Mapping[str, Any] = MappingProxyType({})

_ITEMS_MAX = 64
_CHARACTERS_MAX = 200
_NUMBER_MAX = 1e15
# The years in which a calendar can be computed.
_UNIX_S_MAX = 4_000_000_000
# A policy's bytes are in JSON a list of short texts of hex digits: the log's rules shorten long texts.
_PIECE_DIGITS = 400
_POLICY_DIGITS_MAX = 2 * 16_384

Phase = Annotated[str, "one of the above"]
Instant = Annotated[int, "Unix seconds"]
# (latitude, longitude) in 10^-4 degrees.
Site = Annotated[tuple[int, int], "place"]
# ((Unix s, level in percent), ...), ascending.
Night = Annotated[tuple[tuple[int, int], ...], "changes of a night"]


class CentreStatus(NamedTuple):
    """Describes the connection to the centre. `bearer`: the one that carries; `deaf`: why the subscription was
    refused; `refused_why`: the reason (of the event receiptRefused) of the newest receipt that was refused;
    `warehouses`: how many the key set names, whose receipts count."""

    connected: bool = True
    bearer: str | None = None
    since_s: int = 0
    why: str | None = None
    deaf: str | None = None
    receipt_ago_s: int | None = None
    refused_ago_s: int | None = None
    refused_why: str | None = None
    warehouses: int | None = None
    broker: str = "?"


class BudgetStatus(NamedTuple):
    """Holds this month's bytes on a metered bearer. `policy`: what it may still carry (`core/bearers/budget.py`)."""

    used: int = 0
    limit: int | None = None
    share_permille: int | None = None
    projected: int | None = None
    month: str | None = None
    policy: str | None = None


class BearerStatus(NamedTuple):
    """Describes one way to the broker, with its budget and its modem."""

    metered: bool = False
    up: bool = True
    rtt_ms: int | None = None
    budget: BudgetStatus | None = None
    modem: ModemState | None = None
    counters: Mapping[str, Any] = _NONE


class WaitingStatus(NamedTuple):
    """Counts positions that the centre does not hold yet, by lane. `oldest_s` is an upper bound, exact to the
    sampling."""

    lanes: Mapping[str, int] = _NONE
    oldest_s: int | None = None
    from_earlier_start: bool = False


class DiskStatus(NamedTuple):
    """Describes the journal's files and their file system. `cap_bytes`: what the journal may hold there."""

    held_bytes: int | None = None
    cap_bytes: int | None = None
    written_bytes: int | None = None
    written_bytes_a_day: int | None = None
    free_bytes: int | None = None
    size_bytes: int | None = None


class LossesStatus(NamedTuple):
    """Counts the records that were let go since the ledger began."""

    records: int = 0
    by_why: Mapping[str, int] = _NONE
    last_day: int = 0


class BabblingNode(NamedTuple):
    """Counts what a node beyond its fair use has sent today."""

    node: str = "?"
    alarms: int = 0
    events: int = 0
    reading_bytes: int = 0


class NodesStatus(NamedTuple):
    """Counts nodes heard since the start. `expected` None: every adopted node is answered. `unknown`: not adopted.
    `babbling`: beyond their fair use, the loudest first."""

    heard: int | None = None
    silent: int = 0
    silent_after_s: int = 0
    odd: int = 0
    expected: int | None = None
    unknown: tuple[dict[str, Any], ...] = ()
    babbling: tuple[BabblingNode, ...] = ()


class ClockStatus(NamedTuple):
    """Holds the time as it is sent to nodes. `jumped`: there is none because the system clock has jumped."""

    good: bool = False
    unix_s: Instant | None = None
    uncertainty_s: int | None = None
    jumped: bool = False


class FaultStatus(NamedTuple):
    """Holds a grave line of the log."""

    ago_s: int = 0
    what: str = "?"
    values: Mapping[str, Any] = _NONE


class DirectiveStatus(NamedTuple):
    """Describes a directive that nodes get, or that waits for its time. `nodes`: how many that asked it aims at."""

    id: str = "?"
    source: str = "centre"
    author: str = "?"
    reason: str = "?"
    scope: str | None = None
    values: Mapping[str, int] = _NONE
    begins_s: Instant | None = None
    expires_s: Instant | None = None
    state: str = "unknown"
    nodes: int | None = None


class WishStatus(NamedTuple):
    """Holds what one rule demands of a feeder. `reason`: a name (of a tester or an author), a word (`switch-on`,
    `locked`), or from the policy a number, which `gateway/show/explain` computes itself. `command`: the id of the
    command behind it.
    """

    rule: str = "?"
    reason: str | int | None = None
    wants: bool | None = None
    until_unix_s: Instant | None = None
    command: str | None = None

    @property
    def reason_text(self) -> str | None:
        return self.reason if isinstance(self.reason, str) else None


class FailedNode(NamedTuple):
    node: str = "?"
    why: str = "?"


class CampaignStatus(NamedTuple):
    """Describes a campaign that brings a kind of node its program. `phase`, the states of `counts`: words of
    `gateway/core/campaigns/campaign.py`; `unheard`: nodes that have not asked for a program since it began."""

    product: str = "?"
    number: int = 0
    phase: str = "?"
    counts: Mapping[str, int] = _NONE
    unheard: int = 0
    canaries: int = 0
    soak_left_s: int | None = None
    failed: tuple[FailedNode, ...] = ()


class FeederStatus(NamedTuple):
    """Describes one feeder. `place`: its index in the configuration, by which orders name it. `ordered`: closed, as
    `rule` wants; `reported`: closed, as the auxiliary contact says; `measured`: lit, as the watts say; None: not known.
    `dims`: its lamps dim without us, so that fewer watts are no fault. `considered`: every rule that had a demand, from
    the strongest down."""

    place: int = 0
    name: str = "?"
    group: str | None = None
    kind: str = "switched"
    has_rule: bool = False
    lamps: int | None = None
    has_meter: bool = False
    dims: bool = False
    ordered: bool | None = None
    reported: bool | None = None
    measured: bool | None = None
    power_w: float | None = None
    energy_wh: int | None = None
    normal_w: float | None = None
    expected_w: float | None = None
    since_s: int | None = None
    rule: str | None = None
    reason: str | int | None = None
    wants: bool | None = None
    until_unix_s: Instant | None = None
    command: str | None = None
    because: str | None = None
    considered: tuple[WishStatus, ...] = ()
    locked_by: str | None = None
    test_left_s: int | None = None
    night: Night = ()

    @property
    def is_permanent(self) -> bool:
        return self.kind == "permanent"


class CommandStatus(NamedTuple):
    """Describes a command in the agent's hands, in any state."""

    id: str | None = None
    kind: str = "?"
    author: str | None = None
    reason: str | None = None
    not_before_s: Instant | None = None
    expires_s: Instant | None = None
    target: str | None = None
    feeders: tuple[int, ...] = ()
    level: int | None = None
    state: str | None = None


class AlarmStatus(NamedTuple):
    """Describes an active alarm. `detail`: as in `wire.event`, without the feeder."""

    what: str = "?"
    feeder: str | None = None
    detail: tuple[Any, ...] = ()
    since_s: int | None = None

    @property
    def lamps(self) -> int | None:
        """Returns how many lamps are concerned, where the alarm counts them: the detail then begins with that
        number."""
        first = self.detail[0] if self.detail and self.what in ("lampsLost", "cableFault") else None
        return first if isinstance(first, int) and not isinstance(first, bool) else None

    @property
    def words(self) -> str | None:
        """Returns what the detail names, to be shown unchanged."""
        return next((one_line(part) for part in self.detail if one_line(part)), None)


class PolicyStatus(NamedTuple):
    """Describes the policy in force. `state`: none, valid or expired."""

    state: str | None = None
    has_keys: bool = False
    version: int | None = None
    insee: str | None = None
    authority: str | None = None
    text: str | None = None
    valid_from_s: Instant | None = None
    valid_until_s: Instant | None = None
    next_version: int | None = None
    signed_by: str | None = None


class LeaseStatus(NamedTuple):
    held: bool | None = None
    left_s: int | None = None


class CabinetStatus(NamedTuple):
    """Describes what is wired in the cabinet. `linky`: what the meter's customer output reports; `policy_plain`: the
    document in force, as signed."""

    unix_s: Instant | None = None
    in_control: bool | None = None
    basis: str | None = None
    uncertainty_s: int | None = None
    switch: str | None = None
    door_open: bool | None = None
    mains: bool | None = None
    ups_v: float | None = None
    temperature_c: float | None = None
    lux: int | None = None
    linky: dict[str, int | str] | None = None
    policy: PolicyStatus = PolicyStatus()
    policy_plain: bytes | None = None
    site: Site | None = None
    lease: LeaseStatus = LeaseStatus()
    commands: tuple[CommandStatus, ...] = ()
    alarms: tuple[AlarmStatus, ...] = ()
    feeders: tuple[FeederStatus, ...] = ()
    audit: Mapping[str, Any] = _NONE

    def feeder_named(self, name: str) -> FeederStatus | None:
        """Returns the feeder of this name; case matters only where two names differ by nothing else."""
        exact = [feeder for feeder in self.feeders if feeder.name == name]
        alike = [feeder for feeder in self.feeders if feeder.name.casefold() == name.casefold()]
        found = exact or alike
        return found[0] if len(found) == 1 else None


class Status(NamedTuple):
    """Is the whole document. `health`: counters of every part by name, for programs."""

    document: int = DOCUMENT
    version: str | None = None
    phase: Phase = MUTE
    pid: int | None = None
    name: str = "?"
    commune: str | None = None
    gateway: str | None = None
    boot: int | None = None
    uptime_s: int | None = None
    late: tuple[LateTask, ...] = ()
    faults: tuple[FaultStatus, ...] | None = None
    link: tuple[str | int, ...] | None = None
    centre: CentreStatus | None = None
    bearers: dict[str, BearerStatus] | None = None
    waiting: WaitingStatus | None = None
    disk: DiskStatus | None = None
    losses: LossesStatus | None = None
    nodes: NodesStatus | None = None
    clock: ClockStatus | None = None
    certificates: dict[str, int | None] | None = None
    directives: tuple[DirectiveStatus, ...] | None = None
    campaigns: tuple[CampaignStatus, ...] | None = None
    cabinet: CabinetStatus | None = None
    health: Mapping[str, Any] = _NONE

    def part(self, name: str) -> dict[str, Any]:
        """Returns the counters of one part; empty where the gateway has no such part."""
        part = self.health.get(name)
        return part if isinstance(part, dict) else {}

    @property
    def carrier(self) -> BearerStatus | None:
        """Returns the bearer that carries."""
        return None if self.centre is None else (self.bearers or {}).get(self.centre.bearer or "")


# --- JSON -----------------------------------------------------------------------------------------------------------


def as_json(status: Status) -> dict[str, Any]:
    """Returns plain data for `json.dumps`. Parts that the gateway does not have are left out."""
    return {name: _plain(value) for name, value in zip(status._fields, status, strict=True) if value is not None}


def parse(plain: Any) -> Status:
    """Returns the status in plain data; the default Status where there is none."""
    found = _parse(Status, plain)
    return Status() if found is None else found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        digits = value.hex()
        return [digits[start : start + _PIECE_DIGITS] for start in range(0, len(digits), _PIECE_DIGITS)]
    if hasattr(value, "_fields"):
        return {name: _plain(field) for name, field in zip(value._fields, value, strict=True)}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _parse(kind: Any, value: Any) -> Any:
    """Returns the value as this type, or None if it has another."""
    if kind is Any:
        return value
    if kind in _PARSERS:
        return _PARSERS[kind](value)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):
        found = (_parse(one, value) for one in inner if one is not NoneType)
        return next((one for one in found if one is not None), None)
    if origin is tuple:
        items = (_parse(inner[0], one) for one in value[:_ITEMS_MAX]) if isinstance(value, list | tuple) else ()
        return tuple(one for one in items if one is not None) if isinstance(value, list | tuple) else None
    if not isinstance(value, dict):
        return None
    if origin in (dict, Mapping):
        fields = {key: _parse(inner[1], one) for key, one in value.items() if isinstance(key, str)}
        return {key: one for key, one in fields.items() if one is not None or NoneType in get_args(inner[1])}
    hints = get_type_hints(kind, include_extras=True)
    fields = {name: _parse(hints[name], value[name]) for name in kind._fields if name in value}
    defaults = kind._field_defaults
    given = {name: one for name, one in fields.items() if one is not None or name not in defaults}
    return None if any(name not in given for name in kind._fields if name not in defaults) else kind(**given)


def one_line(value: Any) -> str | None:
    """Returns a text that can be shown, bounded and without control characters; None for other types or an empty
    one."""
    if not isinstance(value, str):
        return None
    shown = "".join(character if character.isprintable() else " " for character in value[:_CHARACTERS_MAX]).strip()
    return shown or None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    """Returns a finite number that is small enough to compute with, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -_NUMBER_MAX < value < _NUMBER_MAX and math.isfinite(value) else None


def _integer(value: Any) -> int | None:
    found = _number(value)
    return None if found is None else round(found)


def _phase(value: Any) -> str | None:
    return value if isinstance(value, str) and value in _PHASES else None


def _instant(value: Any) -> int | None:
    found = _integer(value)
    return found if found is not None and 0 <= found < _UNIX_S_MAX else None


def _bytes(value: Any) -> bytes | None:
    pieces = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    digits = "".join(piece for piece in pieces if isinstance(piece, str))
    try:
        is_whole = 0 < len(digits) <= _POLICY_DIGITS_MAX and all(isinstance(piece, str) for piece in pieces)
        return bytes.fromhex(digits) if is_whole else None
    except ValueError:  # shortened on its way
        return None


def _site(value: Any) -> tuple[int, int] | None:
    pair = [_integer(one) for one in value] if isinstance(value, list | tuple) else []
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        return None
    return (pair[0], pair[1]) if abs(pair[0]) <= 900_000 and abs(pair[1]) <= 1_800_000 else None


def _night(value: Any) -> tuple[tuple[int, int], ...]:
    """Returns the changes of a night; none at all if one is malformed."""
    changes: list[tuple[int, int]] = []
    for change in value[:_ITEMS_MAX] if isinstance(value, list | tuple) else ():
        pair = change if isinstance(change, list | tuple) and len(change) >= 2 else (None, None)
        at_s, level = _instant(pair[0]), _integer(pair[1])
        if at_s is None or level is None or (changes and at_s <= changes[-1][0]):
            return ()
        changes.append((at_s, min(100, max(0, level))))
    return tuple(changes)


_PARSERS: dict[Any, Any] = {
    str: one_line, bool: _flag, int: _integer, float: _number, bytes: _bytes,
    Phase: _phase, Instant: _instant, Site: _site, Night: _night,
}  # fmt: skip
