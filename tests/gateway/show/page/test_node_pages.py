"""A technician beside a pole with a phone: the label's code, the blink, the watts, the light. A real page before a real
gateway core and real nodes.
"""

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed")
pytestmark = pytest.mark.live

from tests.support.page_world import on_page  # noqa: E402 - only once aiohttp is known to be there
from tests.support.pole_world import PoleWorld  # noqa: E402
from wire import event  # noqa: E402

ONE, TWO, FOREIGN = "7c1f0a2c01000001", "7c1f0a2c01000002", "ffffffff01000001"
ORDERS = (f"/node/{ONE}/identify", f"/node/{ONE}/place")


async def order(phone, path, **more):
    return await phone.post(path, {"csrf": await phone.csrf("/"), **more})


def test_from_the_code_of_a_label_to_the_first_record_with_its_watts():
    async def story(world, phone):
        answer = await phone.get(f"/node/{ONE}")
        assert (answer.status, answer.headers["Location"]) == (303, f"/login?node={ONE}")
        form = (await phone.get(answer.headers["Location"])).text
        assert f'name="node" value="{ONE}"' in form
        answer = await phone.post("/login", {"who": "J. Renard", "password": "clé-du-bocage", "node": ONE})
        assert answer.headers["Location"] == f"/node/{ONE}"
        assert "Personne n’a déclaré" in (await phone.get(f"/node/{ONE}")).shown
        assert (await order(phone, ORDERS[0])).headers["Location"] == f"/node/{ONE}"
        assert "L’ordre est parti" in (await phone.get(f"/node/{ONE}")).shown
        world.live(8)
        assert "Il clignote" in (await phone.get(f"/node/{ONE}")).shown
        world.live(25)
        shown = (await phone.get(f"/node/{ONE}?auto=1&part=live")).shown
        assert "36,0 W à pleine lumière avant : 0,6 W à 0 %" in shown.replace("\u00a0", " ")
        assert "C’est lui" in shown and "contrôleur de luminaire" in shown
        await order(phone, ORDERS[1], light="0117", street="Rue du Port")
        assert "Point lumineux 0117, Rue du Port J. Renard, " in (await phone.get(f"/node/{ONE}")).shown
        world.live(3)
        stated = [[bytes.fromhex(ONE), "0117", "Rue du Port", "J. Renard", 6, 360]]
        assert [detail for _, detail in world.street.events(event.NODE_PLACED)] == stated
        given = [(one["order"], one["node"], one["refused"]) for one in world.words("page-order")]
        assert given == [("identify", ONE, None), ("place", ONE, None)]

    on_page(story, PoleWorld(posts=2))


def test_two_exchanged_nodes_are_noticed_and_put_right():
    async def story(world, phone):
        await phone.login()
        await order(phone, f"/node/{ONE}/place", light="0118")
        await order(phone, f"/node/{TWO}/place", light="0117")
        asked = await order(phone, f"/node/{ONE}/place", light="0117")
        shown = asked.shown.replace("\u00a0", " ")
        assert asked.status == 200 and "Deux nœuds échangés ?" in shown
        assert "7c1f0a2c 01000001 : 0117" in shown and "7c1f0a2c 01000002 : 0118" in shown
        await order(phone, f"/node/{ONE}/place", light="0117", exchange="yes")
        assert "Point lumineux 0117" in (await phone.get(f"/node/{ONE}")).shown
        assert "Point lumineux 0118" in (await phone.get(f"/node/{TWO}")).shown

    on_page(story, PoleWorld(posts=2))


@pytest.mark.parametrize(
    ("typed", "path"),
    [("01000002", f"/node/{TWO}"), (" 7C1F 0A2C 0100 0001", f"/node/{ONE}"), (f"BOCAGE:{ONE}", f"/node/{ONE}"),
     (f"http://192.168.50.1:8080/node/{TWO}", f"/node/{TWO}"), (FOREIGN, f"/node/{FOREIGN}")],
)  # fmt: skip
def test_a_node_is_found_by_what_is_on_its_label(typed, path):
    async def story(_world, phone):
        await phone.login()
        answer = await phone.get("/node", params={"id": typed})
        assert (answer.status, answer.headers["Location"]) == (303, path)

    on_page(story, PoleWorld(posts=2))


