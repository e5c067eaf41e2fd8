"""Shows what may be broken, what is broken with what the centre knows of it, and the report on the whole evening."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from gateway.language import N_, NC_, NN_, Phrases, Sentence, translate
from gateway.language.figures import duration
from simulator.report import text
from tools.centre.control import orders as book
from tools.centre.duty.book import Message
from tools.centre.web import orders, words
from tools.centre.web.access import communes
from tools.centre.web.control import opened_control
from tools.centre.web.faults import led_to
from tools.centre.web.limits import ORDERS_SHOWN_MAX
from tools.centre.web.page import shown
from tools.demo import faults
from tools.demo.known import known, sent
from tools.demo.screens import Demo, first_page, of_the_living, refuses_nonsense
from tools.demo.story import Story, Struck

WORDS = Phrases({
    "drawer.title": N_("Break something and watch"),
    "drawer.none": N_("Nothing is broken. What you break stands here, with what the centre knows of it."),
    "drawer.paused": N_("Time stands still: nothing more comes until it goes on."),
    "drawer.what": N_("What"),
    "drawer.where": N_("Where"),
    "drawer.strike": NC_("button", "Break"),
    "drawer.mend": NC_("button", "Mend"),
    "drawer.close": NC_("button", "Close"),
    "drawer.since": N_("since {clock}"),
    "drawer.expect": N_("To expect: {text}"),
    "drawer.measured": N_("In the street: {text}"),
    "seen": N_("Known at {clock}: {text}"),
    "seen.more": NN_("and {count} more cause on the screen of faults",
                     "and {count} more causes on the screen of faults"),
    "seen.lights": N_("Lights on the map:"),
    "seen.spaces": N_("Rooms and green spaces:"),
    "seen.nothing": N_("The centre knows nothing of it yet."),
    "seen.cut_off": N_("The centre knows nothing of it yet. Its cabinet is cut off: that may be why."),
    "seen.cut_off.then": N_("The centre learnt nothing of it before it was mended. Its cabinet was cut off: that"
                            " may be why."),
    "seen.never": N_("The centre learnt nothing of it before it was mended."),
    "sent": N_("Who would have got an SMS"),
    "sent.to": N_("{clock}, to {person}"),
    "sent.open": N_("Follow the link of the message"),
    "report.title": N_("Report: was everything kept?"),
    "report.ask": N_("To judge, everything that you broke is mended, and three quarters of an hour pass at once."
                     " Then time goes on as before."),
    "report.do": NC_("button", "Mend all and judge"),
    "report.again": NC_("button", "Mend all and judge again"),
    "report.lead": N_("Judged at {clock}: everything was mended, and three quarters of an hour had passed, so what had"
                      " to arrive has arrived."),
    "report.good": N_("The streets were lit as their policy says, no record is lost, and none is counted twice."),
    "report.good.short": N_("Lamps that you broke, or what feeds them, could not follow. All others were lit as their"
                            " policy says; no record is lost, and none is counted twice."),
    "report.bad": N_("Something was not kept. This is a defect of Bocage:"),
    "report.broken": N_("What you broke, and what became of it"),
    "report.none": N_("Nothing was broken this evening."),
    "report.from": N_("from {clock} to {end}, {length}"),
    "report.still": N_("since {clock}, and still"),
    "report.unpowered": NN_("{count} lamp had no current, and burns by its policy again.",
                            "{count} lamps had no current, and burn by their policy again."),
    "report.waited": NN_("{count} record at most waited in the cabinets.",
                         "{count} records at most waited in the cabinets."),
    "report.arrived": N_("All have arrived."),
    "report.kept": NN_("Meanwhile {count} sound lamp was to burn, and did.",
                       "Meanwhile {count} sound lamps were to burn, and all did."),
    "report.kept.not": NN_("Meanwhile {count} sound lamp was to burn; {short} did not for a while.",
                           "Meanwhile {count} sound lamps were to burn; {short} did not for a while."),
    "report.ordered": N_("What was ordered, and what became of it"),
    "order.missing": orders.WORDS.messages["order.missing"],
    "report.ordered.by": N_("{commune}, {at}: {author}, {reason}"),
    "report.figures": N_("All figures of the run"),
    "report.onward": NC_("button", "Go on"),
})  # fmt: skip


@of_the_living
def drawer(request: Any) -> Any:
    """Shows what may be broken, first in the commune on the screen; `?kind=` chooses whose targets are listed."""
    chosen = request.GET.get("kind", "")
    chosen = chosen if chosen in faults.KINDS else next(iter(faults.KINDS))
    insee = urlsplit(request.htmx.current_url or "").path.split("/")[1:2]

    def targets_of(story: Story) -> list[faults.Target]:
        here = next((f"{one.name}, " for one in story.communes if [one.insee] == insee), "")
        return sorted(faults.KINDS[chosen].targets(story), key=lambda one: not one.label.startswith(here))

    targets = settings.DEMO.driver.ask(targets_of)
    language = request.language
    return shown(
        request, "demo/drawer.html", WORDS,
        kinds=[(word, translate(kind.title, language)) for word, kind in faults.KINDS.items()],
        chosen=chosen,
        expect=translate(faults.KINDS[chosen].expect, language),
        targets=targets,
        **_standing(request),
    )  # fmt: skip


def closed(request: Any) -> Any:
    """Shows no drawer."""
    return HttpResponse()


@of_the_living
def struck(request: Any) -> Any:
    """Shows what is broken and what the centre knows of it; htmx asks for it while the drawer is open."""
    return shown(request, "demo/struck.html", WORDS, **_standing(request))


@require_POST
@refuses_nonsense
@of_the_living
def act(request: Any) -> Any:
    """Breaks or mends one thing."""
    do = {"strike": faults.strike, "mend": faults.mend}[request.POST["do"]]
    kind, target = request.POST["kind"], request.POST["target"]
    settings.DEMO.driver.ask(lambda story: do(story, kind, target))
    return struck(request)


@of_the_living
def report(request: Any) -> Any:
    """Says what a judgement takes; posted, mends all and lets time pass, then leads to what the checkers say, with what
    was broken, when, and what became of it."""
    demo: Demo = settings.DEMO
    if request.method == "POST":
        demo.judged = demo.driver.ask(lambda story: story.report())
        return led_to(request.path)
    broken, judged = _described(request), demo.judged
    values: dict[str, Any] = {}
    if judged is not None:
        result = judged.result
        is_short = any(one["kind"] in faults.OF_LAMPS for one in broken)
        verdict = "bad" if not result.is_good else "good.short" if is_short else "good"
        values = {
            "clock_judged": words.clock(judged.unix_s),
            "verdict": f"report.{verdict}",
            # What the judgement has seen to arrive: it knows of no later break.
            "arrived_s": judged.unix_s if result.is_good else 0,
            "defects": text.faults(result),
            "figures": text.text(result, None, request.language, is_short=is_short).strip(),
        }
    return shown(
        request, "demo/report.html", WORDS, broken=broken, ordered=_ordered(request), sent=_sent(broken),
        onward=first_page(request), **values,
    )  # fmt: skip


def _ordered(request: Any) -> list[tuple[orders.Card, str]]:
    """Returns the orders that the person may see, the latest first, each with its commune."""
    names = {one.insee: one.name for one in communes(request)}
    with opened_control(request.areas) as control:
        known, standing = book.given(control, None, ORDERS_SHOWN_MAX), orders.waiting(control, request.areas, None)
        found = orders.cards(control, known, standing, request)
    return [(one, names[one.order.command.insee]) for one in found]


def _standing(request: Any) -> dict[str, Any]:
    """Returns what is broken now, the latest first, what who is on duty would have been sent since the first of it
    broke, and whether time stands still."""
    found = [one for one in reversed(_described(request)) if one["end"] is None]
    return {"struck": found, "sent": _sent(found), "is_paused": settings.DEMO.driver.state.is_paused}


def _sent(broken: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Returns (when, to whom, the whole text, the address below it) of each SMS since the first of these broke."""
    found: list[Message] = sent(min(one["from_s"] for one in broken)) if broken else []
    return [(words.clock(one.made_unix_s), one.person, *one.body.rpartition("\n")[::2]) for one in found]


