"""`bocage gateway setup --answers`: what is refused, what is written, and that what stands is kept."""

import os
import stat
import tomllib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.commands.setup import files
from gateway.config import config, password
from gateway.io import identity
from tests.support.setup_answers import ANSWERS, SECRET, etc, written
from tools import cli as command_line

# --- answers from a file --------------------------------------------------------------------------------------------


def test_a_whole_cabinet_from_a_file(setup, image):
    status, said, _ = setup(ANSWERS)
    assert status == 0
    found = written(image)
    assert (found["gateway"]["insee"], found["cabinet"]["feeder"][0]["name"]) == ("49135", "bourg")
    assert len(bytes.fromhex(found["gateway"]["id"])) == 8
    assert "link" not in found, "a cabinet's own equipment listens to no node"
    assert "gateway.csr (nom 49135-cab-1)" in said and "systemctl restart" in said
    request = x509.load_pem_x509_csr(etc(image, "gateway.csr").read_bytes())
    assert request.is_signature_valid and request.subject.rfc4514_string() == "CN=49135-cab-1"
    assert isinstance(request.public_key().curve, ec.SECP256R1)


def test_the_agent_takes_what_was_written(setup, image, monkeypatch):
    setup(ANSWERS)
    found = written(image)
    for name in ("ca", "certificate", "key"):
        assert found["uplink"][name].startswith("/etc/bocage/")
        found["uplink"][name] = str(files.under(image, Path(found["uplink"][name])))
    checked = config.check(found, insecure=True)
    assert checked.mqtt.client_id == "49135-cab-1" and checked.cabinet.feeders[0].lamps == 14


def test_every_file_has_the_rights_it_needs_and_no_more(setup, image):
    setup(ANSWERS)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (image / "etc/bocage").iterdir()}
    assert modes == {
        "gateway.key": 0o600,
        "gateway.csr": 0o644,
        "gateway.pem": 0o644,
        "ca.pem": 0o644,
        "gateway.env": 0o644,
        "gateway.toml": 0o640,
    }
    if os.geteuid() == 0:
        assert etc(image, "gateway.toml").stat().st_gid == 981, "the group as the image has it"


def test_a_password_goes_nowhere_but_into_its_line(setup, image):
    _, said, complained = setup(ANSWERS)
    assert password.check(SECRET, written(image)["page"]["password"])
    for path in (image / "etc/bocage").iterdir():
        assert SECRET not in path.read_text(encoding="utf-8")
    assert SECRET not in said + complained


def test_a_line_of_a_password_is_taken_as_it_is(setup, image):
    line = password.make(SECRET)
    setup(ANSWERS.replace(SECRET, line), mode=0o644)
    assert written(image)["page"]["password"] == line


def test_a_file_with_a_password_that_others_may_read_is_refused(setup, image):
    status, _, complained = setup(ANSWERS, mode=0o640)
    assert status == 2 and "chmod 600" in complained and SECRET not in complained
    assert not (image / "etc/bocage").exists()


def test_all_faults_come_at_once_and_nothing_is_written(setup, image):
    status, _, complained = setup(
        '[gateway]\ninsee = "4913"\nname = "Cab 1"\n[uplink]\nca = "/nowhere.pem"\n'
        '[page]\nbind = "x:y:z"\npassword = "short"\n'
        '[cabinet]\nlatitude = -0.5\nlongitude = 47.5\nkeys = "/nowhere.keys"\n[[cabinet.feeder]]\nname = "bourg"\n'
    )
    assert status == 2
    for word in ("insee", "name", "broker", "ca", "bind", "password", "latitude", "keys", "lamps", "contactor"):
        assert word in complained, word
    assert "inversées" in complained
    assert not (image / "etc/bocage").exists()


@pytest.mark.parametrize("answers", ["cabinet = 5", "[gateway", '[cabinet]\nlatitude = "north"\nlongitude = 1'])
def test_answers_that_are_none_are_told(setup, image, answers):
    status, _, complained = setup(answers)
    assert status == 2 and complained and not (image / "etc/bocage").exists()


