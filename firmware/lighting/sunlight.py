"""The sun at one site, asked once a minute at most: its elevation is some 2 ms of floats on the chip."""

from lighting import limits
from policy import sun


class Sunlight:
    """See the module. `site`: policy.lighting.Site."""

    def __init__(self, site):
        self._site = site
        self._at_s = None
        self._now_cdeg = 0
        self._range = None  # (from s, ± s, lowest, highest)

    def elevation_cdeg(self, unix_s):
        """True elevation in 10^-2 degree, at most SUN_EVERY_S old."""
        at_s = self._at_s
        if at_s is None or not at_s <= unix_s < at_s + limits.SUN_EVERY_S:
            self._at_s = unix_s
            self._now_cdeg = self._exact(unix_s)
        return self._now_cdeg

    def range_cdeg(self, unix_s, uncertainty_s):
        """(lowest, highest) that may be right. The two ends tell it up to some hours of doubt: only a whole noon or
        midnight inside, with both ends beyond it, would be missed, and no day of our latitudes is so short."""
        if uncertainty_s <= limits.CERTAIN_S:
            now = self.elevation_cdeg(unix_s)
            return now, now
        known = self._range
        if known is None or known[1] != uncertainty_s or not known[0] <= unix_s < known[0] + limits.SUN_EVERY_S:
            ends = (self._exact(unix_s - uncertainty_s), self._exact(unix_s), self._exact(unix_s + uncertainty_s))
            known = self._range = (unix_s, uncertainty_s, min(ends), max(ends))
        return known[2], known[3]

    def _exact(self, unix_s):
        return sun.elevation_cdeg(unix_s, self._site.latitude_e4, self._site.longitude_e4)
