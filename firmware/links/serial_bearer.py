"""The bearer of a node on a UART: a wire, or an RS-485 line (esp32/bearer)."""

from links import uart
from node import settings as node_settings


class SerialBearer:
    """A UART: alone, or one of many on an RS-485 line."""

    ack_timeout_ms = 0

    def __init__(self, settings, machine, board, *, now_ms, sleep_ms):
        import select

        kind = settings.bearer[0]
        baud = settings.bearer[1 if kind == node_settings.UART else 2]
        port = uart.open_uart(machine, board.BUS_UART, tx=board.BUS_TX_PIN, rx=board.BUS_RX_PIN, baud=baud)
        if kind == node_settings.UART:
            self.link = uart.UartLink(port, select)
            return
        from links import rs485
        from wire import bus

        line = bus.line(baud=baud)
        # Our turn comes once a cycle.
        self.ack_timeout_ms = bus.ack_timeout_ms(line, settings.bearer[3])
        enable_pin = board.BUS_ENABLE_PIN  # None: the transceiver finds its direction by itself
        self.link = rs485.Rs485Link(
            port,
            select,
            line,
            settings.bearer[1],
            now_ms=now_ms,
            sleep_ms=sleep_ms,
            enable=None if enable_pin is None else machine.Pin(enable_pin, machine.Pin.OUT, value=0),
        )

    def step(self, *, now_ms):
        """Nothing to supervise: a line is there or not."""

    def is_ready(self):
        return True

    def close(self):
        """A wire draws nothing."""

    def signal_dbm(self):
        return None
