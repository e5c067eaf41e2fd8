"""Settings through cuts, updates and bad files: bug classes 6 (wiped by power cuts) and 15 (corrupted)."""

import json

import pytest

from esp32 import guard, rtc
from esp32.settings_store import FILE, SLOTS, SettingsStore
from kinds import streetlight
from node import limits, settings, settings_slots
from tests.firmware.test_rtc import Chip
from tests.portable.node_day import Generator
from tests.support.powered_flash import Cut, Flash

PLAIN = {
    "node": "7c1f0a2c01000001",
    "gateway": ["192.168.1.10", 5683],
    "kid": "010001",
    "master_secret": "000102030405060708090a0b0c0d0e0f",
    "site": [474736, -5516],
    "lamp": [360, 6],
}
FIRST = json.dumps(PLAIN).encode()  # as the tool writes today: no kind, no schema
SECOND = json.dumps({**PLAIN, "schema": 2, "kind": "streetlight", "telemetry_s": 300}).encode()
FAULTY = json.dumps({**PLAIN, "site": [1]}).encode()
BAD = {
    "absent": (None, settings_slots.ABSENT),
    "empty": (b"", settings_slots.UNREADABLE),
    "torn": (SECOND[:40], settings_slots.UNREADABLE),
    "binary": (b"\xff\xfe\x00", settings_slots.UNREADABLE),
    "deep": (b"[" * 3000, settings_slots.UNREADABLE),
    "huge": (b" " * 5000, settings_slots.UNREADABLE),
    "list": (b"[]", settings_slots.FAULTY),
    "faulty": (FAULTY, settings_slots.FAULTY),
    "newer": (json.dumps({**PLAIN, "schema": 3}).encode(), settings_slots.NEWER),
    "odd-schema": (json.dumps({**PLAIN, "schema": "2"}).encode(), settings_slots.NEWER),
}


def decode_plain(plain):
    kind = streetlight if isinstance(plain, dict) and plain.get("kind") == "streetlight" else None
    return settings.decode(plain, kind)


def start(medium, *, crashed=False):
    store = SettingsStore(open_file=medium.open)
    return store, store.begin(decode_plain, crashed=crashed)


def proven(raw):
    medium = Flash({FILE: raw})
    store, _ = start(medium)
    assert store.prove()
    return medium


def put(medium, raw):
    if raw is None:
        medium.files.pop(FILE, None)
    else:
        medium.files[FILE] = raw


def test_a_file_without_a_kind_is_migrated_in_memory_and_stays_as_it_is():
    medium = Flash({FILE: FIRST})
    store, chosen = start(medium)
    assert chosen.why is None and chosen.is_trial and chosen.plain["kind"] == "streetlight"
    assert store.prove() and not store.prove()
    assert medium.files[FILE] == FIRST
    assert start(medium)[1].is_trial is False


def test_good_settings_cost_two_writes_once_and_none_at_a_start():
    medium = proven(FIRST)
    writes = medium.writes
    for _ in range(100):
        store, chosen = start(medium)
        assert chosen.raw == FIRST and not store.prove()
    assert medium.writes == writes == 2


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_way_to_the_last_good_one_and_says_why(name):
    medium = proven(FIRST)
    put(medium, BAD[name][0])
    for _ in range(5):
        store, chosen = start(medium)
        assert (chosen.raw, chosen.why) == (FIRST, BAD[name][1])
        assert chosen.settings is not None and chosen.faults and not store.prove()
    put(medium, SECOND)
    assert start(medium)[1].raw == SECOND


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_on_a_new_board_is_no_settings_and_no_exception(name):
    medium = Flash({})
    put(medium, BAD[name][0])
    chosen = start(medium)[1]
    assert chosen.settings is None and chosen.why == BAD[name][1] and chosen.faults


def test_new_settings_give_way_before_the_guard_sends_the_node_into_rescue():
    """Both are told the same crashes, as on the chip."""
    medium, chip = proven(FIRST), Chip()
    put(medium, SECOND)
    for ended in (guard.POWER, guard.RESET, guard.RESET):
        guarding = guard.Guard(rtc.Memory(chip), guard.Store(open_file=medium.open))
        guarded = guarding.begin(ended, is_trial=False)
        _, chosen = start(medium, crashed=ended == guard.RESET)
        assert not guarded.is_rescue
    assert (chosen.raw, chosen.why) == (FIRST, settings_slots.CRASHED)


def test_a_crash_loop_writes_no_more_than_it_takes_to_give_way():
    for medium in (proven(FIRST), Flash({})):
        put(medium, SECOND)
        for _ in range(5):
            start(medium, crashed=True)
        writes = medium.writes
        for _ in range(300):
            start(medium, crashed=True)
        assert medium.writes == writes


