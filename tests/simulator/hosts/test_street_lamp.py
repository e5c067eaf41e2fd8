"""The sky over a lamp and who walks under it, and the real node code between them."""

import pytest

from kinds import streetlight
from policy import civil, lighting, lighting_form
from policy.fault import Faults
from simulator.hosts.keys import pairing_of
from simulator.hosts.node import NodeHost
from simulator.hosts.ports import StreetPorts, Walkers
from simulator.plants.lamps import Air, Cell, Daylight, Lamp, LampData, LampFeeder, clear_sky_lx
from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World
from wire import event, limits, record

SITE = lighting.Site(474736, -5516, civil.PARIS)
CALENDAR = lighting.Calendar((lighting.Rule(127, 0, 0, 0),), ((lighting.Step(1, 0, 30, 0), lighting.Step(2, 0, 0, 0)),))
EVENING = civil.days_from_civil(2026, 11, 24)
NIGHT = lighting.Night(CALENDAR, SITE, EVENING)


class Settings:
    """Of a node that never hears its gateway; the time stays unknown."""

    node = bytes(8)
    ack_timeout_ms = limits.COAP_ACK_TIMEOUT_MIN_MS
    report_spread_s = 0
    sample_s = 60
    telemetry_s = 900
    health_s = 3600
    pairing = pairing_of(node)
    gateway = ("cab-1", 5683)


class Street:
    """One lamp with cell and detector in a world without a gateway."""

    def __init__(self, *, unix_s, **plain):
        faults = Faults()
        plain = {"site": [SITE.latitude_e4, SITE.longitude_e4], "lamp": [360, 6], **plain}
        plain["calendar"] = lighting_form.encode(CALENDAR)
        settings = Settings()
        settings.own = streetlight.decode(faults, plain)
        assert not faults.listed()
        self.world = World(start_unix_s=unix_s)
        self.sky = Daylight(SITE)
        self.cell = Cell(self.sky)
        air = Air(latitude_e4=SITE.latitude_e4, longitude_e4=SITE.longitude_e4, mean_ck=900, swing_ck=400)
        self.lamp = Lamp(LampData(360, 6, 360, 0), LampFeeder(Prng("f"), switched=False), air, Prng("lamp"))
        self.told = []
        radio = Radio(self.world, Prng("radio"), LinkQuality(0, 0, 5, 80, 0, 0))
        self.host = NodeHost(
            self.world,
            Prng(1),
            settings,
            streetlight,
            StreetPorts(self.world, self.lamp, self.cell),
            radio,
            lambda datagram, host: None,
            lambda node, boot, what, sequence, data: self.told.append((what, data)),
        )
        self.walkers = Walkers(self.world, Prng("walkers"), self.host.sense)
        self.host.power_on()

    def run(self, ms):
        self.world.run_until(self.world.now_ms + ms)
        return self

    def knows_time(self):
        """As after an answer of a gateway."""
        self.host.node.time.learn(
            record.Answer(self.world.unix_s, 0, None, 0), asked_ms=self.host._local_ms(), now_ms=self.host._local_ms()
        )
        return self.run(61_000)

    def events(self, code):
        made = [record.decode_payload(data)[0].body for what, data in self.told if what == "made"]
        return [body for body in made if not isinstance(body, dict) and body.code == code]


@pytest.mark.parametrize(
    ("elevation", "low", "high"),
    [(-1801, 0, 0), (-600, 2, 5), (0, 400, 900), (1000, 10_000, 14_000), (6200, 90_000, 120_000)],
)
def test_the_clear_sky_is_that_of_the_tables(elevation, low, high):
    assert low <= clear_sky_lx(elevation) <= high


def test_the_sky_brightens_with_the_sun():
    levels = [clear_sky_lx(elevation) for elevation in range(-2000, 7000, 10)]
    assert levels == sorted(levels)


def test_without_time_the_cell_lights_the_street_at_dusk_and_darkens_it_at_dawn():
    street = Street(unix_s=NIGHT.sunset_s - 7200, photocell={}).run(3_600_000)
    assert street.lamp.level_percent == 0
    street.run(2 * 3_600_000)
    assert street.lamp.level_percent == 100
    street.run(1000 * (NIGHT.sunrise_s + 3600 - street.world.unix_s))
    assert street.lamp.level_percent == 0


def test_a_storm_before_sunset_lights_the_street_early_and_no_earlier_than_it_may():
    street = Street(unix_s=NIGHT.sunset_s - 5400, photocell={}).run(60_000).knows_time()
    street.sky.cloud_percent = 1
    street.run(1000 * (NIGHT.sunset_s - 2760 - street.world.unix_s))
    assert street.lamp.level_percent == 0
    street.run(1_600_000)
    assert street.lamp.level_percent == 30


def test_who_walks_by_has_light_within_two_seconds():
    street = Street(unix_s=NIGHT.sunset_s + 3600, presence={}).run(60_000).knows_time()
    assert street.lamp.level_percent == 30
    street.walkers.walk_by()
    street.run(2000)
    assert street.lamp.level_percent == 100
    street.run(90_000)
    assert street.lamp.level_percent == 30


def test_a_detector_that_is_stuck_is_told_within_the_hour():
    street = Street(unix_s=NIGHT.sunset_s + 3600, presence={}).run(60_000).knows_time()
    street.walkers.is_stuck = True
    street.walkers.start()
    street.run(3_600_000)
    assert [body.active for body in street.events(event.PRESENCE_SENSOR_FAILURE)] == [True]


def test_an_ordinary_evening_of_walkers_is_no_failure():
    street = Street(unix_s=NIGHT.sunset_s + 600, presence={}).run(60_000).knows_time()
    street.walkers.start()
    street.run(3 * 3_600_000)
    assert street.walkers.passed > 100
    assert street.events(event.PRESENCE_SENSOR_FAILURE) == []
