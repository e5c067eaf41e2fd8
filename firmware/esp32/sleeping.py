"""Puts the chip to deep sleep and back: keeps the image in RTC memory, arms what wakes it, and uses no image twice.

An image (`node.sleep`) lies in a region of RTC memory between `fall_asleep` and the next start. The first thing that
any start does is to spoil it, before the radio is up: an image holds a nonce count, and used twice it would repeat a
nonce. What is not sound, or not of the boot that flash knows as its last, is nothing: then the start is a start.

How long it slept, the chip's system time says, which goes on through deep sleep on the RTC's oscillator (ESP-IDF,
System Time: the RTC timer persists over any reset but a power-up), so that the seconds of booting count, and a sleep
that a pin ended. Nothing else sets that time here.

Two inputs can wake it that the chip tells apart afterwards: EXT0 and EXT1 (MicroPython, `esp32.wake_on_ext0` and
`wake_on_ext1`). One that is at its active level when the sleep begins (the wheel of a meter stopped on its magnet) is
armed for the end of it, which is no pulse.
"""

import struct
import time

import rtc

from node import sleep
from node.trade import PULSE

SLICE_MS = 100
QUIET_MS = 5_000
_HEAD = "<qBB"
# Words that `machine.wake_reason` cannot say: which use had EXT0, and whether its active edge was awaited.
_WORDS = (None, "pulse", "rain", "hand")


def system_ms() -> int:
    """Returns the milliseconds of the chip's system time."""
    return time.time_ns() // 1_000_000


def restore(machine, memory):
    """Restores the sleep.Woken of a start of which the chip says that it woke, or returns None. It is there once."""
    body = memory.get(rtc.TRADE)
    memory.spoil(rtc.TRADE)
    size = struct.calcsize(_HEAD)
    if body is None or len(body) <= size:
        return None
    since_ms, on_ext0, on_ext1 = struct.unpack(_HEAD, body[:size])
    image, slept_ms = sleep.decode(body[size:]), system_ms() - since_ms
    # A system time that was lost, or a sleep longer than any that is ever asked for.
    if image is None or not 0 <= slept_ms <= sleep.SLEPT_MS_MAX:
        return None
    reason = machine.wake_reason() if hasattr(machine, "wake_reason") else None
    by = 0
    if reason is not None and reason == getattr(machine, "EXT0_WAKE", -1):
        by = on_ext0
    elif reason is not None and reason == getattr(machine, "EXT1_WAKE", -1):
        by = on_ext1
    return sleep.Woken(image, slept_ms, _WORDS[by] if by < len(_WORDS) else None)


def fall_asleep(machine, esp32, memory, image, sleep_ms, pins):
    """Keeps `image` and sleeps. `pins`: of the ports' `wake_pins`. Returns never: what follows is a start."""
    on_ext0 = on_ext1 = 0
    for word in pins:
        pin, active = pins[word]
        is_active = pin.value() == active
        level = 1 - active if is_active else active
        number = 0 if is_active else _WORDS.index(word)
        if word == PULSE:
            on_ext1 = number
            esp32.wake_on_ext1((pin,), esp32.WAKEUP_ANY_HIGH if level else esp32.WAKEUP_ALL_LOW)
        else:
            on_ext0 = number
            esp32.wake_on_ext0(pin, esp32.WAKEUP_ANY_HIGH if level else esp32.WAKEUP_ALL_LOW)
    memory.put(rtc.TRADE, struct.pack(_HEAD, system_ms(), on_ext0, on_ext1) + image)
    machine.deepsleep(sleep_ms)


class QuietBearer:
    """Wraps a bearer that is opened once there is something to send, and closed QUIET_MS after the last word when
    nothing is asked, for a node that woke and may have nothing to say: a radio that only listens draws thrice what the
    rest does. Has a bearer's methods and, as its own `link`, a link's. `is_idle`: the node's link's, once there is one.
    What is sent before the network is up waits for that, so that it need not be sent again after CoAP's four seconds.
    `open_bearer()` makes the real one."""

    ack_timeout_ms = 0

    def __init__(self, open_bearer, sleep_ms):
        self._open = open_bearer
        self._sleep_ms = sleep_ms
        self._bearer = None
        self._kept = []
        self._heard_ms = None
        self.is_idle = None
        self.link = self

    def step(self, *, now_ms):
        if self._bearer is None:
            return
        self._bearer.step(now_ms=now_ms)
        if self._heard_ms is None or not self.is_idle():
            self._heard_ms = now_ms
        elif now_ms - self._heard_ms >= QUIET_MS:
            self._bearer.close()
            self._bearer = self._heard_ms = None
            return
        if self._kept and self._bearer.is_ready():
            kept, self._kept = self._kept, []
            for peer, datagram in kept:
                self._bearer.link.send(peer, datagram)

    def signal_dbm(self):
        return None if self._bearer is None else self._bearer.signal_dbm()

    def send(self, peer, datagram):
        if self._bearer is None:
            self._bearer = self._open()
        if self._bearer.is_ready():
            self._bearer.link.send(peer, datagram)
        elif (peer, datagram) not in self._kept:
            self._kept = self._kept[-3:] + [(peer, datagram)]

    def receive(self):
        return () if self._bearer is None else self._bearer.link.receive()

    def wait(self, timeout_ms):
        if self._bearer is None:
            self._sleep_ms(min(SLICE_MS, timeout_ms))
        else:
            self._bearer.link.wait(timeout_ms)
