"""Orders that were signed in a browser: their list, their form, what becomes of them; Django's client, no script."""

import re
from contextlib import closing

import pytest

from policy import limits
from tests.support.control_world import STRANGER, outcome
from tests.support.scoped_world import ANGERS, FENEU, NOW_S, ROLES, granted, leaks
from tests.support.town_world import AGENT, PHONE, fetch, kid_of, light, post, report, signed
from tools.centre.condition import notes
from tools.centre.control import drafts, orders, outbox
from tools.centre.control import file as control_file
from tools.centre.store import schema
from tools.centre.web import giving
from tools.centre.web import orders as screen
from wire import command

FEEDERS = [f"lighting {one} {FENEU}" for one in "ber"]


@pytest.fixture
def mayor(browser):
    return browser("mayor")


@pytest.fixture
def operator(browser):
    return browser("operator")


@pytest.fixture
def control(served):
    return str(served / "control.db")


def page(browser, one):
    """The page of an order."""
    return browser.get(f"/{FENEU}/orders/{one.id.hex()}").content.decode()


def darken(number, **changes):
    """An order of the operator's key for a feeder of Feneu."""
    asked = {"author": AGENT.name, "kind": command.OVERRIDE, "level": 0, "target": FEEDERS[0], "reason": "travaux"}
    return light(number, **{**asked, **changes})


def test_an_order_goes_from_signed_to_measured_in_watts(mayor, served, control):
    one = light(1, reason="recherche d’une personne")
    assert post(mayor, signed(one)).status_code == 204
    assert post(mayor, signed(one)).status_code == 204  # sent again, for the answer was lost
    said = page(mayor, one)
    assert ">Signed<" in said and "recherche d’une personne" in said
    fetch(served, control)
    report(control, one)
    assert "Signed · Sent<" in page(mayor, one)
    report(control, one, outcome(one, "received"), outcome(one, "applied", feeder=FEEDERS[0]))
    said = page(mayor, one)
    assert "Signed · Sent · Received by 1 cabinet · Measurement awaited at 1 feeder<" in said
    assert f"Not measured everywhere: {FEEDERS[1]}, {FEEDERS[2]}" in said
    for more, feeder in enumerate(FEEDERS[:2]):
        report(control, one, outcome(one, "measured", feeder=feeder, power_dw=80_000 + more))
    said = page(mayor, one)
    assert "Measured at 2 of 3 feeders, 16.0 kW" in said
    assert f"/{FENEU}/orders/give/end?where={one.id.hex()}" in said
    refused = outcome(one, "refused", feeder=None, why="light-only")
    report(control, one, refused)
    assert f"cab-{FENEU} refuses: this key lights for a few hours at most" in page(mayor, one)


def test_a_signed_order_is_a_line_of_the_journal_once(mayor, browser):
    from django.conf import settings

    one = light(35, reason="search of the journal")
    for _ in range(2):
        assert post(mayor, signed(one)).status_code == 204
    with closing(schema.open_to_write(settings.BOCAGE.warehouse)) as connection:
        fetcher = notes.Fetcher(notes.path_of(settings.BOCAGE.data), settings.BOCAGE.warehouse, connection, print)
        with closing(fetcher):
            fetcher.fetch(now_s=NOW_S + 86_400)  # others of this world sign later
    said = browser("auditor").get("/privacy/journal").content.decode()
    assert said.count("<td>search of the journal</td>") == 1
    assert re.search(r"<td>mayor</td>\s*<td>signed an order</td>\s*<td>commune of", said)


def test_an_end_is_taken_from_who_signed_the_beginning(mayor, served, control):
    one = light(2, not_before_s=NOW_S - 60)
    assert post(mayor, signed(one)).status_code == 204
    fetch(served, control)
    assert "<h1>Light until 13:00</h1>" in page(mayor, one)
    end = light(3, kind=command.END, ends=one.id, reason="retour à la politique")
    assert post(mayor, signed(end)).status_code == 204
    fetch(served, control)
    assert f"given back to the plan by {PHONE.name}, 12:00" in page(mayor, one)
    assert "<h1>Light until 12:00</h1>" in page(mayor, one)
    late = post(mayor, signed(light(4, kind=command.END, ends=one.id)))
    assert (late.status_code, late.content.decode()) == (400, "a command has ended it already")


