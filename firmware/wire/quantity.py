"""Lists every physical quantity once: code, SenML name, unit, decimal exponent, range.

A reading is an integer `n` that means `n · 10^exponent` of `unit`, from the driver to the warehouse: 21.37 °C is 2137
of quantity TEMPERATURE, whose exponent is -2. Its key on the wire is `code + 256 · channel`; the most frequent
quantities have codes below 24, which take one byte. Codes are never reused and their exponents never change: a new
scale is a new code.

Units are SenML units (RFC 8428 section 12.1) or secondary units (RFC 8798). The range is that of a healthy sensor of
ours, in scaled integers: a value outside it is still accepted, and counted.
"""

from collections import namedtuple

Quantity = namedtuple("Quantity", ("code", "name", "unit", "exponent", "low", "high"))

CHANNEL_STEP = 256

POWER = 1
VOLTAGE = 2
CURRENT = 3
ENERGY = 4
LEVEL_ORDERED = 5
TEMPERATURE = 6
POWER_FACTOR = 7
LAMP_HOURS = 8
ILLUMINANCE = 9
HUMIDITY = 10
SETPOINT = 11
HEATING_DUTY = 12
CARBON_DIOXIDE = 13
OCCUPANCY = 14
WATER_VOLUME = 15
WATER_FLOW = 16
SOIL_MOISTURE = 17
RAIN = 18
BATTERY = 19
SIGNAL = 20
UPTIME = 21
HEAP_FREE = 22
FREQUENCY = 23
RECORDS_DROPPED = 32
RETRANSMISSIONS = 33
DATAGRAMS_REFUSED = 34
OUTBOX_WAITING = 35
WATCHDOG_MARGIN = 36
LAMP_STARTS = 37
LEVEL_REPORTED = 38
SENSOR_FAULTS = 39
APPARENT_POWER = 40
VALVE_POSITION = 41
MODULATION = 42
WATER_PRESSURE = 43
BOILER_STATUS = 44
EVAPOTRANSPIRATION = 45
ROOT_DEPLETION = 46
WATER_APPLIED = 47
VALVE_OPENINGS = 48
WIND_SPEED = 49
SOLAR_RADIATION = 50
CLOCK_DRIFT = 51
FLASH_WRITES = 52
HEAP_BLOCK = 53
FILL_LEVEL = 54
DISTANCE = 55
GEAR_HOURS = 56
GEAR_STARTS = 57
LOAD_ENERGY = 58
WINDOW = 60

# code, name, unit, exponent, low, high (scaled integers)
# A node knows its codes and needs no names: the table is made when it is first asked for, which saves a chip 4 kB.

_made = []  # the table, and its entries by code and by name


