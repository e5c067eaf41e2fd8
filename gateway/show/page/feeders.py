"""Makes the screens of feeders: all with state, watts and reason, one in full, and the page before each order.

A state is shown by a word, a shape and a colour, never by colour alone.
"""

from gateway.core.status import STARTING, CabinetStatus, FeederStatus
from gateway.language.figures import duration
from gateway.show.explain import words as explained
from gateway.show.explain.answer import DISAGREE, explain_now, watts
from gateway.show.explain.night import next_words
from gateway.show.explain.why import why_briefly
from gateway.show.findings import Finding, alarm_findings, is_grave
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.tonight import bar
from gateway.show.page.view import View

_BAR = 100
# The bar has room for a quarter more than normal.
_ABOVE = 1.25


def now(view: View) -> Safe:
    """Shows every feeder, and above them the notices that concern all."""
    cabinet = view.cabinet
    if cabinet is None or not cabinet.feeders:
        if view.status.phase == STARTING:
            return tag("p", view.text("now.starting"), class_="notice")
        return join(tag("p", view.text("now.none"), class_="notice"), tag("p", view.text("now.none.more")))
    notices: list[Child] = []
    if cabinet.switch in ("on", "off"):
        notices.append(tag("p", view.text("now.switch"), class_="notice warn"))
    if cabinet.in_control is False:
        notices.append(tag("p", view.text("now.handed"), class_="notice warn"))
    return join(notices, [card(view, feeder) for feeder in cabinet.feeders])


def card(view: View, feeder: FeederStatus) -> Safe:
    """Shows one feeder in short."""
    assert view.cabinet is not None
    following = next_words(view.cabinet, feeder, view.language)
    return tag(
        "section",
        head(view, feeder, link=f"/feeder/{feeder.place}"),
        power(view, feeder),
        [tag("p", found.sentence(view.language), class_="disagree") for found in own_alarms(view, feeder)],
        tag("p", why_briefly(view.cabinet, feeder, view.language), class_="why"),
        tag("p", view.text("now.next", next=following), class_="next"),
        held(view, feeder),
        actions(view, feeder),
        class_=f"card {state_class(feeder)}",
    )


def own_alarms(view: View, feeder: FeederStatus) -> list[Finding]:
    """Finds the alarms that name this feeder."""
    return [found for found in alarm_findings(view.status, feeder.name) if found.values.get("feeder") == feeder.name]


def head(view: View, feeder: FeederStatus, link: str | None = None) -> Safe:
    """Shows the name, and the state in a word with its duration."""
    lit = "now.powered" if feeder.is_permanent else "now.lit"
    key = "now.unknown" if feeder.closed is None else lit if feeder.closed else "now.dark"
    since: Child = None
    if feeder.closed is not None and feeder.since_s is not None and feeder.since_s >= 0:
        since = tag("span", duration(feeder.since_s, view.language), class_="since")
    name = tag("a", feeder.name, href=link) if link else feeder.name
    state = tag("p", tag("strong", view.text(key)), " ", since, class_="state")
    return tag("div", tag("h2", name), state, class_="head")


def power(view: View, feeder: FeederStatus) -> Safe:
    """Shows the watts as a figure and a bar, and the sentence where they do not agree."""
    found = watts(feeder, view.language)
    if feeder.power_w is None:
        figures: Child = tag("p", view.text("now.power.none"), class_="figure none")
    else:
        expected = None
        if feeder.normal_w:
            words = view.text("now.expected" if feeder.closed else "now.normal", expected=round(feeder.normal_w))
            expected = tag("span", words, class_="expected")
        shown = tag("b", view.text("now.power", power=round(feeder.power_w)))
        figures = tag("p", shown, " ", expected, class_="figure")
    is_wrong = found.verdict == DISAGREE
    sentence = tag("p", found.brief, class_="disagree") if is_wrong else None
    return tag("div", figures, _bar(view, feeder), sentence, class_=f"watts{' wrong' if is_wrong else ''}")


def held(view: View, feeder: FeederStatus) -> Child:
    """Shows a test under way with its countdown, or a lock-out with its author."""
    if is_locked(feeder) and feeder.rule != "interlock":
        return tag("p", view.text("lock.held", who=feeder.locked_by), class_="notice lock")
    if not is_tested(feeder):
        return None
    left_s = left_of(view, feeder)
    if left_s is None:
        return tag("p", view.text("test.runs"), class_="notice test")
    shown = tag("span", duration(left_s, view.language), data_left=left_s)
    return tag("p", view.text("test.left"), " ", shown, class_="notice test")


