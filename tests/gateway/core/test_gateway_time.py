"""The whole way with the real warehouse: records without a clock get their UTC, odd ones are told, none is altered."""

import csv
import io

import pytest

from gateway.core import limits
from tests.support.gateway_world import GATEWAY, NODE, OTHER, GatewayWorld, payload, reading
from tools.centre.commands.export import write_csv, write_senml
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store.archive import Moment
from wire import event, quantity, record
from wire.record import SYNCED, UNSET, EventBody, Record, Stamp

START_S = 1_790_000_000  # UTC of monotonic 0
QUARTER_S = 900


class World(GatewayWorld):
    """Time in seconds of the world, and a centre that loses nothing."""

    def __init__(self):
        super().__init__(auto_sync=True, journal_bytes_max=4_000_000)
        self.warehouse = Warehouse(":memory:", synchronous="OFF")

    def until(self, at_s):
        self.wait(1000 * at_s - self.now_ms)

    def tell_clock(self, *, wrong_s=0):
        self.core.on_clock(1000 * (START_S + wrong_s) + self.now_ms, 1, now_ms=self.now_ms)
        self.turn()

    def say(self, at_s, *records, node=NODE):
        self.until(at_s)
        self.ask(payload(*records), node=node)

    def drain(self):
        self.wait(1000)
        self.connect()
        for _ in range(100):
            publications = self.take_publications()
            for publication in publications:
                self.core.on_puback(publication.token, 0, now_ms=self.now_ms)
                for answer in self.warehouse.accept(publication.topic, publication.payload, received_unix_s=1):
                    self.hear(answer.message, answer.topic)
            if not publications and not any(map(self.core.journal.waiting, self.core.journal.streams())):
                return
            self.wait(2000)
        raise AssertionError("the journal does not drain")

    def events(self, code):
        """Details of the gateway's own events of a kind, as the warehouse holds them."""
        bodies = [held.body for held in self.warehouse.held(GATEWAY)]
        return [
            body.detail for body in map(record.decode_body, bodies) if isinstance(body, EventBody) and body.code == code
        ]


def unset(sequence, uptime_s, *, boot=1, body=None):
    return Record(boot, sequence, Stamp(UNSET, uptime_s, 0), body or {quantity.ENERGY: 100 * sequence})


def an_evening_without_clocks(world):
    """Node boots at 100, says its energy every quarter hour, is switched off; the network comes back a day later."""
    world.say(106, unset(0, 5))
    for number in range(1, 9):
        world.say(102 + QUARTER_S * number, unset(number, QUARTER_S * number))
    world.until(86_400)
    world.tell_clock()


