"""Gives streets and buildings names of our own making, as villages of Anjou have them."""

from simulator.world.chance import Prng

SQUARE = "place du Bourg"
MAIN_STREET = "Grande Rue"
PORT_STREET = "rue du Port"

# By what a street is: those that leave the centre, those that go around it, those that end.
_OUTWARD = ("rue", "rue", "rue", "route", "avenue", "chemin")
_AROUND = ("rue", "rue", "rue", "ruelle", "sente", "chemin")
_ENDING = ("impasse", "venelle", "allée", "cour")
KINDS = {"outward": _OUTWARD, "around": _AROUND, "ending": _ENDING}
_OF = (
    "de l’Église", "des Écoliers", "du Lavoir", "des Tilleuls", "du Four à Pain", "des Vignes", "de la Forge",
    "du Moulin", "des Tisserands", "du Puits", "de la Mairie", "des Prairies", "du Vieux Pont", "de la Fontaine",
    "des Noyers", "du Clos", "de la Haie Vive", "des Ardoisiers", "du Pressoir", "des Peupliers", "de la Gare",
    "du Presbytère", "des Lilas", "de la Levée", "du Champ de Foire", "des Rosiers", "de la Croix Blanche", "du Bac",
    "des Chênes", "de la Boulangerie", "du Verger", "des Mariniers", "de la Bascule", "du Colombier", "des Genêts",
    "de la Métairie", "du Grand Pré", "des Cordiers", "de la Source", "du Bois", "des Hirondelles",
    "de l’Ancienne Poste", "du Stade", "des Saules", "de la Garenne", "du Cimetière", "des Moissons", "de la Chapelle",
    "du Château",
    "des Quatre Vents", "de l’Étang", "du Maréchal-Ferrant", "des Bleuets", "de la Treille", "du Calvaire",
    "des Charpentiers", "de la Vallée", "du Sabotier", "des Merisiers", "de la Minoterie",
)  # fmt: skip
_SMALL_WORDS = frozenset(("de", "du", "des", "la", "le", "les", "à", "rue"))


class Names:
    """Gives names, no two alike: each second part once, then again with another first part."""

    def __init__(self, prng: Prng) -> None:
        self._prng = prng
        self._left: list[str] = []
        self._given = {SQUARE, MAIN_STREET, PORT_STREET}

    def street(self, kind: str) -> str:
        """Returns a name for a street of a kind of KINDS."""
        for _ in range(10 * len(_OF)):
            first = KINDS[kind][self._prng.randrange(len(KINDS[kind]))]
            name = f"{first} {self._second()}"
            if name not in self._given:
                break
        else:
            name = f"{first} n° {len(self._given)}"
        self._given.add(name)
        return name

    def _second(self) -> str:
        if not self._left:
            self._left = list(_OF)
        return self._left.pop(self._prng.randrange(len(self._left)))


def short(street: str) -> str:
    """Returns a street's own word, as cabinets label their feeders: `port` of « rue du Port »."""
    words = street.replace("’", " ").replace("-", " ").lower().split()[1:]
    own = [word for word in words if word not in _SMALL_WORDS and len(word) > 1]
    return own[0] if own else "bourg"
