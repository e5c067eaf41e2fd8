"""Lets a hostile peer attack both ends of a node link while the two go on exchanging messages.

The real ends of a node and a gateway run in virtual time, over a link that loses and delays: the node asks, and keys
are agreed on at each start. The attacker hears everything, sends under any address, and has no key. It sends random
bytes; genuine datagrams with flipped bits, cut, extended, their options rearranged or oversized, with another kid, ID
Context or Partial IV, replayed as they were or in a new message, spliced, reflected; resets, acknowledgements and
answers to exchanges under way; requests in the clear and from a peer with another key. Both ends are rebooted again and
again, and must then accept nothing old.

A checker separate from the workload draws every message again from the seed. The proof holds when no exception came,
nothing but what the other side sent reached an application, each at most once and unaltered, no nonce was used twice,
every table kept its bound, memory did not grow, the counters add up, genuine exchanges succeeded all the time, and
those under way succeeded once the attacker had gone. A million datagrams take about a minute.
"""

import argparse
import gc
import sys
import time
import traceback
from typing import Any

from simulator.checkers.nonces import SealedOnce
from simulator.world.chance import Prng
from tools.command_line import add_json, print_figures
from tools.prove.fuzz_attacker import Attacker, HostileDatagram
from tools.prove.fuzz_checker import COUNTS, Checker, message_of
from tools.prove.fuzz_ends import KID, Address, RealGateway, RealNode
from wire import coap_message
from wire.oscore_context import GATEWAY_ID

NODE, GATEWAY = ("192.0.2.7", 40_001), ("192.0.2.1", 5683)
_STEP_MS = (1, 40)  # between two hostile datagrams
_LATENCY_MS = (5, 80)
_LOSS_PERMILLE = 10
_UNDER_WAY_MAX = 3  # requests; a node's sender has no more
_PAUSE_MS = 800
_REBOOT_PERIOD = 5_000  # datagrams
_WINDOW = 2_000  # datagrams in which something genuine must succeed
_SAMPLES = 40
_SAMPLES_A_LINE = 4
_BLOCKS_GROWTH_MAX = 500  # blocks of Python's allocator: some growth is chance, far below one for every datagram
_SETTLE_MS = 3_600_000
_TRACEBACKS_MAX = 3

Figures = dict[str, Any]


