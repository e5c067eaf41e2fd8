"""Campaigns: canaries, the soak, failures, the air, the hours of lamps, what survives a restart."""

import pytest

from gateway.core import limits
from gateway.core.cabinet import feeder as rules
from gateway.core.campaigns import campaign
from gateway.core.campaigns.campaign import STATES, TABLE, Plan
from gateway.core.campaigns.campaigns import Campaigns
from gateway.core.custody.disk import SharedFolder
from gateway.core.inbox.known_nodes import KnownNodes
from gateway.core.link.images import NodeImage
from gateway.core.link.link import NodeRequest
from gateway.core.wallclock import WallClock
from simulator.world.chance import Prng
from simulator.world.disk import SimDisk
from wire import event, image
from wire.record import EventBody, Record

HOUR_S = 3600
NOON_S = 1_795_518_000  # 2026-11-24 12:00 in France
PLAN = Plan("thermostat", 7, NOON_S, canaries=2)
RADIO = ("radio", b"mac")


def node(number):
    return bytes((0x7C, 0, 0, 0, 0, 0, 0, number))


class Options:
    latitude_e4, longitude_e4 = 474736, -5516

    def nodes(self):
        return {node(1): 0, node(2): 1}


class LampCabinet:
    """Two feeders: node 1 is on a permanent one, node 2 on a switched one; others are not known."""

    def __init__(self):
        self.options = Options()
        site = rules.site_of(Options.latitude_e4, Options.longitude_e4)
        self.feeders = [rules.Feeder(rules.FeederOptions(name, 1, 0), site) for name in ("quai", "bourg")]
        self.feeders[0].is_permanent = True


class Bench:
    """Campaigns in virtual time, and the nodes' words to them."""

    def __init__(self, *plans, cabinet=None):
        self.disk = SimDisk(Prng(1), latency_ms=(1, 2), on_pending=lambda _pending: None)
        self.cabinet = cabinet
        self.unix_s, self.now_ms = NOON_S, 0
        self.told = []
        self.known_nodes = KnownNodes(SharedFolder(self.disk, "nodes"))
        self.start(*plans)

    def start(self, *plans):
        self.clock = WallClock(started_ms=self.now_ms)
        self.clock.observe(1000 * self.unix_s, 1, now_ms=self.now_ms)
        self.campaigns = Campaigns(self.disk, self.clock, self.known_nodes, self.cabinet, self._report)
        self.campaigns.start()
        self.plan(*plans)

    def plan(self, *plans):
        self.campaigns.set_plans(plans, now_ms=self.now_ms)
        self.campaigns.poll(now_ms=self.now_ms)

    def _report(self, body, *, now_ms):
        self.told.append((body.code, body.active, *body.detail))

    def later(self, seconds):
        self.now_ms, self.unix_s = self.now_ms + 1000 * seconds, self.unix_s + seconds
        self.campaigns.poll(now_ms=self.now_ms)

    def asks(self, number, *, runs=6, failed=0, is_rescue=False, of=7, kind="thermostat", peer=RADIO, is_manifest=True,
             is_offered=True):  # fmt: skip
        query = tuple(image.question(runs, failed, is_rescue)) if is_manifest else ()
        path = (b"f", kind.encode()) if is_manifest else (b"f", kind.encode(), b"%d" % of, b"0")
        asked = NodeRequest(node(number), peer, 1, 1, path, b"", query)
        offered = NodeImage(kind, of, "", b"", ()) if is_offered else None
        judged = self.campaigns.judge(asked, offered, is_manifest, now_ms=self.now_ms)
        self.campaigns.poll(now_ms=self.now_ms)
        return judged

    def says(self, number, outcome, *, of=7, code=event.UPDATE, holds=()):
        detail = [of, outcome, *holds] if code == event.UPDATE else []
        made = Record(1, 1, None, EventBody(code, True, detail))
        self.campaigns.observe(node(number), [made], now_ms=self.now_ms)
        self.campaigns.poll(now_ms=self.now_ms)

    def knows(self, number, kind="thermostat"):
        """The cabinet hears how a node of this kind starts."""
        boot = Record(1, 1, None, EventBody(event.BOOT, None, [0, None, "start", kind, "0.3.0"]))
        self.known_nodes.observe(node(number), [boot], now_ms=self.now_ms)

    def takes(self, number, **asked):
        """A node fetches the program, tries it and confirms it."""
        assert self.asks(number, **asked) == 0
        assert self.asks(number, is_manifest=False, **asked) == 0
        self.says(number, "ready")
        self.says(number, "confirmed")

    def phase(self):
        return self.campaigns.status(now_ms=self.now_ms)[0].phase

    def counts(self):
        return dict(self.campaigns.status(now_ms=self.now_ms)[0].counts)


