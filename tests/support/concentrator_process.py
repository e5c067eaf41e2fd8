"""The concentrator's own program as a MicroPython process: its line are the process's pipes, its radio a script."""

import subprocess
import threading
import time

from wire import radio, radio_update, slip

DEADLINE_S = 40
# The chip's modules. The air returns what was sent to a node.
SCRIPTS = {
    "machine": """
        import sys
        PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
        def reset_cause():
            return WDT_RESET
        def reset():
            sys.exit(120)
        class WDT:
            def __init__(self, *, timeout):
                assert timeout <= 30_000
            def feed(self):
                pass
    """,
    "network": """
        STA_IF = 0
        class WLAN:
            PM_NONE, PROTOCOL_LR = 0, 8
            def __init__(self, interface):
                pass
            def active(self, on):
                pass
            def disconnect(self):
                raise OSError("not connected")
            def config(self, **settings):
                pass
    """,
    "espnow": """
        class ESPNow:
            def __init__(self):
                self.peers_table, self.peers, self.air, self.sent = {}, set(), [], 0
            def active(self, on):
                if not on:
                    self.peers = set()
            def config(self, **settings):
                pass
            def add_peer(self, mac):
                self.peers.add(mac)
            def del_peer(self, mac):
                self.peers.remove(mac)
            def send(self, mac, data, wait):
                if mac not in self.peers or wait:
                    raise OSError("ESP_ERR_ESPNOW_NOT_FOUND")
                self.sent += 1
                self.air.append((mac, b"echo " + data))
            def stats(self):
                return (self.sent, self.sent, 0, 0, 7)
            def recvinto(self, buffers, timeout_ms):
                if not self.air:
                    return 0
                mac, data = self.air.pop(0)
                self.peers_table[mac] = [-77, 0]
                buffers[0], buffers[2] = mac, -77
                buffers[1][:len(data)] = data
                return len(data)
    """,
}
# What a desktop VM cannot do: poll a Python object for the air.
POLL_SCRIPT = """
import select as chip
import sys
POLLIN = chip.POLLIN
class poll:
    def __init__(self):
        self._poll = chip.poll()
    def register(self, source, events):
        if source is sys.stdin:
            self._poll.register(source, events)
    def poll(self, timeout_ms):
        return self._poll.poll(timeout_ms)
"""


RESET_STATUS = 120  # what `machine.reset` of the script ends the process with


def furnish(folder):
    """The chip's own modules."""
    for name, script in SCRIPTS.items():
        lines = [line[8:] for line in script.splitlines()]
        (folder / f"{name}.py").write_text("\n".join(lines), encoding="utf-8")
    (folder / "air_poll.py").write_text(POLL_SCRIPT, encoding="utf-8")


def with_air_poll(source):
    """A program's text with the script's `select`."""
    assert source.count("import select\n") == 1
    return source.replace("import select\n", "import air_poll as select\n")


class Process:
    """`main.py` in a folder, from start to kill. `heard`: the messages on its line."""

    def __init__(self, folder, micropython, path):
        self._process = subprocess.Popen(
            [micropython, "main.py"],
            cwd=folder,
            env={"MICROPYPATH": path, "PATH": "/usr/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.heard = []
        self.noise = b""
        self._decoder = slip.Decoder(radio.BODY_BYTES_MAX)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while data := self._process.stdout.read(256):
            self.noise += data
            for body in self._decoder.feed(data):
                protocol = radio_update if body[0] in radio_update.TOLD else radio
                self.heard.append(protocol.decode(body))

    def tell(self, data):
        self._process.stdin.write(data)

    def until(self, kind, is_so=lambda _message: True):
        end_s = time.monotonic() + DEADLINE_S
        while True:
            for message in list(self.heard):
                if isinstance(message, kind) and is_so(message):
                    return message
            assert time.monotonic() < end_s and self._process.poll() is None, self.noise[-2000:]
            time.sleep(0.01)

    def ended(self):
        """The exit status, once it has one."""
        return self._process.poll()

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._thread.join()
        self._process.stdin.close()
        self._process.stdout.close()
