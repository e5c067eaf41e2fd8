"""Shows the chain from cabinets to warehouse, the worst first: who is linked, what is late, which program runs, what
ails it and its nodes.

All of it is what the warehouse received, but for the ends of certificates, which the authority's public folder tells
(`--issued`): a cabinet that catches up after an outage is linked and late. What else the broker knows stands in `bocage
centre status`, which root asks.
"""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from gateway.language import N_, NC_, NN_, Phrases, events
from gateway.language.figures import duration
from tools.centre.broker.authority import Authority
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults, StandingFault
from tools.centre.condition.programs import Outdated, campaigns, outdated, program, systems
from tools.centre.condition.states import silent_after_s
from tools.centre.limits import RENEW_DAYS, RENEW_NIGHTS, SILENCE_S_MAX
from tools.centre.register import placed
from tools.centre.register.equipment import CABINET, LIGHT, cabinet_of
from tools.centre.register.placed import Placed
from tools.centre.store import bodies, database
from tools.centre.web import duty, words
from tools.centre.web.access import Commune, commune, opened
from tools.centre.web.control import orderable_feeders
from tools.centre.web.limits import CLOCK_STEP_S_MIN
from tools.centre.web.page import picture, shown
from tools.centre.web.pictures import Picture
from wire import event

WORDS = Phrases({
    "title": N_("Cabinets of {commune}"),
    "cabinet": NC_("column", "Cabinet"),
    "link": NC_("column", "Link"),
    "received": NC_("column", "Last received"),
    "late": NC_("column", "Behind"),
    "nodes": NC_("column", "Nodes heard"),
    "program": NC_("column", "Program"),
    "linked": NC_("cabinet", "Linked"),
    "alone": NC_("cabinet", "Alone"),
    "late.no": NC_("cabinet", "up to date"),
    "waiting": NN_("{count} record waits there", "{count} records wait there"),
    "waiting.since": NN_("{count} record waits there, made after {when}",
                         "{count} records wait there, made after {when}"),
    "late.unknown": NC_("cabinet", "not known while it is alone"),
    "nodes.of": N_("{heard} of {count}"),
    "nodes.none": NC_("cabinet", "none known"),
    "started": N_("started {when}"),
    "program.other": N_("most others have {version}"),
    "certificate.ends": N_("its certificate ends on {day}: without a link it does not ask for the next"),
    "certificate.over": N_("its certificate ended on {day}: it stays alone until it is enrolled again"),
    "system": N_("its last updates of Debian are of {day}, {days} days ago: security updates may be missing"),
    "system.never": N_("it has told of no update of Debian in {days} days: security updates may be missing"),
    "clock": N_("its clock was {length} off until {when}"),
    "node": N_("{light}: {what}"),
    "placed": N_("node {node}: stated on site to serve light {light}, and the register has otherwise"),
    "placed.none": N_("node {node}: stated on site to serve no light any more, and the register has otherwise"),
    "none": N_("No cabinet of your rights has been heard yet."),
    "summary": NN_("{linked} of {count} cabinet linked", "{linked} of {count} cabinets linked"),
    "alone.why": N_(
        "A cabinet that is alone and has power goes on by its policy, keeps its records and sends them when it is back."
    ),
})  # fmt: skip

_CABINETS = """SELECT g.id, g.insee, g.name, max(p.extended_unix_s), max(p.latest_unix_s) FROM gateways AS g
    LEFT JOIN prefixes AS p ON p.gateway = g.gateway WHERE g.bound = 1 AND g.insee = coalesce(?, g.insee)
    GROUP BY g.id, g.insee, g.name ORDER BY g.name"""
# An epoch is sent to its end before the next one begins: what an earlier one held then is no longer there.
_WAITING = """SELECT sum(p.held_end - p.next_position), min(nullif(p.latest_unix_s, 0)) FROM prefixes AS p
    JOIN gateways AS g ON g.gateway = p.gateway WHERE g.id = ? AND g.bound = 1 AND p.held_end > p.next_position
    AND NOT EXISTS (SELECT 1 FROM prefixes AS q WHERE q.gateway = p.gateway AND q.lane = p.lane
        AND q.first_received_unix_s > p.first_received_unix_s AND q.next_position > 0)"""
# Of its latest records, for a boot may have a year of them.
_LATEST = f"""SELECT body, seconds FROM (SELECT body, seconds, lane FROM records WHERE node = ?
    AND boot = (SELECT max(boot) FROM records WHERE node = ?) ORDER BY sequence DESC LIMIT 200) AS r
    WHERE lane = {event.LANES.index(event.EVENT)} AND seconds > ?"""
