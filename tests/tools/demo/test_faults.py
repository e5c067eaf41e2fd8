"""What is broken by hand is seen by the centre, mended as new, and judged by the checkers at the end."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.options import SEASONS, Options
from simulator.report import text
from simulator.world.chance import Prng
from tools.centre.condition import notes, visits
from tools.centre.condition.faults import Faults, Note
from tools.centre.store import schema
from tools.demo import faults, people
from tools.demo.story import DATA, Story
from wire import event

MINUTE_MS = 60_000
SMALL = Options(start=SEASONS["spring"], lamps=36, rooms=3, greens=3)
FEW = replace(SMALL, lamps=9)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A village an hour after dusk; each test mends what it broke."""
    made = Story(tmp_path_factory.mktemp("story"), SMALL)
    made.run_until(made.dusk_ms() + 60 * MINUTE_MS)
    yield made
    made.close()


def target(story, kind, at=0):
    return list(faults.KINDS[kind].targets(story))[at]


def reported(story, subject, *, since_s):
    """The faults about a node or a gateway that the warehouse has of the time since then."""
    with closing(schema.open_to_read(story.path)) as connection:
        found = Faults(connection).between(since_s, story.unix_s + 1)
    return [fault for fault in found if fault.subject == subject and fault.from_unix_s >= since_s]


def struck(story, kind, at=0, *, for_min):
    """Breaks a thing and lets time pass; returns its target and what the centre has heard."""
    chosen, begun_s = target(story, kind, at), story.unix_s
    faults.strike(story, kind, chosen.key)
    story.run_until(story.now_ms + for_min * MINUTE_MS)
    seen = [] if chosen.subject is None else reported(story, chosen.subject, since_s=begun_s)
    return chosen, {one.code for one in seen}


def test_a_dead_lamp_is_heard_of_within_a_quarter_of_an_hour(story):
    chosen, seen = struck(story, "lamp", 3, for_min=18)
    assert seen == {event.LAMP_FAILURE}
    faults.mend(story, "lamp", chosen.key)
    assert story.struck == []


def test_what_is_said_of_a_fault_on_the_screens_is_in_the_warehouse_within_a_quarter_of_an_hour(story):
    chosen, _ = struck(story, "lamp", 4, for_min=18)
    (fault,) = reported(story, chosen.subject, since_s=story.unix_s - 18 * 60)
    said = Note(story.unix_s, people.ROLES["operator"].person, "Léa Durand", "")
    sent = notes.Sent(fault.commune, fault.node, fault.begin, said)
    notes.put(notes.path_of(str(Path(story.path).parent / DATA)), sent, now_s=story.unix_s)
    story.run_until(story.now_ms + 16 * MINUTE_MS)
    (fault,) = reported(story, chosen.subject, since_s=story.unix_s - 40 * 60)
    assert fault.holder == "Léa Durand"
    faults.mend(story, "lamp", chosen.key)


@pytest.mark.slow
def test_a_lamp_said_to_be_repaired_stays_unproved_until_its_node_has_measured_it(story):
    chosen, _ = struck(story, "lamp", 5, for_min=18)
    since_s = story.unix_s - 18 * 60

    def fault():
        return next(one for one in reported(story, chosen.subject, since_s=since_s) if one.code == event.LAMP_FAILURE)

    def standing():
        (said,) = notes.with_sent(path, [fault()])
        return visits.standing(said).state

    path = notes.path_of(str(Path(story.path).parent / DATA))
    said = Note(story.unix_s, people.ROLES["operator"].person, None, "", True)
    notes.put(path, notes.Sent(fault().commune, fault().node, fault().begin, said), now_s=story.unix_s)
    story.run_until(story.now_ms + 10 * MINUTE_MS)
    assert standing() == visits.CLAIMED
    faults.mend(story, "lamp", chosen.key)
    assert standing() == visits.CLAIMED, "what is mended is not yet measured"
    story.run_until(story.now_ms + 18 * MINUTE_MS)
    assert standing() == visits.REPAIRED


def test_a_thing_is_broken_once(story):
    chosen = target(story, "thermometer")
    faults.strike(story, "thermometer", chosen.key)
    faults.strike(story, "thermometer", chosen.key)
    assert len(story.struck) == 1
    faults.mend(story, "thermometer", chosen.key)


def test_nothing_is_broken_by_a_word_that_names_nothing(story):
    with pytest.raises(KeyError):
        faults.strike(story, "volcano", "")
    with pytest.raises(StopIteration):
        faults.strike(story, "fibre", "17")
    assert story.struck == []


