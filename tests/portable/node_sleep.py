"""What goes through deep sleep, on both interpreters: image, time, weather, jobs. Prints; outputs are compared."""

from binascii import hexlify
from collections import namedtuple

from node import checkpoint, sleep
from node.checkpoint import OwnMemory
from node.clock_chip import ClockChip
from node.timekeeper import Timekeeper
from watering import balance, flow, runs, sleep_image, weather
from watering.valves import LATCHING, Valves
from wire.oscore_link import ASLEEP_BYTES
from wire.record import Answer

START_S = 1795521600


def image():
    clock = Timekeeper(started_ms=0)
    clock.learn(Answer(START_S, 1, None, 0), asked_ms=1000, now_ms=1400)
    own = checkpoint.encode_own(OwnMemory(-37, 5, 2900, 310, START_S, 2, 123456))
    made = sleep.Image(
        7, 1234, clock.asleep(300000), sleep.Dues(3000, -5, 100, None, 21600000, 0), 3, 1, 2, 9, own,
        bytes(ASLEEP_BYTES), b"memory", b"rest", b"",
    )  # fmt: skip
    data = sleep.encode(made)
    print("image", len(data), hexlify(data))
    print(sleep.decode(data) == made, sleep.decode(data).time)
    refused = 0
    for index in range(len(data)):
        if sleep.decode(data[:index]) is None:
            refused += 1
    print("cut", refused == len(data), sleep.decode(data + b"x"), sleep.decode(None), sleep.decode(bytes(200)))
    return made


def time(made):
    clock = Timekeeper(started_ms=50, sleep_drift=(3000, 400))
    clock.resume(made.time, 900000, now_ms=60)
    print("time", clock.stamp(60), clock.uptime_s(60), clock.sleep_for(900000), clock.slept(900000))
    chip = ClockChip(clock, START_S, 2)
    print("chip", chip.read(START_S + 1196, None, is_start=False, now_ms=70), chip.wants_set(80), clock.stamp(90))
    print(chip.read(None, "stopped", is_start=True, now_ms=100), chip.next_fault(), chip.next_fault())


def water():
    gauge = namedtuple("Own", ("tip_cmm", "rain_off_h"))(20, 24)
    day = weather.Weather(gauge, 0, None)
    day.turn_to(20000)
    for step in range(5):
        day.sample({1: 0}, wet_key=900, tips_key=901, now_ms=600000 * step)
    day.sample({900: 1, 901: 3}, wet_key=900, tips_key=901, now_ms=3000000)
    data = sleep_image.encode_weather(day, 3100000)
    other = weather.Weather(gauge, 0, None)
    sleep_image.resume_weather(other, data, 900000, now_ms=40)
    again = sleep_image.encode_weather(other, 40)
    print("weather", hexlify(data), other.today.rain_cmm, other.wet(now_ms=40), hexlify(again))
    leak, wheel = flow.LeakWatch(), flow.WaterMeter(1000000, 2, now_ms=0)
    wheel.sample(5, now_ms=0)
    for step in range(1, 8):
        wheel.sample(5 + step, now_ms=60000 * step)
        print("leak", leak.sample(wheel, now_ms=60000 * step))
    data = sleep_image.encode_leak(leak, 430000)
    again = flow.LeakWatch()
    sleep_image.resume_leak(again, data, 900000, True, now_ms=30)
    sleep_image.resume_meter(wheel, 250, 900000, 1, now_ms=30)
    wheel.sample(0, now_ms=40)
    print(hexlify(data), again.leaking, wheel.total_ml, wheel.delta_ml, again.sample(wheel, now_ms=40))
    valves = Valves((LATCHING,) * 10, gap_ms=100, now_ms=0)
    jobs = runs.Runs(valves, ((5, 5), (0, 0)), lambda zone: 0, lambda zone: 1000, 60000)
    job = runs.Job(2, balance.CyclePlan(600, 300, 1800), ("depth", 1), ready_ms=5000, give_up_ms=90000)
    job.open_ms, job.volume_ml = 300000, 4500
    jobs.add(job)
    data = sleep_image.encode_jobs(jobs, 1000)
    more = runs.Runs(valves, ((5, 5), (0, 0)), lambda zone: 0, lambda zone: 1000, 60000)
    sleep_image.resume_jobs(more, data, 2000, now_ms=10)
    one = more.jobs[0]
    print("jobs", hexlify(data), jobs.rests_until_ms(1000), more.rests_until_ms(10), jobs.rests_until_ms(6000))
    print(one.zone, one.by, one.remaining_s, one.ready_ms, one.give_up_ms, one.open_ms, one.volume_ml)


time(image())
water()
