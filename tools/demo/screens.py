"""Serves the screens of the centre with a bar below them: time, faults, whom one is, and the report.

The screens are those of `tools.centre.web`, unchanged; settings, addresses and one template around theirs are added.
No password is asked for: the address that the command prints has a token, which serves once, and who has entered may
become any of ROLES. So it listens on this machine only.
"""

import secrets
import tomllib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST

from gateway.language import N_, NC_, NN_, Message, Phrases, Said, translate
from simulator.cabinet.commune import BEHUARD
from tools.centre.condition.words import sentence
from tools.centre.registry.equipment import day_text
from tools.centre.scope import grants
from tools.centre.web import words
from tools.centre.web.configuration import Options, settings_of
from tools.centre.web.page import TABS, shown
from tools.demo import faults
from tools.demo.driver import Driver, State
from tools.demo.story import Story, Struck

ENTER = "/demo/enter"
# Where one begins: a village with cabinets and nodes.
COMMUNE = "49135"
SPEEDS: dict[str, float | None] = {"1": 1, "60": 60, "600": 600, "max": None}

Areas = set[tuple[str, str]]
# Whom one may be, and what the scope grants them. Their names are those of accounts.
ROLES: dict[str, tuple[Message, str, Areas]] = {
    "operator": (NC_("role", "lighting operator"), "Camille Renou", {(grants.ALL, grants.ALL)}),
    "mayor": (NC_("role", "mayor"), "Maire de Béhuard", {(BEHUARD.insee, grants.ALL)}),
    "referent": (
        NC_("role", "referent for heat and gardens"),
        "Dominique Perrault",
        {(grants.ALL, grants.HEATING), (grants.ALL, grants.WATERING)},
    ),
}  # fmt: skip

WORDS = Phrases({
    "bar": N_("Demonstration: time, faults and role"),
    "time": N_("Speed of time"),
    "speed": N_("×{speed}"),
    "speed.max": N_("as fast as it goes"),
    "pause": NC_("button", "Pause"),
    "dusk": NC_("button", "To dusk"),
    "reached": N_("×{speed} reached"),
    "paused": N_("time stands still"),
    "hurries": N_("hurrying to {clock}"),
    "lit": NN_("{count} light burns", "{count} lights burn"),
    "power": N_("{power} W"),
    "waiting": NN_("{count} record waits in the cabinets", "{count} records wait in the cabinets"),
    "break": NC_("button", "Break something"),
    "more": NC_("button", "Controls"),
    "broken": NN_("{count} thing is broken", "{count} things are broken"),
    "drawer.title": N_("Break something and watch"),
    "drawer.none": N_("Nothing is broken. What you break stands here, with what the centre has heard of it."),
    "drawer.what": N_("What"),
    "drawer.where": N_("Where"),
    "drawer.strike": NC_("button", "Break"),
    "drawer.mend": NC_("button", "Mend"),
    "drawer.close": NC_("button", "Close"),
    "drawer.since": N_("since {clock}"),
    "drawer.expect": N_("To expect: {text}"),
    "drawer.seen": N_("Seen at {clock}: {text}"),
    "drawer.unseen": N_("The centre has heard nothing of it yet."),
    "role": N_("Seen as"),
    "enrol": N_("In this demonstration you hold the commune’s key as well."),
    "enrol.do": NC_("button", "Name this key in the policy"),
    "report": NC_("button", "Report"),
    "report.title": N_("The judgement of the checkers"),
    "report.lead": N_("Everything was mended, and three quarters of an hour passed: what had to arrive has arrived."),
    "report.back": N_("Back to the screens"),
})  # fmt: skip


class Entrance:
    """Makes the addresses by which a browser enters, each for one browser; a used one is replaced and told anew."""

    def __init__(self, origin: str, tell: Callable[[str], None]) -> None:
        self._origin = origin
        self._tell = tell
        self._token = secrets.token_urlsafe()

    def address(self) -> str:
        return f"{self._origin}{ENTER}?token={self._token}"

    def accepts(self, token: str) -> bool:
        """Returns True once for each token."""
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return False
        self._token = secrets.token_urlsafe()
        self._tell(self.address())
        return True


def configure(options: Options, driver: Driver, entrance: Entrance) -> None:
    """Configures Django for this process as the web does, with the bar; makes the accounts of ROLES."""
    import django
    from django.core.management import call_command

    known = settings_of(options)
    middleware = known["MIDDLEWARE"]
    behind = middleware.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
    known |= {
        "DEMO": (driver, entrance),
        "ROOT_URLCONF": "tools.demo.urls",
        # Before the web's, so that the template of the frame is found here first.
        "INSTALLED_APPS": ["tools.demo", *known["INSTALLED_APPS"]],
        "MIDDLEWARE": [*middleware[:behind], "tools.demo.screens.Entering", *middleware[behind:]],
    }
    settings.configure(**known)
    django.setup()
    call_command("migrate", verbosity=0)
    accounts = auth.get_user_model().objects
    for _, person, _ in ROLES.values():
        accounts.get_or_create(username=person)


class Entering:
    """Is Django's middleware: lets in who has the token, before the web asks for a password."""

    def __init__(self, get_response: Any) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        if request.path != ENTER:
            return self._get_response(request)
        if request.user.is_authenticated or settings.DEMO[1].accepts(request.GET.get("token", "")):
            _become(request, "operator")
            response: Any = HttpResponseRedirect(f"/{COMMUNE}/{TABS[0]}")
        else:
            response = HttpResponse(status=403)
        add_never_cache_headers(response)
        return response


