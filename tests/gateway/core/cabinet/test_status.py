"""What is told of a cabinet: plain data, complete, and within a status line however large the cabinet is."""

import json

import pytest

from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.equipment import AUTO, FeederObservation, Observation
from gateway.core.cabinet.feeder import FeederOptions
from gateway.core.cabinet.status import cabinet_status
from gateway.core.limits import CABINET_FEEDERS_MAX, ORDERS_MAX
from gateway.core.status import AlarmStatus, PolicyStatus, Status
from gateway.io.status_socket import LINE_BYTES_MAX, encode
from policy import document, limits
from tests.support.lit_world import EVENING, KEYS, OPERATOR, SITE, GatewayWorld, LitWorld, bundle, policy
from wire import command, quantity, quantity_table


def tell(world):
    return cabinet_status(world.cabinet, now_ms=world.now_ms)


@pytest.mark.slow
def test_a_feeder_tells_its_state_its_rule_and_its_night():
    world = LitWorld()
    world.until(world.at(0, 20))
    said = tell(world)
    bourg = said.feeders[0]
    assert (bourg.name, bourg.ordered, bourg.power_w, bourg.expected_w) == ("bourg", True, 448.0, 448.0)
    assert (bourg.rule, bourg.because) == ("policy", "policy: rule 2, step 1")
    assert bourg.until_unix_s == world.at(0, 22, 30)
    assert [level for _, level in bourg.night] == [0, 100, 0, 100, 0]
    assert said.policy.state == "valid" and said.basis == "clock"
    assert document.decode(said.policy_plain) == (policy(), ())


def test_what_was_overruled_is_told_beside_what_decided():
    world = LitWorld()
    world.until(world.at(0, 14))
    world.lease()
    world.send(world.order(OPERATOR, kind=command.OVERRIDE, number=1, level=100, target="bourg"))
    world.send(world.order(number=2))
    world.seen_changes["switch"] = "off"
    world.live(10)
    said = tell(world)
    considered = said.feeders[0].considered
    assert [(one.rule, one.wants) for one in considered] == [
        ("interlock", False), ("emergency", True), ("command", True), ("policy", False),
    ]  # fmt: skip
    assert said.feeders[0].rule == "interlock" and said.switch == "off"
    assert [(one.state, one.level) for one in said.commands] == [("active", 100), ("active", 100)]
    assert AlarmStatus("localOverride", None, ("off",)) in said.alarms


def test_without_policy_time_or_look_it_says_so():
    world = LitWorld(clock=False, made=None, keys=None)
    said = tell(world)
    assert said.policy == PolicyStatus("none", has_keys=False)
    assert (said.basis, said.unix_s, said.mains, said.policy_plain) == ("safety", None, None, None)
    assert said.feeders[0].ordered is None and said.feeders[0].night == ()


@pytest.mark.slow
def test_the_largest_cabinet_fits_a_status_line():
    names = [f"départ-{number:02}-du-bourg"[:24] for number in range(CABINET_FEEDERS_MAX)]
    feeders = tuple(FeederOptions(name, 40, 600) for name in names)
    world = GatewayWorld(keyset=KEYS, cabinet=CabinetOptions(SITE.latitude_e4, SITE.longitude_e4, feeders))
    world.cabinet = world.core.cabinet
    lit = LitWorld(made=None)
    rules = tuple(document.FeederRule(name, document.SWITCHED, 0, "rues-du-bourg-et-places"[:24]) for name in names)
    bounds = tuple(
        document.Limit(name, document.DARK_WINDOW, 60, 330, "État" * 10, "Arrêté du 27/12/2018, article 2" * 2, 0, 0)
        for name in names[: limits.ceilings_max]
    )
    made = policy(lighting=document.Lighting(SITE, (EVENING,) * 4, rules, bounds))
    now_ms = world.now_ms
    world.core.on_clock(1000 * lit.start_s + now_ms, 1, now_ms=now_ms)
    world.core.on_message("tc/1/p/49007/cab-12", bundle(made), now_ms=now_ms)
    world.core.poll(now_ms=now_ms)
    assert world.cabinet.signed_policy is not None
    for number in range(ORDERS_MAX):
        world.core.on_message("tc/1/c/49007/cab-12", lit.order(number=number + 1), now_ms=now_ms)
    world.core.on_observation(
        Observation(tuple(FeederObservation(True, 24_000, 10**9, 2310, 9_999) for _ in names), AUTO), now_ms=now_ms
    )
    world.core.poll(now_ms=now_ms)
    said = Status(health=world.core.health(now_ms=world.now_ms), cabinet=tell(world))
    line = encode(said)
    assert len(line) <= LINE_BYTES_MAX and {"health", "cabinet"} <= json.loads(line).keys()


def test_order_report_and_measure_stand_apart_in_the_status_and_in_the_records():
    world = LitWorld()
    world.draw[0], world.feedback[0] = 4480, False  # burns behind a contactor that is ordered open
    world.feedback[1] = True
    world.live(1000)
    bourg, parc = tell(world).feeders
    assert [(one.ordered, one.reported, one.measured) for one in (bourg, parc)] == [
        (False, False, True), (False, True, False),
    ]  # fmt: skip
    last = world.held()["telemetry"][-1].record.body
    for channel, ordered, reported, power_dw in ((1, 0, 0, 4480), (2, 0, 100, 0)):
        levels = [last[quantity.key(code, channel)] for code in (quantity.LEVEL_ORDERED, quantity.LEVEL_REPORTED)]
        assert levels == [ordered, reported] and last[quantity.key(quantity.POWER, channel)] == power_dw
    assert quantity_table.label(quantity.key(quantity.LEVEL_ORDERED, 1)) == "level-ordered.1"
    assert quantity_table.label(quantity.LEVEL_REPORTED) == "level-reported"
