"""What the warehouse answers: missing and explained records, UTC of uptimes, readings, energy."""

import pytest

from tests.support.centre_world import (
    EVENT_TOPIC,
    GATEWAY,
    NODE,
    NOW,
    TELEMETRY_TOPIC,
    batch,
    fact,
    reading,
    readings,
    synced,
    unset,
)
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.store.archive import Archive, Explanation, Moment, Reading
from wire import event, quantity

OTHER = bytes.fromhex("00000000000000a2")


@pytest.fixture
def warehouse():
    opened = Warehouse(":memory:")
    yield opened
    opened.close()


def tell(warehouse, *items):
    """Items as the gateway's next positions, each in its own lane."""
    for item in items:
        telemetry = isinstance(item.record.body, dict)
        topic = TELEMETRY_TOPIC if telemetry else EVENT_TOPIC
        payload = batch([item], lane=event.TELEMETRY if telemetry else event.EVENT)
        assert warehouse.accept(topic, payload, **NOW)


def gap(sequence, about, first, last, *, boot=1, why="full", node=GATEWAY):
    return fact(sequence, event.GAP, [about, boot, first, last, why], node=node, boot=77)


def anchor(sequence, about, uptime_s, unix_s, uncertainty_s=2, *, boot=1, node=GATEWAY):
    return fact(sequence, event.ANCHOR, [about, boot, uptime_s, unix_s, uncertainty_s], node=node, boot=77)


# --- missing and explained ---


def test_missing_is_what_is_neither_held_nor_explained(warehouse):
    tell(warehouse, reading(0), reading(1), reading(5), reading(9))
    assert list(warehouse.missing(NODE, 1)) == [2, 3, 4, 6, 7, 8]
    tell(warehouse, gap(0, NODE, 2, 3), gap(1, NODE, 6, 7, why="thinned"))
    assert list(warehouse.missing(NODE, 1)) == [4, 8]
    assert warehouse.explained(NODE, 1, 3).why == "full"
    assert warehouse.explained(NODE, 1, 7).why == "thinned"
    assert warehouse.explained(NODE, 1, 4) is None
    assert next(warehouse.missing_all()) == (NODE, 1, 4, 4)


def test_another_s_word_goes_before_the_node_s_own(warehouse):
    own = gap(9, None, 2, 3, why="dropped", node=NODE)
    tell(warehouse, own, gap(0, NODE, 0, 4))
    assert warehouse.explained(NODE, 1, 3) == Explanation("full", GATEWAY)
    assert warehouse.explained(NODE, 1, 8) is None


def test_record_beats_a_gap(warehouse):
    tell(warehouse, gap(0, NODE, 0, 4), reading(2))
    assert warehouse.explained(NODE, 1, 1).why == "full"
    assert warehouse.explained(NODE, 1, 2) is None


def test_gap_of_the_last_record_is_known_to_have_been(warehouse):
    tell(warehouse, reading(0), gap(0, NODE, 3, 4))
    assert list(warehouse.missing(NODE, 1)) == [1, 2]


def test_boot_report_opens_a_gap_after_the_last_durable_sequence(warehouse):
    tell(warehouse, reading(0), fact(0, event.BOOT, [1, 2, "watchdog", "light", "1.0"], boot=2))
    assert list(warehouse.missing(NODE, 1)) == [1, 2]
    assert warehouse.explained(NODE, 1, 2) is None
    assert warehouse.explained(NODE, 1, 3).why == "boot"
    assert warehouse.explained(NODE, 1, 10**6).why == "boot"
    assert warehouse.explained(NODE, 2, 3) is None


def test_boot_report_that_nothing_was_durable_explains_all_of_that_boot(warehouse):
    tell(warehouse, fact(0, event.BOOT, [1, None, "power", "light", "1.0"], boot=2))
    assert warehouse.explained(NODE, 1, 0).why == "boot"
    assert list(warehouse.missing(NODE, 1)) == []


def test_first_boot_of_all_states_no_gap(warehouse):
    tell(warehouse, fact(0, event.BOOT, [None, None, "power", "light", "1.0"]))
    assert warehouse.gaps() == []


