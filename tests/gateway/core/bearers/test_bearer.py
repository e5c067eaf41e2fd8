"""Is a bearer up: how often it is probed, what one probe proves, and what is told of it."""

from random import Random

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer, BearerHealth
from gateway.core.bearers.connection import Connection, Probe
from tests.support.bearer_world import BOTH, FIBRE, MOBILE, Net, on_mobile


def test_probes_are_often_on_fibre_and_rare_on_metered_standby():
    net = Net()
    net.run(3_600_000)
    count = {name: sum(effect == Probe(name, 2500) for _, effect in net.log) for name in (FIBRE, MOBILE)}
    assert 720 <= count[FIBRE] <= 1000
    assert 6 <= count[MOBILE] <= 9


def test_two_failed_probes_are_not_a_cut():
    net = Net()
    net.run(600_000)
    for _ in range(20):
        net.passes[FIBRE] = False
        net.run(2 * limits.BEARER_PROBE_TIMEOUT_MS)
        net.passes[FIBRE] = True
        net.run(30_000)
    assert net.core.active == FIBRE and net.connects(MOBILE) == []


def test_a_metered_bearer_that_is_down_is_probed_ever_more_rarely():
    net = Net()
    net.passes[MOBILE] = False
    net.run(10 * 3_600_000)
    assert 50 <= sum(effect == Probe(MOBILE, 2500) for _, effect in net.log) <= 90


def test_a_report_that_comes_after_its_time_counts_for_nothing():
    core = Connection(BOTH, random_below=Random(1).randrange, now_ms=0)
    while not any(isinstance(effect, Probe) for effect in core.poll(now_ms=core.deadline_ms())):
        pass
    sent_ms = core._health[FIBRE]._sent_ms
    core.poll(now_ms=sent_ms + limits.BEARER_PROBE_ANSWER_MS)  # taken for failed; the next one is out
    core.probed(FIBRE, False, now_ms=sent_ms + limits.BEARER_PROBE_ANSWER_MS)
    before = core.health()["bearers"][FIBRE]
    core.probed(FIBRE, True, now_ms=sent_ms + limits.BEARER_PROBE_ANSWER_MS + 1)
    assert core.health()["bearers"][FIBRE] == before


def test_only_a_probe_that_changes_the_verdict_leaves_something_to_poll():
    core = Connection(BOTH, random_below=Random(1).randrange, now_ms=0)
    (connect,) = core.poll(now_ms=0)
    core.connected(connect.bearer, now_ms=0)
    told = []
    for ok in (True, False, False, False):
        probes = []
        while Probe(FIBRE, 2500) not in probes:
            now_ms = core.deadline_ms()
            probes = core.poll(now_ms=now_ms)
        told.append(core.probed(FIBRE, ok, now_ms=now_ms + 2500))
        if not told[-1] and core.deadline_ms() > now_ms + 2500:
            assert core.poll(now_ms=now_ms + 2500) == []
    assert told == [False, False, False, True]


def test_two_good_probes_are_not_enough_however_far_apart():
    health = BearerHealth(Bearer(FIBRE), random_below=Random(1).randrange, now_ms=0)
    health.is_up = False
    verdicts = []
    for now_ms in (10_000, 100_000, 200_000):
        assert health.probe_due(now_ms=now_ms)
        verdicts.append(health.probed(True, 40, now_ms=now_ms))
    assert verdicts == [None, None, True]


def test_probes_that_are_never_reported_count_as_failed():
    net = Net()
    net._probe = lambda probe: None
    net.run(120_000)
    assert not net.core.is_up(FIBRE)
    assert net.core.health()["bearers"][FIBRE]["probes-unanswered"] >= 3


def test_an_interface_that_fails_in_no_time_is_not_down_within_a_moment():
    core = Connection(BOTH, random_below=Random(1).randrange, now_ms=0)
    core.poll(now_ms=0)
    core.connected(FIBRE, now_ms=0)
    now_ms = first_ms = None
    while core.is_up(FIBRE):
        now_ms = core.deadline_ms()
        if any(effect == Probe(FIBRE, 2500) for effect in core.poll(now_ms=now_ms)):
            first_ms = first_ms or now_ms
            core.probed(FIBRE, False, now_ms=now_ms)
    assert now_ms - first_ms == 2 * limits.BEARER_PROBE_TIMEOUT_MS


def test_what_happened_is_told_once_and_health_is_plain():
    net = on_mobile()
    told = [(change.what, change.bearer) for change in net.core.drain_changes()]
    assert told == [("bearer-down", FIBRE), ("bearer-changed", MOBILE)]
    assert net.core.drain_changes() == []
    health = net.core.health()
    assert health["active"] == MOBILE and health["changes"] == 1
    assert health["bearers"][MOBILE] | {"up": True, "metered": True, "rtt_ms": 40} == health["bearers"][MOBILE]
