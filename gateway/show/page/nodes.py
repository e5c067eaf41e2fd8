"""Makes the screens of nodes: those of the cabinet, one in full with its two steps, and the page before it is placed.

The steps are those of a technician beside a pole: make the lamp blink, then say which light it is. No screen shows a
key, and of a node that has no key here only that it has been heard.
"""

from gateway.core.placement import ASKED, MEASURED, REFUSED, SHOWN, Identification, NodeSight
from gateway.language.figures import duration, number
from gateway.show.explain import moments
from gateway.show.page.html import Child, Safe, join, tag
from gateway.show.page.lights import Light
from gateway.show.page.view import View, secret
from gateway.show.page.words import page_text_or

_TEXT_MAX = 40


def nodes_screen(view: View, sights: list[NodeSight], typed: str, *, is_found: bool) -> Safe:
    """Shows the nodes found, or heard last, below the field for the digits of a label."""
    field = tag("input", id="id", name="id", value=typed, maxlength=64, autocomplete="off", autocapitalize="off",
                spellcheck="false", aria_describedby="id-why")  # fmt: skip
    search = tag(
        "form",
        tag("label", view.text("nodes.id"), for_="id"),
        field,
        tag("p", view.text("nodes.id.why"), id="id-why", class_="hint"),
        tag("button", view.text("nodes.find"), class_="button"),
        action="/node",
        class_="card plain fields",
    )
    if not is_found:
        listed: Child = tag("p", view.text("nodes.not_found", typed=typed), class_="notice bad", role="alert")
    elif not sights:
        listed = tag("p", view.text("nodes.none"), class_="notice plain")
    else:
        title = tag("h2", view.text("nodes.found" if typed else "nodes.heard"))
        listed = join(title, tag("ul", [_line(view, sight) for sight in sights], class_="lines nodes"))
    return join(search, listed)


def node_screen(view: View, sight: NodeSight, known: Light | None) -> Safe:
    """Shows one node: whether it is ours and heard, what it is, its lamp, and what can be done. `known`: the light at
    which the register has it."""
    if not sight.is_adopted:
        return join(tag("section", _head(view, sight), _stranger(view, sight), class_="card unknown"), _back(view))
    shown = sight.identification
    waits = shown is not None and shown.state in (ASKED, SHOWN)
    blink = tag(
        "form",
        secret(view),
        tag("button", view.text("node.identify"), class_="button", id="identify", disabled=waits),
        method="post",
        action=f"/node/{sight.node.hex()}/identify",
    )
    place = tag("a", view.text("node.place"), href=f"/node/{sight.node.hex()}/place", class_="button quiet", id="place")
    card = tag(
        "section",
        _head(view, sight),
        _placed(view, sight),
        _identified(view, shown),
        tag("p", view.text("node.unreachable"), class_="notice warn") if not sight.is_reachable else None,
        tag("div", blink, place, class_="actions"),
        class_="card plain",
    )
    return join(card, _facts(view, sight, known), _back(view))


def place_page(view: View, sight: NodeSight, lights: list[Light]) -> Safe:
    """Asks which light the node serves; the phone offers those that the cabinet knows."""
    place = sight.place
    offered = [tag("option", light.street, value=light.id) for light in lights]
    fields = [
        join(
            tag("label", view.text(f"place.{name}"), for_=name),
            tag("input", id=name, name=name, value=value, maxlength=_TEXT_MAX, required=name == "light",
                list="lights" if offered and name == "light" else None, autocomplete="off", autocapitalize="off"),
        )
        for name, value in (("light", place and place.light), ("street", place and place.street))
    ]  # fmt: skip
    return tag(
        "section",
        tag("h2", view.text("place.title")),
        tag("p", _grouped(sight.node)),
        _identified(view, sight.identification),
        tag("p", view.text("place.untried"), class_="notice warn") if _is_untried(sight) else None,
        tag("datalist", offered, id="lights") if offered else None,
        tag("form", secret(view), fields, tag("button", view.text("place.go"), class_="button big"), method="post",
            action=f"/node/{sight.node.hex()}/place", class_="fields"),
        tag("a", view.text("back"), href=f"/node/{sight.node.hex()}", class_="button quiet big"),
        class_="card order",
    )  # fmt: skip


def exchange_page(view: View, sight: NodeSight, other: NodeSight, light: str, street: str) -> Safe:
    """Asks whether two nodes were exchanged, where the light is that of another one."""
    to_other = view.text("exchange.none") if sight.place is None else _light(sight)
    hidden = [tag("input", type="hidden", name=name, value=value)
              for name, value in (("light", light), ("street", street), ("exchange", "yes"))]  # fmt: skip
    who = "?" if other.place is None else other.place.who
    said = view.text("exchange.lead", light=light, node=_grouped(other.node), who=who)
    return tag(
        "section",
        tag("h2", view.text("exchange.title")),
        tag("p", said, class_="notice warn", role="alert"),
        tag("p", view.text("exchange.after", light=light, node=_grouped(sight.node))),
        tag("p", view.text("exchange.after", light=to_other, node=_grouped(other.node))),
        tag("form", secret(view), hidden, tag("button", view.text("exchange.go"), class_="button big"), method="post",
            action=f"/node/{sight.node.hex()}/place"),
        tag("a", view.text("back"), href=f"/node/{sight.node.hex()}/place", class_="button quiet big"),
        class_="card order",
    )  # fmt: skip


