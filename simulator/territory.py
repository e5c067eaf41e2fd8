"""Composes a territory from options and runs it: plants, nodes, gateways, broker, centre, checkers, story.

`Territory` is the whole or a part: some of its cabinets with their nodes, behind a broker and a centre. What happens to
one cabinet does not depend on which others are in the same part.

The run has two parts: `hours` with the faults that the seed drew, then a quiet time in which everything works again and
the system must converge. It lasts until the next dusk has passed, for a lamp on a switched feeder has no mains by day
and can report only then what it could not report at dawn.

Long because it alone knows all parts of a territory.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.gateway import Options as GatewayOptions
from policy import civil, lighting
from simulator.cabinet import village
from simulator.cabinet.commune import BEHUARD, POLICY_FILE, Commune, policy_of, signed_policy
from simulator.checkers.alarms import Bodies, ExpectedAlarm, judge_nodes
from simulator.checkers.bounds import BoundsChecker
from simulator.checkers.delivery import DeliveryChecker, JournalPlace
from simulator.checkers.lighting import EVERY_MS
from simulator.checkers.nonces import SealedOnce
from simulator.estates.greens import Greens
from simulator.estates.notices import Notices, drought_level
from simulator.estates.rooms import Rooms
from simulator.estates.streets import District, Streets
from simulator.hosts.centre import Centre, Control
from simulator.hosts.gateway import SMALL_CARD, GatewayHost
from simulator.hosts.hostile import hand_over
from simulator.hosts.joining import TERRITORY, Joining
from simulator.hosts.keys import keyset_of
from simulator.hosts.node import NodeHost
from simulator.hosts.opened import OpenedCabinet
from simulator.hosts.stolen import KeyThief
from simulator.hosts.street_gateway import StreetGateway
from simulator.options import HOUR_S, SEASONS, Cut, Drawn, Options, districts, draw, shares
from simulator.plants.climate import Climate, Weather
from simulator.plants.feeder import FeederData
from simulator.plants.lamps import Air, Lamp
from simulator.report.result import Result, Snapshot, added
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from tools.centre.store.archive import Held
from wire import cbor, event

_GATEWAY_BENCH = b"\xfe"
_MONTHLY_BYTES = 50_000_000  # what a cheap subscription for machines gives
_FIBRE, _MOBILE = Bearer("fibre"), Bearer("mobile", is_metered=True, monthly_bytes=_MONTHLY_BYTES)
# The run begins with a cold boot of everything, by day: no lamp knows the time before its cabinet does.
_COLD_START_MS = 300_000
# After the next dusk: the boot storm reports within 5 minutes, its batches leave within one more.
_QUIET_AFTER_DUSK_S = 1800
# Nodes report in the minute after each quarter hour: a run that ended then would find records on their way up.
_QUARTER_S = 900
_QUARTER_DONE_S = 600
# To the warehouse a record takes its report's spread, a flush and a batch's age.
_ON_THE_WAY_MS = 300_000
# What was acknowledged this lately when the plug is pulled need not be in the gateway's list of what its journal holds.
_UNLISTED_MS = limits.JOURNAL_CHECK_EVERY_MS + 5_000


class Part(NamedTuple):
    """Names the cabinets of one part of a territory, [first, end), and whether the commune without nodes is in it."""

    first: int
    end: int
    has_village: bool


class Territory:
    """Composes and runs one territory, or the `part` of it.

    `run` may be called once; it calls `progress(done_s, total_s)` every ten simulated minutes. To let time pass
    otherwise, call `start`, `world.run_until` and `judge`, within `sealed`.
    `drawn` replaces what the seed would draw, for a story written by hand. `warehouse`: the file of the centre's;
    `control`: what makes its control; `has_hall`: the commune whose cabinet takes orders has a hall and a green space.
    """

    def __init__(
        self,
        options: Options,
        drawn: Drawn | None = None,
        part: Part | None = None,
        *,
        warehouse: str = ":memory:",
        control: Callable[[World, Broker], Control] = Control,
        has_hall: bool = False,
    ) -> None:
        self.options = options
        part = Part(0, options.cabinets, True) if part is None else part
        self._own = range(part.first, part.end)
        self._prng = Prng(options.seed)
        self.drawn = draw(options) if drawn is None else drawn
        self.world = World(start_unix_s=options.start_unix_s)
        self.broker = Broker(self.world, self._prng.split("broker"))
        self.centre = Centre(self.world, self._prng.split("centre"), self.broker, warehouse)
        self.delivery = DeliveryChecker()
        self.gateways: list[GatewayHost] = []
        self._joining = Joining(self.world, self._tap, loss_permille=options.radio_loss_permille)
        places = districts(options)
        lamps, rooms, greens = shares(options)
        first_lamp, first_room, first_green = (sum(counts[: part.first]) for counts in (lamps, rooms, greens))
        self.streets = Streets(self.world, self._joining, calendar=options.calendar, first=first_lamp)
        climate = Climate(options.seed, options.start_unix_s // civil.day_s - 1)
        sky = Weather(climate)
        self.rooms = Rooms(self.world, self._joining, sky, first=first_room)
        self._is_summer = options.start == SEASONS["summer"]
        drought = drought_level(is_summer=self._is_summer)
        self.greens = Greens(self.world, self._joining, climate, drought=drought, first=first_green)
        self.policies = self._decided(places)
        self._thieves: list[KeyThief] = []
        self._lately: deque[tuple[int, tuple[bytes, int, int]]] = deque()  # what was acknowledged, and when
        self.control = control(self.world, self.broker)
        self.village = (
            village.Village(self.world, self._prng.split("village"), self.broker, self.control, self.drawn.happenings)
            if part.has_village
            else None
        )
        # Lamps have the first numbers, with or without rooms and green spaces.
        self._joining.next_number = 1 + first_lamp
        for index in self._own:
            self._build(index, places[index])
        self._joining.next_number = 1 + options.lamps + first_room + first_green
        for index, gateway in zip(self._own, self.gateways, strict=True):
            prng = self._prng.split(f"estate-{index}")
            self.rooms.build(gateway, rooms[index], prng)
            self.greens.build(gateway, places[index], greens[index], prng)
        self._hosts = self.gateways if self.village is None else [*self.gateways, self.village.host]
        if has_hall and self.village is not None:
            self._build_hall(self.village.host)
        for gateway in self._hosts:
            for node in gateway.nodes:
                self.delivery.adopted(node, gateway.options.gateway)
        self.notices = [Notices(self.world, one, sky, is_summer=self._is_summer) for one in self._hosts if one.nodes]
        self.bounds = BoundsChecker(self._hosts)
        self.sealed = SealedOnce()
        self.snapshots: list[Snapshot] = []

    @property
    def nodes(self) -> list[NodeHost]:
        """All nodes, in the order of their numbers."""
        return self._joining.hosts

    @property
    def lamps(self) -> list[Lamp]:
        return self.streets.lamps

    def run(self, progress: Callable[[int, int], None] | None = None) -> Result:
        """Runs the faults, then the quiet time, and judges."""
        end_s = self.options.hours * HOUR_S
        total_s = self._quiet_end_s(end_s) if self.options.until_dusk else end_s
        self.start()
        self.world.at(1000 * self.options.faults_s, self.calm)
        step_s = 600
        with self.sealed:
            for until_s in range(step_s, total_s + step_s, step_s):
                self.world.run_until(1000 * min(until_s, total_s))
                if progress is not None:
                    progress(min(until_s, total_s), total_s)
        return self.judge()

    # --- building -------------------------------------------------------------------------------------------

    def _build(self, index: int, district: District) -> None:
        prng = self._prng.split(f"cabinet-{index}")
        options = GatewayOptions(
            gateway=_gateway_id(index),
            insee=district.insee,
            name=district.name,
            keyset=keyset_of(district.insee),
            **SMALL_CARD,
            bearers=(_FIBRE, _MOBILE) if district.has_mobile else (_FIBRE,),
        )
        has_points = district.insee in self.policies
        gateway = (StreetGateway if has_points else GatewayHost)(self.world, prng, options, self.broker)
        self.gateways.append(gateway)
        air = Air(
            latitude_e4=district.latitude_e4, longitude_e4=district.longitude_e4, mean_ck=850, swing_ck=600
        )
        self.streets.build(gateway, district, air, prng)
        if isinstance(gateway, StreetGateway):
            gateway.points = points = self.streets.points(gateway)
            place = district.latitude_e4, district.longitude_e4
            gateway.options = gateway.options._replace(cabinet=CabinetOptions(*place, points.options()))
            gateway.state_disk.put(POLICY_FILE, self.policies[district.insee])

    def _decided(self, places: list[District]) -> dict[str, bytes]:
        """Returns the signed policy of each commune whose cabinets name their feeders, by its INSEE code."""
        found: dict[str, bytes] = {}
        for insee in dict.fromkeys(place.insee for place in places):
            own = [place for place in places if place.insee == insee]
            named = ((name, lamps) for place in own for name, lamps in place.feeders if name)
            names = {name: FeederData(name, lamps, 0, switched=False) for name, lamps in named}
            if names:
                commune = Commune(insee, own[0].commune, own[0].latitude_e4, own[0].longitude_e4)
                # From sunset to sunrise: what dims by night is the lamps' own calendar, for a contactor dims nothing.
                policy = policy_of(commune, names.values(), lighting.DEFAULT_CALENDAR, now_s=self.world.unix_s)
                found[insee] = signed_policy(policy)
        return found

    def _build_hall(self, gateway: GatewayHost) -> None:
        prng, place = self._prng.split("hall"), BEHUARD
        self.rooms.build_hall(gateway, prng)
        options = gateway.options
        self.greens.build(
            gateway, District(place.insee, place.name, options.name, place.latitude_e4, place.longitude_e4, 0, False),
            1, prng,
        )  # fmt: skip

    def _tap(self, node: bytes, boot: int, what: str, sequence: int, data: bytes) -> None:
        if what == "made":
            self.delivery.made(node, boot, sequence, data, now_ms=self.world.now_ms)
            self.greens.observe_record(node, data)
        else:
            self.delivery.acknowledged(node, boot, sequence)
            now_ms, lately = self.world.now_ms, self._lately
            lately.append((now_ms, (node, boot, sequence)))
            while lately[0][0] < now_ms - _UNLISTED_MS:
                lately.popleft()

    # --- the story ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Powers everything on, and schedules what was drawn."""
        self.centre.start()
        self.control.start()
        for gateway in self._hosts:
            if gateway.nodes:
                self.centre.bind(gateway.nodes, gateway.options.insee, gateway.options.name)
        for gateway in self.gateways:
            gateway.power_on()
        if self.village is not None:
            self.village.start()
        self.streets.start()
        self.rooms.start()
        self.greens.start()
        if self.options.rooms or self.options.greens:
            for notices in self.notices:
                notices.start()
        self.world.at(_COLD_START_MS, self.world.every, EVERY_MS, self._observe)
        self._schedule_faults()

    def _schedule_faults(self) -> None:
        for cut in self.drawn.cuts:
            if cut.what == "opened":
                self._open_cabinet(cut)
                continue
            if cut.cabinet is not None and cut.cabinet not in self._own:
                continue
            begin, finish = self.actions(cut.what, cut.cabinet)
            self.world.at(1000 * cut.from_s, begin)
            self.world.at(1000 * cut.to_s, finish)
        own_lamps, own_rooms, own_greens = self.streets.numbers, self.rooms.numbers, self.greens.numbers
        for faults, own, strike, arguments in (
            (self.drawn.dead_lamps, own_lamps, self.streets.damage, ("module_dead", event.LAMP_FAILURE)),
            (self.drawn.stuck_relays, own_lamps, self.streets.damage, ("relay_stuck", event.LAMP_UNEXPECTED_ON)),
            (self.drawn.dead_thermometers, own_rooms, self.rooms.lose_thermometer, ()),
            (self.drawn.broken_pipes, own_greens, self.greens.break_pipe, ()),
        ):
            for index, at_s in faults:
                if index in own:
                    self.world.at(1000 * at_s, strike, index, *arguments)

    def actions(self, what: str, cabinet: int | None) -> tuple[Callable[[], None], Callable[[], None]]:
        """Returns what begins and what ends a fault, as `Cut` has them."""
        if what == "ingest":
            return self.centre.stop, self.centre.start
        if what == "broker":
            return self.broker.forget, self.broker.restart
        if what == "hostile":
            return hand_over(self.broker, self._prng.split("hostile"))
        assert cabinet is not None
        gateway = self.gateways[cabinet - self._own.start]
        if what == "stolen":
            return self._steal_key(gateway)
        if what == "fibre":
            return lambda: gateway.fibre(False), lambda: gateway.fibre(True)
        if what == "deleted":
            return lambda: self._rob(gateway), gateway.power_on
        return gateway.power_cut, gateway.power_on

    def _rob(self, gateway: GatewayHost) -> None:
        """Lets a stranger pull the plug of a cabinet and delete a file of its journal."""
        gateway.power_cut()
        lately = {identity for at_ms, identity in self._lately if at_ms >= self.world.now_ms - _UNLISTED_MS}
        for identity, place in gateway.lose_file(self._prng.split(f"deleted-{gateway.options.name}")):
            if self.delivery.made_ms(identity) is not None:
                is_listed = self.delivery.is_acknowledged(identity) and identity not in lately
                self.delivery.stolen(identity, JournalPlace(*place) if is_listed else None)

    def _steal_key(self, gateway: GatewayHost) -> tuple[Callable[[], None], Callable[[], None]]:
        """Returns what gives the key of a cabinet's first lamp to a stranger, and what ends the flood."""
        lamp = next(host for host in self.streets.hosts if host.settings.node in gateway.nodes)
        prng = self._prng.split(f"stolen-{gateway.options.name}-{len(self._thieves)}")
        thief = KeyThief(self.world, prng, gateway, lamp, self._tap)
        self._thieves.append(thief)
        return thief.start, thief.stop

    def _open_cabinet(self, cut: Cut) -> None:
        """Schedules what a stranger does with a cabinet of this part, or of another, to the nodes of this one."""
        assert cut.cabinet is not None
        district, prng = districts(self.options)[cut.cabinet], self._prng.split(f"opened-{cut.from_s}")
        place = _gateway_id(cut.cabinet), district.insee, district.name
        opened = OpenedCabinet(self.world, prng, *place, self.centre.on_stranger)
        opened.schedule(cut.from_s, cut.to_s, self.nodes, self.gateways, self.delivery.next_sequence)

    def calm(self) -> None:
        """Ends the faults, after which the radio is perfect."""
        for radio in self._joining.radios:
            radio.faults_on = False

    def _observe(self) -> None:
        unix_s = self.world.unix_s
        lit, wanted = self.streets.check_light()
        self.bounds.check()
        if self.world.now_ms % 300_000 == 0:
            waiting = sum(gateway.waiting() for gateway in self.gateways)
            carriers = tuple(gateway.carrier() for gateway in self.gateways)
            self.snapshots.append(
                Snapshot(
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
        """Returns half an hour after the first dusk that follows the faults, moved to between two reports, in s."""
        district = districts(self.options)[0]
        site = lighting.Site(district.latitude_e4, district.longitude_e4, civil.PARIS)
        plan = lighting.Plan(lighting.DEFAULT_CALENDAR, site)
        at_s = self.options.start_unix_s + end_s
        wanted = plan.wanted(at_s)
        while wanted.level_percent > 0 or plan.wanted(wanted.until_s).level_percent == 0:
            wanted = plan.wanted(wanted.until_s)
        quiet_s = wanted.until_s + _QUIET_AFTER_DUSK_S
        return quiet_s + (_QUARTER_DONE_S - quiet_s) % _QUARTER_S - self.options.start_unix_s

    # --- the end --------------------------------------------------------------------------------------------

    def judge(self) -> Result:
        """Returns the result of what has passed so far; faults that last and records under way count."""
        warehouse = self.centre.warehouse
        self.streets.settle()
        self.rooms.settle()
        self.greens.settle()
        unheard = frozenset().union(*(thief.unheard for thief in self._thieves))
        lately_ms = self.world.now_ms - _ON_THE_WAY_MS
        verdict = self.delivery.verdict(warehouse, self._still_waiting(), given_up=unheard, lately_ms=lately_ms)
        # The energy of lamps alone: rooms count their own.
        stored_wh = sum(
            wh for host in self.streets.hosts for wh in warehouse.energy_wh(host.settings.node).values()
        )
        counters = added(gateway.totals() for gateway in self._hosts)
        held = list(warehouse.held())
        stored: Bodies = [(one[:3], one.stamp, one.body) for one in held if not one.conflicting]
        readings, assets, stored_digest = _counts_of(stored)
        expected = self.streets.expected + self.rooms.expected + self.greens.expected
        # Of the lamp whose key was stolen any alarm may be the stranger's; and the commune is judged by itself.
        apart = {village.GATEWAY_ID, *(thief.node for thief in self._thieves)}
        apart |= self.streets.excused | self.rooms.excused | self.greens.excused
        for thief in self._thieves:
            if thief.exceeded_s is not None:
                expected.append(ExpectedAlarm(thief.gateway, event.FAIR_USE_EXCEEDED, thief.exceeded_s))
            else:  # cut short: its gateway may have had reason to tell, or not
                apart.add(thief.gateway)
        return Result(
            options=self.options,
            drawn=self.drawn,
            verdict=verdict,
            alarms=judge_nodes(
                [fault for fault in expected if fault.node not in apart],
                (row for row in stored if row[0][0] not in apart),
            ),
            villages=() if self.village is None else (self.village.report(stored),),
            node_seconds=sum(host.ran_ms() for host in self.nodes) // 1000,
            waits_s=self._waits_s(held),
            stored_digest=stored_digest,
            plants=(tuple(lamp.energy_wh() for lamp in self.lamps), self.rooms.figures(), self.greens.figures()),
            true_wh=self.streets.true_wh(),
            full_power_dws=self.streets.full_power_dws(),
            stored_wh=stored_wh,
            lighting_violations=self.streets.violations(stored),
            bounds_violations=self.bounds.violations,
            sealed=self.sealed.sealed,
            nonces_reused=self.sealed.reused,
            worst_delay_s=self.streets.checker.worst_delay_s,
            streets=self.streets.report(),
            assets=assets,
            rooms=self.rooms.report(),
            greens=self.greens.report(),
            snapshots=self.snapshots,
            batches=self.centre.batches,
            batch_bytes=self.centre.bytes,
            mobile_bytes=sum(gateway.metered_bytes for gateway in self.gateways),
            bearer_changes=counters.get("connection.changes", 0),
            readings=readings,
            counters=counters,
        )

    def _still_waiting(self) -> set[tuple[bytes, int, int]]:
        """Returns the records that nodes hold now.

        Where the run ends by day, lamps without mains would explain the records that they held at their next boot,
        which does not come.
        """
        waiting = set()
        unpowered = set()
        for host in self.nodes:
            node = host.settings.node
            if host.node is not None:
                waiting |= {(node, host.boot, sequence) for sequence in host.node.waiting_sequences()}
            elif not self.options.until_dusk:
                unpowered.add((node, host.boot))
        return waiting | {identity for identity in self.delivery.identities() if identity[:2] in unpowered}

    def _waits_s(self, records: Iterable[Held]) -> array:
        """Returns the seconds from the making of each record, but a thief's, to its first arrival in the warehouse."""
        waits = array("l")
        stolen = {thief.node for thief in self._thieves}
        for held in records:
            if held.node in stolen:
                continue
            made_ms = self.delivery.made_ms(held[:3])
            if made_ms is not None:
                waits.append(held.received_unix_s - self.options.start_unix_s - made_ms // 1000)
        return waits


def _counts_of(stored: Bodies) -> tuple[int, int, int]:
    """Counts the warehouse's readings and its asset records of lamps; returns them with a sum of digests.

    Such a sum tells the same of records in any order, and of parts that are added.
    """
    count = assets = total = 0
    for (node, boot, sequence), stamp, body in stored:
        content = sha256(node + b"%d %d %d %d %d %d " % (boot, sequence, len(body), *stamp) + body)
        total += int.from_bytes(content.digest()[:16], "big")
        if body[0] >> 5 == 5:  # readings, a map (RFC 8949 section 3.1): its head states how many
            count += body[1] if body[0] == 0xB8 else body[0] & 0x1F
        else:
            reader = cbor.Reader(body)
            reader.offset = 1  # behind the head of the array: an event begins with its code
            assets += reader.value() == event.LAMP_ASSET
    return count, assets, total


def _gateway_id(index: int) -> bytes:
    return TERRITORY + _GATEWAY_BENCH + (index + 1).to_bytes(3, "big")
