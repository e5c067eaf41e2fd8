"""Says whom one may be in the demonstration, and grants them what such a person has."""

from gateway.language import NC_, Message
from simulator.cabinet.commune import BEHUARD
from tools.centre.scope import grants
from tools.centre.scope.grants import Grant
from tools.centre.store import database

# Where one begins: a village whose lamps have nodes.
COMMUNE = "49135"
OPERATOR = "operator"
# By word: the role, the name of the account, and what the scope grants it.
ROLES: dict[str, tuple[Message, str, set[tuple[str, str]]]] = {
    OPERATOR: (NC_("role", "lighting operator"), "Camille Renou", {(grants.ALL, grants.ALL)}),
    "heating": (NC_("role", "referent, heating"), "Sacha Lemoine", {(COMMUNE, grants.HEATING)}),
    "watering": (NC_("role", "referent, green spaces"), "Alix Moreau", {(COMMUNE, grants.WATERING)}),
    "mayor": (NC_("role", "mayor"), "Maire de Béhuard", {(BEHUARD.insee, grants.ALL)}),
}  # fmt: skip


def grant(connection: database.Connection) -> None:
    """Grants all of ROLES, from always and for good."""
    with database.transaction(connection):
        for _, person, areas in ROLES.values():
            for insee, trade in areas:
                grants.give(connection, Grant(person, insee, trade, 0, None, "bocage demo", 0))
