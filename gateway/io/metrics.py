"""Serves Prometheus metrics, for a town that already has a Prometheus. Off unless the configuration names an address.

The loop passes on a status (`core/status.py`) every ten seconds and the listener's thread shows the last
one: this thread never uses the core. One request at a time, each with a deadline, so that a client which
does not read blocks others for seconds and the agent never. Names are `bocage_<part>_<what>` with their unit;
counters end in `_total`. A figure that is not in the table is shown under a name made of its path, so that a new
counter of a part appears at once; labels are only those of the table, with values from literals of ours.
"""

import re
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, UnknownMetricFamily

from gateway.core.status import Status, as_json

# Far more than all parts together have; beyond, a part has put names from outside into its health.
FAMILIES_MAX = 400
LABEL_VALUES_MAX = 8
_REQUEST_S_MAX = 5
# A scrape under way at the end is given up after this: the agent does not wait for a client that does not read.
_CLOSE_S_MAX = 1.0
_NAME = re.compile("[a-z][a-z0-9_]{0,60}")
# Parts of the health whose whole numbers only rise.
_COUNTING = frozenset(
    {"gateway", "link", "inbox", "uplink", "refused", "scrutiny", "time", "thinning", "ledger", "mqtt", "udp"}
)
_LABEL_CHARACTERS_MAX = 40


class Known(NamedTuple):
    """Maps a gauge or counter of the document: its path, its metric, the help, and the label if its value is a dict."""

    path: str  # `*` stands for the names that become the label's values
    name: str
    help: str
    kind: str = "gauge"
    label: str = ""


KNOWN = (
    Known("uptime_s", "uptime_seconds", "Seconds since the agent's start."),
    Known("boot", "boot_number", "Which start of the agent this is; rises, and is no count."),
    Known("centre.connected", "centre_connected", "1 while the broker accepts us."),
    Known("centre.since_s", "centre_state_age_seconds", "Seconds since another bearer carries, or none."),
    Known("centre.receipt_ago_s", "centre_receipt_age_seconds", "Seconds since the centre last confirmed records."),
    Known("waiting.lanes", "waiting_records", "Positions that the centre does not hold yet.", label="lane"),
    Known("waiting.oldest_s", "waiting_oldest_seconds", "Age of the oldest that waits, at most."),
    Known("disk.held_bytes", "journal_held_bytes", "Bytes of the journal's files."),
    Known("disk.cap_bytes", "journal_cap_bytes", "What the journal may hold."),
    Known("disk.written_bytes", "journal_written_bytes", "Bytes written to the journal: the card's wear.", "counter"),
    Known("disk.free_bytes", "disk_free_bytes", "Free bytes of the data folder's file system."),
    Known("disk.size_bytes", "disk_size_bytes", "Size of the data folder's file system."),
    Known("nodes.heard", "nodes_heard", "Nodes heard since the start."),
    Known("nodes.silent", "nodes_silent", "Of these, silent for an hour or more."),
    Known("nodes.odd", "nodes_odd", "Nodes that said odd things."),
    Known("nodes.expected", "nodes_expected", "Nodes on the list of those that are answered."),
    Known("clock.good", "clock_good", "1 while the time is known."),
    Known("clock.uncertainty_s", "clock_uncertainty_seconds", "± seconds of the time."),
    Known("certificates", "certificate_left_days", "Days until a certificate expires.", label="file"),
    Known("bearers.*.budget.used", "bearer_used_bytes", "Bytes on a metered bearer this month.", label="bearer"),
    Known("bearers.*.budget.limit", "bearer_limit_bytes", "Budget of a metered bearer a month.", label="bearer"),
    Known("bearers.*.up", "bearer_up", "1 while the bearer is believed to work.", label="bearer"),
    Known("health.losses", "lost_records", "Records let go of since the ledger began.", "counter", "why"),
    Known("bearers.*.modem.signal_dbm", "modem_signal_dbm", "Signal of a bearer's modem.", label="bearer"),
)  # fmt: skip
# Figures shown above under other names, or that make no graph.
_LEFT_OUT = frozenset(
    f"health.{name}"
    for name in ("nodes", "journal_bytes", "waiting", "losses.*", "wear.bytes_written", "wear.cap_bytes",
                 "wear.free_bytes", "wear.megabytes_a_day", "budget.*.used", "budget.*.limit", "modem.*.signal_dbm",
                 "connection.bearers.*.up")
)  # fmt: skip
# Parts of the health with an entry for each bearer, whose name becomes a label.
_OF_BEARERS = re.compile(r"health\.(modem|budget|connection\.bearers)\.([^.]+)\.(.+)")


