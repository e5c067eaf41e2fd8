"""Stops the broker of a department, starts it again, and counts how all its gateways reconnect.

Many real gateway cores with real connections (`tools/prove/fleet.py`), one Mosquitto, one ingest. The broker is killed
with -9 and started again after a second, and after half a minute; then a server that accepts connections and hangs up
at once takes its place for a while. Each node makes records while the broker is away.

Figures of each outage: attempts while the broker was away, attempts after its return in the busiest second and in the
mean, and seconds until all were connected. The figures that decide are counts, not times:

    hasty    attempts made sooner than the back-off in `gateway/core/limits.py` allows
    bunched  outages of 5 s and more after which more than three quarters of the gateways planned the same second:
             their waits are not random
    lost, duplicated, altered   records, in the warehouse
"""

import argparse
import asyncio
import contextlib
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.core import limits
from gateway.io import clock
from simulator.rig.live import Figures, in_folder
from simulator.rig.ports import free_port
from simulator.rig.rig import Part, RigError, find_mosquitto
from simulator.world.chance import Prng
from tools.centre.ingest import receipts
from tools.centre.store.archive import Archive
from tools.command_line import add_json
from tools.prove.fleet import FLEET_MAX, Attempt, Fleet

_HOST = "127.0.0.1"
_PUMP_S = 0.1
_CONNECT_S_MAX = 300
_DRAIN_S = 180
_PAYLOADS_AN_OUTAGE = 3
# By then the wait under way is longer than the differences between the first waits: the gateways are out of step.
_APART_AFTER_S = 5
# MQTT 5 section 3.2: no session, success, no properties.
_CONNACK = bytes.fromhex("2003000000")
_CONNECT_BYTES_MAX = 4096

