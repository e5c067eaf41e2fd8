"""Two days without a gateway, for every kind of node at once. Nobody restarts, and no output moves but
by the node's own plan: the lamp by its calendar, the room by its programme, the valves by theirs."""

import pytest

from policy import civil, lighting
from simulator.estates.greens import Greens
from simulator.estates.rooms import Rooms
from simulator.estates.streets import District, Streets
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.joining import Joining
from simulator.plants.climate import Climate, Weather
from simulator.plants.lamps import Air
from simulator.world.chance import Prng
from simulator.world.time import World
from tests.support.link_street import OPTIONS
from wire import event, record

HOUR_MS = 3_600_000
SILENCE_H = 48
# Monday 19 October 2026, 10:00 UTC: lawns still drink, rooms are heated already.
BEGIN_UNIX_S = civil.days_from_civil(2026, 10, 19) * 86400 + 10 * 3600
CABINET = District("49007", "Angers", "cab-1", 474736, -5542, 4)


class Silence:
    """Four lamps, four rooms, two green spaces; an hour with their gateway, then `hours` without it. `dead`: rooms
    whose thermometers die with it."""

    def __init__(self, dead=(), hours=SILENCE_H):
        prng = Prng("silence")
        self.world = World(start_unix_s=BEGIN_UNIX_S)
        self.made = []
        self.levels = {}
        climate = Climate("silence", BEGIN_UNIX_S // civil.day_s - 1)
        joining = Joining(self.world, self._tap, loss_permille=100)
        self.gateway = GatewayHost(self.world, prng.split("cabinet"), OPTIONS, _NoBroker())
        air = Air(latitude_e4=474736, longitude_e4=-5542, mean_ck=1200, swing_ck=600)
        self.streets = Streets(self.world, joining, calendar="dimming")
        self.streets.build(self.gateway, CABINET, air, prng)
        self.rooms = Rooms(self.world, joining, Weather(climate))
        self.rooms.build(self.gateway, 4, prng)
        self.greens = Greens(self.world, joining, climate, drought=2)  # what holds where nobody has told any
        self.greens.build(self.gateway, CABINET, 2, prng)
        self.hosts = joining.hosts
        self.gateway.power_on()
        for estate in (self.streets, self.rooms, self.greens):
            estate.start()
        self.world.run_until(HOUR_MS)
        self.boots = [host.boots for host in self.hosts]
        self.gateway.power_cut()
        for index in dead:
            self.rooms.lose_thermometer(index)
        self.silent_from_s = self.world.unix_s
        self.world.every(30_000, self._look)
        self.world.run_until((1 + hours) * HOUR_MS)

    def _tap(self, node, boot, what, sequence, data):
        if what == "made":
            self.greens.observe_record(node, data)
            self.made.append((self.world.unix_s, node, record.decode_payload(data)[0].body))

    def _look(self):
        self.streets.check_light()

    def events(self, host, code):
        mine = [(at_s, body) for at_s, node, body in self.made if node == host.settings.node]
        return [
            (at_s, body.detail)
            for at_s, body in mine
            if not isinstance(body, dict) and body.code == code and at_s >= self.silent_from_s
        ]


class _NoBroker:
    """A centre that never was."""

    def __getattr__(self, name):
        return lambda *_, **__: None


@pytest.fixture(scope="module")
def silence():
    return Silence()


def permanent(silence):
    return [
        (host, lamp)
        for host, lamp in zip(silence.streets.hosts, silence.streets.lamps, strict=True)
        if not lamp.feeder.switched
    ]


@pytest.mark.slow
def test_nobody_restarts_for_want_of_a_gateway(silence):
    switched = {id(host) for host, lamp in zip(silence.streets.hosts, silence.streets.lamps, strict=True)
                if lamp.feeder.switched}
    for host, before in zip(silence.hosts, silence.boots, strict=True):
        if id(host) not in switched:
            assert before == host.boots == 1


@pytest.mark.slow
def test_lamps_move_by_their_calendar_alone(silence):
    assert silence.streets.checker.violations == []
    for host, _ in permanent(silence):
        plan = lighting.Plan(host.settings.own.calendar, host.settings.own.site)
        planned = []
        at_s, end_s = silence.silent_from_s, silence.world.unix_s
        level = plan.wanted(at_s).level_percent
        while (until_s := plan.wanted(at_s).until_s) < end_s:
            at_s = until_s
            if plan.wanted(at_s).level_percent != level:
                level = plan.wanted(at_s).level_percent
                planned.append((at_s, level))
        changes = silence.events(host, event.LEVEL_CHANGED)
        moved = [(at_s, detail[0]) for at_s, detail in changes if detail[0] != detail[1]]
        assert [level for _, level in moved] == [level for _, level in planned]
        assert all(abs(at_s - planned_s) <= 120 for (at_s, _), (planned_s, _) in zip(moved, planned, strict=True))


@pytest.mark.slow
def test_rooms_follow_their_programme_and_are_warm_when_people_are_there(silence):
    assert silence.rooms.checker.violations == []
    assert silence.rooms.used_min > 0 and silence.rooms.comfort_min >= silence.rooms.used_min * 9 // 10
    for host in silence.rooms.hosts:
        rules = {detail[2] for _, detail in silence.events(host, event.SETPOINT_CHANGED)}
        assert rules and rules <= {"programme", "preheat", "early-stop", "window"}, "people air the rooms"


@pytest.mark.slow
def test_valves_open_by_their_programme_at_its_hour_and_shut(silence):
    assert silence.greens.violations == []
    openings = 0
    for index, host in enumerate(silence.greens.hosts):
        for at_s, detail in silence.events(host, event.VALVE_SWITCHED):
            zone, opens = detail[0], detail[1]
            if opens and zone:
                openings += 1
                second = civil.local_from_unix(civil.PARIS, at_s).second
                is_morning = index == 0 and 10 * 3600 + 2700 <= second < 11 * 3600
                assert is_morning or 5 * 3600 <= second < 8 * 3600, "at five, before parks open; by law at 10:45"
    for space in silence.greens.spaces:
        assert not any(space.site.pipes.open)
    assert openings


@pytest.mark.slow
def test_rooms_whose_thermometers_die_too_are_kept_from_harm_and_not_heated_for_comfort():
    silence = Silence(dead=range(4), hours=18)
    assert silence.rooms.checker.violations == []
    assert min(silence.rooms.checker.coldest_ck.values()) >= 1000
    for host in silence.rooms.hosts:
        assert ["room", "silent"] in [list(detail) for _, detail in silence.events(host, event.SENSOR_FAILURE)]
