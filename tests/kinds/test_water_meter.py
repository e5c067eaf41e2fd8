"""The water meter: what it counts over power cuts, when it raises an alarm, and that joining it took one file."""

import struct
from typing import ClassVar

import pytest

import kinds
from boards import water_meter as board
from gateway.core.link.link import Link
from kinds import water_meter
from kinds.water_meter import PULSES, Own
from node import settings as node_settings
from node.trade import LOCK, MEMORY_BYTES_MAX, TEST, Moment
from policy.fault import Faults
from simulator.hosts.keys import CIPHER, key_of, settings_of
from simulator.hosts.node import NodeHost
from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World
from wire import coap_message, event, quantity, record

MIDNIGHT_S = 1_795_561_200  # 2026-11-25 00:00 in Paris
NODE = bytes.fromhex("7c1f0a2c01000007")
PEER = ("192.0.2.1", 5683)
OWN = Own(10_000, 60_000, 500, 2000, False)


class Pipe:
    """A trade fed with pulses, a sample a minute. `events`: [(code, active, detail)] so far."""

    def __init__(self, own=OWN, memory=b"", unix_s=MIDNIGHT_S):
        self.trade = water_meter.make_trade(own, kinds.Start(bytes(8), memory, 0, lambda bound: 0))
        self.now_ms = 0
        self.unix_s = unix_s
        self.pulses = 0
        self.events = []
        self.sample()

    def moment(self):
        unix_s = None if self.unix_s is None else self.unix_s + self.now_ms // 1000
        return Moment(self.now_ms, unix_s, 1, None, False, {})

    def sample(self, **changes):
        values = {PULSES: self.pulses, quantity.SENSOR_FAULTS: 0, quantity.BATTERY: 3600}
        values.update({getattr(quantity, name, PULSES): value for name, value in changes.items()})
        self.trade.sample({key: value for key, value in values.items() if value is not None}, self.moment())
        self.events += self.trade.drain_events()

    def flow(self, pulses_per_h, hours):
        """Water for so long; the samples stay on the minute."""
        start_ms, before = self.now_ms, self.pulses
        for minute in range(1, round(60 * hours) + 1):
            self.now_ms = start_ms + 60_000 * minute
            self.pulses = before + pulses_per_h * minute // 60
            self.sample()

    def volume_l(self):
        return self.trade.readings(self.moment())[quantity.WATER_VOLUME]


def test_pulses_become_litres_on_the_dial_and_a_flow():
    pipe = Pipe()
    pipe.flow(60, 1)
    assert pipe.volume_l() == 500, "what nobody noted could be lost"
    pipe.trade.memory(pipe.now_ms)
    assert pipe.volume_l() == 500 + 600
    assert pipe.trade.readings(pipe.moment())[quantity.WATER_FLOW] == 167  # 10 L/min
    assert pipe.events == []


def test_the_volume_never_goes_back_over_power_cuts_and_loses_no_more_than_since_the_last_note():
    pipe, shown, passed_l, lost_l = Pipe(), [], 0, 0
    memory = b""
    for cut in range(40):
        for quarter in range(cut % 7 + 1):
            if quarter % 4 == 0:
                memory, lost_l = pipe.trade.memory(pipe.now_ms), 0
            pipe.flow(300 + 100 * (cut % 5), 0.25)
            shown.append(pipe.volume_l())
            passed_l += 10 * (75 + 25 * (cut % 5))
            lost_l += 10 * (75 + 25 * (cut % 5))
        passed_l -= lost_l
        pipe = Pipe(memory=memory)  # its counter begins at 0 again
        shown.append(pipe.volume_l())
    assert shown == sorted(shown)
    pipe.flow(600, 5)
    pipe.trade.memory(pipe.now_ms)
    assert pipe.volume_l() == 500 + passed_l + 30_000


