"""The concentrator on the chip: puts the parts together and turns the loop of `concentrator.shell`.

Copied to the root of the chip's file system beside `clock`, `crash`, `entropy` of `esp32/` and the packages.
Prints nothing: the console may be the line. Settings in concentrator.json, all of them optional:

    {"channel": 6, "uart": [1, 17, 16, 115200]}

`channel`: before the gateway says otherwise, which is kept in channel.json. `uart`: number, TX, RX, baud;
without it the line is the chip's USB or console.
"""

import gc
import json
import os
import select
import time

import crash
import entropy
import espnow
import machine
import micropython
import network
from clock import Clock

from concentrator.bridge import Bridge
from concentrator.ports import ConsolePort, UartPort
from concentrator.shell import Shell
from links import uart
from links.espnow_radio import Radio
from wire import radio as words

VERSION = "0.1.0"
SETTINGS = "concentrator.json"
CHANNEL = "channel.json"
CHANNEL_DEFAULT = 6
# Beginning the radio anew takes half a second, a frame that the driver's pool has no room for two seconds.
WATCHDOG_MS = 8000


def main():
    """Run for ever. What is not caught anywhere is written down, then the chip is reset."""
    try:
        run()
    except Exception as error:
        crash.note("concentrator " + VERSION, error)
    finally:
        machine.reset()


def run():
    """Start, then turn. Returns never."""
    wdt = machine.WDT(timeout=WATCHDOG_MS)
    clock = Clock(time.ticks_ms, time.ticks_diff)
    settings = load(SETTINGS)
    channel = first_channel(load(CHANNEL), settings)
    poll = select.poll()
    port = open_port(settings.get("uart"))
    poll.register(port.source, select.POLLIN)
    radio = Radio(network, espnow, channel)
    radio.register(poll, select.POLLIN)
    bridge = Bridge(
        session=1 + entropy.below(os.urandom)(words.SESSION_MAX),
        cause=reset_cause(),
        firmware=VERSION,
        channel=channel,
        now_ms=clock.now_ms(),
    )
    shell = Shell(
        bridge,
        radio,
        port,
        now_ms=clock.now_ms,
        wait=poll.poll,
        feed=wdt.feed,
        restart=machine.reset,
        remember=remember,
        heap_free=gc.mem_free,
    )
    gc.collect()
    while True:
        shell.turn()


def load(name) -> dict:
    """A file's object; empty when there is none, or none that can be read: the concentrator runs without."""
    try:
        with open(name) as file:
            plain = json.load(file)
    except (OSError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}


def first_channel(*places) -> int:
    """The first good channel of these objects."""
    for place in places:
        channel = place.get("channel")
        if isinstance(channel, int) and words.CHANNEL_MIN <= channel <= words.CHANNEL_MAX:
            return channel
    return CHANNEL_DEFAULT


def remember(channel):
    """Keep the channel over a reset; written only when the gateway changes it."""
    try:
        with open(CHANNEL, "w") as file:
            json.dump({"channel": channel}, file)
    except OSError:
        pass  # the gateway will say it again


def open_port(wanted):
    """The line; the console when the settings say nothing that can be used."""
    if isinstance(wanted, list) and len(wanted) == 4 and all(isinstance(value, int) for value in wanted):
        number, tx, rx, baud = wanted
        return UartPort(uart.open_uart(machine, number, tx=tx, rx=rx, baud=baud))
    return ConsolePort(micropython.kbd_intr)


def reset_cause():
    """A word of `wire.radio.CAUSES`. A brown-out reads as power-on, a panic as hard (the port's own
    limits)."""
    names = {
        "PWRON_RESET": "power-on",
        "HARD_RESET": "hard",
        "WDT_RESET": "watchdog",
        "DEEPSLEEP_RESET": "deep-sleep",
        "SOFT_RESET": "soft",
    }
    cause = machine.reset_cause()
    for name in names:
        if getattr(machine, name, None) == cause:
            return names[name]
    return "unknown"


if __name__ == "__main__":
    main()
