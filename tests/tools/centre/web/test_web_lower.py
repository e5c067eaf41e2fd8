"""Orders of a level between dark and full on the screens: the form, each light's answer, and what the others see."""


import pytest

from tests.support.centre_world import batch, fact, synced
from tests.support.control_world import outcome
from tests.support.scoped_world import FENEU, NOW_S, node_of
from tests.support.town_world import AGENT, PHONE, fetch, kid_of, light, post, report, signed
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.web import history, order_rows
from tools.centre.web import light as light_screen
from tools.centre.web.history import Told
from wire import command, event
from wire.record import EventBody

FEEDERS = [f"lighting {one} {FENEU}" for one in "ber"]


@pytest.fixture
def operator(browser):
    return browser("operator")


@pytest.fixture
def control(served):
    return str(served / "control.db")


def lower(number, **changes):
    asked = {"author": AGENT.name, "kind": command.OVERRIDE, "level": 50, "reason": "plainte d’un riverain"}
    return light(number, **{**asked, **changes})


def page(browser, one, **headers):
    return browser.get(f"/{FENEU}/orders/{one.id.hex()}", headers=headers).content.decode()


def test_the_form_offers_three_levels_to_who_may_darken(operator):
    said = operator.get(f"/{FENEU}/orders/give/lower").content.decode()
    assert 'data-forms="1,70, 1,50, 1,30,"' in said and 'name="level" value="50" checked' in said
    assert "lower {place} ({insee}) to {level} % until" in said
    assert f'data-operator="{kid_of(AGENT)}" data-name="{AGENT.name}" data-form="1,70,"' in said
    assert f'data-operator="{kid_of(PHONE)}" data-name="{PHONE.name}" data-form=""' in said


def test_what_has_no_controller_is_not_offered(operator, monkeypatch):
    from tools.centre.web.order_kinds import KINDS

    monkeypatch.setattr(type(KINDS["lower"]), "moves", lambda self, light: False)
    assert f"/{FENEU}/orders/give/lower" not in operator.get(f"/{FENEU}/orders").content.decode()
    assert 'id="give"' not in operator.get(f"/{FENEU}/orders/give/lower?where=").content.decode()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("measured", None, 124), ["accepted", "12.4 W", "Lit at 50 %"]),
        (("refused", "no-dimming", None), ["refused: nothing there dims"]),
        (("applied", None, None), ["applied, but the measured watts are not those expected"]),
        (None, ["no answer yet"]),
    ],
)
def test_each_light_answers_for_itself(operator, served, control, monkeypatch, told, said):
    one = lower(60 + len(said[0]))
    assert post(operator, signed(one, AGENT)).status_code == 204
    fetch(served, control)
    report(control, one, outcome(one, "received"), outcome(one, "refused", feeder=FEEDERS[0], why="no-dimming"))
    node, at_s = node_of("light", FENEU), NOW_S - 1300
    detail = told and [one.id, told[0], told[1], None, told[2]]
    found = {node: Told(at_s, EventBody(event.COMMAND_OUTCOME, None, detail))} if told else {}
    monkeypatch.setattr(order_rows, "outcomes", lambda *_, **__: found)
    shown = page(operator, one)
    assert "Lower to 50 % until 13:00</h1>" in shown
    row = shown[shown.index(f"lighting street of {FENEU} light-1") :].partition("</tr>")[0]
    assert all(part in row for part in said), row
    assert "Abaisser à 50\u00a0% jusqu’à 13:00" in page(operator, one, **{"Accept-Language": "fr"})


def test_what_was_not_measured_everywhere_is_told_when_it_is_over_as_well(operator, served, control, monkeypatch):
    from django.conf import settings

    one = lower(75, target=FEEDERS[0])
    assert post(operator, signed(one, AGENT)).status_code == 204
    fetch(served, control)
    report(control, one, outcome(one, "received"), outcome(one, "unmeasured", feeder=FEEDERS[0], power_dw=5740))
    over = settings.BOCAGE._replace(clock=lambda: one.expires_s + 86_400)
    for own in (settings.BOCAGE, over):
        monkeypatch.setattr(settings, "BOCAGE", own)
        listed = operator.get(f"/{FENEU}/orders").content.decode()
        row = listed[listed.index(one.id.hex()) :].partition("</tr>")[0]
        said = f"Not measured everywhere: {FEEDERS[0]}"
        assert said in row and said in page(operator, one)
    assert "over" in row


def test_what_a_cabinet_answered_is_told_as_screens_tell_times(operator, served, control, monkeypatch):
    from django.conf import settings

    one = lower(76, target=FEEDERS[0], expires_s=NOW_S + 14 * 3600)
    assert post(operator, signed(one, AGENT)).status_code == 204
    fetch(served, control)
    report(control, one, outcome(one, "received", unix_s=NOW_S))
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: NOW_S + 13 * 3600))
    assert "received  yesterday 12:00" in page(operator, one)


def test_the_last_answer_before_the_end_is_found_in_the_warehouse(tmp_path):
    order, other, node = b"12345678", b"87654321", b"node-001"
    told = [(order, "received"), (order, "applied"), (order, "measured"), (other, "applied"),
            (order, "measured"),  # once more, to an agent that has restarted
            (order, "ended"), (order, "melted"), (order, 7)]  # fmt: skip
    warehouse = Warehouse(str(tmp_path / "warehouse.db"), synchronous="OFF")
    for number, (id, word) in enumerate(told):
        item = fact(number, event.COMMAND_OUTCOME, [id, word, None, None, 124], node=node, stamp=synced(NOW_S + number))
        payload = batch([item], number, oldest=0, lane=event.EVENT)
        warehouse.accept("tc/1/e/49135/cab-1", payload, received_unix_s=NOW_S + 9)
    found = history.outcomes(warehouse._connection, [node, b"node-002"], order, since_s=NOW_S, now_s=NOW_S + 99)
    assert {key: (one.unix_s, one.body.detail[1]) for key, one in found.items()} == {node: (NOW_S + 2, "measured")}
    warehouse.close()


def test_the_mayor_sees_it_hold_and_nobody_has_lit(browser, operator, served, control):
    one = lower(70, reason="moins de lumière")
    assert post(operator, signed(one, AGENT)).status_code == 204
    fetch(served, control)
    said = browser("mayor").get(f"/{FENEU}/town").content.decode()
    card, who = said.split('id="given"')
    assert "Lower to 50 % until 13:00" in card and "moins de lumière" in card and "moins de lumière" not in who


def test_a_light_is_lowered_where_it_is_looked_at(operator, monkeypatch):
    monkeypatch.setattr(light_screen, "orderable_feeders", lambda own, *, now_s: {"main"})
    said = operator.get(f"/{FENEU}/lights/light-1").content.decode()
    assert f"/{FENEU}/orders/give/lower?where=feeder:main" in said
