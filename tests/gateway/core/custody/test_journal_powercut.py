"""The journal keeps its promises when the power goes at any single operation; planted bugs are seen."""

import pytest

from gateway.core.custody.journal import Journal
from simulator.world.disk import TEARS, PowerCut
from tests.support.journal_world import World, reference_run
from tests.support.planted_journals import PLANTED


def cut_and_check(seed: int, operations: int, tear: str | None, journal_class: type = Journal) -> bool:
    """Run until the cut, start again, check; return True if the run ended before."""
    world = World(seed, journal_class=journal_class)
    world.disk.stop_after(operations)
    try:
        reference_run(world)
        ended = True
    except PowerCut:
        ended = False
    world.disk.power_cut(tear)
    world.start()
    world.check()
    world.check_bytes()
    for lane in ("alarm", "event", "telemetry"):
        world.append(lane)
    world.flush()
    world.disk.power_cut()
    world.start()
    world.check()
    return ended


def count_operations(seed: int) -> int:
    world = World(seed)
    reference_run(world)
    return world.disk.operations


@pytest.mark.parametrize("tear", [*TEARS, None])
def test_every_promise_is_kept_after_a_cut_at_every_single_operation(tear):
    total = count_operations(1)
    assert total > 50, "the run is too short to mean anything"
    for operations in range(total):
        assert not cut_and_check(1, operations, tear), "the run must be the same up to the cut"
    assert cut_and_check(1, total, tear)


def test_the_process_may_die_without_a_power_cut_at_every_operation():
    for operations in range(count_operations(2)):
        world = World(2)
        world.disk.stop_after(operations)
        with pytest.raises(PowerCut):
            reference_run(world)
        world.disk.stop_after(10**9)
        world.start()
        world.check()
        world.disk.power_cut()
        world.start()
        world.check()


def test_a_cut_during_recovery_is_recovered_from():
    cuts = 0
    for operations in range(0, count_operations(3), 3):
        for again in range(3):
            world = World(3)
            world.disk.stop_after(operations)
            with pytest.raises(PowerCut):
                reference_run(world)
            world.disk.power_cut("zero")
            world.disk.put("stray", b"")
            world.disk.stop_after(again)
            try:
                world.start()
            except PowerCut:
                cuts += 1
                world.disk.power_cut()
                world.start()
            world.check()
    assert cuts > 10


@pytest.mark.parametrize("planted", PLANTED)
def test_the_check_sees_a_planted_bug(planted):
    seen = set()
    for operations in range(1, count_operations(1) + 1):
        for tear in ("drop", "prefix"):
            try:
                cut_and_check(1, operations, tear, planted)
            except (AssertionError, ValueError) as exception:
                seen.add(str(exception))
    assert any(" is lost" in message or " is gone" in message for message in seen), seen
