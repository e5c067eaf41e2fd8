"""An irrigation node on a battery, a week of it: one boot, whole records, water at the right minute, no nonce twice, no
valve open in a sleep; power cuts and damaged memory in between."""

import pytest

from simulator.asleep import Asleep
from tests.support.no_nonce_twice import no_nonce_twice
from tests.support.sleepy_world import Sleepy
from wire import event, quantity


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


def openings(world):
    """(day, hour, minute, second) of the first zone's first opening of each day."""
    found = {}
    for at_s, _, detail in world.said(event.VALVE_SWITCHED):
        if detail[0] == 1 and detail[1]:
            at = world.local(at_s)
            found.setdefault(at[0], at)
    return list(found.values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_week_on_a_battery(seed, ledger):
    world = Sleepy(seed=seed)
    world.run(days=7)
    world.until_asleep()
    assert world.host.boots == 1 and world.host.asleep.wakings > 600
    assert {boot for boot, _ in world.made} == {1}
    assert world.missing() == [], "records are complete"
    assert sorted(sequence for _, sequence in world.made) == list(range(len(world.made)))
    watered = openings(world)
    assert len(watered) == 7
    for _, hour, minute, second in watered:
        assert (hour, minute) == (5, 0) and second <= 15, watered
    assert world.space.open_asleep == 0 and world.space.checker.violations == []
    drift = world.host.asleep.ppm
    told = [made.body[quantity.UPTIME] for made in world.made.values()
            if isinstance(made.body, dict) and quantity.UPTIME in made.body]  # fmt: skip
    assert abs(told[-1] - 6 * 86_400) < 86_400, (drift, told)
    assert ledger.sealed > 300
    assert len(world.said(event.BOOT)) == 1
