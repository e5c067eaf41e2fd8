"""`bocage node`: from an empty folder to a module that starts, by esptool as it is against a simulated ROM loader, and
every way in which a bench goes wrong."""

import json
import subprocess
from types import SimpleNamespace

import pytest
import segno
from esp_idf_defs.partitions import PartitionTable
from serial.tools import list_ports

from gateway.language import translate
from tests.support.rom_loader import RomLoader
from tests.support.workbench import FILE_SYSTEM, SHARED, bocage, files_of, made_interpreter
from tools import mpy
from tools.link.image import FIRMWARE
from tools.node import interpreter, module
from tools.node.board import rom_partition


@pytest.fixture
def chip():
    made = []

    def plug_in(**facts):
        made.append(RomLoader(**facts))
        return made[-1]

    yield plug_in
    for one in made:
        one.close()


def flash(port, *words):
    return bocage("flash", "01000001", "--interpreter", "micropython.bin", "--port", port, *words)


def starts(flash_bytes):
    """Says what a MicroPython with this file system says, as far as `flash` listens."""
    return ("rst:0x1 (POWERON)", "ready 93000 bytes of heap used, 1900000 free")


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '"streetlight"'])
def test_settings_that_a_hand_has_damaged_are_named(bench, text):
    bocage("new", "--like", "street.json")
    (settings_of,) = (bench / "nodes").glob("*.json")
    settings_of.write_text(text)
    status, told = flash("/dev/null")
    assert status == 2 and told.startswith(f"bocage node flash: nodes/{settings_of.name}:")


@pytest.mark.slow
def test_a_module_is_written_and_started_and_the_list_knows_it(bench, chip):
    bocage("new", "--like", "street.json", "--place", "Rue du Port 1")
    made = chip(console=starts)
    status, told = flash(made.port)
    assert status == 0, told
    assert "1/5  ESP32-S3, 8 MB of flash, 2 MB of PSRAM, 7c:df:a1:00:00:01" in told
    assert "3/5  writing: " in told and "5/5  it starts: ready 93000" in told
    assert "7c:df:a1:00:00:01, program 1" in bocage("list")[1]
    written = (bench / "micropython.bin").read_bytes()
    assert bytes(made.flash[: len(written)]) == written
    assert "secret" not in told
    files = files_of(made.flash)
    assert json.loads(files["settings.json"])["wifi"] == SHARED["wifi"]
    assert {"boot.py", "main.py", "a/main.mpy", "r/main.mpy"} <= set(files)


@pytest.fixture(scope="module")
def table(repository):
    """The partition table of an interpreter of our own, checked and made by ESP-IDF's own code."""
    made = PartitionTable.from_csv((repository / "firmware/interpreter/partitions.csv").read_text(encoding="utf-8"))
    made.verify()
    made.verify_size_fits(8 << 20)
    return made


def test_the_table_of_our_interpreter_has_its_places_where_tools_and_chip_look(bench, table):
    read = interpreter.read(made_interpreter(bench / "own.bin", table=table.to_binary()), "ESP32-S3")
    assert read.rom == (0x4F0000, 0x100000) and read.file_system(8 << 20) == (0x5F0000, 0x210000)
    assert [table.find_by_name(name).type for name in ("romfs", "vfs")] == [1, 1], "data, as the port looks for them"


@pytest.mark.slow
def test_an_interpreter_of_our_own_gets_the_program_in_place_and_the_settings_beside_it(bench, chip, table):
    bocage("new", "--like", "street.json")
    made_interpreter(bench / "micropython.bin", table=table.to_binary())
    made = chip(console=starts)
    status, told = flash(made.port)
    assert status == 0, told
    assert set(files_of(made.flash, 0x5F0000)) == {"settings.json"}
    wanted = rom_partition(FIRMWARE, mpy.find_compiler(), "streetlight", 1, 0x100000)
    assert bytes(made.flash[0x4F0000:0x5F0000]) == wanted


