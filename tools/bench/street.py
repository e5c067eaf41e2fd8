"""Makes the records of a street of lights as one gateway receives them in an evening: seeded, integer arithmetic, the
same on every machine.

The benchmarks and the tests of the batch size use it, so that both count the same bytes. The values are meant to be no
easier to compress than those of a real street: feeder voltage falls along the street, power follows the lamp and its
ageing, counters differ by years of replaced lamps, serial numbers come from one delivery and a few spares. It must not
import anything but `wire`.
"""

import random

from wire import quantity
from wire.record import SYNCED, Record, Stamp
from wire.senml import Batch, Item

TERRITORY = bytes.fromhex("0b0ca6e0")  # the four bytes that every node of an agglomeration shares
GATEWAY = TERRITORY + bytes.fromhex("01000007")
START_UNIX_S = 1_763_409_600  # 2025-11-17 20:00 UTC: lamps lit and dimmed
PERIOD_S = 900  # one telemetry record per lamp in a quarter of an hour
LAMPS = 50


def street(lamps: int = LAMPS, seed: int = 1) -> list:
    """Returns one telemetry record of 8 readings from each of `lamps` lights, as Items in the order of arrival."""
    draw = random.Random(seed)
    delivery = draw.randrange(1 << 20)
    serials = draw.sample(range(delivery, delivery + 8 * lamps), lamps)
    items = []
    for place, serial in enumerate(serials):
        spare = draw.random() < 0.08
        bench, number = (2, draw.randrange(1 << 24)) if spare else (1, serial)
        node = TERRITORY + bytes([bench]) + number.to_bytes(3, "big")
        stamp = Stamp(SYNCED, START_UNIX_S + draw.randrange(PERIOD_S), draw.randint(0, 3))
        boot, sequence = draw.randint(2, 9), draw.randint(9_000, 12_000) // (10 if spare else 1)
        items.append(Item(node, Record(boot, sequence, stamp, _readings(draw, place / lamps, spare))))
    return sorted(items, key=lambda item: item.record.stamp.seconds)


def _readings(draw, along, spare):
    voltage = 2338 - int(60 * along) + draw.randint(-4, 4)  # 0.1 V
    power = draw.randint(405, 432)  # 0.1 W: a 60 W luminaire dimmed to 70 %
    factor = draw.randint(93, 96)  # hundredths
    hours = draw.randint(100, 900) if spare else draw.randint(8_100, 8_300)
    return {
        quantity.POWER: power,
        quantity.VOLTAGE: voltage,
        quantity.CURRENT: power * 100_000 // (voltage * factor),  # mA
        quantity.ENERGY: hours * power // 10 + draw.randint(0, 9_999),
        quantity.LEVEL_ORDERED: 70,
        quantity.TEMPERATURE: 1_450 + draw.randint(-180, 180),
        quantity.POWER_FACTOR: factor,
        quantity.LAMP_HOURS: hours,
    }


def worst_case() -> Record:
    """Returns the largest record of 8 readings: boot, sequence below 65536, energy at 32 bits, a clock within 9
    hours."""
    readings = {
        quantity.POWER: 65_535,
        quantity.VOLTAGE: 5_000,
        quantity.CURRENT: 65_535,
        quantity.ENERGY: 4_294_967_295,
        quantity.LEVEL_ORDERED: 100,
        quantity.TEMPERATURE: -5_000,
        quantity.POWER_FACTOR: -100,
        quantity.LAMP_HOURS: 65_535,
    }
    return Record(65_535, 65_535, Stamp(SYNCED, START_UNIX_S, 32_767), readings)


def batch(items: list) -> Batch:
    """Returns the telemetry batch that carries `items`."""
    first = 184_220
    last, epoch = first + len(items) - 1, bytes.fromhex("9e3779b97f4a7c15")
    return Batch(GATEWAY, epoch, "telemetry", first, last, first, 0, items)