def test_boot_report_cannot_explain_away_its_own_boot(warehouse):
    tell(warehouse, fact(0, event.BOOT, [2, 0, "power", "light", "1.0"], boot=2))
    assert warehouse.gaps() == []
    assert warehouse.counters["statements_refused"] == 1


def test_null_is_the_node_itself(warehouse):
    tell(warehouse, gap(0, None, 4, 5, node=NODE, why="flash"))
    assert warehouse.gaps() == [(NODE, 1, 4, 5, "flash", NODE)]


def test_node_cannot_speak_for_another(warehouse):
    tell(warehouse, gap(0, OTHER, 0, 9, node=NODE), anchor(1, OTHER, 10, 1_790_000_000, node=NODE))
    assert warehouse.explained(OTHER, 1, 3) is None
    assert warehouse.moment(OTHER, 1, unset(10)) == Moment(None, None)
    assert warehouse.counters["statements_refused"] == 2
    assert warehouse.counters["records"] == 2


def test_gap_that_ends_before_it_begins_is_no_gap(warehouse):
    tell(warehouse, gap(0, NODE, 5, 4))
    assert warehouse.gaps() == []
    assert warehouse.counters["statements_refused"] == 1


def test_hostile_sequence_does_not_make_the_question_costly(warehouse):
    tell(warehouse, reading(0, {6: 1}), reading(0xFFFFFFFF, {6: 1}, stamp=synced(1)))
    assert warehouse.missing_spans(NODE, 1) == [(1, 0xFFFFFFFE)]
    assert next(warehouse.missing(NODE, 1)) == 1


# --- time ---


def test_uptime_is_mapped_through_the_nearest_anchor_of_its_boot(warehouse):
    tell(
        warehouse,
        anchor(0, NODE, 100, 1_790_000_100, 3),
        anchor(1, NODE, 50_000, 1_790_050_010, 1),
        anchor(2, NODE, 60, 1_700_000_000, 1, boot=2),
    )
    assert warehouse.moment(NODE, 1, unset(100)) == Moment(1_790_000_100, 3)
    assert warehouse.moment(NODE, 1, unset(40)) == Moment(1_790_000_040, 4)
    assert warehouse.moment(NODE, 1, unset(40_000)) == Moment(1_790_040_010, 2)
    assert warehouse.moment(NODE, 1, unset(70_000)) == Moment(1_790_070_010, 3)
    assert warehouse.moment(NODE, 2, unset(0)) == Moment(1_699_999_940, 2)
    assert warehouse.moment(NODE, 3, unset(0)) == Moment(None, None)


def test_the_anchor_that_leaves_the_least_uncertainty_is_taken_not_the_nearest(warehouse):
    """A gateway's bound of a whole week beside what the node itself said later."""
    tell(warehouse, anchor(0, NODE, 10, 1_790_000_000, 604_800))
    assert warehouse.moment(NODE, 1, unset(10)) == Moment(1_790_000_000, 604_800)
    tell(warehouse, anchor(1, NODE, 5000, 1_790_004_950, 1, node=NODE))
    assert warehouse.moment(NODE, 1, unset(10)) == Moment(1_789_999_960, 2)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_one_maker_about_one_uptime_the_latest_word_holds_however_exact_the_earlier(warehouse, order):
    words = [(600, 1), (3600, 30), (0, 60)]  # a clock that was wrong twice
    anchors = [anchor(number, NODE, 10, 1_790_000_000 + off, doubt) for number, (off, doubt) in enumerate(words)]
    tell(warehouse, *(anchors[number] for number in order))
    assert warehouse.moment(NODE, 1, unset(10)) == Moment(1_790_000_000, 60)
    tell(warehouse, reading(3, {6: 1}, stamp=unset(10)))
    assert [made.unix_s for made in warehouse.readings(NODE, quantity.TEMPERATURE)] == [1_790_000_000]
    tell(warehouse, anchor(0, None, 10, 1_790_000_007, 9, boot=1, node=NODE))
    assert warehouse.moment(NODE, 1, unset(10)) == Moment(1_790_000_007, 9), "another maker is another word"


def test_own_time_needs_no_anchor(warehouse):
    assert warehouse.moment(NODE, 1, synced(1_790_000_000, 4)) == Moment(1_790_000_000, 4)


