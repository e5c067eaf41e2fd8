"""A contact that bounces."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.io.cabinet import limits
from gateway.io.cabinet.observer import Debounced

TICK, HOLD = limits.TICK_MS, limits.DEBOUNCE_MS


def test_a_contact_is_taken_after_it_has_held():
    contact = Debounced()
    assert [contact.update(True, at) for at in range(0, 400, TICK)] == [None, None, None, True]


def test_a_slammed_door_is_one_change():
    contact = Debounced()
    for at in range(0, 500, TICK):
        contact.update(False, at)
    bounces = [True, False, True, False, True, True, True, True]
    said = [contact.update(raw, 500 + TICK * n) for n, raw in enumerate(bounces)]
    assert said == [False] * 7 + [True]


def test_one_reading_handed_in_again_proves_nothing():
    contact = Debounced()
    contact.update(True, 0)
    assert [contact.update(True, 0) for _ in range(50)] == [None] * 50
    assert contact.update(True, 1000) is True


def test_what_cannot_be_read_is_not_known_and_starts_anew():
    contact = Debounced()
    contact.update(True, 0)
    assert contact.update(True, 300) is True
    assert contact.update(None, 400) is None
    assert contact.update(True, 500) is None
    assert contact.update(True, 500 + HOLD) is True


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.integers(0, 400)), max_size=60))
def test_it_changes_only_to_what_was_read_for_long_enough(readings):
    contact, now_ms, since_ms, previous = Debounced(), 0, 0, None
    for raw, step_ms in readings:
        now_ms += step_ms
        since_ms = since_ms if raw == previous else now_ms
        before, previous = contact.value, raw
        said = contact.update(raw, now_ms)
        assert (said is None) if raw is None else (said == before or (said == raw and now_ms - since_ms >= HOLD))
