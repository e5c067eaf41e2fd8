"""The page over real connections: who gets in, and what every answer carries."""

import re

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed")
pytestmark = pytest.mark.live

from gateway.core.status import STARTING, Status  # noqa: E402 - only once aiohttp is known to be there
from gateway.show.page import sessions  # noqa: E402 - only once aiohttp is known to be there
from tests.support import cabinet_document as told  # noqa: E402
from tests.support.page_world import LINE, PASSWORD, PageWorld, on_page  # noqa: E402

SCREENS = ("/", "/tonight", "/faults", "/health", "/feeder/0", "/feeder/0/test", "/feeder/0/lock", "/feeder/0/unlock",
           "/all/test")  # fmt: skip


# --- getting in -----------------------------------------------------------------------------------------------------


def test_without_a_session_there_is_only_the_login():
    async def story(world, phone):
        for path in SCREENS:
            answer = await phone.get(path)
            assert (answer.status, answer.headers["Location"]) == (303, "/login") and not answer.text
            assert (await phone.get(f"{path}?auto=1&part=live")).status == 401
        login = await phone.get("/login")
        assert login.status == 200 and "Mot de passe" in login.shown
        assert "bourg" not in login.text and "49135" not in login.text

    on_page(story)


def test_name_and_password_open_the_page():
    async def story(world, phone):
        answer = await phone.login()
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        shown = (await phone.get("/")).shown
        assert "Armoire 49135-bourg" in shown and "Connecté : J. Renard" in shown
        assert world.words("page-login") == [{"who": "J. Renard", "address": "127.0.0.1"}]

    on_page(story)


def test_the_cookie_is_for_this_page_alone():
    async def story(world, phone):
        cookie = (await phone.login()).headers["Set-Cookie"]
        assert re.match("bocage=[A-Za-z0-9_-]{43};", cookie)
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; ")) and "Secure" not in cookie

    on_page(story)


def test_wrong_passwords_wait_ever_longer_by_the_page_clock():
    async def story(world, phone):
        for _ in range(sessions.FREE):
            answer = await phone.login(typed="faux")
            assert answer.status == 403 and "Mot de passe refusé" in answer.shown
        answer = await phone.login()
        assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
        assert "Trop d’essais. Réessayer dans 2 s." in answer.shown
        world.now_ms += 2_000
        assert (await phone.login()).status == 303
        assert len(world.words("page-login-refused")) == sessions.FREE

    on_page(story)


def test_neither_password_nor_its_line_nor_a_session_reaches_the_log():
    async def story(world, phone):
        await phone.login(typed="presque juste")
        cookie = (await phone.login()).headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        await phone.order("/feeder/0/test")
        said = str(world.said)
        assert len(world.said) == 3
        assert not [secret for secret in (PASSWORD, LINE, "presque juste", cookie) if secret in said]

    on_page(story)


def test_a_session_ends_by_itself_and_a_page_that_refreshes_does_not_prolong_it():
    async def story(world, phone):
        await phone.login()
        world.now_ms += sessions.IDLE_MS - 1
        assert (await phone.get("/?auto=1&part=live")).status == 200
        world.now_ms += 1
        assert (await phone.get("/?auto=1&part=live")).status == 401
        answer = await phone.get("/")
        assert answer.headers["Location"] == "/login?why=over"
        assert "Session terminée" in (await phone.get(answer.headers["Location"])).shown

    on_page(story)


def test_logging_out_ends_the_session_and_needs_its_secret():
    async def story(world, phone):
        await phone.login()
        assert (await phone.post("/logout", {"csrf": "?"})).status == 403
        assert (await phone.get("/")).status == 200 and not world.words("page-logout")
        answer = await phone.order("/logout")
        assert answer.headers["Location"] == "/login?why=left" and len(world.page.sessions) == 0
        assert "Vous êtes déconnecté" in (await phone.get("/login?why=left")).shown
        assert (await phone.get("/")).status == 303
        assert (await phone.post("/logout", {"csrf": "?"})).status == 303
        assert world.words("page-logout") == [{"who": "J. Renard", "address": "127.0.0.1"}]

    on_page(story)


# --- every answer ---------------------------------------------------------------------------------------------------


def test_every_answer_forbids_what_it_does_not_need():
    async def story(world, phone):
        before = [await phone.get("/"), await phone.get("/login"), await phone.get("/nothing")]
        await phone.login()
        screens = [await phone.get(path) for path in (*SCREENS, "/static/page.css", "/static/page.js", "/nothing")]
        for answer in (*before, *screens, await phone.post("/feeder/0/test", {})):
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Server"] == "bocage" and "aiohttp" not in str(answer.headers)

    on_page(story)


