"""The water balance of a root zone by FAO-56 chapter 8, in integers.

Depths are in 0.01 mm (`cmm`), so a day's ET0 of 0.01 mm loses nothing and a season's sum does not drift. Depletion is
what the root zone lacks to field capacity: 0 is full, TAW is the wilting point. Whatever comes in, it stays between.

Holds no state: the trade keeps one integer a zone.
"""

from policy import watering as policy


def total_cmm(zone) -> int:
    """Equation 82: total available water, TAW."""
    soil, root_mm = policy.SOILS[zone.soil], policy.PLANTS[zone.plant][policy.ROOT_MM]
    return (soil[policy.CAPACITY] - soil[policy.WILTING]) * root_mm // 10


def crop_cmm(zone, et0_cmm: int) -> int:
    """Equation 58: ETc of a day from ET0."""
    return et0_cmm * policy.PLANTS[zone.plant][policy.KC_PERCENT] // 100


def fraction_permille(zone, etc_cmm: int) -> int:
    """p of table 22, adjusted to the day: p + 0.04 (5 - ETc), 0.1 to 0.8."""
    adjusted = 10 * policy.PLANTS[zone.plant][policy.P_PERCENT] + 40 * (500 - etc_cmm) // 100
    return min(800, max(100, adjusted))


def readily_cmm(zone, etc_cmm: int) -> int:
    """Equation 83: readily available water, RAW = p TAW: the depletion at which watering is due."""
    return fraction_permille(zone, etc_cmm) * total_cmm(zone) // 1000


def stress_permille(total: int, readily: int, depletion: int) -> int:
    """Equation 84: Ks, 1000 without stress, 0 at the wilting point."""
    if depletion <= readily:
        return 1000
    return max(0, 1000 * (total - depletion) // (total - readily))


def effective_cmm(rain_cmm: int, et0_cmm: int) -> int:
    """Rain that reaches the roots: what is below a fifth of ET0 evaporates from leaves (chapter 8)."""
    return max(0, rain_cmm - et0_cmm // 5)


def after_day(zone, depletion: int, et0_cmm: int, rain_cmm: int) -> int:
    """Equation 85 over a day without irrigation; rain beyond field capacity drains."""
    total = total_cmm(zone)
    etc = crop_cmm(zone, et0_cmm)
    lost = etc * stress_permille(total, readily_cmm(zone, etc), depletion) // 1000
    return bounded(total, depletion + lost - effective_cmm(rain_cmm, et0_cmm))


def bounded(total: int, depletion: int) -> int:
    """Equation 86."""
    return min(total, max(0, depletion))
