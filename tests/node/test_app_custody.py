"""What a node's records say about time, and that all of them arrive or are explained, whatever the link does."""

import itertools

import pytest

from lighting import memory
from node import limits
from node.checkpoint import Checkpoint
from node.outbox import Outbox
from node.sender import Sender
from tests.portable.node_day import CLOCK_ONLY, NOON_UNIX_S, settled, started
from wire import coap_message as messages
from wire import event, quantity
from wire.coap import Failed
from wire.record import SYNCED, UNSET

HOUR_S = 3600
DAY_S = 86_400
NODE_SPREAD_S = 120

# --- time -----------------------------------------------------------------------------------------


def asks(world):
    return [at_ms for at_ms, _, sequences in world.gateway.arrived if not sequences]


def test_a_node_without_time_asks_every_20_s_at_most_and_stops_once_it_knows():
    world = started()
    world.gateway.knows_time = False
    world.run(2 * HOUR_S)
    instants = asks(world)
    apart = [after - before for before, after in itertools.pairwise(instants)]
    assert len(instants) > 300 and min(apart) >= limits.ASK_TIME_MS - 300, "the air may carry the second one faster"
    world.gateway.knows_time = True
    world.run(60)
    known = len(asks(world))
    assert world.node.outputs.rule == "calendar"
    world.run(3 * HOUR_S)
    assert len(asks(world)) == known


def test_the_anchor_maps_the_uptime_of_this_boot_to_utc():
    world = started()
    world.gateway.knows_time = False
    world.run(HOUR_S)
    world.gateway.knows_time = True
    world.run(HOUR_S)
    ((_, anchor),) = world.events(event.ANCHOR)
    about, boot, uptime_s, unix_s, uncertainty_s = anchor.body.detail
    assert (about, boot) == (None, 1)
    assert abs(unix_s - uptime_s - NOON_UNIX_S) <= uncertainty_s + 1
    assert anchor.stamp.quality == SYNCED


def test_a_gateway_in_1970_leaves_the_lamp_lit_and_the_records_unstamped():
    world = started()
    world.gateway.unix_lead_s = -NOON_UNIX_S
    world.run(2 * HOUR_S)
    assert world.node.outputs.rule == "no-time" and world.node.outputs.level_percent == 100
    assert {made.stamp.quality for _, made, _ in world.made} == {UNSET}
    assert world.node.time.refused > 100
    assert world.node.waiting_sequences() == [], "custody needs no clock"


@pytest.mark.parametrize("jump_s", [-DAY_S, -3600, 3600, DAY_S])
def test_a_gateway_that_corrects_itself_is_followed_with_an_anchor(jump_s):
    world = settled(plain={"calendar": CLOCK_ONLY})
    world.run(HOUR_S)
    world.gateway.unix_lead_s = jump_s
    world.run(HOUR_S)
    assert len(world.events(event.ANCHOR)) == 2
    assert abs(world.node.unix_s(world.now_ms) - world.unix_s() - jump_s) <= 2
    assert len(world.telemetry()) < 20, "a jump brings no burst of reports"


@pytest.mark.parametrize("started_ms", [0, (1 << 30) - 1000, (1 << 30) - 1, 1 << 30, 5 << 30])
def test_where_the_clock_starts_does_not_matter(started_ms):
    def told(begun_ms):
        world = settled(seed=5, started_ms=begun_ms, loss_percent=20, plain={"calendar": CLOCK_ONLY})
        world.run(DAY_S)
        return [(at_ms - begun_ms, made) for at_ms, made, _ in world.made if not _energy(made)], world.edges

    def _energy(made):
        return isinstance(made.body, dict) and made.body.pop(quantity.ENERGY, None) is None

    assert told(started_ms) == told(123_456)


# --- custody --------------------------------------------------------------------------------------


def lived_through(seed):
    """40 % loss, two outages that overflow nothing and one that does, a refusing gateway, and two cuts of the mains."""
    world = started(seed=seed, loss_percent=40, plain={"calendar": CLOCK_ONLY, "telemetry_s": 300})
    for _ in range(2):
        world.run(4 * HOUR_S)
        world.reachable = False
        world.run(HOUR_S)
        world.reachable = True
        world.gateway.refuses_with = messages.UNAVAILABLE
        world.run(1800)
        world.gateway.refuses_with = None
        world.run(2 * HOUR_S)
        world.power_cut()
        world.run(60)
        world.power_on()
    world.reachable = False
    world.run(14 * HOUR_S)
    world.reachable = True
    world.run(4 * HOUR_S)
    world.loss_percent = 0
    world.run(600)
    return world


@pytest.fixture(scope="module")
def hard_days():
    return [lived_through(seed) for seed in (1, 2, 3)]


@pytest.mark.slow
def test_every_record_arrives_or_is_explained_under_40_percent_loss(hard_days):
    for world in hard_days:
        assert len(world.made) > 300 and world.retries() > 100
        assert world.unexplained() == []
        assert world.node.waiting_sequences() == []
        assert world.gateway.doubts == 0, "one identity has one body"


@pytest.mark.slow
def test_what_the_node_believes_acknowledged_the_gateway_holds(hard_days):
    for world in hard_days:
        assert set(world.acknowledged) <= set(world.gateway.held)
        assert len(world.acknowledged) > 200


