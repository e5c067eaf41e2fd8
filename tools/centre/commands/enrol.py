"""Enrols a cabinet: signs the request that it made, and lets its name use its own topics at the broker.

The cabinet's key never leaves it: `bocage gateway setup` writes the request, `bocage gateway setup --certificate` takes
the certificate back. Without --csr the key that it has gets a new certificate, before the present one ends.

example:
  sudo bocage centre enrol 49135-cab-1 --csr 49135-cab-1.csr --out 49135-cab-1.pem
  sudo bocage centre enrol 49135-cab-1 --out 49135-cab-1.pem       # renewed
"""

import argparse
from pathlib import Path

from gateway.language import N_, translate
from tools.centre.arguments import add_root, parse_gateway


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("gateway", metavar="INSEE-NAME", help="the name of the cabinet")
    parser.add_argument("--csr", type=Path, metavar="FILE", help="its certificate request (PEM)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the certificate to write")
    parser.add_argument("--replace", action="store_true", help="it takes the place of a machine, which is revoked")
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    insee, name = parse_gateway("enrol", args.gateway)
    from tools.centre.broker import accounts, installation, roles
    from tools.centre.broker.authority import Authority
    from tools.centre.broker.files import Place, write

    place, now = Place(args.root), installation.now()
    with installation.faults():
        address = installation.address(place, roles.ADMIN)
        request = args.csr.read_bytes() if args.csr else None
        own = Authority(place.etc)
        pem = own.enrol(args.gateway, request, replaces=args.replace, now=now)
        # Handed out last: a certificate that no role stands behind would be a cabinet that is refused everything.
        accounts.admit(address, roles.of_gateway(insee, name))
        write(args.out, pem, mode=0o644)
    if args.replace:
        installation.tell(place, "reload", "mosquitto")
    values = {"until": own.issued(args.gateway)[-1].not_valid_after_utc.date(), "path": args.out}
    print(translate(N_("{name} is enrolled until {until}: {path}"), args.lang, name=args.gateway, **values))
    return 0
