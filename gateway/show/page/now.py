"""The first screen: every feeder with its state, its watts against what is normal, and why, in one sentence.

A state is told by a word, a shape and a colour, never by colour alone.
"""

from gateway.core.status import STARTING, FeederStatus
from gateway.language.figures import duration
from gateway.show.explain.next import next_words
from gateway.show.explain.watts import DISAGREE, watts
from gateway.show.explain.why import why_briefly
from gateway.show.findings import Finding, alarm_findings
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.view import View

_BAR = 100
# The bar has room for a quarter more than normal.
_ABOVE = 1.25


def now(view: View) -> Safe:
    """The screen's body."""
    cabinet = view.cabinet
    if cabinet is None or not cabinet.feeders:
        if view.status.phase == STARTING:
            return tag("p", view.say("now.starting"), class_="notice")
        return join(tag("p", view.say("now.none"), class_="notice"), tag("p", view.say("now.none.more")))
    notices: list[Child] = []
    if cabinet.switch in ("on", "off"):
        notices.append(tag("p", view.say("now.switch"), class_="notice warn"))
    if cabinet.in_control is False:
        notices.append(tag("p", view.say("now.handed"), class_="notice warn"))
    return join(notices, [card(view, feeder) for feeder in cabinet.feeders])


def card(view: View, feeder: FeederStatus) -> Safe:
    """One feeder."""
    assert view.cabinet is not None
    following = next_words(view.cabinet, feeder, view.language)
    return tag(
        "section",
        head(view, feeder, link=f"/feeder/{feeder.place}"),
        power(view, feeder),
        [tag("p", found.sentence(view.language), class_="disagree") for found in own_alarms(view, feeder)],
        tag("p", why_briefly(view.cabinet, feeder, view.language), class_="why"),
        tag("p", view.say("now.next", next=following), class_="next"),
        held(view, feeder),
        actions(view, feeder),
        class_=f"card {state_class(feeder)}",
    )


def own_alarms(view: View, feeder: FeederStatus) -> list[Finding]:
    """The alarms that name this feeder."""
    return [found for found in alarm_findings(view.status, feeder.name) if found.values.get("feeder") == feeder.name]


def head(view: View, feeder: FeederStatus, link: str | None = None) -> Safe:
    """Name, and the state in a word, since when."""
    lit = "now.powered" if feeder.is_permanent else "now.lit"
    key = "now.unknown" if feeder.closed is None else lit if feeder.closed else "now.dark"
    since: Child = None
    if feeder.closed is not None and feeder.since_s is not None and feeder.since_s >= 0:
        since = tag("span", duration(feeder.since_s, view.language), class_="since")
    name = tag("a", feeder.name, href=link) if link else feeder.name
    state = tag("p", tag("strong", view.say(key)), " ", since, class_="state")
    return tag("div", tag("h2", name), state, class_="head")


def power(view: View, feeder: FeederStatus) -> Safe:
    """Watts as a figure and a bar, and the sentence where they do not agree."""
    found = watts(feeder, view.language)
    if feeder.power_w is None:
        figures: Child = tag("p", view.say("now.power.none"), class_="figure none")
    else:
        expected = None
        if feeder.normal_w:
            words = view.say("now.expected" if feeder.closed else "now.normal", expected=round(feeder.normal_w))
            expected = tag("span", words, class_="expected")
        shown = tag("b", view.say("now.power", power=round(feeder.power_w)))
        figures = tag("p", shown, " ", expected, class_="figure")
    is_wrong = found.verdict == DISAGREE
    sentence = tag("p", found.brief, class_="disagree") if is_wrong else None
    return tag("div", figures, _bar(view, feeder), sentence, class_=f"watts{' wrong' if is_wrong else ''}")


def held(view: View, feeder: FeederStatus) -> Child:
    """A test under way with its countdown, or a lock-out with who holds it."""
    if is_locked(feeder) and feeder.rule != "interlock":
        return tag("p", view.say("lock.held", who=feeder.locked_by), class_="notice lock")
    if not is_tested(feeder):
        return None
    left_s = left_of(view, feeder)
    if left_s is None:
        return tag("p", view.say("test.runs"), class_="notice test")
    shown = tag("span", duration(left_s, view.language), data_left=left_s)
    return tag("p", view.say("test.left"), " ", shown, class_="notice test")


def left_of(view: View, feeder: FeederStatus) -> int | None:
    """Seconds until a test ends, where that is known."""
    if feeder.test_left_s is not None:
        return max(0, feeder.test_left_s)
    if feeder.until_unix_s is None or view.unix_s is None:
        return None
    return max(0, feeder.until_unix_s - view.unix_s)


def actions(view: View, feeder: FeederStatus) -> Safe:
    """What may be ordered; each leads to a page that says what it does."""
    base = f"/feeder/{feeder.place}"
    if is_locked(feeder):
        return tag("div", _button(view, "unlock", f"{base}/unlock"), class_="actions")
    first: Child = _button(view, "test", f"{base}/test")
    if is_tested(feeder):
        first = stop_form(view, feeder)
    elif feeder.is_permanent and feeder.closed:
        first = None  # nothing would be seen
    return tag("div", first, _button(view, "lock", f"{base}/lock", "quiet"), class_="actions")


def stop_form(view: View, feeder: FeederStatus) -> Safe:
    """To end a test needs no page between."""
    return tag(
        "form",
        tag("input", type="hidden", name="csrf", value=view.session.csrf),
        tag("button", view.say("test.stop"), class_="button", id=f"stop-{feeder.place}"),
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
    return tag("a", view.say(f"{name}.button"), href=href, class_=f"button {kind}".strip(), id=f"{name}-{place}")


def _bar(view: View, feeder: FeederStatus) -> Child:
    if feeder.power_w is None or not feeder.normal_w or not feeder.closed:
        return None
    share = max(0, min(_BAR, round(_BAR * feeder.power_w / (_ABOVE * feeder.normal_w))))
    return tag(
        "svg",
        tag("title", view.say("now.meter")),
        tag("rect", width=_BAR, height=6, rx=3, class_="track"),
        tag("rect", width=share, height=6, rx=3, class_="fill"),
        tag("rect", x=_BAR / _ABOVE - 0.4, width=0.8, height=6, class_="mark"),
        viewBox=f"0 0 {_BAR} 6",
        preserveAspectRatio="none",
        class_="bar-svg",
        role="img",
        aria_label=view.say("now.meter"),
    )
