"""The modem's port over real pyserial on a pseudo-terminal: talk, loss, return under another name; the power hook."""

import asyncio
import contextlib
import queue
import sys
import threading
import time

import pytest

from gateway.core import limits
from gateway.core.bearers.modem import Modem, ModemState, Write
from gateway.io.guarded_socket import Places
from gateway.io.modem import ModemClosed, ModemOpened, ModemPort, ModemReceived, cut_power
from tests.support.broker import until
from tests.support.modem_bench import PtyModem, SimModem

pytestmark = pytest.mark.live
GENEROUS_S = 60


class Rig:
    """A port, the core that it feeds, and the twin behind the terminal."""

    def __init__(self, folder, **options):
        self.twin = SimModem(**options)
        self.pty = PtyModem(self.twin, folder / "modem-port")
        self.events = queue.Queue()
        self.port = ModemPort(str(folder / "modem-port"), self.events.put)
        self.start_s = time.monotonic()
        self.core = Modem("mobile", now_ms=0)

    @property
    def now_ms(self):
        return int(1000 * (time.monotonic() - self.start_s))

    def until(self, is_so):
        """Carry events and effects until `is_so(core)`; fails after a generous time."""
        end_s = time.monotonic() + GENEROUS_S
        while not is_so(self.core):
            assert time.monotonic() < end_s, self.core.health()
            for effect in self.core.poll(now_ms=self.now_ms):
                assert isinstance(effect, Write)
                self.port.write(effect.data)
            try:
                event = self.events.get(timeout=0.05)
            except queue.Empty:
                continue
            self.port.processed()
            if isinstance(event, ModemOpened):
                self.core.opened(now_ms=self.now_ms)
            elif isinstance(event, ModemClosed):
                self.core.closed(event.why, now_ms=self.now_ms)
            elif isinstance(event, ModemReceived):
                self.core.received(event.data, now_ms=self.now_ms)

    def close(self):
        self.port.close()
        self.pty.unplug()


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MODEM_REOPEN_FIRST_MS", 50)
    monkeypatch.setattr(limits, "MODEM_REOPEN_LAST_MS", 100)
    rigs = []

    def make(**options):
        rigs.append(Rig(tmp_path, **options))
        return rigs[-1]

    yield make
    for made in rigs:
        made.close()


def known(core):
    return core.state == ModemState("answers", "ready", "home", "Orange F", "4G", True, -77)


@pytest.mark.parametrize("chatty", [False, True])
def test_a_round_of_questions_over_a_real_terminal(rig, chatty):
    bench = rig(chatty=chatty)
    bench.pty.plug()
    bench.port.start()
    bench.until(known)
    bench.pty.say(b"\r\n+CREG: 2\r\n\r\n+CEREG: 2\r\n")
    bench.until(lambda core: core.state.registration == "searching")


def test_a_port_that_goes_and_comes_back_as_another_device_is_found_again(rig):
    bench = rig()
    bench.pty.plug()
    bench.port.start()
    bench.until(known)
    for _ in range(3):
        bench.pty.unplug()
        bench.until(lambda core: core.state.link == "absent")
        bench.pty.plug()
        bench.until(known)
    assert bench.core.counters["ports-lost"] == 3


def test_a_port_that_is_not_there_is_told_once_and_waited_for(rig):
    bench = rig()
    bench.port.start()
    first = bench.events.get(timeout=GENEROUS_S)
    assert isinstance(first, ModemClosed) and "cannot be opened" in first.why
    with pytest.raises(queue.Empty):
        bench.events.get(timeout=0.5)
    bench.pty.plug()
    bench.until(known)


def test_what_was_to_be_written_to_a_lost_port_is_not_written_to_the_next(rig):
    bench = rig()
    bench.port.write(b"AT+OLD\r")
    bench.pty.plug()
    bench.port.start()
    bench.until(known)
    assert "AT+OLD" not in bench.twin.asked


def test_a_modem_that_never_stops_talking_waits_for_the_agent(rig):
    bench = rig()
    bench.pty.plug()
    bench.port.start()
    bench.until(known)
    while not bench.events.empty():
        bench.events.get()
        bench.port.processed()
    said = b"+CREG: 2\r\n" * 20
    chatter = threading.Thread(target=lambda: [bench.pty.say(said) for _ in range(400)], daemon=True)
    chatter.start()  # 88 kB: more than a terminal and the places hold together, so it has to wait
    until(lambda: bench.port._places.waits, "it does not wait for the agent")
    assert bench.events.qsize() == 16
    while chatter.is_alive():
        with contextlib.suppress(queue.Empty):
            bench.events.get(timeout=0.05)
            bench.port.processed()


def test_closing_ends_a_thread_that_waits_for_the_agent(rig):
    bench = rig()
    bench.pty.plug()
    bench.port._places = Places(1)  # which the word that it is open takes
    bench.port.start()
    until(lambda: bench.port._places.waits, "it does not wait for the agent")
    bench.port.close(timeout_s=GENEROUS_S)
    assert not bench.port._thread.is_alive()


def test_its_thread_gives_signs_of_life_until_it_is_closed(rig):
    bench = rig()
    before_ms = bench.port.alive_ms
    bench.pty.plug()
    bench.port.start()
    bench.until(known)
    assert bench.port.alive_ms >= before_ms
    bench.port.close(timeout_s=GENEROUS_S)
    assert bench.port.alive_ms is None


def test_questions_for_a_thread_that_hangs_are_bounded(rig):
    bench = rig()
    for _ in range(1000):
        bench.port.write(b"AT\r")
    assert bench.port._writes.qsize() <= 16


def test_closing_ends_the_thread(rig):
    bench = rig()
    bench.pty.plug()
    bench.port.start()
    bench.until(known)
    bench.port.close(timeout_s=GENEROUS_S)
    assert not bench.port._thread.is_alive()


# --- the power hook -----------------------------------------------------------------------------------------------


def test_the_power_hook_is_run_without_a_shell(tmp_path):
    mark = tmp_path / "cut; rm"
    assert asyncio.run(cut_power([sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(mark)])) is None
    assert mark.exists()


def test_a_power_hook_that_fails_is_told():
    assert asyncio.run(cut_power([sys.executable, "-c", "raise SystemExit(3)"])).endswith("ended with 3")
    assert "executable" in asyncio.run(cut_power(["/nonexistent/hook"]))


def test_a_power_hook_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr("gateway.io.modem._HOOK_S", 0.2)
    said = asyncio.run(cut_power([sys.executable, "-c", "import time; time.sleep(60)"]))
    assert "killed" in said
