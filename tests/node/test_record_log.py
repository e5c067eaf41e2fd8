"""Seven days without a gateway: what the log on flash keeps, thins, tells, and what a power cut leaves of it."""

import itertools

import pytest

from esp32.log_files import LogFiles
from node import limits, log_segment, record_log
from node.log_thinning import Plan
from node.record_log import RecordLog
from tests.support.log_world import Books, Cut, LoggedNode, Medium
from wire.event import ALARM, EVENT, LANES, TELEMETRY

DAY_MIN = 24 * 60


def silent_days(days, **rates):
    books, medium = Books(), Medium()
    node = LoggedNode(books, medium, 1)
    node.run(days * DAY_MIN, **rates)
    return books, medium, node


@pytest.mark.slow
def test_seven_days_at_five_minutes_survive_a_power_cut_whole():
    books, medium, node = silent_days(7)
    assert len(books.made) == 2016 + 1
    assert node.log.counters["thinned"] == node.log.counters["dropped"] == 0
    assert node.log.segments() <= limits.LOG_SEGMENTS_MAX
    after = LoggedNode(books, medium, 2, previous=1, known=None)
    after.drain()
    lost = [name for name in books.made if name not in books.held]
    assert len(lost) <= 12, "at most the hour that was in RAM alone"
    assert all(books.is_covered(name) for name in lost)
    assert LogFiles(open_file=medium.open, files=medium).names() == []


@pytest.mark.slow
def test_a_start_over_a_full_log_feeds_the_watchdog_at_each_file_and_decodes_no_record(monkeypatch):
    """A chip looks through a log of 64 segments for some 4 s, and to decode each record would take it 5 s more."""
    _books, medium, node = silent_days(21)
    fed, asked = [], []
    honest = log_segment.identity
    monkeypatch.setattr(log_segment, "identity", lambda data: asked.append(1) or honest(data))
    files = LogFiles(open_file=medium.open, files=medium)
    log = RecordLog(files, on_file=lambda: fed.append(1))
    assert len(fed) == log.segments() == node.log.segments() == len(files.names()) >= 64
    assert not asked and log.waiting() == node.log.waiting()


def test_a_street_in_contact_writes_nothing():
    books, medium = Books(), Medium()
    node = LoggedNode(books, medium, 1)
    node.reachable = True
    node.run(3 * DAY_MIN, alarm_percent=5, event_percent=20)
    assert medium.writes == 0
    assert not books.missing() and not books.twice


def test_a_silence_of_half_an_hour_writes_nothing_but_alarms_go_to_flash_after_a_minute():
    books, medium = Books(), Medium()
    node = LoggedNode(books, medium, 1)
    node.run(25)
    assert medium.writes == 0
    node.event(ALARM)
    node.run(1)
    assert medium.writes > 0 and node.log.waiting(ALARM) == 1


def test_a_dozen_records_do_not_wait_for_the_hour_in_a_silence():
    books, medium = Books(), Medium()
    node = LoggedNode(books, medium, 1)
    for _ in range(limits.LOG_SILENT_RECORDS):
        node.event(EVENT)
    node.run(1)
    assert medium.writes == 0, "the gateway may be there"
    node.run(1)
    assert medium.writes > 0 and len(node.outbox.sequences()) < limits.LOG_SILENT_RECORDS
    before, most = medium.writes, 0
    for _ in range(600):
        node.run(1, event_percent=90)
        most = max(most, len(node.outbox.sequences()))
    assert limits.LOG_SILENT_RECORDS < most <= 20, "two a minute, and ten minutes between two writes"
    assert medium.writes - before <= 3 * 600 // 10, "of two lanes, and a new file now and then"


@pytest.mark.slow
def test_three_weeks_of_silence_thin_the_older_half_and_tell_it():
    books, _medium, node = silent_days(21, event_percent=1)
    assert node.log.counters["thinned"] > 1000 and node.log.counters["dropped"] == 0
    assert node.log.segments() <= limits.LOG_SEGMENTS_MAX + 1
    node.drain()
    assert books.missing() == []
    kept = sorted(name[1] for name in books.held if books.lanes[name] == TELEMETRY)
    made = sorted(name[1] for name in books.made if books.lanes[name] == TELEMETRY)
    assert kept[-1000:] == made[-1000:], "the recent past is whole"
    assert kept[0] == made[0]
    steps = [after - before for before, after in itertools.pairwise(kept)]
    assert max(steps) < 60, "no hole of hours: thinned evenly"


