"""The node link under what a district does to it: a dusk that boots a whole feeder, a gateway from an old backup."""

import pytest

from tests.support.link_street import LinkStreet
from tests.support.nonces import watch_nonces


@pytest.fixture
def nonces(monkeypatch):
    """Fails at the second message under one key and nonce."""
    return watch_nonces(monkeypatch)


def test_a_dusk_that_boots_200_lamps_is_all_reported_within_5_minutes(nonces):
    street = LinkStreet(200, loss_permille=100)
    street.begin()
    dusk_ms = street.world.now_ms
    street.contactor(closed=True)
    street.run(120)
    assert all(lamp.light_percent() > 0 for lamp in street.lamps), "lit before anything else"
    street.run(180)
    first_ms = [min(at_ms for at_ms, _, _ in told) - dusk_ms if told else None for told in street.acknowledged.values()]
    assert None not in first_ms and max(first_ms) <= 300_000
    # The boot report is the first record of a boot: all of the storm's own, not only some record of each.
    assert all((1, 0) in {(boot, sequence) for _, boot, sequence in told} for told in street.acknowledged.values())
    assert street.agreed() == 200 and nonces.sealed > 800


def test_a_gateway_from_a_30_day_old_backup_uses_no_nonce_twice_and_has_its_nodes_back_in_10_minutes(nonces):
    street = LinkStreet(40, is_switched=False)
    street.begin()
    street.contactor(closed=True)
    street.run(1800)
    assert street.agreed() == 40
    backup = street.saved_state()  # without the journal, as the manual says
    boots = {street.gateway.boot}
    for _ in range(3):
        street.gateway.power_cut()
        street.run(5)
        street.gateway.power_on()
        street.run(1200)
        boots.add(street.gateway.boot)
    # A month in which nothing but the calendar goes on, then a day's work again.
    street.contactor(closed=False)
    street.gateway.power_cut()
    street.run(30 * 86_400)
    street.gateway.power_on()
    street.contactor(closed=True)
    street.run(1800)
    boots.add(street.gateway.boot)
    assert street.agreed() == 40
    street.gateway.power_cut()
    street.restore(*backup)
    street.run(1200)  # somebody fetches the backup and another card
    street.gateway.power_on()
    street.run(600)
    assert street.gateway.boot not in boots, "the gateway's own records keep their names apart"
    assert street.agreed() == 40
    street.run(1200)
    verdict = street.delivery.verdict(street.centre.warehouse, set())
    assert (verdict.duplicated, verdict.altered, verdict.invented) == (0, 0, 0)
    assert nonces.sealed > 1000
