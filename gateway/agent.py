"""Composes a gateway and runs its only event loop, which carries out what the core decides.

Everything reaches the core in this one thread: datagrams from asyncio, finished syncs and the broker's
events posted from their threads. One turn of the loop: report the event, let the core poll, set the timer for its
deadline, carry out its effects. An exception in a turn is our own bug and ends the process: systemd restarts
it, and the journal loses nothing by it.
"""

import asyncio
import errno
import os
import signal
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from gateway.config.config import Config
from gateway.core.cabinet.equipment import SetContactor, Watchdog
from gateway.core.campaigns.campaign import Plan
from gateway.core.custody.disk import Ticket
from gateway.core.gateway import Log, Send
from gateway.core.heartbeats import Heartbeats
from gateway.core.link.images import NodeImage
from gateway.core.link.sessions import NodeKey
from gateway.core.status import STARTING
from gateway.core.uplink.batch import Publication
from gateway.io import clock
from gateway.io.files import FolderLock
from gateway.io.mqtt import Connected, Disconnected, Message, MqttLink, PubAck, Subscription
from gateway.io.own_certificate import OwnCertificate
from gateway.shell import keys as node_keys
from gateway.shell import update_report
from gateway.shell.bearers import Bearers
from gateway.shell.cabinet import CabinetShell
from gateway.shell.images import NodeImageStore
from gateway.shell.node_bearers import NodeBearers, open_node_bearers
from gateway.shell.operation import Operation
from gateway.shell.renewal import Renewal
from gateway.shell.startup import Opened, in_thread, open_core
from gateway.shell.tell_store import TellStore
from gateway.shell.update_report import UpdateReport

_HOUSEKEEP_EVERY_MS = 5_000
# Key files that the disk did not let us read are tried again after this.
_KEYS_AGAIN_MS = 60_000
# The clock is read every five seconds, so a working loop turns at least that often.
_LOOP_ALLOWED_MS = 30_000
_STARTING_EVERY_S = 5
# A flush that takes longer at the end is left to the kernel; systemd would kill us after 90 s.
_STOPPING_S_MAX = 20


