"""After a power cut a thermostat's outputs are those of a node whose power never failed,
across the edges of spans, ceilings and preheat; and what it counts never falls, at any restart."""

import copy
import functools

import pytest

from heating import limits
from heating.trade import Thermostat
from policy import heating
from policy.heating import Limit, Programme, Rule, Span
from simulator.world.chance import Prng
from tests.support.warm_world import STEP_S, WarmWorld, at, model_of
from wire import quantity

# Two spans a day, of which the first wishes more than the law lets; from Monday 7 December on the mayor lets less.
WEEK = Programme(
    (Rule(0b0011111, 0, 0, 0),),
    ((Span(480, 720, 2100), Span(810, 1080, 0)),),
    heating.DEFAULT_SETPOINTS,
    (Limit(heating.OCCUPIED, 1800, 20261207, 20261231, "Maire", "arrêté 7"),),
    (),
)
FRIDAY, MONDAY = (2026, 12, 4), (2026, 12, 7)
GRACE_S = 300  # samples until a slope is known, and the sensor's first of them
SOONER_S = 900
EARLY = (1600, "early-stop")
CUTS_S = (20, 600, 2400)


def state(world):
    return world.trade.setpoint_ck, world.trade._rule


def uncut(start_s):
    return WarmWorld(model_of(programme=WEEK, heater_w=5000), start_s=start_s, start_ck=1900, mean_ck=200)


@functools.cache
def lived():
    """Friday morning to Monday evening without a cut: {Unix second: (set-point, rule, duty, room)}, and the edges."""
    told, edges = {}, []

    def look(world):
        now = state(world)
        if told and now != told[world.unix_s - STEP_S][:2]:
            edges.append(world.unix_s)
        told[world.unix_s] = (*now, world.trade.duty_permille, world.room.air_ck)

    uncut(at(*FRIDAY, 600)).run(85 * 60, look)
    return told, edges


