"""The roll-up: last states, hours and days, in any order of arrival, and equal to a recount from records.

Long because it is all that the roll-up promises.
"""

import multiprocessing
import subprocess
import sys
from contextlib import closing
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.centre_world import GATEWAY, NODE, TELEMETRY_TOPIC, batch, fact, reading, synced, unset
from tests.support.rolled_world import DAY, RECEIVED_S, RolledWorld
from tools import cli
from tools.centre.rollup import hours
from tools.centre.rollup import worker as worker_module
from tools.centre.rollup.second_process import Helper
from tools.centre.rollup.worker import Worker
from tools.centre.store import bodies, database, schema
from wire import event, quantity, record

ENERGY, POWER, LEVEL, TEMPERATURE = quantity.ENERGY, quantity.POWER, quantity.LEVEL_ORDERED, quantity.TEMPERATURE
OTHER = bytes.fromhex("00000000000000a2")
NODES = [number.to_bytes(8, "big") for number in range(1, 7)]
COLUMNS = "energy_wh, energy_bridged_wh, energy_s, lit_s, unlit_s"


class Rolled(RolledWorld):
    def tables(self):
        return self.contents("hours", "days", "calendar")


@pytest.fixture
def rolled():
    made = Rolled()
    yield made
    made.warehouse.close()


def lamp(sequence, minute, wh, *, power_dw=400, boot=1, node=NODE, stamp=None):
    body = {POWER: power_dw, ENERGY: wh, LEVEL: 100 if power_dw else 0}
    return reading(sequence, body, node=node, boot=boot, stamp=stamp or synced(DAY + 60 * minute))


# --- the last state of a node ---


def test_health_of_a_node_hides_nothing_that_it_measured(rolled):
    """A node tells its uptime, heap and signal each hour, in a record of their own; a lamp without watts is none."""
    health = {quantity.SIGNAL: -60, quantity.UPTIME: 3600, quantity.LAMP_STARTS: 2}
    rolled.tell(lamp(0, 50, 0), reading(1, health, stamp=synced(DAY + 3001)))
    question = "SELECT power_dw, level_percent, readings_sequence, sequence FROM latest"
    assert rolled.ask(question) == [(400, 100, 0, 1)]
    rolled.tell(lamp(3, 65, 10, power_dw=21), reading(4, health, stamp=synced(DAY + 3901)))
    rolled.tell(reading(2, health, stamp=synced(DAY + 3800)))
    assert rolled.ask(question) == [(21, 100, 3, 4)]


# --- hours and days ---


def test_energy_between_two_readings_is_divided_over_their_hours(rolled):
    rolled.tell(lamp(0, 50, 0), lamp(1, 65, 10, power_dw=0), lamp(2, 80, 10)).roll()
    found = rolled.ask(f"SELECT hour_unix_s, {COLUMNS} FROM hours ORDER BY 1")
    assert found == [(DAY, 6, 0, 600, 600, 0), (DAY + 3600, 4, 0, 1200, 300, 900)]
    assert rolled.ask(f"SELECT day_local, {COLUMNS} FROM days") == [("2026-11-13", 10, 0, 1800, 900, 900)]


def test_what_was_used_over_a_gap_counts_once_and_is_marked(rolled):
    rolled.tell(lamp(0, 0, 100), lamp(1, 15, 110), lamp(2, 15 + 3 * 1440, 500)).roll()
    assert rolled.ask(f"SELECT day_local, {COLUMNS} FROM days ORDER BY 1") == [
        ("2026-11-13", 10, 0, 900, 900, 0),
        ("2026-11-16", 390, 390, 0, None, None),
    ]
    # A record that fills the gap changes the day of the reading after it as well.
    rolled.tell(lamp(3, 15 + 3 * 1440, 500, node=OTHER)).tell(lamp(4, 30 + 3 * 1440, 520)).roll()
    assert rolled.ask("SELECT sum(energy_wh), sum(energy_bridged_wh) FROM days WHERE node = ?", NODE) == [(420, 390)]


def test_late_record_in_a_gap_mends_the_day_of_the_reading_after_it(rolled):
    rolled.tell(lamp(0, 0, 100), lamp(2, 5 * 1440, 500)).roll().tell(lamp(1, 2 * 1440, 250)).roll()
    found = rolled.ask("SELECT day_local, energy_bridged_wh FROM days ORDER BY 1")
    assert found == [("2026-11-15", 150), ("2026-11-18", 250)]


