"""A simulated cabinet: it loses what was not synced, notices a cut by its keep-alive, and knows no time at first."""

import pytest

from gateway.core.bearers.bearer import Bearer
from gateway.core.custody import entry
from gateway.core.gateway import Options
from gateway.core.options import number_after
from simulator.hosts.centre import Centre
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.keys import keyset_of
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import event, record, topic
from wire.record import EventBody, Record, Stamp

OPTIONS = Options(
    gateway=bytes(range(8)),
    insee="49007",
    name="cab-1",
    keyset=keyset_of("49007"),
    commit_ms=500,
    batch_age_ms=60_000,
    batch_records_max=50,
    window_max=16,
    segment_bytes_max=1 << 16,
    journal_bytes_max=1 << 20,
    alarm_reserve_bytes=1 << 16,
)


class Reader:
    """The centre's end: writes down what comes up, answers nothing."""

    def __init__(self):
        self.topics = []

    def on_connected(self, receive_max): ...
    def on_disconnected(self, why): ...
    def on_puback(self, token, reason_code): ...

    def on_message(self, name, payload):
        self.topics.append(name)


class Bench:
    """One cabinet, a broker, and a reader of everything that goes up."""

    def __init__(self, options=OPTIONS):
        self.world = World(start_unix_s=1_800_000_000)
        self.broker = Broker(self.world, Prng("broker"))
        self.host = GatewayHost(self.world, Prng("cabinet"), options, self.broker)
        self.reader = Reader()
        self.broker.connect("reader", self.reader, lambda name: name.split("/")[2] != topic.RECEIPT)

    def later(self, seconds):
        self.world.run_until(self.world.now_ms + 1000 * seconds)

    def started(self):
        self.host.power_on()
        self.later(60)
        return self.host

    def logged(self, what):
        return sum(word == what for _, word in self.host.logs)

    def unix_s(self):
        return self.host.core.clock.unix_s(now_ms=self.world.now_ms)


@pytest.fixture
def bench():
    return Bench()


def test_it_starts_its_agent_after_a_while_and_reports_its_boot(bench):
    bench.host.power_on()
    bench.later(11)
    assert bench.host.core is None
    bench.later(49)
    first = number_after(None, bench.world.unix_s - 20)
    assert bench.host.previous is None and bench.host.boot in (first, first + 1)
    assert bench.logged("connected") == 1
    assert topic.build(topic.EVENT, "49007", "cab-1") in bench.reader.topics


def test_it_knows_no_time_before_the_network_has_told_it(bench):
    bench.host.fibre(False)
    bench.started()
    assert bench.unix_s() is None
    bench.host.fibre(True)
    bench.later(10)
    assert bench.unix_s() == bench.world.unix_s


def test_it_carries_its_time_through_a_cut_of_the_fibre(bench):
    bench.started()
    bench.host.fibre(False)
    bench.later(7200)
    assert bench.unix_s() == bench.world.unix_s


def test_a_power_cut_takes_ram_and_what_was_not_synced_and_leaves_the_rest(bench):
    host = bench.started()
    held = host.waiting()
    assert held == 2, "its own boot and the anchor of its clock, which nobody has acknowledged"
    host.power_cut()
    assert host.core is None
    assert host.waiting() == 0
    bench.later(60)
    assert host.core is None
    host.power_on()
    bench.later(60)
    assert host.boot > host.previous
    assert host.waiting() == 4


def test_power_that_fails_while_it_starts_starts_it_once(bench):
    bench.host.power_on()
    bench.later(5)
    bench.host.power_cut()
    bench.later(1)
    bench.host.power_on()
    bench.later(60)
    assert bench.host.previous is None and bench.host.boot


def test_a_silent_cut_is_noticed_by_the_keep_alive_only(bench):
    host = bench.started()
    host.fibre(False)
    bench.later(13)
    assert bench.logged("disconnected") == 0
    bench.later(2)
    assert bench.logged("disconnected") == 1


@pytest.mark.parametrize("cut_s", [2, 13, 30, 3600])
def test_after_a_cut_of_any_length_it_speaks_again(bench, cut_s):
    host = bench.started()
    host.fibre(False)
    bench.later(cut_s)
    bench.reader.topics.clear()
    host.fibre(True)
    bench.later(300)
    assert bench.reader.topics, "the boot record has no receipt yet, so it comes again"
    assert host.core.uplink._connected


def test_without_fibre_nothing_is_published(bench):
    host = bench.started()
    host.fibre(False)
    bench.later(1)
    accepted = bench.broker.accepted
    bench.later(3600)
    assert bench.broker.accepted == accepted


def test_counters_add_up_over_its_lives(bench):
    host = bench.started()
    first = dict(host.core.uplink.counters)
    host.power_cut()
    host.power_on()
    bench.later(60)
    second = dict(host.core.uplink.counters)
    totals = host.totals()
    assert first["batches"] > 0
    assert totals["uplink.batches"] == first["batches"] + second["batches"]


