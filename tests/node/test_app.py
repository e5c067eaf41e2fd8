"""Days of a node in virtual time: what it lights and what it tells, with and without a gateway."""

import itertools

import pytest

from node import limits
from node.app import Node
from policy import civil, lighting, lighting_form
from policy.lighting import CLOCK, SUNRISE, SUNSET
from tests.portable.node_day import CLOCK_ONLY, NOON_UNIX_S, World, settled, started
from wire import event, quantity
from wire.coap import Endpoint, Failed
from wire.record import HOLDOVER, SYNCED, UNSET

HOUR_S = 3600
DAY_S = 86_400
DIMMING = lighting_form.encode(lighting.DIMMING_CALENDAR)
EXTINCTION = [1, [[127, 0, 0, 0]], [[[SUNSET, 0, 100], [CLOCK, 1410, 0], [CLOCK, 300, 100], [SUNRISE, 0, 0]]]]


def plan_of(world):
    return lighting.Plan(world.settings.own.calendar, world.settings.own.site)


def planned_edges(world, from_s, to_s):
    """[(Unix second, level)] of the calendar between two instants."""
    plan = plan_of(world)
    edges = []
    at_s = from_s
    while at_s < to_s:
        wanted = plan.wanted(at_s)
        if not edges or edges[-1][1] != wanted.level_percent:
            edges.append((at_s, wanted.level_percent))
        at_s = wanted.until_s
    return edges[1:]


def edges_off_the_plan(world, from_s, to_s):
    """Edges of the output that the calendar does not want, and wanted ones that did not come within 2 minutes."""
    planned = planned_edges(world, from_s, to_s)
    seen = [(at_s, level) for at_s, level, _ in world.edges if from_s < at_s < to_s]
    matched = {
        (edge, plan) for edge in seen for plan in planned if edge[1] == plan[1] and 0 <= edge[0] - plan[0] <= 120
    }
    return [e for e in seen if e not in {m[0] for m in matched}] + [
        p for p in planned if p not in {m[1] for m in matched}
    ]


# --- records --------------------------------------------------------------------------------------


def test_the_boot_report_is_first_and_a_new_board_names_nothing_before_it():
    world = started()
    _, first, _ = world.made[0]
    assert (first.boot, first.sequence, first.body.code) == (1, 0, event.BOOT)
    assert first.stamp == (UNSET, 0, 0)
    assert first.body.detail[:4] == [None, None, "power-on", "streetlight"]


def test_the_next_boot_names_the_one_before_and_how_far_it_was_safe():
    world = settled()
    world.run(2 * HOUR_S)
    assert world.flash.boot == 1
    world.power_cut()
    world.power_on()
    (_, report) = world.events(event.BOOT)[-1]
    assert (report.boot, report.sequence) == (2, 0)
    assert report.body.detail[:2] == [1, world.flash.durable_sequence]
    world.power_cut()
    world.power_on()
    assert world.events(event.BOOT)[-1][1].body.detail[:2] == [2, None], "boot 2 wrote nothing down"


def test_identities_are_unique_and_ascend_across_lanes():
    world = settled(loss_percent=20, plain={"telemetry_s": 60})
    world.lamp_burns = False
    world.run(6 * HOUR_S)
    assert [made.sequence for _, made, _ in world.made] == list(range(len(world.made)))
    assert {event.lane(made.body.code) for _, made, _ in world.made if not isinstance(made.body, dict)} == {
        event.ALARM,
        event.EVENT,
    }


def test_one_question_a_turn_and_the_next_turn_at_once(monkeypatch):
    """To seal one takes a chip as long as all the rest of a turn: record, order and directives wait for each other."""
    asked, late = [], []
    request, poll = Endpoint.request, Node._poll

    def requests(link, peer, code, path, *more, **options):
        asked.append(path[0])
        return request(link, peer, code, path, *more, **options)

    def polls(node, moment, now_ms):
        before = len(asked)
        poll(node, moment, now_ms)
        assert len(asked) - before <= 1
        late.append(node._sender.deadline_ms() is not None and node._sender.deadline_ms() <= now_ms)
        assert not late[-1] or node.deadline_ms(now_ms) <= now_ms

    monkeypatch.setattr(Endpoint, "request", requests)
    monkeypatch.setattr(Node, "_poll", polls)
    world = settled()
    world.lamp_burns = False
    world.run(3 * HOUR_S)
    assert {b"e", b"t"} <= set(asked) and any(late)


def reports_off_the_quarter_hour(world):
    """[(seconds after the quarter hour)] of the synchronised telemetry, and the smallest distance of two reports."""
    seconds = [made.stamp.seconds for _, made in world.telemetry() if made.stamp.quality != UNSET]
    assert len(seconds) > 30
    apart = min(after - before for before, after in itertools.pairwise(seconds))
    return {second % 900 for second in seconds}, apart


