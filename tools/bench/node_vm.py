"""Runs on a MicroPython VM, for tools.bench.node: a node, turn by turn as its host commands, with the loader and the
shell of the chip.

The working folder is the node's flash, as `bocage node flash` writes it; its program is loaded from there into the
heap. It answers a first line, then each command of its host: a line, a Python literal. The first command is a dict:
`kind`; `block`: how long the ports are to block; `cause` and `rtc`: the reset cause and RTC memory that the chip's last
life left. Then comes a number: so many bytes follow and describe a turn (`turn_of`).
All objects of this script and its shims are in the heap before `base` is read, so that only the node's are counted. The
collector runs when the shell runs it; after "count" it runs before each turn and is off within it, so that all heap
that a turn uses is counted, until "natural". With `looks`, and after "look", it also runs where the node's calls are
deepest, at every cipher, digest, message and file, and "peak" asks for the most that was live there, calls under way
included.

Long because a VM runs this script by itself, with the stand-ins of a whole chip.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import builtins
import gc
import struct
import sys
import time

MADE = "made"
# A turn is: now_ms, whether to report the heap of a turn in which nothing is due, the number of values or -1; for each
# value its wire key, or the length of its name as a negative number, and the value; then datagrams with their lengths.
TURN, VALUE = "<qbh", "<iq"
TURN_BYTES, VALUE_BYTES = struct.calcsize(TURN), struct.calcsize(VALUE)
ROOM = bytearray(4096)
CALIBRATION_LOOPS = 20000


class Absent:
    """Stands for a module of the chip, a pin, a bus, a clock: accepts every call and does nothing."""

    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        return self

    def __call__(self, *args, **options):
        return self


class Pin:
    """Accepts a level, and leaves no garbage. An input reads as pulled up: the button is not pressed, the bus is
    free."""

    IN = OUT = PULL_UP = PULL_DOWN = 0

    def __init__(self, *args, **options):
        """Accepts any arguments."""

    def value(self, level=1):
        return level


class SoftI2C:
    """Stands for parts that accept every byte; a read leaves the buffer as it was."""

    def __init__(self, **facts):
        """Accepts any pins."""

    def writeto(self, address, data, stop=True):
        return len(data)

    def writevto(self, address, pieces):
        return len(pieces[0]) + len(pieces[1])

    def readfrom_into(self, address, buffer):
        """Leaves the buffer as it is."""


class Adc(Absent):
    """Stands for a converter that reads two volts: of a cell behind its divider, or of a charged pulse capacitor."""

    def __init__(self, *args, **options):
        """Accepts any pin."""

    def read_uv(self):
        return 2_000_000


class NoMemory:
    """Stands for RTC memory after a power-on."""

    def memory(self, data=b""):
        return data


class KeptMemory:
    """Stands for memory that survives a reset."""

    kept = b""

    def memory(self, data=None):
        if data is None:
            return KeptMemory.kept
        KeptMemory.kept = bytes(data)


class Machine(Absent):
    """Stands for the chip's module, with the parts that are compared, sliced, or used at every turn."""

    PWRON_RESET, WDT_RESET = 1, 3
    Pin = Pin
    ADC = Adc
    SoftI2C = SoftI2C
    RTC = NoMemory
    cause = PWRON_RESET

    def reset_cause(self):
        return self.cause

    def reset(self):
        raise RuntimeError("the node resets itself")  # no silence of the gateway may lead to this

    deepsleep = reset


class Chip(Absent):
    """Stands for the port's module, with its thermometer."""

    def mcu_temperature(self):
        return 21


class Hardware:
    """Stands for the watchdog of the chip, which a blocked program does not feed. `bit`: the instant at which it would
    have reset the chip, and the content of RTC memory then."""

    def __init__(self, clock, timeout_ms):
        self._clock, self._timeout_ms = clock, timeout_ms
        self._fed_ms = 0
        self.bit = None

    def feed(self):
        self._fed_ms = self._clock.at_ms

    def stands_still(self, for_ms):
        self._clock.at_ms += for_ms
        if self._clock.at_ms - self._fed_ms > self._timeout_ms:
            self.bit = (self._fed_ms + self._timeout_ms, KeptMemory.kept)


class Clock:
    """Gives the virtual time that the bench sets."""

    def __init__(self):
        self.at_ms = 0

    def now_ms(self):
        return self.at_ms


class Bearer:
    """Passes datagrams from the host and to it. It is both the bearer and its link."""

    ack_timeout_ms = 0

    def __init__(self):
        self.link = self
        self.arrived = ()
        self.sent = []
        self.is_at_once = False

    def step(self, *, now_ms):
        """Does nothing: there is no radio."""

    def signal_dbm(self):
        return -61

    def receive(self):
        arrived, self.arrived = self.arrived, ()
        return arrived

    def send(self, peer, datagram):
        self.sent.append(datagram)

    def wait(self, pause_ms):
        """Returns at once, since the host decides when the next turn is; notes whether the shell wants it at once."""
        self.is_at_once = not pause_ms


