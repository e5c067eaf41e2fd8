"""Shows who answers for data protection what is kept about persons: what, where, how long, who may read it, who did.

Every time comes from what holds it: the classes of `bocage centre keep`, the limits by which control, journal, outbox
and accounts delete, the settings of this web. Who may read comes from the rules of the scope. A test walks the columns
of every file: a table that may name a person and has no line in KEPT fails it.

The page is for who was granted the journal; for all others it is not there. Who reads the journal here is written down
first, as `bocage centre access journal` has it, or nothing is read: on the disk, whence the roll-up fetches it.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404

from gateway.language import N_, NC_, NN_, Message, Phrases, translate
from gateway.language.figures import duration
from tools.centre.condition import notes
from tools.centre.limits import (
    COMMANDS_KEPT_S,
    DUTY_KEPT_S,
    JOURNAL_KEPT_S,
    KEYSETS_KEPT_MAX,
    NOTES_KEPT_S,
    OUTBOX_KEPT_S,
    POLICIES_KEPT_MAX,
    REFUSED_ROWS_MAX,
)
from tools.centre.retention import classes
from tools.centre.scope import grants, journal
from tools.centre.scope.rules import CONTROL_RULES, RULES, opened_by
from tools.centre.scope.words import about_text, commune_text, deed_text, trade_text
from tools.centre.web.access import commune_names, opened, reads_journal
from tools.centre.web.connections import Areas
from tools.centre.web.limits import LOGIN_COOLOFF, SESSION_S
from tools.centre.web.page import Pager, shown

WORDS = Phrases({
    "title": N_("What is kept about persons"),
    "lead": N_("What is older goes in the purge of each night, or when the next of its kind comes."),
    "passers": N_(
        "Nothing is kept about passers-by. A lamp with a detector reports no passage. Its energy of the hour includes"
        " the light of passages. The set-point of a room with a detector shows when the room was empty for an hour or"
        " more."
    ),
    "what": NC_("column", "What"),
    "where": NC_("column", "Where"),
    "how_long": NC_("column", "How long"),
    "readers": NC_("column", "Who may read it"),
    "file.warehouse": N_("warehouse"),
    "file.control": N_("control file"),
    "file.outbox": N_("outbox of the web"),
    "file.rota": N_("rota of the web"),
    "file.duty": N_("book of the duty"),
    "file.accounts": N_("accounts of the web"),
    "latest": NN_("the latest", "the latest {count}"),
    "years": NN_("{count} year ({days})", "{count} years ({days})"),
    "months": NN_("{count} month ({days})", "{count} months ({days})"),
    "always": N_("without a limit"),
    "by.any": N_("who has a right to its commune and trade"),
    "by.every": N_("who has a right to all communes and trades"),
    "by.journal": N_("who has a right to the journal of its commune"),
    "by.nobody": N_("nobody, on any screen"),
    "administrator": N_("Who administers the server holds these files, and can read and change them."),
    "rights": N_("Who has which right"),
    "rights.none": N_("No right is in force."),
    "person": NC_("column", "person"),
    "commune": NC_("column", "commune"),
    "trade": NC_("column", "trade"),
    "until": NC_("column", "until"),
    "given_by": NC_("column", "given by"),
    "journal": N_("Who read and did what"),
    "journal.open": N_("Read the journal: this reading becomes a line of it"),
    "journal.orders": N_(
        "Orders of the command line stand under Orders only. Keys stand in the signed policy of each commune: no screen"
        " enters one."
    ),
    "journal.none": N_("The journal has no line yet."),
    "when": NC_("column", "when"),
    "deed": NC_("column", "what was done"),
    "about": NC_("column", "about"),
})  # fmt: skip

WAREHOUSE, CONTROL, OUTBOX, ROTA, DUTY, ACCOUNTS = "warehouse", "control", "outbox", "rota", "duty", "accounts"
_RULES = {WAREHOUSE: RULES, CONTROL: CONTROL_RULES}
# No rule opens what stands in the web's own files: this is what the screen of the duty shows of them.
_NOBODY = "nobody"
_MONTH_DAYS = 365.25 / 12
_SHOWN = dict.fromkeys(("weeks", "taken", "causes", "messages", "owed"), grants.ANY)


class Kept(NamedTuple):
    """States what tables of a file keep about persons. limit: a class of `bocage centre keep`, a time, how many of the
    latest are kept, or None, without a limit."""

    what: Message
    file: str
    tables: tuple[str, ...]
    limit: str | timedelta | int | None


def _seconds(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


KEPT = (
    Kept(N_("Rooms: temperature, set-point, heating, as they were measured"),
         WAREHOUSE, ("records", "conflicts"), classes.READINGS),
    Kept(N_("Rooms: the newest reading of each"), WAREHOUSE, ("latest",), 1),
    Kept(N_("Rooms: temperature by hour"), WAREHOUSE, ("hours",), classes.ROOMS),
    Kept(N_("Names of technicians and authors in what cabinets told: tests, locks, orders, nodes placed"),
         WAREHOUSE, ("records", "conflicts"), classes.EVENTS),
    Kept(N_("Records from a cabinet that does not speak for the node, until a person decides"),
         WAREHOUSE, ("apart",), classes.APART),
    Kept(N_("Messages that could not be read, as they came"), WAREHOUSE, ("refused",), REFUSED_ROWS_MAX),
    Kept(N_("Faults: who took them in hand or wrote about them, and the words"),
         WAREHOUSE, ("fault_notes",), classes.EVENTS),
    Kept(N_("Rights of persons, also those that ended, and who gave them"), WAREHOUSE, ("grants",), None),
    Kept(N_("Who read what about persons, and who did what"),
         WAREHOUSE, ("journal",), _seconds(JOURNAL_KEPT_S)),
    Kept(N_("Orders that are over, with author, reason, signature and outcome"),
         CONTROL, ("commands", "sendings", "outcomes"), _seconds(COMMANDS_KEPT_S)),
    Kept(N_("Policies of a commune: names and keys of who may order"), CONTROL, ("policies",), POLICIES_KEPT_MAX),
    Kept(N_("Key sets of a commune: names and keys of who may sign a policy"), CONTROL, ("keysets",), KEYSETS_KEPT_MAX),
    Kept(N_("Orders given on the screens that are over, and whose account gave them"),
         OUTBOX, ("orders",), _seconds(OUTBOX_KEPT_S)),
    Kept(N_("Faults: what was written about them on the screens, by whom, and in whose hands they are"),
         OUTBOX, ("notes",), _seconds(NOTES_KEPT_S)),
    Kept(N_("Tickets of contractors that were given on the screens, and by whom"),
         OUTBOX, ("tickets",), _seconds(NOTES_KEPT_S)),
    Kept(N_("Who read the journal, wrote the rota or signed an order on the screens"),
         OUTBOX, ("lines",), _seconds(NOTES_KEPT_S)),
    Kept(N_("Rota of the duty: who is on duty in which week"), ROTA, ("weeks",), _seconds(DUTY_KEPT_S)),
    Kept(N_("Rota of the duty: telephone and mail of who is on duty, until they are taken away"),
         ROTA, ("people",), None),
    Kept(N_("Rota of the duty: who took a silent cabinet in hand"), ROTA, ("taken",), _seconds(DUTY_KEPT_S)),
    Kept(N_("Book of the duty: who was told what, by which channel, and who has it in hand"),
         DUTY, ("causes", "messages", "owed"), _seconds(DUTY_KEPT_S)),
    Kept(N_("Accounts: name, digest of the password, name in the directory, last login"),
         ACCOUNTS, ("auth_user",), None),
    Kept(N_("Sessions"), ACCOUNTS, ("django_session",), _seconds(SESSION_S)),
    Kept(N_("Failed logins: name, address, browser"), ACCOUNTS, ("axes_accessattempt",), LOGIN_COOLOFF),
)  # fmt: skip


# What each of these tables holds, in the words of who reads the page.
TABLES = {
    "records": N_("records"),
    "conflicts": N_("records that contradict each other"),
    "latest": N_("newest readings"),
    "hours": N_("hourly means"),
    "apart": N_("records kept apart"),
    "refused": N_("refused messages"),
    "fault_notes": N_("notes about faults"),
    "grants": N_("rights"),
    "journal": NC_("table", "journal"),
    "commands": NC_("table", "orders"),
    "sendings": N_("sendings to cabinets"),
    "outcomes": N_("outcomes"),
    "policies": N_("policies"),
    "keysets": N_("key sets"),
    "orders": NC_("table", "orders"),
    "notes": N_("notes about faults"),
    "tickets": N_("tickets"),
    "lines": N_("lines for the journal"),
    "weeks": N_("weeks of duty"),
    "people": N_("telephones and mails"),
    "taken": N_("cabinets in hand"),
    "causes": N_("what was told"),
    "messages": N_("mails and SMS"),
    "owed": N_("who is still to be told of an end"),
    "auth_user": N_("accounts"),
    "django_session": N_("sessions"),
    "axes_accessattempt": N_("failed logins"),
}


class Line(NamedTuple):
    """Writes a `Kept` in the reader's language. readers: keys of WORDS."""

    what: str
    file: str
    tables: str
    how_long: str
    readers: list[str]


