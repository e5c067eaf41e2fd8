"""A technician at every kind of node, on both interpreters: a test, a lock of two hours, and afterwards; what the
outputs are, what is told, and whether the node is sound."""

import kinds
from node.trade import LOCK, TEST, Moment
from policy.fault import Faults
from watering import inputs
from wire import quantity

UNIX_S = 1795604400  # 2026-11-25, noon in Paris
NODE = b"\x7c\x1f\x0a\x2c\x01\x00\x00\x02"
ROOM = {quantity.TEMPERATURE: 1500}
WATERING = {
    "site": [474700, -5500],
    "watering": [
        1,
        [[0, 0, 3, 2, 1, 10000, 20000, 0, 0, 1, 60], [1, 3, 6, 8, 0, 4000, 20000, 0, 0, 1, 60]],
        [[0, 127, 0, 0, 0, 720, 0, 3, 50]],
        [],
        [],
    ],
    "valves": [1, 1, 1, 0],
    "supply": [5, 5, 0, 0],
    "meter": [20000, 60],
    "weather": [40, 2, 20, []],
}


def shown(outputs):
    """A tuple prints as it is; of valves what is open."""
    if outputs is None or isinstance(outputs, tuple):
        return outputs
    return [output for output in range(10) if outputs.is_open(output)]


def visit(name, plain, values):
    kind = kinds.load(name)
    faults = Faults()
    own = kind.decode(faults, plain)
    print(name, faults.listed())
    trade = kind.make_trade(own, kinds.Start(NODE, b"", 0, None))
    sample_ms = 0
    last = None
    for second in range(0, 5 * 3600, 5):
        now_ms = 1000 * second
        if second < 600:
            trade.local = None
        elif now_ms < 600_000 + trade.test_ms:
            trade.local = TEST
        else:
            trade.local = LOCK if 3600 <= second < 3 * 3600 else None
        moment = Moment(now_ms, UNIX_S + second, 2, None, False, {})
        wanted_ms = None if trade.wants_sample_ms is None else trade.wants_sample_ms(now_ms)
        if now_ms >= sample_ms or (wanted_ms is not None and now_ms >= wanted_ms):
            sample_ms = now_ms + 60_000
            trade.sample(dict(values), moment)
        trade.decide(moment)
        if hasattr(trade.outputs, "tick"):
            trade.outputs.tick(now_ms=now_ms)
        for told in trade.drain_events():
            print(second, told)
        now = (trade.local, shown(trade.outputs), trade.is_sound(moment))
        if now != last:
            print(second, now)
            last = now
    print(trade.test_ms, trade.memory(now_ms))


visit("streetlight", {"site": [474736, -5516], "lamp": [360, 6]}, {quantity.POWER: 6, quantity.VOLTAGE: 2300})
for output in ("relay", "valve", "opentherm"):
    visit("thermostat", {"output": output}, ROOM)
visit("thermostat", {"output": "relay"}, {quantity.TEMPERATURE: 450})
visit("irrigation", WATERING, {inputs.METER_PULSES: 0, quantity.BATTERY: 4100, inputs.BOOST_MV: 12000})
visit("water_meter", {"meter": [10_000, 60_000]}, {"pulses": 5})