def test_thinned_records_are_told_and_the_others_are_unchanged(hard_days):
    for world in hard_days:
        made = {(one.boot, one.sequence): data for _, one, data in world.made}
        assert world.gateway.held.items() <= made.items()
        assert len(world.events(event.GAP)) >= 1
        absent = [one for one in made if one[0] == 3 and one not in world.gateway.held]
        assert absent, "the long outage thinned something"


def test_the_first_try_of_a_boot_comes_after_its_own_spread():
    firsts = set()
    for seed in range(8):
        world = started(seed=seed + 1)
        begun_ms = world.now_ms
        world.run(300)
        firsts.add((world.gateway.arrived[0][0] - begun_ms) // 1000)
    assert len(firsts) >= 6 and max(firsts) <= NODE_SPREAD_S


def test_records_acknowledged_before_their_time_are_seen(monkeypatch):
    """Planted: a failed exchange counts as a delivered one."""
    honest = Sender.handle

    def handle(self, happened, *, now_ms):
        channel = self._channel_of(happened)
        if isinstance(happened, Failed) and channel is not None:
            self._outbox.acknowledge(channel.entries)
        return honest(self, happened, now_ms=now_ms)

    monkeypatch.setattr(Sender, "handle", handle)
    assert lived_through(1).unexplained() != []


def test_a_gap_that_is_never_told_is_seen(monkeypatch):
    monkeypatch.setattr(Outbox, "next_gap", lambda self: None)
    assert lived_through(1).unexplained() != []


def test_a_checkpoint_comes_once_an_hour():
    world = started(loss_percent=40)
    given = []
    honest = world.node.checkpoint

    def checkpoint(now_ms):
        found = honest(now_ms)
        if found is not None:
            given.append((now_ms, found))
        return found

    world.node.checkpoint = checkpoint
    begun_ms = world.now_ms
    world.run(DAY_S + 60)
    assert 22 <= len(given) <= 24
    assert given[0][0] - begun_ms >= 3_600_000
    apart = [after[0] - before[0] for before, after in itertools.pairwise(given)]
    assert min(apart) >= 3_600_000


@pytest.mark.slow
def test_a_checkpoint_promises_only_what_the_gateway_holds():
    for seed in (1, 2, 3):
        world = started(seed=seed, loss_percent=40, plain={"telemetry_s": 120})
        promised = []
        for hour in range(30):
            world.reachable = not 8 <= hour < 20
            world.run(HOUR_S)
            flash = world.flash
            durable = -1 if flash is None or flash.durable_sequence is None else flash.durable_sequence
            promised.append(durable)
            missing = [sequence for _, sequence in world.unexplained() if sequence <= durable]
            assert missing == [], f"hour {hour}"
        assert promised[-1] > promised[7] > 0


def test_a_checkpoint_waits_for_the_gap_record_on_its_way():
    world = settled(plain={"telemetry_s": 60})
    world.reachable = False
    world.run(4 * HOUR_S)
    world.gateway.flush_ms = 3000
    world.reachable = True
    while not world.events(event.GAP):
        world.run(1)
    told = world.events(event.GAP)[0][1]
    first = told.body.detail[2]
    waiting = world.node.waiting_sequences()
    assert told.sequence in waiting and min(waiting) > first
    assert world.node.checkpoint(world.now_ms + 3_600_000).durable_sequence < first


def test_a_checkpoint_counts_the_lamps_life_across_boots():
    world = settled(plain={"calendar": CLOCK_ONLY})
    world.run(DAY_S)
    lit_s = 0
    for (at_s, level, _), after in zip(world.edges, [*world.edges[1:], (world.unix_s(), 0, "")], strict=True):
        lit_s += after[0] - at_s if level else 0
    saved = world.node.checkpoint(world.now_ms + 3_600_000)
    assert saved.boot == 1 and abs(int.from_bytes(saved.memory[:4], "little") - lit_s) <= 2
    world.flash = Checkpoint(1, None, memory.encode(memory.EMPTY._replace(lamp_s=500_000)), b"")
    world.power_cut()
    world.power_on()
    world.run(120)
    assert world.telemetry()[-1][1].body[quantity.LAMP_HOURS] == 500_000 // 3600


def test_a_month_of_a_flapping_meter_and_no_gateway_breaks_nothing():
    """Alarms by the hundred: the outbox is full of them, and what finds no place is told when the gateway is back."""
    world = settled(plain={"telemetry_s": 300})
    world.reachable = False
    for _ in range(150):
        world.meter_answers = False
        world.run(600)
        world.meter_answers = True
        world.run(120)
    assert len(world.node.waiting_sequences()) <= limits.OUTBOX_RECORDS_MAX
    waiting = set(world.node.waiting_sequences())
    alarms = [made.sequence for _, made in world.events(event.METER_FAILURE)]
    assert waiting == set(alarms[-limits.OUTBOX_RECORDS_MAX :]), "the youngest alarms and nothing else"
    world.reachable = True
    world.run(HOUR_S)
    assert world.unexplained() == []


@pytest.mark.parametrize("datagram", [b"", b"\x00", b"\xff" * 40, b"\x60\x45\x00\x00", b"\x40\x02\x12\x34\xb1e"])
def test_bytes_from_anybody_change_nothing(datagram):
    world = settled()
    before = (world.node.outputs, len(world.made), world.node.waiting_sequences())
    for peer in (world.settings.gateway, ("203.0.113.9", 1)):
        world.node.receive(datagram, peer, now_ms=world.now_ms)
    assert (world.node.outputs, len(world.made), world.node.waiting_sequences()) == before
