"""Retention: what is purged is gone and acknowledged, what is needed stays, and no figure changes.

Long because one world serves every class of facts, the commands and the kills.
"""

import subprocess
import sys
from contextlib import closing
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.centre_world import GATEWAY, NODE, TELEMETRY_TOPIC, batch, fact, reading, synced, unset
from tests.support.examples import examples
from tests.support.rolled_world import DAY, RolledWorld
from tools import cli
from tools.centre.condition.faults import Faults, Note, note
from tools.centre.retention import classes
from tools.centre.retention.purge import Purge
from tools.centre.rollup import hours
from tools.centre.rollup.node_days import Reader
from tools.centre.store import schema
from wire import event, quantity

DAY_S = 86_400
OTHER, THIRD = bytes.fromhex("00000000000000a2"), bytes.fromhex("00000000000000a3")
ENERGY, POWER, LEVEL, TEMPERATURE = quantity.ENERGY, quantity.POWER, quantity.LEVEL_ORDERED, quantity.TEMPERATURE


class Centre(RolledWorld):
    """It purges too; `tell` has records received when they were made, or at `at_s`."""

    def __init__(self, path=":memory:"):
        super().__init__(path, received_s=None)

    def purge_readings(self, now_s, connection=None):
        purge = Purge(connection or self.connection, now_s=now_s)
        count = sum(count for node in purge.nodes() for count in purge.purge_readings(node))
        self.warehouse._nodes.forget()  # as when another process has written
        return count

    def purge_all(self, now_s):
        purge = Purge(self.connection, now_s=now_s)
        self.warehouse._nodes.forget()  # as when another process has written
        return {
            classes.READINGS: self.purge_readings(now_s),
            classes.EVENTS: sum(count for node in purge.nodes() for count in purge.purge_events(node)),
            classes.ROOMS: sum(purge.purge_hours(classes.ROOMS)),
            classes.HOURS: sum(purge.purge_hours(classes.HOURS)),
            classes.APART: sum(purge.purge_apart()),
        }

    def ask(self, statement, *values):
        return self.connection.execute(statement, values).fetchall()

    def figures(self, since=0):
        text, begins_s = hours.day_text(since), hours.hours_of(since)[0]
        return (
            self.ask("SELECT * FROM hours WHERE hour_unix_s >= ? ORDER BY 1, 2, 3", begins_s),
            self.ask("SELECT * FROM days WHERE day_local >= ? ORDER BY 1, 2, 3", text),
        )

    def recount(self):
        self.worker.mark_all()
        return self.roll().figures()

    def identities(self):
        return set(self.warehouse.identities())


def lamp(sequence, minute, wh, *, power_dw=400, boot=1, node=NODE, stamp=None):
    body = {POWER: power_dw, ENERGY: wh, LEVEL: 100 if power_dw else 0}
    return reading(sequence, body, node=node, boot=boot, stamp=stamp or synced(DAY + 60 * minute))


def days(first, last, *, node=NODE, boot=1):
    """A reading at half past each hour, 7 Wh more each, and an event after the last of a day; none is missing."""
    items = []
    for hour in range(24 * first, 24 * last):
        sequence = hour + hour // 24
        items.append(lamp(sequence, 60 * hour + 30, 7 * hour, node=node, boot=boot))
        if hour % 24 == 23:
            at = synced(DAY + 3600 * hour + 1801)
            items.append(fact(sequence + 1, 250, None, node=node, boot=boot, stamp=at))
    return items


def now_that_keeps(day):
    """The time at which readings are kept from this day of the tests on."""
    return DAY + day * DAY_S + classes.DEFAULTS[classes.READINGS] * DAY_S


# --- readings ---


