"""A node's standing order: its bytes, good and damaged, and what a node makes of orders that come to its `/c` or wait
at its gateway, with and without a clock. Prints the same everywhere.
"""

from binascii import hexlify
from hashlib import sha256

from node_day import CLOCK_ONLY, settled, show, started

from wire import cbor, event, node_order
from wire import coap_message as messages
from wire.faults import WireFault
from wire.node_order import EMERGENCY, IDENTIFY, OVERRIDE, NodeOrder

ID = bytes(range(8))


def hexed(data):
    return hexlify(data).decode()


def read(data):
    try:
        return str(tuple(node_order.decode(data)))
    except WireFault as fault:
        return "fault " + fault.reason


def codec():
    orders = (
        node_order.nothing(0),
        node_order.nothing(0xFFFFFFFF),
        NodeOrder(1, ID, EMERGENCY, 100, 1795604400, 3600),
        NodeOrder(0xFFFFFFFF, ID, OVERRIDE, 0, 0xFFFFFFFF, 604800),
        NodeOrder(2, ID, IDENTIFY, 100, 1795604400, 30),
    )
    for order in orders:
        data = node_order.encode(order)
        print(len(data), hexed(data))
        assert node_order.decode(data) == order
        told = [read(data[:length]) for length in range(len(data))]
        for place in range(len(data)):
            for bit in range(8):
                damaged = bytearray(data)
                damaged[place] ^= 1 << bit
                told.append(read(bytes(damaged)))
        print(len(told), hexed(sha256("\n".join(told).encode()).digest()[:8]))
    good = [1, ID, 1, 100, 1795604400, 3600]
    bad = ((0, -1), (0, True), (0, 1 << 32), (1, "12345678"), (1, ID[:7]), (2, 0), (2, 4), (3, 101), (3, None), (4, -1))
    for place, value in bad + ((5, -1), (5, 604801), (5, "x")):
        items = list(good)
        items[place] = value
        print(place, value, read(cbor.encode(items)))
    for items in ([], good[:5], good + [1], {1: 1}, 7, [[1]]):
        print(read(cbor.encode(items)))


class Desk:
    """Asks a node of `node_day` for its `/c` as a gateway does."""

    def __init__(self, world):
        self.world = world

    def post(self, payload, *, code=messages.POST, path=b"c", echo=None):
        world = self.world
        options = () if echo is None else ((messages.ECHO, echo),)
        world.gateway.end.request("node", code, (path,), payload, options=options, now_ms=world.now_ms)
        world.run(3)
        _, code, payload, options = world.gateway.replies[-1]
        echoes = messages.option_values(options, messages.ECHO)
        print(world.unix_s(), "%d.%02d" % (code >> 5, code & 31), payload, hexed(b"".join(echoes)), self.output())
        return echoes[0] if echoes else None

    def order(self, number, *, rule=EMERGENCY, level=100, lasts_s=600, age_s=0, name=ID, echo=None):
        """Written `age_s` ago."""
        expires_s = self.world.unix_s() - age_s + lasts_s
        return self.post(node_order.encode(NodeOrder(number, name, rule, level, expires_s, lasts_s)), echo=echo)

    def output(self):
        output = self.world.node.outputs
        reason = output.reason
        return output.level_percent, output.rule, hexed(reason) if isinstance(reason, bytes) else reason


def without_a_clock():
    world = started(plain={"report_spread_s": 1})
    world.gateway.knows_time = False
    world.run(20)
    desk = Desk(world)
    echo = desk.order(1, rule=OVERRIDE, level=0)
    assert echo is not None and world.node.outputs.rule == "no-time"
    desk.order(1, echo=bytes(8))
    again = desk.order(1, lasts_s=100, echo=echo)
    assert again is None and world.node.outputs.rule == EMERGENCY
    assert desk.order(2, echo=echo) is not None, "an Echo serves once"
    world.run(61)
    old = desk.order(3)
    world.run(61)
    assert desk.order(3, echo=old) not in (None, old), "nor does an old one"
    assert world.node.outputs.rule == "no-time", "over by the monotonic clock"
    show(world, 0)


def with_a_clock():
    world = settled(plain={"calendar": CLOCK_ONLY})
    desk = Desk(world)
    shown = len(world.made)
    desk.order(5, lasts_s=1200)
    desk.order(5, lasts_s=1200)
    desk.order(4)
    assert desk.order(6, age_s=90) is not None and desk.order(6, age_s=-90) is not None
    desk.order(7, lasts_s=30, age_s=31)
    assert world.node.outputs.rule == "calendar", "what is newer has ended it, though it has expired itself"
    desk.order(8, lasts_s=20)
    world.run(20)
    assert world.node.outputs.rule == "calendar"
    desk.post(node_order.encode(node_order.nothing(9)))
    desk.post(b"\x81")
    desk.post(b"")
    desk.post(b"", code=messages.GET)
    desk.post(b"", path=b"d")
    desk.order(10, rule=OVERRIDE, level=100)
    world.run(60)
    world.gateway.lease_s = 100
    world.run(120)
    assert world.node.outputs.rule == OVERRIDE
    world.reachable = False
    world.run(120)
    assert world.node.outputs.rule == "calendar"
    world.reachable = True
    world.run(400)
    world.gateway.order = node_order.encode(NodeOrder(11, bytes(8), EMERGENCY, 80, world.unix_s() + 9000, 9000))
    world.run(900)
    assert world.node.outputs.rule == EMERGENCY and world.gateway.order is None
    world.gateway.order = b"\xff"
    world.run(900)
    assert world.gateway.order is None and world.node.outputs.rule == EMERGENCY
    desk.order(12, rule=IDENTIFY, lasts_s=30, name=b"show it!")
    assert world.node.outputs.rule == IDENTIFY
    world.run(31)
    assert world.node.outputs.rule == "calendar" and world.events(event.IDENTIFIED)
    show(world, shown)
    for made in world.events(event.COMMAND_OUTCOME) + world.events(event.IDENTIFIED):
        print(made[0], made[1].body.detail)


codec()
without_a_clock()
with_a_clock()
