"""Carries a node's datagrams on a UART, alone on a wire (`links.uart`) or on RS-485, where it sends when the gateway
asks (`wire.bus`).

`machine.UART` has no RS-485 mode: the pin is set, the frame is written, and the loop waits until the last bit has left,
at most 100 ms at `wire.bus.BAUD_MIN`; a driver that stays on would disturb the answer of the node that is asked next. A
transceiver that detects its direction needs no pin.

The link has the small interface of `links.udp`, and answers in `wait`, at the end of a turn, so that the application's
reply to a datagram in the question is sent in the same slot. Must not know what a datagram means.
"""

from links import uart
from node import settings as node_settings
from wire import bus
from wire.bus import BusNode

# The pause between question and answer, in which the gateway's driver switches off.
QUIET_MS = 2
# How long after its time the last bit may leave; then the pin must go down anyway.
LEAVING_MARGIN_MS = 8
# The loop reads the line this often while it waits, to know how old a question can be.
READ_EVERY_MS = 10


class Rs485Link:
    """Answers on an RS-485 line. `uart_` is one of `uart.open_uart`; `enable` the driver's pin or None; `now_ms` and
    `sleep_ms` the chip's clock.

    `counters`: {name: integer}; `bus` those of the line.
    """

    def __init__(self, uart_, select_module, line, address, *, now_ms, sleep_ms, enable=None):
        self._uart = uart_
        self._line = line
        self._node = BusNode(line, address)
        self._now_ms = now_ms
        self._sleep_ms = sleep_ms
        self._enable = enable
        if enable is not None:
            enable.value(0)
        self._poll = select_module.poll()
        self._poll.register(uart_, select_module.POLLIN)
        self._since_ms = now_ms()
        self._arrived = []
        self.bus = self._node.counters
        self.counters = {"sent": 0, "send-failed": 0, "received": 0, "stuck": 0}

    def send(self, _peer, datagram) -> None:
        """Queues a datagram for our next turn on the line."""
        self.counters["sent" if self._node.send(datagram) else "send-failed"] += 1

    def receive(self) -> list:
        """Returns the datagrams that have arrived, [(datagram, uart.GATEWAY)]; at most as many as the chip's buffer
        holds."""
        self._read_line()
        arrived, self._arrived = self._arrived, []
        return arrived

    def wait(self, timeout_ms) -> None:
        """Answers a question, if there is one; then returns when bytes wait, or after `timeout_ms`."""
        if self._node.is_asked():
            self._answer()
        end_ms = self._now_ms() + timeout_ms
        while True:
            now_ms = self._now_ms()
            if self._uart.any():
                return
            self._since_ms = now_ms  # the line was empty at this time
            if now_ms >= end_ms:
                return
            self._poll.poll(min(end_ms - now_ms, READ_EVERY_MS))

    def _read_line(self):
        now_ms = self._now_ms()
        waiting = self._uart.any()
        if waiting:
            for datagram in self._node.receive(self._uart.read(waiting) or b"", since_ms=self._since_ms):
                self.counters["received"] += 1
                self._arrived.append((datagram, uart.GATEWAY))
        self._since_ms = now_ms

    def _answer(self):
        self._sleep_ms(QUIET_MS)
        self._read_line()  # a frame on the line means that it is not our turn
        frame = self._node.answer(now_ms=self._now_ms())
        if not frame:
            return
        if self._enable is None:
            self._uart.write(frame)
            return
        self._enable.value(1)
        try:
            self._uart.write(frame)
            self._stay(self._now_ms() + bus.airtime_ms(self._line, len(frame)) + LEAVING_MARGIN_MS)
        finally:
            self._enable.value(0)

    def _stay(self, until_ms):
        """Waits until the last bit has left, or `until_ms`."""
        while not self._uart.txdone():
            if self._now_ms() >= until_ms:
                self.counters["stuck"] += 1
                return
            self._sleep_ms(1)


class SerialBearer:
    """Serves as the bearer of a node on a UART: alone on a wire, or one of many on an RS-485 line (esp32/bearer)."""

    ack_timeout_ms = 0

    def __init__(self, settings, machine, board, *, now_ms, sleep_ms):
        import select

        kind = settings.bearer[0]
        baud = settings.bearer[1 if kind == node_settings.UART else 2]
        port = uart.open_uart(machine, board.BUS_UART, tx=board.BUS_TX_PIN, rx=board.BUS_RX_PIN, baud=baud)
        if kind == node_settings.UART:
            self.link = uart.UartLink(port, select)
            return
        line = bus.line(baud=baud)
        # Our turn comes once a cycle.
        self.ack_timeout_ms = bus.ack_timeout_ms(line, settings.bearer[3])
        enable_pin = board.BUS_ENABLE_PIN  # None: the transceiver detects its direction
        self.link = Rs485Link(
            port,
            select,
            line,
            settings.bearer[1],
            now_ms=now_ms,
            sleep_ms=sleep_ms,
            enable=None if enable_pin is None else machine.Pin(enable_pin, machine.Pin.OUT, value=0),
        )

    def step(self, *, now_ms):
        """Does nothing: a line needs no connection."""

    def is_ready(self):
        return True

    def close(self):
        """Does nothing: a wire draws no power."""

    def signal_dbm(self):
        return None
