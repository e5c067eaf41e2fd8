"""Serves the cabinet's equipment and the technician's page: carries out effects, reports observations and orders.

The wired equipment is `gateway.io.cabinet`'s, the decisions are the core's. Without a [cabinet] in the configuration
this module is not used, and the packages behind it are not needed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway.config.config import Config
from gateway.core.cabinet.cabinet import Cabinet
from gateway.core.cabinet.equipment import Observation, SetContactor, Watchdog
from gateway.core.gateway import Gateway
from gateway.core.placement import NodeSight, Placements
from gateway.core.status import Status
from gateway.io import clock

if TYPE_CHECKING:
    from gateway.show.page.page import LocalPage


class CabinetShell:
    """Serves the cabinet of one agent. `turn` lets the core act on what was reported; `post` makes a function callable
    from any thread."""

    def __init__(
        self,
        config: Config,
        core: Gateway,
        *,
        turn: Callable[[], None],
        post: Callable[[Callable[..., None]], Callable[..., None]],
        log: Callable[..., None],
    ) -> None:
        from gateway.io.cabinet.cabinet_io import CabinetIo

        assert config.cabinet is not None and core.cabinet is not None and core.placements is not None
        self._config = config
        self._core = core
        self._cabinet: Cabinet = core.cabinet
        self._placements: Placements = core.placements
        self._turn = turn
        self._log = log
        self._io = CabinetIo(config.cabinet, post(self._on_seen))
        self._page: LocalPage | None = None
        self._is_closed = False

    async def start(self, status: Callable[[], Status]) -> None:
        """Starts the threads. A page that cannot be served is logged once and omitted: the street does not need it."""
        self._io.start()
        if self._config.page is None:
            return
        try:
            from gateway.show.page.page import LocalPage

            page = LocalPage(self._config.page, status, self, self._log)
            await page.start()
        except (OSError, ImportError) as error:
            self._log("cannot-serve", error=f"page: {type(error).__name__}: {error}")
            return
        self._page = page

    def carry_out(self, effect: SetContactor | Watchdog) -> None:
        """Carries out one effect of the core."""
        self._io.apply(effect)

    @property
    def alive_ms(self) -> int | None:
        """Returns the last sign of life of the threads that control contactors."""
        return self._io.alive_ms

    def health(self) -> dict[str, Any]:
        """Returns the counters for the log and the status."""
        page = {} if self._page is None else {"page": self._page.counters}
        return {"cabinet-io": self._io.health(), **page}

    async def close(self) -> None:
        """Ends threads and page. Outputs stay as they are; the watchdog pulses end, and the hardware takes over."""
        self._is_closed = True
        self._io.close()
        if self._page is not None:
            await self._page.close()

    # --- orders of the page (gateway.show.page.app.Orders) ----------------------------------------------------------

    def test(self, feeder: int, seconds: int, who: str) -> str | None:
        return self._ordered(self._cabinet.test(feeder, seconds, who, now_ms=clock.monotonic_ms()))

    def test_all(self, seconds: int, who: str) -> str | None:
        return self._ordered(self._cabinet.test_all(seconds, who, now_ms=clock.monotonic_ms()))

    def lock(self, feeder: int, who: str) -> str | None:
        return self._ordered(self._cabinet.lock(feeder, who, now_ms=clock.monotonic_ms()))

    def unlock(self, feeder: int, who: str) -> str | None:
        return self._ordered(self._cabinet.unlock(feeder, who, now_ms=clock.monotonic_ms()))

    # --- nodes on the page (gateway.show.page.node_pages.Nodes) -----------------------------------------------------

    def identify(self, node: bytes) -> str | None:
        return self._ordered(self._placements.identify(node, now_ms=clock.monotonic_ms()))

    def place(self, node: bytes, light: str, street: str, who: str, *, exchange: bool) -> str | None:
        now_ms = clock.monotonic_ms()
        return self._ordered(self._placements.place(node, light, street, who, exchange=exchange, now_ms=now_ms))

    def holder(self, node: bytes, light: str, street: str) -> bytes | None:
        return self._placements.holder(node, light, street)

    def sight(self, node: bytes) -> NodeSight:
        return self._placements.sight(node, now_ms=clock.monotonic_ms())

    def sights(self) -> list[NodeSight]:
        return self._placements.sights(now_ms=clock.monotonic_ms())

    def ending(self, digits: str) -> list[bytes]:
        return self._placements.ending(digits)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _ordered(self, refusal: str | None) -> str | None:
        self._core.make_all_due()
        self._turn()
        return refusal

    def _on_seen(self, seen: Observation) -> None:
        if self._is_closed:
            return
        self._io.processed()
        self._core.on_observation(seen, now_ms=clock.monotonic_ms())
        self._turn()
