"""A root zone: what really happens to the water that falls on it. A bucket after FAO-56 with parameters of its own.

The true field capacity, intake and distribution differ from what the node's settings say, by the seed: a node that is
only right on its own model must be seen. Water beyond what the soil takes in stands on the surface; beyond what the
surface holds it runs off; beyond field capacity it drains. Depths in 0.001 mm, quantised at each step.
"""

from policy import watering as policy
from simulator.world.chance import Prng

# Intake on a slope, % of the flat one, and column of the surface table: up to this slope in %.
_SLOPES = ((3, 100, 0), (6, 80, 1), (12, 60, 2), (100, 40, 3))


class Plot:
    """One zone's soil. `seed`: of its own deviation from the book."""

    def __init__(self, zone: policy.Zone, prng: Prng) -> None:
        self.zone = zone
        kc_percent, p_percent, root_mm = policy.PLANTS[zone.plant]
        capacity, wilting, intake_dmm_h, surface_dmm = policy.SOILS[zone.soil]
        _, percent, column = next(slope for slope in _SLOPES if zone.slope_percent <= slope[0])
        # Permille of millimetres are micrometres.
        self.total_um = (capacity - wilting) * root_mm * prng.between(880, 1120) // 1000
        self.readily_um = self.total_um * p_percent // 100
        self.kc_permille = 10 * kc_percent * prng.between(930, 1070) // 1000
        self._intake_um_h = intake_dmm_h * percent * prng.between(900, 1300) // 1000
        self._surface_um = 100 * surface_dmm[column] * prng.between(900, 1150) // 1000
        self._efficiency = policy.efficiency_percent(zone) + prng.between(-4, 6)
        self.depletion_um = self.readily_um // 2
        self.standing_um = 0
        self.drained_um = 0
        self.run_off_um = 0
        self.uneven_um = 0
        self.transpired_um = 0

    def stressed(self) -> bool:
        """True when the plants take up less than they would: Ks < 1."""
        return self.depletion_um > self.readily_um

    def step(self, seconds: int, *, irrigation_um: int, rain_um: int, et0_um: int) -> None:
        """`seconds` of the world: water on the surface, into the soil, out of the leaves."""
        useful_um = irrigation_um * self._efficiency // 100
        self.uneven_um += irrigation_um - useful_um  # beside the plants, or twice where it was wet already
        self.standing_um += useful_um + rain_um
        taken = min(self.standing_um, self._intake_um_h * seconds // 3600)
        self.standing_um -= taken
        if self.standing_um > self._surface_um:
            self.run_off_um += self.standing_um - self._surface_um
            self.standing_um = self._surface_um
        wanted = et0_um * self.kc_permille // 1000
        if self.stressed():
            left = self.total_um - self.depletion_um
            wanted = wanted * left // (self.total_um - self.readily_um)
        self.transpired_um += wanted
        self.depletion_um += wanted - taken
        if self.depletion_um < 0:
            self.drained_um -= self.depletion_um
            self.depletion_um = 0
        self.depletion_um = min(self.depletion_um, self.total_um)
