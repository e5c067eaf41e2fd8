"""Lists the SenML name, unit, decimal exponent and range of every quantity, for programs that show or translate
readings. A node knows its codes (`wire.quantity`) and does not load this table.

Units are SenML units (RFC 8428 section 12.1) or secondary units (RFC 8798). The range is that of a healthy sensor of
ours, in scaled integers: a value outside it is still accepted, and counted.
"""

from collections import namedtuple

from wire import quantity

Quantity = namedtuple("Quantity", ("code", "name", "unit", "exponent", "low", "high"))

# Scaled integers from low to high.
TABLE = (
    Quantity(quantity.POWER, "power", "W", -1, -100, 500000),
    Quantity(quantity.VOLTAGE, "voltage", "V", -1, 0, 5000),
    Quantity(quantity.CURRENT, "current", "A", -3, 0, 100000),
    Quantity(quantity.ENERGY, "energy", "Wh", 0, 0, 4294967295),
    # What a lamp was ordered to give; of a feeder, 100: closed. What is measured is its power.
    Quantity(quantity.LEVEL_ORDERED, "level-ordered", "/", -2, 0, 100),
    Quantity(quantity.TEMPERATURE, "temp", "Cel", -2, -5000, 12500),
    Quantity(quantity.POWER_FACTOR, "pf", "/", -2, -100, 100),
    Quantity(quantity.LAMP_HOURS, "lamp-hours", "h", 0, 0, 1000000),
    Quantity(quantity.ILLUMINANCE, "lux", "lx", 0, 0, 200000),
    Quantity(quantity.HUMIDITY, "humidity", "%RH", -1, 0, 1000),
    Quantity(quantity.SETPOINT, "setpoint", "Cel", -2, 0, 3500),
    Quantity(quantity.HEATING_DUTY, "duty", "/", -2, 0, 100),
    Quantity(quantity.CARBON_DIOXIDE, "co2", "ppm", 0, 0, 40000),
    Quantity(quantity.OCCUPANCY, "occupancy", "/", 0, 0, 100000),
    Quantity(quantity.WATER_VOLUME, "volume", "m3", -3, 0, 4294967295),
    Quantity(quantity.WATER_FLOW, "flow", "m3/s", -6, 0, 1000000),
    Quantity(quantity.SOIL_MOISTURE, "soil", "/", -3, 0, 1000),
    Quantity(quantity.RAIN, "rain", "mm", -1, 0, 1000000),
    Quantity(quantity.BATTERY, "battery", "V", -3, 0, 60000),
    Quantity(quantity.SIGNAL, "rssi", "dBm", 0, -140, 20),
    Quantity(quantity.UPTIME, "uptime", "s", 0, 0, 4294967295),
    Quantity(quantity.HEAP_FREE, "heap", "B", 0, 0, 33554432),
    Quantity(quantity.FREQUENCY, "freq", "Hz", -2, 4000, 7000),
    Quantity(quantity.RECORDS_DROPPED, "dropped", "count", 0, 0, 4294967295),
    Quantity(quantity.RETRANSMISSIONS, "retransmissions", "count", 0, 0, 4294967295),
    Quantity(quantity.OUTBOX_WAITING, "waiting", "count", 0, 0, 65535),
    Quantity(quantity.WATCHDOG_MARGIN, "watchdog-margin", "ms", 0, 0, 60000),
    Quantity(quantity.LAMP_STARTS, "lamp-starts", "count", 0, 0, 4294967295),
    # What a control gear answers that it gives (DALI, QUERY ACTUAL LEVEL); of a feeder, its auxiliary contact.
    Quantity(quantity.LEVEL_REPORTED, "level-reported", "/", -2, 0, 100),
    Quantity(quantity.SENSOR_FAULTS, "sensor-faults", "count", 0, 0, 4294967295),
    Quantity(quantity.APPARENT_POWER, "apparent-power", "VA", 0, 0, 100000),
    Quantity(quantity.VALVE_POSITION, "valve", "/", -2, 0, 100),
    Quantity(quantity.MODULATION, "modulation", "/", -2, 0, 100),
    # A heating circuit has some 150,000.
    Quantity(quantity.WATER_PRESSURE, "pressure", "Pa", 0, 0, 1000000),
    # OpenTherm id 0, slave status: bit 0 fault, 1 central heating, 2 hot water, 3 flame, 4 cooling. Channel 1: id 5,
    # fault flags; channel 2: the maker's fault code.
    Quantity(quantity.BOILER_STATUS, "boiler-status", "/", 0, 0, 255),
    # That of the reference surface, over the last whole civil day.
    Quantity(quantity.EVAPOTRANSPIRATION, "et0", "mm", -2, 0, 1500),
    # How far the root zone is below field capacity; a channel for each zone.
    Quantity(quantity.ROOT_DEPLETION, "depletion", "mm", -1, 0, 5000),
    # Irrigation since the node's first start; a channel for each zone; it only grows.
    Quantity(quantity.WATER_APPLIED, "irrigated", "mm", -1, 0, 4294967295),
    Quantity(quantity.VALVE_OPENINGS, "valve-openings", "count", 0, 0, 4294967295),
    Quantity(quantity.WIND_SPEED, "wind", "m/s", -1, 0, 1000),
    # Learned rate of the node's crystal against the gateway's clock: 10^-6, positive runs fast.
    Quantity(quantity.CLOCK_DRIFT, "drift", "/", -6, -10000, 10000),
    Quantity(quantity.FLASH_WRITES, "flash-writes", "count", 0, 0, 4294967295),
    # Counted by a lamp's control gear itself (DALI part 253).
    Quantity(quantity.GEAR_HOURS, "gear-hours", "h", 0, 0, 1000000),
    Quantity(quantity.GEAR_STARTS, "gear-starts", "count", 0, 0, 4294967295),
    # On the load side of the gear (DALI bank 204).
    Quantity(quantity.LOAD_ENERGY, "load-energy", "Wh", 0, 0, 4294967295),
    # A contact of the room's windows: 1 while one is open.
    Quantity(quantity.WINDOW, "window", "/", 0, 0, 1),
)
BY_CODE = {entry.code: entry for entry in TABLE}
BY_NAME = {entry.name: entry for entry in TABLE}


def in_range(reading_key: int, value: int) -> bool:
    """Returns False when the table knows the quantity and `value` is outside its range. Unknown quantities pass."""
    entry = BY_CODE.get(reading_key % quantity.CHANNEL_STEP)
    return entry is None or entry.low <= value <= entry.high


def label(reading_key: int) -> str:
    """Returns the SenML name of a key: `temp`, `temp.1`; `q77.1` for a code the table does not know."""
    code = reading_key % quantity.CHANNEL_STEP
    channel = reading_key // quantity.CHANNEL_STEP
    entry = BY_CODE.get(code)
    name = entry.name if entry else f"q{code}"
    return f"{name}.{channel}" if channel else name


def key_from_label(name: str):
    """Returns the key of a label, or None when there is none."""
    base, dot, channel = name.partition(".")
    number = small_number(channel) if dot else 0
    entry = BY_NAME.get(base)
    code = entry.code if entry else small_number(base[1:])
    if number is None or code is None or code >= quantity.CHANNEL_STEP:
        return None
    found = quantity.key(code, number)
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
