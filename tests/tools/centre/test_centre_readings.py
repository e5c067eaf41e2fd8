"""The view `readings`: the engine opens the bodies itself, and finds a day or a node without reading all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.centre_world import EVENT_TOPIC, GATEWAY, NODE, TELEMETRY_TOPIC, batch, fact, reading, synced, unset
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.rollup import hours
from tools.centre.rollup.worker import Worker
from wire import event, limits, quantity_table, record

DAY = hours.hours_of(20_770)[0]  # midnight of 2026-11-13 in France
NOW = {"received_unix_s": DAY + 3 * 86_400}
OTHER = bytes.fromhex("00000000000000a2")
KEYS = st.integers(0, 256 * limits.CHANNELS_MAX - 1)
VALUES = st.integers(-limits.READING_ABS_MAX, limits.READING_ABS_MAX) | st.integers(-300, 300)


def told(*items):
    """A warehouse that was told this and has rolled it up."""
    warehouse = Warehouse(":memory:")
    for position, item in enumerate(items):
        telemetry = isinstance(item.record.body, dict)
        topic, lane = (TELEMETRY_TOPIC, event.TELEMETRY) if telemetry else (EVENT_TOPIC, event.EVENT)
        assert warehouse.accept(topic, batch([item], position, oldest=0, lane=lane), **NOW)
    worker = Worker(warehouse._connection)
    worker.fill_calendar(now_s=DAY + 86_400)
    while worker.step(10):
        pass
    return warehouse


def ask(warehouse, columns, where="1 = 1"):
    statement = f"SELECT {columns} FROM readings WHERE {where} ORDER BY measured_unix_s, quantity, channel"
    return warehouse._connection.execute(statement).fetchall()


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=limits.READINGS_MAX))
def test_view_shows_what_the_record_holds_digit_for_digit(body):
    found = ask(told(reading(0, body, stamp=synced(DAY + 5))), "quantity, channel, value, unit")
    assert len(found) == len(body)
    for key, value in body.items():
        entry = quantity_table.BY_CODE.get(key % 256)
        name, unit, exponent = entry[1:4] if entry else (f"q{key % 256}", None, 0)
        assert (name, key // 256, value / 10**-exponent, unit) in found


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 5), st.integers(0, 90)), max_size=6), st.booleans())
def test_time_without_a_clock_is_that_of_the_best_anchor(anchors, one_uptime):
    stated = [
        fact(number, event.ANCHOR, [NODE, 1, 7 if one_uptime else up, DAY + up + late, doubt], node=GATEWAY, boot=77)
        for number, (up, doubt, late) in enumerate(anchors)
    ]
    warehouse = told(*(reading(n, {1: n}, stamp=unset(500 * n)) for n in range(4)), *stated)
    known = [
        (moment.unix_s, n / 10)
        for n in range(4)
        if (moment := warehouse.moment(NODE, 1, record.Stamp(0, 500 * n, 0))).unix_s is not None
    ]
    assert ask(warehouse, "measured_unix_s, value") == sorted(known)


def test_day_and_both_times_and_what_the_node_served_then():
    warehouse = told(reading(0, {6: 1950, 257: 3}, stamp=synced(DAY + 5430)), reading(1, {6: 0}, node=OTHER))
    warehouse._connection.execute(
        "INSERT INTO equipment (insee, kind, id, street, node, from_unix_s) VALUES ('49007', 'light', '0117', ?, ?, 0)",
        ("rue de la Loire", NODE),
    )
    columns = "day_local, measured_utc, measured_local, street, quantity, channel, value, unit"
    assert ask(warehouse, columns, "node = '00000000000000a1'") == [
        ("2026-11-13", "2026-11-13T00:30Z", "2026-11-13T01:30+01:00", "rue de la Loire", "power", 1, 0.3, "W"),
        ("2026-11-13", "2026-11-13T00:30Z", "2026-11-13T01:30+01:00", "rue de la Loire", "temp", 0, 19.5, "Cel"),
    ]


def test_doubted_time_is_not_shown_though_another_of_its_span_is():
    doubt = fact(0, event.TIME_DOUBTFUL, [NODE, 1, 1, DAY + 900], node=GATEWAY, boot=77)
    items = [reading(n, {1: n}, stamp=synced(DAY + 900 * n)) for n in range(3)]
    assert ask(told(*items, doubt), "value") == [(0.0,), (0.2,)]


def test_days_whose_spans_overlap_show_each_reading_once():
    # A clock that was set back: the sequences of both days lie among each other.
    items = [reading(n, {1: n}, stamp=synced(DAY + 86_400 * (n % 2) + n)) for n in range(4)]
    assert ask(told(*items), "day_local, value") == [
        ("2026-11-13", 0.0), ("2026-11-13", 0.2), ("2026-11-14", 0.1), ("2026-11-14", 0.3)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "steps"),
    [
        ("node = '00000000000000a1'", ["SEARCH l USING INDEX latest_texts", "SEARCH d", "SEARCH r USING PRIMARY KEY"]),
        ("day_local = '2026-11-13'", ["SEARCH m USING INDEX calendar_days", "SEARCH d", "SEARCH r USING PRIMARY KEY"]),
        ("insee = '49007' AND id = '0117'", ["SEARCH e USING PRIMARY KEY", "SEARCH l", "SEARCH r USING PRIMARY KEY"]),
        ("street = 'rue de la Loire'", ["SCAN e", "SEARCH l", "SEARCH d", "SEARCH r USING PRIMARY KEY"]),
    ],
)
def test_question_reads_the_records_of_its_day_node_or_street_only(of_sqlite, condition, steps):
    rows = told()._connection.execute(f"EXPLAIN QUERY PLAN SELECT sum(value) FROM readings WHERE {condition}")
    plan = [row[3] for row in rows]
    assert not any(step.startswith("SCAN r") for step in plan), plan
    at = 0
    for wanted in steps:
        at = next(place for place in range(at, len(plan)) if plan[place].startswith(wanted)) + 1


