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

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, compress, pairwise
from operator import itemgetter, mul, sub
from typing import NamedTuple

from policy import civil
from tools.centre.limits import APART_S_MAX, LIT_DW
from tools.centre.store.archive import counted
from wire import quantity

HOUR_S = 3600
_REGISTERS = (quantity.ENERGY, quantity.WATER_VOLUME)

# The readings of one record: (boot, sequence, UTC or None where it is not known, {key: value}).
Entry = tuple[int, int, int | None, dict[int, int]]


# What an hour of a channel has, in the order of the tables (`store.rollup_tables`, which says what each is).
FIGURES = (
    "energy_wh", "energy_s", "energy_bridged_wh", "water_l", "water_s", "water_bridged_l",
    "temperature_ck_s", "temperature_s", "lit_s", "unlit_s",
)  # fmt: skip
# What a day has besides.
OF_DAY = (
    "energy_bridged_s", "energy_bridged_from_unix_s", "water_bridged_s", "water_bridged_from_unix_s",
    "temperature_least_ck", "temperature_most_ck",
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


class Found(NamedTuple):
    """Holds what the readings of a node tell: the figures by hour and channel, the silences through which its registers
    counted, and the least and most temperature (0.01 °C) by day and channel."""

    hours: dict[tuple[int, int], Figures]
    silences: list[Silence]
    extremes: dict[tuple[int, int], tuple[int, int]]


def figures(entries: Iterable[Entry]) -> Found:
    """Returns what entries tell that are in order of (boot, sequence); those without a time are left out."""
    found = Found(defaultdict(lambda: [None] * len(FIGURES)), [], {})
    known = [entry for entry in entries if entry[2] is not None]
    if not known:
        return found
    boots, _, times, readings = zip(*known, strict=True)
    shapes = list(map(tuple, readings))
    keys = {shape: measured(shape) for shape in set(shapes)}
    lines: dict[frozenset[tuple[int, ...]], _Line] = {}
    for key in set().union(*keys.values()):
        channel, code = divmod(key, quantity.CHANNEL_STEP)
        own = frozenset(shape for shape, some in keys.items() if key in some)
        if own not in lines:  # most often all that a node measures is in the same records
            having = [shape in own for shape in shapes]
            lines[own] = _Line(*(list(compress(column, having)) for column in (boots, times, readings)))
        line, values = lines[own], list(map(itemgetter(key), lines[own].readings))
        if code == quantity.TEMPERATURE:
            found.extremes.update(((day, channel), said) for day, said in _extremes(line, values))
        is_register = code in _REGISTERS
        sums = _register(key, line, values, found.silences) if is_register else _held(line, values, code)
        place = _PLACES[code]
        for hour, one in sums.items():
            found.hours[hour, channel][place : place + len(one)] = one
    return found


def of_day(hours: Iterable[Figures], silences: Iterable[Silence], begins_s: int) -> tuple[int | None, ...]:
    """Returns the figures of the table `days` from what lies in one day: its hours, and the silences that ended in it.

    A silence that began on that day too is covered. Of one that began earlier the row has the seconds and the begin,
    for sums over several days; of more than one, all seconds and the earliest.
    """
    columns = list(zip(*hours, strict=True)) or [()] * len(FIGURES)
    day = [None if column.count(None) == len(column) else sum(filter(None, column)) for column in columns]
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


class _Line:
    """Holds the readings that have some quantities, in order of (boot, sequence): when they were made, and where this
    says nothing of the time until the next one."""

    def __init__(self, boots: Sequence[int], times: Sequence[int], readings: Sequence[dict[int, int]]) -> None:
        self.boots, self.times, self.readings = boots, times, readings
        self.gaps_s = list(map(sub, times[1:], times))
        # The places of readings that are not followed closely, and of the last ones of boots; most often none.
        self.far: list[int] = []
        if not 0 < min(self.gaps_s, default=1) <= max(self.gaps_s, default=1) <= APART_S_MAX:
            self.far = [place for place, gap_s in enumerate(self.gaps_s) if not 0 < gap_s <= APART_S_MAX]
        self.last: list[int] = []
        if boots[0] != boots[-1]:
            self.last = [place for place, pair in enumerate(pairwise(boots)) if pair[0] != pair[1]]
        self._cuts: dict[tuple[int, ...], list[tuple[int, list[_Cut]]]] = {}

    def divided(self, counts: Sequence[int], ends: Sequence[int], nothing: list[int]) -> _Sums:
        """Returns what was counted in each hour, and its seconds: the difference of the count at its end and at its
        begin, which between two readings has grown in proportion. `ends`: the readings after which nothing is known
        until the next one."""
        if tuple(ends) not in self._cuts:
            self._cuts[tuple(ends)] = list(_cuts(self.times, ends))
        sums: _Sums = {}
        for first, cuts in self._cuts[tuple(ends)]:
            before = counts[first]
            for hour, covered_s, place, part_s, whole_s in cuts:
                since = counts[place - 1]
                count = since + (counts[place] - since) * part_s // whole_s
                one = sums.get(hour) or sums.setdefault(hour, nothing.copy())
                one[0] += count - before
                one[1] += covered_s
                before = count
        return sums


# An hour, its seconds, and where it ends: the reading at or after that, and which part of the time before it is over.
_Cut = tuple[int, int, int, int, int]


def _cuts(times: Sequence[int], ends: Iterable[int]) -> Iterator[tuple[int, list[_Cut]]]:
    """Divides each stretch of readings by hours; yields its first reading and its hours."""
    first = 0
    for end in (*ends, len(times) - 1):
        at_s, last_s, place = times[first], times[end], first
        cuts: list[_Cut] = []
        while at_s < last_s:
            hour = at_s - at_s % HOUR_S
            until_s = hour + HOUR_S
            if until_s < last_s:
                place = bisect_left(times, until_s, place, end)
                since_s = times[place - 1]
                cuts.append((hour, until_s - at_s, place, until_s - since_s, times[place] - since_s))
            else:
                cuts.append((hour, last_s - at_s, end, 1, 1))
            at_s = until_s
        yield first, cuts
        first = end + 1


def _register(key: int, line: _Line, values: list[int], silences: list[Silence]) -> _Sums:
    """Divides what a register counted over hours, and notes the silences through which it counted."""
    places = sorted({*line.far, *line.last})
    amounts = {place: counted(line.boots[place : place + 2], values[place : place + 2])[0] for place in places}
    far = set(line.far)
    ends = [place for place in places if amounts[place] is None or place in far]
    sums = line.divided(values, ends, [0, 0, 0])
    for place in ends:
        since_s, unix_s = line.times[place : place + 2]
        amount = amounts[place]
        if amount is not None and (amount or unix_s > since_s):
            silences.append(Silence(key, since_s, unix_s, amount))
            hour = unix_s - unix_s % HOUR_S
            if amount:
                one = sums.setdefault(hour, [0, 0, 0])
                one[0] += amount
                one[2] += amount if since_s < hour else 0
    return sums


def _held(line: _Line, values: list[int], code: int) -> _Sums:
    """Sums what holds from one reading to the next over time: a temperature and its seconds, or the seconds in which a
    lamp is lit and those in which it is not."""
    is_power = code == quantity.POWER
    held = map(LIT_DW.__lt__, values) if is_power else values
    counts = [0, *accumulate(map(mul, line.gaps_s, held))]
    sums = line.divided(counts, sorted({*line.far, *line.last}), [0, 0])
    if is_power:
        for one in sums.values():
            one[1] -= one[0]
    return sums


def _extremes(line: _Line, values: list[int]) -> Iterable[tuple[int, tuple[int, int]]]:
    """Returns each day with its least and most value."""
    days = [_day_of_hour(unix_s // HOUR_S) for unix_s in line.times]
    for day in set(days):
        some = [value for value, own in zip(values, days, strict=True) if own == day]
        yield day, (min(some), max(some))


# --- hours and days as people call them ------------------------------------------------------------------------


def day_of(unix_s: int) -> int:
    """Returns the day of France to which an instant belongs, counted from 1970-01-01 (`policy.civil`)."""
    return _day_of_hour(unix_s // HOUR_S)


def days_of(entries: Iterable[Entry]) -> set[int]:
    """Returns the days to which entries with a time belong."""
    return set(map(_day_of_hour, {unix_s // HOUR_S for _, _, unix_s, _ in entries if unix_s is not None}))


def hours_within(entries: Iterable[Entry], days: Iterable[int]) -> tuple[int, int]:
    """Returns the first and the last hour of entries with a time and of days."""
    times = [unix_s for _, _, unix_s, _ in entries if unix_s is not None]
    times += [hour for day in days for hour in (hours_of(day)[0], hours_of(day)[-1])]
    least, most = min(times), max(times)
    return least - least % HOUR_S, most - most % HOUR_S


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
