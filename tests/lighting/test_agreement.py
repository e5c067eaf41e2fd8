"""What a lamp must draw to show the level that was ordered."""

import pytest

from lighting import limits
from lighting.watch import LampWatch, lamp_model


@pytest.mark.parametrize(("level", "powers"), [(50, (183, 150, 219)), (100, (360, 290, 500))])
def test_the_watts_of_a_level_agree_with_it(level, powers):
    assert [agrees(level, power) for power in powers] == [True] * 3


@pytest.mark.parametrize(("level", "powers"), [(50, (0, 90, 140, 230, 360)), (100, (0, 170, 280)), (10, (41,))])
def test_a_dark_lamp_one_at_full_one_that_has_not_risen_and_one_too_dim_to_judge_show_no_level(level, powers):
    assert [agrees(level, power) for power in powers] == [False] * len(powers)


def agrees(level, power_dw):
    watch = LampWatch(lamp_model(360, 6))
    watch.observe_level(level, now_ms=0)
    return watch.agrees(power_dw, now_ms=limits.STEADY_MS)
