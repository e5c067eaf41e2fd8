"""Shows the state of an installed centre as OpenMetrics, for a town that already has a Prometheus.

Names are `bocage_centre_<what>` with their unit; counters end in `_total`, and labels have few values: no cabinet and
no person is named. Each part is asked when it is scraped, and one that cannot answer is 0 in `bocage_centre_part_up`
while the others go on. The broker's own figures come from its topics `$SYS`, which it writes every ten seconds. Must
not read a key; it needs the rights of the centre's user only.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

from cryptography import x509
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tools.centre import mqtt
from tools.centre.broker import backup, installation, roles, screens
from tools.centre.broker.authority import Authority
from tools.centre.broker.files import BROKER, Place
from tools.centre.limits import RENEW_DAYS, SILENCE_S_MAX
from tools.centre.store import database
from tools.centre.store.archive import Archive
from tools.command_line import Refused

_PREFIX = "bocage_centre_"
_DAY_S = 86_400
# Certificates are read anew after this: 20,000 take a second.
_CERTIFICATES_EVERY_S = 600
# Silent for so long a broker is not believed to be there: it writes $SYS every ten seconds.
_BROKER_S_MAX = 30
_COUNTERS = {
    "messages": "Messages taken from the broker.",
    "records": "Records stored.",
    "duplicates": "Records that came again.",
    "conflicts": "Records with the identity of another.",
    "positions_skipped": "Positions that cabinets no longer held.",
}
# Mosquitto's topic below $SYS/broker: metric, whether it only rises, help.
_BROKER = {
    "clients/connected": ("broker_clients", False, "Clients that are connected."),
    "messages/received": ("broker_packets_received", True, "Packets received."),
    "messages/sent": ("broker_packets_sent", True, "Packets sent."),
    "publish/messages/dropped": ("broker_dropped", True, "Messages dropped for want of room."),
    "store/messages/count": ("broker_stored_messages", False, "Messages that wait, retained ones included."),
    "store/messages/bytes": ("broker_stored_bytes", False, "Bytes of the messages that wait."),
    "heap/current": ("broker_memory_bytes", False, "Memory that the broker uses."),
}


class BrokerFigures:
    """Holds the last figures of the broker, which come on a connection of its own thread."""

    def __init__(self, address: mqtt.BrokerAddress) -> None:
        self._values: dict[str, float] = {}
        self._heard_s = float("-inf")
        self._client = mqtt.new_client(address)
        self._client.on_connect = lambda client, *_: client.subscribe("$SYS/broker/#", 0)
        self._client.on_message = self._on_message
        self._client.connect_async(address.host, address.port, keepalive=mqtt.KEEPALIVE_S)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def collect(self) -> Iterator[Metric]:
        """Yields the figures. OSError while the broker does not answer."""
        if time.monotonic() - self._heard_s > _BROKER_S_MAX:
            raise OSError("the broker does not answer")
        for topic, (name, rises, text) in _BROKER.items():
            if topic in self._values:
                yield (CounterMetricFamily if rises else GaugeMetricFamily)(_PREFIX + name, text, self._values[topic])

    def _on_message(self, _client, _userdata, message):
        self._heard_s = time.monotonic()
        with suppress(ValueError):  # a version, or "12 seconds"
            self._values[message.topic.removeprefix("$SYS/broker/")] = float(message.payload)


class CentreCollector:
    """Turns the state of a centre into metric families; `database` is its warehouse."""

    def __init__(self, place: Place, database: str, broker: BrokerFigures) -> None:
        self._place, self._database, self._broker = place, database, broker
        self._certificates: tuple[float, list[Metric]] | None = None

    def collect(self) -> Iterator[Metric]:
        parts: dict[str, Callable[[], Iterator[Metric]]] = {
            "warehouse": self._of_warehouse, "broker": self._broker.collect, "disk": self._of_disk,
            "certificates": self._of_certificates, "backup": self._of_backup,
        }  # fmt: skip
        if self._place.is_system:
            parts["screens"] = self._of_screens
        up = GaugeMetricFamily(_PREFIX + "part_up", "1 while a part of the centre answers.", labels=["part"])
        for name, ask in parts.items():
            try:
                found = list(ask())
            except (OSError, ValueError, Refused, database.Error):
                found = []
                up.add_metric([name], 0)
            else:
                up.add_metric([name], 1)
            yield from found
        yield up

    def _of_warehouse(self) -> Iterator[Metric]:
        with closing(Archive.open(self._database)) as archive:
            counted, ingests, waiting = archive.counters, archive.ingests(), archive.waiting()
            heard = list(archive.last_received().values())
        now_s = time.time()
        for name, text in _COUNTERS.items():
            yield CounterMetricFamily(_PREFIX + name, text, counted[name])
        refused = CounterMetricFamily(_PREFIX + "refused", "Messages that were refused.", labels=["reason"])
        for name, value in counted.items():
            if name.startswith("refused."):
                refused.add_metric([name.removeprefix("refused.")], value)
        yield refused
        up = GaugeMetricFamily(_PREFIX + "ingest_up", "1 while an ingest is at work.", labels=["ingest"])
        messages = CounterMetricFamily(
            _PREFIX + "ingest_messages", "Messages an ingest has committed since its start.", labels=["ingest"]
        )
        for one in ingests:
            up.add_metric([one.name], one.is_at_work(now_s))
            messages.add_metric([one.name], one.messages)
        yield up
        yield messages
        expected = installation.ingests(self._place)
        yield GaugeMetricFamily(_PREFIX + "ingests_expected", "Ingests that should be at work.", expected)
        yield GaugeMetricFamily(_PREFIX + "cabinets_heard", "Cabinets that were ever heard.", len(heard))
        silent = sum(now_s - last > SILENCE_S_MAX for last in heard)
        yield GaugeMetricFamily(_PREFIX + "cabinets_silent", "Of these, silent for half an hour or more.", silent)
        if heard:
            yield GaugeMetricFamily(_PREFIX + "received_age_seconds", "Since anything came.", now_s - max(heard))
        yield GaugeMetricFamily(_PREFIX + "rollup_waiting", "Days of nodes that the roll-up has to do.", waiting.days)
        yield GaugeMetricFamily(_PREFIX + "apart_records", "Records that wait for a person.", waiting.apart)
        yield GaugeMetricFamily(_PREFIX + "alarms", "Alarms of the warehouse that stand.", waiting.alarms)

    def _of_disk(self) -> Iterator[Metric]:
        space = shutil.disk_usage(self._place.disk)
        yield GaugeMetricFamily(_PREFIX + "disk_free_bytes", "Free bytes below the warehouse.", space.free)
        yield GaugeMetricFamily(_PREFIX + "disk_size_bytes", "Size of that file system.", space.total)

    def _of_certificates(self) -> Iterator[Metric]:
        now_s = time.monotonic()
        if self._certificates is None or now_s - self._certificates[0] > _CERTIFICATES_EVERY_S:
            self._certificates = now_s, list(self._read_certificates())
        yield from self._certificates[1]

    def _read_certificates(self) -> Iterator[Metric]:
        own, now = Authority(self._place.etc), installation.now()
        ends = {"authority": own.end()}
        for name in (BROKER, screens.NAME, *roles.accounts(installation.ingests(self._place))):
            pem = self._place.pair(name)[0].read_bytes()
            ends[name] = x509.load_pem_x509_certificate(pem).not_valid_after_utc
        left = GaugeMetricFamily(_PREFIX + "certificate_left_days", "Until a certificate ends.", labels=["name"])
        for name, end in ends.items():
            left.add_metric([name], (end - now).total_seconds() / _DAY_S)
        yield left
        cabinets = [(end - now).total_seconds() / _DAY_S for end in installation.gateways(own).values()]
        yield GaugeMetricFamily(_PREFIX + "cabinets_enrolled", "Cabinets with a certificate.", len(cabinets))
        late = sum(days < RENEW_DAYS for days in cabinets)
        yield GaugeMetricFamily(_PREFIX + "cabinets_ending", "Of these, to be renewed.", late)
        if cabinets:
            yield GaugeMetricFamily(
                _PREFIX + "cabinet_certificate_left_days", "Until the first of them ends.", min(cabinets)
            )

    def _of_screens(self) -> Iterator[Metric]:
        begun_s = time.monotonic()
        screens.check(self._place)
        took_s = time.monotonic() - begun_s
        yield GaugeMetricFamily(_PREFIX + "screens_answer_seconds", "What the first page took, by TLS.", took_s)

    def _of_backup(self) -> Iterator[Metric]:
        made = backup.newest(self._place.backups)
        if made is not None:
            age_s = (installation.now() - made).total_seconds()
            yield GaugeMetricFamily(_PREFIX + "backup_age_seconds", "Age of the last backup.", age_s)


def serve(collector: CentreCollector, bind: tuple[str, int]) -> tuple[str, int]:
    """Serves from threads of its own, and returns the address. OSError when it is not available."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(namespace="bocage_centre", registry=registry)
    server, _ = start_http_server(bind[1], bind[0], registry=registry)
    return bind[0], int(server.server_address[1])
