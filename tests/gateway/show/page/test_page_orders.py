"""Orders over real connections: what one must have, what it asks of the agent, and where it leads back to."""

import re

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed")
pytestmark = pytest.mark.live

from gateway.show.page import sessions  # noqa: E402 - only once aiohttp is known to be there
from tests.support.page_world import PASSWORD, on_page  # noqa: E402

ORDERS = ("/feeder/0/test", "/feeder/0/stop", "/feeder/0/lock", "/feeder/0/unlock", "/all/test", "/all/stop")


def test_a_test_lights_two_minutes_by_name_of_who_and_from_where():
    async def story(world, phone):
        await phone.login()
        assert "2 minutes" in (await phone.get("/feeder/1/test")).shown
        answer = await phone.order("/feeder/1/test")
        assert (answer.status, answer.headers["Location"]) == (303, "/#feeder-1")
        assert world.orders == [("test", 1, 120, "J. Renard")]
        order = {"order": "test", "feeder": "route", "who": "J. Renard", "address": "127.0.0.1", "refused": None}
        assert world.words("page-order") == [order]

    on_page(story)


def test_a_test_can_be_ended_and_a_lock_set_and_lifted():
    async def story(world, phone):
        await phone.login()
        await phone.order("/feeder/0/stop")
        await phone.order("/feeder/0/lock", read="yes")
        await phone.order("/feeder/0/unlock")
        assert world.orders == [("test", 0, 0, "J. Renard"), ("lock", 0, "J. Renard"), ("unlock", 0, "J. Renard")]

    on_page(story)


@pytest.mark.parametrize(
    ("screen", "order", "back", "words"),
    [
        ("/", "test", "/#feeder-0", "Ordre donné : bourg s’allume 2 minutes."),
        ("/", "lock", "/#feeder-0", "Ordre donné : bourg est verrouillé à l’arrêt, 8 heures au plus."),
        ("/feeder/0", "test", "/feeder/0", "Ordre donné : bourg s’allume 2 minutes."),
        ("/feeder/0", "lock", "/feeder/0", "Ordre donné : bourg est verrouillé"),
    ],
)
def test_an_order_is_confirmed_where_it_was_given(screen, order, back, words):
    async def story(world, phone):
        await phone.login()
        link = re.search(f'href="(/feeder/0/{order}[^"]*)"', (await phone.get(screen)).text)[1]
        form = dict(re.findall('name="(csrf|from)" value="([^"]*)"', (await phone.get(link)).text))
        answer = await phone.post(f"/feeder/0/{order}", form | {"read": "yes"})
        assert (answer.status, answer.headers["Location"]) == (303, back)
        path = back.partition("#")[0]
        assert back == path or f'id="{back.partition("#")[2]}"' in (await phone.get(path)).text
        for again in (path, f"{path}?auto=1&part=live"):  # it stays while the page refreshes itself
            assert words in (await phone.get(again)).shown
        world.now_ms += sessions.DONE_MS
        assert "Ordre donné" not in (await phone.get(path)).shown

    on_page(story)


def test_a_round_by_day_lights_all_feeders_for_half_an_hour_and_says_so():
    async def story(world, phone):
        await phone.login()
        assert "Allumer tout 30 min" in (await phone.get("/")).shown
        page = (await phone.get("/all/test")).shown
        assert "personne ne travaille" in page and "30 minutes" in page
        for secret in ("", "x"):
            assert (await phone.post("/all/test", {"csrf": secret})).status == 409
        answer = await phone.order("/all/test")
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        assert world.orders == [("test-all", 1800, "J. Renard")]
        assert "Ordre donné : tout départ non verrouillé s’allume 30 minutes." in (await phone.get("/")).shown
        assert (await phone.order("/all/stop")).status == 303 and world.orders[-1] == ("test-all", 0, "J. Renard")
        assert (await phone.order("/all/lock")).status == 404
        world.refuses = "locked"
        assert "Tous les départs sont verrouillés" in (await phone.order("/all/test")).shown
        given = [(order["order"], order["feeder"], order["refused"]) for order in world.words("page-order")]
        assert given[:2] == [("test", "*", "form")] * 2
        assert given[2:] == [("test", "*", None), ("stop", "*", None), ("test", "*", "locked")]

    on_page(story)