def test_telemetry_is_on_the_quarter_hour_plus_the_nodes_own_seconds():
    offsets = []
    for node in ("7c1f0a2c01000001", "7c1f0a2c01000002", "7c1f0a2c01000003"):
        world = settled(plain={"node": node})
        world.run(12 * HOUR_S)
        own, apart = reports_off_the_quarter_hour(world)
        # A better answer may move the clock by a second.
        assert max(own) - min(own) <= 2 and apart >= 898
        offsets.append(min(own))
    assert len(set(offsets)) == 3 and max(offsets) < 60


def closest_reports_s():
    """A link so slow that each better answer moves the node's clock by a second or two."""
    closest = 1 << 30
    for seed in range(4):
        world = settled(seed=seed + 1, loss_percent=35)
        world.run(DAY_S)
        closest = min(closest, reports_off_the_quarter_hour(world)[1])
    return closest


def test_no_quarter_hour_is_reported_twice():
    assert closest_reports_s() > 850


def test_a_report_repeated_after_the_clock_went_back_is_seen(monkeypatch):
    honest = Node._next_report_ms
    monkeypatch.setattr(Node, "_next_report_ms", lambda self, now_ms, apart_s: honest(self, now_ms, 0))
    assert closest_reports_s() < 10


def test_without_time_telemetry_comes_all_the_same():
    world = started()
    world.reachable = False
    world.run(2 * HOUR_S)
    uptimes = [made.stamp.seconds for _, made in world.telemetry()]
    assert uptimes == [60 + 900 * turn for turn in range(8)]
    assert {made.stamp.quality for _, made in world.telemetry()} == {UNSET}


@pytest.mark.slow
def test_telemetry_shows_the_level_of_the_moment_of_its_watts():
    world = settled(plain={"calendar": CLOCK_ONLY, "telemetry_s": 10, "sample_s": 60})
    world.run(8 * HOUR_S)
    for _, made in world.telemetry():
        if quantity.POWER in made.body:
            assert made.body[quantity.POWER] == 6 + 354 * made.body[quantity.LEVEL_ORDERED] // 100


def health_of(world):
    return [made for _, made, _ in world.made if isinstance(made.body, dict) and quantity.UPTIME in made.body]


def test_health_rides_with_telemetry_once_an_hour():
    world = settled()
    world.run(6 * HOUR_S)
    health = health_of(world)
    assert len(health) == 7
    assert health[-1].body[quantity.HEAP_FREE] == 98_304
    assert health[-1].body[quantity.RECORDS_DROPPED] == 0


def test_health_comes_each_hour_though_the_clock_is_set_a_second_ahead_or_back_now_and_then():
    world = settled()
    for ahead_s in (1, -1, 1, 1, -1, 1):
        world.run(HOUR_S)
        world.gateway.unix_lead_s += ahead_s
    came_s = [made.body[quantity.UPTIME] for made in health_of(world)]
    assert all(3570 <= after - before <= 3610 for before, after in itertools.pairwise(came_s)), came_s


# --- the lamp -------------------------------------------------------------------------------------


def test_every_change_carries_the_rule_and_the_reason():
    world = settled(plain={"calendar": DIMMING})
    world.run(DAY_S)
    plan = plan_of(world)
    changes = [made for _, made in world.events(event.LEVEL_CHANGED)]
    assert [made.body.detail[2] for made in changes[:2]] == ["no-time", "calendar"]
    # The last one is noon: the level stays, the reason is that of the new lighting day.
    assert [made.body.detail[0] for made in changes] == [100, 0, 100, 70, 40, 100, 0, 0]
    for made in changes[1:]:
        level_percent, _, rule, reason = made.body.detail
        wanted = plan.wanted(made.stamp.seconds - limits.STAGGER_S)
        assert (level_percent, rule, reason) == (wanted.level_percent, "calendar", wanted.reason)
    for before, after in itertools.pairwise(changes):
        assert after.body.detail[1] == before.body.detail[0]


def test_the_lamp_burns_from_the_first_moment_until_the_time_is_known():
    world = started()
    world.reachable = False
    world.run(3 * HOUR_S)
    assert world.edges == [(NOON_UNIX_S, 100, "boot")]
    world.reachable = True
    world.run(900)
    assert [edge[1:] for edge in world.edges[1:]] == [(0, "calendar")]


@pytest.mark.parametrize("evening", [20540, 20750], ids=["spring", "autumn"])
@pytest.mark.parametrize("plain", [DIMMING, EXTINCTION], ids=["dimming", "extinction"])
def test_summer_time_nights_are_lit_as_planned(evening, plain):
    noon_s = civil.unix_from_local(civil.PARIS, evening, 43_200)
    world = settled(unix_s=noon_s, plain={"calendar": plain})
    world.run(25 * HOUR_S)
    assert len(planned_edges(world, noon_s + 600, noon_s + DAY_S)) >= 4
    assert edges_off_the_plan(world, noon_s + 600, noon_s + DAY_S) == []