def test_alarms_have_a_reserve_that_a_flood_of_events_does_not_take():
    books, _medium, node = silent_days(3, event_percent=100)
    for _ in range(200):
        node.run(1, event_percent=100, alarm_percent=100)
    alarms = [name for name in books.made if books.lanes[name] == ALARM]
    node.drain()
    assert len(alarms) >= 200 and all(name in books.held for name in alarms)
    assert books.missing() == []


@pytest.mark.slow
def test_a_flood_of_alarms_drops_in_the_end_and_tells_every_loss(monkeypatch):
    monkeypatch.setattr(limits, "LOG_SEGMENTS_MAX", 14)
    books, _medium, node = silent_days(2, event_percent=100, alarm_percent=100)
    assert node.log.counters["dropped"] > 0
    node.drain()
    assert books.missing() == []


def test_dropped_gap_records_and_boot_reports_are_told_anew(monkeypatch):
    monkeypatch.setattr(limits, "LOG_SEGMENTS_MAX", 12)
    books, medium, previous, known = Books(), Medium(), None, None
    for boot in range(1, 31):
        node = LoggedNode(books, medium, boot, previous=previous, known=known, seed=boot)
        node.run(200, event_percent=60)
        previous, known = boot, None
    node.drain()
    assert node.log.counters["dropped"] > 0
    assert books.missing() == []


def test_a_node_that_starts_every_dusk_keeps_its_files_few():
    books, medium, previous = Books(), Medium(), None
    for boot in range(1, 60):
        node = LoggedNode(books, medium, boot, previous=previous, seed=boot)
        node.run(90, event_percent=5)
        previous = boot
    assert node.log.counters["thinned"] == 0
    assert node.log.segments() <= limits.LOG_SEGMENTS_MAX
    node.drain()
    assert books.missing() == []


def test_what_is_new_goes_first_and_alarms_of_both_before_all():
    books, medium, _node = silent_days(1, alarm_percent=1, event_percent=1)
    after = LoggedNode(books, medium, 2, previous=1)
    first = after.outbox.first((ALARM, EVENT), 200, 8)
    assert all(books.lanes[(1, entry.sequence)] == ALARM for entry in first) and first[0].place is not None
    while first[0].place is not None:
        after.outbox.acknowledge(first)
        first = after.outbox.first((ALARM, EVENT), 200, 8)
    assert first[0].sequence == 0 and first[0].data == books.made[(2, 0)], "the boot report, before old events"
    assert after.outbox.stored((TELEMETRY,), 200, 8)[0].data == books.made[(1, 1)]


def test_what_was_in_flight_when_it_went_to_flash_is_not_sent_again():
    books, medium, node = silent_days(1)
    node = LoggedNode(books, medium, 2, previous=1)
    for _ in range(3):
        node.readings()
    flying = node.outbox.first((TELEMETRY,), 200, 8)
    node.outbox.flush()
    while not node.outbox.is_flushed():
        node.outbox.poll(now_ms=0)
    before = node.log.waiting(TELEMETRY)
    node.outbox.acknowledge(flying)
    assert node.log.waiting(TELEMETRY) == before - len(flying)
    for entry in flying:
        books.take(entry.data)
    node.drain()
    assert books.twice == 0


def test_a_segment_goes_as_a_whole_and_a_place_is_acknowledged_once():
    _books, _medium, node = silent_days(1)
    places = [entry.place for entry in node.outbox.stored((TELEMETRY,), 200, 8)]
    waiting = node.log.waiting()
    assert all(node.log.acknowledge(place) for place in places)
    assert not any(node.log.acknowledge(place) for place in places)
    assert node.log.waiting() == waiting - len(places)


