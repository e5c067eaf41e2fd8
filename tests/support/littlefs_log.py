"""Runs on a MicroPython VM: the log and the state files on a real littlefs, over a block device in RAM that counts
erasures and programs and loses its power at the operation numbered by its argument. Prints figures, or what a cut left.

    micropython littlefs_log.py wear HOURS        erasures of a silence of so many hours
    micropython littlefs_log.py cuts              a power cut at every block operation of one stretch of a silence
"""

import os
import sys

import flash
import vfs
from log_files import LogFiles

from node.outbox import Outbox
from node.record_log import RecordLog
from wire import event, record
from wire.record import EventBody, Record, Stamp

BLOCK = 4096
BLOCKS = 96
_ERASED = b"\xff" * BLOCK


class Device:
    """Flash as the ESP32's partition shows it: blocks of 4 KiB, erased by ioctl 6."""

    def __init__(self, data=None):
        self.data = bytearray(BLOCK * BLOCKS) if data is None else bytearray(data)
        self.erased = [0] * BLOCKS
        self.operations = 0
        self.cut_at = None

    def readblocks(self, number, buffer, offset=0):
        start = number * BLOCK + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, number, buffer, offset=0):
        start = number * BLOCK + offset
        return self._do(start, buffer)

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK
        if operation == 6:
            self.erased[argument] += 1
            return self._do(argument * BLOCK, _ERASED)
        return 0

    def _do(self, start, data):
        """Without power an operation is half done, and every later one fails. An error is a number here: an exception
        would fly through the file system's own code."""
        self.operations += 1
        done = len(data)
        if self.cut_at is not None and self.operations >= self.cut_at:
            done = len(data) // 2 if self.operations == self.cut_at else 0
        self.data[start : start + done] = memoryview(data)[:done]
        return 0 if done == len(data) else -5


def mounted(device, is_new):
    if is_new:
        vfs.VfsLfs2.mkfs(device)
    vfs.mount(vfs.VfsLfs2(device), "/flash")
    os.chdir("/flash")


def unmounted():
    os.chdir("/")
    vfs.umount("/flash")


class Node:
    """An outbox with its log and state, a record each 5 minutes and an alarm each 7 hours."""

    def __init__(self, random_below):
        self.store = flash.Store()
        start = flash.begin(self.store, random_below)
        self.start = start
        self.boot = start.boot
        self.log = RecordLog(LogFiles())
        self.durable = None
        if start.previous_boot is not None:
            self.durable = self.log.durable_sequence(start.previous_boot, start.durable_sequence)
        self.outbox = Outbox(boot=self.boot, log=self.log)
        self.sequence = 0

    def emit(self, body, now_s, gap=None):
        made = Record(self.boot, self.sequence, Stamp(1, 1795521600 + now_s, 1), body)
        self.outbox.put(record.lane(made), self.sequence, record.encode(made), gap)
        self.sequence += 1

    def run(self, first_s, hours, promised):
        """`promised`: a list that takes (boot, durable sequence) after each step, as far as RAM knows."""
        for now_s in range(first_s, first_s + hours * 3600, 60):
            if now_s % 300 == 0:
                self.emit({1: 1800, 2: 2301, 3: 780, 4: now_s, 5: 50, 6: 2137, 7: 97, 8: 12000}, now_s)
            if now_s % 25200 == 0:
                self.emit(EventBody(event.LAMP_FAILURE, True, {1: 3, 5: 100}), now_s)
            for _ in range(6):
                gap = self.outbox.next_gap() if self.outbox.may_report_gap() else None
                if gap is not None:
                    self.emit(EventBody(event.GAP, None, [None, gap.boot, gap.first, gap.last, gap.why]), now_s, gap)
                self.outbox.poll(now_ms=1000 * now_s)
            if now_s % 3600 == 0:
                durable = self.outbox.durable_sequence(self.sequence)
                if self.store.write(flash.State(self.boot, durable, bytes(64), bytes(20))):
                    promised.append((self.boot, durable))


def wear(hours):
    device = Device()
    mounted(device, True)
    node = Node(lambda bound: bound // 2)
    node.run(300, hours, [])
    print("hours", hours, "erasures", sum(device.erased), "most", max(device.erased), "kept", node.log.waiting())
    print("thinned", node.log.counters["thinned"], "dropped", node.log.counters["dropped"])
    unmounted()


def sequences(log):
    found = set()
    for lane in event.LANES:
        while True:
            entries = log.first(lane, 4000, 100)
            if not entries:
                break
            for entry in entries:
                found.add(record.decode_payload(entry.data)[0].boot << 32 | entry.sequence)
                log.acknowledge(entry.place)
    return found


def cuts():
    device = Device()
    mounted(device, True)
    Node(lambda bound: bound // 2).run(300, 20, [])
    unmounted()
    before = bytes(device.data)
    cut_at, starts, kept = 0, 0, 0
    while True:
        cut_at += 1
        device = Device(before)
        mounted(device, False)
        device.operations, device.cut_at = 0, cut_at
        promised = []
        try:
            node = Node(lambda bound: bound // 2)
            boot = node.boot
            node.run(300, 5, promised)
        except OSError:
            boot = None
        is_over = device.operations < cut_at
        try:
            unmounted()
        except OSError:
            os.chdir("/")
        device = Device(device.data)
        mounted(device, False)
        node = Node(lambda bound: bound // 2)
        assert node.boot != boot and node.boot > 1, "a boot number came twice"
        found = sequences(node.log)
        starts += 1
        assert len([name for name in found if name >> 32 == 1]) >= 12 * 18, "an earlier boot's records went"
        if promised and promised[-1][1] is not None:
            assert node.durable is not None and node.durable >= promised[-1][1], (node.durable, promised[-1])
        if node.start.previous_boot == boot and node.durable is not None:
            for sequence in range(node.durable + 1):
                assert boot << 32 | sequence in found, (cut_at, boot, sequence)
            kept += node.durable + 1
        unmounted()
        if is_over:
            break
    print("cuts", cut_at, "starts", starts, "kept", kept)


if sys.argv[1] == "wear":
    wear(int(sys.argv[2]))
else:
    cuts()
