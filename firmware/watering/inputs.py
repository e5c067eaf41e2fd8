"""Holds the keys under which the ports of an irrigation node report inputs that are no quantity of the wire.

A sample is {key: integer}. Temperature, humidity, wind, radiation and battery come as quantities of `wire.quantity` on
channel 0. Counters and contacts have the keys below, and the trade turns them into quantities. The keys lie above every
wire key, so that none of them ever leaves the node.
"""

from wire import limits
from wire.quantity import CHANNEL_STEP

_FIRST = CHANNEL_STEP * (limits.CHANNELS_MAX + 1)

# Pulses of the water meter since the ports were made; a hardware counter, so that no pulse is lost at 400 Hz.
METER_PULSES = _FIRST
# Tips of the rain gauge, counted likewise.
RAIN_TIPS = _FIRST + 1
# 1 while the rain sensor is wet.
RAIN_WET = _FIRST + 2
# Voltage of the boost capacitor that pulses latching coils, mV.
BOOST_MV = _FIRST + 3
# Voltage of the first soil probe, mV; the second's is one above.
SOIL_MV = _FIRST + 4
