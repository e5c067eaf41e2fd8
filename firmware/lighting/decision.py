"""Decides the light that one lamp must give now, and by which rule: recomputed at every turn, never restored.

Precedence (ARCHITECTURE.md): emergency > override > presence > policy > default. An order comes first; `node.orders`
decides which order is in force. An override between dark and full lowers: it gives no more light than that, and less
where the ladder wants less. Below it is the ladder of time and photocell. It ends lit, for "fail lit" costs a few kWh
and "fail dark" costs a fall:

    time known to a minute          the calendar, and the cell around dusk and dawn
    known to a quarter hour         the brightest of what the calendar may want, and the cell likewise
    worse or not at all             the cell alone, dark or bright, within what the sun allows for certain
    no cell                         a clock that was set long ago, if its doubt is at most CARRIED_S: the brightest
    neither                         the fail-safe level

The cell may light up to 45 minutes before sunset and keep lit up to 45 minutes after sunrise, if the calendar switches
by dusk or dawn at all (within 45 minutes of them); never when the sun is above +10°. On a switched feeder, mains at
these times count like a dark cell: the cabinet wants light, and the lamp's clock may be the wrong one. Without a time,
the mains of such a feeder mean night: the contactor closes at dusk, when the sky has ten times the light at which a
cell is dark. A bright cell counts there only after hours of daylight (`Photocell.is_day`): they show that a technician
holds the contactor closed by day. Presence raises the calendar's light, and lights an hour of extinction if the
settings allow it.
"""

from collections import namedtuple

from lighting import limits
from node.trade import LOCK, TEST
from policy import lighting, sun
from wire import node_order

# Rules of a level, as `levelChanged` events carry them, beside those of wire.node_order. Each rule has its reason: an
# order its id; the calendar the integer of policy.lighting; the photocell the lx that decided; any other rule 0.
BOOT = "boot"  # mains have returned: the lamp is lit before anything is known
CALENDAR = "calendar"  # the time is known, to a minute or as the brightest of what may be right
CARRIED = "carried"  # a clock that was set long ago and no photocell: the brightest of what may be right
PHOTOCELL = "photocell"  # earlier than the calendar at dusk, or later at dawn
CELL_ALONE = "photocell-alone"  # no usable time: the cell alone decides
FEEDER = "feeder"  # a switched feeder has mains around dusk or dawn, or at a time unknown: its cabinet wants light
PRESENCE = "presence"  # in no record: the outputs have it, with the triggers of the last hour, for the node's console
NO_TIME = "no-time"  # neither clock nor cell: the fail-safe level

# Rules set by a person: their light is not kept on while another order is expected, and changes without a ramp. TEST: a
# technician at the node tests the lamp; LOCK: a technician has locked it.
BY_HAND = node_order.RULES + (TEST, LOCK)

# The light that a lamp must give, in % (as in policy), with its rule and reason.
Demand = namedtuple("Demand", ("level_percent", "rule", "reason"))


