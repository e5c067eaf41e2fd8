"""Models a Li-ion cell with a small panel, and its load, an irrigation board. Integers; the same on every machine.

Currents are from data sheets, at the cell's own voltage (the board's regulator is a linear one):

    asleep      ESP32-S3 8 uA with RTC memory and timer (data sheet, Current Consumption; 8 uA measured on a DevKitM);
                DS3231 110 uA of its supply pin (19-5170, standby supply current, 3.3 V); INA226 in power-down 2 uA
                (SBOS547); dividers, Schmitt triggers, regulator and bridges together 20 uA
    awake       ESP32-S3 at work without a radio, 32 mA at 240 MHz (measured on a DevKitM; the WROOM's data sheet says
                22 to 40), sensors 1 mA
    on the air  95 mA: Wi-Fi receives at some 90 mA and sends at 340 mA for a hundredth of the time (data sheet, RF)
    a pulse     1 J with the boost converter's losses (watering.lockouts)

The cell's voltage is that of its charge at rest, in straight lines. Its inner resistance is left out: a pulse through a
capacitor is not affected by it. The panel gives its current in proportion to the sun, flat on the lid.
"""

from itertools import pairwise

ASLEEP_UA = 140
AWAKE_UA = 33_000
RADIO_UA = 95_000
PULSE_UAH = 75  # 1 J at 3.7 V
# mV by percent of charge.
_CURVE = ((0, 3000), (5, 3450), (10, 3550), (20, 3630), (50, 3740), (80, 3960), (100, 4150))
_SUN_FULL_W = 1000
_CHARGED_PERMILLE = 950


class Battery:
    """Models the cell and its panel.

    `panel_ma`: of the panel in full sun, 0 without one; `permille`: charge at the begin.
    """

    def __init__(self, capacity_mah: int, *, panel_ma: int = 0, permille: int = 800) -> None:
        self._capacity_uas = capacity_mah * 1000 * 3600
        self._charge_uas = self._capacity_uas * permille // 1000
        self._panel_ma = panel_ma
        self.drawn_uas = 0
        self.gained_uas = 0

    @property
    def is_empty(self) -> bool:
        return self._charge_uas == 0

    def draw(self, current_ua: int, for_ms: int) -> None:
        """Draws a current for a time."""
        drawn = min(self._charge_uas, current_ua * for_ms // 1000)
        self.drawn_uas += drawn
        self._charge_uas -= drawn

    def shine(self, sun_w: int, for_s: int) -> None:
        """Charges from the sun on the lid, W/m2."""
        gained = self._panel_ma * 1000 * sun_w // _SUN_FULL_W * for_s * _CHARGED_PERMILLE // 1000
        gained = min(gained, self._capacity_uas - self._charge_uas)
        self.gained_uas += gained
        self._charge_uas += gained

    def drain_to(self, permille: int) -> None:
        """Leaves at most this charge, as in a cell that was forgotten."""
        self._charge_uas = min(self._charge_uas, self._capacity_uas * permille // 1000)

    def permille(self) -> int:
        return self._charge_uas * 1000 // self._capacity_uas

    def millivolts(self) -> int:
        """Returns the voltage at rest; 0 when the cell is empty and its protection has cut it off."""
        if self.is_empty:
            return 0
        permille = self.permille()
        for (low, low_mv), (high, high_mv) in pairwise(_CURVE):
            if permille <= 10 * high:
                return low_mv + (high_mv - low_mv) * (permille - 10 * low) // (10 * (high - low))
        return _CURVE[-1][1]
