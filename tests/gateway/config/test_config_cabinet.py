"""The cabinet and the page in the configuration: what the core is told of them, and what is wrong with them."""

import tomllib

import pytest

from gateway.config import config, password
from gateway.config.config import ConfigError
from gateway.core.cabinet.feeder import FeederOptions
from policy import keyset
from tests.gateway.config.test_config import MINIMAL
from tests.support.lit_world import KEYS

CABINET = """
[cabinet]
latitude = 47.5720
longitude = -0.5940
gpio = "/dev/gpiochip0"
watchdog = "gpio:22"
[[cabinet.feeder]]
name = "bourg"
lamps = 14
lamp_watts = 32
contactor = "gpio:17"
"""


def check(text, **sections):
    plain = tomllib.loads(MINIMAL + text)
    for name, fields in sections.items():
        plain.setdefault(name, {}).update(fields)
    return config.check(plain, insecure=True)


def faults(text, **sections):
    with pytest.raises(ConfigError) as caught:
        check(text, **sections)
    return caught.value.lines("en")


def test_the_core_is_told_what_is_wired():
    told = check(CABINET).core.cabinet
    assert (told.latitude_e4, told.longitude_e4, told.has_watchdog, told.has_linky) == (475720, -5940, True, False)
    assert told.feeders == (FeederOptions("bourg", 14, 320, False),)


NODES = """
nodes = ["7c1f0a2c01000001", "7c1f0a2c01000002"]
[[cabinet.feeder]]
name = "parc"
lamps = 6
contactor = "gpio:18"
nodes = %s
"""


def test_nodes_hang_on_feeders():
    told = check(CABINET + NODES % '["7c1f0a2c01000003"]').core.cabinet
    ids = [bytes.fromhex(f"7c1f0a2c0100000{last}") for last in (1, 2, 3)]
    assert told.nodes() == {ids[0]: 0, ids[1]: 0, ids[2]: 1}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ('["7c1f0a2c01000002"]', "feeder[1].nodes: 7c1f0a2c01000002 hangs on another feeder too; remove it from one"),
        ('["7c1f0a2c01000003", "7c1f0a2c01000003"]', "feeder[1].nodes: names a node twice; name each once"),
        ('["7c1f"]', "feeder[1].nodes: is ['7c1f']; give a list of node ids of 16 hex digits"),
        ('"7c1f0a2c01000003"', "feeder[1].nodes: is '7c1f0a2c01000003'; give a list of node ids of 16 hex digits"),
    ],
)
def test_a_node_hangs_on_one_feeder(nodes, said):
    assert faults(CABINET + NODES % nodes) == [f"[cabinet] {said}"]


def test_a_cabinet_that_answers_no_node_needs_no_insecure_and_opens_no_port(tmp_path):
    plain = tomllib.loads(MINIMAL + CABINET)
    del plain["link"]
    for name in ("ca", "certificate", "key"):
        (tmp_path / name).write_text("")
        plain["uplink"][name] = str(tmp_path / name)
    told = config.check(plain, insecure=False)
    assert told.bind is None


def test_without_a_cabinet_there_is_none():
    assert check("").core.cabinet is None and check("").cabinet is None


def test_the_communes_keys_are_read_and_must_be_this_communes(tmp_path):
    path = tmp_path / "commune.keys"
    path.write_bytes(keyset.encode(KEYS))
    assert check("", gateway={"keys": str(path)}).core.keyset == KEYS and check("").core.keyset is None
    path.write_bytes(keyset.encode(KEYS._replace(insee="49135")))
    assert faults("", gateway={"keys": str(path)}) == ["[gateway] keys: is of the commune 49135; give the one of 49007"]


@pytest.mark.parametrize("content", [None, b"", b"nonsense", bytes(100_000)])
def test_a_file_that_is_no_key_set_is_a_fault(tmp_path, content):
    path = tmp_path / "commune.keys"
    if content is not None:
        path.write_bytes(content)
    (fault,) = faults("", gateway={"keys": str(path)})
    assert fault.startswith("[gateway] keys: ") and "; give the" in fault


def test_a_page_needs_an_address_and_a_password_line():
    page = {"bind": "192.0.2.1:8080", "password": password.make("un mot de passe")}
    told = check(CABINET, page=page).page
    assert told.bind == ("192.0.2.1", 8080) and told.certificate is None
    (fault,) = faults(CABINET, page={**page, "password": "un mot de passe"})
    assert fault.startswith("[page] password: ")
    assert faults(CABINET, page={**page, "certificate": "/nowhere.pem"})
    assert faults("", page=page) == ["[page] bind: has no cabinet to show; give [cabinet], or remove [page]"]


def test_a_password_that_was_written_out_is_not_repeated():
    (fault,) = faults(CABINET, page={"bind": "192.0.2.1:8080", "password": "hunter2-secret"})
    assert "hunter2" not in fault
