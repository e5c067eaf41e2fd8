"""What the chip does after a reset: boot.py, then main.py. The script that simulator/vm.py starts.
MicroPython only."""

import boot
import main

assert boot.SAFE, "boot.py has run"
main.main()
