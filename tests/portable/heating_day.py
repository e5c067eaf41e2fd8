"""A room's day with the real thermostat and a boiler's frames: programme, preheat, a dead sensor, frost; then
OpenTherm.

Integers only, so that 24-bit and 53-bit floats, and 31-bit and 63-bit small integers, print the same."""

from heating import boiler, model
from heating.trade import Thermostat
from kinds import thermostat as kind
from node.trade import Moment
from policy import civil, heating, heating_form
from policy.fault import Faults
from wire import directive, quantity

START_S = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 12, 1), 0)
ROOM, OUT = quantity.TEMPERATURE, quantity.key(quantity.TEMPERATURE, 1)


def day(output):
    trade = Thermostat(model.default(output), b"", now_ms=0)
    air_m = 160_000  # 0.0001 K
    for minute in range(30 * 60):
        now_ms = 60_000 * minute
        held = {directive.LOAD_SHED: 200} if 600 <= minute < 660 else {}
        if 900 <= minute < 1300:
            held = {directive.EXCEPTION: 1, directive.ENDS + directive.EXCEPTION: 60_000 * 1400 - minute % 7}
        if minute >= 1200:  # hours are told ahead
            held[directive.OCCUPIED] = START_S // 60 + 1320
            held[directive.ENDS + directive.OCCUPIED] = 60_000 * 1500
        moment = Moment(now_ms, START_S + 60 * minute if minute > 30 else None, 2, None, False, held)
        values = {ROOM: air_m // 100, OUT: 100}
        if 700 <= minute < 740:
            del values[ROOM]
        trade.sample(values, moment)
        trade.decide(moment)
        for told in trade.drain_events():
            print(minute, told)
        given = {"relay": 1000 * trade.outputs.on, "valve": 10 * trade.outputs.valve_percent}.get(
            output, trade.outputs.flow_ck // 7 if trade.outputs.on else 0
        )
        air_m += given * 700 // 1000 - (air_m - 10_000) // 500
    print(output, air_m, trade.outputs, trade.duty_permille, trade.memory(now_ms))
    print(sorted(trade.readings(moment).items()), sorted(trade.health(moment).items()), trade.deadline_ms(now_ms))


for output in model.OUTPUTS:
    day(output)

metered = kind.decode(Faults(), {"output": "relay", "heater_w": 2000, "fitted": ["presence", "meter"]}).model
trade = Thermostat(metered, b"", now_ms=0)
for minute in range(240):
    moment = Moment(60_000 * minute, START_S + 36_000 + 60 * minute, 2, None, False, {})
    values = {ROOM: 1700, quantity.ENERGY: 100_000 + 30 * minute, quantity.POWER: 20_000 if minute < 60 else 0}
    if minute % 100 == 50:
        trade.sense({quantity.OCCUPANCY: 1}, moment)
    trade.sample(values, moment)
    trade.decide(moment)
    for told in trade.drain_events():
        print(minute, told)
kept = trade.memory(240 * 60_000)
print(kept, sorted(Thermostat(metered, kept, now_ms=0).health(moment).items()))
print(sorted(trade.readings(moment).items()))

line = boiler.BoilerLink(boiler.BoilerModel(6500, True), now_ms=0)
line.demand(True, 5012, now_ms=0)
for step in range(60):
    for command in line.outgoing(now_ms=1000 * step):
        print(step, command)
        line.receive(command[:2] + b": ok\r\n", now_ms=1000 * step)
    for heard in (b"R80000200", b"B4000020C", b"BC012021A", b"BC0192B80", b"B00000001", b"junk", b"\xff\xfe"):
        line.receive(heard + b"\r\n", now_ms=1000 * step)
print(sorted(line.readings(now_ms=60_000).items()), sorted(line.counters.items()))
print([boiler.decode_frame(bytes((0x10, 57, high, 0x80))) for high in (0x41, 0xFA, 0x15)])
print([boiler.from_f8_8(value) for value in (0x4100, 0xFAC0, 0x1580)])

SOUND = heating_form.encode(heating.DEFAULT_PROGRAMME)
for plain in (
    {"output": "relay", "heater_w": 2000, "programme": SOUND},
    {"output": "valve", "cycle": [600, 30, 30], "fitted": ["outdoor", "window"]},
    {"output": "relay", "heater_w": 2000, "fitted": ["presence", "meter"], "standby_ck": 150},
    {"output": "opentherm", "fitted": ["meter"]},
    {"output": "gas", "water": 3},
    {"output": "opentherm", "cycle": [600, 400, 5], "flow_max_ck": 9900, "fitted": ["door"],
     "programme": [1, [[0, 0, 0, 4]], [[[10, 5]]], [1900, 2000, 3, True]]},
):  # fmt: skip
    faults = Faults()
    print(kind.decode(faults, plain))
    for fault in faults.listed():
        print(" ", fault.path, "|", fault.problem, "|", fault.remedy)
