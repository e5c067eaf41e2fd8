"""Evaluates the watering policy: zones, programmes and the bans of drought law, all of them data, at an instant.

Vocabulary. A *zone* is the area that one valve waters: a use (in the terms of drought orders), a plant, a soil, a
slope, an emitter. A *program* sets the days, the start or the finish, and the amount: a depth, or by the water balance.
A *ban* forbids uses at some hours from a drought level on (level 0: always, such as a park's opening hours). An
*exemption* lifts bans of drought for a use or an emitter, with its authority and text, so that "no watering in a
forbidden window without a recorded exemption" can be checked.

1. The national minimum (`NATIONAL`) and the document's bans hold together: local data can only be stricter. Less
   strict hours take an exemption.
2. A drought level is a lease. Once it has expired, the stricter of the last known level and "alerte" holds.
3. A doubt about the time widens every window on both sides.

Integers only; knows no clock, no weather and no water. The plain form and its faults are in `watering_form`.
"""

from collections import namedtuple

from policy import civil, sun

# Uses, in the words of drought orders: pelouses, massifs fleuris, potagers, terrains de sport, arbres et arbustes,
# plantations de moins de trois ans.
LAWN, BEDS, KITCHEN_GARDEN, SPORTS, SHRUBS, YOUNG_PLANTING = range(6)
USES = ("lawn", "beds", "kitchen-garden", "sports", "shrubs", "young-planting")
EVERY_USE = 0b111111

SPRAY, ROTOR, DRIP = range(3)
EVERY_EMITTER = 0b111
# By emitter: distribution uniformity in % where the zone does not give its own, and whether wind carries the water
# away.
EMITTERS = ((70, True), (75, True), (90, False))

# Drought levels of `wire.directive`.
NONE, VIGILANCE, ALERTE, ALERTE_RENFORCEE, CRISE = range(5)

# Plain tables, here and below: a chip reads them in place, from its program.
# kc and p in %, root depth in mm. FAO-56 tables 12 and 22, municipal root depths: cool- and warm-season turf, shrubs
# and trees, flower beds, vegetables.
KC_PERCENT, P_PERCENT, ROOT_MM = range(3)
PLANTS = ((95, 40, 250), (85, 50, 250), (70, 50, 500), (90, 35, 250), (100, 35, 300))

# Water content at field capacity and at wilting point in permille: FAO-56 table 19, middle of its ranges; it has no
# clay loam, and its silt clay loam stands for it. Basic intake rate in 0.1 mm/h (0.60 to 0.10 inch/h), and water that
# may stand on the surface in 0.1 mm for slopes of 0-3, 4-6, 7-12 and more than 12 % (0.40 to 0.10 inch): the
# Irrigation Association's two tables for controllers, basic soil intake rate and allowable surface accumulation.
CAPACITY, WILTING, INTAKE_DMM_H, SURFACE_DMM = range(4)
SOILS = (
    (120, 45, 152, (102, 89, 76, 64)),  # sand
    (150, 65, 127, (91, 76, 66, 56)),  # loamy sand
    (230, 110, 102, (84, 74, 61, 51)),  # sandy loam
    (250, 120, 89, (76, 64, 53, 43)),  # loam
    (335, 205, 51, (66, 56, 46, 38)),  # clay loam
    (360, 230, 38, (58, 48, 41, 33)),  # silty clay
    (360, 220, 25, (51, 38, 25, 25)),  # clay
)

# area_dm2: 0.01 m2; flow_ml_min: as designed; efficiency_percent 0: the emitter's; group: zones of one group do not run
# together; metered: its water passes the node's meter; run_max_s: in one start.
Zone = namedtuple(
    "Zone",
    (
        "use",
        "plant",
        "soil",
        "slope_percent",
        "emitter",
        "area_dm2",
        "flow_ml_min",
        "efficiency_percent",
        "group",
        "metered",
        "run_max_s",
    ),
)

# On which days: weekdays (bit 0 = Monday), every n-th day, odd or even days of the month, one date, or days of each
# month (bit 0 = the first; a day that a month lacks falls on its last day).
WEEKLY, INTERVAL, ODD, EVEN, ONCE, MONTHLY = range(6)
CLOCK, SUNRISE, SUNSET = range(3)
START, FINISH = range(2)

# days: for WEEKLY and MONTHLY the bits, for INTERVAL the number of days, for ONCE year * 10000 + month * 100 + day.
# first, last: the season, month * 100 + day inclusive, both 0 for all year. reference, minutes: as in a lighting step;
# anchor: whether watering starts then or has finished then. zones: bit 0 = zone 1. depth_dmm: 0: by the balance.
Program = namedtuple(
    "Program", ("kind", "days", "first", "last", "reference", "minutes", "anchor", "zones", "depth_dmm")
)
# Columns of a ban, the document's (watering_form.Ban, which also has its authority and text) or the national one. uses:
# bits; from_min, to_min: minutes after 00:00 local, over midnight if to is not after from.
LEVEL, OF_USES, WEEKDAYS, FROM_MIN, TO_MIN = range(5)
# exemptions: tuples of watering_form.Exemption; few documents have one.
Watering = namedtuple("Watering", ("zones", "programs", "bans", "exemptions"))