def test_lamp_without_mains_by_day_has_a_covered_day_and_an_uncovered_noon(rolled):
    """Its contactor is open from 08:00 to 17:00; its register ran on over the start."""
    night = [lamp(n, 15 * n, 10 * n) for n in range(33)]
    evening = [lamp(n, 17 * 60 + 15 * n, 322 + 10 * n, boot=2) for n in range(29)]
    rolled.tell(*night, *evening).roll()
    ((covered_s, bridged_wh, wh),) = rolled.ask("SELECT energy_s, energy_bridged_wh, energy_wh FROM days")
    assert (covered_s, bridged_wh, wh) == (86_400, 0, 602)
    hourly = dict(rolled.ask("SELECT (hour_unix_s - ?) / 3600, energy_s FROM hours", DAY))
    assert sorted(hourly) == [*range(8), *range(17, 24)] and set(hourly.values()) == {3600}
    assert rolled.ask("SELECT sum(energy_bridged_wh) FROM hours") == [(2,)], "of hours it is not known when"


def test_register_that_began_anew_is_not_covered_before(rolled):
    rolled.tell(lamp(0, 0, 100), lamp(0, 60, 3, boot=2), lamp(1, 75, 9, boot=2)).roll()
    assert rolled.ask("SELECT energy_wh, energy_s, energy_bridged_wh FROM days") == [(6, 900, 0)]


def test_short_restart_of_a_register_that_ran_on_is_divided_like_any_time(rolled):
    rolled.tell(lamp(0, 50, 0), lamp(0, 70, 8, boot=2)).roll()
    assert rolled.ask("SELECT energy_wh, energy_s, lit_s FROM hours ORDER BY hour_unix_s") == [(4, 600, None)] * 2


def test_silence_over_midnight_is_told_with_its_begin(rolled):
    rolled.tell(lamp(0, 22 * 60, 0), lamp(1, 34 * 60, 0)).roll()
    columns = "day_local, energy_wh, energy_s, energy_bridged_wh, energy_bridged_s, energy_bridged_from_unix_s"
    assert rolled.ask(f"SELECT {columns} FROM days") == [("2026-11-14", 0, 0, 0, 43_200, DAY + 22 * 3600)]
    assert rolled.ask("SELECT * FROM hours") == []


def test_marked_days_that_are_neighbours_are_each_computed_with_what_is_next_to_them(rolled):
    rolled.tell(lamp(0, 0, 0), lamp(3, 3 * 1440, 300)).roll().tell(lamp(1, 1440, 10), lamp(2, 2 * 1440, 20))
    while rolled.worker.step(1):  # a step ends between the two
        pass
    assert rolled.ask("SELECT energy_wh FROM days ORDER BY day_local") == [(10,), (10,), (280,)]


def test_temperature_of_a_room_is_summed_over_the_covered_time(rolled):
    room = {TEMPERATURE: 1950, quantity.SETPOINT: 2000}
    rolled.tell(reading(0, room, stamp=synced(DAY)), reading(1, {TEMPERATURE: 0}, stamp=synced(DAY + 3600))).roll()
    found = rolled.ask("SELECT temperature_ck_s, temperature_s, energy_wh, lit_s FROM hours")
    assert found == [(1950 * 3600, 3600, None, None)]


def test_one_reading_of_a_day_is_its_least_and_most_temperature(rolled):
    rolled.tell(reading(0, {TEMPERATURE: 1950}, stamp=synced(DAY + 60))).roll()
    found = rolled.ask("SELECT temperature_least_ck, temperature_most_ck, temperature_ck_s FROM days")
    assert found == [(1950, 1950, None)]


def test_the_hour_that_happens_twice_in_october_is_two_hours_of_a_day_of_25():
    day = hours.day_of(1_792_890_000)  # 2026-10-25
    rows = hours.calendar(day)
    assert len(rows) == 25 and {row[3] for row in rows} == {"2026-10-25"}
    assert [row[2] for row in rows[2:4]] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]
    assert len(hours.hours_of(hours.day_of(1_774_746_000))) == 23  # 2026-03-29


def test_day_that_is_computed_again_writes_the_hours_that_are_others(rolled, monkeypatch):
    rolled.tell(*[lamp(n, 15 * n, 10 * n) for n in range(96 + 20)]).roll()
    written, write = [], rolled.worker._write
    monkeypatch.setattr(rolled.worker, "_write", lambda rows: written.append(rows) or write(rows))
    rolled.tell(lamp(96 + 20, 1440 + 300, 1200)).roll()
    (rows,) = written
    assert [row[0] for row in rows.hours] == [DAY + 86_400 + 4 * 3600] and len(rows.days) == 1
    assert rows.hours_gone == rows.days_gone == []