def test_each_state_has_its_entries_and_leads_to_a_state():
    assert TABLE.keys() == set(STATES)
    assert {state for entries in TABLE.values() for state in entries.values()} == set(STATES)


def test_canaries_go_first_and_all_others_after_their_soak():
    bench = Bench(PLAN)
    bench.takes(1)
    assert bench.phase() == campaign.CANARY
    assert bench.asks(2) == 0
    assert bench.asks(3) == limits.CAMPAIGN_WAIT_S_MAX, "both places are taken"
    bench.says(2, "ready")
    bench.says(2, "confirmed")
    assert bench.phase() == campaign.SOAK and bench.asks(3) == limits.CAMPAIGN_WAIT_S_MAX
    bench.later(PLAN.soak_s - HOUR_S)
    assert bench.asks(3) == HOUR_S
    bench.later(HOUR_S)
    assert bench.phase() == campaign.REST
    bench.takes(3)
    assert bench.counts() == {"confirmed": 3} and bench.phase() == campaign.DONE
    phases = (("canary", 0), ("soak", 2), ("rest", 2), ("done", 3))
    assert bench.told == [(event.CAMPAIGN, None, "thermostat", 7, phase, count, 0) for phase, count in phases]


@pytest.mark.parametrize(("word", "code"), [("fell-back", event.UPDATE), ("", event.CRASH), ("", event.RESCUE_MODE)])
def test_a_canary_that_fails_halts_the_campaign(word, code):
    bench = Bench(PLAN)
    bench.takes(1)
    assert bench.asks(2) == 0
    bench.says(1 if code != event.UPDATE else 2, word, code=code)
    assert bench.phase() == campaign.HALTED
    assert bench.asks(3) is None and bench.asks(2, is_manifest=False) is None, "transfers under way end too"
    alarms = [told for told in bench.told if told[0] == event.CAMPAIGN_HALTED]
    assert alarms == [(event.CAMPAIGN_HALTED, True, "thermostat")]
    bench.plan(PLAN._replace(number=8, begun_s=NOON_S + 9))
    assert bench.told[-2] == (event.CAMPAIGN_HALTED, False, "thermostat") and bench.phase() == campaign.CANARY


def test_a_node_whose_image_is_complete_asks_once_more_and_a_halt_keeps_it():
    bench = Bench(PLAN)
    assert [bench.asks(number, peer=("bus", number)) for number in (1, 2)] == [0, limits.CAMPAIGN_AGAIN_S]
    bench.says(1, "ready")
    assert bench.asks(1) == 0 and bench.counts()["trying"] == 1, "a short question, which needs no room"
    assert bench.asks(2) == 0
    bench.says(2, "fell-back")
    assert bench.asks(1) is None


@pytest.mark.parametrize(("code", "why"), [(event.UPDATE, "no-sample"), (event.CRASH, "crash")])
def test_a_node_that_falls_back_is_told_with_what_its_trial_lacked(code, why):
    bench = Bench(PLAN)
    assert bench.asks(1) == 0
    bench.says(1, "ready")
    bench.says(1, why, code=code)
    assert bench.phase() == campaign.CANARY, "there are three trials"
    bench.says(1, "fell-back")
    assert bench.campaigns.status(now_ms=0)[0].failed == ((node(1).hex(), why),)


def test_what_a_node_gave_up_before_leaves_it_out_and_is_no_failure():
    bench = Bench(PLAN)
    assert bench.asks(1, failed=7) is None and bench.phase() == campaign.CANARY
    assert bench.counts() == {"skipped": 1}


