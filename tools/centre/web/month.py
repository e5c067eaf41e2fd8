"""Shows a month of a commune's lighting on one page that prints: energy, cost, dark hours, faults, who has lit."""

import re
from typing import Any, NamedTuple

from django.conf import settings

from gateway.language import N_, NN_, Phrases
from gateway.language.figures import number
from policy import civil
from policy.document import PERMANENT, Policy
from tools.centre.condition import words as fault_words
from tools.centre.condition.faults import Faults
from tools.centre.condition.metering import Metering
from tools.centre.condition.usage import ENERGY, Usages, first_counted_s, waiting
from tools.centre.control import communes
from tools.centre.register.equipment import COMMUNE
from tools.centre.register.register import Register
from tools.centre.scope import grants
from tools.centre.web import night, words
from tools.centre.web.access import commune, opened
from tools.centre.web.control import opened_control
from tools.centre.web.duty import opened_book
from tools.centre.web.health import alone_in
from tools.centre.web.limits import MONTH_FAULTS_MAX, MONTH_ORDERS_MAX
from tools.centre.web.order_lighting import lowers
from tools.centre.web.orders import WORDS as ORDER_WORDS
from tools.centre.web.orders import given
from tools.centre.web.page import shown
from tools.centre.web.town import lighting

_DAY_S = 86_400
WORDS = Phrases({
    "title": N_("{commune}, {month}"),
    "so_far": N_("to {clock} today"),
    "before": N_("Month before"),
    "after": N_("Month after"),
    "energy": N_("Electricity"),
    "kwh": N_("{kwh} kWh"),
    "kwh.none": N_("Nothing has measured yet"),
    "coverage": N_("{percent} % of this time is measured"),
    "coverage.since": N_("measured since {when}; {percent} % of the time since then"),
    "waiting": NN_("readings of {count} node are not counted yet", "readings of {count} nodes are not counted yet"),
    "cost": N_("Cost"),
    "euros": N_("{euros} €"),
    "price": N_("at {price} € a kWh"),
    "dark": N_("Dark by decision"),
    "hours": N_("{hours} h"),
    "dark.of": N_("of {hours} h of night, {percent} %, a feeder in the mean"),
    "dark.since": N_("of {hours} h of night since {when}, {percent} %, a feeder in the mean"),
    "saved": N_("about {kwh} kWh less than lit all night, in the nights that are over"),
    "saved.euros": N_("about {kwh} kWh and {euros} € less than lit all night, in the nights that are over"),
    "faults": N_("Faults begun"),
    "faults.open": NN_("{count} of them lasts", "{count} of them last"),
    "faults.none_open": N_("none of them lasts"),
    "faults.list": N_("What was broken"),
    "faults.none": N_("No equipment reported a fault in this month."),
    "silences": NN_("and {count} silence, when nothing was known", "and {count} silences, when nothing was known"),
    "silence.centre": N_("The centre itself heard nothing, or was in trouble"),
    "faults.more": NN_("and {count} more", "and {count} more"),
    "fault.lasts": N_("lasts"),
    "given": N_("Who has lit"),
    "given.none": N_("Nobody gave an order in this month."),
    "given.dark": N_("darkened"),
    "given.unknown": ORDER_WORDS.messages["given.unknown"],
    "months": N_(
        "January February March April May June July August September October November December"
    ),
})  # fmt: skip


class Month(NamedTuple):
    """Names a month by its year and its number from 1."""

    year: int
    number: int

    @classmethod
    def of(cls, unix_s: int) -> "Month":
        year, month, _ = civil.civil_from_days(civil.local_from_unix(civil.PARIS, unix_s).civil_day)
        return cls(year, month)

    def moved(self, months: int) -> "Month":
        years, month = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, month + 1)

    @property
    def first_day(self) -> int:
        return int(civil.days_from_civil(self.year, self.number, 1))

    @property
    def begins_s(self) -> int:
        return int(civil.unix_from_local(civil.PARIS, self.first_day, 0))

    @property
    def text(self) -> str:
        return f"{self.year}-{self.number:02}"

    def name(self, language: str) -> str:
        return f"{words.text(WORDS, 'months', language).split()[self.number - 1]} {self.year}"


def month(request: Any, insee: str) -> Any:
    own = commune(request, insee, grants.LIGHTING)
    this = Month.of(request.now_s)
    asked = _asked(request.GET.get("month", ""), this)
    whole = asked.begins_s, asked.moved(1).begins_s  # days are counted whole, today's with them
    until_s = min(whole[1], request.now_s)
    with opened(own.lighting) as connection:
        usages = Usages(connection, ENERGY, whole, insee=insee)
        metering = Metering(Register(connection), usages, insee, until_s - 1)
        first_s = first_counted_s(connection, ENERGY, whole, insee=insee) or asked.begins_s
        found = next(iter(metering.rows(COMMUNE, until_s - first_s)), None)
        values = _faults(connection, asked, until_s, request) | _energy(found, request.language)
        # Of today some readings always wait for the next roll-up: they are told where nothing else is.
        silent = alone_in(connection, insee, now_s=request.now_s).get(insee, []) if asked == this else []
        values["waiting"] = waiting(connection, whole if values["kwh"] is None else (asked.begins_s, until_s))
        values["first_unix_s"] = first_s if first_s >= asked.begins_s + _DAY_S else None
    values |= _ordered(own, asked, max(asked.begins_s, first_s), until_s)
    if found is not None and found["kwh"] is not None and values.get("policy") is not None:
        values |= _saved(values["policy"], found["kwh"], first_s, until_s, request.language)
    return shown(
        request, "month.html", WORDS, commune=own, tab="town",
        month=asked.name(request.language),
        is_this=asked == this,
        alone=silent,
        silences=_silences(insee, asked, until_s, request.language),
        before=asked.moved(-1).text,
        after=asked.moved(1).text if asked < this else None,
        **values,
    )  # fmt: skip


