"""A gateway that is polled at its deadlines alone does what one does that is polled every second as well: no part of it
may wait for a poll that nothing asks for."""

from types import SimpleNamespace

import pytest

from gateway.core.bearers.bearer import Bearer
from gateway.core.directives.directive import Directive
from gateway.core.gateway import Options, Send
from gateway.core.uplink.batch import Publication
from simulator.cabinet.host import CabinetHost
from simulator.hosts.centre import Centre
from simulator.hosts.gateway import SMALL_CARD, GatewayHost
from simulator.hosts.keys import keyset_of, link_of
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from tests.support.gateway_world import GATEWAY, NODE, OTHER, alarm, level, payload, reading
from tests.support.street_world import StreetWorld
from wire import coap_message, directive

START_S = 1_795_000_000
BEARERS = (Bearer("fibre"), Bearer("mobile", is_metered=True, monthly_bytes=40_000_000))
OPTIONS = Options(
    GATEWAY, "49007", "cab-1", keyset_of("49007"), bearers=BEARERS, batch_age_ms=60_000, **SMALL_CARD
)


class _Watched:
    """Writes down what the core orders, and when: `done`."""

    def _carry_out(self, effect):
        what = (effect.peer.node, len(effect.datagram)) if isinstance(effect, Send) else effect
        what = (effect.topic, len(effect.payload)) if isinstance(effect, Publication) else what
        self.done.append((self._world.now_ms, what))
        super()._carry_out(effect)

    def poll_every_second(self):
        self._world.every(1000, self._poll_all)

    def _poll_all(self):
        if self.core is not None:
            self.core.make_all_due()
            self._awake(self._turn)

    def _awake(self, function, *arguments):
        function(*arguments)


class _Gateway(_Watched, GatewayHost):
    def __init__(self, *arguments):
        self.done = []
        super().__init__(*arguments)


class _Cabinet(_Watched, CabinetHost):
    _awake = CabinetHost._awake

    def __init__(self, *arguments):
        self.done = []
        super().__init__(*arguments)


class _Node:
    """Sends records when the story says so, and repeats none by itself."""

    def __init__(self, world, host, node, prng):
        self.node, self.radio, self.settings = node, self, SimpleNamespace(gateway=host)
        self._world, self._prng = world, prng
        self._link = link_of(node, host, boot=1, random_below=prng.randrange)
        self._sequence = 0

    def say(self):
        made = []
        for _ in range(self._prng.between(1, 4)):
            make = (reading, reading, level, alarm)[self._prng.randrange(4)]
            made.append(make(self._sequence))
            self._sequence += 1
        self._link.request(self.settings.gateway, coap_message.POST, (b"t",), payload(*made), now_ms=self._world.now_ms)
        self._send()

    def receive(self, datagram, _host):
        self._link.receive(datagram, self.settings.gateway, now_ms=self._world.now_ms)
        self._send()

    def carry(self, datagram, receive, host):
        self._world.after(20, receive, datagram, host)

    def _send(self):
        for host, datagram in self._link.outgoing():
            self._world.after(20, host.receive, datagram, self)


def _a_rough_hour(seed, *, is_restless):
    prng = Prng(seed)
    world = World(start_unix_s=START_S)
    broker = Broker(world, prng.split("broker"))
    centre = Centre(world, prng.split("centre"), broker)
    centre.start()
    host = _Gateway(world, prng.split("gateway"), OPTIONS, broker)
    host.nodes = [NODE, OTHER]
    nodes = [_Node(world, host, node, prng.split(node.hex())) for node in host.nodes]
    host.power_on()
    happenings = [(nodes[number % 2].say,) for number in range(60)]
    happenings += [(host.fibre, is_up) for is_up in (False, True, True, False, True)]
    happenings += [(_announce, host, world)] * 3
    happenings += [(broker.restart,), (centre.stop,), (centre.start,), (_interrupt, host, world)]
    for happening in happenings:
        world.at(prng.between(20_000, 3_600_000), *happening)
    if is_restless:
        host.poll_every_second()
    world.run_until(5_400_000)
    return host.done


def _interrupt(host, world):
    host.power_cut()
    world.after(30_000, host.power_on)


def _announce(host, world):
    unix_s = world.unix_s
    name = world.now_ms.to_bytes(8, "big")
    values = {directive.DROUGHT_LEVEL: 2}
    host.announce(Directive(name, True, "T. Leroy", "drought", None, values, unix_s, unix_s + 600))


def _an_evening(*, is_restless):
    world = StreetWorld(make_host=_Cabinet)
    street, host = world.street, world.host
    world.at(15, world.plant.set_door, True)
    world.at(15.5, world.plant.set_door, False)
    from_s, to_s = world.unix_s(16), world.unix_s(16.5)
    world.world.at(5_000_000, lambda: street.order_emergency("search", from_s=from_s, to_s=to_s))
    world.world.at(9_000_000, host.fibre, False)
    if is_restless:
        host.poll_every_second()
    world.until(18)
    return host.done


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_gateway_needs_no_poll_beside_its_deadlines(seed):
    assert _a_rough_hour(seed, is_restless=True) == _a_rough_hour(seed, is_restless=False)


@pytest.mark.slow
def test_a_cabinet_needs_no_poll_beside_its_deadlines():
    assert _an_evening(is_restless=True) == _an_evening(is_restless=False)