def forks(instants):
    """A world at each of these instants, ascending, as it is in the life without a cut."""
    world = uncut(at(*FRIDAY, 600))
    for unix_s in instants:
        world.run((unix_s - world.unix_s) // 60)
        world.run(0)
        while world.unix_s < unix_s:
            _step(world)
        fork = copy.deepcopy(world)
        fork.ports._unix_s = lambda fork=fork: fork.unix_s
        yield fork


def _step(world):
    world.unix_s += STEP_S
    world.ports.settle()
    world.step()


def cut(world, cut_s, memory=None):
    """Power fails; what was kept is `memory`, or what is there now."""
    kept = world.trade.memory(world.now_ms) if memory is None else memory
    world.ports.power_off()
    end_s = world.unix_s + cut_s
    while world.unix_s < end_s:
        world.unix_s += STEP_S
        world.ports.settle()
    world.boot(kept)


def differs(world):
    """What is otherwise than in the life without a cut, or None.

    The room has cooled meanwhile: a preheat may begin a quarter of an hour sooner, and in the last hour of a span there
    may be an early stop or none. A regulator's own sum and the phase of a relay are not compared; but a kelvin and a
    half below both heat fully, and above both not at all.
    """
    told = lived()[0]
    coming = {told[unix_s][:2] for unix_s in range(world.unix_s, world.unix_s + SOONER_S, STEP_S)}
    mine = state(world)
    if EARLY in {mine, *coming} and told[world.unix_s + limits.STOP_MAX_S][:2] != told[world.unix_s][:2]:
        coming |= {EARLY, (1900, "programme"), (1800, "ceiling")}
    if mine not in coming:
        return mine, coming
    missing_ck, duty = mine[0] - world.room.air_ck, world.trade.duty_permille
    if (missing_ck > 170 and duty != 1000) or (missing_ck < -60 and duty != 0):
        return duty, missing_ck
    return None


def states_that_differ_after_a_cut(cut_s):
    """Power cut for `cut_s` across each edge, begun at several distances before it: [(edge, what)]."""
    edges = lived()[1]
    begins = sorted({(edge_s - before_s, edge_s) for edge_s in edges for before_s in _distances(cut_s)})
    different = []
    for world, (_, edge_s) in zip(forks([begun_s for begun_s, _ in begins]), begins, strict=True):
        cut(world, cut_s)
        assert not world.trade.outputs.on, "a start heats nothing by itself"
        for _ in range((GRACE_S + cut_s) // STEP_S):
            _step(world)
        if (found := differs(world)) is not None:
            different.append((edge_s, found))
    return different


def _distances(cut_s):
    return {STEP_S * (distance // STEP_S) for distance in (cut_s - 10, cut_s // 2, 10)}


@pytest.mark.slow
def test_the_life_without_a_cut_has_spans_ceilings_preheat_and_early_stops():
    told, edges = lived()
    rules = {told[edge_s][1] for edge_s in edges}
    assert rules >= {"programme", "ceiling", "preheat", "early-stop"}
    assert {told[edge_s][0] for edge_s in edges} == {800, 1600, 1800, 1900}
    assert len(edges) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("cut_s", CUTS_S)
def test_power_that_returns_across_each_edge_finds_the_state_of_a_node_that_was_never_cut(cut_s):
    assert states_that_differ_after_a_cut(cut_s) == []


@pytest.mark.slow
def test_a_set_point_that_is_restored_is_seen(monkeypatch):
    """Planted: what was in force before the cut is believed after it."""

    class Restored(Thermostat):
        last = None

        def __init__(self, model, kept, **options):
            super().__init__(model, kept, **options)
            if kept:
                before, honest = Restored.last, self._ladder.decide
                self._ladder.decide = lambda *facts: honest(*facts) if facts[1] is None else before

        def _decide(self, moment):
            super()._decide(moment)
            Restored.last = self._choice

    lived()
    monkeypatch.setattr("tests.support.warm_world.Thermostat", Restored)
    assert len(states_that_differ_after_a_cut(2400)) > 10


# --- 14: counters ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_through_random_restarts_energy_and_openings_never_fall_and_an_hour_at_most_is_lost():
    """Kept once an hour, as flash is; cut at random, for up to twenty minutes."""
    prng = Prng("restarts")
    world = uncut(at(*FRIDAY, 0))
    kept = b""
    last = (0, 0)
    given_ws = 0
    for _ in range(25):
        minutes = prng.between(1, 300)
        for _ in range(minutes // 60):
            world.run(60)
            kept = world.trade.memory(world.now_ms)
        at_keeping_ws = world.room.energy_ws
        world.run(minutes % 60)
        told = _counters(world)
        assert all(new >= old for new, old in zip(told, last, strict=True)), "within a life"
        lost_ws = world.room.energy_ws - at_keeping_ws
        assert lost_ws <= 3600 * world.model.heater_w
        given_ws += lost_ws
        cut(world, 10 * prng.between(1, 120), memory=kept)
        after = _counters(world)
        # What was kept is the floor, and it is never less than at the last restart.
        assert all(old <= new <= now for old, new, now in zip(last, after, told, strict=True))
        last = after
    told_ws = 3600 * last[0]
    assert last[0] > 5000 and last[1] > 50
    assert world.room.energy_ws - given_ws - 60 * 3600 <= told_ws <= world.room.energy_ws


def test_a_restart_that_believes_nothing_of_its_memory_begins_anew_and_one_that_reads_it_goes_on():
    world = uncut(at(*MONDAY, 300))
    world.run(6 * 60)
    told = _counters(world)
    assert told[0] > 0 and told[1] > 0
    cut(world, 60)
    assert _counters(world) == told
    cut(world, 60, memory=b"\x09" + world.trade.memory(world.now_ms)[1:])
    assert _counters(world) == (0, 0)


def _counters(world):
    health = world.trade.health(world.moment())
    return health[quantity.ENERGY], health[quantity.VALVE_OPENINGS]
