"""A commune of twelve lights on three streets, whose nodes say and measure what a test has them say, and a judge of it.

The judge keeps its own ledger of what was said, and knows nothing of folds, notes and pages.
"""

from itertools import count

from tests.support.centre_world import batch, fact, reading, synced
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.scope import grants
from wire import event, quantity

INSEE, NOW_S = "49135", 1_795_000_000
STREETS = ("rue du Port", "Grande rue", "impasse <b>du Moulin</b>")
CABINET = f"{INSEE}-cab"


def node_of(number):
    return f"light{number:03}".encode()


class RoundWorld:
    """A warehouse at `path`, of which `person` sees everything."""

    def __init__(self, path, person="operator"):
        self._warehouse = Warehouse(path, synchronous="OFF")
        self._positions = count()
        self._sequences = count(10)
        self.connection = self._warehouse._connection
        rows = [("commune", INSEE, "Feneu", None, None, None, None, None, None, None)]
        rows += [("cabinet", "cab", "Armoire", STREETS[0], None, None, -0.6, 47.57, None, None)]
        for n in range(12):
            street, along = n % 3, n // 3
            # Each street runs east; they lie one above the other, 500 m apart.
            at = -0.6 + 0.001 * along, 47.57 + 0.005 * street
            rows.append(("light", f"{n:04}", None, STREETS[street], CABINET, "main", *at, node_of(n), 350))
        self.connection.executemany(
            "INSERT INTO equipment (kind, id, name, street, cabinet, feeder, longitude, latitude, node, power_dw,"
            f" insee, lamp, from_unix_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{INSEE}', 'LED', 0)",
            rows,
        )
        grants.give(self.connection, grants.Grant(person, INSEE, "*", 0, None, "secretary", 0))
        self.said = {}  # (light, code): what its node stated last, and when
        self.dark = {}  # light: when it was last measured dark as ordered

    def close(self):
        self._warehouse.close()

    def states(self, number, is_so, at_s, code=event.LAMP_FAILURE):
        """The node of a light says that a condition is so, or is over."""
        self.said[number, code] = is_so, at_s
        item = fact(next(self._sequences), code, None, active=is_so, node=node_of(number), stamp=synced(at_s))
        self._accept("e", item, event.ALARM, at_s)

    def measures(self, number, power_dw, level, at_s):
        body = {quantity.POWER: power_dw, quantity.LEVEL_ORDERED: level, quantity.LEVEL_REPORTED: level}
        item = reading(next(self._sequences), body, node=node_of(number), stamp=synced(at_s))
        self._accept("t", item, event.TELEMETRY, at_s)
        if level == 0 and power_dw < 30:
            self.dark[number] = at_s

    def exchanges(self, number, other, at_s):
        """The node of a light gives place to another."""
        node, wanted = node_of(number), "WHERE node = ?"
        columns = "insee, kind, id, name, street, cabinet, feeder, longitude, latitude, power_dw, lamp"
        self.connection.execute(
            f"INSERT INTO equipment ({columns}, from_unix_s, node) SELECT {columns}, ?, ? FROM equipment {wanted}",
            (at_s, node_of(other), node),
        )
        self.connection.execute(f"UPDATE equipment SET until_unix_s = ? {wanted}", (at_s, node))

    def _accept(self, kind, item, lane, at_s):
        payload = batch([item], next(self._positions), oldest=0, lane=lane, epoch=f"epoch-{lane}"[:8].encode())
        self._warehouse.accept(f"tc/1/{kind}/{INSEE}/cab", payload, received_unix_s=at_s + 2)

    def unproved(self, shown):
        """Of {light: state}, the lights that are shown repaired though their node has not said so last."""
        lasting = set()
        for (number, code), (is_so, at_s) in self.said.items():
            # A lamp that burns by day is no news once it should burn: its end is when it is measured dark.
            is_only_lit = code == event.LAMP_UNEXPECTED_ON and self.dark.get(number, 0) < at_s
            if is_so or is_only_lit:
                lasting.add(number)
        return sorted(number for number, state in shown.items() if state == "repaired" and number in lasting)