def test_an_end_that_no_daemon_fetches_has_ended_nothing(mayor, served, control, monkeypatch):
    from django.conf import settings

    one = light(16)
    assert post(mayor, signed(one)).status_code == 204
    fetch(served, control)
    assert post(mayor, signed(light(17, kind=command.END, ends=one.id))).status_code == 204
    assert "given back to the plan" in page(mayor, one)
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: NOW_S + 11))
    said = page(mayor, one)
    assert "given back to the plan" not in said and "The centre has not fetched it yet" in said
    assert f"/{FENEU}/orders/give/end?where={one.id.hex()}" in said
    fetch(served, control)


def test_what_is_no_order_of_this_commune_is_refused_in_words_and_not_kept(mayor, served):
    before = len(outbox.signed_in(str(served / "web.sqlite3.outbox"), FENEU))
    forged = bytearray(signed(light(5)))
    forged[-1] ^= 1
    refused = {
        "": "this is no order",
        "zz": "this is no order",
        "00" * 10_000: "this is no order",
        bytes(forged): "the signature does not hold",
        signed(light(5), STRANGER): "is no operator's of",
        signed(light(5, expires_s=NOW_S + limits.light_s_max + 1)): "may light for 4 h at most",
        signed(light(5, kind=command.OVERRIDE, level=0)): "has not the right to this",
        signed(light(5, insee=ANGERS)): "this is no order",
    }
    for data, why in refused.items():
        said = post(mayor, data)
        assert said.status_code == 400 and why in said.content.decode(), why
    assert "au plus" in mayor.post(
        f"/{FENEU}/orders/sign", {"order": signed(light(5, expires_s=NOW_S + limits.light_s_max + 1)).hex()},
        headers={"Accept-Language": "fr"},
    ).content.decode()  # fmt: skip
    assert len(outbox.signed_in(str(served / "web.sqlite3.outbox"), FENEU)) == before


def test_only_who_is_granted_lighting_there_gives_and_sees_orders(browser):
    for role in ROLES:
        is_granted = granted(role, FENEU, "lighting")
        own = browser(role)
        assert post(own, signed(light(6, kind=command.OVERRIDE, level=0))).status_code == (400 if is_granted else 404)
        assert own.get(f"/{FENEU}/town").status_code == (200 if is_granted else 404)
        assert own.get(f"/{FENEU}/orders/give/darken").status_code == (200 if is_granted else 404)
    assert browser("mayor").get(f"/{FENEU}/orders/sign").status_code == 405


def test_an_order_needs_the_token_of_the_page(served):
    from django.contrib.auth import get_user_model
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.get(username="mayor"), "django.contrib.auth.backends.ModelBackend")
    assert post(strict, signed(light(7))).status_code == 403


def test_an_order_that_no_daemon_fetches_is_told_so(mayor, monkeypatch):
    from django.conf import settings

    one = light(8)
    assert post(mayor, signed(one)).status_code == 204
    later = settings.BOCAGE._replace(clock=lambda: NOW_S + 11)
    monkeypatch.setattr(settings, "BOCAGE", later)
    assert "The centre has not fetched it yet, so nothing is sent" in page(mayor, one)


def test_an_order_that_no_daemon_ever_fetched_is_told_so_after_its_end(mayor, monkeypatch):
    from django.conf import settings

    one = light(15)
    assert post(mayor, signed(one)).status_code == 204
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: NOW_S + 86_400))
    assert "it was never sent" in page(mayor, one)
    assert one.id.hex() in mayor.get(f"/{FENEU}/orders").content.decode()
    assert one.id.hex() not in mayor.get(f"/{FENEU}/town").content.decode()


def test_an_order_that_is_refused_by_now_says_why_instead(mayor, served, control, monkeypatch):
    from django.conf import settings

    one = light(12)
    assert post(mayor, signed(one)).status_code == 204
    monkeypatch.setattr(drafts, "checked", lambda *_, **__: refuse())
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(clock=lambda: NOW_S + 11))

    def refuse():
        raise drafts.NotAllowed("refused.stranger", kid=kid_of(), insee=FENEU, version=2)

    assert f"the key {kid_of()} is no operator&#x27;s of {FENEU} (policy 2)" in page(mayor, one)


@pytest.mark.parametrize("where", ["town", "orders", "orders/0000000000000384"])
def test_a_page_that_has_seen_it_all_is_answered_nothing(mayor, where):
    def asked(seen, **headers):
        headers = {"HX-Request": "true", **headers}
        return mayor.get(f"/{FENEU}/{where}?seen={seen}", headers=headers)

    seen = re.search(r"seen=([0-9a-f]{16})", mayor.get(f"/{FENEU}/{where}").content.decode())[1]
    assert (asked(seen).status_code, asked(seen).content) == (204, b"")
    assert asked(seen, **{"Accept-Language": "fr"}).status_code == 200
    assert mayor.get(f"/{FENEU}/{where}?seen={seen}").status_code == 200  # a person who reloads sees the page
    if where != "orders/0000000000000384":
        assert post(mayor, signed(light({"town": 13, "orders": 14}[where]))).status_code == 204
        assert asked(seen).status_code == 200