class Ports:
    """Wraps the kind's own ports on pins that do nothing; the values that they would read come from the host."""

    def __init__(self, real):
        self.apply = real.apply
        self.values = None
        self.begun = False
        self.block_ms, self.hardware = 0, None

    def begin_sample(self, *, now_ms):
        self.begun = True

    def collect(self, *, now_ms):
        if self.block_ms:
            self.hardware.stands_still(self.block_ms)
            self.block_ms = 0
        return self.values


class Chance:
    """Draws numbers without heap: 18 bits of a linear congruence."""

    def __init__(self):
        self.state = 4711

    def below(self, bound):
        self.state = (self.state * 2053 + 13849) & 0x3FFFF
        return self.state % bound


# The real print, kept before the node's console is silenced: it writes an answer piece by piece, without making one
# text.
say = print


def silent(*words):
    """Replaces the print of the node's console."""


def listen():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    # A number is not parsed by `eval`, which needs half a kilobyte in one piece.
    return int(line) if line[0] in "0123456789" else eval(line)


def turn_of(size):
    """Returns (now_ms, values, datagrams, idles) of a turn that `size` bytes describe. In a heap that is just large
    enough for the node, a line of text would need a piece that is not free."""
    room = memoryview(ROOM)[:size]
    had = 0
    while had < size:
        had += sys.stdin.buffer.readinto(room[had:])
    now_ms, idles, count = struct.unpack_from(TURN, ROOM)
    values, at = None, TURN_BYTES
    if count >= 0:
        values = {}
    for _ in range(count):
        key, value = struct.unpack_from(VALUE, ROOM, at)
        at += VALUE_BYTES
        if key < 0:
            key, at = str(room[at : at - key], "utf-8"), at - key
        values[key] = value
    datagrams = []
    while at < size:
        length = struct.unpack_from("<H", ROOM, at)[0]
        datagrams.append(bytes(room[at + 2 : at + 2 + length]))
        at += 2 + length
    return now_ms, values, datagrams, idles


def calibrate():
    """Returns (microseconds of CALIBRATION_LOOPS rounds of integer work, the best of five; whether this VM counts its
    work)."""
    best, worked = None, 0
    for _ in range(5):
        start, worked = time.ticks_us(), time.ticks_cpu()
        value = 0
        for number in range(CALIBRATION_LOOPS):
            value = (value + number) & 0xFFFF
        took = time.ticks_diff(time.ticks_us(), start)
        best = took if best is None else min(best, took)
    return best, time.ticks_cpu() != worked


def stand_in(module, name, value):
    """Replaces a definition of the program."""
    __import__(module)
    setattr(sys.modules[module], name, value)


def faulty(wdt, clock, chosen, life):
    """Raises the faults of the settings, which the shell would print for ever."""
    raise RuntimeError([tuple(fault) for fault in chosen.faults])


class Looks:
    """Records the live heap where the node's calls are deepest (ciphers, digests, messages, files), less its own
    use."""

    def __init__(self):
        import hashlib

        import cryptolib

        self.most = self.base = 0
        self.looks = False
        sys.modules["cryptolib"] = sys.modules["hashlib"] = self
        self.aes = self.over(cryptolib.aes)
        self.sha256 = self.over(hashlib.sha256)
        builtins.open = self.over(open)

    def begin(self, base):
        """Learns its own use; `base` is what is live now."""
        self.base, self.most, self.looks = base, 0, True
        self.over(lambda *args: None)(1, 2, 3)
        self.base, self.most, self.looks = base + self.most, 0, False

    def over(self, real):
        """Returns the same function with a measurement of the live heap after each call, once it `looks`."""

        def looked(*args):
            made = real(*args)
            if self.looks:
                gc.collect()
                self.most = max(self.most, gc.mem_alloc() - self.base)
            return made

        return looked


