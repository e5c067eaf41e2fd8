"""A node of any kind, fully fitted, whose gateway answers for the first half hour and then never again: the application
with its trade and its log on a medium in memory, in virtual time. What it makes is encoded by the product."""

import kinds
from esp32.log_files import LogFiles
from kinds import Start, irrigation, streetlight, thermostat
from lighting import inputs as lamp_inputs
from node import settings
from node.app import MADE, Boot, Node
from node.checkpoint import Wear
from node.record_log import RecordLog
from simulator.plants.green_space import GreenPorts, Site
from simulator.plants.pipes import Pipes
from simulator.world.chance import Prng
from simulator.world.flash import Medium
from tests.portable.node_day import Gateway, Generator
from tests.support.green import DryClimate
from tools.bench.node_cases import CASES
from watering import inputs
from wire import quantity, record
from wire.coap import Endpoint
from wire.coap_exchange import bearer_timing
from wire.event import LANES

NOON_S = 1_795_521_600  # in November
HEARD_MS = 1_800_000
DAY_MS = 86_400_000
PLATFORM = {quantity.HEAP_FREE: 48_304, quantity.WATCHDOG_MARGIN: 3850, quantity.SIGNAL: -87}


def _lamp(unix_s, outputs, now_ms):
    """A D4i gear with all its memory banks, a photocell, a passer-by every four minutes of the night."""
    level = outputs.level_percent
    return {
        **CASES["streetlight"].plant()(unix_s, (level,)),
        quantity.ILLUMINANCE: 3 + unix_s % 9 if level else 12_345,
        quantity.LEVEL_REPORTED: level,
        quantity.GEAR_HOURS: 12_345,
        quantity.GEAR_STARTS: 2345,
        quantity.APPARENT_POWER: 371,
        quantity.LOAD_ENERGY: 123_456,
        quantity.VOLTAGE + quantity.CHANNEL_STEP: 480,
        quantity.CURRENT + quantity.CHANNEL_STEP: 712,
        quantity.TEMPERATURE + quantity.CHANNEL_STEP: 4512,
        quantity.TEMPERATURE + 2 * quantity.CHANNEL_STEP: 5234,
        quantity.OCCUPANCY: int(level > 0 and unix_s % 240 < 60),
        lamp_inputs.GEAR_STATUS: 4 if level else 0,
    }