def test_words_of_strangers_stay_words(mayor, served, control):
    one = light(9, reason="<script>alert(1)</script>")
    assert post(mayor, signed(one)).status_code == 204
    assert "<script>alert" not in page(mayor, one) and "&lt;script&gt;alert" in page(mayor, one)


def test_the_control_file_is_never_written(mayor, control):
    with closing(control_file.open_to_read(control)) as connection:
        before = [one.command.id for one in orders.latest(connection, 99)]
        assert post(mayor, signed(light(11))).status_code == 204
        assert [one.command.id for one in orders.latest(connection, 99)] == before




def test_an_operator_darkens_a_feeder_and_reads_what_each_equipment_answers(operator, served, control):
    one = darken(40)
    assert post(operator, signed(one, AGENT)).status_code == 204
    fetch(served, control)
    report(control, one, outcome(one, "received"), outcome(one, "refused", feeder=FEEDERS[0], why="interlock"))
    said = page(operator, one)
    assert f"Darken until 13:00, feeder {FEEDERS[0]}" in said
    assert "refused: locked at the cabinet" in said and f"Key {kid_of(AGENT)}" in said
    report(control, one, outcome(one, "measured", feeder=FEEDERS[0], power_dw=3))
    said = page(operator, one)
    assert ">accepted<" in said and "0.3 W" in said
    french = operator.get(f"/{FENEU}/orders/{one.id.hex()}", headers={"Accept-Language": "fr"}).content.decode()
    assert f"Éteindre jusqu’à 13:00, départ {FEEDERS[0]}" in french


def test_a_feeder_that_another_order_or_a_lock_holds_is_named_with_the_reason(operator, served, control):
    def row():
        said = operator.get(f"/{FENEU}/orders").content.decode()
        return said[said.rindex("<tr", 0, said.index(one.id.hex())) :].partition("</tr>")[0]

    one = darken(46, target=None)
    assert post(operator, signed(one, AGENT)).status_code == 204
    fetch(served, control)
    report(control, one, outcome(one, "received"), *(outcome(one, "refused", feeder=f, why="later") for f in FEEDERS))
    assert f"{', '.join(FEEDERS)}: a later command holds" in row() and 'class="mark pending"' in row()
    assert "Not measured everywhere" not in page(operator, one)
    locked = outcome(one, "refused", feeder=FEEDERS[0], why="interlock")
    report(control, one, outcome(one, "applied", feeder=FEEDERS[0]), locked)
    assert f"{FEEDERS[0]}: locked at the cabinet" in row() and 'class="fault"' in row()


def test_a_light_a_street_and_a_cabinet_lead_to_their_order_where_one_may_be_given(operator, monkeypatch):
    from tools.centre.web import control, light

    monkeypatch.setattr(light, "orderable_feeders", lambda own, *, now_s: {"main"})
    assert f"/{FENEU}/orders/give/light?where=feeder:main" in operator.get(f"/{FENEU}/lights/light-1").content.decode()
    street = f"/{FENEU}/orders/give/light?where=street:lighting%20street%20of%20{FENEU}"
    assert street in operator.get(f"/{FENEU}/lights").content.decode()
    assert "?where=cabinet:cab" in operator.get(f"/{FENEU}/health").content.decode()
    monkeypatch.setattr(control.communes, "policy_in_force", lambda *_, **__: None)
    for page_of in ("lights", "health"):
        assert "orders/give" not in operator.get(f"/{FENEU}/{page_of}").content.decode()


def test_a_telephone_that_may_only_light_darkens_nothing(mayor):
    said = post(mayor, signed(darken(41, author=PHONE.name)))
    assert (said.status_code, said.content.decode()) == (400, f"{PHONE.name} has not the right to this in the policy")


def test_orders_are_listed_with_who_when_until_and_what_became_of_them(operator, served, control):
    one = darken(42, reason="feu d’artifice")
    assert post(operator, signed(one, AGENT)).status_code == 204
    said = operator.get(f"/{FENEU}/orders").content.decode()
    row = said[said.index(one.id.hex()) :].partition("</tr>")[0]
    assert f"{AGENT.name}, feu d’artifice" in row and "13:00" in row and ">Signed" in row
    assert f"lighting of {FENEU}" in said and f"lighting of {ANGERS}" not in said
    everywhere = operator.get(f"/{FENEU}/orders?all").content.decode()
    assert f"lighting of {FENEU}" in everywhere and f"lighting of {ANGERS}" in everywhere


