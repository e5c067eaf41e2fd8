"""Who gets in, and who does not: passwords of one time, attempts, forms and addresses from elsewhere."""

import re
import stat

import pytest

from tests.support.scoped_world import FENEU
from tests.tools.centre.web.conftest import PASSWORD
from tools.centre.web import limits
from tools.centre.web.configuration import is_loopback, secret_key


def enter(client, who, password, **more):
    return client.post("/login", {"who": who, "password": password, **more})


def test_person_gets_in_and_out(browser):
    client = browser()
    assert enter(client, "electrician", PASSWORD)["Location"] == "/"
    assert client.get("/49135/lights").status_code == 200
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/49135/lights").status_code == 302


@pytest.mark.parametrize(("who", "password"), [("electrician", "wrong"), ("stranger", PASSWORD), ("", "")])
def test_wrong_name_and_wrong_password_are_told_alike(browser, who, password):
    said = enter(browser(), who, password)
    assert said.status_code == 403
    assert "Name or password is wrong." in said.content.decode()


def test_attempts_are_bounded_by_person_and_address(browser):
    client = browser()
    for _ in range(limits.LOGIN_FAILURES_MAX):
        last = enter(client, "electrician", "wrong")
    assert last.status_code == 429
    assert last["Retry-After"] == "900"
    assert enter(client, "electrician", PASSWORD).status_code == 429  # the right one too
    assert enter(client, "mayor", PASSWORD).status_code == 302  # another person at the same town hall
    elsewhere = browser()
    elsewhere.defaults["REMOTE_ADDR"] = "203.0.113.7"
    assert enter(elsewhere, "electrician", PASSWORD).status_code == 302


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x()"])
def test_login_leads_to_no_foreign_address(browser, address):
    assert enter(browser(), "electrician", PASSWORD, next=address)["Location"] == "/"
    assert browser().post("/appearance", {"next": address})["Location"] == "/"


def test_login_leads_back_to_where_one_was_going(browser):
    client = browser()
    to = client.get("/49135/lights?q=port")["Location"]
    assert to == "/login?next=%2F49135%2Flights%3Fq%3Dport"
    assert enter(client, "electrician", PASSWORD, next="/49135/lights?q=port")["Location"] == "/49135/lights?q=port"


@pytest.mark.slow
def test_form_from_elsewhere_is_refused_at_every_address(browser):
    from django.urls import reverse

    from tools.centre.web.urls import urlpatterns

    client = browser("mayor")
    client.handler.enforce_csrf_checks = True
    for pattern in urlpatterns:
        values = {name: 0 if name in ("z", "x", "y") else FENEU for name in pattern.pattern.converters}
        said = client.post(reverse(pattern.name, kwargs=values), {"who": "mayor", "password": PASSWORD})
        assert said.status_code == 403, pattern.name
        assert "The form was not accepted" in said.content.decode(), pattern.name


def test_one_time_password_opens_the_choice_of_another_and_nothing_else(browser):
    from tools.centre.web.accounts import reset

    first, client = reset("newcomer"), browser()
    assert re.fullmatch("([a-z0-9]{4}-){3}[a-z0-9]{4}", first)
    assert enter(client, "newcomer", first)["Location"] == "/password"
    assert client.get("/")["Location"] == "/password"
    part = client.get("/49135/lights", headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Redirect"]) == (204, "/password")
    again = browser()  # it stays one in another browser
    assert enter(again, "newcomer", first)["Location"] == "/password"
    for typed, second, told in [("short", "short", "12 characters"), ("password1234", "password1234", "guessed"),
                                ("a long one of mine", "another long one", "not the same")]:  # fmt: skip
        said = client.post("/password", {"password": typed, "again": second})
        assert (said.status_code, told in said.content.decode()) == (400, True), typed
    assert client.post("/password", {"password": PASSWORD, "again": PASSWORD})["Location"] == "/"
    assert client.get("/").status_code == 200
    assert again.get("/")["Location"].startswith("/login")  # the other session has ended
    assert enter(browser(), "newcomer", first).status_code == 403
    assert client.get("/password")["Location"] == "/"  # not for a password of one's own


def test_one_time_password_ends_after_a_week(browser):
    from datetime import timedelta

    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from tools.centre.web.accounts import reset

    first = reset("late")
    late = timezone.now() - timedelta(seconds=limits.ONE_TIME_S + 60)
    get_user_model().objects.filter(username="late").update(date_joined=late)
    said = enter(browser(), "late", first)
    assert (said.status_code, "too old" in said.content.decode()) == (403, True)


def test_new_one_time_password_ends_the_sessions(browser):
    from tools.centre.web.accounts import reset

    client = browser("two")
    assert client.get("/").status_code == 200
    reset("two")
    assert client.get("/")["Location"].startswith("/login")


def test_passwords_are_kept_by_argon2(browser):
    """Of Django's own class, so at its cost; in these tests at the least (conftest.py)."""
    from django.conf import settings
    from django.contrib.auth import get_user_model

    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert {one.password.partition("$")[0] for one in get_user_model().objects.all()} == {"argon2"}


def test_secrets_are_readable_by_their_owner_only(served, tmp_path):
    for name in ("web.sqlite3", "web.sqlite3.key"):
        assert stat.S_IMODE((served / name).stat().st_mode) == 0o600
    path = str(tmp_path / "other.sqlite3")
    assert secret_key(path) == secret_key(path) != secret_key(str(served / "web.sqlite3"))


def test_plain_http_is_for_this_machine_only():
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "::1")))
    assert not any(map(is_loopback, ("centre.example.fr", "192.0.2.1", "127.0.0.1.example.fr", "localhost.example.fr")))
