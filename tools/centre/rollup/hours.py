"""Computes the figures of hours from the readings of one node, in exact integers. No database, no clock.

Two readings of one quantity that follow each other in one boot, at most APART_S_MAX apart, cover the time between
them: what a register counted is divided over it in proportion, to the Wh or litre, and a temperature or a lamp is taken
to stay as the earlier reading has it. Energy and water whose hours are not known so (over a longer gap, a restart, a
clock that was set back) count in the hour of the later reading, and in `bridged` as well: the sum is what the meter
counted, by the rules of `Archive.energy_wh`, and a gap is seen as one.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from policy import civil
from tools.centre.limits import APART_S_MAX, LIT_DW
from wire import quantity

HOUR_S = 3600
_REGISTERS = (quantity.ENERGY, quantity.WATER_VOLUME)
_MEASURED = (*_REGISTERS, quantity.POWER, quantity.TEMPERATURE)


class Entry(NamedTuple):
    """Holds the readings of one record whose time is known."""

    boot: int
    unix_s: int
    readings: dict[int, int]


class Figures(NamedTuple):
    """Holds what one hour or day of one channel has, in the order of the tables (`store.rollup_tables`)."""

    covered_s: int
    energy_wh: int | None = None
    bridged_wh: int | None = None
    water_l: int | None = None
    bridged_l: int | None = None
    temperature_ck_s: int | None = None
    lit_s: int | None = None
    unlit_s: int | None = None


class _Sum:
    """Sums one quantity over one hour."""

    __slots__ = ("bridged", "covered_s", "total")

    def __init__(self) -> None:
        self.total = self.bridged = self.covered_s = 0


def measured(readings: dict[int, int]) -> list[int]:
    """Returns those keys of readings that hours are made of.

    The power of a lamp or a feeder says whether it is lit: what reports no ordered level is neither. The temperature is
    that of a room or a lawn, not of a lamp's board.
    """
    found = []
    for key in readings:
        code = key % quantity.CHANNEL_STEP
        if code not in _MEASURED:
            continue
        level = key - code + quantity.LEVEL_ORDERED
        if code in _REGISTERS or (
            level in readings if code == quantity.POWER else key == quantity.TEMPERATURE and level not in readings
        ):
            found.append(key)
    return found


def figures(entries: Iterable[Entry]) -> dict[tuple[int, int], Figures]:
    """Returns `{(hour_unix_s, channel): figures}` of entries in order of (boot, sequence)."""
    sums: dict[tuple[int, int], _Sum] = {}
    before: dict[int, Entry] = {}
    for entry in entries:
        for key in measured(entry.readings):
            earlier = before.get(key)
            if earlier is not None:
                _add(sums, key, earlier, entry)
            before[key] = entry
    return _by_channel(sums)


def total(hours: Iterable[Figures]) -> Figures:
    """Returns the sum of hours; a figure that none has is None."""
    columns = list(zip(*hours, strict=True))
    summed = [sum(held) if (held := [value for value in column if value is not None]) else None for column in columns]
    return Figures._make(summed)


def _add(sums, key, earlier, later):
    value = earlier.readings[key]
    difference = later.readings[key] - value
    code = key % quantity.CHANNEL_STEP
    apart_s = later.unix_s - earlier.unix_s
    if earlier.boot != later.boot or not 0 < apart_s <= APART_S_MAX:
        # Over a start a register that is lower has restarted (`Archive.energy_wh`); within a boot it is not corrected.
        if code in _REGISTERS and (difference > 0 or earlier.boot == later.boot):
            one = _sum(sums, later.unix_s, key)
            one.total += difference
            one.bridged += difference
        return
    for from_s, until_s in _pieces(earlier.unix_s, later.unix_s):
        one = _sum(sums, from_s, key)
        one.covered_s += until_s - from_s
        if code in _REGISTERS:
            one.total += _share(difference, earlier.unix_s, until_s, apart_s)
            one.total -= _share(difference, earlier.unix_s, from_s, apart_s)
        elif code == quantity.POWER:
            one.total += (until_s - from_s) * (value > LIT_DW)
        else:
            one.total += (until_s - from_s) * value


def _share(difference, since_s, at_s, apart_s):
    return difference * (at_s - since_s) // apart_s


def _sum(sums, unix_s, key) -> _Sum:
    place = unix_s - unix_s % HOUR_S, key
    if place not in sums:
        sums[place] = _Sum()
    return sums[place]


def _pieces(since_s: int, until_s: int) -> Iterator[tuple[int, int]]:
    """Returns the parts of a time in each hour."""
    while since_s < until_s:
        end_s = min(until_s, since_s - since_s % HOUR_S + HOUR_S)
        yield since_s, end_s
        since_s = end_s


def _by_channel(sums):
    found: dict[tuple[int, int], Figures] = {}
    for (hour, key), one in sums.items():
        channel, code = divmod(key, quantity.CHANNEL_STEP)
        made = found.get((hour, channel), Figures(0))
        made = made._replace(covered_s=max(made.covered_s, one.covered_s))
        if code == quantity.ENERGY:
            made = made._replace(energy_wh=one.total, bridged_wh=one.bridged)
        elif code == quantity.WATER_VOLUME:
            made = made._replace(water_l=one.total, bridged_l=one.bridged)
        elif code == quantity.POWER:
            made = made._replace(lit_s=one.total, unlit_s=one.covered_s - one.total)
        else:
            made = made._replace(temperature_ck_s=one.total)
        found[hour, channel] = made
    return found


# --- hours and days as people call them ------------------------------------------------------------------------


def day_of(unix_s: int) -> int:
    """Returns the day of France to which an instant belongs, counted from 1970-01-01 (`policy.civil`)."""
    return _day_of_hour(unix_s // HOUR_S)


@lru_cache(maxsize=10_000)
def _day_of_hour(hour: int) -> int:
    return int(civil.local_from_unix(civil.PARIS, hour * HOUR_S).civil_day)


def hours_of(day: int) -> range:
    """Returns the Unix seconds with which the hours of a day of France begin: 23 to 25."""
    begin, end = (int(civil.unix_from_local(civil.PARIS, one, 0)) for one in (day, day + 1))
    return range(begin, end, HOUR_S)


def day_text(day: int) -> str:
    """Returns a day as ISO 8601 has it: 2026-11-29."""
    year, month, of_month = civil.civil_from_days(day)
    return f"{year:04}-{month:02}-{of_month:02}"


def calendar(day: int) -> list[tuple[int, str, str, str]]:
    """Returns the rows of the table `calendar` for one day."""
    rows = []
    for hour in hours_of(day):
        utc_day, utc_s = divmod(hour, civil.day_s)
        local = civil.local_from_unix(civil.PARIS, hour)
        rows.append(
            (
                hour,
                f"{day_text(utc_day)}T{utc_s // HOUR_S:02}:00Z",
                f"{day_text(day)}T{local.second // HOUR_S:02}:00+{local.offset_s // HOUR_S:02}:00",
                day_text(day),
            )
        )
    return rows
