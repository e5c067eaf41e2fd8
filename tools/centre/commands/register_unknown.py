"""Lists what sends and is not in the register, and what the register names and does not have.

Nothing is lost by it: records of a node that no equipment names are kept like all others, and have its name from the
moment it is imported.

example:
  bocage centre register unknown --db centre.db
"""

import argparse
import json
import time

from gateway.language import N_, translate
from tools.centre.arguments import add_reading, local_time, opened_connection
from tools.centre.register import words
from tools.centre.register.equipment import cabinet_of
from tools.centre.register.register import Register
from tools.command_line import add_json

_NODE = N_("node {node}, last heard {at} by {gateway}")
_GATEWAY = N_("cabinet {gateway}, id {node}, first heard {at}")
_REFERENCE = N_("{what}: named by {times}")
_NONE = N_("The register knows all that sends, and has all that it names.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    with opened_connection(args) as connection:
        register = Register(connection)
        nodes, gateways = register.unknown_nodes(), register.unknown_gateways()
        references = register.unknown_references()
    if args.json:
        document = {
            "nodes": [{**one._asdict(), "node": one.node.hex()} for one in nodes],
            "gateways": [{**one._asdict(), "node": one.node.hex()} for one in gateways],
            "references": [{**key._asdict(), "times": times} for key, times in references],
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return 0
    now_s = int(time.time())
    for message, found in ((_NODE, nodes), (_GATEWAY, gateways)):
        for node, insee, name, heard_s in found:
            at = local_time(heard_s, now_s=now_s)
            print(translate(message, args.lang, node=node.hex(), gateway=cabinet_of(insee, name), at=at))
    for key, times in references:
        print(translate(_REFERENCE, args.lang, what=words.address_text(key, args.lang), times=times))
    if not (nodes or gateways or references):
        print(translate(_NONE, args.lang))
    return 0
