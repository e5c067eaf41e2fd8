"""The concentrator's loop between a scripted radio and a scripted line: it carries, waits briefly, and heals."""

import pytest

from concentrator import limits
from concentrator import shell as turning
from concentrator.bridge import Bridge
from concentrator.shell import Shell, UartPort
from links import uart
from links.espnow_radio import Radio
from tests.support.scripted_radio import ScriptedRadio
from wire import radio, slip

NODE = b"\x02\x00\x00\x00\x00\x09"


class Chip:
    """The line, the clock and the watchdog. `reads`: the host takes what is written."""

    def __init__(self, broken=()):
        self.now_ms = 0
        self.arriving = b""
        self.written = b""
        self.reads = True
        self.fed = 0
        self.restarts = 0
        self.remembered = []
        self.waits_ms = []
        self.script = ScriptedRadio()
        self.script.broken = set(broken)
        self.radio = Radio(self.script, self.script, 6)
        self.bridge = Bridge(session=5, cause="soft", firmware="t", channel=6, now_ms=0)
        self.shell = Shell(
            self.bridge,
            self.radio,
            UartPort(self),
            now_ms=lambda: self.now_ms,
            wait=self._wait,
            feed=self._feed,
            restart=self._restart,
            remember=self.remembered.append,
            heap_free=lambda: 12345,
        )

    def any(self):
        return len(self.arriving)

    def read(self, count):
        data, self.arriving = self.arriving[:count], self.arriving[count:]
        return data

    def write(self, data):
        self.written += data

    def txdone(self):
        return self.reads

    def _wait(self, duration_ms):
        self.waits_ms.append(duration_ms)
        self.now_ms += max(1, duration_ms)

    def _feed(self):
        self.fed += 1

    def _restart(self):
        self.restarts += 1

    def turns(self, count=1):
        for _ in range(count):
            self.shell.turn()

    def told(self):
        data, self.written = self.written, b""
        return [radio.decode(body) for body in slip.Decoder(radio.BODY_BYTES_MAX).feed(data)]


@pytest.fixture
def chip():
    return Chip()


def test_the_radio_is_set_up_for_long_range_and_never_sleeps(chip):
    settings = {}
    for name, arguments in chip.script.calls:
        if name == "config":
            settings.update(arguments[0])
    assert settings == {"pm": 0, "protocol": 8, "channel": 6, "rxbuf": 8192}
    assert chip.script.is_active and chip.radio.faults == 0


def test_it_carries_both_ways_and_feeds_its_watchdog(chip):
    chip.script.arriving = [(NODE, -80, b"up")]
    chip.arriving = b"rubbish" + slip.encode(radio.ask(9, 0)) + slip.encode(radio.down(1, NODE, b"down"))
    chip.turns(3)
    assert chip.script.sent == [(6, NODE, b"down")]
    assert radio.Up(NODE, -80, b"up") in chip.told() and chip.fed == 3
    assert max(chip.waits_ms) <= turning.SLICE_MS and chip.waits_ms[0] == turning.SHORT_SLICE_MS


def test_a_host_that_does_not_read_costs_the_air_nothing(chip):
    chip.turns()
    chip.reads = False
    chip.arriving = slip.encode(radio.ask(9, 0))
    for number in range(200):
        chip.script.arriving = [(NODE, -80, bytes(200))]
        chip.arriving += slip.encode(radio.down(number + 1, NODE, b"down"))
        chip.turns()
    assert len(chip.script.sent) >= 199 and len(chip.written) <= uart.SENT_BYTES_MAX
    assert chip.bridge.counters["up-overflow"] > 0


def test_a_pool_that_leaks_is_healed_by_beginning_the_radio_anew(chip):
    chip.script.acknowledges = lambda _channel, _mac, data: None if data == b"leak" else True
    chip.arriving = slip.encode(radio.down(1, NODE, b"leak")) + slip.encode(radio.down(2, NODE, b"after"))
    chip.turns(limits.DONE_MAX_MS // turning.SHORT_SLICE_MS + 5)
    assert [data for _, _, data in chip.script.sent] == [b"leak", b"after"]
    assert chip.bridge.counters["reinits"] == 1 and chip.bridge.counters["sent-acked"] == 1
    assert chip.restarts == 0


def test_a_driver_that_forgot_its_peers_is_begun_anew(chip):
    chip.arriving = slip.encode(radio.down(1, NODE, b"one"))
    chip.turns(3)
    chip.script.peers.clear()
    for number in range(2, 7):
        chip.arriving += slip.encode(radio.down(number, NODE, b"%d" % number))
    chip.turns(20)
    assert chip.script.sent[-1][2] == b"6" and chip.bridge.counters["reinits"] == 1


def test_a_radio_that_is_dead_for_good_restarts_the_chip(chip):
    chip.script.broken = {"send"}
    for number in range(1, 4000):
        chip.arriving += slip.encode(radio.down(number, NODE, b"x"))
        chip.turns()
        chip.now_ms += 50
        if chip.restarts:
            break
    assert chip.restarts and chip.bridge.counters["reinits"] == limits.REINITS_MAX


@pytest.mark.parametrize("call", ["active", "config"])
def test_a_radio_that_does_not_begin_is_begun_again_and_then_the_chip(call):
    chip = Chip(broken={call})
    chip.turns(200)
    assert chip.bridge.counters["reinits"] == 2 and chip.restarts == 0
    chip.script.broken = set()
    chip.turns(200)
    began = chip.bridge.counters["reinits"]
    assert chip.radio.is_whole and chip.script.is_active
    chip.turns(5000)
    assert chip.bridge.counters["reinits"] == began and chip.restarts == 0
    for_good = Chip(broken={call})
    for_good.turns(10_000)
    assert for_good.restarts > 0


def test_senders_without_number_restart_it_before_its_memory_is_full(chip):
    for number in range(turning.HEARD_MAX + 1):
        chip.script.arriving.append((b"\x02\x00\x00\x00" + number.to_bytes(2, "big"), -80, b"x"))
    chip.turns(turning.HEARD_MAX // 8)
    assert chip.restarts == 0
    chip.turns(2)
    assert chip.restarts > 0


def test_the_channel_is_tuned_and_remembered(chip):
    chip.arriving = slip.encode(radio.channel(11))
    chip.turns()
    assert chip.script.channel == 11 and chip.remembered == [11]
    assert any(isinstance(message, radio.Hello) and message.channel == 11 for message in chip.told())


class ScriptedUpdate:
    """Wants an operation for each turn, and a restart after the last."""

    def __init__(self, count):
        self.left = count
        self.results = []
        self.polled = []

    def poll(self, *, radio_is_whole, now_ms):
        self.polled.append((radio_is_whole, now_ms))

    def next_operation(self):
        return ("read", "x", self.left) if self.left else None

    def on_result(self, operation, result):
        self.left -= 1
        self.results.append((operation, result))

    @property
    def wants_restart(self):
        return not self.left


class ScriptedFiles:
    def do(self, operation):
        return operation[2]


def test_an_update_gets_one_operation_a_turn_and_its_restart(chip):
    chip.shell._update = update = ScriptedUpdate(3)
    chip.shell._files = ScriptedFiles()
    chip.turns(2)
    assert update.results == [(("read", "x", 3), 3), (("read", "x", 2), 2)] and chip.restarts == 0
    chip.turns()
    assert len(update.results) == 3 and chip.restarts == 1 and update.polled[0] == (True, 0)


def test_a_broken_receive_buffer_does_not_end_the_loop(chip):
    chip.script.broken = {"recvinto"}
    chip.turns(3)
    assert chip.fed == 3 and chip.radio.faults > 0
