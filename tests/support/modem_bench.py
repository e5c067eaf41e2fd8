"""The simulated twin of a mobile modem: an AT interpreter in states, bare or on a pseudo-terminal.

`SimModem` takes bytes and gives bytes; nothing in it waits. `PtyModem` puts it behind a terminal that pyserial opens
like a real port. It knows the commands that the gateway asks and the answers that 3GPP TS 27.007 gives to them; it must
never be taken for a model of a radio network.
"""

import contextlib
import os
import select
import tty
from pathlib import Path
from threading import Event, Lock, Thread

STATES = ("registered", "roaming", "searching", "denied", "no-sim", "pin", "puk", "hung")
_STATIONS = {"registered": 1, "roaming": 5, "searching": 2, "denied": 3}
_SIM_ERRORS = {"no-sim": (10, "SIM not inserted"), "puk": (12, "SIM PUK required")}
_CHATTER = (b"\r\nRING\r\n", b"\r\n^RSSI:18\r\n", b'\r\n+CREG: 1,"1A2B","01C3D4E5",7\r\n', b"\r\n\xfe\x80rubbish\r\n")
_LINE_MAX = 512


class SimModem:
    """`state` is one of STATES and may be changed at any time; `echo` and `chatty` as well."""

    def __init__(self, state: str = "registered", *, echo: bool = True, chatty: bool = False) -> None:
        assert state in STATES, state
        self.state = state
        self.echo = echo
        self.chatty = chatty
        self.rssi = 18
        self.operator = "Orange F"
        self.technology = 7
        self.asked: list[str] = []  # every command that came, for tests
        self.restarts = 0
        self._errors = 0
        self._line = b""
        self._chatter = 0

    def receive(self, data: bytes) -> bytes:
        """What the modem says to these bytes."""
        said = b""
        for index in range(len(data)):
            byte = data[index : index + 1]
            if byte != b"\r":
                self._line = (self._line + byte)[:_LINE_MAX]
                continue
            line, self._line = self._line.strip(), b""
            said += self._command(line.decode("ascii", "replace"))
        return said

    def restart(self) -> None:
        """As after a power cut: echo and the form of errors are forgotten; a hung one answers again."""
        self.restarts += 1
        self.echo, self._errors, self._line = True, 0, b""
        if self.state == "hung":
            self.state = "searching"

    def _command(self, command: str) -> bytes:
        if not command:
            return b""
        self.asked.append(command)
        if self.state == "hung":
            return b""
        said = command.encode("ascii", "replace") + b"\r\n" if self.echo else b""
        body, final = self._answer(command.upper())
        if self.chatty:
            said += _CHATTER[self._chatter % len(_CHATTER)]
            self._chatter += 1
        if body:
            said += b"\r\n" + body.encode() + b"\r\n"
        return said + b"\r\n" + final.encode() + b"\r\n"

    def _answer(self, command: str) -> tuple[str, str]:
        """The line of information, if any, and the final one."""
        if command in ("ATE0", "ATE1"):
            self.echo = command == "ATE1"
            return "", "OK"
        if command.startswith("AT+CMEE="):
            self._errors = int(command[-1]) if command[-1] in "012" else 0
            return "", "OK"
        if command == "AT+CFUN=1,1":
            self.restart()
            return "", "OK"
        if command in ("AT", "AT+COPS=0", "AT+CFUN=1"):
            return "", "OK"
        return self._question(command)

    def _question(self, command: str) -> tuple[str, str]:
        registered = self.state in ("registered", "roaming")
        if command == "AT+CPIN?":
            if self.state in _SIM_ERRORS:
                return "", self._error(*_SIM_ERRORS[self.state])
            return f"+CPIN: {'SIM PIN' if self.state == 'pin' else 'READY'}", "OK"
        if command == "AT+CSQ":
            return f"+CSQ: {self.rssi if registered else 99},99", "OK"
        if command in ("AT+CREG?", "AT+CEREG?"):
            return f"{command[2:-1]}: 0,{_STATIONS.get(self.state, 0)}", "OK"
        if command == "AT+CGATT?":
            return f"+CGATT: {int(registered)}", "OK"
        if command == "AT+COPS?":
            return f'+COPS: 0,0,"{self.operator}",{self.technology}' if registered else "+COPS: 0", "OK"
        return "", self._error(4, "operation not supported")

    def _error(self, number: int, text: str) -> str:
        return ("ERROR", f"+CME ERROR: {number}", f"+CME ERROR: {text}")[self._errors]


class PtyModem:
    """A modem behind a pseudo-terminal, found under `link` as under /dev/serial/by-id. Each `plug` is a new device."""

    def __init__(self, modem: SimModem, link: Path, *, piece_max: int = 7) -> None:
        """`piece_max`: answers leave in pieces of at most so many bytes, as lines come over USB."""
        self.modem = modem
        self._link = link
        self._piece_max = piece_max
        self._lock = Lock()
        self._master: int | None = None
        self._stop = Event()
        self._thread: Thread | None = None

    def plug(self) -> None:
        """The port appears."""
        master, slave = os.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(name)
        self._stop = Event()
        self._master = master
        # The slave stays open here: a terminal that nobody has open hangs up, which a USB port does not.
        self._thread = Thread(target=self._run, args=(master, slave, self._stop), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """The port is gone, under whoever has it open."""
        self._link.unlink(missing_ok=True)
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def say(self, data: bytes) -> None:
        """Bytes that come by themselves."""
        with self._lock:
            if self._master is not None:
                os.write(self._master, data)

    def _run(self, master: int, slave: int, stop: Event) -> None:
        try:
            while not stop.is_set():
                readable, _, _ = select.select([master], [], [], 0.02)
                if readable:
                    said = self.modem.receive(os.read(master, 1024))
                    with self._lock:
                        for start in range(0, len(said), self._piece_max):
                            os.write(master, said[start : start + self._piece_max])
        except OSError:
            pass
        finally:
            with self._lock:
                self._master = None
            for descriptor in (slave, master):
                with contextlib.suppress(OSError):
                    os.close(descriptor)
