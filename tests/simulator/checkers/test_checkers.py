"""Each checker catches the defect it is there for: bugs planted in real code, run in the simulated territory.

Every planted bug has its control, the same story with sound code: a checker that always complains would prove nothing.

Long because each checker has its planted bug, side by side.
"""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256

import pytest

from gateway.core.custody.inventory import Inventory
from gateway.core.gateway import Gateway
from gateway.core.inbox.fair_use import FairUse, Use
from gateway.core.inbox.inbox import Answers, Inbox
from gateway.core.link.sessions import NodeKey
from gateway.core.uplink.receipts import ReceiptCheck
from gateway.core.uplink.uplink import Uplink
from lighting.decision import Demand, LightDecision
from lighting.watch import LampWatch
from node.app import Node
from node.outbox import Outbox
from simulator.checkers.alarms import SOON_S, ExpectedAlarm, judge_nodes
from simulator.checkers.delivery import DeliveryChecker
from simulator.checkers.lighting import GRACE_S, LightingChecker, Watched
from simulator.checkers.street import Order
from simulator.hosts import keys
from simulator.hosts.gateway import SMALL_CARD, GatewayHost
from simulator.options import Options
from tests.support.territory_world import cut, live_through, story
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store.archive import Explanation
from wire import cose, event, quantity, receipt, record
from wire.oscore_context import usual_kid

pytestmark = pytest.mark.slow

EVENING = Options(lamps=6, hours=6, until_dusk=False)
NIGHT = Options(lamps=6, hours=18, until_dusk=False)  # a relay that sticks shows at dawn
HOSTILE = cut("hostile", 1, 4.5)
OPENED = cut("opened", 3, 5, cabinet=0)
STOLEN = cut("stolen", 4, 4.5, cabinet=0)
CENTRE_FORGETS = (cut("ingest", 2, 5), cut("broker", 4.5, 4.6))


@cache
def control():
    """An evening of sound code; do not change it."""
    return live_through(EVENING, story())


def planted(options=EVENING, *cuts, **faults):
    return live_through(options, story(*cuts, **faults))[1]


class Altered:
    """The warehouse of a run with one row more, less, or other: `change(identity, stamp, body)` yields rows."""

    def __init__(self, warehouse, change, explained=None):
        self._warehouse = warehouse
        self._change = change
        self._explained = explained

    def bodies(self):
        for row in self._warehouse.bodies():
            yield from self._change(*row)

    def explained(self, node, boot, sequence):
        return self._explained or self._warehouse.explained(node, boot, sequence)

    def stated(self):
        return self._warehouse.stated()


def verdict_of(territory, change, explained=None):
    return territory.delivery.verdict(Altered(territory.centre.warehouse, change, explained), set())


# --- delivery: lost ---------------------------------------------------------------------------------------------


@pytest.fixture
def power_fails_soon_after_a_datagram(monkeypatch):
    """Every 15th datagram of a cabinet is followed by a power cut: after a hasty answer, before any flush."""
    heard = {}
    receive = GatewayHost.receive

    def receive_and_fail(host, datagram, sender):
        receive(host, datagram, sender)
        if host.core is None:
            return
        heard[host] = heard.get(host, 0) + 1
        if heard[host] % 15 == 0:
            host._world.after(100, host.power_cut)
            host._world.after(5_000, host.power_on)

    monkeypatch.setattr(GatewayHost, "receive", receive_and_fail)


@pytest.mark.usefixtures("power_fails_soon_after_a_datagram")
def test_an_answer_after_the_flush_outlives_every_power_cut():
    result = planted()
    assert result.is_good, result.verdict.first_faults
    assert result.verdict.made > 150