def test_records_without_a_clock_get_their_utc_through_the_gateways_anchor():
    world = World()
    an_evening_without_clocks(world)
    world.until(86_400 + limits.TIMEMAP_GRACE_MS // 1000 + 1)
    world.drain()
    (found,) = [detail for detail in world.events(event.ANCHOR) if detail[0] is not None]
    assert found[:2] == [NODE, 1]
    readings = list(world.warehouse.readings(NODE, quantity.ENERGY))
    assert len(readings) == 9
    for made, true_s in zip(
        readings, [START_S + 105, *(START_S + 100 + QUARTER_S * n for n in range(1, 9))], strict=True
    ):
        assert abs(made.unix_s - true_s) <= made.uncertainty_s < 60
    hour = START_S + 100 + QUARTER_S // 2, START_S + 100 + QUARTER_S // 2 + 3600
    assert world.warehouse.energy_wh(NODE, *hour)[0] == 300


def test_the_anchor_needs_no_other_event_to_be_made():
    world = World()
    an_evening_without_clocks(world)
    due_s = 86_400 + limits.TIMEMAP_GRACE_MS // 1000
    world.until(due_s + 7200)
    made = [item.record for item in world.held()[event.EVENT] if item.record.body.code == event.ANCHOR]
    assert due_s <= made[-1].stamp.seconds - START_S <= due_s + limits.TIMEMAP_CHECK_MS // 1000


def test_the_export_shows_the_mapped_time_and_its_width_beside_the_unchanged_uptime():
    world = World()
    an_evening_without_clocks(world)
    world.until(86_400 + limits.TIMEMAP_GRACE_MS // 1000 + 1)
    world.drain()
    out = io.StringIO()
    write_csv(world.warehouse, out, NODE)
    lines = list(csv.DictReader(io.StringIO(out.getvalue())))
    moment = world.warehouse.moment(NODE, 1, Stamp(UNSET, QUARTER_S, 0))
    shown = lines[1]
    assert (shown["quality"], shown["uptime_s"]) == ("unset", str(QUARTER_S))
    assert Moment(int(shown["unix_s"]), int(shown["uncertainty_s"])) == moment
    out = io.StringIO()
    write_senml(world.warehouse, out, NODE)
    assert f'"bt":{moment.unix_s},"boot":1,"seq":1,"q":0,"up":900,"within":{moment.uncertainty_s},' in out.getvalue()


def test_the_gateways_own_records_of_before_get_their_utc_too():
    world = World()
    world.until(5000)
    world.tell_clock()
    world.drain()
    assert world.events(event.ANCHOR) == [[None, 1, 4999, START_S + 5000, 2]]
    (boot,) = [held for held in world.warehouse.held(GATEWAY) if record.decode_body(held.body).code == event.BOOT]
    assert boot.stamp == Stamp(UNSET, 0, 0)
    assert world.warehouse.moment(GATEWAY, 1, boot.stamp) == Moment(START_S + 1, 3)


def test_a_node_that_anchors_itself_is_left_alone():
    world = World()
    world.say(106, unset(0, 5))
    world.say(1002, unset(1, 900))
    world.until(1500)
    world.tell_clock()
    stamp = Stamp(SYNCED, START_S + 1520, 1)
    own = EventBody(event.ANCHOR, None, [None, 1, 1419, START_S + 1519, 1])
    world.say(1520, Record(1, 2, stamp, own))
    world.until(90_000)
    world.drain()
    assert [detail[0] for detail in world.events(event.ANCHOR)] == [None]
    assert world.warehouse.moment(NODE, 1, Stamp(UNSET, 5, 0)) == Moment(START_S + 105, 2)


def test_what_was_mapped_through_a_wrong_clock_is_mapped_anew_when_it_is_corrected():
    world = World()
    world.say(106, unset(0, 5))
    world.say(1002, unset(1, 900))
    world.tell_clock(wrong_s=-7200)
    world.until(3000)
    world.tell_clock()
    world.until(3010)
    world.drain()
    moment = world.warehouse.moment(NODE, 1, Stamp(UNSET, 5, 0))
    assert abs(moment.unix_s - (START_S + 105)) <= moment.uncertainty_s < 60
    assert len([detail for detail in world.events(event.ANCHOR) if detail[0] == NODE]) == 2
    ((before_s, after_s, _),) = world.events(event.CLOCK_STEPPED)
    assert (before_s, after_s) == (START_S + 3000 - 7200, START_S + 3000)
    assert world.warehouse.counters.get("statements_refused", 0) == 0


@pytest.mark.parametrize("away_s", [86_400, -30 * 86_400])
def test_a_record_from_the_future_or_the_past_goes_up_unchanged_and_is_told(away_s):
    world = World()
    world.tell_clock()
    made = Record(1, 7, Stamp(SYNCED, START_S + away_s, 1), {6: 2000})
    for _ in range(3):
        world.say(world.now_ms // 1000 + 5, made)
    world.drain()
    assert [(held.stamp, record.decode_body(held.body)) for held in world.warehouse.held(NODE)] == [
        (made.stamp, {6: 2000})
    ]
    assert world.events(event.TIME_DOUBTFUL) == [[NODE, 1, 7, START_S + away_s, START_S + 6, 2]]
    assert world.core.health(now_ms=world.now_ms)["scrutiny"]["time-ahead" if away_s > 0 else "time-behind"] == 1


def test_two_bodies_under_one_identity_both_go_up_and_the_conflict_is_told_once():
    world = World()
    for _ in range(2):
        for body in ({6: 1}, {6: 2}):
            world.say(world.now_ms // 1000 + 5, reading(1, body=body))
    world.say(world.now_ms // 1000 + 5, reading(1), node=OTHER)
    world.drain()
    held = [(found.conflicting, record.decode_body(found.body)) for found in world.warehouse.held(NODE)]
    assert held == [(False, {6: 1}), (True, {6: 2})]
    assert world.events(event.CONFLICT) == [[NODE, 1, 1]]
    assert world.core.health(now_ms=world.now_ms)["scrutiny"]["conflicts"] == 1


def test_odd_readings_are_carried_and_known_of_their_node():
    world = World()
    world.say(5, reading(1, body={6: 99_999, 77: 5}))
    world.drain()
    assert [record.decode_body(found.body) for found in world.warehouse.held(NODE)] == [{6: 99_999, 77: 5}]
    assert world.core.known_nodes.nodes()[NODE].is_odd
