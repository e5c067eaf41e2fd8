"""A commune for the tests of the control centre: people with keys, signed documents, a control file, outcomes."""

import hashlib
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from policy import civil, document, keyset, lighting
from tools.centre.control import communes, orders
from tools.centre.control import file as control_file
from tools.centre.store import database
from wire import command, cose

INSEE = "49135"
NOW_S = 1_795_000_000  # 18 November 2026, 12:06:40 in France


class Person(NamedTuple):
    """Somebody with a key; the same one in every run."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self):
        return self.private.public_key().public_bytes_raw()

    @property
    def kid(self):
        return cose.kid_of(self.public)

    def write(self, folder):
        path = folder / f"{self.name.replace(' ', '-')}.pem"
        path.touch(0o600)
        path.write_bytes(self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path


def person(name):
    return Person(name, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


MAYOR, CLERK, DEPUTY, AGENT, STRANGER = (person(name) for name in ("Maire", "Greffe", "Adjoint", "Agent", "Inconnu"))

FEEDERS = (
    document.FeederRule("bourg", document.SWITCHED, 0, "centre"),
    document.FeederRule("ecole", document.SWITCHED, 0, "centre"),
    document.FeederRule("route", document.SWITCHED, 0, "routes"),
)


def key_set(version=1, holders=(MAYOR, CLERK, DEPUTY), insee=INSEE):
    return keyset.KeySet(version, insee, 2, tuple((one.public, one.name) for one in holders), ())


def signed_keyset(one, signers):
    return cose.sign_encode(
        keyset.encode(one), [(signer.kid, signer.private.sign) for signer in signers], cose.KEYS_AAD
    )


def policy(version=1, *, insee=INSEE, feeders=FEEDERS, limits=(), operators=None, valid_from_s=NOW_S - 86_400):
    if operators is None:
        operators = ((MAYOR, document.ALL_RIGHTS), (AGENT, document.TEST))
    site = lighting.Site(475720, -5940, civil.PARIS)
    section = document.Lighting(site, (lighting.DEFAULT_CALENDAR,), tuple(feeders), tuple(limits))
    people = tuple(document.Operator(one.public, one.name, rights, 0) for one, rights in operators)
    return document.Policy(
        version, insee, valid_from_s, valid_from_s + 366 * 86_400, "Conseil municipal", f"D-{version}", section, people
    )


def signed_policy(one, signer=MAYOR):
    return cose.sign1_encode(document.encode(one), signer.kid, cose.POLICY_AAD, signer.private.sign)


def limit(kind, target, a=0, b=0):
    return document.Limit(target, kind, a, b, "Préfet", "Arrêté 7", 0, 0)


def new_file(path, *, policies=(None,), now_s=NOW_S):
    """A control file with the first key set and policies (None: the usual first one); its connection."""
    connection = control_file.open_to_write(str(path))
    with database.transaction(connection):
        one, faults = communes.accept_keyset(connection, keyset.encode(key_set()), now_s=now_s)
        assert one, faults
        for document_ in policies:
            data = signed_policy(document_ or policy(valid_from_s=now_s - 86_400))
            kept, faults = communes.accept_policy(connection, data, now_s=now_s)
            assert kept, faults
    return connection


def order(
    number=1, *, kind=command.EMERGENCY, for_s=3600, start_s=NOW_S, gateway=None, target=None, level=None, ends=None
):
    place = (INSEE, gateway, target, level, ends, None)
    return command.Command(number.to_bytes(8, "big"), kind, "Maire", "essai", start_s, start_s + for_s, *place)


def signed_order(one, signer=MAYOR):
    return cose.sign1_encode(command.encode_command(one), signer.kid, cose.COMMAND_AAD, signer.private.sign)


def put(connection, one, *, now_s=NOW_S):
    """Sign and keep a command; what is kept."""
    signed = signed_order(one)
    with database.transaction(connection):
        orders.add(connection, signed, now_s=now_s)
    return orders.Order(one, signed, MAYOR.kid, now_s)


def outcome(one, word, *, feeder=None, why=None, power_dw=None, unix_s=NOW_S):
    return command.Outcome(one.id, word, why, feeder, power_dw, unix_s)