def _room(unix_s, outputs, now_ms):
    """A boiler that says all it can, beside every sensor of ours."""
    return {
        **CASES["thermostat"].plant()(unix_s, (0, outputs.flow_ck // 100 if outputs.on else 0)),
        quantity.BOILER_STATUS: 10 if outputs.on else 0,
        quantity.key(quantity.BOILER_STATUS, 1): 0,
        quantity.key(quantity.BOILER_STATUS, 2): 0,
        quantity.MODULATION: 43,
        quantity.WATER_PRESSURE: 152_000,
        thermostat.BOARD_TEMPERATURE: 3100,
    }


class _Park:
    """Eight zones of which each is watered twice a night, two soil probes, an anemometer, a battery."""

    def __init__(self, own):
        zones = own.policy.zones
        flows = [zone.flow_ml_min for zone in zones]
        pipes = Pipes(own.kinds, flows, main_max=own.main_max_ml_min, pulse_ul=own.pulse_ul)
        site = Site(zones, pipes, DryClimate(), Prng(1), NOON_S)
        self.ports = GreenPorts(site, own.kinds, own.pulse_ms, battery_mv=3905)
        self.ports.boost_mv = own.boost_mv

    def __call__(self, unix_s, outputs, now_ms):
        self.ports.site.advance(now_ms)
        return {**self.ports.read(), inputs.SOIL_MV: 1500, inputs.SOIL_MV + 1: 1600}


_BUSY_LAMP = {"output": "dali", "photocell": {}, "presence": {}, "calendar": [
    1, [[127, 0, 0, 0]], [[[1, 0, 100], [0, 1320, 50], [0, 1410, 20], [0, 300, 60], [2, 0, 0]]],
]}  # fmt: skip
FITTED = {
    "streetlight": (streetlight, {**CASES["streetlight"].settings, **_BUSY_LAMP}, lambda own: _lamp),
    "thermostat": (thermostat, {**CASES["thermostat"].settings, "output": "opentherm"}, lambda own: _room),
    "irrigation": (
        irrigation,
        {
            **CASES["irrigation"].settings, "fitted": ["rain-contact", "wind"],
            "soil": [[1, 800, 2400, 500], [4, 800, 2400, 500]],
        },
        _Park,
    ),
}  # fmt: skip


def _of_case(kind):
    """Any other: as the bench has it."""
    read = CASES[kind].plant()
    return kinds.load(kind), CASES[kind].settings, lambda own: lambda unix_s, outputs, now_ms: read(unix_s, None)


class SilentNode:
    """`made`: (lane, sequence, bytes) of each record since the gateway was last heard."""

    def __init__(self, kind):
        module, own, plant = FITTED.get(kind) or _of_case(kind)
        plain = {
            "node": "7c1f0a2c01000001", "kind": kind, "gateway": ["192.0.2.1", 5683], "kid": "010001",
            "master_secret": "000102030405060708090a0b0c0d0e0f", "telemetry_s": 300, "sample_s": 120, **own,
        }  # fmt: skip
        found, faults = settings.decode(plain, module)
        assert not faults, faults
        below = Generator(1).below
        self.medium = Medium()
        self.now_ms = 0
        self.made = []
        self.gateway = Gateway(below)
        self.log = RecordLog(LogFiles(open_file=self.medium.open, files=self.medium), spend=self._spend)
        self.wear = Wear(before=12_345, now_ms=0)
        self._plant = plant(found.own)
        self._settings = found
        link = Endpoint(
            random_below=below, first_message_id=1, timing=bearer_timing(nstart=4)
        )
        trade = module.make_trade(found.own, Start(found.node, b"", 0, below))
        self.node = Node(
            found, Boot(4321, 4320, 98_765, "power-on"), link, trade, random_below=below, now_ms=0, tap=self._tap,
            log=self.log, wear=self.wear,
        )  # fmt: skip

    def run(self, days):
        """So many days more."""
        end_ms = self.now_ms + days * DAY_MS
        while self.now_ms < end_ms:
            self._turn()
            due_ms = self.node.deadline_ms(self.now_ms)
            self.now_ms = max(self.now_ms + 10, min(due_ms, end_ms))

    def sequences(self, lane):
        """Of what was made."""
        return {sequence for each, sequence, _ in self.made if each == lane}

    def drained(self):
        """{sequence: the record} of all that is there, lane by lane, as a gateway that comes back gets it."""
        found = {}
        self.node._outbox.flush()
        while not self.node._outbox.is_flushed() or self.log.is_busy():
            self.node._outbox.poll(now_ms=self.now_ms)
        for lane in LANES:
            while entries := self.log.first(lane, 4000, 100):
                for entry in entries:
                    found[entry.sequence] = record.decode_payload(entry.data)[0]
                    self.log.acknowledge(entry.place)
        return found

    def flash_bytes(self):
        return self.medium.used_bytes()

    def _spend(self, now_ms):
        return self.wear.spend("log", now_ms=now_ms)

    def _tap(self, what, sequence, data):
        if what == MADE and self.now_ms >= HEARD_MS:
            self.made.append((record.lane(record.decode_payload(data)[0]), sequence, data))

    def _turn(self):
        now_ms, node = self.now_ms, self.node
        unix_s = NOON_S + now_ms // 1000
        if node.sample_due(now_ms):
            node.sample(self._plant(unix_s, node.outputs, now_ms), PLATFORM, now_ms=now_ms)
        else:
            node.poll(now_ms=now_ms)
        if hasattr(self._plant, "ports"):
            self._plant.ports.site.advance(now_ms)
            self._plant.ports.apply(node.outputs, now_ms=now_ms)
        for _, datagram in node.outgoing():
            if now_ms < HEARD_MS:
                self.gateway.receive(datagram, now_ms)
        if now_ms < HEARD_MS:
            self.gateway.poll(unix_s, now_ms)
            for _, datagram in self.gateway.end.outgoing():
                node.receive(datagram, self._settings.gateway, now_ms=now_ms)
        node.checkpoint(now_ms)
