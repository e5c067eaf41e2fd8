"""Writes grants and lines of the journal in words."""

from gateway.language import N_, translate
from tools.centre.register.equipment import day_text
from tools.centre.scope.grants import ALL, OF_PLACE, OF_STREET, TRADES, Grant, is_of_ticket
from tools.centre.scope.journal import ON_SCREEN

_ALL_COMMUNES = N_("all communes")
_STREET = N_("lights of {street}")
_PLACE = N_("equipment {place}")
_GIVEN = N_("{person}: {trade}")
_FROM = N_("{person}, {commune}, {trade}, from {start}")
_TO = N_("{person}, {commune}, {trade}, {start} to {end}")
_PAGE = N_("on the screen, page {page}")
# What the journal calls by the command that does it.
DEEDS = {
    "access give": N_("gave a right"),
    "access withdraw": N_("withdrew a right"),
    "access journal": N_("read this journal"),
    "alarms --acknowledge": N_("said who has a fault in hand"),
    "alarms --comment": N_("wrote about a fault"),
    "alarms --close": N_("closed an alarm"),
    "apart --discard": N_("discarded records that were kept apart"),
    "apart --release": N_("released records that were kept apart"),
    "bind": N_("bound nodes to a cabinet"),
    "unbind": N_("unbound a cabinet"),
    "disown": N_("disowned records of a node"),
    "duty rota": N_("wrote the rota of the duty"),
    "export": N_("exported readings"),
    "order": N_("signed an order"),
    "keep": N_("changed how long things are kept"),
    "purge": N_("purged what was older"),
    "register import": N_("imported equipment into the register"),
    "register placed": N_("decided what a technician had stated on site"),
    "rooms": N_("read temperatures of rooms"),
}


def commune_text(insee: str, language: str) -> str:
    return translate(_ALL_COMMUNES, language) if insee in (ALL, "") else insee


def trade_text(trade: str, language: str) -> str:
    if trade.startswith(OF_STREET):
        return translate(_STREET, language, street=trade.removeprefix(OF_STREET))
    if trade.startswith(OF_PLACE):
        return translate(_PLACE, language, place=trade.removeprefix(OF_PLACE))
    return translate(TRADES[trade], language)


def about_text(about: str, language: str) -> str:
    """Returns what a line of the journal is about; the trade of a grant (`journal.of_grant`) in words."""
    if about.startswith(ON_SCREEN):
        return translate(_PAGE, language, page=about.removeprefix(ON_SCREEN))
    person, colon, trade = about.partition(": ")
    if not colon or not (trade in TRADES or is_of_ticket(trade)):
        return about
    return translate(_GIVEN, language, person=person, trade=trade_text(trade, language))


def deed_text(deed: str, language: str) -> str:
    """Returns what a line of the journal says was read or done; a deed without words by its command."""
    return translate(DEEDS[deed], language) if deed in DEEDS else f"bocage centre {deed}"


def grant_text(one: Grant, language: str) -> str:
    """Returns a grant as it was given: `Léa Durand, 49135, éclairage, du 2026-11-29 au 2027-08-31`."""
    values = {
        "person": one.person,
        "commune": commune_text(one.insee, language),
        "trade": trade_text(one.trade, language),
        "start": day_text(one.from_unix_s),
    }
    if one.until_unix_s is None:
        return translate(_FROM, language, **values)
    return translate(_TO, language, end=day_text(one.until_unix_s - 1), **values)