def test_readings_go_by_their_age_and_figures_stay():
    centre = Centre().tell(*days(0, 4), *days(0, 4, node=OTHER)).roll()
    before = centre.figures()
    assert centre.purge_readings(now_that_keeps(2)) == 2 * (2 * 24 - 1)
    held = centre.ask("SELECT min(seconds) FROM records WHERE lane = 2 GROUP BY node")
    assert held == [(DAY + 2 * DAY_S - 1800,)] * 2  # the last before: the first hour that is kept begins with it
    assert centre.figures() == before == centre.recount()
    assert len(centre.ask("SELECT 1 FROM records WHERE lane = 1")) == 8
    # The next night, that one goes too.
    assert centre.purge_readings(now_that_keeps(3)) == 2 * 24
    assert centre.figures() == before == centre.recount()
    assert centre.ask("SELECT node, boot, first, last FROM purged") == [(node, 1, 0, 72) for node in (NODE, OTHER)]


def test_purged_record_that_is_sent_again_is_acknowledged_and_does_not_come_back(tmp_path):
    items = days(0, 4)
    centre = Centre(tmp_path / "centre.db").tell(*items).roll()
    with closing(schema.open_to_write(str(tmp_path / "centre.db"))) as other:
        centre.purge_readings(now_that_keeps(3), other)
    before, held, counted = centre.figures(), centre.identities(), centre.warehouse.counters
    centre.tell(*items, at_s=now_that_keeps(3)).roll()  # `tell` asserts the answers
    assert (centre.figures(), centre.identities()) == (before, held)
    after = centre.warehouse.counters
    assert after["records"] == counted["records"] and after["duplicates"] == counted["duplicates"] + len(items)
    assert not centre.warehouse.alarms() and not list(centre.warehouse.missing(NODE, 1))


def test_late_record_of_a_purged_day_is_kept_and_changes_no_figure_of_it():
    late = lamp(500, 60 * 25, 7 * 24 + 6)  # between two hours of the second day
    centre = Centre().tell(*days(0, 4)).roll()
    centre.purge_readings(now_that_keeps(3))
    before = centre.figures()
    centre.tell(late, at_s=now_that_keeps(3)).roll()
    assert centre.figures() == before == centre.recount()
    assert (NODE, 1, 500) in centre.identities()
    assert centre.purge_readings(now_that_keeps(4)) == 24
    assert (NODE, 1, 500) in centre.identities()  # by its receipt it is of yesterday


def test_marked_days_are_computed_before_their_readings_go():
    centre, twin = Centre().tell(*days(0, 4)), Centre().tell(*days(0, 4)).roll()
    centre.purge_readings(now_that_keeps(3))
    assert centre.roll().figures() == twin.figures()


def test_readings_without_a_time_go_by_their_receipt():
    centre = Centre().tell(lamp(0, 0, 5, stamp=unset(10)), lamp(1, 0, 6, stamp=unset(900)), at_s=DAY).roll()
    assert centre.purge_readings(now_that_keeps(0)) == 0
    assert centre.purge_readings(now_that_keeps(1)) == 2


def test_what_is_doubted_and_what_conflicts_goes_with_its_record():
    doubted = reading(100, {POWER: 1}, stamp=synced(DAY + 90 * DAY_S))
    centre = Centre().tell(*days(0, 1)).tell(lamp(2, 120, 99), doubted, at_s=DAY + 7200).roll()
    assert [len(centre.ask(f"SELECT 1 FROM {table}")) for table in ("conflicts", "doubts")] == [1, 1]
    centre.purge_readings(now_that_keeps(2))
    assert [len(centre.ask(f"SELECT 1 FROM {table}")) for table in ("conflicts", "doubts")] == [0, 0]


# --- any world ---


