"""Gateways of a district and their broker: a storm after its restart, and links that lie.

The docstrings name the faults of known gateways (project#issue) that these stories are about.
"""

from collections import Counter
from itertools import pairwise

import pytest

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from simulator.hosts.centre import Centre
from simulator.hosts.gateway import GatewayHost
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from tests.support.cabinet_world import NODES
from tests.support.gateway_world import OPTIONS
from tools.prove.cabinet import START_UNIX_S

pytestmark = pytest.mark.slow


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


def test_200_gateways_come_back_spread_and_ask_ever_more_rarely():
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


def test_a_silent_cut_is_bridged_and_a_flapping_fibre_bounded():
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
