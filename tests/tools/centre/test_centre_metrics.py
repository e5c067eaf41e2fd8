"""The centre's figures, scraped as Prometheus does and read back by its own strict parser."""

import urllib.request

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.broker import until
from tests.support.installed_centre import InstalledCentre, now
from tools.centre.broker import metrics, roles
from tools.centre.commands.metrics import _BIND
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store.archive import Ingest

pytestmark = pytest.mark.broker


@pytest.fixture
def centre(mosquitto_path):
    with InstalledCentre(mosquitto_path) as made:
        yield made


def scraped(address):
    request = urllib.request.Request(f"http://{address[0]}:{address[1]}/metrics")
    request.add_header("Accept", "application/openmetrics-text; version=1.0.0")
    text = urllib.request.urlopen(request, timeout=10).read().decode()
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_every_part_is_shown_and_one_that_fails_leaves_the_others(centre):
    warehouse, unix_s = Warehouse(centre.place.warehouse), int(now().timestamp())
    warehouse.accept_group([("tc/1/t/49007/none", b"refused")], received_unix_s=unix_s)
    warehouse.note_ingest(Ingest("ingest-1", unix_s, unix_s, 7))
    warehouse.note_ingest(Ingest("ingest-2", unix_s - 900, unix_s - 600, 5))
    centre.enrol("49007-mairie-1")
    assert centre.run("backup") == 0
    broker = metrics.BrokerFigures(centre.centre(roles.METRICS))
    collector = metrics.CentreCollector(centre.place, centre.place.warehouse, broker)
    address = metrics.serve(collector, ("127.0.0.1", 0))
    up = "bocage_centre_part_up"
    until(lambda: scraped(address)[up, "broker"], "the broker's figures do not come")
    found = scraped(address)
    assert {value for (name, *_), value in found.items() if name == up} == {1}
    assert found["bocage_centre_messages_total",] == 1
    assert [value for (name, *_), value in found.items() if name == "bocage_centre_refused_total"] == [1]
    assert (found["bocage_centre_ingest_up", "ingest-1"], found["bocage_centre_ingest_up", "ingest-2"]) == (1, 0)
    assert found["bocage_centre_ingest_messages_total", "ingest-1"] == 7
    assert found["bocage_centre_broker_clients",] >= 0 and found["bocage_centre_disk_free_bytes",] > 0
    assert 820 < found["bocage_centre_certificate_left_days", "broker"] < 826
    assert found["bocage_centre_certificate_left_days", "authority"] > 9000
    assert (found["bocage_centre_cabinets_enrolled",], found["bocage_centre_cabinets_ending",]) == (1, 0)
    assert 0 <= found["bocage_centre_backup_age_seconds",] < 60
    assert found["bocage_centre_rollup_waiting",] == 0
    warehouse.close()
    centre.place.warehouse_file.rename(centre.place.var / "away.db")
    broker.close()
    found = scraped(address)
    assert found[up, "warehouse"] == 0 and found[up, "disk"] == 1 and ("bocage_centre_messages_total",) not in found


def test_it_listens_on_the_loopback_unless_it_is_told_otherwise():
    assert _BIND.startswith("127.0.0.1:")
