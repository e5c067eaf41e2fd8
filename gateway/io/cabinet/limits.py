"""Holds every bound of the cabinet's drivers, with its reason."""

# --- observations (cabinet_io.py) -----------------------------------------------------------------------------------

# The core expects an observation about once a second: a technician at the hand switch waits no longer than that.
OBSERVE_MS = 1_000
# How often GPIO lines are read between two observations: a debounced contact needs three readings.
TICK_MS = 100
# Contacts bounce for some 10 ms, a cabinet's door that is slammed for 100 to 200.
DEBOUNCE_MS = 250
# Observations on their way to the agent's loop. One that waits is outdated by the next: more are no use.
OBSERVATIONS_MAX = 4
# A timer relay detects a pulse of some 20 ms for certain; the line must be back well before the next one.
WATCHDOG_PULSE_MS = 100
# So long the contactors may be out of our control (port gone, relay board silent) before the pulses stop: a unit that
# misses its answers twice is asked again within 3 s. Below the ten seconds after which the relay takes over by itself.
IN_HAND_MS = 5_000

# --- GPIO (gpio.py) -------------------------------------------------------------------------------------------------

# Lines of the largest chip of a board that a cabinet may hold (a Raspberry Pi 5 has 54).
GPIO_LINE_MAX = 511
# A line that is refused (held by another program) or lost is requested again after this.
GPIO_RETRY_MS = 2_000

# --- Modbus (rtu.py, readings.py, modbus.py) ------------------------------------------------------------------------

# "Modbus over serial line" 1.02, section 2.2: addresses of devices.
UNIT_MAX = 247
# From the question's last byte to the answer's first. Carlo Gavazzi gives 500 ms as the longest of its meters, typical
# are 40; it bounds how long a contactor waits behind a silent meter.
RTU_ANSWER_MS = 500
# One read of the port: an answer's end is noticed so late at most.
RTU_READ_MS = 20
# An answer has at most 256 bytes (section 2.5.1.1); more bytes of a line that babbles are not kept.
RTU_BYTES_MAX = 512
RTU_WRITE_MS = 500
# Silence before a question: 3.5 characters (section 2.5.1.1), and at least the latency of a USB adapter, which delivers
# every 16 ms. On a line that is never silent the question is sent all the same.
RTU_SILENCE_MS = 20
RTU_BABBLE_MS = 200
# Bits of one unit that lie so close are read with one question.
BITS_SPAN_MAX = 64
# How often bits, registers and power are read; energy counters move slowly and have a question of their own.
READ_EVERY_MS = 1_000
ENERGY_EVERY_MS = 10_000
# A value read longer ago is not known any more: five observations, and three for a unit that once did not answer.
READ_STALE_MS = 5_000
ENERGY_STALE_MS = 25_000
# A unit that does not answer is asked less often, so that it takes the line from the others for half a second in 30 s
# only; and a meter that is back is read again within 30 s.
UNIT_RETRY_FIRST_MS = 1_000
UNIT_RETRY_LAST_MS = 30_000
# A contactor is written to again sooner: the street waits for it.
COIL_RETRY_MS = 1_000
# No unit answers any more: some adapters hang until their port is opened again.
PORT_SILENT_MS = 60_000

# --- serial ports (modbus.py, linky.py) -----------------------------------------------------------------------------

# A port that is gone: an adapter is back within seconds, and contactors may depend on it.
PORT_REOPEN_FIRST_MS = 500
PORT_REOPEN_LAST_MS = 10_000

# --- Linky (linky.py) -----------------------------------------------------------------------------------------------

# A frame takes 1.5 to 2 s in the historique mode: seven lost in a row.
LINKY_STALE_MS = 15_000
LINKY_READ_MS = 200
LINKY_READ_BYTES_MAX = 4_096
# After something was read: a meter that never stops sending costs ten turns of the thread a second.
LINKY_PAUSE_MS = 100
