"""Computes the figures of hours and days from the readings of one node, in exact integers. No database, no clock.

A register is covered where it counted through: between two readings that follow each other, unless it began anew at a
start between them, as a lower value shows; what was used then is unknown, and not counted. Readings at most APART_S_MAX
apart divide what was counted over the time between them in proportion, to the Wh or litre. Over a longer silence the
amount is the register's, but no hour of it is known: it counts in the hour and the day of the later reading. Where the
earlier one lies in another hour or day, the amount is `bridged` there, and the silence no covered time of theirs, since
a part of it was used before. So a lamp whose contactor is open by day has covered days and no hours at noon, and a sum
over days covers a silence that lies within them (`tools.centre.condition.usage`).

A temperature or a lamp is taken to stay as the earlier of two readings has it, at most APART_S_MAX, within one boot.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
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


# What an hour of a channel has, in the order of the tables (`store.rollup_tables`, which says what each is).
FIGURES = (
    "energy_wh", "energy_s", "energy_bridged_wh", "water_l", "water_s", "water_bridged_l",
    "temperature_ck_s", "temperature_s", "lit_s", "unlit_s",
)  # fmt: skip
Figures = list[int | None]
# Where those of a quantity begin; of a lamp's power, its lit time.
_PLACES = {quantity.ENERGY: 0, quantity.WATER_VOLUME: 3, quantity.TEMPERATURE: 6, quantity.POWER: 8}


class Silence(NamedTuple):
    """Holds what a register counted between two readings that are too far apart to divide it."""

    key: int
    since_s: int
    until_s: int
    amount: int

    @property
    def apart_s(self) -> int:
        """Returns its length; 0 where the clock was set back."""
        return max(0, self.until_s - self.since_s)


# {hour_unix_s: the figures of one quantity}.
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


def figures(entries: Iterable[Entry]) -> tuple[dict[tuple[int, int], Figures], list[Silence]]:
    """Returns `{(hour_unix_s, channel): figures}` of entries with a time, in order of (boot, sequence), and the
    silences through which their registers counted."""
    chains: dict[int, list[tuple[int, int, int]]] = {}
    said: tuple[int, ...] = ()
    added: list[tuple[int, Callable[[tuple[int, int, int]], None]]] = []
    for boot, _, unix_s, readings in entries:
        if unix_s is not None:
            # Most records of a node have the same keys.
            if (keys := tuple(readings)) != said:
                said, added = keys, [(key, chains.setdefault(key, []).append) for key in measured(keys)]
            for key, add in added:
                add((boot, unix_s, readings[key]))
    found: dict[tuple[int, int], Figures] = defaultdict(lambda: [None] * len(FIGURES))
    silences: list[Silence] = []
    for key, chain in chains.items():
        channel, code = divmod(key, quantity.CHANNEL_STEP)
        sums = _register(key, chain, silences) if code in _REGISTERS else _held(chain, code == quantity.POWER)
        place = _PLACES[code]
        for hour, one in sums.items():
            found[hour, channel][place : place + len(one)] = one
    return found, silences


def of_day(hours: Iterable[Figures], silences: Iterable[Silence], begins_s: int) -> tuple[int | None, ...]:
    """Returns the figures of the table `days` from what lies in one day: its hours, and the silences that ended in it.

    A silence that began on that day too is covered. Of one that began earlier the row has the seconds and the begin,
    for sums over several days; of more than one, all seconds and the earliest.
    """
    columns = list(zip(*hours, strict=True)) or [()] * len(FIGURES)
    day = [sum(held) if (held := [value for value in column if value is not None]) else None for column in columns]
    beyond: dict[int, list[int]] = {}
    for code in _REGISTERS:
        place = _PLACES[code]
        ended = [one for one in silences if one.key % quantity.CHANNEL_STEP == code]
        if day[place] is None and not ended:
            continue
        begun = [one for one in ended if one.since_s < begins_s]
        within_s = sum(one.apart_s for one in ended) - sum(one.apart_s for one in begun)
        day[place : place + 3] = day[place] or 0, (day[place + 1] or 0) + within_s, sum(one.amount for one in begun)
        if begun:
            beyond[code] = [sum(one.apart_s for one in begun), min(one.since_s for one in begun)]
    return (*day, *(value for code in _REGISTERS for value in beyond.get(code, (None, None))))


def _register(key: int, chain: list[tuple[int, int, int]], silences: list[Silence]) -> _Sums:
    """Divides what a register counted over hours, and notes the silences through which it counted."""
    sums: _Sums = {}
    before, since_s, value = chain[0]
    for boot, unix_s, counted in chain[1:]:
        apart_s, amount = unix_s - since_s, counted - value
        # Over a start a register that is lower began anew; within a boot it is faulty, and not corrected.
        if boot == before or amount >= 0:
            if 0 < apart_s <= APART_S_MAX:
                at_s, given = since_s, 0
                hour = at_s - at_s % HOUR_S
                while hour + HOUR_S < unix_s:
                    until_s = hour + HOUR_S
                    share = amount * (until_s - since_s) // apart_s
                    one = sums.get(hour) or sums.setdefault(hour, [0, 0, 0])
                    one[0] += share - given
                    one[1] += until_s - at_s
                    at_s = hour = until_s
                    given = share
                one = sums.get(hour) or sums.setdefault(hour, [0, 0, 0])
                one[0] += amount - given
                one[1] += unix_s - at_s
            elif amount or apart_s > 0:
                silences.append(Silence(key, since_s, unix_s, amount))
                hour = unix_s - unix_s % HOUR_S
                if amount:
                    one = sums.setdefault(hour, [0, 0, 0])
                    one[0] += amount
                    one[2] += amount if since_s < hour else 0
        before, since_s, value = boot, unix_s, counted
    return sums


def _held(chain: list[tuple[int, int, int]], is_power: bool) -> _Sums:
    """Sums what holds from one reading to the next over time: a temperature and its seconds, or the seconds in which a
    lamp is lit and those in which it is not."""
    sums: _Sums = {}
    before, at_s, value = chain[0]
    for boot, unix_s, said in chain[1:]:
        if boot == before and 0 < unix_s - at_s <= APART_S_MAX:
            hour = at_s - at_s % HOUR_S
            while at_s < unix_s:
                until_s = hour + HOUR_S
                if until_s > unix_s:
                    until_s = unix_s
                one = sums.get(hour) or sums.setdefault(hour, [0, 0])
                if is_power:
                    one[value <= LIT_DW] += until_s - at_s
                else:
                    one[0] += value * (until_s - at_s)
                    one[1] += until_s - at_s
                at_s = hour = until_s
        before, at_s, value = boot, unix_s, said
    return sums


# --- hours and days as people call them ------------------------------------------------------------------------


def day_of(unix_s: int) -> int:
    """Returns the day of France to which an instant belongs, counted from 1970-01-01 (`policy.civil`)."""
    return _day_of_hour(unix_s // HOUR_S)


def days_of(entries: Iterable[Entry]) -> set[int]:
    """Returns the days to which entries with a time belong."""
    return set(map(_day_of_hour, {entry.unix_s // HOUR_S for entry in entries if entry.unix_s is not None}))


@lru_cache(maxsize=10_000)
def _day_of_hour(hour: int) -> int:
    return int(civil.local_from_unix(civil.PARIS, hour * HOUR_S).civil_day)


@lru_cache(maxsize=10_000)
def hours_of(day: int) -> range:
    """Returns the Unix seconds with which the hours of a day of France begin: 23 to 25."""
    begin, end = (int(civil.unix_from_local(civil.PARIS, one, 0)) for one in (day, day + 1))
    return range(begin, end, HOUR_S)


@lru_cache(maxsize=10_000)
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
