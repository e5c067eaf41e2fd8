"""The control centre joined with the gateway's own core, in virtual time: leases, policies, commands, both ways."""

from contextlib import closing

import pytest

from policy import document, keyset
from tests.support import lit_world
from tests.support.gateway_world import INSEE
from tests.support.joined_world import Joined
from tests.support.lit_world import CLERK, DEPUTY, MAYOR, OPERATOR, PHONE, START_S, STRANGER
from tools.centre.control import communes, orders, outbox
from tools.centre.store import database
from wire import command, cose, event


@pytest.fixture
def joined(tmp_path):
    joined = Joined(tmp_path / "control.db")
    joined.publish(lit_world.policy())
    joined.live(130)  # the gateway asks each minute: for the policy, then with it
    yield joined
    joined.connection.close()
    joined.people.close()


def test_a_gateway_with_keys_takes_the_policy_and_holds_a_lease(joined):
    assert joined.gateway.cabinet.signed_policy.policy == lit_world.policy()
    assert (joined.seen().policy_version, joined.seen().keyset_version) == (1, 1)
    assert joined.gateway.cabinet.lease.is_held(now_ms=joined.gateway.now_ms)
    joined.publish(lit_world.policy(2))
    joined.live(130)
    assert joined.gateway.cabinet.signed_policy.policy.version == joined.seen().policy_version == 2


def test_a_new_key_set_goes_by_steps_and_the_policy_with_the_step_that_verifies_it(joined):
    second = keyset.KeySet(2, INSEE, 2, ((DEPUTY.public, "adjointe"), (CLERK.public, "secrétaire")), ())
    third = keyset.KeySet(3, INSEE, 2, ((CLERK.public, "secrétaire"), (OPERATOR.public, "exploitant")), ())
    for later, signers in ((second, (MAYOR, DEPUTY)), (third, (DEPUTY, CLERK))):
        data = cose.sign_encode(keyset.encode(later), [(one.kid, one.sign) for one in signers], cose.KEYS_AAD)
        with database.transaction(joined.people):
            assert communes.accept_keyset(joined.people, data, now_s=START_S)[0] == later
    joined.publish(lit_world.policy(2), OPERATOR)
    joined.live(200)
    assert (joined.seen().policy_version, joined.seen().keyset_version) == (2, 3)
    assert joined.gateway.events(event.POLICY_REFUSED) == [], "no false alarm on the way"


def test_an_emergency_is_measured_and_ended(joined):
    kept = joined.order()
    joined.live(12)
    found = joined.standing(kept)
    assert (found.is_fulfilled, found.is_settled, joined.gateway.closed) == (True, True, [True, True])
    assert {feeder.name: feeder.last.power_dw for feeder in found.cabinets[0].feeders} == {"bourg": 4480, "parc": 1500}
    ended = joined.end(kept)
    joined.live(5)
    assert joined.gateway.closed == [False, False], "it is noon"
    assert joined.standing(ended).is_fulfilled and joined.told(kept)[None] == ("ended", None)


def test_an_override_holds_to_its_expiry(joined):
    kept = joined.order(command.OVERRIDE, key=OPERATOR, target="bourg", level=100, for_s=60)
    joined.live(12)
    assert joined.gateway.closed == [True, False] and joined.standing(kept).is_fulfilled
    joined.live(60)
    assert joined.gateway.closed == [False, False]
    assert joined.standing(kept).cabinets[0].state == "expired" and joined.standing(kept).is_fulfilled


def test_a_feeder_that_is_locked_at_the_cabinet_refuses_and_follows_when_it_is_free(joined):
    joined.gateway.cabinet.lock(0, "technicien", now_ms=joined.gateway.now_ms)
    kept = joined.order()
    joined.live(12)
    assert joined.told(kept)["bourg"] == ("refused", "interlock") and not joined.standing(kept).is_fulfilled
    joined.gateway.cabinet.unlock(0, now_ms=joined.gateway.now_ms, who="technicien")
    joined.live(12)
    assert joined.told(kept)["bourg"] == ("measured", None) and joined.standing(kept).is_fulfilled


