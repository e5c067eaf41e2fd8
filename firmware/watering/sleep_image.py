"""Carries the state of an irrigation node through deep sleep, as bytes beside its memory, and restores it after.

The state is the public fields of the trade's machines; a new field that must survive a sleep is added here too. Events
that were reported before a sleep are not reported again after it. Must not decide.
"""

import struct

from node.trade import PULSE, RAIN
from watering import limits
from watering.balance import CyclePlan
from watering.runs import Job
from watering.trade import BALANCE, DEPTH
from watering.weather import WeatherDay
from wire import event

VERSION = 5

# version, flags, outputs that could not be shut, programmes under way; seconds for which the programmes have been
# watched, mL beyond the litres, values refused by weather and meter, then mL of each zone over the node's life
_HEAD = "<BBHHIHHHIIIIIIII"
_LOW, _NO_TIME, _ODD, _COUNTS = 1, 2, 4, 8
_ZONES = 8

# For a day: civil day, air, humidity, seconds of the three, sum of the wind, rain. Two of them come after the ms since
# a sample and since the sensor was wet.
_DAY = "<HhhHHIIIIH"
_AGES = "<II"
_NO_DAY, _NOTHING, _NEVER = 0xFFFF, -0x8000, 0xFFFFFFFF
_WEATHER_BYTES = 2 * struct.calcsize(_DAY) + struct.calcsize(_AGES)

# flags; ms since all valves are shut, detections, mL, buckets, ms since the bucket began, its mL
_LEAK = "<BIBIBII"
_LEAK_BYTES = struct.calcsize(_LEAK)
# guard.PipeGuard.faulty, last zone, closings repeated, samples of a silent meter, number of alarms
_GUARD = "<IBBBB"
# Alarms in force: the numbers of their codes and causes, and how many are kept.
_CODES = (
    event.VALVE_FAILURE, event.FLOW_TOO_LOW, event.FLOW_TOO_HIGH, event.WATER_LEAK, event.SENSOR_FAILURE
)  # fmt: skip
_CAUSES = ("", "coil", "no-flow", "stuck-open", "drift")
_ALARMS_MAX = 24

# A job that waits: zone (and _ALONE), its rule's number, reason; seconds left, of a cycle, of a soak; ms until it is
# ready and until it is given up; ms and mL that it has received.
_JOB = "<BBBHHHiiII"
_ALONE = 16
_RULES = (BALANCE, DEPTH)


