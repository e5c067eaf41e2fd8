"""Kills gateway, broker, ingest, worker and database with -9 at random moments under load, and freezes the broker.

A round kills one of them after a random time and starts it again after another; or it freezes the broker (SIGSTOP): the
connection stays open, accepts bytes and sends nothing. Most freezes end before a keep-alive can notice, some outlast
it, some end in a kill. The kind of a round is drawn from a deck, so that each kind has its share in any 50 rounds. At
the end every record that any gateway ever acknowledged must be in the warehouse exactly once, digit for digit, and the
hours and days that the worker computed meanwhile must be those of a recount from records. 1000 rounds take about 20
minutes on two cores.

The database of `--engine sqlite` lives in its users: ingest and worker are killed at one instant. `--engine postgresql`
starts a server of its own, and kills all of its processes. `--rabbitmq` puts RabbitMQ in Mosquitto's place, from a
folder with a Debian that has it (root).
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from simulator.rig import postgresql
from simulator.rig.live import Figures, conclude, in_folder
from simulator.rig.rabbitmq import rabbitmq
from simulator.rig.rig import Rig, RigError
from simulator.world.chance import Prng
from tools.centre.limits import ROLLUP_DAYS
from tools.centre.rollup.worker import Worker
from tools.centre.store import schema
from tools.command_line import add_json

# Rounds of each kind in a deck of 50.
_DECK = {
    "gateway": 9, "broker": 9, "ingest": 9, "worker": 6, "database": 6, "freeze": 7, "freeze-kill": 3, "long-freeze": 1,
}  # fmt: skip
_BEFORE_MS, _AWAY_MS = (50, 900), (0, 400)
_FREEZE_MS, _LONG_FREEZE_MS = (100, 4_000), (8_000, 16_000)  # a keep-alive of 7 s is seen to fail after up to 14 s
_SPEAKS_EVERY_ROUNDS = 50
_WAY_THROUGH_S = 120
_ENGINES = ("sqlite", "postgresql")
# A worker works after its start and then sleeps: it is started, and killed within this time.
_WORKS_MS = (300, 1_500)
# Whatever was started without its server has ended after this.
_ENDS_S = 10
# Killed in the second in which it makes a session's queue, RabbitMQ 4.0.5 may leave it without a leader for ever.
_QUEUES_S = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=60, help="kills and freezes in all (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what happens and when (default %(default)s)")
    parser.add_argument("--nodes", type=int, default=3, help="MicroPython nodes (default %(default)s)")
    parser.add_argument("--crowd", type=int, default=8, help="loud senders beside them (default %(default)s)")
    text = "of the warehouse (default %(default)s)"
    parser.add_argument("--engine", choices=_ENGINES, default=_ENGINES[0], help=text)
    parser.add_argument("--rabbitmq", type=Path, metavar="DEBIAN", help="a folder with Debian and its rabbitmq-server")
    parser.add_argument("--folder", type=Path, help="keep logs and database here (default: a temporary folder)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    return in_folder("prove kill", args, lambda folder: prove(folder, args))


def prove(folder: Path, args: argparse.Namespace) -> Figures:
    """Runs the rounds and returns the figures."""
    prng = Prng(args.seed)
    begun = time.monotonic()
    broker = None if args.rabbitmq is None else rabbitmq(args.rabbitmq)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        server: postgresql.Server | None = None
        if args.engine == "postgresql":
            server = stack.enter_context(postgresql.temporary(folder / "database.log"))
        where = None if server is None else server.address()
        made = Rig(folder, nodes=args.nodes, crowd=args.crowd, broker=broker, warehouse=where, rolls_up=True)
        rig = stack.enter_context(made)
        rig.wait_until(lambda: rig.delivery.acknowledged_count() > 0, 60)
        if broker is not None:
            _wait_for_way_through(rig)
            rig.pump(_QUEUES_S)
        for number, kind in zip(range(args.rounds), kinds(prng.split("kinds")), strict=False):
            if broker is not None:
                _wait_for_way_through(rig)
            rig.pump(prng.between(*_BEFORE_MS) / 1000)
            _do_round(rig, server, kind, prng)
            _print_progress(number + 1, args.rounds, rig, time.monotonic() - begun)
        if server is not None:
            rig.pump(_ENDS_S)
            _start_ended(rig)
        figures = {**conclude(rig), **recounted(rig.database)}
        if server is not None:
            figures["kills_database"] = server.kills
    return {"rounds": args.rounds, "seed": args.seed, **figures, "wall_s": round(time.monotonic() - begun, 1)}


def kinds(prng: Prng) -> Iterator[str]:
    """Yields the kinds of the rounds, without end: one shuffled deck after the other."""
    while True:
        deck = [kind for kind, count in _DECK.items() for _ in range(count)]
        while deck:
            yield deck.pop(prng.randrange(len(deck)))


def _wait_for_way_through(rig: Rig) -> None:
    """Waits until records reach the warehouse: RabbitMQ starts in seconds, and a kill before that proves nothing."""
    before = rig.stored()
    if not rig.wait_until(lambda: rig.stored() > before, _WAY_THROUGH_S):
        raise RigError(f"nothing reaches the warehouse any more; see {rig.folder}/*.log")


def recounted(where: str) -> Figures:
    """Returns how many hours and days of nodes the roll-up gives, and how many a recount from records gives
    otherwise."""
    with closing(schema.open_to_write(where)) as connection:
        worker = Worker(connection)
        worker.fill_calendar(now_s=int(time.time()))
        found = []
        for is_recount in (False, True):
            if is_recount:
                worker.mark_all()
            while worker.step(ROLLUP_DAYS):
                pass
            found.append({
                (table, *row) for table in ("hours", "days") for row in connection.execute(f"SELECT * FROM {table}")
            })  # fmt: skip
    return {"rolled_up": len(found[0]), "recounted_otherwise": len(found[0] ^ found[1])}


def _start_ended(rig: Rig) -> None:
    """Starts what has ended by itself, as systemd does: a worker whose server is gone, an ingest that starts just
    then."""
    for part in rig.parts:
        if part.name in ("ingest", "worker") and not part.running():
            part.start()


def _do_round(rig: Rig, server: postgresql.Server | None, kind: str, prng: Prng) -> None:
    parts = {part.name: part for part in rig.parts}
    if server is not None:
        _start_ended(rig)
    if kind == "database":
        gone = [parts["ingest"], parts["worker"]] if server is None else [server]
        for part in gone:
            part.kill()
        rig.pump(prng.between(*_AWAY_MS) / 1000)
        for part in gone:
            part.start()
    elif kind == "worker":
        rig.kill(parts["worker"], prng.between(*_AWAY_MS) / 1000)
        rig.pump(prng.between(*_WORKS_MS) / 1000)
        rig.kill(parts["worker"], 0)
    elif kind == "long-freeze":
        rig.freeze(rig.broker, prng.between(*_LONG_FREEZE_MS) / 1000, then_kill=prng.chance(300))
    elif kind.startswith("freeze"):
        low, high = _FREEZE_MS
        # Short freezes are more frequent: three draws in four end within 1.7 s.
        share = (prng.randrange(1000) / 1000) ** 3
        rig.freeze(rig.broker, (low + share * (high - low)) / 1000, then_kill=kind == "freeze-kill")
    else:
        rig.kill(parts[kind], prng.between(*_AWAY_MS) / 1000)


def _print_progress(done: int, rounds: int, rig: Rig, elapsed_s: float) -> None:
    """Prints progress on stderr: one line that is overwritten on a terminal, a few lines elsewhere."""
    on_terminal = sys.stderr.isatty()
    if not on_terminal and done % _SPEAKS_EVERY_ROUNDS and done != rounds:
        return
    said = f"round {done}/{rounds}, {rig.delivery.acknowledged_count()} acknowledged, {elapsed_s:.0f} s"
    end = "\n" if done == rounds or not on_terminal else ""
    print(f"\r  {said}" if on_terminal else said, end=end, file=sys.stderr, flush=True)
