"""A press at the node's foot through the whole application: the button's words to the trade, what happens to an order
meanwhile, and what the gateway gets to know of it."""

import pytest

import kinds
from node import panel, settings
from node.app import Boot, Node
from node.panel import HOLD_MS, Panel
from tests.portable import node_day
from tests.portable.node_day import NODE, World
from tests.support import green
from watering import inputs
from wire import event, node_order, quantity
from wire.coap import Endpoint
from wire.node_order import NodeOrder

ID = b"ordered1"
SECRETS = {
    "node": NODE, "gateway": ["192.0.2.1", 5683], "kid": "010001", "master_secret": "000102030405060708090a0b0c0d0e0f",
}  # fmt: skip


class HandWorld(World):
    """A lamp by day whose node has a button: the shell's few lines between `Panel` and `Node`."""

    def __init__(self):
        super().__init__()
        self.is_pressed = False
        self.power_on()
        self.panel = Panel(is_locked=False, test_ms=self.node.trade.test_ms, now_ms=self.now_ms)
        self.run(600)
        assert self._level == 0

    def _turn(self):
        if self.node is not None and hasattr(self, "panel"):
            self.panel.observe(self.is_pressed, now_ms=self.now_ms)
            for word in self.panel.drain_events():
                self.node.report_event(event.LOCAL_TEST, None, (word,), now_ms=self.now_ms)
            self.node.local(self.panel.local())
        super()._turn()

    def _next_ms(self):
        next_ms = super()._next_ms()
        until_ms = self.panel.deadline_ms(self.now_ms) if hasattr(self, "panel") else None
        return next_ms if until_ms is None else min(next_ms, until_ms)

    def press(self, for_ms):
        for self.is_pressed, ms in ((True, for_ms), (False, 200)):
            for _ in range(0, ms, 100):
                self.now_ms += 100
                self._turn()
        return self

    def order(self, level):
        expires_s = self.unix_s() + 7200
        made = NodeOrder(self._number + 1, ID, node_order.EMERGENCY, level, expires_s, 7200)
        self.gateway.order = node_order.encode(made)
        self.node.report_event(event.LOCAL_TEST, None, ("wake",), now_ms=self.now_ms)  # anything that asks the gateway
        self.run(30)

    def outcomes(self):
        return [tuple(made.body.detail[1:3]) for _, made in self.events(event.COMMAND_OUTCOME)]

    def level(self):
        return self._level


def test_a_short_press_lights_the_lamp_for_its_time_and_a_long_one_darkens_it_whatever_is_ordered():
    world = HandWorld()
    world.press(300)
    assert world.level() == 100 and world.edges[-1][2] == panel.TEST
    world.run(70)
    assert world.level() == 0
    world.order(80)
    assert world.level() == 80
    world.press(HOLD_MS + 300)
    assert world.level() == 0 and world.edges[-1][2] == panel.LOCK
    world.run(3600)
    assert world.level() == 0
    world.press(HOLD_MS + 300)
    assert world.level() == 80
    told = [made.body.detail[0] for _, made in world.events(event.LOCAL_TEST)]
    assert [word for word in told if word != "wake"] == [panel.TEST, panel.LOCK, panel.UNLOCK]


def test_an_order_behind_a_lock_is_refused_with_its_word_and_applied_and_measured_after_it():
    world = HandWorld()
    world.press(HOLD_MS + 300)
    world.order(80)
    world.run(600)
    assert world.level() == 0 and world.outcomes() == [("received", None), ("refused", "locked")]
    world.press(HOLD_MS + 300)
    world.run(600)
    assert world.level() == 80
    assert [outcome for outcome, _ in world.outcomes()] == ["received", "refused", "applied", "measured"]


def test_the_watts_of_a_test_do_not_measure_an_order():
    world = HandWorld()
    world.node._settings = world.node._settings._replace(sample_s=10)
    world.order(60)
    assert world.outcomes()[-1][0] == "applied"
    world.panel._test_ms = 300_000
    world.press(300)
    world.run(240)
    assert world.level() == 100 and world.outcomes()[-1][0] == "applied"
    world.run(300)
    assert world.level() == 60 and world.outcomes()[-1][0] == "measured"


@pytest.mark.parametrize(("cause", "starts"), [("power-on", 1), ("planned", 0), ("watchdog", 0), ("brown-out", 0)])
def test_mains_that_come_back_are_a_start_of_the_lamp_and_a_restart_is_none(monkeypatch, cause, starts):
    monkeypatch.setattr(node_day, "Boot", lambda *given: Boot(*given[:3], cause))
    world = World()
    world.power_on()
    assert world.node.trade.health(None)[quantity.LAMP_STARTS] == starts


def test_a_restart_waits_until_nobody_stands_there():
    world = HandWorld()
    world.node.trade.may_restart = lambda moment: True
    assert world.node.may_restart(world.now_ms)
    world.press(HOLD_MS + 300)
    world.run(3600)
    assert not world.node.may_restart(world.now_ms)


ROOM = {quantity.TEMPERATURE: 1500}
FED = {inputs.METER_PULSES: 0, quantity.BATTERY: 4100, inputs.BOOST_MV: 12_000}


@pytest.mark.parametrize(
    ("kind", "plain", "values", "shut", "shows"),
    [
        ("thermostat", {"output": "relay"}, ROOM, lambda out: not out.on, lambda out: out.on),
        ("thermostat", {"output": "valve"}, ROOM, lambda out: out.valve_percent == 0, lambda out: out.valve_percent),
        ("irrigation", None, FED, lambda out: not out.any_open(), lambda out: out.any_open()),
        ("water_meter", {"meter": [10_000, 60_000]}, {"pulses": 1}, lambda out: out is None, lambda out: out is None),
    ],
)
def test_every_kind_shuts_behind_a_lock_and_shows_what_it_can(kind, plain, values, shut, shows):
    if plain is None:
        plain = {**green.PLAIN, "valves": [2, 2, 2, 2, 0]}
    module = kinds.load(kind)
    read, faults = settings.decode({**SECRETS, **plain}, module)
    assert not faults, faults
    trade = module.make_trade(read.own, kinds.Start(read.node, b"", 0, lambda below: 0))
    node = Node(
        read, Boot(1, None, None, "power-on"), Endpoint(random_below=lambda below: 0, first_message_id=0), trade,
        random_below=lambda below: 0, now_ms=0,
    )  # fmt: skip

    def live(word, from_s, to_s):
        node.local(word)
        for now_ms in range(1000 * from_s, 1000 * to_s, 1000):
            if node.sample_due(now_ms):
                node.sample(dict(values), {}, now_ms=now_ms)
            node.poll(now_ms=now_ms)
            if kind == "irrigation":
                pulse = node.outputs.tick(now_ms=now_ms).pulse
                if pulse is not None:
                    node.outputs.observe_pulse(pulse[0], pulse[1], now_ms=now_ms)

    live(None, 0, 60)
    live(panel.TEST, 60, 100)
    assert shows(node.outputs)
    live(panel.LOCK, 100, 102)
    assert shut(node.outputs)
    live(panel.LOCK, 102, 3600)
    assert shut(node.outputs)
    assert node.is_sound(3_600_000)
