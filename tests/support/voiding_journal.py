"""A journal that lets go of what a test names."""

from gateway.core.custody.journal import Journal
from gateway.core.custody.stream import Hole, Void


class VoidingJournal(Journal):
    """A journal in which positions become void at a word: {(lane, position)} of the current epoch."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.void = set()

    def read(self, stream, first, *, count_max, bytes_max):
        found, position, used = [], first, 0
        while position < self.durable_end(stream) and len(found) < count_max:
            last = position - 1
            while (stream.lane, last + 1) in self.void:
                last += 1
            if last >= position:
                found.append(Void(position, last))
            else:
                items = super().read(stream, position, count_max=1, bytes_max=bytes_max)
                if not items or (found and isinstance(items[0], bytes) and used + len(items[0]) > bytes_max):
                    break
                found += items
                used += len(items[0]) if isinstance(items[0], bytes) else 0
                last = items[0].last if isinstance(items[0], Hole) else position
            position = last + 1
        return found