# --- times that change ---


def test_late_anchor_gives_its_day_to_a_boot_without_a_clock(rolled):
    rolled.tell(lamp(0, 0, 0, stamp=unset(100)), lamp(1, 0, 7, stamp=unset(1000))).roll()
    assert rolled.tables()["hours"] == []
    rolled.tell(fact(0, event.ANCHOR, [NODE, 1, 50, DAY + 50, 2], node=GATEWAY, boot=77)).roll()
    assert rolled.ask("SELECT hour_unix_s, energy_wh, energy_s FROM hours") == [(DAY, 7, 900)]
    # A better anchor moves them to another day, and nothing stays on the first.
    rolled.tell(fact(1, event.ANCHOR, [NODE, 1, 50, DAY + 90_000, 0], node=GATEWAY, boot=77)).roll()
    assert rolled.ask("SELECT day_local, energy_wh FROM days") == [("2026-11-14", 7)]


def test_doubted_time_of_another_century_makes_no_day_of_the_calendar(rolled):
    rolled.tell(lamp(0, 0, 5), lamp(1, 1440 * 20_000, 5)).roll()
    assert rolled.ask("SELECT DISTINCT day_local FROM calendar") == [("2026-11-13",)]


def test_reading_whose_time_is_doubted_later_no_longer_counts(rolled):
    rolled.tell(lamp(0, 0, 0), lamp(1, 3000, 40), lamp(0, 6000, 60, boot=2)).roll()
    doubt = fact(0, event.TIME_DOUBTFUL, [NODE, 1, 1, DAY + 180_000], node=GATEWAY, boot=77)
    rolled.tell(doubt).roll()
    assert rolled.ask("SELECT day_local, energy_bridged_wh FROM days") == [("2026-11-17", 60)]


# --- what stands apart ---


def test_records_kept_apart_count_once_they_are_released(rolled):
    rolled.tell(lamp(0, 0, 0), lamp(2, 30, 20)).roll()
    other = "tc/1/t/49007/mairie-2"
    payload = batch([lamp(1, 15, 19)], gateway=OTHER)
    before = rolled.tables(), rolled.ask("SELECT * FROM latest")
    assert rolled.warehouse.accept(other, payload, received_unix_s=RECEIVED_S)
    assert (rolled.roll().tables(), rolled.ask("SELECT * FROM latest")) == before
    rolled.warehouse.release("49007-mairie-2", None, now_s=RECEIVED_S)
    before_s = rolled.ask("SELECT energy_wh FROM hours")
    assert rolled.roll().ask("SELECT energy_wh FROM hours") == before_s == [(20,)]
    assert rolled.ask("SELECT count(*) FROM records") == [(3,)]


# --- any order of arrival ---


def world(random):
    """A few days of two nodes: boots, gaps, clocks that are not set, set back or doubted, falling registers."""
    items = []
    for node in (NODE, OTHER):
        minute, wh = random.randrange(600), 0
        for boot in range(1, random.randrange(2, 5)):
            began = minute
            wh = random.choice((wh, 0, max(0, wh - 20)))
            is_set = random.randrange(3) > 0
            for sequence in range(random.randrange(1, 9)):
                minute += random.choice((1, 15, 15, 15, 60, 91, 700, 2000, -30))
                wh += random.choice((0, 3, 10, 10, 11, -5))
                power = random.choice((0, 400))
                is_set = is_set or random.randrange(4) == 0
                stamp = synced(DAY + 60 * minute) if is_set else unset(60 * max(0, minute - began))
                item = lamp(sequence, 0, max(0, wh), power_dw=power, boot=boot, node=node, stamp=stamp)
                if random.randrange(6) == 0:
                    item = reading(sequence, {TEMPERATURE: 100, quantity.key(ENERGY, 3): wh % 7}, boot=boot, node=node,
                                   stamp=stamp)  # fmt: skip
                items.append(item)
            if random.randrange(2):
                said = [node, boot, 0, DAY + 60 * began, random.randrange(9)]
                items.append(fact(len(items), event.ANCHOR, said, node=GATEWAY, boot=77))
            if random.randrange(4) == 0:
                said = [node, boot, 0, DAY]
                items.append(fact(len(items), event.TIME_DOUBTFUL, said, node=GATEWAY, boot=77))
    return items


