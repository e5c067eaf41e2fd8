"""A cabinet lives by its policy: to the second, through summer time, through restarts, with and without the centre."""

import pytest

from gateway.core import limits
from policy import civil, lighting
from tests.support.lit_world import EVENING, FEEDERS, KEYS, SITE, START_S, LitWorld, bundle, policy
from wire import event, quantity

# Between looks the core decides at its deadlines.
RARE_MS = 30_000


def wanted_changes(calendar, first_s, last_s):
    """[(unix_s, closed)] of the policy between two instants, by asking it itself."""
    plan = lighting.Plan(calendar, SITE)
    changes, at_s = [], first_s
    while at_s < last_s:
        wanted = plan.wanted(at_s)
        closed = wanted.level_percent > 0
        if not changes or changes[-1][1] != closed:
            changes.append((at_s, closed))
        at_s = wanted.until_s
    return changes[1:]


@pytest.mark.slow
def test_the_contactors_follow_the_policy_to_the_second():
    world = LitWorld(start_s=START_S + 86_400, look_ms=RARE_MS)
    world.until(world.at(3, 11))
    expected = wanted_changes(EVENING, START_S + 86_400, world.unix_s)
    assert len(expected) == 8  # two nights, put out at 22:30 or 01:00 and lit again at 05:30
    for feeder in range(len(FEEDERS)):
        assert [(at_s, closed) for at_s, index, closed in world.switched if index == feeder] == expected


@pytest.mark.slow
def test_each_change_is_a_record_with_the_rule_that_caused_it():
    world = LitWorld(look_ms=RARE_MS)
    world.until(world.at(1, 11))
    told = [detail for _, detail in world.events(event.FEEDER_SWITCHED) if detail[0] == "bourg"]
    assert [(closed, rule) for _, closed, rule, _ in told] == [
        (False, "default"), (True, "policy"), (False, "policy"), (True, "policy"), (False, "policy"),
    ]  # fmt: skip
    assert lighting.reason_parts(told[2][3]) == (1, 2)  # the second rule's second step: 22:30


@pytest.mark.slow
def test_without_a_policy_the_street_is_lit_from_sunset_to_sunrise():
    world = LitWorld(made=None, look_ms=RARE_MS)
    world.until(world.at(1, 11))
    expected = wanted_changes(lighting.DEFAULT_CALENDAR, START_S, world.unix_s)
    assert [(at_s, closed) for at_s, index, closed in world.switched if index == 0] == expected
    assert {detail[2] for _, detail in world.events(event.FEEDER_SWITCHED)} == {"default"}


@pytest.mark.slow
@pytest.mark.parametrize(("month", "day"), [(3, 28), (10, 24)])
def test_both_nights_of_the_change_of_clocks_are_lit_by_the_wall_clock(month, day):
    start_s = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2027, month, day), 43_200)
    made = policy(valid_from_s=start_s - 1, valid_until_s=start_s + 86_400)
    world = LitWorld(start_s=start_s, look_ms=RARE_MS, made=made)
    world.live(86_399)
    expected = wanted_changes(EVENING, start_s, world.unix_s)
    assert [(at_s, closed) for at_s, index, closed in world.switched if index == 0] == expected


@pytest.mark.slow
def test_a_week_without_the_centre_changes_no_second_of_light():
    with_centre, without = (LitWorld(look_ms=600_000, has_watchdog=False) for _ in range(2))
    for day in range(1, 8):  # every rule of the policy has its day
        with_centre.lease()
        with_centre.until(with_centre.at(day, 11))
    without.until(without.at(7, 11))
    assert with_centre.switched == without.switched
    assert len(without.switched) == 4 * 7 * len(FEEDERS)


@pytest.mark.slow
def test_a_restart_at_any_instant_moves_no_contactor_that_is_as_it_should_be():
    world = LitWorld()
    for hour in (13, 18, 23):
        world.until(world.at(0, hour))
        before = list(world.switched)
        world.power_cut()
        world.tell_clock()
        world.look()
        assert world.switched == before
    assert world.cabinet.signed_policy is not None  # the policy has outlived it


def test_a_restart_without_the_time_moves_nothing_for_a_minute_and_then_hands_the_street_back():
    world = LitWorld(clock=False, made=None)
    assert (world.switched, world.pulses) == ([], [])
    world.live(limits.CABINET_START_MS / 1000 - 1)
    assert (world.switched, world.pulses) == ([], [])
    world.live(120)
    assert all(world.closed) and world.pulses == []  # lit where nothing stands behind us, and no pulse
    assert ("handedBack", True) in world.alarms() and not world.cabinet.in_control
    world.clock = True
    world.tell_clock()
    world.live(120)
    assert world.closed == [False, False] and world.pulses
    assert world.alarms()[-2:] == [("timeFallback", False), ("handedBack", False)]