def left_of(view: View, feeder: FeederStatus) -> int | None:
    """Returns the seconds until a test ends, where that is known."""
    if feeder.test_left_s is not None:
        return max(0, feeder.test_left_s)
    if feeder.until_unix_s is None or view.unix_s is None:
        return None
    return max(0, feeder.until_unix_s - view.unix_s)


def actions(view: View, feeder: FeederStatus) -> Safe:
    """Shows the possible orders; each leads to a page that explains it."""
    base = f"/feeder/{feeder.place}"
    if is_locked(feeder):
        return tag("div", _button(view, "unlock", f"{base}/unlock"), class_="actions")
    first: Child = _button(view, "test", f"{base}/test")
    if is_tested(feeder):
        first = stop_form(view, feeder)
    elif feeder.is_permanent and feeder.closed:
        first = None  # nothing could be observed
    return tag("div", first, _button(view, "lock", f"{base}/lock", "quiet"), class_="actions")


def stop_form(view: View, feeder: FeederStatus) -> Safe:
    """Makes the button that ends a test: no page in between is needed."""
    return tag(
        "form",
        tag("input", type="hidden", name="csrf", value=view.session.csrf),
        tag("button", view.text("test.stop"), class_="button", id=f"stop-{feeder.place}"),
        method="post",
        action=f"/feeder/{feeder.place}/stop",
    )


def is_locked(feeder: FeederStatus) -> bool:
    return feeder.locked_by is not None


def is_tested(feeder: FeederStatus) -> bool:
    return feeder.rule == "manual" or bool(feeder.test_left_s)


def state_class(feeder: FeederStatus) -> str:
    return "unknown" if feeder.closed is None else "lit" if feeder.closed else "dark"


def _button(view: View, name: str, href: str, kind: str = "") -> Safe:
    place = href.split("/")[2]
    return tag("a", view.text(f"{name}.button"), href=href, class_=f"button {kind}".strip(), id=f"{name}-{place}")


def _bar(view: View, feeder: FeederStatus) -> Child:
    if feeder.power_w is None or not feeder.normal_w or not feeder.closed:
        return None
    share = max(0, min(_BAR, round(_BAR * feeder.power_w / (_ABOVE * feeder.normal_w))))
    return tag(
        "svg",
        tag("title", view.text("now.meter")),
        tag("rect", width=_BAR, height=6, rx=3, class_="track"),
        tag("rect", width=share, height=6, rx=3, class_="fill"),
        tag("rect", x=_BAR / _ABOVE - 0.4, width=0.8, height=6, class_="mark"),
        viewBox=f"0 0 {_BAR} 6",
        preserveAspectRatio="none",
        class_="bar-svg",
        role="img",
        aria_label=view.text("now.meter"),
    )


TEST_S = 120
ORDERS = ("test", "stop", "lock", "unlock")
# Orders with a page of their own before them.
PAGES = ("test", "lock", "unlock")


def at_place(cabinet: CabinetStatus | None, place: str) -> FeederStatus | None:
    """Returns the feeder of a path; None when there is none."""
    if cabinet is None or not place.isascii() or not place.isdigit() or len(place) > 3:
        return None
    return next((feeder for feeder in cabinet.feeders if feeder.place == int(place)), None)


