"""Reports whether all is well at a gateway, what waits, since when, and what to do; with or without a running agent.

The status comes from the agent's socket; when no agent answers, from the files. The loss ledger is always read from
its files. Changes nothing on the disk and needs no network.
"""

import argparse
import json
import time
from contextlib import suppress

from gateway.commands import add_config, add_json, on_config
from gateway.config.config import Config
from gateway.core.custody import ledger
from gateway.core.custody.release import JOINED
from gateway.core.status import ABSENT, FORBIDDEN, MUTE, LossesStatus, Status, as_json
from gateway.io import files, status_socket
from gateway.io.disk import ReadOnlyFolder
from gateway.shell.facts import disk_space
from gateway.show import report
from gateway.show.findings import findings

_ANSWER_S_MAX = 5.0
_DAY_S = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 well, 1 something needs attention, 2 no agent answers."""
    status = state_of(config, unix_s=int(time.time()))
    exit_status = report.exit_status(status)
    if not args.json:
        print("\n".join(report.render(status, args.lang)))
        return exit_status
    said = {
        "exit_status": exit_status,
        "headline": report.headline(status, args.lang),
        "findings": [
            {"key": found.key, "sentence": found.sentence(args.lang), "to_do": found.to_do(args.lang)}
            for found in findings(status)
        ],
    }
    print(json.dumps(said | as_json(status), ensure_ascii=False))
    return exit_status


def state_of(config: Config, *, unix_s: int, timeout_s: float = _ANSWER_S_MAX) -> Status:
    """Returns the running agent's status, or what the files show; in both cases with the losses."""
    try:
        status = status_socket.ask(config.status_socket, timeout_s)
    except PermissionError:
        return _without_agent(config, FORBIDDEN)
    except (OSError, ValueError):
        status = _from_files(config)
    with suppress(OSError):  # unknown where this user may not read the folder
        status = status._replace(losses=losses_total(config, unix_s=unix_s))
    return status


def losses_total(config: Config, *, unix_s: int) -> LossesStatus:
    """Returns records let go of by reason, since the ledger began; and in the last day, if their time is known.

    Our own gap records that were joined do not count: no record of a node is lost by that.
    """
    folder = ReadOnlyFolder(config.data / "state")
    totals = {why: count for why, count in ledger.Ledger(folder).totals.items() if why != JOINED}
    recent = (line for line in ledger.entries(folder, from_unix_s=unix_s - _DAY_S) if line["why"] != JOINED)
    last_day = sum(line["count"] for line in recent if line["unix_s"] is not None)
    return LossesStatus(sum(totals.values()), totals, last_day)


def _from_files(config: Config) -> Status:
    """Returns the status where no agent answers: whether one runs at all, and what is on the disk."""
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