def alone_for_72_h():
    world = settled(plain={"calendar": DIMMING})
    world.reachable = False
    from_s = world.unix_s()
    world.run(72 * HOUR_S)
    return world, edges_off_the_plan(world, from_s, from_s + 72 * HOUR_S)


def test_72_h_without_a_gateway_change_nothing_for_the_street():
    world, off = alone_for_72_h()
    assert off == []
    assert len(world.edges) == 2 + 3 * 5
    assert world.node.outputs.rule == "calendar"
    assert [made.stamp.quality for _, made in world.telemetry()][-1] == HOLDOVER
    world.reachable = True
    world.run(HOUR_S)
    assert world.unexplained() == [] and world.node.waiting_sequences() == []
    assert [made.stamp.quality for _, made in world.telemetry()][-1] == SYNCED


def test_an_output_that_follows_the_link_is_seen(monkeypatch):
    """Planted: a failed exchange makes the node forget the time, as a reboot for a lost server would."""
    honest = Node._handle

    def handle(self, happened, now_ms):
        if isinstance(happened, Failed):
            self.time._set = False
        return honest(self, happened, now_ms)

    monkeypatch.setattr(Node, "_handle", handle)
    assert alone_for_72_h()[1] != []


def boots_with_a_wrong_level():
    """Mains that comes back on either side of each edge of a night: instants after which the level is wrong."""
    wrong = []
    probe = World(plain={"calendar": DIMMING})
    for edge_s, _ in planned_edges(probe, NOON_UNIX_S, NOON_UNIX_S + DAY_S):
        for shift_s in (-7200, -300, -60, -1, 1, 60, 300, 7200):
            world = started(unix_s=edge_s + shift_s - HOUR_S, plain={"calendar": DIMMING, "report_spread_s": 0})
            world.run(HOUR_S - 30)
            world.power_cut()
            world.run(30)
            world.power_on()
            world.run(140)
            first = [level for _, level, rule in world.edges if rule == "boot"]
            plan = plan_of(world)
            # The calendar is asked every minute, and the lamps of a feeder follow it one after the other.
            settled_s = world.unix_s() - limits.DECIDE_MS // 1000 - limits.STAGGER_S
            assert plan.wanted(settled_s) == plan.wanted(world.unix_s()), "too near to an edge to judge"
            if world.node.outputs.level_percent != plan.wanted(settled_s).level_percent or first != [100, 100]:
                wrong.append((edge_s, shift_s))
    return wrong


def test_mains_that_comes_back_across_an_edge_finds_the_recomputed_level():
    assert boots_with_a_wrong_level() == []


def test_a_level_that_is_restored_is_seen(monkeypatch):
    honest = Node._decide
    remembered = {}

    def decide(self, moment, now_ms):
        if self._boot.boot == 1:
            honest(self, moment, now_ms)
            remembered["outputs"] = self.outputs
        else:
            self.trade.outputs = remembered["outputs"]

    monkeypatch.setattr(Node, "_decide", decide)
    assert boots_with_a_wrong_level() != []


def test_a_meter_read_once_an_hour_does_not_make_the_street_late():
    world = settled(plain={"calendar": DIMMING, "sample_s": 3600, "telemetry_s": DAY_S, "report_spread_s": 0})
    world.reachable = False
    from_s = world.unix_s()
    world.run(DAY_S)
    assert edges_off_the_plan(world, from_s, from_s + DAY_S) == []


def test_a_dead_lamp_is_one_alarm_with_what_was_measured():
    world = settled(plain={"calendar": CLOCK_ONLY})
    world.run(4 * HOUR_S)
    world.lamp_burns = False
    world.run(2 * HOUR_S)
    ((raised_ms, alarm),) = world.events(event.LAMP_FAILURE)
    assert alarm.body.active is True
    assert (alarm.body.detail[quantity.POWER], alarm.body.detail[quantity.LEVEL_ORDERED]) == (6, 100)
    arrived_ms = next(at_ms for at_ms, _, sequences in world.gateway.arrived if alarm.sequence in sequences)
    assert arrived_ms - raised_ms < 1000


def test_a_healthy_day_raises_no_alarm():
    world = settled(plain={"calendar": DIMMING}, loss_percent=20)
    world.run(2 * DAY_S)
    codes = {made.body.code for _, made, _ in world.made if not isinstance(made.body, dict)}
    assert codes == {event.BOOT, event.ANCHOR, event.LEVEL_CHANGED}


def test_a_silent_meter_begins_and_ends_and_telemetry_goes_on():
    world = settled()
    world.meter_answers = False
    world.run(HOUR_S)
    world.meter_answers = True
    world.run(600)
    assert [made.body.active for _, made in world.events(event.METER_FAILURE)] == [True, False]
    assert world.events(event.LAMP_FAILURE) == []
    silent = [made for _, made in world.telemetry() if quantity.POWER not in made.body]
    assert len(silent) >= 3 and all(quantity.LEVEL_ORDERED in made.body for made in silent)
