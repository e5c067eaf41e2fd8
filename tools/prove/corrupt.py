"""Damages the files of a real journal and checks that the gateway starts on the rest and reports every loss.

A reference run of the real gateway core on the real file disk fills a folder: three nodes, three lanes, some epochs,
nothing sent yet, and the oldest telemetry thinned, because the cap is crossed. Each round copies the folder, damages
files at random (cut, flipped, zeroed, torn headers, litter, copies, other names, foreign files; deleted, swapped, in
their place a link, a folder, a pipe or a whole file of other records) and starts the gateway on the copy. It must
start; it must set damaged parts aside or skip them, and report them; nodes go on; everything is
drained through the real uplink into the real warehouse; and it must start once more.

A record that had been acknowledged and is not in the warehouse must have been reported, by one of
* a `hole` record in the warehouse, with the exact positions (`lost_named`);
* the report of the start, with the file and the place: a torn tail, a file set aside (`lost_in_a_file`). This is not
  enough between two records of a stream that arrived, nor for a file that is gone: there the positions must be named.

A record that the loss ledger names was let go on purpose and is not lost (`let_go`; the state folder is not damaged, so
the inventory is there). `unreported` counts records lost without any of these reports, `altered` records that differ in
the warehouse from what was sent.
"""

import argparse
import copy
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gateway.core.custody import entry
from gateway.core.custody.journal import RecoveryReport
from gateway.core.custody.segment import decode_header, parse_name, scan
from simulator.checkers.delivery import Identity
from simulator.world.chance import Prng
from tools.command_line import add_json, print_figures
from tools.prove.cabinet import GATEWAY_ID, Cabinet, Town, listed, options, real_disks
from tools.prove.damage import Damage, forge, inflict_damage, piece
from wire import event, record

_NODES = 3
_EPOCHS = 3
_EPOCH_MS = 900
_DAMAGES_MAX = 5
_AFTER_MS = 300
# Less than the reference run needs, so that some of its segments are rewritten, with voids.
_OPTIONS = options(journal_bytes_max=31_000, alarm_reserve_bytes=4_000)
_FIGURES = (
    "starts",
    "failed",
    "stuck",
    "damaged_files",
    "quarantined",
    "acknowledged_before",
    "let_go",
    "lost_named",
    "lost_in_a_file",
    "unreported",
    "altered",
    "duplicated",
    "after_acknowledged",
    "after_lost",
)

Figures = dict[str, int | float]


# --- the proof ----------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """Holds the place of a record in the undamaged folder."""

    epoch: bytes
    lane: str
    position: int
    file: str


class Reference(NamedTuple):
    """Holds the starting point of every round: a filled folder, the town that filled it, and the place of each
    acknowledged record."""

    folder: Path
    town: Town
    boot: int
    places: dict[Identity, Place]
    acknowledged: int


def fill(folder: Path, seed: str) -> Reference:
    """Runs the gateway on an empty folder, in several lives; nothing is sent."""
    prng = Prng(seed)
    town = Town(_NODES, prng)
    boot = 0
    for _ in range(_EPOCHS):
        with real_disks(folder) as disks:
            cabinet = Cabinet(town, disks, prng=prng, options=_OPTIONS)
            cabinet.boot = boot
            cabinet.start()
            cabinet.run(_EPOCH_MS, making=True)
            cabinet.run(15_000, making=False)
            boot = cabinet.boot
            cabinet.warehouse.close()
    assert all(sender.idle() for sender in town.senders)
    places = dict(_places(folder / "journal"))
    return Reference(folder, town, boot, places, town.delivery.acknowledged_count())


def _places(folder: Path) -> Iterator[tuple[Identity, Place]]:
    """Reads the sound files by the format alone: no recovery, no index."""
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        identity = parse_name(path.name)
        if identity is None:
            continue  # the ballast
        voids = (decode_header(data) or (None, 0))[1] > 0
        for index, _, payload in scan(partial(piece, data), len(data), identity.seed, voids=voids):
            if isinstance(payload, bytes) and (item := entry.decode(payload)).node != GATEWAY_ID:
                place = Place(identity.epoch, identity.lane, identity.first + index, path.name)
                yield (item.node, item.record.boot, item.record.sequence), place


def one_round(reference: Reference, folder: Path, seed: str, figures: Figures) -> None:
    """Copies the folder, damages it, starts the gateway, lets it go on, drains it and compares."""
    prng = Prng(seed)
    shutil.copytree(reference.folder, folder)
    done = [inflict_damage(folder / "journal", prng) for _ in range(prng.between(1, _DAMAGES_MAX))]
    if prng.chance(300) and (forged := forge(folder / "journal", done, prng)) is not None:
        done.append(forged)
    figures["damaged_files"] += len({struck.name or struck.now for struck in done})
    town = copy.deepcopy(reference.town)
    with real_disks(folder) as disks:
        cabinet = Cabinet(town, disks, prng=prng, options=_OPTIONS)
        cabinet.boot = reference.boot
        report = cabinet.start()
        figures["starts"] += 1
        figures["quarantined"] += len(report.quarantined)
        cabinet.run(_AFTER_MS, making=True)
        figures["stuck"] += not cabinet.drain()
        _compare(cabinet, reference, _reported(report, done), figures)
        cabinet.warehouse.close()
    with real_disks(folder) as disks:
        again = Cabinet(town, disks, prng=prng, options=_OPTIONS)
        again.boot = cabinet.boot
        again.start()
        again.warehouse.close()


