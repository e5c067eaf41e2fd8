"""Pages say what is, in two languages, escape what people wrote, and bring nothing from elsewhere."""

import itertools
import re
from contextlib import closing

import pytest

from tests.support import border_world
from tests.support.scoped_world import ANGERS, FENEU, NOW_S
from tools.centre.scope import grants
from tools.centre.store import schema

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 }}"

PAGES = (
    "map", "map/in-view", "lights", "lights/light-1", "rooms", "rooms/room-1", "greens", "greens/green_space-1",
    "meters/meter-1", "faults", "round", "health", "town", "month", "orders", "orders/give/light", "orders/give/heat",
    "orders/give/dry", "duty",
)  # fmt: skip
SCREENS = ("/", *(f"/{FENEU}/{page}" for page in PAGES))


@pytest.fixture
def named_by_a_stranger(served):
    """Names of a commune, a street and a light that somebody wrote to do harm."""
    from django.conf import settings

    from tools.centre.web import access, page

    def forget():
        access._communes.cache_clear()
        page._PICTURES.clear()

    with closing(schema.open_to_write(settings.BOCAGE.warehouse)) as connection:
        kept = connection.execute("SELECT kind, id, name, street FROM equipment WHERE insee = ?", (FENEU,)).fetchall()
        connection.execute("UPDATE equipment SET name = ?, street = ? WHERE insee = ?", (EVIL, EVIL, FENEU))
        forget()
        yield
        for kind, id, name, street in kept:
            connection.execute("UPDATE equipment SET name = ?, street = ? WHERE insee = ? AND kind = ? AND id = ?",
                               (name, street, FENEU, kind, id))  # fmt: skip
    forget()


@pytest.mark.slow
def test_names_are_escaped(named_by_a_stranger, browser):
    client = browser("operator")
    for address in (*SCREENS, f"/{FENEU}/lights?q=%3Cscript%3Ealert(1)%3C/script%3E"):
        said = client.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in said, address
        assert "<script>alert" not in said and "<img src=x" not in said, address
    for address in ("/privacy", "/privacy/journal"):
        said = browser("auditor").get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in said and "<script>alert" not in said, address
    # What the map's script writes as HTML is the mark alone; a title becomes an attribute.
    marks = "".join(one["mark"] for one in client.get(f"/{FENEU}/map/spaces.json").json()["spaces"])
    assert "<svg" in marks and "alert" not in marks


def test_name_of_a_person_is_escaped(browser):
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    account = get_user_model().objects.create(username=EVIL, last_login=timezone.now())
    said = browser(EVIL).get("/").content.decode()
    account.delete()  # the tests of a process share a web
    assert "&lt;script&gt;alert(1)" in said and "<script>alert" not in said and "<img src=x" not in said


@pytest.mark.slow
def test_page_has_nothing_inline_and_nothing_from_elsewhere(browser):
    for address in SCREENS:
        said = browser("operator").get(address)
        text = said.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|https?://", text)
        policy = said["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "no-store" in said["Cache-Control"]
        assert said["X-Content-Type-Options"] == "nosniff"


def test_language_is_the_browsers_and_can_be_changed(browser):
    client = browser("operator", **{"Accept-Language": "de, fr-CA;q=0.8, en;q=0.5"})
    assert "Points lumineux" in client.get(f"/{FENEU}/lights").content.decode()
    client.post("/appearance", {"language": "en", "next": "/"})
    assert f"Lights of commune of {FENEU}" in client.get(f"/{FENEU}/lights").content.decode()
    client.post("/appearance", {"theme": "dark"})
    assert 'lang="en" data-theme="dark"' in client.get("/").content.decode()
    client.post("/appearance", {"language": "xx", "theme": '" onload=x'})
    assert 'lang="en" data-theme="dark"' in client.get("/").content.decode()


def test_language_is_changed_where_one_is(browser):
    here = f"/{FENEU}/lights?q=a&amp;state=fault"
    assert f'name="next" value="{here}"' in browser("operator").get(here.replace("&amp;", "&")).content.decode()


def test_first_page_counts_the_causes_that_each_commune_lists(browser):
    client = browser("operator")
    first = client.get("/").content.decode()
    for insee in (FENEU, ANGERS):
        causes = re.search(r"(\d+) open faults, by", client.get(f"/{insee}/faults").content.decode())[1]
        assert re.search(rf'(?s)href="/{insee}/faults"><svg.{{,400}} {causes} open faults</a></li>', first)


def test_search_finds_a_street_as_people_write_it(browser):
    client = browser("operator")

    def found(query):
        said = client.get(f"/{FENEU}/lights?{query}").content.decode()
        return re.findall(r'<th scope="row"><a[^>]*>([^<]*)</a>', said)

    assert found("") == ["light-1"]
    assert found("q=LIGHTING+Stréet") == ["light-1"]
    assert found("q=nowhere") == []
    assert found("state=fault") == ["light-1"]
    assert found("state=lit") == []
    assert found("page=-1") == found("page=999999999999") == ["light-1"]


def test_part_of_a_page_is_answered_alone(browser):
    said = browser("operator").get(f"/{FENEU}/lights", headers={"HX-Request": "true"}).content.decode()
    assert said.lstrip().startswith('<div id="rows"')


def test_warehouse_that_cannot_be_read_is_told(browser, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse="/nowhere/centre.db"))
    said = browser("operator").get(f"/{FENEU}/lights")
    assert (said.status_code, "cannot be read" in said.content.decode()) == (503, True)


