"""The boards' twins: what each constant of each board is wired to, the same on both interpreters."""

import sys
import time

sys.path.append(__file__.rsplit("/", 3)[0])  # the twins are the simulator's

if not hasattr(time, "sleep_us"):
    time.sleep_us = lambda us: None  # the chip's

from boards import irrigation, streetlight, thermostat
from drivers import i2c_bus
from simulator.twins.board import Machine

for board in (irrigation, streetlight, thermostat):
    machine = Machine(board, lambda: 0)
    bus = i2c_bus.open_bus(machine, board)
    print(board.KIND, sorted(machine.parts))
    print([address for address in range(8, 120) if bus.write(address, b"\xfd")])
    machine.Pin(board.LED_PIN, machine.Pin.OUT, value=1)
    button = machine.Pin(board.BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
    machine.parts["BUTTON"].move(True)
    print(machine.levels, button.value(), (bus.errors, bus.freed, bus.held))
