"""One feeder in full: why, what each level said, its night, its faults with what to do; the page before each order."""

from gateway.core.status import CabinetStatus, FeederStatus
from gateway.language.figures import duration
from gateway.show.explain import words as explained
from gateway.show.explain.told import told_now
from gateway.show.findings import Finding, is_grave
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.now import actions, head, held, own_alarms, power, state_class
from gateway.show.page.tonight import bar
from gateway.show.page.view import View

TEST_S = 120
ORDERS = ("test", "stop", "lock", "unlock")
# Orders with a page of their own before them.
PAGES = ("test", "lock", "unlock")


def at_place(cabinet: CabinetStatus | None, place: str) -> FeederStatus | None:
    """The feeder of a path; None when there is none such."""
    if cabinet is None or not place.isascii() or not place.isdigit() or len(place) > 3:
        return None
    return next((feeder for feeder in cabinet.feeders if feeder.place == int(place)), None)


def feeder_screen(view: View, feeder: FeederStatus) -> Safe:
    """The screen's body."""
    assert view.cabinet is not None
    told = told_now(view.cabinet, feeder, view.language)
    kwh = None if feeder.energy_wh is None else view.say("feeder.energy", energy=_grouped(feeder.energy_wh // 1000))
    facts = [part for part in (_lamps(view, feeder), kwh, _kind(view, feeder)) if part]
    return join(
        tag(
            "section",
            head(view, feeder),
            power(view, feeder),
            tag("p", told["why"], class_="why"),
            tag("p", view.say("now.next", next=told["next"]), class_="next"),
            tag("p", " · ".join(facts), class_="facts") if facts else None,
            held(view, feeder),
            actions(view, feeder),
            class_=f"card {state_class(feeder)}",
        ),
        _alarms(view, feeder),
        tag("h3", view.say("feeder.who")),
        tag("ol", [_rung(view, rung) for rung in told["ladder"]], class_="ladder"),
        _listed(view.say("feeder.commands"), told["commands"]),
        _listed(view.say("feeder.limits"), told["limits"]),
        tag("h3", view.say("tab.tonight")),
        tag("section", bar(view, feeder), class_="card plain"),
        tag("p", tag("a", view.say("back"), href="/", class_="button quiet"), class_="actions"),
    )


def order_page(view: View, feeder: FeederStatus, order: str, fault: str | None = None) -> Safe:
    """What an order does, what to do before it, and the one button that gives it."""
    lines: list[Child] = []
    if fault:
        lines.append(tag("p", fault, class_="notice bad", role="alert"))
    if order == "lock":
        danger = join(tag("strong", view.say("lock.danger")), " ", view.say("lock.danger.do"))
        lines.append(tag("p", danger, class_="notice danger"))
    lines.append(tag("p", view.say(f"{order}.lead")))
    if order == "lock":
        lines.append(tag("p", view.say("lock.ends")))
    if order == "test":
        lines.append(tag("p", view.say("test.people"), class_="notice warn"))
        lines += [_danger(view, found) for found in own_alarms(view, feeder)]
        if feeder.closed:
            lines.append(tag("p", view.say("test.already")))
    read = None
    if order == "lock":
        box = tag("input", type="checkbox", name="read", value="yes", required=True)
        read = tag("label", box, " ", view.say("lock.read"), class_="check")
    return tag(
        "section",
        tag("h2", view.say(f"{order}.title", name=feeder.name)),
        lines,
        tag(
            "form",
            tag("input", type="hidden", name="csrf", value=view.session.csrf),
            read,
            tag("button", view.say(f"{order}.go"), class_="button big danger" if order == "lock" else "button big"),
            method="post",
            action=f"/feeder/{feeder.place}/{order}",
        ),
        tag("a", view.say("back"), href=f"/feeder/{feeder.place}", class_="button quiet big"),
        class_="card order",
    )


def refusal(view: View, feeder: FeederStatus | None, word: str) -> Safe:
    """An order that the agent, or the page, did not take."""
    words = view.say(f"refused.{word}") if word in ("locked", "form", "read") else view.say("refused.other", word=word)
    back = "/" if feeder is None else f"/feeder/{feeder.place}"
    return tag(
        "section",
        tag("h2", view.say("refused.title")),
        tag("p", words, class_="notice bad", role="alert"),
        tag("a", view.say("back"), href=back, class_="button big"),
        class_="card order",
    )


def finding_items(view: View, found: list[Finding]) -> Safe:
    """Each with its sentence, since when, and what to do."""
    return tag("ul", [_finding(view, one) for one in found], class_="faults")


def _finding(view: View, found: Finding) -> Safe:
    since: Child = None
    if found.since_s is not None and found.since_s >= 0:
        since = tag("span", view.say("faults.since", since=duration(found.since_s, view.language)))
    return tag(
        "li",
        tag("p", tag("strong", found.sentence(view.language)), " ", since),
        tag("p", view.say("faults.do", text=found.to_do(view.language)), class_="do"),
        class_=None if is_grave(found) else "minor",
    )


def _danger(view: View, found: Finding) -> Safe:
    """A fault of the feeder that somebody is about to put under tension."""
    sentence, to_do = found.sentence(view.language), found.to_do(view.language)
    kind = "notice danger" if is_grave(found) else "notice warn"
    return tag("p", tag("strong", sentence), ". ", view.say("faults.do", text=to_do), class_=kind)


def _alarms(view: View, feeder: FeederStatus) -> Child:
    own = own_alarms(view, feeder)
    return join(tag("h3", view.say("feeder.alarms")), finding_items(view, own)) if own else None


def _rung(view: View, rung: dict[str, str]) -> Safe:
    level = explained.say(f"level.{rung['level']}", view.language)
    verdict = explained.say(f"verdict.{rung['verdict']}", view.language)
    shown = None if rung["verdict"] == "silent" else tag("em", verdict)
    return tag("li", tag("b", level), " ", shown, tag("span", rung["answer"]), class_=rung["verdict"])


def _listed(title: str, lines: list[str]) -> Child:
    return join(tag("h3", title), tag("ul", [tag("li", line) for line in lines], class_="lines")) if lines else None


def _lamps(view: View, feeder: FeederStatus) -> str | None:
    return explained.say("lamps", view.language, count=feeder.lamps) if feeder.lamps and feeder.lamps > 0 else None


def _kind(view: View, feeder: FeederStatus) -> str | None:
    return view.say("feeder.permanent") if feeder.is_permanent else None


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")
