"""Lists the kinds of orders that the screens give, and knows of each command which one it is.

To add one: a class beside `order_lighting`, and a line in KINDS.
"""

from typing import Any

from gateway.language import N_, NC_, Phrases, directives
from policy import document, rights
from tools.centre.control import orders
from tools.centre.control.order_words import word as order_word
from tools.centre.store import sqlite_file
from tools.centre.web import order_kind
from tools.centre.web.access import Commune
from tools.centre.web.order_hours import Heat, KeepDry
from tools.centre.web.order_kind import Asking, Form, Kind, Place
from tools.centre.web.order_lighting import Darken, Light, Lower
from wire import command, cose
from wire.command import Command

WORDS = Phrases(order_kind.WORDS.messages | {
    "end.do": NC_("button", "Give back to the plan"),
    "end.say": N_("I sign: back to the plan ({insee}). This ends “{place}”. {author}."),
    "end.heading": N_("Back to the plan"),
    "reason.end": N_("back to the plan"),
})  # fmt: skip


class End(Kind):
    """Ends an order of any kind before its time: the policy decides again."""

    words = WORDS
    name = "end"
    forms = (Form(command.END),)
    usual_reason = "end"

    def found(self, asking: Asking, word: str) -> Place | None:
        order = _ordered(asking.control, word)
        if order is None or order.command.kind == command.END or order.command.insee != asking.own.insee:
            return None
        one = order.command
        if one.expires_s <= asking.request.now_s or orders.ended_by(asking.control, one.id) is not None:
            return None
        kind = kind_of(one)
        label = f"{kind.heading(one, asking.request)}, {one.author}"
        return kind.place(asking, one.gateway, one.target)._replace(label=label, target=None, ended=order)

    def times(self, asking: Asking, place: Place) -> list[tuple[str, str]]:
        assert place.ended is not None
        # A directive may last for months, the command that ends it may not.
        until_s = min(place.ended.command.expires_s, asking.request.now_s + command.WINDOW_S_MAX)
        return [(f"-{until_s}", "")]

    def form_of(self, operator: document.Operator, place: Place, *, now_s: int) -> Form | None:
        assert place.ended is not None
        is_own = place.ended.kid == cose.kid_of(operator.key)
        may = rights.may_end(operator, place.ended.command, is_own=is_own)
        return self.forms[0] if may and not 0 < operator.until_s <= now_s else None

    def is_second_step(self, place: Place) -> bool:
        return False  # its page stands behind a button that was the first


class _Other(Kind):
    """Is what only the command line gives."""

    def place(self, asking: Asking, gateway: str | None, target: str | None) -> Place:
        return Place("", gateway, target)

    def heading(self, one: Command, request: Any) -> str:
        language = request.language
        values = directives.text(one.values, language) if one.values else ""
        return ", ".join(part for part in (order_word(f"kind.{one.kind}", language, values=values), one.target) if part)


def _ordered(control: sqlite_file.Connection, word: str) -> orders.Order | None:
    try:
        return orders.get(control, bytes.fromhex(word))
    except ValueError:
        return None


KINDS: dict[str, Kind] = {one.name: one for one in (Light(), Lower(), Darken(), Heat(), KeepDry(), End())}
_OTHER = _Other()


def kind_of(one: Command) -> Kind:
    """Returns the kind of a command."""
    return next((kind for kind in KINDS.values() if kind.is_own(one)), _OTHER)


def sentences() -> Phrases:
    """Returns the sentences of all kinds."""
    return Phrases({key: message for kind in KINDS.values() for key, message in kind.words.messages.items()})


def givable(request: Any, own: Commune) -> list[tuple[str, str]]:
    """Returns the kinds that may be given in a commune by who has these rights: (name, key of its word)."""
    granted = [kind for kind in KINDS.values() if kind.reasons and (own.insee, kind.trade) in own.areas]
    named = [kind for kind in granted if kind.is_there(request, own)]
    return [(kind.name, f"{kind.name}.do") for kind in named]
