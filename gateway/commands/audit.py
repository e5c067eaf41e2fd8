"""Lists who ordered what at this cabinet, and checks whether the record was changed. Times are French legal time.

Reads the files of the state folder, beside a running agent or without one. The chain of hashes is checked every time;
the centre holds the head as `auditHead`, so that a log that was cut short is found there.
"""

import argparse
import json
from typing import Any

from gateway.commands import add_config, add_json, on_config
from gateway.commands.losses import add_since, since_unix_s
from gateway.config.config import Config
from gateway.core.cabinet import audit
from gateway.io.disk import ReadOnlyFolder
from gateway.language import N_, NC_, Phrases
from gateway.show.explain import moments

_SOUND, _BROKEN = 0, 1

_WORDS = Phrases({
    "none": N_("No entry."),
    "sound": N_("Chain sound: {entries} entries, head {hash}"),
    "broken": N_("CHAIN BROKEN: {name}, line {line}"),
    "broken.do": N_("keep the card and tell the commune: this log was changed"),
    "unknown_time": NC_("record", "time unknown"),
    "command": N_("command received"),
    "outcome": N_("outcome of a command"),
    "command-refused": N_("command refused"),
    "policy-taken": N_("policy taken"),
    "policy-refused": N_("policy refused"),
    "policy-in-force": N_("policy in force"),
    "lease": N_("commands of the centre"),
    "test": N_("test on the spot"),
    "test-end": N_("test on the spot ended"),
    "lock": N_("lock-out on the spot"),
    "unlock": N_("lock-out ended"),
    "directive-told": N_("directive said on the spot"),
    "directive-cleared": N_("directive taken back"),
    "directive-expired": N_("directive expired"),
    "directive-refused": N_("directive refused"),
})  # fmt: skip
_TOLD_APART = ("n", "prev", "unix_s", "uptime_s", "what", "data")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)
    add_since(parser)


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 the chain is sound, 1 it is broken. OSError when the files cannot be read."""
    language, from_unix_s = args.lang, since_unix_s(args)
    folder = ReadOnlyFolder(config.data / "state")
    head, broken = audit.verify(folder)
    found = [entry for entry in audit.entries(folder) if _is_recent(entry, from_unix_s)]
    if args.json:
        told = {"entries": found, "head": head._asdict(), "broken": [one._asdict() for one in broken]}
        print(json.dumps(told))
        return _BROKEN if broken else _SOUND
    for entry in found:
        print(_line(entry, language))
    if not head.entries:
        print(_WORDS.text("none", language))
        return _SOUND
    for one in broken:
        print(_WORDS.text("broken", language, name=one.name, line=one.line))
    if broken:
        print(f"  → {_WORDS.text('broken.do', language)}")
    else:
        print(_WORDS.text("sound", language, entries=head.entries, hash=head.hash[:16]))
    return _BROKEN if broken else _SOUND


def _is_recent(entry: dict[str, Any], from_unix_s: int | None) -> bool:
    """Keeps entries since that time, and those of unknown time: rather too many than too few."""
    return from_unix_s is None or not isinstance(entry["unix_s"], int) or entry["unix_s"] >= from_unix_s


def _line(entry: dict[str, Any], language: str) -> str:
    when = _WORDS.text("unknown_time", language)
    if isinstance(entry.get("unix_s"), int):
        when = moments.stamp(entry["unix_s"])
    details = ", ".join(
        f"{name} {value}" for name, value in entry.items() if name not in _TOLD_APART and value is not None
    )
    what = _WORDS.text_or(entry["what"], entry["what"], language)
    return f"{entry['n']:6}  {when}  {what:26} {details}"
