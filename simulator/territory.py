"""Puts a territory together from options and runs it: plants, nodes, gateways, broker, centre, checkers,
story.

The run has two parts: `hours` with the faults that the seed drew, then a quiet time in which everything is
whole again and the system must converge: until the next dusk has passed, for a lamp on a switched feeder
has no mains by day and can only then say what it could not say at dawn.
"""

from collections.abc import Callable
from hashlib import sha256

from gateway.core.bearers.bearer import Bearer
from gateway.core.gateway import Options as GatewayOptions
from policy import civil, lighting
from simulator.cabinet import village
from simulator.checkers.alarms import judge
from simulator.checkers.bounds import BoundsChecker
from simulator.checkers.delivery import DeliveryChecker
from simulator.checkers.lighting import EVERY_MS
from simulator.checkers.nonces import SealedOnce
from simulator.estates.greens import Greens
from simulator.estates.notices import Notices, drought_level
from simulator.estates.rooms import Rooms
from simulator.estates.streets import District, Streets
from simulator.hosts.centre import Centre, Control
from simulator.hosts.gateway import SMALL_CARD, GatewayHost
from simulator.hosts.joining import TERRITORY, Joining
from simulator.hosts.node import NodeHost
from simulator.options import HOUR_S, SEASONS, Drawn, Options, districts, draw, share
from simulator.plants.climate import Climate, Sky
from simulator.plants.lamps import Air, Lamp
from simulator.report.result import Result, Sight
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import event, record

_GATEWAY_BENCH = b"\xfe"
_FIBRE, _MOBILE = Bearer("fibre"), Bearer("mobile", is_metered=True)
# What a cheap subscription for machines gives.
_MONTHLY_BYTES = 50_000_000
# The run begins with a cold boot of everything, by day: no lamp knows the time before its cabinet does.
_COLD_START_MS = 300_000
# After the next dusk: the boot storm reports within 5 minutes, its batches leave within one more.
_QUIET_AFTER_DUSK_S = 1800
# Nodes report in the minute after each quarter hour: a run that ended there would find records on their way up.
_QUARTER_S = 900
_QUARTER_DONE_S = 600