@pytest.mark.vm
@pytest.mark.slow
def test_micropython_mounts_what_was_made_and_may_write_into_it(tmp_path, micropython):
    files = {"main.py": b"print('hello')\n", "a/kinds/streetlight.mpy": bytes(range(256)) * 40, "settings.json": b"{}"}
    image = bytearray(b"\xff" * (2 << 20))
    for at, data in interpreter.pieces(files, len(image)):
        image[at : at + len(data)] = data
    (tmp_path / "vfs.bin").write_bytes(image)
    (tmp_path / "read.py").write_text(READ.replace("PATH", str(tmp_path / "vfs.bin")))
    done = subprocess.run([micropython, str(tmp_path / "read.py")], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["10240", "2", "hello", "kept"], done.stderr


READ = """
import vfs
class Flash:
    def __init__(self):
        self.file = open("PATH", "r+b")
    def readblocks(self, number, buffer, offset=0):
        self.file.seek(number * 4096 + offset)
        self.file.readinto(buffer)
    def writeblocks(self, number, buffer, offset=0):
        self.file.seek(number * 4096 + offset)
        self.file.write(buffer)
    def ioctl(self, what, value):
        return {4: (2 << 20) // 4096, 5: 4096}.get(what, 0)
vfs.mount(Flash(), "/flash")
print(len(open("/flash/a/kinds/streetlight.mpy", "rb").read()))
print(len(open("/flash/settings.json").read()))
exec(open("/flash/main.py").read())
with open("/flash/new", "w") as file:
    file.write("kept")
print(open("/flash/new").read())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "cut",
    [{"cut_at": command} for command in (0x0A, 0x05, 0x10, 0x13)] + [{"cut_after": 300_000}],
    ids=["asked what it is", "given its loader", "before it is written", "read back", "while it is written"],
)
def test_a_line_that_breaks_at_any_step_is_told_and_the_same_again_finishes(bench, chip, cut):
    bocage("new", "--like", "street.json")
    made = chip(console=starts, **cut)
    status, told = flash(made.port)
    assert status == 1 and "the line broke: see cable and supply, then the same again" in told
    assert "not written yet" in bocage("list")[1]
    status, told = flash(made.port)
    assert status == 0, told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({"psram": 0}, "no PSRAM, without which streetlight does not start"),
        ({"flash_mb": 4}, "4 MB of flash; streetlight needs 8"),
        ({"chip": 5}, "streetlight is made for ESP32-S3-WROOM-1-N8R2; this is a ESP32-C3"),
    ],
)
def test_a_module_that_the_kind_does_not_run_on_is_left_as_it_is(bench, chip, facts, remedy):
    bocage("new", "--like", "street.json")
    made = chip(**facts)
    status, told = flash(made.port)
    assert status == 1 and remedy in told
    assert set(made.flash) == {0xFF}


@pytest.mark.slow
def test_a_module_that_is_another_node_is_refused_until_a_swap_is_meant(bench, chip):
    for _ in range(2):
        bocage("new", "--like", "street.json")
    made = chip(console=starts)
    assert flash(made.port)[0] == 0
    words = ("flash", "01000002", "--interpreter", "micropython.bin", "--port", made.port)
    status, told = bocage(*words)
    assert status == 1 and "01000001; if it is to become" in told
    assert bocage(*words, "--swap")[0] == 0
    other = chip(console=starts, mac=bytes.fromhex("7cdfa1000002"))
    status, told = bocage(*words[:-1], other.port)
    assert status == 1 and "was written into module 7c:df:a1:00:00:01" in told


@pytest.mark.slow
def test_a_node_that_refuses_its_settings_is_told_by_its_own_words(bench, chip):
    bocage("new", "--like", "street.json")
    made = chip(console=lambda flash_bytes: ("settings: lamp[0] is 0: give an integer from 1 to 100000",))
    status, told = flash(made.port)
    assert status == 1 and "the node refuses its settings: settings: lamp[0] is 0" in told


def test_a_port_that_is_not_there_and_a_file_that_is_no_interpreter(bench, tmp_path):
    bocage("new", "--like", "street.json")
    status, told = flash("/dev/ttyACM9")
    assert status == 2 and "--port /dev/ttyACM9: is not there" in told
    for data in (b"", b"MZ" + bytes(100_000), made_interpreter(tmp_path / "c3.bin", chip=5).read_bytes()):
        (tmp_path / "wrong.bin").write_bytes(data)
        with pytest.raises(interpreter.UsageError, match="is no MicroPython for ESP32-S3"):
            interpreter.read(tmp_path / "wrong.bin", "ESP32-S3")


def test_the_file_system_is_where_the_port_looks_for_it(tmp_path):
    new = interpreter.read(made_interpreter(tmp_path / "new.bin"), "ESP32-S3")
    assert new.file_system(8 << 20) == (FILE_SYSTEM, (8 << 20) - FILE_SYSTEM)
    old = interpreter.read(made_interpreter(tmp_path / "old.bin", vfs=(0x200000, 0x600000)), "ESP32-S3")
    assert old.file_system(8 << 20) == (0x200000, 0x600000)
    with pytest.raises(interpreter.UsageError, match="wants more flash than the 4 MB"):
        old.file_system(4 << 20)


@pytest.mark.slow
def test_a_batch_goes_on_past_a_bad_module_and_a_second_run_writes_only_what_is_left(bench, chip, monkeypatch):
    for place in ("Rue du Port 1", "Rue du Port 2"):
        bocage("new", "--like", "street.json", "--place", place)
    plugged = [chip(psram=0), chip(console=starts), chip(console=starts, mac=bytes.fromhex("7cdfa1000002"))]
    monkeypatch.setattr(list_ports, "comports", lambda: [SimpleNamespace(device=plugged[0].port, vid=0x303A)])
    monkeypatch.setattr(module, "await_absence", lambda port: plugged.pop(0))
    status, told = bocage("flash", "--all", "--interpreter", "micropython.bin")
    assert status == 0, told
    assert (
        told.count("1 of 2: ") == 2 and "has no PSRAM" in told and "2 of 2: " in told and "all are written: 2" in told
    )
    assert [line.split("module ")[1][:17] for line in bocage("list")[1].splitlines()] == [
        "7c:df:a1:00:00:01",
        "7c:df:a1:00:00:02",
    ]
    assert bocage("flash", "--all", "--interpreter", "micropython.bin") == (0, "all are written: 0\n")
    assert bocage("flash", "--interpreter", "micropython.bin")[0] == 2


def test_a_label_shows_the_id_and_the_place_and_no_secret(bench):
    for place in ("Rue du Port 1", "<b> & 2"):
        bocage("new", "--like", "street.json", "--place", place)
    assert bocage("label") == (0, "labels.html: 2 labels; print it from a browser at 100 %, without margins\n")
    page = (bench / "labels.html").read_text()
    held = json.loads(next((bench / "nodes").glob("*.json")).read_text())
    assert f"{held['node'][:8]}\n{held['node'][8:]}" in page and f"kid {held['kid']}" in page and "Streetlight<" in page
    assert page.count("<svg") == 2 and "&lt;b&gt; &amp; 2" in page and held["master_secret"] not in page
    assert _code(f"http://192.168.50.1:8080/node/{held['node']}") in page
    bocage("label", held["node"], "--out", "one.html", "--page", "https://[fd00::1]:8443")
    one = (bench / "one.html").read_text()
    assert _code(f"https://[fd00::1]:8443/node/{held['node']}") in one and one.count("<svg") == 1
    assert bocage("label", "--page", "x/y")[0] == 2


def _code(address):
    """Returns the picture of a QR code, as a label has it."""
    return segno.make(address, error="m", micro=False).svg_inline(border=2, omitsize=True)


def test_a_replacement_has_the_settings_and_nothing_else_of_the_old_node(bench):
    bocage("new", "--like", "street.json", "--place", "Rue du Port 1")
    status, told = bocage("replace", "01000001")
    assert status == 0 and "--remove" in told
    old, new = [json.loads(path.read_text()) for path in sorted((bench / "nodes").glob("*.json"))]
    assert {name for name in new if new[name] != old[name]} == {"node", "kid", "master_secret"}
    assert new["node"].endswith("01000002") and new["master_secret"] not in told
    said = bocage("list")[1].splitlines()
    assert f"out of use: {new['node']} replaces it" in said[0] and "Rue du Port 1" in said[1]
    for words in (("replace",), ("label",), ("flash", "--interpreter", "micropython.bin")):
        assert "no node in use of" in bocage(*words, "01000001")[1]


_OPEN = "A fatal error occurred: Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n({})\n"


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (_OPEN.format("[Errno 11] Could not exclusively lock port /dev/ttyUSB0: [Errno 11]"), "un autre programme"),
        (_OPEN.format("[Errno 13] could not open port /dev/ttyUSB0: [Errno 13] Permission denied"), "dialout"),
        ("A fatal error occurred: Failed to connect to ESP32-S3: No serial data received.", "BOOT"),
        ("A serial exception error occurred: device disconnected or multiple access on port?", "voir le câble"),
    ],
)
def test_what_esptool_says_of_a_port_has_its_remedy_in_french(said, remedy):
    told = translate(module._remedy(said), "fr", port="/dev/ttyUSB0", words="…")
    assert told.startswith("/dev/ttyUSB0 : ") and remedy in told
