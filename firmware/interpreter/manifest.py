"""Lists what is frozen into an interpreter of our own (makemanifest.py of MicroPython). Programs are in ROMFS.

`machine` adds Counter to the port's own, from 1.26 on.
"""

# ruff: noqa: F821
# mypy: ignore-errors

freeze("$(BOARD_DIR)", ("_boot.py", "main.py"))
freeze("$(PORT_DIR)/modules", ("espnow.py", "flashbdev.py", "machine.py"))
require("onewire")
