"""Faults follow from records: in any order of arrival the same ones, and nothing from what is kept apart."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.centre_world import (
    EVENT_TOPIC,
    GATEWAY,
    NODE,
    NOW,
    TELEMETRY_TOPIC,
    batch,
    fact,
    reading,
    synced,
)
from tools.centre.condition import fold
from tools.centre.condition.derived import Derived
from tools.centre.condition.faults import Faults
from tools.centre.condition.visits import OPEN, Standing, standing
from tools.centre.ingest.plain import Row
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.rollup import hours
from tools.centre.rollup.worker import Worker
from tools.centre.store import database
from wire import event, record

OTHER = bytes.fromhex("00000000000000a2")
DERIVED = ("SELECT * FROM faults ORDER BY node, boot, sequence", "SELECT * FROM feeders ORDER BY node, feeder")

# What one record says: code, detail, begins or ends. Few choices, so that records of one fault meet often.
SAID = st.sampled_from([
    (event.LAMP_FAILURE, None, True),
    (event.LAMP_FAILURE, None, False),
    (event.FLOW_TOO_LOW, [1, 1, 2], True),
    (event.FLOW_TOO_LOW, [2, 1, 2], True),
    (event.FLOW_TOO_LOW, [1, 1, 2], False),
    (event.FEEDER_SWITCHED, ["bourg", True, "policy", 0], None),
    (event.FEEDER_SWITCHED, ["bourg", False, "policy", 0], None),
])  # fmt: skip


def tables(warehouse):
    return [warehouse._connection.execute(question).fetchall() for question in DERIVED]


def recounted(warehouse):
    """Returns both tables as all records make them anew."""
    connection = warehouse._connection
    columns = "node, boot, sequence, seconds, quality, uncertainty_s, lane, body"
    with database.transaction(connection):
        for table in ("faults", "feeders"):
            connection.execute(f"DELETE FROM {table}")
        anew = Derived(connection)
        anew.note(map(Row._make, connection.execute(f"SELECT {columns} FROM records").fetchall()))
        anew.save()
    return tables(warehouse)


@given(
    st.lists(st.tuples(st.sampled_from((NODE, NODE, OTHER)), st.integers(1, 2), SAID), max_size=12).flatmap(
        lambda said: st.tuples(
            st.just(said), st.permutations([*range(len(said)), *range(0, len(said), 2)]), st.integers(1, 5)
        )
    )
)
def test_any_order_of_arrival_gives_the_faults_of_a_recount(drawn):
    said, order, group = drawn
    facts = [
        fact(sequence, code, detail, active=active, node=node, boot=boot)
        for sequence, (node, boot, (code, detail, active)) in enumerate(said)
    ]
    warehouse = Warehouse(":memory:", synchronous="OFF")
    for at in range(0, len(order), group):
        warehouse.accept(EVENT_TOPIC, batch([facts[one] for one in order[at : at + group]], at, lane="alarm"), **NOW)
    found = tables(warehouse)
    assert found == recounted(warehouse)
    straight = Warehouse(":memory:", synchronous="OFF")
    straight.accept(EVENT_TOPIC, batch(facts, lane="alarm"), **NOW)
    assert found == tables(straight)


def test_what_is_kept_apart_is_no_fault_until_it_is_released():
    warehouse = Warehouse(":memory:")
    warehouse.accept(EVENT_TOPIC, batch([fact(1, event.LAMP_FAILURE, None, active=False)], lane="alarm"), **NOW)
    foreign = batch([fact(2, event.LAMP_FAILURE, None, active=True)], lane="alarm", gateway=OTHER)
    warehouse.accept("tc/1/e/49007/mairie-2", foreign, **NOW)
    assert tables(warehouse) == [[], []]
    assert warehouse.release("49007-mairie-2", None, now_s=1_795_000_000) == 1
    assert [row[:3] for row in tables(warehouse)[0]] == [(NODE, 1, 2)]


def test_of_two_records_with_one_number_the_first_counts():
    warehouse = Warehouse(":memory:")
    for closed in (True, False):
        switched = fact(1, event.FEEDER_SWITCHED, ["bourg", closed, "policy", 0], node=GATEWAY)
        warehouse.accept(EVENT_TOPIC, batch([switched], int(closed), oldest=0, lane="event"), **NOW)
    stamp = 1_790_000_001, record.SYNCED, 1_795_000_000
    assert tables(warehouse)[1] == recounted(warehouse)[1] == [(GATEWAY, "bourg", 1, 1, *stamp, 1)]


def test_an_end_that_comes_late_divides_a_fault():
    warehouse = Warehouse(":memory:")
    for position, (sequence, active) in enumerate(((1, True), (5, True), (3, False))):
        said = fact(sequence, event.LAMP_FAILURE, None, active=active)
        warehouse.accept(EVENT_TOPIC, batch([said], position, oldest=0, lane="alarm"), **NOW)
    assert tables(warehouse) == recounted(warehouse)
    assert [row[5:] for row in tables(warehouse)[0]] == [(1, 1, 1, 3), (1, 5, None, None)]


MIDNIGHT_S = hours.hours_of(20_770)[0]  # of the day on which OTHER takes the place of NODE


@pytest.fixture
def exchanged(tmp_path, engine):
    """A lamp whose node was exchanged. `says` has a node state a fault or, without a code, send a reading at a time;
    returns the faults that last, as (node, code)."""
    warehouse = Warehouse(str(tmp_path / "centre.db"), synchronous="OFF")
    connection = warehouse._connection
    connection.executemany(
        "INSERT INTO equipment (insee, kind, id, from_unix_s, until_unix_s, node)"
        " VALUES ('49007', 'light', '1', ?, ?, ?)",
        [(0, 86_400, NODE), (86_400, MIDNIGHT_S, NODE), (MIDNIGHT_S, None, OTHER)],
    )
    positions = count()

    def says(node, at_s, code=None, detail=None):
        number = next(positions)
        own = {"node": node, "stamp": synced(at_s)}
        if code is None:
            item, topic, lane = reading(number, **own), TELEMETRY_TOPIC, event.TELEMETRY
        else:
            item, topic, lane = fact(number, code, detail, active=True, **own), EVENT_TOPIC, event.ALARM
        warehouse.accept(topic, batch([item], number, oldest=0, lane=lane), received_unix_s=at_s + 1)
        worker = Worker(connection)
        worker.step(10)
        return [(fault.node, fault.code) for fault in Faults(connection).open()]

    says.connection = connection
    yield says
    warehouse.close()


def test_a_fault_of_an_exchanged_node_ends_at_the_exchange_once_the_new_one_is_heard(exchanged):
    assert exchanged(NODE, MIDNIGHT_S - 7200, event.LAMP_FAILURE) == [(NODE, event.LAMP_FAILURE)]
    (before,) = Faults(exchanged.connection).open()
    assert exchanged(OTHER, MIDNIGHT_S + 36_000) == []
    faults = Faults(exchanged.connection)
    (ended,) = faults.ended(MIDNIGHT_S)
    assert ended == before._replace(
        is_over=True, end_unix_s=MIDNIGHT_S, end_received_unix_s=MIDNIGHT_S, is_replaced=True
    )
    assert [ended] == faults.between(MIDNIGHT_S - 10, MIDNIGHT_S) == faults.of_nodes([NODE])
    assert faults.between(MIDNIGHT_S + 1, MIDNIGHT_S + 9) == []
    assert standing(ended) == Standing(OPEN), "nothing was measured"
    assert exchanged.connection.execute("SELECT is_open FROM equipment_faults").fetchall() == [(0,)]


def test_a_fault_goes_on_only_if_the_new_node_states_it_and_one_of_a_later_day_stands(exchanged):
    exchanged(NODE, MIDNIGHT_S + 30_000, event.LAMP_FAILURE)
    exchanged(GATEWAY, MIDNIGHT_S - 9000, event.FAIR_USE_EXCEEDED, [NODE, 9, 9, 9])
    assert exchanged(OTHER, MIDNIGHT_S + 36_000, event.LAMP_FAILURE) == [(OTHER, event.LAMP_FAILURE)]
    # The old node says something after that day: perhaps the register is wrong.
    late = exchanged(NODE, MIDNIGHT_S + 90_000, event.METER_FAILURE)
    assert late == [(NODE, event.METER_FAILURE), (OTHER, event.LAMP_FAILURE)]


def test_campaigns_of_two_kinds_that_halted_are_two_faults():
    halted = [
        fold.statement((1, number), record.EventBody(event.CAMPAIGN_HALTED, True, [product]))
        for number, product in enumerate(("streetlight", "irrigation"))
    ]
    assert len(fold.fold((), halted)) == 2
