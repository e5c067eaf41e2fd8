"""Deeds that take several segments: our own gap records put together, and many nodes with a record or two each.

Nothing may be missing unexplained meanwhile, at whatever operation the power goes.
"""

from collections import Counter, defaultdict

import pytest

from gateway.core import limits
from gateway.core.custody import ledger
from gateway.core.custody.release import GAPS_JOINED, GONE, Release, SegmentPlan, choose_release
from gateway.core.custody.thinning import Thinner
from simulator.world.disk import TEARS, PowerCut
from tests.support.thinning_world import GATEWAY, ThinningWorld
from wire import event, record
from wire.record import EventBody

SMALL = {"segment_bytes_max": 2000, "journal_bytes_max": 60_000, "alarm_reserve_bytes": 6000}
TIGHT = {
    "segment_bytes_max": 1000,
    "journal_bytes_max": 14_000,
    "alarm_reserve_bytes": 3000,
    "free_margin_bytes": 500,
    "ballast_bytes": 400,
}


def crowd(count):
    return [b"\x7c\x1f\x0a\x2c" + number.to_bytes(4, "big") for number in range(count)]


def pour(world, nodes, count, *, events=20):
    """Records of each node in its turn; how many the journal refused."""
    refused = 0
    for number in range(count):
        node = nodes[number % len(nodes)]
        refused += world.telemetry(node) is None
        if number % events == 0:
            world.event(node)
        if number % 20 == 0:
            world.flush()
        world.turn()
    world.flush()
    world.work()
    return refused


def held_bytes(world):
    """{"gap", "event" or "telemetry": bytes} of what is held."""
    sizes = Counter()
    for data in world.held()[0].values():
        body = record.decode_payload(data)[0].body
        is_event = isinstance(body, EventBody)
        sizes["gap" if is_event and body.code == event.GAP else "event" if is_event else "telemetry"] += len(data)
    return sizes


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [12, 30])
def test_however_long_it_thins_explanations_do_not_crowd_out_data_and_records_are_taken(nodes):
    world = ThinningWorld(1, limits=SMALL)
    refused, sizes = [], Counter()
    for _ in range(5):
        refused.append(pour(world, crowd(nodes), 1000))
        sizes += held_bytes(world)  # their share rises until they are put together, and falls: its mean counts
    assert sizes["gap"] < sizes["telemetry"] / 2, sizes
    assert sum(refused[1:]) < 400, refused
    assert world.thinner.counters["segments-merged"] > 10
    world.check()


def test_gap_records_are_put_together_before_whole_segments_of_telemetry_go():
    world = ThinningWorld(2, limits=SMALL)
    deeds, let_go = [], world.thinner._let_go

    def spy(release):
        deeds.append((release.plans[0].stream.lane, release.plans[0].level, len(release.plans)))
        return let_go(release)

    world.thinner._let_go = spy
    pour(world, crowd(3), 4000, events=5)
    first_drop = next(number for number, release in enumerate(deeds) if release[:2] == ("telemetry", GONE))
    assert any(release[:2] == ("event", GAPS_JOINED) for release in deeds[:first_drop])
    assert max(width for lane, _, width in deeds if lane == "event") > 1
    world.check()


def test_what_is_put_together_covers_what_its_gap_records_did_for_each_reason_and_events_stay():
    world = ThinningWorld(3, limits=SMALL)
    pour(world, crowd(4), 2500)
    spans = defaultdict(list)
    for identity, data in world.held()[0].items():
        body = record.decode_payload(data)[0].body
        if identity[0] == GATEWAY and body.code == event.GAP:
            node, boot, first, last, why = body.detail
            spans[node, boot, why].append((first, last))
    whys = Counter()
    for line in ledger.entries(world.state):
        about = bytes.fromhex(line["node"]), line["boot"], line["why"]
        for number in ledger.expand(line["sequences"]):
            whys[line["why"]] += 1
            assert any(first <= number <= last for first, last in spans[about]), (about, number)
    assert min(whys["thinned"], whys["journal-full"]) > 0 and world.thinner.counters["segments-merged"] > 5
    said = [identity for identity, lane in world.promised.items() if lane == "event" and identity[0] != GATEWAY]
    assert set(said) <= set(world.held()[1]["event"]), "events were let go although gap records could be"
    world.check()