def _entries():
    """Lists every quantity once. Long because it is one table, made at once when it is first asked for."""
    return (
    Quantity(POWER, "power", "W", -1, -100, 500000),
    Quantity(VOLTAGE, "voltage", "V", -1, 0, 5000),
    Quantity(CURRENT, "current", "A", -3, 0, 100000),
    Quantity(ENERGY, "energy", "Wh", 0, 0, 4294967295),
    # What a lamp was ordered to give; of a feeder, 100: closed. What is measured is its power.
    Quantity(LEVEL_ORDERED, "level-ordered", "/", -2, 0, 100),
    Quantity(TEMPERATURE, "temp", "Cel", -2, -5000, 12500),
    Quantity(POWER_FACTOR, "pf", "/", -2, -100, 100),
    Quantity(LAMP_HOURS, "lamp-hours", "h", 0, 0, 1000000),
    Quantity(ILLUMINANCE, "lux", "lx", 0, 0, 200000),
    Quantity(HUMIDITY, "humidity", "%RH", -1, 0, 1000),
    Quantity(SETPOINT, "setpoint", "Cel", -2, 0, 3500),
    Quantity(HEATING_DUTY, "duty", "/", -2, 0, 100),
    Quantity(CARBON_DIOXIDE, "co2", "ppm", 0, 0, 40000),
    Quantity(OCCUPANCY, "occupancy", "/", 0, 0, 100000),
    Quantity(WATER_VOLUME, "volume", "m3", -3, 0, 4294967295),
    Quantity(WATER_FLOW, "flow", "m3/s", -6, 0, 1000000),
    Quantity(SOIL_MOISTURE, "soil", "/", -3, 0, 1000),
    Quantity(RAIN, "rain", "mm", -1, 0, 1000000),
    Quantity(BATTERY, "battery", "V", -3, 0, 60000),
    Quantity(SIGNAL, "rssi", "dBm", 0, -140, 20),
    Quantity(UPTIME, "uptime", "s", 0, 0, 4294967295),
    Quantity(HEAP_FREE, "heap", "B", 0, 0, 33554432),
    Quantity(FREQUENCY, "freq", "Hz", -2, 4000, 7000),
    Quantity(RECORDS_DROPPED, "dropped", "count", 0, 0, 4294967295),
    Quantity(RETRANSMISSIONS, "retransmissions", "count", 0, 0, 4294967295),
    Quantity(DATAGRAMS_REFUSED, "refused", "count", 0, 0, 4294967295),
    Quantity(OUTBOX_WAITING, "waiting", "count", 0, 0, 65535),
    Quantity(WATCHDOG_MARGIN, "watchdog-margin", "ms", 0, 0, 60000),
    Quantity(LAMP_STARTS, "lamp-starts", "count", 0, 0, 4294967295),
    # What a control gear answers that it gives (DALI, QUERY ACTUAL LEVEL); of a feeder, its auxiliary contact.
    Quantity(LEVEL_REPORTED, "level-reported", "/", -2, 0, 100),
    Quantity(SENSOR_FAULTS, "sensor-faults", "count", 0, 0, 4294967295),
    Quantity(APPARENT_POWER, "apparent-power", "VA", 0, 0, 100000),
    Quantity(VALVE_POSITION, "valve", "/", -2, 0, 100),
    Quantity(MODULATION, "modulation", "/", -2, 0, 100),
    # A heating circuit has some 150,000.
    Quantity(WATER_PRESSURE, "pressure", "Pa", 0, 0, 1000000),
    # OpenTherm id 0, slave status: bit 0 fault, 1 central heating, 2 hot water, 3 flame, 4 cooling. Channel 1: id 5,
    # fault flags; channel 2: the maker's fault code.
    Quantity(BOILER_STATUS, "boiler-status", "/", 0, 0, 255),
    # That of the reference surface, over the last whole civil day.
    Quantity(EVAPOTRANSPIRATION, "et0", "mm", -2, 0, 1500),
    # How far the root zone is below field capacity; a channel for each zone.
    Quantity(ROOT_DEPLETION, "depletion", "mm", -1, 0, 5000),
    # Irrigation since the node's first start; a channel for each zone; it only grows.
    Quantity(WATER_APPLIED, "irrigated", "mm", -1, 0, 4294967295),
    Quantity(VALVE_OPENINGS, "valve-openings", "count", 0, 0, 4294967295),
    Quantity(WIND_SPEED, "wind", "m/s", -1, 0, 1000),
    Quantity(SOLAR_RADIATION, "solar", "W/m2", 0, 0, 1500),
    # Learned rate of the node's crystal against the gateway's clock: 10^-6, positive runs fast.
    Quantity(CLOCK_DRIFT, "drift", "/", -6, -10000, 10000),
    Quantity(FLASH_WRITES, "flash-writes", "count", 0, 0, 4294967295),
    # The largest free piece of the heap.
    Quantity(HEAP_BLOCK, "heap-block", "B", 0, 0, 33554432),
    Quantity(FILL_LEVEL, "fill", "/", -2, 0, 100),
    Quantity(DISTANCE, "distance", "m", -3, 0, 20000),
    # Counted by a lamp's control gear itself (DALI part 253).
    Quantity(GEAR_HOURS, "gear-hours", "h", 0, 0, 1000000),
    Quantity(GEAR_STARTS, "gear-starts", "count", 0, 0, 4294967295),
    # On the load side of the gear (DALI bank 204).
    Quantity(LOAD_ENERGY, "load-energy", "Wh", 0, 0, 4294967295),
    # A contact of the room's windows: 1 while one is open.
    Quantity(WINDOW, "window", "/", 0, 0, 1),
)


def made(held, entries_of):
    """Fills `held`, once, with the entries that `entries_of()` returns, by code and by name; returns `held`. Functions
    and no `__getattr__` of the module give them: CPython looks up every name of a module that has one slowly."""
    if not held:
        entries = entries_of()
        held.append(entries)
        held.append({entry.code: entry for entry in entries})
        held.append({entry.name: entry for entry in entries})
    return held


def table() -> tuple:
    """Returns every Quantity; like the maps, it is made on first use."""
    return made(_made, _entries)[0]


def by_code() -> dict:
    """Returns {code: Quantity}."""
    return made(_made, _entries)[1]


def by_name() -> dict:
    """Returns {SenML name: Quantity}."""
    return made(_made, _entries)[2]


def key(code: int, channel: int = 0) -> int:
    """Returns the wire key of `code` on `channel` (the second temperature of a node is channel 1)."""
    return code + CHANNEL_STEP * channel


def in_range(reading_key: int, value: int) -> bool:
    """Returns False when the table knows the quantity and `value` is outside its range. Unknown quantities pass."""
    entry = by_code().get(reading_key % CHANNEL_STEP)
    return entry is None or entry.low <= value <= entry.high


def label(reading_key: int) -> str:
    """Returns the SenML name of a key: `temp`, `temp.1`; `q77.1` for a code the table does not know."""
    code = reading_key % CHANNEL_STEP
    channel = reading_key // CHANNEL_STEP
    entry = by_code().get(code)
    name = entry.name if entry else f"q{code}"
    return f"{name}.{channel}" if channel else name


def key_from_label(name: str):
    """Returns the key of a label, or None when there is none."""
    base, dot, channel = name.partition(".")
    number = small_number(channel) if dot else 0
    entry = by_name().get(base)
    code = entry.code if entry else small_number(base[1:])
    if number is None or code is None or code >= CHANNEL_STEP:
        return None
    found = key(code, number)
    # One key has one label: `temp.0`, `temp.01`, or `q6` for a quantity that has a name, is none.
    return found if label(found) == name else None


def small_number(digits: str):
    """Returns the number of 1 to 3 ASCII digits, else None. `isdigit` and `int` would also accept other scripts'
    digits."""
    if not 1 <= len(digits) <= 3:
        return None
    for character in digits:
        if character not in "0123456789":
            return None
    return int(digits)
