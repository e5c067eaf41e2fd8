"""What `bocage prove kill` judges beside the delivery: the roll-up against a recount."""

from contextlib import closing

from tests.support.centre_world import NOW, TELEMETRY_TOPIC, readings
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store import schema
from tools.prove import kill


def test_an_hour_that_is_not_that_of_the_records_is_seen(tmp_path):
    where = str(tmp_path / "warehouse.db")
    warehouse = Warehouse(where)
    warehouse.accept(TELEMETRY_TOPIC, readings(0, 40), **NOW)
    warehouse.close()
    assert kill.recounted(where) == {"rolled_up": 2, "recounted_otherwise": 0}
    with closing(schema.open_to_write(where)) as connection:
        connection.execute("UPDATE hours SET temperature_s = temperature_s + 1")
    assert kill.recounted(where)["recounted_otherwise"] == 2  # the wrong hour, and the right one
