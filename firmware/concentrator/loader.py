"""Starts the concentrator's program: `main.py` at the root of the chip, beside `slots.py`. Neither is ever updated.

Chooses the folder to start from (`slots`), puts it in front of the search path and calls its program. On trial every
failure ends in a reset, which leads to the next trial or back to the confirmed folder. When the confirmed folder cannot
be imported (a damaged file system) the other one is tried at once. The watchdog ends a program that hangs while it
starts.

Must know nothing of an image but `concentrator.main.main(boot, choose, confirm)`: this is the contract that every
image keeps.
"""

import sys

import machine

# Importing an image that was not compiled takes seconds. The program shortens this time for its loop.
WATCHDOG_MS = 30_000
if __name__ == "__main__":
    # Before any module of ours is imported: a byte of 3 on the line is Ctrl-C, and would leave a start at a prompt for
    # good.
    import micropython

    micropython.kbd_intr(-1)
    machine.WDT(timeout=WATCHDOG_MS)
    import network

    # The radio's driver takes its memory before the program does: on an ESP32 without PSRAM Python's heap doubles, and
    # would leave it too little.
    network.WLAN(network.STA_IF)

import slots  # noqa: E402


def main():
    """Starts the chosen program, and resets the chip however it ends."""
    try:
        start(slots.Store(), imported)
    except Exception as error:
        sys.print_exception(error)
    finally:
        machine.reset()


def start(store, imports):
    """Runs the program of the chosen folder. `imports(folder)` returns its `main`, or raises."""
    boot = slots.begin(store)
    try:
        program = imports(slots.FOLDERS[boot.slot])
    except Exception as error:
        if boot.is_trial:
            raise
        sys.print_exception(error)
        boot = slots.Boot(1 - boot.slot, False, boot.floor, boot.failed)
        program = imports(slots.FOLDERS[boot.slot])
    slot = boot.slot
    program(
        boot,
        lambda number: slots.choose(store, slot, number),
        lambda number: slots.confirm(store, slot, number),
    )


def imported(folder):
    """Imports the folder's program; after a failure no module of it stays loaded."""
    before = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        from concentrator.main import main as program
    except Exception:
        sys.path.pop(0)
        for name in list(sys.modules):
            if name not in before:
                del sys.modules[name]
        raise
    return program


if __name__ == "__main__":
    main()
