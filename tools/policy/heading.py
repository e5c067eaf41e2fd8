"""`[policy]`, `[site]` and `[[operator]]`: whose policy it is, where it holds, and who may command."""

import datetime
from typing import NamedTuple

from policy import civil, document, lighting, limits
from policy.document import Operator
from tools.policy.table import Table
from wire import cose, topic

VALIDITY_DAYS_MAX = 3660  # ten years: every night of it is checked against the limits
RIGHTS = {"override": document.OVERRIDE, "emergency": document.EMERGENCY, "test": document.TEST,
          "directive": document.DIRECTIVE}  # fmt: skip
_EPOCH = datetime.date(1970, 1, 1)
_NOON_S = 43_200
_HEX_BYTES_MAX = 80


class Heading(NamedTuple):
    """The `[policy]` table. `evenings`: the civil days whose nights the policy is for; None after a complaint."""

    version: int | None
    insee: str | None
    authority: str | None
    text: str | None
    evenings: range | None

    @property
    def valid_from_s(self) -> int:
        assert self.evenings is not None
        return civil.unix_from_local(civil.PARIS, self.evenings.start, _NOON_S)

    @property
    def valid_until_s(self) -> int:
        assert self.evenings is not None
        return civil.unix_from_local(civil.PARIS, self.evenings.stop, _NOON_S)

    @property
    def years(self) -> range:
        """The years of its dates, and the one before: a season that wraps over New Year begins there."""
        if self.evenings is None:
            return range(0)
        first = civil.civil_from_days(self.evenings.start)[0]
        return range(first - 1, civil.civil_from_days(self.evenings.stop - 1)[0] + 1)


def read(table: Table) -> Heading:
    insee = table.text("commune", 5)
    if insee is not None and not topic.is_insee(insee):
        table.add("commune", "insee")
    version = table.integer("version", 1, limits.version_max)
    authority = table.text("authority", limits.authority_bytes_max)
    text = table.text("text", limits.text_bytes_max)
    evenings = _evenings(table)
    table.close()
    return Heading(version, insee, authority, text, evenings)


def read_site(table: Table) -> lighting.Site:
    latitude = table.degrees("latitude", limits.latitude_min_e4 / 1e4, limits.latitude_max_e4 / 1e4)
    longitude = table.degrees("longitude", limits.longitude_min_e4 / 1e4, limits.longitude_max_e4 / 1e4)
    table.close()
    return lighting.Site(round((latitude or 0) * 10_000), round((longitude or 0) * 10_000), civil.PARIS)


def read_operator(table: Table) -> Operator:
    name = table.text("name", limits.name_bytes_max)
    key = _public_key(table)
    rights = 0
    for path, value in table.items("rights"):
        if isinstance(value, str) and value in RIGHTS:
            rights |= RIGHTS[value]
        else:
            table.complaints.add(path, "one_of", value=value, words=", ".join(RIGHTS))
    table.close()
    return Operator(key, name, rights)


def check_keys(root: Table, operators: list[Operator]) -> None:
    """Two operators do not share a key: an order says whose it is."""
    kids = [cose.kid_of(operator.key) for operator in operators]
    for i, kid in enumerate(kids):
        if kid in kids[:i]:
            root.complaints.add(("operator", i, "key"), "key_twice", name=operators[kids.index(kid)].name)


def _public_key(table: Table) -> bytes:
    text = table.text("key", _HEX_BYTES_MAX)
    try:
        key = bytes.fromhex(text or "")
    except ValueError:
        key = b""
    if text is not None and not cose.is_sound_key(key):
        table.add("key", "key")
    return key


def _evenings(table: Table) -> range | None:
    first, last = table.day("valid_from"), table.day("valid_until")
    for key, day in (("valid_from", first), ("valid_until", last)):
        # A year apart from the ends of the calendar, for the nights around New Year.
        if day and not limits.year_min < day.year < limits.year_max:
            table.add(key, "year", value=day.year, low=limits.year_min + 1, high=limits.year_max - 1)
            return None
    if first is None or last is None:
        return None
    evenings = range((first - _EPOCH).days, (last - _EPOCH).days + 1)
    if not evenings:
        table.add("valid_until", "until_before")
        return None
    if len(evenings) > VALIDITY_DAYS_MAX:
        table.add("valid_until", "validity", max=VALIDITY_DAYS_MAX // 366)
        return None
    return evenings
