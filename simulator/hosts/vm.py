"""Runs a node as a real MicroPython process on the wall clock: boot.py and main.py, over UDP, with the chip's shims.

`VmNode` starts, stops and kills the process and passes on its console line by line; the bench's lamp, meter and network
are scripted through files in the node's folder (see simulator/shims). Must not know the protocol. POSIX signals and
MicroPython's search path stay in here.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wire

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delays Ctrl-C and SIGTERM while a process is started; their handlers run at the end.

    Within `subprocess.Popen` an interrupt would come between the new process and its name here, and nothing would ever
    end it. Where signals do not come (another thread than the main one), this changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


FIRMWARE = Path(wire.__file__).resolve().parents[1]  # the checkout's firmware folder, or where a wheel put its packages
SHIMS = Path(__file__).resolve().parents[1] / "shims"

# Exit codes of the shims: `machine.reset`, the watchdog, `machine.deepsleep`.
RESET_CODE = 120
WATCHDOG_CODE = 121
SLEEP_CODE = 123
# Virtual time has ended.
OVER_CODE = 124

POWER_ON = "PWRON_RESET"
BROWN_OUT = "BROWN_OUT"
WOKE = "DEEPSLEEP_RESET"

# The 2 MB of PSRAM of a node's module, for a VM whose objects are twice as large. `bocage bench node` measures what of
# it the program takes.
HEAP_BYTES = 4 << 20
# A console that is not read must not fill the memory.
LINES_KEPT_MAX = 50_000
# The chip's counter wraps three seconds after the start, so that a run of any length crosses the wrap.
TICKS_START = (1 << 30) - 3000
# A process that was asked to end is killed after this.
STOP_TIMEOUT_S = 5


def micropythons() -> list[str]:
    """Returns the paths of the VMs of this machine, each program once: those that BOCAGE_MICROPYTHON names, else the
    system's, those on the path, and the environment's own."""
    if named := os.environ.get("BOCAGE_MICROPYTHON"):
        return named.split(os.pathsep)
    folders = ["/usr/bin", *os.environ.get("PATH", "").split(os.pathsep), str(Path(sys.executable).parent)]
    found = [shutil.which("micropython", path=folder) for folder in folders if folder]
    return list({os.path.realpath(path): path for path in reversed(found) if path}.values())[::-1]


class VmNode:
    """Runs one node's process. Its folder keeps settings.json and the state files over starts, as its flash would.

    `settings`: plain data as `node.settings` accepts them; `wifi` may be left out. `heap_bytes`: the VM's heap, its own
    default when None. `is_board`: loader and programs lie in its folder. `line`: the terminal at the other end of its
    serial bearer. `uarts`: {number of a UART: the terminal of its part}. `virtual_ms`: how long it runs in virtual
    time, 0 for the wall clock's; its gateway then answers in lock-step (shims/bench_lockstep). Not thread-safe; its
    reader thread ends with the process.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        micropython: str,
        *,
        heap_bytes: int | None = None,
        line: str = "",
        uarts: Mapping[int, str] | None = None,
        virtual_ms: int = 0,
        is_board: bool = False,
    ) -> None:
        self.folder = folder
        self._is_board = is_board
        self._micropython = micropython
        self._heap_bytes = heap_bytes
        self._line = line
        self._uarts = uarts or {}
        self._virtual_ms = virtual_ms
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: deque[str] = deque(maxlen=LINES_KEPT_MAX)
        self._lamp = settings.get("lamp", (700, 4))
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"wifi": ["bench", ""], **settings})
        (folder / "settings.json").write_text(text, encoding="utf-8")

    def start(self, *, reset_cause: str = POWER_ON, wake_reason: str = "") -> None:
        """Applies power to the node.

        `reset_cause` is a name of `machine`, the cause that the node is to read. RTC memory survives any cause but a
        power-on. BROWN_OUT keeps it too, but the node reads it as a power-on, as on the chip. `wake_reason`: of a
        waking; left out, it is the timer.
        """
        assert not self.running, "stop it first"
        if reset_cause == POWER_ON:
            (self.folder / "bench-rtc").unlink(missing_ok=True)
        heap = [] if self._heap_bytes is None else ["-X", f"heapsize={self._heap_bytes}"]
        with uninterrupted():
            self._process = subprocess.Popen(
                [self._micropython, *heap, str(SHIMS / "start.py")],
                cwd=self.folder,
                env={**self._environment(reset_cause), "BOCAGE_WAKE_REASON": wake_reason},
                stdin=subprocess.PIPE,  # never written to: the node ends when it is closed
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
            self._reader.start()

    def kill(self) -> None:
        """Cuts the node's power: the process gets no chance to do anything (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._ended()

    def stop(self) -> None:
        """Asks the process to end (SIGTERM), and kills it after STOP_TIMEOUT_S."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._ended()

    @property
    def running(self) -> bool:
        """Returns True while the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """Returns the exit status of the last process: RESET_CODE, WATCHDOG_CODE, or a failure; None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int | None:
        """Returns the process id of the last start."""
        return None if self._process is None else self._process.pid

    def lines(self) -> list[str]:
        """Returns the console's lines since the last call, oldest first. Never blocks."""
        said = []
        with contextlib.suppress(IndexError):
            while True:
                said.append(self._lines.popleft())
        return said

    def lamp(self) -> tuple[bool, int] | None:
        """Returns (fed by the relay, dimming voltage in 0.1 V) by the lamp's twin; None before the first start."""
        try:
            words = (self.folder / "bench-lamp").read_text(encoding="ascii").split()
        except FileNotFoundError:
            return None
        # The twin rewrites the file in place: while it is being written it is empty, and the next call reads it.
        return (words[0] == "1", int(words[1])) if len(words) == 2 else None

    def script_lamp(self, fault: str) -> None:
        """Sets the lamp's fault: `dead`, `stuck`, `meter-silent`, or "" for a sound lamp."""
        (self.folder / "bench-fault").write_text(fault, encoding="ascii")

    def script_parts(self, parts: Mapping[str, Mapping[str, Any]]) -> None:
        """Sets what its parts measure from now on: {"ROOM": {"temperature_ck": 1650}, "CABLE": {"closed": False}}."""
        self._write_whole("bench-parts", json.dumps(parts))

    def edges(self) -> list[tuple[int, int, int]]:
        """Returns each change of an output in all its starts: (ms of the bench's clock, GPIO, level or duty)."""
        whole, _, _ = self._read_text("bench-edges").rpartition("\n")
        lines = [[int(word) for word in line.split()] for line in whole.splitlines()]
        return [(at_ms, number, level) for at_ms, number, level in lines]

    def valves(self) -> str:
        """Returns the positions of its latching valves, "1" for open: the master, then the zones."""
        return self._read_text("bench-valves")

    def block_call(self, call: str) -> None:
        """Makes the named call (shims/bench_watchdog) block from now on; an empty word ends it.

        A write to flash blocks only where `bench-flash` was in the folder at the start.
        """
        self._write_whole("bench-block", call)

    def script_block(self, block_ms: int) -> None:
        """Makes its next wait return only after `block_ms`, as a call that blocks."""
        self._write_whole("bench-block", str(block_ms))

    def script_wifi(self, word: str) -> None:
        """Sets the network's state: `down`, `busy`, or "" for a good network."""
        (self.folder / "bench-wifi").write_text(word, encoding="ascii")

    def _write_whole(self, name: str, text: str) -> None:
        written = self.folder / f"{name}.new"
        written.write_text(text, encoding="ascii")
        written.rename(self.folder / name)

    def _read_text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def _environment(self, reset_cause: str) -> dict[str, str]:
        # A board's programs are those of its own folder (`bocage node flash`); otherwise they are this checkout's.
        firmware = [str(self.folder)] if self._is_board else [str(FIRMWARE / "esp32"), str(FIRMWARE)]
        path = os.pathsep.join([str(SHIMS), *firmware, ".frozen"])
        return {
            **os.environ,
            "MICROPYPATH": path,
            "BOCAGE_ON_LEASH": "1",
            "BOCAGE_TICKS_START": str(TICKS_START),
            "BOCAGE_LINE": self._line,
            **{f"BOCAGE_UART_{number}": name for number, name in self._uarts.items()},
            "BOCAGE_VIRTUAL_MS": str(self._virtual_ms or ""),
            "BOCAGE_RESET_CAUSE": POWER_ON if reset_cause == BROWN_OUT else reset_cause,
            "BOCAGE_LAMP": ",".join(str(power) for power in self._lamp),
        }

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith("\n"):  # the power may fail in the middle of a line, and half a line has no meaning
                self._lines.append(line.rstrip("\r\n"))

    def _ended(self) -> None:
        assert self._process is not None and self._reader is not None
        self._process.wait()
        self._reader.join(STOP_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
