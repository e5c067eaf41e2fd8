"""The exposition: read back by Prometheus's own parser, bounded whatever the parts put into their health."""

import re
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.core.status import parse
from gateway.io.metrics import FAMILIES_MAX, KNOWN, LABEL_VALUES_MAX, DocumentCollector, MetricsServer
from tests.support.gateway_world import GatewayWorld

PATIENCE_S = 60


def status(**more):
    plain = {
        "document": 1,
        "name": "49007-cab-12",
        "boot": 3,
        "uptime_s": 1000,
        "centre": {"connected": True, "since_s": 5, "why": None, "receipt_ago_s": 7, "broker": "x:8883"},
        "waiting": {"lanes": {"alarm": 1, "event": 2, "telemetry": 3}, "oldest_s": 60},
        "disk": {"held_bytes": 10, "cap_bytes": 20, "written_bytes": 30, "free_bytes": 40, "size_bytes": 50},
        "nodes": {"heard": 5, "silent": 1, "odd": 0, "expected": None},
        "clock": {"good": True, "unix_s": 1_795_000_000, "uncertainty_s": 2},
        "certificates": {"ca": 900, "certificate": 12},
        "health": {},
    }
    return parse(plain | more)


def exposed(given):
    """{family name: family}, through the text format and back."""
    registry = CollectorRegistry()
    collector = DocumentCollector()
    registry.register(collector)
    collector.update(given)
    return {family.name: family for family in text_string_to_metric_families(generate_latest(registry).decode())}


def value(families, name):
    (sample,) = families[name].samples
    return sample.value


def test_every_line_of_the_table_appears_with_its_help_and_value():
    health = {
        "losses": {"thinned": 4, "quarantined: for a reason of the centre's that has no end at all": 1},
    }
    bearers = {
        "fibre": {"up": True},
        "mobile": {"up": False, "budget": {"used": 7, "limit": 8}, "modem": {"signal_dbm": -90}},
    }
    families = exposed(status(health=health, bearers=bearers))
    absent = {"bocage_nodes_expected"}
    for known in KNOWN:
        name = f"bocage_{known.name}"
        assert (name in families) == (name not in absent), name
        if name in families:
            assert families[name].documentation == known.help and families[name].type == known.kind
    assert value(families, "bocage_uptime_seconds") == 1000 and value(families, "bocage_centre_connected") == 1
    assert value(families, "bocage_modem_signal_dbm") == -90
    lanes = {sample.labels["lane"]: sample.value for sample in families["bocage_waiting_records"].samples}
    assert lanes == {"alarm": 1, "event": 2, "telemetry": 3}
    whys = {sample.labels["why"]: sample.value for sample in families["bocage_lost_records"].samples}
    assert whys == {"thinned": 4, "quarantined: for a reason of the centre's"[:40]: 1}
    up = {sample.labels["bearer"]: sample.value for sample in families["bocage_bearer_up"].samples}
    assert up == {"fibre": 1, "mobile": 0} and value(families, "bocage_bearer_used_bytes") == 7
    assert len(families) == len(KNOWN) - len(absent) + 1, "something of the table is shown twice"


def test_names_and_units_follow_the_conventions():
    world = GatewayWorld()
    families = exposed(status(health=world.core.health(now_ms=world.now_ms)))
    for name, family in families.items():
        assert re.fullmatch("bocage_[a-z][a-z0-9_]*", name) and family.documentation
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
    for known in KNOWN:
        if known.path.endswith("_s"):
            assert known.name.endswith("_seconds")
        if known.path.endswith("_bytes"):
            assert known.name.endswith("_bytes")


def test_counters_of_the_real_core_are_counters_under_their_path():
    world = GatewayWorld()
    for _ in range(3):
        world.receive(b"rubbish", "somebody")
    health = world.core.health(now_ms=world.now_ms)
    families = exposed(status(health=health))
    for part in ("gateway", "inbox", "uplink", "refused"):
        for name, count in health[part].items():
            family = families[f"bocage_{part}_{name.replace('-', '_')}"]
            assert family.type == "counter" and family.samples[0].value == count
    assert health["refused"]["kept"] > 0, "nothing was counted: the test shows nothing"


