"""Makes the screens of feeders: all with state, watts and reason, one in full, and the page before each order.

A state is shown by a word, a shape and a colour, never by colour alone. After an order one is back where it was given,
where a notice says for DONE_MS (`sessions`) what was done.
"""

from gateway.core import limits
from gateway.core.status import STARTING, CabinetStatus, FeederStatus
from gateway.language.figures import duration
from gateway.show.explain import words as explained
from gateway.show.explain.answer import explain_now
from gateway.show.explain.night import next_words
from gateway.show.explain.why import why_briefly
from gateway.show.feeder_state import DISAGREE, FAULT, LIT, MORE, age_s, is_wrong, state_of, state_text, watts
from gateway.show.findings import Finding, alarm_findings, is_grave
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.tonight import bar
from gateway.show.page.view import FEEDER, NOW, View, secret

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
    return join(notices, all_actions(view, cabinet), [card(view, feeder) for feeder in cabinet.feeders])


def all_actions(view: View, cabinet: CabinetStatus) -> Child:
    """Shows the order to light every feeder for a round by day, or the one that ends it."""
    said = done(view, None)
    tested = [feeder for feeder in cabinet.feeders if is_tested(feeder)]
    if len(tested) > 1:
        left_s = max((left_of(view, feeder) or 0 for feeder in tested), default=0)
        shown = tag("span", duration(left_s, view.language), data_left=left_s)
        return join(said, tag("p", view.text("all.left"), " ", shown, class_="notice test"), _stop_all(view))
    if all(is_locked(feeder) for feeder in cabinet.feeders):
        return said
    button = tag("a", view.text("all.button"), href="/all/test", class_="button quiet", id="all-test")
    return join(said, tag("div", button, class_="actions all"))


def _stop_all(view: View) -> Safe:
    return tag(
        "form",
        secret(view),
        tag("button", view.text("all.stop"), class_="button", id="all-stop"),
        method="post",
        action="/all/stop",
        class_="all",
    )


def card(view: View, feeder: FeederStatus) -> Safe:
    """Shows one feeder in short."""
    assert view.cabinet is not None
    following = next_words(view.cabinet, feeder, view.language)
    return tag(
        "section",
        head(view, feeder, link=f"/feeder/{feeder.place}"),
        done(view, feeder),
        power(view, feeder),
        [tag("p", found.sentence(view.language), class_="disagree") for found in own_alarms(view, feeder)],
        tag("p", why_briefly(view.cabinet, feeder, view.language), class_="why"),
        tag("p", view.text("now.next", next=following), class_="next"),
        held(view, feeder),
        actions(view, feeder),
        class_=f"card {state_class(view.cabinet, feeder)}",
        id=f"feeder-{feeder.place}",
    )


def done(view: View, feeder: FeederStatus | None) -> Child:
    """Confirms the order that this person has just given to a feeder; None: to all of them."""
    place = None if feeder is None else feeder.place
    if view.done is None or view.done.place != place:
        return None
    return tag("p", view.done.text, class_="notice good", role="status")


def own_alarms(view: View, feeder: FeederStatus) -> list[Finding]:
    """Finds the alarms that name this feeder."""
    return [found for found in alarm_findings(view.status, feeder.name) if found.values.get("feeder") == feeder.name]


def head(view: View, feeder: FeederStatus, link: str | None = None) -> Safe:
    """Shows the name, and the state in words with its age; of a state that nothing confirms, the age of the order."""
    assert view.cabinet is not None
    words, since_s = state_text(view.cabinet, feeder, view.language), age_s(view.cabinet, feeder)
    since: Child = None
    if since_s is not None:
        since = tag("span", duration(since_s, view.language), class_="since")
    elif feeder.ordered is not None and view.cabinet.in_control is not False and (feeder.since_s or 0) > 0:
        ago = view.text("now.ordered", ago=duration(feeder.since_s or 0, view.language))
        since = tag("span", ago, class_="since")
    name = tag("a", feeder.name, href=link) if link else feeder.name
    state = tag("p", tag("strong", words[:1].upper() + words[1:]), " ", since, class_="state")
    return tag("div", tag("h2", name), state, class_="head")


def power(view: View, feeder: FeederStatus) -> Safe:
    """Shows the watts as a figure and a bar, and the sentence where they do not agree."""
    assert view.cabinet is not None
    found = watts(view.cabinet, feeder, view.language)
    if feeder.power_w is None:
        figures: Child = tag("p", view.text("now.power.none"), class_="figure none")
    else:
        expected = None
        if feeder.normal_w:
            words = view.text("now.expected" if feeder.ordered else "now.normal", expected=round(feeder.normal_w))
            expected = tag("span", words, class_="expected")
        shown = tag("b", view.text("now.power", power=round(feeder.power_w)))
        figures = tag("p", shown, " ", expected, class_="figure")
    is_red = is_wrong(view.cabinet, feeder)
    is_said = found.verdict == MORE or (
        found.verdict == DISAGREE and state_of(view.cabinet, feeder).kind != FAULT  # whose words say it already
    )
    sentence = tag("p", found.brief, class_="disagree" if is_red else "why") if is_said else None
    return tag("div", figures, _bar(view, feeder), sentence, class_=f"watts{' wrong' if is_red else ''}")


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
    if is_locked(feeder):
        return tag("div", _button(view, "unlock", feeder), class_="actions")
    first: Child = _button(view, "test", feeder)
    if is_tested(feeder):
        first = stop_form(view, feeder)
    elif feeder.is_permanent and feeder.ordered:
        first = None  # nothing could be observed
    return tag("div", first, _button(view, "lock", feeder, "quiet"), class_="actions")


