"""Reports the events of one lamp, and omits those that are not worth a record; the application drains them.

A change of level is reported with its rule and reason, with the last reported level as the previous one, so that the
reports make a chain. Boosts by presence are in no report. An asset record is reported when it differs from the one that
was reported last.
"""

from binascii import crc32

from wire import event, quantity
from wire import limits as wire_limits

_SENSOR = "photocell"
_SILENT = "silent"


class LampReports:
    """Keeps what was reported last.

    `asset_known`: checksum of the asset record that was reported last, 0 for none. `demand`: the light at the start.
    """

    def __init__(self, asset_known, demand):
        self.asset_known = asset_known
        self._demand = demand  # as reported last
        self._events = []
        self._stuck = None
        self._is_silent = False
        self._is_presence_failed = False

    def restore(self, stuck, is_silent, is_presence_failed):
        """Restores the faults of cell and detector that were reported before this start."""
        self._stuck = stuck
        self._is_silent = is_silent
        self._is_presence_failed = is_presence_failed

    def drain(self):
        """Returns [(event code, active, detail)] since the last call."""
        events = self._events
        if events:
            self._events = []
        return events

    def report_level(self, demand):
        """Reports a new demand, without presence."""
        detail = (demand.level_percent, self._demand.level_percent, demand.rule, demand.reason)
        self._demand = demand
        self._events.append((event.LEVEL_CHANGED, None, detail))

    def report_faults(self, changes, readings, level_percent):
        """Reports [(code, begins)] with the readings that showed each change."""
        for code, begins in changes:
            self._events.append((code, begins, _shown(readings, level_percent)))

    def report_identified(self, shown):
        """Reports what a lighting.identification.Identification has measured."""
        self._events.append((event.IDENTIFIED, None, (shown.level_percent, shown.before_dw, shown.power_dw)))

    def report_gear(self, changes, readings, level_percent):
        """Reports [(code, begins, detail or None)] of a gear."""
        for code, begins, detail in changes:
            self._events.append((code, begins, _shown(readings, level_percent) if detail is None else detail))

    def report_photocell(self, cell):
        """Reports the begin and end of a photocell that is stuck or silent."""
        if cell.stuck != self._stuck:
            self._events.append((event.PHOTOCELL_FAILURE, cell.stuck is not None, (cell.stuck or self._stuck,)))
            self._stuck = cell.stuck
        if cell.is_silent != self._is_silent:
            self._is_silent = cell.is_silent
            self._events.append((event.SENSOR_FAILURE, cell.is_silent, (_SENSOR, _SILENT)))

    def report_detector(self, is_failed):
        """Reports the begin and end of a detector that triggers without an end."""
        if is_failed != self._is_presence_failed:
            self._is_presence_failed = is_failed
            self._events.append((event.PRESENCE_SENSOR_FAILURE, is_failed, None))

    def report_asset(self, asset, ratings):
        """Reports the dali_banks.Asset that a gear holds, with its Ratings or None."""
        detail = _recorded(tuple(asset) + (tuple(ratings) if ratings is not None else (None, None, None)))
        known = crc32(repr(detail).encode()) & 0xFFFFFFFF or 1
        if known != self.asset_known:
            self.asset_known = known
            self._events.append((event.LAMP_ASSET, None, detail))


def _recorded(values):
    """Returns the values as a record carries them: the 64-bit id as decimal digits, texts cut to a record's length."""
    detail = []
    for value in values:
        if isinstance(value, str):
            value = value[: wire_limits.TEXT_BYTES_MAX]
        elif value is not None and value > wire_limits.READING_ABS_MAX:
            value = str(value)
        detail.append(value)
    return tuple(detail)


def _shown(readings, level_percent):
    shown = dict(readings)
    shown[quantity.LEVEL_ORDERED] = level_percent
    return shown