@pytest.mark.slow
def test_gap_records_that_are_too_few_are_read_a_few_times_and_then_left(monkeypatch):
    world = ThinningWorld(4, limits=SMALL)
    reads, read, rewrite = Counter(), world.thinner._read, world.thinner._rewrite

    def spy(plan):
        reads[plan.segment.name] += plan.joins_gaps
        return read(plan)

    def check(plan):
        assert not plan.joins_gaps or 4 * plan.bytes >= plan.segment.size, "a copy for a few gap records"
        return rewrite(plan)

    monkeypatch.setattr(world.thinner, "_read", spy)
    monkeypatch.setattr(world.thinner, "_rewrite", check)
    pour(world, crowd(12), 4000, events=1)
    assert max(reads.values()) <= 6 < len(reads)


@pytest.mark.slow
def test_segments_with_a_record_of_each_node_go_together_where_one_alone_would_make_no_room():
    world = ThinningWorld(5, limits={**SMALL, "journal_bytes_max": 80_000, "alarm_reserve_bytes": 20_000})
    refused = [pour(world, crowd(200), 1000, events=10_000) for _ in range(6)]
    assert sum(refused[1:]) < 1000, refused
    assert refused[-1] < 300, "it goes on"
    world.check()


def test_when_nothing_else_is_left_one_segment_more_is_enough_to_try_again():
    world = ThinningWorld(7, limits=SMALL)
    for number in range(1200):
        world.telemetry(crowd(12)[number % 12])
        world.event(crowd(12)[number % 12])
        if number % 20 == 0:
            world.flush()
    world.flush()
    sealed = {lane: [segment for _, segment in world.journal.sealed(lane)] for lane in ("telemetry", "event")}
    assert min(len(segments) for segments in sealed.values()) > 7
    for segment in sealed["telemetry"]:
        segment.level, segment.tried_drop = limits.THINNING_LEVEL_MAX, len(sealed["telemetry"]) - 1
    for segment in sealed["event"]:
        segment.tried_drop = segment.tried_joining = len(sealed["event"]) - 1
    for lane, together, tried in (
        ("event", True, "tried_joining"),
        ("telemetry", False, "tried_drop"),
        ("event", False, ""),
    ):
        release = choose_release(world.journal, alarms=False, cramped=False)
        found = release.plans[0].stream.lane, release.joins_gaps, len(release.plans)
        assert found == (lane, together, len(sealed[lane]))
        for segment in sealed[lane]:
            setattr(segment, tried or "tried_drop", len(sealed[lane]))
    assert choose_release(world.journal, alarms=False, cramped=False) is None


def test_what_cannot_be_explained_to_the_end_is_not_begun():
    world = ThinningWorld(8, limits=SMALL)
    nodes = crowd(200)
    for number in range(2500):
        world.telemetry(nodes[number % 200])
        if number % 20 == 0:
            world.flush()
        world.turn()
    counters = world.thinner.counters
    assert counters["gaps"] == counters["segments-dropped"] == counters["segments-thinned"] == 0
    assert world.alarm(nodes[0]) is not None, "the last bytes are not wasted"