@given(st.integers(0, 2**32))
def test_any_order_of_arrival_gives_the_same_figures_and_so_does_a_recount(seed):
    random = Random(seed)
    items = world(random)
    ordered = Rolled().tell(*items).roll()
    shuffled = Rolled()
    mixed = items + random.sample(items, len(items) // 3)
    random.shuffle(mixed)
    for item in mixed:
        shuffled.tell(item)
        if random.randrange(3) == 0:
            shuffled.worker.step(1)
    shuffled.roll()
    expected = ordered.tables()
    assert shuffled.tables()["hours"] == expected["hours"]
    assert shuffled.tables()["days"] == expected["days"]
    shuffled.worker.mark_all()
    assert shuffled.roll().tables()["hours"] == expected["hours"]
    for node in (NODE, OTHER):
        counted = dict(ordered.ask("SELECT channel, sum(energy_wh) FROM days WHERE node = ? GROUP BY 1", node))
        asked = ordered.warehouse.energy_wh(node, 0, 2**40)
        for channel, wh in asked.items():
            assert (counted.get(channel) or 0) == wh
    check_latest(ordered, shuffled)


def check_latest(*all_rolled):
    told = []
    for rolled in all_rolled:
        columns = "boot, sequence, seconds, quality, uncertainty_s"
        for node in (NODE, OTHER):
            newest = "FROM records WHERE node = ? {} ORDER BY boot DESC, sequence DESC LIMIT 1"
            last = rolled.ask(f"SELECT {columns}, gateway, received_unix_s " + newest.format(""), node)
            body = rolled.ask(f"SELECT {columns}, body " + newest.format("AND lane = 2"), node)
            told.append((node, last, body))
            ((_, *row),) = rolled.ask("SELECT * FROM latest WHERE node = ?", node)
            assert [tuple(row[:7])] == last and [tuple(row[7:13])] == (body or [(-1, -1, None, None, None, None)])
    assert told[:2] == told[2:]


# --- the last state ---


def test_event_alone_makes_a_last_state_without_readings(rolled):
    rolled.tell(fact(5, event.BOOT, [None, None, "power", "light", "1.0"]))
    assert rolled.ask("SELECT boot, sequence, readings_boot, readings FROM latest WHERE node = ?", NODE) == [
        (1, 5, -1, None)
    ]
    rolled.tell(lamp(3, 0, 9))
    assert rolled.ask("SELECT sequence, readings_sequence FROM latest WHERE node = ?", NODE) == [(5, 3)]


# --- bodies ---


READINGS = st.dictionaries(st.integers(0, 4095), st.integers(-(2**31), 2**31), min_size=1, max_size=16)
SCALARS = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=8) | st.binary(max_size=8)
EVENTS = st.builds(
    record.EventBody,
    st.integers(200, 255),
    st.none() | st.booleans(),
    st.none() | READINGS | st.lists(SCALARS, max_size=6),
)


@given(READINGS | EVENTS)
def test_compiled_decoder_reads_what_ours_reads(body):
    data = record.encode_body(body)
    theirs, ours = bodies.decode(data), record.decode_body(data)
    assert theirs == ours == body and type(theirs) is type(ours) and repr(theirs) == repr(ours)


@given(st.lists(READINGS, max_size=5))
def test_bodies_that_are_read_together_are_what_each_is(readings):
    assert bodies.decode_readings([record.encode_body(one) for one in readings]) == readings


def test_readings_are_read_by_the_compiled_decoder():
    assert bodies.decode is not record.decode_body


# --- the command ---


def test_command_computes_what_is_marked_and_everything_again(tmp_path, engine, capsys):
    path = tmp_path / "centre.db"
    Rolled(path).tell(lamp(0, 0, 0), lamp(1, 15, 8)).warehouse.close()
    for more, said in (([], "1 day of a node computed"), ([], "0 days"), (["--again"], "1 day of a node computed")):
        assert cli.main(["centre", "rollup", "--db", str(path), "--once", "--lang", "en", *more]) == 0
        assert said in capsys.readouterr().out
    with closing(engine.client(path)) as client:
        assert client.execute("SELECT day_local, energy_wh FROM days").fetchall() == [("2026-11-13", 8)]


# --- workers ---


def test_worker_that_is_stopped_in_the_middle_leaves_nothing_half_done(rolled, monkeypatch):
    rolled.tell(lamp(0, 0, 0), lamp(1, 15, 8)).roll().tell(lamp(2, 30, 20), lamp(0, 0, 5, node=OTHER))
    before, marks = rolled.tables(), rolled.ask("SELECT * FROM day_spans")
    with monkeypatch.context() as patch:
        patch.setattr(rolled.worker, "_add_days", lambda days: 1 / 0)  # after hours and days were written
        with pytest.raises(ZeroDivisionError):
            rolled.worker.step(2)
    assert (rolled.tables(), rolled.ask("SELECT * FROM day_spans")) == (before, marks)
    assert rolled.roll().ask("SELECT energy_wh FROM days WHERE node = ?", NODE) == [(20,)]


