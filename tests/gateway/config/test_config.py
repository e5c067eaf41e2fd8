"""The configuration: checked whole, every fault told at once with its place and remedy."""

import tomllib

import pytest

from gateway.config import config
from gateway.config.config import ConfigError
from tests.support.gateway_world import GATEWAY, NODE
from wire import limits as wire_limits

MINIMAL = """
[gateway]
id = "7c1f0a2cff000001"
insee = "49007"
name = "cab-12"
data = "/var/lib/bocage"
[link]
bind = "0.0.0.0:5683"
[uplink]
broker = "centre.example.fr"
"""


def changed(section, field, value):
    plain = tomllib.loads(MINIMAL)
    plain.setdefault(section, {})[field] = value
    return plain


def faults(plain, *, insecure=True):
    with pytest.raises(ConfigError) as caught:
        config.check(plain, insecure=insecure)
    return caught.value.lines("en")


def test_a_minimal_file_is_enough_on_a_bench(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(MINIMAL)
    checked = config.load(path, insecure=True)
    assert checked.core.gateway == GATEWAY
    assert (checked.bind, checked.mqtt.host, checked.mqtt.port) == (("0.0.0.0", 5683), "centre.example.fr", 8883)
    assert checked.mqtt.client_id == "49007-cab-12" and checked.mqtt.will_topic == "tc/1/s/49007/cab-12"
    assert checked.core.ack_timeout_ms == wire_limits.COAP_ACK_TIMEOUT_MIN_MS and not checked.trust_system_clock
    assert str(checked.status_socket) == "/var/lib/bocage/run/status.sock"


def test_every_field_is_taken():
    plain = tomllib.loads(MINIMAL)
    plain["link"] |= {"commit_ms": 200, "fair_use_percent": 50}
    plain["uplink"] |= {"batch_records": 7, "batch_age_s": 5}
    plain["journal"] = {"bytes_max": 1 << 21, "segment_bytes_max": 1 << 15, "alarm_reserve_bytes": 1 << 17}
    plain["clock"] = {"trust_system": True}
    checked = config.check(plain, insecure=True)
    core = checked.core
    assert core.fair_use_percent == 50
    assert checked.trust_system_clock
    assert (core.commit_ms, core.batch_age_ms, core.batch_records_max) == (200, 5000, 7)
    assert (core.journal_bytes_max, core.segment_bytes_max, core.alarm_reserve_bytes) == (1 << 21, 1 << 15, 1 << 17)


def test_all_faults_come_at_once_each_with_section_field_and_remedy():
    plain = {
        "gateway": {"id": "12", "insee": "4900", "name": "Cab_12", "colour": "red"},
        "link": {"bind": 5, "commit_ms": 4000},
        "uplink": {"batch_age_s": "16", "batch_records": True},
        "journal": {"bytes_max": 1 << 20},
        "clock": {"trust_system": 1},
        "lamps": {},
    }
    found = faults(plain)
    expected = (
        "[gateway] id",
        "[gateway] insee",
        "[gateway] name",
        "[gateway] data: is missing",
        "[gateway] colour: is not a field",
        "[link] bind",
        "[link] commit_ms: is 4000",
        "[uplink] broker: is missing",
        "[uplink] batch_age_s",
        "[uplink] batch_records",
        "[journal] bytes_max: leaves no room",
        "[clock] trust_system",
        "[lamps]: is not a section",
    )
    for start in expected:
        (line,) = [line for line in found if line.startswith(start)]
        assert "; " in line, f"no remedy in {line!r}"
    assert len(found) == len(expected), found


def test_a_file_without_sections_names_every_missing_field():
    assert [line.partition(":")[0] for line in faults({})] == [
        "[gateway] id",
        "[gateway] insee",
        "[gateway] name",
        "[gateway] data",
        "[link] bind",
        "[uplink] broker",
    ]


def test_what_is_not_secure_needs_the_flag():
    found = faults(tomllib.loads(MINIMAL), insecure=False)
    assert len(found) == 1 and found[0].startswith("[uplink] ca:") and "--insecure" in found[0]


def test_tls_files_come_together_and_exist(tmp_path):
    ca = tmp_path / "ca.pem"
    ca.touch()
    plain = changed("uplink", "ca", str(ca)) | {}
    plain["uplink"]["key"] = str(tmp_path / "absent.key")
    found = faults(plain)
    assert [line.partition(":")[0] for line in found] == ["[uplink] certificate", "[uplink] key"]
    assert "is missing" in found[0] and "is not a file" in found[1]


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("gateway", "id", "7c1f0a2c ff0000 "),  # spaces, which bytes.fromhex would skip
        ("gateway", "id", "7c1f0a2cff00000²"),
        ("gateway", "id", 7),
        ("gateway", "insee", "²²²²²"),  # isdigit() says yes
        ("gateway", "insee", "2C004"),
        ("gateway", "name", "-cab"),
        ("gateway", "name", "cab/12"),
        ("gateway", "name", "cab+"),
        ("gateway", "data", "var/lib"),
        ("link", "bind", "0.0.0.0:²"),
        ("link", "bind", "0.0.0.0:65536"),
        ("link", "bind", ":5683"),
        ("link", "bind", "::1"),  # an IPv6 address without brackets
        ("link", "bind", " :5683"),
        ("uplink", "broker", " "),
        ("uplink", "broker", "centre example.fr"),
        ("uplink", "broker", "centre.example.fr\n"),
        ("link", "commit_ms", -1),
        ("link", "fair_use_percent", 0),
        ("link", "commit_ms", 500.0),
        ("uplink", "batch_age_s", 3601),
        ("clock", "trust_system", "yes"),
    ],
)
def test_one_bad_value_is_one_fault(section, field, value):
    (found,) = faults(changed(section, field, value))
    assert found.startswith(f"[{section}] {field}: ")


