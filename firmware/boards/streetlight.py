"""Generated from hardware/nodes/streetlight.toml by tools/hardware: change that file, not this one."""

KIND = "streetlight"
MODULE = "esp32-s3"

# feeds the lamp's driver through its normally closed contact: an idle coil, or a dead board, leaves the lamp lit
RELAY_PIN = 4
RELAY_CLOSED_LEVEL = 0

# PWM, filtered, inverted by an optocoupler: a low or floating pin gives 10 V, full light (IEC 60929 annex E)
DIM_PIN = 5
DIM_INVERTED = True
DIM_HZ = 1000

# BL0942 on its UART at the rate that its SEL pin sets (data sheet 1.06, section 3.2)
METER_PART = "bl0942"
METER_UART = 1
METER_TX_PIN = 17
METER_RX_PIN = 18
METER_BAUD = 4800

# data sheet 1.06, typical application: 1 milliohm shunt, five 390 kohm over 510 ohm
# Register counts per kV, kA, kW and MWh.
METER_CALIBRATION = (15883341, 251213465, 623394, 5350632)

# bridge to a DALI-2 or D4i gear, which measures its own energy
# Fitted instead of METER.
DALI_PART = "al-dali-hat"
DALI_UART = 1
DALI_TX_PIN = 17
DALI_RX_PIN = 18
DALI_BAUD = 19200

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

# daylight, under a clear dome that looks up, not at the lamp
PHOTOCELL_PART = "bh1750"
PHOTOCELL_ADDRESS = 0x23

# the same, where full sun must be told apart too
# Fitted instead of PHOTOCELL.
PHOTOCELL_WIDE_PART = "veml7700"
PHOTOCELL_WIDE_ADDRESS = 0x10

# keeps the time by day on a switched feeder
RTC_PART = "ds3231"
RTC_ADDRESS = 0x68

# presence detector, open collector: low while somebody is there
PRESENCE_PIN = 10
PRESENCE_PULL = "up"
PRESENCE_ACTIVE_LEVEL = 0

# the technician's button
BUTTON_PIN = 6
BUTTON_PULL = "up"
BUTTON_ACTIVE_LEVEL = 0

# the technician's light
LED_PIN = 21
LED_ACTIVE_LEVEL = 1


def open_meter(machine):
    """Opens the driver of the BL0942."""
    from drivers.bl0942 import Bl0942

    uart = machine.UART(
        METER_UART, baudrate=METER_BAUD, timeout=0, tx=METER_TX_PIN, rx=METER_RX_PIN
    )
    return Bl0942(uart, calibration=METER_CALIBRATION)


def open_dali(machine):
    """Opens the driver of the AL-DALI-HAT."""
    from drivers.dali_bridge import DaliBridge

    uart = machine.UART(
        DALI_UART, baudrate=DALI_BAUD, timeout=0, tx=DALI_TX_PIN, rx=DALI_RX_PIN
    )
    return DaliBridge(uart)


def open_photocell(bus):
    """Opens the driver of the BH1750FVI. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.bh1750 import Bh1750

    return Bh1750(bus, PHOTOCELL_ADDRESS)


def open_photocell_wide(bus):
    """Opens the driver of the VEML7700. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.veml7700 import Veml7700

    return Veml7700(bus, PHOTOCELL_WIDE_ADDRESS)


def open_rtc(bus):
    """Opens the driver of the DS3231. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.ds3231 import Ds3231

    return Ds3231(bus, RTC_ADDRESS)


def stand_in():
    """Returns the class that keeps this board's outputs safe where no application does and boot.py's levels are not
    enough."""
    from drivers.lamp_light import LampLight

    return LampLight
