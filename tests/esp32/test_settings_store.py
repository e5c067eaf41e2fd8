"""Settings through cuts, updates and bad files: neither wiped nor corrupted."""

import json

import pytest

from esp32 import crash, guard, rtc, settings_store
from esp32.settings_store import FILE, SLOTS, SettingsStore
from kinds import streetlight
from node import limits, settings, settings_slots
from simulator.world.flash import Cut
from tests.esp32.test_guard import Machine
from tests.esp32.test_rtc import Chip
from tests.portable.node_day import Generator
from tests.support.powered_flash import Flash

PLAIN = {
    "node": "7c1f0a2c01000001",
    "kind": "streetlight",
    "gateway": ["192.168.1.10", 5683],
    "kid": "010001",
    "master_secret": "000102030405060708090a0b0c0d0e0f",
    "site": [474736, -5516],
    "lamp": [360, 6],
}
FIRST = json.dumps(PLAIN).encode()
SECOND = json.dumps({**PLAIN, "telemetry_s": 300}).encode()
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
    "of tomorrow": (json.dumps({**PLAIN, "wheels": 3}).encode(), settings_slots.FAULTY),
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


def test_new_settings_are_proven_once_and_their_file_stays_as_it_is():
    medium = Flash({FILE: FIRST})
    store, chosen = start(medium)
    assert chosen.why is None and chosen.is_trial
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


SEEDS = range(1, 13)


class Mains:
    """A board whose mains come and go. What its start is told of the life before is judged as on the chip: RTC memory
    is lost with the power, or survives a dip of it."""

    def __init__(self, medium):
        self.medium = medium
        self.chip = Chip()

    def start(self, *, dips):
        if not dips:
            self.chip = Chip()
        machine, memory = Machine(Machine.PWRON_RESET), rtc.Memory(self.chip)
        ended = guard.ended_by(machine, memory)
        crumbs = crash.Crumbs(memory, ("start",), now_ms=0)
        past = None if ended == guard.POWER else crumbs.past()
        guard.Guard(memory, guard.Store(open_file=self.medium.open)).begin(ended, is_trial=False)
        crumbs.begin(0, now_ms=0)
        return start(self.medium, crashed=crash.cause(machine, ended, past) in crash.FAULTS)


def last_good(medium):
    """What a node runs under whose settings.json somebody takes away now."""
    left = Flash(medium.files)
    put(left, None)
    return start(left)[1].raw


def up_and_down(seed):
    """50 power cycles of 0.1 to 20 s, now and then of twelve minutes, while somebody changes the settings: sound ones,
    faulty ones, torn ones. Three lives of four lose their power at a write, if they make any. Returns (cuts that fell
    into a write of a start, into a proof's, proofs)."""
    below = Generator(seed).below
    medium = proven(FIRST)
    mains, good, file = Mains(medium), FIRST, FIRST
    begun = proved = proofs = 0
    for _ in range(50):
        if below(3) == 0:
            file = (FIRST, SECOND, SECOND.replace(b"300", b"600"), FAULTY, SECOND[:40])[below(5)]
            put(medium, file)
        alive_ms = 720_000 if below(2) else 100 + below(19_900)
        medium.operations = 0
        medium.cut_at = 1 + below(260) if below(4) else None
        proving = None
        try:
            store, chosen = mains.start(dips=below(2) == 0)
            assert chosen.why != settings_slots.CRASHED, "a power cut is no crash"
            assert chosen.raw == (good if file in (FAULTY, SECOND[:40]) else file)
            if chosen.is_trial and alive_ms > limits.SETTINGS_PROVEN_MS:
                proving = chosen.raw
                proofs += store.prove()
        except Cut:
            begun, proved = begun + (proving is None), proved + (proving is not None)
        medium.cut_at = None
        found = last_good(medium)
        assert found in (good, proving) and medium.files[FILE] == file
        good = found
    return begun, proved, proofs


def test_fifty_power_cycles_amid_changes_lose_no_good_settings_and_accuse_no_new_ones():
    seen = [up_and_down(seed) for seed in SEEDS]
    begun, proved, proofs = map(sum, zip(*seen, strict=True))
    assert begun > 50 and proved > 20 and proofs > 15, "cuts of both kinds of write, and changes that came through"


def test_slots_that_are_not_written_in_turn_are_seen(monkeypatch):
    """Planted: the slot with the last good settings is written over."""
    monkeypatch.setattr(settings_store, "SLOTS", SLOTS[:1] * 2)
    with pytest.raises(AssertionError):
        for seed in SEEDS:
            up_and_down(seed)


def test_a_start_that_takes_a_power_cut_for_a_crash_is_seen(monkeypatch):
    """Planted: as a board that knows no better does."""
    monkeypatch.setattr(crash, "FAULTS", (*crash.FAULTS, "power-on", "brown-out"))
    with pytest.raises(AssertionError, match="a power cut is no crash"):
        for seed in SEEDS:
            up_and_down(seed)


@pytest.mark.parametrize("raw", [FIRST, SECOND])
def test_power_cycles_of_settings_on_trial_are_no_crashes(raw):
    medium = proven(FIRST)
    put(medium, SECOND)
    assert all(start(medium)[1].raw == SECOND for _ in range(50))


def test_a_downgrade_finds_older_good_settings_that_it_understands(monkeypatch):
    medium = proven(FIRST)
    put(medium, SECOND)
    start(medium)[0].prove()
    monkeypatch.setitem(settings._TIMING, "telemetry_s", (900, 600, 900))
    chosen = start(medium)[1]
    assert (chosen.raw, chosen.why) == (FIRST, settings_slots.FAULTY)
    monkeypatch.undo()
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
    medium.refuses = True
    store, chosen = start(medium)
    assert chosen.settings is not None and not store.prove()
