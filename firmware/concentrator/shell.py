"""Turns the concentrator's one loop and owns its line: radio and line in, the bridge decides, radio and line out,
watchdog.

Everything that the loop uses is passed in, so that it can run on a desk. It decides only one thing, about the chip:
when its memory fills up with senders that the driver never forgets, it restarts, which costs two seconds of silence.

The line is the chip's own USB (or the console's UART), or a UART with an adapter. Other text on the console (the boot
messages of the chip, a traceback) is noise to `wire.slip`. Neither port waits for the line, with one exception: the
driver waits, for a bounded time, for a host that has the USB open and does not read.
"""

import select
import sys

from concentrator import bridge as deciding
from links import uart
from wire import slip
from wire.radio import BODY_BYTES_MAX

# Frames for the line in one turn: a host that does not read must not keep the loop from the radio.
FRAMES_PER_TURN_MAX = 4
# How long a turn waits at most; and with a frame in the air, whose end wakes nothing, or a full line.
SLICE_MS = 20
SHORT_SLICE_MS = 2
# The driver keeps 200 bytes or so for each sender it ever received; a hostile radio may invent senders.
HEARD_MAX = 400
_READ_BYTES_MAX = 512
_FRAME_BYTES_MAX = 2 * (BODY_BYTES_MAX + 2) + 2


class Shell:
    """Turns the concentrator's loop. `port` has read() -> bytes, takes_frame() -> bool, write(bytes); `radio` is an
    `espnow_radio.Radio`.

    `wait(ms)` returns early when the line or the radio has received something. `remember(channel)` keeps the channel
    over a reset. `update` is the bridge's, and `files` the `slot_files.SlotFiles` that carries out its operations.
    """

    def __init__(
        self, bridge, radio, port, *, now_ms, wait, feed, restart, remember, heap_free, update=None, files=None
    ):
        self._bridge = bridge
        self._radio = radio
        self._port = port
        self._now_ms = now_ms
        self._wait = wait
        self._feed = feed
        self._restart = restart
        self._remember = remember
        self._heap_free = heap_free
        self._update = update
        self._files = files
        self._is_full = False
        if not radio.is_whole:
            bridge.on_broken()

    def turn(self) -> None:
        now_ms = self._now_ms()
        data = self._port.read()
        if data:
            self._bridge.on_serial(data)
        for mac, rssi_dbm, datagram in self._radio.receive():
            self._bridge.on_radio(mac, rssi_dbm, datagram)
        for was_acknowledged in self._radio.done():
            self._bridge.on_done(was_acknowledged)
        self._bridge.poll(now_ms=now_ms)
        for action in self._bridge.drain_actions():
            self._act(action)
        if self._update is not None:
            self._serve_update(now_ms)
        self._write(now_ms)
        if self._radio.heard_count() > HEARD_MAX and not self._is_on_trial():
            self._restart()  # not on trial: a stranger with a radio could make an image fall back by it
        self._feed()
        self._wait(self._pause_ms(now_ms))

    def _is_on_trial(self):
        return self._update is not None and self._update.is_on_trial()

    def _act(self, action):
        what = action[0]
        if what == deciding.SEND:
            if not self._radio.send(action[1], action[2]):
                self._bridge.on_refused()
        elif what == deciding.ADD:
            self._radio.add(action[1])  # if it fails, so does the frame to it
        elif what == deciding.DELETE:
            self._radio.delete(action[1])
        elif what == deciding.TUNE:
            if self._radio.tune(action[1]):
                self._remember(action[1])
            else:
                self._bridge.on_broken()
        elif what == deciding.REINIT:
            if not self._radio.begin(self._bridge.channel):
                self._bridge.on_broken()
        else:
            self._restart()

    def _serve_update(self, now_ms):
        """Does one small operation on files in a turn."""
        self._update.poll(radio_is_whole=self._radio.is_whole, now_ms=now_ms)
        operation = self._update.next_operation()
        if operation is not None:
            self._update.on_result(operation, self._files.do(operation))
        if self._update.wants_restart:
            self._restart()

    def _write(self, now_ms):
        for _ in range(FRAMES_PER_TURN_MAX):
            self._is_full = not self._port.takes_frame()
            if self._is_full:
                return
            frame = self._bridge.next_frame(
                heap_free=self._heap_free(), radio_dropped=self._radio.dropped(), now_ms=now_ms
            )
            if not frame:
                return
            self._port.write(frame)
        self._is_full = True

    def _pause_ms(self, now_ms):
        if self._bridge.is_flying() or self._is_full:
            return SHORT_SLICE_MS
        return max(0, min(SLICE_MS, self._bridge.deadline_ms() - now_ms))


class ConsolePort:
    """Serves as the line on `sys.stdin` and `sys.stdout`. On chips with USB of their own the host waits for us; on a
    console UART the input buffer holds one frame, and further bytes are lost: there a separate UART is better."""

    def __init__(self, kbd_intr):
        kbd_intr(-1)  # a byte of 3 is then data, not Ctrl-C
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self.source = sys.stdin

    def read(self) -> bytes:
        """Returns the bytes that have arrived, read one by one, since a longer read waits."""
        data = bytearray()
        while len(data) < _READ_BYTES_MAX and self._poll.poll(0):
            byte = sys.stdin.buffer.read(1)
            if not byte:  # on a desk: the other end is gone
                break
            data.extend(byte)
        return bytes(data)

    def takes_frame(self) -> bool:
        return True

    def write(self, frame):
        sys.stdout.buffer.write(frame)


class UartPort:
    """Serves as the line on a UART, one of `links.uart.open_uart`."""

    def __init__(self, uart_):
        self._uart = uart_
        self._leaving_bytes = 0
        self.source = uart_

    def read(self) -> bytes:
        waiting = min(self._uart.any(), _READ_BYTES_MAX)
        return self._uart.read(waiting) or b"" if waiting else b""

    def takes_frame(self) -> bool:
        """Returns whether the longest frame fits the chip's buffer."""
        if self._uart.txdone():
            self._leaving_bytes = 0
        return self._leaving_bytes + _FRAME_BYTES_MAX <= uart.SENT_BYTES_MAX

    def write(self, frame):
        assert frame[0] == slip.END
        self._leaving_bytes += len(frame)
        self._uart.write(frame)