def test_no_screen_needs_another_host_an_inline_script_or_a_style_attribute():
    async def story(world, phone):
        await phone.login()
        for path in ("/login", *SCREENS):
            text = (await phone.get(path)).text
            assert re.findall("<script[^>]*>", text) == ['<script src="/static/page.js" defer>']
            assert not re.search(r"\s(?:on\w+|style)=|javascript:|https?://|//[a-z]", text), path

    on_page(story)


def test_style_script_and_icon_are_ours_and_nothing_else_is_served():
    async def story(world, phone):
        kinds = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
        for name, kind in kinds.items():
            answer = await phone.get(f"/static/{name}")
            assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
            text = answer.text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
            assert not re.search(r"url\(|@import|src\s*=|https?:", text)
        for name in ("", "app.py", "%2e%2e/page.py", "..%2Fapp.py", "page.css%00", "page.css/"):
            assert (await phone.get(f"/static/{name}")).status == 404

    on_page(story)


def test_an_error_of_ours_is_a_page_and_a_line_of_the_log_and_the_next_look_is_well():
    async def story(world, phone):
        await phone.login()
        whole, world.status = world.status, None
        answer = await phone.get("/")
        assert answer.status == 500 and "L’éclairage continue" in answer.shown and "Traceback" not in answer.text
        assert world.words("page-failed")
        world.status = whole
        assert (await phone.get("/")).status == 200

    on_page(story)


@pytest.mark.parametrize(("method", "status"), [("put", 405), ("delete", 405), ("options", 405), ("trace", 405)])
def test_other_methods_are_refused_in_words(method, status):
    async def story(world, phone):
        answer = await phone._ask(method.upper(), "/")
        assert answer.status == status and "Demande refusée" in answer.shown

    on_page(story)


def test_a_form_that_is_too_long_is_refused():
    async def story(world, phone):
        assert (await phone.login(typed="x" * 5_000)).status == 413
        assert not world.words("page-login-refused")

    on_page(story)


def test_the_language_is_french_first_and_stays_as_chosen():
    async def story(world, phone):
        await phone.login()
        assert 'lang="fr"' in (await phone.get("/", headers={"Accept-Language": "en"})).text
        english = await phone.get("/tonight?lang=en")
        assert 'lang="en"' in english.text and "what the policy wants" in english.shown
        assert 'lang="en"' in (await phone.get("/")).text
        assert 'lang="en"' in (await phone.get("/?lang=xx")).text and 'lang="fr"' in (await phone.get("/?lang=fr")).text

    on_page(story)


def test_a_page_for_english_people_can_be_configured():
    async def story(world, phone):
        assert "Password of the cabinet" in (await phone.get("/login")).shown

    on_page(story, language="en")


def test_what_the_script_fetches_is_the_live_part_alone():
    async def story(world, phone):
        await phone.login()
        part = (await phone.get("/?auto=1&part=live")).text
        assert part.startswith("<header>") and "<nav" not in part and "<html" not in part
        assert part in (await phone.get("/")).text
        assert 'data-every="5"' in (await phone.get("/")).text
        assert "data-every" not in (await phone.get("/feeder/0/lock")).text  # a box that was ticked stays ticked

    on_page(story)


def test_without_a_script_the_screen_is_loaded_again_and_marked_so():
    async def story(world, phone):
        await phone.login()
        text = (await phone.get("/tonight")).text
        assert '<noscript><meta http-equiv="refresh" content="15; url=/tonight?auto=1"></noscript>' in text

    on_page(story)


def test_a_gateway_without_a_cabinet_says_so_on_every_screen():
    async def story(world, phone):
        await phone.login()
        assert "ne pilote pas de départs" in (await phone.get("/")).shown
        for path in ("/tonight", "/faults", "/health"):
            assert (await phone.get(path)).status == 200
        assert (await phone.get("/feeder/0")).status == 404

    on_page(story, PageWorld(told.agent(False)))


def test_a_gateway_that_starts_says_so():
    async def story(world, phone):
        await phone.login()
        assert "attendre une minute" in (await phone.get("/")).shown
        assert (await phone.get("/health")).status == 200

    starting = Status(phase=STARTING, name="49135-bourg", uptime_s=3)
    on_page(story, PageWorld(starting))