def test_a_long_list_is_paged_and_nothing_is_fetched_whole(operator, monkeypatch):
    asked = []
    given = orders.given
    monkeypatch.setattr(screen, "ROWS_PER_PAGE", 1)
    monkeypatch.setattr(screen.book, "given", lambda *one, **more: asked.append(more) or given(*one, **more))
    assert operator.get(f"/{FENEU}/orders?all&page=9").status_code == 200
    assert asked == [{"offset": 0}]


def test_an_order_of_a_trade_that_is_not_granted_is_not_there(browser, mayor):
    one = light(43)
    assert post(mayor, signed(one)).status_code == 204
    for role in ROLES:
        address = f"/{FENEU}/orders/{one.id.hex()}"
        is_granted = granted(role, FENEU, "lighting")
        assert browser(role).get(address).status_code == (200 if is_granted else 404), role
        assert (one.id.hex() in browser(role).get(f"/{FENEU}/orders").content.decode()) == is_granted, role


def test_a_planted_leak_of_the_outbox_is_found(browser, mayor, monkeypatch):
    """A list that shows what waits in the outbox to whoever may see the commune."""
    one = light(44, reason=f"lighting of {FENEU}")
    assert post(mayor, signed(one)).status_code == 204
    assert not leaks("two", browser("two").get(f"/{FENEU}/orders").content.decode())
    monkeypatch.setattr(screen.book, "trade_of", lambda *_: "any")
    assert leaks("two", browser("two").get(f"/{FENEU}/orders").content.decode())


FORMS = re.compile(r'data-operator="([0-9a-f]{16})" data-name="[^"]*" data-form="([^"]*)"')


def forms(browser, kind, where=""):
    """What each key may sign by this form."""
    said = browser.get(f"/{FENEU}/orders/give/{kind}", {"where": where}).content.decode()
    return dict(FORMS.findall(said))


def test_a_form_says_for_each_key_what_it_may_sign(operator, control):
    assert forms(operator, "light")[kid_of()] == f"{command.EMERGENCY},,"
    assert forms(operator, "light")[kid_of(AGENT)] == f"{command.OVERRIDE},100,"
    assert forms(operator, "darken") == {**forms(operator, "darken"), kid_of(): "", kid_of(AGENT): "1,0,"}


def test_only_who_could_have_given_an_order_may_end_it(mayor, operator, served, control):
    one = light(45)
    assert post(mayor, signed(one)).status_code == 204
    fetch(served, control)
    found = forms(operator, "end", one.id.hex())
    assert (found[kid_of()], found[kid_of(AGENT)]) == ("3,,", "")  # to end the mayor's light darkens


def test_light_for_one_feeder_is_no_second_step_darkness_and_a_whole_commune_are(operator):
    def page_of(kind, where):
        return operator.get(f"/{FENEU}/orders/give/{kind}", {"where": where}).content.decode()

    feeder = f"feeder:{FEEDERS[0]}"
    assert 'data-reason="round"' in page_of("light", feeder) and 'name="reason" value="round" checked' in page_of(
        "light", feeder
    )
    for kind, where in (("light", ""), ("darken", feeder), ("darken", "")):
        said = page_of(kind, where)
        assert 'data-reason=""' in said and 'name="reason"' not in said and "Who is touched" in said
    assert "1 light" in page_of("light", "") and f"lighting street of {FENEU} (1)" in page_of("light", "")


def test_a_place_that_the_policy_does_not_name_is_never_the_whole_commune(operator):
    for where in ("feeder:gare", "cabinet:nowhere", "street:nowhere", "x", "group:"):
        said = operator.get(f"/{FENEU}/orders/give/darken", {"where": where}).content.decode()
        assert "names no such place" in said and 'id="give"' not in said and "web/sign.js" not in said
    for kind in ("nothing", "End"):
        assert operator.get(f"/{FENEU}/orders/give/{kind}").status_code == 404


def test_every_kind_of_order_has_its_sentences():
    for kind in giving.KINDS.values():
        for key in (f"{kind.name}.do", f"{kind.name}.say", f"{kind.name}.heading"):
            assert key in kind.words and key in giving.WORDS, key
        assert all(f"reason.{one}" in giving.WORDS for one in (*kind.reasons, kind.usual_reason) if one)
