"""Runs `bocage` as `python -m tools`, where the console script is not on the path or nothing is installed."""

import sys
from pathlib import Path

from tools.cli import main

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"

if __name__ == "__main__":
    if FIRMWARE.is_dir():  # in a checkout; an installation has these packages beside this one
        sys.path.insert(0, str(FIRMWARE))
    sys.exit(main())