def world(random):
    """Some weeks of two nodes, as (item, when it was received): late records, gaps, registers that restart, clocks that
    are not set or set back, several quantities."""
    told = []
    for node in (NODE, OTHER):
        minute, wh = random.randrange(600), 0
        for boot in range(1, random.randrange(2, 5)):
            began, is_set = minute, random.randrange(3) > 0
            wh = random.choice((wh, 0, max(0, wh - 20)))
            for sequence in range(random.randrange(1, 9)):
                minute += random.choice((1, 15, 15, 60, 91, 700, 2000, -30))
                wh += random.choice((0, 3, 10, 11, -5))
                is_set = is_set or random.randrange(4) == 0
                stamp = synced(DAY + 60 * minute) if is_set else unset(60 * max(0, minute - began))
                power = random.choice((0, 400))
                item = lamp(sequence, 0, max(0, wh), power_dw=power, boot=boot, node=node, stamp=stamp)
                if random.randrange(5) == 0:
                    body = {TEMPERATURE: 100, quantity.key(ENERGY, 3): max(0, wh) % 7}
                    item = reading(sequence, body, boot=boot, node=node, stamp=stamp)
                told.append((item, DAY + 60 * minute + random.choice((60, 60, 900, 3 * DAY_S))))
            if random.randrange(2):
                said = [node, boot, 0, DAY + 60 * began, random.randrange(9)]
                item = fact(len(told), event.ANCHOR, said, node=GATEWAY, boot=77)
                told.append((item, DAY + 60 * minute + random.choice((60, DAY_S))))
    return sorted(told, key=lambda one: one[1])


def told_all(told):
    centre = Centre()
    for item, at_s in told:
        centre.tell(item, at_s=at_s)
    return centre.roll()


def check_purges(told, keeping):
    """Compares a centre that purges with one that does not; then both are told all again, and something new."""
    centre, twin = told_all(told), told_all(told)
    for day in keeping:
        centre.purge_readings(now_that_keeps(day))
        assert centre.figures() == twin.figures() == centre.recount()
    held, now_s = centre.identities(), now_that_keeps(keeping[-1])
    for item, _ in told:
        centre.tell(item, at_s=now_s)
    assert centre.identities() == held and centre.roll().figures() == twin.figures()
    new = [lamp(step, 0, 900 + step, node=node, boot=9, stamp=synced(now_s + 600 * step - 1))
           for node in (NODE, OTHER) for step in range(3)]  # fmt: skip
    for one in (centre, twin):
        one.tell(*new, at_s=now_s + 3600).roll()
    assert centre.figures() == twin.figures() == centre.recount()


@examples(times=0.5)
@given(st.integers(0, 2**32))
def test_purges_change_no_figure_of_any_world_and_a_recount_finds_the_same(seed):
    random = Random(seed)
    check_purges(world(random), sorted(random.randrange(12) for _ in range(2)))


@examples(times=0.5)
@given(st.integers(0, 2**32))
def test_what_comes_after_a_purge_counts_as_if_nothing_were_purged(seed):
    random = Random(seed)
    said = world(random)
    random.shuffle(said)
    said.sort(key=lambda one: isinstance(one[0].record.body, dict))  # an anchor that comes a year late changes times
    half, day = random.randrange(len(said) + 1), random.randrange(8)
    centre = told_all(said[:half])
    centre.purge_readings(now_that_keeps(day))
    for item, at_s in said[half:]:
        centre.tell(item, at_s=at_s)
    first = 20_770 + day
    assert centre.roll().figures(first) == told_all(said).figures(first)


def test_planted_purge_that_spares_nothing_is_caught(monkeypatch):
    told = [(item, item.record.stamp.seconds) for item in days(0, 4)]
    check_purges(told, [2])
    plain = Purge._old_readings

    def careless(self, node, until):
        old = plain(self, node, until)
        return old._replace(gone=old.gone.union((boot, sequence) for _, boot, sequence in old.kept), kept=[])

    monkeypatch.setattr(Purge, "_old_readings", careless)
    with pytest.raises(AssertionError):
        check_purges(told, [2])


def test_planted_roll_up_that_computes_purged_days_anew_is_caught(monkeypatch):
    told = [(item, item.record.stamp.seconds) for item in days(0, 4)]
    monkeypatch.setattr(Reader, "first_days", lambda self: [0] * len(self.found))
    with pytest.raises(AssertionError):
        check_purges(told, [2])


# --- events and faults ---


def alarm(sequence, day, active, code=event.LAMP_FAILURE, **more):
    return fact(sequence, code, None, active=active, stamp=synced(DAY + day * DAY_S), **more)


EVENTS_S = classes.DEFAULTS[classes.EVENTS] * DAY_S