def test_two_workers_share_the_marks_and_end_at_the_same_figures(tmp_path):
    items = world(Random(7))
    alone = Rolled().tell(*items).roll()
    shared = Rolled(tmp_path / "centre.db").tell(*items)
    with closing(schema.open_to_write(str(tmp_path / "centre.db"))) as connection:
        workers = [shared.worker, Worker(connection)]
        while sum(worker.step(1) for worker in workers):
            pass
    assert shared.tables() == alone.tables()
    shared.warehouse.close()


class Counted(Helper):
    answers = 0

    def answer(self):
        self.answers += 1
        return super().answer()


@pytest.fixture
def shared(tmp_path, engine, monkeypatch):
    """A world of eight nodes whose worker shares each step with a helper, node by node, and its records."""
    monkeypatch.setattr(worker_module, "ROLLUP_SHARED_MIN", 1)
    monkeypatch.setattr(worker_module, "ROLLUP_PIECE", 1)
    made = Rolled(tmp_path / "centre.db")
    made.helper = Counted(engine.address(tmp_path / "centre.db"))
    made.worker = Worker(made.connection, made.helper)
    made.items = world(Random(7)) + [lamp(step, 40 * step, 7 * step, node=node) for node in NODES for step in range(9)]
    made.tell(*made.items)
    yield made
    made.helper.close()
    made.warehouse.close()


def test_worker_with_a_helper_computes_what_one_alone_does(shared):
    while shared.worker.step(99):
        pass
    assert shared.helper.answers >= 2
    assert shared.tables() == Rolled().tell(*shared.items).roll().tables()


def test_answers_of_a_step_that_failed_are_none_of_the_next_one(shared, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shared.worker, "_write", lambda rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shared.worker.step(99)
    for minute in (400, 440, 480, 520):
        shared.items.append(lamp(minute // 40, minute, minute, node=NODES[0]))
        shared.tell(shared.items[-1])
        while shared.worker.step(99):
            pass
    assert shared.tables() == Rolled().tell(*shared.items).roll().tables()


def test_helper_that_is_killed_ends_the_step_and_leaves_nothing_half_done(shared, monkeypatch):
    shared.worker.step(2)
    before, marks = shared.tables(), shared.ask("SELECT * FROM day_spans")
    (process,) = multiprocessing.active_children()
    with monkeypatch.context() as patch:
        patch.setattr(shared.helper, "has_answered", lambda: process.kill() or process.join())
        with pytest.raises(database.Error):
            shared.worker.step(99)
    assert (shared.tables(), shared.ask("SELECT * FROM day_spans")) == (before, marks)
    while shared.worker.step(99):
        pass
    assert shared.tables() == Rolled().tell(*shared.items).roll().tables()


WORKER = """
import multiprocessing, sys
from tools.centre.rollup import worker as module
from tools.centre.rollup.second_process import Helper
from tools.centre.store import schema
module.ROLLUP_SHARED_MIN = module.ROLLUP_PIECE = 1
worker = module.Worker(schema.open_to_write(sys.argv[1]), Helper(sys.argv[1]))
while worker.step(3):
    print("stepped", *(one.pid for one in multiprocessing.active_children()), flush=True)
print("done", flush=True)
"""


@pytest.mark.slow
def test_worker_killed_with_9_again_and_again_ends_at_a_recount(tmp_path, engine):
    path = tmp_path / "centre.db"
    made = Rolled(path)
    nodes = [n.to_bytes(8, "big") for n in range(1, 41)]
    items = [lamp(step, 40 * step, 7 * step + 5, node=node) for node in nodes for step in range(9)]
    for first in range(0, len(items), 90):
        message = batch(items[first : first + 90], first, oldest=0)
        assert made.warehouse.accept(TELEMETRY_TOPIC, message, received_unix_s=RECEIVED_S)
    random, kills, said = Random(3), 0, ""
    while "done" not in said:
        command = [sys.executable, "-c", WORKER, engine.address(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(random.randrange(1, 4)):
            said = process.stdout.readline()
        process.kill()
        process.communicate()  # to the end of what its helper may say, which ends too
        kills += "done" not in said
    found = made.tables()
    assert kills >= 3 and len(found["days"]) == 40
    made.worker.mark_all()
    assert made.roll().tables() == found
    assert made.ask("SELECT sum(energy_wh) FROM days") == [(40 * 7 * 8,)]
    made.warehouse.close()
