"""When to connect and by which bearer: one bearer, leaving the preferred one, coming back to it."""

from itertools import pairwise
from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.bearers.connection import Connect, Connection, Drop, Probe
from tests.support.bearer_world import FIBRE, MOBILE, Net, on_mobile


def kinds(effects):
    """Effects with their types: as tuples, Connect("x") equals Drop("x")."""
    return [(type(effect), effect.bearer) for effect in effects]


# --- one bearer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bearers", [(), (Bearer("lan"),), (Bearer("sim", is_metered=True),)])
def test_a_single_bearer_is_connected_at_once_and_never_probed(bearers):
    core = Connection(bearers, random_below=Random(1).randrange, now_ms=500)
    (connect,) = core.poll(now_ms=500)
    assert isinstance(connect, Connect)
    assert core.connected(connect.bearer, now_ms=600)
    assert core.active == connect.bearer
    assert core.deadline_ms() is None and core.poll(now_ms=10**9) == []


def test_the_back_off_doubles_with_jitter_down_to_half_and_a_lasting_connection_resets_it():
    drawn = []
    core = Connection(random_below=lambda stop: drawn.append(stop) or stop - 1, now_ms=0)
    now_ms, waits = 0, []
    for _ in range(10):
        (connect,) = core.poll(now_ms=now_ms)
        core.disconnected(connect.bearer, "refused", now_ms=now_ms)
        assert core.poll(now_ms=core.deadline_ms() - 1) == []
        waits.append(core.deadline_ms() - now_ms)
        now_ms = core.deadline_ms()
    assert waits == [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000]
    assert drawn == [wait // 2 + 1 for wait in waits]
    (connect,) = core.poll(now_ms=now_ms)
    core.connected(connect.bearer, now_ms=now_ms)
    now_ms += limits.UPLINK_STABLE_MS
    core.disconnected(connect.bearer, "lost", now_ms=now_ms)
    assert core.deadline_ms() - now_ms == 1000


def test_a_broker_that_accepts_and_kicks_makes_the_back_off_grow():
    net = Net(())
    net.broker = "kicks"
    net.run(3_600_000)
    spacings = [b - a for a, b in pairwise(net.connects())]
    assert len(net.connects()) < 60 and min(spacings[-5:]) >= limits.UPLINK_RECONNECT_LAST_MS // 2


def test_an_attempt_that_no_answer_lines_is_given_up_and_its_late_success_is_dropped():
    core = Connection(random_below=Random(1).randrange, now_ms=0)
    (connect,) = core.poll(now_ms=0)
    assert core.deadline_ms() == limits.CONNECTION_ATTEMPT_MS
    assert kinds(core.poll(now_ms=limits.CONNECTION_ATTEMPT_MS)) == [(Drop, connect.bearer)]
    assert not core.connected(connect.bearer, now_ms=limits.CONNECTION_ATTEMPT_MS + 1)
    assert core.active is None
    assert kinds(core.poll(now_ms=limits.CONNECTION_ATTEMPT_MS + 1)) == [(Drop, connect.bearer)]
    assert core.counters["attempts-expired"] == core.counters["late"] == 1


# --- leaving the preferred bearer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_a_silent_cut_of_fibre_moves_the_traffic_within_15_seconds(seed):
    net = Net(seed=seed)
    net.run(600_000 + 317 * seed)
    assert net.core.active == FIBRE and not net.core.is_metered
    net.cut(FIBRE, silent=True)
    net.run(15_000)
    assert net.core.active == MOBILE and net.core.is_metered
    assert net.connects() == [0, net.connects()[1]]


def test_a_fibre_that_fails_outright_is_left_without_waiting_for_the_back_off():
    net = Net()
    net.run(600_000)
    net.cut(FIBRE, silent=False)
    cut_ms = net.now_ms
    net.run(10_000)
    (at_ms,) = net.connects(MOBILE)
    assert net.core.active == MOBILE
    assert at_ms - cut_ms <= limits.BEARER_PROBE_TIMEOUT_MS + 100


def test_at_the_start_without_fibre_mobile_carries_soon():
    net = Net()
    net.passes[FIBRE] = False
    net.run(20_000)
    assert net.core.active == MOBILE


def test_nothing_is_left_while_the_other_bearer_is_down():
    net = Net()
    net.passes[MOBILE] = False
    net.run(900_000)
    assert not net.core.is_up(MOBILE)
    net.cut_after_ms = 10**7
    net.cut(FIBRE, silent=True)
    net.run(300_000)
    assert net.core.active == FIBRE and not net.core.is_up(FIBRE)
    assert net.connects(MOBILE) == []


def test_a_path_that_is_good_while_its_broker_does_not_answer_asks_the_other_bearer_for_its_opinion():
    """TLS blocked on fibre by a new firewall, say: the probes pass, the connections do not."""
    net = Net()
    net.run(100_000)
    connect = net._connect
    net._connect = lambda bearer: connect(bearer) if bearer == MOBILE else net.after(
        50, lambda: net.core.disconnected(bearer, "reset", now_ms=net.now_ms)
    )
    net._end(FIBRE, net._alive[FIBRE], "reset")
    net.run(30_000)
    assert net.core.active == MOBILE and net.core.is_up(FIBRE)
    assert len(net.connects(FIBRE)) == 1 + limits.CONNECTION_FAILURES_MAX


# --- coming back --------------------------------------------------------------------------------------------------


def test_fibre_carries_again_only_after_good_probes_over_a_minute_and_the_dwell_on_mobile():
    net = on_mobile()
    net.run(600_000)
    net.heal(FIBRE)
    healed_ms = net.now_ms
    net.run(limits.BEARER_GOOD_MS)
    assert net.core.active == MOBILE and not net.core.is_up(FIBRE)
    net.run(20_000)
    assert net.core.active == FIBRE
    assert net.connects(FIBRE)[-1] - healed_ms >= limits.BEARER_GOOD_MS


def test_a_fibre_that_heals_at_once_is_not_gone_back_to_before_the_wait():
    net = on_mobile()
    moved_ms = net.actives[-1][0]
    net.heal(FIBRE)
    net.run(10 * 60_000)
    assert net.core.active == FIBRE
    assert net.actives[-1][0] - moved_ms >= 3 * limits.CONNECTION_RETURN_FIRST_MS // 4


def make_ready_to_return():
    net = on_mobile()
    net.heal(FIBRE)
    while net.connects(FIBRE)[1:] == []:
        net.run(100)
    return net


def test_the_new_connection_is_asked_for_while_the_old_one_carries_and_that_is_dropped_after():
    net = make_ready_to_return()
    assert net.core.active == MOBILE
    assert not any(isinstance(effect, Drop) and effect.bearer == MOBILE for _, effect in net.log)
    assert net.core.connected(FIBRE, now_ms=net.now_ms)
    assert net.core.active == FIBRE
    assert kinds(net.core.poll(now_ms=net.now_ms)) == [(Drop, MOBILE)]


def test_the_brokers_hang_up_on_the_old_connection_may_come_first_and_starts_nothing():
    net = make_ready_to_return()
    before = len(net.connects())
    net.core.disconnected(MOBILE, "session taken over", now_ms=net.now_ms)
    net._alive.pop(MOBILE)
    probes = [effect for _, effect in net.log if isinstance(effect, Probe) and effect.bearer == MOBILE]
    net.run(500)
    assert net.core.active is None
    # Nor does it cost a probe by the metered bearer.
    assert probes == [effect for _, effect in net.log if isinstance(effect, Probe) and effect.bearer == MOBILE]
    net.run(60_000)
    assert net.core.active == FIBRE and len(net.connects()) == before


def test_a_return_that_fails_leaves_mobile_alone_and_is_tried_ever_more_rarely():
    net = on_mobile()
    net.heal(FIBRE)
    connect = net._connect
    net._connect = lambda bearer: connect(bearer) if bearer == MOBILE else net.after(
        50, lambda: net.core.disconnected(bearer, "reset", now_ms=net.now_ms)
    )
    net.run(6 * 3_600_000)
    assert net.core.active == MOBILE and len(net.connects(MOBILE)) == 1
    returns = net.connects(FIBRE)[1:]
    spacings = [b - a for a, b in pairwise(returns)]
    assert net.core.counters["returns-failed"] == len(returns) <= 20
    assert min(spacings[-3:]) >= 3 * limits.CONNECTION_RETURN_LAST_MS // 4
    assert max(spacings) <= limits.CONNECTION_RETURN_LAST_MS + 60_000


def test_a_fibre_that_has_held_long_enough_is_gone_back_to_as_soon_as_the_first_time():
    net = on_mobile()
    net.core._return_ms = limits.CONNECTION_RETURN_LAST_MS  # as after a day of flapping
    net.core._set_return(net.now_ms)
    net.heal(FIBRE)
    net.run(2 * limits.CONNECTION_RETURN_LAST_MS)
    assert net.core.active == FIBRE
    net.cut(FIBRE, silent=True)
    net.run(30_000)
    moved_ms = net.actives[-1][0]
    net.heal(FIBRE)
    net.run(600_000)
    assert net.core.active == FIBRE
    assert net.connects(FIBRE)[-1] - moved_ms <= limits.CONNECTION_RETURN_FIRST_MS


def test_a_return_that_fails_after_the_broker_hung_up_on_mobile_goes_on():
    net = make_ready_to_return()
    net.core.disconnected(MOBILE, "session taken over", now_ms=net.now_ms)
    net._alive.pop(MOBILE)
    net.core.disconnected(FIBRE, "reset", now_ms=net.now_ms)
    net._alive.pop(FIBRE)
    net.run(5_000)
    assert net.core.active is not None
