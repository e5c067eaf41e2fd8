"""Serves the bearers of a running agent: connections and probes over them, their byte counts, their modems' ports.
It carries out effects and reports events; the core decides over which bearer to connect, and when.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from gateway.config.config import Config
from gateway.core.bearers.bearers import BearerEffect
from gateway.core.bearers.connection import UNBOUND, Connect, Drop, Probe
from gateway.core.bearers.modem import Write
from gateway.core.gateway import Gateway
from gateway.io import clock
from gateway.io.modem import ModemClosed, ModemOpened, ModemPort, ModemReceived, cut_power
from gateway.io.mqtt import BearerRoute, MqttLink
from gateway.io.probe import Resolver, probe
from gateway.io.sockets import interface_count
from wire import topic


class Bearers:
    """Serves the bearers of one agent. `turn` lets the core act on what was reported; `post` makes a function callable
    from any thread."""

    def __init__(
        self,
        config: Config,
        core: Gateway,
        mqtt: MqttLink,
        *,
        turn: Callable[[], None],
        post: Callable[[Callable[..., None]], Callable[..., None]],
        log: Callable[..., None],
    ) -> None:
        self._core = core
        self._mqtt = mqtt
        self._turn = turn
        self._log = log
        routes = [one.route for one in config.bearers] or [BearerRoute(UNBOUND.name)]
        self._routes = {route.name: route for route in routes}
        self._topics = [] if config.mqtt.tls is None else [topic.build(
            topic.CERTIFICATE, config.core.insee, config.core.name
        )]  # fmt: skip
        self._resolver = Resolver(config.mqtt.host, config.mqtt.port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._power_commands = {one.route.name: one.power_command for one in config.bearers if one.power_command}
        self._modems = {
            one.route.name: ModemPort(one.modem, post(partial(self._on_modem, one.route.name)))
            for one in config.bearers
            if one.modem is not None
        }
        for port in self._modems.values():
            port.start()

    def carry_out(self, effect: BearerEffect) -> None:
        """Carries out one effect of the core."""
        if isinstance(effect, Connect):
            self._mqtt.connect([*self._core.connection_topics(), *self._topics], self._routes[effect.bearer])
        elif isinstance(effect, Drop):
            self._mqtt.drop(effect.bearer)
        elif isinstance(effect, Probe):
            self._start(self._probe(effect))
        elif isinstance(effect, Write):
            self._modems[effect.bearer].write(effect.data)
        else:
            self._start(self._cut_power(effect.bearer))

    @property
    def modems_alive_ms(self) -> dict[str, int | None]:
        """Returns when the thread of each bearer's modem last gave a sign of life (monotonic); None once it is
        closed."""
        return {bearer: port.alive_ms for bearer, port in self._modems.items()}

    def count(self, *, now_ms: int) -> None:
        """Reports to the core what the kernel has counted on metered interfaces; must be called every few seconds."""
        for name in self._core.bearers.budgets:
            interface = self._routes[name].interface
            if interface is None:
                continue  # bound by address alone: the kernel counts by interface
            counted = interface_count(interface)
            if counted is not None:
                self._core.bearers.count(name, *counted, now_ms=now_ms)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for budget in self._core.bearers.budgets.values():
            budget.close()
        for port in self._modems.values():
            port.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _probe(self, effect: Probe) -> None:
        route = self._routes[effect.bearer]
        outcome = await probe(
            self._resolver, interface=route.interface, source=route.source, timeout_ms=effect.timeout_ms
        )
        self._core.on_probed(effect.bearer, outcome.ok, outcome.rtt_ms, now_ms=clock.monotonic_ms())
        self._turn()

    async def _cut_power(self, bearer: str) -> None:
        why = await cut_power(self._power_commands[bearer])
        self._log("modem-power-cut", bearer=bearer, why=why)

    def _on_modem(self, bearer: str, event: ModemOpened | ModemClosed | ModemReceived) -> None:
        modem, now_ms = self._core.bearers.modems[bearer], clock.monotonic_ms()
        self._modems[bearer].processed()
        if isinstance(event, ModemOpened):
            modem.opened(now_ms=now_ms)
        elif isinstance(event, ModemClosed):
            modem.closed(event.why, now_ms=now_ms)
        else:
            modem.received(event.data, now_ms=now_ms)
        self._core.make_all_due()
        self._turn()