def _asked(text: str, this: Month) -> Month:
    """Returns the month of an address; this one where it names none, or one to come."""
    found = re.fullmatch("(20[0-9]{2})-(0[1-9]|1[0-2])", text)
    return min(Month(int(found[1]), int(found[2])), this) if found else this


def _energy(found: Any, language: str) -> dict[str, Any]:
    kwh = None if found is None else found["kwh"]
    price = settings.BOCAGE.kwh_price
    return {
        "kwh": None if kwh is None else _rounded(kwh, language, 1),
        "coverage": None if kwh is None else number(found["coverage_percent"], language, 1),
        "price": None if price is None else number(price, language, 2 if round(price, 2) == price else 3),
        "euros": None if kwh is None or price is None else _rounded(kwh * price, language, 2),
    }


def _rounded(figure: float, language: str, digits: int) -> str:
    """Returns a figure whole, or with these digits below ten, where they tell something."""
    return number(figure, language, digits if figure < 10 else 0)


def _faults(connection: Any, asked: Month, until_s: int, request: Any) -> dict[str, Any]:
    began = [one for one in Faults(connection).between(asked.begins_s, until_s) if one.from_unix_s >= asked.begins_s]
    return {
        "faults": len(began),
        "open": sum(not one.is_over for one in began),
        "broken": [
            {
                "what": fault_words.sentence(one, request.language),
                "where": fault_words.where_text(one, request.language),
                "from_unix_s": one.from_unix_s,
                "is_over": one.is_over,
            }
            for one in began[:MONTH_FAULTS_MAX]
        ],
        "more": max(0, len(began) - MONTH_FAULTS_MAX),
    }


def _silences(insee: str, asked: Month, until_s: int, language: str) -> list[tuple[str, int, int | None]]:
    """Returns what the duty was told of that no equipment can report, with its begin and end (None: it lasts)."""
    with opened_book() as book:
        told = [] if book is None else book.unheard(insee, asked.begins_s, until_s)
    centre = WORDS.text("silence.centre", language)
    return [
        (one.text(language) if one.insee == insee else centre, one.begun_unix_s, one.over_unix_s or one.closed_unix_s)
        for one in told[:MONTH_FAULTS_MAX]
    ]


def _ordered(own: Any, asked: Month, from_s: int, until_s: int) -> dict[str, Any]:
    """Returns what the control file says of the month: hours that the policy left dark from an instant on, and orders.
    """
    if settings.BOCAGE.control is None:
        return {}
    with opened_control(own.areas) as control:
        policy = communes.policy_in_force(control, own.insee, now_s=until_s - 1)
        known = [
            one
            for one in lighting(control, own.insee, MONTH_ORDERS_MAX)
            if asked.begins_s <= one.command.not_before_s < until_s and not lowers(one.command)
        ]
        dark = _dark(policy, from_s, until_s)
        return {"given": [given(control, one) for one in known], "policy": policy, "dark": dark}


def _dark(policy: Policy | None, from_s: int, until_s: int) -> dict[str, int] | None:
    if policy is None:
        return None
    evenings = range(night.evening_of(from_s), night.evening_of(until_s - 1) + 1)
    dark_s, night_s = _nights_s(policy, evenings, (from_s, until_s))
    if night_s < 3600:  # it is told in whole hours
        return None
    return {"hours": dark_s // 3600, "of": night_s // 3600, "percent": round(100 * dark_s / night_s)}


def _saved(policy: Policy, kwh: float, first_s: int, until_s: int, language: str) -> dict[str, str]:
    """Returns what the dark hours have saved: the measured energy, times the dark part over the lit part of the nights
    that were measured and are over. Nothing where a feeder is always powered: which of its hours were lit is not known.
    """
    if any(one.kind == PERMANENT for one in policy.lighting.feeders):
        return {}
    dark_s, night_s = _nights_s(policy, range(night.evening_of(first_s), night.evening_of(until_s - 1)))
    if not dark_s or dark_s >= night_s:
        return {}
    saved, price = kwh * dark_s / (night_s - dark_s), settings.BOCAGE.kwh_price
    euros = {} if price is None else {"saved_euros": _rounded(saved * price, language, 2)}
    return {"saved_kwh": _rounded(saved, language, 1), **euros}


def _nights_s(policy: Policy, evenings: range, between: tuple[int, int] | None = None) -> tuple[int, int]:
    nights = [night.dark_and_night_s(policy, one, between) for one in evenings]
    return sum(dark_s for dark_s, _ in nights), sum(night_s for _, night_s in nights)
