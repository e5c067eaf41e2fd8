"""Describes what an order on the screens is: where, for how long, why, by whose right, in which words it is signed, and
what it has done.

A kind is one small class with its sentences (`NAME.do`, `NAME.say`, `NAME.heading`), listed in `order_kinds`. Its form,
its list, its page, signing and sending are those of all (`giving`, `orders`, `static/web/sign.js`); who may give it is
the policy's to say, and the cabinet's to enforce.

Light for a street is never a second step: it is the safe side, and somebody may lie in the road. Taking light away
always is one, and so is what is wide: the second step shows who is touched.
"""

from typing import Any, NamedTuple

from gateway.language import N_, Phrases
from policy import document, rights
from tools.centre.control import orders
from tools.centre.store import sqlite_file
from tools.centre.web import words
from tools.centre.web.access import Commune
from wire.command import Command

WORDS = Phrases({
    "where.target": N_("feeder {target}"),
    "where.cabinet": N_("cabinet {gateway}"),
    "lasts.1800": N_("30 min"),
    "lasts.3600": N_("1 h"),
    "lasts.7200": N_("2 h"),
    "lasts.14400": N_("4 h"),
})  # fmt: skip
# What a sentence that is signed may have.
_FILLED = ("place", "insee", "level", "from", "until", "length", "reason", "author")


class Form(NamedTuple):
    """Holds what makes a command one of its kind: the fields of `wire.command.Command` of these names."""

    kind: int
    level: int | None = None
    values: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, one: Command) -> "Form":
        return cls(one.kind, one.level, tuple(sorted((one.values or {}).items())))

    @property
    def text(self) -> str:
        """Returns `1,100,` or `5,,9=2`: what the script reads again from the bytes, to choose the sentence."""
        values = ";".join(f"{code}={value}" for code, value in self.values)
        return f"{self.kind},{'' if self.level is None else self.level},{values}"


class Place(NamedTuple):
    """Says what an order is for. gateway, target: as its bytes name it; label: as the sentence does; touched, parts:
    how much is there, and what; ended: the order that this one ends."""

    label: str
    gateway: str | None = None
    target: str | None = None
    touched: str = ""
    parts: tuple[str, ...] = ()
    is_wide: bool = False
    ended: orders.Order | None = None


class Field(NamedTuple):
    """Holds a list to choose from, in the address: its name, label, options as (word, text), and which is chosen."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    chosen: str


class Asking(NamedTuple):
    """Holds who asks, about which commune, by which policy."""

    request: Any
    own: Commune
    control: sqlite_file.Connection
    policy: document.Policy


class Kind:
    """Describes one thing that may be ordered. `words`: its sentences and WORDS; `name`: in addresses and of its
    sentences; `trade`: who may see it, ""
    that of the order which it ends; `right`: in a policy's text; `forms`: the first to which the person's key has the
    right is signed; `lasts`: seconds that are offered; `reasons`: keys of sentences, `usual_reason` the one of what is
    no second step."""

    words = WORDS
    name = ""
    trade = ""
    right = ""
    forms: tuple[Form, ...] = ()
    lasts: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    usual_reason = ""
    asks = "give.how_long"  # the question above the times
    levels: tuple[int, ...] = ()  # of light in %, to choose from; the middle one is chosen at first
    takes_light = False  # takes light away: a second step, in red
    is_dark = False  # puts lights out

    def say(self, request: Any, key: str, **values: object) -> str:
        return self.words.text(key, request.language, **values)

    def sentence(self, request: Any) -> str:
        """Returns what is signed; the script fills its values in, from the bytes."""
        return self.say(request, f"{self.name}.say", **{name: f"{{{name}}}" for name in _FILLED})

    def is_own(self, one: Command) -> bool:
        """Returns whether a command is of this kind."""
        return Form.of(one) in self.forms

    def is_there(self, request: Any, own: Commune) -> bool:
        """Returns whether a commune has what may be ordered so."""
        return True

    def choices(self, asking: Asking, word: str) -> list[tuple[str, str]]:
        """Returns the places to choose from: (word in an address, text). `word`: what the address has."""
        return []

    def found(self, asking: Asking, word: str) -> Place | None:
        """Returns the place that an address names; None: none, or several."""
        raise NotImplementedError

    def place(self, asking: Asking, gateway: str | None, target: str | None) -> Place:
        """Returns the place that an order's bytes name."""
        raise NotImplementedError

    def form_of(self, operator: document.Operator, place: Place, *, now_s: int) -> Form | None:
        """Returns the form that this operator's key may sign; None: it has not the right."""
        for form in self.forms:
            shortest = _Asked(form.kind, place.target, dict(form.values), now_s, now_s + 1)
            if rights.fault(operator, shortest, now_s) is None:
                return form
        return None

    def is_second_step(self, place: Place) -> bool:
        return self.takes_light or place.is_wide

    def times(self, asking: Asking, place: Place) -> list[tuple[str, str]]:
        """Returns the times to choose from: (`+3600` seconds from now, or two Unix seconds such as
        `1795000000-1795018000`, the first left out for now; text)."""
        return [(f"+{one}", self.say(asking.request, f"lasts.{one}")) for one in self.lasts]

    def fields(self, asking: Asking) -> tuple[Field, ...]:
        """Returns what else is chosen beside the place, before the times."""
        return ()

    def cost(self, asking: Asking, place: Place, time: str) -> str:
        """Returns what it is expected to cost or to save, and how that is known, in sentences. time: one of `times`."""
        return ""

    def usual_time(self, place: Place) -> int:
        """Returns which of them is chosen before: a round takes half an hour, a whole commune is lit for more."""
        return 1 if self.is_second_step(place) else 0

    def heading(self, one: Command, request: Any) -> str:
        """Returns what an order is: `Light until 17:40, feeder bourg`."""
        until = words.moment(one.expires_s, request.language, now_s=request.now_s)
        where = self.where(one, request)
        return self.say(request, f"{self.name}.heading", until=until, level=one.level) + (f", {where}" if where else "")

    def where(self, one: Command, request: Any) -> str:
        """Returns the place of an order in short; "" for the whole commune."""
        key = "where.target" if one.target else "where.cabinet" if one.gateway else ""
        return key and self.say(request, key, target=one.target, gateway=one.gateway)

    def outcome(self, asking: Asking, order: orders.Order) -> tuple[str, ...]:
        """Returns what was measured of it beside what cabinets have reported, in sentences."""
        return ()


class _Asked(NamedTuple):
    kind: int
    target: str | None
    values: dict[int, int]
    not_before_s: int
    expires_s: int
