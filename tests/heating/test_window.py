"""A window by the fall of the air, on the RC rooms of the simulator: what falls by itself is none, what is opened is.

The falls that were taken for windows: after a preheat the air is warmer than its walls and goes back to them, the more
so behind a radiator, whose heat comes and goes by the quarter of an hour; after the day's hours it does so until the
set-point of an empty room is met and heat is wanted again; and a relay of half an hour makes both on every cycle.
"""

import pytest

from heating import actuators
from heating.window import SLOPE, WindowWatch
from policy import heating
from simulator.plants.building import CLASSROOM, OFFICE, ROOM_RANGE, TOWN_HALL
from tests.support.warm_world import WarmWorld, at, model_of
from wire import event

WATER = {"is_water": True, "timing": actuators.WATER_CYCLE}
OUTPUTS = {"electric": ("relay", {}), "water": ("relay", WATER), "valve": ("valve", {}), "boiler": ("opentherm", {})}
ROOMS = {"office": (OFFICE, 1800), "classroom": (CLASSROOM, 5000), "town-hall": (TOWN_HALL, 5000)}
# Each output with each room, in the hardest winter or in the mildest.
CASES = [
    (output, room, mean_ck)
    for turn, room in enumerate(ROOMS)
    for output, mean_ck in zip(OUTPUTS, (-900, 600, 600, -900) if turn % 2 else (600, -900, -900, 600), strict=True)
]
# Two preheats and two ends a day.
TWICE = heating.Programme(
    (heating.Rule(127, 0, 0, 0),),
    ((heating.Span(600, 720, 0), heating.Span(840, 960, 0)),),
    heating.DEFAULT_SETPOINTS,
    (),
    (),
)
OPENED_S = at(2026, 12, 8, 645)
OPEN_S = 1800


def world_of(output, room, mean_ck, programme=TWICE, start_ck=1500):
    kind, changes = OUTPUTS[output]
    data, heater_w = ROOMS[room]
    made = model_of(kind, programme=programme, heater_w=heater_w, **changes)
    return WarmWorld(made, data=data, start_s=at(2026, 12, 7), start_ck=start_ck, mean_ck=mean_ck)


def opened(world):
    """When a window was taken for open, in s of the world."""
    return [at_s for at_s, code, active, _ in world.events if code == event.WINDOW_OPEN and active]


@pytest.mark.slow
@pytest.mark.parametrize(("output", "room", "mean_ck"), CASES)
def test_the_fall_after_a_preheat_or_after_the_days_hours_is_no_window(output, room, mean_ck):
    # Each output and each room with both programmes, in turn.
    programme = (TWICE, heating.DEFAULT_PROGRAMME)[(list(OUTPUTS).index(output) + list(ROOMS).index(room)) % 2]
    world = world_of(output, room, mean_ck, programme)
    world.run(44 * 60)
    assert "preheat" in world.rules()
    assert opened(world) == []


@pytest.mark.slow
@pytest.mark.parametrize(("output", "room", "mean_ck"), CASES[::2] + CASES[1:4:2])
def test_a_window_that_is_opened_soon_after_a_preheat_is_seen(output, room, mean_ck):
    """In frost, for half an hour, from ten minutes after a preheat on; seen within half of it, and nothing else is."""
    world = world_of(output, room, -300, start_ck=800 if mean_ck < 0 else 1500)

    def air(world):
        world.room.window_open = OPENED_S <= world.unix_s < OPENED_S + OPEN_S

    world.run(35 * 60 + 30, air)
    (seen_s,) = opened(world)
    assert OPENED_S < seen_s <= OPENED_S + OPEN_S // 2


def test_a_fall_that_never_eases_counts_again_an_hour_after_the_cut():
    """A window that is opened as the heat is cut cannot be told from the fall by itself, until that must be over."""
    window = WindowWatch(600_000, True, now_ms=0)
    room_ck = 1900
    for minute in range(120):
        if minute == 30:
            window.begin_anew(now_ms=60_000 * minute)
        room_ck -= 10 * (minute >= 30)  # 6 K/h
        window.sample(room_ck, None, True, 1900, now_ms=60_000 * minute)
        assert (window.seen_by == SLOPE) == (91 <= minute < 121), minute


@pytest.mark.parametrize(("fall_ck_h", "is_open"), [(240, True), (120, False)])
def test_a_fall_against_felt_heat_is_a_window_however_shallow(fall_ck_h, is_open):
    """A heavy room: 0.3 K below its set-point, which its regulation reaches too. Without heat it would lose 1.6 K/h."""
    window = WindowWatch(600_000, True, now_ms=0)
    for minute in range(75):
        room_ck = 1900 - (minute >= 66) * fall_ck_h * (minute - 66) // 60
        dead_ck_h = -160 if minute >= 70 else None
        window.sample(room_ck, None, True, 1900, dead_ck_h=dead_ck_h, now_ms=60_000 * minute)
    assert (window.seen_by == SLOPE) == is_open


@pytest.mark.parametrize(("noise_ck", "step_ck"), [(2, 1), (4, 1), (2, 6), (6, 6)])
def test_noise_and_a_relays_own_saw_tooth_open_no_window(noise_ck, step_ck):
    world = WarmWorld(mean_ck=0)
    world.ports.thermometer.noise_ck = noise_ck
    world.ports.thermometer.step_ck = step_ck
    world.run(24 * 60)
    assert world.told(event.WINDOW_OPEN) == []


def ranged(name, mean_ck, *, day=30, **changes):
    """A room of the range that rooms and thermometers have, with the week of the default programme, from a day of
    November 2026 on; the 30th is a Monday."""
    emitter, data = ROOM_RANGE[name]
    made = model_of(emitter.output, programme=heating.DEFAULT_PROGRAMME, **changes)
    return WarmWorld(made, data=data, start_s=at(2026, 11, day), start_ck=1700, mean_ck=mean_ck)


def test_a_light_room_that_swings_steeply_by_its_own_convector_opens_no_window():
    """Its air goes up and down by a kelvin in ten minutes: eight windows in two days, once."""
    world = ranged("convector 10 light 0", 0)
    world.run(2 * 24 * 60)
    assert opened(world) == []


@pytest.mark.slow
@pytest.mark.parametrize(("slow_s", "mean_ck"), [(0, 400), (240, -300), (480, 400)])
def test_regulation_with_a_slow_thermometer_opens_no_window(slow_s, mean_ck):
    """From a Friday to the Monday's end: each change of the week's programme is in it."""
    world = ranged(f"convector 10 light {slow_s}", mean_ck, day=27)
    world.run(4 * 24 * 60)
    assert opened(world) == []


@pytest.mark.parametrize("by_slope", [True, False])
def test_half_an_hour_is_seen_within_16_minutes_by_a_slow_thermometer_unless_the_setting_is_off(by_slope):
    world = ranged("convector 10 light 480", 0, window_slope=by_slope)
    world.run((24 + 14) * 60)
    opens_s = world.unix_s
    world.room.window_open = True
    world.run(16)
    assert [seen_s > opens_s for seen_s in opened(world)] == [True] * by_slope


def test_a_room_that_falls_by_itself_after_a_start_opens_no_window():
    """Walls a kelvin colder than the air, and a set-point far above both."""
    world = WarmWorld(model_of(heater_w=1800), data=OFFICE, start_ck=1550, mean_ck=-700)
    world.run(60)
    assert opened(world) == []
