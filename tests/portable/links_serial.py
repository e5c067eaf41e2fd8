"""The bearers of a node, the same on both interpreters: UART, RS-485 with its pin, ESP-NOW with its search."""

from binascii import hexlify

from links import channel, espnow, rs485, uart
from links.espnow_radio import Radio
from wire import bus, slip

LINE = bus.line()


class Chip:
    """A clock, `select`, a UART, a pin, and the two modules of the radio."""

    POLLIN = 1
    STA_IF = 0
    MODE_LR = 8
    PM_NONE = 0

    def __init__(self, listens):
        self.now = 0
        self.incoming = b""
        self.leaves_ms = 0
        self.channel = 0
        self.listens = listens
        self.counts = [0, 0, 0, 0, 0]
        self.peers_table = {}
        self.frames = []

    def poll(self, *timeout_ms):
        if timeout_ms:
            self.now += timeout_ms[0]
            return []
        return self

    def register(self, source, events):
        pass

    def now_ms(self):
        return self.now

    def sleep_ms(self, duration_ms):
        self.now += duration_ms

    def any(self):
        return len(self.incoming)

    def read(self, count):
        data, self.incoming = self.incoming[:count], self.incoming[count:]
        return data

    def write(self, data):
        print(self.now, "writes", hexlify(data).decode())
        self.leaves_ms = self.now + bus.airtime_ms(LINE, len(data))

    def txdone(self):
        return self.now >= self.leaves_ms

    def value(self, level):
        print(self.now, "pin", level)

    def WLAN(self, interface):  # noqa: N802
        return self

    def ESPNow(self):  # noqa: N802
        return self

    def active(self, on):
        pass

    def disconnect(self):
        raise OSError("not connected")

    def config(self, **settings):
        self.channel = settings.get("channel", self.channel)

    def add_peer(self, mac):
        pass

    def send(self, mac, data, wait):
        self.counts[1] += 1
        if self.channel != self.listens:
            self.counts[2] += 1
        elif len(data) > 1:
            self.frames.append((mac, b"answer to " + data))

    def stats(self):
        return tuple(self.counts)

    def recvinto(self, buffers, timeout_ms):
        if not self.frames:
            return 0
        buffers[0], data = self.frames.pop(0)
        buffers[1][: len(data)] = data
        buffers[2] = -90
        return len(data)


chip = Chip(9)
wire = uart.UartLink(chip, chip)
chip.incoming = b"noise" + slip.encode(b"\xc0down") + slip.encode(b"more")
print(wire.receive(), sorted(wire.counters.items()))
wire.send(uart.GATEWAY, b"up\xdb")
wire.wait(100)

line = rs485.Rs485Link(chip, chip, LINE, 7, now_ms=chip.now_ms, sleep_ms=chip.sleep_ms, enable=chip)
for number in range(4):
    line.send(uart.GATEWAY, b"record %d" % number)
    chip.incoming = bus.encode(bus.ASK, 7 if number != 2 else 8, number, b"ask")
    print(chip.now, line.receive())
    line.wait(50)
    if number == 0:
        chip.now += 500  # held up: the next question may be old
print(sorted(line.counters.items()), sorted(line.bus.items()))

remembered = []
radio = Radio(chip, chip, 3)
air = espnow.EspNowLink(
    radio,
    chip,
    b"\x02\0\0\0\0\x01",
    3,
    remember=remembered.append,
    random_below=lambda bound: bound - 1,
    now_ms=chip.now_ms,
)
air.send(espnow.GATEWAY, b"hello")
for _ in range(8):
    print(air.receive())
    air.wait(100)
print(air.state == channel.UP, remembered, air.signal_dbm(), sorted(air.counters.items()), sorted(air.ladder.items()))
chip.listens = 0
for _ in range(3000):
    air.send(espnow.GATEWAY, b"lost")
    air.receive()
    air.wait(100)
print(air.state, chip.now, sorted(air.counters.items()), sorted(air.ladder.items()))
