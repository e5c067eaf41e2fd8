"""Flaps, storms and brokers that are away: the bearer changes rarely, and what can carry is found again."""

from itertools import pairwise
from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers.connection import Connect, Connection
from tests.support.bearer_world import BOTH, FIBRE, MOBILE, Net


def flap(net, period_ms, hours):
    for index in range(hours * 3_600_000 // period_ms):
        if index % 2:
            net.heal(FIBRE)
        else:
            net.cut(FIBRE, silent=index % 4 == 0)
        net.run(period_ms)


@pytest.mark.parametrize("period_ms", [1_000, 5_000, 7_000, 20_000, 61_000, 130_000])
def test_a_flapping_fibre_changes_the_bearer_rarely(period_ms):
    net = Net()
    net.run(600_000)
    flap(net, period_ms, hours=6)
    changes = net.actives[1:]
    apart = [b[0] - a[0] for a, b in pairwise(changes)]
    assert all(ms >= limits.CONNECTION_DWELL_MS for ms in apart)
    # Each return that does not last doubles the wait: six hours of it cost a few dozen handshakes, not hundreds.
    assert len(changes) <= 60 and len(net.connects(MOBILE)) <= 60


def test_after_a_change_nothing_changes_for_a_dwell_even_when_that_bearer_dies():
    net = Net()
    net.run(600_000)
    net.cut(FIBRE, silent=False)
    net.run(5_000)
    moved_ms = net.actives[-1][0]
    net.heal(FIBRE)
    net.cut(MOBILE, silent=False)
    net.run(300_000)
    assert net.core.active == FIBRE
    assert net.actives[-1][0] - moved_ms >= limits.CONNECTION_DWELL_MS
    between = [at for at in net.connects(FIBRE) if moved_ms <= at < moved_ms + limits.CONNECTION_DWELL_MS]
    assert between == []


def test_the_dwell_holds_whatever_the_other_waits_are(monkeypatch):
    monkeypatch.setattr(limits, "CONNECTION_RETURN_FIRST_MS", 1_000)
    monkeypatch.setattr(limits, "BEARER_GOOD_MS", 0)
    monkeypatch.setattr(limits, "BEARER_GOOD_PROBES", 1)
    net = Net()
    net.run(600_000)
    net.cut(FIBRE, silent=True)
    while net.core.active == FIBRE:
        net.run(100)
    moved_ms = net.actives[-1][0]
    net.heal(FIBRE)
    net.run(120_000)
    assert net.core.active == FIBRE
    assert net.connects(FIBRE)[-1] >= moved_ms + limits.CONNECTION_DWELL_MS


@pytest.mark.parametrize("broker", ["refuses", "kicks"])
def test_a_broker_that_is_away_makes_no_flapping_and_no_storm(broker):
    net = Net()
    net.run(600_000)
    net.broker = broker
    net._end(FIBRE, net._alive[FIBRE], "shutting down")
    start_ms = net.now_ms
    net.run(6 * 3_600_000)
    fibre = [at for at in net.connects(FIBRE) if at > start_ms]
    assert len(fibre) <= 6 * 60 + 10
    assert 1 <= len(net.connects(MOBILE)) <= 6 * 6 + 1
    net.broker = "accepts"
    net.run(limits.UPLINK_RECONNECT_LAST_MS + 60_000)
    assert net.core.active is not None
    net.run(2 * limits.CONNECTION_RETURN_LAST_MS)
    assert net.core.active == FIBRE


def test_a_broker_that_restarts_is_waited_for_on_fibre():
    net = Net()
    net.run(600_000)
    net.broker = "refuses"
    net._end(FIBRE, net._alive[FIBRE], "shutting down")
    net.run(2_500)
    net.broker = "accepts"
    net.run(120_000)
    assert net.core.active == FIBRE and net.connects(MOBILE) == []


def test_a_connection_that_lasted_clears_what_was_held_against_its_bearer():
    net = Net()
    net.broker = "kicks"
    net.run(3_000)
    assert 1 <= len(net.connects(FIBRE)) < limits.CONNECTION_FAILURES_MAX
    net.broker = "accepts"
    net.run(600_000)
    net.broker = "refuses"
    net._end(FIBRE, net._alive[FIBRE], "shutting down")
    before = len(net.connects(FIBRE))
    while net.connects(MOBILE) == []:
        net.run(100)
    assert len(net.connects(FIBRE)) - before == limits.CONNECTION_FAILURES_MAX


@pytest.mark.parametrize("seed", range(10))
def test_after_a_long_night_without_both_the_first_good_minute_of_fibre_is_enough(seed):
    """Whatever the back-off has grown to."""
    net = Net(seed=seed)
    net.passes = {FIBRE: False, MOBILE: False}
    net.run(4 * 3_600_000 + 7_919 * seed)
    net.heal(FIBRE)
    net.run(limits.BEARER_GOOD_MS + 25_000)
    assert net.core.active == FIBRE


def test_a_connection_by_a_bearer_whose_probes_failed_makes_it_up():
    net = Net()
    net.passes = {FIBRE: False, MOBILE: False}
    net.run(300_000)
    assert not net.core.is_up(FIBRE)
    net.core.drain_changes()
    net._probe = lambda probe: net.core.probed(probe.bearer, False, now_ms=net.now_ms)
    net.heal(FIBRE)
    while net.core.active is None:
        net.run(100)
    assert net.core.active == FIBRE and net.core.is_up(FIBRE)
    assert ("bearer-up", FIBRE, "connected") in net.core.drain_changes()


def test_the_end_of_the_dwell_is_not_slept_through_in_a_long_back_off():
    core = Connection(BOTH, random_below=Random(1).randrange, now_ms=0)
    core.poll(now_ms=0)
    core.connected(FIBRE, now_ms=0)
    core._changed(FIBRE, MOBILE, 1_000)
    core.active = core._last = MOBILE
    core._reconnect_ms = limits.UPLINK_RECONNECT_LAST_MS  # as after an hour without both
    core.disconnected(MOBILE, "lost", now_ms=2_000)
    assert core._due_ms() == 1_000 + limits.CONNECTION_DWELL_MS


def test_with_both_down_they_are_tried_in_turn_with_a_growing_back_off():
    net = Net()
    net.passes = {FIBRE: False, MOBILE: False}
    net.run(2 * 3_600_000)
    tried = [effect.bearer for _, effect in net.log if isinstance(effect, Connect)]
    assert 40 <= len(tried) <= 130
    assert tried[-10:] in ([FIBRE, MOBILE] * 5, [MOBILE, FIBRE] * 5)
