"""The territory's directory lets in whom an account is bound to, and nobody by a token that is not sound."""


import pytest

from tests.support.scoped_world import FENEU, NOW_S
from tests.support.scripted_directory import CLIENT, SECRET, directory, new_key
from tools.centre.web.directory import Directory, Faulty, configuration

pytest.importorskip("authlib")
pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def keys():
    return new_key(), new_key()


@pytest.fixture
def provider(browser, monkeypatch):
    from django.conf import settings

    from tools.centre.web import accounts

    with directory(NOW_S) as own:
        known = Directory(own.issuer, CLIENT, SECRET, "email", "le compte du syndicat")
        monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(directory=known))
        accounts.bind("mayor", "mayor@example.fr")
        yield own
        accounts.bind("mayor", "")


def begin(person, after=f"/{FENEU}/faults"):
    return person.get("/login/directory", {"next": after})


def enter(person, provider, after=f"/{FENEU}/faults"):
    state, code = provider.code(begin(person, after)["Location"])
    return person.get("/login/directory/back", {"state": state, "code": code})


def test_person_of_the_directory_enters_the_account_that_is_theirs(browser, provider):
    person = browser()
    assert 'href="/login/directory?next=%2F"' in person.get("/login").content.decode()
    asked = begin(person)
    assert asked.status_code == 302 and asked["Location"].startswith(provider.issuer + "/auth?")
    for part in ("response_type=code", f"client_id={CLIENT}", "nonce=", "code_challenge_method=S256", "scope=openid"):
        assert part in asked["Location"], part
    assert "redirect_uri=http%3A%2F%2Ftestserver%2Flogin%2Fdirectory%2Fback" in asked["Location"]
    said = enter(person, provider)
    assert (said.status_code, said["Location"]) == (302, f"/{FENEU}/faults")
    page = person.get(f"/{FENEU}/faults").content.decode()
    assert "<span>mayor</span>" in page
    assert person.session.get_expiry_age() == 12 * 3600
    person.post("/logout")
    assert person.get(f"/{FENEU}/faults")["Location"].startswith("/login")


def test_it_leads_back_to_an_address_of_ours_only(browser, provider):
    assert enter(browser(), provider, "https://elsewhere.example/")["Location"] == "/"


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"nonce": "another"}, "token"), ({"nonce": None}, "token"), ({"aud": "another"}, "token"),
        ({"aud": ["another"], "azp": CLIENT}, "token"), ({"aud": None}, "token"), ({"iss": "https://x"}, "token"),
        ({"exp": NOW_S - 120, "iat": NOW_S - 400}, "token"), ({"exp": None}, "token"),
        ({"iat": NOW_S + 3600}, "token"), ({"sub": None}, "token"),
        ({"email": "stranger@example.fr"}, "unknown"), ({"email": ""}, "unknown"),
        ({"email_verified": False}, "unknown"), ({"email": "%"}, "unknown"),
    ],
)  # fmt: skip
def test_token_that_is_not_sound_lets_nobody_in_and_is_counted(browser, provider, wrong, word):
    from tools.centre.web.directory import refused

    before, person = refused[word], browser()
    provider.wrong = wrong
    said = enter(person, provider)
    assert said.status_code == 403 and 'role="alert"' in said.content.decode(), wrong
    assert refused[word] == before + 1 and provider.tokens == 1
    assert person.get("/")["Location"].startswith("/login")


def test_token_of_another_key_and_without_a_signature(browser, provider, keys):
    provider.signer = keys[0]
    assert enter(browser(), provider).status_code == 403
    provider.signer = provider.key
    token = provider.id_token
    provider.id_token = lambda asked: "eyJhbGciOiJub25lIn0." + token(asked).split(".")[1] + "."
    assert enter(browser(), provider).status_code == 403


def test_state_serves_once_and_only_where_it_was_given(browser, provider):
    from tools.centre.web.directory import refused

    person = browser()
    state, code = provider.code(begin(person)["Location"])
    back = {"state": state, "code": code}
    before = refused["state"]
    assert browser().get("/login/directory/back", back).status_code == 403, "in another browser"
    assert person.get("/login/directory/back", back).status_code == 302
    person.post("/logout")
    assert person.get("/login/directory/back", back).status_code == 403
    assert browser().get("/login/directory/back").status_code == 403
    assert refused["state"] == before + 3 and provider.tokens == 1


