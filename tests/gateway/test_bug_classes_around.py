"""The bug classes 9 to 15 (see test_bug_classes.py): disks, memory, storms, links, clocks, commands.

Long because one list of bug classes stands in the order of their numbers.
"""

import gc
import tracemalloc
from collections import Counter, deque
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.custody import entry, ledger, segment
from simulator.hosts.centre import Centre
from simulator.hosts.gateway import GatewayHost
from simulator.options import Options as TerritoryOptions
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.disk import SimDisk
from simulator.world.time import World
from tests.support.cabinet_world import NODES, CabinetWorld
from tests.support.gateway_world import ANSWERS, OPTIONS, GatewayWorld, alarm, payload, reading
from tests.support.territory_world import cut, live_through, story
from tools.prove.cabinet import START_UNIX_S, listed
from wire import event, topic, watermark

pytestmark = pytest.mark.slow

MINUTE_MS, DAY_MS = 60_000, 86_400_000


# --- 9: disk full -----------------------------------------------------------------------------------------------------


def test_bug_class_09_disk_full_bloat_and_space_not_given_back():
    """Azure/iotedge#835, #3981, #2431; kura#2008; SQLite cannot free itself at ENOSPC.

    Somebody else fills the partition to its last byte: no crash, each alarm is taken, and the space is back after the
    drain. What is kept of strangers is bounded too.
    """
    capacity = limits.JOURNAL_FREE_MARGIN_BYTES + limits.JOURNAL_BALLAST_BYTES + 200_000
    world = CabinetWorld(
        11, nodes=4, alarmers=3, capacity_bytes=capacity, journal_bytes_max=1 << 30, segment_bytes_max=16_384
    )
    while not world.core.thinner.counters["segments-dropped"]:
        world.run(5_000, making=True)
    world.run(5_000, making=False)
    for _ in range(2):
        world.journal_disk.capacity_bytes = world.journal_disk.bytes_used
        said = len(world.said.alarms())
        for _ in range(40):
            world.alarm()
            world.run(2_000, making=True)
        alarms = world.said.alarms()
        assert len(alarms) - said >= 120 and alarms <= world.acknowledged()
        assert world.core.inbox.counters["journal-refused"] > 0
        world.start()
        world.journal_disk.capacity_bytes = capacity
        world.run(60_000, making=False)
    world.fibre = True
    assert world.drain()
    assert world.acknowledged() - world.stored() <= set(listed(world.state_disk))
    assert world.said.alarms() <= world.stored()
    assert world.journal_disk.bytes_used <= limits.JOURNAL_BALLAST_BYTES + 4 * 16_384
    for number in range(20_000):
        world.core.on_datagram(world.random.randbytes(40), "stranger", now_ms=world.town.now_ms + 1_000 * number)
    disk = world.state_disk
    kept = sum(disk.size(name) for name in disk.list() if name.startswith("refused"))
    assert 100_000 < kept <= 4 * 256 * 1024 >= limits.REFUSED_FILES_MAX * limits.REFUSED_FILE_BYTES_MAX
    assert disk.bytes_used - kept <= limits.LEDGER_FILES_MAX * limits.LEDGER_FILE_BYTES_MAX


# --- 10: damage -------------------------------------------------------------------------------------------------------


def places(world):
    """{name: identities of the nodes' records in it}, read with the format alone."""
    found = {}
    disk = world.journal_disk
    for name in world.segments():
        data, who = disk.read(name, 0, disk.size(name)), segment.parse_name(name)
        voids = segment.decode_version(data) == segment.VERSION_VOIDS
        contents = segment.scan(lambda at, count, data=data: data[at : at + count], len(data), who.seed, voids=voids)
        items = [entry.decode(content) for _, _, content in contents if isinstance(content, bytes)]
        found[name] = {(item.node, item.record.boot, item.record.sequence) for item in items}
    return found


