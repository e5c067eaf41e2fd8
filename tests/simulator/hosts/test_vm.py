"""The whole node on a real MicroPython VM: boot.py, main.py, drivers on byte-level twins, real UDP, the wall clock.

A small CoAP server stands for the gateway. Waits are bounded by DEADLINE_S and end as soon as what is awaited is there.
"""

import socket
import time
from random import Random

import pytest

from gateway.core.link.link import Link
from simulator.hosts import vm
from simulator.hosts.keys import CIPHER, key_of, settings_of
from simulator.hosts.vm import HEAP_BYTES, VmNode
from wire import coap_message, event, quantity, record
from wire.record import Answer

pytestmark = [pytest.mark.vm, pytest.mark.live]

NODE = bytes(range(1, 9))
DEADLINE_S = 90
ALONE_CODE = 122  # of the shims: standard input was closed
# A winter's night in Lyon and the noon after it, so that the calendar's word is known.
NIGHT_S = 1_800_000_000 - 1_800_000_000 % 86_400 + 1 * 3600
NOON_S = NIGHT_S + 11 * 3600

EIGHT = {
    quantity.POWER,
    quantity.VOLTAGE,
    quantity.CURRENT,
    quantity.ENERGY,
    quantity.LEVEL_ORDERED,
    quantity.TEMPERATURE,
    quantity.POWER_FACTOR,
    quantity.LAMP_HOURS,
}


class Responder:
    """Answers 2.04 with its UTC, or nothing at all while `silent`. Keeps every record that it answered for."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.02)
        self.address = self.socket.getsockname()
        self.silent = False
        self.unix_s = NIGHT_S
        self.records = []
        self._started = time.monotonic()
        self.adopt(key_of(NODE))

    def adopt(self, key):
        self._node = key.node
        self.link = Link([key], CIPHER, random_below=Random(7).randrange)

    def _now_ms(self):
        return int(1000 * (time.monotonic() - self._started))

    def pump(self):
        """One datagram, or 20 ms."""
        try:
            datagram, peer = self.socket.recvfrom(2000)
        except TimeoutError:
            return
        if self.silent:
            return
        for asked in self.link.receive(datagram, peer, now_ms=self._now_ms()):
            self._answer(asked)
        self.link.poll(now_ms=self._now_ms())
        for to, data in self.link.outgoing():
            self.socket.sendto(data, to)

    def _answer(self, asked):
        assert asked.node == self._node
        if asked.payload:  # a node with nothing to tell shows that it is there
            self.records += record.decode_payload(asked.payload)
        answer = record.encode_answer(Answer(self.unix_s + self._now_ms() // 1000, 1, None, 0))
        refused = self.link.respond(asked.exchange, coap_message.CHANGED, answer, now_ms=self._now_ms())
        assert refused is None

    def events(self, code):
        return [made for made in self.records if getattr(made.body, "code", None) == code]

    def telemetry(self):
        return [made for made in self.records if isinstance(made.body, dict) and quantity.POWER in made.body]


@pytest.fixture
def responder():
    made = Responder()
    yield made
    made.socket.close()


@pytest.fixture
def make_node(tmp_path, micropython, responder):
    made = []

    def make(**changes):
        settings = {
            "node": NODE.hex(),
            "kind": "streetlight",
            "gateway": list(responder.address),
            **settings_of(NODE),
            "site": [457500, 48500],
            "lamp": [700, 4],
            "sample_s": 1,
            "telemetry_s": 1,
            "report_spread_s": 0,
            "ack_timeout_ms": 300,
            "trace": True,
        }
        settings.update(changes)
        made.append(VmNode(tmp_path / "node", settings, micropython, heap_bytes=HEAP_BYTES))
        return made[-1]

    yield make
    for node in made:
        node.kill()


def until(responder, node, condition, said):
    """Serve until `condition()`; `said` gathers the console. Fails with the console when it does not come."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline and node.running, "\n".join(["it did not come", *said[-30:], *node.lines()])
        responder.pump()
        said += node.lines()
    said += node.lines()


def identities(lines, word):
    """{(boot, sequence): hex} of the trace lines that start with `word`."""
    found = {}
    for line in lines:
        words = line.split()
        if words[:1] == [word]:
            key = (int(words[1]), int(words[2]))
            assert found.setdefault(key, words[3]) == words[3], "one identity, two bodies"
    return found


