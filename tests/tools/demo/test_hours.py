"""A referent's hours in the demonstration: from a signature to a warm hall and a dry lawn, judged by the checkers."""

from contextlib import closing
from datetime import timedelta

import pytest

from heating.setpoint import SetpointLadder
from policy import document
from simulator.cabinet.commune import BEHUARD
from simulator.options import SEASONS, Options
from simulator.report.text import faults
from tests.tools.demo.test_control import MINUTE_MS, PUBLIC, outcomes, signed, tapped
from tools.centre.store import schema
from tools.demo.story import WAREHOUSE, Story
from watering import lockouts
from wire import command, directive

HOUR_S = 3600
# Half past two, before the hall is heated for the morning; half past eight, two hours before the stadium is watered.
NIGHT, MORNING = (SEASONS["spring"] + timedelta(hours=hours) for hours in (7, 13))


@pytest.fixture
def world(tmp_path, request):
    story = Story(tmp_path, Options(start=request.param, lamps=3, rooms=1, greens=1))
    yield story, tmp_path
    story.close()


def node_of(folder, kind):
    with closing(schema.open_to_write(str(folder / WAREHOUSE))) as connection:
        sql = "SELECT node FROM equipment WHERE insee = ? AND kind = ?"
        return bytes(connection.execute(sql, (BEHUARD.insee, kind)).fetchone()[0])


def ordered(story, folder, code, node, begins_s, lasts_s):
    """The order, sent by its cabinet to the node of Béhuard's hall or lawn."""
    order = signed(
        story, command.DIRECTIVE, target=node.hex(), values={code: 1}, not_before_s=begins_s,
        expires_s=begins_s + lasts_s,
    )  # fmt: skip
    tapped(story, folder, order)
    return order


def until(story, unix_s):
    story.run_until(story.now_ms + 1000 * (unix_s - story.unix_s))


@pytest.mark.slow
@pytest.mark.parametrize("world", [NIGHT], ids=["night"], indirect=True)
def test_a_hall_is_warm_in_the_hours_that_were_ordered_and_let_go_after_them(world):
    story, folder = world
    story.enrol(BEHUARD.insee, PUBLIC, "Maire", document.HEAT)
    node, begins_s = node_of(folder, "room"), story.unix_s + 2 * HOUR_S
    story.run_until(story.now_ms + MINUTE_MS)
    order = ordered(story, folder, directive.OCCUPIED, node, begins_s, 3 * HOUR_S // 2)
    hall = story.territory.rooms.rooms[-1].ports.room
    until(story, begins_s + HOUR_S)
    assert hall.air_ck >= 1850
    until(story, begins_s + 2 * HOUR_S)
    assert hall.demand_permille == 0
    assert {(None, "received"), (None, "applied"), (None, "expired")} <= outcomes(folder, order)
    assert story.territory.rooms.checker.violations == []
    assert (result := story.report().result).is_good, faults(result)


@pytest.mark.slow
@pytest.mark.parametrize("world", [NIGHT], ids=["night"], indirect=True)
def test_the_checker_sees_a_node_that_forgets_the_hours_of_its_hall(world, monkeypatch):
    monkeypatch.setattr(SetpointLadder, "_hours", lambda ladder, moment: None)
    story, folder = world
    story.enrol(BEHUARD.insee, PUBLIC, "Maire", document.HEAT)
    node, begins_s = node_of(folder, "room"), story.unix_s + 2 * HOUR_S
    story.run_until(story.now_ms + MINUTE_MS)
    ordered(story, folder, directive.OCCUPIED, node, begins_s, 3 * HOUR_S)
    until(story, begins_s + HOUR_S)
    assert "is cold in ordered hours" in story.territory.rooms.checker.violations[0]


@pytest.mark.slow
@pytest.mark.parametrize("world", [MORNING], ids=["morning"], indirect=True)
@pytest.mark.parametrize("is_planted", [False, True])
def test_a_lawn_stays_dry_as_ordered_and_a_node_that_forgets_is_seen(world, monkeypatch, is_planted):
    if is_planted:
        monkeypatch.setattr(lockouts, "kept_dry", lambda moment: False)
    story, folder = world
    story.enrol(BEHUARD.insee, PUBLIC, "Maire", document.DRY)
    node = node_of(folder, "green_space")
    story.run_until(story.now_ms + MINUTE_MS)
    begins_s = story.unix_s + HOUR_S
    ordered(story, folder, directive.DRY, node, begins_s, 13 * HOUR_S)
    space = story.territory.greens.spaces[-1]
    until(story, begins_s + 3 * HOUR_S)
    assert (sum(space.site.pipes.zone_ul) > 0) == is_planted
    assert bool(space.checker.violations) == is_planted