@pytest.mark.parametrize("turns", range(2, 42, 4))
def test_what_is_freed_while_another_segment_of_the_deed_is_under_way_is_left_out(turns, monkeypatch):
    monkeypatch.setattr(limits, "THINNING_STEP_RECORDS_MAX", 5)
    world = ThinningWorld(9, limits=SMALL)
    for _ in range(3):
        pour(world, crowd(3), 150, events=10_000)
        world.start()
    plans = [SegmentPlan(stream, segment, GONE) for stream, segment in world.journal.sealed("telemetry")]
    first, *_, last = plans
    assert first.stream != last.stream
    world.thinner._work = world.thinner._let_go(Release(plans))
    for _ in range(turns):
        world.turn()
    world.free(last.stream, last.segment.end)
    assert last.stream not in world.journal.streams()
    world.work()
    assert world.thinner.counters["segments-dropped"] > 0
    world.check()


def test_a_deed_takes_no_more_segments_and_bytes_than_it_may(monkeypatch):
    monkeypatch.setattr(limits, "THINNING_TOGETHER_BYTES_MAX", 7000)
    monkeypatch.setattr(limits, "THINNING_TOGETHER_SEGMENTS_MAX", 5)
    world = ThinningWorld(6, limits=SMALL)
    widths, let_go = [], world.thinner._let_go

    def spy(release):
        widths.append((len(release.plans), sum(plan.segment.size for plan in release.plans)))
        return let_go(release)

    world.thinner._let_go = spy
    pour(world, crowd(60), 3000)
    assert 3 <= max(count for count, _ in widths) <= 5 and max(size for _, size in widths) <= 7000


def run(world):
    """Until gap records have been put together and segments have gone together, with a start in between."""
    nodes = crowd(16)
    for number in range(480):
        world.telemetry(nodes[number % 16])
        if number % 40 == 0:
            world.event(nodes[0])
        if number % 4 == 0:
            world.flush()
        world.turn()
        if number == 300:
            world.start()
    world.work()


def cut_and_check(seed, operations, tear, thinner_class=Thinner):
    world = ThinningWorld(seed, limits=TIGHT, thinner_class=thinner_class)
    world.disk.stop_after(operations)
    try:
        run(world)
    except PowerCut:
        pass
    else:
        return False
    for cut in (tear, None):
        world.power_cut(cut)
        world.check(exact=False)
        world.check_bytes()
        world.work()
        world.check()
        world.check_bytes()
    return True


@pytest.mark.slow
@pytest.mark.parametrize("tear", [*TEARS, None])
def test_a_cut_at_every_operation_while_several_segments_are_under_way(tear):
    widest = Counter()  # segments that one deed took

    class Widths(Thinner):
        def _explain_all(self, release, gaps):
            lane = release.plans[0].stream.lane
            widest[lane] = max(widest[lane], len(release.plans))
            return super()._explain_all(release, gaps)

    world = ThinningWorld(1, limits=TIGHT, thinner_class=Widths)
    run(world)
    world.check()
    assert widest["event"] > 1 and widest["telemetry"] > 1, widest
    total = world.disk.operations
    for operations in range(9 * (*TEARS, None).index(tear), total, 54):
        assert cut_and_check(1, operations, tear)


class DropsGapsBeforeTheirHeirIsDurable(Thinner):
    """Planted: gap records go before the one that was put together from them is durable."""

    def _explain_all(self, release, gaps):
        if not release.joins_gaps:
            return (yield from super()._explain_all(release, gaps))
        for gap in gaps:
            self._explain(gap)
        yield None
        return True


class ForgetsWhatAGapCovered(Thinner):
    """Planted: what is put together covers the gap records, and not what they covered."""

    def _explain_all(self, release, gaps):
        kept = [gap for gap in gaps if not release.joins_gaps or gap.detail[0] == GATEWAY]
        return (yield from super()._explain_all(release, kept))


@pytest.mark.slow
@pytest.mark.parametrize("planted", [DropsGapsBeforeTheirHeirIsDurable, ForgetsWhatAGapCovered])
def test_the_checks_see_a_planted_bug(planted):
    with pytest.raises(AssertionError, match="unexplained"):
        for operations in range(495, 600, 4):
            cut_and_check(1, operations, "drop", planted)
