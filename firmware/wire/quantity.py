"""Defines the code of every physical quantity; `wire.quantity_table` has its name, unit, exponent and range.

A reading is an integer `n` that means `n · 10^exponent` of the quantity's unit, from the driver to the warehouse:
21.37 °C is 2137 of TEMPERATURE, whose exponent is -2. Its key on the wire is `code + 256 · channel`; the most frequent
quantities have codes below 24, which take one byte. Codes are never reused and their exponents never change: a new
scale is a new code.
"""

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
CLOCK_DRIFT = 51
FLASH_WRITES = 52
GEAR_HOURS = 56
GEAR_STARTS = 57
LOAD_ENERGY = 58
WINDOW = 60


def key(code: int, channel: int = 0) -> int:
    """Returns the wire key of `code` on `channel` (the second temperature of a node is channel 1)."""
    return code + CHANNEL_STEP * channel
