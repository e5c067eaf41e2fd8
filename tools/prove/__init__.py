"""A proof that runs longer than CI. Its result is printed as figures; rounds and seed are options."""

import argparse
import importlib

PROOFS = {
    "kill": ("tools.prove.kill", "kill -9 of gateway, broker and ingest, and a frozen broker, under load"),
    "corrupt": ("tools.prove.corrupt", "damaged journal files: it starts, and tells what is lost"),
    "night": ("tools.prove.night", "an agent killed, hung, unplugged, its card dead: the street is as policy wants"),
    "bearers": ("tools.prove.bearers", "fibre cut, swallowed, lossy, flapping: mobile carries, nothing is lost"),
    "powercut": ("tools.prove.powercut", "a power cut at every single operation of the journal's disk"),
    "storm": ("tools.prove.storm", "the broker returns to 200 gateways at once: how they ask, and nothing is lost"),
    "fuzz": ("tools.prove.fuzz", "a hostile peer at both ends of a node link: what does not authenticate does nothing"),
    "fulldisk": ("tools.prove.fulldisk", "a real partition full to the last byte: what goes is named, alarms stay"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command a proof."""
    proofs = parser.add_subparsers(dest="proof", required=True, metavar="PROOF")
    for name, (module, does) in PROOFS.items():
        proof = proofs.add_parser(name, help=does, description=does)
        importlib.import_module(module).add_arguments(proof)


def run(args: argparse.Namespace) -> int:
    """Exit status of the proof: 0 it holds, 1 a part is missing, 3 it does not."""
    return int(importlib.import_module(PROOFS[args.proof][0]).run(args))
