"""The node link under what a district does to it: a dusk that boots a whole feeder, a gateway from an old backup."""

from random import Random

import pytest

from gateway.core.link.link import Link
from simulator.hosts.keys import CIPHER, keys_of, link_of
from tests.support.link_street import LinkStreet
from tests.support.no_nonce_twice import no_nonce_twice
from wire.coap_message import CHANGED, POST


@pytest.fixture
def nonces():
    """Fails if a key and nonce served two messages."""
    with no_nonce_twice() as ledger:
        yield ledger


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_a_thousand_nodes_agree_on_keys_with_one_gateway_and_are_answered_by_it(nonces):
    ids = [bytes.fromhex("7c1f0a2c01") + number.to_bytes(3, "big") for number in range(1, 1001)]
    gateway = Link(keys_of(ids), CIPHER, random_below=Random(1).randrange)
    nodes = {
        node: link_of(node, "gateway", boot=1, random_below=Random(int.from_bytes(node, "big")).randrange)
        for node in ids
    }
    answered = []
    for node, link in nodes.items():
        link.request("gateway", POST, (b"e",), node, now_ms=0)
    while traffic := [(node, data) for node, link in nodes.items() for _, data in link.outgoing()]:
        for node, data in traffic:
            for asked in gateway.receive(data, node, now_ms=0):
                assert asked.node == asked.payload == node, "nobody is taken for another"
                gateway.respond(asked.exchange, CHANGED, asked.node, now_ms=0)
        for peer, data in gateway.outgoing():
            answered += [(peer, happened.payload) for happened in nodes[peer].receive(data, "gateway", now_ms=0)]
    assert sorted(answered) == [(node, node) for node in ids]
    assert gateway.sessions.agreed() == 1000 and gateway.counters["unauthentic"] == 0