def test_what_goes_wrong_is_said_in_plain_french(browser, provider, caplog):
    french = browser(None, **{"Accept-Language": "fr"})
    state, _ = provider.code(begin(french)["Location"])
    said = french.get("/login/directory/back", {"state": state, "error": "access_denied", "error_description": "<b>"})
    assert "L’annuaire n’a laissé entrer personne" in said.content.decode() and "<b>" not in said.content.decode()
    provider.claims = {"sub": "43", "email": "autre@example.fr"}
    assert "aucun compte d’ici n’est le vôtre" in enter(french, provider).content.decode()
    state, code = provider.code(begin(french)["Location"])
    provider.server_close()
    said = french.get("/login/directory/back", {"state": state, "code": code}).content.decode()
    assert "L’annuaire ne répond pas" in said and "mot de passe" in said
    assert not any(word in caplog.text for word in (SECRET, "autre@example.fr", code))


def test_claim_that_the_token_lacks_is_asked_for_of_the_same_person(browser, provider):
    provider.only_at_userinfo = ("email",)
    assert enter(browser(), provider).status_code == 302
    provider.wrong = {"sub": "another"}
    assert enter(browser(), provider).status_code == 403


def test_one_time_password_that_was_never_used_ends_with_the_way_in_by_the_directory(browser, provider):
    from django.contrib.auth import get_user_model

    from tools.centre.web import accounts

    password = accounts.reset("newcomer")
    accounts.bind("newcomer", "NEW@example.fr")
    provider.claims = {"sub": "7", "email": "new@example.fr"}
    person = browser()
    assert enter(person, provider).status_code == 302
    assert person.get("/").status_code == 200, "and no password is to be chosen"
    assert browser().post("/login", {"who": "newcomer", "password": password}).status_code == 403
    accounts.bind("mayor", "new@example.fr")
    assert get_user_model().objects.get(username="newcomer").email == "", "one person, one account"
    get_user_model().objects.filter(username="newcomer").delete()


def test_local_password_still_serves(browser, provider):
    from tests.tools.centre.web.conftest import PASSWORD

    assert browser().post("/login", {"who": "mayor", "password": PASSWORD}).status_code == 302


def test_account_that_is_closed_stays_closed(browser, provider):
    from django.contrib.auth import get_user_model

    get_user_model().objects.filter(username="mayor").update(is_active=False)
    try:
        assert enter(browser(), provider).status_code == 403
    finally:
        get_user_model().objects.filter(username="mayor").update(is_active=True)


def test_without_a_directory_there_is_no_such_way(browser):
    assert browser().get("/login/directory").status_code == 404
    assert "/login/directory" not in browser().get("/login").content.decode()


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ('client = "a"', "issuer"), ('issuer = "http://x.example.fr"\nclient = "a"\nsecret = "S"', "issuer"),
        ('issuer = "https://x"\nclient = 1\nsecret = "S"', "client"),
        ('issuer = "https://x"\nclient = "a"\nsecret = "S"\nclaims = "sub"', "claims"),
    ],
)  # fmt: skip
def test_file_that_is_faulty_is_told_with_its_field(tmp_path, lines, field):
    (tmp_path / "secret").write_text("x\n")
    (tmp_path / "directory.toml").write_text(lines.replace('"S"', f'"{tmp_path / "secret"}"'))
    with pytest.raises(Faulty, match=field):
        configuration(tmp_path / "directory.toml")


def test_file_names_the_secret_by_a_file(tmp_path):
    (tmp_path / "secret").write_text("x\n")
    text = f'issuer = "https://x/realms/y/"\nclient = "a"\nsecret = "{tmp_path / "secret"}"\n'
    (tmp_path / "directory.toml").write_text(text)
    assert configuration(tmp_path / "directory.toml") == ("https://x/realms/y", "a", "x", "email", "")
