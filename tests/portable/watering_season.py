"""Drives the irrigation trade through twelve days on both interpreters: events, readings and memory are the same text.

The values of weather are whole numbers from a small generator; ET0 is printed in 0.1 mm, as far as 24 and 53 bits must
agree (tests/watering/test_et0.py bounds the difference)."""

from binascii import hexlify

from kinds import Start, irrigation
from node.trade import Moment
from policy.fault import Faults
from watering import et0, inputs, memory
from wire import directive, quantity

PLAIN = {
    "site": [474700, -5500],
    "watering": [
        1,
        [
            [0, 0, 3, 2, 1, 10000, 20000, 0, 0, 1, 60],
            [1, 3, 6, 8, 0, 4000, 20000, 0, 0, 1, 60],
            [4, 2, 2, 2, 2, 8000, 8000, 0, 1, 0, 120],
        ],
        [[0, 127, 401, 930, 0, 300, 0, 7, 0], [0, 36, 0, 0, 2, 30, 0, 2, 40], [5, 1073741825, 0, 0, 0, 60, 0, 4, 20]],
        [[2, 1, 127, 480, 1200, "Prefet", "2026-07"]],
        [],
    ],
    "valves": [2, 2, 2, 2, 1],
    "supply": [5, 5, 2, -2],
    "meter": [20000, 60],
    "weather": [40, 2, 20, []],
}
NOTHING = {}
START_S = 1780264800  # 2026-06-01, 00:00 in Paris


def main():
    faults = Faults()
    own = irrigation.decode(faults, PLAIN)
    print(faults.listed())
    kept, now_ms, unix_s = b"", 0, START_S
    pulses = 0
    for life in range(3):
        trade = irrigation.make_trade(own, Start(b"12345678", kept, now_ms, None))
        end_ms = now_ms + 4 * 86400000
        told = {directive.DROUGHT_LEVEL: life, directive.EVAPOTRANSPIRATION: 480} if life < 2 else NOTHING
        sample_ms, chance = now_ms, 7 + life
        while now_ms < end_ms:
            moment = Moment(now_ms, unix_s + now_ms // 1000, 2, None, False, told)
            if now_ms >= sample_ms:
                chance = (chance * 1103 + 12345) % 65536
                second = now_ms // 1000 % 86400
                flowing = trade.outputs.is_open(1) or trade.outputs.is_open(2)
                values = {
                    quantity.TEMPERATURE: 1200 + 1400 * min(second, 86400 - second) // 43200,
                    inputs.METER_PULSES: pulses,
                    inputs.RAIN_TIPS: now_ms // 700000000,
                    quantity.WIND_SPEED: chance % 60,
                    quantity.BATTERY: 4100,
                    inputs.BOOST_MV: 12000,
                }
                trade.sample(values, moment)
                step_ms = 30000 if flowing else 900000
                pulses += 500 if flowing else 0
                sample_ms = now_ms + step_ms
            trade.decide(moment)
            drive = trade.outputs.tick(now_ms=now_ms)
            if drive.pulse is not None:
                trade.outputs.observe_pulse(drive.pulse[0], drive.pulse[1], now_ms=now_ms)
                trade.outputs.observe_current(drive.pulse[0], 1500 + chance % 50)
            for code, active, detail in trade.drain_events():
                print(now_ms // 1000, code, active, detail)
            due_ms = min(trade.deadline_ms(now_ms), sample_ms)
            now_ms = max(now_ms + 20, due_ms if trade.outputs.any_open() or drive.pulse else sample_ms)
        print(sorted(trade.readings(moment).items()))
        print(sorted(trade.health(moment).items()))
        kept = trade.memory(now_ms)
        print(hexlify(kept).decode(), memory.decode(kept).volume_l)
        now_ms += 600000


def tenths(value):
    return None if value is None else (value + 5) // 10


main()
for day in range(3, 366, 33):
    for air in ((-200, 900), (900, 2400)):
        print(day, tenths(et0.penman_cmm(day, (474700, 40, 2), air, (430, 870), 21)))
        print(day, tenths(et0.hargreaves_cmm(day, 474700, air)))
