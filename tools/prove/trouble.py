"""What happens to a cabinet in one night of `bocage prove night`: drawn from a seed, then done.

Among 196 nights in a row every kind of night, of trouble and of clock meets every other; the seed draws the rest: when,
for how long, with which ordinary hours. Half of the instants lie within three minutes of a change of the light.
"""

from typing import NamedTuple

from policy import civil, lighting, sun
from simulator.cabinet.commune import BEHUARD, Night, calendar_of
from simulator.cabinet.points import WHOLE
from simulator.cabinet.street import Setup, Street
from simulator.cabinet.system_clock import Absent, Drifting, SystemClock, TenYearsAhead
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from simulator.world.chance import Prng
from simulator.world.disk import ERRORS, FULL, SOUND, STALLS
from simulator.world.time import World

NIGHTS = ("ordinary", "spring", "autumn", "exception")
CLOCKS = ("good", "1970", "1970 no cell", "ten years", "ten years no cell", "drifting", "drifting no cell")
TROUBLES = ("killed", "hung", "unplugged", "card errors", "card stalls", "card full", "board lost")

GATEWAY_ID = bytes.fromhex("7c1f0a2cfe000031")
_FIRST_DAY, _DAYS = civil.days_from_civil(2026, 11, 2), 720
_HOUR_S = 3600
_BEFORE_DUSK_S, _AFTER_DAWN_S = 3 * _HOUR_S, 2 * _HOUR_S
_EARLIEST_S = 600  # after the start of the run: the agent has found itself
_ALL_NIGHT = Programme()
# The commune's clock is a quartz of a quarter of a second a day, set twice a year, as the guide asks: its error adds
# to the minute that the timer relay takes.
CLOCK_ERROR_S_MAX = 55
_CARDS = {"card errors": ERRORS, "card stalls": STALLS, "card full": FULL}


class Trouble(NamedTuple):
    """One thing that happens to the agent, in seconds after the start; `for_s` None: for good."""

    what: str
    at_s: int
    for_s: int | None
    lines_fall: bool


class Drawn(NamedTuple):
    """One night."""

    night: str
    clock: str
    start_s: int
    hours_s: int
    setup: Setup
    system_clock: SystemClock
    troubles: tuple[Trouble, ...]
    emergency: tuple[int, int] | None
    mains_cut: tuple[int, int] | None
    has_centre: bool
    ntp_s: int


def draw(number: int, seed: str) -> Drawn:
    """Night number `number` of a run."""
    prng = Prng(seed)
    first, rest = number % len(NIGHTS), number // len(NIGHTS)
    second, third = rest % len(TROUBLES), rest // len(TROUBLES)
    night = NIGHTS[first]
    what = TROUBLES[(second + first) % len(TROUBLES)]
    clock = CLOCKS[(third + second + first) % len(CLOCKS)]
    evening = _evening(night, prng)
    ordinary = _hours(prng)
    dusk_s, dawn_s = _sun(evening, rising=False), _sun(evening + 1, rising=True)
    start_s = dusk_s - _BEFORE_DUSK_S
    hours_s = dawn_s + _AFTER_DAWN_S - start_s
    nights = (Night(714, 714, _ALL_NIGHT), Night(1224, 1224, _ALL_NIGHT))
    error_s = prng.between(-CLOCK_ERROR_S_MAX, CLOCK_ERROR_S_MAX)
    wiring = WHOLE._replace(photocell="no cell" not in clock, linky=prng.chance(500))
    setup = Setup(
        BEHUARD, _feeders(prng), ordinary, GATEWAY_ID, nights, wiring, 1000 * error_s, 3 if error_s > 0 else -3
    )
    troubles = [_trouble(what, setup, start_s, hours_s, prng)]
    if prng.chance(300):
        troubles.append(_trouble(TROUBLES[prng.randrange(3)], setup, start_s, hours_s, prng))
    is_told = clock == "good" and what not in _CARDS
    return Drawn(
        night,
        clock,
        start_s,
        hours_s,
        setup,
        _system_clock(clock, start_s, hours_s, prng),
        tuple(sorted(troubles, key=lambda trouble: trouble.at_s)),
        _spell(hours_s, 1800, 2 * _HOUR_S, prng) if is_told and prng.chance(300) else None,
        _spell(hours_s, 30, 5400, prng) if prng.chance(100) else None,
        prng.chance(300),
        20 if prng.chance(700) else 30 + prng.randrange(600),
    )


def inflict(drawn: Drawn, world: World, street: Street) -> None:
    """Put it all into the queue of the world."""
    street.host.ntp_ms = 1000 * drawn.ntp_s
    for trouble in drawn.troubles:
        world.at(1000 * trouble.at_s, _begin, trouble, world, street)
    if drawn.emergency is not None:
        from_s, to_s = drawn.emergency
        world.at(1000 * from_s, _emergency, drawn.start_s + from_s, drawn.start_s + to_s, street)
    if drawn.mains_cut is not None:
        for at_s, there in zip(drawn.mains_cut, (False, True), strict=True):
            world.at(1000 * at_s, street.side.do, street.plant.set_mains, there)


