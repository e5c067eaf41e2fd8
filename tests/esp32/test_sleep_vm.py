"""A water meter on its cell as a real MicroPython process: `main` really sleeps, and what wakes goes on in the same
boot."""

import time

import pytest

from esp32 import rtc
from simulator.hosts import vm
from simulator.hosts.keys import settings_of
from simulator.hosts.vm import FIRMWARE, VmNode
from tests.esp32.test_loader_vm import laid_out
from tests.simulator.hosts.test_vm import NODE, Responder
from tools.node.board import board_files
from wire import event, quantity

pytestmark = [pytest.mark.vm, pytest.mark.live, pytest.mark.slow]

DEADLINE_S = 40
KIND = "water_meter"
# Minutes and hours of the product, in the seconds of a test.
QUICK = {
    "a/node/limits.py": {
        "AWAKE_AFTER_START_MS = 300_000": "AWAKE_AFTER_START_MS = 1_000",
        "SLEEP_MIN_MS = 20_000": "SLEEP_MIN_MS = 100",
    },
    "a/kinds/water_meter.py": {"_SLEEP_MAX_MS = 900_000": "_SLEEP_MAX_MS = 1_500"},
}


class Chip:
    """RTC memory as it lies in the node's folder."""

    def __init__(self, folder):
        self._path = folder / "bench-rtc"

    def memory(self):
        return self._path.read_bytes()


class Board:
    def __init__(self, folder, micropython):
        self.responder = Responder()
        settings = {
            "node": NODE.hex(), "kind": KIND, "gateway": list(self.responder.address), **settings_of(NODE),
            "meter": [10_000, 60_000], "battery": True, "sample_s": 60, "telemetry_s": 1, "report_spread_s": 0,
            "ack_timeout_ms": 300,
        }  # fmt: skip
        self.folder = folder
        self.node = VmNode(folder, settings, micropython, heap_bytes=2 << 20, is_board=True)
        files = board_files(FIRMWARE, None, KIND, 1)
        for path, changes in QUICK.items():
            text = files[path].decode()
            for slow, fast in changes.items():
                assert text.count(slow) == 1, slow
                text = text.replace(slow, fast)
            files[path] = text.encode()
        laid_out(folder, files)
        # The bench's twins stand on a board's facts as well.
        laid_out(folder, {path[2:]: data for path, data in files.items() if path.startswith("a/boards/")})
        laid_out(folder, {"boards/streetlight.py": (FIRMWARE / "boards" / "streetlight.py").read_bytes()})
        self.said = []
        self.wakings = 0

    def until(self, what, *, wakes=True):
        """Serve it; when it sleeps, wake it at its time."""
        deadline = time.monotonic() + DEADLINE_S
        while not what():
            assert time.monotonic() < deadline, "\n".join(self.said[-60:])
            self.responder.pump()
            self.said += self.node.lines()
            if wakes and not self.node.running:
                self.asleep()
                wake_at = time.monotonic() + self.sleep_ms() / 1000
                while time.monotonic() < wake_at:
                    self.responder.pump()
                self.wakings += 1
                self.node.start(reset_cause=vm.WOKE)

    def until_asleep(self):
        self.until(lambda: not self.node.running, wakes=False)
        self.asleep()

    def asleep(self):
        self.said += self.node.lines()
        assert self.node.returncode == vm.SLEEP_CODE, "\n".join(self.said[-60:])

    def sleep_ms(self):
        return int((self.folder / "bench-sleep").read_text())

    def boots(self):
        return {made.boot for made in self.responder.records}

    def image(self):
        return rtc.Memory(Chip(self.folder)).get(rtc.TRADE)


@pytest.mark.every_vm
def test_main_sleeps_and_wakes_in_the_same_boot_and_its_image_serves_once(tmp_path, micropython):
    board = Board(tmp_path / "node", micropython)
    records = board.responder.records
    try:
        board.node.start()
        board.until_asleep()
        assert board.image() is not None and board.sleep_ms() <= 1500
        before = len(records)
        board.until(lambda: len(records) > before + 2)
        assert board.wakings > 0
        assert not board.node.running or board.image() is None, "spoilt before anything was sent"
        assert board.boots() == {1} and len(board.responder.events(event.BOOT)) == 1, "\n".join(board.said[-60:])
        numbers = sorted(made.sequence for made in records)  # alarms leave first
        assert numbers == list(range(len(numbers))), "no number twice, none left out"
        assert board.responder.link.sessions.counters["handshakes"] == 1

        # A pulse of the meter, by its pin: it counts, though nobody was there to count it.
        board.until_asleep()
        before = len(records)
        board.node.start(reset_cause=vm.WOKE, wake_reason="EXT1_WAKE")
        board.until(lambda: any(flows(records[before:])), wakes=False)

        # The watchdog bites while it is awake: the image is spent, so this is a start.
        board.node.kill()
        board.node.start(reset_cause="WDT_RESET")
        board.until(lambda: len(board.responder.events(event.BOOT)) == 2, wakes=False)
        assert board.boots() == {1, 2}
    finally:
        board.node.kill()
        board.responder.socket.close()


def flows(records):
    bodies = [made.body for made in records if isinstance(made.body, dict)]
    return [body[quantity.WATER_FLOW] for body in bodies if quantity.WATER_FLOW in body]
