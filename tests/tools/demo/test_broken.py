"""What the drawer says of a broken thing depends on what else is broken at that time."""

import pytest

from tools.demo.broken import _is_cut_off
from tools.demo.faults import Cabinet, Target
from tools.demo.story import Struck

PIPE = Target("p", "pelouse", b"p", hangs_on="49135-cab-1")
OURS, OTHERS = (
    Target("0", name, b"c", (Cabinet(name, "49135", name, name),)) for name in ("49135-cab-1", "49135-cab-2")
)


def struck(from_s, until_s=None, cuts_off=True):
    return Struck("fibre", "0", from_s, lambda: None, lambda: 0, 0, cuts_off, until_s)


@pytest.mark.parametrize(
    ("pipe", "power", "cabinet", "is_cut_off"),
    [
        (struck(100), struck(200), OURS, True),
        (struck(100), struck(200), OTHERS, False),
        (struck(100), struck(200, cuts_off=False), OURS, False),  # 4G carries its records
        (struck(100), struck(50, 150), OURS, False),  # mended since: news may come now
        (struck(100, 300), struck(50, 150), OURS, True),
        (struck(100, 300), struck(200), OURS, True),
        (struck(100, 300), struck(300, 400), OURS, False),
    ],
)
def test_silence_is_explained_by_a_cabinet_that_is_broken_at_the_same_time(pipe, power, cabinet, is_cut_off):
    assert _is_cut_off(pipe, PIPE, [(pipe, PIPE), (power, cabinet)]) == is_cut_off
