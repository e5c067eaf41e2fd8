"""Holds the sentences of the commands for authority and orders.

They are for a mayor's office at night: short, and what is not known is stated as not known. Never "delivered": they
state what a gateway or a feeder has reported, and nothing else.
"""

from gateway.language import N_, NC_, Phrases
from tools.command_line import Refused

WORDS = Phrases({
    # what a command is
    "kind.1": N_("lower to {level} %"),
    "kind.1.0": N_("switch off"),
    "kind.1.100": N_("switch on"),
    "kind.2": N_("emergency light"),
    "kind.3": N_("end of command {ends}"),
    "kind.4": N_("feeder test"),
    "kind.5": N_("directive: {values}"),
    "nodes": N_("all nodes"),
    "everywhere": N_("every cabinet"),
    "all": N_("all feeders"),
    "title": N_("{id}  {kind} · {insee} · {gateway} · {target}"),
    "by": N_("by {author}: {reason}"),
    "window": N_("from {start} to {end}"),
    # what became of it
    "waiting": N_("not sent yet"),
    "waiting.problem": N_("the cabinet has no session at the broker ({problem})"),
    "sent": N_("sent at {at}, no answer"),
    "withdrawn": N_("withdrawn before any answer"),
    "unanswered": N_("expired without an answer"),
    "received": NC_("order", "received"),
    "applied": N_("applied, watts awaited"),
    "applied.told": N_("told to one node at least"),
    "received.told": N_("received, no node has asked for it yet"),
    "applied.end": NC_("order", "ended"),
    "measured": N_("measured: {power}"),
    "unmeasured": N_("applied, but the measured watts are not those expected"),
    "unmeasured.meter": N_("applied, without a meter to prove it"),
    "unmeasured.over": N_("applied, over before any watts were reported"),
    "unmeasured.no-dimming": N_("applied, but some lamps there cannot be dimmed"),
    "refused": N_("refused: {why}"),
    "expired": N_("received, and over at its expiry"),
    "ended": N_("received, and ended by a command"),
    "missing": N_("not measured everywhere: {names}"),
    "unheard": N_("no cabinet of this commune has been heard yet"),
    "nothing": N_("no command"),
    "power": N_("{whole}.{tenth} W"),
    # why a gateway refuses
    "why.signature": NC_("order", "the signature does not hold"),
    "why.stranger": N_("a key that the cabinet does not know"),
    "why.right": N_("not the right to it"),
    "why.light-only": N_("this key lights for a few hours at most, from now on"),
    "why.hours-only": N_("this key orders hours of one day at most, for one room or green space"),
    "why.key-lapsed": N_("this key has come to its end: the commune renews it"),
    "why.too-early": N_("begins too late to be accepted now"),
    "why.id-taken": N_("another command has its number"),
    "why.handed-back": N_("the cabinet runs by its own clock"),
    "why.malformed": N_("unreadable"),
    "why.expired": N_("came too late"),
    "why.clock": N_("the cabinet does not know the time"),
    "why.scope": N_("not for this cabinet"),
    "why.limit": N_("a limit of the policy forbids it"),
    "why.retained": N_("kept by the broker"),
    "why.too-long": N_("too long"),
    "why.full": N_("too many commands under way"),
    "why.unknown": N_("nothing to end"),
    "why.lease": N_("the cabinet accepts no command until the centre renews its lease"),
    "why.later": N_("a later command holds"),
    "why.interlock": N_("locked at the cabinet"),
    "why.locked": N_("locked at the lamp"),
    "why.emergency": N_("an emergency light holds"),
    "why.manual": N_("a test at the cabinet holds"),
    "why.no-dimming": N_("nothing there dims: a contactor switches, as does a lamp without a dimming driver"),
    # giving one
    "kept": N_("command {id} signed by {author}"),
    "planned": N_("it will begin at {start}"),
    "no_daemon": N_(
        "WARNING: no `bocage centre control` serves this file. The command is kept, NOTHING IS SENT; it goes when that"
        " starts, until {end} at the latest."
    ),
    "no_broker": N_("WARNING: the centre does not reach the broker {broker}; the command goes when it is back."),
    "never_seen": N_("WARNING: the cabinet {gateway} has never been heard."),
    "fulfilled": N_("{done} of {count} feeders follow the command"),
    "fulfilled.told": N_("told to one node at least"),
    "fulfilled.end": N_("ended everywhere"),
    "unsettled": N_("not over after {wait} s; what follows: {next}"),
    # two steps
    "touches": N_("This command touches {count} feeder(s): {names}"),
    "confirm.dark": N_("It puts out the whole commune."),
    "confirm.lowered": N_("It lowers the whole commune."),
    "confirm.many": N_("It touches many feeders."),
    "confirm.limited": N_("Forbidden for some, whose cabinets will refuse: {limits}"),
    "confirm.ask": N_("Write `yes` to sign: "),
    "confirm.no": N_("given up, nothing is signed"),
    "confirm.program": N_("read the above, then try again with --yes"),
    # refusals before anything is signed
    "refused.no_policy": N_("no policy of {insee} is held here: `bocage centre policy publish` first"),
    "refused.stranger": N_("the key {kid} is no operator's of {insee} (policy {version})"),
    "refused.right": N_("{name} has not the right to this in the policy"),
    "refused.light-only": N_("{name} may light for {hours} h at most, from now on, and nothing else"),
    "refused.hours-only": N_("{name} may order hours of one day at most, for one room or green space at a time"),
    "refused.key-lapsed": N_("the key of {name} has come to its end: the commune renews it in a policy"),
    "refused.duration": N_("--for: give a duration from 1 s to {longest_s} s"),
    "refused.end": N_("give one end: --until 2027-08-31 or --for 2h"),
    "refused.pairs": N_("give a name and a value, such as `drought 2`"),
    "refused.what": N_("{name}: no such directive; there are {names}"),
    "refused.value": N_("{name} {value}: give {bounds}"),
    "refused.scope": N_("--to {target}: give a kind of node, a group or a node's id, at most 24 bytes"),
    "refused.ahead": N_("--not-before: give an instant to come, within {days} days"),
    "refused.target": N_("--target {target}: the policy knows only {names}"),
    "refused.limit": N_("forbidden by the policy: {authority}, {text}"),
    "refused.over": N_("this command is over already"),
    "refused.ended": N_("a command has ended it already"),
    "refused.end_of_end": N_("an end cannot be ended"),
    "refused.signature": N_("the signature does not hold"),
    "refused.malformed": N_("this is no order as the centre writes them: open the page again"),
    "refused.full": N_("too many commands under way in this commune: end some"),
    "refused.text": N_("{field}: give 1 to {bytes_max} bytes, without control characters or outer spaces"),
    "refused.command": N_("--command {id}: no such command"),
    "refused.ambiguous": N_("--command {id}: several commands begin so, say more"),
    # policies and gateways
    "policy.kept": N_("policy {version} of {insee} kept: {authority}, {text}, signed by {name}"),
    "policy.keyset": N_("keys of {insee}, version {version}: {names}"),
    "policy.no_daemon": N_("WARNING: no `bocage centre control` serves this file; it goes when that starts."),
    "policy.ahead": N_("WARNING: {names} has version {version} or a later one already, and will refuse this one."),
    "policy.refused": N_("{file} refused:"),
    "gateway": N_("{name}  {online} · heard {heard} · lease {granted} · policy {policy} · keys {keyset}"),
    "online": N_("online"),
    "offline": N_("offline"),
    "online.unknown": N_("state unknown"),
    "unknown": N_("?"),
    "gateways.none": N_("no cabinet has been heard yet"),
})

# Returns the sentence under a key, in a language, with its values.
word = WORDS.text


def refusal(key: str, **values: object) -> Refused:
    """Returns the exception whose text is the sentence under a key."""
    return Refused(WORDS.messages[key], **values)


def why(reason: str | None, language: str) -> str:
    """Returns the sentence for a reason to refuse; a reason of a newer gateway is returned as it came."""
    return WORDS.text_or(f"why.{reason}", reason or word("unknown", language), language)