def test_without_fibre_records_wait_where_there_is_no_4g(story):
    chosen, _ = struck(story, "fibre", 1, for_min=18)
    said = faults.KINDS["fibre"].watch(story, chosen.key)
    assert said.values["count"] > 0
    faults.mend(story, "fibre", chosen.key)
    assert story.broken[-1].waited_max >= said.values["count"]  # for the report, when none waits any more
    story.run_until(story.now_ms + 5 * MINUTE_MS)
    assert story.territory.gateways[1].waiting() == 0


def test_without_mains_the_lamps_of_a_cabinet_are_dark(story):
    before = story.snapshot().lit
    chosen, _ = struck(story, "power", 2, for_min=2)
    assert story.snapshot().lit == before - 12 == before - story.broken[-1].unpowered
    faults.mend(story, "power", chosen.key)
    story.run_until(story.now_ms + 10 * MINUTE_MS)
    assert story.snapshot().lit == before


def test_the_cabinet_with_a_battery_says_that_it_has_no_mains(story):
    chosen, seen = struck(story, "power", 3, for_min=3)
    assert event.SUPPLY_LOSS in seen
    faults.mend(story, "power", chosen.key)
    story.run_until(story.now_ms + 5 * MINUTE_MS)


def test_a_storm_by_night_changes_nothing_and_a_silent_centre_keeps_records_waiting(story):
    struck(story, "storm", for_min=1)
    struck(story, "centre", for_min=18)
    assert story.snapshot().waiting > 0
    story.mend_all()


@pytest.mark.parametrize(("season", "usual"), [("spring", 0), ("summer", 2)])
def test_a_drought_order_that_is_lifted_leaves_the_one_before(tmp_path, season, usual):
    story = Story(tmp_path, Options(start=SEASONS[season], lamps=12, greens=3))
    ordered = []
    story.territory.notices[0].order_drought = lambda level, accepted: ordered.append(level)
    faults.strike(story, "drought", "")
    story.mend_all()
    assert ordered == [3, usual]
    story.close()


@pytest.mark.parametrize("kind", list(faults.KINDS))
def test_every_kind_has_targets_with_names(story, kind):
    for one in faults.KINDS[kind].targets(story):
        assert one.label.split(",")[0] in ("Angers", "Feneu", "Béhuard")


@pytest.mark.slow
def test_a_night_with_everything_broken_at_once_is_judged_good(tmp_path):
    story = Story(tmp_path, FEW)
    story.run_until(story.dusk_ms() + 60 * MINUTE_MS)
    for kind in faults.KINDS:
        faults.strike(story, kind, target(story, kind).key)
    story.run_until(story.now_ms + 9 * 60 * MINUTE_MS)
    result = story.report().result
    assert result.is_good, text.faults(result)
    story.close()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "season"), [(1, "spring"), (3, "summer"), (5, "winter")])
def test_whatever_is_broken_and_mended_at_any_time_is_judged_good(tmp_path, seed, season):
    prng = Prng(f"hands-{seed}")
    story = Story(tmp_path, replace(FEW, seed=seed, start=SEASONS[season]))
    for _ in range(28):
        story.run_until(story.now_ms + 1000 * prng.between(30, 1800))
        if story.struck and prng.chance(450):
            one = story.struck[prng.randrange(len(story.struck))]
            faults.mend(story, one.kind, one.target)
        else:
            kind = list(faults.KINDS)[prng.randrange(len(faults.KINDS))]
            targets = list(faults.KINDS[kind].targets(story))
            faults.strike(story, kind, targets[prng.randrange(len(targets))].key)
    result = story.report().result
    assert result.is_good, text.faults(result)
    story.close()


@pytest.mark.slow
def test_who_is_on_duty_would_be_told_of_a_power_cut_and_of_nothing_before(story):
    begun_s = story.unix_s

    def told():
        rows = story._duty.book.connection.execute("SELECT person, channel, kind, subject FROM messages"
                                                   " WHERE made_unix_s > ? ORDER BY number", (begun_s,))  # fmt: skip
        return [row for row in rows.fetchall() if row[2] != "fixed"]

    story.run_until(story.now_ms + 60 * MINUTE_MS)
    assert told() == []
    struck(story, "power", for_min=45)
    found = told()
    assert [row[:3] for row in found] == [
        (person.name, channel, kind)
        for person, kind in zip(people.DUTY, ("new", "escalated"), strict=True)
        for channel in ("sms", "mail")
    ]
    assert found[0][3].startswith("Astreinte : ")
    assert story.snapshot().told == (people.DUTY[1].name, found[2][3])
    assert all(one.sent_unix_s for one in story._duty.book.of_channel("sms", since_s=begun_s))
    story.mend_all()
