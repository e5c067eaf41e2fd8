"""A commune with its people, keys and policy, for tests of what is signed. Keys are made from fixed seeds."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policy import civil, document, keyset, lighting
from policy.document import FeederRule, Lighting, Limit, Operator, Policy
from policy.keyset import KeySet
from wire import cose

INSEE = "49135"
FENEU = lighting.Site(475720, -5940, civil.PARIS)
START_S = 1_798_801_200  # 2027-01-01 12:00 in Paris
END_S = START_S + 3 * 365 * 86_400


class Person:
    """A holder of a key; `seed` is its private half: 32 bytes, or a number for as many of it."""

    def __init__(self, seed: int | bytes, name: str = "x"):
        seed = bytes([seed]) * 32 if isinstance(seed, int) else seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = self._private.public_key().public_bytes_raw()
        self.kid = cose.kid_of(self.key)
        self.name = name

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


MAYOR, DEPUTY, SAFE = Person(1, "Maire"), Person(2, "Adjoint"), Person(3, "Coffre")
ON_CALL, UNKNOWN, NEW_MAYOR = Person(4, "Astreinte"), Person(5, "Inconnu"), Person(6, "Nouveau maire")
# The private key of RFC 8032, section 7.1, test 1, which everybody has.
PUBLISHED = Person(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), "RFC 8032")

WAREHOUSE = Person(7, "Entrepôt")
HOLDERS = tuple((one.key, one.name) for one in (MAYOR, DEPUTY, SAFE))
KEYS = KeySet(1, INSEE, 2, HOLDERS, ((WAREHOUSE.key, WAREHOUSE.name),))

EXTINCTION = lighting.Calendar(
    (lighting.Rule(127, 714, 714, 1), lighting.Rule(lighting.EVERY_DAY, 0, 0, 0)),
    (
        (
            lighting.Step(lighting.SUNSET, 0, 100, 0),
            lighting.Step(lighting.CLOCK, 23 * 60, 0, 0),
            lighting.Step(lighting.CLOCK, 6 * 60, 100, 0),
            lighting.Step(lighting.SUNRISE, 0, 0, 0),
        ),
        lighting.DEFAULT_PROGRAM,
    ),
)
LIGHTING = Lighting(
    FENEU,
    (EXTINCTION, lighting.DEFAULT_CALENDAR),
    (
        FeederRule("bourg", document.SWITCHED, 0, "rues"),
        FeederRule("rd-768", document.PERMANENT, 1, "grand-axe"),
        FeederRule("étang", document.SWITCHED, 0, "parcs"),
    ),
    (
        Limit("parcs", document.DARK_WINDOW, 60, 720, "État", "Arrêté du 27 décembre 2018, article 2", 0, 0),
        Limit("grand-axe", document.NO_DARKENING, 0, 0, "Conseil municipal", "Article 3", 0, 0),
        Limit("*", document.DARK_BY_DAY, 30, 30, "Conseil municipal", "Article 4", 20270101, 0),
        Limit("parcs", document.EXEMPTION, document.DARK_WINDOW, 0, "Maire", "2027-12", 20270621, 20270621),
    ),
)
POLICY = Policy(
    1,
    INSEE,
    START_S,
    END_S,
    "Conseil municipal de Feneu",
    "Délibération 2026-41",
    LIGHTING,
    (Operator(ON_CALL.key, ON_CALL.name, document.ALL_RIGHTS, 0),),
)


def signed_policy(policy: Policy = POLICY, person: Person = MAYOR, aad: bytes = cose.POLICY_AAD) -> bytes:
    return cose.sign1_encode(document.encode(policy), person.kid, aad, person.sign)


def signed_keyset(keys: KeySet, *people: Person, aad: bytes = cose.KEYS_AAD) -> bytes:
    return cose.sign_encode(keyset.encode(keys), [(one.kid, one.sign) for one in people], aad)