@pytest.mark.usefixtures("power_fails_soon_after_a_datagram")
def test_an_answer_before_the_flush_loses_records(monkeypatch):
    on_datagram = Gateway.on_datagram

    def hasty(gateway, datagram, peer, *, now_ms):
        on_datagram(gateway, datagram, peer, now_ms=now_ms)
        for exchange in gateway.inbox.drain_settled():
            gateway._answer(exchange, now_ms)

    wait = Answers.wait
    monkeypatch.setattr(Answers, "wait", lambda answers, exchange, ends: wait(answers, exchange, {}))
    monkeypatch.setattr(Gateway, "on_datagram", hasty)
    result = planted()
    assert result.verdict.lost > 0
    assert any("acknowledged, lost" in fault for fault in result.verdict.first_faults)
    assert not result.is_good


@pytest.fixture
def small_segments(monkeypatch):
    """A few records fill a segment. What is freed in the open one is on the card yet, and a warehouse that asks by its
    receipts gets it again: there, what is freed too early is mended and no loss."""
    monkeypatch.setitem(SMALL_CARD, "segment_bytes_max", 1 << 9)


@pytest.mark.usefixtures("small_segments")
def test_a_broker_that_forgets_costs_nothing_where_the_receipt_frees():
    result = planted(EVENING, *CENTRE_FORGETS)
    assert result.is_good, result.verdict.first_faults


@pytest.mark.usefixtures("small_segments")
def test_a_gateway_that_frees_on_puback_loses_what_the_broker_forgets(monkeypatch):
    acknowledged = Uplink.acknowledged

    def trusting(uplink, token, reason_code, *, now_ms):
        acknowledged(uplink, token, reason_code, now_ms=now_ms)
        for stream, sending in uplink._progress.items():
            for batch in [batch for batch in sending.ahead if batch.token == token]:
                uplink._journal.release_through(stream, batch.last)
                sending.ahead.remove(batch)

    monkeypatch.setattr(Uplink, "acknowledged", trusting)
    result = planted(EVENING, *CENTRE_FORGETS)
    assert result.verdict.lost > 0
    assert result.verdict.duplicated == result.verdict.altered == 0
    assert not result.is_good


@pytest.mark.usefixtures("small_segments")
def test_a_broker_in_a_strangers_hands_costs_nothing_where_receipts_are_verified():
    result = planted(EVENING, HOSTILE)
    assert result.is_good, result.verdict.first_faults
    assert min(result.counters[f"receipts.{why}"] for why in ("form", "stranger", "signature")) > 10


@pytest.mark.usefixtures("small_segments")
def test_a_gateway_that_believes_any_signature_loses_what_a_stranger_swallows(monkeypatch):
    monkeypatch.setattr(ReceiptCheck, "open", lambda check, payload, *, now_ms: believed(payload))
    result = planted(EVENING, HOSTILE)
    assert result.verdict.lost > 0 and not result.is_good


def believed(payload):
    return receipt.decode(cose.sign1_decode(payload, bytes_max=receipt.BYTES_MAX).payload)


# --- a lamp's key in a stranger's hands ---------------------------------------------------------------------------


def test_a_stolen_key_costs_the_other_lamps_nothing_and_is_told():
    result = planted(EVENING, STOLEN, dead=[(1, 5)])
    assert result.is_good, (result.verdict.first_faults, result.alarms.faults)
    assert result.alarms.reported == 2 and result.verdict.acknowledged > 3000


def test_a_gateway_without_fair_use_does_not_see_who_babbles(monkeypatch):
    monkeypatch.setattr(FairUse, "judge", lambda uses, use, boot, lane: Use.WITHIN)
    result = planted(EVENING, STOLEN, dead=[(1, 5)])
    assert [fault.partition(" of ")[0] for fault in result.alarms.faults] == ["not told: fairUseExceeded"]


def test_one_fair_use_for_all_lamps_costs_a_dead_lamp_its_alarm(monkeypatch):
    judge = FairUse.judge

    def of_all(uses, use, boot, lane):
        return judge(uses, max(uses._uses.values(), key=lambda other: other.used[lane]), None, lane)

    monkeypatch.setattr(FairUse, "judge", of_all)
    result = planted(EVENING, STOLEN, dead=[(1, 5)])
    assert any(fault.startswith("not told: lampFailure") for fault in result.alarms.faults)


