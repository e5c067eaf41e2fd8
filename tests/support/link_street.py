"""A street of lamps with controllers on one feeder, and its gateway, in virtual time: real node and gateway code."""

from gateway.core.gateway import Options
from kinds import streetlight
from policy import civil, lighting
from simulator.checkers.delivery import DeliveryChecker
from simulator.estates.streets import lamp_settings
from simulator.hosts.centre import Centre
from simulator.hosts.gateway import SMALL_CARD, GatewayHost
from simulator.hosts.joining import Joining
from simulator.hosts.keys import keyset_of
from simulator.hosts.ports import LampPorts
from simulator.plants.lamps import Air, Lamp, LampData, LampFeeder
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World

DUSK_UNIX_S = 1_795_537_800  # 2026-11-24 16:30 UTC, before sunset in Angers
_SITE = lighting.Site(474736, -5542, civil.PARIS)
OPTIONS = Options(
    gateway=bytes.fromhex("7c1f0a2cfe000001"),
    insee="49007",
    name="cab-1",
    keyset=keyset_of("49007"),
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
        self.feeder = LampFeeder(prng.split("feeder"), switched=is_switched)
        self.feeder.powered = False
        self.acknowledged = {}
        air = Air(latitude_e4=474736, longitude_e4=-5542, mean_ck=850, swing_ck=600)
        self.lamps = []
        self._joining = Joining(self.world, self._tap, loss_permille=loss_permille)
        self.nodes = self._joining.hosts
        for number in range(1, count + 1):
            self._build(prng.split(f"lamp-{number}"), air)

    def _build(self, prng, air):
        lamp = Lamp(LampData(360, 6, 360, 1000), self.feeder, air, prng.split("plant"))
        own = lamp_settings(_SITE, (360, 6), lighting.DEFAULT_CALENDAR)
        host = self._joining.join(self.gateway, streetlight, own, LampPorts(self.world, lamp), prng)
        self.acknowledged[host.settings.node] = []
        self.lamps.append(lamp)

    def begin(self):
        """The centre and the cabinet have been up for a while."""
        self.centre.start()
        self.gateway.power_on()
        self.run(120)

    def contactor(self, *, closed):
        """Mains for the whole feeder, or none."""
        for lamp in self.lamps:
            lamp.settle(now_ms=self.world.now_ms, unix_s=self.world.unix_s)
        self.feeder.feed(closed)
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