@pytest.mark.parametrize("lane", LANES)
def test_names_of_segments_read_back_and_nothing_else_does(lane):
    assert log_segment.read_name(log_segment.name(lane, 1, 0xFFFFFF, 99)) == (lane, 1, 0xFFFFFF, 99)
    for text in ("", "new", "t00000100000100x", "x0000010000010", "t00000g00000100", "t0000010000010"):
        assert log_segment.read_name(text) is None


def test_entries_end_at_the_first_that_is_not_sound():
    data = log_segment.entry(3, b"one") + log_segment.mark(7, 41) + log_segment.entry(1, b"three")
    found = log_segment.entries_of(data)
    assert [each[0] for each in found] == [3, log_segment.MARK, 1]
    assert log_segment.read_mark(found[1][3]) == (7, 41)
    for cut in range(len(data)):
        assert log_segment.entries_of(data[:cut]) == [each for each in found if each[2] <= cut]
    for index in range(len(data)):
        bad = data[:index] + bytes((data[index] ^ 1,)) + data[index + 1 :]
        whole = [each for each in found if each[2] <= index]
        assert log_segment.entries_of(bad)[: len(whole)] == whole and len(log_segment.entries_of(bad)) < 3
    assert log_segment.entries_of(bytes(4096)) == []
    assert log_segment.entries_of(b"\xff" * 4096) == []


def damaged(index):
    books, medium, _node = silent_days(4)
    name = sorted(path for path in medium.files if path.startswith("log/t"))[index]
    data = medium.files[name]
    medium.files[name] = data[:1000] + b"\0\0\0\0" + data[1004:]
    after = LoggedNode(books, medium, 2, previous=1, known=None)
    assert after.log.counters[record_log.DAMAGED] == 1
    after.drain()
    return books


@pytest.mark.parametrize("index", [0, 5, -1])
def test_a_block_that_rots_costs_its_records_which_a_gap_tells(index):
    books = damaged(index)
    assert books.missing() == []
    assert len(books.held) > 1000


@pytest.mark.slow
def test_a_full_file_system_makes_the_log_do_with_less():
    books, medium = Books(), Medium(bytes_max=80_000)
    node = LoggedNode(books, medium, 1)
    node.run(10 * DAY_MIN)
    assert node.log.counters["failed"] > 0 and node.log.counters["dropped"] > 0
    assert node.log.counters["failed"] < 100
    node.drain()
    assert books.missing() == []


@pytest.mark.slow
def test_a_flash_that_takes_no_write_leaves_the_outbox_as_it_was_without_a_log():
    books, medium = Books(), Medium()
    medium.refuses = True
    node = LoggedNode(books, medium, 1)
    node.run(2 * DAY_MIN)
    assert node.outbox.counters["thinned"] > 0 and node.log.waiting() == 0
    node.drain()
    assert books.missing() == []


# --- cuts ---------------------------------------------------------------------------------------------------


def story(medium, books, boot, previous, checkpoint, cut_at):
    """A boot in a long silence with a log that is full, ended by a cut. The checkpoint it leaves."""
    medium.operations, medium.cut_at = 0, cut_at
    known = checkpoint[1] if checkpoint is not None and checkpoint[0] == previous else None
    node = None
    try:
        node = LoggedNode(books, medium, boot, previous=previous, known=known, seed=boot)
        for _ in range(2):
            node.run(150, alarm_percent=2, event_percent=10)
            node.reachable = True
            node.run(2)
            node.reachable = False
    except Cut:
        pass
    medium.cut_at = None
    if node is None:
        return checkpoint
    promised = node.outbox.durable_sequence(node.sequence)
    books.promised[boot] = promised
    books.thinned = node.log.counters["thinned"]
    return node.checkpoint


def end_of(medium, books, boot, previous, checkpoint):
    known = checkpoint[1] if checkpoint is not None and checkpoint[0] == previous else None
    node = LoggedNode(books, medium, boot, previous=previous, known=known)
    node.drain()


def small(monkeypatch):
    monkeypatch.setattr(limits, "LOG_SEGMENTS_MAX", 9)
    monkeypatch.setattr(limits, "LOG_EVENT_SEGMENTS", 2)
    monkeypatch.setattr(limits, "LOG_ALARM_SEGMENTS", 1)


