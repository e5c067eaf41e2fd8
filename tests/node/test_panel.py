"""A short press tests, a long one locks; bouncing, hanging and a restart change nothing that they should not."""

import pytest

from node import panel
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
