"""Commands: who may, what is refused and why, what becomes of each. Invariant 6: none runs after its expiry, twice,
or from a stranger.
"""

import pytest

from gateway.core import limits
from gateway.core.cabinet.audit import entries
from tests.support.lit_world import (
    AFTERNOON_S,
    MAYOR,
    OPERATOR,
    STRANGER,
    TESTER,
    LitWorld,
    bundle,
    policy,
    signed_policy,
)
from wire import command, cose, event


@pytest.fixture
def world():
    """By day, with a lease."""
    made = LitWorld(start_s=AFTERNOON_S)
    made.until(made.at(0, 14))
    made.lease()
    made.live(5)
    return made


def lease_again(world, unix_s):
    """At this time, with a lease that counts."""
    world.until(unix_s - limits.LEASE_DWELL_MS // 1000 - 1)
    world.lease()
    world.until(unix_s)


def refusals(world):
    return [detail[2] for _, detail in world.events(event.COMMAND_OUTCOME) if detail[1] == "refused"]


def test_an_emergency_lights_every_feeder_until_its_expiry_and_is_measured(world):
    world.send(world.order(lasts_s=600))
    assert world.closed == [True, True]
    world.live(10)
    assert world.outcomes(1) == [
        ("received", None, None),
        ("applied", None, "bourg"),
        ("applied", None, "parc"),
        ("measured", None, "bourg"),
        ("measured", None, "parc"),
    ]
    world.live(600)
    assert world.closed == [False, False]
    assert world.outcomes(1)[-1] == ("expired", None, None)
    told = [tuple(detail[1:4]) for _, detail in world.events(event.COMMAND_OUTCOME)]
    assert told == world.outcomes(1)  # the records say the same as the fast copies
    assert [detail[4] for _, detail in world.events(event.COMMAND_OUTCOME) if detail[1] == "measured"] == [4480, 1500]


@pytest.mark.slow
def test_an_override_puts_a_feeder_out_and_its_end_gives_it_back(world):
    lease_again(world, world.at(0, 20))
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, target="bourg"))
    world.live(10)
    assert world.closed == [False, True]
    assert world.outcomes(1)[-1] == ("measured", None, "bourg")
    world.send(world.order(OPERATOR, kind=command.END, number=2, ends=(1).to_bytes(8, "big")))
    assert world.closed == [True, True]
    assert world.outcomes(1)[-1] == ("ended", None, None) and world.outcomes(2)[-1] == ("applied", None, None)


def test_a_group_is_addressed_by_its_name_and_the_last_of_two_overrides_wins(world):
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, target="rues", level=100))
    assert world.closed == [True, False]
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, number=2, target="bourg", level=0))
    assert world.closed == [False, False]
    assert world.outcomes(1)[-1] == ("refused", "later", "bourg")


def test_a_command_of_tomorrow_waits_for_its_time(world):
    world.send(world.order(after_s=3600, lasts_s=60))
    world.live(3590)
    assert world.closed == [False, False]
    world.live(15)
    assert world.closed == [True, True]
    world.live(60)
    assert world.closed == [False, False]


def test_the_same_command_again_changes_nothing_and_is_told_its_outcome(world):
    data = world.order(lasts_s=600)
    world.send(data)
    world.live(10)
    switched, events = list(world.switched), len(world.events(event.COMMAND_OUTCOME))
    world.send(data)
    world.live(5)
    assert world.switched == switched and len(world.events(event.COMMAND_OUTCOME)) == events
    assert ("measured", "again", "bourg") in world.outcomes(1)
    world.live(600)
    world.send(data)
    world.live(5)
    assert world.closed == [False, False]


def test_another_command_under_a_known_id_is_refused(world):
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, target="bourg", level=100))
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, target="parc", level=100))
    world.live(5)
    assert world.closed == [True, False] and refusals(world) == ["id-taken"]


@pytest.mark.parametrize(
    ("key", "changes", "why"),
    [
        (STRANGER, {}, "stranger"),
        (OPERATOR, {}, "right"),  # an emergency is the mayor's
        (TESTER, {"kind": command.OVERRIDE, "level": 0}, "right"),
        (MAYOR, {"insee": "49135"}, "scope"),
        (MAYOR, {"gateway": "another"}, "scope"),
        (MAYOR, {"target": "place"}, "scope"),
        (MAYOR, {"kind": command.END, "ends": b"12345678"}, "unknown"),
        (OPERATOR, {"kind": command.OVERRIDE, "level": 100, "target": "parc", "lasts_s": 12 * 3600}, "limit"),
    ],
)
def test_what_is_not_allowed_changes_nothing_and_says_why(world, key, changes, why):
    before = (list(world.switched), list(world.closed))
    world.send(world.order(key, **changes))
    world.live(5)
    assert (world.switched, world.closed) == before
    assert refusals(world) == [why]


@pytest.mark.slow
def test_a_park_that_the_law_wants_dark_at_one_is_lit_by_command_until_one_and_by_emergency_beyond(world):
    lease_again(world, world.at(0, 23))
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, level=100, target="parc", lasts_s=7200))
    assert world.closed[1] is True
    world.live(5)
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, number=2, level=100, target="parc", lasts_s=7200))
    world.live(5)
    assert refusals(world) == ["limit"]
    world.send(world.order(number=3, lasts_s=4 * 3600))
    world.until(world.at(1, 2, 30))
    assert world.closed == [True, True]