def test_what_is_not_found_or_not_of_here_is_said():
    async def story(_world, phone):
        await phone.login()
        listed = (await phone.get("/node", params={"id": "0"})).shown
        assert "Aucun nœud de cette armoire ne finit par 0." in listed and "7c1f0a2c" not in listed
        assert "7c1f0a2c 01000001" in (await phone.get("/node")).shown
        assert (await phone.get("/node", params={"id": "<b>"})).status == 200
        foreign = await phone.get(f"/node/{FOREIGN}")
        assert "n’a pas de clé dans cette armoire" in foreign.shown and "identify" not in foreign.text
        answer = await order(phone, f"/node/{FOREIGN}/place", light="0117")
        assert answer.status == 409 and "n’a pas de clé" in answer.shown
        for path in ("/node/x", f"/node/{ONE.upper()}", f"/node/{ONE}0", f"/node/{ONE}/other"):
            assert (await phone.get(path)).status == 404

    on_page(story, PoleWorld(posts=2))


@pytest.mark.parametrize("path", ORDERS)
def test_no_order_without_session_and_secret(path):
    async def story(world, phone):
        assert (await phone.post(path, {"csrf": "x", "light": "0117"})).headers["Location"] == f"/login?node={ONE}"
        await phone.login()
        for secret in ("", "x"):
            answer = await phone.post(path, {"csrf": secret, "light": "0117"})
            assert answer.status == 409 and "page à jour" in answer.shown
        assert not world.street.events(event.NODE_PLACED) and world.sight(bytes.fromhex(ONE)).identification is None

    on_page(story, PoleWorld(posts=1))


def test_a_login_leads_to_no_other_place():
    async def story(_world, phone):
        form = {"who": "J. Renard", "password": "clé-du-bocage", "node": "//evil.example"}
        assert (await phone.post("/login", form)).headers["Location"] == "/"

    on_page(story, PoleWorld(posts=1))


def test_a_refusal_says_what_to_do():
    async def story(world, phone):
        await phone.login()
        world.street.emergency()
        world.live(5)
        answer = await order(phone, ORDERS[0])
        assert answer.status == 409 and "Un ordre est en cours" in answer.shown
        answer = await order(phone, ORDERS[1], light=" ")
        assert answer.status == 409 and "Donner le numéro" in answer.shown

    on_page(story, PoleWorld(posts=1))


EXTRACT = """kind,commune,id,name,street,post,node,zone,cabinet,feeder
light,49135,0117,,Rue du Port,,,,49135-bourg,bourg
light,49135,0118,,Rue du Port,,7c1f0a2c01000001,,49135-bourg,bourg
light,49135,9999,,Rue Haute,,,,49135-autre,bourg
"""


def test_a_light_is_chosen_from_the_register_that_the_cabinet_has(tmp_path):
    file = tmp_path / "lights.csv"
    file.write_text(EXTRACT)

    async def story(world, phone):
        await phone.login()
        assert "Au registre 0118, Rue du Port" in (await phone.get(f"/node/{ONE}")).shown
        form = (await phone.get(f"/node/{ONE}/place")).text
        assert '<option value="0117">Rue du Port</option>' in form and "9999" not in form and 'list="lights"' in form
        await order(phone, f"/node/{ONE}/place", light="0117")
        assert "Point lumineux 0117, Rue du Port" in (await phone.get(f"/node/{ONE}")).shown
        for damaged in ("numéro;rue\n0117;x\n", "\0", 'id,street,node,cabinet\n"'):
            file.write_text(damaged)
            assert "list=" not in (await phone.get(f"/node/{ONE}/place")).text
        assert world.words("lights-unreadable")

    on_page(story, PoleWorld(posts=1), lights=str(file))
