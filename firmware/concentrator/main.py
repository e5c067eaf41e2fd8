"""Runs the concentrator on the chip: composes the parts and turns the loop of `concentrator.shell`.

It is in folder `a` or `b` of the chip's file system with the packages it imports and `chip`, `crash`, `slot_files` of
`esp32/`; `bocage link image` makes such a folder. `loader.py` at the root starts it. Copied to the root itself, as
`main.py`, it runs too, but cannot be updated over its line. It prints nothing, since the console may be the line. Its
settings are in concentrator.json, all of them optional:

    {"channel": 6, "uart": [1, 17, 16, 115200]}

`channel`: used until the gateway sets another, which is kept in channel.json. `uart`: number, TX, RX, baud; without it
the line is the chip's USB or console.
"""

import gc
import json
import os
import select
import time

import crash
import espnow
import machine
import micropython
import network
from chip import Clock, random_below_of
from slot_files import SlotFiles, running_number

from concentrator.bridge import Bridge
from concentrator.shell import ConsolePort, Shell, UartPort
from concentrator.update import Update
from links import uart
from links.espnow_radio import Radio
from wire import radio as words
from wire import radio_update

VERSION = "0.1.0"
SETTINGS = "concentrator.json"
CHANNEL = "channel.json"
CHANNEL_DEFAULT = 6
# Starting the radio again takes half a second, a frame for which the driver's pool has no room two seconds.
WATCHDOG_MS = 8000
# Folders of images, as the loader counts them.
FOLDERS = ("a", "b")


def main(boot=None, choose=None, confirm=None):
    """Runs the concentrator for ever. An uncaught exception is written down, then the chip is reset.

    The loader's contract: `boot` has slot, is_trial, floor and failed; `choose(number)` and `confirm(number)` write the
    choice of the next start and return whether they could. Without a loader all three are None."""
    try:
        run(boot, choose, confirm)
    except Exception as error:
        crash.note("concentrator " + VERSION, error)
    finally:
        machine.reset()


def run(boot, choose, confirm):
    """Starts the shell, then turns it for ever."""
    wdt = machine.WDT(timeout=WATCHDOG_MS)
    clock = Clock(time.ticks_ms, time.ticks_diff)
    settings = load(SETTINGS)
    channel = first_channel(load(CHANNEL), settings)
    poll = select.poll()
    port = open_port(settings.get("uart"))
    poll.register(port.source, select.POLLIN)
    radio = Radio(network, espnow, channel)
    radio.register(poll, select.POLLIN)
    update = open_update(boot, clock.now_ms())
    bridge = Bridge(
        session=1 + random_below_of(os.urandom)(words.SESSION_MAX),
        cause=crash.reset_cause(machine),
        firmware=VERSION,
        channel=channel,
        now_ms=clock.now_ms(),
        update=update,
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
        update=update,
        files=None if boot is None else SlotFiles(FOLDERS[1 - boot.slot], choose, confirm),
    )
    gc.collect()
    while True:
        shell.turn()


def open_update(boot, now_ms):
    """Returns the Update of the running image; without a loader its phase is FIXED."""
    if boot is None:
        return Update(number=0, floor=0, phase=radio_update.FIXED, failed=0, now_ms=now_ms)
    phase = radio_update.TRIAL if boot.is_trial else radio_update.CONFIRMED
    number = running_number(FOLDERS[boot.slot])
    return Update(number=number, floor=boot.floor, phase=phase, failed=boot.failed, now_ms=now_ms)


def load(name) -> dict:
    """Returns the object in a JSON file; {} when there is no readable one: the concentrator runs without it."""
    try:
        with open(name) as file:
            plain = json.load(file)
    except (OSError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}


def first_channel(*places) -> int:
    """Returns the first valid channel in these objects, or CHANNEL_DEFAULT."""
    for place in places:
        channel = place.get("channel")
        if isinstance(channel, int) and words.CHANNEL_MIN <= channel <= words.CHANNEL_MAX:
            return channel
    return CHANNEL_DEFAULT


def remember(channel):
    """Keeps the channel over a reset; it is written only when the gateway changes it."""
    try:
        with open(CHANNEL, "w") as file:
            json.dump({"channel": channel}, file)
    except OSError:
        pass  # the gateway will send it again


def open_port(wanted):
    """Opens the line of the settings, or the console when they name no usable UART."""
    if isinstance(wanted, list) and len(wanted) == 4 and all(isinstance(value, int) for value in wanted):
        number, tx, rx, baud = wanted
        micropython.kbd_intr(3)  # the console is then free for a person
        return UartPort(uart.open_uart(machine, number, tx=tx, rx=rx, baud=baud))
    return ConsolePort(micropython.kbd_intr)


if __name__ == "__main__":
    main()