def test_a_counter_that_began_anew_gives_no_water_back_and_makes_none_up():
    pipe = Pipe()
    pipe.flow(600, 1)
    pipe.trade.memory(pipe.now_ms)
    pipe.pulses = 3
    pipe.now_ms += 60_000
    pipe.sample()
    pipe.trade.memory(pipe.now_ms)
    assert pipe.volume_l() == 500 + 6000


def test_water_in_every_hour_of_the_night_is_a_leak_and_one_dry_hour_ends_it():
    pipe = Pipe()
    pipe.flow(3, 6)
    assert pipe.events == [(event.WATER_LEAK, True, (30_000, 3600))]
    pipe.flow(3, 18)
    assert len(pipe.events) == 1, "by day nothing is judged"
    pipe.flow(0, 6)
    assert pipe.events[1:] == [(event.WATER_LEAK, False, (0, 3600))]


def test_one_dry_hour_is_no_leak_nor_is_a_day_without_a_clock():
    pipe = Pipe()
    pipe.flow(60, 3)
    pipe.flow(0, 1)
    pipe.flow(60, 3)
    assert pipe.events == []
    pipe = Pipe(unix_s=None)
    pipe.flow(60, 24)
    assert pipe.events == []


def test_a_restart_in_the_night_neither_finds_a_leak_nor_ends_one():
    pipe = Pipe()
    pipe.flow(3, 6)
    again = Pipe(memory=pipe.trade.memory(pipe.now_ms), unix_s=MIDNIGHT_S + 86_400 + 2 * 3600 + 1800)
    again.flow(0, 0.5)
    assert again.events == []
    again.flow(0, 1.1)
    assert again.events == [(event.WATER_LEAK, False, (0, 3600))]


def test_a_burst_is_told_within_two_minutes_and_ends_with_the_water():
    pipe = Pipe()
    pipe.flow(60 * 7, 2 / 60)  # 70 L/min for two minutes
    assert pipe.events == [(event.PIPE_BURST, True, (None, 70_000))]
    assert pipe.trade.wants_sample_ms(pipe.now_ms) == pipe.now_ms + 10_000
    pipe.flow(0, 1 / 60)
    assert pipe.events[1:] == [(event.PIPE_BURST, False, (None, 0))]
    assert pipe.trade.wants_sample_ms(pipe.now_ms) is None


def test_a_coarse_meter_tells_a_burst_and_no_flow_that_the_place_can_want():
    pipe = Pipe(Own(100_000, 20_000, 0, 2000, False))  # 100 L a pulse, 20 L/min at most
    pipe.flow(12, 3)
    assert pipe.events == []
    pipe.flow(27, 1)  # 45 L/min
    assert [entry[:2] for entry in pipe.events] == [(event.PIPE_BURST, True)]
    pipe.flow(0, 1)
    assert [entry[:2] for entry in pipe.events[1:]] == [(event.PIPE_BURST, False)]


def test_a_cut_cable_a_silent_counter_and_a_weak_battery_are_told_once_and_end():
    pipe = Pipe()
    for changes, told in (
        ({"SENSOR_FAULTS": 1}, (event.SENSOR_FAILURE, ("meter", "cable"))),
        ({"pulses": None}, (event.METER_FAILURE, {})),
        ({"BATTERY": 2950}, (event.BATTERY_LOW, (2950,))),
    ):
        for _ in range(2):
            pipe.now_ms += 60_000
            pipe.sample(**changes)
        assert pipe.events == [(told[0], True, told[1])]
        pipe.now_ms += 60_000
        pipe.sample()
        assert [entry[:2] for entry in pipe.events[1:]] == [(told[0], False)]
        pipe.events = []


@pytest.mark.parametrize("word", [LOCK, TEST])
def test_a_technicians_lock_or_test_does_not_stop_the_count(word):
    pipe = Pipe()
    pipe.trade.memory(0)
    pipe.trade.local = word
    pipe.flow(30, 1)
    assert pipe.volume_l() == 500 + 300 and pipe.events == []


