"""Modules of the package that a node wants once a day or less: loaded for a task, and let go after it. A chip has no
room to keep them.
"""

import sys


def let_go(name: str) -> None:
    """A module that was imported for a task. Whoever wants it again imports it again."""
    del sys.modules["watering." + name]
    delattr(sys.modules["watering"], name)
