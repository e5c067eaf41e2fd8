"""A night that is played again ends with the warehouse that it was, and shows at each instant what was known then."""

from contextlib import closing

import pytest

from simulator.options import SEASONS, Options
from tools import cli
from tools.centre.condition.states import States
from tools.centre.store import schema
from tools.demo import faults
from tools.demo.replay import Replay, nights, noon_before
from tools.demo.story import WAREHOUSE, Story

MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """(folder, when a lamp was killed, its node): an evening in which one lamp dies; the story is over."""
    folder = tmp_path_factory.mktemp("night")
    story = Story(folder, Options(start=SEASONS["spring"], lamps=30))
    story.run_until(story.dusk_ms() + 60 * MINUTE_MS)
    target = next(iter(faults.KINDS["lamp"].targets(story)))
    faults.strike(story, "lamp", target.key)
    struck_s = story.unix_s
    story.run_until(story.now_ms + 30 * MINUTE_MS)
    yield folder, struck_s, target.subject
    story.close()


def replayed(night):
    folder, struck_s, _ = night
    return Replay(folder, str(folder / WAREHOUSE), noon_before(struck_s))


def until(replay, unix_s):
    replay.run_until(replay.now_ms + 1000 * (unix_s - replay.unix_s))


def rows(path, table):
    with closing(schema.open_to_read(path)) as connection:
        return sorted(map(repr, connection.execute(f"SELECT * FROM {table}")))


def state(path, node, unix_s):
    with closing(schema.open_to_read(path)) as connection:
        states = States(connection, now_s=unix_s)
        return next(one.state for one in states.of_equipment("light") if one.node == node)


def test_at_its_end_the_night_is_the_one_that_was(night):
    folder = night[0]
    replay = replayed(night)
    until(replay, night[1] + 12 * 3600)
    for table in ("records", "faults", "feeders", "latest", "gaps", "anchors", "doubts"):
        assert rows(replay.path, table) == rows(str(folder / WAREHOUSE), table), table
    replay.close()


def test_at_each_instant_it_shows_what_was_known_then(night):
    _, struck_s, node = night
    replay = replayed(night)
    until(replay, struck_s)
    assert state(replay.path, node, struck_s) == "ok"
    assert replay.snapshot().lit == 30  # those of the cabinet without nodes measure nothing of their own
    until(replay, struck_s + 1500)
    assert state(replay.path, node, struck_s + 1500) == "fault"
    assert replay.snapshot().lit == 29
    replay.close()


def test_any_of_its_instants_can_be_sought_back_and_forth(night):
    folder, struck_s, node = night
    replay = replayed(night)
    for after_s, told in ((1000, "fault"), (0, "ok"), (-600, "ok"), (1000, "fault")):
        unix_s = struck_s + after_s
        replay.seek(unix_s)
        assert (replay.unix_s, state(replay.path, node, unix_s)) == (unix_s, told)
    first_s, last_s = replay.snapshot().span
    replay.seek(last_s + 3600)
    assert replay.unix_s == last_s and replay.snapshot().is_over
    replay.seek(0)
    assert replay.unix_s == first_s
    assert first_s < struck_s - 3600 and replay.snapshot().lit == 0
    assert len(list(folder.glob("replay-*.db"))) == 2
    replay.close()


def test_it_is_over_with_its_last_record_and_its_next_dusk_is_within_it(night):
    replay = replayed(night)
    assert 6 * 3600 < replay.dusk_ms() // 1000 < 10 * 3600
    assert replay.dusk_ms() - replay.now_ms == 10 * MINUTE_MS  # the day before it is not played
    assert not replay.snapshot().is_over
    replay.run_until(48 * 3_600_000)
    assert night[1] < replay.unix_s <= night[1] + 1800  # and not at noon, with the lamps of the evening
    assert replay.snapshot().is_over
    assert replay.dusk_ms() == replay.now_ms
    replay.close()


def test_the_nights_of_a_warehouse_are_those_of_its_records(night):
    folder, struck_s, _ = night
    assert nights(str(folder / WAREHOUSE)) == [noon_before(struck_s)]


def test_a_night_without_records_is_refused_with_those_that_there_are(night, capsys):
    words = ["demo", "--db", str(night[0] / WAREHOUSE), "--night", "2020-01-01", "--no-browser", "--lang", "en"]
    assert cli.main(words) == 2
    assert "there are records from 2027-04-20 to 2027-04-20" in capsys.readouterr().err
