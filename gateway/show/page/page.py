"""Composes the technician's page: listens on the gateway, shows the agent's status, passes orders to the agent.

`await LocalPage(options, status, orders, log).start()` in the agent's loop, `await page.close()` at its end.
`status` makes the agent's status anew for each request; `orders` passes orders to the agent; `log(what, **values)` is
its log.

Plain HTTP is meant for a wire of a few metres: the maintenance port, or an access point with a password of its own
(WPA2 or 3) that is on only while a technician is there. A listener on that wire reads the password and the
session; so without TLS the page must not be bound to an address of the network that leads to the centre. Password
and session are worth no more than this cabinet: no other one has the same, and they give no access to the centre.
With `certificate` and `key` it is HTTPS; a phone then warns once, for no public authority knows a street
cabinet, unless the commune installs its own.
"""

import logging
import ssl
from collections.abc import Callable

from aiohttp import web

from gateway.config.page import PageOptions
from gateway.core.status import Status
from gateway.io import clock
from gateway.show.page.app import Orders, Pages
from gateway.show.page.door import Door
from gateway.show.page.lights import Lights
from gateway.show.page.sessions import Login, Sessions

_LINE_BYTES_MAX = 2_048
_CLOSE_S_MAX = 1.0


class LocalPage:
    """Serves the page of one agent, in the loop's thread."""

    def __init__(
        self,
        options: PageOptions,
        status: Callable[[], Status],
        orders: Orders,
        log: Callable[..., None],
        *,
        now_ms: Callable[[], int] = clock.monotonic_ms,
    ) -> None:
        self._options, self._log = options, log
        self.sessions = Sessions()
        login = Login(options.password, self.sessions, log, now_ms=now_ms)
        pages = Pages(
            status, orders, login, self.sessions, log,
            language=options.language, is_secure=options.certificate is not None, lights=Lights(options.lights, log),
            now_ms=now_ms,
        )  # fmt: skip
        self._runner = web.AppRunner(
            pages.app(),
            access_log=None,
            logger=_silent(),
            handle_signals=False,
            keepalive_timeout=0,
            lingering_time=0,
            max_line_size=_LINE_BYTES_MAX,
            max_field_size=_LINE_BYTES_MAX,
            shutdown_timeout=_CLOSE_S_MAX,
        )
        self._door: Door | None = None

    async def start(self) -> None:
        """Listen. OSError when the address or the certificate is not available."""
        tls = _context(self._options)
        await self._runner.setup()
        try:
            server = self._runner.server
            assert server is not None
            self._door = Door(self._options.bind, server, tls, self._log)
        except OSError:
            await self._runner.cleanup()
            raise

    async def close(self) -> None:
        """Stops answering. A second call does nothing."""
        door, self._door = self._door, None
        if door is not None:
            await door.close()
        await self._runner.cleanup()

    @property
    def address(self) -> tuple[str, int] | None:
        """Returns the address it listens on; None while it does not."""
        return None if self._door is None else self._door.address

    @property
    def counters(self) -> dict[str, int]:
        """Returns the counters of the page, for the status."""
        return {} if self._door is None else {**self._door.counters, "sessions": len(self.sessions)}


def _context(options: PageOptions) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # phones of technicians are not new
    context.load_cert_chain(options.certificate, options.key)
    return context


def _silent() -> logging.Logger:
    """Returns a logger that drops all: aiohttp logs a trace for every malformed request, so a client could flood the
    log.
    """
    logger = logging.getLogger("bocage.page")
    logger.propagate = False
    logger.handlers = [logging.NullHandler()]
    return logger
