"""A link that treats datagrams badly, in virtual time and by a seed, for tests that join two ends through it."""


class BadLink:
    """Loses, duplicates, delays and so reorders the datagrams of two ends, by a seeded generator."""

    def __init__(self, generator, *, loss, duplication, delay_max_ms):
        self._generator = generator
        self._loss = loss
        self._duplication = duplication
        self._delay_max_ms = delay_max_ms
        self._under_way = []  # (due_ms, number, destination, source, datagram)
        self._number = 0

    def carry(self, source, destination, datagram, now_ms):
        copies = 1 + (self._generator.random() < self._duplication)
        for _ in range(copies):
            if self._generator.random() >= self._loss:
                due_ms = now_ms + self._generator.randint(1, self._delay_max_ms)
                self._under_way.append((due_ms, self._number, destination, source, datagram))
                self._number += 1

    def next_ms(self):
        return min((item[0] for item in self._under_way), default=None)

    def arrived(self, now_ms):
        due = sorted(item for item in self._under_way if item[0] <= now_ms)
        self._under_way = [item for item in self._under_way if item[0] > now_ms]
        return due
