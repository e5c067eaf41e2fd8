"""Notifies systemd (sd_notify(3), Type=notify): ready, one line of status, the watchdog, stopping.

One datagram for each message to the Unix socket that NOTIFY_SOCKET names, a path or an abstract name (`@…`). Without
the variable nothing is sent, so that the agent runs the same from a terminal. It must never raise and never wait:
a manager that does not read is no reason to stop the street's records.
"""

import os
import socket
from collections.abc import Mapping

_STATUS_CHARACTERS_MAX = 200


class Notifier:
    """Sends notices. `watchdog_ms`: systemd kills us after this long without one; None when it does not watch us."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._socket: socket.socket | None = None
        self._ready_due = False
        self.watchdog_ms = _watchdog_ms(environment) if self._address else None
        self.counters = {"sent": 0, "not-sent": 0}

    def ready(self, status: str) -> None:
        """Reports that we serve, and repeats it with the next message if the manager's queue is full now."""
        self._ready_due = True
        self._send(_status(status))

    def status(self, text: str) -> None:
        """Sends one line for `systemctl status`."""
        self._send(_status(text))

    def alive(self) -> None:
        """Feeds the watchdog of systemd."""
        self._send("WATCHDOG=1")

    def extend(self, duration_ms: int) -> None:
        """Asks systemd not to end the start before `duration_ms` from now. Feeds the watchdog as well."""
        self._send(f"EXTEND_TIMEOUT_USEC={1000 * duration_ms}\nWATCHDOG=1")

    def stopping(self, status: str) -> None:
        """Reports that an orderly end has begun."""
        self._send(f"STOPPING=1\n{_status(status)}")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        if self._ready_due:
            message = f"READY=1\n{message}"
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)
            self._socket.sendto(message.encode(), self._address)
        except (OSError, ValueError):  # no such socket, its queue full; an address that cannot be one
            self.counters["not-sent"] += 1
            return
        self._ready_due = False
        self.counters["sent"] += 1


def _address(name: str) -> str | None:
    """Returns the socket's address for Python. systemd also knows `vsock:`, for virtual machines: not used here."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _watchdog_ms(environment: Mapping[str, str]) -> int | None:
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None  # meant for the process that started us
    text = environment.get("WATCHDOG_USEC", "")
    # Below a millisecond it is a mistake, no watchdog.
    duration_ms = int(text) // 1000 if text.isascii() and text.isdigit() else 0
    return duration_ms or None


def _status(text: str) -> str:
    """Returns the assignment of one line: a line break would begin the next assignment."""
    return f"STATUS={' '.join(text.split())[:_STATUS_CHARACTERS_MAX]}"