def damaged(data, random):
    """As cards and power cuts leave a file."""
    at = random.randrange(len(data)) if data else 0
    flipped = bytes((data[at] ^ 1 << random.randrange(8),)) if data else b"?"
    zeros = min(512, len(data) - at)
    return random.choice(
        (
            bytes(len(data)),  # a file of NULs
            b"",
            data[:at],
            data[:at] + flipped + data[at + 1 :],
            data[:at] + bytes(zeros) + data[at + zeros :],
            data + random.randbytes(100),
            random.randbytes(len(data)),
        )
    )


def test_bug_class_10_corrupt_store_and_a_daemon_that_refuses_to_start():
    """mosquitto#2639 (5 to 10 % of 100 Raspberry Pis, a file of NULs), #3160, #3159; kura#2169; telegraf#18528.

    100 starts with damage to files of the journal and of the state: each starts, goes on and drains; nothing is missing
    but what stood in a damaged file, and that is told.
    """
    told = 0
    for number in range(100):
        world = CabinetWorld(12 + number % 5, nodes=2, journal_bytes_max=8_000, alarm_reserve_bytes=2_000)
        for _ in range(3):
            world.run(600, making=True)
            world.run(1_500, making=False)
            world.start()
        for _ in range(30):
            world.core.on_datagram(b"garbage", "stranger", now_ms=world.town.now_ms)
        random, where, let_go = Random(number), places(world), set(listed(world.state_disk))
        assert let_go and world.unaccounted() <= let_go
        spoilt = set()
        for disk in random.choices((world.journal_disk, world.state_disk), k=random.randrange(1, 4)):
            name = random.choice(disk.list())
            disk.put(name, damaged(disk.read(name, 0, disk.size(name)), random))
            spoilt |= where.get(name, set())
        report = world.start()
        before = world.said.acknowledged_count()
        world.run(500, making=True)
        assert world.said.acknowledged_count() > before, "it does not go on"
        world.fibre = True
        assert world.drain()
        missing = world.acknowledged() - world.stored() - let_go - set(listed(world.state_disk))
        assert missing <= spoilt, f"round {number}"
        holes = [line for line in ledger.entries(world.state_disk) if line["why"] == "journal-damaged"]
        assert not missing or report.quarantined or report.damages or holes, f"round {number}"
        told += bool(missing)
    assert told > 12, "the damage must be felt"


# --- 11: memory -------------------------------------------------------------------------------------------------------


def sizes(root):
    """{path: elements} of every container that belongs to the core; containers of one kind are counted together."""
    found, seen, todo = Counter(), set(), [("core", root)]
    while todo:
        path, thing = todo.pop()
        if id(thing) in seen or isinstance(thing, (str, int, SimDisk, Random, Prng, type)):
            continue
        seen.add(id(thing))
        if isinstance(thing, (dict, list, set, frozenset, deque, bytearray, bytes, tuple)):
            found[path] += len(thing)
            inside = [] if isinstance(thing, (bytes, bytearray)) else thing
            todo += [(f"{path}[]", one) for one in (inside.values() if isinstance(thing, dict) else inside)]
        else:
            names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
            todo += [(f"{path}.{name}", getattr(thing, name, None)) for name in names]
    return found


