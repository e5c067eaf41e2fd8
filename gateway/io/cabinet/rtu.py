"""Sends one question on a Modbus RTU line and returns its answer: pymodbus's messages and framing over pyserial.

pymodbus's own serial client is not used: it waits by the wall clock (`_wait_for_data`, 3.8 to 3.16), which steps by
years in a cabinet that has just found the time, and Debian 13's 3.8.6 listens without end to a line that babbles.
Here an answer has a deadline on the monotonic clock, even on a line that babbles. Only the answer of the unit asked, to
the function asked, of the length asked counts: echoes of an adapter, noise before it and late answers of other units
are skipped.
"""

import logging

import serial
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from gateway.io import clock
from gateway.io.cabinet import limits

_DECODER = DecodePDU(False)
_FRAMER = FramerRTU(_DECODER)
_REQUESTS = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
# Unit, function, CRC of two bytes; then a count and the data, or the contents of a written coil or a refusal.
_READ_OVERHEAD_BYTES, _WRITTEN_BYTES, _REFUSED_BYTES = 5, 8, 5
# Start, eight bits, parity, stop.
_BITS_PER_BYTE = 11
GARBAGE, SILENCE = "garbage", "silence"
# pymodbus logs an error for each refusal and each garbage; here they are counted.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class NoAnswerError(Exception):
    """Reports that the unit did not answer in time (SILENCE), or that no received bytes were its answer (GARBAGE)."""


class RefusedError(Exception):
    """Reports that the unit answered with a Modbus exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception code {code}")
        self.code = code


def read(port: serial.Serial, unit: int, function: int, address: int, count: int) -> list[int]:
    """Returns bits (0 or 1) or registers, `count` of them. NoAnswerError, RefusedError; OSError when the port is
    gone."""
    request = _REQUESTS[function](dev_id=unit, address=address, count=count)
    data_bytes = 2 * count if function >= 3 else (count + 7) // 8
    answer = _exchange(port, request, _READ_OVERHEAD_BYTES + data_bytes)
    values = answer.registers if function >= 3 else answer.bits
    return [int(value) for value in values[:count]]


def write_coil(port: serial.Serial, unit: int, address: int, on: bool) -> list[int]:
    """Returns what the unit reports to have written; raises as `read`. A unit repeats the question, as does an adapter
    with an echo: only reading the coil back proves it."""
    answer = _exchange(port, WriteSingleCoilRequest(dev_id=unit, address=address, bits=[on]), _WRITTEN_BYTES)
    return [int(answer.bits[0])]


def _exchange(port: serial.Serial, request: ModbusPDU, answer_bytes: int) -> ModbusPDU:
    question = _FRAMER.buildFrame(request)
    _await_silence(port)
    port.write(question)
    deadline_ms = clock.monotonic_ms() + limits.RTU_ANSWER_MS + _duration_ms(port, len(question) + answer_bytes)
    heard = b""
    while (left_ms := deadline_ms - clock.monotonic_ms()) > 0:
        port.timeout = min(left_ms, limits.RTU_READ_MS) / 1000
        heard += port.read(max(1, min(port.in_waiting, limits.RTU_BYTES_MAX)))
        answer = _find(heard, request.dev_id, request.function_code, answer_bytes)
        if answer is not None:
            if answer.isError():
                raise RefusedError(answer.exception_code)
            return answer
        heard = heard[-limits.RTU_BYTES_MAX :]
    raise NoAnswerError(GARBAGE if heard else SILENCE)


def _await_silence(port: serial.Serial) -> None:
    """Waits for the 3.5 characters of silence before a question; bytes that come meanwhile are late, and dropped."""
    port.timeout = max(limits.RTU_SILENCE_MS, _duration_ms(port, 4)) / 1000
    deadline_ms = clock.monotonic_ms() + limits.RTU_BABBLE_MS
    while port.read(limits.RTU_BYTES_MAX) and clock.monotonic_ms() < deadline_ms:
        pass


def _duration_ms(port: serial.Serial, count: int) -> int:
    """Returns how long so many bytes are on the line, rounded up."""
    return int(1000 * _BITS_PER_BYTE * count // port.baudrate) + 1


def _find(heard: bytes, unit: int, function: int, answer_bytes: int) -> ModbusPDU | None:
    """Returns the first frame in these bytes that is the answer."""
    for start in range(len(heard) - _REFUSED_BYTES + 1):
        if heard[start] != unit or heard[start + 1] & 0x7F != function:
            continue
        length = _REFUSED_BYTES if heard[start + 1] & 0x80 else answer_bytes
        frame = heard[start : start + length]
        if len(frame) == length:
            _, found_unit, _, message = _FRAMER.decode(frame)
            if found_unit == unit and len(message) == length - 3:
                return _DECODER.decode(message)
    return None
