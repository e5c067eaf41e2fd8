"""Defines what a run is made of, drawn from one seed and printed before it starts.

`Options` is what a person chooses; `draw` adds what the seed chooses: which lamps fail, when the fibre is cut, when
power fails in a cabinet. Times are seconds after the start of the run.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from simulator.cabinet.village import Happening
from simulator.cabinet.village import draw as draw_village
from simulator.estates.streets import District
from simulator.world.chance import Prng

HOUR_S = 3600
# Cabinets stand three and three: two in a town, one of them without 4G, and one in a village.
_TRIO = 3
# (INSEE code, name, latitude and longitude in 0.0001°) of a town and a village around Angers, in turn.
_PAIRS = (
    (("49007", "Angers", 474736, -5542), ("49135", "Feneu", 475720, -5940)),
    (("49353", "Trélazé", 474460, -4650), ("49129", "Écouflant", 475280, -5290)),
    (("49015", "Avrillé", 475060, -5880), ("49055", "Cantenay-Épinard", 475350, -5690)),
    (("49246", "Les Ponts-de-Cé", 474250, -5240), ("49223", "Mûrs-Erigné", 473970, -5490)),
    (("49267", "Saint-Barthélemy-d’Anjou", 474670, -4990), ("49329", "Savennières", 473810, -6560)),
    (("49020", "Beaucouzé", 474750, -6300), ("49035", "Bouchemaine", 474220, -6090)),
)
_SECOND_OF_TOWN = (74, -59)
# A run that ends after its hours has no faults in the last of them, so that records can arrive.
_CALM_S = 1800
# A fault that would begin later is omitted from such a run: its alarm takes up to a quarter of an hour, and a relay
# that sticks shows at dawn.
_SHOWN_AFTER_S, _DAWN_S = HOUR_S, 18 * HOUR_S


@dataclass(frozen=True)
class Options:
    """Holds what a person chooses for a run.

    The default is the street of `make sim`: two communes, 120 lamps, 3 cabinets, one winter night; `bocage sim` adds 12
    rooms and 8 green spaces. `cabinets`: those with nodes, among which lamps, rooms and green spaces are shared.

    With `until_dusk` faults last for `hours`, and the run continues without any until the next dusk has passed: only
    then can a lamp on a switched feeder report what it could not report at dawn. Without it the run ends after `hours`.
    """

    seed: int = 1
    start: datetime = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    hours: int = 24
    cabinets: int = 3
    lamps: int = 120
    rooms: int = 0
    greens: int = 0
    radio_loss_permille: int = 120
    faults: bool = True
    calendar: str = "dimming"
    until_dusk: bool = True
    # Cabinets in place of those around Angers; `cabinets` and `lamps` are theirs.
    given: tuple[District, ...] = ()

    @property
    def faults_s(self) -> int:
        """Returns the end of faults, in seconds after the start."""
        whole_s = self.hours * HOUR_S
        return whole_s if self.until_dusk else whole_s - min(_CALM_S, whole_s // 2)

    @property
    def start_unix_s(self) -> int:
        return int(self.start.timestamp())


@dataclass(frozen=True)
class Cut:
    """Holds one fault between two instants (seconds after the start).

    A part is away; or a stranger has the broker (`hostile`), the key of a lamp (`stolen`) or the certificate of a
    cabinet (`opened`); or the power is off, and a stranger deletes a file of the journal (`deleted`)."""

    what: str
    cabinet: int | None
    from_s: int
    to_s: int


@dataclass
class Drawn:
    """Holds what the seed chose."""

    cuts: list[Cut] = field(default_factory=list)
    dead_lamps: list[tuple[int, int]] = field(default_factory=list)
    stuck_relays: list[tuple[int, int]] = field(default_factory=list)
    # (index of a room, of a green space; seconds after the start): the thermometer dies, the first zone's pipe breaks.
    dead_thermometers: list[tuple[int, int]] = field(default_factory=list)
    broken_pipes: list[tuple[int, int]] = field(default_factory=list)
    # For the commune that has a cabinet only: see `simulator.cabinet.village`.
    happenings: tuple[Happening, ...] = ()


def districts(options: Options) -> list[District]:
    """Returns the cabinets with their lamps: equal shares, the first cabinet gets the rest."""
    if options.given:
        return list(options.given)
    count = options.cabinets
    lamps = options.lamps // count
    return [_district(index, options.lamps - (count - 1) * lamps if index == 0 else lamps) for index in range(count)]


def _district(index: int, lamps: int) -> District:
    trio, place = divmod(index, _TRIO)
    town, village = _PAIRS[trio % len(_PAIRS)]
    turn = trio // len(_PAIRS)
    if place == _TRIO - 1:
        insee, commune, latitude_e4, longitude_e4 = village
        return District(insee, commune, f"cab-{turn + 1}", latitude_e4, longitude_e4, lamps)
    insee, commune, latitude_e4, longitude_e4 = town
    if place:
        latitude_e4, longitude_e4 = latitude_e4 + _SECOND_OF_TOWN[0], longitude_e4 + _SECOND_OF_TOWN[1]
    number = 2 * turn + place + 1
    return District(insee, commune, f"cab-{number}", latitude_e4, longitude_e4, lamps, has_mobile=not place)


SEASONS = {
    "spring": datetime(2027, 4, 20, 17, 30, tzinfo=UTC),
    "winter": datetime(2026, 11, 24, 15, 0, tzinfo=UTC),
    "summer": datetime(2027, 7, 13, 15, 0, tzinfo=UTC),
}


def share(count: int, index: int, cabinets: int) -> int:
    """Returns the part of `count` that belongs to the cabinet `index`: the first ones get the rest."""
    return (count + cabinets - 1 - index) // cabinets


class Shares(NamedTuple):
    """Holds what each cabinet has: lamps, rooms and green spaces."""

    lamps: list[int]
    rooms: list[int]
    greens: list[int]


def shares(options: Options) -> Shares:
    """Returns the share of each cabinet in a territory."""
    cabinets = range(options.cabinets)
    rooms = [share(options.rooms, index, options.cabinets) for index in cabinets]
    greens = [share(options.greens, index, options.cabinets) for index in cabinets]
    return Shares([district.lamps for district in districts(options)], rooms, greens)


def draw(options: Options) -> Drawn:
    """Draws the faults of the first `hours` from the seed.

    Each three cabinets have fibre cuts, a power cut within the night, and faults of lamps, thermometers and pipes. For
    all of them, the centre is away once, the broker loses everything, and a stranger has it for half an hour; another
    has the key of one lamp, and a third a cabinet's certificate.
    """
    drawn = Drawn()
    if not options.faults:
        return drawn
    prng = Prng(options.seed).split("faults")
    trios = range(0, options.cabinets, _TRIO)
    chances = [prng if not first else prng.split(f"trio-{first}") for first in trios]
    for first, chance in zip(trios, chances, strict=True):
        _draw_cuts(drawn, first, chance)
    thief = prng.split("stolen")
    stolen_s = 4 * HOUR_S + thief.randrange(HOUR_S)
    drawn.cuts.append(Cut("stolen", thief.randrange(options.cabinets), stolen_s, stolen_s + 1800))
    if options.cabinets > 1:
        opened = prng.split("opened")
        opened_s = 6 * HOUR_S + opened.randrange(HOUR_S)
        drawn.cuts.append(Cut("opened", opened.randrange(options.cabinets), opened_s, opened_s + 1800))
    # The ingest stops, the broker continues to accept for it, then loses everything that it accepted.
    ingest_s = 11 * HOUR_S + prng.randrange(HOUR_S)
    drawn.cuts.append(Cut("ingest", None, ingest_s, ingest_s + 5400))
    drawn.cuts.append(Cut("broker", None, ingest_s + 4500, ingest_s + 4560))
    hostile_s = 13 * HOUR_S + prng.split("hostile").randrange(HOUR_S)
    drawn.cuts.append(Cut("hostile", None, hostile_s, hostile_s + 1800))
    drawn.happenings = draw_village(options.start_unix_s, options.faults_s, prng.split("village"))
    drawn.cuts = [
        cut for cut in drawn.cuts if cut.to_s < options.faults_s and (cut.cabinet or 0) < options.cabinets
    ]
    parts = shares(options)
    for first, chance in zip(trios, chances, strict=True):
        _draw_failures(drawn, parts, first, chance)
    if not options.until_dusk:
        _leave_out_late(drawn, options.faults_s)
    return drawn


def _draw_cuts(drawn: Drawn, first: int, prng: Prng) -> None:
    """Draws what is cut of three cabinets.

    One digger cuts two of them: one has 4G to fall back on, the other keeps its records until the repair.
    """
    fibre_s = 2 * HOUR_S + prng.randrange(HOUR_S)
    mended_s = fibre_s + 4 * HOUR_S + prng.randrange(HOUR_S)
    drawn.cuts.append(Cut("fibre", first + 2 * prng.randrange(2), fibre_s, mended_s))
    drawn.cuts.append(Cut("fibre", first + 1, fibre_s, mended_s))
    # Where records wait for the fibre, a stranger pulls the plug and deletes a file of the journal.
    deleted_s = fibre_s + HOUR_S + prng.split("deleted").randrange(2 * HOUR_S)
    drawn.cuts.append(Cut("deleted", first + 1, deleted_s, deleted_s + 300))
    power_s = 7 * HOUR_S + prng.randrange(3 * HOUR_S)
    drawn.cuts.append(Cut("power", first + prng.randrange(3), power_s, power_s + 900 + prng.randrange(1800)))


def _draw_failures(drawn: Drawn, parts: Shares, first: int, prng: Prng) -> None:
    """Draws what fails of the equipment of three cabinets."""
    lamps, rooms, greens = ((sum(part[:first]), sum(part[first : first + _TRIO])) for part in parts)
    before, count = lamps
    if count >= 12:
        chosen = [before + index for index in prng.pick(3, count)]
        drawn.dead_lamps += [(chosen[0], 5 * HOUR_S), (chosen[1], 9 * HOUR_S)]
        drawn.stuck_relays.append((chosen[2], 3 * HOUR_S))
    estate = prng.split("estate")
    before, count = rooms
    if count:
        index = before + estate.randrange(count)
        drawn.dead_thermometers.append((index, 8 * HOUR_S + estate.randrange(8 * HOUR_S)))
    before, count = greens
    if count:
        drawn.broken_pipes.append((before + estate.randrange(count), 6 * HOUR_S))


def _leave_out_late(drawn: Drawn, faults_s: int) -> None:
    """Keeps the faults of equipment that show before the run ends."""
    for faults in (drawn.dead_lamps, drawn.dead_thermometers, drawn.broken_pipes):
        faults[:] = [(index, at_s) for index, at_s in faults if at_s + _SHOWN_AFTER_S <= faults_s]
    if faults_s < _DAWN_S:
        drawn.stuck_relays.clear()
