"""The ledger of signs of life: everyone with their own silence, only while something is expected of them."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.heartbeats import Heartbeats, LateTask


def test_nobody_expected_is_nobody_late():
    assert Heartbeats().late(now_ms=10**12) == []


def test_each_task_has_its_own_silence_and_is_late_only_beyond_it():
    ledger = Heartbeats()
    ledger.expect("loop", 100, now_ms=1000)
    ledger.expect("journal-sync", 5000, now_ms=1000)
    assert ledger.late(now_ms=1100) == []
    assert ledger.late(now_ms=1101) == [LateTask("loop", 101, 100)]
    ledger.beat("loop", now_ms=1101)
    assert ledger.late(now_ms=1201) == []
    assert [late.name for late in ledger.late(now_ms=6001)] == ["loop", "journal-sync"]


def test_one_that_beats_does_not_hide_one_that_does_not():
    ledger = Heartbeats()
    ledger.expect("loop", 100, now_ms=0)
    ledger.expect("broker", 100, now_ms=0)
    for now_ms in range(0, 1000, 50):
        ledger.beat("loop", now_ms=now_ms)
    assert ledger.late(now_ms=1000) == [LateTask("broker", 1000, 100)]


def test_nothing_is_expected_of_the_forgotten_and_to_expect_again_starts_anew():
    ledger = Heartbeats()
    ledger.expect("broker", 100, now_ms=0)
    ledger.forget("broker")
    ledger.forget("never known")
    assert ledger.late(now_ms=1000) == [] and ledger.expected() == []
    ledger.expect("broker", 50, now_ms=1000)
    assert ledger.late(now_ms=1050) == [] and ledger.late(now_ms=1051) == [LateTask("broker", 51, 50)]


def test_a_beat_of_somebody_unknown_is_our_own_bug():
    with pytest.raises(KeyError):
        Heartbeats().beat("lopp", now_ms=0)


def test_the_ledger_is_bounded():
    ledger = Heartbeats()
    for number in range(limits.HEARTBEAT_TASKS_MAX):
        ledger.expect(f"task-{number}", 1, now_ms=0)
    ledger.expect("task-0", 1, now_ms=0)  # known already
    with pytest.raises(AssertionError):
        ledger.expect("one too many", 1, now_ms=0)


def test_it_agrees_with_a_plain_model():
    random = Random(11)
    ledger, model = Heartbeats(), {}
    now_ms = 0
    for _ in range(5000):
        now_ms += random.randrange(40)
        name = random.choice("abcde")
        step = random.randrange(4)
        if step == 0:
            allowed_ms = random.randrange(1, 300)
            ledger.expect(name, allowed_ms, now_ms=now_ms)
            model[name] = [now_ms, allowed_ms]
        elif step == 1 and name in model:
            ledger.beat(name, now_ms=now_ms)
            model[name][0] = now_ms
        elif step == 2 and random.random() < 0.2:
            ledger.forget(name)
            model.pop(name, None)
        late = ledger.late(now_ms=now_ms)
        assert {one.name for one in late} == {key for key, (at, may) in model.items() if now_ms - at > may}
        overdue = [one.silence_ms - one.allowed_ms for one in late]
        assert overdue == sorted(overdue, reverse=True)