def test_after_the_canaries_more_failures_than_the_plan_allows_halt_it():
    bench = Bench(PLAN._replace(canaries=0, soak_s=0))
    assert [bench.asks(1), bench.asks(2, peer=("bus", 2))] == [0, 0]
    bench.says(1, "digest")
    assert bench.phase() == campaign.REST
    bench.says(2, "space")
    assert bench.phase() == campaign.HALTED and bench.counts() == {"failed": 2} and bench.asks(3) is None


def test_what_a_node_starts_from_is_evidence_enough():
    bench = Bench(PLAN)
    assert bench.asks(1, runs=7) is None and bench.asks(2, runs=8) is None, "the same and a later number"
    assert bench.counts() == {"confirmed": 1, "skipped": 1}
    assert bench.asks(3) == 0
    assert bench.asks(3, failed=7) is None and bench.phase() == campaign.HALTED
    assert bench.campaigns.status(now_ms=0)[0].failed == ((node(3).hex(), "fell-back"),)


def test_only_as_many_fetch_at_once_as_the_air_of_their_bearer_holds():
    bench = Bench(PLAN._replace(canaries=0))
    assert bench.asks(1) == 0 and bench.asks(2) == limits.CAMPAIGN_AGAIN_S, "one by radio takes 10 % of the air"
    over_wifi = [bench.asks(number, peer=("10.0.0.9", 5683)) for number in range(10, 20)]
    assert over_wifi.count(0) == 6
    bench.later(limits.CAMPAIGN_SILENT_MS // 1000)
    assert bench.counts()["waiting"] == 12, "transfers that fell silent"
    assert bench.asks(2) == 0 and bench.asks(1, is_manifest=False) == limits.CAMPAIGN_AGAIN_S


def test_a_node_in_rescue_mode_waits_for_nothing_but_the_air():
    bench = Bench(PLAN)
    assert [bench.asks(number) for number in (1, 2)] == [0, limits.CAMPAIGN_AGAIN_S]
    assert bench.asks(3, is_rescue=True, peer=("bus", 3)) == 0
    bench.says(3, "confirmed")
    assert bench.asks(3, runs=7, is_rescue=True, peer=("bus", 3)) == 0, "the copy on its flash is broken"


def test_a_node_that_never_comes_back_from_its_trial_has_failed():
    bench = Bench(PLAN)
    assert bench.asks(1) == 0
    bench.says(1, "ready")
    bench.later(limits.CAMPAIGN_TRYING_S)
    assert bench.phase() == campaign.HALTED
    assert bench.campaigns.status(now_ms=bench.now_ms)[0].failed[0].why == "silent"


def test_a_plan_names_its_nodes_and_is_stopped_by_a_person():
    bench = Bench(PLAN._replace(nodes=frozenset({node(1)})))
    assert bench.asks(2) is None
    bench.takes(1)
    bench.plan(PLAN._replace(nodes=frozenset({node(1)}), is_stopped=True))
    assert bench.phase() == campaign.STOPPED and bench.asks(1) is None
    assert bench.asks(1, of=6) is None, "an image of another number has no campaign"


@pytest.mark.parametrize(
    ("hour", "permanent", "switched", "unknown"),
    [(12, True, False, True), (16.5, False, False, False), (17.5, False, False, False), (22, False, True, True),
     (31, False, True, True), (32, False, False, False), (34, True, False, True)],
)  # fmt: skip
def test_lamps_are_let_in_in_their_hours(hour, permanent, switched, unknown):
    bench = Bench(PLAN._replace(product="streetlight", canaries=0, pace_percent=100), cabinet=LampCabinet())
    bench.later(int((hour - 12) * HOUR_S))
    may = [bench.asks(number, kind="streetlight", peer=("10.0.0.9", 1)) == 0 for number in (1, 2, 3)]
    assert may == [permanent, switched, unknown]


def test_a_lamp_is_told_when_its_hour_comes_and_without_a_clock_to_wait():
    bench = Bench(PLAN._replace(product="streetlight"), cabinet=LampCabinet())
    bench.later(2 * HOUR_S)
    bench.later(bench.asks(2, kind="streetlight"))
    assert bench.unix_s == NOON_S + int(6.5 * HOUR_S) and bench.asks(2, kind="streetlight") == 0
    bench.clock = bench.campaigns._clock = WallClock(started_ms=0)
    assert bench.asks(1, kind="streetlight") == limits.CAMPAIGN_AGAIN_S


def test_progress_survives_a_restart_and_a_torn_file():
    bench = Bench(PLAN)
    bench.takes(1)
    bench.takes(2)
    bench.start(PLAN)
    assert bench.phase() == campaign.SOAK and bench.counts() == {"confirmed": 2}
    bench.asks(3)
    newest = bench.disk.list()[-1]
    bench.disk.cut(newest, bench.disk.size(newest) // 2)
    bench.start(PLAN)
    assert bench.counts() == {"confirmed": 2}, "the version before it"
    bench.start(PLAN._replace(begun_s=NOON_S + 1))
    assert bench.counts() == {}, "another campaign begins anew"


@pytest.mark.parametrize("asking", [0, 1])
def test_a_cabinet_with_fewer_nodes_than_canaries_comes_to_an_end(asking):
    bench = Bench(PLAN)
    for number in range(1, 1 + asking):
        bench.knows(number)
        bench.takes(number)
    bench.later(limits.CAMPAIGN_ASKED_S - 60)
    assert bench.phase() == campaign.CANARY
    bench.later(60)
    assert bench.phase() == campaign.DONE and bench.told[-1][-3:] == ("done", asking, 0)


def test_a_node_that_never_asks_holds_the_end_for_two_days_only():
    bench = Bench(PLAN._replace(canaries=0, soak_s=0))
    bench.knows(1)
    bench.knows(2)
    bench.takes(1)
    bench.later(limits.CAMPAIGN_ASKED_S - 60)
    assert bench.phase() == campaign.REST
    bench.later(60)
    assert bench.phase() == campaign.DONE and bench.campaigns.status(now_ms=bench.now_ms)[0].unheard == 1
    assert bench.asks(2) == 0, "it is served all the same"


# --- how a node stores its program, and the interpreter that it runs --------------------------------------------------


def unheard(bench):
    return [one.unheard for one in bench.campaigns.status(now_ms=bench.now_ms)]


def test_nodes_that_store_their_program_otherwise_are_not_waited_for():
    bench = Bench(PLAN, PLAN._replace(product="thermostat-rom"))
    for number in (1, 2, 3):
        bench.knows(number, "thermostat")
    assert unheard(bench) == [3, 3], "nothing is known yet"
    bench.takes(1)
    bench.takes(2)
    assert bench.asks(3, kind="thermostat-rom", is_offered=False) is None, "it is offered another time"
    assert unheard(bench) == [0, 1]
    bench.later(limits.CAMPAIGN_SOAK_S)
    assert bench.phase() == campaign.DONE, "the third node has the other form"


INTERPRETER = Plan("interpreter-bocage-6", 7, NOON_S, canaries=1)


def test_an_interpreter_is_for_those_who_ask_for_it_and_its_numbers_are_its_own():
    bench = Bench(INTERPRETER, PLAN._replace(canaries=1))
    for number in (1, 2):
        bench.knows(number, "thermostat")
    bench.asks(2, kind="thermostat-rom", is_offered=False)
    assert bench.asks(1) == 0 and bench.asks(1, kind=INTERPRETER.product, peer=("10.0.0.9", 1)) == 0

    def counts():
        return [dict(one.counts) for one in bench.campaigns.status(now_ms=0)]

    bench.says(1, "ready", holds=["interpreter"])
    assert counts() == [{"trying": 1}, {"offered": 1}]
    bench.says(1, "confirmed")
    assert counts() == [{"trying": 1}, {"confirmed": 1}]
    bench.says(1, "fell-back", holds=["interpreter"])
    assert counts() == [{"failed": 1}, {"confirmed": 1}] and bench.phase() == campaign.HALTED
    assert unheard(bench) == [0, 0]


def test_a_lamp_is_given_an_interpreter_in_the_hours_of_lamps():
    bench = Bench(INTERPRETER._replace(canaries=0), cabinet=LampCabinet())
    bench.knows(2, "streetlight")
    bench.knows(3, "thermostat")
    wait_s = [bench.asks(number, kind=INTERPRETER.product, peer=("10.0.0.9", 1)) for number in (2, 3)]
    assert wait_s[0] > HOUR_S and wait_s[1] == 0, "the second lamp has mains at night alone"
