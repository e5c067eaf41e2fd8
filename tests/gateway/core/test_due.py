"""After any event a gateway does at once what it would do if all its parts were asked: none waits for a poll that
nothing asks for.

Two gateways live through the same events. The parts of the second are all asked after each event and each second; at
these instants the cabinets of both have just been asked by an observation.
"""

from random import Random

import pytest

from gateway.core.bearers.bearer import Bearer
from gateway.core.bearers.connection import Connect, Drop, Probe
from gateway.core.campaigns.campaign import Plan
from gateway.core.gateway import Send
from gateway.core.link.images import NodeImage
from gateway.core.uplink.batch import Publication
from simulator.hosts.keys import keys_of
from tests.support.gateway_world import NODE, OTHER, alarm, level, payload, reading
from tests.support.lit_world import LitWorld, bundle, policy
from tests.support.told_world import DROUGHT, here
from wire import coap_message, command, directive, event, node_order, oscore_link
from wire.record import UNSET, EventBody, Record, Stamp

BEARERS = (Bearer("fibre"), Bearer("mobile", is_metered=True, monthly_bytes=1_000_000))
NODES = (NODE, OTHER)


class World(LitWorld):
    """A cabinet with two bearers, and what may happen to it: methods `do_…`, each with a number that says how. `done`
    is what the gateway has ordered, and when."""

    def __init__(self, *, is_restless):
        self.is_restless = is_restless
        self.done, self.probes, self.attempts, self.unacknowledged = [], [], [], []
        self.passes = {bearer.name: True for bearer in BEARERS}
        self.number = self.counted = 0
        super().__init__()

    def start(self):
        self.random.randrange = lambda stop: stop // 2  # parts may draw in another order
        self.auto_sync = False
        self.options = self.options._replace(bearers=BEARERS, batch_age_ms=7_000, commit_ms=300)
        super().start()

    def happen(self, what, how, seconds):
        getattr(self, what)(how)
        self.rest()
        for _ in range(seconds):
            self.pass_ms(1000)
            self.look()
            self.end_syncs(self.state_disk, self.core.on_state_synced)
            self.rest()

    def rest(self):
        if self.is_restless:
            self.core.make_all_due()
        self.turn()

    def turn(self):
        super().turn()
        self.end_syncs(self.journal_disk, self.core.on_synced)

    def end_syncs(self, disk, report):
        """A sync of the journal ends at once, one of the state within a second."""
        while disk.pending:
            ticket = disk.pending[0].ticket
            report(ticket, disk.complete(ticket), now_ms=self.now_ms)
            super().turn()

    def _poll(self):
        super()._poll()
        while self.probes:
            bearer = self.probes.pop()
            self.core.on_probed(bearer, self.passes[bearer], 40, now_ms=self.now_ms)
            super()._poll()

    def _carry_out(self, effect):
        what = (effect.peer.node, effect.datagram) if isinstance(effect, Send) else effect
        self.done.append((self.now_ms, repr(what)))
        if isinstance(effect, Probe):
            self.probes.append(effect.bearer)
        elif isinstance(effect, Connect):
            self.attempts.append(effect.bearer)
        elif isinstance(effect, Drop):
            self.attempts = [bearer for bearer in self.attempts if bearer != effect.bearer]
        elif isinstance(effect, Publication) and effect.token:
            self.unacknowledged.append(effect.token)
        super()._carry_out(effect)

    def ask(self, data, *, node, path=b"t", code=coap_message.POST):
        peer = self.node(node)
        if peer.link.state == oscore_link.INIT:
            self.agree(peer)
        peer.link.request("gateway", code, (path,), data, now_ms=self.now_ms)  # refused while too many wait
        self.carry(peer)

    def next(self):
        self.number += 1
        return self.number

    # --- nodes ------------------------------------------------------------------------------------------------------

    def do_readings(self, how):
        self.ask(payload(*[(reading, level)[how % 2](self.next()) for _ in range(how % 12)]), node=NODES[how % 2])

    def do_alarm(self, how):
        self.ask(payload(alarm(self.next())), node=NODES[how % 2])

    def do_uptime(self, how):
        stamp = Stamp(UNSET, self.now_ms // 1000, 0)
        self.ask(payload(Record(2 + how % 3, self.next(), stamp, {6: 2000})), node=NODES[how % 2])

    def do_boot(self, how):
        body = EventBody(event.BOOT, None, [0, None, "start", ("streetlight", "thermostat")[how % 2], str(how % 3)])
        self.ask(payload(Record(1, self.next(), Stamp(1, self.unix_s, 1), body)), node=NODES[how % 2])

    def do_program_outcome(self, how):
        body = EventBody(event.UPDATE, None, [7, ("ready", "confirmed", "failed")[how % 3]])
        self.ask(payload(Record(1, self.next(), Stamp(1, self.unix_s, 1), body)), node=NODES[how % 2])

    def do_question(self, how):
        path = (node_order.PATH, directive.PATH)[how % 2]
        self.ask(b"", node=NODES[how // 2 % 2], path=path, code=coap_message.GET)

    # --- the way to the centre --------------------------------------------------------------------------------------

    def do_connect(self, _how):
        for bearer in self.attempts:
            if self.passes[bearer]:
                self.unacknowledged.clear()
                self.core.on_connected(100, bearer, now_ms=self.now_ms)
            else:
                self.core.on_disconnected("network-error", bearer, now_ms=self.now_ms)
        self.attempts.clear()

    def do_cut_or_mend(self, how):
        bearer = BEARERS[how % 2].name
        self.passes[bearer] = not self.passes[bearer]
        if not self.passes[bearer] and self.core.bearers.connection.active == bearer:
            self.core.on_disconnected("mqtt-silent", bearer, now_ms=self.now_ms)

    def do_acknowledge(self, how):
        for token in self.unacknowledged[: 1 + how % 4]:
            self.core.on_puback(token, (0, 0, 0, 0x10, 0x87, 0x95)[how % 6], now_ms=self.now_ms)
        del self.unacknowledged[: 1 + how % 4]

    def do_receipt(self, how):
        streams = sorted(self.honest.batches)
        if streams:
            epoch, lane = streams[how % len(streams)]
            batch = self.honest.batches[epoch, lane][-1]
            if how % 5:
                self.mark(batch.last + 1, lane, epoch)
            else:
                self.reject(batch.first, batch.last, ("quota", "undecodable")[how % 2], lane, epoch)

    def do_count(self, how):
        self.counted += how % 3 * 60_000
        self.core.bearers.count("mobile", self.counted, "boot/1", now_ms=self.now_ms)
        self.core.make_all_due()

    # --- orders -----------------------------------------------------------------------------------------------------

    def do_order(self, how):
        kinds = (
            {"kind": command.EMERGENCY},
            {"kind": command.OVERRIDE},
            {"kind": command.DIRECTIVE, "values": {DROUGHT: 1}},
            {"kind": command.END, "ends": self.number.to_bytes(8, "big")},
        )
        order = self.order(number=self.next(), lasts_s=20 + how, after_s=how % 2 * 7, **kinds[how % 4])
        self.send(order)

    def do_lease(self, how):
        asks = [one for one in self.said() if isinstance(one, command.Ask)]
        if asks:
            self.send(command.encode_grant(command.Grant(asks[-1].nonce, 10 + how)))

    def do_policy(self, _how):
        self.give(bundle(policy(version=1 + self.next())))

    def do_hand(self, how):
        act = (self.cabinet.test, self.cabinet.lock, self.cabinet.unlock)[how % 3]
        act(how % 2, *(30,) * (how % 3 == 0), "Luc", now_ms=self.now_ms)
        self.core.make_all_due()

    def do_identify(self, how):
        self.core.placements.identify(NODES[how % 2], now_ms=self.now_ms)
        self.core.make_all_due()

    def do_directive(self, how):
        given = here({DROUGHT: 1}, self.unix_s, number=self.next(), lasts_s=10 + how)
        self.core.directive_service.directives.accept(given, now_ms=self.now_ms)
        self.core.make_all_due()

    # --- the machine ------------------------------------------------------------------------------------------------

    def do_clock(self, how):
        wrong_ms = (None, 0, 40_000, -40_000)[how % 4]
        unix_ms = None if wrong_ms is None else 1000 * self.start_s + self.now_ms + wrong_ms
        self.core.on_clock(unix_ms, 1, now_ms=self.now_ms)

    def do_card(self, how):
        disk = (self.journal_disk, self.state_disk)[how % 2]
        disk.sync_error = None if disk.sync_error else "simulated"

    def do_keys(self, how):
        self.core.on_keys(keys_of(NODES[how % 2 :]), now_ms=self.now_ms)

    def do_programs(self, how):
        plans = [Plan("thermostat", 7, self.unix_s)] * (how % 2)
        self.core.on_programs([NodeImage("thermostat", 7, "", b"signed", (b"file",))], plans, now_ms=self.now_ms)


HAPPENINGS = [name for name in dir(World) if name.startswith("do_")]
# What lets most other things happen.
OFTEN = ["do_readings", "do_connect", "do_acknowledge", "do_receipt", "do_lease"]


def told(seed, count, **options):
    """What a gateway does in a story of a seed."""
    world, prng = World(**options), Random(seed)
    for _ in range(count):
        how, seconds = prng.randrange(60), prng.choice((0, 0, 1, 1, 2, 8, 30))
        world.happen(prng.choice(HAPPENINGS + OFTEN), how, seconds)
    return sorted(world.done)


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 60), *[pytest.param(seed, 200, marks=pytest.mark.slow) for seed in range(2, 10)]]
)
def test_no_part_waits_for_a_poll_that_nothing_asks_for(seed, count):
    assert told(seed, count, is_restless=False) == told(seed, count, is_restless=True)
