"""What can be asked from outside: `bocage gateway status` and `losses`, beside a running agent or without one.

Status comes from the agent's socket; when nobody answers, what the files tell. The loss ledger is always read
from its files. Changes nothing on the disk and needs no network.
"""

import json
import re
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from gateway.config.config import Config
from gateway.core.custody import ledger
from gateway.core.custody.release import JOINED
from gateway.core.status import ABSENT, FORBIDDEN, MUTE, LossesStatus, Status, as_json
from gateway.io import files, status_socket
from gateway.io.disk import ReadOnlyFolder
from gateway.shell.facts import disk_space
from gateway.show import report
from gateway.show.findings import findings
from gateway.show.words import word, word_or

_ANSWER_S_MAX = 5.0
_DAY_S = 86_400
_PERIODS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "j": 86_400}


def state_of(config: Config, *, unix_s: int, timeout_s: float = _ANSWER_S_MAX) -> Status:
    """The running agent's status, or what the files tell; in both cases with the losses."""
    try:
        status = status_socket.ask(config.status_socket, timeout_s)
    except PermissionError:
        return _without_agent(config, FORBIDDEN)
    except (OSError, ValueError):
        status = _from_files(config)
    with suppress(OSError):  # of a folder that this user may not read nothing is told
        status = status._replace(losses=losses_total(config, unix_s=unix_s))
    return status


def losses_total(config: Config, *, unix_s: int) -> LossesStatus:
    """Records let go of by reason, since the ledger began; and in the last day, as far as their time is known.

    Without our own gap records that were put together: nothing that anybody said is lost by that.
    """
    folder = ReadOnlyFolder(config.data / "state")
    totals = {why: count for why, count in ledger.Ledger(folder).totals.items() if why != JOINED}
    recent = (line for line in ledger.entries(folder, from_unix_s=unix_s - _DAY_S) if line["why"] != JOINED)
    last_day = sum(line["count"] for line in recent if line["unix_s"] is not None)
    return LossesStatus(sum(totals.values()), totals, last_day)


def show_status(config: Config, language: str, *, as_plain: bool) -> int:
    """Print it; the exit status of `gateway status`."""
    status = state_of(config, unix_s=int(time.time()))
    exit_status = report.exit_status(status)
    if not as_plain:
        print("\n".join(report.render(status, language)))
        return exit_status
    said = {
        "exit_status": exit_status,
        "headline": report.headline(status, language),
        "findings": [
            {"key": found.key, "sentence": found.sentence(language), "to_do": found.to_do(language)}
            for found in findings(status)
        ],
    }
    print(json.dumps(said | as_json(status), ensure_ascii=False))
    return exit_status


def show_losses(config: Config, language: str, *, since: str | None, as_json: bool) -> int:
    """Print the ledger, a line each; JSON is one object a line. OSError when it cannot be read."""
    from_unix_s = None if since is None else since_unix_s(since, unix_s=int(time.time()))
    found = list(ledger.entries(ReadOnlyFolder(config.data / "state"), from_unix_s=from_unix_s))
    if as_json:
        for line in found:
            print(json.dumps(line))
    elif not found:
        print(word("losses.none", language))
    else:
        print(word("losses.head", language, count=sum(line["count"] for line in found)))
        for line in found:
            print(_loss(line, language))
    return 0


def since_unix_s(text: str, *, unix_s: int) -> int:
    """`2h`, `3d` (or `3j`) before now, or a local date `2026-11-25` with or without `T14:30`. ValueError."""
    period = re.fullmatch("([0-9]{1,9})([smhdj])", text)
    if period:
        return unix_s - int(period[1]) * _PERIODS_S[period[2]]
    return int(datetime.fromisoformat(text).timestamp())


def _loss(line: dict[str, Any], language: str) -> str:
    when = word("losses.unknown_time", language)
    if line["unix_s"] is not None:
        when = datetime.fromtimestamp(line["unix_s"]).astimezone().isoformat(" ", "seconds")
    if "node" in line:
        about = word("losses.records", language, node=line["node"], boot=line["boot"], numbers=line["sequences"])
    else:
        about = word("losses.positions", language, numbers=line["positions"], epoch=line.get("epoch", "?"))
    why = word_or(f"loss.{line['why']}", line["why"], language)
    lane = word_or(f"lanes.{line['lane']}", line["lane"], language)
    return f"{when}  {line['count']:6}  {lane:12} {why:22} {about}"


def _from_files(config: Config) -> Status:
    """The status where no agent answers: whether there is one at all, and what lies on the disk."""
    try:
        status = _without_agent(config, MUTE if files.is_held(config.data) else ABSENT)
        status = status._replace(boot=files.last_boot(config.data / "state"))
        journal = ReadOnlyFolder(config.data / "journal")
        held = sum(_size(journal, name) for name in journal.list())
    except PermissionError:
        return _without_agent(config, FORBIDDEN)
    disk = disk_space(config.data)._replace(held_bytes=held, cap_bytes=config.core.journal_bytes_max)
    return status._replace(disk=disk)


def _without_agent(config: Config, phase: str) -> Status:
    name = f"{config.core.insee}-{config.core.name}"
    return Status(phase=phase, name=name, gateway=config.core.gateway.hex())


def _size(folder: ReadOnlyFolder, name: str) -> int:
    try:
        return folder.size(name)
    except FileNotFoundError:  # freed at this very moment
        return 0
