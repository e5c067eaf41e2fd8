"""Joins the bearers of the node link: UDP, RS-485, a wire, a radio concentrator; those that the configuration has.

A peer names its bearer: ("bus", address), ("wire",), ("radio", MAC), or a UDP address. It decides nothing.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gateway.config.config import Config
from gateway.core.concentrator import Concentrator
from gateway.io import clock
from gateway.io.node_links import Bus, ConcentratorLink, UdpLink, WireLink, open_link
from gateway.shell.images import ConcentratorStore
from wire import radio

# An address that another program uses is tried again this often.
_AGAIN_S = 30.0

Receive = Callable[[bytes, Any], None]
LogLine = Callable[..., None]


class NodeBearers:
    """Sends and receives over all bearers. `address`: where UDP is bound, None without it."""

    def __init__(self) -> None:
        self.udp: UdpLink | None = None
        self._later: asyncio.Task[None] | None = None
        self._serial: dict[str, Any] = {}
        self._images: ConcentratorStore | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        return None if self.udp is None else self.udp.address

    def send(self, peer: Any, datagram: bytes) -> None:
        """Sends one datagram; one that its bearer cannot accept is lost, and CoAP sends it again."""
        bearer = self._serial.get(peer[0])
        if bearer is not None:
            bearer.send(peer, datagram)
        elif self.udp is not None:
            self.udp.send(peer, datagram)

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status."""
        udp = {} if self.udp is None else {"udp": {"dropped": self.udp.dropped}}
        return {**udp, **{name: bearer.health() for name, bearer in self._serial.items()}}

    def poll_images(self) -> None:
        """Checks whether an operator has put an image for the concentrator into its folder, or removed it."""
        if self._images is not None:
            self._images.poll()
            self._serial["radio"].serve()

    def close(self) -> None:
        if self._later is not None:
            self._later.cancel()
        for bearer in self._serial.values():
            bearer.close()
        if self.udp is not None:
            self.udp.close()

    def open_later(self, address: tuple[str, int], receive: Receive, log: LogLine) -> None:
        """Tries again until the address is free, which another program uses now."""

        async def again() -> None:
            while self.udp is None:
                await asyncio.sleep(_AGAIN_S)
                with suppress(OSError):
                    self.udp = await open_link(*address, receive)
                    log("link-open", link=list(self.udp.address))

        self._later = asyncio.get_running_loop().create_task(again())

    def start_serial(self, config: Config, receive: Receive, log: LogLine) -> None:
        """Starts the serial bearers. A port that is absent is opened when it appears."""
        serial = config.serial
        if serial.bus is not None:
            bus = serial.bus
            self._serial["bus"] = Bus(bus.port, bus.addresses, receive, line=bus.line)
        if serial.wire is not None:
            self._serial["wire"] = WireLink(serial.wire.port, receive, baud=serial.wire.baud)
        if serial.radio is not None:
            core = Concentrator(
                session=1 + secrets.randbelow(radio.SESSION_MAX),
                now_ms=clock.monotonic_ms(),
                channel=serial.radio.channel,
                log=log,
            )
            self._serial["radio"] = ConcentratorLink(serial.radio.port, core, receive)
            self._images = ConcentratorStore(config.data, serial.radio.update_keys, core.update, log)
        for bearer in self._serial.values():
            bearer.start()


async def open_node_bearers(config: Config, receive: Receive, log: LogLine) -> NodeBearers:
    """Opens the bearers. OSError if the UDP address is taken; with a cabinet never, for its street must be lit
    anyway."""
    bearers = NodeBearers()
    if config.bind is not None:
        try:
            bearers.udp = await open_link(*config.bind, receive)
        except OSError as error:
            if config.cabinet is None:
                raise
            log("cannot-serve", what_for="link", error=str(error))
            bearers.open_later(config.bind, receive, log)
    bearers.start_serial(config, receive, log)
    return bearers