# What a cabinet says of a node, or a node of itself, that is of the chain and not of the street.
_OF_NODES = (event.FAIR_USE_EXCEEDED, event.CLOCK_FAILURE)
_DAY_S = 86_400
_NAMES = """SELECT id, name FROM equipment WHERE insee = ? AND kind = ?
    AND from_unix_s <= ? AND (until_unix_s IS NULL OR until_unix_s > ?)"""


class Alone(NamedTuple):
    """Names a cabinet that nothing is received from any more, and when it was last heard."""

    cabinet: str
    received_unix_s: int


def alone(request: Any, own: Commune) -> list[Alone]:
    """Returns the cabinets of a commune that are alone: what a screen shows of their equipment is old."""
    with opened(own.areas) as connection:
        return alone_in(connection, own.insee, now_s=request.now_s).get(own.insee, [])


def alone_in(connection: database.Connection, insee: str | None = None, *, now_s: int) -> dict[str, list[Alone]]:
    """Returns the cabinets that are alone, by commune; `insee`: of one commune."""
    found: dict[str, list[Alone]] = {}
    names: dict[str, dict[str, str | None]] = {}
    for _, of, name, at_s, _ in connection.execute(_CABINETS, (insee,)).fetchall():
        if at_s is not None and not _is_linked(at_s, now_s=now_s):
            if of not in names:
                names[of] = _names(connection, of, now_s=now_s)
            found.setdefault(of, []).append(Alone(names[of].get(name) or name, at_s))
    return found


def _is_linked(received_s: int | None, *, now_s: int) -> bool:
    return received_s is not None and received_s >= now_s - SILENCE_S_MAX


def _names(connection: database.Connection, insee: str, *, now_s: int) -> dict[str, str | None]:
    return dict(connection.execute(_NAMES, (insee, CABINET, now_s, now_s)).fetchall())


class Ailing(NamedTuple):
    """Says what ails a cabinet, or one of its nodes; light: that has a page."""

    sentence: str
    light: str | None = None


class Cabinet(NamedTuple):
    """Holds what is known of a cabinet's part of the chain. late_s: of its latest record when it came, beyond a
    report; heard, nodes: of the equipment that it carries; others_program: that of most cabinets, where it has
    another; campaigns: what it said last of each that brings its nodes a program, and of its system; waiting: records
    that it held and we did not, by its own latest word, made after waiting_after_unix_s."""

    name: str
    place: str | None
    is_linked: bool
    received_unix_s: int | None
    late_s: int
    heard: int
    nodes: int
    program: str | None
    started_unix_s: int | None
    ailing: tuple[Ailing, ...]
    others_program: str | None = None
    campaigns: tuple[str, ...] = ()
    waiting: int = 0
    waiting_after_unix_s: int | None = None

    @property
    def order(self) -> tuple:
        """Returns its place in the list: the worst first, then by name."""
        return self.is_linked, -len(self.ailing), -self.late_s, self.nodes and self.heard / self.nodes, self.name


def health(request: Any, insee: str) -> Any:
    own = commune(request, insee)
    whole = picture(request, own)
    with opened(own.areas) as connection:
        cabinets = _compared(list(_cabinets(connection, insee, whole, request.language, now_s=request.now_s)))
    linked = sum(one.is_linked for one in cabinets)
    may_light = bool(orderable_feeders(own, now_s=request.now_s))
    return shown(
        request, "health.html", WORDS, commune=own, tab="health", cabinets=cabinets, linked=linked,
        may_light=may_light, problems=duty.problems(request),
    )  # fmt: skip


