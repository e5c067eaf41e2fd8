"""`bocage demo` as a newcomer has it: its address opens a page, and what is broken there is seen there."""

import re
import subprocess
import sys
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.support.broker import free_port, until

pytestmark = [pytest.mark.live, pytest.mark.slow]


class Browser:
    """Holds the cookies of one browser. `post` fills the token of the last form in."""

    def __init__(self):
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self._form = ""

    def get(self, address):
        with self._opener.open(address, timeout=60) as answer:
            page = answer.read().decode()
        found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)
        self._form = found[1] if found else self._form
        return page

    def post(self, address, **fields):
        data = urlencode({"csrfmiddlewaretoken": self._form, **fields}).encode()
        with self._opener.open(address, data, timeout=120) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def demo():
    """(address with its token, the pages' origin, the lines that follow) of a running demonstration."""
    port = free_port()
    words = ["demo", "--no-browser", "--port", str(port), "--lamps", "30", "--rooms", "3", "--greens", "3"]
    command = [sys.executable, "-m", "tools", *words, "--lang", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        line = process.stdout.readline()
        yield line.split()[-1], f"http://127.0.0.1:{port}", process.stdout
        process.terminate()
        assert process.wait(60) == 130


@pytest.fixture(scope="module")
def browser(demo):
    """A browser that has entered by the address that was printed."""
    entered = Browser()
    entered.first = entered.get(demo[0])
    return entered


def hurry(browser, origin):
    """Lets time pass as fast as it goes."""
    browser.get(f"{origin}/demo/bar")
    browser.post(f"{origin}/demo/time", speed="max")


def test_the_first_page_names_streets_and_whom_one_is(demo, browser):
    assert "Grande Rue" in browser.get(f"{demo[1]}/49135/lights")
    assert "Camille Renou" in browser.first


def test_a_token_serves_once_and_the_next_is_printed(demo, browser):
    with pytest.raises(HTTPError) as refused:
        Browser().get(demo[0])
    assert refused.value.code == 403 and "has written another one" in refused.value.read().decode()
    end, following = (demo[2].readline() for _ in range(2))
    assert "Ctrl-C" in end
    assert "Camille Renou" in Browser().get(following.split()[-1])


def test_a_fault_that_is_struck_is_seen_on_the_page(demo, browser):
    origin = demo[1]
    drawer = browser.get(f"{origin}/demo/drawer?kind=lamp")
    target = re.search('<option value="([0-9a-f]{16})">Feneu', drawer)[1]
    browser.get(f"{origin}/demo/bar")
    browser.post(f"{origin}/demo/time", dusk=1)
    browser.post(f"{origin}/demo/time", speed="max")
    browser.post(f"{origin}/demo/act", do="strike", kind="lamp", target=target)
    until(lambda: "demo-seen" in browser.get(f"{origin}/demo/struck"), "the lamp is reported")
    browser.post(f"{origin}/demo/time", pause=1)
    assert "fault" in browser.get(f"{origin}/49135/lights?state=fault").split('id="rows"')[1].split("<tbody")[1]


def test_of_a_cabinet_without_mains_the_drawer_tells_what_the_screens_show_and_whom_an_sms_would_have_reached(
    demo, browser
):
    origin = demo[1]
    drawer = browser.get(f"{origin}/demo/drawer?kind=power")
    target = re.search(r'<option value="(\d+)">Feneu', drawer)[1]
    hurry(browser, origin)
    browser.post(f"{origin}/demo/act", do="strike", kind="power", target=target)
    until(lambda: "mark unknown" in browser.get(f"{origin}/demo/struck"), "its lamps are silent")
    shown = browser.get(f"{origin}/demo/struck")
    browser.post(f"{origin}/demo/time", pause=1)
    assert "mark alone" in shown and "demo-sent" in shown and "Camille Renou" in shown


def test_a_technician_begins_with_the_round(demo, browser):
    origin = demo[1]
    browser.get(f"{origin}/demo/bar")
    assert "Feneu, la tournée" in browser.post(f"{origin}/demo/role", role="technician")


def test_a_mayor_sees_their_commune_only(demo, browser):
    origin = demo[1]
    browser.get(f"{origin}/demo/bar")
    assert "Béhuard" in browser.post(f"{origin}/demo/role", role="mayor")
    with pytest.raises(HTTPError) as refused:
        browser.get(f"{origin}/49007/lights")
    assert refused.value.code == 404


def test_nonsense_is_refused(demo, browser):
    origin = demo[1]
    browser.get(f"{origin}/demo/bar")
    for address, fields in (
        ("time", {"speed": "9e99"}),
        ("act", {"do": "strike", "kind": "volcano", "target": ""}),
        ("act", {"do": "mend"}),
        ("role", {"role": "root"}),
        ("enrol", {"block": "[[operator]]\nname = 1\nkey = '00'"}),
        ("enrol", {"block": "no lines of a policy"}),
    ):
        with pytest.raises(HTTPError) as refused:
            browser.post(f"{origin}/demo/{address}", **fields)
        assert refused.value.code == 400


def test_the_night_is_played_again_and_the_present_comes_back(demo, browser):
    origin = demo[1]
    bar = browser.get(f"{origin}/demo/bar")
    assert "demo-menu" in bar
    browser.post(f"{origin}/demo/replay")
    bar = browser.get(f"{origin}/demo/bar")
    assert "demo-menu" not in bar and "Revenir au présent" in bar
    with pytest.raises(HTTPError) as refused:
        browser.get(f"{origin}/demo/drawer")
    assert refused.value.code == 404
    assert "Béhuard" in browser.get(f"{origin}/49028/map")
    browser.post(f"{origin}/demo/replay")
    assert "demo-menu" in browser.get(f"{origin}/demo/bar")


def test_the_report_at_the_end_is_the_checkers_judgement(demo, browser):
    origin = demo[1]
    asked = browser.get(f"{origin}/demo/report")
    assert "demo-report" not in asked  # nothing is mended before one is told of it
    text = browser.post(f"{origin}/demo/report")
    assert "demo-report" in text and "n’est perdu ni compté deux fois" in text
    told = text.split("Feneu, Armoire", 1)[1].split("<li>")[0]
    assert re.search(r"de \d\d:\d\d à \d\d:\d\d", told) and "sans courant" in told and "plus rien n’était reçu" in told
