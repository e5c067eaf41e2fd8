"""Renews the centre's own certificates that end soon, with new keys, and starts again what uses them; signs those of
cabinets that ask. Run each night.

example:
  sudo bocage centre renew
"""

import argparse

from gateway.language import N_, translate
from tools.centre.arguments import add_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    from tools.centre.broker import installation, requests, roles, screens
    from tools.centre.broker.files import BROKER, Place

    place = Place(args.root)
    with installation.faults():
        installation.address(place, roles.ADMIN)  # there is a centre
        made = installation.renew(place, None, now=installation.now())
        cabinets, refused = requests.sign(place, now=installation.now())
    if BROKER in made:
        installation.tell(place, "reload", "mosquitto")
    if {screens.NAME, BROKER} & set(made):
        installation.tell(place, "reload", screens.PROXY_UNIT)
    if set(made) - {BROKER, screens.NAME}:
        installation.tell(place, "try-restart", *installation.units(place))
    text = N_("renewed: {names}") if made or cabinets else N_("nothing to renew")
    print(translate(text, args.lang, names=", ".join([*made, *cabinets])))
    for fault in refused:
        print(translate(fault.message, args.lang, **fault.values))
    return 0
