"""Lamps that an order lowers, or lights from dimmed, in the smallest world; and that the checker catches who breaks
the rules."""

import pytest

from gateway.core.bearers.bearer import Bearer
from gateway.core.cabinet import node_orders, outcomes
from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.gateway import Options as GatewayOptions
from lighting import dali, decision
from node import orders
from policy import ceiling, document, lighting
from simulator.cabinet.commune import BEHUARD, POLICY_FILE, policy_of, signed_policy
from simulator.checkers.lighting import EVERY_MS, GRACE_S, Watched
from simulator.checkers.lowered import LoweredChecker
from simulator.checkers.street import Order
from simulator.estates.streets import District, Streets
from simulator.hosts.centre import Centre, Control
from simulator.hosts.gateway import SMALL_CARD
from simulator.hosts.joining import Joining
from simulator.hosts.keys import holder_key, keyset_of
from simulator.hosts.street_gateway import StreetGateway
from simulator.options import Options
from simulator.plants.feeder import FeederData
from simulator.plants.lamps import Air, Lamp, LampData, LampFeeder
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import command, cose

_S = 1000
GATEWAY = bytes.fromhex("7c1f0a2cfeff0125")
FEEDER = FeederData("promenade", 6, 0, switched=False)
ID = b"lowered1"
PLACE = District(
    BEHUARD.insee, BEHUARD.name, "cab-2", BEHUARD.latitude_e4, BEHUARD.longitude_e4, FEEDER.lamps,
    feeders=((FEEDER.name, FEEDER.lamps),),
)  # fmt: skip
LEAST = document.Limit(FEEDER.name, document.NO_DARKENING, 50, 0, "Conseil", "2026-42", 0, 0)

GEAR_AT_40 = dali.percent_of(dali.level_of(40, dali.LOGARITHMIC), dali.LOGARITHMIC)


class Evening:
    """Six lamps of a promenade and their cabinet, from half an hour after dusk on, or `late` in the night."""

    def __init__(self, *limits: document.Limit, is_late: bool = False) -> None:
        night = lighting.Plan(lighting.DEFAULT_CALENDAR, BEHUARD.site).night(Options().start_unix_s)
        self.world = World(start_unix_s=night.sunset_s + (7 * 3600 if is_late else 0))
        prng = Prng(7)
        broker = Broker(self.world, prng.split("broker"))
        self.centre = Centre(self.world, prng.split("centre"), broker)
        self.control = Control(self.world, broker)
        joining = Joining(self.world, lambda *_: None, loss_permille=0)
        options = GatewayOptions(
            gateway=GATEWAY, insee=PLACE.insee, name=PLACE.name, keyset=keyset_of(PLACE.insee), **SMALL_CARD,
            bearers=(Bearer("fibre"),),
        )  # fmt: skip
        self.gateway = gateway = StreetGateway(self.world, prng.split("gateway"), options, broker)
        self.streets = Streets(self.world, joining, calendar="dimming")
        air = Air(latitude_e4=PLACE.latitude_e4, longitude_e4=PLACE.longitude_e4, mean_ck=850, swing_ck=600)
        self.streets.build(gateway, PLACE, air, prng.split("lamps"))
        self.streets.lowered.least_percent = limits[0].a if limits else 0
        gateway.points = points = self.streets.points(gateway)
        cabinet = CabinetOptions(PLACE.latitude_e4, PLACE.longitude_e4, points.options())
        gateway.options = options._replace(cabinet=cabinet)
        policy = policy_of(BEHUARD, [FEEDER], lighting.DEFAULT_CALENDAR, now_s=self.world.unix_s)
        policy = policy._replace(lighting=policy.lighting._replace(limits=limits))
        gateway.state_disk.put(POLICY_FILE, signed_policy(policy))
        self.centre.start()
        self.control.start()
        self.centre.bind(gateway.nodes, PLACE.insee, PLACE.name)
        gateway.power_on()
        self.streets.start()
        self.world.at(600 * _S, self.world.every, EVERY_MS, self.streets.check_light)
        self.after(30)

    def after(self, minutes: int, seconds: int = 0) -> "Evening":
        self.world.run_until(self.world.now_ms + _S * (60 * minutes + seconds))
        return self

    def order(self, level: int, *, minutes: int = 60) -> "Evening":
        now_s, key = self.world.unix_s, holder_key(PLACE.insee, "mairie")
        to_s, id = now_s + 60 * minutes, ID
        one = command.Command(
            id, command.OVERRIDE, "mairie", "plainte", now_s, to_s, PLACE.insee, None, FEEDER.name, level, None, None
        )
        kid = cose.kid_of(key.public_key().public_bytes_raw())
        data = cose.sign1_encode(command.encode_command(one), kid, cose.COMMAND_AAD, key.sign)
        self.control.send(PLACE.insee, PLACE.name, data)
        wanted = Order(None, True, now_s, to_s, False, id, level)
        self.streets.expect(wanted, PLACE.insee, None, FEEDER.name)
        return self

    def restart_agent(self) -> "Evening":
        """Its machine loses its power for an instant; the lamps keep their mains."""
        self.gateway.power_cut()
        self.gateway.power_on()
        return self

    def levels(self) -> list[int]:
        return [lamp.burning_percent() for lamp in self.streets.lamps]

    def said(self) -> list[str]:
        return [one.outcome for one in self.control.outcomes if one.feeder == FEEDER.name]

    def violations(self) -> list[str]:
        return self.streets.violations(list(self.centre.warehouse.bodies()))


