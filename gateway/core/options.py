"""Holds the inputs of a gateway's core: what the configuration decides, and what is new at a start.

The number of a start names the gateway's own records and is never used twice. It is counted on the card. But the card
may come from a backup, which misses the starts since: so the number is also at least the minutes that the system
clock has counted since 2026. While that clock is not set, and for two starts within a minute, only the count decides.
"""

from typing import NamedTuple

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.cabinet.cabinet import CabinetOptions
from policy.keyset import KeySet
from wire.limits import COAP_ACK_TIMEOUT_MIN_MS


class Options(NamedTuple):
    """Holds what the configuration decides for the core; a field that is not given has the shipped default.

    `keyset`: the commune's, installed by hand; without it no receipt frees a record, and no policy is accepted.
    `bearers` in order of preference; none: the system's own route. `groups`:
    names for nodes that get directives together. `fair_use_percent`: of the shipped fair use of a node."""

    gateway: bytes
    insee: str
    name: str
    keyset: KeySet | None = None
    commit_ms: int = limits.LINK_COMMIT_MS
    batch_age_ms: int = 1000 * limits.UPLINK_BATCH_AGE_S
    batch_records_max: int = limits.UPLINK_BATCH_RECORDS_MAX
    window_max: int = limits.UPLINK_WINDOW_MAX
    segment_bytes_max: int = limits.JOURNAL_SEGMENT_BYTES_MAX
    journal_bytes_max: int = limits.JOURNAL_BYTES_MAX
    alarm_reserve_bytes: int = limits.JOURNAL_ALARM_RESERVE_BYTES
    ack_timeout_ms: int = COAP_ACK_TIMEOUT_MIN_MS
    reconnect_last_ms: int = limits.UPLINK_RECONNECT_LAST_MS
    bearers: tuple[Bearer, ...] = ()
    cabinet: CabinetOptions | None = None
    groups: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    fair_use_percent: int = 100

    def node_groups(self) -> dict[bytes, frozenset[str]]:
        """Return the groups that each node is in: those of the configuration, and its feeder's name."""
        feeders = () if self.cabinet is None else self.cabinet.feeders
        found: dict[bytes, frozenset[str]] = {}
        for name, nodes in (*self.groups, *((feeder.name, feeder.nodes) for feeder in feeders)):
            for node in nodes:
                found[node] = found.get(node, frozenset()) | {name}
        return found


class Start(NamedTuple):
    """Holds what is new at every start: a random epoch, the raised boot counter, why we start, the boot before, and the
    version of the package that runs."""

    epoch: bytes
    boot: int
    cause: str
    previous: int | None = None
    version: str = "0.1.0"


_EPOCH_UNIX_S = 1_767_225_600  # 2026-01-01
# A clock that shows more is not trusted: it would use the numbers up.
_MINUTES_MAX = 100 * 366 * 1440
# The greatest number that starts can reach in these hundred years, one a minute on top of the clock's minutes.
START_NUMBER_MAX = 2 * _MINUTES_MAX


def number_after(last: int | None, unix_s: int) -> int:
    """Return the number of a start at this time of the system clock, good or not; `last`: of the start before, if
    known."""
    minutes = (unix_s - _EPOCH_UNIX_S) // 60
    counted = (last or 0) + 1
    return max(counted, minutes) if minutes <= _MINUTES_MAX else counted
