"""Models the room around a thermostat on the bench: warmed by the closed relay, always cooling to outdoors."""

START_CK = 1700
OUTDOOR_CK = 0
HEATER_CK_PER_H = 300
# After this time without heat about a third of the difference to outdoors is left.
LOSS_H = 40
_HOUR_MS = 3_600_000


class Room:
    """Models one heated room. `ticks_ms` is the bench's clock."""

    def __init__(self, ticks_ms):
        self._ticks_ms = ticks_ms
        self._at_ms = ticks_ms()
        self._parts = START_CK * LOSS_H * _HOUR_MS
        self._is_heated = False

    def heat(self, on):
        """Sets the heat from now on."""
        self.temperature_ck()
        self._is_heated = on

    def temperature_ck(self):
        """Returns the present temperature in 0.01 °C."""
        passed_ms = self._ticks_ms() - self._at_ms
        self._at_ms += passed_ms
        rate = LOSS_H * HEATER_CK_PER_H if self._is_heated else 0
        rate -= self._parts // (LOSS_H * _HOUR_MS) - OUTDOOR_CK
        self._parts += passed_ms * rate
        return self._parts // (LOSS_H * _HOUR_MS)
