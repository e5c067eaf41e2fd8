"""Checks the [page] section of the configuration: where the technician's page listens, and its password line."""

from typing import NamedTuple

from gateway.config import password
from gateway.config.table import Table, is_file
from gateway.language import N_, NC_

FIELDS = ("bind", "password", "certificate", "key", "lights")


class PageOptions(NamedTuple):
    """Describes the page. `bind`: a numeric address of the maintenance port, and a port. `password`: a line of
    `password.py`. `certificate` and `key`: PEM files; without them the page is plain HTTP. `lights`: a file of the
    commune's register, to choose a light from (`gateway.show.page.lights`)."""

    bind: tuple[str, int]
    password: str
    certificate: str | None = None
    key: str | None = None
    language: str = "fr"
    lights: str | None = None


def check(table: Table, *, has_cabinet: bool) -> PageOptions:
    """Returns the page in the section; faults are appended to the table's."""
    bind = table.address("bind", 8080)
    line = table.plain.get("password")
    if not password.is_line(line):
        # The value may be the password itself: it must not be repeated.
        problem = NC_("fault", "is missing") if line is None else NC_("fault", "is no scrypt line")
        table.fault("password", problem, N_("give the line that `bocage gateway setup` writes"))
        line = ""
    certificate, key = (
        table.optional(name, is_file, N_("give the path of a PEM file")) for name in ("certificate", "key")
    )
    if (certificate is None) != (key is None):
        table.fault("certificate", NC_("fault", "is alone"), N_("give certificate and key together"))
    if not has_cabinet:
        table.fault("bind", NC_("fault", "has no cabinet to show"), N_("give [cabinet], or remove [page]"))
    lights = table.optional("lights", is_file, N_("give the path of a CSV of the register"))
    return PageOptions(bind, str(line), certificate, key, lights=lights)
