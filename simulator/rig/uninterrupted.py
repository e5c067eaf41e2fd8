"""Starting a process without leaving one behind: Ctrl-C or SIGTERM comes after the block, not within.

Within `subprocess.Popen` an interrupt would come between the new process and its name here, and nobody would ever end
it. Where signals do not come (another thread than the main one), it changes nothing.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off both signals; what came meanwhile is told at the end to whoever was to hear it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
