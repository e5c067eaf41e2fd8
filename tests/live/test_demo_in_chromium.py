"""A newcomer plays with the town in Debian's Chromium: the bar, a fault, from a tap to measured watts, the night again.

Pictures are kept where BOCAGE_PICTURES names a folder, to be looked at.
"""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.support.broker import free_port

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

CHROMIUM = shutil.which("chromium")
SIZES = {"phone": (360, 740), "desk": (1920, 1080), "readme": (1280, 720)}
pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def address():
    """Where a running demonstration lets one browser in."""
    words = ["demo", "--no-browser", "--port", str(free_port()), "--rooms", "4"]
    with subprocess.Popen([sys.executable, "-m", "tools", *words], stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def map_share(page):
    """Returns which part of a telephone's height shows the map, in per cent."""
    return page.evaluate("""() => {
      const map = document.querySelector(".ground").getBoundingClientRect();
      const below = document.querySelector(".demo-foot").getBoundingClientRect().top;
      return 100 * (Math.min(map.bottom, below) - map.top) / innerHeight;
    }""")


@pytest.fixture(scope="module")
def entered(address, chromium):
    """The session of the browser that was let in, on a telephone, and has pressed the button that lets time go on."""
    context = chromium.new_context(locale="fr-FR", viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".demo-welcome")
    page.wait_for_selector("#demo-pause[aria-pressed=true]", state="attached", timeout=120_000)  # time waits
    shares = [map_share(page)]
    keep(page, "welcome-phone")
    page.click("#demo-begin")  # a word of welcome, once
    page.wait_for_selector(".demo-welcome", state="detached")
    page.reload()
    page.wait_for_selector("aside.demo")
    assert page.locator(".demo-welcome").count() == 0
    session = {
        "state": context.storage_state(),
        "origin": "{0.scheme}://{0.netloc}".format(urlsplit(address)),
        "shares": [*shares, map_share(page)],
    }
    context.close()
    return session


@pytest.fixture
def opened(entered, chromium):
    """Opens a page of the demonstration; at the end nothing was asked of another host, and the console is empty."""
    origin = entered["origin"]
    contexts, asked, said = [], [], []

    def open_page(path="/49135/map", size="desk", theme="dark", language="fr"):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=language, color_scheme=theme,
            storage_state=entered["state"], has_touch=size == "phone", reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append((line.text, line.location)) if line.type == "error" else None)
        page.goto(origin + path)
        page.wait_for_selector("aside.demo")
        return page

    yield open_page
    # What a closing page leaves unanswered is no fault of it: it is judged before.
    foreign, faults = [url for url in asked if not url.startswith(origin)], list(said)
    for context in contexts:
        context.close()
    assert foreign == []
    assert faults == []


