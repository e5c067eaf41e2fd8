"""Keeps the rota: who is on duty in which week for which commune and trade, who stands in, and how each is reached.

It is a file of the web's own, beside its database: the screen and `bocage centre duty rota` write it, and the process
that tells faults only reads it. A week begins on Monday at 08:00 in the civil time of France, when one crew hands over
to the next. What a person takes in hand that no record states (a silent cabinet, the centre) stands here too.

As a file for a spreadsheet:  commune,trade,week,person,substitute
                              all,lighting,2026-W49,Alice Martin,Bruno Petit
"""

import csv
import datetime
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import NamedTuple

from gateway.language import LANGUAGES, N_
from policy import civil
from tools.centre.limits import (
    DUTY_KEPT_S,
    EQUIPMENT_TEXT_MAX,
    OUTBOX_MODE,
    ROTA_PEOPLE_MAX,
    ROTA_ROWS_MAX,
    ROTA_WEEKS_MAX,
)
from tools.centre.scope.grants import ALL, HEATING, LIGHTING, WATERING
from tools.centre.store import database, sqlite_file
from wire import topic

VERSION = 400  # neither a warehouse, nor a control file, nor an outbox of orders or notes
_TABLES = """
CREATE TABLE people (person TEXT NOT NULL PRIMARY KEY, phone TEXT NOT NULL, mail TEXT NOT NULL, language TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE weeks (
    insee TEXT NOT NULL, trade TEXT NOT NULL, week TEXT NOT NULL, person TEXT NOT NULL, substitute TEXT NOT NULL,
    PRIMARY KEY (insee, trade, week)
) WITHOUT ROWID;
-- member: what was told, as `tools.centre.duty.waking` names it.
CREATE TABLE taken (member TEXT NOT NULL PRIMARY KEY, person TEXT NOT NULL, taken_unix_s INTEGER NOT NULL)
    WITHOUT ROWID;
"""
SCHEMA = database.Schema(N_("a rota"), VERSION, _TABLES)
TRADES = (LIGHTING, HEATING, WATERING, ALL)
COLUMNS = ("commune", "trade", "week", "person", "substitute")
_ALL_WORD = "all"
_BEGINS_S = 8 * 3600
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")  # E.164
_MAIL = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)


