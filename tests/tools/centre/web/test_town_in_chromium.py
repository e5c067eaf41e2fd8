"""A person lights a commune from a telephone's browser: the key, the bytes, two touches, the watts; in Debian's
Chromium, with the gateway's own core at the other end, in virtual time."""

import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from policy import document
from tests.support import lit_world, order_vectors
from tests.support.broker import free_port, until
from tests.support.joined_world import Joined
from tests.support.web_process import PASSWORD
from tools.centre.control import orders, outbox
from wire import cose

pytestmark = pytest.mark.services
INSEE = lit_world.INSEE
PHONE = {"width": 360, "height": 760}


class Town:
    """The centre and one cabinet in virtual time, and the screens as a process."""

    def __init__(self, folder):
        self.folder = folder
        self.joined = Joined(folder / "control.db", start_s=lit_world.AFTERNOON_S)
        self.joined.publish(lit_world.policy())
        self.joined.live(40)
        self.outbox = outbox.Outbox(str(folder / "web.sqlite3.outbox"), str(folder / "control.db"), self._log)
        self.logged = []
        self.live(0)
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        words = ["-m", "tests.support.web_process", str(folder), str(self.port)]
        self.process = subprocess.Popen([sys.executable, *words])
        until(self._answers, 60)

    def _log(self, what, **more):
        self.logged.append((what, more))

    def _answers(self):
        try:
            return urllib.request.urlopen(f"{self.origin}/login", timeout=2).status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def live(self, seconds):
        """The daemon fetches what was signed, and time passes for the cabinet."""
        self.outbox.fetch(now_s=self.joined.gateway.unix_s)
        self.joined.live(seconds)
        partial = self.folder / "now.partial"
        partial.write_text(str(self.joined.gateway.unix_s))
        partial.replace(self.folder / "now")

    def enrol(self, public):
        """The commune's policy names the key that the page has shown, and the cabinet has it."""
        named = document.Operator(public, "Mme Martin, maire", document.LIGHT, 0)
        self.joined.publish(lit_world.policy(2, operators=(*lit_world.OPERATORS, named)))
        self.live(70)

    def close(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    made = Town(tmp_path_factory.mktemp("town"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(town, chromium):
    """A telephone of 360 px in French, logged in; every request that leaves this machine is a fault."""
    context = chromium.new_context(viewport=PHONE, locale="fr-FR", device_scale_factor=2, has_touch=True)
    opened = context.new_page()
    outside = []
    opened.on("request", lambda request: request.url.startswith(town.origin) or outside.append(request.url))
    errors = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"{town.origin}/login?next=/{INSEE}/town")
    opened.fill("#who", "two")
    opened.fill("#password", PASSWORD)
    opened.press("#password", "Enter")
    opened.wait_for_selector("#light")
    yield opened
    assert outside == [] and errors == []
    context.close()


def test_the_script_makes_the_bytes_of_the_wire(page):
    made = page.evaluate(
        """async (vectors) => {
            const order = await import("/static/web/order.js");
            const pkcs8 = order.unhex("302e020100300506032b657004220420" + vectors.seed);
            const key = {private: await crypto.subtle.importKey("pkcs8", pkcs8, {name: "Ed25519"}, false, ["sign"])};
            const kid = await order.kidOf(order.unhex(vectors.public));
            return Promise.all(vectors.orders.map(async ({fields}) => {
                const ends = fields.ends && order.unhex(fields.ends);
                const payload = order.payloadOf({...fields, id: order.unhex(fields.id), ends});
                const signed = await order.signed(payload, kid, order.signerOf(key));
                const {format, level, ...read} = order.orderIn(payload);
                read.id = order.hex(read.id);
                read.ends = read.ends && order.hex(read.ends);
                return {fields: read, payload: order.hex(payload), signed: order.hex(signed)};
            }));
        }""",
        order_vectors.vectors(),
    )
    assert made == order_vectors.vectors()["orders"]


def test_words_are_made_from_exactly_the_bytes_that_are_signed(page):
    """Bytes that are read otherwise than they are written are refused: one of each byte of an order is changed."""
    read = """async (payloads) => {
        const order = await import("/static/web/order.js");
        return payloads.map((one) => {
            try { const read = order.orderIn(order.unhex(one)); return order.hex(order.payloadOf(read)); }
            catch { return null; }
        });
    }"""
    payload = bytes.fromhex(order_vectors.vectors()["orders"][1]["payload"])
    flips = [(at, bit) for at in range(len(payload)) for bit in (1, 32, 128)]
    changed = [payload[:at] + bytes([payload[at] ^ bit]) + payload[at + 1 :] for at, bit in flips]
    changed += [payload + b"\\0", payload[:-1], b"", b"\\xff" * 40]
    for given, found in zip(changed, page.evaluate(read, [one.hex() for one in changed]), strict=True):
        assert found in (None, given.hex())


def test_from_two_touches_to_measured_watts(page, town, tmp_path):
    page.click("[data-do=prepare]")
    page.wait_for_selector("#block:visible")
    block = page.inner_text("#block")
    public = bytes.fromhex(block.split('key = "')[1][:64])
    assert 'rights = ["light"]' in block and 'name = "two"' in block
    assert page.inner_text("#fingerprint").replace(" ", "") == cose.kid_of(public).hex()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-do=share]")
    page.wait_for_selector("[data-do=share]:has-text('Copié')")
    assert page.evaluate("navigator.clipboard.readText()") == block
    page.screenshot(path=tmp_path / "waiting.png", full_page=True)
    town.enrol(public)
    page.reload()
    page.wait_for_selector("[data-reason]:visible")
    page.screenshot(path=tmp_path / "ready.png", full_page=True)
    page.click("text=recherche d'une personne")  # one
    page.wait_for_selector("#words:visible")
    said = page.inner_text("#words")
    assert said.startswith("Je signe : tout ") and "Motif : recherche d'une personne. Mme Martin, maire." in said
    assert orders.latest(town.joined.people, 9) == []
    page.screenshot(path=tmp_path / "words.png", full_page=True)
    page.click("[data-do=sign]:visible")  # two
    page.wait_for_selector(".steps")
    assert page.inner_text(".steps") == "Signé"
    town.live(12)
    page.wait_for_selector(".steps:has-text('Constaté 2 sur 2 départs, 0,6 kW')")
    assert town.joined.gateway.closed == [True, True]
    page.screenshot(path=tmp_path / "measured.png", full_page=True)
    page.click("text=Rendre à la politique")
    page.wait_for_selector("#words:visible")
    assert page.inner_text("#words").startswith("Je signe : fin de cet éclairage")
    page.click("[data-do=sign]:visible")
    page.wait_for_selector(".order h3:has-text('Retour à la politique')")
    town.live(12)
    page.wait_for_selector("text=Terminé par 1 armoire")
    assert town.joined.gateway.closed == [False, False]
    page.screenshot(path=tmp_path / "ended.png", full_page=True)


def test_the_key_never_leaves_the_browser(page):
    refused = page.evaluate(
        """async () => {
            const order = await import("/static/web/order.js");
            const key = await order.makeKey();
            const forms = ["pkcs8", "jwk", "raw"];
            const refused = (form) => crypto.subtle.exportKey(form, key.private).then(() => "", (fault) => fault.name);
            return Promise.all(forms.map(refused));
        }"""
    )
    assert all(refused)


def test_what_does_not_arrive_is_sent_again_and_counts_once(page, town):
    before = len(orders.latest(town.joined.people, 99))
    page.route("**/town/sign", lambda route: route.abort())
    page.click("[data-reason='accident']")
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("#why:visible")
    page.unroute("**/town/sign")
    page.click("[data-stage=failed] [data-do=sign]")
    page.wait_for_selector("[data-stage=ready]:visible")
    town.live(3)
    assert len(orders.latest(town.joined.people, 99)) == before + 1


def test_the_keyboard_alone_lights_and_ends(page, town):
    page.reload()
    page.wait_for_selector("[data-reason]:visible")
    page.focus("[name=lasts]:checked")
    for key in ("ArrowRight", "Tab", "Tab", "Enter"):  # 2 h, where, why
        page.keyboard.press(key)
    page.wait_for_selector("#words:visible")
    assert "(2 h)" in page.inner_text("#words") and "accident" in page.inner_text("#words")
    page.keyboard.press("Enter")  # the focus is on what signs
    page.wait_for_selector("[data-stage=ready]:visible")
    town.live(12)
    page.wait_for_selector(".order:first-of-type:has-text('Constaté 2 sur 2')")


def test_the_hour_that_waits_to_be_signed_runs_from_now(page, town):
    page.reload()
    page.click("[data-reason='accident']")
    page.wait_for_selector("#words:visible")
    before = page.inner_text("#words")
    town.live(600)
    page.wait_for_function("before => document.getElementById('words').textContent !== before", arg=before)
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("[data-stage=ready]:visible")
    town.live(3)
    signed = orders.latest(town.joined.people, 1)[0].command
    assert 0 <= town.joined.gateway.unix_s - signed.not_before_s < 60
    assert signed.expires_s - signed.not_before_s == 3600


def test_the_menu_of_the_person_is_left_by_escape_and_by_a_touch_elsewhere(page, town):
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(20, 700)):
        page.click("button.person")
        page.wait_for_selector("#person:visible")
        leave()
        page.wait_for_selector("#person", state="hidden")


def test_a_month_prints_on_one_page(page, town):
    page.goto(f"{town.origin}/{INSEE}/month")
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1
    assert "recherche d'une personne" in page.inner_text("main")


@pytest.mark.parametrize("screen", ["town", "month"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1920])
def test_it_fits_and_has_no_serious_fault_of_access(page, town, theme, width, screen):
    page.goto(f"{town.origin}/{INSEE}/{screen}")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=town.folder / f"{screen}-{theme}-{width}.png", full_page=True)
    found = axe.run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
