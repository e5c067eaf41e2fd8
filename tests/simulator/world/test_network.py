"""Radio: losses, doubles and delays near what the link says; perfect when the faults are over."""

import pytest

from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World

COUNT = 20_000
QUALITY = LinkQuality(
    loss_permille=120, double_permille=10, delay_min_ms=5, delay_max_ms=80, slow_permille=15, slow_ms=3000
)


@pytest.fixture
def world():
    return World(start_unix_s=1_800_000_000)


def carried(world, radio, count=COUNT):
    """{datagram: [delay in ms, ...]} of what arrived, each sent in a second of its own."""
    arrived = {}
    for number in range(count):
        sent_ms = 1000 * number

        def arrive(datagram, sent_ms):
            arrived.setdefault(datagram, []).append(world.now_ms - sent_ms)

        world.at(sent_ms, radio.carry, b"%d" % number, arrive, sent_ms)
    world.run_until(1000 * count + 10_000)
    return arrived


def test_loss_doubling_and_delay_are_near_their_permille(world):
    radio = Radio(world, Prng(1), QUALITY)
    arrived = carried(world, radio)
    lost = COUNT - len(arrived)
    doubled = sum(len(delays) == 2 for delays in arrived.values())
    delays = [delay for pair in arrived.values() for delay in pair]
    slow = sum(delay > 80 for delay in delays)
    assert (radio.sent, radio.lost) == (COUNT, lost)
    assert 110 <= 1000 * lost / COUNT <= 130
    assert 7 <= 1000 * doubled / len(arrived) <= 13
    assert 11 <= 1000 * slow / len(delays) <= 19
    assert min(delays) >= 5
    assert max(delays) < 80 + 3000
    assert all(len(pair) <= 2 for pair in arrived.values())


def test_a_delay_long_enough_changes_the_order(world):
    radio = Radio(world, Prng(2), QUALITY)
    order = []
    for number in range(500):
        world.at(20 * number, radio.carry, b"%d" % number, lambda datagram: order.append(int(datagram)))
    world.run_until(30_000)
    assert order != sorted(order)


def test_without_faults_everything_arrives_once_and_soon(world):
    radio = Radio(world, Prng(3), QUALITY._replace(loss_permille=900, double_permille=900, slow_permille=900))
    radio.faults_on = False
    arrived = carried(world, radio, 2000)
    assert len(arrived) == 2000
    assert all(len(delays) == 1 and 5 <= delays[0] <= 80 for delays in arrived.values())
    assert radio.lost == 0


def test_what_arrives_is_what_was_sent(world):
    radio = Radio(world, Prng(4), QUALITY)
    sent = {b"\x00\xff%d" % number for number in range(300)}
    got = set()
    for datagram in sorted(sent):
        radio.carry(datagram, got.add)
    world.run_until(10_000)
    assert got < sent
    assert len(got) > 200