class Faulty(ValueError):
    """States what is wrong with an entry: a message of the catalogue with its values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values


class Person(NamedTuple):
    """States how a person is reached. phone, mail: "" where not; one of the two is there."""

    name: str
    phone: str
    mail: str
    language: str


class Week(NamedTuple):
    """States who is on duty. insee, trade may be ALL; substitute "" where there is none."""

    insee: str
    trade: str
    week: str
    person: str
    substitute: str


class Duty(NamedTuple):
    """Names who is on duty. is_stale: the rota has no line for this week, and the last one goes on."""

    person: str
    substitute: str
    is_stale: bool


class Taken(NamedTuple):
    """States since when a person has in hand what no record states."""

    person: str
    taken_unix_s: int


class Rota:
    """Holds what the file says at one instant."""

    def __init__(self, people: Iterable[Person], weeks: Iterable[Week], in_hand: Mapping[str, Taken]) -> None:
        self.people = {one.name: one for one in people}
        self.weeks = sorted(weeks)
        self.in_hand = in_hand
        self._by = {one[:3]: one for one in self.weeks}

    def on_duty(self, insee: str, trade: str, *, now_s: int) -> Duty | None:
        """Returns who is on duty for a commune and trade; the nearest line counts, its own before that of all. Where
        this week has none, the last week that had one goes on: a rota that was forgotten wakes somebody all the same.
        """
        wanted = week_of(now_s)
        scopes = list(dict.fromkeys(((insee, trade), (insee, ALL), (ALL, trade), (ALL, ALL))))
        if insee == ALL:  # the centre itself: whoever is on duty at all, of all communes before one of them
            scopes += sorted({one[:2] for one in self.weeks} - set(scopes), key=lambda one: (one[0] != ALL, one))
        for scope in scopes:
            if (found := self._by.get((*scope, wanted))) is not None:
                return Duty(found.person, found.substitute, False)
        former = [one for one in self.weeks if one[:2] in scopes and one.week < wanted]
        if not former:
            return None
        last = max(former, key=lambda one: (one.week, -scopes.index(one[:2])))
        return Duty(last.person, last.substitute, True)


EMPTY = Rota((), (), {})


def path_of(data: str) -> str:
    """Returns the path of the rota of the web whose own database this is."""
    return data + ".duty"


# --- weeks --------------------------------------------------------------------------------------------------------


def week_of(unix_s: int) -> str:
    """Returns the week of an instant: `2026-W49`."""
    local = civil.local_from_unix(civil.PARIS, unix_s - _BEGINS_S)
    year, week, _ = datetime.date(*civil.civil_from_days(local.civil_day)).isocalendar()
    return f"{year}-W{week:02}"


def begins_s(week: str) -> int:
    """Returns the second with which a week begins; Faulty for what is none."""
    found = _WEEK.fullmatch(week)
    try:
        monday = datetime.date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if monday is None:
        raise Faulty(N_("week {text}: give a week such as 2026-W49"), text=repr(week))
    day = civil.days_from_civil(monday.year, monday.month, monday.day)
    return int(civil.unix_from_local(civil.PARIS, day, _BEGINS_S))


def weeks_from(unix_s: int, count: int) -> list[str]:
    """Returns this week and those after it."""
    first_s = begins_s(week_of(unix_s)) + 3 * 86_400  # Thursday: no change of the clock leads into another week
    return [week_of(first_s + 7 * 86_400 * number) for number in range(count)]


# --- the file -----------------------------------------------------------------------------------------------------


def read(path: str) -> Rota:
    """Returns what the file says; nothing where there is none yet. database.Error where it cannot be read."""
    try:
        connection = sqlite_file.open_to_read(path)
    except database.Error:
        return EMPTY
    with closing(database.checked(SCHEMA, connection)):
        people = [Person(*row) for row in connection.execute("SELECT person, phone, mail, language FROM people")]
        weeks = [Week(*row) for row in connection.execute("SELECT insee, trade, week, person, substitute FROM weeks")]
        rows = connection.execute("SELECT member, person, taken_unix_s FROM taken")
        in_hand = {member: Taken(*row) for member, *row in rows}
    return Rota(people, weeks, in_hand)


@contextmanager
def _writing(path: str) -> Iterator[database.Connection]:
    connection = database.made(SCHEMA, sqlite_file.open_to_write(path, mode=OUTBOX_MODE))
    with closing(connection), database.transaction(connection):
        yield connection


def set_person(path: str, one: Person) -> None:
    """Stores how a person is reached; without phone and mail, forgets it."""
    checked(one)
    with _writing(path) as connection:
        connection.execute("DELETE FROM people WHERE person = ?", (one.name,))
        if one.phone or one.mail:
            if connection.execute("SELECT count(*) FROM people").fetchone()[0] >= ROTA_PEOPLE_MAX:
                raise Faulty(N_("a rota names {count} persons at most"), count=ROTA_PEOPLE_MAX)
            connection.execute("INSERT INTO people VALUES (?, ?, ?, ?)", one)


def set_weeks(path: str, rows: Iterable[Week], *, now_s: int) -> int:
    """Writes lines of the rota, each in the place of the one that was there; one without a person takes that away.
    Returns how many; none where one is faulty. Weeks that are over for long go."""
    lines = [_checked_week(one, now_s) for one in rows]
    with _writing(path) as connection:
        connection.execute("DELETE FROM weeks WHERE week < ?", (week_of(now_s - DUTY_KEPT_S),))
        for one in lines:
            connection.execute("DELETE FROM weeks WHERE insee = ? AND trade = ? AND week = ?", one[:3])
            if one.person:
                connection.execute("INSERT INTO weeks VALUES (?, ?, ?, ?, ?)", one)
        if connection.execute("SELECT count(*) FROM weeks").fetchone()[0] > ROTA_ROWS_MAX:
            raise Faulty(N_("a rota has {count} lines at most"), count=ROTA_ROWS_MAX)
    return len(lines)


def hold(path: str, members: Iterable[str], person: str, *, now_s: int) -> None:
    """Says that a person has what is told in hand."""
    with _writing(path) as connection:
        connection.execute("DELETE FROM taken WHERE taken_unix_s < ?", (now_s - DUTY_KEPT_S,))
        connection.executemany(
            "INSERT INTO taken VALUES (?, ?, ?) ON CONFLICT (member) DO UPDATE SET person = excluded.person,"
            " taken_unix_s = excluded.taken_unix_s",
            [(member, person, now_s) for member in members],
        )


def checked(one: Person) -> Person:
    """Returns a person; Faulty where one cannot be reached so."""
    _name(one.name)
    if one.phone and not _PHONE.fullmatch(one.phone):
        raise Faulty(N_("phone {text}: give it with its country, +33612345678"), text=repr(one.phone))
    if one.mail and not _MAIL.fullmatch(one.mail):
        raise Faulty(N_("mail {text}: give one address"), text=repr(one.mail))
    if one.language not in LANGUAGES:
        raise Faulty(N_("language {text}: give one of {known}"), text=repr(one.language), known=", ".join(LANGUAGES))
    return one


def phone_of(text: str) -> str:
    """Returns a phone as it was typed in E.164: spaces and dots go, and a French 0 becomes +33."""
    digits = re.sub(r"[\s.()-]", "", text)
    return "+33" + digits[1:] if re.fullmatch("0[1-9][0-9]{8}", digits, re.ASCII) else digits


def _name(text: str) -> None:
    if not 0 < len(text) <= EQUIPMENT_TEXT_MAX or not text.isprintable():
        raise Faulty(N_("person {text}: give a name"), text=repr(text))


def _checked_week(one: Week, now_s: int) -> Week:
    if one.insee != ALL and not topic.is_insee(one.insee):
        raise Faulty(N_("commune {text}: give the five characters of its INSEE code, or all"), text=repr(one.insee))
    if one.trade not in TRADES:
        known = ", ".join(_ALL_WORD if trade == ALL else trade for trade in TRADES)
        raise Faulty(N_("trade {text}: give one of {known}"), text=repr(one.trade), known=known)
    if begins_s(one.week) > now_s + ROTA_WEEKS_MAX * 7 * 86_400:
        raise Faulty(N_("week {text}: that is more than a year ahead"), text=repr(one.week))
    for name in (one.person, one.substitute):
        if name:
            _name(name)
    return one


# --- for a spreadsheet ----------------------------------------------------------------------------------------------


def text_of(weeks: Iterable[Week]) -> str:
    """Returns lines of a rota as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in weeks:
        writer.writerow([_ALL_WORD if cell == ALL else cell for cell in one])
    return out.getvalue()


def parse(text: str) -> list[Week]:
    """Returns the lines of a CSV, separated by commas or semicolons; Faulty names the first line that is none."""
    head = text.lstrip("\ufeff").partition("\n")[0]
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";" if ";" in head else ",")
    found = []
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and tuple(cells) == COLUMNS):
            continue
        if len(cells) != len(COLUMNS):
            raise Faulty(N_("line {number}: give {columns}"), number=number, columns=", ".join(COLUMNS))
        insee, trade = (ALL if cell == _ALL_WORD else cell for cell in cells[:2])
        found.append(Week(insee, trade, *cells[2:]))
    return found
