"""From an empty folder to a record at the gateway: a node is made, esptool writes it into a simulated module, and what
the module then holds runs whole on a MicroPython VM, loader and all, beside the gateway's own link."""

import json
import re
import shlex
import time
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from gateway.shell import keys as node_keys
from simulator.hosts.vm import VmNode
from tests.simulator.hosts.test_vm import DEADLINE_S, Responder
from tests.support.rom_loader import RomLoader
from tests.support.whole_node import OF_KIND, lay_out
from tests.support.workbench import bocage, files_of, made_interpreter
from wire import event

pytestmark = [pytest.mark.vm, pytest.mark.live, pytest.mark.slow]

QUICK = {"sample_s": 1, "telemetry_s": 1, "report_spread_s": 0, "ack_timeout_ms": 300, "wifi": ["bench", ""]}


@pytest.fixture
def gateway():
    made = Responder()
    yield made
    made.socket.close()


@pytest.mark.parametrize("kind", ["streetlight", "thermostat"])
def test_what_was_written_starts_joins_and_its_records_arrive(tmp_path, monkeypatch, micropython, gateway, kind):
    monkeypatch.chdir(tmp_path)
    made_interpreter(tmp_path / "micropython.bin")
    shared = {"kind": kind, "gateway": list(gateway.address), **OF_KIND[kind], **QUICK}
    (tmp_path / "shared.json").write_text(json.dumps(shared))
    assert bocage("new", "--like", "shared.json", "--place", "Mairie")[0] == 0
    module = RomLoader(console=lambda flash: ("ready 93000 bytes",))
    status, told = bocage("flash", "01", "--interpreter", "micropython.bin", "--port", module.port)
    module.close()
    assert status == 0, told
    files = files_of(module.flash)
    (key,) = (node_keys.read(path) for path in (tmp_path / "nodes").glob("*.key"))
    gateway.adopt(key)
    node = VmNode(tmp_path / "chip", json.loads(files["settings.json"]), micropython, heap_bytes=3 << 20, is_board=True)
    lay_out(tmp_path / "chip", kind, files)
    node.start()
    try:
        said, until = [], time.monotonic() + DEADLINE_S
        while not (gateway.events(event.BOOT) and any(isinstance(made.body, dict) for made in gateway.records)):
            assert time.monotonic() < until, "\n".join(said)
            gateway.pump()
            said += node.lines()
        assert any(line.startswith("ready ") for line in [*said, *node.lines()])
    finally:
        node.kill()


def test_the_guides_commands_word_for_word(tmp_path, monkeypatch, repository):
    text = (repository / "firmware" / "WORKSHOP.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, language in (("rue.json", "json"), ("rue.csv", "csv")):
        (tmp_path / name).write_text(re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    made_interpreter(tmp_path / "micropython.bin")
    module = RomLoader(console=lambda flash: ("ready 93000 bytes",))
    monkeypatch.setattr(list_ports, "comports", lambda: [SimpleNamespace(device=module.port, vid=0x303A)])
    told = []
    for level, line in re.findall(r"^    bocage (node|policy) (.*)$", text, re.MULTILINE):
        status, said = bocage(*shlex.split(line), level=level)
        assert status == 0, said
        told.append(said)
    module.close()
    _, made, written, labelled, listed = told
    assert (
        made.count("streetlight, ") == 2
        and "update_keys" not in made
        and "5/5  it starts: ready 93000 bytes" in written
    )
    assert labelled.startswith("labels.html: 1 label")
    assert "12 rue du Port" in listed and listed.count("program 1") == 1 and listed.count("not written yet") == 1
