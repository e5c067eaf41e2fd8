"""A program on trial is confirmed when it has shown all that it has to show, and not for having been started."""

import pytest

from kinds import irrigation, streetlight, water_meter
from node import limits
from node.trial import Trial
from watering import inputs
from wire import quantity

ALL = ("applied", "sampled", "exchanged")


def shown(*words, is_trial=True):
    trial = Trial(is_trial=is_trial, now_ms=1000)
    for word in words:
        if word == "sampled":
            trial.sampled({1: 2})
        elif word == "applied":
            trial.applied(True)
        else:
            getattr(trial, word)()
    return trial


def test_all_of_it_and_ten_minutes_confirm():
    trial = shown(*ALL)
    assert not trial.may_confirm(is_sound=True, now_ms=1000 + limits.GOOD_START_MS - 1)
    assert trial.may_confirm(is_sound=True, now_ms=1000 + limits.GOOD_START_MS)


@pytest.mark.parametrize("missing", ALL)
def test_without_one_of_them_it_is_not_confirmed_however_long(missing):
    trial = shown(*[word for word in ALL if word != missing])
    assert not trial.may_confirm(is_sound=True, now_ms=10**9)
    assert trial.missing(is_sound=True) in ("outputs", "sample", "gateway")


def test_equipment_that_contradicts_its_outputs_does_not_confirm():
    trial = shown(*ALL)
    assert not trial.may_confirm(is_sound=False, now_ms=10**9) and trial.missing(is_sound=False) == "soundness"


@pytest.mark.parametrize("values", [None, {}])
def test_a_silent_port_is_no_sample(values):
    trial = shown("applied", "exchanged")
    trial.sampled(values)
    assert not trial.may_confirm(is_sound=True, now_ms=10**9)


@pytest.mark.parametrize(
    ("ports", "values"),
    [
        (streetlight._Meter, {quantity.ILLUMINANCE: 20}),  # a photocell answers, the meter does not
        (streetlight._Gear, {quantity.ILLUMINANCE: 20}),  # whether or not it has a meter
        (irrigation.Ports, {quantity.TEMPERATURE: 1500, inputs.METER_PULSES: 0, inputs.BOOST_MV: 9000}),
        (irrigation.Ports, {quantity.BATTERY: 4000, inputs.METER_PULSES: 0}),
        (irrigation.Ports, {quantity.BATTERY: 4000, inputs.BOOST_MV: 9000}),
        (water_meter.Ports, {water_meter.PULSES: 7, quantity.SENSOR_FAULTS: 0}),
    ],
)
def test_a_sample_without_what_every_board_of_the_kind_measures_is_not_whole(ports, values):
    trial = shown("applied", "exchanged")
    trial.sampled(values, ports.whole)
    assert not trial.may_confirm(is_sound=True, now_ms=10**9) and trial.missing(is_sound=True) == "sample"
    trial.sampled(dict.fromkeys(ports.whole, 1), ports.whole)
    assert trial.may_confirm(is_sound=True, now_ms=10**9)


def test_what_has_fallen_silent_since_is_not_good():
    trial = shown(*ALL)
    trial.sampled(None)
    assert trial.missing(is_sound=True) == "sample"
    trial.applied(False)
    assert trial.missing(is_sound=True) == "outputs, sample"


def test_a_start_is_good_by_an_answer_of_the_gateway_or_by_time():
    assert shown("exchanged").is_good_start(1001)
    assert not shown().is_good_start(limits.GOOD_START_MS) and shown().is_good_start(1000 + limits.GOOD_START_MS)


def test_only_a_trial_ends_for_having_come_to_nothing():
    assert shown().is_over(1000 + limits.TRIAL_MAX_MS) and not shown().is_over(limits.TRIAL_MAX_MS)
    assert not shown(is_trial=False).is_over(10**9)
