"""Restarts, damaged cards, odd clocks, floods, revoked keys: what a strict reader asked about policies and orders."""

import errno

import pytest

from gateway.core import limits
from gateway.core.cabinet import audit
from gateway.core.cabinet.audit import Audit, verify
from gateway.core.custody.disk import SharedFolder
from policy import document, keyset
from tests.support.lit_world import (
    CLERK,
    DEPUTY,
    KEYS,
    MAYOR,
    OPERATOR,
    OPERATORS,
    STRANGER,
    TESTER,
    LitWorld,
    bundle,
    by_day,
    by_night,
    policy,
    restart,
    rewrite,
)
from wire import command, cose, event

# --- what the card holds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace(b'"data":"d2', b'"data":"zz'),
        lambda line: line.replace(b'"id":"', b'"ix":"'),
        lambda line: line.replace(b'"outcome":"', b'"outcame":"'),
        lambda line: line.replace(b'"feeder":null', b'"feeder":{}'),
    ],
)
def test_a_damaged_line_of_the_audit_log_keeps_nobody_from_starting(damage):
    world = by_day()
    world.send(world.order(lasts_s=7200))
    world.live(5)
    (name,) = (name for name in world.state_disk.list() if name.startswith("audit-"))
    rewrite(world.state_disk, name, damage(world.state_disk.read(name, 0, 1 << 20)))
    world.start()
    world.tell_clock()
    world.live(5)
    assert verify(world.state_disk)[1] or world.cabinet.orders.counters["unreadable"]


def test_a_card_that_is_read_only_at_the_start_leaves_policy_and_emergencies():
    world = by_day()
    for disk in (world.state_disk, world.journal_disk):
        disk.append_error = disk.delete_error = errno.EROFS
    restart(world)
    world.live(5)
    assert world.cabinet.signed_policy.policy.version == 1
    world.send(world.order(lasts_s=7200))
    world.live(5)
    assert world.cabinet.orders.counters["received"] == 1
    assert all(world.closed[index] for index in range(len(world.closed))), "the emergency lights every feeder"


def test_a_key_set_that_cannot_be_read_brings_no_revoked_key_back():
    world = LitWorld()
    later = keyset.KeySet(2, KEYS.insee, 2, ((STRANGER.public, "n"), (DEPUTY.public, "a"), (CLERK.public, "s")), ())
    signed = cose.sign_encode(keyset.encode(later), [(key.kid, key.sign) for key in (DEPUTY, CLERK)], cose.KEYS_AAD)
    world.give(command.encode_bundle(signed, None))
    rewrite(world.state_disk, "keyset-0000000002", b"torn")
    restart(world)
    world.give(bundle(policy(5), MAYOR))
    assert world.cabinet.signed_policy.policy.version == 1
    world.give(command.encode_bundle(signed, None))
    world.give(bundle(policy(5), MAYOR))
    world.give(bundle(policy(6), DEPUTY))
    assert world.cabinet.signed_policy.policy.version == 6


def test_a_read_error_at_the_start_lets_no_version_go_backwards():
    world = LitWorld()
    world.give(bundle(policy(2)))
    world.live(2)
    read = world.state_disk.read
    world.state_disk.read = lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error"))
    world.start()
    world.state_disk.read = read
    world.tell_clock()
    world.give(bundle(policy(1, authority="Conseil")))
    assert world.cabinet.signed_policy is None
    world.give(bundle(policy(2)))
    assert world.cabinet.signed_policy.policy.version == 2


def test_the_highest_version_signed_by_a_stolen_key_bars_nothing_once_that_key_is_replaced():
    world = LitWorld()
    world.give(bundle(policy(0xFFFFFFFF), MAYOR))
    later = keyset.KeySet(2, KEYS.insee, 2, ((STRANGER.public, "n"), (DEPUTY.public, "a"), (CLERK.public, "s")), ())
    signed = cose.sign_encode(keyset.encode(later), [(key.kid, key.sign) for key in (DEPUTY, CLERK)], cose.KEYS_AAD)
    world.give(command.encode_bundle(signed, None))
    world.give(bundle(policy(3), DEPUTY))
    assert world.cabinet.signed_policy.policy.version == 3
    restart(world)
    assert world.cabinet.signed_policy.policy.version == 3
    world.give(bundle(policy(2), DEPUTY))
    assert world.cabinet.signed_policy.policy.version == 3


