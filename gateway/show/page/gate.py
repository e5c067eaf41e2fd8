"""The two pages that need no session: the login, and the page for what went wrong."""

from gateway.language.figures import duration
from gateway.show.page.html import Child, Safe, tag
from gateway.show.page.view import other_language, shell
from gateway.show.page.words import say

# Why the login shows a line: words of ours; others show none.
_REASONS = ("wrong", "name", "busy", "wait", "over", "left")


def login_page(language: str, *, why: str, wait_s: int = 0, who: str = "") -> Safe:
    """Name and password. `why`: what became of the last attempt, or of the session."""
    told: Child = None
    if why in _REASONS and not (why == "wait" and not wait_s):
        kind = "notice plain" if why in ("over", "left") else "notice bad"
        told = tag("p", say(f"login.{why}", language, left=duration(wait_s, language)), class_=kind, role="alert")
    other = other_language(language)
    return shell(
        say("login.title", language),
        language,
        tag(
            "main",
            tag("h1", "Bocage"),
            tag("p", say("login.lead", language)),
            told,
            tag(
                "form",
                tag("label", say("login.who", language), for_="who"),
                tag("input", id="who", name="who", value=who, required=True, maxlength=40, autocomplete="name",
                    aria_describedby="who-why"),
                tag("p", say("login.who.why", language), id="who-why", class_="hint"),
                tag("label", say("login.password", language), for_="password"),
                tag("input", id="password", name="password", type="password", required=True, maxlength=128,
                    autocomplete="current-password"),
                tag("button", say("login.enter", language), class_="button big"),
                method="post",
                action="/login",
            ),
            tag("p", tag("a", say("other_language", language), href=f"/login?lang={other}", lang=other)),
            class_="login",
            id="main",
        ),
    )  # fmt: skip


def error_page(language: str, status: int) -> Safe:
    """An error in words, and the way back."""
    words = say(f"error.{status}", language) if status in (404, 500) else say("error.other", language, status=status)
    return shell(
        say("error.title", language),
        language,
        tag(
            "main",
            tag("h1", say("error.title", language)),
            tag("p", words, class_="notice bad"),
            tag("a", say("back", language), href="/", class_="button big"),
            class_="login",
            id="main",
        ),
    )
