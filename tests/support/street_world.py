"""A commune's cabinet for tests: the real core on a simulated plant, with the centre."""

from policy import civil
from simulator.cabinet.commune import BEHUARD
from simulator.cabinet.street import Setup, Street
from simulator.cabinet.system_clock import SystemClock
from simulator.checkers.alarms import alarms_of, judge_cabinet
from simulator.hosts.centre import Centre, Control
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World

GATEWAY_ID = bytes.fromhex("7c1f0a2cfe0000aa")
FEEDERS = (FeederData("bourg", 14, 32), FeederData("levée", 9, 45))
HOURS = Programme(0, 22 * 60 + 30, 5 * 60 + 30)
MIDNIGHT_S = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 11, 24), 0)
SETUP = Setup(BEHUARD, FEEDERS, HOURS, GATEWAY_ID)


class StreetWorld:
    """`street` in a world of its own; hours are local ones of 24 November 2026, counted on after midnight. The sun sets
    at 17:18."""

    def __init__(self, *, setup=SETUP, clock=None, seed="street", from_h=14, **more):
        self.start_s = MIDNIGHT_S + int(3600 * from_h)
        self.world = World(start_unix_s=self.start_s)
        prng = Prng(seed)
        broker = Broker(self.world, prng.split("broker"))
        self.centre = Centre(self.world, prng.split("centre"), broker)
        self.street = Street(self.world, prng, broker, setup, clock or SystemClock(), **more)
        self.host, self.plant, self.side = self.street.host, self.street.plant, self.street.side
        self.checker = self.street.checker
        self.control = Control(self.world, broker)
        self.centre.start()
        self.control.start()
        self.host.power_on()

    def at(self, hour, act, *arguments):
        """Do something to the plant."""
        self.world.at(self._ms(hour), self.side.do, act, *arguments)

    def until(self, hour):
        self.world.run_until(self._ms(hour))

    def unix_s(self, hour):
        return MIDNIGHT_S + int(hour * 3600)

    def judged(self, causes):
        """What the checker of alarms says of these causes, by what has reached the warehouse."""
        return judge_cabinet(causes, alarms_of(self.street.setup.gateway, self.centre.warehouse.bodies()))

    def lit(self):
        return [light.lit > 0 for light in self.plant.lights()]

    def _ms(self, hour):
        return 1000 * (self.unix_s(hour) - self.start_s)
