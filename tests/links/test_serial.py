"""The serial bearers of a node against a scripted UART: what leaves, what arrives, when the driver's pin is up."""

import pytest

from links import rs485, uart
from wire import bus, limits, slip

LINE = bus.line()


class Chip:
    """Stands for `select`, a UART and a pin with one clock. `calls`: (time, what)."""

    POLLIN = 1

    def __init__(self):
        self.time_ms = 0
        self.arriving = b""
        self.comes_ms = None  # when `arriving` comes in
        self.written = []
        self.leaves_ms = 0
        self.stuck = False
        self.pin = []
        self.longest_ms = 0

    def poll(self, *timeout_ms):
        if timeout_ms:
            self.sleep_ms(min(timeout_ms[0], 1 if self.any() else timeout_ms[0]))
        return self

    def register(self, _uart, events):
        assert events == self.POLLIN

    def now_ms(self):
        return self.time_ms

    def sleep_ms(self, duration_ms):
        self.time_ms += duration_ms

    def any(self):
        return len(self.arriving) if self.comes_ms is None or self.time_ms >= self.comes_ms else 0

    def read(self, count):
        data, self.arriving = self.arriving[:count], self.arriving[count:]
        return data

    def write(self, data):
        self.written.append((self.time_ms, data))
        self.leaves_ms = max(self.leaves_ms, self.time_ms) + bus.airtime_ms(LINE, len(data))

    def txdone(self):
        return not self.stuck and self.time_ms >= self.leaves_ms

    def value(self, level):
        self.pin.append((self.time_ms, level))


@pytest.fixture
def chip():
    return Chip()


def test_the_uart_is_opened_with_buffers_that_hold_what_a_slow_loop_finds():
    class Machine:
        @staticmethod
        def UART(number, **settings):  # noqa: N802
            return number, settings

    number, settings = uart.open_uart(Machine, 2, tx=17, rx=16, baud=115_200)
    assert number == 2 and settings["timeout"] == 0
    assert settings["rxbuf"] >= 115_200 // 10 * 100 // 1000
    assert settings["txbuf"] >= bus.FRAME_BYTES_MAX


# --- point to point -------------------------------------------------------------------------------------------


def test_datagrams_cross_a_wire_through_noise(chip):
    link = uart.UartLink(chip, chip)
    chip.arriving = b"\x00noise" + slip.encode(b"a") + slip.encode(bytes(250)) + slip.encode(b"half")[:3]
    assert link.receive() == [(b"a", uart.GATEWAY), (bytes(250), uart.GATEWAY)]
    assert link.receive() == [] and link.counters["received"] == 2
    chip.arriving = slip.encode(b"half")[3:]
    assert link.receive() == [(b"half", uart.GATEWAY)]
    link.send(uart.GATEWAY, b"\xc0")
    assert chip.written == [(0, slip.encode(b"\xc0"))]
    assert link.frames["crc"] == 1


def test_a_wire_that_is_too_slow_loses_datagrams_and_holds_up_nobody(chip):
    link = uart.UartLink(chip, chip)
    for _ in range(10):
        link.send(uart.GATEWAY, bytes(limits.DATAGRAM_BYTES_MAX))
    assert link.counters["sent"] + link.counters["send-failed"] == 10 and link.counters["send-failed"] > 0
    assert sum(len(data) for _, data in chip.written) <= uart.SENT_BYTES_MAX
    chip.time_ms = chip.leaves_ms
    link.send(uart.GATEWAY, b"x")
    assert chip.written[-1][1] == slip.encode(b"x")


def test_the_wait_is_bounded(chip):
    uart.UartLink(chip, chip).wait(100)
    assert chip.time_ms == 100


# --- RS-485 -----------------------------------------------------------------------------------------------------


@pytest.fixture
def link(chip):
    return rs485.Rs485Link(chip, chip, LINE, 5, now_ms=chip.now_ms, sleep_ms=chip.sleep_ms, enable=chip)


def turn(link, chip, data=b"", answer=None):
    """One turn of a node's loop."""
    chip.arriving += data
    arrived = link.receive()
    for datagram, peer in arrived:
        if answer is not None:
            link.send(peer, answer + datagram)
    link.wait(20)
    return arrived


def ask(number, datagram=b"", address=5):
    return bus.encode(bus.ASK, address, number, datagram)


def test_the_drivers_pin_is_up_while_bits_leave_and_no_longer(link, chip):
    assert chip.pin == [(0, 0)], "down from the start"
    link.send(uart.GATEWAY, bytes(250))
    turn(link, chip, ask(1))
    (_, _), (up_ms, up), (down_ms, down) = chip.pin
    ((written_ms, frame),) = chip.written
    assert (up, down) == (1, 0) and up_ms <= written_ms
    assert written_ms + bus.airtime_ms(LINE, len(frame)) <= down_ms <= up_ms + 100
    assert down_ms - chip.leaves_ms <= 1


def test_what_the_application_answers_leaves_in_the_same_slot(link, chip):
    assert turn(link, chip, ask(1, b"hello"), answer=b"to ") == [(b"hello", uart.GATEWAY)]
    assert chip.written[0][1] == bus.encode(bus.ANSWER, 5, 1, b"to hello")


def test_a_loop_that_was_held_up_does_not_answer(link, chip):
    turn(link, chip)
    chip.time_ms += LINE.turnaround_ms + 1  # a write to flash
    turn(link, chip, ask(1))
    assert chip.written == [] and link.bus["too-late"] == 1
    turn(link, chip, ask(2))
    assert len(chip.written) == 1


def test_a_loop_that_sleeps_in_wait_knows_how_old_a_question_can_be(link, chip):
    chip.arriving, chip.comes_ms = ask(1), 95
    link.receive()
    link.wait(100)
    assert chip.time_ms <= 100
    turn(link, chip)
    assert len(chip.written) == 1, "the line was empty until just now"


def test_bits_that_do_not_leave_do_not_hold_the_pin(link, chip):
    chip.stuck = True
    turn(link, chip, ask(1))
    assert chip.pin[-1][1] == 0 and link.counters["stuck"] == 1 and chip.time_ms < 100


def test_a_uart_that_fails_does_not_hold_the_pin(link, chip, monkeypatch):
    def broken(_data):
        raise OSError(5)

    monkeypatch.setattr(chip, "write", broken)
    with pytest.raises(OSError):
        turn(link, chip, ask(1))
    assert chip.pin[-1][1] == 0


def test_who_is_spoken_over_says_nothing(link, chip):
    chip.arriving = ask(1)
    link.receive()
    chip.arriving = b"\xc0\x80\x06x"
    link.wait(20)
    assert chip.written == [] and link.bus["too-late"] == 1


def test_a_byte_that_a_driver_leaves_when_it_goes_off_is_nobodys(link, chip):
    turn(link, chip, ask(1) + b"\x00")
    assert len(chip.written) == 1
    turn(link, chip, ask(2))
    assert len(chip.written) == 2, "and belongs to no frame"


def test_a_transceiver_that_finds_its_direction_needs_no_pin(chip):
    link = rs485.Rs485Link(chip, chip, LINE, 5, now_ms=chip.now_ms, sleep_ms=chip.sleep_ms)
    turn(link, chip, ask(1))
    assert len(chip.written) == 1 and chip.pin == []
