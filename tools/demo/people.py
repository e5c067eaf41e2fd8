"""Says whom one may be in the demonstration, and grants them what such a person has."""

from typing import NamedTuple

from gateway.language import NC_, Message
from simulator.cabinet.commune import BEHUARD
from tools.centre.duty import rota
from tools.centre.duty.rota import Person
from tools.centre.scope import grants
from tools.centre.scope.grants import Grant
from tools.centre.store import database

# Where one begins: a village whose lamps have nodes.
COMMUNE = "49135"
OPERATOR = "operator"


class Role(NamedTuple):
    """Describes whom one may be: the name of the account, what the scope grants it (`COMMUNE`: where one begins), and
    the address that answers its first question."""

    title: Message
    person: str
    areas: set[tuple[str, str]]
    first: str


_OWN, _VILLAGE = COMMUNE, BEHUARD.insee
ROLES: dict[str, Role] = {
    OPERATOR: Role(NC_("role", "lighting operator"), "Camille Renou", {(grants.ALL, grants.ALL)}, "/{insee}/map"),
    "technician": Role(NC_("role", "technician"), "Yanis Perrin",
                       {(_OWN, grants.LIGHTING), (_VILLAGE, grants.LIGHTING)}, "/{insee}/round"),
    "heating": Role(NC_("role", "referent, heating"), "Sacha Lemoine",
                    {(_OWN, grants.HEATING), (_VILLAGE, grants.HEATING)}, "/{insee}/rooms"),
    "watering": Role(NC_("role", "referent, green spaces"), "Alix Moreau",
                     {(_OWN, grants.WATERING), (_VILLAGE, grants.WATERING)}, "/{insee}/greens"),
    "mayor": Role(NC_("role", "mayor of the village next door"), "Maire de Béhuard",
                  {(_VILLAGE, grants.ALL)}, f"/{_VILLAGE}/town"),
    "dpo": Role(NC_("role", "data protection officer"), "Inès Marchand", {(grants.ALL, grants.JOURNAL)}, "/privacy"),
}  # fmt: skip


_WEEKS = 8
# Who is on duty there, and who stands in; the channels end in the book, and nothing is sent.
DUTY = (Person("Camille Renou", "+33700000001", "camille@example.invalid", "fr"),
        Person("Alice Martin", "+33700000002", "alice@example.invalid", "fr"))  # fmt: skip


def set_rota(path: str, *, now_s: int) -> None:
    """Writes who is on duty from now on, for all communes and trades."""
    for person in DUTY:
        rota.set_person(path, person)
    on_duty, substitute = DUTY
    scope = grants.ALL, grants.ALL
    weeks = (rota.Week(*scope, week, on_duty.name, substitute.name) for week in rota.weeks_from(now_s, _WEEKS))
    rota.set_weeks(path, weeks, now_s=now_s)


def grant(connection: database.Connection, own: str = COMMUNE) -> None:
    """Grants all of ROLES, and who stands in on duty, from always and for good; `own`: where one begins."""
    with database.transaction(connection):
        for role in ROLES.values():
            for insee, trade in role.areas:
                where = own if insee == COMMUNE else insee
                grants.give(connection, Grant(role.person, where, trade, 0, None, "la démonstration", 0))
        grants.give(connection, Grant(DUTY[1].name, grants.ALL, grants.ALL, 0, None, "la démonstration", 0))
