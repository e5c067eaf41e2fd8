"""Verifies what arrives in the warehouse's name: only what a warehouse of the commune's key set has signed for this
gateway is passed on.

What is refused frees nothing. It is counted by reason, and a record reports it to the centre once an hour for each
reason: a broker, or a thief of its passwords, can publish on this gateway's topic and must not fill the journal.
"""

from collections.abc import Callable
from typing import Any

from gateway.core import limits
from policy.keyset import KeySet
from wire import event, receipt
from wire.faults import WireFault
from wire.receipt import Receipt, Rejected
from wire.record import EventBody

# Reasons beside those of wire.receipt: no warehouse is named yet; batches arrive otherwise than they were sent.
NO_WAREHOUSE, ALTERED = "no-warehouse", "altered"


class ReceiptCheck:
    """Opens receipts. `keyset` returns the key set in force, None where there is none."""

    def __init__(
        self,
        gateway: bytes,
        keyset: Callable[[], KeySet | None],
        verify: Callable[[bytes, bytes, bytes], bool],
        report: Callable[..., Any],
    ) -> None:
        self._gateway = gateway
        self._keyset = keyset
        self._verify = verify
        self._report = report
        self._reported_ms: dict[str, int] = {}
        # The newest refusal that points to a stranger, as (reason, when).
        self.last_refused: tuple[str, int] | None = None
        self.counters: dict[str, int] = {}

    def warehouses(self) -> tuple[bytes, ...]:
        """Return the public keys whose receipts count; without one, nothing is ever freed."""
        found = self._keyset()
        return () if found is None else tuple(key for key, _name in found.warehouses)

    def open(self, payload: bytes, *, now_ms: int) -> Receipt | Rejected:
        """Return what a warehouse has signed for this gateway; WireFault for all else, after it was noted."""
        keys = self.warehouses()
        try:
            return receipt.opened(payload, self._gateway, keys, self._verify)
        except WireFault as fault:
            if not keys:
                self._count(NO_WAREHOUSE)
                raise WireFault(NO_WAREHOUSE) from None
            self._note(fault.reason, now_ms)
            raise

    def note_altered(self, batches: int, *, now_ms: int) -> None:
        """Note that the warehouse has signed for batches that differ from what was sent."""
        self._count(ALTERED, batches)
        # Receipts of before a restart may look like it, a few times.
        if batches and self.counters[ALTERED] >= limits.ALTERED_BATCHES_MIN:
            self._note(ALTERED, now_ms, count=0)

    def _note(self, why: str, now_ms: int, count: int = 1) -> None:
        self._count(why, count)
        self.last_refused = (why, now_ms)
        before_ms = self._reported_ms.get(why)
        if before_ms is None or now_ms - before_ms >= limits.RECEIPT_REFUSED_PERIOD_MS:
            self._reported_ms[why] = now_ms
            self._report(EventBody(event.RECEIPT_REFUSED, None, [why]), now_ms=now_ms)

    def _count(self, why: str, count: int = 1) -> None:
        self.counters[why] = self.counters.get(why, 0) + count
