"""Keeps a lamp lit whose output holds a level by itself, when no application does: in the rescue, without usable
settings, and when no program can be imported.

The relay and the dimming pin are as boot.py set them. A DALI gear holds its last level through every reset, so it is
told to give full light again and again. A meter in the bridge's place receives lines that are no commands of its own.
"""

COMMAND_EVERY_MS = 10_000


class LampLight:
    """Lights the lamp by the pins of `board` (boards/<kind>). Call `turn` in every turn; it never ends."""

    is_brief = False

    def __init__(self, board, machine, *, now_ms):
        self._bridge = board.open_dali(machine)
        self._command_ms = now_ms
        self.deadline_ms = None

    def turn(self, *, now_ms, wanted=None) -> bool:
        """Does what is due and returns True. It lights the lamp for every value of `wanted`."""
        if now_ms >= self._command_ms:
            self._command_ms = now_ms + COMMAND_EVERY_MS
            self._bridge.light_every_gear()
        return True
