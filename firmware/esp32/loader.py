"""Starts a node's program. It is `main.py` at the root of the chip, beside `boot`, `place`, `slots`, `guard`, `rtc` and
`last_resort`, none of which is ever updated; or all are in the base of a ROMFS partition (firmware/interpreter).

Chooses the folder to start from (`slots`: the application in `a` or `b`; `guard`: the rescue program in `r` after three
failed starts; `place` says where these are), puts it in front of the search path and calls its program. On trial every
failure ends in a reset, which leads to the next trial or back to the confirmed folder. When the confirmed folder cannot
be imported the other one is tried at once, and then the rescue. Programs that run in place are tried one a life: the
other one may later write over the first, whose names the interpreter would still use. So the choice changes, and the
chip is reset. What fails under an interpreter on trial (`ota`) is no fault of a program: no choice changes, and the
reset ends that trial. The watchdog ends a program that hangs while it starts. When nothing can be imported,
`last_resort` makes safe the outputs that boot.py cannot, and the chip starts again: soon, if it is an image on trial
that fails.

Must know nothing of a program but `main.main(start)`, a Start: this is the contract that every image keeps.
"""

import sys
import time
from collections import namedtuple

import machine

# Importing an image that was not compiled takes seconds. The program shortens this time for its loop.
WATCHDOG_MS = 30_000
if __name__ == "__main__":
    # Before any module of ours is imported: without it, an interrupted start (Ctrl-C) would stay at a prompt for good.
    machine.WDT(timeout=WATCHDOG_MS)

import guard  # noqa: E402
import place  # noqa: E402
import rtc  # noqa: E402
import slots  # noqa: E402

# When nothing can be imported outputs stay as boot.py left them, and the chip is reset no sooner than after this pause,
# in tenths of a second.
NOTHING_PAUSE_SLICES = 150

# folder: the one that the program runs from. is_rescue: True for the rescue program. boot: a slots.Boot.
# choose(number), confirm(number): write the choice of the next start, and return whether they could. guard: a begun
# guard.Guard. guarded: its guard.Start. memory: the rtc.Memory. ended: guard's word for what ended the last start.
# interpreter: the ota.Choice, or None where the chip has one place for an interpreter. is_trial: the program is on
# trial, or the interpreter.
Start = namedtuple(
    "Start",
    (
        "folder", "is_rescue", "boot", "choose", "confirm", "guard", "guarded", "memory", "ended", "interpreter",
        "is_trial",
    ),
)  # fmt: skip


class NoProgram(Exception):
    """Is raised when no folder can be imported and none is on trial: no other start will do better."""


def main():
    """Starts the chosen program, and resets the chip however it ends."""
    try:
        memory = rtc.Memory(machine.RTC())
        interpreter, ended = place.begin(), guard.ended_by(machine, memory)
        start(slots.Store(), guard.Guard(memory, guard.Store()), memory, ended, imported, interpreter)
    except Exception as error:
        sys.print_exception(error)
        __import__("last_resort").keep(isinstance(error, NoProgram))
        for _ in range(NOTHING_PAUSE_SLICES):
            time.sleep_ms(100)
    finally:
        machine.reset()


def start(store, guarding, memory, ended, imports, interpreter):
    """Runs the chosen program. `imports(folder)` returns its `main`, or raises. Returns where the next start is to try
    the other program."""
    boot = slots.begin(store)
    is_trial = boot.is_trial or (interpreter is not None and interpreter.is_trial)
    guarded = guarding.begin(ended, is_trial=is_trial)
    chosen, other = place.PROGRAMS[boot.slot], place.PROGRAMS[1 - boot.slot]
    if is_trial:
        folders = (chosen,)
    elif place.IS_MAPPED:
        folders = (place.RESCUE, chosen) if guarded.is_rescue else (chosen,)
    else:
        folders = (place.RESCUE, chosen, other) if guarded.is_rescue else (chosen, other, place.RESCUE)
    for folder in folders:
        try:
            program = imports(folder)
            break
        except Exception as error:
            sys.print_exception(error)
            if isinstance(error, MemoryError):
                # The official build starts silently on a module without PSRAM (CONFIG_SPIRAM_IGNORE_NOTFOUND).
                print("loader: no memory for the program in", folder + ": it needs a module with PSRAM")
    else:
        if place.IS_MAPPED and not is_trial:
            print("loader: the next start tries", other)
            slots.fall_back(store)
            if not guarded.is_rescue:
                return
        raise (ImportError if is_trial else NoProgram)("no program")
    if folder in place.PROGRAMS:
        boot = slots.Boot(place.PROGRAMS.index(folder), boot.is_trial, boot.floor, boot.failed)
    slot = boot.slot
    program(
        Start(
            folder,
            folder == place.RESCUE,
            boot,
            lambda number: slots.choose(store, slot, number),
            lambda number: slots.confirm(store, slot, number),
            guarding,
            guarded,
            memory,
            ended,
            interpreter,
            is_trial,
        )
    )


def imported(folder):
    """Imports the folder's program; after a failure no module of it stays loaded."""
    sys.modules.pop("main", None)  # this file, if it was imported and not run
    before = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        place.prepare(folder)
        from main import main as program

        if not sys.modules["main"].__file__.startswith(folder + "/"):
            raise ImportError("no program in " + folder)  # an empty folder: the import found this file
    except Exception:
        sys.path.pop(0)
        for name in list(sys.modules):
            if name not in before:
                del sys.modules[name]
        raise
    return program


if __name__ == "__main__":
    main()