def test_retained_late_and_undatable_commands_are_refused(world):
    world.send(world.order(), retained=True)
    late = world.order(number=2, lasts_s=60)
    world.live(61)
    world.send(late)
    world.live(5)
    assert refusals(world) == ["retained", "expired"]
    blind = LitWorld(clock=False)
    blind.send(blind.order())
    blind.live(5)
    assert refusals(blind) == ["clock"]
    assert not any(world.closed) and not any(blind.closed)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_anywhere_changes_nothing(world, seed):
    data = bytearray(world.order())
    bit = (seed * 7919) % (8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    world.send(bytes(data))
    world.live(5)
    assert world.closed == [False, False]
    assert len(refusals(world)) == 1


def test_a_hundred_kilobytes_of_nonsense_change_nothing(world):
    for data in (b"\xd2" + bytes(100_000), bytes(100_000), b"", b"\xd2", b"\xff" * 64, signed_policy(policy())):
        world.send(data)
    world.live(5)
    assert world.closed == [False, False]
    assert sorted(refusals(world)) == ["malformed", "too-long"]  # each reason once, not each message
    assert world.cabinet.orders.counters["refused"] + 5 == 6
    world.live(limits.REFUSALS_EVERY_MS / 1000)
    world.send(b"")
    counts = [entry["count"] for entry in entries(world.state_disk) if entry["what"] == "command-refused"]
    assert counts == [1, 1, 2]


def test_a_policy_signature_is_none_for_a_command(world):
    asked = cose.sign1_decode(world.order(), bytes_max=2000).payload
    world.send(cose.sign1_encode(asked, MAYOR.kid, cose.POLICY_AAD, MAYOR.sign))
    world.live(5)
    assert refusals(world) == ["signature"] and world.closed == [False, False]


def test_an_override_rests_without_a_lease_and_holds_again_after_the_dwell(world):
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, level=100, target="bourg", lasts_s=7200))
    assert world.closed == [True, False]
    world.core.on_disconnected("cut", now_ms=world.now_ms)
    world.live(limits.LEASE_S + 20)
    assert world.closed == [False, False]
    assert world.outcomes(1)[-1] != ("refused", "lease", "bourg")  # nobody hears it, but the record stands
    assert ["refused", "lease", "bourg"] in [detail[1:4] for _, detail in world.events(event.COMMAND_OUTCOME)]
    world.lease()
    assert world.closed == [False, False]
    world.live(limits.LEASE_DWELL_MS / 1000 + 5)
    assert world.closed == [True, False]


def test_an_emergency_outlives_the_lease_and_a_restart(world):
    world.send(world.order(lasts_s=4 * 3600))
    world.core.on_disconnected("cut", now_ms=world.now_ms)
    world.live(1800)
    assert world.closed == [True, True]
    world.power_cut()
    world.tell_clock()
    world.live(30)
    assert world.closed == [True, True]
    assert not [detail for _, detail in world.events(event.COMMAND_OUTCOME) if detail[1] == "received"][1:]
    world.live(3 * 3600 + 1800)
    assert world.cabinet.orders.in_force(0)[0] is None


def test_an_agent_that_restarts_before_a_meter_has_shown_an_order_measures_it(world):
    world.silent.add(0)
    world.send(world.order(lasts_s=600))
    world.live(5)
    assert world.outcomes(1)[-2:] == [("applied", None, "parc"), ("measured", None, "parc")]
    world.power_cut()
    world.silent.clear()
    world.tell_clock()
    world.connect()
    world.live(10)
    assert world.outcomes(1) == [("measured", None, "bourg")]


def test_an_override_waits_for_a_lease_after_a_restart_and_one_that_was_ended_does_not_come_back(world):
    for number, target in ((1, "bourg"), (2, "parc")):
        world.send(
            world.order(OPERATOR, kind=command.OVERRIDE, number=number, level=100, target=target, lasts_s=7200)
        )
    world.send(world.order(OPERATOR, kind=command.END, number=3, ends=(2).to_bytes(8, "big")))
    world.live(5)
    world.power_cut()
    world.tell_clock()
    world.live(30)
    assert world.closed == [False, False]
    world.connect()
    world.live(2)
    world.lease()
    world.live(5)
    assert world.closed == [True, False]


def test_a_stale_or_unasked_lease_lends_nothing(world):
    other = LitWorld()
    other.until(other.at(0, 14))
    other.send(command.encode_grant(command.Grant(b"12345678", 300)))
    other.send(other.order(OPERATOR, kind=command.OVERRIDE, level=100))
    other.live(30)
    assert other.closed == [False, False]
    assert other.cabinet.lease.counters["stale"] == 1


def test_watts_that_do_not_agree_are_told(world):
    world.draw[0] = 0
    world.silent.add(1)
    world.send(world.order())
    world.live(90)
    assert ("unmeasured", "watts", "bourg") in world.outcomes(1)
    assert ("unmeasured", "meter", "parc") in world.outcomes(1)


def test_a_clock_that_is_put_back_does_not_prolong_a_command(world):
    world.send(world.order(lasts_s=600))
    world.live(300)
    world.clock = False
    world.tell_clock(wrong_s=-3600)
    world.live(310)
    assert world.closed == [False, False]


def test_orders_are_bounded(world):
    for number in range(1, limits.ORDERS_MAX + 2):
        world.send(world.order(number=number, lasts_s=600))
    world.live(5)
    assert refusals(world) == ["full"]
    world.live(700)
    world.send(world.order(number=1000, lasts_s=600))
    assert world.closed == [True, True]


def test_who_may_command_is_in_the_policy_in_force(world):
    world.give(bundle(policy(2, operators=())))
    world.send(world.order())
    world.live(5)
    assert refusals(world) == ["stranger"]
