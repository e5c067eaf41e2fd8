"""Simulates one irrigation node on a battery under a small panel, in virtual time beside a gateway's link.

`BatterySpace` is the ports of a board that sleeps deeply: the capacitor behind the latching valves charges while the
node wants it to and empties by itself; counters begin anew with each waking, as the chip's do. While the chip sleeps,
its valves are watched by the usual checker, and by one more: none may be open.

The gateway's link is the real one; the application behind it only keeps each record once, and answers with its time.
`SleeperStory` is what tests and the bench of energy run.
"""

from typing import Any

from gateway.core.link.link import Link, NodeRequest
from kinds import irrigation
from node.settings import Settings
from policy import civil
from simulator.checkers.water import Forbidden
from simulator.estates.greens import GreenSpace
from simulator.hosts.keys import CIPHER, key_of, pairing_of
from simulator.hosts.node import NodeHost
from simulator.plants.battery import PULSE_UAH, Battery
from simulator.plants.green_space import GreenPorts, Site
from simulator.plants.pipes import Pipes
from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World
from watering import inputs, memory
from wire import coap_message as messages
from wire import limits, record
from wire.record import Answer

_CHARGE_MS = 1000
_EMPTIES_MV_PER_S = 5
_SUN_MS = 600_000


class BatterySpace(GreenSpace):
    """Implements `simulator.hosts.ports.SleepyPorts` on a green space. `boost_mv`: voltage of the charged capacitor."""

    def __init__(
        self, world: World, ports: GreenPorts, law: list[Forbidden], battery: Battery, *, boost_mv: int
    ) -> None:
        super().__init__(world, ports, law)
        self.battery = battery
        self.open_asleep = 0
        self._green = ports
        self._full_mv = boost_mv
        self._boost_mv = 0
        self._boost_ms = 0
        self._charging_ms: int | None = None
        self._base = 0
        self._tips = 0
        self._is_asleep = False
        self._given = 0
        self._sun_s = world.unix_s
        world.every(_SUN_MS, self._shine)

    # --- as simulator.hosts.ports.SleepyPorts -------------------------------------------------------------------------

    def power_on(self) -> None:
        super().power_on()
        self._begin_counting()
        self._is_asleep = False

    def apply(self, outputs: Any, *, now_ms: int) -> int | None:
        wants = outputs.prepares or outputs.any_open() or not outputs.ready()
        if not wants:
            self._boost_mv, self._boost_ms, self._charging_ms = self._boost(), self._world.now_ms, None
        elif self._charging_ms is None:
            self._charging_ms = self._world.now_ms
        was_pulsing = self._green.pulsing()
        again_ms = super().apply(outputs, now_ms=now_ms)
        if was_pulsing and not self._green.pulsing():
            self.battery.draw(1000 * 3600 * PULSE_UAH // 1000, 1000)
        return again_ms

    def read(self) -> dict[int, int] | None:
        self._green.battery_mv = self.battery.millivolts()
        self._green.boost_mv = self._boost()
        values = super().read()
        if values is not None:
            values[inputs.METER_PULSES] -= self._base
            values[inputs.RAIN_TIPS] -= self._tips
        return values

    def sleep(self) -> None:
        self._settle()
        self._green.safe()
        self._is_asleep = True
        self._given = self.site.pipes.pulses()
        self._check_asleep()

    def wake(self) -> None:
        self._settle()
        self._check_asleep()
        self._begin_counting()
        self._is_asleep = False

    def pulsed(self) -> bool:
        self._settle()
        self._check_asleep()
        return self.site.pipes.pulses() > self._given

    # --- inside -------------------------------------------------------------------------------------------------

    def _check_asleep(self) -> None:
        if self._is_asleep and any(self.site.pipes.open):
            self.open_asleep += 1

    def _begin_counting(self) -> None:
        self._settle()
        values = self._green.read()
        self._base, self._tips = values[inputs.METER_PULSES], values[inputs.RAIN_TIPS]
        self._charging_ms = None

    def _boost(self) -> int:
        if self._charging_ms is not None and self._world.now_ms - self._charging_ms >= _CHARGE_MS:
            return self._full_mv
        return max(0, self._boost_mv - _EMPTIES_MV_PER_S * (self._world.now_ms - self._boost_ms) // 1000)

    def _shine(self) -> None:
        self._settle()
        day, second = self.site.weather()
        self.battery.shine(day.radiation_w(second), self._world.unix_s - self._sun_s)
        self._sun_s = self._world.unix_s


NODE = bytes.fromhex("7c1f0a2c01000003")
PEER = ("cab-1", 5683)

class RecordKeeper:
    """Keeps each record once and answers with its UTC. `silent`: it is away."""

    def __init__(self, world):
        self._world = world
        self.silent = False
        self.records = {}
        self.again = 0
        self.knows_time = True
        self.posted = 0
        self.began()

    def began(self):
        """Starts anew, without keys."""
        self.link = Link([key_of(NODE)], CIPHER, random_below=Prng(7).randrange)

    def receive(self, datagram, host):
        if self.silent:
            return
        now_ms = self._world.now_ms
        for asked in self.link.receive(datagram, host, now_ms=now_ms):
            if not isinstance(asked, NodeRequest):
                continue
            if asked.path not in ((b"t",), (b"e",)):
                self.link.respond(asked.exchange, messages.NOT_FOUND, now_ms=now_ms)
                continue
            for made in record.decode_payload(asked.payload) if asked.payload else ():
                name = (made.boot, made.sequence)
                self.again += name in self.records
                assert self.records.setdefault(name, made) == made
            answer = Answer(self._world.unix_s if self.knows_time else None, 0, 300, 0)
            self.link.respond(asked.exchange, messages.CHANGED, record.encode_answer(answer), now_ms=now_ms)
        self.turn()

    def turn(self):
        now_ms = self._world.now_ms
        self.link.poll(now_ms=now_ms)
        for host, datagram in self.link.outgoing():
            host.radio.carry(datagram, host.receive, PEER)


class SleeperStory:
    """Runs world, node and gateway. `events`: [(Unix s, boot, sequence, record)] as the node makes them."""

    def __init__(self, own, climate, *, begin_s, seed=1, panel_ma=0, capacity_mah=2600, permille=800):
        self.world = World(start_unix_s=begin_s)
        self.begin_s = begin_s
        self.own = own
        zones = self.own.policy.zones
        self.pipes = Pipes(
            self.own.kinds,
            [zone.flow_ml_min for zone in zones],
            main_max=self.own.main_max_ml_min,
            pulse_ul=self.own.pulse_ul,
        )
        site = Site(zones, self.pipes, climate, Prng("soil"), begin_s)
        self.battery = Battery(capacity_mah, panel_ma=panel_ma, permille=permille)
        ports = GreenPorts(site, self.own.kinds, self.own.pulse_ms)
        self.space = BatterySpace(self.world, ports, [], self.battery, boost_mv=self.own.boost_mv)
        self.gateway = RecordKeeper(self.world)
        self.made = {}
        self.is_planted = False
        self.events = []
        radio = Radio(self.world, Prng(f"radio-{seed}"), LinkQuality(50, 10, 5, 80, 15, 3000))
        node_settings = Settings(
            node=NODE, own=self.own, bearer=("udp",), gateway=PEER, pairing=pairing_of(NODE), sample_s=900,
            telemetry_s=3600, health_s=86_400, report_spread_s=120, ack_timeout_ms=limits.COAP_ACK_TIMEOUT_MIN_MS,
            update_keys=(), trace=False,
        )  # fmt: skip
        yesterday = civil.local_from_unix(civil.PARIS, begin_s).civil_day - 1
        kept = memory.encode(memory.empty()._replace(closed_day=yesterday, drought=0))
        self.host = NodeHost(
            self.world,
            Prng(seed),
            node_settings,
            irrigation,
            self.space,
            radio,
            lambda datagram, host: radio.carry(datagram, self.gateway.receive, host),
            self._tap,
            memory=kept,
        )
        self.host.power_on()

    def _tap(self, _node, boot, what, sequence, data):
        if what != "made":
            return
        made = record.decode_payload(data)[0]
        name = (boot, sequence)
        assert self.is_planted or name not in self.made, "a record number was given twice"
        self.made[name] = made
        if not isinstance(made.body, dict):
            self.events.append((self.world.unix_s, made.body.code, made.body.active, made.body.detail))
            self.space.observe_record(data)

    def run(self, *, days=0, hours=0, minutes=0, seconds=0):
        """Runs the world for a time; the gateway polls its timers every quarter of a second while it has any."""
        end_ms = self.world.now_ms + 1000 * (86_400 * days + 3600 * hours + 60 * minutes + seconds)
        while self.world.now_ms < end_ms:
            deadline_ms = self.gateway.link.deadline_ms()
            step_ms = 60_000 if deadline_ms is None else max(250, min(60_000, deadline_ms - self.world.now_ms))
            self.world.run_until(min(end_ms, self.world.now_ms + step_ms))
            self.gateway.turn()
        self.space.settle()

    @property
    def is_asleep(self):
        return self.host.node is None and self.host.asleep is not None

    def until_asleep(self):
        for _ in range(100_000):
            if self.is_asleep:
                return
            self.run(seconds=1)
        raise AssertionError("it never sleeps")

    def events_of(self, code):
        """Returns [(Unix s, active, detail)] of a code, in the order in which the node reported it."""
        return [(at_s, active, detail) for at_s, one, active, detail in self.events if one == code]

    def local(self, at_s):
        """Returns (day of the story, hour, minute, second)."""
        second = civil.local_from_unix(civil.PARIS, at_s).second
        return (at_s - self.begin_s) // 86_400, second // 3600, second // 60 % 60, second % 60

    def missing(self):
        """Returns the records that the node made and the gateway does not hold."""
        return sorted(set(self.made) - set(self.gateway.records))