class Bench:
    """Runs the node and measures its heap: the shell of the chip (`main.Shell`) with everything that `main.run` gives
    it."""

    def __init__(self, begin, base):
        self.base = base
        self.records = 0
        self.is_natural = True
        self.clock, self.bearer = Clock(), Bearer()
        self.hardware = Hardware(self.clock, begin["watchdog"]) if begin["block"] else None
        try:
            import main as loader  # as `bocage node flash` names it in a folder
        except ImportError:
            import loader

        interpreter = loader.place.begin()
        memory = loader.rtc.Memory(loader.machine.RTC())
        guarding = loader.guard.Guard(memory, loader.guard.Store())
        ended = loader.guard.ended_by(loader.machine, memory)

        def program(folder):
            return self._program(loader, folder, begin)

        loader.start(loader.slots.Store(), guarding, memory, ended, program, interpreter)

    def _program(self, loader, folder, begin):
        """Imports the program of a folder; returns what runs instead of its endless `main`."""
        loader.imported(folder)
        main = sys.modules["main"]
        # A node imports only one bearer.
        import links.wifi  # noqa: F401

        kind = main.kinds.load(begin["kind"])
        __import__("boards." + begin["kind"])
        return lambda start: self._begin(main, kind, start)

    def _begin(self, main, kind, start):
        self.shell = self._shell(main, kind, start)
        self.node = self.shell._node
        self.node._tap = self._tap
        gc.collect()
        self.started = gc.mem_alloc() - self.base

    def _shell(self, main, kind, start):
        chance, bearer = Chance(), self.bearer
        stand_in("chip", "random_below_of", lambda urandom: chance.below)
        stand_in("bearer", "open_bearer", lambda *args, **options: bearer)
        machine = main.machine
        life = main.lifeline.Lifeline(machine, start, now_ms=0)
        stand_in("chosen_settings", "stay_safe", faulty)
        real, opened = kind.Ports, []
        kind.Ports = lambda own, board, machine, now_ms: Ports(real(own, board, machine, now_ms=now_ms))
        shell = main.begin(self.hardware or machine, opened, life, self.clock)
        kind.Ports = real
        opened[0].hardware = self.hardware
        self.ports, self.peer = opened[0], shell._node._settings.gateway
        shell._sleeps = False  # a sleeping node has no heap
        return shell

    def _tap(self, what, sequence, data):
        if what == MADE:
            self.records += 1

    def turn(self, now_ms, values, datagrams, idles):
        shell, bearer, ports = self.shell, self.bearer, self.ports
        bearer.arrived = [(datagram, self.peer) for datagram in datagrams]
        bearer.sent = []
        ports.values, ports.begun = values, False
        self.clock.at_ms = now_ms
        self.records = 0
        if self.hardware is not None:
            self.hardware.feed()  # on a chip the shell has had turns since the last one that did something
        before = taken = 0
        if not self.is_natural:
            gc.collect()
            gc.disable()
            before = gc.mem_alloc()
        start, worked = time.ticks_us(), time.ticks_cpu()
        shell.turn()
        work = time.ticks_diff(time.ticks_cpu(), worked)
        took_us = time.ticks_diff(time.ticks_us(), start)
        if not self.is_natural:
            taken = gc.mem_alloc() - before
        deadline_ms = now_ms if bearer.is_at_once else self.node.deadline_ms(now_ms)
        outputs = self._outputs()
        sent, is_sample = bearer.sent, ports.begun
        idle = self._idle() if idles and is_sample else None
        say((deadline_ms, sent, outputs, taken, took_us, work, self.records, is_sample, idle))

    def _outputs(self):
        """Returns the outputs as plain data, with one bit for each valve."""
        outputs = self.node.outputs
        if outputs is None or isinstance(outputs, tuple):
            return outputs and tuple(outputs)
        opened = 0
        for output in range(10):
            opened |= outputs.is_open(output) << output
        return (opened,)

    def _idle(self):
        """Returns the heap used by a turn in which nothing is due or left over."""
        for _ in range(3):  # no more: while a valve is pulsed every turn is due at once
            if self.bearer.is_at_once:
                self.shell.turn()
        before = gc.mem_alloc()
        self.shell.turn()
        return gc.mem_alloc() - before


def main():
    say(None)  # a serial line has no memory for what comes before its machine listens
    begin = listen()
    builtins.print = silent
    if begin["block"]:
        Machine.RTC, Machine.cause, KeptMemory.kept = KeptMemory, begin["cause"], begin["rtc"]
    sys.modules["machine"] = Machine()
    sys.modules["esp32"] = Chip()
    for name in ("network", "espnow", "onewire"):
        sys.modules[name] = Absent()
    sys.path[:] = ["", ".frozen", "/rom"]
    calibration_us, counts = calibrate()
    looks = Looks() if begin["looks"] else None
    gc.collect()
    base = gc.mem_alloc()
    say(sys.maxsize)
    if looks is not None:
        looks.begin(base)
    begun_ms = time.ticks_ms()
    bench = Bench(begin, base)
    loading_ms = time.ticks_diff(time.ticks_ms(), begun_ms)
    if looks is not None:
        from wire import coap_message

        coap_message.encode = looks.over(coap_message.encode)
    say((bench.started, loading_ms, calibration_us, counts))
    while True:
        command = listen()
        if command == "block":
            bench.ports.block_ms = begin["block"]
            say(None)
        elif command == "bit":
            say(bench.hardware.bit)
        elif command in ("count", "natural"):
            bench.is_natural = command == "natural"
            gc.enable()
            say(None)
        elif command == "look":
            looks.looks = True
            say(None)
        elif isinstance(command, str):
            gc.enable()
            gc.collect()
            say(looks.most if command == "peak" else gc.mem_alloc() - base)
        else:
            bench.turn(*turn_of(command))


main()