class World:
    """Holds the two ends, the link between them, the attacker and the checker."""

    def __init__(self, seed: int, ledger: SealedOnce) -> None:
        prng = Prng(seed)
        self.now_ms = 0
        self.checker = Checker(seed)
        self._ledger = ledger  # it watches the parties, and not the attacker
        self.attacker = Attacker(prng.split("attacker"), (NODE, GATEWAY), (KID, GATEWAY_ID), b"fuzz")
        self.messages = dict.fromkeys(("completed", "attempts", "reboots"), 0)
        self.tries_max = 0
        self._seed = seed
        self._prng = prng.split("world")
        self._node, self._gateway = RealNode(GATEWAY, prng.split("node")), RealGateway(prng.split("gateway"))
        self.parties: dict[str, Any] = {"node": self._node, "gateway": self._gateway}
        self._addresses = {"node": NODE, "gateway": GATEWAY}
        self._sides = {NODE: "node", GATEWAY: "gateway"}
        self._flying: list[tuple[int, int, Address, Address, bytes]] = []
        self._launched = 0
        self._totals: dict[str, dict[str, int]] = {"node": {}, "gateway": {}}
        # The tries so far of every message that waits for its next try, and, by ticket, of those under way.
        self._waiting: list[int] = []
        self._under_way: dict[int, int] = {}
        self._next_ms = 0

    # --- one turn -------------------------------------------------------------------------------------------

    def attack(self) -> None:
        """Sends one hostile datagram, after all that is due by then."""
        self.pass_time(self._prng.between(*_STEP_MS), asking=True)
        hostile: HostileDatagram = self.attacker.next_datagram()
        self._deliver(self._sides[hostile.destination], hostile.data, hostile.source)

    def pass_time(self, for_ms: int, *, asking: bool) -> None:
        """Lets the genuine parties go on for a time."""
        self.now_ms += for_ms
        while self._flying and self._flying[0][0] <= self.now_ms:
            _, _, source, destination, datagram = self._flying.pop(0)
            side = self._sides.get(destination)
            if side is not None:
                self._deliver(side, datagram, source)
        for side, party in self.parties.items():
            self._guarded(side, party.poll, self.now_ms)
            if side == "node" and (asking or self._waiting):
                self._ask()
            self._harvest(side)

    def is_done(self) -> bool:
        """Returns True when nothing is under way."""
        return not self._under_way and not self._waiting

    def reboot(self, side: str) -> None:
        """Cuts the power of a side: its requests under way have no outcome, and are sent again."""
        self.messages["reboots"] += 1
        self.check()
        if side == "node":
            self._waiting += self._under_way.values()
            self._under_way.clear()
        self._add_up(side)
        self.parties[side].reboot()

    def totals(self, side: str) -> dict[str, int]:
        """Counts of what became of all that a side received, in all its lives."""
        self._add_up(side)
        return {name: count for name, count in self._totals[side].items() if count}

    def _add_up(self, side: str) -> None:
        for name, count in self.parties[side].counters().items():
            self._totals[side][name] = self._totals[side].get(name, 0) + count

    def check(self) -> None:
        """Checks that tables are within their bounds and counters add up."""
        for side, party in self.parties.items():
            for name, (entries, limit) in party.sizes().items():
                if entries > limit:
                    self.checker.counts["over_limit"] += 1
                    print(f"{side}: {name} has {entries} entries of {limit}", file=sys.stderr)
            for fault in party.faults_of_counting():
                self.checker.counts["miscounted"] += 1
                print(f"{side}: {fault}", file=sys.stderr)

    # --- the parties ----------------------------------------------------------------------------------------

    def _deliver(self, side: str, datagram: bytes, source: Address) -> None:
        self._guarded(side, self.parties[side].receive, datagram, source, self.now_ms)
        self._harvest(side)

    def _guarded(self, side: str, act: Any, *words: Any) -> None:
        """Counts any exception of a party as a finding, and goes on."""
        self._ledger.is_watching = True
        try:
            act(*words)
        except Exception:
            self.checker.counts["exceptions"] += 1
            if self.checker.counts["exceptions"] <= _TRACEBACKS_MAX:
                print(f"{side}, at {self.now_ms} ms:", file=sys.stderr)
                traceback.print_exc()
        finally:
            self._ledger.is_watching = False

    def _harvest(self, side: str) -> None:
        """Collects what a party sends, and what its application received."""
        party, address = self.parties[side], self._addresses[side]
        for destination, datagram in party.outgoing():
            self.attacker.overhear(address, destination, datagram)
            if not self._prng.chance(_LOSS_PERMILLE):
                self._launch(address, destination, datagram)
        for content in self._gateway.seen:
            self.checker.on_request(content)
        self._gateway.seen.clear()
        self.checker.counts["forged"] += len(self._node.seen)  # the gateway asks nothing
        self._node.seen.clear()
        for ticket, answer in self._node.outcomes:
            self._settle(ticket, answer)
        self._node.outcomes.clear()

    def _launch(self, source: Address, destination: Address, datagram: bytes) -> None:
        self._launched += 1
        lands_ms = self.now_ms + self._prng.between(*_LATENCY_MS)
        place = len(self._flying)
        while place and self._flying[place - 1][0] > lands_ms:
            place -= 1
        self._flying.insert(place, (lands_ms, self._launched, source, destination, datagram))

    def _settle(self, ticket: int, answer: coap_message.Content | None) -> None:
        tries = self._under_way.pop(ticket, None)
        if tries is None:
            self.checker.counts["doubled"] += 1  # a second outcome for one request
        elif answer is None:
            self._waiting.append(tries)
        else:
            self.checker.on_answer(ticket, answer)
            self.messages["completed"] += 1
            self.tries_max = max(self.tries_max, tries)

    def _ask(self) -> None:
        if self.now_ms < self._next_ms or len(self._under_way) >= _UNDER_WAY_MAX:
            return
        self._next_ms = self.now_ms + self._prng.between(_PAUSE_MS // 2, _PAUSE_MS)
        tries = self._waiting.pop(0) if self._waiting else 0
        ticket = self.checker.next_request()
        self.messages["attempts"] += 1
        self._under_way[ticket] = tries + 1
        self._ledger.is_watching = True
        is_under_way = self._node.ask(ticket, message_of(self._seed, ticket), self.now_ms)
        self._ledger.is_watching = False
        if not is_under_way:
            self._waiting.append(self._under_way.pop(ticket) - 1)


def prove(datagrams: int, seed: int, *, speak: bool = False, until: str = "") -> Figures:
    """Runs the proof and returns all figures. `until`: the attack ends where this count shows a fault."""
    gc.collect()
    gc.freeze()  # objects older than this run need not be collected at every sample
    with SealedOnce() as ledger:
        ledger.is_watching = False
        return _prove(World(seed, ledger), datagrams, seed, ledger=ledger, speak=speak, until=until)


def _prove(world: World, datagrams: int, seed: int, *, ledger: SealedOnce, speak: bool, until: str) -> Figures:
    begun = time.monotonic()
    sides = list(world.parties)
    starved, completed, samples = 0, 0, []
    for number in range(1, datagrams + 1):
        world.attack()
        if number % _REBOOT_PERIOD == 0 or number == datagrams // 2:
            world.reboot(sides[world.messages["reboots"] % 2])
        if number % _WINDOW == 0:
            starved += world.messages["completed"] == completed
            completed = world.messages["completed"]
        if number % max(1, datagrams // _SAMPLES) == 0:
            world.check()
            gc.collect()
            samples.append(sys.getallocatedblocks())
            if speak and len(samples) % _SAMPLES_A_LINE == 0:
                _print_progress(number, datagrams, world, time.monotonic() - begun)
            if world.checker.counts.get(until):
                break
    attack_s = time.monotonic() - begun
    end_ms = world.now_ms + _SETTLE_MS
    while not world.is_done() and world.now_ms < end_ms:
        world.pass_time(100, asking=False)
    world.check()
    world.checker.counts["nonces_reused"] += ledger.reused
    return {
        "datagrams": datagrams,
        "seed": seed,
        **world.checker.counts,
        **world.messages,
        "sealed": ledger.sealed,
        "heard": world.checker.heard,
        "heard_again": world.checker.heard_again,
        "answered": world.checker.answered,
        "tries_max": world.tries_max,
        "starved": starved,
        "unfinished": int(not world.is_done()),
        "blocks_grown": _growth(samples),
        "kinds": world.attacker.kinds,
        "node": world.totals("node"),
        "gateway": world.totals("gateway"),
        "wall_s": round(time.monotonic() - begun, 1),
        "datagrams_per_s": round(datagrams / attack_s),
    }


def _growth(samples: list[int]) -> int:
    """Returns the growth of the peaks from the second quarter, when every table has filled, to the last, in blocks of
    the allocator."""
    quarter = len(samples) // 4
    if not quarter:
        return 0
    return max(samples[-quarter:]) - max(samples[quarter : 2 * quarter])


def _print_progress(number: int, datagrams: int, world: World, elapsed_s: float) -> None:
    bad = {name: count for name, count in world.checker.counts.items() if count}
    said = f"{number}/{datagrams} datagrams, {world.messages['completed']} exchanges, {elapsed_s:.0f} s"
    print(f"{said}, {bad or 'nothing wrong'}", file=sys.stderr, flush=True)


def is_proven(figures: Figures) -> bool:
    """Returns True when every figure that must be zero is, and the attack and the genuine exchanges took place."""
    return (
        not any(figures[name] for name in (*COUNTS, "starved", "unfinished"))
        and figures["blocks_grown"] <= _BLOCKS_GROWTH_MAX
        and figures["completed"] > 0
        and all(figures["kinds"].values())
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--datagrams", type=int, default=100_000, help="hostile ones (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what everybody does and when (default %(default)s)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    figures = prove(args.datagrams, args.seed, speak=True)
    print_figures(figures, as_json=args.json)
    return 0 if is_proven(figures) else 3
