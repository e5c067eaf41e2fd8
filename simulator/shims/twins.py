"""Which twin stands for which driver: module of firmware/drivers -> file under simulator/, without its end. Data only.

A test sees that none is missing. PURE names those modules of firmware/drivers that touch no part.
"""

PURE = ("crc", "held_output", "sensor")

TWINS = {
    "analog": "twins/pins",
    "bh1750": "twins/bh1750",
    "bl0942": "shims/bench_bl0942",
    "button": "twins/pins",
    "contact": "twins/pins",
    "dali_bridge": "shims/bench_dali",
    "dimmer": "shims/bench_lamp",
    "ds18b20": "twins/ds18b20",
    "ds3231": "twins/ds3231",
    "frost_heat": "twins/gp8403",
    "gp8403": "twins/gp8403",
    "i2c_bus": "twins/i2c",
    "ina226": "twins/ina226",
    "lamp_light": "twins/mcp4725",
    "latching_valves": "twins/valves",
    "led": "twins/pins",
    "mcp4725": "twins/mcp4725",
    "opentherm_bridge": "otgw",
    "pcf8574": "twins/pcf8574",
    "pulses": "twins/pins",
    "pzem004t": "twins/pzem004t",
    "sht4x": "twins/sht4x",
    "shutter": "twins/valves",
    "temperature": "shims/esp32",
    "veml7700": "twins/veml7700",
}
