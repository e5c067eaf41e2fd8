"""States which causes of faults are worth waking a person, of which trade, and from when on. Pure, but for
`open_causes`, which reads the warehouse.

Worth it is what is dangerous, what leaves a street dark, what ruins a building or wastes water by the hour, and the
silence of a cabinet or of the centre itself. One dead lamp, a meter, a sensor wait for the morning's list. A fault is
told once it has lasted for a time: a recloser opens for seconds, a technician has the door open while he works.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tools.centre.condition import notes
from tools.centre.condition.faults import Faults, StandingFault
from tools.centre.condition.fold import fields
from tools.centre.condition.groups import Group, group, lights_behind
from tools.centre.limits import DISK_FREE_WAKING, LAMPS_TOGETHER_MIN, OUT_OF_SERVICE_S, SILENCE_S_MAX, TOGETHER_S
from tools.centre.register.equipment import CABINET, GREEN_SPACE, LIGHT, METER, ROOM, Key
from tools.centre.register.register import Place, Register
from tools.centre.scope import grants
from tools.centre.store import database, web_outbox
from tools.centre.store.archive import Archive
from wire import event

# Of each code: the trade that can act, and the seconds for which it lasts before it wakes. A cabinet has waited for 60
# to 300 s before it states a feeder (gateway.core.limits).
CODES: dict[int, tuple[str, int]] = {
    event.SUPPLY_LOSS: (grants.LIGHTING, 300),
    event.FEEDER_FAILURE: (grants.LIGHTING, 120),
    event.CABLE_FAULT: (grants.LIGHTING, 0),
    event.CONTACTOR_STUCK: (grants.LIGHTING, 120),
    event.VOLTAGE_TOO_HIGH: (grants.LIGHTING, 300),  # a lost neutral is dangerous
    event.LAMP_FAILURE: (grants.LIGHTING, 300),  # of lamps that went out together; one alone does not wake
    event.DOOR_OPEN: (grants.LIGHTING, 3600),  # live parts beside a pavement, once no work takes that long
    event.FROST_PROTECTION: (grants.HEATING, 900),
    event.PIPE_BURST: (grants.WATERING, 0),
    event.WATER_LEAK: (grants.WATERING, 600),
}
# Of the others the equipment says it; what has no place is a cabinet's or a lamp's.
_TRADES: dict[str | None, str] = {ROOM: grants.HEATING, GREEN_SPACE: grants.WATERING, METER: grants.WATERING}
_LATER_S = 1 << 40
# Troubles of the centre itself.
DEAF, INGEST, DISK, WAREHOUSE = "deaf", "ingest", "disk", "warehouse"
# By what the deafness of the centre is known again.
DEAF_MEMBER = f"centre:{DEAF}"


class Silence(NamedTuple):
    """States that nothing is received from a cabinet any more. place: as the register has it; heard_unix_s: when
    something last was."""

    key: Key
    place: Place | None
    heard_unix_s: int


class Trouble(NamedTuple):
    """States what ails the centre itself: one of the words above, since when, and a figure for its sentence."""

    kind: str
    since_unix_s: int
    figure: int = 0


class Cause(NamedTuple):
    """Holds what is told as one. members: a key for each fault in it, by which it is known again at the next look.
    insee, trade: whose it is, ALL of the centre. wakes_unix_s: from when on it is told; None: it waits for the morning.
    holder: in whose hands the screens have it, "" where it was given back, None where nobody said. lights: those behind
    it."""

    members: frozenset[str]
    insee: str
    trade: str
    wakes_unix_s: int | None
    holder: str | None
    about: Group | Silence | Trouble
    lights: int = 0


def open_causes(
    connection: database.Connection, *, now_s: int, web: str | None = None, disk_free: float | None = None
) -> list[Cause]:
    """Returns all that is open in the territory by cause, also what wakes nobody. web: the web's own database, whose
    notes may not have reached the warehouse yet; disk_free: the part of the disk of the warehouse that is free."""
    archive, register = Archive(connection), Register(connection)
    found = Faults(connection).open()
    groups = group(found if web is None else notes.with_sent(web_outbox.path_of(web), found))
    lights: dict[tuple[str | None, str | None], int] = {}
    if groups:  # a territory has 60,000, and a quiet night asks for none of them
        for version in register.versions(kind=LIGHT, at_unix_s=now_s):
            cabinet, feeder = version.equipment.cabinet, version.equipment.feeder
            for key in {(cabinet, feeder), (cabinet, None)}:
                lights[key] = lights.get(key, 0) + 1
    late = [one.seen_unix_s for one in archive.ingests() if not one.is_at_work(now_s)]
    troubles = [Trouble(INGEST, min(late), len(late))] if late else []
    if disk_free is not None and disk_free < DISK_FREE_WAKING:
        troubles.append(Trouble(DISK, now_s, round(100 * disk_free)))
    told = causes(groups, archive.last_received(), troubles, lights, now_s=now_s)
    return [_placed(one, register, now_s) if isinstance(one.about, Silence) else one for one in told]


def causes(
    groups: Iterable[Group],
    heard: Mapping[str, int],
    troubles: Iterable[Trouble] = (),
    lights: Mapping[tuple[str | None, str | None], int] | None = None,
    *,
    now_s: int,
) -> list[Cause]:
    """Returns causes from faults, from when each cabinet (`49135-cab-1`) was last heard, and from the centre's own
    troubles."""
    found = [_of_faults(one, lights or {}) for one in groups]
    # One that is silent for so long is out of service, and stands on the screen of the chain.
    known = {cabinet: at_s for cabinet, at_s in heard.items() if now_s - at_s < OUT_OF_SERVICE_S}
    silent = {cabinet: at_s for cabinet, at_s in known.items() if now_s - at_s > SILENCE_S_MAX}
    found = list(_with_silences(found, silent))
    newest_s = max(known.values(), default=0)
    if len(known) > 1:
        # Cabinets do not fall silent all at once: it is the centre that hears nothing. So one after which no other has
        # spoken for longer than between two reports is not told; those that were told before last.
        found = [one._replace(wakes_unix_s=_LATER_S)
                 if isinstance(one.about, Silence) and newest_s - one.about.heard_unix_s <= TOGETHER_S else one
                 for one in found]  # fmt: skip
        if len(silent) == len(known):
            found.append(_of_trouble(Trouble(DEAF, newest_s, len(silent)), newest_s + SILENCE_S_MAX))
    return [*found, *(_of_trouble(one, one.since_unix_s) for one in troubles)]


def _of_faults(one: Group, lights: Mapping[tuple[str | None, str | None], int]) -> Cause:
    told = [(CODES[fault.code][0], at_s) for fault in one.all if (at_s := _wakes_s(fault, one)) is not None]
    trade, wakes_s = min(told, key=lambda pair: pair[1]) if told else (_trade(one.first), None)
    first = one.first
    members = frozenset(map(member, one.all))
    return Cause(members, first.commune, trade, wakes_s, _holder(one), one, lights_behind(one, lights))


def _holder(one: Group) -> str | None:
    said = (note.holder for fault in one.all for note in reversed(fault.notes) if note.holder is not None)
    return next(said, None)


def member(fault: StandingFault) -> str:
    """Returns by what a fault is known again, also once it has ended and come back."""
    about = (fault.feeder or "") if fault.names_feeder else ""
    return f"{fault.subject.hex()}:{fault.code}:{about}:{'' if fault.zone is None else fault.zone}"


def _wakes_s(fault: StandingFault, within: Group) -> int | None:
    """Returns from when on a fault wakes a person; None: it does not."""
    if fault.code not in CODES:
        return None
    if fault.code == event.CONTACTOR_STUCK and fields(fault.code, fault.detail).get("ordered") is not True:
        return None  # it stays closed: lamps burn by day
    if fault.code == event.LAMP_FAILURE:
        out = sum(other.code == event.LAMP_FAILURE for other in within.all)
        if out < LAMPS_TOGETHER_MIN:
            return None
    return fault.from_unix_s + CODES[fault.code][1]


def _trade(fault: StandingFault) -> str:
    kind = None if fault.place is None else fault.place.key.kind
    return _TRADES.get(kind, grants.LIGHTING)


def _with_silences(found: list[Cause], silent: dict[str, int]) -> Iterator[Cause]:
    """Puts the silence of a cabinet under its lost supply, whose battery is empty by then; else it is a cause."""
    left = dict(silent)
    for one in found:
        if isinstance(one.about, Group):
            lost = {fault.cabinet for fault in one.about.all if fault.code == event.SUPPLY_LOSS} & left.keys()
            yield one._replace(members=one.members | {f"silent:{cabinet}" for cabinet in lost})
            for cabinet in lost:
                del left[cabinet]
    for cabinet, at_s in sorted(left.items()):
        insee, _, name = cabinet.partition("-")
        about = Silence(Key(insee, CABINET, name), None, at_s)
        members = frozenset((f"silent:{cabinet}",))
        yield Cause(members, insee, grants.LIGHTING, at_s + SILENCE_S_MAX, None, about)


def _placed(one: Cause, register: Register, now_s: int) -> Cause:
    """Returns the silence of a cabinet with its place: a person knows streets and communes, and no number."""
    assert isinstance(one.about, Silence)
    key = one.about.key
    return one._replace(about=one.about._replace(place=register.of_gateway(key.insee, key.id, unix_s=now_s)))


def _of_trouble(one: Trouble, wakes_s: int) -> Cause:
    return Cause(frozenset((f"centre:{one.kind}",)), grants.ALL, grants.ALL, wakes_s, None, one)


def unreadable(since_unix_s: int) -> Cause:
    """Returns the cause that the warehouse cannot be read: nothing else is known then."""
    return _of_trouble(Trouble(WAREHOUSE, since_unix_s), since_unix_s + 300)  # a restart of its server takes a minute
