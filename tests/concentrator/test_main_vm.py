"""The concentrator's own main.py on a real MicroPython VM: its line are the process's pipes, its radio a script."""

import shutil
import subprocess
import threading
import time

import pytest

from wire import radio, slip

pytestmark = [pytest.mark.vm, pytest.mark.live]

DEADLINE_S = 40
NODE = b"\x02\x00\x00\x00\x00\x09"
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
                assert timeout <= 8000
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


class Process:
    """main.py, from start to kill. `heard`: the messages on its line."""

    def __init__(self, folder, micropython, firmware):
        for name, script in SCRIPTS.items():
            lines = [line[8:] for line in script.splitlines()]
            (folder / f"{name}.py").write_text("\n".join(lines), encoding="utf-8")
        (folder / "air_poll.py").write_text(POLL_SCRIPT, encoding="utf-8")
        source = (firmware / "concentrator" / "main.py").read_text(encoding="utf-8")
        assert source.count("import select\n") == 1
        (folder / "main.py").write_text(source.replace("import select\n", "import air_poll as select\n"))
        for name in ("clock", "crash", "entropy"):
            shutil.copy(firmware / "esp32" / f"{name}.py", folder)
        self._process = subprocess.Popen(
            [micropython, "main.py"],
            cwd=folder,
            env={"MICROPYPATH": f"{folder}:{firmware}:.frozen", "PATH": "/usr/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.heard = []
        self.noise = b""
        self._decoder = slip.Decoder(radio.BODY_BYTES_MAX)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while data := self._process.stdout.read(256):
            self.noise += data
            self.heard += [radio.decode(body) for body in self._decoder.feed(data)]

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

    def kill(self):
        self._process.kill()
        self._process.wait()


def test_the_whole_concentrator_on_a_vm(tmp_path, micropython, repository):
    process = Process(tmp_path, micropython, repository / "firmware")
    try:
        hello = process.until(radio.Hello)
        assert (hello.cause, hello.channel, hello.firmware) == ("watchdog", 6, "0.1.0") and hello.session > 0
        process.tell(b"\x03 noise, and a Ctrl-C\xc0" + slip.encode(radio.ask(0xC0DB, 0)))
        process.until(radio.Hello, lambda message: message.heard == 0xC0DB)
        assert process.until(radio.Credit).free > 0
        longest = b"\xc0" * 244
        for number, datagram in enumerate((b"one", longest, b"three"), 1):
            process.tell(slip.encode(radio.down(number, NODE, datagram)))
            up = process.until(radio.Up, lambda up, datagram=datagram: up.datagram.endswith(datagram))
            assert up == (NODE, -77, b"echo " + datagram)
        process.tell(slip.encode(radio.channel(11)))
        process.until(radio.Hello, lambda message: message.channel == 11)
        assert (tmp_path / "channel.json").read_text() == '{"channel": 11}'
    finally:
        process.kill()
    again = Process(tmp_path, micropython, repository / "firmware")
    try:
        assert again.until(radio.Hello).channel == 11, "remembered"
        assert again.heard[0].session != hello.session
    finally:
        again.kill()
