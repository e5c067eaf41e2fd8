"""Nodes that run whole on a MicroPython VM: loader, main.py, drivers on twins; and their gateway, on the wall clock or
in lock-step with a node in virtual time."""

import struct
import time

from simulator.hosts.keys import settings_of
from simulator.hosts.vm import FIRMWARE, VmNode
from tests.simulator.hosts.test_vm import NIGHT_S, NODE, Responder
from tests.support.green import plain, programs
from tools.node.board import board_files

DEADLINE_S = 90
ALWAYS = 127
# Virtual hours take minutes at the product's ten turns a second; nothing that these tests see is faster than a second,
# but for the pulses of valves, which are then as long.
A_TURN_A_SECOND = {"a/main.py": {"\nSLICE_MS = 100\n": "\nSLICE_MS = 1000\n"}}
# Monday 2026-11-30, 00:00 in Paris.
MIDNIGHT_S = 1_795_993_200
# Heat on weekdays from six to eight and from noon to ten in the evening, 16 °C else.
PROGRAMME = [1, [[ALWAYS, 101, 1231, 0]], [[[360, 480], [720, 1320]]], [1900, 1600, 1600, 800]]
# One program every day at two, three zones of as many minutes.
WATERING = programs(plain(), [0, ALWAYS, 0, 0, 0, 120, 0, 7, 8])
for zone in WATERING["watering"][1]:
    zone[9] = 0  # without a meter

OF_KIND = {
    "streetlight": {"site": [457500, 48500], "lamp": [700, 4]},
    "thermostat": {"output": "relay", "heater_w": 1500, "programme": PROGRAMME},
    "irrigation": {key: value for key, value in WATERING.items() if key != "meter"},
    "water_meter": {"meter": [10_000, 600_000]},
}


def settings(kind, address, **changes):
    """Plain settings of one node; its gateway is at `address`."""
    return {
        "node": NODE.hex(), "kind": kind, "gateway": list(address), **settings_of(NODE), "sample_s": 1,
        "telemetry_s": 1, "report_spread_s": 0, "ack_timeout_ms": 300, **OF_KIND[kind], **changes,
    }  # fmt: skip


def laid_out(folder, kind, replaced=None):
    """A board as `bocage node flash` leaves it. `replaced`: {path: {text: another}}, each text there once."""
    files = board_files(FIRMWARE, None, kind, 1)
    for path, changes in (replaced or {}).items():
        text = files[path].decode()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        files[path] = text.encode()
    lay_out(folder, kind, files)


def lay_out(folder, kind, files):
    """Writes a board's files, {path: bytes}, into the folder of a VM."""
    # The bench stands on the board's facts as well, wherever the program comes from.
    files = {**files, **{path[2:]: data for path, data in files.items() if path.startswith("a/boards/")}}
    files |= {f"boards/{name}.py": (FIRMWARE / "boards" / f"{name}.py").read_bytes() for name in ("streetlight", kind)}
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


class Whole:
    """One node and its gateway, on the wall clock. `said` gathers the console."""

    def __init__(self, folder, micropython, kind, *, replaced=None, uarts=None, unix_s=NIGHT_S, **changes):
        self.responder = Responder()
        self.responder.unix_s = unix_s
        self.node = VmNode(
            folder, settings(kind, self.responder.address, **changes), micropython, heap_bytes=3 << 20, is_board=True,
            uarts=uarts,
        )  # fmt: skip
        laid_out(folder, kind, replaced)
        self.said = []
        self.each_turn = lambda: None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.node.kill()
        self.responder.socket.close()

    def until(self, condition, *, deadline_s=DEADLINE_S):
        """Serve until `condition()`; fails with the console."""
        end = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < end, "\n".join(["it did not come", *self.said[-40:]])
            self.turn()
        self.turn()

    def turn(self):
        self.responder.pump()
        self.each_turn()
        self.said += self.node.lines()

    def bodies(self):
        return [made.body for made in self.responder.records if isinstance(made.body, dict)]

    def last(self, key):
        """The newest reading of a quantity, None without one."""
        found = [body[key] for body in self.bodies() if key in body]
        return found[-1] if found else None

    def levels(self):
        """{GPIO: what it was driven to last}."""
        return {number: level for _, number, level in self.node.edges()}

    def assert_sound(self):
        assert not any("Traceback" in line or "reset" in line for line in self.said), "\n".join(self.said[-40:])


class LockStep(Responder):
    """A gateway in the node's virtual time: it hears that time with each datagram. It answers nothing from
    `silent_from_ms` on, until `silent_to_ms`."""

    def __init__(self, *, silent_from_ms=None, silent_to_ms=None):
        super().__init__()
        self.socket.settimeout(0.5)
        self._silence_ms = (silent_from_ms, silent_to_ms)
        self._at_ms = 0

    def _now_ms(self):
        return self._at_ms

    def pump(self):
        """One datagram, or half a second."""
        try:
            data, peer = self.socket.recvfrom(2000)
        except TimeoutError:
            return
        self._at_ms = struct.unpack("<Q", data[:8])[0]
        begins_ms, ends_ms = self._silence_ms
        if begins_ms is None or self._at_ms < begins_ms or (ends_ms is not None and self._at_ms >= ends_ms):
            for asked in self.link.receive(data[8:], peer, now_ms=self._at_ms):
                self._answer(asked)
            self.link.poll(now_ms=self._at_ms)
            for to, answer in self.link.outgoing():
                self.socket.sendto(answer, to)
        self.socket.sendto(b"", peer)


class VirtualRun:
    """A run of one node in virtual time: what its outputs did, how it ended, what its console said, seconds it took."""

    def __init__(
        self, folder, micropython, kind, run_ms, *, silent_from_ms=None, silent_to_ms=None, replaced=None,
        unix_s=MIDNIGHT_S, **own,
    ):  # fmt: skip
        gateway = LockStep(silent_from_ms=silent_from_ms, silent_to_ms=silent_to_ms)
        gateway.unix_s = unix_s
        slow = {"sample_s": 60, "telemetry_s": 300, "ack_timeout_ms": 2000, **own}
        node = VmNode(
            folder, settings(kind, gateway.address, **slow), micropython, heap_bytes=3 << 20, is_board=True,
            virtual_ms=run_ms,
        )  # fmt: skip
        laid_out(folder, kind, replaced)
        began_s = time.monotonic()
        node.start()
        try:
            while node.running:
                gateway.pump()
        finally:
            node.kill()
            gateway.socket.close()
        self.took_s = time.monotonic() - began_s
        self.said = node.lines()
        self.returncode = node.returncode
        self.edges = node.edges()
        self.records = gateway.records
        self.valves = node.valves()
