"""Two tables of nodes: the few that the radio's driver may know at once, and the counts of more of them.

The one that was used longest ago makes room. Must not know what is sent to whom.
"""


class RadioPeers:
    """Who is in the driver's table, which has `count_max` places. `evicted`: how often somebody made room."""

    def __init__(self, count_max):
        self._count_max = count_max
        self._used = {}  # MAC -> when, in turns
        self._turn = 0
        self.evicted = 0

    def use(self, mac):
        """(must be added, MAC that must be deleted first or None)."""
        self._turn += 1
        is_new = mac not in self._used
        gone = None
        if is_new and len(self._used) == self._count_max:
            gone = _oldest(self._used)
            del self._used[gone]
            self.evicted += 1
        self._used[mac] = self._turn
        return is_new, gone

    def forget(self):
        """The driver has been begun anew and knows nobody."""
        self._used.clear()

    def __len__(self):
        return len(self._used)


class Counts:
    """Per node: strength of the last frame, frames from it, frames for it, of these not acknowledged."""

    def __init__(self, count_max):
        self._count_max = count_max
        self._rows = {}  # MAC -> [rssi, up, down, failed]
        self._used = {}
        self._turn = 0

    def heard(self, mac, rssi_dbm):
        row = self._row(mac)
        row[0] = rssi_dbm
        row[1] += 1

    def sent(self, mac, was_acknowledged):
        row = self._row(mac)
        row[2] += 1
        if not was_acknowledged:
            row[3] += 1

    def rows(self):
        """[(MAC, rssi_dbm, up, down, failed)], by MAC."""
        return [(mac, row[0], row[1], row[2], row[3]) for mac, row in sorted(self._rows.items())]

    def _row(self, mac):
        self._turn += 1
        row = self._rows.get(mac)
        if row is None:
            if len(self._rows) == self._count_max:
                gone = _oldest(self._used)
                del self._used[gone]
                del self._rows[gone]
            row = self._rows[mac] = [0, 0, 0, 0]
        self._used[mac] = self._turn
        return row


def _oldest(used):
    oldest = None
    for mac, turn in used.items():
        if oldest is None or turn < used[oldest]:
            oldest = mac
    return oldest