def privacy(request: Any) -> Any:
    """Shows what is kept for how long, and who has which right."""
    areas = _areas(request)
    with opened(areas) as connection:
        days = classes.kept_days(connection)
        pager = Pager.of(request.GET.get("page", ""), grants.count_in_force(connection, now_s=request.now_s))
        rights = grants.in_force(connection, pager.slice, now_s=request.now_s)
    rows = [one._replace(trade=trade_text(one.trade, request.language)) for one in _named(request, rights)]
    lines = list(_lines(days, request.language))
    return shown(request, "privacy.html", WORDS, lines=lines, rights=rows, pager=pager, query="")


def read_journal(request: Any) -> Any:
    """Shows who read and did what, the newest first; writes down that it was read."""
    areas = _areas(request)
    page = request.GET.get("page", "")
    about = f"{journal.ON_SCREEN}{page if page.isascii() and page.isdigit() and len(page) < 6 else 1}"
    line = journal.Line(request.now_s, request.person, "access journal", "", about)
    notes.put_line(notes.path_of(settings.BOCAGE.data), line)
    with opened(areas) as connection:
        pager = Pager.of(page, journal.count(connection))
        found = journal.newest(connection, pager.slice)
    if pager.page == 1 and line not in found:
        found.insert(0, line)  # the roll-up has not fetched it yet
    language = request.language
    lines = [
        one._replace(deed=deed_text(one.deed, language), about=about_text(one.about, language))
        for one in _named(request, found)
    ]
    return shown(request, "privacy_journal.html", WORDS, lines=lines, pager=pager, query="")