def test_old_faults_go_whole_and_open_ones_keep_what_begins_and_last_states_them():
    centre = Centre()
    said = [(0, True), (1, True), (2, False), (3, True), (4, True), (5, True)]
    centre.tell(*(alarm(day, day, active) for day, active in said)).roll()
    faults = Faults(centre.connection)
    stated = [(fault.node, fault.begin) for fault in faults.between(0, DAY + 4 * DAY_S)]
    note(centre.connection, stated, Note(DAY + DAY_S, "Léa", "Léa", "vu"))
    before = Faults(centre.connection).open()
    assert centre.purge_all(DAY + 30 * DAY_S + EVENTS_S)[classes.EVENTS] == 4
    assert Faults(centre.connection).open() == before
    assert centre.ask("SELECT sequence FROM records WHERE lane = 0 ORDER BY 1") == [(3,), (5,)]
    assert centre.ask("SELECT sequence FROM faults") == [(3,)] == centre.ask("SELECT sequence FROM fault_notes")
    # It ends: with time it goes too, and what is sent again makes no fault.
    centre.tell(alarm(6, 40, False))
    assert centre.purge_all(DAY + 60 * DAY_S + EVENTS_S)[classes.EVENTS] == 3
    centre.tell(*(alarm(day, day, active) for day, active in said), at_s=DAY + 60 * DAY_S + EVENTS_S)
    assert centre.ask("SELECT 1 FROM faults UNION SELECT 1 FROM fault_notes UNION SELECT 1 FROM records") == []


def test_fault_that_ended_within_the_time_keeps_its_begin():
    centre = Centre().tell(alarm(0, 0, True), alarm(1, 50, False))
    assert centre.purge_all(DAY + 30 * DAY_S + EVENTS_S)[classes.EVENTS] == 0
    assert len(Faults(centre.connection).between(0, 2**40)) == 1


def test_fault_of_an_exchanged_node_goes_with_time_though_no_record_ends_it():
    centre = Centre().tell(alarm(0, 0, True), alarm(1, 10, True), alarm(2, 40, True, event.METER_FAILURE))
    exchanged_s, long_after_s = DAY + 20 * DAY_S, DAY + 60 * DAY_S + EVENTS_S
    centre.connection.executemany(
        "INSERT INTO equipment (insee, kind, id, from_unix_s, until_unix_s, node)"
        " VALUES ('49007', 'light', '1', ?, ?, ?)",
        [(0, exchanged_s, NODE), (exchanged_s, None, OTHER)],
    )
    assert centre.purge_all(long_after_s)[classes.EVENTS] == 0  # the new node was never heard: perhaps it lasts
    centre.tell(reading(0, node=OTHER, stamp=synced(exchanged_s + 60)))
    assert centre.purge_all(exchanged_s + EVENTS_S)[classes.EVENTS] == 0
    assert centre.purge_all(long_after_s)[classes.EVENTS] == 2
    assert centre.ask("SELECT sequence FROM faults") == [(2,)]  # a node that was in a bin by then: it stands


def test_contactor_keeps_the_record_of_its_state():
    ordered = [
        fact(n, event.FEEDER_SWITCHED, ["bourg", n == 1, "policy", 0], node=GATEWAY, boot=7, stamp=synced(DAY + n))
        for n in range(2)
    ]
    centre = Centre().tell(*ordered)
    assert centre.purge_all(DAY + DAY_S + EVENTS_S)[classes.EVENTS] == 1
    assert centre.ask("SELECT closed FROM feeders JOIN records USING (node, boot, sequence)") == [(1,)]


def test_gap_and_anchor_go_with_their_record_unless_readings_need_them():
    said = [fact(0, event.GAP, [NODE, 1, 5, 6, "full"], node=GATEWAY, boot=7, stamp=synced(DAY)),
            fact(1, event.ANCHOR, [NODE, 2, 50, DAY + 50, 2], node=GATEWAY, boot=7, stamp=synced(DAY))]  # fmt: skip
    centre = Centre().tell(*said).tell(lamp(0, 0, 5, boot=2, stamp=unset(10)), at_s=DAY + EVENTS_S)
    centre.purge_all(DAY + DAY_S + EVENTS_S)
    assert centre.ask("SELECT count(*) FROM gaps") == [(0,)] and centre.ask("SELECT count(*) FROM anchors") == [(1,)]