class DocumentCollector:
    """Turns the last document into metric families. `update` and `collect` may run in different threads."""

    def __init__(self) -> None:
        self._given: tuple[dict[str, Any], float] | None = None

    def update(self, status: Status) -> None:
        """Replaces the status that the next scrape shows."""
        self._given = (as_json(status), time.monotonic())

    def collect(self) -> Iterator[Metric]:
        given = self._given  # one reading: the other thread may replace it
        if given is None:
            return
        document, at_s = given
        yield _gauge("state_age_seconds", "Age of all the others: it grows when the loop does not turn.", at_s)
        yield from _known(document)
        for number, family in enumerate(_others(document.get("health", {}))):
            if number >= FAMILIES_MAX:
                return
            yield family


class MetricsServer:
    """Serves the metrics at (host, port). OSError when the address is not available."""

    def __init__(self, bind: tuple[str, int]) -> None:
        registry = CollectorRegistry()
        self._collector = DocumentCollector()
        registry.register(self._collector)
        ProcessCollector(namespace="bocage", registry=registry)
        self._server = make_server(*bind, make_wsgi_app(registry), _Server, _Handler)
        self.address: tuple[str, int] = self._server.server_address[:2]  # type: ignore[assignment]
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def update(self, status: Status) -> None:
        self._collector.update(status)

    def close(self) -> None:
        """Returns when the request under way is over, or after a second."""
        ending = threading.Thread(target=self._end, name="metrics-end", daemon=True)
        ending.start()
        ending.join(_CLOSE_S_MAX)

    def _end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(WSGIServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a client that went away. The default would print a trace."""


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_S_MAX

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing for a scrape."""


def _gauge(name: str, text: str, since_s: float) -> Metric:
    return GaugeMetricFamily(f"bocage_{name}", text, value=max(0.0, time.monotonic() - since_s))


def _known(document: dict[str, Any]) -> Iterator[Metric]:
    for known in KNOWN:
        found = _at(document, known.path)
        make = CounterMetricFamily if known.kind == "counter" else GaugeMetricFamily
        if known.label and isinstance(found, dict):
            family = make(f"bocage_{known.name}", known.help, labels=[known.label])
            for value, number in list(found.items())[:LABEL_VALUES_MAX]:
                if _is_number(number):
                    family.add_metric([str(value)[:_LABEL_CHARACTERS_MAX]], float(number))
            yield family
        elif not known.label and _is_number(found):
            yield make(f"bocage_{known.name}", known.help, value=float(found))


def _others(health: dict[str, Any]) -> Iterator[Metric]:
    shown = {known.path for known in KNOWN} | _LEFT_OUT
    taken = {f"bocage_{known.name}" for known in KNOWN}
    starred = re.compile("|".join(re.escape(path).replace(r"\*", "[^.]+") for path in shown))
    of_bearers: dict[str, UnknownMetricFamily] = {}
    for path, number in _leaves("health", health, 0):
        if match := _OF_BEARERS.fullmatch(path):
            if not starred.fullmatch(path):
                _add_of_bearer(of_bearers, match, number)
            continue
        parts = path.split(".")[1:]
        name = "bocage_" + "_".join(part.replace("-", "_") for part in parts)
        if starred.fullmatch(path) or not _NAME.fullmatch(name) or name in taken:
            continue
        taken.add(name)
        counts = parts[0] in _COUNTING and isinstance(number, int)
        make = CounterMetricFamily if counts else UnknownMetricFamily
        yield make(name, f"{parts[-1]}, of the part {' '.join(parts[:-1]) or 'health'}.", value=float(number))
    yield from of_bearers.values()


def _add_of_bearer(families: dict[str, UnknownMetricFamily], match: re.Match[str], number: int | float) -> None:
    part, bearer, rest = match.groups()
    name = f"bocage_{part}_{rest}".replace(".", "_").replace("-", "_").replace("connection_bearers", "bearer")
    if not _NAME.fullmatch(name):
        return
    if name not in families:
        families[name] = UnknownMetricFamily(name, f"{rest}, of the part {part}.", labels=["bearer"])
    families[name].add_metric([bearer[:_LABEL_CHARACTERS_MAX]], float(number))


def _leaves(path: str, value: Any, depth: int) -> Iterator[tuple[str, int | float]]:
    if isinstance(value, dict) and depth < 5:
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}", item, depth + 1)
    elif _is_number(value):
        yield path, value


def _at(document: Any, path: str) -> Any:
    """Returns the value at a path; after a `*`, a dict of such values by name."""
    name, _, rest = path.partition(".")
    if not isinstance(document, dict):
        return None
    if name == "*":
        return {found: _at(value, rest) for found, value in document.items()}
    return _at(document.get(name), rest) if rest else document.get(name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
