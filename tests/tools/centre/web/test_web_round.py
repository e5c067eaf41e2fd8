"""A technician's round: places in walking order, closed by what was measured and never by a tap."""

import re
from contextlib import closing

import pytest

from simulator.world.chance import Prng
from tests.support import round_world
from tests.support.round_world import INSEE, NOW_S, STREETS, RoundWorld
from tests.support.scoped_world import ANGERS, FENEU, ROLES, gateway_of, granted, node_of
from tools.centre.condition import notes, visits
from tools.centre.condition.faults import Faults
from tools.centre.condition.visits import Standing
from tools.centre.limits import JUDGED_S
from tools.centre.rollup.worker import Worker
from tools.centre.scope import grants
from tools.centre.store import schema
from tools.centre.web import pictures
from wire import event

HOUR = 3600


class Walker:
    """An operator with the round on a telephone, in a world whose clock a test sets."""

    def __init__(self, world, client, path, set_clock):
        self.world, self.client, self.path, self._set_clock = world, client, path, set_clock

    def at(self, now_s):
        self._set_clock(now_s)
        return self

    def page(self, stop="", **headers):
        said = self.client.get(f"/{INSEE}/round?stop={stop}", headers=headers)
        assert said.status_code == 200
        return said.content.decode()

    def rows(self):
        """{light: (key, state)} of the list, in its order."""
        found = re.findall(r'href="\?stop=([0-9a-f]+-\d+-\d+)"[^>]*><svg class="mark (\w+)"', self.page())
        states = {"fault": "open", "pending": "claimed", "repaired": "repaired"}
        lights = {round_world.node_of(n).hex(): n for n in range(12)}
        return {lights[key.partition("-")[0]]: (key, states[mark]) for key, mark in found}

    def states(self):
        return {light: state for light, (_, state) in self.rows().items()}

    def says(self, light, deed, words=""):
        key = self.rows()[light][0] if isinstance(light, int) else light
        return self.client.post(f"/{INSEE}/round/note", {"stop": key, "deed": deed, "words": words}).status_code


@pytest.fixture
def walker(browser, tmp_path, monkeypatch):
    from django.conf import settings

    path = str(tmp_path / "round.db")
    world = RoundWorld(path)
    own = settings.BOCAGE._replace(warehouse=path, data=str(tmp_path / "web.sqlite3"))
    monkeypatch.setattr(pictures, "PICTURE_S", 0)
    set_clock = lambda now_s: monkeypatch.setattr(settings, "BOCAGE", own._replace(clock=lambda: now_s))  # noqa: E731
    yield Walker(world, browser("operator"), path, set_clock).at(NOW_S)
    world.close()


def test_places_are_walked_street_by_street_and_each_has_what_to_bring(walker):
    for n, light in enumerate((10, 0, 7, 3, 1, 6, 4)):  # by chance, and not together by a cause
        walker.world.states(light, True, NOW_S - n * HOUR)
    # From the outer end of a street to its other end, then the near end of the next.
    assert list(walker.rows()) == [0, 3, 6, 10, 7, 4, 1] or list(walker.rows()) == [10, 7, 4, 1, 0, 3, 6]
    page = walker.page(walker.rows()[7][0])
    card = page.partition("<article")[2].partition("</article>")[0]
    for wanted in ("0007", STREETS[1], "LED 35 W", "49135-cab", "main", "geo:47.575000,-0.598000?q=", "since 1"):
        assert wanted in card, wanted
    agent = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)"}  # it opens no geo URI
    assert "https://maps.apple.com/?daddr=47.575000,-0.598000" in walker.page(walker.rows()[7][0], **agent)
    assert "0 of 7 measured as repaired" in page
    assert page.count("<h3>Grande rue</h3>") == 1, "a street is kept together"


def moved_to_angers(world, street, *, degrees_east):
    """Gives the lights of a street to the next commune, and moves them."""
    connection = world.connection
    connection.execute("INSERT INTO equipment (insee, kind, id, name, from_unix_s)"
                       f" VALUES ('{ANGERS}', 'commune', '{ANGERS}', 'Angers', 0)")  # fmt: skip
    connection.execute(f"UPDATE equipment SET insee = '{ANGERS}', longitude = longitude + ? WHERE street = ?"
                       " AND kind = 'light'", (degrees_east, street))  # fmt: skip
    grants.give(connection, grants.Grant("operator", ANGERS, "*", 0, None, "secretary", 0))