def test_a_record_lost_after_its_acknowledgement_is_not_excused_by_the_nodes_own_boot_gap():
    # A night that ends 50 minutes after the last hourly checkpoint: the next boot leaves the tail in doubt.
    options = Options(lamps=6, hours=17, faults=False, start=datetime(2026, 11, 12, 15, 0, tzinfo=UTC))
    territory, result = live_through(options)
    warehouse = territory.centre.warehouse
    assert result.is_good

    about, boot, first, last, why, _ = warehouse.gaps()[0]
    assert (last, why) == (None, "boot")
    victim = next(key for key in warehouse.identities() if key[:2] == (about, boot) and key[2] >= first)
    warehouse._connection.execute("DELETE FROM records WHERE node = ? AND boot = ? AND sequence = ?", victim)

    assert warehouse.explained(*victim) == Explanation("boot", about)
    verdict = territory.delivery.verdict(warehouse, set())
    assert (verdict.lost, verdict.gaps_explained) == (1, 0)
    assert verdict.first_faults == (f"acknowledged, lost {about.hex()} boot {boot} sequence {victim[2]}",)


# --- delivery: taken by a stranger ------------------------------------------------------------------------------

ROBBED = (cut("fibre", 1, 5, cabinet=1), cut("deleted", 3, 3.1, cabinet=1))


def test_a_file_that_a_stranger_deleted_is_missed_by_its_positions():
    result = planted(EVENING, *ROBBED)
    assert result.is_good, result.verdict.first_faults
    assert result.verdict.lost == 0 and result.verdict.gaps_explained > 10


def test_a_gateway_that_lists_nothing_does_not_miss_it_and_is_caught(monkeypatch):
    monkeypatch.setattr(Inventory, "save", lambda *_: True)
    verdict = planted(EVENING, *ROBBED).verdict
    assert verdict.lost > 10 and "acknowledged, lost" in verdict.first_faults[0]


@pytest.mark.parametrize("by_node", [True, False])
def test_only_what_the_gateway_declares_excuses_an_acknowledged_record(by_node):
    territory, _ = control()
    victim = next(territory.delivery.identities(acknowledged=True))

    def without(identity, stamp, body):
        return [] if identity == victim else [(identity, stamp, body)]

    by = victim[0] if by_node else territory.gateways[0].options.gateway
    verdict = verdict_of(territory, without, explained=Explanation("thinned", by))
    assert (verdict.gaps_explained, verdict.lost) == ((0, 1) if by_node else (1, 0))


def test_a_record_never_acknowledged_is_excused_by_its_nodes_gap_or_by_waiting():
    class Empty:
        def __init__(self, why):
            self.told = why and Explanation(why, bytes(8))

        def bodies(self):
            return []

        def explained(self, *identity):
            return self.told

        def stated(self):
            return []

    node = bytes(8)
    data = record.encode(record.Record(1, 0, record.Stamp(record.SYNCED, 1_800_000_000, 1), {quantity.POWER: 364}))
    delivery = DeliveryChecker()
    delivery.made(node, 1, 0, data, now_ms=5)
    assert delivery.verdict(Empty("boot"), set()).gaps_explained == 1
    assert delivery.verdict(Empty(None), {(node, 1, 0)}).waiting == 1
    assert delivery.verdict(Empty(None), set()).lost == 1
    delivery.acknowledged(node, 1, 0)
    assert delivery.verdict(Empty("boot"), set()).lost == 1
    assert delivery.verdict(Empty(None), {(node, 1, 0)}).lost == 1
    assert delivery.made_ms((node, 1, 0)) == 5
    with pytest.raises(AssertionError, match="an identity twice"):
        delivery.made(node, 1, 0, data, now_ms=6)


