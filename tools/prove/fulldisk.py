"""Fills a real partition under the real agent to its last byte: every record is stored or accounted for.

Without a centre, busy senders fill the journal until it thins, while the agent is killed with -9 again and again. A
foreign file takes the last byte of the partition, while alarms are sent; whole segments are dropped; the agent is
killed. The file is removed, broker and ingest start, everything drains. Then every record that the agent acknowledged
is in the warehouse, or is one of `let_go`. Of these there must be:

    unexplained  no gap record in the warehouse covers it                0
    unlisted     the loss ledger on the gateway's disk does not name it  0

The ledger must name no record that is held (`listed_held`), except those stored twice around a kill: a sender that was
not answered sends the same again to the next life, and one of the two may be let go. It must still have all its lines
(`ledger_forgot`: too much was let go for this proof). All alarms, within fair use, must be acknowledged while the
partition is full, and be stored; the agent must not end by itself; the space must be free again.
"""

import argparse
import json
import socket
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.core import limits
from gateway.core.custody import ledger
from gateway.io import status_socket
from gateway.io.disk import ReadOnlyFolder
from simulator.checkers.delivery import DeliveryChecker, Identity
from simulator.rig.crowd import Crowd, Sender, member_id
from simulator.rig.live import Figures, in_folder
from simulator.rig.rig import Placement, Rig, RigError
from simulator.world.chance import Prng
from tools.centre.store.archive import Archive
from tools.command_line import add_json
from tools.prove.partition import Partition, why_not
from wire import event, record

_ALARMERS = 4
_ALARM_EVERY_S = 0.25  # at most
_OF_FAIR_USE = 0.9  # of the alarms that a node has a day: what is beyond may be refused
_RESERVE_BYTES = 262_144
_FOREIGN = "foreign-file"
# Time between two kills: some fall into the start, some into thinning.
_THINS_MS = (200, 2500)
_ASK_S = 2.0
_FILL_S_MAX = 600
_ANSWER_S_MAX = 60
_DRAIN_S_MAX = 300
# The least size of the partition: it must hold more than the margin that the gateway keeps free.
_MEGABYTES_MIN = 8
# Segments in a partition: the ledger has a line for each node and segment, and must keep all of them.
_SEGMENTS = 64

