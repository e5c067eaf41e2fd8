"""Says where a chip's programs are that has them in folders of its file system, which is any chip with MicroPython's
official build. It lies beside the loader as `place`; `place_rom` has the same names. Neither is ever updated.
"""

PROGRAMS = ("a", "b")
RESCUE = "r"
# What the name of a program for such a chip ends with.
SUFFIX = ""
# Bytecode and names of a file are copied into the heap (py/persistentcode.c): a folder that was imported may be erased.
IS_MAPPED = False


def begin():
    """Returns None: the file system is there, and there is one place for an interpreter."""


def half(slot):
    """Returns None: a program is a folder."""
