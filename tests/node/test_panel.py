"""The technician's panel and the log: a short press tests, a long one locks; the last lines stay, whole, within bounds,
and never a key."""

import pytest

from node import panel
from node.log_ring import CHARS_MAX, LINE_CHARS_MAX, LINES_MAX, LogRing, blotted
from node.panel import Panel


class Desk:
    def __init__(self, **options):
        self.now_ms = 1000
        self.panel = Panel(**{"is_locked": False, "test_ms": 60_000, "now_ms": 1000, **options})
        self.events = []

    def run(self, for_ms, pressed=False, step_ms=20):
        for _ in range(for_ms // step_ms):
            self.now_ms += step_ms
            self.panel.observe(pressed, now_ms=self.now_ms)
            self.events += self.panel.drain_events()

    def press(self, for_ms):
        self.run(for_ms, True)
        self.run(200)

    def shown(self, state, for_ms=6000):
        lit = ""
        for _ in range(for_ms // 100):
            lit += "#" if self.panel.led(state, now_ms=self.now_ms) else "."
            self.now_ms += 100
        return lit


def test_a_short_press_begins_a_test_that_ends_by_itself():
    desk = Desk()
    desk.press(300)
    assert desk.panel.local() == panel.TEST and desk.events == [panel.TEST]
    desk.run(59_000)
    assert desk.panel.local() == panel.TEST
    desk.run(1500)
    assert desk.panel.local() is None


def test_a_second_press_ends_the_test():
    desk = Desk()
    desk.press(300)
    desk.press(300)
    assert desk.panel.local() is None and desk.events == [panel.TEST]


def test_holding_locks_and_holding_again_unlocks():
    desk = Desk()
    desk.press(5200)
    assert desk.panel.local() == panel.LOCK and desk.panel.is_locked
    desk.press(300)
    assert desk.panel.local() == panel.LOCK, "no test while it is locked"
    desk.press(5200)
    assert desk.panel.local() is None and desk.events == [panel.LOCK, panel.UNLOCK]


def test_a_lock_ends_a_test():
    desk = Desk()
    desk.press(300)
    desk.press(5200)
    desk.press(5200)
    assert desk.panel.local() is None


def test_a_lock_of_before_the_restart_holds_from_the_first_turn():
    assert Desk(is_locked=True).panel.local() == panel.LOCK


def test_bouncing_is_one_press_and_a_spike_is_none():
    desk = Desk()
    for _ in range(5):
        desk.run(20, True)
        desk.run(20, False)
    assert desk.events == []
    desk.press(300)
    for _ in range(5):
        desk.run(20, True)
        desk.run(20, False)
    assert desk.events == [panel.TEST] and desk.panel.local() == panel.TEST


@pytest.mark.parametrize("held_ms", [60_200, 3_600_000])
def test_a_button_that_hangs_is_no_button(held_ms):
    desk = Desk()
    desk.press(held_ms)
    assert desk.events == [] and desk.panel.local() is None
    desk.press(300)
    assert desk.events == [panel.TEST]


def test_no_test_lasts_longer_than_the_bound():
    desk = Desk(test_ms=10**9)
    desk.press(300)
    desk.run(panel.TEST_MAX_MS + 1000, step_ms=100)
    assert desk.panel.local() is None


def test_every_state_looks_different_and_the_lock_is_shown_above_all():
    states = (
        panel.STARTING, panel.NO_SETTINGS, panel.NO_LINK, panel.WELL, panel.FAULT, panel.RESCUE,
    )  # fmt: skip
    shown = {state: Desk().shown(state) for state in states}
    assert len(set(shown.values())) == len(states)
    assert shown[panel.WELL].count("#") == 2, "a lamp that is well is hardly seen"
    locked = {Desk(is_locked=True).shown(state) for state in states}
    assert len(locked) == 1 and not locked & set(shown.values())


def test_the_led_answers_when_the_button_has_been_held_long_enough():
    desk = Desk()
    desk.run(4800, True)
    before = desk.shown(panel.STARTING, 100)
    desk.run(500, True)
    assert before == "#" and "." in desk.shown(panel.STARTING, 1000)


def test_the_last_lines_stay_in_order():
    ring = LogRing()
    for number in range(100):
        ring.add(f"line {number}", uptime_s=number)
    assert ring.lines() == [f"{number} line {number}" for number in range(100 - LINES_MAX, 100)]


def test_long_lines_are_fewer():
    ring = LogRing()
    for number in range(100):
        ring.add("x" * 200, uptime_s=number)
        assert sum(len(line) for line in ring.lines()) <= CHARS_MAX
    assert len(ring.lines()) == CHARS_MAX // LINE_CHARS_MAX and ring.lines()[-1].startswith("99 ")


def test_a_tail_holds_whole_lines_oldest_first_within_its_bytes():
    ring = LogRing()
    for number in range(10):
        ring.add("é" * number, uptime_s=number)
    for room in range(1, 200):
        tail = ring.tail(room)
        assert len(tail) <= room
        if room >= 22:
            assert tail.decode().split("\n")[-1] == "9 " + "é" * 9
    assert ring.tail(10_000).decode().split("\n") == ring.lines()


def test_a_long_line_is_cut_and_a_traceback_is_one_line():
    ring = LogRing()
    ring.add("a\nb" + "x" * 500, uptime_s=1)
    assert ring.lines()[0].startswith("1 a | bxx") and len(ring.lines()[0]) == LINE_CHARS_MAX


def test_what_may_be_a_key_is_blotted_out_and_a_node_id_is_not():
    assert blotted("key 00112233445566778899aabbccddeeff!") == "key ...!"
    assert blotted("node 7c1f0a2c01000001 boot 3") == "node 7c1f0a2c01000001 boot 3"
    assert blotted("0123456789ABCDEF" * 4) == "..." and blotted("") == ""


def test_the_end_of_the_life_before_is_kept_apart_and_rubbish_is_nothing():
    assert LogRing(b"7 watchdog").before == "7 watchdog"
    assert LogRing(b"\xff\xfe").before == "" and LogRing(None).before == ""
