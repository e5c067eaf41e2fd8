"""Keeps a lamp lit whose output holds a level by itself, when no application does: in the rescue, without usable
settings, and when no program can be imported.

The relay and the dimming pin are as boot.py set them. A converter chip (MCP4725) holds its last voltage through every
reset, and a DALI gear its last level, so both are set to full light again and again: the one that is not fitted does
not answer. A meter in the bridge's place receives lines that are no commands of its own.
"""

from drivers.i2c_bus import open_bus

COMMAND_EVERY_MS = 10_000


class LampLight:
    """Lights the lamp by the pins of `board` (boards/<kind>). Call `turn` in every turn; it never ends."""

    is_brief = False

    def __init__(self, board, machine, *, now_ms):
        self._converter = board.open_dac(open_bus(machine, board))
        self._full_mv = board.DAC_FULL_MV
        self._bridge = board.open_dali(machine)
        self._command_ms = now_ms
        self.deadline_ms = None

    def turn(self, *, now_ms, wanted=None) -> bool:
        """Does what is due and returns True. It lights the lamp for every value of `wanted`."""
        self._converter.set(self._full_mv, now_ms=now_ms)
        if now_ms >= self._command_ms:
            self._command_ms = now_ms + COMMAND_EVERY_MS
            self._bridge.light_every_gear()
        return True
