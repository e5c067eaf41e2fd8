"""Starts what the flash of the bare machine holds, as a chip's interpreter does after boot.py: its main.py, the loader.
Runs on the bare machine only.

On a chip boot.py lies in the flash, too. Here it is in the image, so that nothing is mounted before it has run.
"""

# mypy: ignore-errors
# The modules of MicroPython are not those that mypy knows.

import bare_mounts  # noqa: F401

with open("/main.py") as file:
    exec(file.read(), {"__name__": "__main__", "__file__": "main.py"})
