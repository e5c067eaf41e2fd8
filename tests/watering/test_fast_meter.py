"""What a meter may give a second is the board's to say, and settings that would exceed it in a burst are refused."""

import pytest

from boards import irrigation as board
from policy.fault import Faults
from tests.support.green import own, plain
from watering import limits, settings


def faults_of(meter, flow_ml_min=20_000):
    chosen = plain(meter=meter)
    chosen["watering"][1][0][5:7] = [10_000, flow_ml_min]
    faults = Faults()
    settings.decode(faults, chosen, own().site)
    return faults.listed()


def test_the_trade_reckons_with_what_the_board_lets_through():
    assert board.FLOW_HZ_MAX == limits.PULSES_PER_S_MAX


@pytest.mark.parametrize("meter", [[20_000, 60], [5000, 60], [2222, 26], [1_000_000, 420]])
def test_reeds_and_hall_wheels_are_taken(meter):
    assert not [fault for fault in faults_of(meter) if "a second" in fault.problem]


def test_a_meter_whose_burst_the_board_cannot_count_is_refused_with_one_that_it_can():
    (fault,) = faults_of([2222, 60])  # 450 pulses a litre at 60 L/min: 900 a second at twice that
    assert fault.path == "meter.pulse" and "900 pulses a second" in fault.problem
    least_ul = int(fault.remedy.split(" uL")[0].split()[-1])
    assert not faults_of([least_ul, 60]) and faults_of([least_ul - 10, 60])


def test_a_zone_that_passes_more_than_the_main_is_said_to_give_counts():
    assert [fault.path for fault in faults_of([2222, 20], flow_ml_min=40_000)] == ["meter.pulse"]


def test_a_meter_too_coarse_for_a_burst_in_time_is_refused():
    (fault,) = faults_of([1_000_000, 60])[:1]
    assert fault.path == "meter.pulse" and "15 a minute" in fault.remedy
