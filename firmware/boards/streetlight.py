"""Generated from hardware/nodes/streetlight.toml by tools/generate.py: change that file, not this one."""

# feeds the lamp's driver through its normally closed contact: an idle coil, or a dead board, leaves the lamp lit
RELAY_PIN = 4
RELAY_CLOSED_LEVEL = 0

# PWM, filtered, inverted by an optocoupler: a low or floating pin gives 10 V, full light (IEC 60929 annex E)
DIM_PIN = 5
DIM_INVERTED = True
DIM_HZ = 1000

# RS-485 or a wire to the gateway, where there is no radio: a transceiver whose driver the enable pin switches on
BUS_UART = 2
BUS_TX_PIN = 15
BUS_RX_PIN = 16
BUS_ENABLE_PIN = 7

# for the technician: a button to ground behind the lid, and a lamp of its own (LED), lit by a high level
BUTTON_PIN = 6
LED_PIN = 8
LED_LIT_LEVEL = 1

# BL0942 on its UART at the rate that its SEL pin sets (data sheet 1.06, section 3.2)
METER_UART = 1
METER_TX_PIN = 17
METER_RX_PIN = 18
METER_BAUD = 4800

# data sheet 1.06, typical application: 1 milliohm shunt, five 390 kohm over 510 ohm
# Register counts per kV, kA, kW and MWh.
METER_CALIBRATION = (15883341, 251213465, 623394, 5350632)