def _described(request: Any) -> list[dict[str, Any]]:
    """Returns what was broken this evening, in its order: what the world shows of it, asked in its thread, and what the
    centre knows, read as its screens read it."""

    def ask(story: Story) -> list[tuple[Struck, faults.Target, Sentence | None, tuple[int, int]]]:
        return [
            (
                one,
                next(target for target in faults.KINDS[one.kind].targets(story) if target.key == one.target),
                faults.KINDS[one.kind].watch(story, one.target),
                story.short_between(one.from_s, one.until_s or story.unix_s),
            )
            for one in story.broken
        ]

    found = settings.DEMO.driver.ask(ask)
    pairs = [(one[0], one[1]) for one in found]
    return [_row(request, *one, found=pairs) for one in found]


def _is_cut_off(one: Struck, target: faults.Target, found: list[tuple[Struck, faults.Target]]) -> bool:
    """Tells whether the cabinet of a broken thing is cut off: now, or, of what is mended, before that was mended."""
    others = [
        other
        for other, its in found
        if other.cuts_off and any(cabinet.address == target.hangs_on for cabinet in its.cabinets)
    ]
    if one.until_s is None:
        return any(other.until_s is None for other in others)
    return any(other.from_s < one.until_s and (other.until_s or one.until_s) > one.from_s for other in others)


def _row(
    request: Any, one: Struck, target: faults.Target, measured: Sentence | None, lamps: tuple[int, int],
    *, found: list[tuple[Struck, faults.Target]],
) -> dict[str, Any]:  # fmt: skip
    language, kind = request.language, faults.KINDS[one.kind]
    # What was broken by itself is told there, and not once more of its cabinet.
    apart = {its.subject for _, its in found} - {target.subject}
    lasted_s = max(60, (one.until_s or 0) - one.from_s)
    return {
        "kind": one.kind,
        "target": one.target,
        "title": translate(kind.title, language),
        "label": target.label,
        "from_s": one.from_s,
        "clock": words.clock(one.from_s),
        "end": None if one.until_s is None else words.clock(one.until_s),
        "until_s": one.until_s,
        "length": duration(lasted_s - lasted_s % 60, language),
        "expect": translate(kind.expect, language),
        "measured": None if measured is None else translate(measured.message, language, **measured.values),
        # A thunderstorm is no business of the centre's.
        "is_reported": target.subject is not None or bool(target.cabinets),
        "is_cut_off": _is_cut_off(one, target, found),
        "known": known(request, target, one.from_s, one.until_s, apart),
        "unpowered": one.unpowered,
        "waited": one.waited_max,
        "lamps": lamps[0] if target.cabinets else 0,
        "short": lamps[1] if target.cabinets else 0,
    }
