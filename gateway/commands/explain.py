"""Explains why a feeder is as it is, which rule decided, and what will happen, in plain words.

Asks the running agent over its status socket and computes the policy's demand itself (`gateway/show/explain/`). Without
an agent nothing is known of contactors and watts: then it prints what `gateway status` would and returns 2. Changes
nothing.
"""

import argparse
import json
import textwrap
import time
from typing import Any

from gateway.commands import add_config, add_json, on_config
from gateway.commands.status import state_of
from gateway.config.config import Config
from gateway.core.status import CabinetStatus, FeederStatus, Status
from gateway.show.explain import moments
from gateway.show.explain.answer import explain_at, explain_now
from gateway.show.explain.why import state_words
from gateway.show.explain.words import word
from gateway.show.findings import alarm_findings
from gateway.show.report import no_answer_lines

_WIDTH = 110
_LABEL_WIDTH = 10
_LEVEL_WIDTH = 22
_VERDICT_WIDTH = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)
    parser.add_argument("feeder", metavar="FEEDER", help="its name, as in the policy")
    parser.add_argument(
        "--at", metavar="TIME", help="23:00, 'demain 05:30', 2026-07-14T02:00, 14/07/2026 02:00; with +02:00"
    )


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 explained, 2 no agent answers, or there is no such feeder or time."""
    status = state_of(config, unix_s=int(time.time()))
    explained = explain(status, args.feeder, args.lang, at=args.at, system_unix_s=int(time.time()))
    if args.json:
        print(json.dumps({"name": status.name, **explained}, ensure_ascii=False))
    else:
        print("\n".join(render(status, explained, args.lang)))
    return 2 if "error" in explained else 0


def explain(
    status: Status, feeder: str, language: str, *, at: str | None, system_unix_s: int
) -> dict[str, Any]:
    """Returns the explanation as plain data: `now`, and `at` if requested; or `error`, in words."""
    silent = no_answer_lines(status, language)
    if silent is not None:
        return {"error": silent}
    cabinet = status.cabinet
    if cabinet is None:
        return {"error": [word("no_cabinet", language)]}
    found = cabinet.feeder_named(feeder)
    if found is None:
        names = ", ".join(one.name for one in cabinet.feeders) or "—"
        return {"error": [word("no_feeder", language, feeder=feeder, names=names)]}
    told: dict[str, Any] = {
        "feeder": found.name,
        "unix_s": cabinet.unix_s,
        "now": explain_now(cabinet, found, language),
        "alarms": _alarms(status, found, language),
    }
    if at is None:
        return told
    try:
        # A cabinet without a clock can still be asked about an hour: the clock of this machine decides which day it
        # is.
        instant = moments.parse(at, system_unix_s if cabinet.unix_s is None else cabinet.unix_s)
    except ValueError:
        return {"error": [word("bad_at", language, text=at[:40])]}
    return told | {"at": explain_at(cabinet, found, instant, language), "policy": _policy(cabinet)}


def render(status: Status, explained: dict[str, Any], language: str) -> list[str]:
    """Lays the explanation out as lines for a terminal."""
    if "error" in explained:
        return list(explained["error"])
    name = status.name
    now_s = explained["unix_s"]
    when = word("title.unknown_time", language) if now_s is None else moments.date_and_clock(now_s, language)
    lines = [f"{word('title', language, gateway=name, feeder=explained['feeder'])} — {when}", ""]
    if "at" in explained:
        return lines + _at(explained["at"], language)
    return lines + _now(explained, language)


# --- lines ----------------------------------------------------------------------------------------------------------


def _now(explained: dict[str, Any], language: str) -> list[str]:
    now = explained["now"]
    lines = [
        *_labelled("state", now["state"], language),
        *_labelled("watts", now["watts"]["sentence"], language),
        *_labelled("why", now["why"], language),
        *_labelled("next", now["next"], language),
        *(line for alarm in explained["alarms"] for line in _labelled("alarms", alarm, language)),
        *(line for limit in now["limits"] for line in _labelled("limits", limit, language)),
        "",
        word("label.ladder", language),
    ]
    for number, rung in enumerate(now["ladder"], 1):
        mark = ">" if rung["verdict"] == "decides" else " "
        level = word(f"level.{rung['level']}", language)
        verdict = word(f"verdict.{rung['verdict']}", language)
        head = f"{mark} {number}. {level:{_LEVEL_WIDTH}} {verdict:{_VERDICT_WIDTH}} "
        lines += _wrapped(head + rung["answer"], " " * len(head))
    if now["commands"]:
        lines += ["", word("label.commands", language), *(f"  {words}" for words in now["commands"])]
    return [*lines, "", *_night(now["night"], explained["unix_s"], language)]


def _at(at: dict[str, Any], language: str) -> list[str]:
    lines = [word("pair", language, label=at["when"], text=word(f"at.{at['side']}", language))]
    lines += _labelled("wanted", state_words(at["wants_light"], language), language)
    lines += _labelled("why", at["why"], language)
    lines += _labelled("next", at["next"], language)
    lines += [line for limit in at["limits"] for line in _labelled("limits", limit, language)]
    orders = " ; ".join(at["commands"])
    held = word("at.commands", language, orders=orders) if orders else word("at.no_command", language)
    lines += ["", *_wrapped(held, "")]
    lines += [line for note in at["notes"] for line in _wrapped(f"({note})", " ")]
    return [*lines, "", *_night(at["night"], at["unix_s"], language)]


def _night(night: dict[str, Any] | None, unix_s: int | None, language: str) -> list[str]:
    if night is None:
        return [word("night.unknown", language)]
    days = {name: moments.date(night[key], language) for name, key in (("from_day", "start_s"), ("to_day", "end_s"))}
    lines = [word("label.night", language, **days)]
    rows = night["rows"]
    for index, row in enumerate(rows):
        following_s = rows[index + 1]["unix_s"] if index + 1 < len(rows) else night["end_s"]
        mark = ">" if unix_s is not None and row["unix_s"] <= unix_s < following_s else " "
        lines.append(f"{mark} {row['clock']}  {row['state']:8} {row['words']}".rstrip())
    return lines + [f"  {note}" for note in night["notes"]]


def _labelled(key: str, text: str, language: str) -> list[str]:
    return _wrapped(f"{word(f'label.{key}', language):{_LABEL_WIDTH}} {text}", " " * (_LABEL_WIDTH + 1))


def _wrapped(line: str, indent: str) -> list[str]:
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent, drop_whitespace=True, break_on_hyphens=False)


def _alarms(status: Status, feeder: FeederStatus, language: str) -> list[str]:
    """Returns the alarms of the feeder itself, and those of the whole cabinet."""
    return [found.sentence(language) for found in alarm_findings(status, feeder.name)]


def _policy(cabinet: CabinetStatus) -> dict[str, Any]:
    return cabinet.policy._asdict()
