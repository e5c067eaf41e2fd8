"""Mounts the file system of the bare machine, which survives a reset, and a loss of power in a file of the desk's. Runs
on the bare machine only.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import vfs
from flashbdev import bdev

vfs.mount(vfs.VfsLfs2(bdev), "/")
