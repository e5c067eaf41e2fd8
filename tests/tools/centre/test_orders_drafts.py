"""From a wish to a command: who may, what it touches, what forbids it, what is asked once more."""

import contextlib

import pytest

from policy import document, limits
from tests.support.control_world import (
    AGENT,
    INSEE,
    MAYOR,
    NOW_S,
    STRANGER,
    limit,
    new_file,
    order,
    person,
    policy,
    put,
)
from tools.centre.control import orders
from tools.centre.control.drafts import (
    DARK,
    LIMITED,
    LOWERED,
    MANY,
    NotAllowed,
    Request,
    draft,
    draft_end,
    sign_and_keep,
)
from tools.centre.limits import COMMANDS_OPEN_MAX, CONFIRM_FEEDERS_MAX
from tools.policy import keys
from tools.policy.keys import Signer
from wire import command, cose

NEW = b"12345678"
SIGNER = Signer(MAYOR.kid, MAYOR.public, MAYOR.private.sign)
HOUR_S = 3600
NIGHT_S = NOW_S + 26_400  # 19:26:40, two hours after sunset


@pytest.fixture
def file(tmp_path):
    opened = []

    def new(*policies):
        opened.append(new_file(tmp_path / f"{len(opened)}.db", policies=policies or (None,)))
        return opened[-1]

    yield new
    for connection in opened:
        connection.close()


def wanted(kind=command.EMERGENCY, **more):
    usual = {"insee": INSEE, "gateway": None, "target": None, "level": None, "reason": "essai"}
    times = {"not_before_s": NOW_S, "expires_s": NOW_S + (60 if kind == command.TEST_FEEDER else HOUR_S)}
    return Request(kind, **{**usual, **times, **more})


def override(level, **more):
    return wanted(command.OVERRIDE, level=level, **more)


def drafted(connection, what, who=MAYOR):
    return draft(connection, what, who.kid, NEW, now_s=NOW_S)


def refused(connection, what, who=MAYOR):
    with pytest.raises(NotAllowed) as found:
        drafted(connection, what, who)
    return found.value.key


def test_the_author_is_who_the_policy_says_the_key_is(file):
    found = drafted(file(), wanted(gateway="cab-1", target="centre"))
    assert found.command == command.Command(
        NEW, command.EMERGENCY, "Maire", "essai", NOW_S, NOW_S + HOUR_S, INSEE, "cab-1", "centre", None, None, None
    )
    assert [feeder.name for feeder in found.touched] == ["bourg", "ecole"]


def test_what_is_given_is_signed_by_the_person_and_kept(file):
    connection = file()
    found = drafted(connection, wanted())
    kept = sign_and_keep(connection, found, SIGNER, now_s=NOW_S)
    assert orders.latest(connection, 9) == [kept] and kept.command == found.command
    message = cose.sign1_decode(kept.signed, bytes_max=command.SIGNED_COMMAND_BYTES_MAX)
    (one,) = message.signatures
    assert keys.verify(MAYOR.public, one.signature, cose.to_be_signed(message, cose.COMMAND_AAD))
    assert not keys.verify(AGENT.public, one.signature, cose.to_be_signed(message, cose.COMMAND_AAD))
    for number in range(COMMANDS_OPEN_MAX):
        with contextlib.suppress(orders.Full):
            put(connection, order(number))
    with pytest.raises(NotAllowed) as refused:
        sign_and_keep(connection, found._replace(command=order(99)), SIGNER, now_s=NOW_S)
    assert refused.value.key == "refused.full"


def test_a_key_of_no_operator_is_refused_also_one_that_signs_policies(file):
    connection = file(policy(operators=((AGENT, document.TEST),)))
    assert refused(connection, wanted(), STRANGER) == "refused.stranger"
    assert refused(connection, wanted(), MAYOR) == "refused.stranger"
    assert refused(connection, wanted(insee="49007")) == "refused.no_policy"


def test_a_right_is_asked_for_by_the_kind_of_command(file):
    connection = file()
    test = wanted(command.TEST_FEEDER, target="bourg", expires_s=NOW_S + 60)
    assert drafted(connection, test, AGENT).command.author == "Agent"
    assert refused(connection, wanted(), AGENT) == "refused.right"
    assert refused(connection, override(100), AGENT) == "refused.right"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (wanted(target="gare"), "refused.target"),
        (wanted(command.TEST_FEEDER, target="centre"), "refused.target"),
        (wanted(command.TEST_FEEDER, target="bourg", expires_s=NOW_S + 301), "refused.duration"),
        (wanted(expires_s=NOW_S), "refused.duration"),
        (wanted(expires_s=NOW_S + 7 * 86_400 + 1), "refused.duration"),
        (wanted(not_before_s=NOW_S - 99, expires_s=NOW_S), "refused.ahead"),
        (wanted(not_before_s=NOW_S + 8 * 86_400, expires_s=NOW_S + 8 * 86_400 + 60), "refused.ahead"),
    ],
)
def test_what_no_gateway_would_take_is_refused_with_a_reason(file, what, why):
    assert refused(file(), what) == why