def test_it_is_sound_while_it_counts_whatever_the_pipe_does():
    pipe = Pipe()
    pipe.flow(60 * 20, 0.1)
    assert (event.PIPE_BURST, True) in [told[:2] for told in pipe.events]
    assert pipe.trade.is_sound(pipe.moment())
    for changes in ({"SENSOR_FAULTS": 1}, {"pulses": None}):
        pipe.sample(**changes)
        assert not pipe.trade.is_sound(pipe.moment())
        pipe.sample()
        assert pipe.trade.is_sound(pipe.moment())


def test_what_it_remembers_fits_and_a_damaged_memory_is_a_new_board():
    pipe = Pipe()
    assert len(pipe.trade.memory(0)) <= MEMORY_BYTES_MAX
    assert Pipe(memory=b"\xff" * 3).volume_l() == 500
    assert Pipe(memory=struct.pack("<QQB", 7_000_000, 7_500_000, 0)).volume_l() == 500 + 7500
    assert pipe.trade.declines(pipe.moment()) == "no-output"


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"meter": None}, ["meter"]),
        ({"meter": [1, 10]}, ["meter[0]", "meter[1]"]),
        ({"meter": [100, 160_000]}, ["meter[0]"]),  # 27 Hz, 53 in a burst: the board counts 50
        ({"dial_l": -1, "leak_ml_h": True}, ["dial_l", "leak_ml_h"]),
    ],
)
def test_settings_are_checked_with_a_path_each(changes, paths):
    faults = Faults()
    own = water_meter.decode(faults, {"meter": [10_000, 60_000], **changes})
    assert [fault.path for fault in faults.listed()] == paths
    if not paths:
        assert own == Own(10_000, 60_000, 0, 2000, False)


def test_a_kind_is_found_by_its_file_alone():
    assert kinds.load("water_meter") is water_meter
    assert kinds.load("streetlight").KIND == "streetlight"
    for word in ("nothing", "__init__", "water_meter.x", "../main", "", None, 7):
        assert kinds.load(word) is None


def test_nothing_else_knows_the_new_kind(repository):
    """One file and one entry of data; what is generated of that entry, and who builds it, bear its name."""
    found = set()
    for folder in ("firmware", "gateway", "simulator", "hardware", "tools"):
        for path in (repository / folder).rglob("*"):
            if path.suffix in (".py", ".toml") and "water_meter" in path.read_text(encoding="utf-8"):
                found.add(path.relative_to(repository).as_posix())
    named = {name for name in found if name.startswith(("firmware/boards/", "hardware/builds/"))}
    assert found - named == {"firmware/kinds/water_meter.py", "hardware/nodes/water_meter.toml"}


class MeterPorts:
    """The plant of a NodeHost: ten litres a minute, counted while the board has power."""

    def __init__(self, world):
        self._world = world
        self._since_ms = 0

    def power_on(self):
        self._since_ms = self._world.now_ms

    def power_off(self):
        pass

    def apply(self, outputs, *, now_ms):
        assert outputs is None, "a meter drives nothing"

    def read(self):
        pulses = (self._world.now_ms - self._since_ms) // 60_000
        return {PULSES: pulses, quantity.SENSOR_FAULTS: 0, quantity.BATTERY: 3600}


class Gateway:
    """The real end of the link; keeps every record by its identity and answers after a flush."""

    def __init__(self, world, radio):
        self.held = {}
        self._world, self._radio = world, radio
        self._link = Link([key_of(NODE)], CIPHER, random_below=Prng(3).randrange)

    def receive(self, datagram, host):
        for asked in self._link.receive(datagram, PEER, now_ms=self._world.now_ms):
            self._world.after(800, self._answer, asked, host)
        self._flush(host)

    def _answer(self, asked, host):
        for made, data in record.split_payload(asked.payload) if asked.payload else ():
            assert self.held.setdefault((made.boot, made.sequence), data) == data, "one identity, two bodies"
        answer = record.encode_answer(record.Answer(self._world.unix_s, 1, None, 0))
        self._link.respond(asked.exchange, coap_message.CHANGED, answer, now_ms=self._world.now_ms)
        self._flush(host)

    def _flush(self, host):
        self._link.poll(now_ms=self._world.now_ms)
        for _, datagram in self._link.outgoing():
            self._radio.carry(datagram, host.receive, PEER)


