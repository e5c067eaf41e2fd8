"""Runs on a MicroPython VM, for tools.bench.node: the application of a node, turn by turn as its host says.

The host writes one line a command, a Python literal; the answer is one line, too. First comes a map:
`image` (a ROMFS file to run the modules from), `folder` (to load them from) or neither (they are frozen into this VM);
`kind`; `modules` to import; `settings`, plain. Then `(now_ms, values, datagrams, idles)`, or "map" for a dump of the
heap. Everything of this script and its shims is in the heap before `base` is taken, so that what is counted is the
node's. The collector runs before each turn; within it is off, so that what a turn takes shows
whole, unless `natural`: then it runs when the heap is full, as on a chip.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import gc
import sys
import time

MADE = "made"
CALIBRATION_LOOPS = 20000


class Absent:
    """Stands for a module of the chip that is imported and never used here."""

    def __getattr__(self, name):
        return Absent


class Chance:
    """Numbers without heap: 18 bits of a linear congruence."""

    def __init__(self):
        self.state = 4711

    def below(self, bound):
        self.state = (self.state * 2053 + 13849) & 0x3FFFF
        return self.state % bound


def listen():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return eval(line)


def calibrate():
    """Microseconds of CALIBRATION_LOOPS rounds of integer work, the best of five."""
    best = None
    for _ in range(5):
        start = time.ticks_us()
        value = 0
        for number in range(CALIBRATION_LOOPS):
            value = (value + number) & 0xFFFF
        took = time.ticks_diff(time.ticks_us(), start)
        best = took if best is None else min(best, took)
    return best


class Bench:
    """The node, and what it takes."""

    def __init__(self, begin, base):
        self.base = base
        self.records = 0
        self.is_natural = begin["natural"]
        for name in begin["modules"]:
            __import__(name)
        gc.collect()
        self.imported = gc.mem_alloc() - base
        self.node = self._node(begin)
        gc.collect()
        self.started = gc.mem_alloc() - base

    def _node(self, begin):
        import cryptolib

        import kinds
        from links import udp
        from node import app, settings
        from wire import ccm, oscore
        from wire.coap import Endpoint
        from wire.oscore_link import NodeLink

        kind = kinds.load(begin["kind"])
        made, faults = settings.decode(begin["settings"], kind)
        assert made is not None, faults
        self.peer = made.gateway
        below = Chance().below
        endpoint = Endpoint(
            random_below=below,
            first_message_id=below(65536),
            timing=udp.timing(made.ack_timeout_ms),
            handled_options=oscore.ANY_OUTSIDE,
        )
        cipher = ccm.CryptolibCipher(cryptolib.aes)
        link = NodeLink(endpoint, made.pairing, cipher, peer=made.gateway, boot=7, random_below=below)
        return app.Node(
            made,
            app.Boot(7, 6, 41, "power-on"),
            link,
            kind.make_trade(made.own, kinds.Start(made.node, b"", 0, below)),
            random_below=below,
            now_ms=0,
            tap=self._tap,
        )

    def _tap(self, what, sequence, data):
        if what == MADE:
            self.records += 1

    def turn(self, now_ms, values, datagrams, idles):
        node, peer = self.node, self.peer
        self.records = 0
        gc.collect()
        if not self.is_natural:
            gc.disable()
        before = gc.mem_alloc()
        start = time.ticks_us()
        for datagram in datagrams:
            node.receive(datagram, peer, now_ms=now_ms)
        is_sample = node.sample_due(now_ms)
        if is_sample:
            node.sample(values, {22: 40000}, now_ms=now_ms)
        node.poll(now_ms=now_ms)
        outputs = node.outputs
        out = node.outgoing()
        due = node.checkpoint(now_ms)
        deadline_ms = node.deadline_ms(now_ms)
        took_us = time.ticks_diff(time.ticks_us(), start)
        taken = gc.mem_alloc() - before
        idle = self._idle(now_ms) if idles else None
        told = [datagram for _, datagram in out]
        print((deadline_ms, told, outputs and tuple(outputs), before - self.base, taken, took_us,
               self.records, is_sample, idle, due is not None))  # fmt: skip

    def _idle(self, now_ms):
        """What a turn takes in which nothing is due."""
        node = self.node
        before = gc.mem_alloc()
        node.sample_due(now_ms)
        node.poll(now_ms=now_ms)
        node.outgoing()
        node.checkpoint(now_ms)
        node.deadline_ms(now_ms)
        return gc.mem_alloc() - before


def dump():
    """The allocation table on the console, then the heap itself into the file that the host names. Takes nothing
    worth counting."""
    import micropython
    import uctypes

    micropython.mem_info(1)
    print("end of map")
    name, base, size = listen()
    with open(name, "wb") as file:
        file.write(uctypes.bytearray_at(base, size))
    print("dumped")


def main():
    begin = listen()
    for name in ("machine", "esp32", "network", "espnow"):
        sys.modules[name] = Absent()
    sys.path[:] = [begin["folder"] or "/rom", ".frozen"]
    image = None
    if begin["image"]:
        import vfs

        with open(begin["image"], "rb") as file:
            image = file.read()
        vfs.mount(vfs.VfsRom(image), "/rom")
    calibration_us = calibrate()
    gc.collect()
    place = None
    if image is not None:
        import uctypes

        place = (uctypes.addressof(image), len(image))
    gc.collect()
    base = gc.mem_alloc()
    print((base, gc.mem_free(), sys.maxsize, place))
    while listen() == "map":
        dump()
    bench = Bench(begin, base)
    print((bench.imported, bench.started, calibration_us))
    while True:
        command = listen()
        if command == "map":
            dump()
        elif isinstance(command, str):
            gc.enable()
            gc.collect()
            print(gc.mem_alloc() - base)
        else:
            bench.turn(*command)


main()
