"""Seven days without a gateway at a record each five minutes, of every kind with all that can be fitted: kept whole on
flash, then thinned, and told. The records are those of the product's trades, not a sample."""

import pytest

from node import limits
from tests.support.silent_node import SilentNode
from tools import firmware_modules
from wire import event
from wire.event import LANES, TELEMETRY

# kB of flash that a silent day takes, lengths, checksums and marks included: firmware/README.md has them.
KB_A_DAY = {"irrigation": 32, "thermostat": 27, "streetlight": 17, "water_meter": 11}
FIVE_MINUTES = 288


TALKATIVE = "irrigation"


def silent_week(kind):
    node = SilentNode(kind)
    node.run(7)
    assert node.log.counters["thinned"] == node.log.counters["dropped"] == 0
    assert node.log.segments() <= limits.LOG_SEGMENTS_MAX - limits.LOG_EVENT_SEGMENTS - limits.LOG_ALARM_SEGMENTS
    if kind in KB_A_DAY:
        assert round(node.flash_bytes() / 7000) == KB_A_DAY[kind]
    assert len(node.sequences(TELEMETRY)) >= 7 * (FIVE_MINUTES + 24) - 12
    return node


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in firmware_modules.kinds() if kind != TALKATIVE])
def test_seven_silent_days_at_five_minutes_are_kept_whole(kind):
    node = silent_week(kind)
    kept = node.drained()
    for lane in LANES:
        assert node.sequences(lane) <= set(kept), lane


@pytest.mark.slow
def test_after_the_seven_days_the_most_talkative_kind_thins_its_older_half_and_says_so():
    node = silent_week(TALKATIVE)
    node.run(3)
    assert node.log.counters["thinned"] > 100 and node.log.counters["dropped"] == 0
    kept = node.drained()
    gone = node.sequences(TELEMETRY) - set(kept)
    events = [made.body for made in kept.values() if not isinstance(made.body, dict)]
    gaps = [body.detail for body in events if body.code == event.GAP]
    assert gone and all(any(first <= one <= last for _, _, first, last, _ in gaps) for one in gone)
    middle = sorted(node.sequences(TELEMETRY))[len(node.sequences(TELEMETRY)) * 2 // 3]
    assert max(gone) < middle, "the recent past is whole"
    assert all(node.sequences(lane) <= set(kept) for lane in LANES if lane != TELEMETRY)
