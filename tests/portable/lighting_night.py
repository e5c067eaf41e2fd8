"""A lamp's night and day on the trade alone: cell, presence, faults and memory; the same records on every interpreter.

Steps of the calendar hold by day too, so that no printed instant depends on the sun's floats.
"""

import kinds
from node.trade import Moment
from policy.fault import Faults
from wire import event_table, quantity

NOON_S = 1_795_521_600  # 2026-11-24 12:00 UTC
CLOCK_ONLY = [1, [[127, 0, 0, 0]], [[[0, 1020, 40, 1], [0, 1320, 0, 1], [0, 345, 60, 1], [0, 480, 0, 1]]]]
PLAIN = {
    "site": [474736, -5516],
    "lamp": [360, 6],
    "calendar": CLOCK_ONLY,
    "photocell": {},
    "presence": {"per_hour": 30},
    "clo": [[0, 80], [20000, 100]],
    "virtual_output": 90,
    "gradient": 115,
}

kind = kinds.load("streetlight")
faults = Faults()
own = kind.decode(faults, PLAIN)
print(len(faults.listed()))
state = 20261126


def below(bound):
    """x = 48271 x mod (2^31 - 1), as everywhere in these scripts."""
    global state
    state = state * 48271 % 2147483647
    return state % bound


def show(told):
    for code, active, detail in told:
        if isinstance(detail, dict):
            detail = [(key, detail[key]) for key in sorted(detail)]
        print(now_ms // 1000, event_table.label(code), active, detail)


memory = b""
now_ms = (1 << 30) - 3_600_000
for life in range(2):
    trade = kind.make_trade(own, kinds.Start(b"12345678", memory, now_ms, below))
    meter_wh = 0
    for minute in range(1300):
        now_ms += 60_000
        unix_s = None if minute < 5 else NOON_S + 60 * minute + 78_000 * life
        moment = Moment(now_ms, unix_s, 1 if minute < 1200 else 2000, None, False, {})
        trade.decide(moment)
        if below(20) == 0:
            trade.sense({quantity.OCCUPANCY: 1}, moment)
            trade.decide(moment)
        level = trade.outputs.level_percent
        broken = 400 < minute < 430
        power_dw = 6 if broken or not level else 6 + 354 * level // 100
        meter_wh += power_dw // 60
        values = {quantity.POWER: power_dw, quantity.VOLTAGE: 2300 if minute % 700 else 1900, quantity.ENERGY: meter_wh}
        values[quantity.ILLUMINANCE] = 3 if minute > 280 and minute < 1150 else 4000
        values[quantity.CURRENT] = power_dw * 10 // 23
        trade.sample(None if 600 < minute < 607 else values, moment)
        trade.decide(moment)
        show(trade.drain_events())
    readings = trade.readings(moment)
    health = trade.health(moment)
    print([(key, readings[key]) for key in sorted(readings)], [(key, health[key]) for key in sorted(health)])
    memory = trade.memory(now_ms)
    print(memory)
