"""Collects the faults of a document or of settings, for the person who wrote it: path, problem and remedy.

Does not raise: faults are collected and returned.
"""

from collections import namedtuple

from policy import limits

# path: where in the plain data, `rules[2].from`; problem: what is wrong; remedy: what to write instead.
Fault = namedtuple("Fault", ("path", "problem", "remedy"))

_KINDS = (
    (bool, "a boolean"),
    (str, "a text"),
    (bytes, "bytes"),
    (list, "a list"),
    (tuple, "a list"),
    (dict, "a map"),
    (float, "a float"),
)


class Faults:
    """Collects at most `faults_max` faults; when there were more, the last one gives their number."""

    def __init__(self):
        self._kept = []
        self._dropped = 0

    def add(self, path, problem, remedy):
        if len(self._kept) < limits.faults_max - 1:
            self._kept.append(Fault(path, problem, remedy))
        else:
            self._dropped += 1

    def integer(self, path, value, low, high):
        """Returns whether `value` is an integer (not a boolean) in [low, high]; otherwise notes the fault."""
        if type(value) is int and low <= value <= high:
            return True
        remedy = f"give {low}" if low == high else f"give an integer from {low} to {high}"
        self.add(path, f"is {brief(value)}", remedy)
        return False

    def sequence(self, path, value, low, high):
        """Returns whether `value` is a list or tuple of low to high items; otherwise notes the fault."""
        if type(value) not in (list, tuple):
            self.add(path, f"is {brief(value)}", "give a list")
            return False
        if low <= len(value) <= high:
            return True
        remedy = f"give {low} items" if low == high else f"give {low} to {high} items"
        self.add(path, f"has {len(value)} items", remedy)
        return False

    def count(self):
        return len(self._kept) + self._dropped

    def listed(self):
        """Returns all faults in the order of the document."""
        listed = list(self._kept)
        if self._dropped:
            listed.append(Fault("", f"{self._dropped} more faults", "repair the first ones and try again"))
        return tuple(listed)


def brief(value):
    """Returns a short word for a value in a message: a peer's data is never repeated at length."""
    if type(value) is int and -(10**9) < value < 10**9:
        return str(value)
    if type(value) is int:
        return "a huge integer"
    for kind, word in _KINDS:
        if type(value) is kind:
            return word
    return "nothing" if value is None else "of an unknown kind"
