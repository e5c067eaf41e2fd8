"""The chip's side of deep sleep: an image serves once, wake pins are armed for what is to come, the radio stays off."""

import sys
import types

import pytest

from esp32 import flash, rtc
from node import sleep
from node.trade import HAND, PULSE
from tests.node.test_sleep_image import made

sys.modules.setdefault("rtc", rtc)
from esp32 import sleeping  # noqa: E402 - flat on the chip


class Chip:
    def __init__(self):
        self.data = b""

    def memory(self, data=None):
        if data is None:
            return self.data
        self.data = bytes(data)
        return None


class Pin:
    def __init__(self, level):
        self.level = level

    def value(self):
        return self.level


class Machine:
    EXT0_WAKE, EXT1_WAKE, TIMER_WAKE = 2, 3, 4

    def __init__(self):
        self.reason = self.TIMER_WAKE
        self.slept = []

    def wake_reason(self):
        return self.reason

    def deepsleep(self, sleep_ms):
        self.slept.append(sleep_ms)


class Esp32:
    WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True

    def __init__(self):
        self.armed = {}

    def wake_on_ext0(self, pin, level):
        self.armed["ext0"] = level

    def wake_on_ext1(self, pins, level):
        self.armed["ext1"] = level


@pytest.fixture
def board(monkeypatch):
    found = types.SimpleNamespace(machine=Machine(), esp32=Esp32(), chip=Chip(), now_ms=1000)
    monkeypatch.setattr(sleeping, "system_ms", lambda: found.now_ms)
    return found


def fall_asleep(board, pins=None, image=None):
    memory = rtc.Memory(board.chip)
    sleeping.fall_asleep(board.machine, board.esp32, memory, image or sleep.encode(made()), 900_000, pins or {})


def wake(board):
    return sleeping.restore(board.machine, rtc.Memory(board.chip))


def test_an_image_is_there_once_with_the_length_of_the_sleep(board):
    fall_asleep(board)
    assert board.machine.slept == [900_000]
    board.now_ms += 901_600
    assert wake(board) == sleep.Woken(made(), 901_600, None)
    assert wake(board) is None and rtc.Memory(board.chip).get(rtc.TRADE) is None


@pytest.mark.parametrize("later_ms", [-1, sleep.SLEPT_MS_MAX + 1])
def test_a_system_time_that_was_lost_is_a_start(board, later_ms):
    fall_asleep(board)
    board.now_ms += later_ms
    assert wake(board) is None


def test_what_is_no_image_is_a_start(board):
    fall_asleep(board, image=b"\1nothing")
    assert wake(board) is None
    board.chip.data = b"\xff" * rtc.BYTES
    assert wake(board) is None


@pytest.mark.parametrize(("level", "armed", "by"), [(1, False, PULSE), (0, True, None)])
def test_a_pulse_is_counted_when_it_begins_and_not_when_it_ends(board, level, armed, by):
    """A meter's wheel may have stopped on its magnet: the contact is closed when the sleep begins."""
    fall_asleep(board, {PULSE: (Pin(level), 0), HAND: (Pin(1), 0)})
    assert board.esp32.armed == {"ext1": armed, "ext0": False}
    board.machine.reason = Machine.EXT1_WAKE
    assert wake(board).by == by


def test_a_hand_and_a_pulse_are_told_apart(board):
    fall_asleep(board, {PULSE: (Pin(1), 0), HAND: (Pin(1), 0)})
    board.machine.reason = Machine.EXT0_WAKE
    assert wake(board).by == HAND


def test_the_longest_image_fits_its_region(board):
    image = made(memory=bytes(192), rest=bytes(480), directives=bytes(90))
    fall_asleep(board, image=sleep.encode(image))
    assert wake(board).image == image


class Files:
    def __init__(self):
        self.files = {}

    def open(self, name, mode):
        import io

        if mode == "rb":
            if name not in self.files:
                raise OSError(2, name)
            return io.BytesIO(self.files[name])
        files = self.files

        class Writer(io.BytesIO):
            def close(self):
                files[name] = self.getvalue()
                super().close()

        return Writer()


def test_flash_goes_on_in_the_boot_that_it_knows_and_in_no_other():
    files = Files()
    assert flash.go_on(flash.Store(open_file=files.open), 1) is None, "a new board"
    start = flash.begin(flash.Store(open_file=files.open), lambda bound: 0)
    store = flash.Store(open_file=files.open)
    found = flash.go_on(store, start.boot)
    assert (found.boot, found.previous_boot, found.note) == (1, None, None)
    assert store.write(flash.State(1, 5, b"later", b"")), "and the next checkpoint finds its place"
    assert flash.begin(flash.Store(open_file=files.open), lambda bound: 0).boot == 2
    assert flash.go_on(flash.Store(open_file=files.open), 1) is None, "somebody else has started since"
    files.files[flash.SLOTS[0]] = b"spoilt"
    assert flash.go_on(flash.Store(open_file=files.open), 2) is None


# --- the radio ----------------------------------------------------------------------------------------------


class Bearer:
    def __init__(self):
        self.link = self
        self.up = False
        self.closed = False
        self.sent = []

    def step(self, *, now_ms):
        pass

    def is_ready(self):
        return self.up

    def close(self):
        self.closed = True

    def signal_dbm(self):
        return -60

    def send(self, peer, datagram):
        self.sent.append(datagram)

    def receive(self):
        return [(b"heard", "gateway")]

    def wait(self, timeout_ms):
        raise AssertionError("the test waits for nothing")


@pytest.fixture
def quiet():
    opened, slept = [], []

    def open_bearer():
        opened.append(Bearer())
        return opened[-1]

    made = sleeping.QuietBearer(open_bearer, slept.append)
    made.is_idle = lambda: False
    return types.SimpleNamespace(bearer=made, opened=opened, slept=slept)


def test_without_a_word_the_radio_is_never_opened(quiet):
    for now_ms in range(0, 5000, 100):
        quiet.bearer.step(now_ms=now_ms)
        assert list(quiet.bearer.link.receive()) == []
        quiet.bearer.link.wait(1000)
    assert quiet.opened == [] and set(quiet.slept) == {100} and quiet.bearer.signal_dbm() is None


def test_a_word_opens_it_and_waits_for_the_network_instead_of_for_coap(quiet):
    quiet.bearer.send("gateway", b"one")
    quiet.bearer.send("gateway", b"one")
    quiet.bearer.step(now_ms=100)
    bearer = quiet.opened[0]
    assert bearer.sent == []
    bearer.up = True
    quiet.bearer.step(now_ms=2000)
    assert bearer.sent == [b"one"] and quiet.bearer.receive() == [(b"heard", "gateway")]


def test_it_is_closed_a_while_after_the_last_exchange_and_opened_anew_for_the_next(quiet):
    quiet.bearer.send("gateway", b"one")
    quiet.opened[0].up = True
    quiet.bearer.step(now_ms=0)
    quiet.bearer.step(now_ms=60_000)
    assert not quiet.opened[0].closed, "an answer may still come"
    quiet.bearer.is_idle = lambda: True
    quiet.bearer.step(now_ms=60_000 + sleeping.QUIET_MS - 1)
    assert not quiet.opened[0].closed
    quiet.bearer.step(now_ms=60_000 + sleeping.QUIET_MS)
    assert quiet.opened[0].closed and quiet.bearer.signal_dbm() is None
    quiet.bearer.send("gateway", b"two")
    assert len(quiet.opened) == 2