def test_readings_are_chosen_by_quantity_channel_and_mapped_time(warehouse):
    inside = quantity.key(quantity.TEMPERATURE, 1)
    tell(
        warehouse,
        reading(0, {inside: 2137, 6: 900}, stamp=unset(10)),
        reading(1, {6: 905}, stamp=unset(20)),
        reading(2, {inside: 2140}, stamp=synced(1_790_000_100)),
        reading(0, {inside: 1500}, boot=2, stamp=unset(5)),
    )
    assert list(warehouse.readings(NODE, quantity.TEMPERATURE, 1)) == [
        Reading(1, 0, None, None, 2137),
        Reading(1, 2, 1_790_000_100, 1, 2140),
        Reading(2, 0, None, None, 1500),
    ]
    tell(warehouse, anchor(0, NODE, 10, 1_790_000_000))
    found = warehouse.readings(NODE, quantity.TEMPERATURE, 1, 1_790_000_000, 1_790_000_100)
    assert list(found) == [Reading(1, 0, 1_790_000_000, 2, 2137)]


# --- energy ---


def test_a_register_that_restarts_at_each_boot_counts_within_boots_alone(warehouse):
    tell(
        warehouse,
        reading(0, {4: 1000}),
        reading(1, {4: 1250}),
        reading(0, {4: 5}, boot=2),
        reading(1, {4: 105, 4 + 256: 7}, boot=2),
    )
    assert warehouse.energy_wh(NODE) == {0: 350, 1: 0}


def test_a_register_that_runs_on_counts_what_was_used_between_two_boots_too(warehouse):
    tell(
        warehouse,
        reading(0, {4: 1000}),
        reading(1, {4: 1250}),
        reading(0, {4: 1262}, boot=2),
        reading(1, {4: 1300}, boot=2),
        reading(0, {5: 1}, boot=3),
        reading(0, {4: 1310}, boot=4),
    )
    assert warehouse.energy_wh(NODE) == {0: 310}


def test_a_register_that_goes_back_to_its_last_note_counts_nothing_twice(warehouse):
    """The node wrote 1230 down, told 1250, and lost its mains: what it counts from there is new."""
    tell(
        warehouse,
        reading(0, {4: 1000}),
        reading(1, {4: 1250}),
        reading(0, {4: 1235}, boot=2),
        reading(1, {4: 1290}, boot=2),
    )
    assert warehouse.energy_wh(NODE) == {0: 250 + 55}


def test_a_register_that_restarts_never_counts_more_than_was_used(warehouse):
    """Two short boots: the second's first reading is above the first's last one, by less than it burnt itself."""
    tell(warehouse, reading(0, {4: 2}), reading(1, {4: 3}), reading(0, {4: 5}, boot=2), reading(1, {4: 9}, boot=2))
    assert warehouse.energy_wh(NODE) == {0: 1 + 2 + 4}


def test_register_that_falls_within_a_boot_is_not_repaired(warehouse):
    tell(warehouse, reading(0, {4: 1000}), reading(1, {4: 990}), reading(2, {4: 1010}))
    assert warehouse.energy_wh(NODE) == {0: 10}


def test_energy_within_bounds(warehouse):
    tell(warehouse, *(reading(n, {4: 100 * n}, stamp=synced(1_790_000_000 + 900 * n)) for n in range(5)))
    assert warehouse.energy_wh(NODE, 1_790_000_900, 1_790_003_600) == {0: 200}
    assert warehouse.energy_wh(OTHER) == {}
    tell(
        warehouse,
        reading(0, {4: 450}, stamp=synced(1_790_004_500), boot=2),
        reading(1, {4: 470}, stamp=synced(1_790_005_400), boot=2),
    )
    assert warehouse.energy_wh(NODE, since_unix_s=1_790_004_000) == {0: 20}, "not from before"
    assert warehouse.energy_wh(NODE, since_unix_s=1_790_003_600) == {0: 70}


def test_reader_sees_what_another_process_writes(tmp_path):
    path = str(tmp_path / "a file?#%.db")
    writer = Warehouse(path)
    reader = Archive.open(path)
    writer.accept(TELEMETRY_TOPIC, readings(0, 2), **NOW)
    assert reader.digest() == writer.digest()
    assert len(list(reader.identities())) == 3
