"""Defines what a run is made of, drawn from one seed and printed before it starts.

`Options` is what a person chooses; `draw` adds what the seed chooses: which lamps fail, when the fibre is cut, when
power fails in a cabinet. Times are seconds after the start of the run.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulator.cabinet.village import Happening
from simulator.cabinet.village import draw as draw_village
from simulator.estates.streets import District
from simulator.world.chance import Prng

HOUR_S = 3600
# A run that ends after its hours has no faults in the last of them, so that records can arrive.
_CALM_S = 1800
# A fault that would begin later is omitted from such a run: its alarm takes up to a quarter of an hour, and a relay
# that sticks shows at dawn.
_SHOWN_AFTER_S, _DAWN_S = HOUR_S, 18 * HOUR_S


@dataclass(frozen=True)
class Options:
    """Holds what a person chooses for a run.

    The default is the street of `make sim`: two communes, 120 lamps, 3 cabinets, one winter night; `bocage sim` adds 12
    rooms and 8 green spaces.

    With `until_dusk` faults last for `hours`, and the run continues without any until the next dusk has passed: only
    then can a lamp on a switched feeder report what it could not report at dawn. Without it the run ends after `hours`.
    """

    seed: int = 1
    start: datetime = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    hours: int = 24
    lamps: int = 120
    rooms: int = 0
    greens: int = 0
    radio_loss_permille: int = 120
    faults: bool = True
    calendar: str = "dimming"
    until_dusk: bool = True

    @property
    def faults_s(self) -> int:
        """The end of faults, in seconds after the start."""
        whole_s = self.hours * HOUR_S
        return whole_s if self.until_dusk else whole_s - min(_CALM_S, whole_s // 2)

    @property
    def start_unix_s(self) -> int:
        return int(self.start.timestamp())


@dataclass(frozen=True)
class Cut:
    """Holds one absence of a part between two instants (seconds after the start)."""

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


def districts(lamps: int) -> list[District]:
    """Returns a town with two cabinets, one of them without 4G, and a village with one, on the Loire.

    The shares are equal; the first cabinet gets the rest.
    """
    share = lamps // 3
    return [
        District("49007", "Angers", "cab-1", 474736, -5542, lamps - 2 * share),
        District("49007", "Angers", "cab-2", 474810, -5601, share, has_mobile=False),
        District("49135", "Feneu", "cab-1", 475720, -5940, share),
    ]


SEASONS = {
    "winter": datetime(2026, 11, 24, 15, 0, tzinfo=UTC),
    "summer": datetime(2027, 7, 13, 15, 0, tzinfo=UTC),
}


def share(count: int, index: int) -> int:
    """Returns the part of `count` that belongs to the cabinet `index` of three: the first ones get the rest."""
    return (count + 2 - index) // 3


def draw(options: Options, prng: Prng) -> Drawn:
    """Draws the faults of the first `hours`.

    They are fibre cuts, a power cut of a cabinet within the night, a centre that is away, a broker that loses
    everything, and faults of lamps, thermometers and pipes.
    """
    drawn = Drawn()
    if not options.faults:
        return drawn
    # One digger cuts two cabinets: one has 4G to fall back on, the other keeps its records until the repair.
    fibre_s = 2 * HOUR_S + prng.randrange(HOUR_S)
    mended_s = fibre_s + 4 * HOUR_S + prng.randrange(HOUR_S)
    drawn.cuts.append(Cut("fibre", 2 * prng.randrange(2), fibre_s, mended_s))
    drawn.cuts.append(Cut("fibre", 1, fibre_s, mended_s))
    power_s = 7 * HOUR_S + prng.randrange(3 * HOUR_S)
    drawn.cuts.append(Cut("power", prng.randrange(3), power_s, power_s + 900 + prng.randrange(1800)))
    # The ingest stops, the broker continues to accept for it, then loses everything that it accepted.
    ingest_s = 11 * HOUR_S + prng.randrange(HOUR_S)
    drawn.cuts.append(Cut("ingest", None, ingest_s, ingest_s + 5400))
    drawn.cuts.append(Cut("broker", None, ingest_s + 4500, ingest_s + 4560))
    drawn.happenings = draw_village(options.start_unix_s, options.faults_s, prng.split("village"))
    drawn.cuts = [cut for cut in drawn.cuts if cut.to_s < options.faults_s]
    if options.lamps >= 12:
        chosen = prng.pick(3, options.lamps)
        drawn.dead_lamps = [(chosen[0], 5 * HOUR_S), (chosen[1], 9 * HOUR_S)]
        drawn.stuck_relays = [(chosen[2], 3 * HOUR_S)]
    estate = prng.split("estate")
    if options.rooms:
        drawn.dead_thermometers = [(estate.randrange(options.rooms), 8 * HOUR_S + estate.randrange(8 * HOUR_S))]
    if options.greens:
        drawn.broken_pipes = [(estate.randrange(options.greens), 6 * HOUR_S)]
    if not options.until_dusk:
        _leave_out_late(drawn, options.faults_s)
    return drawn


def _leave_out_late(drawn: Drawn, faults_s: int) -> None:
    """Keeps the faults of equipment that show before the run ends."""
    for faults in (drawn.dead_lamps, drawn.dead_thermometers, drawn.broken_pipes):
        faults[:] = [(index, at_s) for index, at_s in faults if at_s + _SHOWN_AFTER_S <= faults_s]
    if faults_s < _DAWN_S:
        drawn.stuck_relays.clear()
