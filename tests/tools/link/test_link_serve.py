"""The bench as a gateway, over a real socket, by a key file."""

import json
import os
import subprocess
import sys

import pytest

from gateway.shell import keys as node_keys
from simulator.hosts.keys import key_of, settings_of
from simulator.hosts.vm import HEAP_BYTES, VmNode
from tests.support.agent_process import Client
from tests.support.gateway_world import NODE
from tests.support.signed_image import signed
from tests.support.update_rig import image_of
from tools import cli
from wire import coap_message as messages
from wire import quantity, record
from wire.record import Record, Stamp

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
READING = record.encode(Record(3, 17, Stamp(record.SYNCED, 1_795_561_200, 2), {quantity.POWER: 357}))


@pytest.fixture
def keys(tmp_path):
    return {NODE: node_keys.write(tmp_path / "keys", key_of(NODE))}


@pytest.fixture
def serve(repository):
    """serve(*words) -> (process, port); the process ends with the test."""
    started = []

    def start(*words):
        path = os.pathsep.join((str(repository / "firmware"), str(repository)))
        process = subprocess.Popen(
            [sys.executable, "-m", "tools", "link", "serve", "--bind", "127.0.0.1:0", *map(str, words)],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, int(process.stdout.readline().split(" port ")[1].split(";")[0])

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_a_node_tells_is_printed_and_answered_with_the_time(keys, serve):
    process, port = serve(keys[NODE], "--count", "2")
    node = Client()
    assert [node.ask(("127.0.0.1", port), data) for data in (READING, b"")] == [messages.CHANGED] * 2
    said = [json.loads(line) for line in process.stdout]
    assert said[0]["node"] == NODE.hex() and said[0]["path"] == "/t"
    assert said[0]["records"][0]["readings"] == {"power": "35.7 W"} and "records" not in said[1]
    assert said[-1]["summary"]["agreed"] == 1 and process.wait(60) == 0


def test_faults_of_keys_and_addresses_are_said(keys, tmp_path, capsys):
    assert cli.main(["link", "serve", str(tmp_path / "absent.key")]) == 2
    assert cli.main(["link", "serve", str(keys[NODE]), "--bind", "nowhere"]) == 2
    assert cli.main(["link", "serve", str(keys[NODE]), str(keys[NODE])]) == 2
    assert cli.main(["link", "serve", str(keys[NODE]), "--bind", "192.0.2.1:5683"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_the_bench_offers_programs_and_reads_the_log_of_a_node(tmp_path, keys, serve, micropython, repository):
    image = tmp_path / "streetlight.img"
    image.write_bytes(signed(image_of(9, product="streetlight")))
    process, port = serve(keys[NODE], "--image", image, "--log")
    settings = {
        "node": NODE.hex(), "kind": "streetlight", "gateway": ["127.0.0.1", port], **settings_of(NODE),
        "site": [457500, 48500], "lamp": [700, 4], "report_spread_s": 0, "ack_timeout_ms": 300,
    }  # fmt: skip
    node = VmNode(tmp_path / "node", settings, micropython, heap_bytes=HEAP_BYTES)
    node.start()
    try:
        log = next(said["log"] for said in map(json.loads, process.stdout) if "log" in said)
    finally:
        node.kill()
    assert any("boot 1 after power-on" in line for line in log)
    assert Client().ask(("127.0.0.1", port), code=messages.GET, path=(b"f", b"streetlight")) == messages.CONTENT


def test_an_image_that_is_none_is_said(keys, tmp_path, capsys):
    (tmp_path / "x.img").write_bytes(b"x")
    assert cli.main(["link", "serve", str(keys[NODE]), "--image", str(tmp_path / "x.img")]) == 2
    assert "--image: form" in capsys.readouterr().err