def test_what_an_opened_cabinet_says_of_others_nodes_counts_for_nothing_and_is_told():
    territory, result = live_through(EVENING, story(OPENED))
    assert result.is_good, result.verdict.first_faults
    warehouse = territory.centre.warehouse
    assert sum(kept.records for kept in warehouse.kept_apart()) > 100
    assert {alarm.kind for alarm in warehouse.alarms()} == {"foreign"}


def test_a_warehouse_that_believes_any_cabinet_is_told_false_things(monkeypatch):
    monkeypatch.setattr(Warehouse, "_own", lambda _warehouse, contents, _sender, _now_s: contents)
    result = planted(EVENING, OPENED)
    assert result.verdict.altered + result.verdict.invented > 0 and not result.is_good
    assert any("stated by a stranger" in fault for fault in result.verdict.first_faults)


def test_a_secret_of_the_whole_fleet_lets_an_opened_cabinet_speak_under_the_name_of_any_lamp(monkeypatch):
    """In the control above the same stranger, with the key of another node, is believed by no gateway."""
    one_for_all = sha256(b"fleet").digest()[:16]
    monkeypatch.setattr(keys, "key_of", lambda node: NodeKey(node, usual_kid(node), one_for_all))
    for place in ("simulator.hosts.opened", "simulator.hosts.stolen"):
        monkeypatch.setattr(f"{place}.key_of", keys.key_of)
    result = planted(replace(EVENING, hours=4), cut("opened", 3, 3.5, cabinet=0))
    assert result.verdict.invented > 100 and not result.is_good


# --- delivery: twice, altered, invented -------------------------------------------------------------------------


def test_a_warehouse_without_a_key_counts_twice():
    territory, _ = control()
    rows = [identity for identity, _, _ in territory.centre.warehouse.bodies()]
    twice = {rows[3], rows[50]}
    verdict = verdict_of(
        territory, lambda identity, stamp, body: [(identity, stamp, body)] * (2 if identity in twice else 1)
    )
    assert (verdict.duplicated, verdict.lost, verdict.altered) == (2, 0, 0)


def test_a_body_altered_by_one_digit_is_found(monkeypatch):
    place = Inbox._place
    altered = []

    def careless(inbox, node, made, data, now_ms):
        readings = made.body
        if not altered and isinstance(readings, dict) and readings.get(quantity.POWER, 0) > 100:
            altered.append(made.sequence)
            more = {**readings, quantity.POWER: readings[quantity.POWER] + 1}
            made = record.Record(made.boot, made.sequence, made.stamp, more)
            data = record.encode(made)
        return place(inbox, node, made, data, now_ms)

    monkeypatch.setattr(Inbox, "_place", careless)
    result = planted()
    assert len(altered) == 1
    assert (result.verdict.altered, result.verdict.lost, result.verdict.duplicated) == (1, 0, 0)
    assert f"sequence {altered[0]}" in result.verdict.first_faults[0]
    assert not result.is_good


def test_a_stamp_altered_by_one_second_is_found():
    territory, _ = control()
    victim = next(territory.delivery.identities())

    def later(identity, stamp, body):
        return [(identity, stamp._replace(seconds=stamp.seconds + (identity == victim)), body)]

    assert verdict_of(territory, later).altered == 1


def test_a_record_that_nobody_made_is_found():
    territory, _ = control()
    node, boot, _ = next(territory.delivery.identities())
    stranger = (node, boot, 1_000_000)

    def one_more(identity, stamp, body):
        extra = [(stranger, stamp, body)] if identity == (node, boot, 0) else []
        return [(identity, stamp, body), *extra]

    assert verdict_of(territory, one_more).invented == 1


# --- lighting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "word"), [(0, "dark"), (100, "burning")])
def test_a_street_light_that_never_changes_is_seen(monkeypatch, level, word):
    monkeypatch.setattr(LightDecision, "decide", lambda *_: Demand(level, "calendar", 0))
    result = planted()
    assert len(result.lighting_violations) >= 3
    assert all(f" {word} for " in violation for violation in result.lighting_violations)
    assert result.worst_delay_s > 3600
    assert (result.verdict.lost, result.verdict.duplicated) == (0, 0)
    assert not result.is_good


