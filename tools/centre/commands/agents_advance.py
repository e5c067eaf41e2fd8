"""Takes the campaigns of agents, of Debian's updates and of nodes' programs a step further where they may go on, or
stops them; a timer does it each hour.

example:
  bocage centre agents advance
"""

import argparse
import time

from tools.centre.arguments import add_root
from tools.centre.commands import programs_campaign
from tools.centre.commands.agents_campaign import lines, seen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_root(parser)


def run(args: argparse.Namespace) -> int:
    from tools.centre.agents import campaign
    from tools.centre.broker.files import Place, faults

    place, now_s = Place(args.root), int(time.time())
    told: list[str] = []
    with faults(place.agents):
        for path in (place.plan, place.system_plan):
            plan = campaign.read(path)
            if plan is None:
                continue
            known = seen(place, path, now_s=now_s)
            if (further := campaign.advance(plan, known, now_s=now_s)) != plan:
                campaign.save(path, further)
            told += lines(further, known, args.lang, now_s=now_s)
        told += programs_campaign.advanced(place, args.lang, now_s=now_s)
    print(*told, sep="\n")
    return 0