# --- hours ---


def test_hours_go_by_their_class_and_days_stay():
    room = [reading(n, {TEMPERATURE: 1950}, node=OTHER, stamp=synced(DAY + 3600 * n)) for n in range(48)]
    both = [reading(n, {TEMPERATURE: 900, quantity.WATER_VOLUME: n}, stamp=synced(DAY + 3600 * n)) for n in range(48)]
    centre = Centre().tell(*room, *both).roll()
    before = centre.ask("SELECT * FROM days ORDER BY 1, 2")
    gone = centre.purge_all(DAY + DAY_S + classes.DEFAULTS[classes.ROOMS] * DAY_S)
    assert gone[classes.ROOMS] == 48 and gone[classes.HOURS] == 0
    found = centre.ask("SELECT count(*), count(temperature_ck_s), count(temperature_s), count(water_l) FROM hours")
    assert found == [(47 + 23, 46, 46, 47)]
    gone = centre.purge_all(DAY + DAY_S + classes.DEFAULTS[classes.HOURS] * DAY_S)
    assert gone[classes.HOURS] == 24 and centre.ask("SELECT * FROM days ORDER BY 1, 2") == before


# --- what is kept apart ---

CABINET, STRANGER = "49007-mairie-1", 99


def with_strangers():
    """A lamp of this cabinet, with a boot that was a stranger's, and what the cabinet says of two lamps of another."""
    centre = Centre()
    centre.warehouse.bind([OTHER, THIRD], "49135-cab-1", alone=True, now_s=DAY)
    centre.tell(lamp(0, 0, 10), lamp(0, 15, 99, boot=STRANGER), *(lamp(n, n, n, node=OTHER) for n in range(5)))
    centre.tell(lamp(0, 0, 1, node=THIRD), alarm(1, 0, True, node=THIRD))
    centre.tell(lamp(9, 0, 5, node=OTHER), at_s=DAY + DAY_S)
    centre.warehouse.disown(NODE, STRANGER, now_s=DAY)
    return centre


def test_what_nobody_decided_on_goes_with_the_readings_of_its_time(monkeypatch):
    monkeypatch.setattr("tools.centre.retention.purge.PURGE_RECORDS", 3)
    centre = with_strangers()
    raised, now_s = centre.warehouse.alarms(), now_that_keeps(0) + 7200
    assert Purge(centre.connection, now_s=now_s).count_apart() == 8
    assert list(Purge(centre.connection, now_s=now_s).purge_apart()) == [3, 3, 2]
    assert centre.ask("SELECT about, sequence FROM apart") == [(OTHER, 9)]
    assert centre.ask("SELECT * FROM apart_counts") == [(CABINET, 1)]
    assert [record[1:] for record in centre.identities()] == [(1, 0)]  # the lamp's own
    assert centre.warehouse.alarms() == raised  # until a person closes them
    assert centre.purge_all(now_s)[classes.APART] == 0 and centre.purge_all(now_s + DAY_S)[classes.APART] == 1


def test_what_waits_for_its_release_since_a_person_bound_the_node_stays():
    centre = with_strangers()
    centre.warehouse.bind([OTHER], CABINET, alone=False, now_s=DAY + DAY_S)
    assert centre.purge_all(now_that_keeps(30))[classes.APART] == 3
    assert centre.ask("SELECT DISTINCT about FROM apart") == [(OTHER,)]
    assert centre.warehouse.release(CABINET, [OTHER], now_s=now_that_keeps(30)) == 6
    assert {node for node, _, _ in centre.identities()} == {NODE, OTHER}