def test_a_lock_out_needs_its_warning_read():
    async def story(world, phone):
        await phone.login()
        page = (await phone.get("/feeder/0/lock")).shown
        assert "n’est pas une consignation" in page and "absence de tension" in page and "8 heures" in page
        answer = await phone.order("/feeder/0/lock")
        assert answer.status == 409 and "J’ai lu" in answer.shown and not world.orders

    on_page(story)


def test_what_the_agent_refuses_is_said_and_logged():
    async def story(world, phone):
        await phone.login()
        world.refuses = "locked"
        answer = await phone.order("/feeder/0/test")
        assert answer.status == 409 and "le déverrouiller d’abord" in answer.shown
        world.refuses = "<b>new word</b>"
        assert "L’agent a répondu : <b>new word</b>" in (await phone.order("/feeder/0/test")).shown
        assert [order["refused"] for order in world.words("page-order")] == ["locked", "<b>new word</b>"]

    on_page(story)


@pytest.mark.parametrize("path", ORDERS)
def test_no_order_without_a_session(path):
    async def story(world, phone):
        answer = await phone.post(path, {"csrf": "x", "read": "yes"})
        assert answer.status == 303 and answer.headers["Location"] == "/login" and not world.orders

    on_page(story)


@pytest.mark.parametrize("path", ORDERS)
def test_no_order_without_the_sessions_secret(path):
    async def story(world, phone):
        await phone.login()
        for secret in ("", "x", await phone.csrf() + "x"):
            answer = await phone.post(path, {"csrf": secret, "read": "yes"})
            assert answer.status == 409 and "page à jour" in answer.shown
        assert (await phone.get(path.replace("stop", "test"))).status == 200  # looking orders nothing
        assert not world.orders and all(order["refused"] == "form" for order in world.words("page-order"))

    on_page(story)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)  # fmt: skip
def test_a_form_of_another_site_is_refused_even_with_the_secret(headers):
    async def story(world, phone):
        await phone.login()
        answer = await phone.post("/feeder/0/test", {"csrf": await phone.csrf()}, headers=headers)
        assert answer.status == 403 and not world.orders
        assert (await phone.post("/login", {"who": "x", "password": PASSWORD}, headers=headers)).status == 403

    on_page(story)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "192.168.50.1.evil.example", "", "127.0.0.1@x"])
def test_a_name_that_was_made_to_point_at_the_cabinet_opens_nothing(host):
    async def story(world, phone):
        await phone.login()
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        for answer in (
            await phone.get("/", headers=headers), await phone.get("/static/page.js", headers=headers),
            await phone.post("/feeder/0/test", {"csrf": await phone.csrf()}, headers=headers),
        ):  # fmt: skip
            assert answer.status == 421 and "par son adresse" in answer.shown and "bourg" not in answer.text
        assert not world.orders

    on_page(story)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.50.1:8080", "[fe80::1]:8080", "localhost:9000", "LOCALHOST"])
def test_an_address_opens_the_page_through_a_forwarded_port_as_well(host):
    async def story(world, phone):
        await phone.login()
        assert (await phone.get("/", headers={"Host": host})).status == 200

    on_page(story)


def test_our_own_forms_say_where_they_come_from():
    async def story(world, phone):
        await phone.login()
        headers = {"Origin": phone.base, "Sec-Fetch-Site": "same-origin"}
        assert (await phone.post("/feeder/0/test", {"csrf": await phone.csrf()}, headers=headers)).status == 303

    on_page(story)


@pytest.mark.parametrize("path", [f"/feeder/{part}" for part in ("7/test", "-1/test", "x/lock", "0/burn", "²/test")])
def test_there_is_no_order_for_what_is_not_there(path):
    async def story(world, phone):
        await phone.login()
        answer = await phone.order(path, read="yes")
        assert answer.status == 404 and "n’existe pas" in answer.shown and not world.orders

    on_page(story)
