"""A warehouse in which a feeder of a cabinet in Feneu (49135) has failed, and a lamp on it in Angers (49007) is out."""

from tests.support.centre_world import GATEWAY, batch, fact, synced
from tools.centre.ingest.warehouse import Warehouse
from wire import event

BEGIN_S = 1_790_000_000
LAMP = (1).to_bytes(8, "big")


def build(path):
    warehouse = Warehouse(path, synchronous="OFF")
    warehouse._connection.executemany(
        "INSERT INTO equipment (insee, kind, id, from_unix_s, cabinet, feeder, node) VALUES (?, ?, ?, 0, ?, ?, ?)",
        [("49007", "light", "0001", "49135-mairie-1", "bourg", LAMP),
         ("49135", "cabinet", "mairie-1", None, None, None)],
    )  # fmt: skip
    for number, (node, code, detail) in enumerate(
        [(GATEWAY, event.FEEDER_FAILURE, ["bourg", 0, 14000]), (LAMP, event.LAMP_FAILURE, None)]
    ):
        said = fact(number, code, detail, active=True, node=node, stamp=synced(BEGIN_S + number))
        alarm = batch([said], number, oldest=0, lane="alarm")
        warehouse.accept("tc/1/e/49135/mairie-1", alarm, received_unix_s=BEGIN_S + 9000)
    warehouse.close()