def test_an_absent_file_of_answers_is_told(image, capsys):
    assert command_line.main(["gateway", "setup", "--root", str(image), "--answers", "/nowhere.toml"]) == 2
    assert "/nowhere.toml" in capsys.readouterr().err


def test_in_english_too(setup):
    _, said, _ = setup(ANSWERS, "--lang", "en")
    assert "To be signed by the territory's authority" in said


# --- again ----------------------------------------------------------------------------------------------------------


def test_run_again_it_keeps_what_stands(setup, image):
    setup(ANSWERS + "[journal]\nbytes_max = 900000000\n[clock]\ntrust_system = true\n")
    before = written(image)
    key, request = etc(image, "gateway.key").read_bytes(), etc(image, "gateway.csr").read_bytes()
    status, _, _ = setup('[cabinet]\ndoor = "!modbus:1/input:4"\n')
    assert status == 0
    after = written(image)
    assert after["cabinet"].pop("door") == "!modbus:1/input:4"
    assert after == before
    assert (etc(image, "gateway.key").read_bytes(), etc(image, "gateway.csr").read_bytes()) == (key, request)
    assert tomllib.loads(etc(image, "gateway.toml.before").read_text()) == before


def test_another_name_asks_for_another_certificate_with_the_same_key(setup, image):
    setup(ANSWERS)
    key = etc(image, "gateway.key").read_bytes()
    setup('[gateway]\nname = "cab-2"\n')
    assert etc(image, "gateway.key").read_bytes() == key
    assert identity.name_of_request(etc(image, "gateway.csr").read_bytes()) == "49135-cab-2"


def test_a_configuration_that_is_broken_is_not_overwritten(setup, image):
    (image / "etc/bocage").mkdir()
    etc(image, "gateway.toml").write_text("[gateway\n")
    status, _, complained = setup(ANSWERS)
    assert status == 2 and "gateway.toml" in complained
    assert etc(image, "gateway.toml").read_text() == "[gateway\n"


def test_a_key_that_is_none_stops_it(setup, image):
    (image / "etc/bocage").mkdir()
    etc(image, "gateway.key").write_text("not a key")
    status, _, complained = setup(ANSWERS)
    assert status == 2 and "gateway.key" in complained
    assert not etc(image, "gateway.toml").exists()


def test_an_installation_is_not_left_insecure(setup, image):
    setup(ANSWERS)
    etc(image, "gateway.env").write_text('BOCAGE_OPTIONS="--insecure --other"\n')
    status, _, _ = setup('[link]\nbind = "0.0.0.0:5683"\n')
    assert status == 0
    assert 'BOCAGE_OPTIONS="--other"' in etc(image, "gateway.env").read_text()


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_failed_replacement_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    new = files.New(Path("/etc/bocage/x"), b"old", 0o644)
    files.replace(tmp_path, new)

    def refuse(*_):
        raise OSError("no")

    monkeypatch.setattr(files.os, "rename", refuse)
    with pytest.raises(OSError):
        files.replace(tmp_path, new._replace(data=b"new"))
    assert [path.name for path in (tmp_path / "etc/bocage").iterdir()] == ["x"]
    assert files.read(tmp_path, Path("/etc/bocage/x")) == b"old"


def test_a_world_that_does_not_let_it_is_one_line(setup, image, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "rename", refuse)
    status, _, complained = setup(ANSWERS)
    assert status == 1 and "No space left" in complained and complained.count("\n") == 1


def test_the_configuration_comes_last(setup, image):
    _, said, _ = setup(ANSWERS)
    listed = [line for line in said.splitlines() if line.startswith("Écrit")]
    assert listed[-1].endswith("gateway.toml") and "gateway.key" in listed[0]


def test_without_root_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command_line.main(["gateway", "setup"]) == 1
    assert "sudo" in capsys.readouterr().err
