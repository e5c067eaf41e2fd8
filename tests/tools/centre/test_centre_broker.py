"""The ingest against a real broker: killed at any moment, all arrives once; the last receipt is right."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.io.crypto import verify_ed25519
from tests.support.broker import free_port, until
from tests.support.centre_world import ANSWER_TOPIC, EPOCH, EVENT_TOPIC, GATEWAY, TELEMETRY_TOPIC, batch, fact, readings
from tools.centre.ingest import receipts
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store.archive import Archive
from wire import event, receipt

mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[3]
# Runs the command with something changed.
CHANGED = """
import sys
from tools import cli
from tools.centre.ingest import daemon, session
{}
sys.exit(cli.main(sys.argv[1:]))
"""
# An ingest whose minutes are seconds.
HASTE = "daemon.INGEST_SEEN_EVERY_S, daemon.SHARED_SESSION_EXPIRY_S = 0.5, 1"
SMALL_GROUPS = "session.GROUP_BYTES_MAX = 300"
# The planted bug: one session for all.
ONE_QUEUE = f"{SMALL_GROUPS}; daemon.TOPICS = ('tc/1/none/#', 'tc/1/+/#')"
BATCHES = 120
RECORDS = 4
# Nothing here waits for a time to pass: these only end a test that would hang.
PATIENCE_S = 60


def find_mosquitto():
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@pytest.fixture
def broker(tmp_path):
    """Starts, kills and restarts a broker on one free loopback port; persistent, as in the field."""
    program = find_mosquitto()
    if program is None:
        pytest.skip("mosquitto is not installed (Debian: apt install mosquitto)")
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_dest none\n"
        f"persistence true\npersistence_location {tmp_path}/\nsys_interval 1\nuser {os.environ.get('USER', 'root')}\n"
    )
    running = Broker(program, config, port)
    running.start()
    yield running
    running.kill()


class Broker:
    def __init__(self, program, config, port):
        self.command = [program, "-c", str(config)]
        self.port = port
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait()


class Gateway:
    """Publishes batches and hears receipts, by the key that the ingest has made."""

    def __init__(self, port, database):
        self.heard = []
        self.held_before_alarm = None
        self.keys = (receipts.load_or_make(receipts.default_path(str(database))).public,)
        self.changed = threading.Condition()
        self.subscribed = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "49007-mairie-1", protocol=mqtt.MQTTv5)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(ANSWER_TOPIC, 1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_disconnect = lambda *_: self.subscribed.clear()
        self.client.on_message = self._on_message
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(PATIENCE_S)

    def _on_message(self, _client, _userdata, message):
        with self.changed:
            made = receipt.opened(message.payload, GATEWAY, self.keys, verify_ed25519)
            if made.lane == event.ALARM:
                self.held_before_alarm = max(self.heard, default=0)
            else:
                self.heard.append(made.next_position)
            self.changed.notify_all()

    def send(self, number):
        assert self.subscribed.wait(PATIENCE_S)  # after a broker's restart, again
        payload = readings(number * RECORDS, (number + 1) * RECORDS - 1)
        self.client.publish(TELEMETRY_TOPIC, payload, qos=1).wait_for_publish(PATIENCE_S)

    def wait_for(self, position):
        return self.wait(lambda: max(self.heard, default=0) >= position)

    def wait(self, reached):
        with self.changed:
            return self.changed.wait_for(reached, PATIENCE_S)

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


@pytest.fixture
def ingests(tmp_path, broker, engine):
    """Starts ingest processes; what is left of them is killed at the end."""
    started = []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "firmware"), str(ROOT)))}

    def start(client_id="ingest-1", *, change=""):
        database = tmp_path / "centre.db"
        command = [sys.executable, "-c", CHANGED.format(change)]
        command += ["centre", "ingest", "--db", engine.address(database)]
        command += ["--receipt-key", receipts.default_path(str(database))]
        command += ["--broker", f"127.0.0.1:{broker.port}", "--insecure", "--client-id", client_id]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def wait_for_line(process, word):
    for line in process.stderr:
        if f'"{word}"' in line:
            return line
    raise AssertionError(f"the ingest ended without saying {word}")


def assert_all_arrived_once(path, batches):
    archive = Archive.open(str(path))
    assert [sequence for _, _, sequence in archive.identities()] == list(range(batches * RECORDS))
    assert archive.counters["records"] == batches * RECORDS
    (prefix,) = archive.prefixes()
    assert (prefix.epoch, prefix.next_position, prefix.ahead) == (EPOCH, batches * RECORDS, ())
    archive.close()


def test_ingest_killed_several_times_takes_everything_once(tmp_path, broker, ingests):
    gateway = None
    for start in range(0, BATCHES, 30):
        process = ingests()
        wait_for_line(process, "subscribed")
        gateway = gateway or Gateway(broker.port, tmp_path / "centre.db")
        for number in range(start, start + 30):
            gateway.send(number)
        # In full work: some of what was sent is committed, some in hand, some not delivered yet.
        process.kill()
        process.wait()
    process = ingests()
    assert gateway.wait_for(BATCHES * RECORDS)
    gateway.close()
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert '"stopped"' in process.stderr.read()
    assert_all_arrived_once(tmp_path / "centre.db", BATCHES)


@pytest.mark.parametrize(("change", "waits"), [(SMALL_GROUPS, False), (ONE_QUEUE, True)])
def test_an_alarm_does_not_wait_for_the_telemetry_before_it(tmp_path, broker, ingests, of_sqlite, change, waits):
    """Two groups may be committed before it: one while it comes, one while the sessions are opened."""
    process = ingests(change=change)
    wait_for_line(process, "subscribed")
    gateway = Gateway(broker.port, tmp_path / "centre.db")
    process.terminate()
    process.wait()
    for number in range(BATCHES):
        gateway.send(number)
    alarm = batch([fact(0, event.LAMP_FAILURE, None, active=True, boot=2)], lane=event.ALARM)
    gateway.client.publish(EVENT_TOPIC, alarm, qos=1).wait_for_publish(PATIENCE_S)
    ingests(change=change)
    assert gateway.wait_for(BATCHES * RECORDS) and gateway.wait(lambda: gateway.held_before_alarm is not None)
    gateway.close()
    assert (gateway.held_before_alarm > BATCHES * RECORDS / 2) == waits


def test_two_ingests_share_the_prefix_and_one_may_die(tmp_path, broker, ingests):
    processes = [ingests("ingest-1"), ingests("ingest-2")]
    for process in processes:
        wait_for_line(process, "subscribed")
    gateway = Gateway(broker.port, tmp_path / "centre.db")
    for number in range(BATCHES):
        gateway.send(number)
        if number == 60:
            processes[0].kill()
            processes[0].wait()
    # What the dead one had in flight waits in its session for its return.
    ingests("ingest-1")
    assert gateway.wait_for(BATCHES * RECORDS)
    gateway.close()
    assert_all_arrived_once(tmp_path / "centre.db", BATCHES)


def test_an_ingest_that_is_stopped_leaves_the_group_and_the_last_one_stays_in_it(tmp_path, broker, ingests):
    """Mosquitto deals half of the messages to a member that is away, for a week."""
    processes = [ingests("ingest-1"), ingests("ingest-2")]
    for process in processes:
        wait_for_line(process, "subscribed")
    gateway = Gateway(broker.port, tmp_path / "centre.db")
    for number in range(60):
        gateway.send(number)
    archive = Archive.open(str(tmp_path / "centre.db"))
    until(lambda: len(archive.ingests()) == 2, "both have written down that they are there")
    processes[0].terminate()
    assert '"left_group": true' in wait_for_line(processes[0], "stopped")
    for number in range(60, BATCHES):
        gateway.send(number)
    assert gateway.wait_for(BATCHES * RECORDS), "what was dealt to the one that left is committed"
    assert [one.name for one in archive.ingests()] == ["ingest-2"]
    archive.close()
    processes[1].terminate()
    assert '"left_group": false' in wait_for_line(processes[1], "stopped")
    gateway.send(BATCHES)
    ingests("ingest-2")
    assert gateway.wait_for((BATCHES + 1) * RECORDS), "its queue waits for the only one"
    gateway.close()
    assert_all_arrived_once(tmp_path / "centre.db", BATCHES + 1)


def test_one_that_never_comes_back_has_no_share_of_the_messages(tmp_path, broker, ingests):
    """Its session ends, and with it the subscription; here after a second instead of ten minutes."""
    processes = [ingests("ingest-1", change=HASTE), ingests("ingest-2", change=HASTE)]
    for process in processes:
        while '"expires_after_s": 1' not in wait_for_line(process, "session"):
            pass
        wait_for_line(process, "subscribed")
    gateway = Gateway(broker.port, tmp_path / "centre.db")
    expired = threading.Event()
    gateway.client.message_callback_add(
        "$SYS/broker/clients/expired", lambda _client, _data, said: expired.set() if int(said.payload) else None
    )
    processes[1].kill()
    processes[1].wait()
    gateway.client.subscribe("$SYS/broker/clients/expired")
    assert expired.wait(PATIENCE_S)
    for number in range(20):
        gateway.send(number)
    assert gateway.wait_for(20 * RECORDS)
    gateway.close()
    assert_all_arrived_once(tmp_path / "centre.db", 20)


def test_ingest_outlives_a_broker_that_disappears(tmp_path, broker, ingests):
    process = ingests()
    wait_for_line(process, "subscribed")
    gateway = Gateway(broker.port, tmp_path / "centre.db")
    gateway.send(0)
    assert gateway.wait_for(RECORDS)
    # By SIGTERM: what a broker forgets at a kill is the matter of the gateway's journal.
    broker.kill(signal.SIGTERM)
    wait_for_line(process, "broker-unreachable")
    broker.start()
    wait_for_line(process, "subscribed")
    for number in range(1, 5):
        gateway.send(number)
    assert gateway.wait_for(5 * RECORDS)
    gateway.close()
    assert process.poll() is None
    assert_all_arrived_once(tmp_path / "centre.db", 5)


def test_disk_that_refuses_is_not_acknowledged(tmp_path, broker, ingests, of_sqlite):
    path = tmp_path / "centre.db"
    process = ingests()
    wait_for_line(process, "subscribed")
    gateway = Gateway(broker.port, tmp_path / "centre.db")
    blocker = Warehouse(str(path))
    blocker._connection.execute("PRAGMA busy_timeout = 0")
    blocker._connection.execute("BEGIN IMMEDIATE")
    gateway.send(0)
    assert "locked" in wait_for_line(process, "disk-refused")
    blocker._connection.execute("ROLLBACK")
    blocker.close()
    assert gateway.wait_for(RECORDS)
    gateway.close()
    assert_all_arrived_once(path, 1)
