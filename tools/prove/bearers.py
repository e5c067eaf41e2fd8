"""Cuts, blocks, degrades and flaps one of a real cabinet's two paths to the centre.

Two network namespaces stand for the cabinet and the centre; fibre and mobile are devices between them whose packets
this process forwards itself (`simulator/rig/two_paths.py`). The scenarios, each with its own gateway, under load:

    cut         the device goes down
    black-hole  packets vanish silently: the carrier stays up
    loss        fibre loses 30 % of its packets
    flaps       fibre comes and goes every 5 s

Figures of each: seconds until mobile carries and until fibre carries again, changes of bearer, bytes by mobile (the
kernel's counters of the cabinet) and per hour, records lost or duplicated. Needs root.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from simulator.rig.live import Figures, conclude, in_folder
from simulator.rig.rig import Rig, RigError
from simulator.rig.two_paths import TwoPaths, why_not
from tools.command_line import add_json

_STEADY_S = 4
_DETECT_MAX_S = 60
# A minute of good probes, a wait of up to two minutes, and the dwell.
_RETURN_MAX_S = 260
_LOSS_S = _FLAPS_S = 120
_FLAP_S = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", choices=tuple(_SCENARIOS), action="append", help="only this (may be repeated)")
    parser.add_argument("--no-return", action="store_true", help="do not wait for the return to fibre (3 min each)")
    parser.add_argument("--crowd", type=int, default=3, help="loud senders (default %(default)s)")
    parser.add_argument("--folder", type=Path, help="keep logs and databases here (default: a temporary folder)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    return in_folder("prove bearers", args, lambda folder: prove(folder, args))


def prove(folder: Path, args: argparse.Namespace) -> Figures:
    """Runs the scenarios one after the other; returns their figures, and the sums that decide."""
    missing = why_not()
    if missing is not None:
        raise RigError(missing)
    told: Figures = {}
    for name in args.scenario or _SCENARIOS:
        figures = _scenario(folder / name, name, args)
        told |= {f"{name}_{key}": value for key, value in figures.items()}
    for key in ("acknowledged", "lost", "duplicated", "altered"):
        told[key] = sum(value for name, value in told.items() if name.endswith(f"_{key}"))
    return told


def _scenario(folder: Path, name: str, args: argparse.Namespace) -> Figures:
    with TwoPaths() as paths, Rig(folder, nodes=0, crowd=args.crowd, placement=paths) as rig:
        watch = _Watch(rig, folder / "gateway.log")
        if not watch.until_carried_by("fibre", _DETECT_MAX_S):
            raise RigError(f"fibre never carried; see {folder / 'gateway.log'}")
        rig.pump(_STEADY_S)
        told = _SCENARIOS[name](paths, rig, watch, args)
        final = conclude(rig)
        watch.read()
        told["changes"] = watch.changes
    return told | {key: final[key] for key in ("acknowledged", "lost", "duplicated", "altered")}


def _cut(paths: TwoPaths, rig: Rig, watch: "_Watch", args: argparse.Namespace) -> Figures:
    return _away(paths, rig, watch, args, lambda away: paths.device("fibre", not away))


def _black_hole(paths: TwoPaths, rig: Rig, watch: "_Watch", args: argparse.Namespace) -> Figures:
    def swallow(away: bool) -> None:
        paths.paths["fibre"].black_hole = away

    return _away(paths, rig, watch, args, swallow)


def _away(
    paths: TwoPaths, rig: Rig, watch: "_Watch", args: argparse.Namespace, fibre_away: Callable[[bool], None]
) -> Figures:
    standby = paths.interface_bytes("mobile")
    begun = time.monotonic()
    fibre_away(True)
    if not watch.until_carried_by("mobile", _DETECT_MAX_S):
        raise RigError("mobile never took over")
    told: Figures = {"detect_s": round(time.monotonic() - begun, 1)}
    rig.pump(30)
    carried_s = time.monotonic() - begun
    count = paths.interface_bytes("mobile") - standby
    told |= {"mobile_bytes": count, "mobile_bytes_per_hour": round(3600 * count / carried_s)}
    fibre_away(False)
    if not args.no_return:
        begun = time.monotonic()
        if not watch.until_carried_by("fibre", _RETURN_MAX_S):
            raise RigError("fibre never carried again")
        told["return_s"] = round(time.monotonic() - begun, 1)
    return told


def _loss(paths: TwoPaths, rig: Rig, watch: "_Watch", args: argparse.Namespace) -> Figures:
    before = rig.delivery.acknowledged_count()
    paths.paths["fibre"].loss_percent = 30
    rig.pump(_LOSS_S)
    told: Figures = {"for_s": _LOSS_S, "mobile_bytes": paths.interface_bytes("mobile")}
    told["acknowledged_meanwhile"] = rig.delivery.acknowledged_count() - before
    paths.paths["fibre"].loss_percent = 0
    return told


def _flaps(paths: TwoPaths, rig: Rig, watch: "_Watch", args: argparse.Namespace) -> Figures:
    begun = time.monotonic()
    away = False
    while time.monotonic() - begun < _FLAPS_S:
        away = not away
        paths.paths["fibre"].black_hole = away
        rig.pump(_FLAP_S)
    paths.paths["fibre"].black_hole = False
    count = paths.interface_bytes("mobile")
    return {"for_s": _FLAPS_S, "mobile_bytes": count, "mobile_bytes_per_hour": round(3600 * count / _FLAPS_S)}


_SCENARIOS = {"cut": _cut, "black-hole": _black_hole, "loss": _loss, "flaps": _flaps}


class _Watch:
    """Reads the gateway's log while the rig is pumped."""

    def __init__(self, rig: Rig, log: Path) -> None:
        self._rig = rig
        self._log = log
        self._offset = 0
        self._carrier = ""
        self.changes = 0

    def until_carried_by(self, bearer: str, timeout_s: float) -> bool:
        """Lets the rig run until this bearer carries; returns False when the time is up."""
        return self._rig.wait_until(lambda: self.read() == bearer, timeout_s)

    def read(self) -> str:
        """Reads the new lines of the log; returns the bearer that carried last."""
        data = self._log.read_bytes()[self._offset :] if self._log.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                continue  # not a line of the agent: a warning of the interpreter
            if said.get("what") == "connected":
                self.changes += self._carrier not in ("", said["bearer"])
                self._carrier = said["bearer"]
        return self._carrier
