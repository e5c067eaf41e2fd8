"""Serves the screens of the centre with a bar below them: time, faults, whom one is, and the report.

The screens are those of `tools.centre.web`, unchanged; settings, addresses and one template around theirs are added.
No password is asked for: the address that the command prints has a token, which serves once, and who has entered may
become any of `people.ROLES`. So it listens on this machine only.
"""

import secrets
import tomllib
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST

from gateway.language import LANGUAGES, N_, NC_, NN_, Phrases, translate
from gateway.language.figures import number
from tools.centre.web import words
from tools.centre.web.access import communes
from tools.centre.web.configuration import Options, settings_of
from tools.centre.web.entering import own_address
from tools.centre.web.page import shown
from tools.demo import people
from tools.demo.driver import Driver, State
from tools.demo.replay import Replay, noon_before
from tools.demo.story import Judged, Story
from tools.policy.compiler import RIGHTS

ENTER = "/demo/enter"
SPEEDS: dict[str, float | None] = {"1": 1, "60": 60, "600": 600, "max": None}
_REPLAY_SPEED = 600
# A share of the speed that was chosen, below which the bar says that the machine reaches no more.
_SLOW = 0.5
# Of a session that has not begun: each of its pages has a word of welcome.
_NEW = "is_new"

WORDS = Phrases({
    "bar": N_("Demonstration: time, faults and role"),
    "time": N_("Speed of time"),
    "speed": N_("×{speed}"),
    "speed.max": N_("as fast as it goes"),
    "pause": NC_("button", "Pause"),
    "dusk": NC_("button", "To dusk"),
    "at": N_("Instant of the night"),
    "again": N_("Played again, without what people ordered and noted."),
    "reached": N_("time ×{speed}"),
    "reached.slow": N_("time ×{speed} at best"),
    "over": N_("the records end here"),
    "paused": N_("time stands still"),
    "hurries": N_("hurrying to {clock}"),
    "lit": NN_("Everywhere: {count} light burns, {power} kW", "Everywhere: {count} lights burn, {power} kW"),
    "lit.measured": NN_("Everywhere: {count} measured as lit, {power} kW",
                        "Everywhere: {count} measured as lit, {power} kW"),
    "told": N_("Simulated SMS to {person}: {text}"),
    "waiting": NN_("{count} record waits in the cabinets", "{count} records wait in the cabinets"),
    "break": NC_("button", "Break something"),
    "fold": NC_("button", "Time"),
    "roles": NC_("button", "Roles"),
    "welcome": N_("A simulated town"),
    "welcome.what": N_("Town, time and radio are simulated; lamps, cabinets and centre run the real programs."),
    "welcome.dusk": N_("It is just before dusk: begin. The map shows each lamp as lit once it is measured."),
    "welcome.break": N_("“Break something”, and see who notices, when, and what goes on without it."),
    "welcome.roles": N_(
        "“Roles”: what the technician has, the data protection officer, or the mayor of Béhuard, the village next door."
    ),
    "welcome.do": NC_("button", "Begin"),
    "broken": N_("Break ({count})"),
    "role": N_("Seen as"),
    "role.mayor": N_("The mayor’s order is best seen by night."),
    "enrol": N_("In this demonstration you are the town hall as well."),
    "enrol.do": NC_("button", "Enter this key"),
    "replay": NC_("button", "Play the night again"),
    "replay.end": NC_("button", "Back to the present"),
    "report": NC_("button", "Report"),
})  # fmt: skip

_USED = N_("This address has served: it lets one browser in. The command has written another one, for this browser.")


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