def feeder_screen(view: View, feeder: FeederStatus) -> Safe:
    """Shows one feeder in full."""
    assert view.cabinet is not None
    answer = explain_now(view.cabinet, feeder, view.language)
    kwh = None if feeder.energy_wh is None else view.text("feeder.energy", energy=_grouped(feeder.energy_wh // 1000))
    facts = [part for part in (_lamps(view, feeder), kwh, _kind(view, feeder)) if part]
    return join(
        tag(
            "section",
            head(view, feeder),
            power(view, feeder),
            tag("p", answer["why"], class_="why"),
            tag("p", view.text("now.next", next=answer["next"]), class_="next"),
            tag("p", " · ".join(facts), class_="facts") if facts else None,
            held(view, feeder),
            actions(view, feeder),
            class_=f"card {state_class(feeder)}",
        ),
        _alarms(view, feeder),
        tag("h3", view.text("feeder.who")),
        tag("ol", [_rung(view, rung) for rung in answer["ladder"]], class_="ladder"),
        _listed(view.text("feeder.commands"), answer["commands"]),
        _listed(view.text("feeder.limits"), answer["limits"]),
        tag("h3", view.text("tab.tonight")),
        tag("section", bar(view, feeder), class_="card plain"),
        tag("p", tag("a", view.text("back"), href="/", class_="button quiet"), class_="actions"),
    )


def order_page(view: View, feeder: FeederStatus, order: str, fault: str | None = None) -> Safe:
    """Explains an order and what to do before it, with the one button that gives it."""
    lines: list[Child] = []
    if fault:
        lines.append(tag("p", fault, class_="notice bad", role="alert"))
    if order == "lock":
        danger = join(tag("strong", view.text("lock.danger")), " ", view.text("lock.danger.do"))
        lines.append(tag("p", danger, class_="notice danger"))
    lines.append(tag("p", view.text(f"{order}.lead")))
    if order == "lock":
        lines.append(tag("p", view.text("lock.ends")))
    if order == "test":
        lines.append(tag("p", view.text("test.people"), class_="notice warn"))
        lines += [_danger(view, found) for found in own_alarms(view, feeder)]
        if feeder.closed:
            lines.append(tag("p", view.text("test.already")))
    read = None
    if order == "lock":
        box = tag("input", type="checkbox", name="read", value="yes", required=True)
        read = tag("label", box, " ", view.text("lock.read"), class_="check")
    return tag(
        "section",
        tag("h2", view.text(f"{order}.title", name=feeder.name)),
        lines,
        tag(
            "form",
            tag("input", type="hidden", name="csrf", value=view.session.csrf),
            read,
            tag("button", view.text(f"{order}.go"), class_="button big danger" if order == "lock" else "button big"),
            method="post",
            action=f"/feeder/{feeder.place}/{order}",
        ),
        tag("a", view.text("back"), href=f"/feeder/{feeder.place}", class_="button quiet big"),
        class_="card order",
    )


def refusal(view: View, feeder: FeederStatus | None, word: str) -> Safe:
    """Explains why the agent, or the page, refused an order."""
    is_known = word in ("locked", "form", "read")
    words = view.text(f"refused.{word}") if is_known else view.text("refused.other", word=word)
    back = "/" if feeder is None else f"/feeder/{feeder.place}"
    return tag(
        "section",
        tag("h2", view.text("refused.title")),
        tag("p", words, class_="notice bad", role="alert"),
        tag("a", view.text("back"), href=back, class_="button big"),
        class_="card order",
    )


def finding_items(view: View, found: list[Finding]) -> Safe:
    """Shows findings, each with its sentence, its duration, and what to do."""
    return tag("ul", [_finding(view, one) for one in found], class_="faults")


def _finding(view: View, found: Finding) -> Safe:
    since: Child = None
    if found.since_s is not None and found.since_s >= 0:
        since = tag("span", view.text("faults.since", since=duration(found.since_s, view.language)))
    return tag(
        "li",
        tag("p", tag("strong", found.sentence(view.language)), " ", since),
        tag("p", view.text("faults.do", text=found.to_do(view.language)), class_="do"),
        class_=None if is_grave(found) else "minor",
    )


def _danger(view: View, found: Finding) -> Safe:
    """Warns of a fault of the feeder that a person is about to energise."""
    sentence, to_do = found.sentence(view.language), found.to_do(view.language)
    kind = "notice danger" if is_grave(found) else "notice warn"
    return tag("p", tag("strong", sentence), ". ", view.text("faults.do", text=to_do), class_=kind)


def _alarms(view: View, feeder: FeederStatus) -> Child:
    own = own_alarms(view, feeder)
    return join(tag("h3", view.text("feeder.alarms")), finding_items(view, own)) if own else None


def _rung(view: View, rung: dict[str, str]) -> Safe:
    level = explained.word(f"level.{rung['level']}", view.language)
    verdict = explained.word(f"verdict.{rung['verdict']}", view.language)
    shown = None if rung["verdict"] == "silent" else tag("em", verdict)
    return tag("li", tag("b", level), " ", shown, tag("span", rung["answer"]), class_=rung["verdict"])


def _listed(title: str, lines: list[str]) -> Child:
    return join(tag("h3", title), tag("ul", [tag("li", line) for line in lines], class_="lines")) if lines else None


def _lamps(view: View, feeder: FeederStatus) -> str | None:
    return explained.word("lamps", view.language, count=feeder.lamps) if feeder.lamps and feeder.lamps > 0 else None


def _kind(view: View, feeder: FeederStatus) -> str | None:
    return view.text("feeder.permanent") if feeder.is_permanent else None


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")