def _become(request: Any, role: str) -> None:
    person = auth.get_user_model().objects.get(username=ROLES[role][1])
    auth.login(request, person, backend="django.contrib.auth.backends.ModelBackend")


# --- addresses ----------------------------------------------------------------------------------------------------


def _refuses_nonsense(view: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Answers 400 to a form that names nothing that there is."""

    @wraps(view)
    def answer(request: Any) -> Any:
        try:
            return view(request)
        except (KeyError, IndexError, TypeError, ValueError, StopIteration):
            return HttpResponse(status=400)

    return answer


def bar(request: Any) -> Any:
    """Shows the bar; each second htmx asks how time goes, and gets the whole only where another button is pressed: one
    that is replaced while it is pressed down hears no click."""
    state = settings.DEMO[0].state
    pressed = _pressed(state)
    is_told = request.GET.get("pressed") == pressed and request.GET.get("struck") == str(state.story.struck)
    answer = shown(
        request, "demo/clock.html" if is_told else "demo/bar.html", WORDS,
        day=day_text(state.unix_s),
        state=state,
        pressed=pressed,
        speeds=list(SPEEDS),
        hurries=None if state.until_s is None else words.clock(state.until_s),
        reached=round(state.reached),
        power=state.story.power_dw // 10,
        roles=[(role, translate(name, request.language), who) for role, (name, who, _) in ROLES.items()],
    )  # fmt: skip
    if not is_told:
        answer["HX-Retarget"], answer["HX-Reswap"] = "#demo", "outerHTML"
    return answer


def _pressed(state: State) -> str:
    """Returns the word of the button by which time goes as it does."""
    if state.is_paused:
        return "pause"
    if state.until_s is not None:
        return "dusk"
    return next((word for word, speed in SPEEDS.items() if speed == state.speed), "")


@require_POST
@_refuses_nonsense
def time(request: Any) -> Any:
    driver: Driver = settings.DEMO[0]
    if "pause" in request.POST:
        driver.pause()
    elif "dusk" in request.POST:
        driver.hurry_to_dusk()
    else:
        driver.run(SPEEDS[request.POST["speed"]])
    return bar(request)


@require_POST
@_refuses_nonsense
def role(request: Any) -> Any:
    _become(request, request.POST["role"])
    return HttpResponseRedirect("/")


@_refuses_nonsense
def enrol(request: Any) -> Any:
    """Names the key of a browser in the policy, from the lines that its page shows; leads back there."""
    if request.method != "POST":
        return shown(request, "demo/enrol.html", WORDS)
    named = tomllib.loads(request.POST["block"])["operator"][0]
    key, name = bytes.fromhex(named["key"]), str(named["name"])
    settings.DEMO[0].ask(lambda story: story.enrol(key, name))
    return HttpResponseRedirect(reverse("town", args=(BEHUARD.insee,)))


def drawer(request: Any) -> Any:
    """Shows what may be broken; `?kind=` chooses whose targets are listed."""
    chosen = request.GET.get("kind", "")
    chosen = chosen if chosen in faults.KINDS else next(iter(faults.KINDS))
    targets = settings.DEMO[0].ask(lambda story: list(faults.KINDS[chosen].targets(story)))
    language = request.language
    return shown(
        request, "demo/drawer.html", WORDS,
        kinds=[(word, translate(kind.title, language)) for word, kind in faults.KINDS.items()],
        chosen=chosen,
        expect=translate(faults.KINDS[chosen].expect, language),
        targets=targets,
        struck=_struck(request),
    )  # fmt: skip


def closed(request: Any) -> Any:
    """Shows no drawer."""
    return HttpResponse()


def struck(request: Any) -> Any:
    """Shows what is broken and what the centre has heard of it; htmx asks for it while the drawer is open."""
    return shown(request, "demo/struck.html", WORDS, struck=_struck(request))


@require_POST
@_refuses_nonsense
def act(request: Any) -> Any:
    """Breaks or mends one thing."""
    do = {"strike": faults.strike, "mend": faults.mend}[request.POST["do"]]
    kind, target = request.POST["kind"], request.POST["target"]
    settings.DEMO[0].ask(lambda story: do(story, kind, target))
    return struck(request)


@require_POST
def report(request: Any) -> Any:
    """Mends all, lets time pass, and shows what the checkers say."""
    language = request.language
    text = settings.DEMO[0].ask(lambda story: story.report(language))
    return shown(request, "demo/report.html", WORDS, text=text.strip())


def _struck(request: Any) -> list[dict[str, Any]]:
    return settings.DEMO[0].ask(lambda story: [_described(story, one, request) for one in reversed(story.struck)])


def _described(story: Story, one: Struck, request: Any) -> dict[str, Any]:
    language, kind = request.language, faults.KINDS[one.kind]
    target = next(target for target in kind.targets(story) if target.key == one.target)
    measured: Said | None = kind.watch(story, one.target)
    reports = [] if target.subject is None else story.reported(target.subject, since_s=one.from_s)
    return {
        "kind": one.kind,
        "target": one.target,
        "title": translate(kind.title, language),
        "label": target.label,
        "clock": words.clock(one.from_s),
        "expect": translate(kind.expect, language),
        "measured": None if measured is None else translate(measured.message, language, **measured.values),
        "seen": [
            {"clock": words.clock(report.received_unix_s), "text": sentence(report, language)}
            for report in reversed(reports)
        ],
    }
