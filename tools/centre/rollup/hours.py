"""Computes the figures of hours from the readings of one node, in exact integers. No database, no clock.

Two readings of one quantity that follow each other in one boot, at most APART_S_MAX apart, cover the time between
them: what a register counted is divided over it in proportion, to the Wh or litre, and a temperature or a lamp is taken
to stay as the earlier reading has it. Energy and water whose hours are not known so (over a longer gap, a restart, a
clock that was set back) count in the hour of the later reading, and in `bridged` as well: the sum is what the meter
counted, by the rules of `Archive.energy_wh`, and a gap is seen as one.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from policy import civil
from tools.centre.limits import APART_S_MAX, LIT_DW
from wire import quantity

HOUR_S = 3600
_REGISTERS = (quantity.ENERGY, quantity.WATER_VOLUME)


class Entry(NamedTuple):
    """Holds the readings of one record; `unix_s` is None where its time is not known."""

    boot: int
    sequence: int
    unix_s: int | None
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


_EMPTY = Figures(0)
# {hour_unix_s: [total, bridged, covered_s]} of one quantity.
_Sums = dict[int, list[int]]


@lru_cache(maxsize=10_000)
def measured(keys: tuple[int, ...]) -> tuple[int, ...]:
    """Returns those of a record's keys that hours are made of.

    The power of a lamp or a feeder says whether it is lit: what reports no ordered level is neither. The temperature is
    that of a room or a lawn, not of a lamp's board.
    """
    found = []
    for key in keys:
        code = key % quantity.CHANNEL_STEP
        has_level = key - code + quantity.LEVEL_ORDERED in keys
        is_room = key == quantity.TEMPERATURE and not has_level
        if code in _REGISTERS or is_room or (code == quantity.POWER and has_level):
            found.append(key)
    return tuple(found)


def figures(entries: Iterable[Entry]) -> dict[tuple[int, int], Figures]:
    """Returns `{(hour_unix_s, channel): figures}` of entries with a time, in order of (boot, sequence)."""
    chains: dict[int, list[tuple[int, int, int]]] = {}
    for boot, _, unix_s, readings in entries:
        if unix_s is not None:
            for key in measured(tuple(readings)):
                chains.setdefault(key, []).append((boot, unix_s, readings[key]))
    found: dict[tuple[int, int], Figures] = {}
    for key, chain in chains.items():
        channel, code = divmod(key, quantity.CHANNEL_STEP)
        sums = _register(chain) if code in _REGISTERS else _held(chain, code == quantity.POWER)
        for hour, (summed, bridged, covered_s) in sums.items():
            made = found.get((hour, channel), _EMPTY)
            found[hour, channel] = _with(made, code, summed, bridged, covered_s)
    return found


def total(hours: Iterable[Figures]) -> Figures:
    """Returns the sum of hours; a figure that none has is None."""
    columns = list(zip(*hours, strict=True))
    summed = [sum(held) if (held := [value for value in column if value is not None]) else None for column in columns]
    return Figures._make(summed)


def _register(chain: list[tuple[int, int, int]]) -> _Sums:
    """Divides what a register counted over hours."""
    sums: _Sums = {}
    before, since_s, value = chain[0]
    for boot, unix_s, counted in chain:
        apart_s, difference = unix_s - since_s, counted - value
        if boot == before and 0 < apart_s <= APART_S_MAX:
            at_s, given = since_s, 0
            while at_s < unix_s:
                hour = at_s - at_s % HOUR_S
                until_s = min(unix_s, hour + HOUR_S)
                share = difference * (until_s - since_s) // apart_s
                one = sums.setdefault(hour, [0, 0, 0])
                one[0] += share - given
                one[2] += until_s - at_s
                at_s, given = until_s, share
        # Over a start a register that is lower has restarted (`Archive.energy_wh`); within a boot it is not corrected.
        elif difference > 0 or (difference and boot == before):
            one = sums.setdefault(unix_s - unix_s % HOUR_S, [0, 0, 0])
            one[0] += difference
            one[1] += difference
        before, since_s, value = boot, unix_s, counted
    return sums


def _held(chain: list[tuple[int, int, int]], is_power: bool) -> _Sums:
    """Sums what holds from one reading to the next over time: a temperature, or that a lamp is lit."""
    sums: _Sums = {}
    before, at_s, value = chain[0]
    for boot, unix_s, said in chain:
        if boot == before and 0 < unix_s - at_s <= APART_S_MAX:
            held = value > LIT_DW if is_power else value
            while at_s < unix_s:
                hour = at_s - at_s % HOUR_S
                until_s = min(unix_s, hour + HOUR_S)
                one = sums.setdefault(hour, [0, 0, 0])
                one[0] += held * (until_s - at_s)
                one[2] += until_s - at_s
                at_s = until_s
        before, at_s, value = boot, unix_s, said
    return sums


def _with(made: Figures, code: int, summed: int, bridged: int, covered_s: int) -> Figures:
    figures: list = list(made)
    figures[0] = max(figures[0], covered_s)
    if code == quantity.ENERGY:
        figures[1:3] = summed, bridged
    elif code == quantity.WATER_VOLUME:
        figures[3:5] = summed, bridged
    elif code == quantity.TEMPERATURE:
        figures[5] = summed
    else:
        figures[6:8] = summed, covered_s - summed
    return Figures._make(figures)


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