def _areas(request: Any) -> Areas:
    """Returns of which communes the person may read the journal; 404 where of none."""
    if not reads_journal(request.areas):
        raise Http404
    return frozenset((insee, trade) for insee, trade in request.areas if trade == grants.JOURNAL)


def _named(request: Any, rows: list[Any]) -> list[Any]:
    """Puts the name of a commune in the place of its INSEE code."""
    names = commune_names(request, {one.insee for one in rows})
    return [one._replace(insee=names.get(one.insee) or commune_text(one.insee, request.language)) for one in rows]


def _lines(days: dict[str, int], language: str) -> Iterator[Line]:
    for one in KEPT:
        if settings.BOCAGE.control is None and (one.file == CONTROL or "orders" in one.tables):
            continue
        if settings.BOCAGE.duty is None and one.file in (ROTA, DUTY):
            continue
        rules = _RULES.get(one.file, {})
        by = {opened_by(rules[table]) if rules else _SHOWN.get(table, _NOBODY) for table in one.tables}
        yield Line(
            translate(one.what, language),
            WORDS.text(f"file.{one.file}", language),
            ", ".join(translate(TABLES[table], language) for table in one.tables),
            _how_long(one.limit, days, language),
            [f"by.{reader}" for reader in sorted(by)],
        )


def _how_long(limit: str | timedelta | int | None, days: dict[str, int], language: str) -> str:
    if limit is None:
        return WORDS.text("always", language)
    if isinstance(limit, int):
        return WORDS.text("latest", language, count=limit)
    time = timedelta(days=days[limit]) if isinstance(limit, str) else limit
    exact, months = duration(int(time.total_seconds()), language), round(time.days / _MONTH_DAYS)
    if months < 2 or abs(time.days - months * _MONTH_DAYS) >= 2:  # whole months that a day was rounded up to
        return exact
    years, rest = divmod(months, 12)
    key, count = ("months", months) if rest else ("years", years)
    return WORDS.text(key, language, count=count, days=exact)
