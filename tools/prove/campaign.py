"""Brings a cabinet's nodes a new program, good or bad, while power is cut anywhere; one campaign a seed.

Ten lamps on a permanent and a switched feeder and two green spaces have the real application, loader's choice, guard,
update and file work on a flash that loses its power in the middle of writes; the real gateway core runs campaigns of
two canaries for both kinds. The new program works, crashes at its start, never sends, never has a sample, or crashes an
hour after each start, as the seed draws. Mains of single boards and of the gateway are cut at random instants, and the
radio loses datagrams. Then faults end.

Checkers apart from the campaign judge (`simulator.checkers.programs`, `lighting`, `water`): each start runs one whole
program, none goes back behind what it has confirmed; lamps are served and restart in their hours; no restart in a
watering; a failing program stops at the canaries; no lamp is dark by night, and valves shut in time. In the end every
board runs a program that works, and a good one has reached all: else it is `unfinished`.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.equipment import SetContactor
from gateway.core.cabinet.feeder import FeederOptions
from gateway.core.campaigns.campaign import Plan
from gateway.core.gateway import Gateway, Options
from gateway.core.link.images import NodeImage, NodeImages
from gateway.core.link.link import NodeRequest
from kinds import streetlight
from lighting import settings
from policy import civil, lighting
from simulator.cabinet.commune import BEHUARD, POLICY_FILE, policy_of, signed_policy
from simulator.checkers.lighting import EVERY_MS, LightingChecker, Watched
from simulator.checkers.programs import Board, ProgramsChecker, Rules
from simulator.estates.greens import Greens
from simulator.estates.streets import District, lamp_settings
from simulator.hosts.gateway import SMALL_CARD, GatewayHost
from simulator.hosts.joining import Joining
from simulator.hosts.keys import holder_key, keyset_of
from simulator.hosts.node import NodeHost
from simulator.hosts.ports import LampPorts
from simulator.hosts.programs import Behaviour, Programs
from simulator.plants.climate import Climate
from simulator.plants.feeder import FeederData
from simulator.plants.lamps import Air, Lamp, LampData, LampFeeder
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.flash import Medium
from simulator.world.time import World
from tools.command_line import add_json, print_figures
from tools.link.image import manifest_of
from wire import coap_message, cose, image

_HOUR_MS = 3_600_000
_SEASONS = (datetime(2026, 11, 24, 11, tzinfo=UTC), datetime(2027, 7, 13, 10, tzinfo=UTC))
_HOURS = 72
_LAMPS, _GREENS = 5, 2
_GATEWAY = bytes.fromhex("7c1f0a2cfe000041")
_QUAY, _TOWN = "quai", "bourg"
_OLD, _NEW = 6, 7
_VERSION = "0.2.0"
_RULES = Rules(canaries=2, soak_s=21_600, failures_max=1)
_LAMP, _GREEN = "streetlight", "irrigation"

Figures = dict[str, Any]


class Images(NodeImages):
    """Serves as a gateway does, and tells the checker which node got a part of which image."""

    offered: Callable[[bytes, int], None]

    def answer(self, asked: NodeRequest, *, now_ms: int) -> coap_message.Content:
        answer = super().answer(asked, now_ms=now_ms)
        if answer.code == coap_message.CONTENT:
            self.offered(asked.node, next(one.number for one in self.images if one.product.encode() == asked.path[1]))
        return answer


class CampaignGateway(GatewayHost):
    """Runs a gateway that drives a contactor, and whose folder holds images and plans from `begin` on."""

    switch: Callable[[bool], None]
    offered: Callable[[bytes, int], None]
    make_core: Callable[[Gateway], None] = staticmethod(lambda core: None)
    _programs: tuple[list[NodeImage], list[Plan]] = ([], [])

    def begin(self, images: list[NodeImage], plans: list[Plan]) -> None:
        self._programs = images, plans
        self.dispatch("on_programs", *self._programs)

    def _make_core(self) -> Gateway:
        core = super()._make_core()
        core.images = Images(core.link, core.campaigns.judge)
        core.images.offered = self.offered
        self.make_core(core)
        return core

    def _start(self, life: int) -> None:
        super()._start(life)
        if life == self._life:
            self.dispatch("on_programs", *self._programs)

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, SetContactor):
            if effect.feeder == 1:
                self.switch(effect.closed)
        else:
            super()._carry_out(effect)


class Town:
    """Composes and runs one campaign for some hours; faults end after five ninths of them. `spoil(core)` plants a bug
    in each start of the gateway."""

    def __init__(
        self, seed: int, behaviour: Behaviour | None = None, spoil: Callable[[Gateway], None] | None = None,
        *, hours: int = _HOURS,
    ) -> None:
        self._end_ms = hours * _HOUR_MS
        self._faults_end_ms = self._end_ms * 5 // 9
        self._prng = Prng(f"campaign-{seed}")
        self.behaviour = list(Behaviour)[self._prng.randrange(len(Behaviour))] if behaviour is None else behaviour
        start = _SEASONS[self._prng.randrange(len(_SEASONS))]
        self.world = World(start_unix_s=int(start.timestamp()))
        joining = Joining(self.world, self._tap, loss_permille=120)
        self._radios = joining.radios
        site = BEHUARD.latitude_e4, BEHUARD.longitude_e4
        self.files = {number: _files(number) for number in (_OLD, _NEW)}
        self.checker = ProgramsChecker(lambda: self.world.unix_s, site, self.files, _RULES)
        self._lamps: list[Lamp] = []
        self._watched: list[Watched] = []
        self.lighting = LightingChecker(self._watched)
        self.gateway = self._make_gateway()
        if spoil is not None:
            self.gateway.make_core = spoil
        self.feeders = [LampFeeder(self._prng.split(name), switched=name == _TOWN) for name in (_QUAY, _TOWN)]
        self.hosts = [self._build_lamp(joining, feeder) for feeder in self.feeders for _ in range(_LAMPS)]
        self._wire()
        climate = Climate(seed, self.world.unix_s // civil.day_s - 1)
        self.greens = Greens(self.world, joining, climate, drought=0)
        district = District(BEHUARD.insee, BEHUARD.name, "armoire", *site, 0, False)
        self.greens.build(self.gateway, district, _GREENS, self._prng.split("greens"))
        for host, space in zip(self.greens.hosts, self.greens.spaces, strict=True):
            name, flowing = f"green space {len(self.checker.boards)}", space.site.pipes.flowing
            self._equip(host, _GREEN, Board(name, _GREEN, None, flowing))

    def run(self) -> Figures:
        world = self.world
        self.gateway.power_on()
        for host in self.hosts[:_LAMPS]:
            host.power_on()
        self.greens.start()
        world.at(600_000, world.every, EVERY_MS, lambda: self.lighting.check(unix_s=world.unix_s))
        world.at(self._prng.randrange(6 * _HOUR_MS), self._begin)
        self._draw_cuts()
        world.at(self._faults_end_ms, self._calm)
        world.run_until(self._end_ms)
        return self._figures()

    # --- the story ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        at_s, rules = self.world.unix_s, _RULES
        images = [_image(product, _NEW, self.files[_NEW]) for product in (_LAMP, _GREEN)]
        self.gateway.begin(images, [Plan(one.product, _NEW, at_s, frozenset(), *rules) for one in images])

    def _draw_cuts(self) -> None:
        for host in [*self.hosts, *self.greens.hosts]:
            for _ in range(2):
                self._at_random(self._cut_board, host, 5 + self._prng.randrange(60))
                self._at_random(self._cut_flash, host, 1 + self._prng.randrange(120))
        for _ in range(2):
            self._at_random(self._cut_gateway, 60 + self._prng.randrange(1800))

    def _at_random(self, action: Callable[..., None], *arguments: Any) -> None:
        self.world.at(self._prng.randrange(self._faults_end_ms), action, *arguments)

    def _feed(self, host: NodeHost) -> None:
        if host not in self.hosts[_LAMPS:] or self.feeders[1].powered:
            host.power_on()

    def _cut_board(self, host: NodeHost, seconds: int) -> None:
        host.power_off()
        self.world.after(1000 * seconds, self._feed, host)

    def _cut_flash(self, host: NodeHost, operations: int) -> None:
        assert host.programs is not None
        host.programs.medium.cut_at = host.programs.medium.operations + operations

    def _cut_gateway(self, seconds: int) -> None:
        self.gateway.power_cut()
        self.world.after(1000 * seconds, self.gateway.power_on)

    def _calm(self) -> None:
        for radio in self._radios:
            radio.faults_on = False
        for host in [*self.hosts, *self.greens.hosts]:
            assert host.programs is not None
            host.programs.medium.cut_at = None

    def _tap(self, node: bytes, boot: int, what: str, sequence: int, data: bytes) -> None:
        if what == "made":
            self.greens.observe_record(node, data)

    # --- building -------------------------------------------------------------------------------------------------

    def _make_gateway(self) -> CampaignGateway:
        options = Options(
            gateway=_GATEWAY, insee=BEHUARD.insee, name="armoire", keyset=keyset_of(BEHUARD.insee), **SMALL_CARD
        )
        gateway = CampaignGateway(self.world, self._prng.split("gateway"), options, Broker(self.world, self._prng))
        feeders = [FeederData(name, _LAMPS, 0, switched=name == _TOWN) for name in (_QUAY, _TOWN)]
        policy = policy_of(BEHUARD, feeders, lighting.DEFAULT_CALENDAR, now_s=self.world.unix_s)
        gateway.state_disk.put(POLICY_FILE, signed_policy(policy))
        gateway.offered = self.checker.offered
        gateway.switch = self._switch
        return gateway

    def _wire(self) -> None:
        nodes = [host.settings.node for host in self.hosts]
        wired = (_QUAY, nodes[:_LAMPS]), (_TOWN, nodes[_LAMPS:])
        feeders = tuple(FeederOptions(name, _LAMPS, 0, has_meter=False, nodes=tuple(own)) for name, own in wired)
        cabinet = CabinetOptions(BEHUARD.latitude_e4, BEHUARD.longitude_e4, feeders)
        self.gateway.options = self.gateway.options._replace(cabinet=cabinet)

    def _build_lamp(self, joining: Joining, feeder: LampFeeder) -> NodeHost:
        prng = self._prng.split(f"lamp-{len(self._lamps)}")
        air = Air(latitude_e4=BEHUARD.latitude_e4, longitude_e4=BEHUARD.longitude_e4, mean_ck=850, swing_ck=600)
        lamp = Lamp(LampData(360, 6, 360, 1000), feeder, air, prng)
        wired = settings.SWITCHED if feeder.switched else settings.PERMANENT
        own = lamp_settings(BEHUARD.site, (360, 6), lighting.DEFAULT_CALENDAR, feeder=wired)
        host = joining.join(self.gateway, streetlight, own, LampPorts(self.world, lamp), prng)
        name = f"lamp {len(self._lamps)}"
        self._lamps.append(lamp)
        self._watched.append(Watched(name, lamp, lighting.Plan(lighting.DEFAULT_CALENDAR, BEHUARD.site)))
        self._equip(host, _LAMP, Board(name, _LAMP, not feeder.switched))
        return host

    def _equip(self, host: NodeHost, product: str, board: Board) -> None:
        node = host.settings.node
        self.checker.watch(node, board, _OLD)
        medium = _installed(product, self.files[_OLD])
        host.programs = Programs(node, medium, self._behaves, [_signer().public_key().public_bytes_raw()], self.checker)

    def _behaves(self, number: int) -> Behaviour:
        return self.behaviour if number == _NEW else Behaviour.WELL

    def _switch(self, closed: bool) -> None:
        feeder = self.feeders[1]
        if closed == feeder.powered:
            return
        for lamp in self._lamps[_LAMPS:]:
            lamp.settle(now_ms=self.world.now_ms, unix_s=self.world.unix_s)
        feeder.feed(closed)
        for host, lamp in zip(self.hosts[_LAMPS:], self._lamps[_LAMPS:], strict=True):
            if closed:
                lamp.meter_reset()
            (host.power_on if closed else host.power_off)()

    # --- the end --------------------------------------------------------------------------------------------------

    def _figures(self) -> Figures:
        boards = [*self.hosts, *self.greens.hosts]
        numbers = Counter(self.checker.running[host.settings.node] for host in boards)
        is_well = self.behaviour is Behaviour.WELL
        unfinished = numbers[_OLD] if is_well else 0 if self.behaviour is Behaviour.TIRES else numbers[_NEW]
        core = self.gateway.core
        assert core is not None
        phases = {one.product: one.phase for one in core.campaigns.status(now_ms=self.world.now_ms)}
        # After a cut or a crash by day a lamp knows no time, and fails lit until a gateway has answered.
        dark = [text for text in self.lighting.violations if "burning" not in text]
        violations = [
            *self.checker.violations.values(), *dark, *self.greens.violations,
            *(f"the campaign of {kind} is {phase}" for kind, phase in phases.items() if is_well != (phase == "done")),
        ]  # fmt: skip
        return {
            "behaviour": self.behaviour.value,
            "updated": numbers[_NEW],
            "unfinished": unfinished,
            "starts": self.checker.starts,
            "served": self.checker.served,
            "phases": phases,
            "violations": violations,
        }


def _signer() -> Any:
    return holder_key(BEHUARD.insee, "programmes")


def _files(number: int) -> dict[str, bytes]:
    return {"main.py": b"program %d" % number, "wire/__init__.py": b"", "wire/tables.py": bytes(range(256)) * 4}


def _image(product: str, number: int, files: dict[str, bytes]) -> NodeImage:
    key = _signer()
    kid = cose.kid_of(key.public_key().public_bytes_raw())
    signed = cose.sign1_encode(manifest_of(files, number, _VERSION, product), kid, cose.IMAGE_AAD, key.sign)
    return NodeImage(product, number, _VERSION, signed, tuple(files.values()))


def _installed(product: str, files: dict[str, bytes]) -> Medium:
    """Returns the flash of a board that the workshop has written."""
    manifest = manifest_of(files, _OLD, _VERSION, product)
    written: dict[str, bytes | None] = {"a": None, "a/wire": None, f"a/{image.MANIFEST_NAME}": manifest}
    return Medium({**written, **{f"a/{path}": data for path, data in files.items()}})


# --- the command ----------------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=10, help="campaigns (10)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one (1)")
    parser.add_argument("--hours", type=int, default=_HOURS, help="of each; the last four ninths without faults (72)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Returns the exit status: 0 it holds, 3 it does not."""
    totals: Counter[str] = Counter()
    violations: list[str] = []
    for seed in range(args.seed, args.seed + args.rounds):
        found = Town(seed, hours=args.hours).run()
        totals["rounds"] += 1
        totals[f"rounds_{found['behaviour']}"] += 1
        for name in ("updated", "unfinished", "starts", "served"):
            totals[name] += found[name]
        violations += [f"seed {seed}: {text}" for text in found["violations"]]
        print(f"seed {seed}: {found}", file=sys.stderr)
    print_figures({**totals, "violations": violations[:20]}, as_json=args.json)
    return 3 if violations or totals["unfinished"] else 0
