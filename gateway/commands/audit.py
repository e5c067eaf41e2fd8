"""`bocage gateway audit`: who ordered what at this cabinet, and whether anybody has changed the record of it.

Reads the files of the state folder, beside a running agent or without one. The chain of hashes is checked every time;
the head is what the centre holds as `auditHead`, so that a log that was cut short is found there.
"""

import json
from datetime import datetime
from typing import Any

from gateway.config.config import Config
from gateway.core.cabinet import audit
from gateway.io.folder import ReadOnlyFolder

_SOUND, _BROKEN = 0, 1

# key: (French, English)
_WORDS = {
    "none": ("Aucune inscription.", "No entry."),
    "sound": (
        "Chaîne intacte : {entries} inscriptions, empreinte {hash}",
        "Chain sound: {entries} entries, head {hash}",
    ),
    "broken": ("CHAÎNE ROMPUE : {name}, ligne {line}", "CHAIN BROKEN: {name}, line {line}"),
    "broken.do": (
        "conserver la carte, prévenir la commune : ce journal a été modifié",
        "keep the card and tell the commune: this log was changed",
    ),
    "unknown_time": ("date inconnue", "time unknown"),
    "command": ("commande reçue", "command received"),
    "outcome": ("suite d'une commande", "outcome of a command"),
    "command-refused": ("commande refusée", "command refused"),
    "policy-taken": ("politique reçue", "policy taken"),
    "policy-refused": ("politique refusée", "policy refused"),
    "policy-in-force": ("politique en vigueur", "policy in force"),
    "lease": ("bail du centre", "lease of the centre"),
    "test": ("essai sur place", "test on the spot"),
    "lock": ("verrouillage sur place", "lock-out on the spot"),
    "unlock": ("déverrouillage sur place", "lock-out ended"),
    "directive-told": ("consigne dite sur place", "directive said on the spot"),
    "directive-cleared": ("consigne retirée sur place", "directive taken back"),
    "directive-expired": ("consigne échue", "directive expired"),
    "directive-refused": ("consigne refusée", "directive refused"),
}
_TOLD_APART = ("n", "prev", "unix_s", "uptime_s", "what", "data")


def show(config: Config, language: str, *, since_unix_s: int | None, as_json: bool) -> int:
    """Print it; 0: the chain is sound, 1: it is broken. OSError when the files cannot be read."""
    folder = ReadOnlyFolder(config.data / "state")
    head, broken = audit.verify(folder)
    found = [entry for entry in audit.entries(folder) if _is_recent(entry, since_unix_s)]
    if as_json:
        told = {"entries": found, "head": head._asdict(), "broken": [one._asdict() for one in broken]}
        print(json.dumps(told))
        return _BROKEN if broken else _SOUND
    for entry in found:
        print(_line(entry, language))
    if not head.entries:
        print(_word("none", language))
        return _SOUND
    for one in broken:
        print(_word("broken", language).format(name=one.name, line=one.line))
    if broken:
        print(f"  → {_word('broken.do', language)}")
    else:
        print(_word("sound", language).format(entries=head.entries, hash=head.hash[:16]))
    return _BROKEN if broken else _SOUND


def _is_recent(entry: dict[str, Any], since_unix_s: int | None) -> bool:
    """One whose time nobody knew is shown: better too much."""
    return since_unix_s is None or not isinstance(entry["unix_s"], int) or entry["unix_s"] >= since_unix_s


def _line(entry: dict[str, Any], language: str) -> str:
    when = _word("unknown_time", language)
    if isinstance(entry.get("unix_s"), int):
        when = datetime.fromtimestamp(entry["unix_s"]).astimezone().isoformat(" ", "seconds")
    details = ", ".join(
        f"{name} {value}" for name, value in entry.items() if name not in _TOLD_APART and value is not None
    )
    return f"{entry['n']:6}  {when}  {_word(entry['what'], language):26} {details}"


def _word(key: str, language: str) -> str:
    pair = _WORDS.get(key)
    return key if pair is None else pair[0 if language == "fr" else 1]
