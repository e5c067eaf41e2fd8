"""Renode's keywords, as far as the suites of this folder use them, for QEMU: they run the same script of its monitor.

A command that only Renode has is refused: tag its test `renode`, and it is skipped here.
"""

import re
import tempfile
import time
from pathlib import Path

from tools.bare import machine

ROOT = Path(__file__).resolve().parents[2]
ASSIGNED = re.compile(r"\$(\w+)(\?)?=@?(.+)")


class qemu_keywords:  # noqa: N801 - Robot Framework finds a library's class by the name of its file
    """One machine a test."""

    ROBOT_LIBRARY_SCOPE = "TEST"
    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self):
        self.ROBOT_LIBRARY_LISTENER = self
        self._variables = {}
        self._binaries = {}
        self._elf = None
        self._machine = None
        self._folder = tempfile.TemporaryDirectory()
        self._memory = Path(self._folder.name) / "memory"
        self._text = b""
        self._timeout_s = 8.0

    def end_test(self, _data, _result):
        """Ends the machine of the test; Robot Framework calls this."""
        if self._machine is not None and self._machine.running:
            self._machine.close()

    def execute_command(self, command):
        """Does what a line of Renode's monitor says."""
        for name, value in self._variables.items():
            command = command if command.startswith(f"${name}") else command.replace(f"${name}", value)
        words = command.split()
        if found := ASSIGNED.fullmatch(command):
            if found[2] is None or found[1] not in self._variables:
                self._variables[found[1]] = found[3]
        elif words[0] == "include":
            self._run((ROOT / words[1].removeprefix("@")).read_text(encoding="utf-8"))
        elif words[:2] == ["sysbus", "LoadELF"]:
            self._elf = ROOT / words[2]
        elif words[:2] == ["sysbus", "LoadBinary"]:
            self._binaries[int(words[3], 16)] = (ROOT / words[2]).read_bytes()
        elif words[:2] == ["machine", "LoadPlatformDescription"]:
            self._check_platform((ROOT / words[2].removeprefix("@")).read_text(encoding="utf-8"))
        elif words[:2] == ["machine", "Reset"]:
            self._machine.close()
            self._power()
        elif words[:2] != ["mach", "create"] and words[0] not in (":name:", ":description:"):
            raise AssertionError(f"QEMU has no {command!r}: tag the test `renode`")

    def create_terminal_tester(self, uart, timeout=8):
        """Sets for how long a line is waited for, in seconds."""
        assert uart == "sysbus.uart0"
        self._timeout_s = float(timeout)

    def start_emulation(self):
        """Gives the machine power."""
        machine.make_memory(self._memory, self._binaries[machine.FLASH])
        self._power()

    def wait_for_line_on_uart(self, content):
        """Waits for a line that has this in it."""
        while content not in (found := self.wait_for_next_line_on_uart())["line"]:
            pass
        return found

    def wait_for_next_line_on_uart(self):
        """Waits for a line, whatever it says."""
        until_s = time.monotonic() + self._timeout_s
        while b"\n" not in self._text:
            assert time.monotonic() < until_s, f"no line came, but {self._text!r}"
            self._text += self._machine.read(0.1)
        line, _, self._text = self._text.partition(b"\n")
        return {"line": line.rstrip(b"\r").decode("utf-8", "replace")}

    def _power(self):
        self._text = b""
        self._machine = machine.Machine(self._elf, self._binaries[machine.ROM], memory=self._memory, counted=True)

    def _run(self, script):
        """Runs a script; a macro's lines are done where it is run, and it is run once here."""
        for line in script.splitlines():
            if line.strip() and line.strip() != '"""' and not line.startswith(("macro ", "runMacro ")):
                self.execute_command(line.strip())

    def _check_platform(self, text):
        """Compares the platform with the machine that QEMU gives."""
        ram = re.search(r"^ram: .* (0x\w+)\n\s+size: (0x\w+)", text, re.M)
        assert (int(ram[1], 16), int(ram[2], 16)) == (machine.RAM, machine.RAM_BYTES)
        assert "uart0: UART.NS16550 @ sysbus 0x10000000" in text