@pytest.mark.every_vm
def test_a_node_reports_learns_the_time_lights_by_the_calendar_and_counts_its_boots(responder, make_node):
    node, said = make_node(), []
    node.start()
    # Eight samples, one a second: the chip's counter wraps on the way.
    until(responder, node, lambda: len(responder.telemetry()) >= 6, said)
    (boot,) = responder.events(event.BOOT)
    assert (boot.boot, boot.sequence) == (1, 0)
    assert boot.body.detail == [None, None, "power-on", "streetlight", boot.body.detail[4]]
    assert responder.events(event.ANCHOR)
    assert responder.events(event.LEVEL_CHANGED)
    last = responder.telemetry()[-1]
    assert set(last.body) == EIGHT
    assert last.stamp.quality == record.SYNCED
    assert abs(last.stamp.seconds - responder.unix_s) < 60
    assert last.body[quantity.LEVEL_ORDERED] == 100
    assert abs(last.body[quantity.POWER] - 700) <= 1
    assert node.lamp() == (True, 100)
    assert not any("Traceback" in line for line in said)

    node.kill()
    responder.unix_s = NOON_S
    node.start(reset_cause="WDT_RESET")
    until(responder, node, lambda: node.lamp() == (False, 0) and len(responder.events(event.BOOT)) == 2, said)
    # The level tells at once, the power with the next sample.
    until(responder, node, lambda: responder.telemetry()[-1].body[quantity.POWER] < 30, said)
    second = responder.events(event.BOOT)[1]
    assert (second.boot, second.body.detail[:3]) == (2, [1, None, "watchdog"])
    assert responder.telemetry()[-1].body[quantity.LEVEL_ORDERED] == 0

    node.stop()
    said += node.lines()
    made, acknowledged = identities(said, "made"), identities(said, "acknowledged")
    assert len(acknowledged) > 8
    assert all(made[key] == text for key, text in acknowledged.items())
    heard = {(entry.boot, entry.sequence): record.encode(entry).hex() for entry in responder.records}
    assert all(heard[key] == text for key, text in acknowledged.items())


def test_with_a_silent_gateway_the_lamp_stays_lit_and_what_was_made_comes_afterwards(responder, make_node):
    responder.silent = True
    node, said = make_node(), []
    node.start()
    until(responder, node, lambda: len(identities(said, "made")) >= 5, said)
    assert node.lamp() == (True, 100)
    assert not identities(said, "acknowledged")
    responder.silent = False
    until(responder, node, lambda: {entry.sequence for entry in responder.records} >= set(range(5)), said)


def test_a_silent_meter_is_an_alarm_and_a_lost_network_delays_it_only(responder, make_node):
    node, said = make_node(), []
    node.start()
    until(responder, node, lambda: responder.telemetry(), said)
    node.script_wifi("down")
    node.script_lamp("meter-silent")
    alarm = "831842f5"  # a body of METER_FAILURE that begins
    until(responder, node, lambda: any(alarm in text for text in identities(said, "made").values()), said)
    assert not responder.events(event.METER_FAILURE)
    node.script_wifi("")
    until(responder, node, lambda: responder.events(event.METER_FAILURE), said)
    assert responder.events(event.METER_FAILURE)[0].body.active is True
    assert node.running


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"site": None, "lamp": [0, 0]}, ["site", "lamp[0]"]),
        ({"gateway": ["gateway.local", 5683]}, ["gateway[0]"]),
        ({"wifi": "net"}, ["wifi"]),
        ({"insecure": False}, ["insecure"]),
    ],
)
def test_bad_settings_are_told_and_the_lamp_stays_lit(responder, make_node, changes, told):
    node, said = make_node(**changes), []
    node.start()
    until(responder, node, lambda: len([line for line in said if line.startswith("settings:")]) >= len(told), said)
    assert [line.split()[1] for line in said if line.startswith("settings:")] == told
    assert node.lamp() == (True, 100)
    assert node.running


def test_a_missing_settings_file_is_told(responder, make_node):
    node, said = make_node(), []
    (node.folder / "settings.json").unlink()
    node.start()
    until(responder, node, lambda: any("cannot be read" in line for line in said), said)
    assert node.running


def test_damaged_state_files_give_a_far_boot_number_and_the_report_says_why(responder, make_node):
    node, said = make_node(), []
    (node.folder / "state-a.bin").write_bytes(b"\xff" * 25)
    (node.folder / "state-b.bin").write_bytes(b"")
    node.start()
    until(responder, node, lambda: responder.events(event.BOOT), said)
    (boot,) = responder.events(event.BOOT)
    assert boot.boot > 1 << 23
    assert boot.body.detail[:3] == [None, None, "state-lost"]


def test_an_uncaught_exception_is_written_down_and_resets_the_chip(responder, make_node):
    node = make_node()
    (node.folder / "bench-lamp").mkdir()  # the pins' shim cannot tell the lamp's state: as good a bug as any
    node.start()
    deadline = time.monotonic() + DEADLINE_S
    while node.running:
        assert time.monotonic() < deadline
        responder.pump()
    assert node.returncode == vm.RESET_CODE
    assert "EISDIR" in (node.folder / "crash.txt").read_text()  # its end is kept: what was wrong


