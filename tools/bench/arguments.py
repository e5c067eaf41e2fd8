"""What is given to a benchmark, checked before it runs: a bad word is told with its bounds, and nothing else begins."""

import argparse
import shutil
from collections.abc import Callable


def whole(low: int, high: int) -> Callable[[str], int]:
    """For argparse: an integer from `low` to `high`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return value

    return read


def months(text: str) -> tuple[int, int]:
    """For argparse: first and last month of one year, as in 4-9."""
    first, dash, last = text.partition("-")
    if dash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 12:
        return int(first), int(last)
    raise argparse.ArgumentTypeError(f"{text!r} is no pair of months; give the first and the last, as in 4-9")


def program(text: str) -> str:
    """For argparse: a program that can be started."""
    if shutil.which(text) is None:
        raise argparse.ArgumentTypeError(f"{text} is no program that can be started")
    return text