# --- the commands ---


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    """Runs a command on a file of some days, four weeks after they passed the times that are set."""
    path = tmp_path / "centre.db"
    nodes = [number.to_bytes(8, "big") for number in range(1, 40)]
    warehouse = Centre(path).tell(*days(0, 3), at_s=DAY + 3 * DAY_S).roll().warehouse
    for position, node in enumerate(nodes):
        said = [lamp(step, step, step, node=node) for step in range(200)]
        for first in (0, 100):
            message = batch(said[first : first + 100], 1000 + 200 * position + first, oldest=0)
            assert warehouse.accept(TELEMETRY_TOPIC, message, received_unix_s=DAY + 3 * DAY_S)
    warehouse.close()
    monkeypatch.setattr("time.time", lambda: DAY + 60 * DAY_S)
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def run(*words, status=0):
        assert cli.main(["centre", words[0], "--db", str(path), "--lang", "fr", *words[1:]]) == status
        said = capsys.readouterr()
        return said.out + said.err

    run.path = path
    return run


def test_person_sees_the_times_sets_them_counts_and_purges(command):
    assert command("keep").split("\n")[1].split() == ["mesures", "396", "2025-12-12"]
    assert [line.split()[0] for line in command("keep").splitlines()[-2:]] == ["ordres", "qui"]
    assert command("purge", "--dry-run") == command("purge") == "Rien n’est assez ancien.\n"
    assert "mesures" in command("keep", "--readings", "40j")
    would = command("purge", "--dry-run")
    assert would == command("purge") != command("purge", "--dry-run")
    assert would.split("\n")[1].split() == ["mesures", "2026-12-03", "7832"]
    with closing(schema.open_to_read(str(command.path))) as connection:
        told = connection.execute("SELECT deed, about FROM journal ORDER BY at_unix_s, deed").fetchall()
    assert ("keep", "readings 40") in told and any(deed == "purge" for deed, _ in told)


def test_file_shrinks(command, of_sqlite):
    command("keep", "--readings", "40j")
    size = command.path.stat().st_size
    command("purge")
    assert command.path.stat().st_size < 0.6 * size


def test_times_that_do_not_fit_are_refused_and_change_nothing(command):
    before = command("keep")
    for words in (("--readings", "29j"), ("--events", "300j"), ("--hours", "90m"), ("--rooms", "1")):
        assert words[0] in command("keep", *words, status=2)
        assert command("keep") == before, words


# --- beside others ---

PURGER = """
import sys
from tools.centre.retention.purge import Purge
from tools.centre.store import schema
purge = Purge(schema.open_to_write(sys.argv[1]), now_s=int(sys.argv[2]))
for node in purge.nodes():
    for count in purge.purge_readings(node):
        if count:
            print("purged", count, flush=True)
print("done", flush=True)
"""


@pytest.mark.slow
def test_purge_killed_with_9_beside_an_ingest_loses_nothing_that_is_to_be_kept(tmp_path, engine):
    path, random = tmp_path / "centre.db", Random(3)
    nodes = [number.to_bytes(8, "big") for number in range(1, 16)]
    old = [lamp(step, 60 * step + 30, 7 * step, node=node) for node in nodes for step in range(96)]
    new = [lamp(step, 60 * step + 30, 7 * step, node=node) for node in nodes for step in range(96, 120)]
    random.shuffle(new)
    centre, twin = Centre(path), Centre()
    for one in (centre, twin):
        for first in range(0, len(old), 96):
            message = batch(old[first : first + 96], first, oldest=0)
            assert one.warehouse.accept(TELEMETRY_TOPIC, message, received_unix_s=DAY + 4 * DAY_S - 60)
        one.roll().position = len(old)
    now_s, kills, said = now_that_keeps(4), 0, ""
    while "done" not in said:
        command = [sys.executable, "-c", PURGER, engine.address(path), str(now_s)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(random.randrange(1, 4)):
            said = process.stdout.readline()
            if "done" in said:
                break
            for one in (centre, twin):
                one.tell(new[-1], at_s=now_s)
            new.pop()
        process.kill()
        process.communicate()
        kills += "done" not in said
    assert kills
    for one in (centre, twin):
        one.tell(*new, at_s=now_s).roll()
    assert centre.figures(20_774) == twin.figures(20_774)
    assert centre.recount() == centre.figures()
    spans = centre.ask("SELECT node, boot, first, last FROM purged")
    gone = {(node, boot, one) for node, boot, first, last in spans for one in range(first, last + 1)}
    assert centre.identities() | gone == twin.identities()
