"""Lets persons in and out: login, the end of a session, a password of one's own, language and appearance.

A login says one thing whether the name or the password was wrong, costs one argon2 either way, and is refused for a
while after some failures of one person from one address (django-axes). Where it leads to is an address of ours.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from gateway.language import LANGUAGES, N_, Phrases
from gateway.language.figures import duration
from tools.centre.web.limits import (
    HSTS_S,
    LOGIN_COOLOFF,
    ONE_TIME_S,
    PASSWORD_CHARACTERS_MAX,
    PASSWORD_CHARACTERS_MIN,
    PERSON_CHARACTERS_MAX,
)
from tools.centre.web.page import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, shown

WORDS = Phrases({
    "login.title": N_("Log in"),
    "login.lead": N_("The control centre of the territory."),
    "login.who": N_("Your name"),
    "login.password": N_("Password"),
    "login.enter": N_("Enter"),
    "login.wrong": N_("Name or password is wrong."),
    "login.over": N_("This one-time password is too old; `bocage centre web account` makes another."),
    "login.wait": N_("Too many attempts. Try again in {left}."),
    "directory": N_("Enter with {label}"),
    "directory.any": N_("the directory of the territory"),
    "directory.or": N_("or with a password of this centre"),
    "directory.state": N_("This way in was used before, or is too old. Begin again."),
    "directory.denied": N_("The directory has let nobody in. Begin again, or ask who keeps it."),
    "directory.token": N_("What the directory said cannot be trusted. Begin again; if it lasts, tell who keeps it."),
    "directory.unreachable": N_("The directory does not answer. Try again, or enter with a password of this centre."),
    "directory.unknown": N_("The directory knows you, but no account here is yours. Ask who administers the centre."),
    "password.title": N_("Choose a password"),
    "password.lead": N_("Yours served once. Choose your own: {count} characters at least; a sentence is good."),
    "password.new": N_("New password"),
    "password.again": N_("The same once more"),
    "password.keep": N_("Keep"),
    "password.short": N_("It needs {count} characters at least."),
    "password.common": N_("It is too easily guessed: many people use it, or it is your name."),
    "password.differ": N_("The two are not the same."),
})  # fmt: skip


@sensitive_post_parameters("password")
def login(request: Any) -> Any:
    after = own_address(request, request.GET.get("next") or request.POST.get("next") or "/")
    if request.person is not None:
        return HttpResponseRedirect(after)
    if request.method != "POST":
        return login_page(request, after=after)
    who = request.POST.get("who", "")[:PERSON_CHARACTERS_MAX]
    password = request.POST.get("password", "")[:PASSWORD_CHARACTERS_MAX]
    person = auth.authenticate(request, username=who, password=password)
    if person is None:
        return login_page(request, "login.wrong", status=403, after=after, who=who)
    is_one_time = person.last_login is None
    if is_one_time and timezone.now() - person.date_joined > timedelta(seconds=ONE_TIME_S):
        return login_page(request, "login.over", status=403, after=after, who=who)
    auth.login(request, person)
    request.session.clear_expired()  # Django leaves those that are over in its table
    if is_one_time:
        # It stays one until the person has chosen another, whatever becomes of this session.
        person.last_login = None
        person.save(update_fields=["last_login"])
        return HttpResponseRedirect("/password")
    return HttpResponseRedirect(after)


def login_page(request: Any, problem: str | None = None, *, after: str = "/", who: str = "", **values: Any) -> Any:
    """Returns the page of the login, with the sentence of a problem, and the way in by the directory where there is
    one."""
    directory = settings.BOCAGE.directory
    label = None if directory is None else directory.label or WORDS.text("directory.any", request.language)
    return shown(
        request, "login.html", WORDS, problem=problem, after=after, who=who, directory=label, **values
    )  # fmt: skip


def locked_out(request: Any, response: Any = None, credentials: Any = None) -> Any:
    """Answers an attempt of which there were too many; django-axes calls it."""
    left_s = int(LOGIN_COOLOFF.total_seconds())
    answer = login_page(request, "login.wait", status=429, left=duration(left_s, request.language))
    answer["Retry-After"] = str(left_s)
    return answer


@require_POST
def logout(request: Any) -> Any:
    auth.logout(request)
    return HttpResponseRedirect("/login")


@sensitive_post_parameters("password", "again")
def password(request: Any) -> Any:
    """Replaces a one-time password; any other is replaced by a new account's one-time password."""
    if request.user.last_login is not None:
        return HttpResponseRedirect("/")
    problem = None
    if request.method == "POST":
        typed = request.POST.get("password", "")[:PASSWORD_CHARACTERS_MAX]
        problem = _problem(request, typed)
        if problem is None:
            request.user.set_password(typed)
            request.user.last_login = timezone.now()
            request.user.save(update_fields=["password", "last_login"])
            auth.update_session_auth_hash(request, request.user)
            return HttpResponseRedirect("/")
    status = 200 if problem is None else 400
    return shown(request, "password.html", WORDS, status=status, problem=problem, count=PASSWORD_CHARACTERS_MIN)


def _problem(request: Any, typed: str) -> str | None:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    if typed != request.POST.get("again", "")[:PASSWORD_CHARACTERS_MAX]:
        return "password.differ"
    if len(typed) < PASSWORD_CHARACTERS_MIN:
        return "password.short"
    try:
        validate_password(typed, request.user)
    except ValidationError:
        return "password.common"
    return None


@require_POST
def appearance(request: Any) -> Any:
    """Keeps a language or a theme in this browser, and leads back."""
    answer = HttpResponseRedirect(own_address(request, request.POST.get("next") or "/"))
    for name, cookie, known in (("language", LANGUAGE_COOKIE, LANGUAGES), ("theme", THEME_COOKIE, ("", *THEMES))):
        value = request.POST.get(name)
        if value in known:
            is_secure = settings.SESSION_COOKIE_SECURE
            answer.set_cookie(cookie, value, max_age=HSTS_S, secure=is_secure, httponly=True, samesite="Lax")
    return answer


def own_address(request: Any, address: str) -> str:
    """Returns an address of ours as it is, any other as the start."""
    hosts = {request.get_host()}
    return address if url_has_allowed_host_and_scheme(address, hosts, require_https=request.is_secure()) else "/"
