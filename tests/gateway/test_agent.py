"""The agent as a process: records acknowledged before a kill -9 arrive after it; it stops and refuses in order."""

import signal
import socket
import subprocess
import threading
from random import Random

import pytest

from gateway.shell import keys as node_keys
from policy import keyset
from simulator.hosts.keys import WAREHOUSE, key_of, keyset_of
from tests.support.agent_process import AgentProcess, Client
from tests.support.broker import PATIENCE_S, Inbox, Mosquitto
from tests.support.gateway_world import ANSWERS, GATEWAY, NODE, alarm, payload, reading
from tools.centre.ingest.warehouse import Warehouse
from wire import coap_message, record

mqtt = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
pytestmark = [pytest.mark.broker, pytest.mark.live]


class Centre:
    """The warehouse in memory behind a real client."""

    def __init__(self, port):
        self.warehouse = None
        self.inbox = Inbox()
        ready = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe([("tc/1/t/#", 1), ("tc/1/e/#", 1)])
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(PATIENCE_S)

    def _take(self, client, _data, message):
        # SQLite keeps to one thread: paho's.
        self.warehouse = self.warehouse or Warehouse(":memory:", synchronous="OFF")
        for answer in self.warehouse.accept(message.topic, message.payload, received_unix_s=1):
            assert answer.topic == ANSWERS
            client.publish(answer.topic, WAREHOUSE.payload(answer), qos=1)
        self.inbox.post({identity: body for identity, _, body in self.warehouse.bodies()})

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(mosquitto_path, tmp_path):
    made = Mosquitto(mosquitto_path, tmp_path)
    yield made
    made.kill()


@pytest.fixture
def agent(repository, tmp_path, broker):
    config = tmp_path / "gateway.toml"
    node_keys.write(tmp_path / "data" / "keys", key_of(NODE))
    (tmp_path / "commune.keys").write_bytes(keyset.encode(keyset_of("49007")))
    config.write_text(
        f"""
[gateway]
id = "{GATEWAY.hex()}"
insee = "49007"
name = "cab-12"
data = "{tmp_path}/data"
keys = "{tmp_path}/commune.keys"
[link]
bind = "127.0.0.1:0"
commit_ms = 20
[uplink]
broker = "127.0.0.1:{broker.port}"
batch_age_s = 0
"""
    )
    made = AgentProcess(repository, config)
    yield made
    made.stop(signal.SIGKILL)


def test_what_was_acknowledged_before_a_kill_arrives_after_the_restart(agent, broker):
    client, acknowledged = Client(), []
    for _ in range(2):
        address = agent.start()  # and no broker: everything stays in the journal
        for _ in range(10):
            made = (reading, reading, alarm)[len(acknowledged) % 3](len(acknowledged))
            assert client.ask(address, payload(made)) == coap_message.CHANGED
            acknowledged.append(made)
        assert agent.stop(signal.SIGKILL) == -signal.SIGKILL
    broker.start()
    centre = Centre(broker.port)
    agent.start()
    wanted = {(NODE, made.boot, made.sequence): record.encode_body(made.body) for made in acknowledged}

    def is_whole(held):
        # Three starts, each with a boot number of its own.
        starts = [1 for node, _, number in held if node == GATEWAY and number == 0]
        return wanted.items() <= held.items() and len(starts) == 3

    centre.inbox.wait_for(is_whole)
    centre.close()
    assert agent.stop(signal.SIGTERM) == 0
    assert agent.log.rest()[-1]["what"] == "stopped"


def test_a_request_of_nothing_is_answered_and_rubbish_does_not_stop_it(agent):
    address = agent.start()
    client = Client()
    random = Random(5)
    for _ in range(200):
        client.socket.sendto(random.randbytes(random.randrange(1, 300)), address)
    client.socket.close()
    assert Client(2).ask(address, b"") == coap_message.CHANGED
    assert agent.stop(signal.SIGINT) == 0


def test_a_bad_configuration_exits_2_with_every_fault_on_stderr(agent, tmp_path):
    (tmp_path / "gateway.toml").write_text('[gateway]\nid = "1"\ninsee = "x"\n[other]\n')
    done = subprocess.run(
        agent.command, env=agent.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 2
    places = ("[gateway] id", "[gateway] insee", "[gateway] name", "[gateway] data", "[link] bind", "[uplink] broker")
    assert all(f"\n{place} : " in "\n" + done.stderr for place in places) and "[other] : " in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_exits_1_and_says_so(agent, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        config = tmp_path / "gateway.toml"
        config.write_text(config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}"))
        done = subprocess.run(
            agent.command, env=agent.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert done.returncode == 1 and "démarrage impossible : " in done.stderr and "Traceback" not in done.stderr