def prepared(monkeypatch):
    small(monkeypatch)
    books, medium = Books(), Medium()
    node = LoggedNode(books, medium, 1)
    node.run(2 * DAY_MIN, event_percent=5)
    assert node.log.counters["thinned"]
    return books, medium, node.checkpoint


def copy_of(books):
    copied = Books()
    copied.made, copied.lanes = dict(books.made), dict(books.lanes)
    copied.held, copied.gaps = dict(books.held), list(books.gaps)
    return copied


@pytest.mark.slow
def test_a_cut_at_any_operation_loses_nothing_that_was_durable(monkeypatch):
    """At every seventh: an append has six, so each of them has its turn. At all: tests/esp32/test_littlefs_log.py."""
    before, first, checkpoint = prepared(monkeypatch)
    whole = Medium(first.files)
    books = copy_of(before)
    story(whole, books, 2, 1, checkpoint, None)
    assert whole.operations > 100 and books.thinned > 0
    for cut_at in range(1, whole.operations + 1, 7):
        books, medium = copy_of(before), Medium(first.files)
        left = story(medium, books, 2, 1, checkpoint, cut_at)
        end_of(medium, books, 3, 2, left)
        promised = books.promised.get(2)
        for sequence in range(0 if promised is None else promised + 1):
            name = (2, sequence)
            assert name in books.held or any(
                gap[0] == 2 and gap[1] <= sequence <= gap[2] < 1 << 32 for gap in books.gaps
            ), f"cut {cut_at} took {name}, which was promised"
        # Of a boot whose own report was never written, the next one's open gap tells all.
        assert [name for name in books.missing() if name[0] != 1 or (2, 0) in books.held] == []
        assert sorted(medium.files) == ["log"] or sorted(medium.files) == ["log", "log/new"]


@pytest.mark.slow
def test_cuts_in_a_row_never_keep_a_node_from_starting(monkeypatch):
    books, medium, checkpoint = prepared(monkeypatch)
    for boot in range(2, 30):
        checkpoint = story(medium, books, boot, boot - 1, checkpoint, 7 * boot)
    end_of(medium, books, 30, 29, checkpoint)
    assert LogFiles(open_file=medium.open, files=medium).names() == []


def test_a_log_that_acknowledges_at_the_writing_is_seen(monkeypatch):
    """Planted: a segment is believed before it was written."""
    monkeypatch.setattr(LogFiles, "append", lambda self, name, data: True)
    books, medium, node = silent_days(1)
    after = LoggedNode(books, medium, 2, previous=1, known=node.checkpoint[1])
    after.drain()
    assert books.missing()


@pytest.mark.slow
def test_thinning_before_the_gap_is_durable_is_seen(monkeypatch):
    """Planted: room is made without waiting for the gap records."""
    small(monkeypatch)
    honest = RecordLog.poll
    monkeypatch.setattr(RecordLog, "drain_gaps", lambda self: [])

    def forgets(self, *, durable, now_ms):
        return self._gaps.clear() or honest(self, durable=True, now_ms=now_ms)

    monkeypatch.setattr(RecordLog, "poll", forgets)
    books, _medium, node = silent_days(6)
    assert node.log.counters["thinned"] > 0
    node.drain()
    assert books.missing()


def test_a_budget_that_is_spent_does_not_keep_the_node_turning():
    """Neighbours are to be put together, which tells nobody of any loss, and nothing may be written today."""
    _books, _medium, node = silent_days(2)
    node.drain()
    node.reachable, asked = False, []
    for _ in range(2):
        node.readings()
    pair = [log_segment.row(TELEMETRY, 1000 + number, 1000 + number, 0) for number in range(2)]
    node.log._plan = Plan(TELEMETRY, pair, (set(), set()), [], 0, "thinned")
    node.log._spend = lambda now_ms: asked.append(now_ms)
    assert node.outbox.deadline_ms(1000) == 1000
    node.outbox.poll(now_ms=1000)
    assert node.outbox.deadline_ms(1000) > 1000
    for turn in range(100):
        node.outbox.poll(now_ms=2000 + turn)
    assert len(asked) == 1
    node.log._spend = lambda now_ms: True
    node.outbox.poll(now_ms=1000 + limits.LOG_RETRY_MS)
    assert node.log._plan is None
