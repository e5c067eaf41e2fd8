"""Begins, shows and stops the campaign that brings a kind of node the program offered for it: the words of `bocage
gateway images campaign`. The plan is a file; the running agent follows it within seconds, and needs no restart."""

import argparse
import json
import time
from collections.abc import Callable

from gateway.commands import UsageError
from gateway.commands import status as questions
from gateway.config.config import Config
from gateway.config.table import id_from_hex
from gateway.core import limits
from gateway.core.campaigns import campaign
from gateway.core.campaigns.campaign import Plan
from gateway.core.campaigns.wanted import BOUNDS
from gateway.core.link.images import NodeImage
from gateway.core.status import as_json
from gateway.language import N_, Phrases
from gateway.shell import campaign_plans
from gateway.shell.images import NODE_FOLDER, is_product
from gateway.show import report

START, STATUS, STOP = "start", "status", "stop"
# Options with the field of a plan that bounds each, and how much of it one is.
_BOUNDED = (
    ("canary", "canaries", 1),
    ("soak", "soak_s", 3600),
    ("failures", "failures_max", 1),
    ("pace", "pace_percent", 1),
)

_WORDS = Phrases({
    "started": N_(
        'campaign of no. {number} for "{product}": {canaries} first, for {hours} h; halted after {failures} failure(s) '
        "too many; at most {pace} % of the air; follow it with: bocage gateway images … campaign status"
    ),
    "stopped": N_('campaign for "{product}" stopped: nodes keep the program that they have confirmed'),
    "none": N_("no campaign"),
    "silent": N_("the agent does not answer: it continues the campaign at its start"),
    "verb": N_("say what: campaign start KIND, campaign status, campaign stop KIND"),
    "image": N_('no image for "{product}": bring one first, bocage gateway images … add IMAGE'),
    "no_plan": N_('no campaign for "{product}"'),
    "node": N_("--only {text}: give the 16 digits of each node"),
    "number": N_("--{name}: give a number from {low} to {high}"),
})  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("campaign start KIND")
    group.add_argument("--canary", type=int, default=limits.CAMPAIGN_CANARIES, metavar="N", help="nodes that go first")
    group.add_argument("--soak", type=int, default=limits.CAMPAIGN_SOAK_S // 3600, metavar="HOURS", help="they run it")
    group.add_argument("--failures", type=int, default=limits.CAMPAIGN_FAILURES, metavar="N", help="more halt it")
    group.add_argument("--pace", type=int, default=limits.CAMPAIGN_PACE_PERCENT, metavar="PERCENT", help="of the air")
    group.add_argument("--only", action="append", default=[], metavar="NODE", help="only this node; repeat it")


def run(config: Config, args: argparse.Namespace, offered: Callable[[], list[NodeImage]]) -> int:
    """Returns the exit status: 0 done, 1 halted or the disk refused, 2 the usage is at fault or no agent answers."""
    verb, product = (*args.names, "", "")[:2]
    if verb == STATUS:
        return _status(config, args)
    if verb not in (START, STOP) or not is_product(product):
        raise _fault(args, "verb")
    folder = config.data / NODE_FOLDER
    if verb == STOP:
        try:
            plan = campaign_plans.read(folder / (product + campaign_plans.SUFFIX))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            raise _fault(args, "no_plan", product=product) from None
        campaign_plans.write(folder, plan._replace(is_stopped=True))
        _print(args, "stopped", product=product)
        return 0
    number = next((one.number for one in offered() if one.product == product), None)
    if number is None:
        raise _fault(args, "image", product=product)
    plan = _plan(args, product, number)
    campaign_plans.write(folder, plan)
    _print(
        args, "started", product=product, number=number, canaries=plan.canaries, hours=args.soak,
        failures=plan.failures_max, pace=plan.pace_percent,
    )  # fmt: skip
    return 0


def _plan(args: argparse.Namespace, product: str, number: int) -> Plan:
    for name, field, unit in _BOUNDED:
        low, high = (bound // unit for bound in BOUNDS[field])
        if not low <= getattr(args, name) <= high:
            raise _fault(args, "number", name=name, low=low, high=high)
    nodes = set()
    for text in args.only:
        if (node := id_from_hex(text)) is None:
            raise _fault(args, "node", text=text)
        nodes.add(node)
    only, soak_s = frozenset(nodes), 3600 * args.soak
    return Plan(product, number, int(time.time()), only, args.canary, soak_s, args.failures, args.pace)


def _status(config: Config, args: argparse.Namespace) -> int:
    status = questions.state_of(config, unix_s=int(time.time()))
    if status.campaigns is None:
        _print(args, "silent")
        return 2
    if args.json:
        print(json.dumps({"campaigns": as_json(status)["campaigns"]}, ensure_ascii=False))
    else:
        print("\n".join(report.campaign_lines(status, args.lang) or [_WORDS.text("none", args.lang)]))
    return int(any(one.phase == campaign.HALTED for one in status.campaigns))


def _print(args: argparse.Namespace, word: str, **values: object) -> None:
    print(json.dumps({"done": word, **values}) if args.json else _WORDS.text(word, args.lang, **values))


def _fault(args: argparse.Namespace, key: str, **values: object) -> UsageError:
    return UsageError(_WORDS.text(key, args.lang, **values))