def test_a_promenade_is_lowered_measured_and_back_by_itself():
    evening = Evening()
    assert evening.levels() == [100] * FEEDER.lamps
    evening.order(50, minutes=30).after(5)
    assert evening.levels() == [50] * FEEDER.lamps and evening.said() == ["applied", "measured"]
    evening.after(30)
    assert evening.levels() == [100] * FEEDER.lamps
    assert evening.violations() == []


def test_it_never_raises_and_a_dark_lamp_leaves_it_unmeasured():
    evening = Evening(is_late=True)  # by its calendar at 40 %
    evening.streets.lamps[2].damage("module_dead")
    evening.order(30).after(30)
    assert evening.levels() == [30] * FEEDER.lamps and evening.said() == ["applied", "unmeasured"]
    assert evening.violations() == []


def test_what_the_calendar_has_lowered_further_is_measured_so():
    evening = Evening(is_late=True).order(70).after(5)
    assert evening.levels() == [40] * FEEDER.lamps and evening.said() == ["applied", "measured"]
    assert evening.violations() == []


@pytest.mark.parametrize("is_one_dead", [False, True])
def test_light_at_night_is_measured_once_the_dimmed_lamps_have_risen(is_one_dead):
    evening = Evening(is_late=True)
    evening.streets.lamps[2].damage("module_dead", is_damaged=is_one_dead)
    evening.order(100)
    evening.world.run_until(evening.world.now_ms + 20 * _S)
    assert evening.levels() == [100] * FEEDER.lamps and evening.said() == ["applied"]
    assert evening.after(3 + is_one_dead).said() == ["applied", "measured"]
    assert evening.violations() == []


def test_an_agent_that_restarts_while_lamps_are_measured_comes_to_the_same_outcome():
    evening = Evening().order(50).after(1, 15).restart_agent()
    assert evening.said() == ["applied"] and evening.after(20).said() == ["applied", "measured"]
    assert evening.violations() == []


def test_the_least_of_the_policy_holds():
    evening = Evening(LEAST).order(30).after(5)
    assert evening.levels() == [100] * FEEDER.lamps
    assert [one.why for one in evening.control.outcomes if one.outcome == "refused"] == ["limit"]
    assert evening.violations() == []


