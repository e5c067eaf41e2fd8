"""The agent: composition root of a gateway and its only event loop. Carries out what the core decides.

Everything reaches the core in this one thread: datagrams from asyncio, finished syncs and the broker's
events posted from their threads. One turn: hand over the event, let the core poll, carry out its effects,
arm the timer for its deadline.
"""

import asyncio
import json
import os
import secrets
import signal
import sys
from typing import Any

from gateway.config import Config
from gateway.core.gateway import Connect, Gateway, Log, Send, Start
from gateway.core.uplink import Publication
from gateway.io import clock
from gateway.io.boot_counter import next_boot
from gateway.io.disk import FileDisk
from gateway.io.mqtt import Connected, Disconnected, Message, MqttLink, PubAck
from gateway.io.udp import UdpLink, open_link
from wire.session import ClearSession

_CLOCK_EVERY_MS = 10_000
_HEALTH_EVERY_MS = 60_000
# A timer that is asked for further away than this is armed again then: asyncio's heap stays small.
_SLEEP_MS_MAX = 60_000


class Agent:
    """One gateway process. `run` returns when asked to stop by SIGTERM or SIGINT."""

    def __init__(self, config: Config, *, insecure: bool) -> None:
        self._config = config
        self._insecure = insecure
        self._stop = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._link: UdpLink | None = None
        self._clock_at_ms = 0
        self._health_at_ms = 0

    async def run(self) -> None:
        """Start, serve, stop. OSError when the disk or the address cannot be had."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        data = self._config.data
        boot = next_boot(data / "state")
        now_ms = clock.monotonic_ms()
        self._health_at_ms = now_ms + _HEALTH_EVERY_MS
        journal_disk = FileDisk(data / "journal", self._post_synced)
        state_disk = FileDisk(data / "state", lambda _ticket, _error: None)
        self._mqtt = MqttLink(self._config.mqtt, self._post_mqtt)
        self._core = Gateway(
            self._config.core,
            Start(secrets.token_bytes(8), boot, "start"),
            journal_disk=journal_disk,
            state_disk=state_disk,
            session=ClearSession(insecure=self._insecure),
            random_below=secrets.randbelow,
            now_ms=now_ms,
        )
        recovery = self._core.start(now_ms=now_ms)
        self._link = await open_link(*self._config.bind, self._on_datagram)
        _log("started", boot=boot, link=list(self._link.address), records=recovery.records, pid=os.getpid())
        for damage in recovery.damages:
            _log("journal-damage", damage=str(damage))
        self._turn()
        await self._stop.wait()
        self._mqtt.close()
        # What was taken is flushed, and the answers still leave.
        self._core.journal.flush()
        await asyncio.to_thread(journal_disk.close)
        await asyncio.sleep(0)
        self._link.close()
        state_disk.close()
        _log("stopped")

    def _turn(self) -> None:
        """Poll the core, carry out its effects, arm the timer."""
        now_ms = clock.monotonic_ms()
        if now_ms >= self._clock_at_ms:
            self._clock_at_ms = now_ms + _CLOCK_EVERY_MS
            unix_ms, uncertainty_s = clock.utc(trust=self._config.trust_system_clock)
            self._core.clock.tell(unix_ms, uncertainty_s, now_ms=now_ms)
        if now_ms >= self._health_at_ms:
            self._health_at_ms = now_ms + _HEALTH_EVERY_MS
            _log("health", **self._core.health())
        self._core.poll(now_ms=now_ms)
        for effect in self._core.take_effects():
            self._carry_out(effect)
        self._arm(now_ms)

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, Send):
            assert self._link is not None
            self._link.send(effect.peer, effect.datagram)
        elif isinstance(effect, Publication):
            self._mqtt.publish(effect.token, effect.topic, effect.payload, effect.retain)
        elif isinstance(effect, Connect):
            try:
                self._mqtt.connect(self._core.connection_topics())
            except OSError as error:  # a certificate file that is gone or damaged
                self._loop.call_soon(self._on_mqtt, Disconnected(f"{type(error).__name__}: {error}"))
        elif isinstance(effect, Log):
            _log(effect.what, **effect.values)

    def _arm(self, now_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline_ms = min(self._core.deadline_ms() or now_ms + _SLEEP_MS_MAX, self._clock_at_ms, self._health_at_ms)
        self._timer = self._loop.call_later(max(0, deadline_ms - now_ms) / 1000, self._turn)

    def _on_datagram(self, datagram: bytes, peer: Any) -> None:
        if self._stop.is_set():
            return  # the disk is being closed
        self._core.on_datagram(datagram, peer, now_ms=clock.monotonic_ms())
        self._turn()

    def _post_synced(self, ticket: int, error: str | None) -> None:
        """Called in the disk's thread."""
        self._post(self._on_synced, ticket, error)

    def _on_synced(self, ticket: int, error: str | None) -> None:
        self._core.on_synced(ticket, error, now_ms=clock.monotonic_ms())
        self._turn()

    def _post_mqtt(self, event: Any) -> None:
        """Called in the connection's thread."""
        self._post(self._on_mqtt, event)

    def _post(self, function: Any, *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _on_mqtt(self, event: Any) -> None:
        now_ms = clock.monotonic_ms()
        if isinstance(event, Connected):
            self._core.on_connected(event.receive_max, now_ms=now_ms)
        elif isinstance(event, Disconnected):
            self._core.on_disconnected(event.why, now_ms=now_ms)
        elif isinstance(event, Message):
            self._core.on_message(event.topic, event.payload, now_ms=now_ms)
        elif isinstance(event, PubAck):
            token = self._mqtt.acknowledged(event.token)
            if token is not None:
                self._core.on_puback(token, event.reason_code, now_ms=now_ms)
        self._turn()


def _log(what: str, **values: Any) -> None:
    """One JSON line on stderr, which systemd's journal keeps; values are counters and names, never keys."""
    print(json.dumps({"what": what, **values}, default=str), file=sys.stderr, flush=True)
