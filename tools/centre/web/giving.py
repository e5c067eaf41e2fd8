"""Shows the form of an order of any kind (`order_kinds`), and takes what a person signed with their own key.

The order is drafted and signed in the browser (`static/web/sign.js`); here it is checked as the centre checks its own
and put into the outbox, on the disk, before the answer. Nothing here can sign.
"""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from gateway.language import N_, NC_, Phrases
from tools.centre.control import communes as control_communes
from tools.centre.control import drafts, outbox
from tools.centre.control import orders as book
from tools.centre.register.equipment import day_text
from tools.centre.store import sqlite_file
from tools.centre.web import order_kinds
from tools.centre.web.access import Commune, commune
from tools.centre.web.control import opened_control
from tools.centre.web.limits import PLACE_CHARACTERS_MAX
from tools.centre.web.order_kind import Asking, Kind
from tools.centre.web.order_kinds import KINDS, givable
from tools.centre.web.page import shown
from wire import cose
from wire.command import SIGNED_COMMAND_BYTES_MAX
from wire.faults import WireFault

WORDS = Phrases(order_kinds.sentences().messages | {
    "no_policy": N_("No policy is in force here, so nothing can be ordered: the commune's policy names who may."),
    "touched": N_("Who is touched: {what}"),
    "give.where": N_("Where?"),
    "give.choose": N_("Choose"),
    "give.unknown": N_("The policy in force names no such place: choose one."),
    "give.several": N_("This street hangs on several feeders: choose one."),
    "give.over": N_("This order is over already."),
    "give.level": N_("How much light is left?"),
    "give.percent": N_("{percent} %"),
    "give.level.why": N_("No lamp gets brighter by it: where the policy wants less light, or none, it stays so."),
    "give.how_long": N_("For how long?"),
    "give.why": N_("Why?"),
    "give.why.sign": N_("Why? This is what is signed next."),
    "reason.other": N_("Another reason"),
    "reason.other.do": NC_("button", "Take this reason"),
    "sign": NC_("button", "Sign"),
    "back": NC_("button", "Back"),
    "again": NC_("button", "Send again"),
    "sending": N_("Signing and sending…"),
    "say.lost": N_("No answer: no network, or your session is over. The same order can be sent again: it counts once."),
    "absent": N_("This browser cannot hold a key of its own: use a recent one, over a secure connection."),
    "prepare": N_(
        "To order from here this device needs a key in your name. It is made here, never leaves, and is yours alone."
    ),
    "prepare.do": NC_("button", "Make my key"),
    "no_right": N_("The policy does not give this right to the key of this device ({name})."),
    "waiting": N_("The key of this device is ready, and serves as soon as the town hall has entered it."),
    "waiting.send": N_("Send the town hall the request, and read them this fingerprint by telephone:"),
    "waiting.share": NC_("button", "Send the request"),
    "waiting.shared": N_("Copied: paste it into a mail"),
    "waiting.what": N_("What the request holds"),
})  # fmt: skip


def give(request: Any, insee: str, kind: str) -> Any:
    """Shows the form of a kind of order; `?where=` names its place."""
    own = commune(request, insee)
    asked = KINDS.get(kind)
    if asked is None or (asked.trade and (insee, asked.trade) not in own.areas):
        raise Http404
    where = request.GET.get("where", "")[:PLACE_CHARACTERS_MAX]
    with opened_control(own.areas) as control:
        form = form_of(request, own, control, asked, where)
    kinds = givable(request, own) if asked.reasons else []
    return shown(request, "give.html", WORDS, commune=own, tab="orders", form=form, kinds=kinds, kind=kind, where=where)


def form_of(
    request: Any, own: Commune, control: sqlite_file.Connection, kind: Kind, where: str, *, right: str = ""
) -> dict[str, Any]:
    """Returns what the form of an order shows. `right`: what a new key is to be given, the kind's own by default."""
    now_s = request.now_s
    policy = control_communes.policy_in_force(control, own.insee, now_s=now_s)
    if policy is None:
        return {"words": WORDS, "policy": None}
    asking = Asking(request, own, control, policy)
    place = kind.found(asking, where)
    operators = [] if place is None else [
        {"kid": cose.kid_of(one.key).hex(), "name": one.name, "form": form.text if form else ""}
        for one in policy.operators
        for form in (kind.form_of(one, place, now_s=now_s),)
    ]  # fmt: skip
    choices = kind.choices(asking, where)
    form = {
        "words": WORDS,
        "policy": policy,
        "kind": kind,
        "where": where,
        "place": place,
        "choices": choices,
        "is_street": where.startswith("street:") and bool(choices) and bool(choices[0][0]),
        "fields": kind.fields(asking),
        "operators": operators,
        "right": right or kind.right,
        "until": day_text(policy.valid_until_s - 1),
    }
    if place is None:
        return form
    is_second_step = kind.is_second_step(place)
    times = kind.times(asking, place)
    return form | {
        "forms": [one.text for one in kind.forms],
        "level": kind.levels[len(kind.levels) // 2] if kind.levels else None,
        "do": f"{kind.name}.do",
        "say": kind.sentence(request),
        "times": times,
        "time": times[kind.usual_time(place)][0],
        "cost": kind.cost(asking, place, times[kind.usual_time(place)][0]),
        "reasons": [kind.say(request, f"reason.{one}") for one in kind.reasons],
        "reason": "" if is_second_step or not kind.usual_reason else kind.say(request, f"reason.{kind.usual_reason}"),
        "is_second_step": is_second_step,
        "ends": place.ended.command.id.hex() if place.ended else "",
    }


# --- an order comes -------------------------------------------------------------------------------------------------


def time(request: Any, insee: str) -> Any:
    """Answers the Unix second of the centre: a telephone's own clock, or a page left open, may be wrong."""
    commune(request, insee)
    return HttpResponse(str(request.now_s), content_type="text/plain")


@require_POST
def sign(request: Any, insee: str) -> Any:
    """Keeps a signed order. 204: it is on the disk; 400: a sentence says why it is none."""
    own = commune(request, insee)
    text = request.POST.get("order", "")
    with opened_control(own.areas) as control:
        try:
            data = bytes.fromhex(text) if len(text) <= 2 * SIGNED_COMMAND_BYTES_MAX else b""
            asked = book.opened(data, request.now_s).command
            if not any(kind.is_own(asked) for kind in KINDS.values()) or asked.insee != insee:
                raise drafts.NotAllowed("refused.malformed")
            if (insee, book.trade_of(control, asked)) not in own.areas:
                raise Http404
            signed = drafts.checked(control, data, now_s=request.now_s)
        except (ValueError, WireFault):
            return _refusal(drafts.NotAllowed("refused.malformed"), request)
        except drafts.NotAllowed as refused:
            return _refusal(refused, request)
    try:
        outbox.put(outbox.path_of(settings.BOCAGE.data), signed, request.person, now_s=request.now_s)
    except book.Full:
        return _refusal(drafts.NotAllowed("refused.full"), request)
    return HttpResponse(status=204)


def _refusal(refused: drafts.NotAllowed, request: Any) -> Any:
    return HttpResponse(refused.text(request.language), status=400, content_type="text/plain; charset=utf-8")
