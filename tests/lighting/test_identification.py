"""A lamp that shows itself to a technician: it blinks, is measured at full light, and darkens no street."""

import pytest

from lighting import limits
from tests.lighting.test_trade import Lamp
from wire import event, node_order
from wire.node_order import NodeOrder

ASKED = NodeOrder(1, b"12345678", node_order.IDENTIFY, 100, 2_000_000_000, 30)
NOON_S = 1_795_604_400  # 25 November 2026, 12:00 in France
BLINKS = limits.IDENTIFY_BLINKS
# The event's two powers: before, and at full light; in 0.1 W.
STANDBY_DW, FULL_DW, DIMMED_DW = 6, 360, 112


def shown(lamp, *, ms=30_000):
    """Asks a lamp to show itself; returns its levels from then on."""
    lamp.minutes(3)
    lamp.said.clear()
    lamp.levels[:] = lamp.levels[-1:]
    lamp.order = ASKED
    for _ in range(ms // 100):
        lamp.live(100)
        wanted_ms = lamp.trade.wants_sample_ms(lamp.now_ms)
        if wanted_ms is not None and lamp.now_ms >= wanted_ms:
            lamp.trade.sample(lamp.reading(), lamp.moment())
            lamp.turn()
    lamp.order = None
    lamp.turn()
    return [level for _, level in lamp.levels]


@pytest.mark.parametrize(
    ("unix_s", "plain", "levels", "before"),
    [
        (NOON_S, {}, [0, *[100, 10] * BLINKS, 100, 0], [0, STANDBY_DW]),
        (NOON_S, {"output": "relay"}, [0, 100, 0], [0, STANDBY_DW]),
        (None, {"fail_safe": 30}, [30, *[100, 10] * BLINKS, 100, 30], [30, DIMMED_DW]),
    ],
)
def test_a_lamp_blinks_and_says_what_it_draws_at_full_light(unix_s, plain, levels, before):
    lamp = Lamp(unix_s=unix_s, **plain)
    assert shown(lamp) == levels
    assert [(code, detail) for _, code, _, detail in lamp.said] == [(event.IDENTIFIED, (*before, FULL_DW))]


def test_a_dead_lamp_says_that_it_draws_nothing():
    lamp = Lamp(unix_s=NOON_S)
    lamp.values = {1: 4}
    shown(lamp)
    assert lamp.said[-1][3] == (0, 4, 4)


def test_a_lamp_that_only_a_relay_switches_declines_while_it_is_wanted_lit():
    lamp = Lamp(output="relay")
    lamp.minutes(1)
    lamp.order = ASKED
    lamp.live(20_000)
    assert lamp.trade.declines(lamp.moment()) == "lit" and lamp.level == 100
    assert lamp.trade.wants_sample_ms(lamp.now_ms) is None


def test_a_lock_at_the_node_comes_first():
    lamp = Lamp(unix_s=NOON_S)
    lamp.trade.local = "lock"
    assert set(shown(lamp)) == {0} and event.IDENTIFIED not in [code for code, _ in lamp.codes()]


def test_its_deadline_asks_for_every_change_and_none_is_in_the_past():
    lamp = Lamp(unix_s=NOON_S)
    lamp.minutes(1)
    lamp.order = ASKED
    lamp.turn()
    count = 0
    while (deadline_ms := lamp.trade.deadline_ms(lamp.now_ms)) is not None:
        assert deadline_ms > lamp.now_ms and lamp.trade.decided_until_ms is None
        lamp.now_ms = deadline_ms
        lamp.turn()
        count += 1
    assert count == 2 * BLINKS and lamp.level == 100
