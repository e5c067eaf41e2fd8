"""Modules of the package that a node wants once a day or less: loaded for a task, and let go after it. A chip has no
room to keep them.
"""

import sys


def let_go(name: str) -> None:
    """A module that was imported for a task, and with the last one the package, on a chip a way to its modules and no
    more. Whoever wants it again imports it again."""
    del sys.modules["watering." + name]
    package = sys.modules["watering"]
    if any(other.startswith("watering.") for other in sys.modules):
        delattr(package, name)
    else:
        del sys.modules["watering"]