def _cabinets(connection: database.Connection, insee: str, whole: Picture, language: str, *, now_s: int) -> Any:
    names = _names(connection, insee, now_s=now_s)
    ailing: dict[str, list[Ailing]] = {}
    gateways = {identity for (identity,) in connection.execute("SELECT id FROM gateways")}
    for fault in Faults(connection).open_in(insee):
        if fault.subject in gateways and not fault.names_feeder:
            said = Ailing(events.sentence(fault.code, True, fault.detail, language))
        elif fault.code in _OF_NODES:
            said = _of_node(fault, insee, language)
        else:
            continue
        ailing.setdefault(fault.cabinet, []).append(said)
    nodes, heard = Counter[str | None](), Counter[str | None]()
    stated = placed.open_statements(connection)
    told = [(one.gateway, event.CAMPAIGN, one.detail) for one in campaigns(connection, insee)]
    told += [(one.gateway, event.SYSTEM_UPDATE, one.detail) for one in systems(connection, insee)]
    old = {one.gateway: one for one in outdated(connection, insee, now_s=now_s)}
    seen: set[bytes] = set()  # the zones of a green space share a node
    for state in (*(one.state for one in whole.lights), *(one.state for one in whole.spaces)):
        if state.node is not None and state.node not in seen:
            seen.add(state.node)
            nodes[state.cabinet] += 1
            # One with a fault is heard, too.
            heard[state.cabinet] += (state.heard_unix_s or 0) >= now_s - silent_after_s(state.kind)
    for identity, _, name, received_s, latest_s in connection.execute(_CABINETS, (insee,)).fetchall():
        address = cabinet_of(insee, name)
        version, started_s, _ = program(connection, identity)
        waiting, after_s = connection.execute(_WAITING, (identity,)).fetchone()
        ails = [*ailing.get(address, ()), *_placed(stated, identity, insee, language),
                *_clock(connection, identity, language, now_s=now_s),
                *_certificate(address, language, now_s=now_s), *_system(old.get(identity), language)]  # fmt: skip
        yield Cabinet(
            name, names.get(name), _is_linked(received_s, now_s=now_s), received_s,
            max(0, received_s - latest_s) if received_s is not None and latest_s else 0,
            heard[address], nodes[address], version, started_s, tuple(ails),
            campaigns=tuple(
                events.sentence(code, None, detail, language) for gateway, code, detail in told if gateway == identity
            ),
            waiting=waiting or 0, waiting_after_unix_s=after_s,
        )  # fmt: skip


def _compared(cabinets: list[Cabinet]) -> list[Cabinet]:
    """Returns them the worst first, with whose program is another than that of most."""
    programs = Counter(one.program for one in cabinets if one.program)
    common = max(programs, key=lambda version: (programs[version], version), default=None)
    marked = [
        one._replace(others_program=common) if one.program and one.program != common else one for one in cabinets
    ]
    return sorted(marked, key=lambda one: one.order)


def _of_node(fault: StandingFault, insee: str, language: str) -> Ailing:
    place = fault.place
    is_light = place is not None and place.key[:2] == (insee, LIGHT)
    light = fault_words.short_text(fault, language)
    text = WORDS.text("node", language, light=light, what=events.name(fault.code, language))
    return Ailing(text, place.key.id if place is not None and is_light else None)


def _placed(stated: list[Placed], gateway: bytes, insee: str, language: str) -> list[Ailing]:
    """Tells what a technician stated at a cabinet and the register has otherwise (`bocage centre register placed`)."""
    found = []
    for one in stated:
        if one.gateway == gateway and one.insee == insee and one.is_open:
            key = "placed.none" if one.light is None else "placed"
            said = WORDS.text(key, language, node=one.node.hex(), light=one.light)
            found.append(Ailing(said, None if one.key is None else one.key.id))
    return found


def _clock(connection: database.Connection, gateway: bytes, language: str, *, now_s: int) -> list[Ailing]:
    """Tells the largest correction of its clock within a day, where it was one that a person would see."""
    worst: tuple[int, int] = (0, 0)
    for body, seconds in connection.execute(_LATEST, (gateway, gateway, now_s - _DAY_S)).fetchall():
        found = bodies.decode_event(body)
        if found.code == event.CLOCK_STEPPED and all(isinstance(one, int) for one in found.detail):
            worst = max(worst, (abs(found.detail[1] - found.detail[0]), seconds))
    if worst[0] < CLOCK_STEP_S_MIN:
        return []
    when = words.moment(worst[1], language, now_s=now_s)
    return [Ailing(WORDS.text("clock", language, length=duration(worst[0], language), when=when))]


def _certificate(cabinet: str, language: str, *, now_s: int) -> list[Ailing]:
    """Tells a certificate that its cabinet had a fortnight of nights to renew."""
    if settings.BOCAGE.issued is None:
        return []
    end = Authority(Path(settings.BOCAGE.issued).parent).end_of(cabinet)
    if end is None or end.timestamp() - now_s > (RENEW_DAYS - RENEW_NIGHTS) * _DAY_S:
        return []
    key = "certificate.over" if end.timestamp() <= now_s else "certificate.ends"
    return [Ailing(WORDS.text(key, language, day=words.day(int(end.timestamp()), language)))]


def _system(old: Outdated | None, language: str) -> list[Ailing]:
    if old is None:
        return []
    if old.state_unix_s is None:
        return [Ailing(WORDS.text("system.never", language, days=old.days))]
    day = words.day(old.state_unix_s, language)
    return [Ailing(WORDS.text("system", language, day=day, days=old.days))]
