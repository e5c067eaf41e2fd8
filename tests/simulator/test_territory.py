"""One seed, one world: the same digest everywhere, every invariant held, streets lit on time, whatever is drawn."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from policy import civil, lighting
from simulator.options import HOUR_S, SEASONS, Options, districts, draw
from simulator.territory import Territory
from tests.support.territory_world import SMALL, cut, harsh, live_through, ordinary, story, with_nodes
from wire import event, record

# Of `bocage sim --lamps 12 --rooms 0 --greens 0`. It changes when nodes, gateway, policy, simulator or centre decide
# anything otherwise. If that is on purpose: look at what the command reports, see that it is good, and write its new
# digest here.
DIGEST = "4d1167f9f5fa4c66e12113997376ecc8"

EVENING = Options(lamps=6, hours=4, until_dusk=False)  # and its first hours of light
SEEDS = Path(__file__).resolve().parent.parent / "seeds.txt"


@cache
def an_evening():
    return Territory(EVENING).run()


def seeds():
    """Options of every line of the file of seeds. The first is the small territory that other tests live through; the
    others are `make services`, for each fault has its test beside its subject."""
    for line in SEEDS.read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].split()
        if words:
            options = replace(SMALL, seed=int(words[0]), **dict(map(option, words[1:])))
            marks = [] if options == SMALL else [pytest.mark.services]
            yield pytest.param(options, marks=marks, id=f"{options.seed}-{options.hours}h")


def option(word):
    name, _, value = word.partition("=")
    return ("start", SEASONS[value]) if name == "season" else (name, int(value))


def assert_good(result):
    verdict = result.verdict
    assert (verdict.lost, verdict.duplicated, verdict.altered, verdict.invented) == (0, 0, 0, 0), verdict.first_faults
    assert result.alarms.faults == ()
    assert result.alarms.reported == result.alarms.expected
    assert result.lighting_violations == []
    assert result.bounds_violations == []
    assert verdict.made == verdict.delivered + verdict.gaps_explained + verdict.waiting
    assert result.is_good


# --- one seed, one world ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_digest_is_the_recorded_one():
    _, result = ordinary()
    assert result.digest == DIGEST, "see the comment above DIGEST"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_to_the_last_event():
    first = an_evening()
    second = Territory(EVENING).run()
    assert second.digest == first.digest
    assert (second.verdict, second.snapshots) == (first.verdict, first.snapshots)
    assert second.counters == first.counters


@pytest.mark.slow
def test_another_seed_gives_another_world():
    short = Options(cabinets=1, lamps=6, hours=1)
    assert Territory(short).run().digest != Territory(replace(short, seed=2)).run().digest


@pytest.mark.slow
def test_the_digest_does_not_depend_on_the_order_of_sets(repository):
    """This process has a hash seed of its own."""
    program = (
        "from simulator.options import Options; from simulator.territory import Territory;"
        "print(Territory(Options(lamps=6, hours=4, until_dusk=False)).run().digest)"
    )
    path = os.pathsep.join([str(repository / "firmware"), str(repository)])
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == an_evening().digest


def test_what_the_seed_draws_is_drawn_alike_and_within_the_run():
    for seed in range(50):
        drawn = draw(replace(SMALL, seed=seed))
        assert drawn == draw(replace(SMALL, seed=seed))
        drawn_cuts = [entry.what for entry in drawn.cuts]
        assert drawn_cuts == ["fibre", "fibre", "deleted", "power", "stolen", "opened", "ingest", "broker", "hostile"]
        assert drawn.cuts[1].cabinet == 1, "the cabinet without 4G keeps its records"
        assert all(0 < entry.from_s < entry.to_s < SMALL.hours * HOUR_S for entry in drawn.cuts)
        assert len({index for index, _ in drawn.dead_lamps + drawn.stuck_relays}) == 3
    assert draw(replace(SMALL, faults=False)) == story()
    assert draw(replace(SMALL, hours=1)).cuts == []


def test_a_story_told_by_hand_replaces_the_drawn_one():
    told = story(cut("ingest", 1, 2))
    assert Territory(SMALL, told).drawn is told


def test_every_lamp_hangs_on_a_cabinet():
    for lamps in (3, 4, 5, 12, 100, 121):
        assert sum(district.lamps for district in districts(Options(lamps=lamps))) == lamps
        assert len(Territory(Options(lamps=lamps)).nodes) == lamps


# --- every invariant --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_small_territory_lives_through_its_faults():
    _, result = ordinary()
    assert_good(result)
    assert result.alarms.expected == 4
    verdict = result.verdict
    assert verdict.made == verdict.delivered + verdict.gaps_explained >= verdict.acknowledged > 3000
    assert 0 < verdict.gaps_explained < 300, "what a stranger deleted, by position"


@pytest.mark.slow
def test_the_faults_have_bitten():
    _, result = ordinary()
    assert result.longest_wait_s > 2 * HOUR_S, "records waited for the fibre, but for those that a stranger deleted"
    assert result.counters["uplink.resent"] > 0
    assert result.counters["uplink.silences"] > 0
    assert all(result.counters[f"receipts.{why}"] > 0 for why in ("form", "stranger", "signature"))
    kinds = {"fibre", "power", "ingest", "broker", "hostile", "opened", "stolen", "deleted"}
    assert {absence.what for absence in result.absences} == kinds
    assert max(snapshot.waiting for snapshot in result.snapshots) > 50


@pytest.mark.slow
@pytest.mark.parametrize("options", list(seeds()))
def test_seeds_that_found_a_fault_find_none_any_more(options):
    assert_good(ordinary()[1] if options == SMALL else live_through(options)[1])


@pytest.mark.slow
def test_another_seed_is_good_too_on_an_air_that_loses_nearly_half():
    assert_good(live_through(replace(SMALL, seed=4, radio_loss_permille=400))[1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, pytest.param(32, marks=pytest.mark.services)])
def test_a_day_full_of_cuts_is_good_too(seed):
    options = replace(SMALL, seed=seed, radio_loss_permille=300)
    _, result = live_through(options, harsh(options))
    assert_good(result)
    assert result.alarms.reported >= 2, "a relay stuck on a switched feeder is never seen"
    assert len(result.absences) > 18


@pytest.mark.slow
def test_the_smallest_territory_and_the_other_calendar_are_good():
    _, result = live_through(Options(cabinets=1, lamps=2, hours=5, calendar="all-night"))
    assert_good(result)
    assert 0.95 * result.full_power_wh < result.true_wh < 1.05 * result.full_power_wh, "nothing is dimmed"


@pytest.mark.slow
def test_what_a_lamp_could_not_say_before_it_lost_its_mains_is_explained_by_a_gap():
    # The cabinet is away over dawn: what lamps of the switched feeder made in these hours dies with their RAM.
    _, result = live_through(replace(SMALL, cabinets=1), story(cut("power", 14, 18, 0)))
    assert_good(result)
    assert result.verdict.gaps_explained > 10


@pytest.mark.slow
def test_progress_is_told_up_to_the_end():
    told = []
    with_nodes(Options(cabinets=1, lamps=2, hours=1)).run(lambda done_s, total_s: told.append((done_s, total_s)))
    done = [done_s for done_s, _ in told]
    assert done == sorted(done)
    assert told[-1][0] == told[-1][1] > HOUR_S


# --- the contactor and dusk -------------------------------------------------------------------------------------


class Dusk:
    """Watches an untroubled territory at noon, and two minutes after each cabinet's sunset."""

    def __init__(self):
        self.territory = with_nodes(Options(lamps=12, hours=24, faults=False))
        world = self.territory.world
        self.switched = [host for host, lamp in self._pairs() if lamp.feeder.switched]
        self.dusks = self._dusks()
        self.at_noon, self.after_dusk = [], []
        world.at_unix(self.dusks[1] - 4 * HOUR_S, lambda: self.at_noon.extend(self._look()))
        for dusk_s in self.dusks:
            world.at_unix(dusk_s + 120, lambda: self.after_dusk.append(self._look()))
        self.result = self.territory.run()

    def _pairs(self):
        return zip(self.territory.nodes, self.territory.lamps, strict=True)

    def _look(self):
        return [(lamp.feeder.switched, lamp.feeder.powered, lamp.light_percent(), host.node is not None)
                for host, lamp in self._pairs()]

    def _dusks(self):
        """When the sun has set for the last lamp, on both evenings."""
        start_s = self.territory.options.start_unix_s
        plans = [lighting.Plan(lighting.DEFAULT_CALENDAR, host.settings.own.site) for host in self.territory.nodes]
        assert all(plan.wanted(start_s).level_percent == 0 for plan in plans)
        first = max(plan.wanted(start_s).until_s for plan in plans)
        evening = max(plan.wanted(first + 20 * HOUR_S).until_s for plan in plans)
        return [first, evening]