_BROKEN = (
    "unexplained",
    "unlisted",
    "listed_never_made",
    "listed_held_beyond",
    "ledger_forgot",
    "alarms_unanswered",
    "alarms_missing",
    "crashes",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--megabytes", type=int, default=16, help="of the partition (default %(default)s)")
    parser.add_argument("--crowd", type=int, default=24, help="loud senders (default %(default)s)")
    parser.add_argument(
        "--let-go", type=int, default=20_000, metavar="N", help="records let go before it fills up (default 20000)"
    )
    parser.add_argument("--kills", type=int, default=5, metavar="N", help="kill -9 while it thins (default 5)")
    parser.add_argument("--seed", type=int, default=1, help="when it is killed (default %(default)s)")
    parser.add_argument("--full", type=float, default=60, metavar="S", help="time with a full partition (default 60 s)")
    parser.add_argument(
        "--fills", type=int, default=2, metavar="N", help="how often it is filled in that time (default 2)"
    )
    parser.add_argument("--folder", type=Path, help="keep logs and database here (default: a temporary folder)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    told: Figures = {}

    def act(folder: Path) -> Figures:
        told.update(prove(folder, args))
        return told

    result = in_folder("prove fulldisk", args, act)
    return result or (0 if is_proven(told) else 3)


def is_proven(told: Figures) -> bool:
    """Returns True when no promise was broken, and everything that the proof needs has happened."""
    happened = all(told[name] > 0 for name in ("segments_thinned", "segments_dropped", "let_go", "alarms_while_full"))
    return happened and told["space_is_back"] == 1 and not any(told[name] for name in _BROKEN)


def prove(folder: Path, args: argparse.Namespace) -> Figures:
    """Runs the proof once and returns the figures."""
    if (missing := why_not()) is not None:
        raise RigError(missing)
    if args.megabytes < _MEGABYTES_MIN:
        raise RigError(f"--megabytes: give {_MEGABYTES_MIN} or more")
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    segment_bytes = (args.megabytes << 20) // _SEGMENTS
    try:
        with Partition(folder / "gateway", folder / "card.img", args.megabytes) as partition:
            free_before = partition.free_bytes()
            with Rig(folder, nodes=0, placement=_SmallCard(segment_bytes)) as rig:
                told = _Story(rig, partition, args).run()
            told |= _space(partition, free_before, segment_bytes)
    except OSError as error:
        raise RigError(f"the partition: {error}") from error
    return {**told, "wall_s": round(time.monotonic() - begun, 1)}


class _SmallCard(Placement):
    """Configures a journal that may be larger than the partition."""

    def __init__(self, segment_bytes: int) -> None:
        self.gateway_toml = (
            f"[journal]\nbytes_max = {1 << 30}\nsegment_bytes_max = {segment_bytes}\n"
            f"alarm_reserve_bytes = {_RESERVE_BYTES}\n"
        )


class _Heard(DeliveryChecker):
    """Remembers which of the records are alarms."""

    def __init__(self) -> None:
        super().__init__()
        self.alarms: set[Identity] = set()

    def made(self, node: bytes, boot: int, sequence: int, data: bytes, *, now_ms: int) -> None:
        super().made(node, boot, sequence, data, now_ms=now_ms)
        if record.lane(record.decode_payload(data)[0]) == event.ALARM:
            self.alarms.add((node, boot, sequence))


class _OnlyAlarms(Prng):
    """Is a source of chance that always answers yes."""

    def chance(self, permille: int) -> bool:
        return True


class _Alarmer:
    """Simulates a node that sends nothing but an alarm now and then."""

    def __init__(self, number: int, gateway: tuple[str, int], delivery: DeliveryChecker, every_s: float) -> None:
        chance = _OnlyAlarms(f"alarmer-{number}-{time.time_ns()}")
        self._sender = Sender(member_id(number), int(time.time()), chance, delivery)
        self._gateway = gateway
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._every_s = every_s
        self._next = 0.0

    def turn(self, *, may_make: bool) -> None:
        now_ms = time.monotonic_ns() // 1_000_000
        with suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                self._sender.receive(self._socket.recv(2048), now_ms=now_ms)
        due = may_make and time.monotonic() >= self._next and self._sender.idle()
        if due:
            self._next = time.monotonic() + self._every_s
        for datagram in self._sender.turn(now_ms=now_ms, may_make=due):
            with suppress(OSError):
                self._socket.sendto(datagram, self._gateway)

    def idle(self) -> bool:
        return self._sender.idle()

    def close(self) -> None:
        self._socket.close()


class _Counters:
    """Sums the agent's counters over several lives; reads them through its status socket now and then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self.waiting: int | None = None

    def ask(self) -> bool:
        """Reads the counters; returns False when the agent has none to give."""
        health: Mapping[str, Any] = {}
        with suppress(OSError, ValueError):
            health = status_socket.ask(self._path, _ASK_S).health
        if not health:  # it does not answer, or it is still starting
            self.waiting = None
            return False
        self._now = {f"thinning-{name}": count for name, count in health["thinning"].items()}
        self._now |= {f"ledger-{name}": count for name, count in health["ledger"].items()}
        self._now["refused"] = health["inbox"]["journal-refused"]
        self._now["ballast-given-up"] = health["wear"]["ballast-given-up"]
        self.waiting = health["waiting"]
        return True

    def life_ends(self) -> None:
        self._before = {name: self[name] for name in self._before | self._now}
        self._now = {}

    def __getitem__(self, name: str) -> int:
        return self._before.get(name, 0) + self._now.get(name, 0)


class _Story:
    """Runs the proof once."""

    def __init__(self, rig: Rig, partition: Partition, args: argparse.Namespace) -> None:
        self._rig = rig
        self._partition = partition
        self._args = args
        written = tomllib.loads((rig.folder / "gateway.toml").read_text(encoding="utf-8"))
        host, port = written["link"]["bind"].rsplit(":", 1)
        link = (host, int(port))
        self._heard = rig.delivery = _Heard()
        rig.crowd = Crowd(args.crowd, link, self._heard)
        numbers = range(args.crowd + 1, args.crowd + 1 + _ALARMERS)
        rig.adopt(member_id(number) for number in range(1, numbers.stop))
        every_s = max(_ALARM_EVERY_S, args.full / (_OF_FAIR_USE * limits.FAIR_USE_ALARMS_A_DAY))
        self._alarmers = [_Alarmer(number, link, self._heard, every_s) for number in numbers]
        self._alarming = False
        self._prng = Prng(args.seed)
        self._counters = _Counters(rig.folder / "gateway" / "run" / "status.sock")
        self._crashes = 0
        # Records made and not acknowledged when a life of the agent ended.
        self._in_flight: set[Identity] = set()

    def run(self) -> Figures:
        """Runs from the empty card to the verdict."""
        for part in (self._rig.broker, self._rig.ingest):
            part.kill()
        try:
            self._fill()
            for _ in range(self._args.kills):
                self._kill()
                self._pump(self._prng.between(*_THINS_MS) / 1000)
            while_full = self._be_full()
            drain_s = self._drain()
            return while_full | self._figures() | {"drain_s": drain_s}
        finally:
            for alarmer in self._alarmers:
                alarmer.close()

    # --- what happens -------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Runs until thinning has let go of much."""
        self._until(lambda: self._counters.ask(), _ANSWER_S_MAX, "the agent does not answer")
        self._until(
            lambda: self._counters.ask() and self._counters["thinning-records-let-go"] >= self._args.let_go,
            _FILL_S_MAX,
            "the journal was never full enough to let so many go",
        )

    def _be_full(self) -> Figures:
        """Fills the partition to the last byte while alarms are sent, with a kill in the middle."""
        begun, taken = len(self._heard.alarms), 0
        self._alarming = True
        for number in range(self._args.fills):
            taken = self._partition.fill(_FOREIGN)
            self._pump(self._args.full / (2 * self._args.fills))
            if number == self._args.fills // 2:
                self._kill()
            self._pump(self._args.full / (2 * self._args.fills))
        self._alarming = False
        self._wait(lambda: all(alarmer.idle() for alarmer in self._alarmers), _ANSWER_S_MAX)
        unanswered = sum(not alarmer.idle() for alarmer in self._alarmers)
        self._partition.remove(_FOREIGN)
        self._pump(1)
        alarms = len(self._heard.alarms) - begun
        return {"foreign_bytes": taken, "alarms_while_full": alarms, "alarms_unanswered": unanswered}

    def _drain(self) -> float:
        """Silences the senders, starts the centre, and waits until everything is drained; returns the seconds."""
        begun = time.monotonic()
        self._rig.quiet()
        self._until(self._all_idle, _ANSWER_S_MAX, "a sender is never answered")
        for part in (self._rig.broker, self._rig.ingest):
            part.start()
        self._until(lambda: self._counters.ask() and self._counters.waiting == 0, _DRAIN_S_MAX, "it never drains")
        return round(time.monotonic() - begun, 1)

    def _kill(self) -> None:
        self._counters.ask()
        self._counters.life_ends()
        self._rig.kill(self._rig.gateway, 0)
        self._note_in_flight()

    def _note_in_flight(self) -> None:
        """Notes what will be sent again to the next life; all answers of the last life have been read."""
        self._in_flight |= set(self._heard.identities()) - set(self._heard.identities(acknowledged=True))

    # --- what is left -------------------------------------------------------------------------------------------

    def _figures(self) -> Figures:
        archive = Archive.open(self._rig.database)
        try:
            verdict = self._heard.verdict(archive, set())
            missing = set(self._heard.missing(archive.identities()))
            unexplained = sum(archive.explained(*identity) is None for identity in missing)
        finally:
            archive.close()
        made = set(self._heard.identities())
        state = ReadOnlyFolder(self._rig.folder / "gateway" / "state")
        lines = list(ledger.entries(state))
        named = set(_named(lines, {node for node, _, _ in made}))
        held = named & made - missing
        return {
            "made": verdict.made,
            "acknowledged": verdict.acknowledged,
            "stored": verdict.delivered,
            "duplicated": verdict.duplicated,
            "altered": verdict.altered + verdict.invented,
            "lost": unexplained,
            "let_go": len(missing),
            "in_ledger": len(named),
            "unexplained": unexplained,
            "unlisted": len(missing - named),
            "listed_held": len(held),
            "listed_held_beyond": len(held - self._in_flight),
            "listed_never_made": len(named - made),
            "ledger_forgot": sum(ledger.Ledger(state).totals.values()) - sum(line["count"] for line in lines),
            "alarms": len(self._heard.alarms),
            "alarms_missing": len(self._heard.alarms & missing),
            "segments_thinned": self._counters["thinning-segments-thinned"],
            "segments_dropped": self._counters["thinning-segments-dropped"],
            "deeds_resumed": self._counters["thinning-resumed"],
            "deeds_given_up": self._counters["thinning-given-up"],
            "ballast_given_up": self._counters["ballast-given-up"],
            "ledger_not_kept": self._counters["ledger-not-kept"],
            "refused": self._counters["refused"],
            "kills_gateway": self._rig.gateway.kills,
            "crashes": self._crashes + self._crashes_logged(),
        }

    def _crashes_logged(self) -> int:
        count = 0
        for line in (self._rig.folder / "gateway.log").read_bytes().splitlines():
            with suppress(ValueError):
                count += json.loads(line).get("what") == "crash"
        return count

    # --- time passes --------------------------------------------------------------------------------------------

    def _pump(self, for_s: float) -> None:
        until = time.monotonic() + for_s
        while (left := until - time.monotonic()) > 0:
            for alarmer in self._alarmers:
                alarmer.turn(may_make=self._alarming)
            self._rig.pump(min(0.02, left))
            if not self._rig.gateway.running():
                self._crashes += 1
                self._counters.life_ends()
                self._note_in_flight()
                self._rig.gateway.start()

    def _wait(self, reached: Callable[[], bool], timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > until:
                return False
            self._pump(0.5)
        return True

    def _until(self, reached: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
        if not self._wait(reached, timeout_s):
            raise RigError(f"{otherwise}; see {self._rig.folder / 'gateway.log'}")

    def _all_idle(self) -> bool:
        return self._rig.crowd.idle() and all(alarmer.idle() for alarmer in self._alarmers)


def _named(lines: list[dict[str, Any]], nodes: set[bytes]) -> Iterator[Identity]:
    """Yields every record of these nodes that is named in lines of the loss ledger."""
    for line in lines:
        if "node" in line and (node := bytes.fromhex(line["node"])) in nodes:
            for sequence in ledger.expand(line["sequences"]):
                yield node, line["boot"], sequence


def _space(partition: Partition, free_before: int, segment_bytes: int) -> Figures:
    """Returns the space that the drained gateway still uses: its ledger, its reserve, and a segment of each lane."""
    free_after = partition.free_bytes()
    ledger_max = limits.LEDGER_FILES_MAX * limits.LEDGER_FILE_BYTES_MAX
    kept_max = ledger_max + limits.JOURNAL_BALLAST_BYTES + 5 * segment_bytes + limits.REFUSED_FILE_BYTES_MAX
    return {
        "free_before": free_before,
        "free_after": free_after,
        "space_is_back": int(free_before - free_after <= kept_max),
    }
