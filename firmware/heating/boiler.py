"""Controls a boiler behind an OpenTherm Gateway without a thermostat: encodes frames, renews the lease, reads answers.

The bridge is Schelte Bron's OpenTherm Gateway (OTGW, a PIC with ASCII lines at 9600 baud) with nothing connected to its
thermostat terminals ("stand-alone operation"). It then talks to the boiler by itself, one frame a second in a fixed
round (ids 0, 25, 1, 17, 27, 28, 14, 56, 57, 18), **without this node**: the PIC, not Python, keeps the one second that
OpenTherm allows, also while the network hangs, the chip is blocked or the chip restarts. The node holds only a lease:
`CS=` (the flow set-point, id 1) expires after just over a minute (firmware 5.2 and later), and the boiler then stops
heating. A node that dies cannot leave a boiler at maximum.

Commands: `CS=` and `CH=` (bit 0 of id 0) at every change and every LEASE_REFRESH_MS. `SH=` (id 57, the highest flow
temperature) when the gateway's own frames show another value than ours, or none for SH_UNSEEN_MS after a start. The
gateway keeps that value in EEPROM, which wears out, and drops a value that its boiler calls invalid; so it is sent
SH_TRIES times a day at most. `MM=100`, `HW=` once a start; `PM=5` asks for the faults, which are not in the
gateway's round. One command at a time; its answer `XX: value` is awaited.

Reports: every frame as a line, `T`, `B`, `R` or `A` and 8 hexadecimal digits: `R` is what the gateway asked, `B` what
the boiler answered. They give the status, the temperatures, and whether the line is alive. Sans-IO: bytes and time in,
bytes out.

Sources: otgw.tclcode.com, "Firmware" and "Stand-alone operation"; release notes of firmware 5.2.
"""

from binascii import unhexlify
from collections import namedtuple

from heating import limits
from wire import quantity

# The OpenTherm frame has 32 bits between a room unit (master) and a boiler (slave): OpenTherm Protocol Specification
# 2.2, section 4.2: bit 31 parity (the number of ones is even), 30-28 message type, 27-24 spare (0), 23-16 data id, 15-0
# data value, most significant first. Section 5.1: f8.8 is a signed number of 1/256. A frame is four bytes here, never
# one integer: a chip's small integer has 31 bits.
WRITE_DATA = 1
READ_ACK = 4

STATUS = 0
FAULTS = 5
MODULATION = 17
WATER_PRESSURE = 18
FLOW_TEMPERATURE = 25
OUTDOOR_TEMPERATURE = 27
RETURN_TEMPERATURE = 28
MAX_CH_SETPOINT = 57

# A flag of the slave, in the low byte of id 0.
FAULT = 0x01

OpenThermFrame = namedtuple("OpenThermFrame", ("type", "id", "value"))

_SPARE_MASK = 0x0F


def decode_frame(data):
    """Returns the OpenThermFrame in four bytes; None for another length, odd parity or spare bits."""
    if len(data) != 4 or _odd(data[0] ^ data[1] ^ data[2] ^ data[3]) or data[0] & _SPARE_MASK:
        return None
    return OpenThermFrame(data[0] >> 4 & 7, data[1], data[2] << 8 | data[3])


def from_f8_8(value) -> int:
    """Returns an f8.8 data value in 0.01, rounded to the nearest."""
    signed = value - 0x10000 if value & 0x8000 else value
    return (signed * 100 + 128) // 256


def _odd(folded) -> int:
    folded ^= folded >> 4
    folded ^= folded >> 2
    return (folded ^ folded >> 1) & 1


# The properties of one boiler: highest flow temperature in 0.01 °C; whether it may also make hot water (None: the
# boiler decides).
BoilerModel = namedtuple("BoilerModel", ("flow_max_ck", "hot_water"))

# Keys of a boiler's state in a sample. Status is OpenTherm id 0's low byte, then the two bytes of id 5.
STATUS_KEY = quantity.key(quantity.BOILER_STATUS)
FAULT_FLAGS_KEY = quantity.key(quantity.BOILER_STATUS, 1)
FAULT_CODE_KEY = quantity.key(quantity.BOILER_STATUS, 2)
FLOW_KEY = quantity.key(quantity.TEMPERATURE, 2)
RETURN_KEY = quantity.key(quantity.TEMPERATURE, 3)
OUTDOOR_KEY = quantity.key(quantity.TEMPERATURE, 1)

