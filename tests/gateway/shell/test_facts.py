"""What is told of a running agent: from a real core, in virtual time."""

import json

import pytest

from gateway.config import config
from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.gateway import Log
from gateway.core.heartbeats import LateTask
from gateway.core.status import BabblingNode, ClockStatus, NodesStatus, as_json, parse
from gateway.shell.facts import Facts
from gateway.show import report
from gateway.show.findings import findings
from simulator.hosts.keys import key_of
from tests.support.gateway_world import EPOCH, GATEWAY, NODE, GatewayWorld, alarm, payload, reading
from wire import coap_message, event


class Watched(GatewayWorld):
    """A gateway whose shell keeps facts as the agent does."""

    facts = None

    def _carry_out(self, effect):
        super()._carry_out(effect)
        if self.facts is not None and isinstance(effect, Log):
            self.facts.note(effect, now_ms=self.now_ms)

    def sample(self, wait_ms=0):
        """Time passes; facts are sampled every ten seconds."""
        for _ in range(max(1, wait_ms // 10_000)):
            self.wait(min(wait_ms, 10_000))
            self.facts.sample(unix_s=self.core.clock.unix_s(now_ms=self.now_ms), now_ms=self.now_ms)

    def acknowledge(self):
        """The broker has what was published."""
        for publication in self.take_publications():
            self.core.on_puback(publication.token, 0, now_ms=self.now_ms)
        self.turn()

    def told(self):
        status = self.facts.status(now_ms=self.now_ms)
        through = parse(json.loads(json.dumps(as_json(status))))
        assert through._replace(health=status.health) == status, "it does not come through the socket whole"
        assert report.render(status, "fr") and report.render(status, "en")
        return status


def checked(tmp_path):
    plain = {
        "gateway": {"id": GATEWAY.hex(), "insee": "49007", "name": "cab-12", "data": str(tmp_path)},
        "link": {"bind": "127.0.0.1:0"},
        "uplink": {"broker": "centre.example.fr"},
    }
    return config.check(plain, insecure=True)


@pytest.fixture
def world(tmp_path):
    made = Watched(auto_sync=True)
    made.facts = Facts(checked(tmp_path), now_ms=made.now_ms)
    made.facts.core, made.facts.phase, made.facts.boot = made.core, "running", 1
    made.sample()
    return made


def test_before_the_core_is_there_only_the_start_is_told(world):
    world.facts.core, world.facts.phase = None, "starting"
    status = world.told()
    assert status.phase == "starting" and status.disk is None


def test_a_connection_is_told_with_its_age_and_its_end_with_the_cause(world):
    world.connect()
    world.sample(60_000)
    centre = world.told().centre
    assert centre.connected and centre.since_s == 60 and centre.why is None
    world.core.on_disconnected("connection-closed: x", now_ms=world.now_ms)
    world.turn()
    world.sample(20_000)
    # A failed attempt is no new end.
    world.core.on_disconnected("connection-refused: y", now_ms=world.now_ms)
    world.turn()
    centre = world.told().centre
    assert not centre.connected and centre.since_s == 20


def test_an_attempt_that_fails_beside_a_connection_that_carries_is_no_end(world):
    world.connect()
    assert world.core.bearers.connection.active is not None
    world.sample(60_000)
    refused = Log("disconnected", {"why": "connection-refused: x", "bearer": "mobile"})
    world.facts.note(refused, now_ms=world.now_ms)
    centre = world.told().centre
    assert centre.connected and centre.why is None and centre.since_s == 60


def test_what_waits_is_told_by_lane_with_the_age_of_the_oldest(world):
    world.sample(60_000)
    world.ask(payload(*(reading(number) for number in range(5)), alarm(9)))
    world.sample(100_000)
    waiting = world.told().waiting
    # The gateway's own boot report is an event that waits since the start.
    assert waiting.lanes == {"alarm": 1, "event": 1, "telemetry": 5, "surplus": 0} and not waiting.from_earlier_start
    assert waiting.oldest_s == 160
    epoch = world.core.journal.streams()[-1].epoch
    assert epoch != EPOCH
    world.connect()
    for lane, next_position in (("event", 1), ("telemetry", 5)):
        world.acknowledge()
        world.mark(0, lane, epoch)  # the answer to its question
        world.acknowledge()
        world.mark(next_position, lane, epoch)
    world.sample(10_000)
    waiting = world.told().waiting
    assert waiting.lanes == {"alarm": 1, "event": 0, "telemetry": 0, "surplus": 0}
    assert 110 <= waiting.oldest_s <= 120, "not the alarm's age, to the sampling"
    assert world.told().centre.receipt_ago_s == 0
    world.mark(1, "alarm", epoch)
    world.sample(10_000)
    assert world.told().waiting.oldest_s is None


def found(world):
    return {one.key: one.sentence("fr") for one in findings(world.told())}


def test_what_a_stranger_sends_in_the_warehouses_name_is_a_finding_for_a_day(world):
    world.connect()
    world.sample(10_000)
    assert found(world) == {}
    world.hear(b"not signed")
    assert "reçus qu’il n’a pas signés pour cette passerelle : ce n’est pas signé" in found(world)["forged"]
    assert world.told().centre.refused_why == "form" and world.told().centre.warehouses == 1
    world.sample(86_400_000)
    assert "forged" not in found(world)
    world.core.receipts.note_altered(limits.ALTERED_BATCHES_MIN, now_ms=world.now_ms)
    assert "altered" in found(world)


def test_a_key_set_without_a_warehouse_is_a_finding(world):
    world.core._options = world.core._options._replace(keyset=None)
    assert "ne nomme aucun entrepôt" in found(world)["no_warehouse"] and world.told().centre.warehouses == 0


def test_the_age_does_not_reach_back_into_a_quiet_time(world):
    epoch = world.core.journal.streams()[-1].epoch
    world.connect()
    world.sample(10_000)  # the boot report is durable by now
    world.mark(1, "event", epoch)
    world.sample(3_600_000)
    world.ask(payload(alarm(9)))
    world.sample(10_000)
    assert world.told().waiting.oldest_s <= 20


def test_weeks_without_a_centre_keep_few_samples_and_the_age(world):
    for number in range(400):
        world.ask(payload(reading(number)))
        world.sample(10_000)
    assert world.told().waiting.oldest_s == 4000
    assert all(len(ages._samples) <= 129 for ages in world.facts._ages.values())


def test_what_an_earlier_start_left_is_told_as_such(world):
    world.ask(payload(reading(1)))
    world.sample(10_000)
    facts = world.facts
    world.facts = None
    world.power_cut()
    facts.core, world.facts = world.core, facts
    world.sample(10_000)
    waiting = world.told().waiting
    assert waiting.from_earlier_start and waiting.lanes["telemetry"] == 1


def test_nodes_are_counted_as_heard_silent_and_expected(world):
    world.ask(payload(reading(1)))
    told = NodesStatus(heard=1, silent_after_s=3600, expected=len(world.adopted))
    assert world.told().nodes == told
    world.sample(3_610_000)
    assert world.told().nodes.silent == 1


def test_a_node_beyond_its_fair_use_is_told_of_with_the_remedy_in_both_languages(world, monkeypatch):
    monkeypatch.setitem(world.core.fair_use._most, event.ALARM, 2)
    assert world.told().nodes.babbling == ()
    for number in range(5):
        world.ask(payload(alarm(number)))
        world.sample(1_000)
    (babbling,) = world.told().nodes.babbling
    assert babbling == BabblingNode(NODE.hex(), 5, 1, 0) and parse(as_json(world.told())).nodes.babbling == (babbling,)
    (found,) = [found for found in findings(world.told()) if found.key == "babbling"]
    assert NODE.hex() in found.sentence("fr") and "5 alarmes" in found.sentence("fr")
    assert "5 alarms" in found.sentence("en")
    assert all("adopt --remove" in found.to_do(language) for language in ("fr", "en"))


def test_a_node_without_a_key_is_told_of_by_its_oscore_id(world):
    world.core.on_keys([], now_ms=world.now_ms)
    world.ask(payload(reading(1)))
    world.sample(7_000)
    (unknown,) = world.told().nodes.unknown
    assert unknown["kid"] == key_of(NODE).kid.hex() and unknown["count"] >= 1 and unknown["heard_s_ago"] >= 7


def test_wear_is_told_once_it_means_something(world):
    world.ask(payload(reading(1)))
    world.sample(500_000)
    assert world.told().disk.written_bytes_a_day is None
    world.sample(3_600_000)
    disk = world.told().disk
    assert disk.written_bytes_a_day == disk.written_bytes * 86_400_000 // (world.now_ms - 1000) > 0
    assert disk.free_bytes > 0 and disk.held_bytes > 0


def test_the_clock_is_told_as_nodes_are_told(world):
    assert world.told().clock == ClockStatus(False, None, 0)
    world.core.on_clock(1_795_000_000_000, 3, now_ms=world.now_ms)
    assert world.told().clock == ClockStatus(True, 1_795_000_000, 3)


def test_faults_are_the_last_few_grave_lines_of_the_log(world):
    world.facts.note(Log("connected", {}), now_ms=world.now_ms)
    for number in range(50):
        world.facts.note(Log("journal-hole", {"lane": "event", "first": number}), now_ms=world.now_ms)
    faults = world.told().faults
    assert len(faults) == 10 and faults[-1] == (0, "journal-hole", {"lane": "event", "first": 49})


def test_a_flood_of_one_fault_hides_no_other(world):
    world.facts.note(Log("cannot-serve", {"error": "taken"}), now_ms=world.now_ms)
    for number in range(50):
        world.facts.note(Log("record-refused", {"why": "full"}), now_ms=world.now_ms + number)
    assert [fault.what for fault in world.told().faults] == ["cannot-serve"] + 10 * ["record-refused"]
    assert "cannot_serve" in [found.key for found in findings(world.told())]


def test_a_subscription_that_is_refused_is_told_until_it_is_granted_or_made_anew(world):
    def hear(what, why=""):
        world.facts.note(Log(what, {"why": why, "bearer": "default"}), now_ms=world.now_ms)
        return world.told().centre.deaf, [found.key for found in findings(world.told())]

    world.connect()
    assert hear("subscription-refused", "Not authorized (0x87)") == ("Not authorized (0x87)", ["deaf"])
    assert hear("return-failed", "x")[1] == ["deaf"], "it carries on"
    assert hear("subscription-granted") == (None, [])
    hear("subscription-refused", "Not authorized (0x87)")
    world.core.on_disconnected("connection-closed: x", now_ms=world.now_ms)
    world.turn()
    assert world.told().centre.deaf is None


def test_the_age_of_a_link_is_that_of_the_bearer_that_carries(tmp_path):
    both = (Bearer("fibre"), Bearer("mobile", is_metered=True))
    world = Watched(bearers=both)
    world.facts = Facts(checked(tmp_path), now_ms=world.now_ms)
    world.facts.core, world.facts.phase = world.core, "running"
    world.core.on_connected(10, "fibre", now_ms=world.now_ms)
    world.turn()
    world.now_ms += 100_000
    world.core.on_disconnected("connection-timeout: cut", "fibre", now_ms=world.now_ms)
    world.core.bearers.connection._attempt = "mobile"
    world.core.on_connected(10, "mobile", now_ms=world.now_ms)
    world.turn()
    assert world.told().centre.connected and world.told().centre.since_s == 0


def test_an_attempt_that_nobody_answered_is_the_cause_of_a_missing_link(world):
    world.facts.note(Log("attempt-expired", {"bearer": "default", "why": "no answer"}), now_ms=world.now_ms)
    assert world.told().centre.why.startswith("connection-timeout: ")


def test_the_shells_counters_stand_beside_the_cores(world):
    world.facts.shell = lambda: {"mqtt": {"subscription-refused": 1}}
    assert world.told().health["mqtt"] == {"subscription-refused": 1} and "uplink" in world.told().health


def test_the_late_are_told(world):
    world.facts.late = [LateTask("journal-sync", 70_000, 60_000)]
    assert world.told().late == (LateTask("journal-sync", 70_000, 60_000),)


def test_telling_changes_nothing_in_the_core(world):
    world.ask(payload(reading(1)), code=coap_message.POST)
    world.sample(60_000)
    before = world.core.health(now_ms=world.now_ms)
    for _ in range(20):
        world.told()
        world.facts.sample(unix_s=None, now_ms=world.now_ms)
    assert world.core.health(now_ms=world.now_ms) == before and not world.core.drain_effects()
