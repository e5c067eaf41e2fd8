"""Runs first in an interpreter of our own, in place of the port's `_boot`: outputs are safe and the watchdog runs
before the file system is looked at. Frozen; Ctrl-C cannot stop it (ports/esp32/main.c).

The watchdog runs even where `boot` cannot be imported: an interpreter on trial that cannot read the base would stay at
a prompt, and by a reset the boot loader goes back to the former one (`ota`).

`boot` is in the base of the ROMFS partition, which is mounted at /rom before any Python runs. A file system that cannot
be mounted ends the start of the official build at a prompt; here the node starts all the same, without settings: its
outputs stay safe, and its console says what is missing.
"""

import machine

try:
    import boot  # noqa: F401 - importing it sets the outputs
finally:
    machine.WDT(timeout=30_000)

import vfs
from flashbdev import bdev

try:
    vfs.mount(bdev, "/")
except OSError as error:
    print("no file system:", error)
