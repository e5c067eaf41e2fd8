"""A node's day in virtual time against a scripted gateway: the same records, output changes and retries everywhere.

The random source is a generator of our own (`random` differs between interpreters), and the calendar's steps hold by
day too, so that no instant depends on the sun's floats. Run alone it prints the day; the tests of `node.app` build
days of their own from `World`. Reads no clock and sleeps nowhere.
"""

import kinds
from kinds import streetlight
from node import settings
from node.app import ACKNOWLEDGED, MADE, Boot, Node
from wire import coap_message as messages
from wire import event, event_table, quantity, record
from wire.coap import Endpoint, Request, Response
from wire.coap_exchange import bearer_timing
from wire.record import Answer

NODE = "7c1f0a2c01000001"
TICKS_WRAP_MS = 1 << 30
STANDBY_DW = 6
NOMINAL_DW = 360
NOON_UNIX_S = 1_795_521_600  # 2026-11-24 12:00 UTC
CLOCK_ONLY = [
    1,
    [[127, 0, 0, 0]],
    [[[0, 1020, 100, 1], [0, 1320, 50, 1], [0, 345, 100, 1], [0, 480, 0, 1]]],
]


class Generator:
    """x = 48271 x mod (2^31 - 1), the "minimal standard" of Park and Miller."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = self.state * 48271 % 2147483647
        return self.state % bound


class Gateway:
    """Takes payloads and answers a moment later, as after a flush. `held`: {(boot, sequence): record's bytes}."""

    def __init__(self, random_below):
        self.end = Endpoint(random_below=random_below, first_message_id=random_below(65536))
        self.held = {}
        self.arrived = []  # (instant ms, path, [sequences])
        self.refuses_with = None
        self.knows_time = True
        self.unix_lead_s = 0
        self.flush_ms = 800
        self.doubts = 0
        self.lease_s = None
        self.order = None  # payload of the order that waits for the node
        self.replies = []  # (instant ms, code, payload, options) of what it answered when asked
        self._pending = []  # (due ms, exchange)

    def receive(self, datagram, now_ms):
        for happened in self.end.receive(datagram, "node", now_ms=now_ms):
            if isinstance(happened, Response):
                self.replies.append((now_ms, happened.code, happened.payload, happened.options))
            elif isinstance(happened, Request) and happened.path == (b"c",):
                self.arrived.append((now_ms, happened.path, []))
                self.end.respond(happened.exchange, messages.CONTENT, self.order, now_ms=now_ms)
                self.order = None
            elif isinstance(happened, Request):
                self._take(happened, now_ms)

    def _take(self, request, now_ms):
        pairs = record.split_payload(request.payload) if request.payload else []
        self.arrived.append((now_ms, request.path, [made.sequence for made, _ in pairs]))
        if self.refuses_with is None:
            for made, data in pairs:
                if self.held.setdefault((made.boot, made.sequence), data) != data:
                    self.doubts += 1
        self._pending.append((now_ms + self.flush_ms, request.exchange))

    def poll(self, unix_s, now_ms):
        self.end.poll(now_ms=now_ms)
        for due in [due for due in self._pending if due[0] <= now_ms]:
            self._pending.remove(due)
            waiting = 0 if self.order is None else 1
            answer = Answer(unix_s + self.unix_lead_s if self.knows_time else None, 0, self.lease_s, waiting)
            code = messages.CHANGED if self.refuses_with is None else self.refuses_with
            payload = b"" if self.refuses_with else record.encode_answer(answer)
            self.end.respond(due[1], code, payload, now_ms=now_ms)

    def instants(self):
        found = [due[0] for due in self._pending]
        return found if self.end.deadline_ms() is None else found + [self.end.deadline_ms()]


class World:
    """One node, its lamp, a radio that loses `loss_percent` of the datagrams, and the gateway."""

    def __init__(self, *, seed=1, unix_s=NOON_UNIX_S, started_ms=TICKS_WRAP_MS - 3_600_000, loss_percent=0, plain=None):
        document = {
            "node": NODE,
            "gateway": ["192.0.2.1", 5683],
            "kid": "010001",
            "master_secret": "000102030405060708090a0b0c0d0e0f",
            "site": [474736, -5516],
            "lamp": [NOMINAL_DW, STANDBY_DW],
        }
        document.update(plain or {})
        self.settings, faults = settings.decode(document, streetlight)
        assert not faults, faults
        self.below = Generator(seed).below
        self.gateway = Gateway(self.below)
        self.loss_percent = loss_percent
        self.reachable = True
        self.lamp_burns = True
        self.meter_answers = True
        self.now_ms = started_ms
        self.made = []  # (instant ms, Record, bytes)
        self.acknowledged = []  # (boot, sequence)
        self.edges = []  # (Unix second, level, rule)
        self.retransmitted = 0
        self.boot = 0
        self.flash = None
        self.node = None
        self.endpoint = None
        self._unix_ms = 1000 * unix_s - started_ms
        self._air = []  # (due ms, number, for the gateway, datagram)
        self._number = 0
        self._level = None

    def unix_s(self):
        return (self._unix_ms + self.now_ms) // 1000

    def power_on(self):
        previous = self.boot or None
        flash = self.flash
        durable = flash.durable_sequence if flash is not None and flash.boot == previous else None
        self.boot += 1
        timing = bearer_timing(ack_timeout_ms=self.settings.ack_timeout_ms, nstart=4)
        self.endpoint = Endpoint(random_below=self.below, first_message_id=self.below(65536), timing=timing)
        self._set_level(100, "boot")
        self.node = Node(
            self.settings,
            Boot(self.boot, previous, durable, "power-on"),
            self.endpoint,
            streetlight.make_trade(
                self.settings.own,
                kinds.Start(self.settings.node, flash.memory if flash else b"", self.now_ms, self.below),
            ),
            random_below=self.below,
            now_ms=self.now_ms,
            tap=self._tap,
            own=flash.own if flash else b"",
        )

    def power_cut(self):
        self.retransmitted += self.endpoint.counters["retransmitted"]
        self.node = None
        self._level = None

    def run(self, seconds):
        """Let the world live for so long."""
        end_ms = self.now_ms + 1000 * seconds
        turns = 0
        while True:
            self._turn()
            next_ms = max(self.now_ms, self._next_ms())
            turns = turns + 1 if next_ms == self.now_ms else 0
            assert turns < 20, "the node wants a turn for ever"
            if next_ms > end_ms:
                break
            self.now_ms = next_ms
        self.now_ms = end_ms

    def retries(self):
        return self.retransmitted + (self.endpoint.counters["retransmitted"] if self.node else 0)

    def events(self, code):
        """The event records of this code: [(instant ms, Record)]."""
        found = [(at_ms, made) for at_ms, made, _ in self.made if not isinstance(made.body, dict)]
        return [(at_ms, made) for at_ms, made in found if made.body.code == code]

    def telemetry(self):
        """The readings of the lamp: [(instant ms, Record)]."""
        found = [(at_ms, made) for at_ms, made, _ in self.made if isinstance(made.body, dict)]
        return [(at_ms, made) for at_ms, made in found if quantity.LEVEL_ORDERED in made.body]

    def unexplained(self):
        """Records made that the gateway does not hold and that no gap record or boot report that it holds explains."""
        gaps = []
        for data in self.gateway.held.values():
            told = record.decode_payload(data)[0].body
            if isinstance(told, dict):
                continue
            if told.code == event.GAP:
                gaps.append((told.detail[1], told.detail[2], told.detail[3]))
            elif told.code == event.BOOT and told.detail[0] is not None:
                durable = told.detail[1]
                gaps.append((told.detail[0], 0 if durable is None else durable + 1, 1 << 32))
        missing = []
        for _, made, data in self.made:
            held = self.gateway.held.get((made.boot, made.sequence))
            covered = [gap for gap in gaps if gap[0] == made.boot and gap[1] <= made.sequence <= gap[2]]
            if held != data and not (held is None and covered):
                missing.append((made.boot, made.sequence))
        return missing

    # --- inside ---

    def _tap(self, what, sequence, data):
        if what == MADE:
            self.made.append((self.now_ms, record.decode_payload(data)[0], data))
        else:
            assert what == ACKNOWLEDGED
            self.acknowledged.append((self.boot, sequence))

    def _turn(self):
        now_ms = self.now_ms
        for packet in sorted([packet for packet in self._air if packet[0] <= now_ms]):
            self._air.remove(packet)
            if packet[2]:
                self.gateway.receive(packet[3], now_ms)
            elif self.node is not None:
                self.node.receive(packet[3], self.settings.gateway, now_ms=now_ms)
        self.gateway.poll(self.unix_s(), now_ms)
        for _, datagram in self.gateway.end.outgoing():
            self._fly(False, datagram)
        if self.node is None:
            return
        if self.node.sample_due(now_ms):
            self.node.sample(self._meter(), {quantity.HEAP_FREE: 98304}, now_ms=now_ms)
        else:
            self.node.poll(now_ms=now_ms)
        self.flash = self.node.checkpoint(now_ms) or self.flash
        self._set_level(self.node.outputs.level_percent, self.node.outputs.rule)
        for _, datagram in self.node.outgoing():
            self._fly(True, datagram)

    def _next_ms(self):
        instants = [packet[0] for packet in self._air] + self.gateway.instants()
        if self.node is not None:
            instants.append(self.node.deadline_ms(self.now_ms))
        return min(instants) if instants else 1 << 60

    def _fly(self, to_gateway, datagram):
        self._number += 1
        lost = self.below(100) < self.loss_percent
        if self.reachable and not lost:
            self._air.append((self.now_ms + 10 + self.below(300), self._number, to_gateway, datagram))

    def _set_level(self, level_percent, rule):
        if level_percent != self._level:
            self._level = level_percent
            self.edges.append((self.unix_s(), level_percent, rule))

    def _meter(self):
        if not self.meter_answers:
            return None
        level = self._level if self.lamp_burns else 0
        power = STANDBY_DW + (NOMINAL_DW - STANDBY_DW) * level // 100
        return {quantity.POWER: power, quantity.VOLTAGE: 2304, quantity.ENERGY: 12345 + self.now_ms // 60000 % 1000}


def started(**options):
    """A world whose node has just got its mains."""
    world = World(**options)
    world.power_on()
    return world


def settled(**options):
    """The same ten minutes later: the node knows the time and has told all it had."""
    world = started(**options)
    world.run(600)
    assert world.node.unix_s(world.now_ms) is not None
    return world


def show(world, first):
    """Print what happened since the record number `first`; returns the next one."""
    for at_ms, made, data in world.made[first:]:
        body = made.body
        told = "readings" if isinstance(body, dict) else f"{event_table.label(body.code)} {body.active}"
        print(at_ms, made.boot, made.sequence, made.stamp.quality, made.stamp.seconds, told, data.hex())
    return len(world.made)


def main():
    world = World(seed=20261124, loss_percent=30, plain={"calendar": CLOCK_ONLY, "telemetry_s": 300})
    world.gateway.knows_time = False
    world.power_on()
    shown = 0

    def live(hours_10, what):
        nonlocal shown
        world.run(360 * hours_10)
        shown = show(world, shown)
        print(f"-- {what}: {len(world.acknowledged)} acknowledged, {world.retries()} sent again")

    live(3, "no time")
    world.gateway.knows_time = True
    live(57, "an afternoon")
    world.reachable = False
    world.lamp_burns = False
    live(20, "the gateway away, the lamp dead")
    world.lamp_burns = True
    live(70, "the gateway away, too much for the outbox")
    world.reachable = True
    live(10, "back again")
    world.meter_answers = False
    live(3, "the meter silent")
    world.meter_answers = True
    live(17, "the meter back")
    world.power_cut()
    live(5, "no mains")
    world.power_on()
    live(55, "a second boot")
    world.loss_percent = 0
    live(2, "a clear minute")
    for unix_s, level_percent, rule in world.edges:
        print(unix_s, level_percent, rule)
    counters = world.endpoint.counters
    print(" ".join([f"{name}={counters[name]}" for name in sorted(counters) if counters[name]]))
    print(world.flash, len(world.made), len(world.acknowledged), len(world.gateway.held), world.unexplained())
    assert world.unexplained() == [] and world.gateway.doubts == 0
    assert world.node.waiting_sequences() == []


if __name__ == "__main__":
    main()
