"""Drives the lamp: a relay feeds its gear, which a PWM dims as 0-10 V, or which cannot be dimmed.

Below 1 V a 0-10 V gear gives its minimum and does not switch off: only the relay makes level 0. Which pin level closes
the relay and whether the output stage inverts are facts of the board (boards/streetlight.py). Must not decide levels.
"""

DUTY_MAX = 65535
# 1 V: the gear treats less like 1 V.
LEVEL_MIN_PERCENT = 10


class Dimmer:
    """Dims by 0-10 V. `relay` has `value(level)`, `pwm` has `duty_u16(duty)`: those of `machine`, or a twin's."""

    def __init__(self, relay, pwm, *, relay_closed_level, inverted):
        self._relay = relay
        self._pwm = pwm
        self._closed = relay_closed_level
        self._inverted = inverted
        self.level_percent = None

    def set_level(self, percent) -> None:
        """Opens the relay for 0; closes it with 1 to 10 V, linear, for 1 to 100. Does nothing when the level is
        unchanged."""
        assert 0 <= percent <= 100
        if percent == self.level_percent:
            return
        # The voltage first: a relay that closes first would flash the old level.
        self._pwm.duty_u16(duty(percent, self._inverted))
        self._relay.value(self._closed if percent else 1 - self._closed)
        self.level_percent = percent


class Switch:
    """Switches a lamp that cannot be dimmed, only by its relay."""

    def __init__(self, relay, *, relay_closed_level):
        self._relay = relay
        self._closed = relay_closed_level
        self.level_percent = None

    def set_level(self, percent) -> None:
        """Opens the relay for 0 and closes it for any other level."""
        assert 0 <= percent <= 100
        if percent == self.level_percent:
            return
        self._relay.value(self._closed if percent else 1 - self._closed)
        self.level_percent = percent


def duty(percent, inverted) -> int:
    """Returns the PWM duty, of 65535, for a level; 0 % keeps the output at 0 V."""
    plain = DUTY_MAX * (max(percent, LEVEL_MIN_PERCENT) if percent else 0) // 100
    return DUTY_MAX - plain if inverted else plain