class Territory:
    """See the module. `run` may be called once; `progress(done_s, total_s)` is called now and then.

    `drawn` replaces what the seed would draw: a story told by hand.
    """

    def __init__(self, options: Options, drawn: Drawn | None = None) -> None:
        self.options = options
        self._prng = Prng(options.seed)
        self.drawn = draw(options, self._prng.split("faults")) if drawn is None else drawn
        self.world = World(start_unix_s=options.start_unix_s)
        self.broker = Broker(self.world, self._prng.split("broker"))
        self.centre = Centre(self.world, self._prng.split("centre"), self.broker)
        self.delivery = DeliveryChecker()
        self.gateways: list[GatewayHost] = []
        self._joining = Joining(self.world, self._tap, loss_permille=options.radio_loss_permille)
        self.streets = Streets(self.world, self._joining, calendar=options.calendar)
        climate = Climate(options.seed, options.start_unix_s // civil.day_s - 1)
        sky = Sky(climate)
        self.rooms = Rooms(self.world, self._joining, sky)
        self._is_summer = options.start == SEASONS["summer"]
        drought = drought_level(is_summer=self._is_summer)
        self.greens = Greens(self.world, self._joining, climate, drought=drought)
        self._node_ms = 0
        self._sky = sky
        self.control = Control(self.world, self.broker)
        self.village = village.Village(
            self.world, self._prng.split("village"), self.broker, self.control, self.drawn.happenings
        )
        for index, district in enumerate(districts(options.lamps)):
            self._build(index, district)
        # Lamps have the first numbers, whatever else there is.
        for index, district in enumerate(districts(options.lamps)):
            prng = self._prng.split(f"estate-{index}")
            self.rooms.build(self.gateways[index], share(options.rooms, index), prng)
            self.greens.build(self.gateways[index], district, share(options.greens, index), prng)
        self.bounds = BoundsChecker([*self.gateways, self.village.host])
        self.sealed = SealedOnce()
        self.sights: list[Sight] = []

    @property
    def nodes(self) -> list[NodeHost]:
        """Of every kind, in the order of their numbers."""
        return self._joining.hosts

    @property
    def lamps(self) -> list[Lamp]:
        return self.streets.lamps

    def run(self, progress: Callable[[int, int], None] | None = None) -> Result:
        """Live through the faults, then through the quiet, and judge."""
        end_s = self.options.hours * HOUR_S
        total_s = self._quiet_end_s(end_s)
        self._begin()
        self._schedule_faults()
        self.world.at(1000 * end_s, self._calm)
        step_s = 600
        with self.sealed:
            for until_s in range(step_s, total_s + step_s, step_s):
                self.world.run_until(1000 * min(until_s, total_s))
                if progress is not None:
                    progress(min(until_s, total_s), total_s)
        return self._result()

    # --- building -------------------------------------------------------------------------------------------

    def _build(self, index: int, district: District) -> None:
        prng = self._prng.split(f"cabinet-{index}")
        options = GatewayOptions(
            gateway=TERRITORY + _GATEWAY_BENCH + (index + 1).to_bytes(3, "big"),
            insee=district.insee,
            name=district.name,
            **SMALL_CARD,
            bearers=(_FIBRE, _MOBILE) if district.has_mobile else (_FIBRE,),
            monthly_bytes=_MONTHLY_BYTES,
        )
        gateway = GatewayHost(self.world, prng, options, self.broker)
        self.gateways.append(gateway)
        air = Air(
            latitude_e4=district.latitude_e4, longitude_e4=district.longitude_e4, mean_ck=850, swing_ck=600
        )
        self.streets.build(gateway, district, air, prng)

    def _tap(self, node: bytes, boot: int, what: str, sequence: int, data: bytes) -> None:
        if what == "made":
            self.delivery.made(node, boot, sequence, data, now_ms=self.world.now_ms)
            self.greens.tell(node, data)
        else:
            self.delivery.acknowledged(node, boot, sequence)

    # --- the story ------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.centre.start()
        self.control.start()
        for gateway in self.gateways:
            gateway.power_on()
        self.village.begin()
        self.streets.begin()
        self.rooms.begin()
        self.greens.begin()
        if self.rooms.rooms or self.greens.spaces:
            Notices(self.world, self.gateways, self._sky, is_summer=self._is_summer).begin()
        self.world.at(_COLD_START_MS, self.world.every, EVERY_MS, self._look)

    def _schedule_faults(self) -> None:
        for cut in self.drawn.cuts:
            begin, finish = self._actions(cut.what, cut.cabinet)
            self.world.at(1000 * cut.from_s, begin)
            self.world.at(1000 * cut.to_s, finish)
        for index, at_s in self.drawn.dead_lamps:
            self.world.at(1000 * at_s, self.streets.damage, index, "module_dead", event.LAMP_FAILURE)
        for index, at_s in self.drawn.stuck_relays:
            self.world.at(1000 * at_s, self.streets.damage, index, "relay_stuck", event.LAMP_UNEXPECTED_ON)
        for index, at_s in self.drawn.dead_thermometers:
            self.world.at(1000 * at_s, self.rooms.lose_thermometer, index)
        for index, at_s in self.drawn.broken_pipes:
            self.world.at(1000 * at_s, self.greens.break_pipe, index)

    def _actions(self, what: str, cabinet: int | None) -> tuple[Callable[[], None], Callable[[], None]]:
        if what == "ingest":
            return self.centre.stop, self.centre.start
        if what == "broker":
            return self.broker.forget, self.broker.restart
        assert cabinet is not None
        gateway = self.gateways[cabinet]
        if what == "fibre":
            return lambda: gateway.fibre(False), lambda: gateway.fibre(True)
        return gateway.power_cut, gateway.power_on

    def _calm(self) -> None:
        """Faults end: perfect radio from here on."""
        for radio in self._joining.radios:
            radio.faults_on = False

    def _look(self) -> None:
        unix_s = self.world.unix_s
        lit, wanted = self.streets.look()
        self.bounds.look()
        self._node_ms += EVERY_MS * sum(host.node is not None for host in self.nodes)
        if self.world.now_ms % 300_000 == 0:
            waiting = sum(gateway.waiting() for gateway in self.gateways)
            carriers = tuple(gateway.carrier() for gateway in self.gateways)
            self.sights.append(
                Sight(
                    unix_s,
                    lit,
                    wanted,
                    waiting,
                    self.streets.power_dw(),
                    carriers,
                    *self.rooms.extremes_ck(),
                    self.greens.flow_ml_min(),
                )
            )

    def _quiet_end_s(self, end_s: int) -> int:
        """Half an hour after the first dusk that follows the faults, and then between two reports."""
        district = districts(self.options.lamps)[0]
        site = lighting.Site(district.latitude_e4, district.longitude_e4, civil.PARIS)
        plan = lighting.Plan(lighting.DEFAULT_CALENDAR, site)
        at_s = self.options.start_unix_s + end_s
        wanted = plan.wanted(at_s)
        while wanted.level_percent > 0 or plan.wanted(wanted.until_s).level_percent == 0:
            wanted = plan.wanted(wanted.until_s)
        quiet_s = wanted.until_s + _QUIET_AFTER_DUSK_S
        return quiet_s + (_QUARTER_DONE_S - quiet_s) % _QUARTER_S - self.options.start_unix_s

    # --- the end --------------------------------------------------------------------------------------------

    def _result(self) -> Result:
        warehouse = self.centre.warehouse
        self.streets.settle()
        self.rooms.settle()
        self.greens.settle()
        verdict = self.delivery.verdict(warehouse, self._still_waiting())
        waits = self._waits()
        # Of lamps alone: rooms count their own.
        stored_wh = sum(
            energy.wh for host in self.streets.hosts for energy in warehouse.energy_wh(host.settings.node).values()
        )
        counters: dict[str, int] = {}
        for gateway in (*self.gateways, self.village.host):
            for name, value in gateway.totals().items():
                counters[name] = counters.get(name, 0) + value
        readings, assets = self._readings()
        expected = self.streets.expected + self.rooms.expected + self.greens.expected
        result = Result(
            options=self.options,
            drawn=self.drawn,
            verdict=verdict,
            alarms=judge(expected, (row for row in warehouse.bodies() if row[0][0] != village.GATEWAY_ID)),
            village=self.village.told(warehouse.bodies()),
            digest="",
            node_seconds=self._node_ms // 1000,
            events=self.world.events,
            longest_wait_s=max(waits, default=0),
            median_wait_s=sorted(waits)[len(waits) // 2] if waits else 0,
            true_wh=self.streets.true_wh(),
            full_power_wh=self.streets.full_power_wh(),
            stored_wh=stored_wh,
            lighting_violations=self.streets.checker.violations,
            bounds_violations=self.bounds.violations,
            sealed=self.sealed.sealed,
            nonces_reused=self.sealed.reused,
            worst_delay_s=self.streets.checker.worst_delay_s,
            streets=self.streets.told(),
            assets=assets,
            rooms=self.rooms.told(),
            greens=self.greens.told(),
            sights=self.sights,
            cut_lines=[self._cut_line(cut.what, cut.from_s, cut.to_s, cut.cabinet) for cut in self.drawn.cuts],
            batches=self.centre.batches,
            batch_bytes=self.centre.bytes,
            mobile_bytes=sum(gateway.metered_bytes for gateway in self.gateways),
            bearer_changes=counters.get("connection.changes", 0),
            readings=readings,
            counters=counters,
        )
        result.digest = self._digest(result)
        return result

    def _cut_line(self, what: str, from_s: int, to_s: int, cabinet: int | None) -> tuple[str, int, int, int, int, int]:
        """While something was away: how many lamps were to be lit at most, and the worst shortfall seen."""
        begin, end = self.options.start_unix_s + from_s, self.options.start_unix_s + to_s
        within = [sight for sight in self.sights if begin <= sight.unix_s <= end]
        wanted = max((sight.wanted for sight in within), default=0)
        short = max((sight.wanted - sight.lit for sight in within), default=0)
        return what, from_s, to_s, -1 if cabinet is None else cabinet, wanted, short

    def _still_waiting(self) -> set[tuple[bytes, int, int]]:
        waiting = set()
        for host in self.nodes:
            if host.node is not None:
                node = host.settings.node
                waiting |= {(node, host.boot, sequence) for sequence in host.node.waiting_sequences()}
        return waiting

    def _waits(self) -> list[int]:
        """Seconds from the making of each delivered record to its first arrival in the warehouse."""
        waits = []
        for held in self.centre.warehouse.held():
            made_ms = self.delivery.made_ms((held.node, held.boot, held.sequence))
            if made_ms is not None:
                waits.append(held.received_unix_s - self.options.start_unix_s - made_ms // 1000)
        return waits

    def _readings(self) -> tuple[int, int]:
        """In the warehouse: readings, and asset records of lamps."""
        count = assets = 0
        for _, _, body in self.centre.warehouse.bodies():
            said = record.decode_body(body)
            if isinstance(said, dict):
                count += len(said)
            else:
                assets += said.code == event.LAMP_ASSET
        return count, assets

    def _digest(self, result: Result) -> str:
        """Integers and bytes only: the same on every machine."""
        figures = (
            self.centre.warehouse.digest(),
            tuple(result.verdict[:9]),
            result.events,
            result.true_wh,
            tuple(map(tuple, result.village.counted)),
            result.village.true_wh,
            tuple(lamp.energy_wh() for lamp in self.lamps),
            self.rooms.figures() + self.greens.figures(),
            tuple((sight.unix_s, sight.lit, sight.waiting, sight.power_dw) for sight in result.sights),
        )
        return sha256(repr(figures).encode()).hexdigest()[:32]