_BROKEN = ("lost", "duplicated", "altered", "hasty", "bunched")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agents", type=int, default=200, help="gateways (default %(default)s)")
    parser.add_argument(
        "--outage", type=float, action="append", metavar="S", help="seconds without a broker (repeat; default 1 and 30)"
    )
    parser.add_argument("--kicks", type=float, default=30, metavar="S", help="a broker that hangs up (default 30 s)")
    parser.add_argument(
        "--steady", type=float, default=31, metavar="S", help="connected before each outage (default 31 s: that lasts)"
    )
    parser.add_argument("--watch", type=float, default=60, metavar="S", help="counted after each return (default 60 s)")
    parser.add_argument("--seed", type=int, default=1, help="of waits and records (default %(default)s)")
    parser.add_argument("--folder", type=Path, help="keep logs and database here (default: a temporary folder)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    told: Figures = {}

    def act(folder: Path) -> Figures:
        told.update(asyncio.run(prove(folder, args)))
        return told

    status = in_folder("prove storm", args, act)
    return status or (3 if any(told[name] for name in _BROKEN) else 0)


async def prove(folder: Path, args: argparse.Namespace) -> Figures:
    """Runs the outages, one after the other, and the drain; returns the figures."""
    if not 0 < args.agents <= FLEET_MAX:
        raise RigError(f"--agents: give 1 to {FLEET_MAX}")
    begun = time.monotonic()
    storm = _Storm(folder, args)
    told: Figures = {"agents": args.agents}
    try:
        await storm.begin()
        for away_s in args.outage or (1.0, 30.0):
            told |= await storm.outage(away_s)
        if args.kicks:
            told |= await storm.kicks(args.kicks)
        told |= await storm.conclude()
    finally:
        storm.end()
    return {**told, "hasty": storm.hasty, "bunched": storm.bunched, "wall_s": round(time.monotonic() - begun, 1)}


def peak_per_s(times_ms: Iterable[int]) -> int:
    """Returns the largest number of times in any window of one second."""
    rising = sorted(times_ms)
    start = peak = 0
    for end, at_ms in enumerate(rising):
        while rising[start] <= at_ms - 1000:
            start += 1
        peak = max(peak, end - start + 1)
    return peak


def is_hasty(attempt: Attempt) -> bool:
    """Returns True when an attempt came sooner than half of the back-off after so many waits."""
    step_ms = min(limits.UPLINK_RECONNECT_FIRST_MS << min(attempt.waits, 30), limits.UPLINK_RECONNECT_LAST_MS)
    return attempt.waited_ms < step_ms // 2


class _Storm:
    """Holds the parts of the proof, and its counts."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        mosquitto = find_mosquitto()
        if mosquitto is None:
            raise RigError("no Mosquitto here: apt-get install mosquitto")
        folder.mkdir(parents=True, exist_ok=True)
        self._args = args
        self._port = port = free_port(socket.SOCK_STREAM)
        self._database = folder / "warehouse.sqlite"
        file = folder / "mosquitto.conf"
        file.write_text(f"listener {port} {_HOST}\nallow_anonymous true\nuser root\n", encoding="utf-8")
        ingest = [sys.executable, "-m", "tools", "centre", "ingest", "--insecure"]
        ingest += ["--db", str(self._database), "--broker", f"{_HOST}:{port}"]
        key = receipts.load_or_make(receipts.default_path(str(self._database)))
        self._broker = Part("broker", [mosquitto, "-c", str(file)], folder / "broker.log")
        self._ingest = Part("ingest", ingest, folder / "ingest.log")
        self._fleet = Fleet(args.agents, port, key.public, Prng(args.seed))
        self.hasty = self.bunched = 0

    async def begin(self) -> None:
        self._broker.start()
        self._ingest.start()
        await asyncio.sleep(1)
        self._fleet.start()
        await self._until(self._fleet.all_connected, _CONNECT_S_MAX, "not all gateways ever connected")

    async def outage(self, away_s: float) -> Figures:
        """Kills the broker with -9, keeps it away for a time, and starts it again."""
        await self._begin_outage()
        await self._make(away_s)
        return await self._return(f"outage_{away_s:g}s", away_s)

    async def kicks(self, for_s: float) -> Figures:
        """Makes an outage in which a server at the broker's port accepts every connection and hangs up."""
        await self._begin_outage()
        server = await asyncio.start_server(_kick, _HOST, self._port, backlog=FLEET_MAX)
        try:
            await self._make(for_s)
        finally:
            server.close()
            await server.wait_closed()
        return await self._return("kicks", for_s)

    async def conclude(self) -> Figures:
        """Waits until everything is stored or no more records come, then compares."""
        begun = time.monotonic()
        await self._until(self._fleet.all_idle, _DRAIN_S, "a node was never answered")
        missing = await self._drained()
        archive = Archive.open(str(self._database))
        try:
            verdict = self._fleet.delivery.verdict(archive, set())
        finally:
            archive.close()
        return {
            "made": verdict.made,
            "acknowledged": verdict.acknowledged,
            "stored": verdict.delivered,
            "lost": missing,
            "duplicated": verdict.duplicated,
            "altered": verdict.altered + verdict.invented,
            "drain_s": round(time.monotonic() - begun, 1),
        }

    def end(self) -> None:
        self._fleet.close()
        self._ingest.stop()
        self._broker.stop()

    # --- inside -------------------------------------------------------------------------------------------------

    async def _begin_outage(self) -> None:
        await self._pump(self._args.steady)
        self._fleet.attempts.clear()
        if not self._broker.running() or not self._ingest.running():
            raise RigError("the broker or the ingest ended by itself; see their logs")
        self._begun_ms = clock.monotonic_ms()
        self._broker.kill()

    async def _make(self, for_s: float) -> None:
        """Lets every node make a few payloads while there is no broker."""
        for _ in range(_PAYLOADS_AN_OUTAGE):
            self._fleet.speak(may_make=True)
            await self._pump(for_s / _PAYLOADS_AN_OUTAGE)

    async def _return(self, name: str, away_s: float) -> Figures:
        back_ms = clock.monotonic_ms()
        self._broker.start()
        await self._until(self._fleet.all_connected, _CONNECT_S_MAX, "not all gateways connected again")
        all_s = (clock.monotonic_ms() - back_ms) / 1000
        await self._pump(self._args.watch - all_s)
        return self._count(name, away_s, back_ms, all_s)

    def _count(self, name: str, away_s: float, back_ms: int, all_s: float) -> Figures:
        attempts = self._fleet.attempts
        away = [attempt for attempt in attempts if attempt.at_ms < back_ms]
        back = [attempt for attempt in attempts if attempt.at_ms >= back_ms]
        minute = [attempt for attempt in back if attempt.at_ms < back_ms + 60_000]
        counted_s = min(60.0, max(self._args.watch, all_s))
        meant = peak_per_s(attempt.due_ms for attempt in attempts if attempt.due_ms >= back_ms)
        self.hasty += sum(is_hasty(attempt) for attempt in attempts)
        # Of so few gateways, one or two always share a second.
        self.bunched += away_s >= _APART_AFTER_S and meant > max(2, 3 * self._args.agents // 4)
        return {
            f"{name}_away_s": round((back_ms - self._begun_ms) / 1000, 1),
            f"{name}_attempts_away": len(away),
            f"{name}_attempts_of_one_max": max(Counter(attempt.gateway for attempt in attempts).values(), default=0),
            f"{name}_peak_per_s": peak_per_s(attempt.at_ms for attempt in attempts),
            f"{name}_peak_per_s_back": peak_per_s(attempt.at_ms for attempt in back),
            f"{name}_peak_per_s_meant": meant,
            f"{name}_mean_per_s_back": round(len(minute) / counted_s, 1) if counted_s else 0,
            f"{name}_all_connected_s": round(all_s, 1),
        }

    async def _pump(self, for_s: float) -> None:
        """Lets time pass, while nodes retransmit what is due."""
        until = time.monotonic() + for_s
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(_PUMP_S, left))
            if not self._fleet.all_idle():
                self._fleet.speak(may_make=False)

    async def _until(self, reached: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
        until = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > until:
                raise RigError(otherwise)
            await self._pump(_PUMP_S)

    async def _drained(self) -> int:
        """Waits as long as records keep arriving; returns how many are missing in the end."""
        missing, until = self._missing(), time.monotonic() + _DRAIN_S
        while missing and time.monotonic() < until:
            await self._pump(1)
            left = self._missing()
            if left < missing:
                missing, until = left, time.monotonic() + _DRAIN_S
        return missing

    def _missing(self) -> int:
        archive = Archive.open(str(self._database))
        try:
            return len(self._fleet.delivery.missing(archive.identities()))
        finally:
            archive.close()


async def _kick(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts an MQTT connection, and hangs up."""
    with contextlib.suppress(OSError):
        await reader.read(_CONNECT_BYTES_MAX)
        writer.write(_CONNACK)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