def test_a_cause_beyond_the_border_is_told_with_what_follows_from_it(served, browser, tmp_path, monkeypatch):
    from django.conf import settings

    path = str(tmp_path / "centre.db")
    border_world.build(path)
    with closing(schema.open_to_write(path)) as connection:
        for person, area in (("operator", ("*", "*")), ("gardener", ("*", "lighting")), ("two", ("49007", "lighting"))):
            grants.give(connection, grants.Grant(person, *area, 0, None, "secretary", 0))
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=path))
    for person, insee in itertools.product(("operator", "gardener"), ("49007", "49135")):
        said = browser(person).get(f"/{insee}/faults").content.decode()
        told = ("1 open fault, by its cause", "1 other fault of this cause", "bourg")
        assert all(one in said for one in told), (person, insee)
    # Who may not look beyond the border is told the lamp's own fault, without a cause.
    said = browser("two").get("/49007/faults").content.decode()
    assert "1 open fault, by its cause" in said and "light=0001" in said and "other fault" not in said


def test_a_cabinet_that_is_alone_is_told_wherever_its_lights_are(browser, monkeypatch):
    from django.conf import settings

    client = browser("mayor", **{"Accept-Language": "fr"})
    screens = [f"/{FENEU}/{page}" for page in ("map", "map/in-view", "lights", "faults", "round", "town")]
    told = "seule, rien reçu d’elle depuis"
    later = settings.BOCAGE._replace(clock=lambda: NOW_S + 7 * 86_400)
    monkeypatch.setattr(settings, "BOCAGE", later)
    for address in screens:
        assert told in client.get(address).content.decode(), address
    health = client.get(f"/{FENEU}/health").content.decode()
    assert "inconnu tant qu’elle est seule" in health and "à jour" not in health
    assert "0 sur 0" not in health
    home = browser("operator", **{"Accept-Language": "fr"}).get("/").content.decode()
    assert home.count("1 armoire seule, rien reçu d’elle depuis") == 2 and 'aria-hidden="true"> ▾' not in home
    assert home.count("Si elle a du courant, elle suit sa politique") == 2


def test_without_a_fault_a_cabinet_that_is_alone_keeps_a_list_from_saying_that_there_is_none(browser, monkeypatch):
    from django.conf import settings

    from tools.centre.web import faults, round

    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: NOW_S + 7 * 86_400))
    monkeypatch.setattr(faults, "group", lambda _: [])
    monkeypatch.setattr(round, "group", lambda _: [])
    for page in ("faults", "round"):
        said = browser("operator").get(f"/{FENEU}/{page}").content.decode()
        assert "What has broken where a cabinet is alone is not known" in said and "No fault is open" not in said


@pytest.mark.parametrize(("language", "wanted", "older"), [
    ("fr", "12 nov. 01:00", "31 déc. 2025 01:00"), ("en", "12 Nov. 01:00", "31 Dec. 2025 01:00"),
])
def test_a_day_is_written_as_people_say_it_and_with_its_year_where_it_is_another(language, wanted, older):
    from tools.centre.web import words

    november_s, december_s = 1_794_441_600, 1_767_139_200
    assert words.moment(november_s, language, now_s=NOW_S) == wanted
    assert words.moment(december_s, language, now_s=NOW_S) == older
    assert words.moment(NOW_S - 86_400, language, now_s=NOW_S).split()[0] in ("hier", "yesterday")


def test_a_light_without_a_node_has_a_sentence_and_no_empty_plot(browser):
    from django.conf import settings

    from tools.centre.web import page

    address = f"/{FENEU}/lights/light-1"
    assert 'class="three"' in browser("mayor").get(address).content.decode()
    with closing(schema.open_to_write(settings.BOCAGE.warehouse)) as connection:
        where = "insee = ? AND kind = 'light' AND id = 'light-1'"
        (node,) = connection.execute(f"SELECT node FROM equipment WHERE {where}", (FENEU,)).fetchone()
        connection.execute(f"UPDATE equipment SET node = NULL WHERE {where}", (FENEU,))
        page._PICTURES.clear()
        said = browser("mayor").get(address).content.decode()
        connection.execute(f"UPDATE equipment SET node = ? WHERE {where}", (node, FENEU))
    page._PICTURES.clear()
    assert "has no node of its own" in said and 'class="three"' not in said and "24 hours" not in said


def test_first_page_of_a_centre_without_a_commune_says_so_and_not_that_a_right_is_missing(browser, monkeypatch):
    from tools.centre.web import home

    monkeypatch.setattr(home, "communes", lambda _request: ())
    granted, not_granted = (browser(person).get("/").content.decode() for person in ("operator", "nobody"))
    assert "No commune is known yet" in granted and "no right" not in granted
    assert "no right on any commune" in not_granted
