"""A thermostat's real trade on a plant, in virtual time: a step every ten seconds, what may go wrong is a flag."""

from heating import model
from heating.trade import Thermostat
from kinds import Start
from node.trade import Moment
from policy import civil, heating
from simulator.plants.building import CLASSROOM, HeatedRoom, Room
from simulator.plants.lamps import Air
from simulator.world.chance import Prng
from wire import event

STEP_S = 10
ALWAYS = heating.Programme(
    (heating.Rule(127, 0, 0, 0),), ((heating.Span(0, 1440, 0),),), heating.DEFAULT_SETPOINTS, (), ()
)
NEVER = heating.Programme((heating.Rule(127, 0, 0, 0),), ((),), heating.DEFAULT_SETPOINTS, (), ())


def at(year, month, day, minutes=0):
    return civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, day), 60 * minutes)


def model_of(output="relay", programme=ALWAYS, **changes):
    made = model.default(output, programme=programme)
    return model.HeatingModel(**{**made._asdict(), **changes})


class WarmWorld:
    """`clock` is what the node believes: offset in s from the truth, or None. `directives`: what holds."""

    def __init__(
        self, made=None, *, start_s=None, start_ck=1900, mean_ck=300, data=CLASSROOM, contact=False, memory=b""
    ):
        self.unix_s = at(2026, 12, 7, 600) if start_s is None else start_s
        self.boot_s = self.unix_s
        self.model = made or model_of()
        self.air = Air(latitude_e4=474700, longitude_e4=-5500, mean_ck=mean_ck, swing_ck=200)
        self.room = Room(data, self.air, start_ck=start_ck)
        self.ports = HeatedRoom(self.room, self.model, Prng("warm"), lambda: self.unix_s, contact=contact)
        self.clock = 0
        self.uncertainty_s = 1
        self.directives = {}
        self.events = []
        self.edges = []
        self.boot(memory)

    def boot(self, memory=b""):
        self.boot_s = self.unix_s
        self.ports.power_on()
        self.trade = Thermostat(self.model, memory, now_ms=0)
        self._applied = None

    @property
    def now_ms(self):
        return 1000 * (self.unix_s - self.boot_s)

    def moment(self):
        unix_s = None if self.clock is None else self.unix_s + self.clock
        return Moment(self.now_ms, unix_s, self.uncertainty_s, None, False, self.directives)

    def run(self, minutes, each=None, decides=True):
        """Live on. `each(world)`: after every step."""
        end_s = self.unix_s + 60 * minutes
        while self.unix_s < end_s:
            self.unix_s += STEP_S
            self.ports.settle()
            if decides:
                self.step()
            if each is not None:
                each(self)

    def step(self):
        trade = self.trade
        if trade.wants_sample_ms(self.now_ms) <= self.now_ms:
            trade.sample(self.ports.read(), self.moment())
        trade.decide(self.moment())
        if trade.outputs != self._applied:
            if self._applied is not None and trade.outputs.on != self._applied.on:
                self.edges.append((self.unix_s, trade.outputs.on))
            self._applied = trade.outputs
            self.ports.apply(trade.outputs, now_ms=self.now_ms)
        self.events += [(self.unix_s, *told) for told in trade.drain_events()]

    def told(self, code):
        """[(active, detail)] of one event."""
        return [(active, detail) for _, found, active, detail in self.events if found == code]

    def rules(self):
        return [detail[2] for _, detail in self.told(event.SETPOINT_CHANGED)]

    def start(self):
        return Start(b"\x00" * 8, self.trade.memory(self.now_ms), 0, None)
