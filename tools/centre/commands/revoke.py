"""Revokes a cabinet: its certificates go on the revocation list, its account and role are deleted, its connection ends.

For a cabinet that was stolen, opened or dismantled. What it sent before stays. It may come back with a new key only
(`bocage centre enrol`).

example:
  sudo bocage centre revoke 49135-cab-1
"""

import argparse

from gateway.language import N_, translate
from tools.centre.arguments import add_root, parse_gateway
from tools.command_line import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("gateway", metavar="INSEE-NAME", help="the name of the cabinet")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    parse_gateway("revoke", args.gateway)
    from tools.centre.broker import accounts, installation, roles
    from tools.centre.broker.authority import Authority
    from tools.centre.broker.files import Place

    place = Place(args.root)
    with installation.faults():
        own = Authority(place.etc)
        address = installation.address(place, roles.ADMIN)
        if not own.issued(args.gateway):
            raise Refused(N_("{name} was never enrolled"), name=args.gateway)
        # The list first: an account that is deleted comes back by its certificate, though it may do nothing then.
        own.revoke(args.gateway, now=installation.now())
        installation.tell(place, "reload", "mosquitto")
        accounts.remove(address, args.gateway)
    text = N_("{name} is revoked: its connection has ended, and it is refused from now on")
    print(translate(text, args.lang, name=args.gateway))
    return 0