class StreetLamp:
    """A lamp as the checker sees it; sound, with mains and light unless told otherwise."""

    true_dw = 364

    class feeder:  # noqa: N801
        powered = True
        changes = 0

    module_dead = relay_stuck = False

    def __init__(self, light):
        self.light = light

    def shine(self, light):
        self.light = light
        self.feeder.changes += 1

    def light_percent(self):
        return self.light


class Wants:
    """A policy that always wants one level: its night never ends."""

    start_s, end_s = 0, 1 << 32

    def __init__(self, level):
        self._level = level

    def night(self, unix_s):
        return self

    def changes(self):
        return [(self.start_s, self._level, 0)]


@pytest.mark.parametrize(("wanted", "light"), [(100, 0), (0, 100)])
def test_two_minutes_of_grace_and_not_more(wanted, light):
    checker = LightingChecker([Watched("lamp", StreetLamp(light), Wants(wanted))])
    for unix_s in range(1000, 1000 + GRACE_S + 1, 30):
        checker.check(unix_s=unix_s)
    assert checker.violations == []
    assert checker.worst_delay_s == GRACE_S == 120
    checker.check(unix_s=1000 + GRACE_S + 30)
    assert len(checker.violations) == 1
    for unix_s in range(1000 + GRACE_S + 60, 5000, 30):
        checker.check(unix_s=unix_s)
    assert len(checker.violations) == 1, "the first of each lamp and kind"


def test_a_street_that_recovers_in_time_starts_anew():
    lamp = StreetLamp(0)
    checker = LightingChecker([Watched("lamp", lamp, Wants(100))])
    for unix_s in range(0, 3000, 30):
        lamp.shine(100 if unix_s % 120 == 0 else 0)
        checker.check(unix_s=unix_s)
    assert checker.violations == []


@pytest.mark.parametrize("is_counted", [True, False])
def test_a_light_that_goes_out_is_seen_at_once_and_its_feeder_has_to_count_it(is_counted):
    lamp = StreetLamp(100)
    checker = LightingChecker([Watched("lamp", lamp, Wants(100))])
    assert [checker.check(unix_s=unix_s) for unix_s in range(30, 600, 30)] == [(1, 1)] * 19
    (lamp.shine if is_counted else partial(setattr, lamp, "light"))(0)
    if is_counted:
        assert checker.check(unix_s=600) == (0, 1)
    else:
        with pytest.raises(AssertionError):
            checker.check(unix_s=600)


@pytest.mark.parametrize(("wanted", "light"), [(100, 0), (0, 100)])
def test_what_an_order_made_right_is_wrong_once_it_is_over(wanted, light):
    lamp = StreetLamp(light)
    checker = LightingChecker([Watched("lamp", lamp, Wants(wanted))])
    checker.orders.add(Order(None, light > 0, 0, 90), [lamp.feeder])
    for unix_s in range(30, 90 + GRACE_S + 31, 30):
        assert checker.violations == []
        checker.check(unix_s=unix_s)
    assert len(checker.violations) == 1


def test_a_broken_lamp_and_a_feeder_without_mains_are_not_the_codes_fault():
    dead, dark = StreetLamp(0), StreetLamp(0)
    dead.module_dead = True
    dark.feeder = type("feeder", (), {"powered": False, "changes": 0})
    checker = LightingChecker([Watched("dead", dead, Wants(100)), Watched("dark", dark, Wants(100))])
    for unix_s in range(0, 3000, 30):
        assert checker.check(unix_s=unix_s) == (0, 0)
    assert checker.violations == []


# --- alarms -----------------------------------------------------------------------------------------------------

FAULTS = {"dead": [(0, 3)], "stuck": [(2, 4)]}