def test_a_meter_that_is_silent_leaves_it_applied_and_watts_that_do_not_come_are_told(joined):
    joined.gateway.silent.add(0)
    joined.gateway.draw[1] = 0
    kept = joined.order()
    joined.live(90)
    assert joined.told(kept)["bourg"][0] == joined.told(kept)["parc"][0] == "unmeasured"
    found = joined.standing(kept)
    assert [feeder.is_fulfilled for feeder in found.cabinets[0].feeders] == [True, False] and found.is_settled


def test_what_a_broken_centre_would_order_is_refused_by_the_cabinet(joined):
    now_s = joined.gateway.unix_s
    usual = (command.EMERGENCY, "Maire", "essai", now_s, now_s + 3600, INSEE, None, None, None, None, None)
    by_stranger = joined.put(command.Command(b"stranger", *usual), STRANGER)
    by_operator = joined.put(command.Command(b"operator", *usual), OPERATOR)  # no right to an emergency
    elsewhere = joined.put(command.Command(b"elsewher", *usual)._replace(target="gare"), MAYOR)
    joined.live(30)
    assert joined.gateway.closed == [False, False]
    assert joined.told(by_stranger) == {} and not joined.standing(by_stranger).is_fulfilled
    assert joined.told(by_operator) == {None: ("refused", "right")}
    assert joined.told(elsewhere) == {None: ("refused", "scope")}


def test_a_limit_that_the_centre_would_not_ask_about_is_the_cabinets_own(joined):
    park = document.Limit("parcs", document.DARK_BY_DAY, 0, 0, "Préfet", "Arrêté 7", 0, 0)
    made = lit_world.policy(2)
    joined.publish(made._replace(lighting=made.lighting._replace(limits=(park,))))
    joined.live(130)
    now_s = joined.gateway.unix_s
    times, place = (now_s, now_s + 60), (INSEE, None, "parc", 100, None, None)
    kept = joined.put(command.Command(b"limited-", command.OVERRIDE, "Maire", "essai", *times, *place), MAYOR)
    joined.live(5)
    assert joined.told(kept) == {None: ("refused", "limit")}


def test_words_that_were_lost_while_the_centre_was_away_are_heard_at_its_return(joined):
    kept = joined.order()
    joined.live(1)
    joined.carry()
    joined.gateway.live(60)
    joined.carried = len(joined.gateway.publications)  # the broker let them go
    assert {said[0] for said in joined.told(kept).values()} <= {"received", "applied"}
    joined.dispatcher.on_connected(session_present=False)
    joined.live(2)
    assert {name: said[0] for name, said in joined.told(kept).items()} == {
        None: "received", "bourg": "measured", "parc": "measured",
    }  # fmt: skip
    assert joined.standing(kept).is_fulfilled


def test_after_the_gateways_restart_the_command_is_known_and_its_outcome_told_again(joined):
    kept = joined.order()
    joined.live(12)
    joined.gateway.power_cut()
    joined.gateway.start()
    joined.gateway.tell_clock()
    joined.gateway.connect()
    joined.live(30)
    assert joined.gateway.closed == [True, True] and joined.standing(kept).is_fulfilled


def test_from_a_signature_in_the_web_to_measured_watts(tmp_path):
    joined = Joined(tmp_path / "control.db", start_s=lit_world.AFTERNOON_S)
    joined.publish(lit_world.policy())
    joined.live(40)
    web = str(tmp_path / "web.sqlite3.outbox")
    one = command.Command(
        b"fromtap1", command.EMERGENCY, PHONE.name, "recherche", joined.gateway.unix_s, joined.gateway.unix_s + 3600,
        INSEE, None, None, None, None, None,
    )  # fmt: skip
    signed = orders.opened(lit_world.signed(one, PHONE), joined.gateway.unix_s)
    outbox.put(web, signed, "A. Martin", now_s=joined.gateway.unix_s)
    with closing(outbox.Outbox(web, str(tmp_path / "control.db"), lambda *_, **__: None)) as fetching:
        fetching.fetch(now_s=joined.gateway.unix_s)
    joined.live(12)
    found = joined.standing(orders.get(joined.people, one.id))
    assert found.is_fulfilled and found.missing == ()
    (cabinet,) = found.cabinets
    assert {feeder.name: feeder.last.power_dw for feeder in cabinet.feeders} == {"bourg": 4480, "parc": 1500}
