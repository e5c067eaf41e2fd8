"""Generated from hardware/nodes/water_meter.toml by tools/hardware: change that file, not this one."""

KIND = "water_meter"
MODULE = "esp32-s3"

# the meter's pulse emitter
METER_PIN = 13
METER_UNIT = 0
METER_HZ_MAX = 50

# the loop in the emitter's cable: open when the cable is cut or the emitter taken off
CABLE_PIN = 12
CABLE_PULL = "up"
CABLE_ACTIVE_LEVEL = 1

# voltage of the lithium cell
BATTERY_PIN = 1
BATTERY_UPPER_OHM = 1000000
BATTERY_LOWER_OHM = 1000000

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

# the time over a cut of the battery: a leak is judged by the hours of the night
RTC_PART = "ds3231"
RTC_ADDRESS = 0x68

# the technician's button
BUTTON_PIN = 6
BUTTON_PULL = "up"
BUTTON_ACTIVE_LEVEL = 0

# the technician's light
LED_PIN = 21
LED_ACTIVE_LEVEL = 1


def open_rtc(bus):
    """Opens the driver of the DS3231. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.ds3231 import Ds3231

    return Ds3231(bus, RTC_ADDRESS)