def encode(trade, now_ms: int) -> bytes:
    """Returns the bytes of a sleepy.SleepyTrade for `resume`."""
    flags = (_LOW if trade.battery.low else 0) | (_NO_TIME if trade.clock.is_lost else 0)
    flags |= (_ODD if trade.health_odd else 0) | (_COUNTS if trade.counts_asleep else 0)
    irrigated = list(trade.balance.irrigated_ml)
    while len(irrigated) < _ZONES:
        irrigated.append(0)
    unshut = 0
    for output in range(limits.OUTPUTS_MAX):
        unshut |= (1 << output) if trade.outputs.closing[output] else 0
    head = struct.pack(
        _HEAD,
        VERSION,
        flags,
        unshut,
        trade.schedule.under_way,
        min(0x7FFFFFFF, (now_ms - trade.schedule.made_ms) // 1000),
        trade.meter.total_ml % 1000,
        min(0xFFFF, trade.weather.refused),
        min(0xFFFF, trade.meter.refused),
        *[volume_ml & 0xFFFFFFFF for volume_ml in irrigated],
    )
    weather, guard = encode_weather(trade.weather, now_ms), encode_guard(trade.guard, now_ms)
    return head + weather + bytes((len(guard),)) + guard + encode_jobs(trade.runs, now_ms)


def resume(trade, rest, slept_ms: int, by, *, now_ms: int) -> None:
    """Restores the state after a sleep. `by`: the cause of the waking (node.trade)."""
    trade.drain_events()  # what was reported before the sleep is known
    # The chip shut everything before it slept: only an output that could not be shut then is pulsed now.
    trade.outputs.closing = bytearray(limits.OUTPUTS_MAX)
    size = struct.calcsize(_HEAD)
    at = size + _WEATHER_BYTES + 1
    if len(rest) < at or rest[0] != VERSION:
        return
    values = struct.unpack(_HEAD, rest[:size])
    flags, counted = values[1], values[1] & _COUNTS == _COUNTS
    trade.battery.low = flags & _LOW == _LOW
    trade.health_odd = flags & _ODD == _ODD
    for output in range(limits.OUTPUTS_MAX):
        trade.outputs.closing[output] = values[2] >> output & 1
    trade.schedule.under_way = values[3]
    since_ms = 1000 * values[4] + slept_ms
    trade.schedule.made_ms = trade.clock.started_ms = now_ms - since_ms
    trade.clock.is_lost = flags & _NO_TIME == _NO_TIME
    resume_meter(trade.meter, values[5], slept_ms, int(by == PULSE) if counted else None, now_ms=now_ms)
    weather = trade.weather
    weather.refused, trade.meter.refused = values[6], values[7]
    trade.balance.irrigated_ml = list(values[8 : 8 + len(trade.balance.irrigated_ml)])
    resume_weather(weather, rest[size : at - 1], slept_ms, now_ms=now_ms)
    if by == RAIN:
        # The gauge has tipped once before its counter ran.
        weather.today.rain_cmm = min(limits.RAIN_CMM_MAX, weather.today.rain_cmm + trade.own.tip_cmm)
    end = at + rest[at - 1]
    resume_guard(trade.guard, rest[at:end], slept_ms, counted, now_ms=now_ms)
    resume_jobs(trade.runs, rest[end:], slept_ms, now_ms=now_ms)


# --- weather ------------------------------------------------------------------------------------------------


def encode_weather(weather, now_ms: int) -> bytes:
    """Returns the _WEATHER_BYTES of a weather.Weather."""
    ages = struct.pack(_AGES, _age(weather.at_ms, now_ms), _age(weather.dry_from_ms, now_ms))
    return ages + _encode_day(weather.today) + _encode_day(weather.before)


def resume_weather(weather, data, slept_ms: int, *, now_ms: int) -> None:
    """Restores the weather of two days.

    The rain counter begins anew with the ports, so its first reading is treated as a first one.
    """
    head, size = struct.calcsize(_AGES), struct.calcsize(_DAY)
    ages = struct.unpack(_AGES, data[:head])
    weather.at_ms, weather.dry_from_ms = [
        None if age_ms == _NEVER else now_ms - slept_ms - age_ms for age_ms in ages
    ]
    weather.today = _decode_day(data[head : head + size]) or WeatherDay(None)
    weather.before = _decode_day(data[head + size : head + 2 * size])


def _age(since_ms, now_ms):
    return _NEVER if since_ms is None else min(0x7FFFFFFF, now_ms - since_ms)


def _encode_day(day):
    if day is None:
        return struct.pack(_DAY, _NO_DAY, *[0] * 9)
    low, high = day.air or (_NOTHING, 0)
    dry, damp = day.humidity or (_NO_DAY, 0)
    wind_sum = min(_NEVER, day.wind_sum)
    return struct.pack(_DAY, day.civil_day or 0, low, high, dry, damp, *day.seconds, wind_sum, day.rain_cmm)


def _decode_day(data):
    values = struct.unpack(_DAY, data)
    if values[0] == _NO_DAY:
        return None
    day = WeatherDay(values[0] or None)
    day.air = None if values[1] == _NOTHING else (values[1], values[2])
    day.humidity = None if values[3] == _NO_DAY else (values[3], values[4])
    day.seconds, day.wind_sum = list(values[5:8]), values[8]
    day.rain_cmm = min(limits.RAIN_CMM_MAX, values[9])
    return day


# --- meter, leak and alarms ---------------------------------------------------------------------------------


def resume_meter(meter, total_ml: int, slept_ms: int, pulses, *, now_ms: int) -> None:
    """Restores the mL beyond the litres. The counter begins anew with the ports.

    `pulses`: counted in the sleep; None: no pulse could wake the chip.
    """
    meter.total_ml = total_ml
    meter.at_ms = now_ms - slept_ms
    if pulses is not None:
        meter.count = -pulses
        meter.begin()


def encode_leak(leak, now_ms: int) -> bytes:
    """Returns the _LEAK_BYTES of a flow.LeakWatch. A node that sleeps has everything shut."""
    known = leak.from_ms is not None
    return struct.pack(
        _LEAK,
        (1 if known else 0) | (2 if leak.settled else 0) | (4 if leak.leaking else 0),
        min(0x7FFFFFFF, now_ms - leak.from_ms) if known else 0,
        min(255, leak.detections),
        leak.volume_ml,
        min(255, leak.buckets),
        min(0x7FFFFFFF, now_ms - leak.bucket_ms) if known else 0,
        leak.bucket_ml,
    )


def resume_leak(leak, data, slept_ms: int, counted: bool, *, now_ms: int) -> None:
    """Restores a flow.LeakWatch after a sleep.

    `counted`: a pulse would have woken the chip, so a sleep without one was dry; else the sleep proves nothing.
    """
    flags, since_ms, leak.detections, leak.volume_ml, leak.buckets, bucket_ms, bucket_ml = struct.unpack(_LEAK, data)
    leak.settled, leak.leaking = flags & 2 == 2, flags & 4 == 4
    leak.from_ms = now_ms - slept_ms - since_ms if flags & 1 else None
    leak.bucket_ms, leak.bucket_ml = now_ms - slept_ms - bucket_ms, bucket_ml
    if not counted:
        leak.bucket_ms, leak.bucket_ml = now_ms, 0


def encode_guard(guard, now_ms: int) -> bytes:
    """Returns the bytes of a guard.PipeGuard, its leak first."""
    alarms = sorted(guard.active)[:_ALARMS_MAX]
    last_zone = guard.recent_zones[-1] if guard.recent_zones else 0
    silent = min(255, guard.silent_samples)
    head = struct.pack(_GUARD, guard.faulty, last_zone, guard.closings_repeated, silent, len(alarms))
    parts = [encode_leak(guard.leak, now_ms), head]
    for code, zone, cause in alarms:
        parts.append(struct.pack("<H", _CODES.index(code) << 7 | zone << 3 | _CAUSES.index(cause)))
    return b"".join(parts)


def resume_guard(guard, data, slept_ms: int, counted: bool, *, now_ms: int) -> None:
    """Restores a guard.PipeGuard with its alarms, without an event."""
    resume_leak(guard.leak, data[:_LEAK_BYTES], slept_ms, counted, now_ms=now_ms)
    at = _LEAK_BYTES + struct.calcsize(_GUARD)
    values = struct.unpack(_GUARD, data[_LEAK_BYTES:at])
    guard.faulty, last_zone, guard.closings_repeated, guard.silent_samples, count = values
    guard.recent_zones = [last_zone] if last_zone else []
    for number in range(count):
        value = struct.unpack("<H", data[at + 2 * number : at + 2 * number + 2])[0]
        guard.active.add((_CODES[value >> 7], value >> 3 & 15, _CAUSES[value & 7]))


# --- jobs ---------------------------------------------------------------------------------------------------


def encode_jobs(runs, now_ms: int) -> bytes:
    """Returns the bytes of the jobs that wait: a node that sleeps has no other jobs."""
    parts = []
    for job in runs.jobs:
        zone = job.zone | (_ALONE if runs.alone >> job.zone & 1 else 0)
        parts.append(
            struct.pack(
                _JOB, zone, _RULES.index(job.by[0]), job.by[1], job.remaining_s, job.cycle_s, job.soak_s,
                job.ready_ms - now_ms, job.give_up_ms - now_ms, job.open_ms, job.volume_ml,
            )
        )  # fmt: skip
    return b"".join(parts)


def resume_jobs(runs, data, slept_ms: int, *, now_ms: int) -> None:
    """Adds the jobs again."""
    size = struct.calcsize(_JOB)
    for at in range(0, len(data) - size + 1, size):
        values = struct.unpack(_JOB, data[at : at + size])
        job = Job(
            values[0] & ~_ALONE, CyclePlan(values[3], values[4], values[5]), (_RULES[values[1]], values[2]),
            ready_ms=now_ms + values[6] - slept_ms, give_up_ms=now_ms + values[7] - slept_ms,
        )  # fmt: skip
        job.open_ms, job.volume_ml = values[8], values[9]
        runs.add(job)
        runs.alone |= (1 << job.zone) if values[0] & _ALONE else 0
