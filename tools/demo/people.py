"""Says whom one may be in the demonstration, and grants them what such a person has."""

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
# By word: the role, the name of the account, and what the scope grants it.
ROLES: dict[str, tuple[Message, str, set[tuple[str, str]]]] = {
    OPERATOR: (NC_("role", "lighting operator"), "Camille Renou", {(grants.ALL, grants.ALL)}),
    "technician": (NC_("role", "technician"), "Yanis Perrin",
                   {(COMMUNE, grants.LIGHTING), (BEHUARD.insee, grants.LIGHTING)}),
    "heating": (NC_("role", "referent, heating"), "Sacha Lemoine",
                {(COMMUNE, grants.HEATING), (BEHUARD.insee, grants.HEATING)}),
    "watering": (NC_("role", "referent, green spaces"), "Alix Moreau",
                 {(COMMUNE, grants.WATERING), (BEHUARD.insee, grants.WATERING)}),
    "mayor": (NC_("role", "mayor"), "Maire de Béhuard", {(BEHUARD.insee, grants.ALL)}),
    "dpo": (NC_("role", "data protection officer"), "Inès Marchand", {(grants.ALL, grants.JOURNAL)}),
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


def grant(connection: database.Connection) -> None:
    """Grants all of ROLES, and who stands in on duty, from always and for good."""
    with database.transaction(connection):
        for _, person, areas in ROLES.values():
            for insee, trade in areas:
                grants.give(connection, Grant(person, insee, trade, 0, None, "bocage demo", 0))
        grants.give(connection, Grant(DUTY[1].name, grants.ALL, grants.ALL, 0, None, "bocage demo", 0))