def test_a_part_that_is_not_known_yet_is_shown_and_its_words_are_not():
    families = exposed(status(health={"newest": {"passes": 4, "state": "idle", "lanes": {"alarm": {"void": 2}}}}))
    assert value(families, "bocage_newest_passes") == 4 and value(families, "bocage_newest_lanes_alarm_void") == 2
    assert not any("idle" in name or "newest_state" in name for name in families)


def test_the_number_of_series_is_bounded_whatever_the_health_holds():
    flood = {
        "nodes_by_id": {f"n{number:08}": number for number in range(5000)},
        "deep": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}},
        "od d": {'x"y\n': 1},
        "UPPER": {"a": 1},
        "long": {500 * "a": 1},
    }
    many_lanes = {f"lane-{number}": number for number in range(500)}
    flood["losses"] = {f"quarantined: {number} {500 * 'x'}": 1 for number in range(500)}
    families = exposed(status(health=flood, waiting={"lanes": many_lanes}, certificates=many_lanes))
    assert len(families) <= FAMILIES_MAX + len(KNOWN) + 1
    for family in families.values():
        assert len(family.samples) <= LABEL_VALUES_MAX
        assert all(len(text) <= 40 for sample in family.samples for text in sample.labels.values())
        assert all(set(sample.labels) <= {"lane", "file", "bearer", "why"} for sample in family.samples)


def test_two_paths_that_make_one_name_are_shown_once():
    families = exposed(status(health={"a": {"b-c": 1, "b_c": 2}, "uptime_seconds": 5}))
    assert value(families, "bocage_a_b_c") == 1 and value(families, "bocage_uptime_seconds") == 1000


def test_before_the_first_document_there_is_nothing_and_no_error():
    registry = CollectorRegistry()
    registry.register(DocumentCollector())
    assert generate_latest(registry) == b""


@pytest.fixture
def server():
    made = MetricsServer(("127.0.0.1", 0))
    yield made
    made.close()


def fetch(server):
    host, port = server.address
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=PATIENCE_S) as answer:
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def test_the_listener_serves_the_last_document_and_the_process(server):
    server.update(status(uptime_s=1))
    server.update(status(uptime_s=2))
    families = fetch(server)
    assert value(families, "bocage_uptime_seconds") == 2
    assert value(families, "bocage_process_resident_memory_bytes") > 0
    assert value(families, "bocage_state_age_seconds") >= 0


def test_clients_that_hang_up_or_talk_rubbish_do_not_end_it(server):
    server.update(status())
    cut_short = b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
    for data in (b"", b"\0\xff" * 100, b"GET / HTTP/9.9\r\n\r\n", cut_short):
        with socket.create_connection(server.address, timeout=PATIENCE_S) as client:
            client.sendall(data)
    assert value(fetch(server), "bocage_boot_number") == 3


@pytest.mark.slow
def test_a_client_that_sends_a_byte_now_and_then_does_not_hold_up_the_end():
    """Each byte puts off the deadline of a read: such a request may last for ever, and SIGTERM waited for it."""
    server, closed = MetricsServer(("127.0.0.1", 0)), threading.Event()
    with socket.create_connection(server.address, timeout=PATIENCE_S) as client:
        client.sendall(b"GET /metrics")
        ending = threading.Thread(target=lambda: (server.close(), closed.set()), daemon=True)
        ending.start()
        end_s = time.monotonic() + PATIENCE_S
        while not closed.wait(0.1) and time.monotonic() < end_s:
            client.sendall(b"x")
        assert closed.is_set()


def test_an_address_that_is_taken_is_an_oserror():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        MetricsServer(taken.getsockname()[:2])


def test_what_belongs_to_a_bearer_bears_its_name_as_a_label():
    health = {
        "modem": {"mobile": {"timeouts": 2}, "orange": {"timeouts": 5}},
        "budget": {"mobile": {"used": 7, "written": 3}},
        "connection": {"changes": 1, "bearers": {"fibre": {"up": True, "probes-good": 9}}},
    }
    families = exposed(status(health=health))
    timeouts = {sample.labels["bearer"]: sample.value for sample in families["bocage_modem_timeouts"].samples}
    assert timeouts == {"mobile": 2, "orange": 5}
    assert families["bocage_budget_written"].samples[0].labels == {"bearer": "mobile"}
    assert families["bocage_bearer_probes_good"].samples[0].value == 9 and "bocage_connection_changes" in families
    assert not [name for name in families if "mobile" in name or "orange" in name or name == "bocage_budget_used"]
