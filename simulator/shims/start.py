"""What the chip does after a reset: boot.py (here that of the kind in the settings), then main.py. The script that
simulator/vm.py starts. MicroPython only."""

import json


def kind():
    """As the settings name it. What they hold else, or whether they can be read, is main.py's to judge."""
    try:
        with open("settings.json") as file:
            word = json.load(file).get("kind")
    except (OSError, ValueError, AttributeError):
        word = None
    return word if isinstance(word, str) and word else "streetlight"


try:
    import boot  # of a board that was laid out whole (`bocage link board`)
except ImportError:
    try:
        boot = __import__("boards.boot_" + kind(), None, None, ("SAFE",))
    except ImportError:  # a word that is no kind: a board has a boot.py all the same
        import boards.boot_streetlight as boot
assert boot.SAFE, "boot.py has run"

import main  # noqa: E402 - after the outputs are safe, as on the chip

main.main()
