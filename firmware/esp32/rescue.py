"""Runs instead of the application when three starts of it have failed. The rescue program is in a folder of its own
(`r`) with the modules it needs, put there with the board and never updated, and the same shell (`main`) turns it.

It leaves the outputs safe as `boot.py` set them. Where that is not enough the board's stand-in does more: valves that
stay open without current are pulsed shut at once (`drivers.shutter`), a room is heated a quarter of the time against
frost (`drivers.frost_heat`), a lamp whose output holds a level by itself is lit (`drivers.lamp_light`). It reports that
it is the rescue and why, asks for a new image every two minutes, and after an hour gives the application one more try.
It reads only the settings that every kind has, so that a fault in the others, or an unknown kind, does not keep it from
the link. It decides nothing of the trade and obeys no orders; but a technician's lock switches the outputs off, since a
hand may be in the valve.
"""

from collections import namedtuple

import boot

from node import settings as node_settings
from node.trade import LOCK, TEST, Trade
from wire import quantity

KIND = "rescue"
FIELDS = ()
BOARD_TEMPERATURE = quantity.TEMPERATURE

# The `wanted` of the stand-in for each of a technician's words; without one it follows only its own timing.
WANTED = {LOCK: False, TEST: True}

Own = namedtuple("Own", ())


def common(plain):
    """Keeps the settings that every kind of node has."""
    if not isinstance(plain, dict):
        return plain
    return {name: plain[name] for name in plain if name in node_settings.KNOWN}


def decode(faults, plain):
    """Returns the rescue's own settings: it has none."""
    return Own()


class RescueTrade(Trade):
    """Reports under the node's own kind, by which the register knows it; RESCUE_MODE reports the rescue. The
    application's memory is kept for it: hours of a lamp, litres of the day."""

    def __init__(self, kind, memory, ports):
        self.kind = kind
        self._memory = memory
        self._ports = ports

    def declines(self, moment):
        return "rescue"

    def memory(self, now_ms):
        return self._memory

    def decide(self, moment):
        self.outputs = self.local

    def deadline_ms(self, now_ms):
        return self._ports.deadline_ms


class Ports:
    """Turns the board's stand-in. `outputs` is the technician's wish (a word of node.trade, or None). There is nothing
    to sample."""

    def __init__(self, board, machine, *, now_ms):
        self._stand_in = None
        # When `apply` is due at the latest, or None.
        self.deadline_ms = None
        if hasattr(board, "stand_in"):
            try:
                self._stand_in = board.stand_in()(board, machine, now_ms=now_ms)
            except (AttributeError, ImportError, OSError, ValueError) as error:
                print("rescue: the outputs:", repr(error))  # the link is more important

    def safe(self):
        boot.safe_outputs()

    def apply(self, outputs, *, now_ms):
        if self._stand_in is None:
            return
        if not self._stand_in.turn(now_ms=now_ms, wanted=WANTED.get(outputs)):
            self._stand_in = None
        self.deadline_ms = None if self._stand_in is None else self._stand_in.deadline_ms

    def begin_sample(self, *, now_ms):
        """Does nothing: there is nothing to sample."""

    def collect(self, *, now_ms):
        return {}
