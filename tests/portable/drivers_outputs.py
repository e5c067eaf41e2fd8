"""Outputs, valves and a contact against their twins, the same on both interpreters."""

import sys

sys.path.append(__file__.rsplit("/", 3)[0])  # the twins are the simulator's

from drivers.contact import Contact
from drivers.gp8403 import Gp8403
from drivers.i2c_bus import Bus
from drivers.latching_valves import Bridge
from drivers.pcf8574 import Pcf8574
from simulator.twins import gp8403, i2c, pcf8574, pins, valves

NOW = [0]


def ticks_ms():
    return NOW[0]


wires = i2c.I2c()
bus = Bus(wires, wires.scl, wires.sda, lambda us: None)
volts = wires.attach(0x58, gp8403.Gp8403())
expander = wires.attach(0x20, pcf8574.Pcf8574())

valve = Gp8403(bus, 0x58, output=0)
for step in range(8):
    volts.fault = "absent" if step in (3, 4) else ""
    print("volts", valve.set(1111 * step, now_ms=NOW[0]), volts.millivolts(0), valve.faults)
    NOW[0] += 700

coils = [valves.Valve(True) for _ in range(8)]
bridge = valves.Bridge(ticks_ms, valves.selected(expander, coils))
shared, selector = Bridge(bridge.in1, bridge.in2), Pcf8574(bus, 0x20)


def pulse(zone, forward, lasts_ms=100):
    if selector.select(zone - 1):
        shared.drive(forward)
        NOW[0] += lasts_ms
        shared.coast()
    selector.release()
    print("pulse", NOW[0], zone, forward, [valve.is_open for valve in coils])
    NOW[0] += 300


for zone in range(1, 9):
    pulse(zone, False)
for zone, lasts_ms in ((3, 100), (5, 20), (8, 100)):
    pulse(zone, True, lasts_ms)
pulse(3, False)
expander.fault = "absent"
pulse(8, False)
print(bridge.shorted, bridge.burnt, [one[1:] for one in bridge.pulses][-6:])

contact = pins.Contact(ticks_ms, 8)
driver = Contact(contact, active_level=0)
begun = NOW[0]
for turn in range(2000):
    contact.move(turn % 500 in range(100, 130) or 900 < turn < 1300)
    if driver.poll(now_ms=NOW[0]):
        print(driver.active, NOW[0] - begun)
    NOW[0] += 10
