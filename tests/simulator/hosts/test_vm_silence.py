"""Without its gateway a node goes on as with it. Virtual time, a real MicroPython VM.

Each kind runs twice from the same start and seed, once with its gateway for the whole time and once with one that falls
silent after three minutes: what the outputs did is the same, edge by edge, and nothing was reset. BOCAGE_SILENCE_H
gives longer runs, in hours; the product promises 72.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from boards import irrigation, streetlight, thermostat
from simulator.hosts import vm
from tests.support.whole_node import A_TURN_A_SECOND, MIDNIGHT_S, VirtualRun
from wire import quantity

pytestmark = [pytest.mark.vm, pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(3600)]

HOURS = int(os.environ.get("BOCAGE_SILENCE_H") or 0)
# Until dawn, until the room is warm and its relay has its cycle, until the second zone is watered; a meter's readings.
MINUTES = {"streetlight": 20, "thermostat": 60, "irrigation": 15, "water_meter": 30}
RUN_MS = {kind: 60_000 * (60 * HOURS or minutes) for kind, minutes in MINUTES.items()}
SILENT_FROM_MS = 180_000
# Turns fall at other instants when datagrams arrive or do not. A lamp and a valve are a turn apart at most. A relay
# closes at the same instant, and opens by a duty: a room read some milliseconds later may be a step of the sensor
# warmer, and 0.01 K is 3 s of a cycle of ten minutes. A few of those steps.
SLACK_MS = {"streetlight": 2_000, "irrigation": 2_000, "thermostat": 12_000}
# Beyond some hours a room forgets in which turn it was read, and what was learned differs by a breath: a cycle falls to
# the end of one evening or to the next morning. Then how many there are, and what they are worth, is compared.
DRIFTS_FROM_MS = {"thermostat": 4 * 3_600_000}
WORTH_PERMILLE = 20
# What is no output of the trade: the technician's light.
LIGHT = {streetlight.LED_PIN}
# Each begins before its programme has something to do: dawn, the rooms' morning, the gardens' night.
BEGINS_S = {"streetlight": 7 * 3600 + 2880, "thermostat": 5 * 3600 + 1800, "irrigation": 3600 + 3300}
BEFORE_DUSK_S = 16 * 3600 + 48 * 60
LEAST_EDGES = {"streetlight": 2, "thermostat": 6, "irrigation": 9}
# A relay that opens because nobody answers; and some cycles of it.
PLANTED_MS = 25 * 60_000
PLANTED = {
    "a/main.py": {
        **A_TURN_A_SECOND["a/main.py"],
        "        self._ports.apply(self._node.outputs, now_ms=now_ms)\n": (
            "        if self._node.reach.is_linked(now_ms):\n"
            "            self._ports.apply(self._node.outputs, now_ms=now_ms)\n"
            "        else:\n"
            "            self._ports.safe()\n"
        ),
    }
}


def hours_of(folder, kind, replaced=A_TURN_A_SECOND, silent_from_ms=SILENT_FROM_MS, for_ms=None):
    return VirtualRun(
        folder, vm.micropythons()[0], kind, for_ms or RUN_MS[kind], replaced=replaced, silent_from_ms=silent_from_ms,
        unix_s=MIDNIGHT_S + BEGINS_S[kind],
    )  # fmt: skip


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """{kind: its run with the gateway}"""
    with ThreadPoolExecutor(2) as pool:
        folder = tmp_path_factory.mktemp("linked")
        runs = {kind: pool.submit(hours_of, folder / kind, kind, silent_from_ms=None) for kind in BEGINS_S}
        return {kind: made.result() for kind, made in runs.items()}


def edges(run):
    return [edge for edge in run.edges if edge[1] not in LIGHT]


def differences(kind, first, second):
    """Edges of one that the other has not; of what drifts, how long each output was high and how often it moved."""
    until_ms = DRIFTS_FROM_MS.get(kind, RUN_MS[kind])
    early, early_other = ([edge for edge in edges(run) if edge[0] < until_ms] for run in (first, second))
    if until_ms < RUN_MS[kind]:  # a cycle may straddle the bound
        count = min(len(early), len(early_other))
        early, early_other = early[: count - 2], early_other[: count - 2]
    if [edge[1:] for edge in early] != [edge[1:] for edge in early_other]:
        return [("other edges", len(early), len(early_other))]
    apart = [both for both in zip(early, early_other, strict=True) if abs(both[0][0] - both[1][0]) > SLACK_MS[kind]]
    for number in {edge[1] for edge in edges(first) + edges(second)}:
        for measure in (high_ms, moves):
            one, other = (measure(run, number, RUN_MS[kind]) for run in (first, second))
            if 1000 * abs(one - other) > WORTH_PERMILLE * max(one, other, 1000 if measure is high_ms else 100):
                apart.append((measure.__name__, number, one, other))
    return apart


def moves(run, number, end_ms):
    return sum(edge[1] == number for edge in edges(run))


def high_ms(run, number, end_ms):
    """How long an output was high in all."""
    total, since_ms = 0, None
    for at_ms, one, level in [*edges(run), (end_ms, number, 0)]:
        if one == number:
            total += 0 if since_ms is None else at_ms - since_ms
            since_ms = at_ms if level else None
    return total


@pytest.mark.parametrize("kind", sorted(BEGINS_S))
def test_every_output_does_the_same_with_and_without_the_gateway_and_nothing_is_reset(tmp_path, linked, kind):
    whole, silent = linked[kind], hours_of(tmp_path, kind)
    for run in (whole, silent):
        assert run.returncode == vm.OVER_CODE, run.said[-20:]
        assert not [line for line in run.said if "reset" in line or "sleep" in line or "Traceback" in line]
        assert sum(line.startswith("boot ") for line in run.said) == 1
    assert len(silent.records) < len(whole.records), "it was silent"
    late = [edge for edge in edges(silent) if edge[0] > SILENT_FROM_MS]
    assert len(late) >= LEAST_EDGES[kind], "the comparison has something to compare"
    assert differences(kind, whole, silent) == []
    assert silent.valves == whole.valves


def test_a_dusk_that_the_gateway_answers_lights_the_lamp_once(tmp_path):
    """The answer to "lit" may be half a second earlier than the clock that lit it: no lamp goes dark for that."""
    run = VirtualRun(
        tmp_path, vm.micropythons()[0], "streetlight", 1_200_000, replaced=A_TURN_A_SECOND,
        unix_s=MIDNIGHT_S + BEFORE_DUSK_S,
    )  # fmt: skip
    relay = [level for at_ms, number, level in edges(run) if number == streetlight.RELAY_PIN and at_ms > 60_000]
    assert relay == [streetlight.RELAY_CLOSED_LEVEL]


def test_the_comparison_sees_a_relay_that_opens_when_no_answer_lines(tmp_path, linked):
    """It cannot close any more: its first cycle without the gateway differs."""
    whole, planted = linked["thermostat"], hours_of(tmp_path, "thermostat", PLANTED, for_ms=PLANTED_MS)
    assert differences("thermostat", whole, planted), "a planted bug"
    pins = {number for _, number, _ in edges(whole)}
    assert {thermostat.RELAY_PIN, thermostat.PUMP_PIN} <= pins


def test_a_water_meter_counts_on_without_a_gateway_and_tells_all_of_it_afterwards(tmp_path):
    run = VirtualRun(
        tmp_path, vm.micropythons()[0], "water_meter", RUN_MS["water_meter"], replaced=A_TURN_A_SECOND,
        silent_from_ms=SILENT_FROM_MS, silent_to_ms=RUN_MS["water_meter"] - 600_000,
    )  # fmt: skip
    assert run.returncode == vm.OVER_CODE
    assert [number for _, number, _ in run.edges if number in (irrigation.PUMP_PIN, irrigation.MASTER_IN1_PIN)] == []
    numbers = {made.sequence for made in run.records}
    assert numbers == set(range(max(numbers) + 1)), "no record is missing"
    assert sum(quantity.WATER_VOLUME in made.body for made in run.records if isinstance(made.body, dict)) > 5