def test_new_settings_that_crash_two_starts_give_way_until_a_newer_file_comes():
    medium = proven(FIRST)
    put(medium, SECOND)
    seen = [start(medium, crashed=index > 0)[1] for index in range(4)]
    assert [chosen.raw for chosen in seen] == [SECOND, SECOND, FIRST, FIRST]
    assert seen[2].why == settings_slots.CRASHED and seen[2].settings.telemetry_s == 900
    put(medium, SECOND.replace(b"300", b"600"))
    store, chosen = start(medium)
    assert chosen.is_trial and chosen.settings.telemetry_s == 600
    assert store.prove()
    put(medium, SECOND)
    assert start(medium)[1].raw == SECOND, "a file that is put there anew is tried anew"


def test_the_first_settings_of_a_board_have_nothing_to_give_way_to():
    medium = Flash({FILE: FIRST})
    assert all(start(medium, crashed=True)[1].raw == FIRST for _ in range(10))


def test_settings_that_were_good_are_not_accused_of_a_crash():
    medium = proven(FIRST)
    writes = medium.writes
    assert all(start(medium, crashed=True)[1].why is None for _ in range(10))
    assert medium.writes == writes


def up_and_down(monkeypatch, seed):
    """50 power cycles at random 0.1 to 20 s, with the older and the newer firmware by turns. Digests in force."""
    below = Generator(seed).below
    medium = proven(FIRST)
    digests = set()
    for cycle in range(50):
        monkeypatch.setattr(settings_slots, "SCHEMA", 1 + cycle // 5 % 2 if seed % 2 else 2)
        alive_ms = 100 + below(19_900)
        medium.operations = 0
        medium.cut_at = 1 + below(400) if below(2) else None
        try:
            store, chosen = start(medium)
            digests.add(settings_slots.digest(chosen.raw))
            if alive_ms > limits.SETTINGS_PROVEN_MS:
                store.prove()
        except Cut:
            pass
    return digests, medium


@pytest.mark.parametrize("seed", range(1, 9))
def test_fifty_power_cycles_and_firmware_up_and_down_leave_the_digest_unchanged(monkeypatch, seed):
    digests, medium = up_and_down(monkeypatch, seed)
    assert digests == {settings_slots.digest(FIRST)} and medium.files[FILE] == FIRST


@pytest.mark.parametrize("raw", [FIRST, SECOND])
def test_power_cycles_of_settings_on_trial_are_no_crashes(raw):
    medium = proven(FIRST)
    put(medium, SECOND)
    assert all(start(medium)[1].raw == SECOND for _ in range(50))


def test_a_downgrade_finds_older_good_settings_that_it_understands(monkeypatch):
    medium = proven(FIRST)
    put(medium, SECOND)
    start(medium)[0].prove()
    monkeypatch.setattr(settings_slots, "SCHEMA", 1)
    chosen = start(medium)[1]
    assert (chosen.raw, chosen.why) == (FIRST, settings_slots.NEWER)
    monkeypatch.setattr(settings_slots, "SCHEMA", 2)
    assert start(medium)[1].raw == SECOND and medium.files[FILE] == SECOND


@pytest.mark.parametrize("crashed", [False, True])
def test_a_cut_at_every_write_leaves_settings_to_start_with(crashed):
    first = proven(FIRST)
    put(first, SECOND)
    cut_at = 0
    while True:
        cut_at += 1
        medium = Flash(first.files)
        medium.cut_at = cut_at
        try:
            start(medium)
            store, _ = start(medium, crashed=crashed)
            store.prove()
            break
        except Cut:
            medium.cut_at = None
        chosen = start(medium)[1]
        assert chosen.raw == SECOND and chosen.why is None
        put(medium, None)
        assert start(medium)[1].raw in (FIRST, SECOND)
        assert start(medium)[1].settings is not None
    assert cut_at > 400


@pytest.mark.parametrize("slot", SLOTS)
def test_one_slot_that_rots_leaves_the_other(slot):
    medium = proven(FIRST)
    put(medium, SECOND)
    start(medium)[0].prove()
    medium.files[slot] = medium.files[slot][:30] + b"\0" + medium.files[slot][31:]
    put(medium, None)
    assert start(medium)[1].settings is not None


def test_every_change_of_one_byte_of_a_slot_is_seen():
    data = b"".join(settings_slots.encode(settings_slots.Slot(3, FIRST, b"12345678", 2)))
    assert settings_slots.decode(data) == settings_slots.Slot(3, FIRST, b"12345678", 2)
    for index in range(len(data)):
        assert settings_slots.decode(data[:index] + bytes((data[index] ^ 1,)) + data[index + 1 :]) is None
        assert settings_slots.decode(data[:index]) is None
    assert settings_slots.decode(None) is None


def test_a_flash_that_takes_no_writes_still_starts():
    medium = Flash({FILE: FIRST})
    medium.refuse_writes = True
    store, chosen = start(medium)
    assert chosen.settings is not None and not store.prove()


def test_a_fallback_that_counts_power_cuts_is_seen(monkeypatch):
    """Planted: every start counts as a crash of the one before."""
    medium = proven(FIRST)
    put(medium, SECOND)
    seen = {start(medium, crashed=True)[1].raw for _ in range(50)}
    assert seen == {FIRST, SECOND}