def refusal_words(view: View, word: str) -> str:
    """Explains why the agent, the page or the node refused an order about a node."""
    otherwise = "refused.form" if word == "form" else "why.other"
    return page_text_or(f"why.{word}", otherwise, view.language, word=word)


# --- parts ----------------------------------------------------------------------------------------------------------


def _head(view: View, sight: NodeSight) -> Safe:
    heard = view.text("node.silent")
    if sight.heard_ago_s is not None:
        heard = view.text("node.heard", ago=duration(sight.heard_ago_s, view.language))
    return tag("div", tag("h2", _grouped(sight.node), class_="id"), tag("p", heard, class_="since"), class_="head")


def _stranger(view: View, sight: NodeSight) -> Safe:
    said = "node.stranger" if sight.heard_ago_s is None else "node.stranger.heard"
    return join(
        tag("p", tag("strong", view.text(said)), class_="notice bad"), tag("p", view.text("node.stranger.do"))
    )


def _placed(view: View, sight: NodeSight) -> Safe:
    place = sight.place
    if place is None:
        return tag("p", view.text("node.no_place"), class_="notice warn")
    when = None if place.unix_s is None else moments.date_and_clock(place.unix_s, view.language)
    said = ", ".join(part for part in (place.who, when) if part)
    placed = tag("p", view.text("node.placed", light=_light(sight)))
    return tag("div", placed, tag("p", said, class_="by"), class_="notice good")


def _identified(view: View, shown: Identification | None) -> Child:
    """States what the last blink of this lamp has come to."""
    if shown is None:
        return None
    if shown.state == MEASURED:
        power, before = (_watts(view, value) for value in (shown.power_dw, shown.before_dw))
        full = tag("span", view.text("blink.full"), class_="expected")
        figures = tag("p", tag("b", power), " ", full, class_="figure")
        then = view.text("blink.before", power=before, level=shown.level_percent or 0)
        return tag("div", figures, tag("p", then, class_="why"), class_="watts", role="status")
    if shown.state == REFUSED:
        return tag("p", refusal_words(view, shown.why or ""), class_="notice bad", role="status")
    return tag("p", view.text(f"blink.{shown.state}"), class_="notice test", role="status")


def _facts(view: View, sight: NodeSight, known: Light | None) -> Safe:
    measured = None
    if sight.level_percent is not None:
        measured = view.text("node.power.value", power=_watts(view, sight.power_dw), level=sight.level_percent)
    signal = None if sight.signal_dbm is None else view.text("node.signal.value", dbm=sight.signal_dbm)
    kind = page_text_or(f"kind.{sight.kind}", "kind.other", view.language, kind=sight.kind) if sight.kind else None
    facts = (
        ("kind", kind), ("program", sight.version or None), ("feeder", sight.feeder),
        ("signal", signal), ("power", measured),
    )  # fmt: skip
    rows = [(name, value if value is not None else view.text("now.unknown")) for name, value in facts]
    if known is not None:
        rows.insert(0, ("register", ", ".join(part for part in known[:2] if part)))
    return tag("dl", [join(tag("dt", view.text(f"node.{name}")), tag("dd", value)) for name, value in rows])


def _line(view: View, sight: NodeSight) -> Safe:
    what = view.text("nodes.no_place") if sight.place is None else _light(sight)
    heard = None if sight.heard_ago_s is None else duration(sight.heard_ago_s, view.language)
    parts = [part for part in (what, heard, sight.feeder) if part]
    return tag("li", tag("a", tag("b", _grouped(sight.node), class_="id"), tag("span", " · ".join(parts)),
                         href=f"/node/{sight.node.hex()}"))  # fmt: skip


def _light(sight: NodeSight) -> str:
    assert sight.place is not None
    return ", ".join(part for part in (sight.place.light, sight.place.street) if part)


def _grouped(node: bytes) -> str:
    """Returns an id as its label has it: two groups of eight digits."""
    return f"{node.hex()[:8]} {node.hex()[8:]}"


def _watts(view: View, power_dw: int | None) -> str:
    if power_dw is None:
        return view.text("now.power.none")
    return view.text("now.power", power=number(power_dw / 10, view.language))


def _is_untried(sight: NodeSight) -> bool:
    return sight.identification is None or sight.identification.state != MEASURED


def _back(view: View) -> Safe:
    return tag("p", tag("a", view.text("node.others"), href="/node", class_="button quiet"), class_="actions")
