"""The screens in Debian's Chromium, served by the real command: phone and desk, both languages, light and dark.

Each page is judged by axe, must fit its window, bring nothing from another host and leave the console empty. Pictures
of all pages are kept where BOCAGE_PICTURES names a folder, to be looked at.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools.bench import screens_world
from tools.bench.screens_world import INSEE, OPERATOR
from tools.centre.store import schema

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

CHROMIUM = shutil.which("chromium")
PASSWORD = "un chêne au bord de l'eau"
SIZES = {"phone": (360, 740), "desk": (1920, 1080)}
PAGES = {
    "home": "/", "map": f"/{INSEE}/map", "map-light": f"/{INSEE}/map?light=00003", "list": f"/{INSEE}/lights",
    "list-none": f"/{INSEE}/lights?q=nowhere", "light": f"/{INSEE}/lights/00003",
    "rooms": f"/{INSEE}/rooms", "room": f"/{INSEE}/rooms/ecole-2", "map-room": f"/{INSEE}/map?room=ecole-3",
    "greens": f"/{INSEE}/greens", "green": f"/{INSEE}/greens/vert-1-2", "green-leak": f"/{INSEE}/greens/vert-2-1",
    "faults": f"/{INSEE}/faults",
    "round": f"/{INSEE}/round", "orders": f"/{INSEE}/orders",
    "health": f"/{INSEE}/health", "privacy": "/privacy", "privacy-journal": "/privacy/journal", "error": "/99999/map",
}  # fmt: skip
pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)"),
]


def bocage(*words):
    return [sys.executable, "-m", "tools", "centre", *words]


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """The address of a web of 700 lights, its warehouse, and the one-time password of its operator."""
    folder = tmp_path_factory.mktemp("screens")
    warehouse, data = str(folder / "centre.db"), str(folder / "web.sqlite3")
    screens_world.build(warehouse, 700, now_s=int(time.time()), has_spaces=True)
    making = bocage("web", "account", OPERATOR, "--data", data)
    made = subprocess.run(making, capture_output=True, text=True, check=True)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = bocage("web", "--db", warehouse, "--data", data, "--port", str(port))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert "127.0.0.1" in process.stdout.readline()
        _wait_for(port)
        yield f"http://127.0.0.1:{port}", warehouse, made.stdout.rsplit(" ", 1)[1].strip()
        process.terminate()


def _wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


class Watched:
    """Opens pages, and keeps what they asked for and said."""

    def __init__(self, chromium, origin, size="desk", language="fr-FR", theme="light", state=None):
        width, height = SIZES[size]
        self.origin = origin
        self.context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=language, color_scheme=theme, has_touch=size == "phone",
            storage_state=state, reduced_motion="reduce",
        )  # fmt: skip
        self.page = self.context.new_page()
        self.asked, self.said = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)

    def open(self, address):
        self.page.goto(self.origin + address)
        if "/map" in address and "99999" not in address:
            self.page.wait_for_selector("#map[data-ready]")
            self.page.wait_for_selector("#in-view .filters")

    def foreign(self):
        own = urlsplit(self.origin).netloc
        return [url for url in self.asked if urlsplit(url).netloc != own]


@pytest.fixture(scope="module")
def entered(web, chromium):
    """The session of a person who has come in with the keyboard alone, and chosen a password."""
    origin, _, one_time = web
    browser = Watched(chromium, origin, "phone")
    page = browser.page
    browser.open("/")
    page.keyboard.press("Tab")  # to the content
    page.keyboard.press("Tab")
    for typed in (OPERATOR, one_time):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/password")
    page.locator("#password").focus()
    for _ in range(2):
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{INSEE}/map*")
    state = browser.context.storage_state()
    browser.context.close()
    return state


def test_person_comes_in_with_the_keyboard_alone(entered):
    assert [cookie["name"] for cookie in entered["cookies"] if cookie["httpOnly"]] == ["bocage"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("size", "language"), [("phone", "fr-FR"), ("desk", "en-GB")])
def test_pages_are_sound(web, chromium, entered, size, language, theme):
    browser = Watched(chromium, web[0], size, language, theme, entered)
    try:
        for name, address in PAGES.items():
            browser.said.clear()
            browser.open(address)
            _keep(browser.page, f"{name}-{size}-{language[:2]}-{theme}")
            found = axe.Axe().run(browser.page).response["violations"]
            grave = [one for one in found if one["impact"] in ("serious", "critical")]
            assert not grave, [(name, one["id"], [node["html"] for node in one["nodes"]]) for one in grave]
            assert browser.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert name == "error" or not browser.said, (name, browser.said)
        assert not browser.foreign()
    finally:
        browser.context.close()


def test_login_is_sound(web, chromium):
    browser = Watched(chromium, web[0], "phone", "en-GB", "dark")
    browser.open("/login")
    _keep(browser.page, "login-phone-en-dark")
    found = axe.Axe().run(browser.page).response["violations"]
    assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not browser.foreign() and not browser.said
    browser.context.close()


def _keep(page, name):
    if folder := os.environ.get("BOCAGE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def _counts(page, selector):
    texts = [re.sub(r"\s+", " ", text).strip() for text in page.locator(selector).all_inner_texts()]
    return sorted(texts)


def test_map_and_list_say_the_same(web, chromium, entered):
    browser = Watched(chromium, web[0], state=entered)
    browser.open(PAGES["list"])
    listed = _counts(browser.page, ".filters .chip")
    browser.open(PAGES["map"])
    browser.page.wait_for_timeout(500)
    assert _counts(browser.page, "#in-view [data-state]") == listed
    browser.context.close()


def test_light_is_chosen_by_keyboard_and_its_address_opens_the_same(web, chromium, entered):
    browser = Watched(chromium, web[0], state=entered)
    page = browser.page
    browser.open(PAGES["map"])
    page.wait_for_timeout(500)
    page.locator(".named a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel article")
    chosen = page.locator("#panel article").get_attribute("data-id")
    assert f"light={chosen}" in page.url
    other = browser.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#map[data-ready]")
    assert other.locator("#panel article").get_attribute("data-id") == chosen
    assert other.url == page.url
    other.set_viewport_size({"width": 360, "height": 740})
    assert other.locator("#panel article").bounding_box()["y"] < 740 / 2  # on a telephone its figures are in sight
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden() and "light=" not in page.url
    other.click("#close")
    assert other.locator("#panel").is_hidden() and "light=" not in other.url
    browser.context.close()


def test_figures_of_a_light_do_not_wait_for_a_list_that_is_slow(web, chromium, entered):
    browser = Watched(chromium, web[0], state=entered)
    page = browser.page
    browser.open(PAGES["map"])
    page.wait_for_selector(".named a[data-light]")
    held = []
    page.route("**/map/in-view?*", lambda route: held.append(route))
    page.focus("#map")
    page.keyboard.press("+")
    while not held:
        page.wait_for_timeout(100)
    page.locator(".named a[data-light]").first.press("Enter")
    page.wait_for_selector("#panel article")
    browser.context.close()


def test_room_is_chosen_on_the_map_by_keyboard_and_layers_are_put_away(web, chromium, entered):
    browser = Watched(chromium, web[0], state=entered)
    page = browser.page
    browser.open(PAGES["map"])
    sync_api.expect(page.locator(".space").first).to_be_visible()
    page.locator('.named a[data-space="room/ecole-2"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_selector('#panel [data-space="room/ecole-2"]')
    assert "room=ecole-2" in page.url and page.locator(".space.chosen").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden() and "room=" not in page.url and not page.locator(".space.chosen").count()
    page.locator(".space").first.focus()  # a mark that stands for several shows them, and one of these opens
    for _ in range(2):
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
    page.wait_for_selector("#panel article")
    page.click("#layer-rooms")
    sync_api.expect(page.locator('.named a[data-space^="room/"]')).to_have_count(0)
    assert "layer=greens" in page.url
    other = browser.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#map[data-ready]")
    sync_api.expect(other.locator(".space .gauge:is(.cold, .warm, .warming)")).to_have_count(0)
    browser.context.close()


def test_fault_that_begins_is_seen_without_a_reload(web, chromium, entered):
    origin, warehouse, _ = web
    browser = Watched(chromium, origin, state=entered)
    page = browser.page
    browser.open(f"/{INSEE}/map?state=fault")
    page.wait_for_timeout(500)
    before = page.locator(".named a").count()
    with closing(schema.open_to_write(warehouse)) as connection:
        taken = {node for (node,) in connection.execute("SELECT node FROM faults")}
        node = next(node for (node,) in connection.execute(
            "SELECT node FROM equipment WHERE kind = 'light' ORDER BY id") if node not in taken)  # fmt: skip
        screens_world.fail(connection, node, int(time.time()) - 5)
    sync_api.expect(page.locator(".named a")).to_have_count(before + 1, timeout=15_000)
    browser.context.close()


def test_focus_stays_where_it_was_when_rows_change(web, chromium, entered):
    origin, warehouse, _ = web
    browser = Watched(chromium, origin, state=entered)
    page = browser.page
    browser.open(PAGES["list"])
    page.wait_for_timeout(500)
    page.locator("tbody th a").nth(2).focus()
    focused = page.evaluate("document.activeElement.id")
    with closing(schema.open_to_write(warehouse)) as connection:
        connection.execute("UPDATE latest SET power_dw = 11 WHERE level_percent = 0")
    sync_api.expect(page.locator("tbody .figure", has_text="1,1 W").first).to_be_visible(timeout=15_000)
    assert focused and page.evaluate("document.activeElement.id") == focused
    assert page.locator("#lost").is_hidden()
    browser.context.close()


def test_screen_that_is_frozen_says_so(web, chromium, entered):
    browser = Watched(chromium, web[0], state=entered)
    away = "window.EventSource = class { constructor() { setTimeout(() => this.onerror(), 50); } close() {} }"
    browser.page.add_init_script(away)  # as a server that is gone
    browser.open(PAGES["map"])
    sync_api.expect(browser.page.locator("#lost")).to_be_visible(timeout=20_000)
    _keep(browser.page, "map-lost")
    browser.context.close()