def test_pulses_come_often_enough_to_lose_five_of_them():
    world = LitWorld()
    world.live(600)
    gaps = [after - before for before, after in zip(world.pulses, world.pulses[1:], strict=False)]
    assert max(gaps) <= limits.CABINET_WATCHDOG_MS


@pytest.mark.slow
def test_contactors_that_cannot_be_switched_any_more_are_handed_back():
    world = LitWorld()
    world.until(world.at(0, 20))
    world.seen_changes["in_hand"] = False  # the relay board has fallen silent
    world.live(120)
    assert world.now_ms - world.pulses[-1] >= 110_000 and ("handedBack", True) in world.alarms()
    del world.seen_changes["in_hand"]
    world.live(30)
    assert world.now_ms - world.pulses[-1] <= limits.CABINET_WATCHDOG_MS


def test_a_cabinet_without_a_watchdog_line_keeps_its_contactors_closed_when_nothing_is_known():
    world = LitWorld(clock=False, made=None, has_watchdog=False)
    world.live(120)
    assert world.closed == [True, True] and world.cabinet.in_control
    assert ("handedBack", True) not in world.alarms()


def test_a_photocell_stands_in_for_a_clock_that_was_never_set():
    world = LitWorld(clock=False, made=None)
    world.seen_changes["photocell_lx"] = 20_000
    world.live(200)
    assert world.closed == [False, False] and world.pulses
    world.seen_changes["photocell_lx"] = 10
    world.live(50)
    assert world.closed == [False, False]  # a cloud
    world.live(30)
    assert world.closed == [True, True]
    world.seen_changes["photocell_lx"] = 400
    world.live(100)
    assert world.closed == [True, True]  # headlights
    world.live(60)
    assert world.closed == [False, False]
    assert {detail[2] for _, detail in world.events(event.FEEDER_SWITCHED)} == {"photocell"}


def test_what_was_seen_a_minute_ago_decides_nothing_any_more():
    world = LitWorld(clock=False, made=None)
    world.seen_changes["photocell_lx"] = 20_000
    world.live(200)
    assert world.cabinet.basis.kind == "photocell"
    world.wait(limits.CABINET_BLIND_MS + limits.CABINET_WATCHDOG_MS)  # nobody looks
    assert world.cabinet.basis.kind == "safety" and not world.cabinet.in_control


@pytest.mark.slow
def test_a_cell_that_says_the_same_for_a_day_is_not_believed():
    world = LitWorld(clock=False, made=None, look_ms=50_000)
    world.seen_changes["photocell_lx"] = 5
    world.live(19 * 3600)
    assert world.cabinet.in_control
    world.live(2 * 3600)
    assert not world.cabinet.in_control
    assert ("photocellFailure", True) in world.alarms()


@pytest.mark.parametrize("wrong_s", [10 * 365 * 86_400, 30 * 365 * 86_400])
def test_a_clock_years_ahead_of_the_policy_is_not_believed(wrong_s):
    world = LitWorld()
    world.until(world.at(0, 13))
    world.clock = False
    world.tell_clock(wrong_s=wrong_s)
    world.live(120)
    assert world.cabinet.basis.kind == "safety" and not world.cabinet.in_control


@pytest.mark.slow
def test_a_clock_that_nobody_tells_any_more_is_carried_and_then_shifted_to_the_safe_side():
    world = LitWorld(look_ms=600_000, has_watchdog=False)
    world.clock = False
    world.until(world.at(7, 11))
    assert world.cabinet.basis.kind == "clock" and world.alarms() == []
    uncertainty_s = world.cabinet.basis.uncertainty_s
    assert 60 <= uncertainty_s <= 65
    del world.switched[:]
    world.until(world.at(8, 11))
    dusk, dark, morning, dawn = (at_s for at_s, index, _ in world.switched if index == 0)
    expected = [at_s for at_s, _ in wanted_changes(EVENING, world.at(7, 11), world.unix_s)]
    early, late = (dusk, morning), (dark, dawn)
    assert all(0 < expected[number] - at_s <= 70 for number, at_s in zip((0, 2), early, strict=True))
    assert all(0 < at_s - expected[number] <= 70 for number, at_s in zip((1, 3), late, strict=True))


def test_after_months_a_photocell_is_the_better_witness_and_without_one_the_old_clock_goes_on():
    world = LitWorld()
    world.clock = False
    told = (1000 * world.start_s + world.now_ms, limits.CLOCK_VALID_S + 1)
    world.core.on_clock(*told, now_ms=world.now_ms)  # what 35 days of drift come to
    world.live(15)
    assert world.cabinet.basis.kind == "carried"
    assert world.pulses[-1] >= world.now_ms - limits.CABINET_WATCHDOG_MS
    world.seen_changes["photocell_lx"] = 9_000
    world.live(60)
    assert world.cabinet.basis.kind == "photocell"
    world.seen_changes["photocell_lx"] = None
    world.core.on_clock(told[0], limits.CLOCK_USABLE_S + 1, now_ms=world.now_ms)
    world.live(120)
    assert world.cabinet.basis.kind == "safety" and ("handedBack", True) in world.alarms()


