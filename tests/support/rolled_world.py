"""A warehouse that is told records one by one, and its worker, on one connection."""

from tests.support.centre_world import EVENT_TOPIC, TELEMETRY_TOPIC, batch
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.rollup import hours
from tools.centre.rollup.worker import Worker
from wire import event, record

DAY = hours.hours_of(20_770)[0]  # midnight of 2026-11-13 in France
RECEIVED_S = DAY + 60 * 86_400


class RolledWorld:
    """`tell` has records received at `received_s`; None: when they were made."""

    def __init__(self, path=":memory:", *, received_s=RECEIVED_S):
        self.warehouse = Warehouse(str(path), synchronous="OFF")
        self.connection = self.warehouse._connection
        self.worker = Worker(self.connection)
        self.position = 0
        self._received_s = received_s

    def tell(self, *items, at_s=None):
        for item in items:
            lane = record.lane(item.record)
            topic = TELEMETRY_TOPIC if lane == event.TELEMETRY else EVENT_TOPIC
            received_s = at_s or self._received_s or item.record.stamp.seconds
            message = batch([item], self.position, oldest=0, lane=lane)
            assert self.warehouse.accept(topic, message, received_unix_s=received_s)
            self.position += 1
        return self

    def roll(self):
        while self.worker.step(2):
            pass
        return self

    def ask(self, statement, *values):
        return self.connection.execute(statement, values).fetchall()

    def contents(self, *tables):
        return {table: self.ask(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables}