def _reported(report: RecoveryReport, done: list[Damage]) -> set[str]:
    """Returns the files of the reference folder about which the start has reported something."""
    told = {found.name for found in report.damages}
    names: dict[str, set[str]] = {}  # {name in the reference folder: names that held its bytes at the start}
    for struck in done:
        if struck.name is not None:
            origin = next((name for name, now in names.items() if struck.name in now), struck.name)
            names.setdefault(origin, {origin}).discard(struck.name)
            names[origin].update(struck.now)
    return told | {name for name, now in names.items() if now & told}


def _compare(cabinet: Cabinet, reference: Reference, told: set[str], figures: Figures) -> None:
    warehouse, delivery = cabinet.warehouse, cabinet.town.delivery
    verdict = delivery.verdict(warehouse, set())
    figures["altered"] += verdict.altered + verdict.invented
    figures["duplicated"] += verdict.duplicated
    figures["acknowledged_before"] += reference.acknowledged
    figures["after_acknowledged"] += verdict.acknowledged - reference.acknowledged
    holes = list(_holes(cabinet))
    missing = delivery.missing(warehouse.identities())
    spans = _spans(reference, set(missing))
    let_go = set(listed(cabinet.disks.state))
    for identity in missing:
        place = reference.places.get(identity)
        if identity in let_go:
            figures["let_go"] += 1
        elif place is None:
            figures["after_lost"] += 1
        elif any((epoch, lane) == place[:2] and first <= place.position <= last for epoch, lane, first, last in holes):
            figures["lost_named"] += 1
        elif place.file in told and not _is_between(place, spans):
            figures["lost_in_a_file"] += 1
        else:
            figures["unreported"] += 1


def _spans(reference: Reference, missing: set[Identity]) -> dict[tuple[bytes, str], tuple[int, int]]:
    """Returns the lowest and the highest position that arrived, of every stream."""
    spans: dict[tuple[bytes, str], tuple[int, int]] = {}
    for identity, place in reference.places.items():
        if identity not in missing:
            low, high = spans.get(place[:2], (place.position, place.position))
            spans[place[:2]] = min(low, place.position), max(high, place.position)
    return spans


def _is_between(place: Place, spans: dict[tuple[bytes, str], tuple[int, int]]) -> bool:
    low, high = spans.get(place[:2], (place.position, place.position))
    return low < place.position < high


def _holes(cabinet: Cabinet) -> Iterator[tuple[bytes, str, int, int]]:
    """Yields (epoch, lane, first, last) of every hole that was reported to the warehouse."""
    for (node, _, _), _, body in cabinet.warehouse.bodies():
        if node == GATEWAY_ID:
            said = record.decode_body(body)
            if isinstance(said, record.EventBody) and said.code == event.HOLE:
                epoch, lane, first, last = said.detail[:4]
                yield bytes(epoch), lane, first, last


def prove(rounds: int, seed: int, *, speak: bool = False) -> Figures:
    """Runs the proof and returns all figures."""
    figures: Figures = {"rounds": rounds, "seed": seed, **dict.fromkeys(_FIGURES, 0)}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bocage-corrupt-") as temporary:
        reference = fill(Path(temporary) / "reference", str(seed))
        for number in range(rounds):
            folder = Path(temporary) / "round"
            try:
                one_round(reference, folder, f"{seed}/{number}", figures)
            except Exception:  # any exception: the gateway has not come back
                figures["failed"] += 1
                print(f"seed {seed}, round {number}:", file=sys.stderr)
                traceback.print_exc()
            shutil.rmtree(folder, ignore_errors=True)
            if speak and (number % 50 == 49 or number + 1 == rounds):
                print(f"round {number + 1}/{rounds}", file=sys.stderr, flush=True)
    return {**figures, "wall_s": round(time.monotonic() - begun, 1)}


def is_proven(figures: Figures) -> bool:
    """Returns True when the gateway always started, and no record was lost without a report, altered or duplicated."""
    broken = ("failed", "stuck", "unreported", "altered", "duplicated", "after_lost")
    return figures["starts"] == figures["rounds"] and not any(figures[name] for name in broken)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=200, help="damaged folders (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the run and of the damage (default %(default)s)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    figures = prove(args.rounds, args.seed, speak=True)
    print_figures(figures, as_json=args.json)
    return 0 if is_proven(figures) else 3
