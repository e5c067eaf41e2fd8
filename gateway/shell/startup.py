"""Starts an agent before it serves: its disks, its boot number, its core and the journal's recovery.

All of it may take seconds on a slow card, so it runs in a thread of its own while the loop can still stop
and ask systemd to wait. Nothing else uses the core meanwhile. Stopping in the middle is
harmless: every step here survives a power cut.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from gateway.config.config import Config
from gateway.core.custody.disk import Ticket, aside_name
from gateway.core.custody.journal import RecoveryReport
from gateway.core.gateway import Gateway, Start
from gateway.core.heartbeats import Heartbeats
from gateway.core.options import number_after
from gateway.io import clock
from gateway.io.crypto import AesCcm, verify_ed25519
from gateway.io.disk import FileDisk, UnwritableDisk, WatchedDisk
from gateway.io.files import foreign_boots, last_boot, next_boot
from gateway.shell import keys as node_keys

_FOREIGN = "foreign"
_ASIDE = re.compile(f"{_FOREIGN}-([0-9]{{8}})-.*", re.DOTALL)

Result = TypeVar("Result")
AgentDisk = WatchedDisk | UnwritableDisk
OnSynced = Callable[[Ticket, str | None], None]


class Opened(NamedTuple):
    """Holds a core that has recovered, and the disks it uses."""

    core: Gateway
    boot: int
    recovery: RecoveryReport
    journal_disk: AgentDisk
    state_disk: AgentDisk
    found: node_keys.Found
    foreign: list[str]  # names in `state/` that are a stranger's
    unwritable: OSError | None = None  # why nothing can be recorded in this life


def open_core(
    config: Config,
    heartbeats: Heartbeats,
    on_synced: OnSynced,
    on_state_synced: OnSynced,
) -> Opened:
    """Opens disks and core. Where the card cannot be written, the agent starts on what can be read: policy, emergencies
    and page need no more. The two functions are called in the disks' threads."""
    state = config.data / "state"
    previous, unwritable = None, None
    journal_disk: AgentDisk
    state_disk: AgentDisk
    try:
        previous = last_boot(state)
        boot = next_boot(state, int(time.time()))
        journal_disk = WatchedDisk(config.data / "journal", on_synced, heartbeats, "journal-sync")
        state_disk = WatchedDisk(state, on_state_synced, heartbeats, "state-sync")
        foreign = [*foreign_boots(state), *_set_aside(state_disk)]
    except OSError as error:
        unwritable, foreign = error, []
        # No record of this life can be written, so nobody will see the number.
        boot = number_after(previous, int(time.time()))
        journal_disk = UnwritableDisk(config.data / "journal", on_synced)
        state_disk = UnwritableDisk(state, on_state_synced)
    found = node_keys.read_folder(config.keys)
    core = Gateway(
        config.core,
        Start(secrets.token_bytes(8), boot, "start", previous, program_version()),
        journal_disk=journal_disk,
        state_disk=state_disk,
        keys=found.keys,
        cipher=AesCcm(),
        random_below=secrets.randbelow,
        verify=verify_ed25519,
        now_ms=clock.monotonic_ms(),
    )
    recovery = core.start(now_ms=clock.monotonic_ms())
    return Opened(core, boot, recovery, journal_disk, state_disk, found, foreign, unwritable)


def program_version() -> str:
    """Returns the version of the package, or of the sources, that runs."""
    try:
        return version("bocage")
    except PackageNotFoundError:
        return "?"


def _set_aside(disk: FileDisk) -> list[str]:
    """Renames what is no plain file in the state folder, so that no part of the core meets it; returns the names. What
    cannot be renamed stays: reading it fails, and never waits."""
    names = disk.foreign()
    taken = [int(match[1]) for match in map(_ASIDE.fullmatch, names) if match]
    found = [name for name in names if not _ASIDE.fullmatch(name)]
    for number, name in enumerate(found, max(taken, default=0) + 1):
        with suppress(OSError):
            disk.rename(name, aside_name(_FOREIGN, number, name))
    return found


async def in_thread(
    work: Callable[[], Result], *, stop: asyncio.Event, every_s: float, meanwhile: Callable[[], None]
) -> Result | None:
    """Returns what `work` returns, or raises what it raises; None if `stop` came first: then the thread ends with
    the process.

    `meanwhile` is called at once and every `every_s`. (asyncio's own executor would keep the process until the
    work is done.)
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not done.cancelled():
            set_it(value)

    def run() -> None:
        outcome: tuple[Callable[[Any], None], Any]
        try:
            outcome = (done.set_result, work())
        except Exception as error:  # raised again where it is awaited
            outcome = (done.set_exception, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    Thread(target=run, name="startup", daemon=True).start()
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not done.done() and not stopped.done():
            meanwhile()
            either: set[asyncio.Future[Any]] = {done, stopped}
            await asyncio.wait(either, timeout=every_s, return_when=asyncio.FIRST_COMPLETED)
        return done.result() if done.done() else None
    finally:
        stopped.cancel()
        done.cancel()