class LightDecision:
    """Decides the demand of one lamp by the ladder. `sunlight`: a Sunlight; `stagger_s` spreads the lamps of a feeder
    against the inrush."""

    def __init__(self, plan, sunlight, *, stagger_s, fail_safe_percent=100, switched=False):
        self._plan = plan
        self.sunlight = sunlight
        self._stagger_s = stagger_s
        self._fail_safe_percent = fail_safe_percent
        self._switched = switched
        self._wanted = None
        self._edges = None
        self._calendar_demand = None

    def decide(self, unix_s, uncertainty_s, order=None, cell=None):
        """Returns the Demand at Unix time `unix_s` (None: unknown), known to ± `uncertainty_s`.

        `order`: the order in force, or None. `cell`: a photocell.Photocell, or None.
        """
        if order is None:
            return self._by_ladder(unix_s, uncertainty_s, cell)
        if lowers(order):
            demand = self._by_ladder(unix_s, uncertainty_s, cell)
            if demand.level_percent < order.level_percent:
                return demand
        return Demand(order.level_percent, order.rule, order.id)

    def _by_ladder(self, unix_s, uncertainty_s, cell):
        if unix_s is not None and uncertainty_s <= limits.USABLE_S:
            return self._by_calendar(unix_s - self._stagger_s, uncertainty_s, cell)
        if cell is not None and cell.reads_dark is not None:
            return self._by_cell(unix_s, uncertainty_s, cell)
        if unix_s is not None and uncertainty_s <= limits.CARRIED_S:
            wanted = self._plan.wanted(unix_s - self._stagger_s, uncertainty_s)
            return Demand(wanted.level_percent, CARRIED, wanted.reason)
        return Demand(self._fail_safe_percent, NO_TIME, 0)

    def holds_s(self, unix_s, uncertainty_s, demand) -> int:
        """Returns for how many seconds `demand`, just decided without a photocell, holds: DECIDED_S at most, 0 where
        more than the calendar decides. A clock that is certain by a second stays so for hours."""
        if demand is not self._calendar_demand or uncertainty_s >= limits.CERTAIN_S:
            return 0
        if self._switched and not demand.level_percent:
            return 0
        # The clock may gain a second before it is read again, and is cut to whole seconds.
        return min(limits.DECIDED_S, self._wanted.until_s + self._stagger_s - unix_s - 2)

    def changes_in_s(self, unix_s):
        """Returns the seconds until the calendar wants another level, 1 at least; None if it was not asked yet."""
        return None if self._wanted is None else max(1, self._wanted.until_s + self._stagger_s - unix_s)

    def side(self, unix_s, uncertainty_s):
        """Returns policy.lighting.DAY or NIGHT an hour or more from dusk and dawn, else TWILIGHT; None without a usable
        time."""
        if unix_s is None or uncertainty_s > limits.USABLE_S:
            return None
        return self._plan.night(unix_s).side(unix_s, lighting.RESTART_MARGIN_S)

    def is_extinction(self, demand, unix_s):
        """Returns True if the demand is the calendar's darkness between sunset and sunrise."""
        if demand.level_percent or demand.rule != CALENDAR or unix_s is None:
            return False
        number = lighting.reason_parts(demand.reason)[1]
        if number in (lighting.NO_STEP, lighting.DAYLIGHT):
            return False
        night = self._plan.night(unix_s)
        return night.sunset_s <= unix_s < night.sunrise_s

    def _by_calendar(self, at_s, uncertainty_s, cell):
        wanted = self._plan.wanted(at_s, uncertainty_s if uncertainty_s > limits.CERTAIN_S else 0)
        if wanted is not self._wanted:  # a turn in which nothing changes allocates nothing
            self._wanted = wanted
            self._calendar_demand = Demand(wanted.level_percent, CALENDAR, wanted.reason)
        demand = self._calendar_demand
        if wanted.level_percent:
            return demand
        is_cell_dark = cell is not None and cell.is_dark
        if not is_cell_dark and not self._switched:
            return demand
        level_percent = self._around(at_s)
        if not level_percent or self.sunlight.elevation_cdeg(at_s) > limits.SUN_DAY_CDEG:
            return demand
        if is_cell_dark:
            return Demand(level_percent, PHOTOCELL, cell.changed_lx)
        return Demand(level_percent, FEEDER, 0)

    def _around(self, at_s):
        """Returns the level that dusk switches on or dawn switches off, when that is near enough; else 0."""
        night = self._plan.night(at_s)
        if self._edges is None or self._edges[0] != night.start_s:
            self._edges = _edges(night)
        _, on, off = self._edges
        if on is not None and night.sunset_s - limits.CELL_WINDOW_S <= at_s < on[0]:
            return on[1]
        if off is not None and off[0] <= at_s < night.sunrise_s + limits.CELL_WINDOW_S:
            return off[1]
        return 0

    def _by_cell(self, unix_s, uncertainty_s, cell):
        is_dark = cell.reads_dark
        by_feeder = self._switched and not is_dark and not cell.is_day
        is_dark = is_dark or by_feeder
        if unix_s is not None and uncertainty_s <= limits.CARRIED_S:
            low, high = self.sunlight.range_cdeg(unix_s, uncertainty_s)
            if high < limits.SUN_NIGHT_CDEG:
                is_dark = True
            elif low > limits.SUN_DAY_CDEG:
                is_dark = False
        if by_feeder and is_dark:
            return Demand(self._fail_safe_percent, FEEDER, 0)
        return Demand(self._fail_safe_percent if is_dark else 0, CELL_ALONE, cell.changed_lx)


def lowers(order):
    """Returns whether an order gives no more light than its level, between dark and full. An emergency lights."""
    return order.rule == node_order.OVERRIDE and 0 < order.level_percent < 100


def _edges(night):
    """Returns (start of the night, (instant, level) of switching on at dusk, the same of switching off at dawn).

    An edge outside the cell's window around sunset or sunrise is None.
    """
    on = off = None
    level = 0
    for instant_s, next_level, _ in night.changes():
        if next_level and not level and on is None:
            on = (instant_s, next_level)
        if level and not next_level:
            off = (instant_s, level)
        level = next_level
    if on is not None and abs(on[0] - night.sunset_s) > limits.CELL_WINDOW_S:
        on = None
    if off is not None and abs(off[0] - night.sunrise_s) > limits.CELL_WINDOW_S:
        off = None
    return night.start_s, on, off


class Sunlight:
    """Computes the sun's elevation at one site, once a minute at most: each takes a chip some 2 ms of floats.

    `site`: policy.lighting.Site.
    """

    def __init__(self, site):
        self._site = site
        self._at_s = None
        self._now_cdeg = 0
        self._range = None  # (from s, ± s, lowest, highest)

    def elevation_cdeg(self, unix_s):
        """Returns the true elevation in 10^-2 degree, at most SUN_EVERY_S old."""
        at_s = self._at_s
        if at_s is None or not at_s <= unix_s < at_s + limits.SUN_EVERY_S:
            self._at_s = unix_s
            self._now_cdeg = self._exact(unix_s)
        return self._now_cdeg

    def range_cdeg(self, unix_s, uncertainty_s):
        """Returns the lowest and the highest elevation that may be right.

        The two ends and the middle give it up to some hours of doubt. They would miss only a noon or midnight between
        them with both ends beyond it, and no day of our latitudes is short enough for that.
        """
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