@pytest.mark.parametrize("bus", [{}, {"bus": {"port": "/dev/ttyS1", "addresses": [1]}}])
def test_a_value_in_the_place_of_a_section_is_a_fault(bus):
    found = faults(tomllib.loads(MINIMAL) | {"link": True} | bus)
    assert found[0].startswith("[link]: is not a section; ")


def test_an_ipv6_address_stands_in_brackets():
    assert config.check(changed("link", "bind", "[::1]:5683"), insecure=True).bind == ("::1", 5683)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe", b"[gateway\n", b"a = 1\na = 2\n", b"a = " + b"[" * 9000, b"a = " + b"1" * 9000],
    ids=["no-utf-8", "no-bracket", "twice", "deep", "long"],
)
def test_a_file_that_is_no_toml_is_one_fault_that_names_it(tmp_path, data):
    path = tmp_path / "gateway.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"gateway\.toml"):
        config.load(path, insecure=True)


def test_an_absent_file_is_a_fault_too(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "absent.toml", insecure=True)


def test_faults_are_listed_in_french_too(tmp_path):
    plain = changed("link", "commit_ms", 4000) | {"lamps": {}}
    with pytest.raises(ConfigError) as caught:
        config.check(plain, insecure=True)
    lines = caught.value.lines("fr")
    assert "[link] commit_ms : vaut 4000 ; donner un entier de 0 à 3000" in lines
    assert any("les sections sont" in line for line in lines)
    path = tmp_path / "gateway.toml"
    path.write_text("[gateway\n")
    with pytest.raises(ConfigError) as caught:
        config.load(path, insecure=True)
    assert caught.value.lines("fr") == [
        f"{path}:1 : n’est pas du TOML (il manque ] après le nom d’une section) ; corriger cette ligne"
    ]


# --- serial bearers of the node link -----------------------------------------------------------------------------


def with_serial(**sections):
    plain = tomllib.loads(MINIMAL) | sections
    return plain


BUS = {"port": "/dev/serial/by-id/bus", "addresses": [1, 2, 40], "baud": 115_200}
RADIO = {"port": "/dev/serial/by-id/radio", "channel": 6}


def test_serial_bearers_stand_beside_udp_or_without_it():
    both = config.check(with_serial(bus=BUS, radio=RADIO, wire={"port": "/dev/ttyAMA0"}), insecure=True)
    assert both.bind is not None and both.serial.bus.addresses == (1, 2, 40) and both.serial.radio.channel == 6
    assert both.serial.wire.baud == 115_200
    alone = with_serial(bus=BUS)
    del alone["link"]
    checked = config.check(alone, insecure=True)
    assert checked.bind is None and checked.serial.bus.port == BUS["port"]


def test_coap_is_as_patient_as_the_slowest_bearer():
    many = {**BUS, "addresses": list(range(1, 65))}
    assert config.check(with_serial(radio=RADIO), insecure=True).core.ack_timeout_ms == 4000
    assert config.check(with_serial(bus=many), insecure=True).core.ack_timeout_ms > 7000


@pytest.mark.parametrize(
    ("section", "fields", "field"),
    [
        ("bus", {**BUS, "addresses": []}, "addresses"),
        ("bus", {**BUS, "addresses": [1, 1]}, "addresses"),
        ("bus", {**BUS, "addresses": [0]}, "addresses"),
        ("bus", {**BUS, "addresses": [248]}, "addresses"),
        ("bus", {**BUS, "addresses": [True]}, "addresses"),
        ("bus", {**BUS, "addresses": 3}, "addresses"),
        ("bus", {**BUS, "baud": 9600}, "baud"),
        ("bus", {**BUS, "port": "COM3"}, "port"),
        ("bus", {**BUS, "parity": "even"}, "parity"),
        ("wire", {}, "port"),
        ("wire", {"port": "/dev/ttyAMA0", "baud": "fast"}, "baud"),
        ("radio", {**RADIO, "channel": 14}, "channel"),
        ("radio", {**RADIO, "channel": 0}, "channel"),
        ("radio", {**RADIO, "update_keys": "00" * 32}, "update_keys"),
        ("radio", {**RADIO, "update_keys": ["00" * 32]}, "update_keys"),
        ("radio", {**RADIO, "update_keys": ["5" * 63]}, "update_keys"),
        ("radio", {**RADIO, "update_keys": [5]}, "update_keys"),
    ],
)
def test_each_fault_of_a_serial_bearer_is_named_with_its_remedy(section, fields, field):
    (line,) = faults(with_serial(**{section: fields}))
    assert line.startswith(f"[{section}] {field}: ") and "; " in line


def test_two_bearers_do_not_share_a_port():
    (line,) = faults(with_serial(bus=BUS, wire={"port": BUS["port"]}))
    assert "the same port" in line


def test_groups_name_nodes_that_are_told_something_together():
    both = ["7c1f0a2c02000001", "7c1f0a2c02000002"]
    plain = {**tomllib.loads(MINIMAL), "groups": {"écoles": both, "stade": both[1:]}}
    found = config.check(plain, insecure=True).core.node_groups()
    assert found == {bytes.fromhex(both[0]): {"écoles"}, bytes.fromhex(both[1]): {"écoles", "stade"}}


@pytest.mark.parametrize(
    "groups",
    [
        {"écoles": ["x"]}, {"écoles": []}, {"écoles": 5}, {"": [NODE.hex()]}, {"x" * 25: [NODE.hex()]},
        {"*": [NODE.hex()]}, {NODE.hex(): [NODE.hex()]}, 7, {str(number): [NODE.hex()] for number in range(65)},
    ],
)  # fmt: skip
def test_a_group_that_makes_no_sense_is_a_fault(groups):
    (fault,) = faults({**tomllib.loads(MINIMAL), "groups": groups})
    assert fault.startswith("[groups]")
