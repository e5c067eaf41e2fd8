"""Every sensor driver against its twin through good times and scripted faults, the same on both interpreters."""

import sys

sys.path.append(__file__.rsplit("/", 3)[0])  # the twins are the simulator's

from drivers.analog import Analog
from drivers.bh1750 import Bh1750
from drivers.ds18b20 import Ds18b20
from drivers.ds3231 import Ds3231
from drivers.i2c_bus import Bus
from drivers.ina226 import Ina226
from drivers.pulses import Pulses
from drivers.pzem004t import Pzem004t
from drivers.sensor import PENDING
from drivers.sht4x import Sht4x
from drivers.sht31 import Sht31
from drivers.veml7700 import Veml7700
from simulator.twins import bh1750, ds18b20, ds3231, i2c, ina226, pins, pzem004t, sht4x, sht31, veml7700

NOW = [0]


def ticks_ms():
    return NOW[0]


def measure(name, driver, step_ms=10):
    begun = NOW[0]
    driver.begin(now_ms=begun)
    while True:
        outcome = driver.collect(now_ms=NOW[0])
        if outcome is not PENDING:
            break
        NOW[0] += step_ms
    shown = sorted(outcome.items()) if isinstance(outcome, dict) else outcome
    print(name, shown, NOW[0] - begun, driver.faults)


wires = i2c.I2c()
bus = Bus(wires, wires.scl, wires.sda, lambda us: None)
light = wires.attach(0x23, bh1750.Bh1750(ticks_ms))
wide = wires.attach(0x10, veml7700.Veml7700(ticks_ms))
air = wires.attach(0x44, sht4x.Sht4x(ticks_ms))
other_air = wires.attach(0x45, sht31.Sht31(ticks_ms))
coil = wires.attach(0x40, ina226.Ina226(ticks_ms, 50_000))
clock = wires.attach(0x68, ds3231.Ds3231(ticks_ms))
probe = ds18b20.Ds18b20(ticks_ms)
meter = pzem004t.Pzem004t(ticks_ms)
counter = pins.Counter()
adc = pins.Adc(0, 1_000_000, 1_000_000, 9000)

drivers = (
    ("bh1750", Bh1750(bus, 0x23), light),
    ("veml7700", Veml7700(bus, 0x10), wide),
    ("sht4x", Sht4x(bus, 0x44), air),
    ("sht31", Sht31(bus, 0x45), other_air),
    ("ina226", Ina226(bus, 0x40, shunt_microohm=50_000), coil),
    ("ds3231", Ds3231(bus, 0x68), clock),
    ("ds18b20", Ds18b20(ds18b20.Wire(probe)), probe),
    ("pzem004t", Pzem004t(meter), meter),
    ("pulses", Pulses(counter, hz_max=200), counter),
    ("analog", Analog(adc, upper_ohm=1_000_000, lower_ohm=1_000_000), adc),
)

drivers[5][1].set(1_795_694_400)
for step in range(12):
    light.milli_lx = step * step * 500_000
    wide.lx = step * step * 900
    air.temperature_ck, air.humidity_permille = -2000 + 413 * step, 90 * step
    other_air.temperature_ck, other_air.humidity_permille = air.temperature_ck, air.humidity_permille
    coil.voltage_mv, coil.current_ma = 1111 * step, 97 * step - 400
    probe.temperature_ck = -5500 + 1613 * step
    meter.power_dw, meter.current_ma, meter.energy_wh = 7777 * step, 9999 * step, 555_555 * step
    counter.turn(4999)
    adc.millivolts = 300 * step
    for name, driver, _twin in drivers:
        measure(name, driver)
    NOW[0] += 30_000

for fault in ("absent", "crc", "slow", "reset", "short", "noise", "never-ready", "restarted", "stuck", ""):
    for name, driver, twin in drivers:
        twin.fault = fault
        measure(fault + " " + name, driver)
    NOW[0] += 30_000

wires.hold_data(9)
for name, driver, _twin in drivers[:6]:
    measure("held " + name, driver)
wires.hold_clock()
measure("clock held", drivers[0][1])
print((bus.errors, bus.freed, bus.held))