@pytest.fixture(scope="module")
def dusk():
    return Dusk()


@pytest.mark.slow
@pytest.mark.parametrize("hours", [3, 13])
def test_a_run_that_is_to_end_after_some_hours_does_and_nothing_is_lost(hours):
    """At 19:00 all lamps are lit; at 5:00 a fibre cut and a power cut are over."""
    options = Options(lamps=6, hours=hours, until_dusk=False)
    progress = []
    result = with_nodes(options).run(lambda done_s, total_s: progress.append((done_s, total_s)))
    assert progress[-1] == (hours * HOUR_S, hours * HOUR_S)
    assert result.is_good, result.verdict
    assert all(cut.to_s < hours * HOUR_S - 1800 for cut in result.drawn.cuts)


def test_a_record_of_the_last_second_is_on_its_way_and_not_lost():
    territory = with_nodes(Options(cabinets=1, lamps=1, rooms=0, greens=0, hours=1, faults=False))
    with territory.sealed:
        territory.start()
        while not territory.delivery.acknowledged_count():
            territory.world.run_until(territory.world.now_ms + 1000)
        verdict = territory.judge().verdict
    assert verdict.waiting > 0
    assert (verdict.lost, verdict.first_faults) == (0, ())


def test_only_what_was_acknowledged_some_seconds_before_a_theft_must_be_named(monkeypatch):
    territory = with_nodes(Options(cabinets=1, lamps=1, rooms=0, greens=0, hours=1, faults=False))
    gateway, taken = territory.gateways[0], []
    monkeypatch.setattr(territory.delivery, "stolen", lambda identity, place: taken.append(place))
    with territory.sealed:
        territory.start()
        while not territory.delivery.acknowledged_count():
            territory.world.run_until(territory.world.now_ms + 1000)
        identity = next(territory.delivery.identities(acknowledged=True))
        monkeypatch.setattr(territory.delivery, "made_ms", lambda identity: 0)  # however long it took to its cabinet
        monkeypatch.setattr(gateway, "lose_file", lambda prng: [(identity, (bytes(8), "event", 0))])
        territory._rob(gateway)
        territory.world.run_until(territory.world.now_ms + 20_000)
        territory._rob(gateway)
    assert [place is None for place in taken] == [True, False]


