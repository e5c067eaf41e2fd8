"""Simulates the board on the bench: the facts of the settings' kind, and the twins on its pins. MicroPython only.

Parts that only a streetlight has, its lamp and the lamp's meter, are bench_lamp and bench_bl0942; all others are those
of simulator/twins, made when a program first uses one. The file `bench-parts` sets their surroundings: {"ROOM":
{"temperature_ck": 1650}, "CABLE": {"closed": false}}; `fault` is one of the twin's words. The file `bench-edges`
records for an onlooker each change of an output: ms of the bench's clock, GPIO, level or duty. A latching valve keeps
its position through all that the chip does: it is in `bench-valves`, master and zones, 1 for open.
"""

import json
import os
import sys

import bench_lamp
import bench_room
import bench_watchdog
import utime

PARTS_FILE = "bench-parts"
EDGES_FILE = "bench-edges"
VALVES_FILE = "bench-valves"
DEFAULT = "streetlight"
# What a sound board has where the script gives nothing else; a contact whose opening is a signal is closed.
MILLIVOLTS = {"BATTERY": 3600, "CAPACITOR": 24_000, "SOIL_1": 1500, "SOIL_2": 1500}
LOOK_MS = 100
COIL_MA = 400


def kind():
    """Returns the kind in the settings; main.py judges the rest of them, and whether they can be read."""
    try:
        with open("settings.json") as file:
            word = json.load(file).get("kind")
    except (OSError, ValueError, AttributeError):
        word = None
    return word if isinstance(word, str) and word else DEFAULT


def _facts():
    try:
        return __import__("boards." + kind(), None, None, ("KIND",))
    except ImportError:  # a word that is no kind: there is a board nevertheless
        return __import__("boards." + DEFAULT, None, None, ("KIND",))


facts = _facts()
lamp = bench_lamp.Lamp() if facts.KIND == DEFAULT else None
_levels = {}


class Desk:
    """Holds the twins and applies what the files script for them."""

    def __init__(self):
        # The simulator is found only here: a program must not find anything of ours that is not on its chip.
        sys.path.append(__file__.rsplit("/", 3)[0])
        from simulator.twins.board import Machine

        sys.path.pop()
        self.machine = Machine(facts, utime.ticks_ms)
        self.parts = self.machine.parts
        self._said = None
        self._looked_ms = utime.ticks_ms() - LOOK_MS
        self._room = None
        for name in MILLIVOLTS:
            if name in self.parts:
                self.parts[name].millivolts = MILLIVOLTS[name]
        for name in self.parts:
            if hasattr(self.parts[name], "move") and getattr(facts, name + "_ACTIVE_LEVEL", 0) == 1:
                self.parts[name].move(True)
        if hasattr(facts, "ROOM_PART"):
            self._room = bench_room.Room(utime.ticks_ms)
            self._heat(facts.RELAY_PIN, _levels.get(facts.RELAY_PIN, 0))
        self._valves = self.parts.get("MASTER", []) + self.parts.get("ZONES", [])
        self._bridges = [self.parts[name] for name in ("MASTER_BRIDGE", "ZONES_BRIDGE") if name in self.parts]
        for valve, letter in zip(self._valves, _read(VALVES_FILE)):  # noqa: B905 - MicroPython has no strict
            valve.is_open = letter == "1"
        for number in _levels:
            self.machine.Pin(number).value(_levels[number])

    def look(self):
        """Reads the present surroundings."""
        if self._room is not None:
            self.parts["ROOM"].temperature_ck = self._room.temperature_ck()
        if self._bridges:
            self.parts["COIL"].voltage_mv = MILLIVOLTS["CAPACITOR"]
            self.parts["COIL"].current_ma = COIL_MA if any(bridge.drives() for bridge in self._bridges) else 0
        if utime.ticks_ms() - self._looked_ms >= LOOK_MS:
            self._looked_ms = utime.ticks_ms()
            said = _read(PARTS_FILE)
            self._said = json.loads(said) if said else {}
        for name in self._said:
            for word in self._said[name]:
                if word == "closed":
                    self.parts[name].move(self._said[name][word])
                else:
                    setattr(self.parts[name], word, self._said[name][word])

    def drive(self, number, level):
        """Sets the level of a pin from now on."""
        self.machine.Pin(number).value(level)
        if self._room is not None:
            self._heat(number, level)
        if self._valves:
            # Whole or not at all: the process may be killed in between, and a valve has a position all the same.
            with open(VALVES_FILE + ".new", "w") as file:
                file.write("".join(["1" if valve.is_open else "0" for valve in self._valves]))
            os.rename(VALVES_FILE + ".new", VALVES_FILE)

    def _heat(self, number, level):
        if number == facts.RELAY_PIN:
            self._room.heat(level == facts.RELAY_CLOSED_LEVEL)


_desks = []


def desk():
    """Returns the only Desk of the process."""
    if not _desks:
        _desks.append(Desk())
    _desks[0].look()
    return _desks[0]


def drive(number, level, full=1):
    """Accepts an output of the program: its level, or its duty of `full`."""
    if level != _levels.get(number):
        _levels[number] = level
        with open(EDGES_FILE, "a") as file:
            file.write(f"{utime.ticks_ms() - _started_ms} {number} {level}\n")
        if full == 1 and (_desks or hasattr(facts, "ZONES_COUNT")):
            desk().drive(number, level)
    if lamp is not None:
        lamp.drive(number, 65535 * level // full)


def level(number):
    """Returns the level of a pin that is read: its twin's; without one the board pulls it up."""
    if number in _levels:
        return _levels[number]
    return desk().machine.Pin(number).value() if number in _contacts() else 1


def _contacts():
    return [getattr(facts, name[:-5] + "_PIN") for name in dir(facts) if name[-5:] == "_PULL"]


class Guarded:
    """Wraps a twin on a bus whose transfers may block (bench_watchdog), `call` by call."""

    def __init__(self, call, inner):
        self._call = call
        self._inner = inner

    def __getattr__(self, name):
        bench_watchdog.may_block(self._call)
        desk()
        return getattr(self._inner, name)


def _read(name):
    try:
        with open(name) as file:
            return file.read()
    except OSError:
        return ""


_started_ms = utime.ticks_ms()