EVERY_DAY = 0b1111111
_GREEN = 0b000011  # lawn and beds
_LATER = 0b111100  # all but these
# At "crise" prefectures differ about kitchen gardens and sports fields: some forbid them, some leave the nights or the
# fields of national contests. Their order says it, as a ban of the document with its text; `watering_form` asks for it.
BY_ORDER = 0b001100
# The national minimum for collectivities: Ministère de la transition écologique, "Guide sécheresse, mesures minimales
# de restriction", edition of 2023; prefects' orders may be stricter.
NATIONAL = (
    (ALERTE, EVERY_USE, EVERY_DAY, 11 * 60, 18 * 60),
    (ALERTE_RENFORCEE, _GREEN, EVERY_DAY, 0, 1440),
    (ALERTE_RENFORCEE, _LATER, EVERY_DAY, 9 * 60, 20 * 60),
    (CRISE, EVERY_USE & ~BY_ORDER, EVERY_DAY, 0, 1440),
)


def level_in_force(received, last_known):
    """Returns the drought level that binds. `received`: the level of a directive in force, or None; `last_known`: the
    last level of this or an earlier boot, or None."""
    if received is not None:
        return received
    return ALERTE if last_known is None else max(last_known, ALERTE)


def forbidding(watering, zone, level, unix_s, slack_s=0):
    """Returns the first ban that forbids the Zone to be watered at `unix_s` ± `slack_s`, or None."""
    local = civil.local_from_unix(civil.PARIS, unix_s)
    for bans in (NATIONAL, watering.bans):
        for ban in bans:
            if not _binds(watering, ban, zone, level, local.civil_day):
                continue
            begins, ends = _window(ban)
            for day in (-1, 0, 1):
                second = local.second - day * civil.day_s
                if begins - slack_s <= second < ends + slack_s and _falls_on(ban, local.civil_day + day):
                    return ban
    return None


def free_for_s(watering, zone, level, unix_s, slack_s=0):
    """Returns for how many seconds from `unix_s` the Zone may be watered: 0 when it may not now, a day at most."""
    if forbidding(watering, zone, level, unix_s, slack_s) is not None:
        return 0
    local = civil.local_from_unix(civil.PARIS, unix_s)
    free_s = civil.day_s
    for bans in (NATIONAL, watering.bans):
        for ban in bans:
            if _binds(watering, ban, zone, level, local.civil_day):
                for day in (local.civil_day, local.civil_day + 1):
                    # An instant and no difference of wall clocks: in a night of March an hour is missing.
                    begins = civil.unix_from_local(civil.PARIS, day, _window(ban)[0]) - slack_s - unix_s
                    if 0 < begins < free_s and _falls_on(ban, day):
                        free_s = begins
    return free_s


def exempting(watering, ban, zone, civil_day):
    """Returns the exemption that lifts a ban of drought for the Zone on this day, or None."""
    if ban[LEVEL] == NONE or not watering.exemptions:
        return None
    year, month, day = civil.civil_from_days(civil_day)
    date = year * 10000 + month * 100 + day
    for one in watering.exemptions:
        aimed = one.uses >> zone.use & 1 and one.emitters >> zone.emitter & 1
        if aimed and ban[LEVEL] <= one.up_to and one.first <= date <= one.last:
            return one
    return None


def matches(program, civil_day):
    """Returns whether the Program has a start on this civil day."""
    if program.kind == WEEKLY and not program.days >> civil.weekday(civil_day) & 1:
        return False
    if program.kind == INTERVAL and civil_day % program.days:
        return False
    year, month, day = civil.civil_from_days(civil_day)
    if not _in_season(program.first, program.last, month * 100 + day):
        return False
    if program.kind in (WEEKLY, INTERVAL):
        return True
    if program.kind == ONCE:
        return program.days == year * 10000 + month * 100 + day
    if program.kind == MONTHLY:
        left = program.days >> day - 1
        return left & 1 == 1 or (left > 0 and civil.civil_from_days(civil_day + 1)[2] == 1)
    return day % 2 == (1 if program.kind == ODD else 0)


def instant_s(program, site, civil_day):
    """Returns the Unix second of the Program's start (or finish, by its anchor) on a civil day; where the sun does not
    cross the horizon, 06:00."""
    if program.reference == CLOCK:
        return civil.unix_from_local(site.zone, civil_day, program.minutes * 60)
    rising = program.reference == SUNRISE
    event = sun.crossing_s(civil_day, site.latitude_e4, site.longitude_e4, rising=rising)
    if event is None:
        event = civil.unix_from_local(site.zone, civil_day, 6 * 3600)
    return event + program.minutes * 60


def efficiency_percent(zone):
    """Returns the share of the water that reaches the roots, in %."""
    return zone.efficiency_percent or EMITTERS[zone.emitter][0]


def wind_matters(zone):
    """Returns whether wind carries the Zone's water away."""
    return EMITTERS[zone.emitter][1]


def _binds(watering, ban, zone, level, civil_day):
    if level < ban[LEVEL] or not ban[OF_USES] >> zone.use & 1:
        return False
    return exempting(watering, ban, zone, civil_day) is None


def _window(ban):
    """Returns (first, last + 1) of a ban's hours, in seconds after 00:00 of the day on which they begin."""
    from_min, to_min = ban[FROM_MIN], ban[TO_MIN]
    return (from_min * 60, (to_min if to_min > from_min else to_min + 1440) * 60)


def _falls_on(ban, civil_day):
    return ban[WEEKDAYS] >> civil.weekday(civil_day) & 1


def _in_season(first, last, date):
    if first == 0:
        return True
    if first <= last:
        return first <= date <= last
    return date >= first or date <= last
