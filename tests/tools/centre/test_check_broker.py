"""`bocage centre check-broker`: Mosquitto open to everybody, and as it should be; what a configuration says."""

import json

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

from tests.support.authority import Authority
from tests.support.broker import Mosquitto, free_port
from tools import cli
from tools.centre.broker import configuration

NAME = "49007-essai"


def checked(capsys, *words):
    """Exit status and page, in English."""
    status = cli.main(["centre", "check-broker", *words, "--lang", "en"])
    return status, capsys.readouterr().out


@pytest.mark.broker
def test_a_broker_that_is_open_to_everybody_is_unfit_line_by_line(tmp_path, mosquitto_path, capsys):
    broker = Mosquitto(mosquitto_path, tmp_path)
    broker.start()
    address = ("--broker", f"127.0.0.1:{broker.port}", "--insecure")
    try:
        status, page = checked(capsys, *address, "--gateway", NAME, "--config", str(tmp_path / "mosquitto.conf"))
        assert status == 1
        cli.main(["centre", "check-broker", *address, "--gateway", NAME, "--json"])
        plain = json.loads(capsys.readouterr().out)
    finally:
        broker.kill()
    assert [line.strip()[0] for line in page.splitlines() if line.startswith("  ") and "→" not in line] == list(
        "✓✗✓✗✗✗✓✓✗✗✗✗!!!"
    )
    assert "there is no TLS" in page and "it retains a gateway's state, and wildcards bring it" in page
    assert "one opened cabinet speaks for every lamp" in page and "$share" not in page.split("…")[0]
    assert "write: max_queued_messages 0" in page and "write: persistence true" in page
    assert [one["is_fault"] for one in plain["gateway"]] == [False, True, True, True, False]
    assert plain["offer"][0]["what"] == "il parle MQTT 5 et admet le centre"


def _roles(gateway):
    """Access rules by literal topics, as far as an acl_file goes: it binds what is published, and no subscription."""
    insee, name = gateway.split("-", 1)
    publish = "".join(f"topic write tc/1/{kind}/{insee}/{name}\n" for kind in "tesrq")
    read = "".join(f"topic read tc/1/{kind}/{insee}/{name}\n" for kind in "acpk")
    return f"user {gateway}\n{publish}{read}user control\ntopic readwrite tc/1/#\n"


@pytest.mark.broker
def test_certificates_and_literal_roles_leave_what_an_acl_file_cannot_do(tmp_path, mosquitto_path, capsys):
    authority = Authority(tmp_path, "ca")
    pairs = {name: authority.issue(name) for name in ("control", NAME)}
    (tmp_path / "roles").write_text(_roles(NAME))
    (tmp_path / "roles").chmod(0o600)
    port, (cert, key) = free_port(), authority.issue("broker", address="127.0.0.1")
    more = (
        f"per_listener_settings false\nlistener {port} 127.0.0.1\ncafile {authority.certificate}\ncertfile {cert}\n"
        f"keyfile {key}\nrequire_certificate true\nuse_identity_as_username true\ntls_version tlsv1.3\n"
        f"max_queued_messages 0\nmax_inflight_messages 128\nacl_file {tmp_path}/roles\n"
    )
    broker = Mosquitto(mosquitto_path, tmp_path, more=more)
    broker.start()
    try:
        status, page = checked(
            capsys, "--broker", f"127.0.0.1:{port}", "--ca", str(authority.certificate), "--client-id", "control",
            "--cert", str(pairs["control"][0]), "--key", str(pairs["control"][1]), "--gateway", NAME,
            "--gateway-cert", str(pairs[NAME][0]), "--gateway-key", str(pairs[NAME][1]),
        )  # fmt: skip
    finally:
        broker.kill()
    assert status == 1 and page.count("✗") == 1, page
    assert "✗ it may subscribe to #" in page and "an acl_file grants them all" in page
    assert "✓ it admits nobody without a certificate" in page and "✓ it speaks TLS 1.3 only" in page
    assert "✓ it cannot speak in another gateway's name" in page and "✓ it cannot publish orders" in page


def test_a_broker_that_is_not_there_is_one_line(capsys):
    words = ["--broker", f"127.0.0.1:{free_port()}", "--insecure"]
    assert cli.main(["centre", "check-broker", *words]) == 1
    assert "127.0.0.1" in capsys.readouterr().err


SOUND = {
    "mosquitto.conf": """
per_listener_settings false
persistence true
include_dir {folder}/more
""",
    "more/a.conf": """
# the listener
listener 8883
require_certificate true
use_identity_as_username true
tls_version tlsv1.3
max_queued_messages 0
max_inflight_messages 200
""",
    "rabbitmq.conf": """
mqtt.listeners.ssl.default = 8883
mqtt.allow_anonymous = false
mqtt.ssl_cert_login=true
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_options.versions.1 = tlsv1.3
mqtt.durable_queue_type = quorum
mqtt.max_session_expiry_interval_seconds = 604800
""",
}
WRONG = {
    "mosquitto.conf": ("acl_file /etc/mosquitto/acl\nretain_available false\npersistent_client_expiration 1d\n", 3),
    "rabbitmq.conf": ("mqtt.durable_queue_type = classic\nmqtt.exchange = other\n", 2),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "more").mkdir()
    for name, text in SOUND.items():
        (tmp_path / name).write_text(text.format(folder=tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_a_configuration_is_named_and_what_is_right_counted(name, folder):
    [sound] = configuration.findings(folder / name)
    assert sound.remedy is None
    text, count = WRONG[name]
    path = folder / name
    path.write_text(path.read_text() + text)
    assert len(configuration.findings(path)) == 1 + count


@pytest.mark.parametrize("name", WRONG)
def test_the_defaults_of_debian_are_not_sound(name, tmp_path):
    path = tmp_path / name
    path.write_text("listener 1883\n" if "mosquitto" in name else "mqtt.listeners.tcp.default = 1883\n")
    assert sum(one.is_fault for one in configuration.findings(path)) >= 3