def traced_bytes():
    gc.collect()
    ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/gateway/core/*")])
    return sum(trace.size for trace in ours.statistics("filename"))


@pytest.mark.parametrize("flapping", [False, True], ids=["offline", "flapping"])
def test_bug_class_11_memory_growth(flapping, monkeypatch):
    """iotedge#821, #6997, #4545; kura#2555; thingsboard-gateway#877.

    72 hours offline, or with a link that comes for 20 s a quarter of an hour and half the time swallows everything:
    from hour 24 on no container of the core grows and what it has allocated stays, with the journal at its cap.
    """
    world = CabinetWorld(13, nodes=3, journal_bytes_max=30_000, alarm_reserve_bytes=4_000, segment_bytes_max=2_000)
    bytes_at, early, late = {}, Counter(), Counter()
    monkeypatch.setattr(limits, "LEDGER_REMEMBERED_MAX", 100)  # so that this bound is reached within the first day too
    tracemalloc.start(1)
    try:
        for quarter in range(4 * 72):
            world.say(14 * MINUTE_MS)
            if flapping:
                world.fibre, world.wire = True, ("silent", "good")[quarter % 2]
                world.run(20_000, making=False)
                world.cut_fibre()
            hour = quarter / 4
            largest = early if hour < 24 else late
            if quarter % 3 == 0:
                for path, size in sizes(world.core).items():
                    largest[path] = max(largest[path], size)
            if hour in (24, 48, 71):
                bytes_at[hour] = traced_bytes()
    finally:
        tracemalloc.stop()
    grown = {path: (early[path], size) for path, size in late.items() if size > 1.25 * early[path] + 100}
    assert len(early) > 50 and grown == {}
    # One dictionary's step to its next size is no slope; 100 bytes kept for each payload would be 58 kB.
    assert bytes_at[71] - bytes_at[24] < 12_000, bytes_at
    assert world.said.acknowledged_count() > 3_000
    assert world.unaccounted() <= set(listed(world.state_disk))


# --- 12: storms -------------------------------------------------------------------------------------------------------


class District:
    """Cabinets in one town, each with its gateway, and a broker whose connection attempts are noted as (ms, name)."""

    def __init__(self, count, **changes):
        self.world = World(start_unix_s=START_UNIX_S)
        self.broker = Broker(self.world, Prng("broker"))
        self.centre = Centre(self.world, Prng("centre"), self.broker)
        self.centre.start()
        self.attempts, self.kicks = [], False
        self._accept, self.broker.connect = self.broker.connect, self._connect
        self.hosts = [
            GatewayHost(
                self.world,
                Prng(f"cabinet-{number}"),
                OPTIONS._replace(gateway=NODES + number.to_bytes(3, "big"), name=f"cab-{number}", **changes),
                self.broker,
            )
            for number in range(count)
        ]
        for host in self.hosts:
            host.power_on()
        self.later(300)

    def later(self, seconds):
        self.world.run_until(self.world.now_ms + int(1_000 * seconds))

    def carriers(self):
        return Counter(host.core.bearers.connection.active for host in self.hosts)

    def _connect(self, name, client, matches):
        if name != "ingest":
            self.attempts.append((self.world.now_ms, name))
        self._accept(name, client, matches)
        if self.kicks:
            self.world.after(100, self.broker.disconnect, name)
            self.world.after(100, client.on_disconnected, "kicked")


def test_bug_class_12_reconnection_storm():
    """iotedge#5201 (830,000 messages in 24 h), mosquitto#1035, AMRC acs#167, esp-rainmaker-neo-firmware#1.

    200 gateways whose broker restarts after 10 minutes: attempts in a second are bounded. A broker that accepts and
    kicks for two hours: each asks ever more rarely, publishes next to nothing, and is back soon when it is let.
    """
    district = District(200)
    assert district.carriers() == {"default": 200}
    district.broker.forget()
    district.later(600)
    district.broker.restart()
    back_ms = district.world.now_ms
    district.later(180)
    assert district.carriers() == {"default": 200}
    seconds = Counter(at_ms // 1_000 for at_ms, _ in district.attempts if at_ms >= back_ms)
    assert sum(seconds.values()) == 200 and max(seconds.values()) <= 15, "one attempt each, spread over two minutes"

    district.attempts.clear()
    district.kicks, accepted = True, district.broker.accepted
    district.broker.forget()
    district.broker.restart()
    district.later(7_200)
    by_name = {}
    for at_ms, name in district.attempts:
        by_name.setdefault(name, []).append(at_ms)
    waits = [[after - before for before, after in pairwise(times)] for times in by_name.values()]
    assert max(map(len, waits)) <= 2 * 60 + 10
    assert min(min(of_one[-20:]) for of_one in waits) >= limits.UPLINK_RECONNECT_LAST_MS // 2
    # A connection of a tenth of a second is good for a question at most.
    assert district.broker.accepted - accepted <= 2 * len(district.attempts)
    district.kicks = False
    district.later(limits.UPLINK_RECONNECT_LAST_MS // 1_000 + 5)
    assert district.carriers() == {"default": 200}


# --- 13: links that lie -----------------------------------------------------------------------------------------------


def test_bug_class_13_half_open_link_false_up_and_flapping():
    """thin-edge.io#2485, telegraf#14750, kura#2050, #2827, openwrt/packages#19794, PR#23590, openmptcprouter#1086.

    A silent cut of fibre: mobile carries within 30 s. Six hours of fibre that comes and goes every 5 s: changes of
    bearer and bytes by mobile in an hour are bounded. Then fibre carries again, and nothing waits.
    """
    bearers = (Bearer("fibre"), Bearer("mobile", is_metered=True, monthly_bytes=50_000_000))
    district = District(1, bearers=bearers)
    (host,) = district.hosts
    for _ in range(3):
        assert district.carriers() == {"fibre": 1}
        host.fibre(False)
        district.later(30)
        assert district.carriers() == {"mobile": 1}
        host.fibre(True)
        district.later(2 * 3_600)
    changes, metered = host.core.bearers.connection.counters["changes"], host.metered_bytes
    assert changes == 6
    for _ in range(6 * 360):
        host.fibre(False)
        district.later(5)
        host.fibre(True)
        district.later(5)
    changes = host.core.bearers.connection.counters["changes"] - changes
    assert changes <= 6 * 6, "at most six an hour"
    # A handshake is 7.5 kB, a probe 240 B every ten minutes, a keep-alive 280 B every four; records are few here.
    assert (host.metered_bytes - metered) / 6 <= 150_000
    district.later(3_600)
    assert district.carriers() == {"fibre": 1} and host.waiting() == 0


# --- 14: clocks -------------------------------------------------------------------------------------------------------


def unix_ms(*moment):
    return int(1_000 * datetime(*moment, tzinfo=UTC).timestamp())


def leap(now_ms):
    return now_ms + DAY_MS * (365 * 10 if now_ms // MINUTE_MS % 2 else -365 * 10)


CLOCKS = {
    "none": lambda now_ms: None,
    "1970": lambda now_ms: now_ms,
    "ten-years-ahead": lambda now_ms: unix_ms(2036, 11, 25) + now_ms,
    "ten-years-behind": lambda now_ms: unix_ms(2016, 11, 25) + now_ms,
    "leaping-ten-years-each-minute": lambda now_ms: unix_ms(2026, 11, 25) + leap(now_ms),
    "night-of-summer-time": lambda now_ms: unix_ms(2026, 3, 29, 0, 50) + now_ms,
    "night-of-winter-time": lambda now_ms: unix_ms(2026, 10, 25, 0, 50) + now_ms,
}


def life_by(clock):
    """An outage, a drain, a flapping hour under a clock: ((identity, ms of its arrival) of all, ms of connections)."""
    world = CabinetWorld(14, nodes=3, latency_ms=(5, 5), batch_age_ms=20_000)
    connected = []
    for minute in range(90):
        told = clock(world.town.now_ms)
        world.core.clock.observe(told, 1, now_ms=world.town.now_ms)
        if minute in (20, 40, 60):
            world.hang_up()
        world.fibre = minute >= 10
        before = world.connects
        world.say(MINUTE_MS)
        connected.append(world.connects - before)
    arrived = [(identity, world.arrived_ms[identity]) for identity in world.arrived if identity[0].startswith(NODES)]
    world.assert_all_arrived()
    return arrived, connected


@pytest.mark.parametrize("name", CLOCKS)
def test_bug_class_14_clock_without_battery_and_timers_that_trust_it(name):
    """iotedge#4062 (1970), #1815; lf-edge/eve PR#3447 (retry timers stuck), PR#1456; thin-edge.io#3157, mosquitto#1877,
    chirpstack-gateway-bridge#210.

    Whatever the clock says, connections, batches and arrivals happen at the very same moments as with a good one.
    """
    arrived, connected = life_by(lambda now_ms: 1_000 * START_UNIX_S + now_ms)
    assert len(arrived) > 800 and sum(connected) == 4
    assert life_by(CLOCKS[name]) == (arrived, connected)


# --- 15: commands and fallback ----------------------------------------------------------------------------------------

FAR = watermark.Watermark(b"epoch-01", event.TELEMETRY, 1 << 40)
COMMANDS = (b"", b"ON", b"\xff" * 70_000, b'{"state": "OFF"}', b"\xa2\x00\x01\x01\x18\x64", watermark.encode(FAR))


def test_bug_class_15a_stale_retained_and_replayed_commands():
    """zigbee2mqtt#1709 and OpenMQTTGateway#102 (retained commands replay), thin-edge.io#2542, #2150.

    This agent takes no commands: whatever comes on a class other than the watermark's, or is no watermark, is refused
    and counted; a watermark of before, of elsewhere or of the future moves nothing. Nothing is sent because of them.
    """
    world = GatewayWorld(auto_sync=True)
    for sequence in range(60):
        world.ask(payload(reading(sequence)))
        world.wait(OPTIONS.commit_ms)
    world.ask(payload(alarm(60)))
    world.connect()
    for publication in world.take_publications():
        world.core.on_puback(publication.token, 0, now_ms=world.now_ms)
    world.turn()
    assert world.core.connection_topics() == [ANSWERS], "it asks for nothing else"
    world.wait(30_000)
    world.publications.clear()
    world.sent.clear()
    held, connects, now_ms = world.held(), world.connects, world.now_ms
    stale = [watermark.Watermark(epoch, event.TELEMETRY, 3) for epoch in (b"epoch-00", b"another!")]
    count = 0
    for _ in range(50):
        for kind in (topic.COMMAND, topic.POLICY, topic.STATE, topic.TELEMETRY, topic.EVENT, topic.OUTCOME):
            for data in COMMANDS:
                world.hear(data, topic.build(kind, "49007", "cab-12"))
                count += 1
        for data in COMMANDS[:-1]:
            world.hear(data)
            count += 1
        for message in stale:
            world.hear(message)
    assert world.core.counters["messages-refused"] == count == 50 * (6 * 6 + 5)
    assert world.now_ms == now_ms and world.held() == held and world.connects == connects
    assert world.publications == [] and world.sent == []
    assert world.state_disk.bytes_used <= limits.REFUSED_FILES_MAX * limits.REFUSED_FILE_BYTES_MAX


@pytest.mark.parametrize("what", ["broker", "power"])
def test_bug_class_15b_lamps_go_off_when_the_server_is_away(what):
    """esphome/issues#994, TX-Ultimate-Easy#48: lights off, and a reboot after 15 minutes, when nobody answers.

    A day without the centre, or without any gateway: lamps keep their program, and no node restarts for it.
    """
    cabinets = range(3) if what == "power" else (None,)
    options = TerritoryOptions(lamps=6, hours=32, faults=False, until_dusk=False)
    territory, result = live_through(options, story(*(cut(what, 4, 28, cabinet) for cabinet in cabinets)))
    assert result.lighting_violations == [] and result.worst_delay_s <= 120
    assert any(one.wanted and one.lit == one.wanted for one in result.snapshots)
    for host in territory.nodes:
        # A switched feeder gives its lamps mains at dusk; so many dusks lie in the run.
        assert host.boots == (1 if host.settings.node[-1] % 2 else 2)
    if what == "broker":
        assert result.verdict.lost == result.verdict.duplicated == 0
        assert result.verdict.acknowledged == result.verdict.made