@pytest.mark.slow
def test_the_hand_switch_has_the_last_word_and_is_told():
    world = LitWorld()
    world.until(world.at(0, 13))
    world.seen_changes["switch"] = "on"
    world.live(30)
    assert world.closed == [True, True] and ("localOverride", True) in world.alarms()
    world.seen_changes["switch"] = "auto"
    world.live(30)
    assert world.closed == [False, False] and world.alarms()[-1] == ("localOverride", False)
    world.until(world.at(0, 20))
    world.seen_changes["switch"] = "off"
    world.send(world.order())  # not even an emergency lights a street that somebody has switched off by hand
    world.live(30)
    assert world.closed == [False, False]


@pytest.mark.slow
def test_somebody_at_the_cabinet_tests_a_feeder_for_two_minutes_and_locks_one_out():
    world = LitWorld()
    world.until(world.at(0, 13))
    assert world.cabinet.test(1, 120, "Luc", now_ms=world.now_ms) is None
    world.live(5)
    assert world.closed == [False, True]
    world.live(120)
    assert world.closed == [False, False]
    world.until(world.at(0, 20))
    assert world.cabinet.lock(0, "Luc", now_ms=world.now_ms) is None
    world.live(5)
    assert world.closed == [False, True]
    assert world.cabinet.test(0, 120, "Luc", now_ms=world.now_ms) == "locked"
    assert world.cabinet.unlock(0, "Luc", now_ms=world.now_ms) is None
    world.live(5)
    assert world.closed == [True, True]
    assert [detail for _, detail in world.events(event.LOCAL_ORDER)] == [
        ["test", "parc", "Luc"], ["lock", "bourg", "Luc"], ["unlock", "bourg", "Luc"],
    ]  # fmt: skip


@pytest.mark.slow
def test_meters_go_up_every_quarter_hour_feeder_by_feeder():
    world = LitWorld()
    world.seen_changes["temperature_ck"] = 1530
    world.until(world.at(0, 21, 7))
    telemetry = [item.record for item in world.held()["telemetry"]]
    last = telemetry[-1]
    assert last.stamp.seconds == world.at(0, 21)
    assert last.body[quantity.key(quantity.POWER, 1)] == 14 * 320
    assert last.body[quantity.key(quantity.POWER, 2)] == 6 * 250
    assert last.body[quantity.key(quantity.LEVEL_ORDERED, 2)] == 100
    assert last.body[quantity.TEMPERATURE] == 1530


@pytest.mark.slow
def test_a_permanent_feeder_stays_closed_and_one_that_the_policy_does_not_name_follows_the_sun():
    made = policy()
    (first, _second) = made.lighting.feeders
    made = made._replace(lighting=made.lighting._replace(feeders=(first._replace(kind=0),), limits=()))
    world = LitWorld(made=made)
    world.until(world.at(0, 23))
    assert world.closed == [True, True]
    world.until(world.at(1, 11))
    assert world.closed == [True, False]
    expected = wanted_changes(lighting.DEFAULT_CALENDAR, START_S, world.unix_s)
    assert [(at_s, closed) for at_s, index, closed in world.switched if index == 1] == expected


@pytest.mark.slow
def test_a_dead_card_at_night_changes_nothing_in_the_street():
    world = LitWorld(look_ms=RARE_MS)
    world.until(world.at(0, 20))
    world.journal_disk.fail_all = world.state_disk.fail_all = True
    _break(world)
    world.send(world.order(lasts_s=600))
    world.until(world.at(1, 11))
    expected = [at_s for at_s, _ in wanted_changes(EVENING, START_S, world.unix_s)]
    assert [at_s for at_s, index, _ in world.switched if index == 0] == expected
    assert world.pulses[-1] >= world.now_ms - limits.CABINET_WATCHDOG_MS


def _break(world):
    """Every call of both disks fails from now on."""

    def fail(*_args, **_options):
        raise OSError(5, "Input/output error")

    for disk in (world.journal_disk, world.state_disk):
        for name in ("append", "read", "size", "list", "delete", "rename", "free_bytes"):
            setattr(disk, name, fail)


def test_keys_that_were_never_installed_take_no_policy():
    world = LitWorld(keys=None)
    world.live(5)
    assert world.cabinet.signed_policy is None
    assert world.events(event.POLICY_REFUSED) == [(None, ["no-keys", None])]
    assert KEYS.threshold == 2 and bundle(policy())