def _emergency(from_s: int, to_s: int, street: Street) -> None:
    if street.host.core is not None:
        street.order_emergency("recherche d'une personne", from_s=from_s, to_s=to_s)


def _begin(trouble: Trouble, world: World, street: Street) -> None:
    host = street.host
    if trouble.what == "killed":
        host.kill(lines_fall=trouble.lines_fall)
    elif trouble.what == "hung":
        host.freeze()
    elif trouble.what == "unplugged":
        host.power_cut()
    elif trouble.what == "board lost":
        street.lose_board(True)
    else:
        host.card(_CARDS[trouble.what])
        if trouble.lines_fall:  # as often as not the machine does not outlive its card
            host.kill(lines_fall=True)
            host.power_on()
    if trouble.for_s is not None:
        world.after(1000 * trouble.for_s, _end, trouble, street)


def _end(trouble: Trouble, street: Street) -> None:
    host = street.host
    if trouble.what == "hung":
        host.thaw()
    elif trouble.what in _CARDS:
        host.card(SOUND)
    elif trouble.what == "board lost":
        street.lose_board(False)
    elif street.plant.has_supply:
        host.power_on()


def _evening(night: str, prng: Prng) -> int:
    """The civil day of the evening."""
    year = prng.between(2027, 2028)
    if night == "spring":
        return civil.change_day(year, civil.EU_SUMMER_TIME[0]) - 1
    if night == "autumn":
        return civil.change_day(year, civil.EU_SUMMER_TIME[1]) - 1
    if night == "exception":
        return civil.days_from_civil(year, *((7, 14), (12, 24))[prng.randrange(2)])
    return _FIRST_DAY + prng.randrange(_DAYS)


def _hours(prng: Prng) -> Programme:
    """Ordinary hours of a village: all night, or dark for some hours; also at the hour that the clock change moves."""
    off_min = (None, 22 * 60 + 30, 22 * 60 + 30, 23 * 60, 0, 60, 150)[prng.randrange(7)]
    on_min = (270, 300, 330)[prng.randrange(3)]
    return Programme(prng.between(-10, 20), off_min, on_min, prng.between(-20, 10))


def _feeders(prng: Prng) -> tuple[FeederData, ...]:
    every = (
        FeederData("bourg", 14, 32),
        FeederData("levée", 9, 45),
        FeederData("abri", 2, 20, switched=not prng.chance(300)),
    )
    return every[: prng.between(2, 3)]


def _system_clock(clock: str, start_s: int, hours_s: int, prng: Prng) -> SystemClock:
    if clock.startswith("1970"):
        return Absent()
    if clock.startswith("ten"):
        from_s, to_s = (0, hours_s) if prng.chance(400) else _spell(hours_s, 600, 6 * _HOUR_S, prng)
        return TenYearsAhead(1000 * (start_s + from_s), 1000 * (start_s + to_s))
    if clock.startswith("drifting"):
        doubt_s = (10, 30, 40, 200, 500, 2_000)[prng.randrange(6)]
        return Drifting(1000 * prng.between(-doubt_s, doubt_s), doubt_s)
    return SystemClock()


def _trouble(what: str, setup: Setup, start_s: int, hours_s: int, prng: Prng) -> Trouble:
    at_s = _EARLIEST_S + prng.randrange(hours_s - 2 * _EARLIEST_S)
    if prng.chance(500):
        plan = lighting.Plan(calendar_of(setup.ordinary, setup.nights), setup.commune.site)
        changes = [second - start_s for second, _, _ in plan.night(start_s + _BEFORE_DUSK_S).changes()]
        inside = [second for second in changes if 2 * _EARLIEST_S < second < hours_s - _EARLIEST_S]
        at_s = inside[prng.randrange(len(inside))] + prng.between(-180, 180)
    for_s = None if prng.chance(300) else 5 << prng.randrange(13)
    return Trouble(what, at_s, for_s if for_s is None else for_s + prng.randrange(for_s), prng.chance(500))


def _spell(hours_s: int, least_s: int, most_s: int, prng: Prng) -> tuple[int, int]:
    """From, to, in seconds after the start."""
    from_s = _EARLIEST_S + prng.randrange(hours_s - _EARLIEST_S - least_s)
    return from_s, from_s + prng.between(least_s, most_s)


def _sun(day: int, *, rising: bool) -> int:
    at_s = sun.crossing_s(day, BEHUARD.latitude_e4, BEHUARD.longitude_e4, rising=rising)
    assert at_s is not None
    return at_s