def test_a_limit_that_binds_every_feeder_forbids_and_one_that_binds_some_is_asked_about(file):
    connection = file(policy(limits=[limit(document.NO_DARKENING, "routes")]))
    assert refused(connection, override(0, target="route")) == "refused.limit"
    some = drafted(connection, override(0, gateway="cab-1"))
    assert some.confirm == (LIMITED,) and [name for name, _ in some.limits] == ["route"]
    assert drafted(connection, override(100, gateway="cab-1")).confirm == ()


def test_a_limit_with_a_least_lets_lower_to_it(file):
    connection = file(policy(limits=[limit(document.NO_DARKENING, "*", 50)]))
    assert refused(connection, override(30)) == refused(connection, override(0)) == "refused.limit"
    assert drafted(connection, override(50)).confirm == (LOWERED,)
    assert drafted(connection, override(50, target="bourg")).confirm == ()


def test_light_by_day_and_in_a_dark_window_is_forbidden_but_to_an_emergency(file):
    by_day = file(policy(limits=[limit(document.DARK_BY_DAY, "*", 0, 0)]))
    assert refused(by_day, override(100)) == "refused.limit"
    assert refused(by_day, wanted(command.TEST_FEEDER, target="bourg", expires_s=NOW_S + 60)) == "refused.limit"
    assert drafted(by_day, wanted()).limits == ()
    late = override(100, not_before_s=NIGHT_S, expires_s=NIGHT_S + HOUR_S)
    assert drafted(by_day, late).limits == ()
    # The window begins at 20:00; the command lasts from 19:26 to 20:26.
    window = file(policy(limits=[limit(document.DARK_WINDOW, "*", 20 * 60, 5 * 60)]))
    assert refused(window, late) == "refused.limit"
    assert drafted(window, late._replace(expires_s=NIGHT_S + 60)).limits == ()


def test_a_dark_commune_and_a_wide_switch_are_asked_about_and_an_emergency_never(file):
    connection = file()
    assert drafted(connection, override(0)).confirm == (DARK,)
    assert drafted(connection, override(0, target="bourg")).confirm == ()
    assert drafted(connection, override(0, gateway="cab-1")).confirm == ()
    assert drafted(connection, override(100)).confirm == ()
    many = [document.FeederRule(f"f{number}", 1, 0, "tous") for number in range(CONFIRM_FEEDERS_MAX + 1)]
    wide = file(policy(feeders=many))
    assert drafted(wide, override(100)).confirm == (MANY,)
    assert drafted(wide, override(0)).confirm == (DARK, MANY)
    assert drafted(wide, wanted()).confirm == ()


def test_a_key_that_may_only_light_is_told_what_it_may_before_it_signs(file):
    phone = person("Téléphone")
    connection = file(policy(operators=((phone, document.LIGHT),)))
    assert drafted(connection, wanted(), phone).command.author == "Téléphone"
    long = wanted(expires_s=NOW_S + limits.light_s_max + 1)
    assert refused(connection, long, phone) == "refused.light-only"
    assert refused(connection, override(0), phone) == "refused.right"
    mine = put(connection, order(1)).command
    assert end(connection, mine, phone, giver=phone).command.ends == mine.id
    with pytest.raises(NotAllowed) as not_mine:
        end(connection, mine, phone)
    assert not_mine.value.key == "refused.right"


def end(connection, ended, who=MAYOR, now_s=NOW_S, giver=MAYOR):
    given = orders.Order(ended, b"", giver.kid, NOW_S)
    return draft_end(connection, given, "fini", who.kid, NEW, now_s=now_s)


def test_whoever_could_have_given_a_command_may_end_it_once_while_it_lasts(file):
    connection = file()
    test = order(1, kind=command.TEST_FEEDER, for_s=60, target="bourg", gateway="cab-1")
    emergency = order(2)
    for one in (test, emergency):
        put(connection, one)
    found = end(connection, test, AGENT).command
    assert (found.kind, found.ends, found.gateway, found.target) == (command.END, test.id, "cab-1", None)
    assert found.expires_s == test.expires_s
    with pytest.raises(NotAllowed) as refused:
        end(connection, emergency, AGENT)
    assert refused.value.key == "refused.right"
    with pytest.raises(NotAllowed) as refused:
        end(connection, test, now_s=test.expires_s)
    assert refused.value.key == "refused.over"
    put(connection, order(3, kind=command.END, ends=emergency.id))
    with pytest.raises(NotAllowed) as refused:
        end(connection, emergency)
    assert refused.value.key == "refused.ended"
    with pytest.raises(NotAllowed) as refused:
        end(connection, order(3, kind=command.END, ends=emergency.id))
    assert refused.value.key == "refused.end_of_end"


def test_the_end_of_what_is_planned_far_ahead_is_within_the_longest_window(file):
    planned = order(1, start_s=NOW_S + 6 * 86_400, for_s=7 * 86_400)
    found = end(file(), planned).command
    assert command.encode_command(found) and found.expires_s == NOW_S + command.WINDOW_S_MAX