def keep(page, name):
    folder = os.environ.get("BOCAGE_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder, f"demo-{name}.png")))


def keep_for_readme(page, name):
    """Keeps what `make pictures` puts into README.md: a screen of the centre, on a telephone without the bar."""
    folder = os.environ.get("BOCAGE_PICTURES")
    if folder:
        page.evaluate("innerWidth > 900 || (document.querySelector('.demo-foot').hidden = true)")
        page.evaluate("scrollTo(0, 0)")
        Path(folder, "readme").mkdir(exist_ok=True)
        page.screenshot(path=str(Path(folder, "readme", f"{name}.png")))


def assert_sound(page):
    serious = [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in axe.Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def become(page, role, entered):
    """Becomes another person, which begins another session, beside the former one."""
    page.click(".demo-menu summary")
    with page.expect_navigation():
        page.click(f"button[value={role}]")
    page.wait_for_selector("aside.demo")
    entered["state"] = page.context.storage_state()


def test_on_a_telephone_the_map_keeps_three_fifths_of_the_height(entered):
    assert min(entered["shares"]) >= 59.9


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_the_bar_and_its_drawer_are_sound(opened, size, theme):
    page = opened(size=size, theme=theme)
    if size == "phone":
        page.click(".demo-fold summary")
    keep(page, f"bar-{size}-{theme}")
    assert_sound(page)
    page.click("#demo-break")
    page.wait_for_selector("#demo-target")
    assert page.locator("#demo-close").bounding_box()["y"] >= 0  # also above the phone's unfolded controls
    keep(page, f"drawer-{size}-{theme}")
    assert_sound(page)


def test_lamps_light_up_street_by_street_and_a_dead_one_is_seen(opened):
    page = opened(size="readme")
    page.wait_for_selector("#view-lit", timeout=60_000)
    page.wait_for_selector("#view-pending", state="detached", timeout=60_000)  # all have been measured
    keep_for_readme(page, "dusk")
    page.click("#demo-break")
    page.select_option("#demo-kind", "lamp")
    page.wait_for_selector("#demo-target option:has-text('Feneu, place du Bourg')", state="attached")
    feneu = page.locator("#demo-target option:has-text('Feneu, place du Bourg')").first.get_attribute("value")
    page.select_option("#demo-target", feneu)
    page.click(".demo-sheet .danger")
    page.click("#demo-600")
    page.wait_for_selector(".demo-seen", timeout=60_000)
    page.wait_for_selector("#in-view .mark.fault", timeout=60_000)
    keep(page, "fault")
    page.click(".demo-struck button")
    page.wait_for_selector(".demo-struck", state="detached")


def test_a_technician_repairs_a_lamp_and_its_own_watts_close_it(opened):
    desk, phone = opened(), opened("/49135/round", size="phone")
    desk.click("#demo-dusk")
    desk.wait_for_selector("[name=speed][aria-pressed=true]", timeout=120_000)  # dusk is reached
    desk.click("#demo-60")
    desk.click("#demo-break")
    desk.select_option("#demo-kind", "lamp")
    target = "#demo-target option:has-text('Feneu, ')"
    desk.wait_for_selector("#demo-kind [value=lamp][selected]", state="attached")
    light = desk.locator(target).nth(10)
    number = light.inner_text().split()[-1]
    desk.select_option("#demo-target", light.get_attribute("value"))
    desk.click("#demo-strike")
    desk.click("#demo-600")
    desk.wait_for_selector(f".demo-struck li:has-text('{number}') .demo-seen", timeout=60_000)
    desk.click("#demo-60")
    phone.reload()
    phone.click(f".walk a:has-text('{number}')")
    keep(phone, "round")
    assert_sound(phone)
    for path, name in (("faults", "faults"), (f"lights/{number}", "light")):
        other = opened(f"/49135/{path}", size="phone", theme="light" if name == "faults" else "dark")
        keep_for_readme(other, name)
    sizes = phone.eval_on_selector_all(".stop :is(a, button, summary)", "all => all.map((one) => one.offsetHeight)")
    assert min(size for size in sizes if size) >= 48
    phone.click("#done")
    phone.wait_for_selector(".stop .mark.pending")
    keep_for_readme(phone, "round")
    desk.click(f".demo-struck li:has-text('{number}') button")
    desk.click("#demo-600")
    phone.wait_for_selector(".stop .mark.repaired", timeout=60_000)  # pushed: nothing was pressed
    keep(phone, "round-repaired")
    assert_sound(phone)
    desk.click("#demo-60")


def test_a_press_while_the_clock_is_asked_leaves_the_bar_whole(opened):
    page = opened()
    held = []
    page.route("**/demo/bar?*", lambda route: held.append(route))
    while not held:
        page.wait_for_timeout(100)
    other = "#demo-1" if page.get_attribute("#demo-1", "aria-pressed") == "false" else "#demo-60"
    page.click(other)
    page.wait_for_selector(f"{other}[aria-pressed=true]")
    page.unroute("**/demo/bar?*")
    for asked in held:
        with suppress(sync_api.Error):  # given up, for the bar that asked is gone
            asked.continue_()
    page.wait_for_timeout(1500)
    assert page.is_visible(".demo-now")


def test_the_drawer_outlives_what_is_chosen_and_struck_in_it(opened):
    page = opened()
    page.click("#demo-break")
    for kind, where in (("lamp", "Feneu"), ("contactor", "Béhuard"), ("lamp", "Feneu")):
        page.select_option("#demo-kind", kind)
        page.wait_for_selector(f"#demo-kind [value={kind}][selected]", state="attached")
        page.wait_for_selector(f"#demo-target option:first-child:has-text('{where}')", state="attached")
    page.click("#demo-strike")
    page.wait_for_selector(".demo-struck li")
    page.select_option("#demo-kind", "contactor")
    page.wait_for_selector("#demo-target option:has-text('Béhuard')", state="attached")
    page.click("button.person")
    assert not page.is_visible("text=Quitter")
    page.click("button.person")
    page.click(".demo-menu summary")
    keep(page, "menu")
    page.click("button[value=mayor]", trial=True)  # the drawer does not cover it
    page.keyboard.press("Escape")
    assert not page.is_visible("button[value=mayor]")
    page.click(".demo-struck button")
    page.wait_for_selector(".demo-struck", state="detached")
    page.click("#demo-close")
    page.wait_for_selector(".demo-sheet", state="detached")
    page.click("#demo-break")
    page.wait_for_selector(".demo-sheet:not(.htmx-added) #demo-target")  # htmx has bound it
    page.keyboard.press("Escape")
    page.wait_for_selector(".demo-sheet", state="detached")


def test_the_night_is_played_again(opened):
    page = opened()
    page.click("text=Rejouer la nuit")
    page.wait_for_selector("text=Revenir au présent")
    assert page.locator("#demo-break").count() == 0
    if page.locator("#demo-max").count():  # the evening may be over by now
        page.click("#demo-max")
    page.wait_for_selector("text=les enregistrements s’arrêtent ici", timeout=60_000)
    page.wait_for_selector("#demo-max", state="detached")
    keep(page, "over")
    page.focus("#demo-at")
    page.keyboard.press("Home")
    page.wait_for_selector("#demo-max")
    assert "les enregistrements s’arrêtent ici" not in page.inner_text(".demo-now")
    assert page.evaluate("document.activeElement.id") == "demo-at"
    page.reload()
    page.click("text=Revenir au présent")
    page.wait_for_selector("#demo-break")


def test_what_a_page_had_under_way_takes_nothing_from_the_next_role(opened, entered):
    page = opened()
    former = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    become(page, "technician", entered)
    with urlopen(Request(f"{entered['origin']}/demo/bar", headers={"Cookie": former})) as answer:
        assert answer.url.endswith("/demo/bar") and "bocage=" not in str(answer.headers)
    become(page, "operator", entered)


def test_the_report_asks_first_and_its_verdict_comes_before_its_figures(opened):
    page = opened(size="readme")
    page.click("#demo-report")
    page.click("text=Tout réparer et juger")
    page.wait_for_selector("summary:has-text('Tous les chiffres')", timeout=120_000)
    keep(page, "report")
    assert_sound(page)
    assert not page.is_visible(".demo-report")


def test_an_operator_lights_a_feeder_by_one_signature_and_gives_it_back(opened):
    page = opened("/49028/orders/give/light?where=feeder:bourg")
    page.click("#demo-1")  # half an hour of light would be over in three seconds of ×600
    page.wait_for_selector("#demo-1[aria-pressed=true]")
    page.click("[data-do=prepare]")
    page.click("#demo-enrol button")
    page.wait_for_selector("#words:visible")  # the page that one came from
    keep(page, "give")
    assert_sound(page)
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("text=1 sur 1 départ,", timeout=60_000)
    keep(page, "order")
    assert_sound(page)
    page.click("text=Revenir au plan")
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("text=Terminé par 1 armoire", timeout=60_000)


def test_an_operator_lights_lamps_with_nodes_by_the_same_key_and_their_watts_are_measured(opened):
    page = opened("/49135/orders/give/light")
    page.click("[data-do=prepare]")
    page.click("#demo-enrol button")
    page.wait_for_selector("[data-stage=choose]:not([hidden])")
    keep(page, "give-feneu")
    page.click("button[data-reason] >> nth=0")
    page.click("[data-stage=confirm] [data-do=sign]")
    page.click("#demo-60")  # by night a lamp that was dimmed is steady, and sampled, after two minutes
    page.wait_for_selector("text=2 sur 2 départs", timeout=60_000)
    page.click("#demo-1")
    keep(page, "order-feneu")
    assert_sound(page)


def test_a_mayor_lights_the_village_by_two_touches(opened, entered):
    page = opened(size="phone")
    page.click(".demo-fold summary")
    page.click("#demo-1")
    page.wait_for_selector("#demo-1[aria-pressed=true]", state="attached")
    assert not page.is_visible("#demo-1")  # the controls fold again
    become(page, "mayor", entered)
    page.click("[data-do=prepare]")
    page.click("#demo-enrol button")
    page.click("button[data-reason] >> nth=0")
    page.click("[data-stage=confirm] [data-do=sign]")
    page.wait_for_selector("text=3 sur 3 départs", timeout=60_000)
    keep(page, "mayor")
    keep_for_readme(page, "mayor")


# A page is seen in both sizes and both languages; its themes are those of every second page.
LOOKS = [
    [("phone", "fr", "light"), ("desk", "en", "dark")],
    [("phone", "en", "dark"), ("desk", "fr", "light")],
]


@pytest.mark.parametrize("role", ["operator", "technician", "heating", "watering", "mayor", "dpo"])
def test_each_screen_of_a_role_is_sound_on_phone_and_desk_in_both_languages(role, opened, entered):
    page = opened("/")
    become(page, role, entered)
    first = urlsplit(page.url).path
    if role == "dpo":
        tabs = ["/privacy/journal"]
    else:
        page.goto(f"{entered['origin']}/49028/orders")
        tabs = page.eval_on_selector_all("nav.tabs a, main a.button", "all => all.map((one) => one.pathname)")
        assert len(tabs) > 5
    for number, path in enumerate(dict.fromkeys((first, *tabs))):
        for size, language, theme in LOOKS[number % 2]:
            page = opened(path, size, theme, language)
            assert page.get_attribute("html", "lang") == language
            if path.endswith("/map"):
                page.wait_for_selector("#map[data-ready]")
            keep(page, f"{role}-{path.replace('/', '-')}-{size}-{language}-{theme}")
            assert_sound(page)
            page.context.close()
