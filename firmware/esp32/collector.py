"""Runs the garbage collector in turns of its own, in a heap of half a megabyte in PSRAM.

A collection marks all that is live, 300 kB, which takes a chip as long as its longest turn: within a turn it would hold
outputs up. So it runs between turns, before the heap is full: the port has taken 512 KiB for it by then, 200 kB of it
free. There is no cheap way to ask how much was allocated since the last one (`gc.mem_alloc` looks at every block), so
turns are counted: one in which something was due leaves 16 kB of garbage or less, any other 1 kB (`bocage bench node`).

MicroPython (py/gc.c) is slow in two cases that a large program meets, and both are avoided here:

* It notes the objects that it still has to look at in a table of 64. Where that overflows, it goes through the whole
  heap once more, which takes as long again. `sys.modules` alone has a hundred. So the first thing that it finds, the
  globals of this module, has a chain of all modules (`MODULES`), one at a time, those that a module uses before itself:
  only what is its own is left to note then, its functions and the methods of one class. No constant tuple and no list
  that lasts may have more than a few dozen objects of its own either: a table of names, of large integers (`wire`). And
  the interpreter's list of names must be in few pieces (`place_folder.prepare`).
* After a collection it looks for free places from the beginning of the heap on, and the place where it begins to look
  moves on only when an object of a single block fills a hole. Between 300 kB of live objects are some hundred such
  holes; until they are filled, each larger object costs a search through all of it, and turns take ten times as long.
  So they are filled at once, with floats, which are garbage from then on.

To ask how much is free looks at every block, too: 27 instructions each on RV32, 0.9 million for 512 KiB. So that is
asked after one collection in sixteen, when it tells of what is live and not of how much garbage there happens to be: a
node with nothing to do asks every two minutes.
"""

import gc
import sys

# An eighth of the heap.
_GARBAGE_KB_MAX = 64
_LONG_TURN_KB = 16
_HOLES = 500
_COLLECTIONS_AN_ASKING = 16
# (((None, a), b), c): of two objects the collector looks at the last first.
MODULES = None


class Collector:
    """Counts garbage, and collects it in a turn that is given to it. It begins with a collection, since a start has
    left much. `free_bytes`: what Python had left after one of the last collections, and what its heap may still grow by
    (py/modgc.c); before the first, at the start."""

    def __init__(self):
        try:
            bytearray(2048 * _GARBAGE_KB_MAX)  # what fills an area all but a few kB gets the next one now
        except MemoryError:
            print("heap: it cannot grow")
        self.free_bytes = gc.mem_free()
        self._garbage_kb = _GARBAGE_KB_MAX
        self._has_holes = False
        self._collections = 0
        global MODULES
        MODULES = None
        seen, ordered = set(), []
        for name in sorted(sys.modules, reverse=True):
            if id(sys.modules[name]) not in seen:
                _add_used(sys.modules[name], seen, ordered)
        for module in reversed(ordered):
            MODULES = (MODULES, module)

    def add(self, is_long):
        """Counts the garbage of a turn; `is_long`: something was due in it."""
        self._garbage_kb += _LONG_TURN_KB if is_long else 1

    def is_due(self):
        """Returns whether the next turn is the collector's."""
        return self._has_holes or self._garbage_kb >= _GARBAGE_KB_MAX

    def turn(self):
        """Does one step if one is due; returns whether it did."""
        if self._has_holes:
            self._has_holes = False
            if self._collections % _COLLECTIONS_AN_ASKING == 0:
                self.free_bytes = gc.mem_free()
            self._collections += 1
            max(map(float, range(_HOLES)))
            return True
        if self._garbage_kb < _GARBAGE_KB_MAX:
            return False
        self._garbage_kb, self._has_holes = 0, True
        gc.collect()
        return True


def _add_used(module, seen, ordered):
    """Adds the modules that are globals of `module`, and then `module`, to the list `ordered`, each once."""
    seen.add(id(module))
    for value in list(module.__dict__.values()):
        if isinstance(value, type(sys)) and id(value) not in seen:
            _add_used(value, seen, ordered)
    ordered.append(module)