@pytest.mark.slow
def test_a_call_that_blocks_for_30_s_ends_in_the_watchdog_and_in_safe_outputs(responder, make_node):
    """By day the lamp is dark; the watchdog's reset lights it, until the node knows again that it is day."""
    responder.unix_s = NOON_S
    node, said = make_node(), []
    node.start()
    until(responder, node, lambda: node.lamp() == (False, 0), said)
    node.script_block(30_000)
    began = time.monotonic()
    while node.running:
        assert time.monotonic() - began < DEADLINE_S
        responder.pump()
    blocked_s = time.monotonic() - began
    assert node.returncode == vm.WATCHDOG_CODE
    assert 7 < blocked_s < 25, "the watchdog's 8 s, long before the call would have come back"
    responder.silent = True
    node.start(reset_cause="WDT_RESET")
    until(responder, node, lambda: node.lamp() == (True, 100), said)
    responder.silent = False
    until(responder, node, lambda: len(responder.events(event.BOOT)) == 2, said)
    assert responder.events(event.BOOT)[1].body.detail[2] == "watchdog"


def test_power_cuts_right_after_the_start_never_repeat_a_boot_number(responder, make_node):
    node, boots = make_node(), []
    for _ in range(5):
        said = []
        node.start()
        until(responder, node, lambda said=said: any(line.startswith("boot ") for line in said), said)
        node.kill()
        boots += [int(line.split()[1]) for line in said if line.startswith("boot ")]
    assert boots == [1, 2, 3, 4, 5]


def test_a_node_whose_starter_is_gone_ends_by_itself(responder, make_node):
    node, said = make_node(), []
    node.start()
    until(responder, node, lambda: any(line.startswith("ready") for line in said), said)
    node._process.stdin.close()
    deadline = time.monotonic() + DEADLINE_S
    while node.running:
        assert time.monotonic() < deadline
        responder.pump()
    assert node.returncode == ALONE_CODE


def test_a_vm_is_found_where_the_environment_names_it(monkeypatch, micropython):
    monkeypatch.setenv("BOCAGE_MICROPYTHON", micropython)
    assert vm.micropythons() == [micropython]


def test_a_technician_locks_the_lamp_with_the_button_and_the_lock_survives_the_loss_of_power(responder, make_node):
    node, said = make_node(), []
    node.start()
    until(responder, node, lambda: responder.telemetry() and node.lamp() == (True, 100), said)
    (node.folder / "bench-button").write_text("pressed", encoding="ascii")
    pressed_s = time.monotonic()
    until(responder, node, lambda: time.monotonic() - pressed_s > 6, said)
    (node.folder / "bench-button").unlink()
    until(responder, node, lambda: node.lamp() == (False, 0) and responder.events(event.LOCAL_TEST), said)
    assert responder.events(event.LOCAL_TEST)[0].body.detail == ["lock"]
    node.kill()
    node.start()
    until(responder, node, lambda: len(responder.events(event.BOOT)) == 2 and node.lamp() == (False, 0), said)
    assert responder.events(event.LEVEL_CHANGED)[-1].body.detail[2] == "lock"


def test_after_a_crash_the_gateway_is_told_which_error_where_and_after_how_long(responder, make_node):
    node, said = make_node(), []
    node.start()
    until(responder, node, lambda: responder.telemetry(), said)
    (node.folder / "bench-lamp").unlink()
    (node.folder / "bench-lamp").mkdir()
    (node.folder / "bench-button").write_text("pressed", encoding="ascii")
    pressed_s = time.monotonic()
    until(responder, node, lambda: time.monotonic() - pressed_s > 5.5, said)
    (node.folder / "bench-button").unlink()  # the lock wants another level, and the pin's shim fails
    deadline = time.monotonic() + DEADLINE_S
    while node.running:
        assert time.monotonic() < deadline
        responder.pump()
    assert node.returncode == vm.RESET_CODE
    (node.folder / "bench-lamp").rmdir()
    node.start(reset_cause="HARD_RESET")
    until(responder, node, lambda: responder.events(event.CRASH), said)
    cause, digest, task, uptime_s, heap_low = responder.events(event.CRASH)[0].body.detail
    assert (cause, len(digest), task) == ("crash", 8, "output") and 5 <= uptime_s < 60 and heap_low > 0
    assert responder.events(event.BOOT)[1].body.detail[2] == "crash"


def test_a_brown_out_is_told_from_a_power_on(responder, make_node):
    node, said = make_node(), []
    node.start()
    until(responder, node, lambda: responder.telemetry(), said)
    node.kill()
    node.start(reset_cause=vm.BROWN_OUT)
    until(responder, node, lambda: len(responder.events(event.BOOT)) == 2, said)
    node.kill()
    node.start()
    until(responder, node, lambda: len(responder.events(event.BOOT)) == 3, said)
    assert [made.body.detail[2] for made in responder.events(event.BOOT)] == ["power-on", "brown-out", "power-on"]
