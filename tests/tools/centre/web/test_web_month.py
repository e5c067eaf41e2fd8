"""The month on one page, of four days that a commune lived in the simulator: its kWh and euros are those of its plant.

With BOCAGE_PICTURES, pictures of the page are kept, on the screen and as it prints."""

import os
import re
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from policy import keyset
from simulator.cabinet.commune import BEHUARD, signed_by_telephone
from simulator.cabinet.village import EMERGENCY, LAMP, Happening
from simulator.hosts.keys import keyset_of
from simulator.options import Drawn, Options
from simulator.territory import Part, Territory
from tools.centre.control import communes, file, orders
from tools.centre.rollup.worker import Worker
from tools.centre.scope import grants
from tools.centre.store import database, schema
from tools.demo import towns

pytestmark = pytest.mark.slow
HOUR_S, PRICE = 3600, 0.22
START = datetime(2026, 11, 3, 11, 0, tzinfo=UTC)  # noon


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """(folder, territory) of four days in Béhuard: a lamp dies on the second evening, the mayor lights one night."""
    folder = tmp_path_factory.mktemp("month")
    dies = Happening(LAMP, 32 * HOUR_S, None, 0, 3)
    lights = Happening(EMERGENCY, 62 * HOUR_S, 63 * HOUR_S)  # at one in the morning
    territory = Territory(
        Options(start=START, cabinets=1, lamps=0, until_dusk=False),
        Drawn(happenings=(dies, lights)),
        Part(0, 0, True),
        warehouse=str(folder / "centre.db"),
    )
    with closing(schema.open_to_write(str(folder / "centre.db"), "OFF")) as connection:
        registered(territory, folder, connection)
        territory.start()
        territory.world.run_until(4 * 24 * 3_600_000)
        worker = Worker(connection)
        worker.fill_calendar(now_s=territory.world.unix_s)
        while worker.step(500):
            pass
    ordered(territory, str(folder / "control.db"), int(START.timestamp()) + lights.at_s)
    return folder, territory


def ordered(territory, path, at_s):
    """Writes the policy and the mayor's order into a control file, as the daemon that sent them has them."""
    with closing(file.open_to_write(path)) as control, database.transaction(control):
        keys = keyset.encode(keyset_of(BEHUARD.insee))
        assert communes.accept_keyset(control, keys, now_s=at_s)[0]
        assert communes.accept_policy(control, territory.village.street.policy, now_s=at_s)[0]
        data = signed_by_telephone(BEHUARD, 1, "recherche d’une personne", from_s=at_s, to_s=at_s + HOUR_S)
        orders.add(control, data, now_s=at_s)


def registered(territory, folder, connection):
    """Writes the register of the commune as its demonstration does, and lets its mayor in."""
    towns.write(territory, [towns.village(territory)], folder / "register.gpkg", connection)
    with database.transaction(connection):
        grants.give(connection, grants.Grant("mayor", BEHUARD.insee, grants.ALL, 0, None, "test", 0))


@pytest.fixture
def page(lived, browser, monkeypatch):
    """The page in French, and what gives the files that it names."""
    from django.conf import settings

    folder, territory = lived
    own = settings.BOCAGE._replace(
        warehouse=str(folder / "centre.db"), control=str(folder / "control.db"), data=str(folder / "web.sqlite3"),
        clock=lambda: territory.world.unix_s, kwh_price=PRICE,
    )  # fmt: skip
    monkeypatch.setattr(settings, "BOCAGE", own)
    client = browser("mayor", **{"Accept-Language": "fr"})
    return client.get(f"/{BEHUARD.insee}/month").content.decode(), client.get


def figure(text, unit):
    return float(re.search(rf'class="sum">([0-9,]+)\s{unit}<', text)[1].replace(",", "."))


def test_a_month_costs_what_its_lamps_have_drawn(lived, page):
    (_, territory), (text, _) = lived, page
    plant = territory.village.street.plant
    drawn_kwh = (plant.index_wh() - plant.data.index_wh) / 1000  # lamps and the cabinet's own, as they are billed
    assert drawn_kwh > 23
    assert figure(text, "kWh") == pytest.approx(drawn_kwh, abs=1)
    assert figure(text, "€") == pytest.approx(PRICE * drawn_kwh, abs=0.6)
    since, percent = re.search(r"mesuré depuis ([^,]+), pendant ([0-9,]+)\s% de ce temps", text).groups()
    assert "3 nov" in since and float(percent.replace(",", ".")) > 99


def test_a_month_tells_the_dark_hours_the_dead_lamp_and_who_has_lit(page):
    text = page[0]
    assert 25 < figure(text, "h") < 40 and "Éteint par décision" in text  # of four nights, not of the month
    assert re.search(r"sur \d+ h de nuit depuis 3 nov", text.replace("\u00a0", " ").replace("\u202f", " "))
    assert "recherche d’une personne" in text
    assert re.search(r"bourg.*?dure encore", text, re.DOTALL)


def test_what_the_dark_hours_saved_is_what_the_lamps_would_have_drawn(lived, page):
    (_, territory), (text, _) = lived, page
    plant = territory.village.street.plant
    steady_w = sum(feeder.cable.steady_dw for feeder in plant.feeders) / 10
    dark_h = 4 * 7  # four nights, from 22:30 to 05:30
    kwh, euros = re.search(r"environ ([0-9,]+)\skWh et ([0-9,]+)\s€ de moins", text).groups()
    assert float(kwh.replace(",", ".")) == pytest.approx(steady_w * dark_h / 1000, rel=0.1)
    assert float(euros.replace(",", ".")) == pytest.approx(PRICE * steady_w * dark_h / 1000, rel=0.1)


def test_a_month_on_the_screen_and_on_paper(page, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium (apt-get install chromium)")
    text, get = page
    names = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
    files = {one: (get(one).headers["Content-Type"], b"".join(get(one).streaming_content)) for one in names}
    folder = Path(os.environ.get("BOCAGE_PICTURES") or tmp_path)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size in (("phone", (360, 740)), ("desk", (1440, 900))):
            page = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
            page.route("**/*", lambda route: answered(route, text, files))
            page.goto("http://centre.example/month")
            page.screenshot(path=str(folder / f"month-{name}.png"), full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        pages = page.pdf(path=str(folder / "month.pdf"), format="A4").count(b"/Type /Page\n")
        browser.close()
    assert pages == 1


def answered(route, text, files):
    path = urlsplit(route.request.url).path
    kind, body = files.get(path, ("text/html; charset=utf-8", text.encode()))
    route.fulfill(content_type=kind, body=body)
