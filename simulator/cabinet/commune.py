"""Makes a simulated commune in the real signed forms: its site, its key holders, and the decisions of its council.

Keys come from names by a hash, so that they are the same in every run: they are no secret, and worth nothing outside.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.feeder import FeederOptions
from policy import civil, document, lighting
from simulator.cabinet.points import WHOLE, Wiring
from simulator.hosts.keys import KEY_HOLDERS, holder_key
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from wire import command, cose

_ALWAYS = 0b1111111
# Where a gateway keeps the first policy on its card.
POLICY_FILE = "policy-0000000001"
_YEAR_S = 366 * 86_400
# Who may give orders.
_OFFICE, _TELEPHONE = "mairie", "téléphone du maire"


class Commune(NamedTuple):
    """Describes a commune of France. `inhabitants` 0: no matter."""

    insee: str
    name: str
    latitude_e4: int
    longitude_e4: int
    inhabitants: int = 0

    @property
    def site(self) -> lighting.Site:
        return lighting.Site(self.latitude_e4, self.longitude_e4, civil.PARIS)


# The smallest commune of Angers Loire Métropole, on an island in the Loire.
BEHUARD = Commune("49028", "Béhuard", 473783, -6428, 124)


class Night(NamedTuple):
    """Describes evenings that are not ordinary, by dates as `lighting.Rule` has them.

    `first`, `last`: MMDD of every year, equal for a single evening.
    """

    first: int
    last: int
    programme: Programme


def calendar_of(ordinary: Programme, nights: tuple[Night, ...] = ()) -> lighting.Calendar:
    """Returns a calendar of the exceptions first, then every evening."""
    programs = (*(night.programme.steps() for night in nights), ordinary.steps())
    rules = [lighting.Rule(_ALWAYS, night.first, night.last, index) for index, night in enumerate(nights)]
    return lighting.Calendar((*rules, lighting.Rule(_ALWAYS, 0, 0, len(nights))), programs)


def policy_of(
    commune: Commune, feeders: Iterable[FeederData], calendar: lighting.Calendar, *, now_s: int
) -> document.Policy:
    """Returns the council's decision of a year ago, valid for five years: one calendar for all feeders; the town hall
    may give any order, the mayor's telephone may light."""
    rules = tuple(
        document.FeederRule(feeder.name, document.SWITCHED if feeder.switched else document.PERMANENT, 0, "rues")
        for feeder in feeders
    )
    section = document.Lighting(commune.site, (calendar,), rules, ())
    rights = ((_OFFICE, document.ALL_RIGHTS), (_TELEPHONE, document.LIGHT))
    operators = tuple(
        document.Operator(_public(holder_key(commune.insee, who)), who, right, 0) for who, right in rights
    )
    of = "d’" if commune.name[0] in "AEIOUYÉ" else "de "
    decided = (f"Conseil municipal {of}{commune.name}", "Délibération 2026-14")
    valid = now_s - _YEAR_S, now_s + 4 * _YEAR_S
    return document.Policy(1, commune.insee, *valid, *decided, section, operators)


def signed_policy(policy: document.Policy) -> bytes:
    """Returns the policy as it is sent and stored: signed by the first key holder of its commune."""
    return _signed(policy.insee, KEY_HOLDERS[0], document.encode(policy), cose.POLICY_AAD)


def signed_by_telephone(
    commune: Commune,
    number: int,
    reason: str,
    *,
    from_s: int,
    to_s: int,
    kind: int = command.EMERGENCY,
    level: int | None = None,
) -> bytes:
    """Returns an order for every feeder under the key of the mayor's telephone, also one to which that key has no
    right. `number`: no two in a run are the same."""
    order = command.Command(
        id=sha256(f"{commune.insee}/{number}".encode()).digest()[: command.ID_BYTES],
        kind=kind,
        author="le maire",
        reason=reason,
        not_before_s=from_s,
        expires_s=to_s,
        insee=commune.insee,
        gateway=None,
        target=None,
        level=level,
        ends=None,
        values=None,
    )
    return _signed(commune.insee, _TELEPHONE, command.encode_command(order), cose.COMMAND_AAD)


def options_of(commune: Commune, feeders: tuple[FeederData, ...], wiring: Wiring = WHOLE) -> CabinetOptions:
    """Returns the configuration of the commune's cabinet."""
    installed = tuple(
        FeederOptions(feeder.name, feeder.lamps, 10 * feeder.lamp_w, has_meter=wiring.meters) for feeder in feeders
    )
    return CabinetOptions(
        commune.latitude_e4,
        commune.longitude_e4,
        installed,
        has_watchdog=wiring.watchdog,
        has_linky=wiring.linky,
    )


def _signed(insee: str, holder: str, payload: bytes, aad: bytes) -> bytes:
    key = holder_key(insee, holder)
    return cose.sign1_encode(payload, cose.kid_of(_public(key)), aad, key.sign)


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
