"""What a broker's CONNACK says, and what ingest and control make of it."""

import json
import threading
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

from tests.support.control_world import INSEE
from tests.support.dispatch_world import CAB1, CAB2, DispatchWorld, on
from tests.support.hostile_broker import PUBACK, SUBSCRIBE, UNSUBSCRIBE, HostileBroker
from tools.centre import mqtt
from tools.centre.control import daemon as control_daemon
from tools.centre.control import file, gateways
from tools.centre.control.daemon import ControlDaemon
from tools.centre.control.dispatch import Dispatcher
from tools.centre.control.renewals import Renewals
from tools.centre.ingest import receipts
from tools.centre.ingest.daemon import IngestDaemon, accounts
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import SESSION_EXPIRY_S

# Debian 13's brokers, as they answered on the loopback.
MOSQUITTO = mqtt.offer_of(None)._replace(receive_max=20)
RABBITMQ = mqtt.Offer(False, True, True, 1, 0xFFFF, 268_435_455, 86_400)


def remedies(offer):
    return [one.to_do("en") for one in mqtt.findings(offer)]


def test_mosquitto_lacks_nothing_and_rabbitmq_says_what_it_lacks_and_what_to_write():
    assert mqtt.findings(MOSQUITTO) == []
    shares, expiry = mqtt.findings(RABBITMQ)
    assert "no shared subscriptions" in shares.sentence("en") and "durable_queue_type = quorum" in shares.to_do("en")
    assert "86400" in expiry.sentence("en") and f"interval_seconds = {SESSION_EXPIRY_S}" in expiry.to_do("en")
    assert not shares.is_fault and not expiry.is_fault
    assert "abonnements partagés" in shares.sentence("fr")


@pytest.mark.parametrize(
    ("less", "is_fault"),
    [
        ({"qos_max": 0}, True),
        ({"wildcards": False}, True),
        ({"packet_bytes_max": 100_000}, True),
        ({"retains": False}, False),
        ({"receive_max": 1}, False),
    ],
)
def test_each_lack_has_a_remedy_and_only_what_loses_messages_is_a_fault(less, is_fault):
    [found] = mqtt.findings(MOSQUITTO._replace(**less))
    assert found.to_do("en") and found.is_fault == is_fault


def served(daemon, script, *, connections=1):
    """What a daemon does at a broker: the broker, after its script has run on so many connections."""
    done = threading.Semaphore(0)

    def whole(peer):
        script(peer)
        done.release()
        peer.serve()

    with HostileBroker(whole) as broker:
        runner = daemon(broker.port)
        thread = threading.Thread(target=runner.run, daemon=True)
        thread.start()
        assert all(done.acquire(timeout=30) for _ in range(connections))
        runner.stop()
        thread.join(30)
        assert not thread.is_alive()
    return broker


def ingest(tmp_path):
    warehouse = Warehouse(":memory:")
    key = receipts.load_or_make(tmp_path / "key.pem")

    def start(port):
        return IngestDaemon(warehouse, key, accounts(mqtt.BrokerAddress("127.0.0.1", port, "ingest-1")))

    return start


@pytest.mark.parametrize("shares", [1, 0])
def test_the_ingest_shares_where_it_can_and_subscribes_plainly_where_not(tmp_path, shares, capfd):
    subscribed = []

    def script(peer):
        peer.accept(shared_subscription=shares)
        found = peer.read_until(SUBSCRIBE)
        subscribed.append(found.body)
        peer.answer(found)

    served(ingest(tmp_path), script, connections=2)
    for one, topic in zip(sorted(subscribed), (b"tc/1/e/#", b"tc/1/t/#"), strict=True):
        assert topic in one and (b"$share/ingest/" in one) == bool(shares)
    logged = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    lacks = [] if shares else remedies(MOSQUITTO._replace(shares=False))
    assert [line["remedy"] for line in logged if line["what"] == "broker-lacks"] == lacks * 2


@pytest.mark.slow
def test_an_unfit_broker_is_left_with_the_remedy_and_tried_again(tmp_path, capfd):
    tries = []

    def script(peer):
        peer.accept(maximum_qos=0)
        tries.append(peer)
        while len(tries) < 4:
            peer.read()

    served(ingest(tmp_path), script, connections=2)
    assert len(tries) >= 4
    logged = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {line["unfit"] for line in logged if line["what"] == "broker-lacks"} == {True}
    assert "subscribed" not in {line["what"] for line in logged}


def test_control_asks_by_topic_for_the_states_that_a_wildcard_did_not_bring(tmp_path, monkeypatch):
    """RabbitMQ: retained messages match whole topics only."""
    monkeypatch.setattr(control_daemon, "_STATES_WAIT_MS", 100)
    world = DispatchWorld(tmp_path / "control.db")
    world.hear(on("s", CAB1, b"online"), on("s", CAB2, b"online"))
    world.close()
    asked, topic = [], f"tc/1/s/{INSEE}/cab-2".encode()

    def script(peer):
        peer.accept()
        peer.answer(peer.read_until(SUBSCRIBE))
        peer.publish(f"tc/1/s/{INSEE}/cab-1", b"online", qos=1)
        found = peer.read_until(SUBSCRIBE)
        asked.append(found.body)
        peer.answer(found)
        peer.publish(topic, b"offline", qos=1, message_id=2)
        asked.append(peer.read_until(UNSUBSCRIBE).body)
        peer.read_until(PUBACK)

    def control(port):
        return _Control(str(tmp_path / "control.db"), port)

    served(control, script)
    assert all(topic in body and b"cab-1" not in body for body in asked) and len(asked) == 2
    connection = file.open_to_write(str(tmp_path / "control.db"))
    assert {one.name: one.online for one in gateways.list_gateways(connection)} == {"cab-1": True, "cab-2": False}
    connection.close()


class _Control:
    """The daemon with a file of its own thread."""

    def __init__(self, path, port):
        self.path, self.port, self.daemon, self.stopping = path, port, None, False

    def run(self):
        connection = file.open_to_write(self.path)
        lock = file.DaemonLock(self.path, "broker")
        dispatcher = Dispatcher(connection, lease_s=600, log=lambda *_, **__: None)
        address = mqtt.BrokerAddress("127.0.0.1", self.port, "control-1")
        self.daemon = ControlDaemon(dispatcher, address, lock, Renewals(Path(self.path).parent, None))
        self.daemon.run()
        lock.close()
        connection.close()

    def stop(self):
        self.daemon.stop()


