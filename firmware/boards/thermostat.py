"""Generated from hardware/nodes/thermostat.toml by tools/hardware: change that file, not this one."""

KIND = "thermostat"
MODULE = "esp32-s3"

# the heat demand: electric heaters' contactor or the boiler's room contact, open when the coil is idle
RELAY_PIN = 4
RELAY_CLOSED_LEVEL = 1

# the zone's circulating pump
PUMP_PIN = 5
PUMP_CLOSED_LEVEL = 1

# 0-10 V to the actuator of the zone's valve, output 0: 0 V is closed
VALVE_PART = "gp8403"
VALVE_ADDRESS = 0x58
VALVE_OUTPUT = 0

# bridge to a boiler that speaks OpenTherm
OPENTHERM_PART = "opentherm-gateway"
OPENTHERM_UART = 1
OPENTHERM_TX_PIN = 17
OPENTHERM_RX_PIN = 18
OPENTHERM_BAUD = 9600

# the energy of electric heaters
# Fitted instead of OPENTHERM.
METER_PART = "pzem004t"
METER_UART = 1
METER_TX_PIN = 17
METER_RX_PIN = 18
METER_BAUD = 9600

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

# the room's temperature and humidity: 1.5 m above the floor, out of sun and draught
ROOM_PART = "sht4x"
ROOM_ADDRESS = 0x44

# keeps the time through a power cut
RTC_PART = "ds3231"
RTC_ADDRESS = 0x68

# the air outdoors, on the north wall
OUTDOOR_PART = "ds18b20"
OUTDOOR_PIN = 10

# water to the zone, on the pipe, under the insulation
FLOW_PART = "ds18b20"
FLOW_PIN = 11

# water back from the zone
RETURN_PART = "ds18b20"
RETURN_PIN = 12

# window contacts in series: high when one is open
WINDOW_PIN = 13
WINDOW_PULL = "up"
WINDOW_ACTIVE_LEVEL = 1

# presence detector, open collector: low while somebody is there
PRESENCE_PIN = 14
PRESENCE_PULL = "up"
PRESENCE_ACTIVE_LEVEL = 0

# the technician's button
BUTTON_PIN = 6
BUTTON_PULL = "up"
BUTTON_ACTIVE_LEVEL = 0

# the technician's light
LED_PIN = 21
LED_ACTIVE_LEVEL = 1


def open_valve(bus):
    """Opens the driver of the GP8403. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.gp8403 import Gp8403

    return Gp8403(bus, VALVE_ADDRESS, output=VALVE_OUTPUT)


def open_opentherm(machine):
    """Opens the driver of the OpenTherm Gateway."""
    from drivers.opentherm_bridge import OpenthermBridge

    uart = machine.UART(
        OPENTHERM_UART, baudrate=OPENTHERM_BAUD, timeout=0, tx=OPENTHERM_TX_PIN, rx=OPENTHERM_RX_PIN
    )
    return OpenthermBridge(uart)


def open_meter(machine):
    """Opens the driver of the PZEM-004T v3."""
    from drivers.pzem004t import Pzem004t

    uart = machine.UART(
        METER_UART, baudrate=METER_BAUD, timeout=0, tx=METER_TX_PIN, rx=METER_RX_PIN
    )
    return Pzem004t(uart)


def open_room(bus):
    """Opens the driver of the SHT40 / SHT41 / SHT45. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.sht4x import Sht4x

    return Sht4x(bus, ROOM_ADDRESS)


def open_rtc(bus):
    """Opens the driver of the DS3231. `bus` is a drivers.i2c_bus.Bus."""
    from drivers.ds3231 import Ds3231

    return Ds3231(bus, RTC_ADDRESS)


def open_outdoor(machine):
    """Opens the driver of the DS18B20."""
    from onewire import OneWire

    from drivers.ds18b20 import Ds18b20

    return Ds18b20(OneWire(machine.Pin(OUTDOOR_PIN)))


def open_flow(machine):
    """Opens the driver of the DS18B20."""
    from onewire import OneWire

    from drivers.ds18b20 import Ds18b20

    return Ds18b20(OneWire(machine.Pin(FLOW_PIN)))


def open_return(machine):
    """Opens the driver of the DS18B20."""
    from onewire import OneWire

    from drivers.ds18b20 import Ds18b20

    return Ds18b20(OneWire(machine.Pin(RETURN_PIN)))


def stand_in():
    """Returns the class that keeps this board's outputs safe where no application does and boot.py's levels are not
    enough."""
    from drivers.frost_heat import FrostHeat

    return FrostHeat
