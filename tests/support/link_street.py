"""A street of lamps with controllers on one feeder, and its gateway, in virtual time: real node and gateway code."""

from gateway.core.gateway import Options
from kinds import streetlight
from node.settings import Settings
from policy import civil, lighting
from simulator.checkers.delivery import DeliveryChecker
from simulator.estates.streets import lamp_settings
from simulator.hosts.centre import Centre
from simulator.hosts.gateway import SMALL_CARD, GatewayHost
from simulator.hosts.keys import pairing_of
from simulator.hosts.node import NodeHost
from simulator.hosts.ports import LampPorts
from simulator.plants.lamps import Air, Feeder, Lamp, LampData
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World
from wire import limits

DUSK_UNIX_S = 1_795_537_800  # 2026-11-24 16:30 UTC, before sunset in Angers
_SITE = lighting.Site(474736, -5542, civil.PARIS)
_NODES = bytes.fromhex("7c1f0a2c01")
OPTIONS = Options(
    gateway=bytes.fromhex("7c1f0a2cfe000001"),
    insee="49007",
    name="cab-1",
    **SMALL_CARD,
)


class LinkStreet:
    """`acknowledged[node]`: [(instant ms, boot, sequence)] as the node saw it."""

    def __init__(self, count, *, seed=1, loss_permille=50, is_switched=True):
        prng = Prng(seed)
        self.world = World(start_unix_s=DUSK_UNIX_S)
        self.broker = Broker(self.world, prng.split("broker"))
        self.centre = Centre(self.world, prng.split("centre"), self.broker)
        self.delivery = DeliveryChecker()
        self.gateway = GatewayHost(self.world, prng.split("cabinet"), OPTIONS, self.broker)
        self.feeder = Feeder(prng.split("feeder"), switched=is_switched)
        self.feeder.powered = False
        self.acknowledged = {}
        air = Air(latitude_e4=474736, longitude_e4=-5542, mean_ck=850, swing_ck=600)
        quality = LinkQuality(loss_permille, 10, 5, 80, 15, 3000)
        self.lamps, self.nodes = [], []
        for number in range(1, count + 1):
            self._build(prng.split(f"lamp-{number}"), _NODES + number.to_bytes(3, "big"), air, quality)

    def _build(self, prng, node, air, quality):
        lamp = Lamp(LampData(360, 6, 360, 1000), self.feeder, air, prng.split("plant"))
        settings = Settings(
            node=node,
            own=lamp_settings(_SITE, (360, 6), lighting.DEFAULT_CALENDAR),
            bearer=("udp",),
            gateway=("cab-1", 5683),
            pairing=pairing_of(node),
            sample_s=60,
            telemetry_s=900,
            health_s=3600,
            report_spread_s=120,
            ack_timeout_ms=limits.COAP_ACK_TIMEOUT_MIN_MS,
            update_keys=(),
            trace=False,
        )
        radio = Radio(self.world, prng.split("radio"), quality)
        host = NodeHost(
            self.world,
            prng.split("board"),
            settings,
            streetlight,
            LampPorts(self.world, lamp),
            radio,
            lambda datagram, sender: radio.carry(datagram, self.gateway.receive, sender),
            self._tap,
        )
        self.gateway.nodes.append(node)
        self.acknowledged[node] = []
        self.lamps.append(lamp)
        self.nodes.append(host)

    def begin(self):
        """The centre and the cabinet have been up for a while."""
        self.centre.start()
        self.gateway.power_on()
        self.run(120)

    def contactor(self, *, closed):
        """Mains for the whole feeder, or none."""
        for lamp in self.lamps:
            lamp.settle(now_ms=self.world.now_ms, unix_s=self.world.unix_s)
        self.feeder.powered = closed
        for lamp, host in zip(self.lamps, self.nodes, strict=True):
            if closed:
                lamp.meter_reset()
                host.power_on()
            else:
                host.power_off()

    def run(self, seconds):
        self.world.run_until(self.world.now_ms + 1000 * seconds)

    def saved_state(self):
        """(boot number, files of the state folder): what a backup holds."""
        disk = self.gateway.state_disk
        return self.gateway.boot, {name: disk.read(name, 0, disk.size(name)) for name in disk.list()}

    def restore(self, boot, files):
        """Another card: that backup, and an empty journal."""
        for disk in (self.gateway.journal_disk, self.gateway.state_disk):
            for name in list(disk.list()):
                disk.delete(name)
        for name, data in files.items():
            self.gateway.state_disk.put(name, data)
        self.gateway.boot = boot

    def agreed(self):
        """How many nodes have keys that are proven with the gateway as it is now."""
        return self.gateway.core.link.sessions.agreed()

    def _tap(self, node, boot, what, sequence, data):
        if what == "made":
            self.delivery.made(node, boot, sequence, data, now_ms=self.world.now_ms)
        else:
            self.delivery.acknowledged(node, boot, sequence)
            self.acknowledged[node].append((self.world.now_ms, boot, sequence))
