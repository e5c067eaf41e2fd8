"""A node's chip on a pseudo-terminal, for mpremote as it is: a program that Ctrl-C ends in a restart, a loader that
Ctrl-C leaves at MicroPython's prompt, and that prompt, at which a real MicroPython runs what it is told.

The prompt is written from MicroPython's documentation ("The MicroPython Interactive Interpreter Mode (aka REPL)": raw
mode). Real are the interpreter, its files in `folder`, and the modules that the loader has at its root. A
pseudo-terminal carries no reset lines; how a real USB line behaves while it is opened is not shown here.
"""

import os
import pty
import select
import subprocess
import threading
import tty
from pathlib import Path

_DRIVER = """import sys
def run(code, space):
    try:
        exec(code, space)
    except SystemExit:
        return "restart"
    except Exception as error:
        return error
space = {}
while True:
    size = sys.stdin.readline()
    if not size:
        break
    ended = run(sys.stdin.read(int(size)), space)
    print("\\x04", end="")
    if ended == "restart":
        print("restart", end="")
    elif ended is not None:
        sys.print_exception(ended)
    print("\\x04", end="")
"""
# What a chip has and a desk has not. RTC memory is a file, so that it outlives a restart.
_MACHINE = """class WDT:
    def __init__(self, timeout):
        pass
class RTC:
    def memory(self, data=None):
        if data is None:
            try:
                return open("rtc.bin", "rb").read()
            except OSError:
                return b""
        with open("rtc.bin", "wb") as file:
            file.write(data)
def reset():
    raise SystemExit
"""
_ROOT = ("guard.py", "rtc.py", "slots.py")
_INTERRUPT, _RAW, _FRIENDLY, _END = b"\x03", b"\x01", b"\x02", b"\x04"
_PASTE = b"\x05A\x01"
_PROMPT = b"\r\n>>> "


class PromptChip:
    """Is the chip. `path`: of its line; `console`: what its program prints at each start, as a function of the folder;
    `place`: the module that says where programs are; `restarts`: how many there were."""

    def __init__(self, micropython, firmware: Path, folder: Path, console, place="place_folder"):
        self._micropython, self._folder, self._console = micropython, folder, console
        (folder / "place.py").write_bytes((firmware / "esp32" / f"{place}.py").read_bytes())
        for name in _ROOT:
            (folder / name).write_bytes((firmware / "esp32" / name).read_bytes())
        (folder / "machine.py").write_text(_MACHINE)
        (folder / "driver.py").write_text(_DRIVER)
        self.restarts = 0
        self._state = "program"
        self._held = b""

    def __enter__(self):
        self._near, far = pty.openpty()
        tty.setraw(far)
        self._far, self.path = far, os.ttyname(far)
        self._is_over = False
        self._child = None
        self._thread = threading.Thread(target=self._live)
        self._thread.start()
        return self

    def __exit__(self, *_why):
        self._is_over = True
        self._thread.join()
        self._stop_child()
        for end in (self._near, self._far):
            os.close(end)

    def _live(self):
        self._write(b"ready\r\n")
        while not self._is_over:
            if not select.select([self._near], [], [], 0.02)[0]:
                continue
            for byte in os.read(self._near, 4096):
                self._receive(bytes([byte]))

    def _write(self, data):
        os.write(self._near, data)

    def _receive(self, byte):
        if self._state == "program":
            if byte == _INTERRUPT:
                self._restart(b"KeyboardInterrupt: \r\n")
        elif self._state == "loader":
            if byte == _INTERRUPT:  # between the watchdog and the program
                self._state, self._held = "friendly", b""
                self._write(b"Traceback (most recent call last):\r\nKeyboardInterrupt: \r\nMicroPython\r\n>>> ")
            else:
                self._start()
        elif self._state == "friendly":
            if byte == _RAW:
                self._state, self._held = "raw", b""
                self._write(b"raw REPL; CTRL-B to exit\r\n>")
            elif byte == b"\r" and self._held:
                code, self._held = self._held, b""
                self._write(b"\r\n")
                self._run(code, _PROMPT)
            elif byte in (_INTERRUPT, b"\r"):
                self._held = b""
                self._write(_PROMPT)
            elif byte >= b" ":
                self._held += byte
                self._write(byte)
        else:
            self._receive_raw(byte)

    def _receive_raw(self, byte):
        if byte == _FRIENDLY:
            self._state, self._held = "friendly", b""
            self._write(_PROMPT)
        elif byte == _RAW and self._held + byte != _PASTE:
            self._held = b""
            self._write(b"raw REPL; CTRL-B to exit\r\n>")
        elif byte == _INTERRUPT:
            self._held = b""
        elif byte == _END:
            code, self._held = self._held, b""
            self._write(b"OK")
            self._run(code, b">")
        else:
            self._held += byte
            if self._held == _PASTE:
                self._held = b""
                self._write(b"R\x00")

    def _run(self, code, prompt):
        if self._child is None:
            words = [self._micropython, "driver.py"]
            self._child = subprocess.Popen(
                words, cwd=self._folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        self._child.stdin.write(b"%d\n" % len(code.decode()) + code)
        said = b""
        while said.count(_END) < 2:
            said += self._child.stdout.read(4096)
        if said.endswith(_END + b"restart" + _END):
            self._restart(b"")
        else:
            self._write(said.replace(b"\n", b"\r\n") + prompt)

    def _restart(self, last):
        """The loader runs until a byte comes, or the line is quiet."""
        self._stop_child()
        self.restarts += 1
        self._state = "loader"
        self._write(last + b"boot\r\n")
        if not select.select([self._near], [], [], 0.2)[0]:
            self._start()

    def _start(self):
        self._state = "program"
        self._write(self._console(self._folder).replace("\n", "\r\n").encode())

    def _stop_child(self):
        if self._child is not None:
            self._child.stdin.close()
            self._child.wait()
            self._child.stdout.close()
            self._child = None