def test_communes_side_by_side_are_walked_as_one_and_a_word_goes_to_the_commune_of_its_place(walker):
    for light in (2, 1, 0, 3, 4):
        walker.world.states(light, True, NOW_S - HOUR)
    moved_to_angers(walker.world, STREETS[1], degrees_east=0)
    assert list(walker.rows()) in ([0, 3, 4, 1, 2], [3, 0, 1, 4, 2], [2, 1, 4, 3, 0], [2, 4, 1, 0, 3])
    page = walker.page()
    assert "Round in Feneu, Angers" in page and f"<h3>Angers, {STREETS[1]}</h3>" in page
    assert f'href="/{ANGERS}/round"' not in page.partition('id="elsewhere"')[2]
    assert walker.says(4, "take") == 303
    (fault,) = (one for one in heard(walker) if one.holder)
    assert (fault.commune, fault.holder) == (ANGERS, "operator")


def test_a_commune_beyond_four_kilometres_has_a_round_of_its_own(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    walker.world.states(1, True, NOW_S - HOUR)
    moved_to_angers(walker.world, STREETS[1], degrees_east=0.06)
    assert list(walker.rows()) == [0]
    assert "Angers: 1 open fault" in walker.page()


def heard(walker):
    """The open faults, with what was said of them."""
    with closing(schema.open_to_read(walker.path)) as connection:
        return notes.with_sent(notes.path_of(walker.path.replace("round.db", "web.sqlite3")), Faults(connection).open())


def test_light_is_offered_where_the_policy_names_the_feeder(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    assert "Light its feeder" not in walker.page()
    feeder = f"lighting b {INSEE}"
    walker.world.connection.execute("UPDATE equipment SET feeder = ? WHERE kind = 'light'", (feeder,))
    assert f'href="/{INSEE}/orders/give/light?where=feeder:lighting%20b%20{INSEE}"' in walker.page()
    walker.world.states(0, False, NOW_S - 60)
    assert "Light its feeder" not in walker.page()


def test_a_light_with_a_fault_counts_as_heard_on_the_screen_of_health(walker):
    walker.world.states(0, True, NOW_S - 600)
    assert "1 of 12" in walker.client.get(f"/{INSEE}/health").content.decode()


def test_lights_that_failed_together_are_gone_to_one_by_one(walker):
    for light in (0, 3, 4):
        walker.world.states(light, True, NOW_S - HOUR)
    assert set(walker.states()) == {0, 3, 4}


def test_a_place_is_closed_by_measurement_and_never_by_the_tap(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    walker.world.states(4, True, NOW_S - HOUR)
    assert walker.says(0, "done") == 303
    assert walker.states() == {0: "claimed", 4: "open"}
    said = walker.page(walker.rows()[0][0])
    assert "Nothing was measured since" in said and "operator, since" in said and 'value="take"' not in said
    walker.world.measures(0, 342, 100, NOW_S + 60)  # watts of a healthy lamp, which its node has yet to judge
    walker.at(NOW_S + 90)
    assert walker.states()[0] == "claimed" and "34.2 W" in walker.page(walker.rows()[0][0])
    walker.world.states(0, False, NOW_S + 300)
    walker.at(NOW_S + 330)
    assert walker.states() == {0: "repaired", 4: "open"}
    said = walker.page(walker.rows()[0][0])
    assert "1 of 2 measured as repaired" in said and 'value="done"' not in said
    walker.at(NOW_S + 13 * HOUR)
    assert walker.states() == {4: "open"}, "yesterday's work is not counted with today's"


def test_what_is_measured_all_the_same_goes_back_to_open_with_the_reason(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    walker.says(0, "done")
    walker.world.measures(0, 3, 0, NOW_S + 600)
    walker.at(NOW_S + 700)
    assert walker.states()[0] == "claimed" and "Its lamp is off" in walker.page()
    for at_s in (900, 900 + JUDGED_S - 1):
        walker.world.measures(0, 4, 100, NOW_S + at_s)
        walker.at(NOW_S + at_s + 10)
        assert walker.states()[0] == "claimed", "its node has not had the time to judge"
    walker.world.measures(0, 5, 100, NOW_S + 900 + JUDGED_S)
    walker.at(NOW_S + 900 + JUDGED_S + 10)
    assert walker.states()[0] == "open"
    assert "still found the fault: 0.5 W measured with 100 % ordered" in walker.page()
    walker.world.measures(0, 3, 0, NOW_S + 8000)  # by day: what was found stays found
    walker.at(NOW_S + 8010)
    assert walker.states()[0] == "open"
    walker.says(0, "done")
    assert walker.states()[0] == "claimed", "said anew, it is judged anew"


def test_a_lamp_that_burnt_by_day_is_repaired_when_it_is_measured_dark_and_not_when_dusk_wants_it_lit(walker):
    walker.world.states(0, True, NOW_S - HOUR, event.LAMP_UNEXPECTED_ON)
    walker.says(0, "done")
    walker.world.states(0, False, NOW_S + 600, event.LAMP_UNEXPECTED_ON)  # it is lit as ordered now
    walker.world.measures(0, 342, 100, NOW_S + 700)
    walker.at(NOW_S + 720)
    assert walker.states() == {0: "claimed"} and "to be dark: by day" in walker.page()
    walker.world.measures(0, 3, 0, NOW_S + 8 * HOUR)
    walker.at(NOW_S + 8 * HOUR + 30)
    assert walker.states() == {0: "repaired"}
    walker.world.states(3, True, NOW_S, event.LAMP_UNEXPECTED_ON)
    walker.world.states(3, False, NOW_S + 60, event.LAMP_UNEXPECTED_ON)
    assert 3 not in walker.states(), "nobody has been there, and nothing is open"


def test_a_fault_that_comes_back_is_open_and_says_so(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    walker.world.states(0, False, NOW_S - 1800)
    walker.world.states(0, True, NOW_S - 600)
    assert walker.states() == {0: "open"}
    assert "It was measured as repaired" in walker.page() and "has come back" in walker.page()


def test_a_light_whose_node_was_exchanged_leaves_the_round_or_says_so_to_who_was_there(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    walker.world.states(3, True, NOW_S - HOUR)
    walker.says(0, "done")
    walker.world.exchanges(0, 20, NOW_S - 1800)
    walker.world.exchanges(3, 21, NOW_S - 1800)
    assert walker.states() == {0: "claimed", 3: "open"}, "the new nodes have not been heard"
    for node in (20, 21):
        walker.world.measures(node, 342, 100, NOW_S - 600)
    Worker(walker.world.connection).step(10)
    assert walker.states() == {0: "claimed"}, "nothing was measured of the fault"
    assert "Its node was replaced" in walker.page()


def test_what_is_not_repaired_needs_a_reason_and_takes_a_claim_back(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    walker.says(0, "done")
    walker.at(NOW_S + 5)
    assert walker.says(0, "failed") == 400
    assert walker.says(0, "failed", "no ladder") == 303
    assert walker.states()[0] == "open" and "could not repair it: no ladder" in walker.page()
    assert walker.client.post(f"/{INSEE}/round/note", {"stop": "00-1-1", "deed": "done"}).status_code == 404
    assert walker.client.get(f"/{INSEE}/round/note").status_code == 405


def test_all_faults_of_a_place_are_done_at_once_and_closed_together(walker):
    walker.world.states(0, True, NOW_S - HOUR)
    walker.world.states(0, True, NOW_S - 1800, event.METER_FAILURE)
    walker.says(0, "done")
    assert walker.states() == {0: "claimed"}
    walker.world.states(0, False, NOW_S + 60)
    walker.at(NOW_S + 70)
    assert walker.states() == {0: "claimed"}, "one of two"
    walker.world.states(0, False, NOW_S + 80, event.METER_FAILURE)
    walker.at(NOW_S + 90)
    assert walker.states() == {0: "repaired"}


def test_a_claim_comes_into_the_warehouse_and_is_told_on_the_other_screens(walker, capsys):
    from tools import cli

    walker.world.states(0, True, NOW_S - HOUR)
    walker.says(0, "take")
    walker.at(NOW_S + 60)
    walker.says(0, "done")
    with closing(schema.open_to_write(walker.path)) as connection:
        path = notes.path_of(walker.path.replace("round.db", "web.sqlite3"))
        with closing(notes.Fetcher(path, walker.path, connection, lambda *_, **__: None)) as fetcher:
            fetcher.fetch(now_s=NOW_S + 60)
        (fault,) = Faults(connection).open()
        assert [one.is_repaired for one in fault.notes] == [None, True]
    assert walker.states() == {0: "claimed"}
    assert "Done, not measured" in walker.client.get(f"/{INSEE}/faults").content.decode()
    light = walker.client.get(f"/{INSEE}/lights/0000").content.decode()
    assert "In hand of operator" in light and "says that it is repaired" in light
    assert cli.main(["centre", "alarms", "--db", walker.path, "--lang", "en"]) == 0
    assert "says that it is repaired" in capsys.readouterr().out


# --- the property -------------------------------------------------------------------------------------------------


def wander(walker, seed, steps=20):
    """Lets nodes and people do anything; returns the lights that were ever shown repaired without a proof."""
    prng, now_s, found, rows = Prng(f"round-{seed}"), NOW_S, [], {}
    for _ in range(steps):
        now_s += prng.between(30, 1800)
        light = prng.randrange(3)
        walker.at(now_s)
        what, code = prng.randrange(5), (event.LAMP_FAILURE, event.LAMP_UNEXPECTED_ON)[prng.randrange(2)]
        if what < 2:
            walker.world.states(light, what == 0, now_s - 20, code)
        elif what == 2:
            walker.world.measures(light, prng.between(0, 350), 100 * prng.randrange(2), now_s - 20)
        elif light in rows:
            walker.says(rows[light][0], "done" if what == 3 else "failed", "x")
        rows = walker.rows()
        found += walker.world.unproved({light: state for light, (_, state) in rows.items()})
    return found


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_shown_repaired_unless_its_node_says_so(walker, seed):
    assert wander(walker, seed) == []


def test_a_planted_page_that_believes_the_tap_is_found(walker, monkeypatch):
    def believes(fault, readings=()):
        claim = visits.claim_of(fault)
        return Standing(visits.REPAIRED, claim, unix_s=0) if claim or fault.is_over else Standing(visits.OPEN)

    monkeypatch.setattr("tools.centre.web.history.standing", believes)
    assert wander(walker, 1)


# --- rights ---------------------------------------------------------------------------------------------------------


def test_only_who_has_the_trade_there_says_something_on_a_round(browser, tmp_path, monkeypatch):
    from django.conf import settings

    data = str(tmp_path / "web.sqlite3")
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(data=data))
    keys = {}
    for insee in (FENEU, ANGERS):
        said = browser("operator").get(f"/{insee}/faults").content.decode()
        nodes = {"lighting": gateway_of(insee), "heating": node_of("room", insee), "watering": node_of("green", insee)}
        for trade, node in nodes.items():
            keys[insee, trade] = re.search(rf'name="cause" value="({node.hex()}-[^"]+)"', said)[1]
    for role in ROLES:
        own = browser(role)
        for (insee, trade), cause in keys.items():
            said = own.post(f"/{insee}/round/note", {"stop": cause, "deed": "done"})
            assert said.status_code == (303 if granted(role, insee, trade) else 404), (role, insee, trade)


def test_who_has_several_communes_is_led_on_to_the_others(browser, monkeypatch):
    from tools.centre.web import round

    monkeypatch.setattr(round, "ROUND_NEAR_M", -1)  # they lie side by side in this world
    of_two, of_one = (browser(role).get(f"/{FENEU}/round").content.decode() for role in ("operator", "electrician"))
    assert re.search(rf'href="/{ANGERS}/round">.*?commune of {ANGERS}: \d open faults?<', of_two, re.DOTALL)
    assert f"/{ANGERS}/round" not in of_one and f'href="/{FENEU}/round"' not in of_two.partition('id="elsewhere"')[2]


def test_the_list_of_faults_says_what_stays_open_until_its_lamp_is_lit(walker):
    walker.world.states(0, True, NOW_S - 9 * HOUR)
    waits = "Its lamp is off: it is judged when it is lit again."
    faults = lambda: walker.client.get(f"/{INSEE}/faults").content.decode()  # noqa: E731
    walker.world.measures(0, 16, 100, NOW_S - 2 * HOUR)
    assert waits not in faults() and "at the latest" in faults()
    walker.world.measures(0, 16, 0, NOW_S - HOUR)
    assert waits in faults()