def test_sound_nodes_tell_of_every_broken_lamp_and_of_no_other():
    result = planted(NIGHT, **FAULTS)
    assert result.is_good, result.alarms.faults
    assert (result.alarms.expected, result.alarms.reported, result.alarms.false) == (2, 2, 0)


def test_a_node_that_keeps_silent_about_its_alarms_is_found(monkeypatch):
    emit = Node._emit

    def silent(node, body, *rest):
        if not (isinstance(body, record.EventBody) and event.lane(body.code) == event.ALARM):
            emit(node, body, *rest)

    monkeypatch.setattr(Node, "_emit", silent)
    result = planted(NIGHT, **FAULTS)
    assert (result.alarms.expected, result.alarms.reported) == (2, 0)
    assert all(fault.startswith("not told: lamp") for fault in result.alarms.faults)
    assert result.verdict.lost == 0, "what was never made cannot be lost: only the alarms' checker sees it"
    assert not result.is_good


def test_an_alarm_that_is_made_and_dropped_is_lost_as_well(monkeypatch):
    put = Outbox.put

    def careless(outbox, lane, *rest):
        if lane != event.ALARM:
            put(outbox, lane, *rest)

    monkeypatch.setattr(Outbox, "put", careless)
    result = planted(NIGHT, **FAULTS)
    assert result.alarms.reported == 0
    assert result.verdict.lost >= 2


def test_a_sound_lamp_that_is_accused_is_found(monkeypatch):
    sample = LampWatch.sample

    def suspicious(watch, power_dw, *more, **options):
        return sample(watch, None if power_dw is None else power_dw // 10, *more, **options)

    monkeypatch.setattr(LampWatch, "sample", suspicious)
    result = planted()
    assert result.alarms.false > 0
    assert all(fault.startswith("false: ") for fault in result.alarms.faults)
    assert not result.is_good


def test_the_end_of_an_alarm_is_not_its_begin():
    node = bytes(8)
    stamp = record.Stamp(record.SYNCED, 1_800_000_000, 1)
    ended = record.encode_body(record.EventBody(event.LAMP_FAILURE, False, {quantity.POWER: 300}))
    verdict = judge_nodes([ExpectedAlarm(node, event.LAMP_FAILURE, None)], [((node, 1, 1), stamp, ended)])
    assert (verdict.reported, verdict.false) == (0, 0)
    assert len(verdict.faults) == 1


# --- bounds -----------------------------------------------------------------------------------------------------


def test_an_uplink_that_ignores_its_window_is_found(monkeypatch):
    silent_centre = cut("ingest", 1, 7)
    sound = planted(EVENING, silent_centre)
    assert sound.bounds_violations == []
    monkeypatch.setattr(Uplink, "_is_blocked", lambda uplink, stream: False)
    monkeypatch.setattr(Uplink, "_check_silence", lambda uplink, now_ms: uplink._silence.end(now_ms))
    result = planted(EVENING, silent_centre)
    assert result.bounds_violations
    assert all("batches ahead" in violation and "above 16" in violation for violation in result.bounds_violations)
    assert not result.is_good


# --- the world itself -------------------------------------------------------------------------------------------


def test_a_node_that_never_waits_stops_the_run(monkeypatch):
    monkeypatch.setattr(Node, "deadline_ms", lambda node, now_ms: now_ms)
    with pytest.raises(AssertionError, match="time stands still"):
        planted()


def test_the_control_of_all_these_is_good():
    _, result = control()
    assert result.is_good


def test_an_alarm_that_is_made_late_is_named():
    node = bytes(8)
    begun = record.encode_body(record.EventBody(event.LAMP_FAILURE, True, None))
    for delay_s, faults in ((SOON_S, 0), (SOON_S + 1, 1)):
        stamp = record.Stamp(record.SYNCED, 1_795_561_200 + delay_s, 1)
        verdict = judge_nodes([ExpectedAlarm(node, event.LAMP_FAILURE, 1_795_561_200)], [((node, 1, 1), stamp, begun)])
        assert (verdict.reported, len(verdict.faults)) == (1, faults)
