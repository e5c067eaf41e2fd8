"""Holds the sentences of the frame around each screen, and how times, ages and figures are written.

Each screen has its own sentences beside its code, as `WORDS`; `text` looks there first.
"""

from gateway.language import N_, NC_, Phrases, translate
from gateway.language.figures import duration, number
from tools.centre.moments import clock as clock
from tools.centre.moments import day as day
from tools.centre.moments import moment as moment
from tools.centre.web import states
from tools.centre.web.states import Shown

FRAME = Phrases({
    "skip": N_("Skip to the content"),
    "main": N_("Main menu"),
    "communes": N_("Another commune"),
    "communes.all": N_("All communes"),
    "tab.map": NC_("screen", "Map"),
    "tab.town": NC_("screen", "My commune"),
    "tab.lights": NC_("screen", "Lights"),
    "tab.rooms": NC_("screen", "Rooms"),
    "tab.greens": NC_("screen", "Green spaces"),
    "tab.faults": NC_("screen", "Faults"),
    "tab.orders": NC_("screen", "Orders"),
    "tab.duty": NC_("screen", "On duty"),
    "tab.health": NC_("screen", "Cabinets"),
    "privacy": NC_("screen", "Data protection"),
    "logout": N_("Log out"),
    "appearance": N_("Language and appearance"),
    "language.fr": N_("Français"),
    "language.en": N_("English"),
    "theme.": N_("as the device"),
    "theme.light": NC_("appearance", "light"),
    "theme.dark": NC_("appearance", "dark"),
    "page.of": N_("Page {page} of {pages}"),
    "page.before": N_("Previous page"),
    "page.after": N_("Next page"),
    "lost": N_("Frozen page: the server no longer answers. What is shown here is old."),
    "never": N_("never"),
    "ago": N_("{age} ago"),
    "just_now": N_("just now"),
    "since": N_("since {when}"),
    "since.latest": N_("since {when} at the latest"),
    "watts": N_("{power} W"),
    "quoted": N_("{who}: {what}"),
    "alone": N_(
        "{cabinet}: alone, nothing received from it since {when}; what is shown is from before."
        " Unless its power is cut, its equipment follows the policy."
    ),
    "alone.none": N_(
        "No fault is reported. What has broken where a cabinet is alone is not known: reach the cabinet, or go there."
    ),
    "order.light": NC_("button", "Light"),
    "order.darken": NC_("button", "Darken"),
    "order.lower": NC_("button", "Lower"),
    "state.level": N_("{state} at {percent} %"),
    "error.title": N_("This page cannot be shown"),
    "error.404": N_("There is nothing here, or nothing that you have a right to see."),
    "error.403": N_("The form was not accepted: it is too old, or comes from elsewhere. Open the page again."),
    "error.500": N_("The page has failed, and it is not your doing. It is written in the server's journal."),
    "error.database": N_("The warehouse cannot be read now; the lamps do not depend on it. Try again in a minute."),
    "error.home": N_("Back to the start"),
})  # fmt: skip
_DAY_S = 86_400


def text(screen: Phrases, key: str, language: str, /, **values: object) -> str:
    """Returns a sentence of a screen, or of the frame."""
    return (screen if key in screen else FRAME).text(key, language, **values)


def state(shown: Shown, language: str, level_percent: int | None = None) -> str:
    """Returns the word of a state; of a lit lamp that is dimmed with its level."""
    word = translate(states.WORDS[shown], language)
    if shown != states.LIT or level_percent is None or not 0 < level_percent < 100:
        return word
    return FRAME.text("state.level", language, state=word, percent=level_percent)


def since(unix_s: int | None, language: str, *, now_s: int, is_latest: bool = False) -> str:
    """Returns `depuis 17:04`; is_latest: it may have begun before, and was found then."""
    key = "since.latest" if is_latest else "since"
    return "" if unix_s is None else FRAME.text(key, language, when=moment(unix_s, language, now_s=now_s))


def ago(unix_s: int | None, language: str, *, now_s: int) -> str:
    """Returns `il y a 3 min`: seconds are those of the first minute, the larger unit is enough beyond an hour."""
    if unix_s is None:
        return FRAME.text("never", language)
    age_s = now_s - unix_s
    if age_s < 1:
        return FRAME.text("just_now", language)
    unit_s = next(unit for unit in (_DAY_S, 3600, 60, 1) if age_s >= unit)
    return FRAME.text("ago", language, age=duration(age_s - age_s % unit_s, language))


def watts(power_dw: int | None, language: str) -> str:
    """Returns `16,9 W`; from 100 W on without decimals."""
    if power_dw is None:
        return ""
    return FRAME.text("watts", language, power=number(power_dw / 10, language, 1 if abs(power_dw) < 1000 else 0))
