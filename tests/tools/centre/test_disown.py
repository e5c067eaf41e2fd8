"""Boots that were a stranger's, who had a node's key: apart, and as if they had never been heard."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.centre_world import GATEWAY, NODE, fact, reading, synced, unset
from tests.support.examples import examples
from tests.support.rolled_world import DAY, RolledWorld
from tools import cli
from tools.centre.condition.faults import Faults, Note, note
from tools.centre.ingest import alarms
from wire import event, limits, quantity

STRANGER = limits.BOOT_MAX
CABINET = "49007-mairie-1"
TABLES = ("records", "conflicts", "latest", "boots", "faults", "feeders", "gaps", "anchors", "hours", "days")


class Centre(RolledWorld):
    def disown(self, boot=STRANGER, node=NODE):
        return self.warehouse.disown(node, boot, now_s=DAY)

    def tables(self):
        return self.roll().contents(*TABLES)


def lamp(sequence, minute, wh, *, boot=1, stamp=None):
    body = {quantity.POWER: 400, quantity.ENERGY: wh, quantity.LEVEL_ORDERED: 100}
    return reading(sequence, body, boot=boot, stamp=stamp or synced(DAY + 60 * minute))


def boots(random, first, last, node=NODE):
    """What boots of a node say: readings with and without a clock, alarms, gaps, anchors, contactors."""
    items = []
    for boot in range(first, last + 1):
        for sequence in range(random.randrange(1, 8)):
            at = synced(DAY + 60 * random.randrange(4000))
            said = random.choice((
                lamp(sequence, 0, random.randrange(90), boot=boot, stamp=random.choice((at, unset(sequence * 60)))),
                fact(sequence, event.LAMP_FAILURE, None, active=random.random() < 0.6, boot=boot, stamp=at),
                fact(sequence, event.ANCHOR, [None, random.randint(1, 3), 5, DAY + sequence, 1], boot=boot, stamp=at),
                fact(sequence, event.BOOT, [boot - 1, 2, "power", "light", "1"], boot=boot, stamp=at),
                fact(sequence, event.FEEDER_SWITCHED, ["a", sequence > 3, "policy", 0], boot=boot, stamp=at),
            ))  # fmt: skip
            items.append(said._replace(node=node))
    return items


@examples(times=0.5)
@given(st.integers(0, 2**32))
def test_what_is_disowned_leaves_nothing_and_released_all_of_it(seed):
    random = Random(seed)
    own, strange = boots(random, 1, 3), boots(random, STRANGER - 1, STRANGER)
    other = boots(random, 1, 2, node=GATEWAY)
    mixed = own + strange + other
    random.shuffle(mixed)
    half = random.randrange(len(mixed))
    centre = Centre().tell(*mixed[:half])
    centre.tables()
    centre.disown(STRANGER - 1)
    centre.tell(*mixed[half:])
    centre.disown(STRANGER - 1)  # the rule may have come before any record of the stranger
    honest = [item for item in mixed if item not in strange]
    never = Centre().tell(*honest)
    expected, found = never.tables(), centre.tables()
    assert {table: found[table] for table in TABLES} == expected
    centre.warehouse.release(CABINET, [NODE], now_s=DAY)
    again = centre.tables()
    assert again == Centre().tell(*mixed).tables()


def test_stranger_with_the_highest_boot_hides_the_lamp_until_it_is_disowned():
    centre = Centre().tell(lamp(0, 0, 10), lamp(0, 15, 4_000_000, boot=STRANGER), lamp(0, 30, 12, boot=2))
    assert centre.warehouse.newest_readings(NODE)[quantity.ENERGY] == 4_000_000
    assert centre.disown() == 1
    assert centre.warehouse.newest_readings(NODE)[quantity.ENERGY] == 12
    assert [kept.records for kept in centre.warehouse.kept_apart()] == [1]
    assert centre.tables()["days"][0][3] == 2  # Wh


def test_what_still_comes_of_the_boots_goes_apart_and_is_told():
    centre = Centre().tell(lamp(0, 0, 10), lamp(0, 15, 99, boot=STRANGER))
    centre.disown()
    centre.tell(lamp(0, 15, 99, boot=STRANGER), lamp(1, 20, 99, boot=STRANGER), lamp(1, 30, 20))
    assert len(centre.ask("SELECT 1 FROM records")) == 2 and len(centre.ask("SELECT 1 FROM apart")) == 2
    (alarm,) = centre.warehouse.alarms()
    assert (alarm.kind, alarm.cabinet, alarm.subject) == (alarms.CLONE, CABINET, NODE.hex())


def test_note_on_a_fault_of_a_stranger_hides_no_other_fault():
    failure = fact(0, event.LAMP_FAILURE, None, active=True, boot=STRANGER, stamp=synced(DAY))
    centre = Centre().tell(fact(0, event.GEAR_FAILURE, None, active=True, stamp=synced(DAY)), failure)
    connection = centre.warehouse._connection
    stated = [(fault.node, fault.begin) for fault in Faults(connection).open()]
    note(connection, stated, Note(DAY, "Léa", "Léa", "vu"))
    centre.disown()
    (fault,) = Faults(connection).open()
    assert (fault.code, len(fault.notes)) == (event.GEAR_FAILURE, 1)


# --- the command ---


@pytest.fixture
def command(tmp_path, capsys):
    path = tmp_path / "centre.db"
    Centre(path).tell(lamp(0, 0, 10), lamp(0, 15, 99, boot=STRANGER)).warehouse.close()

    def run(*words, status=0):
        assert cli.main(["centre", "disown", NODE.hex(), "--db", str(path), "--lang", "fr", *words]) == status
        said = capsys.readouterr()
        return said.out + said.err

    return run


def test_person_reads_the_boots_and_disowns_from_one_on(command):
    lines = command().splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1", str(STRANGER)] and CABINET in lines[1]
    assert "1 enregistrement" in command("--from-boot", str(STRANGER))
    assert [line.split()[0] for line in command().splitlines()[1:]] == ["1"]


@pytest.mark.parametrize(("boot", "status"), [("-1", 2), (str(STRANGER + 1), 2), ("7", 0)])
def test_boot_that_cannot_be_is_refused(command, boot, status):
    command("--from-boot", boot, status=status)