_BAR_TO_PA_OF_CENTIBAR = 1000
_COUNTERS = ("lines", "frames", "damaged", "garbage", "refused", "unanswered", "errors")
# The age up to which a value of the boiler is reported; the gateway's round takes 16 s.
_FRESH_MS = 120_000


class BoilerLink:
    """Keeps the conversation with one boiler.

    `demand` accepts the trade's decision, `receive` the bytes of the line; `outgoing` returns the lines to write.
    """

    def __init__(self, model, *, now_ms):
        self._model = model
        self._enabled = False
        self._flow_ck = limits.FLOW_MIN_CK
        self._buffer = b""
        self._values = {}  # wire key: (value, since when)
        self._queue = []
        self._awaited = None  # (command's two letters, sent when)
        self._lease_at_ms = now_ms
        self._sh_at_ms = now_ms
        self._sh_tries = 0
        self._round_ms = now_ms  # since when the gateway's round may show its id 57
        self._faults_at_ms = now_ms
        self._line_ms = now_ms
        self._answer_ms = now_ms
        self.max_ch_ck = None
        self.counters = dict.fromkeys(_COUNTERS, 0)
        self._queue_command("PS=0")
        self._queue_command("GW=1")
        self._queue_command("MM=100")
        if model.hot_water is not None:
            self._queue_command("HW=1" if model.hot_water else "HW=0")

    # --- in -------------------------------------------------------------------------------------------------

    def demand(self, enabled, flow_ck, *, now_ms) -> None:
        """Sets whether to heat, and the flow set-point in 0.01 °C within the model's bounds. Cheap without a change."""
        flow_ck = max(limits.FLOW_MIN_CK, min(self._model.flow_max_ck, flow_ck))
        if enabled != self._enabled or abs(flow_ck - self._flow_ck) >= 10:
            self._enabled = enabled
            self._flow_ck = flow_ck
            self._lease_at_ms = now_ms

    def receive(self, data, *, now_ms) -> None:
        """Accepts bytes of the line, as they come."""
        self._buffer += data
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                break
            line = self._buffer[:end].strip()
            self._buffer = self._buffer[end + 1 :]
            if line:
                self._line(line, now_ms)
        if len(self._buffer) > limits.LINE_BYTES_MAX:
            self.counters["garbage"] += 1
            self._buffer = b""

    def outgoing(self, *, now_ms) -> list:
        """Returns the lines to write now, each as bytes. Call it in every turn."""
        self._plan(now_ms)
        if self._awaited is not None:
            if now_ms - self._awaited[1] < limits.ANSWER_MS:
                return []
            self.counters["unanswered"] += 1
            self._awaited = None
        if not self._queue:
            return []
        command = self._queue.pop(0)
        self._awaited = (command[:2], now_ms)
        return [command.encode() + b"\r"]

    # --- out ------------------------------------------------------------------------------------------------

    def is_alive(self, *, now_ms) -> bool:
        """Returns True while the bridge reports and the boiler answers it."""
        return now_ms - self._line_ms < limits.BRIDGE_LOST_MS and now_ms - self._answer_ms < limits.BOILER_LOST_MS

    def readings(self, *, now_ms) -> dict:
        """Returns the boiler's fresh values, {wire key: scaled integer}; none while it is silent."""
        if not self.is_alive(now_ms=now_ms):
            return {}
        return {key: kept[0] for key, kept in self._values.items() if now_ms - kept[1] < _FRESH_MS}

    # --- inside ---------------------------------------------------------------------------------------------

    def _plan(self, now_ms):
        if now_ms >= self._lease_at_ms:
            self._lease_at_ms = now_ms + limits.LEASE_REFRESH_MS
            self._drop("CS", "CH")
            # CH first when heating ends: the bit overrides the set-point (section 5.3.1).
            self._queue_command(f"CH={1 if self._enabled else 0}")
            self._queue_command(f"CS={decimal(self._flow_ck)}")
        if now_ms >= self._sh_at_ms and self._wants_max(now_ms):
            self._sh_tries += 1
            is_last = self._sh_tries % limits.SH_TRIES == 0
            self._sh_at_ms = now_ms + (limits.SH_REST_MS if is_last else limits.SH_AGAIN_MS)
            self._queue_command(f"SH={decimal(self._model.flow_max_ck)}")
        if now_ms >= self._faults_at_ms:
            self._faults_at_ms = now_ms + limits.FAULT_EVERY_MS
            self._queue_command(f"PM={FAULTS}")

    def _wants_max(self, now_ms):
        """Returns True if the gateway has another highest flow temperature than ours, or does not show its value."""
        if not self.is_alive(now_ms=now_ms):
            return False
        if self.max_ch_ck is None:
            return now_ms - self._round_ms >= limits.SH_UNSEEN_MS
        return abs(self.max_ch_ck - self._model.flow_max_ck) > 1

    def _queue_command(self, command):
        if len(self._queue) < limits.LINES_MAX and command not in self._queue:
            self._queue.append(command)

    def _drop(self, *letters):
        self._queue = [command for command in self._queue if command[:2] not in letters]

    def _line(self, line, now_ms):
        self.counters["lines"] += 1
        self._line_ms = now_ms
        if len(line) == 9 and line[:1] in (b"T", b"B", b"R", b"A"):
            self._frame(line, now_ms)
        elif len(line) > 3 and line[2:3] == b":":
            self._observe_reply(line)
        elif len(line) == 2:
            # NG, SE, BV, OR, NS, NF, OE: the gateway refuses the command that is awaited.
            self.counters["refused"] += 1
            self._awaited = None
        elif line.startswith(b"Error"):
            self.counters["errors"] += 1
        elif line.startswith(b"OpenTherm Gateway"):
            # The gateway has restarted, and has lost the lease only.
            self._lease_at_ms = now_ms
            self.max_ch_ck = None  # or it is another gateway
            self._round_ms = now_ms
        else:
            self.counters["garbage"] += 1

    def _observe_reply(self, line):
        if self._awaited is not None and line[:2] == self._awaited[0].encode():
            self._awaited = None

    def _frame(self, line, now_ms):
        try:
            frame = decode_frame(unhexlify(line[1:]))
        except ValueError:
            frame = None
        if frame is None:
            self.counters["damaged"] += 1
            return
        self.counters["frames"] += 1
        if line[:1] == b"R" and frame.id == MAX_CH_SETPOINT and frame.type == WRITE_DATA:
            self.max_ch_ck = from_f8_8(frame.value)
        elif line[:1] == b"B":
            self._answer_ms = now_ms
            self._observe_answer(frame, now_ms)

    def _observe_answer(self, frame, now_ms):
        if frame.type != READ_ACK:
            return
        if frame.id == STATUS:
            self._keep(STATUS_KEY, frame.value & 0xFF, now_ms)
            if not frame.value & FAULT:
                self._keep(FAULT_FLAGS_KEY, 0, now_ms)
                self._keep(FAULT_CODE_KEY, 0, now_ms)
            elif not self._values.get(FAULT_FLAGS_KEY, (0, 0))[0] and not self._values.get(FAULT_CODE_KEY, (0, 0))[0]:
                self._faults_at_ms = min(self._faults_at_ms, now_ms + limits.ANSWER_MS)
        elif frame.id == FAULTS:
            self._keep(FAULT_FLAGS_KEY, frame.value >> 8, now_ms)
            self._keep(FAULT_CODE_KEY, frame.value & 0xFF, now_ms)
        elif frame.id == MODULATION:
            self._keep(quantity.MODULATION, (from_f8_8(frame.value) + 50) // 100, now_ms)
        elif frame.id == WATER_PRESSURE:
            self._keep(quantity.WATER_PRESSURE, from_f8_8(frame.value) * _BAR_TO_PA_OF_CENTIBAR, now_ms)
        elif frame.id in _TEMPERATURES:
            self._keep(_TEMPERATURES[frame.id], from_f8_8(frame.value), now_ms)

    def _keep(self, key, value, now_ms):
        self._values[key] = (value, now_ms)


_TEMPERATURES = {
    FLOW_TEMPERATURE: FLOW_KEY,
    RETURN_TEMPERATURE: RETURN_KEY,
    OUTDOOR_TEMPERATURE: OUTDOOR_KEY,
}


def decimal(value_ck) -> str:
    """Returns the text of a temperature for the gateway: 45.80 for 4580."""
    return f"{value_ck // 100}.{value_ck % 100:02d}"
