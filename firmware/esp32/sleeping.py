"""Puts the chip into deep sleep and restores it: keeps the image in RTC memory, arms the wake sources, and uses no
image twice.

An image (`node.sleep`) is in a region of RTC memory between `fall_asleep` and the next start. Every start first
invalidates it, before the radio is up: an image holds a nonce count, and used twice it would repeat a nonce. An image
that is not sound, or not of the last boot on flash, is ignored: the chip then starts as after any reset.

The length of the sleep is taken from the chip's system time, which continues through deep sleep on the RTC's oscillator
(ESP-IDF, System Time: the RTC timer persists over any reset but a power-up), so that it includes the seconds of booting
and is right for a sleep that a pin ended. Nothing here sets that time.

Two inputs can wake the chip that it distinguishes afterwards: EXT0 and EXT1 (MicroPython, `esp32.wake_on_ext0` and
`wake_on_ext1`). An input that is at its active level when the sleep begins (the wheel of a meter stopped on its magnet)
is armed for the end of that level, which is no pulse.
"""

import struct
import time

import rtc

from node import sleep
from node.trade import PULSE

SLICE_MS = 100
QUIET_MS = 5_000
_HEAD = "<qBB"
# The words by which the use of EXT0 and EXT1 is kept, since `machine.wake_reason` does not report it; None: the end of
# an active level was awaited.
_WORDS = (None, "pulse", "rain", "hand")


def system_ms() -> int:
    """Returns the milliseconds of the chip's system time."""
    return time.time_ns() // 1_000_000


def restore(machine, memory):
    """Returns the sleep.Woken after a reset by deep sleep, or None. It can be read once."""
    body = memory.get(rtc.TRADE)
    memory.spoil(rtc.TRADE)
    size = struct.calcsize(_HEAD)
    if body is None or len(body) <= size:
        return None
    since_ms, on_ext0, on_ext1 = struct.unpack(_HEAD, body[:size])
    image, slept_ms = sleep.decode(body[size:]), system_ms() - since_ms
    # The system time was lost, or the sleep is longer than any that is ever set.
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
    """Keeps `image` and enters deep sleep. `pins`: from the ports' `wake_pins`. It never returns: a start follows."""
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
    """Wraps a bearer for a node that woke and may have nothing to send: a radio that only listens draws three times as
    much as the rest. It opens the bearer with the first datagram to send, and closes it QUIET_MS after the last one
    when no exchange is open. It has a bearer's methods and, as its own `link`, a link's. `is_idle`: the node's link's,
    once there is one. A datagram that is sent before the network is up waits for it, so that CoAP need not repeat it
    after four seconds. `open_bearer()` makes the real bearer."""

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
