"""TLS 1.3 with client certificates against a real Mosquitto: the right pair gets in, every wrong one is told why."""

import socket
import subprocess
import sys
import time

import pytest

from tests.support.authority import Authority
from tests.support.broker import PATIENCE_S, Inbox, free_port

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
from gateway.io.mqtt import Connected, Disconnected, Message, MqttLink, MqttOptions, Tls

pytestmark = [pytest.mark.broker, pytest.mark.live]

CLIENT = "49007-cab-12"
ANSWERS, STATE = "tc/1/a/49007/cab-12", "tc/1/s/49007/cab-12"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    return Authority(folder, "territory"), Authority(folder, "stranger")


@pytest.fixture(scope="module")
def broker(mosquitto_path, pki, tmp_path_factory):
    """A broker that wants certificates of the territory and takes the common name as the user's."""
    folder = tmp_path_factory.mktemp("broker")
    certificate, key = pki[0].issue("broker", address="127.0.0.1")
    port = free_port()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nrequire_certificate true\nuse_identity_as_username true\n"
        f"tls_version tlsv1.3\ncafile {pki[0].certificate}\ncertfile {certificate}\nkeyfile {key}\n"
        "log_dest none\npersistence false\nuser root\n"
    )
    process = subprocess.Popen([mosquitto_path, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    _wait_for(port)
    yield port
    process.kill()
    process.wait()


def _wait_for(port):
    end = time.monotonic() + PATIENCE_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < end, "mosquitto does not listen"


@pytest.fixture
def connect(broker):
    links = []

    def attempt(ca, certificate, key, host="127.0.0.1"):
        inbox = Inbox()
        tls = Tls(str(ca), str(certificate), str(key))
        link = MqttLink(MqttOptions(host, broker, CLIENT, STATE, tls), inbox.post)
        links.append(link)
        link.connect([ANSWERS])
        return link, inbox

    yield attempt
    for link in links:
        link.close()


def test_the_territorys_certificate_opens_the_connection_both_ways(connect, pki):
    link, inbox = connect(pki[0].certificate, *pki[0].issue(CLIENT))
    inbox.wait_for(Connected)
    link.publish(1, ANSWERS, b"watermark", False)
    assert inbox.wait_for(Message).payload == b"watermark"


def test_a_certificate_of_a_stranger_is_refused(connect, pki):
    _, inbox = connect(pki[0].certificate, *pki[1].issue(CLIENT))
    inbox.wait_for(lambda event: isinstance(event, (Connected, Disconnected)))
    assert isinstance(inbox.seen[-1], Disconnected)


def test_an_expired_certificate_is_refused(connect, pki):
    _, inbox = connect(pki[0].certificate, *pki[0].issue(CLIENT, days="-1"))
    inbox.wait_for(lambda event: isinstance(event, (Connected, Disconnected)))
    assert isinstance(inbox.seen[-1], Disconnected)


def test_a_broker_of_another_authority_is_not_believed_and_the_reason_is_told(connect, pki):
    _, inbox = connect(pki[1].certificate, *pki[0].issue(CLIENT))
    assert "CERTIFICATE_VERIFY_FAILED" in inbox.wait_for(Disconnected).why


def test_a_broker_under_another_name_is_not_believed(connect, pki):
    _, inbox = connect(pki[0].certificate, *pki[0].issue(CLIENT), host="localhost")
    assert "CERTIFICATE_VERIFY_FAILED" in inbox.wait_for(Disconnected).why


def test_certificate_files_are_read_again_at_each_connection(connect, pki, tmp_path):
    """Renewal without a restart: the stranger's files are replaced by the territory's."""
    certificate, key = tmp_path / "gateway.pem", tmp_path / "gateway.key"
    for target, source in zip((certificate, key), pki[1].issue(CLIENT), strict=True):
        target.write_bytes(source.read_bytes())
    link, inbox = connect(pki[0].certificate, certificate, key)
    inbox.wait_for(Disconnected)
    for target, source in zip((certificate, key), pki[0].issue(CLIENT), strict=True):
        target.write_bytes(source.read_bytes())
    link.connect([ANSWERS])
    inbox.wait_for(Connected)


def test_the_ingest_takes_its_certificate_to_the_same_broker(broker, pki, tmp_path, repository):
    certificate, key = pki[0].issue("ingest-1")
    log = tmp_path / "ingest.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tools", "centre", "ingest", "--db", str(tmp_path / "w.sqlite")),
                *("--broker", f"127.0.0.1:{broker}", "--ca", str(pki[0].certificate)),
                *("--cert", str(certificate), "--key", str(key)),
            ],
            stderr=sink,
            env={"PYTHONPATH": "firmware:.", "PATH": "/usr/bin:/bin"},
            cwd=repository,
        )
    try:
        end = time.monotonic() + PATIENCE_S
        while b'"connected"' not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < end, log.read_text()
    finally:
        process.terminate()
        process.wait()