def test_a_bundle_that_comes_before_the_time_does_not_put_the_policy_in_force_away():
    world = LitWorld()
    restart(world, clock=False)
    world.give(bundle(policy(2, valid_from_s=world.unix_s + 30 * 86_400)))
    world.tell_clock()
    world.live(5)
    assert world.cabinet.signed_policy.policy.version == 1


def test_a_line_that_stands_on_the_card_though_it_was_refused_breaks_no_chain():
    world = LitWorld()
    log = Audit(SharedFolder(world.state_disk, "cabinet"))
    sync = world.state_disk.sync
    world.state_disk.sync = lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error"))
    assert not log.write("lease", unix_s=1, uptime_s=1)
    world.state_disk.sync = sync
    assert log.write("lease", unix_s=2, uptime_s=2)
    assert verify(world.state_disk)[1] == []


# --- orders over restarts and changes of policy ---------------------------------------------------------------------


def test_a_command_that_was_ended_does_not_run_again_however_often_it_is_repeated():
    world = by_day()
    data = world.order(lasts_s=7200)
    world.send(data)
    world.send(world.order(kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    lines = world.cabinet.audit.head.entries
    for _ in range(50):
        world.send(data)
    assert world.cabinet.audit.head.entries == lines
    restart(world)
    world.send(data)
    world.live(30)
    assert world.closed == [False, False]


@pytest.mark.slow
def test_an_ended_command_is_remembered_behind_many_others_until_it_expires():
    world = by_day()
    data = world.order(lasts_s=6 * 3600)
    world.send(data)
    world.send(world.order(kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    for number in range(10, 10 + 2 * limits.ORDERS_MAX):
        world.send(world.order(number=number, lasts_s=60))
        world.send(world.order(kind=command.END, number=1000 + number, ends=number.to_bytes(8, "big")))
    world.live(70)
    world.send(data)
    world.live(5)
    assert world.closed == [False, False]
    restart(world)
    world.send(data)
    world.live(5)
    assert world.closed == [False, False]


def test_an_open_emergency_is_not_lost_behind_what_is_over():
    world = by_day()
    world.send(world.order(lasts_s=6 * 3600))
    for number in range(10, 10 + limits.ORDERS_MAX):
        world.send(world.order(number=number, lasts_s=60))
        world.send(world.order(kind=command.END, number=1000 + number, ends=number.to_bytes(8, "big")))
    restart(world)
    world.live(30)
    assert world.closed == [True, True]


def test_one_persons_orders_crowd_out_neither_an_emergency_nor_its_end():
    world = by_day()
    for number in range(10, 10 + limits.ORDERS_MAX):
        world.send(
            world.order(TESTER, kind=command.TEST_FEEDER, number=number, lasts_s=60, after_s=86_400, target="bourg")
        )
    assert len(world.cabinet.orders.known()) == limits.ORDERS_OF_ONE_MAX
    world.send(world.order(lasts_s=600))
    assert world.closed == [True, True]
    world.send(world.order(kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    assert world.closed == [False, False]


def test_a_command_for_next_year_is_refused():
    world = by_day()
    world.send(world.order(after_s=300 * 86_400, lasts_s=60))
    assert world.outcomes(1) == [("refused", "too-early", None)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"operators": tuple(one for one in OPERATORS if one.name != OPERATOR.name)},
        {"operators": tuple(one._replace(rights=document.TEST) for one in OPERATORS)},
        {
            "lighting": policy().lighting._replace(
                limits=(document.Limit("*", document.NO_DARKENING, 0, 0, "Conseil", "2026-42", 0, 0),)
            )
        },
    ],
)
def test_a_policy_that_allows_an_order_no_more_ends_it_also_over_a_restart(changes):
    world = by_night()
    data = world.order(OPERATOR, kind=command.OVERRIDE, lasts_s=7200)
    world.send(data)
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, number=2, after_s=3600, lasts_s=600))
    world.live(10)
    assert world.closed == [False, False]
    world.give(bundle(policy(2, **changes)))
    world.live(10)
    refused = world.outcomes(1)[-1]
    assert world.closed == [True, True] and refused[0] == "refused"
    restart(world)
    world.connect()
    world.lease()
    world.send(data)
    world.live(60)
    assert world.closed == [True, True]
    assert world.outcomes(1) == ([] if refused[1] == "stranger" else [refused]), "a stranger is not answered"


@pytest.mark.parametrize("how", ["waits for its day", "is damaged and comes again"])
def test_an_emergency_is_not_lost_with_the_policy_that_names_its_author(how):
    world = by_day()
    world.send(world.order(lasts_s=6 * 3600))
    if how == "waits for its day":
        world.give(bundle(policy(2, valid_from_s=world.unix_s + 30 * 86_400, operators=OPERATORS[1:])))
        restart(world)
    else:
        world.live(5)
        rewrite(world.state_disk, "policy-0000000001", b"torn")
        restart(world)
        world.live(20)
        world.give(bundle(policy()))
    world.live(10)
    assert world.closed == [True, True]


def test_an_end_after_a_restart_stays_an_end_and_says_nothing():
    world = by_day()
    world.send(world.order(lasts_s=7200))
    world.send(world.order(kind=command.END, number=2, ends=(1).to_bytes(8, "big"), lasts_s=7200))
    world.live(5)
    restart(world)
    world.live(60)
    end = (2).to_bytes(8, "big")
    told = [tuple(detail[:3]) for _, detail in world.events(event.COMMAND_OUTCOME) if detail[0] == end]
    assert told == [(end, "applied", None)]


@pytest.mark.slow
def test_a_refused_command_that_comes_again_is_told_why_again():
    world = by_night()
    world.core.on_disconnected("cut", now_ms=world.now_ms)
    world.live(limits.LEASE_S + 30)
    data = world.order(OPERATOR, kind=command.OVERRIDE)
    world.connect()
    world.send(data)
    world.live(30)
    del world.publications[:]
    world.send(data)
    assert ("refused", "lease", "bourg") in world.outcomes(1)


def test_a_full_card_does_not_make_an_end_undone():
    world = by_day()
    world.send(world.order(lasts_s=7200))
    append = world.state_disk.append
    world.state_disk.append = lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    world.send(world.order(kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    world.live(30)
    world.state_disk.append = append
    world.live(30)
    restart(world)
    world.live(10)
    assert world.closed == [False, False] and verify(world.state_disk)[1] == []


def test_a_flood_of_rubbish_pushes_no_open_order_out_of_the_log(monkeypatch):
    monkeypatch.setattr(limits, "AUDIT_FILE_BYTES_MAX", 4_000)
    monkeypatch.setattr(limits, "AUDIT_FILES_MAX", 2)
    assert audit.limits is limits
    world = by_day()
    world.send(world.order(lasts_s=6 * 3600))
    for _ in range(500):
        world.send(b"\x00rubbish")
    restart(world)
    world.live(10)
    assert world.closed == [True, True]


def test_a_clock_that_was_ahead_does_not_cut_an_emergency_short():
    world = by_day()
    world.tell_clock(wrong_s=3000)
    world.send(world.order(lasts_s=3600))
    world.live(60)
    world.tell_clock()
    world.live(3000)
    assert world.closed == [True, True]
    world.live(700)
    assert world.closed == [False, False]


def test_an_emergency_under_a_clock_that_breaks_makes_nobody_spin_and_still_ends():
    world = by_day()
    world.send(world.order(lasts_s=3600))
    world.clock = False
    world.tell_clock(wrong_s=10 * 366 * 86_400)
    polls = world.core.cabinet.counters["observations"]
    world.live(60)  # every turn asserts that the next deadline lies ahead
    assert world.core.cabinet.counters["observations"] > polls
    world.live(3700)
    assert world.cabinet.orders.in_force(0)[0] is None
