"""Simulates a whole board of twins: `machine` as the ports of a kind use it, wired by the constants of boards/<kind>.

`parts` has the twin of every use by its prefix: ROOM, FLOW, BUTTON, ZONES (a list of valves, its bridge under
ZONES_BRIDGE). `levels` and `duties` are what the program has put on plain pins. A UART whose part has no twin here (a
bridge, the bus, a BL0942 that needs a lamp) is attached by the test that has one. Must not know any kind, only how uses
are named.
"""

from simulator.twins import ds18b20, i2c, pins, valves


def _of_part(part, board, start, ticks_ms):
    """Returns a new twin of a part, from the module of its name; None for a part that has none in this folder."""
    name = "simulator.twins." + part
    try:
        module = __import__(name, None, None, (part,))
    except ImportError as error:
        if name not in str(error):
            raise  # the twin exists, and an import of its own is missing
        return None
    made = getattr(module, part[0].upper() + part[1:])
    if hasattr(board, start + "_SHUNT_MICROOHM"):
        return made(ticks_ms, getattr(board, start + "_SHUNT_MICROOHM"))
    return made(ticks_ms)


class Machine:
    """Holds every twin of one board. `ticks_ms` is the bench's clock."""

    def __init__(self, board, ticks_ms):
        self.parts = {}
        self.levels = {}
        self.duties = {}
        self.i2c = i2c.I2c()
        self._ticks_ms = ticks_ms
        self._read = {}  # GPIO -> the twin that gives its level
        self._driven = {}  # GPIO -> the twin that follows its level
        self._wires = {}
        self._uarts = {}
        self._adcs = {}
        self._counters = {}
        for constant in sorted(dir(board)):
            start, _, key = constant.rpartition("_")
            wire = getattr(self, "_wire_" + key.lower(), None)
            if wire and start:
                wire(board, start, getattr(board, constant))
        for constant in sorted(dir(board)):
            if constant.endswith("_IN1_PIN"):
                self._wire_bridge(board, constant[:-8])
        self._line(board.I2C_SCL_PIN, self.i2c.scl)
        self._line(board.I2C_SDA_PIN, self.i2c.sda)
        # What `machine` gives the program: classes bound to this board.
        for name, base in (("Pin", _Pin), ("PWM", _Pwm), ("ADC", _Adc), ("Counter", _Counter)):
            setattr(self, name, type(name, (base,), {"machine": self}))

    def attach_uart(self, number, twin):
        """Attaches a part that has no twin here to its UART. `twin` has `any`, `read`, `write`."""
        self._uarts[number] = twin

    def SoftI2C(self, *, scl, sda, freq, timeout):  # noqa: N802 - the chip's name
        """Returns the one bus of the board."""
        return self.i2c

    def UART(self, number, **facts):  # noqa: N802 - the chip's name
        """Returns the part that is attached to that UART."""
        if number not in self._uarts:
            raise ValueError("no twin on this UART")
        return self._uarts[number]

    def _line(self, number, line):
        self._read[number] = self._driven[number] = line

    def _wire_part(self, board, start, part):
        twin = _of_part(part, board, start, self._ticks_ms)
        if twin is None:
            return
        self.parts[start] = twin
        if hasattr(board, start + "_ADDRESS"):
            self.i2c.attach(getattr(board, start + "_ADDRESS"), twin)
        elif hasattr(board, start + "_UART"):
            self._uarts[getattr(board, start + "_UART")] = twin
        else:
            self._wires[getattr(board, start + "_PIN")] = ds18b20.Wire(twin)

    def _wire_pull(self, board, start, _pull):
        """Wires a contact, whose closed level is low in every use."""
        self.parts[start] = self._read[getattr(board, start + "_PIN")] = pins.Contact(self._ticks_ms)

    def _wire_unit(self, board, start, unit):
        self.parts[start] = self._counters[unit] = pins.Counter()

    def _wire_bridge(self, board, start):
        count = getattr(board, start + "_COUNT")
        made = [valves.Valve() for _ in range(count)]
        connected = _always(made) if count == 1 else valves.selected(self.parts["SELECTOR"], made)
        bridge = valves.Bridge(self._ticks_ms, connected)
        self._driven[getattr(board, start + "_IN1_PIN")] = bridge.in1
        self._driven[getattr(board, start + "_IN2_PIN")] = bridge.in2
        self.parts[start] = made
        self.parts[start + "_BRIDGE"] = bridge

    def _wire_ohm(self, board, start, _ohm):
        """Wires one divider, though it is called for UPPER and for LOWER."""
        start = start.rpartition("_")[0]
        if start not in self.parts:
            upper, lower = getattr(board, start + "_UPPER_OHM"), getattr(board, start + "_LOWER_OHM")
            self.parts[start] = self._adcs[getattr(board, start + "_PIN")] = pins.Adc(0, upper, lower)


def _always(made):
    return lambda: made


class _Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    machine = None

    def __init__(self, number, mode=None, pull=None, *, value=None):
        self.number = number
        if value is not None:
            self.value(value)

    def value(self, level=None):
        """Reads the pin, or drives it."""
        number, machine = self.number, self.machine
        if level is None:
            source = machine._read.get(number)
            return machine.levels.get(number, 0) if source is None else source.value()
        machine.levels[number] = level
        if number in machine._driven:
            machine._driven[number].value(level)

    def wire(self):
        """Returns the wire that `onewire.OneWire` finds on this pin."""
        return self.machine._wires[self.number]


class _Pwm:
    machine = None

    def __init__(self, pin, *, freq, duty_u16):
        self._number = pin.number
        self.duty_u16(duty_u16)

    def duty_u16(self, duty):
        """Sets the duty, of 65535."""
        self.machine.duties[self._number] = duty


class _Adc:
    ATTN_0DB, ATTN_11DB = pins.Adc.ATTN_0DB, pins.Adc.ATTN_11DB
    machine = None

    def __init__(self, pin, *, atten=ATTN_0DB):
        self._twin = self.machine._adcs[pin.number]
        self.atten = self._twin.atten
        self.atten(atten)

    def read_uv(self):
        """Reads the voltage, as the chip's method does."""
        return self._twin.read_uv()


class _Counter:
    RISING = 1
    FALLING = 2
    machine = None

    def __init__(self, unit, pin, *, edge=RISING, filter_ns=0):
        self._twin = self.machine._counters[unit]

    def value(self):
        """Returns the count, as the chip's method does."""
        return self._twin.value()
