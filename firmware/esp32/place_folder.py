"""Finds the programs of a chip that has them in folders of its file system, which is any chip with MicroPython's
official build; and makes a program's names known. It lies beside the loader as `place`; `place_rom` has the same
names. Neither is ever updated.
"""

import os

PROGRAMS = ("a", "b")
RESCUE = "r"
# What the name of a program for such a chip ends with.
SUFFIX = ""
# Bytecode and names of a file are copied into the heap (py/persistentcode.c): a folder that was imported may be erased.
IS_MAPPED = False
# More than the names of any module of ours take.
_HEAD_BYTES = 8192
# Of `os.stat`'s first item: a folder.
_FOLDER = 0x4000


def begin():
    """Returns None: the file system is there, and there is one place for an interpreter."""


def half(slot):
    """Returns None: a program is a folder."""


def prepare(folder):
    """Makes the names in the folder's compiled modules known all at once, before any is loaded.

    The interpreter keeps names in pieces, which grow until something else is allocated behind them. Loading module by
    module leaves a piece for each, more than the collector's table holds (`collector`). A .mpy file of version 6 has
    its names behind four bytes and two numbers (py/persistentcode.c). What cannot be read is left to the import.
    """
    names = []
    try:
        _add_folder(folder, bytearray(_HEAD_BYTES), names)
    except (OSError, IndexError, ValueError):
        print("names:", folder, "cannot be read")
    while names:
        hasattr(None, names.pop())


def _add_folder(folder, head, names):
    for entry in os.listdir(folder):
        path = folder + "/" + entry
        if entry.endswith(".mpy"):
            with open(path, "rb") as file:
                size = file.readinto(head)
            _add_names(memoryview(head)[:size], names)
        elif "." not in entry and os.stat(path)[0] & _FOLDER:
            _add_folder(path, head, names)


def _add_names(head, names):
    count, at = _number(head, 4)
    _, at = _number(head, at)
    for _ in range(count):
        length, at = _number(head, at)
        if not length & 1:  # others are numbers of names that every interpreter has
            names.append(str(head[at : at + (length >> 1)], "utf-8"))
            at += (length >> 1) + 1


def _number(data, at):
    """Returns (number, where it ends): seven bits a byte, the first ones first."""
    value = 0
    while data[at] & 0x80:
        value = value << 7 | data[at] & 0x7F
        at += 1
    return value << 7 | data[at], at + 1
