"""Starts the loader, which is in the base of the ROMFS partition. Frozen: the port runs a frozen `main.py` before one
that is on a file system (shared/runtime/pyexec.c)."""

import loader

loader.main()
