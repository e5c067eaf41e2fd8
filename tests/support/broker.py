"""A real Mosquitto on a free loopback port, for tests marked `broker`; and waits that end, well or badly."""

import os
import queue
import re
import signal
import socket
import subprocess
import time

from simulator.rig import ports

# Nothing waits for a time to pass: this only ends a test that would hang.
PATIENCE_S = 60


def free_port():
    return ports.free_port(socket.SOCK_STREAM)


class Mosquitto:
    """One broker in a folder of its own. `more` are further lines of its configuration."""

    def __init__(self, program, folder, *, more=""):
        self.port = free_port()
        config = (
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_dest none\npersistence false\n"
            f"user {os.environ.get('USER', 'root')}\n{more}"
        )
        (folder / "mosquitto.conf").write_text(config)
        self._ports = [int(port) for port in re.findall(r"^listener (\d+)", config, re.M)]
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        self._process = None

    def start(self):
        """Returns when it listens, on each of its ports: it opens one after the other."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_S
        for port in self._ports:
            while not ports.listens(port):
                assert self._process.poll() is None and time.monotonic() < end, "mosquitto does not start"

    def kill(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


class Inbox:
    """A queue of what another thread posts."""

    def __init__(self):
        self._queue = queue.Queue()
        self.seen = []

    def post(self, event):
        self._queue.put(event)

    def wait_for(self, matches):
        """The next event that `matches` (a type, or a function); what comes before stays in `seen`."""
        wanted = (lambda event: isinstance(event, matches)) if isinstance(matches, type) else matches
        end = time.monotonic() + PATIENCE_S
        while True:
            event = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            self.seen.append(event)
            if wanted(event):
                return event

    def rest(self):
        """What is still in the queue, once nobody posts any more."""
        while not self._queue.empty():
            self.seen.append(self._queue.get())
        return self.seen


class LinkInbox(Inbox):
    """What a MqttLink posts, taken as the agent does: `wait_for` sees the events that come out of `take`. Set `link`
    before the first wait."""

    def __init__(self):
        super().__init__()
        self.link = None
        self._taken = []

    def wait_for(self, matches):
        wanted = (lambda event: isinstance(event, matches)) if isinstance(matches, type) else matches
        end = time.monotonic() + PATIENCE_S
        while True:
            while not self._taken:
                self._taken += self.link.accept(self._queue.get(timeout=max(0.01, end - time.monotonic())))
            event = self._taken.pop(0)
            self.seen.append(event)
            if wanted(event):
                return event

    def rest(self):
        self.seen += self._taken
        self._taken = []
        while not self._queue.empty():
            self.seen += self.link.accept(self._queue.get())
        return self.seen

    def waiting(self):
        """Events posted and not yet taken."""
        return self._queue.qsize()


def until(condition, what):
    """Wait for something of another thread that nobody announces."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)
