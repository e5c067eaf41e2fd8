"""A person lights a commune from a telephone's browser: the key, the bytes, two touches, the watts; in Debian's
Chromium, with the gateway's own core at the other end, in virtual time."""

import re
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
from wire import command, cose

pytestmark = pytest.mark.services
INSEE = lit_world.INSEE
AN_ORDER = re.compile("/orders/[0-9a-f]{16}$")
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
        self.named = []
        self.live(0)
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        words = ["-m", "tests.support.web_process", str(self.folder), str(self.port)]
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

    def enrol(self, public, name="Mme Martin, maire", right=document.LIGHT):
        """The commune's policy names the key that the page has shown, and the cabinet has it."""
        self.named.append(document.Operator(public, name, right, 0))
        version = 1 + len(self.named)
        self.joined.publish(lit_world.policy(version, operators=(*lit_world.OPERATORS, *self.named)))
        self.live(70)

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.outbox.close()


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
    outside, errors = [], []
    context.on("request", lambda request: request.url.startswith(town.origin) or outside.append(request.url))
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield _entered(context, town, "two")
    assert outside == [] and errors == []
    context.close()


def _entered(context, town, person):
    """A page of somebody who has come in."""
    opened = context.new_page()
    opened.goto(f"{town.origin}/login?next=/{INSEE}/town")
    opened.fill("#who", person)
    opened.fill("#password", PASSWORD)
    opened.press("#password", "Enter")
    opened.wait_for_selector("#give")
    return opened


