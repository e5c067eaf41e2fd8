"""Shows which cabinets have been heard, which versions they hold, and which of their messages were refused.

example:
  bocage centre gateways --db control.db
"""

import argparse
import json
import time

from tools.centre.arguments import local_time
from tools.centre.commands.orders import add_control, opened_to_read
from tools.centre.control import file, gateways
from tools.centre.control.order_words import word
from tools.centre.register.equipment import cabinet_of
from tools.command_line import add_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_control(parser)
    add_json(parser, "for programs")


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    with opened_to_read(args) as connection:
        found, refused = gateways.list_gateways(connection), gateways.refusals(connection)
    if args.json:
        daemon = file.serving_daemon(args.db)
        document = {
            "daemon": None if daemon is None else daemon._asdict(),
            "gateways": [one._asdict() for one in found],
            "refused": refused,
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return 0
    for one in found:
        print(_line(one, args.lang, now_s))
    for reason, times in refused.items():
        print(f"{reason}: {times}")
    if not found:
        print(word("gateways.none", args.lang))
    return 0


def _line(one: gateways.Gateway, language: str, now_s: int) -> str:
    unknown = word("unknown", language)
    states = {True: "online", False: "offline", None: "online.unknown"}
    return word(
        "gateway",
        language,
        name=cabinet_of(one.insee, one.name),
        online=word(states[one.online], language),
        heard=unknown if one.heard_unix_s is None else local_time(one.heard_unix_s, now_s=now_s),
        granted=unknown if one.granted_s is None else f"{one.granted_s} s",
        policy=unknown if one.policy_version is None else one.policy_version,
        keyset=unknown if one.keyset_version is None else one.keyset_version,
    )
