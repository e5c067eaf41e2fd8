"""Removes modules that a node needs once a day or less.

They are loaded for a task, and a chip has no room to keep them after it.
"""

import sys


def let_go(name: str) -> None:
    """Removes a module that was imported for a task; the next task imports it again.

    The package goes with its last module: on a chip it is only a path to its modules.
    """
    del sys.modules["watering." + name]
    package = sys.modules["watering"]
    if any(other.startswith("watering.") for other in sys.modules):
        delattr(package, name)
    else:
        del sys.modules["watering"]
