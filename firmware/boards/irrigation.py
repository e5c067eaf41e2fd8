"""Generated from hardware/nodes/irrigation.toml by tools/hardware: change that file, not this one."""

KIND = "irrigation"
MODULE = "esp32-s3"

# the pulses of the zone valves: forward opens, reverse closes; the selector says which valve
ZONES_IN1_PIN = 38
ZONES_IN2_PIN = 39
ZONES_PULSE_MS = 100
ZONES_COUNT = 8

# one low output connects one valve to the bridge; all high at power-up: none
SELECTOR_PART = "pcf8574"
SELECTOR_ADDRESS = 0x20

# the master valve, on its own bridge: it closes whatever has become of the selector
MASTER_IN1_PIN = 40
MASTER_IN2_PIN = 41
MASTER_PULSE_MS = 100
MASTER_COUNT = 1

# the pump's contactor, open when the coil is idle
PUMP_PIN = 42
PUMP_CLOSED_LEVEL = 1

# charges the capacitor that feeds the pulses; off between them; 10 kOhm to ground
BOOST_PIN = 47
BOOST_ACTIVE_LEVEL = 1
BOOST_FULL_MV = 12000

# voltage of the pulse capacitor, 2 x 4700 uF 35 V: no valve is opened below what its closing needs
CAPACITOR_PIN = 2
CAPACITOR_UPPER_OHM = 1000000
CAPACITOR_LOWER_OHM = 100000
CAPACITOR_MICROFARAD = 9400

# voltage of the Li-ion cell, fitted on the mains too: it shuts the valves when they fail
BATTERY_PIN = 1
BATTERY_UPPER_OHM = 1000000
BATTERY_LOWER_OHM = 1000000
BATTERY_CAPACITY_MAH = 2600

# soil moisture probe, 0-3 V
SOIL_1_PIN = 4
SOIL_1_UPPER_OHM = 0
SOIL_1_LOWER_OHM = 1000000

# a second soil moisture probe
SOIL_2_PIN = 5
SOIL_2_UPPER_OHM = 0
SOIL_2_LOWER_OHM = 1000000

# the water meter behind the master valve
FLOW_PIN = 13
FLOW_UNIT = 0
FLOW_HZ_MAX = 400

# tipping-bucket rain gauge
RAIN_PIN = 12
RAIN_UNIT = 1
RAIN_HZ_MAX = 10

# cup anemometer
WIND_PIN = 14
WIND_UNIT = 2
WIND_HZ_MAX = 50

# rain sensor with a contact that opens when wet
RAIN_CONTACT_PIN = 11
RAIN_CONTACT_PULL = "up"
RAIN_CONTACT_ACTIVE_LEVEL = 1

# RS-485 or a wire to the gateway, where there is no radio: a transceiver whose driver the enable pin switches on
BUS_PART = "rs485"
BUS_UART = 2
BUS_TX_PIN = 15
BUS_RX_PIN = 16
BUS_ENABLE_PIN = 7

# sensors in the box and on its lid, 30 cm of cable at most; 4.7 kOhm from SCL and SDA to 3V3 on the board
I2C_SCL_PIN = 9
I2C_SDA_PIN = 8
I2C_HZ = 100000

# temperature and humidity of the air, under a shelter
AIR_PART = "sht4x"
AIR_ADDRESS = 0x44

# the current of a valve's coil during its pulse, in the coils' common return, and the voltage it has
COIL_PART = "ina226"
COIL_ADDRESS = 0x40
COIL_SHUNT_MICROOHM = 10000

# the time through deep sleep
RTC_PART = "ds3231"
RTC_ADDRESS = 0x68

# the technician's button
BUTTON_PIN = 6
BUTTON_PULL = "up"
BUTTON_ACTIVE_LEVEL = 0

# the technician's light
LED_PIN = 21
LED_ACTIVE_LEVEL = 1


def open_selector(bus):
    """Opens the driver of the PCF8574. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.pcf8574 import Pcf8574

    return Pcf8574(bus, SELECTOR_ADDRESS)


def open_air(bus):
    """Opens the driver of the SHT40 / SHT41 / SHT45. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.sht4x import Sht4x

    return Sht4x(bus, AIR_ADDRESS)


def open_coil(bus):
    """Opens the driver of the INA226. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.ina226 import Ina226

    return Ina226(bus, COIL_ADDRESS, shunt_microohm=COIL_SHUNT_MICROOHM)


def open_rtc(bus):
    """Opens the driver of the DS3231. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.ds3231 import Ds3231

    return Ds3231(bus, RTC_ADDRESS)


def stand_in():
    """Returns the class that keeps this board's outputs safe where no application does and boot.py's levels are not
    enough."""
    from drivers.shutter import Shutter

    return Shutter