def stop_form(view: View, feeder: FeederStatus) -> Safe:
    """Makes the button that ends a test: no page in between is needed."""
    return tag(
        "form",
        _hidden(view),
        tag("button", view.text("test.stop"), class_="button", id=f"stop-{feeder.place}"),
        method="post",
        action=f"/feeder/{feeder.place}/stop",
    )


def _hidden(view: View) -> Safe:
    """Returns what each form of an order carries: the session's secret, and the screen to come back to."""
    return join(secret(view), tag("input", type="hidden", name="from", value=view.origin))


def back_to(place: int, origin: str) -> str:
    """Returns the address of the screen where an order was given, at its feeder."""
    return f"/feeder/{place}" if origin == FEEDER else f"/#feeder-{place}"


def is_locked(feeder: FeederStatus) -> bool:
    return feeder.locked_by is not None


def is_tested(feeder: FeederStatus) -> bool:
    return feeder.rule == "manual" or bool(feeder.test_left_s)


def state_class(cabinet: CabinetStatus, feeder: FeederStatus) -> str:
    return FAULT if is_wrong(cabinet, feeder) else state_of(cabinet, feeder).kind


def _button(view: View, name: str, feeder: FeederStatus, kind: str = "") -> Safe:
    href = f"/feeder/{feeder.place}/{name}" + (f"?from={FEEDER}" if view.origin == FEEDER else "")
    shown = view.text(f"{name}.button")
    return tag("a", shown, href=href, class_=f"button {kind}".strip(), id=f"{name}-{feeder.place}")


def _bar(view: View, feeder: FeederStatus) -> Child:
    if feeder.power_w is None or not feeder.normal_w or not feeder.ordered:
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
ROUND_S = limits.LOCAL_TEST_S_MAX
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
    shown = tag(
        "section",
        head(view, feeder),
        done(view, feeder),
        power(view, feeder),
        tag("p", answer["why"], class_="why"),
        tag("p", view.text("now.next", next=answer["next"]), class_="next"),
        tag("p", " · ".join(facts), class_="facts") if facts else None,
        held(view, feeder),
        actions(view, feeder),
        class_=f"card {state_class(view.cabinet, feeder)}",
    )
    tonight = tag("section", tag("h3", view.text("tab.tonight")), bar(view, [feeder]), class_="card plain")
    back = tag("a", view.text("back"), href=back_to(feeder.place, NOW), class_="button quiet")
    return join(
        tag("div", shown, _alarms(view, feeder), tonight, class_="column"),
        tag(
            "div",
            tag("h3", view.text("feeder.who")),
            tag("ol", [_rung(view, rung) for rung in answer["ladder"]], class_="ladder"),
            _listed(view.text("feeder.commands"), answer["commands"]),
            _listed(view.text("feeder.limits"), answer["limits"]),
            tag("p", back, class_="actions"),
            class_="column",
        ),
    )


def order_page(view: View, feeder: FeederStatus, order: str) -> Safe:
    """Explains an order and what to do before it, with the one button that gives it."""
    assert view.cabinet is not None
    lines: list[Child] = []
    if order == "lock":
        danger = join(tag("strong", view.text("lock.danger")), " ", view.text("lock.danger.do"))
        lines.append(tag("p", danger, class_="notice danger"))
    lines.append(tag("p", view.text(f"{order}.lead")))
    if order == "lock":
        lines.append(tag("p", view.text("lock.ends")))
    if order == "test":
        lines.append(tag("p", view.text("test.people"), class_="notice warn"))
        lines += [_danger(view, found) for found in own_alarms(view, feeder)]
        if state_of(view.cabinet, feeder).kind == LIT:
            lines.append(tag("p", view.text("test.already")))
    read = None
    if order == "lock":
        box = tag("input", type="checkbox", name="read", value="yes", required=True)
        read = tag("label", box, " ", view.text("lock.read"), class_="check")
    go = tag("button", view.text(f"{order}.go"), class_="button big danger" if order == "lock" else "button big")
    return tag(
        "section",
        tag("h2", view.text(f"{order}.title", name=feeder.name)),
        lines,
        tag("form", _hidden(view), read, go, method="post", action=f"/feeder/{feeder.place}/{order}"),
        tag("a", view.text("back"), href=back_to(feeder.place, view.origin), class_="button quiet big"),
        class_="card order",
    )


def all_page(view: View) -> Safe:
    """Explains the round by day, and names the feeders that stay off."""
    feeders = () if view.cabinet is None else view.cabinet.feeders
    locked = [feeder.name for feeder in feeders if is_locked(feeder)]
    dangers = [_danger(view, found) for feeder in feeders for found in own_alarms(view, feeder)]
    go = tag("button", view.text("all.go"), class_="button big")
    return tag(
        "section",
        tag("h2", view.text("all.title")),
        tag("p", view.text("all.lead")),
        tag("p", view.text("test.people"), class_="notice warn"),
        dangers,
        tag("p", view.text("all.locked", names=", ".join(locked)), class_="notice lock") if locked else None,
        tag("form", _hidden(view), go, method="post", action="/all/test"),
        tag("a", view.text("back"), href="/", class_="button quiet big"),
        class_="card order",
    )


def refusal_words(view: View, feeder: FeederStatus | None, word: str) -> str:
    """Explains why the agent, or the page, refused an order."""
    key = "all_locked" if feeder is None and word == "locked" else word
    is_known = word in ("locked", "form", "read")
    return view.text(f"refused.{key}") if is_known else view.text("refused.other", word=word)


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
