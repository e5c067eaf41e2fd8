"""Makes the other screens: faults, the gateway's health, the login, a refusal, and the page for an error.

Faults are listed with the gravest first and with what to do: at the cabinet, at the gateway, and the log's last
incidents. The login and the error page need no session.
"""

from gateway.language.figures import duration, number
from gateway.show.findings import Finding, alarm_findings, findings, is_of_street
from gateway.show.page.feeders import finding_items
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.view import View, other_language, shell
from gateway.show.page.words import page_text
from gateway.show.report import fault_words, headline, sections
from gateway.show.words import word

_SHOWN_MAX = 10


def faults(view: View) -> Safe:
    """Shows the faults of cabinet and gateway, and the last incidents of the log."""
    every = findings(view.status)
    street = [found for found in every if is_of_street(found)] or alarm_findings(view.status)
    others = [found for found in every if not is_of_street(found)]
    if not street and not others:
        return join(tag("p", view.text("faults.none"), class_="notice good"), _log(view))
    return join(_group(view, "faults.street", street), _group(view, "faults.gateway", others), _log(view))


def _group(view: View, title: str, found: list[Finding]) -> Child:
    if not found:
        return None
    return join(tag("h2", view.text(title)), finding_items(view, found))


def _log(view: View) -> Child:
    incidents = view.status.faults
    if not incidents:
        return None
    lines = [
        tag("li", word("ago", view.language, ago=duration(one.ago_s, view.language),
                       what=fault_words(one, view.language)))
        for one in reversed(incidents[-_SHOWN_MAX:])
    ]  # fmt: skip
    return join(tag("h2", view.text("faults.log")), tag("ul", lines, class_="lines"))


# Feeders, alarms and faults have screens of their own.
_ELSEWHERE = ("feeder", "alarms", "faults")


def health(view: View) -> Safe:
    """Shows the lines of `gateway status`, and the cabinet's meter and battery."""
    rows = [
        (word(f"label.{label}", view.language), tag("ul", [tag("li", part) for part in parts]))
        for label, parts in sections(view.status, view.language)
        if label not in _ELSEWHERE
    ]
    rows += [(view.text(f"health.{name}"), tag("ul", tag("li", value))) for name, value in _measured(view)]
    return join(
        tag("p", headline(view.status, view.language), class_="notice plain"),
        tag("dl", [join(tag("dt", label), tag("dd", value)) for label, value in rows]),
    )


def _measured(view: View) -> list[tuple[str, Child]]:
    found: list[tuple[str, Child]] = []
    cabinet = view.cabinet
    if cabinet is not None and cabinet.linky:
        index_wh, apparent_va = cabinet.linky.get("index_wh"), cabinet.linky.get("apparent_va")
        values = {
            "index": "?" if not isinstance(index_wh, int) else f"{index_wh // 1000:,}".replace(",", "\u202f"),
            "apparent": "?" if apparent_va is None else apparent_va,
            "mode": cabinet.linky.get("mode") or "?",
        }
        found.append(("linky", view.text("health.linky.value", **values)))
    if cabinet is not None and cabinet.ups_v is not None:
        volts = number(cabinet.ups_v, view.language)
        found.append(("ups", view.text("health.ups.value", volts=volts)))
    version = view.status.version
    return [*found, ("version", version)] if version else found


def refusal(view: View, words: str, back: str) -> Safe:
    """States why an order was refused. `back`: the screen where it was given."""
    return tag(
        "section",
        tag("h2", view.text("refused.title")),
        tag("p", words, class_="notice bad", role="alert"),
        tag("a", view.text("back"), href=back, class_="button big"),
        class_="card order",
    )


# Reasons for which the login shows a line; others show none.
_REASONS = ("wrong", "name", "busy", "wait", "over", "left")


def login_page(language: str, *, why: str, wait_s: int = 0, who: str = "", node: str = "") -> Safe:
    """Shows the form for name and password. `why`: the outcome of the last attempt, or of the session; `node`: whose
    screen follows, after the code of a label."""
    notice: Child = None
    if why in _REASONS and not (why == "wait" and not wait_s):
        kind = "notice plain" if why in ("over", "left") else "notice bad"
        text = page_text(f"login.{why}", language, left=duration(wait_s, language))
        notice = tag("p", text, class_=kind, role="alert")
    other = other_language(language)
    return shell(
        page_text("login.title", language),
        language,
        tag(
            "main",
            tag("h1", "Bocage"),
            tag("p", page_text("login.lead", language)),
            notice,
            tag(
                "form",
                tag("input", type="hidden", name="node", value=node[:16]) if node else None,
                tag("label", page_text("login.who", language), for_="who"),
                tag("input", id="who", name="who", value=who, required=True, maxlength=40, autocomplete="name",
                    aria_describedby="who-why"),
                tag("p", page_text("login.who.why", language), id="who-why", class_="hint"),
                tag("label", page_text("login.password", language), for_="password"),
                tag("input", id="password", name="password", type="password", required=True, maxlength=128,
                    autocomplete="current-password"),
                tag("button", page_text("login.enter", language), class_="button big"),
                method="post",
                action="/login",
            ),
            tag("p", tag("a", page_text("other_language", language), href=f"/login?lang={other}", lang=other)),
            class_="login",
            id="main",
        ),
    )  # fmt: skip


def error_page(language: str, status: int) -> Safe:
    """Shows an error in words, and the way back."""
    key = f"error.{status}" if status in (404, 421, 500) else "error.other"
    words = page_text(key, language, status=status)
    return shell(
        page_text("error.title", language),
        language,
        tag(
            "main",
            tag("h1", page_text("error.title", language)),
            tag("p", words, class_="notice bad"),
            tag("a", page_text("back", language), href="/", class_="button big"),
            class_="login",
            id="main",
        ),
    )