def test_the_script_makes_the_bytes_of_the_wire(page):
    made = page.evaluate(
        """async (vectors) => {
            const order = await import("/static/web/order.js");
            const pkcs8 = order.unhex("302e020100300506032b657004220420" + vectors.seed);
            const key = {private: await crypto.subtle.importKey("pkcs8", pkcs8, {name: "Ed25519"}, false, ["sign"])};
            const kid = await order.kidOf(order.unhex(vectors.public));
            return Promise.all(vectors.orders.map(async ({fields}) => {
                const ends = fields.ends && order.unhex(fields.ends);
                const values = fields.values && new Map(fields.values);
                const payload = order.payloadOf({...fields, id: order.unhex(fields.id), ends, values});
                const signed = await order.signed(payload, kid, order.signerOf(key));
                const {format, ...read} = order.orderIn(payload);
                read.id = order.hex(read.id);
                read.ends = read.ends && order.hex(read.ends);
                read.values = read.values && [...read.values];
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
    page.wait_for_selector("[data-do=share]:visible")
    assert not page.is_visible("#block")
    page.click("text=Ce que contient la demande")
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
    page.click("text=recherche d’une personne")  # one
    page.wait_for_selector("#words:visible")
    said = page.inner_text("#words")
    assert said.startswith("Je signe : allumer tout ")
    assert "Motif : recherche d’une personne. Mme Martin, maire." in said
    assert "Sont concernés" in page.inner_text("#give")
    assert orders.latest(town.joined.people, 9) == []
    page.screenshot(path=tmp_path / "words.png", full_page=True)
    page.click("[data-do=sign]:visible")  # two
    page.wait_for_selector(".steps")
    assert page.inner_text(".steps") == "Signé"
    town.live(12)
    page.wait_for_selector(".steps:has-text('Constaté 2 sur 2 départs, 0,6 kW')")
    assert town.joined.gateway.closed == [True, True]
    page.screenshot(path=tmp_path / "measured.png", full_page=True)
    page.click("text=Revenir au plan")
    page.wait_for_selector("#words:visible")
    assert page.inner_text("#words").startswith("Je signe : retour au plan")
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("text=rendu au plan par Mme Martin, maire")
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
    page.goto(f"{town.origin}/{INSEE}/town")
    before = len(orders.latest(town.joined.people, 99))
    page.route("**/orders/sign", lambda route: route.abort())
    page.click("[data-reason='accident']")
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("#why:visible")
    page.unroute("**/orders/sign")
    page.click("[data-stage=failed] [data-do=sign]")
    page.wait_for_url(AN_ORDER)
    town.live(3)
    assert len(orders.latest(town.joined.people, 99)) == before + 1


def test_the_keyboard_alone_lights(page, town):
    page.goto(f"{town.origin}/{INSEE}/town")
    page.wait_for_selector("[data-reason]:visible")
    page.focus("[name=time]:checked")
    for key in ("ArrowRight", "Tab", "Enter"):  # 2 h, why
        page.keyboard.press(key)
    page.wait_for_selector("#words:visible")
    assert "(2 h)" in page.inner_text("#words") and "accident" in page.inner_text("#words")
    page.keyboard.press("Enter")  # the focus is on what signs
    page.wait_for_url(AN_ORDER)
    town.live(12)
    page.wait_for_selector(".order:has-text('Constaté 2 sur 2')")


def test_the_hour_that_waits_to_be_signed_runs_from_now(page, town):
    page.goto(f"{town.origin}/{INSEE}/town")
    page.click("[data-reason='accident']")
    page.wait_for_selector("#words:visible")
    before = page.inner_text("#words")
    town.live(600)
    page.wait_for_function("before => document.getElementById('words').textContent !== before", arg=before)
    page.click("[data-do=sign]:visible")
    page.wait_for_url(AN_ORDER)
    town.live(3)
    signed = orders.latest(town.joined.people, 1)[0].command
    assert 0 <= town.joined.gateway.unix_s - signed.not_before_s < 60
    assert signed.expires_s - signed.not_before_s == 3600


@pytest.fixture(scope="module")
def desk(town, chromium):
    """The control room's screen: an operator whose key the policy names with the right to override."""
    for one in orders.latest(town.joined.people, 99):  # no emergency stands above what is ordered here
        if one.command.kind == command.EMERGENCY and orders.ended_by(town.joined.people, one.command.id) is None:
            town.joined.end(one, lit_world.MAYOR)
    opened = _entered(chromium.new_context(viewport={"width": 1920, "height": 1080}, locale="fr-FR"), town, "operator")
    opened.goto(f"{town.origin}/{INSEE}/orders")
    opened.click("main >> text=Allumer")
    opened.click("[data-do=prepare]")
    opened.wait_for_selector("[data-do=share]:visible")
    block = opened.text_content("#block")
    assert 'rights = ["override"]' in block
    town.enrol(bytes.fromhex(block.split('key = "')[1][:64]), "Exploitante", document.OVERRIDE)
    yield opened
    opened.context.close()


def test_an_operator_lights_a_feeder_for_a_round_by_one_signature(desk, town):
    desk.goto(f"{town.origin}/{INSEE}/orders/give/light")
    desk.select_option("#where", "feeder:parc")
    desk.wait_for_selector("#words:visible")
    assert desk.inner_text("#words").startswith("Je signe : allumer le départ parc de ")
    assert "(30 min). Motif : tournée. Exploitante." in desk.inner_text("#words")
    assert desk.evaluate("window.scrollY") == 0
    desk.click("text=accident")
    desk.wait_for_selector("#words:has-text('Motif : accident')")
    desk.click("[data-do=sign]:visible")
    desk.wait_for_url(AN_ORDER)
    town.live(12)
    desk.wait_for_selector(".steps:has-text('Reçu par 1 armoire')")
    asked = orders.latest(town.joined.people, 1)[0].command
    assert (asked.kind, asked.level, asked.target, asked.reason) == (command.OVERRIDE, 100, "parc", "accident")


def test_an_operator_darkens_in_two_steps_sees_who_is_touched_and_gives_it_back(desk, town):
    lit = town.joined.order(key=lit_world.MAYOR, kind=command.OVERRIDE, level=100)
    town.live(12)
    assert town.joined.gateway.closed == [True, True]
    desk.goto(f"{town.origin}/{INSEE}/orders/give/darken?where=feeder:bourg")
    desk.wait_for_selector("[data-reason]:visible")
    assert desk.locator("[data-do=sign]:visible").count() == 0
    desk.click("text=travaux")
    desk.wait_for_selector("#words:visible")
    assert desk.inner_text("#words").startswith("Je signe : éteindre le départ bourg")
    assert "Sont concernés" in desk.inner_text("#give") and len(orders.latest(town.joined.people, 99)) > 0
    desk.click("[data-do=back]:visible")
    desk.click("text=travaux")
    desk.click("[data-do=sign]:visible")
    desk.wait_for_url(AN_ORDER)
    town.live(12)
    desk.wait_for_selector("tr:has-text('départ bourg'):has-text('Éteint'):has-text('accepté')")
    assert town.joined.gateway.closed == [False, True]
    desk.click("text=Revenir au plan")
    desk.click("[data-do=sign]:visible")
    desk.wait_for_selector("text=rendu au plan par Exploitante")
    town.live(12)
    desk.wait_for_selector("text=Terminé par 1 armoire")
    assert town.joined.gateway.closed == [True, True]
    town.joined.end(lit, lit_world.MAYOR)
    town.live(12)
    desk.goto(f"{town.origin}/{INSEE}/orders")
    assert "Éteindre jusqu’à" in desk.inner_text("#rows") and "Exploitante, travaux" in desk.inner_text("#rows")


def test_a_key_without_the_right_is_told_so_before_it_signs(page, town):
    page.goto(f"{town.origin}/{INSEE}/orders/give/darken")
    page.wait_for_selector("#right:visible")
    assert "ne donne pas ce droit à la clé de cet appareil (Mme Martin, maire)" in page.inner_text("#right")


def test_bytes_of_another_form_than_the_page_asks_for_get_no_words_and_no_signature(desk, town):
    desk.goto(f"{town.origin}/{INSEE}/orders/give/light?where=feeder:parc")
    desk.wait_for_selector("#words:visible")
    before = len(orders.latest(town.joined.people, 99))
    desk.evaluate("document.querySelectorAll('[data-operator]').forEach((one) => { one.dataset.form = '1,0,'; })")
    desk.click("text=fête")
    desk.wait_for_selector("#why:visible")
    assert len(orders.latest(town.joined.people, 99)) == before


def test_a_web_that_is_killed_right_after_its_answer_loses_no_order(desk, town):
    desk.goto(f"{town.origin}/{INSEE}/orders/give/light?where=feeder:parc")
    desk.wait_for_selector("#words:visible")
    before = len(orders.latest(town.joined.people, 99))
    with desk.expect_response("**/orders/sign") as answered:
        desk.click("[data-do=sign]:visible")
    assert answered.value.status == 204
    town.process.kill()
    town.process.wait(30)
    town.live(3)
    assert len(orders.latest(town.joined.people, 99)) == before + 1
    town.start()


def test_the_menu_of_the_person_is_left_by_escape_and_by_a_touch_elsewhere(page, town):
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(20, 700)):
        page.click("button.person")
        page.wait_for_selector("#person:visible")
        leave()
        page.wait_for_selector("#person", state="hidden")


def test_a_month_prints_on_one_page(page, town):
    page.goto(f"{town.origin}/{INSEE}/month")
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1
    assert "recherche d’une personne" in page.inner_text("main")


@pytest.mark.parametrize("screen", ["town", "month", "orders", "orders/give/light", "order"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1920])
def test_it_fits_and_has_no_serious_fault_of_access(page, town, theme, width, screen):
    first = orders.latest(town.joined.people, 99)[0].command.id.hex()
    page.goto(f"{town.origin}/{INSEE}/{f'orders/{first}' if screen == 'order' else screen}")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=town.folder / f"{screen.replace('/', '-')}-{theme}-{width}.png", full_page=True)
    found = axe.run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
