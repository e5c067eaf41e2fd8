"""Makes the status of a running agent (`core/status.py`) from the core's health and from what only the shell knows.

`gateway status` and the technician's page show it. It must judge nothing and change nothing in the core.
"""

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.config.config import Config
from gateway.core.cabinet.status import cabinet_status
from gateway.core.gateway import Gateway, Log
from gateway.core.heartbeats import LateTask
from gateway.core.status import (
    STARTING,
    BabblingNode,
    CentreStatus,
    ClockStatus,
    DiskStatus,
    FaultStatus,
    NodesStatus,
    Status,
    WaitingStatus,
)
from gateway.io import log, tls
from gateway.io.own_certificate import OwnCertificate
from gateway.shell.startup import program_version
from wire import event

_FAULTS_MAX = 10
_SAMPLES_MAX = 128
_CERTIFICATES_EVERY_MS = 3_600_000
# A node that is silent for so long is counted as silent. No fault by itself: lamps of a switched feeder do so.
NODE_SILENT_MS = 3_600_000
# Before this, an average per day means nothing.
_WEAR_KNOWN_MS = 600_000
_DAY_MS = 86_400_000
_LANES = len(event.BATCH_LANES)


_Fault = tuple[int, str, dict[str, Any]]  # (when, what, values)


def _when(fault: _Fault) -> int:
    return fault[0]


