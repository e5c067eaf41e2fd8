"""A turn of the shell (`esp32.main.Shell.turn`): one thing that takes long, outputs always, what is left over at once.
Its clock: that of the chip at its highest."""

import sys
import types

import pytest

import esp32
from boards import irrigation
from node import clock_chip, panel
from node.trial import Trial
from simulator.twins.board import Machine as TwinMachine

OWN = (
    "bearer", "chip", "collector", "crash", "flash", "guard", "rtc", "settings_store", "slot_files", "slot_rom",
    "lifeline", "log_files", "chosen_settings",
)  # fmt: skip


@pytest.fixture
def main(monkeypatch, in_folder):
    """The module, with its neighbours under the names that they have on the chip."""
    for name in ("machine", "cryptolib"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name in (*OWN, "main"):
        monkeypatch.delitem(sys.modules, f"esp32.{name}", raising=False)
        monkeypatch.delattr(esp32, name, raising=False)
    for name in OWN:
        monkeypatch.setitem(sys.modules, name, __import__(f"esp32.{name}", fromlist=(name,)))
    module = __import__("esp32.main", fromlist=("main",))
    yield module
    for name in (*OWN, "main"):
        sys.modules.pop(f"esp32.{name}", None)


class Node:
    """The application, as far as a turn touches it."""

    def __init__(self, did):
        self.did = did
        self.outputs = "outputs"
        self.trade = self
        self.said = []
        self.due = None
        self.samples_at_ms = self.values = None
        self.sleeps = False
        self.reach = types.SimpleNamespace(has_exchanged=True, is_linked=lambda now_ms: True)

    def receive(self, datagram, peer, *, now_ms):
        self.did.append(datagram)

    def poll(self, *, now_ms):
        self.did.append("poll")

    def sample_due(self, now_ms):
        return self.samples_at_ms is not None and now_ms >= self.samples_at_ms

    def sample(self, values, platform, *, now_ms):
        self.samples_at_ms = None
        self.values = values
        self.did.append("sample")

    def outgoing(self):
        said, self.said = self.said, []
        return [("gateway", datagram) for datagram in said]

    def checkpoint(self, now_ms):
        due, self.due = self.due, None
        return due

    def deadline_ms(self, now_ms):
        return now_ms + 60_000

    def may_sleep(self, now_ms):
        self.did.append("asked to sleep")

    def is_sound(self, now_ms):
        return True


class Bench:
    """A Shell whose neighbours write down what it does; `turn()` returns that, and how long it waits."""

    def __init__(self, main, monkeypatch):
        self.now_ms = 0
        self.did = []
        self.waited_ms = None
        self.arrived = []
        self.node = node = Node(self.did)
        quiet = lambda *args, **options: None  # noqa: E731
        shell = self.shell = object.__new__(main.Shell)
        shell._clock = types.SimpleNamespace(now_ms=lambda: self.now_ms)
        self.trial = Trial(is_trial=False, now_ms=0)
        self.long = []  # what the collector was told of each turn
        shell._life = types.SimpleNamespace(enter=quiet, step=quiet, is_rescue=False, trial=self.trial)
        shell._bearer = types.SimpleNamespace(step=quiet, signal_dbm=quiet)
        shell._link = types.SimpleNamespace(receive=self._receive, send=self._send, wait=self._wait)
        shell._ports = types.SimpleNamespace(
            apply=lambda outputs, now_ms: self.did.append(outputs),
            begin_sample=quiet,
            collect=lambda now_ms: {},
            whole=(19,),
        )
        shell._node = node
        shell._kind = types.SimpleNamespace(BOARD_TEMPERATURE=0)
        shell._ledger = types.SimpleNamespace(beat=quiet, margin_ms=lambda now_ms: 4000)
        shell._watchdog = types.SimpleNamespace(feed=quiet)
        shell._panel = types.SimpleNamespace(turn=quiet, panel=types.SimpleNamespace(is_touched=False))
        shell._store = types.SimpleNamespace(write=lambda state: self.did.append("flash") or True)
        shell._senses = shell._sampling = shell._sleeps = False
        shell._woken = shell._proven_at_ms = shell._chip = shell._busy_ms = None
        shell._led_state_ms = shell._started_ms = 0
        shell._received, shell._due_ms, shell._lacks_memory = [], 0, False
        # The collector is asked for a turn, and has none.
        shell._collector = types.SimpleNamespace(
            turn=lambda: False, is_due=lambda: False, add=self.long.append, free_bytes=50_000
        )
        monkeypatch.setattr(main.temperature, "read", quiet)

    def turn(self):
        self.did.clear()
        self.shell.turn()
        self.now_ms += max(10, self.waited_ms)
        return list(self.did), self.waited_ms

    def checkpoint(self):
        self.node.due = types.SimpleNamespace(boot=1, durable_sequence=None, memory=b"", own=b"")

    def _receive(self):
        arrived, self.arrived = self.arrived, []
        return arrived

    def _send(self, peer, datagram):
        self.did.append(datagram)

    def _wait(self, pause_ms):
        self.waited_ms = pause_ms


@pytest.fixture
def bench(main, monkeypatch):
    return Bench(main, monkeypatch)


def heard(*words):
    return [(word, "gateway") for word in words]


def test_a_turn_takes_one_datagram_and_the_rest_has_the_next_turns_at_once(bench):
    bench.arrived = heard("first", "second", "third")
    assert bench.turn() == (["first", "outputs"], 0)
    bench.arrived = heard("fourth")
    assert bench.turn() == (["second", "outputs"], 0)
    assert bench.turn() == (["third", "outputs"], 0)
    assert bench.turn() == (["fourth", "outputs"], 0)
    assert bench.turn() == (["poll", "outputs"], 100)


def test_the_collector_has_turns_of_its_own_and_the_next_follows_at_once(bench):
    turns = iter([True, False])
    bench.shell._collector.turn = lambda: next(turns)
    bench.shell._collector.is_due = lambda: True
    bench.arrived = heard("datagram")
    assert bench.turn() == ([], 0)
    assert bench.turn() == (["datagram", "outputs"], 0)
    assert bench.long == [True]


def test_the_collector_is_told_of_turns_in_which_something_was_due(bench):
    bench.turn()
    bench.shell._due_ms = bench.now_ms + 1
    bench.turn()
    assert bench.long == [True, False]


def test_what_arrives_with_a_sample_has_the_turn_after_it(bench):
    bench.arrived = heard("datagram")
    bench.node.samples_at_ms = 0
    assert bench.turn() == (["sample", "outputs"], 0)
    assert bench.turn() == (["datagram", "outputs"], 0)


def test_flash_waits_until_nothing_was_heard_or_said(bench):
    bench.checkpoint()
    bench.arrived = heard("datagram")
    assert bench.turn() == (["datagram", "outputs"], 0)
    bench.node.said = ["record"]
    assert bench.turn() == (["poll", "outputs", "record"], 0)
    assert bench.turn() == (["poll", "outputs", "flash"], 100)
    assert bench.turn() == (["poll", "outputs"], 100)


def test_a_flood_does_not_put_flash_off_for_longer_than_a_second(main, bench):
    bench.checkpoint()
    done = {}
    for _ in range(300):
        bench.arrived = heard("datagram")
        did, _ = bench.turn()
        assert did[:2] == ["datagram", "outputs"]
        for word in did[2:]:
            done.setdefault(word, bench.now_ms)
    assert done["flash"] <= main.PUT_OFF_MS + main.SLICE_MS


def test_the_radio_is_started_after_the_outputs_are_set(bench):
    """Its driver may never come back: the watchdog then resets a node whose outputs are as they should be."""
    stood_in = []
    bench.shell._life.enter = stood_in.append

    def hang(now_ms):
        raise TimeoutError

    bench.shell._bearer.step = hang
    with pytest.raises(TimeoutError):
        bench.turn()
    assert bench.did == ["poll", "outputs"] and stood_in[-1] == 0, "in lifeline.NETWORK, as the next start reports"


@pytest.mark.parametrize(("lacks_memory", "shown"), [(False, panel.WELL), (True, panel.FAULT)])
def test_a_module_without_its_psram_shows_a_fault(bench, lacks_memory, shown):
    bench.shell._lacks_memory = lacks_memory
    bench.node.is_sound = lambda now_ms: True
    bench.turn()
    assert bench.shell._shown == shown


def test_a_radio_that_only_a_restart_can_mend_waits_until_nobody_feels_it(bench):
    restarts = []
    may = [False]
    bench.node.may_restart = lambda now_ms: may[0]
    bench.shell._life.restart = lambda why, now_ms: restarts.append(why)
    bench.turn()
    bench.shell._bearer.step = lambda now_ms: True
    bench.turn()
    assert restarts == []
    may[0] = True
    bench.turn()
    assert restarts == ["radio"]


def test_before_a_restart_of_its_own_it_saves_and_gives_its_time(bench):
    written = []
    bench.node.checkpoint = lambda now_ms, is_last: (now_ms, is_last)
    bench.node.time = "time"
    bench.shell._store.write = lambda due: written.append(due) or True
    assert bench.shell._save(7000) == "time"
    assert written == [(7000, True)]


def test_a_node_sleeps_only_after_what_was_put_off(bench):
    bench.shell._sleeps = True
    bench.checkpoint()
    bench.arrived = heard("datagram")
    assert bench.turn() == (["datagram", "outputs"], 0)
    assert bench.turn() == (["poll", "outputs", "flash", "asked to sleep"], 100)
    bench.arrived = heard("datagram")
    bench.node.samples_at_ms = 0
    assert bench.turn() == (["sample", "outputs"], 0), "nor before what has arrived"


def test_the_settings_are_proven_in_a_turn_of_their_own(bench, monkeypatch):
    bench.checkpoint()
    bench.shell._proven_at_ms = 0

    def prove(now_ms):
        bench.shell._proven_at_ms = None
        bench.did.append("proven")

    monkeypatch.setattr(bench.shell, "_prove", prove)
    assert bench.turn() == (["poll", "outputs", "proven"], 100)
    assert bench.turn() == (["poll", "outputs", "flash"], 100)


@pytest.mark.parametrize("given", [{}, {7: 1}, {19: 4000}])
def test_on_trial_the_boards_own_thermometer_makes_no_sample_of_silent_ports(bench, monkeypatch, main, given):
    monkeypatch.setattr(main.temperature, "read", lambda chip: 3100)  # as a chip of the reference module has it
    bench.trial.is_trial = True
    bench.trial.applied(True)
    bench.trial.exchanged()
    bench.shell._ports.collect = lambda now_ms: dict(given)
    bench.node.samples_at_ms = 0
    bench.turn()
    assert bench.node.values == {**given, 0: 3100}
    assert bench.trial.missing(is_sound=True) == ("" if 19 in given else "sample")


class Started(Exception):
    """As far as this test goes."""


def start(main, monkeypatch, machine):
    def refuse(*args):
        raise Started

    monkeypatch.setattr(main, "machine", machine)
    monkeypatch.setattr(main.chip, "Clock", refuse)
    monkeypatch.setattr(main.time, "ticks_ms", None, raising=False)
    monkeypatch.setattr(main.time, "ticks_diff", None, raising=False)
    with pytest.raises(Started):
        main.main()


def watchdog(*, timeout):
    assert 0 < timeout <= 8000, "before anything that a Ctrl-C could end at a prompt"


def test_the_chip_runs_at_the_clock_for_which_turns_are_stated(main, monkeypatch):
    asked = []
    start(main, monkeypatch, types.SimpleNamespace(freq=asked.append, WDT=watchdog))
    assert asked == [240_000_000]


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_a_chip_without_that_clock_starts_all_the_same(main, monkeypatch, error):
    def freq(hz):
        raise error

    start(main, monkeypatch, types.SimpleNamespace(freq=freq, WDT=watchdog))
    start(main, monkeypatch, types.SimpleNamespace(WDT=watchdog))


def test_a_boards_clock_chip_is_read_and_set_as_the_node_wants_it(main, monkeypatch):
    monkeypatch.setattr("time.sleep_us", lambda us: None, raising=False)
    monkeypatch.setattr(main, "machine", TwinMachine(irrigation, lambda: 0))
    noted, now_s = [], 1_795_694_400
    chip = types.SimpleNamespace(
        read=lambda unix_s, fault, is_start, now_ms: noted.append((unix_s, fault)),
        wants_set=lambda now_ms: now_s,
        was_set=lambda unix_s, is_done, now_ms: noted.append(is_done),
    )
    node, clock = types.SimpleNamespace(chip=chip), main.BoardClock(irrigation)
    clock.read(node, is_start=True, now_ms=0)
    clock.turn(node, now_ms=0)
    clock.read(node, is_start=True, now_ms=0)
    assert noted[:2] == [(None, clock_chip.STOPPED), True] and noted[2][0] == now_s
    main.machine.parts["RTC"].fault = "absent"
    clock.read(node, is_start=True, now_ms=0)
    assert noted[-1] == (None, clock_chip.SILENT)
