"""Defines the view (status, language, person) from which every screen is made, and the frame around a screen.

A screen is a function of a `View` that returns HTML. The part `live` holds what may change by itself; the
script fetches it again; without the script the browser loads the whole page again now and then. Such loads are marked,
so that they keep no session alive.
"""

from typing import NamedTuple

from gateway.core.status import CabinetStatus, Status
from gateway.language.figures import duration
from gateway.show.explain import moments
from gateway.show.findings import findings
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.sessions import Session
from gateway.show.page.words import page_text, page_text_or

TABS = (("now", "/"), ("tonight", "/tonight"), ("faults", "/faults"), ("health", "/health"), ("nodes", "/node"))
_REFRESH_S = 5
_RELOAD_S = 15
_ICONS = {
    "now": "M9 21h6M12 3a6 6 0 0 0-3.6 10.8c.7.6 1.1 1.4 1.1 2.2h5c0-.8.4-1.6 1.1-2.2A6 6 0 0 0 12 3z",
    "tonight": "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
    "faults": "M12 3.5 22 20.5H2zM12 10v4.5M12 17.4v.2",
    "health": "M4 5h16v6H4zM4 13h16v6H4zM7.5 8v.1M7.5 16v.1",
    "nodes": "M7 21h5M9.5 21V7a4 4 0 0 1 4-4h2a2.5 2.5 0 0 1 2.5 2.5V8h-5.5",
}


# The screens from which orders are given.
NOW, FEEDER = "now", "feeder"


class Done(NamedTuple):
    """Confirms an order. `place`: its feeder; None: all of them."""

    place: int | None
    text: str


class View(NamedTuple):
    """Holds what a screen shows. `path` is its own address, `session` that of the person at the phone; `origin`: the
    screen that an order comes back to; `done`: the order that this person has just given."""

    status: Status
    language: str
    session: Session
    path: str
    origin: str = NOW
    done: Done | None = None

    def text(self, key: str, **values: object) -> str:
        return page_text(key, self.language, **values)

    @property
    def cabinet(self) -> CabinetStatus | None:
        return self.status.cabinet

    @property
    def unix_s(self) -> int | None:
        return None if self.cabinet is None else self.cabinet.unix_s


def live_part(view: View, body: Child) -> Safe:
    """Returns the top of the page and the screen: the part that is fetched again."""
    return join(
        tag("header", tag("div", *_title(view), class_="bar"), tag("ul", _chips(view), class_="chips")),
        tag("main", body, id="main"),
    )


def page(view: View, title: str, body: Child, *, is_live: bool) -> Safe:
    """Returns the whole document of a screen."""
    return shell(
        title,
        view.language,
        tag("a", view.text("skip"), href="#main", class_="skip"),
        tag("p", view.text("stale"), id="stale", role="alert", hidden=True),
        tag("div", live_part(view, body), id="live", data_every=_REFRESH_S if is_live else None),
        _footer(view),
        _tabs(view),
        head=_reload(view) if is_live else None,
    )


def shell(title: str, language: str, *body: Child, head: Child = None) -> Safe:
    """Returns a document with our style, our one script, and nothing from another host."""
    content = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="theme-color", content="#12313b"),
            tag("title", title),
            tag("link", rel="stylesheet", href="/static/page.css"),
            tag("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
            head,
        ),
        tag("body", *body, tag("script", src="/static/page.js", defer=True)),
        lang=language,
    )
    return Safe(f"<!doctype html>\n{content}\n")


def secret(view: View) -> Safe:
    """Returns the field that each form of a session carries."""
    return tag("input", type="hidden", name="csrf", value=view.session.csrf)


def chip(words: str, kind: str, href: str | None = None) -> Safe:
    inner = tag("a", words, href=href) if href else words
    return tag("li", inner, class_=f"chip {kind}")


def icon(name: str) -> Safe:
    return tag("svg", tag("path", d=_ICONS[name]), viewBox="0 0 24 24", class_="icon", aria_hidden="true")


def other_language(language: str) -> str:
    return "en" if language == "fr" else "fr"


# --- the frame ------------------------------------------------------------------------------------------------------


def _title(view: View) -> tuple[Child, ...]:
    status, unix_s = view.status, view.unix_s
    shown = view.text("time_unknown") if unix_s is None else moments.clock(unix_s, view.language)
    words = view.text("title", name=status.name)
    if status.commune:
        words = view.text("title.commune", commune=status.commune, name=status.name.partition("-")[2] or status.name)
    return (tag("h1", words), tag("p", shown, class_="clock"))


def _chips(view: View) -> Child:
    chips: list[Child] = []
    count = len(findings(view.status))
    if count:
        words = view.text("chip.faults", count=count)
        chips.append(chip(words, "bad", "/faults"))
    cabinet = view.cabinet
    if cabinet is not None:
        if cabinet.switch is not None:
            kind = "plain" if cabinet.switch == "auto" else "warn"
            chips.append(chip(page_text_or(f"chip.switch.{cabinet.switch}", "now.unknown", view.language), kind))
        if cabinet.mains is False:
            chips.append(chip(view.text("chip.mains.no"), "bad"))
        if cabinet.door_open:
            chips.append(chip(view.text("chip.door"), "warn"))
        if cabinet.unix_s is None:
            chips.append(chip(view.text("chip.clock.no"), "warn"))
    chips.append(_centre(view))
    return chips


def _centre(view: View) -> Child:
    centre = view.status.centre
    if centre is None:
        return None
    if centre.connected:
        return chip(view.text("chip.centre.yes"), "plain", "/health")
    return chip(view.text("chip.centre.no", since=duration(centre.since_s, view.language)), "warn", "/health")


def _tabs(view: View) -> Safe:
    links = [
        tag(
            "a", icon(name), tag("span", view.text(f"tab.{name}")), href=href,
            aria_current="page" if view.path == href else None,
        )
        for name, href in TABS
        if name != "nodes" or view.status.nodes is None or view.status.nodes.expected != 0
    ]  # fmt: skip
    return tag("nav", *links, aria_label="Bocage")


def _footer(view: View) -> Safe:
    other = other_language(view.language)
    leave = tag(
        "form",
        secret(view),
        tag("button", view.text("logout"), class_="link"),
        method="post",
        action="/logout",
    )
    switch = tag("a", view.text("other_language"), href=f"{view.path}?lang={other}", lang=other, hreflang=other)
    return tag("footer", tag("p", view.text("you", who=view.session.who)), switch, leave)


def _reload(view: View) -> Safe:
    """Makes the browser load the page again where the script does not run."""
    content = f"{_RELOAD_S}; url={view.path}?auto=1"
    return tag("noscript", tag("meta", http_equiv="refresh", content=content))
