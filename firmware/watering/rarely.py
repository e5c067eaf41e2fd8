"""Lets go of modules that a node needs once a day or less: they are loaded for a task, and a chip has no room to keep
them after it.
"""

import sys


def let_go(name: str) -> None:
    """Lets go of a module that was imported for a task, and with the last one of the package, which is on a chip only a
    way to its modules. The next task imports it again."""
    del sys.modules["watering." + name]
    package = sys.modules["watering"]
    if any(other.startswith("watering.") for other in sys.modules):
        delattr(package, name)
    else:
        del sys.modules["watering"]