def test_in_the_simulator_the_dial_comes_through_loss_and_restarts_and_never_goes_back():
    world = World(start_unix_s=MIDNIGHT_S)
    radio = Radio(world, Prng("radio"), LinkQuality(200, 10, 5, 80, 15, 3000))
    gateway = Gateway(world, radio)
    plain = {"kind": "water_meter", "node": NODE.hex(), "gateway": list(PEER), **settings_of(NODE), "dial_l": 500}
    settings, faults = node_settings.decode({**plain, "meter": [10_000, 60_000]}, kinds.load("water_meter"))
    assert faults == []
    carry = lambda datagram, sender: radio.carry(datagram, gateway.receive, sender)  # noqa: E731
    ports = MeterPorts(world)
    host = NodeHost(world, Prng("board"), settings, water_meter, ports, radio, carry, lambda *_: None)
    for hours in (6, 3, 9):
        host.power_on()
        world.run_until(world.now_ms + hours * 3_600_000)
        host.power_off()
        world.run_until(world.now_ms + 60_000)
    made = [record.decode_payload(gateway.held[name])[0] for name in sorted(gateway.held)]
    dials = [entry.body[quantity.WATER_VOLUME] for entry in made if quantity.WATER_VOLUME in _readings(entry)]
    assert host.boots == 3 and {entry.boot for entry in made} == {1, 2, 3}
    assert len(dials) > 50 and dials == sorted(dials)
    assert 500 + 600 * (18 - 3) <= dials[-1] <= 500 + 600 * 18, "an hour is lost at most with each cut"
    assert any(_code(entry) == event.WATER_LEAK for entry in made)


def _readings(entry):
    return entry.body if isinstance(entry.body, dict) else {}


def _code(entry):
    return None if isinstance(entry.body, dict) else entry.body.code


class Chip:
    """`machine` as far as the ports go. `levels`: of pins; `count`: of the counter; `microvolts`: of the converter."""

    class Pin:
        IN, PULL_UP = 0, 1

        def __init__(self, number, *_):
            self.number = number

        def value(self):
            return Chip.levels.get(self.number, 0)

    class Counter:
        def __init__(self, unit, pin):
            assert (unit, pin.number) == (board.METER_UNIT, board.METER_PIN)

        def value(self):
            return Chip.count

    class ADC:
        ATTN_11DB = 3

        def __init__(self, pin):
            assert pin.number == board.BATTERY_PIN

        def atten(self, attenuation):
            assert attenuation == self.ATTN_11DB, "1.8 V is beyond the range it starts with"

        def read_uv(self):
            return Chip.microvolts

    levels: ClassVar[dict] = {}
    count = 0
    microvolts = 1_800_000


def test_the_ports_read_what_the_trade_wants_on_the_pins_of_the_board():
    Chip.levels, Chip.count = {}, 1000
    ports = water_meter.Ports(OWN, board, Chip, now_ms=0)
    ports.begin_sample(now_ms=0)
    assert ports.collect(now_ms=0) == {PULSES: 0, quantity.SENSOR_FAULTS: 0, quantity.BATTERY: 3600}
    Chip.count += 42
    Chip.levels = {board.CABLE_PIN: board.CABLE_ACTIVE_LEVEL}
    ports.begin_sample(now_ms=60_000)
    assert ports.collect(now_ms=60_000) == {PULSES: 42, quantity.SENSOR_FAULTS: 1, quantity.BATTERY: 3600}