class Agent:
    """Runs one gateway process. `run` returns when SIGTERM or SIGINT stops it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._keys_state = node_keys.state(config.keys)
        self._keys: list[NodeKey] = []
        self._keys_again_ms: int | None = None
        self._stop = asyncio.Event()
        self._reported = asyncio.Event()
        self._crash: BaseException | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heartbeats = Heartbeats()
        self._operation = Operation(config, self._heartbeats)
        self._housekeep_at_ms = 0
        self._early: list[Any] = []
        self._cabinet: CabinetShell | None = None
        self._renewal: Renewal | None = None
        self._link = NodeBearers()

    async def run(self) -> None:
        """Starts, serves and stops. OSError when the disk or the address is not available."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._on_exception)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        try:
            self._lock = FolderLock(self._config.data)
        except BlockingIOError:
            raise
        except OSError as error:  # no folder can be made or read: the start goes on without, and says so
            self._operation.log("cannot-lock", error=str(error))
        self._operation.open()
        opened = await in_thread(
            lambda: open_core(
                self._config,
                self._heartbeats,
                self._posted(self._on_synced),
                self._posted(self._on_state_synced),
            ),
            stop=self._stop,
            every_s=_STARTING_EVERY_S,
            meanwhile=self._operation.starting,
        )
        if opened is not None:
            await self._start(opened)
            await self._stop.wait()
            if self._crash is not None:
                raise RuntimeError("an error of our own, see `crash` in the log") from self._crash
            await self._end()
        self._operation.close()

    # --- start and end ------------------------------------------------------------------------------------------

    async def _start(self, opened: Opened) -> None:
        self._opened, self._core, self._keys = opened, opened.core, opened.found.keys
        # What the disk did not let us read at the start is tried again at the first housekeeping.
        self._keys_again_ms = None if opened.found.is_whole else 0
        options = self._config.mqtt
        own = None if options.tls is None else OwnCertificate(options.tls, self._config.data)
        self._mqtt = MqttLink(
            options,
            self._posted(self._on_mqtt),
            clock_is_good=lambda: opened.core.clock.good_since_ms is not None,
            own=own,
        )
        if own is not None:
            self._renewal = Renewal(self._config, own, self._mqtt, self._operation.log)
            self._operation.facts.own = own
        self._tell_store = TellStore(self._config.data, opened.core.directive_service.directives, self._operation.log)
        self._update_reports = [
            UpdateReport(subject, self._config.data, self._core, self._operation.log)
            for subject in (update_report.AGENT, update_report.SYSTEM)
        ]
        self._bearers = Bearers(
            self._config, self._core, self._mqtt, turn=self._turn, post=self._posted, log=self._operation.log
        )
        if self._core.cabinet is not None:
            self._cabinet = CabinetShell(
                self._config,
                self._core,
                turn=self._turn,
                post=self._posted,
                log=self._operation.log,
            )
        self._images = NodeImageStore(self._config.data, self._on_programs, self._operation.log)
        self._link = await open_node_bearers(self._config, self._on_datagram, self._operation.log)
        link = self._link.address
        self._operation.running(opened.core, opened.boot, link, self._shell_counters)
        recovery = opened.recovery
        self._operation.log(
            "started", boot=opened.boot, link=list(link or ()), records=recovery.records, pid=os.getpid()
        )
        for damage in recovery.damages:
            self._operation.log("journal-damage", damage=str(damage))
        if opened.unwritable is not None:
            error = opened.unwritable
            self._operation.log("card-unusable", error=str(error), is_read_only=error.errno == errno.EROFS)
        if recovery.positions_missed:
            self._operation.log("journal-missed", count=recovery.positions_missed)
        if others := recovery.other_versions:
            self._operation.log("journal-other-version", name=others[0], files=len(others))
        for name in opened.foreign:
            self._operation.log("foreign-file", name=name)
        self._log_key_faults(opened.found.faults)
        self._heartbeats.expect("loop", _LOOP_ALLOWED_MS, now_ms=clock.monotonic_ms())
        if self._cabinet is not None:
            await self._cabinet.start(self._operation.status)
        self._turn()
        for deliver in self._early:
            deliver()
        self._operation.ready()
        self._watch()

    async def _end(self) -> None:
        """Flushes the records that were accepted, and lets their answers leave."""
        self._operation.stopping()
        if self._timer is not None:
            self._timer.cancel()
        if self._cabinet is not None:
            await self._cabinet.close()
        self._bearers.close()
        self._mqtt.close()
        self._core.journal.flush()
        disk = self._opened.journal_disk
        try:
            async with asyncio.timeout(_STOPPING_S_MAX):
                while disk.unreported:
                    self._reported.clear()
                    await self._reported.wait()
        except TimeoutError:
            self._operation.log("stop-unfinished", syncs=disk.unreported)
            return
        self._link.close()
        disk.close()
        self._core.journal.save_inventory()
        self._opened.state_disk.close()

    # --- one turn of the loop -------------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Let the core do what is due, set the timer and carry out the core's effects. While stopping, only answers and
        log lines leave."""
        now_ms = clock.monotonic_ms()
        if not self._stop.is_set():
            if now_ms >= self._housekeep_at_ms:
                self._housekeep(now_ms)
            self._core.poll(now_ms=now_ms)
            self._arm(now_ms)
            self._heartbeats.beat("loop", now_ms=now_ms)
        for effect in self._core.drain_effects():
            if not self._stop.is_set() or isinstance(effect, Send | Log):
                self._carry_out(effect)

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, Send):
            self._link.send(effect.peer, effect.datagram)
        elif isinstance(effect, Publication):
            self._mqtt.publish(effect.token, effect.topic, effect.payload, effect.retain, effect.expiry_s)
        elif isinstance(effect, Log):
            self._operation.log(effect.what, **effect.values)
        elif isinstance(effect, SetContactor | Watchdog):
            if self._cabinet is not None:
                self._cabinet.carry_out(effect)
        else:
            self._bearers.carry_out(effect)

    def _arm(self, now_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_ms = min(self._core.deadline_ms(now_ms=now_ms), self._housekeep_at_ms)
        self._timer = self._loop.call_later(max(0, due_ms - now_ms) / 1000, self._turn)

    def _housekeep(self, now_ms: int) -> None:
        self._housekeep_at_ms = now_ms + _HOUSEKEEP_EVERY_MS
        unix_ms, uncertainty_s, is_disciplined = clock.utc(trust=self._config.trust_system_clock)
        self._core.on_clock(unix_ms, uncertainty_s, is_disciplined=is_disciplined, now_ms=now_ms)
        self._bearers.count(now_ms=now_ms)
        self._poll_keys(now_ms)
        self._link.poll_images()
        self._images.poll()
        self._tell_store.poll()
        self._core.make_all_due()  # bytes were counted, and directives may have come
        for report in self._update_reports:
            report.poll(now_ms=now_ms)
        if self._renewal is not None:
            self._renewal.poll(unix_s=self._core.clock.unix_s(now_ms=now_ms), now_ms=now_ms)
        self._operation.housekeep(self._core, now_ms=now_ms)

    def _poll_keys(self, now_ms: int) -> None:
        """Load the keys again when their folder has changed, or when a part of it could not be read."""
        state = node_keys.state(self._config.keys)
        if state == self._keys_state and (self._keys_again_ms is None or now_ms < self._keys_again_ms):
            return
        self._keys_state = state
        found = node_keys.read_folder(self._config.keys)
        self._keys_again_ms = None if found.is_whole else now_ms + _KEYS_AGAIN_MS
        keys = node_keys.kept(found, self._keys)
        if keys != self._keys:
            self._keys = keys
            self._core.on_keys(keys, now_ms=now_ms)
            self._operation.log("node-keys", nodes=len(self._core.link.sessions.nodes()))
        self._log_key_faults(found.faults)

    def _log_key_faults(self, faults: list[str]) -> None:
        for fault in faults:
            self._operation.log("node-key-fault", fault=fault)

    def _watch(self) -> None:
        """Check the heartbeats. Not part of the turn: this must notice when turns end."""
        due_ms = self._operation.watch(
            broker=self._mqtt.alive_ms,
            modems=self._bearers.modems_alive_ms,
            cabinet=None if self._cabinet is None else self._cabinet.alive_ms,
        )
        self._loop.call_later(due_ms / 1000, self._watch)

    def _shell_counters(self) -> dict[str, Any]:
        cabinet = {} if self._cabinet is None else self._cabinet.health()
        return {"mqtt": dict(self._mqtt.counters), **self._link.health(), **cabinet}

    # --- events -------------------------------------------------------------------------------------------------

    def _on_datagram(self, datagram: bytes, peer: Any) -> None:
        if self._stop.is_set():
            return  # the disk is being closed
        self._core.on_datagram(datagram, peer, now_ms=clock.monotonic_ms())
        self._turn()

    def _on_programs(self, images: list[NodeImage], plans: list[Plan]) -> None:
        self._core.on_programs(images, plans, now_ms=clock.monotonic_ms())

    def _on_synced(self, ticket: Ticket, error: str | None) -> None:
        self._opened.journal_disk.reported()
        self._core.on_synced(ticket, error, now_ms=clock.monotonic_ms())
        self._turn()
        self._reported.set()

    def _on_state_synced(self, ticket: Ticket, error: str | None) -> None:
        self._opened.state_disk.reported()
        self._core.on_state_synced(ticket, error, now_ms=clock.monotonic_ms())
        self._turn()

    def _posted(self, function: Callable[..., None]) -> Callable[..., None]:
        """Wrap a function for the threads of disks and connections: it runs in the loop, once there is a core."""

        def deliver(*arguments: Any) -> None:
            if self._operation.facts.phase == STARTING:
                self._early.append(partial(function, *arguments))
            else:
                function(*arguments)

        def post(*arguments: Any) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(deliver, *arguments)

        return post

    def _on_mqtt(self, posted: Any) -> None:
        now_ms = clock.monotonic_ms()
        for event in self._mqtt.accept(posted):
            if isinstance(event, Connected):
                self._core.on_connected(event.receive_max, event.bearer, now_ms=now_ms)
            elif isinstance(event, Disconnected):
                self._core.on_disconnected(event.why, event.bearer, now_ms=now_ms)
            elif isinstance(event, Message):
                if self._renewal is not None and self._renewal.accept(event.topic, event.payload):
                    continue
                self._core.on_message(event.topic, event.payload, event.is_retained, now_ms=now_ms)
            elif isinstance(event, PubAck):
                self._core.on_puback(event.token, event.reason_code, now_ms=now_ms)
            elif isinstance(event, Subscription):
                what = "subscription-refused" if event.why else "subscription-granted"
                self._operation.log(what, why=event.why, bearer=event.bearer)
        self._turn()

    def _on_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        # Errors of a transport come from outside; errors from one of our turns are our bug, and have stopped the timer.
        if error is None or (isinstance(error, OSError) and "handle" not in context):
            self._operation.log("library", name="asyncio", message=context.get("message", ""), error=repr(error))
            return
        self._operation.log("crash", error=repr(error), trace=traceback.format_exception(error)[-12:])
        self._crash = error
        self._stop.set()