class Facts:
    """Collects facts from the log, samples what changes, and makes the status. One owner, the loop's thread."""

    def __init__(self, config: Config, *, now_ms: int) -> None:
        self._config = config
        self._started_ms = now_ms
        self._version = program_version()
        self.phase = STARTING
        self.boot: int | None = None
        self.core: Gateway | None = None
        self.link: tuple[str, int] | None = None
        # Our certificate, once the shell runs with TLS.
        self.own: OwnCertificate | None = None
        self.late: list[LateTask] = []
        # The shell's counters by part. Set once the shell runs.
        self.shell: Callable[[], dict[str, Any]] = dict
        self._faults: deque[_Fault] = deque(maxlen=_FAULTS_MAX)
        # The last fault of each kind, or a flood of one kind would hide the others; kinds are literals of ours.
        self._last_of: dict[str, _Fault] = {}
        self._deaf: str | None = None
        self._since_ms = now_ms
        self._carrier: str | None = None
        self._why: str | None = None
        self._receipts = 0
        self._receipt_ms: int | None = None
        self._ages: dict[str, _Ages] = {}
        self._days_left: dict[str, int | None] = {}
        self._certificates_at_ms = now_ms

    def note(self, happened: Log, *, now_ms: int) -> None:
        """Note the facts in a line of the log."""
        if happened.what in ("connected", "disconnected"):
            # An attempt by one bearer may fail while another carries.
            carrier = None if self.core is None else self.core.bearers.connection.active
            if carrier != self._carrier:
                self._carrier, self._since_ms = carrier, now_ms
            carries = carrier is not None
            self._why = None if carries else str(happened.values.get("why", "")) or None
            self._deaf = self._deaf if carries and happened.what == "disconnected" else None
        elif happened.what == "attempt-expired" and self._carrier is None:
            self._why = "connection-timeout: no answer"
        elif happened.what in ("subscription-refused", "subscription-granted"):
            self._deaf = str(happened.values.get("why", "")) or None
        if log.level_of(happened.what) in (log.ERROR, log.WARNING) and happened.what != "disconnected":
            fault = (now_ms, happened.what, happened.values)
            self._faults.append(fault)
            self._last_of[happened.what] = fault

    def sample(self, *, unix_s: int | None, now_ms: int) -> None:
        """Samples the age of waiting records, and the certificates; must be called every ten seconds or so."""
        if self.core is None:
            return
        receipts = self.core.uplink.counters.get("receipts", 0)
        if receipts != self._receipts:
            self._receipts, self._receipt_ms = receipts, now_ms
        journal = self.core.journal
        for stream in journal.streams()[-_LANES:]:  # this epoch's: they come last
            ages = self._ages.setdefault(stream.lane, _Ages(self._started_ms))
            ages.sample(journal.durable_end(stream), journal.oldest(stream), now_ms=now_ms)
        files = self._config.mqtt.tls
        if files is not None and unix_s is not None and now_ms >= self._certificates_at_ms:
            self._certificates_at_ms = now_ms + _CERTIFICATES_EVERY_MS
            self._days_left["ca"] = tls.days_left(files.ca, unix_s=unix_s)
            own = self.own or OwnCertificate(files, None)
            self._days_left["certificate"] = own.days_left(unix_s=unix_s)

    def status(self, *, now_ms: int) -> Status:
        """Returns the state of the agent at this time."""
        status = Status(
            version=self._version,
            phase=self.phase,
            pid=os.getpid(),
            name=f"{self._config.core.insee}-{self._config.core.name}",
            commune=self._config.commune,
            gateway=self._config.core.gateway.hex(),
            boot=self.boot,
            uptime_s=(now_ms - self._started_ms) // 1000,
            late=tuple(self.late),
            faults=tuple(FaultStatus((now_ms - at_ms) // 1000, what, values) for at_ms, what, values in self._shown()),
        )
        if self.core is None:
            return status
        return status._replace(
            link=self.link or (),
            centre=self._centre(now_ms),
            bearers=self.core.bearers.status(),
            waiting=self._waiting(now_ms),
            disk=self._disk(now_ms),
            nodes=self._nodes(now_ms),
            clock=self._clock(now_ms),
            certificates=self._days_left,
            directives=self.core.directive_service.directives.status(now_ms=now_ms),
            campaigns=self.core.campaigns.status(now_ms=now_ms),
            cabinet=None if self.core.cabinet is None else cabinet_status(self.core.cabinet, now_ms=now_ms),
            health=self.health(now_ms=now_ms),
        )

    def health(self, *, now_ms: int) -> dict[str, Any]:
        """Returns the counters of every part, the shell's too. Only once there is a core."""
        assert self.core is not None
        return self.core.health(now_ms=now_ms) | self.shell()

    # --- parts --------------------------------------------------------------------------------------------------

    def _shown(self) -> list[_Fault]:
        """Returns the last few faults, and before them the last of each kind that is not among them."""
        shown = {what for _, what, _ in self._faults}
        return sorted((one for one in self._last_of.values() if one[1] not in shown), key=_when) + list(self._faults)

    def _centre(self, now_ms: int) -> CentreStatus:
        assert self.core is not None
        receipt_ms = self._receipt_ms
        refused_why, refused_ms = self.core.receipts.last_refused or (None, now_ms)
        return CentreStatus(
            connected=self._carrier is not None,
            bearer=self._carrier,
            since_s=(now_ms - self._since_ms) // 1000,
            why=self._why,
            deaf=self._deaf,
            receipt_ago_s=None if receipt_ms is None else (now_ms - receipt_ms) // 1000,
            refused_ago_s=None if refused_why is None else (now_ms - refused_ms) // 1000,
            refused_why=refused_why,
            warehouses=len(self.core.receipts.warehouses()),
            broker=f"{self._config.mqtt.host}:{self._config.mqtt.port}",
        )

    def _waiting(self, now_ms: int) -> WaitingStatus:
        assert self.core is not None
        journal = self.core.journal
        streams = journal.streams()
        lanes: dict[str, int] = {}
        oldest_ms: list[int] = []
        for index, stream in enumerate(streams):
            waiting = journal.waiting(stream)
            lanes[stream.lane] = lanes.get(stream.lane, 0) + waiting
            if waiting and stream.lane in self._ages:
                is_earlier = index < len(streams) - _LANES
                oldest_ms.append(self._started_ms if is_earlier else self._ages[stream.lane].oldest_ms)
        earlier = any(journal.waiting(stream) for stream in streams[:-_LANES])
        oldest_s = (now_ms - min(oldest_ms)) // 1000 if oldest_ms else None
        return WaitingStatus(lanes, oldest_s, earlier)

    def _disk(self, now_ms: int) -> DiskStatus:
        assert self.core is not None
        lived_ms = now_ms - self._started_ms
        written = self.core.journal.counters.written_bytes
        return disk_space(self._config.data)._replace(
            held_bytes=self.core.journal.bytes_held,
            cap_bytes=self.core.journal.space.cap,  # less than the configured one where the card is small
            written_bytes=written,
            written_bytes_a_day=written * _DAY_MS // lived_ms if lived_ms >= _WEAR_KNOWN_MS else None,
        )

    def _nodes(self, now_ms: int) -> NodesStatus:
        assert self.core is not None
        heard = self.core.known_nodes.nodes()
        return NodesStatus(
            heard=len(heard),
            silent=sum(now_ms - node.heard_ms > NODE_SILENT_MS for node in heard.values()),
            silent_after_s=NODE_SILENT_MS // 1000,
            odd=sum(node.is_odd for node in heard.values()),
            expected=len(self.core.link.sessions.nodes()),
            unknown=tuple(self.core.unknown_nodes(now_ms=now_ms)),
            babbling=tuple(BabblingNode(use.node.hex(), *use.counts) for use in self.core.fair_use.exceeding()),
        )

    def _clock(self, now_ms: int) -> ClockStatus:
        assert self.core is not None
        answer = self.core.clock.answer(now_ms=now_ms)
        jumped = self.core.clock.has_jumped
        return ClockStatus(answer.unix_s is not None, answer.unix_s, answer.uncertainty_s, jumped)


def disk_space(folder: Path) -> DiskStatus:
    """Returns the room on the file system of a folder; None in both fields where it cannot be read."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return DiskStatus()
    return DiskStatus(free_bytes=found.f_bavail * found.f_frsize, size_bytes=found.f_blocks * found.f_frsize)


class _Ages:
    """Estimates since when a lane's oldest waiting position waits, from samples of how far the lane had reached."""

    def __init__(self, started_ms: int) -> None:
        # (when, first position that did not exist yet); `oldest` has passed the position of the first entry.
        self._samples = [(started_ms, 0)]

    def sample(self, end: int, oldest: int, *, now_ms: int) -> None:
        if oldest >= end:  # nothing waits
            self._samples = [(now_ms, end)]
            return
        if end > self._samples[-1][1]:
            self._samples.append((now_ms, end))
        while len(self._samples) > 1 and self._samples[1][1] <= oldest:
            self._samples.pop(0)
        if len(self._samples) > _SAMPLES_MAX:
            # Days without a centre: the older, the coarser.
            self._samples = self._samples[::2]

    @property
    def oldest_ms(self) -> int:
        """Returns a time at which the oldest waiting position did not exist yet."""
        return self._samples[0][0]