@pytest.mark.parametrize(("percent", "is_right"), [(GEAR_AT_40, True), (36, False)])
def test_a_gear_may_give_the_nearest_step_of_its_curve(percent, is_right):
    night = lighting.Plan(lighting.DIMMING_CALENDAR, BEHUARD.site).night(Options().start_unix_s)
    midnight_s = night.sunset_s + 7 * 3600  # by the calendar at 40 %
    lamp = Lamp(LampData(240, 6, 240, 0), LampFeeder(Prng(7), switched=False), None, Prng(7))
    lamp.level_percent = percent
    checker = LoweredChecker([Watched("lamp", lamp, lighting.Plan(lighting.DIMMING_CALENDAR, BEHUARD.site))])
    checker.orders.add(Order(None, True, midnight_s, midnight_s + 3600, False, b"lowered1", 50), [lamp.feeder])
    for after_s in (0, GRACE_S + 1):
        checker.check(unix_s=midnight_s + after_s)
    assert (checker.violations == []) == is_right


# --- planted bugs -------------------------------------------------------------------------------------------------


def test_a_cabinet_that_forgets_the_least_is_caught(monkeypatch):
    monkeypatch.setattr(ceiling, "broken", lambda *_: None)
    (first, *_) = Evening(LEAST).order(30).after(8).violations()
    assert "gives 30 %, not 50 %" in first


def test_a_node_that_takes_its_share_of_the_calendars_level_is_caught(monkeypatch):
    whole = decision.LightDecision.decide

    def share(self, unix_s, uncertainty_s, order=None, cell=None):
        demand = whole(self, unix_s, uncertainty_s, order, cell)
        own_percent = whole(self, unix_s, uncertainty_s, None, cell).level_percent
        return demand if order is None else demand._replace(level_percent=own_percent * order.level_percent // 100)

    monkeypatch.setattr(decision.LightDecision, "decide", share)
    (first, *_) = Evening(is_late=True).order(30).after(8).violations()
    assert "gives 12 %, not 30 %" in first


def test_a_cabinet_that_counts_a_dark_lamp_as_lowered_is_caught(monkeypatch):
    class Credulous(outcomes._AtLamp):
        def __new__(cls, outcome, why, power_dw):
            return super().__new__(cls, "measured" if outcome == "applied" else outcome, why, power_dw)

    monkeypatch.setattr(outcomes, "_AtLamp", Credulous)
    evening = Evening()
    evening.streets.lamps[2].damage("module_dead")
    (dark,) = evening.order(50).after(8).violations()
    assert "gives 0 %, and counts as lowered to 50 %" in dark


def test_a_cabinet_that_takes_a_street_that_burns_for_one_that_has_risen_is_caught(monkeypatch):
    def by_the_meter(self, order, index, _since_ms, now_ms):
        self._orders.report(order, "measured", None, index, 1, now_ms=now_ms)
        return True

    monkeypatch.setattr(outcomes.Outcomes, "_judge_lamps", by_the_meter)
    monkeypatch.setattr(node_orders, "_in_force", lambda _order: None)  # no lamp hears of it
    (dimmed, *_) = Evening(is_late=True).order(100).after(8).violations()
    assert "gives 40 %, as most beside it, and counts as lit" in dimmed


@pytest.mark.slow
def test_an_agent_that_forgets_in_a_restart_what_it_has_applied_is_caught(monkeypatch):
    whole = outcomes.Outcomes._apply

    def once(self, order, index, is_at_lamps, now_ms):
        if outcomes._last(order, index) != outcomes.APPLIED:
            whole(self, order, index, is_at_lamps, now_ms)

    monkeypatch.setattr(outcomes.Outcomes, "_apply", once)
    (left,) = Evening().order(50).after(1, 15).restart_agent().after(40).violations()
    assert "is applied since" in left and "comes to no outcome" in left


@pytest.mark.slow
def test_lamps_that_do_not_report_again_to_an_agent_that_has_restarted_are_caught(monkeypatch):
    whole = orders.Orders._accept

    def silent(self, order, *rest):
        reported, is_known = len(self._outcomes), self.order is not None and self.order.id == order.id
        why = whole(self, order, *rest)
        if is_known:
            del self._outcomes[reported:]
        return why

    monkeypatch.setattr(orders.Orders, "_accept", silent)
    (false,) = Evening().order(50).after(1, 15).restart_agent().after(40).violations()
    assert "is called unmeasured, and every lamp gives its 50 %" in false
