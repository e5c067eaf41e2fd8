"""The lamps of a territory: two feeders a cabinet, one of which its contactor cuts by day; faults of lamps; the light.

Knows plants and policy; of nodes only that they have mains or none.
"""

from kinds import streetlight
from lighting import settings
from policy import civil, lighting, lighting_form
from policy.fault import Faults
from simulator.checkers.alarms import LampFault
from simulator.checkers.lighting import EVERY_MS, LightingChecker, Watched
from simulator.gateway_host import GatewayHost
from simulator.joining import Joining
from simulator.node_host import NodeHost
from simulator.options import Cabinet
from simulator.parts import LampPorts
from simulator.plant import Air, Feeder, Lamp, LampData
from simulator.prng import Prng
from simulator.world import World

CALENDARS = {"all-night": lighting.DEFAULT_CALENDAR, "dimming": lighting.DIMMING_CALENDAR}


def lamp_settings(site: lighting.Site, lamp: tuple[int, int], calendar: lighting.Calendar) -> settings.Own:
    """What a settings file with these three alone makes of a lamp: [nominal, standby] in 0.1 W, all else by default."""
    faults = Faults()
    plain = {
        "site": [site.latitude_e4, site.longitude_e4],
        "lamp": list(lamp),
        "calendar": lighting_form.encode(calendar),
    }
    own = streetlight.decode(faults, plain)
    assert not faults.listed(), faults.listed()
    return own


class Streets:
    """`hosts` and `lamps` go together, by index. `expected`: what the damage done so far must make the nodes say."""

    def __init__(self, world: World, joining: Joining, *, calendar: str) -> None:
        self._world = world
        self._joining = joining
        self._calendar = CALENDARS[calendar]
        self.hosts: list[NodeHost] = []
        self.lamps: list[Lamp] = []
        self._feeders: list[tuple[Feeder, Cabinet, list[NodeHost]]] = []
        self._watched: list[Watched] = []
        self.checker = LightingChecker(self._watched)
        self.expected: list[LampFault] = []

    def build(self, gateway: GatewayHost, cabinet: Cabinet, air: Air, prng: Prng) -> None:
        """Half of the cabinet's lamps on a permanent feeder, half on a switched one."""
        half = cabinet.lamps // 2
        for switched, count in ((False, cabinet.lamps - half), (True, half)):
            feeder = Feeder(prng.split(f"feeder-{switched}"), switched=switched)
            hosts = [self._build_lamp(gateway, cabinet, feeder, air, prng) for _ in range(count)]
            self._feeders.append((feeder, cabinet, hosts))

    def begin(self) -> None:
        """Mains for all that has it now; contactors go with the sun from here on."""
        for feeder, cabinet, hosts in self._feeders:
            if feeder.switched:
                self._next_contactor(feeder, cabinet, hosts)
            else:
                for host in hosts:
                    host.power_on()

    def damage(self, index: int, what: str, code: int) -> None:
        """`module_dead` or `relay_stuck`, from now on."""
        lamp = self.lamps[index]
        lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        lit = lamp.light_percent() > 0
        setattr(lamp, what, True)
        # A relay that sticks on a switched feeder is never seen: the contactor makes it dark by day.
        if what == "module_dead" or not lamp.feeder.switched:
            visible_s = self._world.unix_s if lit and what == "module_dead" else None
            self.expected.append(LampFault(self.hosts[index].settings.node, code, visible_s))

    def look(self) -> tuple[int, int]:
        """Judge the light of this moment: sound lamps that are lit, and that are wanted lit."""
        return self.checker.look(unix_s=self._world.unix_s)

    def settle(self) -> None:
        """Carry all energy forward to now."""
        for lamp in self.lamps:
            lamp.settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)

    def power_dw(self) -> int:
        return sum(lamp.power_dw() for lamp in self.lamps)

    def true_wh(self) -> int:
        return sum(lamp.energy_wh() for lamp in self.lamps)

    def full_power_wh(self) -> int:
        """What the same dark hours would have taken without dimming."""
        return self.checker.full_power_dw_looks * (EVERY_MS // 1000) // 36_000

    def _build_lamp(
        self, gateway: GatewayHost, cabinet: Cabinet, feeder: Feeder, air: Air, prng: Prng
    ) -> NodeHost:
        number = self._joining.next_number
        prng = prng.split(f"lamp-{number}")
        nominal_dw = (240, 360, 520)[prng.randrange(3)]
        age_h = prng.randrange(30_000)
        true_dw = prng.around(nominal_dw, nominal_dw // 60)
        lamp = Lamp(LampData(nominal_dw, 6, true_dw, age_h), feeder, air, prng.split("plant"))
        site = lighting.Site(
            cabinet.latitude_e4 + prng.randrange(80), cabinet.longitude_e4 + prng.randrange(80), civil.PARIS
        )
        own = lamp_settings(site, (nominal_dw, 6), self._calendar)
        host = self._joining.join(gateway, streetlight, own, LampPorts(self._world, lamp), prng)
        self.lamps.append(lamp)
        self.hosts.append(host)
        plan = lighting.Plan(self._calendar, site)
        self._watched.append(Watched(f"{gateway.options.name} lamp {number}", lamp, plan))
        return host

    def _next_contactor(self, feeder: Feeder, cabinet: Cabinet, hosts: list[NodeHost]) -> None:
        """The cabinet's own astronomical clock closes at sunset and opens at sunrise."""
        night = lighting.Plan(lighting.DEFAULT_CALENDAR, lighting.Site(
            cabinet.latitude_e4, cabinet.longitude_e4, civil.PARIS
        ))
        wanted = night.wanted(self._world.unix_s)
        closed = wanted.level_percent > 0
        if closed != feeder.powered:
            self._switch(feeder, hosts, closed)
        self._world.at_unix(wanted.until_s, self._next_contactor, feeder, cabinet, hosts)

    def _switch(self, feeder: Feeder, hosts: list[NodeHost], closed: bool) -> None:
        for host in hosts:
            self._lamp_of(host).settle(now_ms=self._world.now_ms, unix_s=self._world.unix_s)
        feeder.powered = closed
        for host in hosts:
            if closed:
                self._lamp_of(host).meter_reset()
                host.power_on()
            else:
                host.power_off()

    def _lamp_of(self, host: NodeHost) -> Lamp:
        return self.lamps[self.hosts.index(host)]
