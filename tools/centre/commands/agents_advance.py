"""Takes the campaigns of agents and of nodes' programs a step further where they may go on, or stops them; a timer does
it each hour.

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
    with faults(place.agents):
        plan = campaign.read(place.plan)
        known = {} if plan is None else seen(place, now_s=now_s)
        if plan is not None and (further := campaign.advance(plan, known, now_s=now_s)) != plan:
            campaign.save(place.plan, further)
            plan = further
        programs_told = programs_campaign.advanced(place, args.lang, now_s=now_s)
    print("\n".join([*lines(plan, known, args.lang, now_s=now_s), *programs_told]))
    return 0
