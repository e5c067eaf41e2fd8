"""The arguments of the control centre's commands. Words only: what they do is imported when one is chosen."""

import argparse

from tools.centre.arguments import add_broker, add_command
from tools.centre.control.order_words import LANGUAGES
from tools.centre.limits import LEASE_S

_FILE = "the control file, an SQLite file"
_SHOWN = 20

_EXAMPLES = {
    "control": "bocage centre control --db control.db --broker mqtt.example.org:8883"
    " --ca ca.pem --cert control.pem --key control.key",
    "publish": "bocage centre policy publish --db control.db --policy feneu.policy --keyset feneu.keys",
    "light": "bocage centre light --db control.db --commune 49135 --for 2h"
    " --reason 'accident rue des Lilas' --key maire.pem --wait 10",
    "override": "bocage centre override --db control.db --commune 49135 --target bourg --level 100 --for 4h"
    " --not-before 22:00 --reason 'bal du 14 juillet' --key maire.pem",
    "end": "bocage centre end --db control.db --command 0a1b2c3d --key maire.pem",
    "test-feeder": "bocage centre test-feeder --db control.db --commune 49135 --target bourg --key agent.pem --wait 10",
    "tell": "bocage centre tell drought 2 --db control.db --commune 49135 --to irrigation --until 2027-08-31"
    " --reason 'arrêté préfectoral 2027-41' --key maire.pem",
    "commands": "bocage centre commands --db control.db --commune 49135 --json",
    "gateways": "bocage centre gateways --db control.db",
}


def add_commands(commands) -> None:
    """The daemon, policies, orders, and what became of them."""
    control = _command(commands, "control", "serve leases, policies and commands to gateways")
    add_broker(control, "control-1")
    text = "longest lease that is granted, in seconds (default: %(default)s)"
    control.add_argument("--lease-s", type=int, default=LEASE_S, metavar="S", help=text)
    _add_policy(commands)
    _add_orders(commands)
    listed = _command(commands, "commands", "what became of the last commands")
    listed.add_argument("--commune", metavar="INSEE", help="of one commune")
    listed.add_argument("--command", metavar="ID", help="one command, by its id or how that begins")
    listed.add_argument("--last", type=int, default=_SHOWN, metavar="N", help="how many (default: %(default)s)")
    listed.add_argument("--json", action="store_true", help="for programs")
    _add_language(listed)
    seen = _command(commands, "gateways", "which cabinets spoke, and which versions they hold")
    seen.add_argument("--json", action="store_true", help="for programs")
    _add_language(seen)


def _add_policy(commands):
    text = "publish a commune's signed policy, or its keys"
    under = commands.add_parser("policy", help=text).add_subparsers(
        dest="policy_command", required=True, metavar="COMMAND"
    )
    publish = _command(under, "publish", "check a signed policy and give it to the cabinets of its commune")
    publish.add_argument("--policy", metavar="FILE", help="as `bocage policy sign` wrote it")
    text = "the commune's keys: the first set as in the cabinets, a later one signed by its holders"
    publish.add_argument("--keyset", metavar="FILE", help=text)
    _add_language(publish)


def _add_orders(commands):
    light = _order(commands, "light", "light a commune at once, whatever its policy (emergency)")
    _add_place(light, "2h")
    override = _order(commands, "override", "switch feeders on or off for a while")
    _add_place(override, "4h")
    override.add_argument("--level", required=True, type=int, choices=(0, 100), help="0: dark, 100: lit")
    override.add_argument("--not-before", metavar="TIME", help="22:30, or 2026-11-26T22:30, time of France (now)")
    override.add_argument("--yes", action="store_true", help="sign a wide or dark command without being asked")
    end = _order(commands, "end", "end a command before its expiry", reason="fin de l'ordre")
    end.add_argument("--command", required=True, metavar="ID", help="its id, or how that begins")
    test = _order(commands, "test-feeder", "light one feeder for some minutes", reason="essai")
    _add_place(test, "2m", duration="2m", is_target_needed=True)
    _add_tell(commands)


def _add_tell(commands):
    tell = _order(commands, "tell", "tell nodes a drought level, a load shed, a day's exception, the weather")
    tell.add_argument("what", nargs="+", metavar="NAME VALUE", help="drought 2, sécheresse alerte, load-shed 1.5")
    tell.add_argument("--commune", required=True, metavar="INSEE", help="INSEE code of the commune")
    tell.add_argument("--gateway", metavar="NAME", help="one cabinet (every cabinet of the commune)")
    text = "a kind of node, a group of nodes of the cabinets, or a node's id (all nodes)"
    tell.add_argument("--to", dest="target", metavar="SCOPE", help=text)
    tell.add_argument("--for", dest="duration", metavar="TIME", help="how long, such as 2h or 3j")
    tell.add_argument("--until", metavar="TIME", help="instead: 2027-08-31 (that day included), or 2027-08-31T22:30")
    tell.add_argument("--not-before", metavar="TIME", help="22:30, or 2026-11-26T22:30, time of France (now)")


def _order(commands, name, text, *, reason=None) -> argparse.ArgumentParser:
    parser = _command(commands, name, text)
    parser.add_argument("--key", required=True, metavar="FILE", help="the person's private key (Ed25519, PEM)")
    parser.add_argument("--reason", required=reason is None, default=reason, help="for the record, at most 60 bytes")
    parser.add_argument("--wait", type=float, default=0.0, metavar="S", help="follow what becomes of it for so long")
    parser.add_argument("--json", action="store_true", help="for programs: what became of it, at the end")
    _add_language(parser)
    return parser


def _add_place(parser, example, *, duration=None, is_target_needed=False) -> None:
    parser.add_argument("--commune", required=True, metavar="INSEE", help="INSEE code of the commune")
    parser.add_argument("--gateway", metavar="NAME", help="one cabinet (every cabinet of the commune)")
    text = "a feeder's name in the policy" if is_target_needed else "a feeder or a group of the policy (all feeders)"
    parser.add_argument("--target", required=is_target_needed, metavar="NAME", help=text)
    is_needed = duration is None
    text = f"how long, such as {example}" + ("" if is_needed else " (default: %(default)s)")
    parser.add_argument("--for", dest="duration", required=is_needed, default=duration, metavar="TIME", help=text)


def _add_language(parser):
    parser.add_argument("--lang", choices=LANGUAGES, default="fr", help="language (fr)")


def _command(commands, name, text) -> argparse.ArgumentParser:
    return add_command(commands, name, text, _EXAMPLES[name], _FILE)