def test_a_receipt_frees_the_journal(bench):
    host = bench.started()
    assert host.waiting() == 2
    Centre(bench.world, Prng("centre"), bench.broker).start()
    bench.later(60)
    assert host.waiting() == 0


def two(monthly_bytes):
    """Fibre, and a stick with this budget."""
    stick = Bearer("mobile", is_metered=True, monthly_bytes=monthly_bytes)
    return OPTIONS._replace(bearers=(Bearer("fibre"), stick))


TWO = two(5_000_000)


def test_mobile_carries_15_seconds_after_a_cut_of_the_fibre_and_fibre_again_after_its_repair():
    bench = Bench(TWO)
    host = bench.started()
    assert host.core.bearers.connection.active == "fibre"
    host.fibre(False)
    bench.later(16)
    assert host.core.bearers.connection.active == "mobile"
    bench.reader.topics.clear()
    bench.later(600)
    assert bench.reader.topics, "the boot record has no receipt yet, so it comes again, by mobile"
    host.fibre(True)
    bench.later(900)
    assert host.core.bearers.connection.active == "fibre"
    assert host.core.bearers.connection.counters["changes"] == 2


def test_a_probe_that_changes_nothing_costs_two_turns_and_not_three():
    bench = Bench(TWO)
    core = bench.started().core
    polls, poll = [], core.poll
    core.poll = lambda *, now_ms: polls.append(now_ms) or poll(now_ms=now_ms)
    before = core.bearers.connection.health()["bearers"]["fibre"]["probes-good"]
    bench.later(3600)
    probes = core.bearers.connection.health()["bearers"]["fibre"]["probes-good"] - before
    assert probes > 700 and len(polls) < 2.3 * probes


def told_of_bearers(centre):
    bodies = [record.decode_body(body) for _, _, body in centre.warehouse.bodies()]
    return [tuple(body) for body in bodies if body.code in (event.BEARER_FAILURE, event.BEARER_CHANGED)]


def test_a_cut_fibre_is_an_alarm_at_the_centre_from_its_begin_to_its_end():
    bench = Bench(TWO)
    centre = Centre(bench.world, Prng("centre"), bench.broker)
    centre.start()
    host = bench.started()
    host.fibre(False)
    bench.later(120)
    host.fibre(True)
    bench.later(900)
    assert told_of_bearers(centre) == [
        (event.BEARER_FAILURE, True, ["fibre"]),
        (event.BEARER_CHANGED, None, ["mobile", "fibre"]),
        (event.BEARER_FAILURE, False, ["fibre"]),
        (event.BEARER_CHANGED, None, ["fibre", "mobile"]),
    ]


@pytest.mark.parametrize("mended_first", [True, False])
def test_a_restart_within_a_cut_tells_nothing_twice_and_its_end_all_the_same(mended_first):
    bench = Bench(TWO)
    centre = Centre(bench.world, Prng("centre"), bench.broker)
    centre.start()
    host = bench.started()
    host.fibre(False)
    bench.later(120)
    host.power_cut()
    if mended_first:
        host.fibre(True)
    host.power_on()
    bench.later(300)
    host.fibre(True)
    bench.later(900)
    assert host.core.bearers.connection.active == "fibre"
    told = [(active, detail) for code, active, detail in told_of_bearers(centre) if code == event.BEARER_FAILURE]
    assert told == [(True, ["fibre"]), (False, ["fibre"])]


def test_what_goes_by_mobile_is_counted_and_outlives_a_power_cut():
    bench = Bench(TWO)
    host = bench.started()
    host.fibre(False)
    bench.later(1000)
    used = host.core.bearers.budgets["mobile"].health()["used"]
    assert 7_000 < used <= host.metered_bytes
    host.power_cut()
    host.power_on()
    bench.later(60)
    assert host.core.bearers.budgets["mobile"].health()["used"] >= used


def test_a_budget_that_is_used_up_holds_telemetry_and_not_alarms():
    bench = Bench(two(10_000))
    Centre(bench.world, Prng("centre"), bench.broker).start()
    host = bench.started()
    host.fibre(False)
    bench.later(3000)
    assert host.core.bearers.budgets["mobile"].policy() == "hold"
    bodies = {event.ALARM: EventBody(event.LAMP_FAILURE, True, None), event.TELEMETRY: {6: 2137}}
    for sequence, (lane, body) in enumerate(bodies.items()):
        made = Record(1, sequence, Stamp(1, bench.world.unix_s, 1), body)
        host.core.journal.append(lane, entry.encode(entry.Entry(bytes(8), record.encode(made))))
    host.core.journal.flush()
    bench.reader.topics.clear()
    bench.later(400)
    assert topic.build(topic.EVENT, "49007", "cab-1") in bench.reader.topics, "alarms always pass"
    assert topic.build(topic.TELEMETRY, "49007", "cab-1") not in bench.reader.topics
    host.fibre(True)
    bench.later(900)
    assert topic.build(topic.TELEMETRY, "49007", "cab-1") in bench.reader.topics, "held for fibre, not lost"
