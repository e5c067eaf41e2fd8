"""Fifty nodes on one concentrator through a bad air: every record arrives once at the application, whatever happens."""

import pytest

from concentrator import limits as bridge_limits
from gateway.core.concentrator import Concentrator
from simulator.estates.radio_street import RadioOptions, RadioStreet
from simulator.world.radio import PERFECT, AirOptions, frame_us


def whole(figures):
    """Everything that was made has arrived, and its node knows."""
    return figures.made == figures.arrived == figures.acknowledged > 0


@pytest.mark.slow
def test_fifty_nodes_through_bursts_of_loss_and_doubled_frames_every_record_arrives_once():
    figures = RadioStreet(RadioOptions(nodes=50, minutes=30)).run()
    assert whole(figures) and figures.made == 50 * 30
    assert 280 <= figures.lost_permille <= 350, "after the radio's own retries"
    heard = figures.frames * (1000 - figures.lost_permille) // 1000
    assert 40 <= 1000 * figures.doubled // heard <= 60
    assert figures.suppressed > figures.made // 10, "CoAP knows duplicates"
    # A new message after a failed exchange: the application knows its record again.
    assert figures.again < figures.made // 20
    assert figures.overruns == 0 and figures.evicted > 0
    print(f"\nairtime: {figures.air_ms_per_record} ms a record, {figures.air_ms_per_node_hour} ms a node and hour, "
          f"{figures.air_permille} permille of the air")  # fmt: skip
    assert figures.air_ms_per_record < 12 * figures.air_ms_per_record_perfect


@pytest.mark.slow
def test_a_good_air_costs_what_the_frames_take_and_nothing_is_said_twice():
    figures = RadioStreet(RadioOptions(nodes=50, minutes=20, air=PERFECT)).run()
    assert whole(figures) and figures.suppressed == figures.again == figures.retransmitted == 0
    assert figures.air_ms_per_record <= 1.3 * figures.air_ms_per_record_perfect
    assert figures.wait_p99_ms < 1000, "all begin at once"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures_and_another_does_not():
    options = RadioOptions(nodes=10, minutes=10)
    assert RadioStreet(options).run() == RadioStreet(options).run() != RadioStreet(options._replace(seed=2)).run()


@pytest.mark.slow
def test_collisions_and_a_pool_that_leaks_cost_time_and_no_record():
    figures = RadioStreet(RadioOptions(minutes=20, air=AirOptions(collision=150, leak=4))).run()
    assert whole(figures) and figures.reinits > 0 and figures.overruns == 0


@pytest.mark.slow
def test_a_concentrator_that_starts_again_and_again_costs_time_and_no_record():
    street = RadioStreet(RadioOptions(minutes=20))
    for minute in range(1, 20, 2):
        street.world.at(60_000 * minute + 150, street.concentrator_reset)
    figures = street.run()
    assert whole(figures) and figures.overruns == 0
    assert street.core.counters["resets"] == 10


@pytest.mark.slow
def test_hundreds_of_nodes_share_the_drivers_places():
    figures = RadioStreet(RadioOptions(nodes=300, minutes=10, period_s=120)).run()
    assert whole(figures) and figures.overruns == 0
    assert figures.evicted > 300 - bridge_limits.RADIO_PEERS_MAX


def test_a_gateway_that_ignores_its_credit_is_seen(monkeypatch):
    monkeypatch.setattr(Concentrator, "_places", lambda _self: 1000)
    assert RadioStreet(RadioOptions(minutes=10)).run().overruns > 0


@pytest.mark.slow
def test_a_gateway_that_forgets_what_it_heard_is_seen(monkeypatch):
    """Without CoAP's memory of duplicates the application gets them."""
    good = RadioStreet(RadioOptions(minutes=10)).run()
    street = RadioStreet(RadioOptions(minutes=10))
    monkeypatch.setattr(street.endpoint._memory, "find", lambda _peer, _digest: None)
    assert street.run().again > 5 * max(1, good.again)


@pytest.mark.parametrize(("data_bytes", "us"), [(78, 400 + 32 * 121 + 10 + 400 + 32 * 14)])
def test_airtime_is_reckoned_from_preambles_bytes_and_the_acknowledgement(data_bytes, us):
    assert frame_us(data_bytes) == us