class Demo:
    """Holds the driver of the world that the pages show: the living one, or a night that is played again."""

    def __init__(self, driver: Driver, entrance: Entrance, folder: Path, insee: str = people.COMMUNE) -> None:
        self.driver = driver
        self.insee = insee  # where one begins
        self.entrance = entrance
        self._folder = folder
        self._living: tuple[Driver, Options, State] | None = None
        self.judged: Judged | None = None  # the last time

    @property
    def is_replay(self) -> bool:
        return self.driver.state.story.struck is None

    @property
    def has_present(self) -> bool:
        """Tells whether a living world waits for the end of a replay."""
        return self._living is not None

    def replay(self) -> None:
        """Stops the living world and plays its last night again."""
        if self.is_replay:
            return
        living, shown_now = self.driver, settings.BOCAGE
        before = living.state
        living.pause()
        dusk_s = living.ask(lambda story: story.unix_s + (story.dusk_ms() - story.now_ms) // 1000)
        noon_s = noon_before(noon_before(dusk_s) - 1)  # of the last night that has begun
        driver = Driver(partial(Replay, self._folder, shown_now.warehouse, noon_s), speed=_REPLAY_SPEED)
        driver.start()
        path = driver.ask(lambda story: story.path)
        self._living, self.driver = (living, shown_now, before), driver
        settings.BOCAGE = shown_now._replace(warehouse=path, data=path, clock=driver.unix_s, control=None, duty=None)

    def seek(self, unix_s: int) -> None:
        """Shows a night that is played again as it was at an instant; ValueError where none is."""
        if not self.is_replay:
            raise ValueError("at: no night is played again")
        path = self.driver.seek(unix_s)
        settings.BOCAGE = settings.BOCAGE._replace(warehouse=path, data=path)

    def end_replay(self) -> None:
        """Shows the living world again, which has stood still, and goes on as it went."""
        if self._living is not None:
            self.driver.close()
            self.driver, settings.BOCAGE, before = self._living
            self._living = None
            if not before.is_paused:
                self.driver.run(before.speed)

    def close(self) -> None:
        self.end_replay()
        self.driver.close()


def configure(options: Options, demo: Demo) -> None:
    """Configures Django for this process as the web does, with the bar; makes the accounts of `people.ROLES`."""
    import django
    from django.core.management import call_command

    known = settings_of(options)
    middleware = known["MIDDLEWARE"]
    behind = middleware.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
    known |= {
        "DEMO": demo,
        "ROOT_URLCONF": "tools.demo.urls",
        # Before the web's, so that the template of the frame is found here first.
        "INSTALLED_APPS": ["tools.demo", *known["INSTALLED_APPS"]],
        "MIDDLEWARE": [*middleware[:behind], "tools.demo.screens.Entering", *middleware[behind:]],
    }
    settings.configure(**known)
    django.setup()
    call_command("migrate", verbosity=0)
    accounts = auth.get_user_model().objects
    for role in people.ROLES.values():
        accounts.get_or_create(username=role.person)


class Entering:
    """Is Django's middleware: lets in who has the token, before the web asks for a password."""

    def __init__(self, get_response: Any) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        if request.path != ENTER:
            return self._get_response(request)
        if request.user.is_authenticated or settings.DEMO.entrance.accepts(request.GET.get("token", "")):
            _become(request, people.OPERATOR)
            request.session[_NEW] = not settings.DEMO.is_replay
            response: Any = HttpResponseRedirect(first_page(request))
        else:
            said = "\n".join(translate(_USED, one) for one in LANGUAGES)
            response = HttpResponse(said, status=403, content_type="text/plain; charset=utf-8")
        add_never_cache_headers(response)
        return response


def _become(request: Any, role: str) -> None:
    person = auth.get_user_model().objects.get(username=people.ROLES[role].person)
    # Another session, beside the former one: to what a page had under way with that, were it ended, the answer would
    # take the new one's cookie away.
    request.session = type(request.session)()
    auth.login(request, person, backend="django.contrib.auth.backends.ModelBackend")


def first_page(request: Any) -> str:
    """Returns where the person of a request begins; the start, where the communes are those of any warehouse."""
    demo: Demo = settings.DEMO
    if demo.is_replay and not demo.has_present:
        return "/"
    own = request.user.get_username()
    return next(one.first for one in people.ROLES.values() if one.person == own).format(insee=demo.insee)


# --- addresses ----------------------------------------------------------------------------------------------------


def refuses_nonsense(view: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Answers 400 to a form that names nothing that there is."""

    @wraps(view)
    def answer(request: Any) -> Any:
        try:
            return view(request)
        except (KeyError, IndexError, TypeError, ValueError, StopIteration):
            return HttpResponse(status=400)

    return answer


def of_the_living(view: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Answers 404 while a night is played again: nothing can be broken, signed or judged in it."""

    @wraps(view)
    def answer(request: Any) -> Any:
        if settings.DEMO.is_replay:
            raise Http404
        return view(request)

    return answer


def bar(request: Any) -> Any:
    """Shows the bar; each second htmx asks how time goes, and gets the whole only where another button is pressed: one
    that is replaced while it is pressed down hears no click."""
    state = settings.DEMO.driver.state
    pressed = _pressed(state)
    is_told = request.GET.get("pressed") == pressed and request.GET.get("struck") == str(state.story.struck)
    answer = shown(
        request, "demo/clock.html" if is_told else "demo/bar.html", WORDS,
        day=words.day(state.unix_s, request.language),
        state=state,
        pressed=pressed,
        is_replay=settings.DEMO.is_replay,
        has_present=settings.DEMO.has_present,
        speeds=list(SPEEDS),
        hurries=None if state.until_s is None else words.clock(state.until_s),
        reached=round(state.reached),
        is_slow=state.speed is not None and state.reached < _SLOW * state.speed,
        power=number(state.story.power_dw / 10_000, request.language, 1),
        # Once in a page: what the bar is replaced for later leaves the drawer as it is.
        is_new=request.method == "GET" and "pressed" not in request.GET and request.session.get(_NEW, False),
        begins="begin" in request.POST,
        roles=[(word, translate(one.title, request.language), one.person) for word, one in people.ROLES.items()],
    )  # fmt: skip
    if is_told:  # the whole bar is replaced otherwise; an answer to a bar that is gone by then goes nowhere
        answer["HX-Retarget"], answer["HX-Reswap"] = "this", "innerHTML"
    return answer


def _pressed(state: State) -> str:
    """Returns the word of the button by which time goes as it does, or that it goes no further."""
    if state.story.is_over:
        return "over"
    if state.is_paused:
        return "pause"
    if state.until_s is not None:
        return "dusk"
    return next((word for word, speed in SPEEDS.items() if speed == state.speed), "")


@require_POST
@refuses_nonsense
def time(request: Any) -> Any:
    driver: Driver = settings.DEMO.driver
    if "begin" in request.POST:
        request.session.pop(_NEW, None)
        driver.go_on()
    elif "pause" in request.POST:
        driver.go_on() if driver.state.is_paused else driver.pause()
    elif "dusk" in request.POST:
        driver.hurry_to_dusk()
    elif "at" in request.POST:
        settings.DEMO.seek(int(request.POST["at"]))
    else:
        driver.run(SPEEDS[request.POST["speed"]])
    return bar(request)


@require_POST
@refuses_nonsense
def role(request: Any) -> Any:
    _become(request, request.POST["role"])
    return HttpResponseRedirect(first_page(request))


@refuses_nonsense
@of_the_living
def enrol(request: Any) -> Any:
    """Names the key of a browser in the policies of the person's communes, from the lines that its page shows; leads
    back there."""
    if request.method != "POST":
        return shown(request, "demo/enrol.html", WORDS)
    named = tomllib.loads(request.POST["block"])["operator"][0]
    key, name, right = bytes.fromhex(named["key"]), str(named["name"]), RIGHTS[named["rights"][0]]

    def enrol_everywhere(story: Story) -> None:
        for own in communes(request):
            story.enrol(own.insee, key, name, right)

    settings.DEMO.driver.ask(enrol_everywhere)
    return HttpResponseRedirect(own_address(request, request.headers.get("Referer", "/")))


@require_POST
def replay(request: Any) -> Any:
    """Plays the last night again, or ends that; leads to the start, for other lamps stand there then."""
    demo: Demo = settings.DEMO
    demo.end_replay() if demo.is_replay else demo.replay()
    return HttpResponseRedirect(first_page(request))