@pytest.mark.slow
def test_the_switched_feeder_is_dark_and_its_nodes_are_off_by_day(dusk):
    switched = [seen for seen in dusk.at_noon if seen[0]]
    assert len(switched) == 6
    assert set(switched) == {(True, False, 0, False)}
    assert {seen for seen in dusk.at_noon if not seen[0]} == {(False, True, 0, True)}


@pytest.mark.slow
def test_every_lamp_is_lit_two_minutes_after_dusk(dusk):
    assert len(dusk.after_dusk) == 2
    for seen in dusk.after_dusk:
        assert all(powered and light > 0 and on for _, powered, light, on in seen)
    assert dusk.result.lighting_violations == []
    assert dusk.result.worst_delay_s <= 120


@pytest.mark.slow
def test_every_lamp_that_has_mains_at_dusk_has_reported_within_five_minutes(dusk):
    warehouse = dusk.territory.centre.warehouse
    for boot, dusk_s in enumerate(dusk.dusks, start=1):
        for host in dusk.switched:
            first = min(held.received_unix_s for held in warehouse.held(host.settings.node) if held.boot == boot)
            assert dusk_s - 60 <= first <= dusk_s + 300


@pytest.mark.slow
def test_the_boot_storm_of_dusk_is_spread(dusk):
    warehouse = dusk.territory.centre.warehouse
    arrivals = []
    for host in dusk.switched:
        arrivals.append(min(held.received_unix_s for held in warehouse.held(host.settings.node) if held.boot == 1))
    assert max(arrivals) - min(arrivals) > 30


@pytest.mark.slow
def test_lamps_dim_as_their_calendar_says(dusk):
    levels = {}
    for _, stamp, body in dusk.territory.centre.warehouse.bodies():
        said = record.decode_body(body)
        if isinstance(said, record.EventBody) and said.code == event.LEVEL_CHANGED and said.detail[2] == "calendar":
            local = civil.local_from_unix(civil.PARIS, stamp.seconds).second
            levels.setdefault(said.detail[0], set()).add(local // 1800 / 2)
    assert levels[70] == {22.0}
    assert levels[40] == {0.0}
    assert 5.5 in levels[100]


# --- energy -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_warehouse_counts_the_energy_that_was_used(dusk):
    result = dusk.result
    # A register restarts with the mains: what was burnt before a lamp's first and after its last reading is not seen.
    assert 0.95 * result.true_wh < result.stored_wh <= result.true_wh
    assert 0.6 * result.full_power_wh < result.true_wh < 0.9 * result.full_power_wh


def test_the_file_of_seeds_says_why_each_seed_is_there():
    for line in SEEDS.read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"\d+( [a-z_]+=\w+)* +# \d{4}-\d{2}: .+", line), line
