"""Reads answers from a file instead of a person: TOML with the sections of gateway.toml, laid over the present one.

    [gateway]                                   [page]
    insee = "49135"                             bind = "192.168.50.1:8080"
    name = "cab-1"                              password = "…"      # as typed, or its scrypt line
    keys = "/media/usb/commune.keys"
    [uplink]                                    [cabinet]
    broker = "centre.example.fr:8883"           latitude = 47.5720, and so on
    ca = "/media/usb/autorite.pem"
    certificate = "/media/usb/cab-1.pem"

A section is laid over field by field; `[[cabinet.feeder]]` and `[[bearer]]`, if given, are the whole list. `ca`,
`certificate` and `keys` are files to install. Every fault is collected; of a password only its scrypt line is kept.
"""

import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.commands.setup import draft as drafts
from gateway.commands.setup import files
from gateway.commands.setup.draft import Draft
from gateway.commands.setup.words import word
from gateway.config import password
from gateway.io import identity

_OTHERS_MAY = stat.S_IRGRP | stat.S_IROTH


class OpenToOthers(Exception):
    """Reports a file with a password that other users than its owner may read."""


def read(path: Path) -> dict[str, Any]:
    """Returns the answers in a file. OSError, ValueError when it is not TOML, OpenToOthers."""
    given = tomllib.loads(path.read_bytes().decode())
    page = given.get("page")
    line = page.get("password") if isinstance(page, dict) else None
    if line is not None and not password.is_line(line) and path.stat().st_mode & _OTHERS_MAY and path.is_file():
        raise OpenToOthers(path)
    return given


def lay_over(draft: Draft, given: dict[str, Any], language: str) -> list[str]:
    """Fill in the draft; return the faults of the answers, in words."""
    strays = [name for name, one in given.items() if not isinstance(one, list if name == "bearer" else dict)]
    faults = [word("answers.section", language, section=name) for name in strays]
    if faults:
        return faults
    page = given.get("page")
    if isinstance(page, dict) and "password" in page and not password.is_line(page["password"]):
        try:
            page["password"] = password.make(str(page["password"]))
        except ValueError:
            faults.append(word("answers.password", language))
            page["password"] = drafts.some_password_line()  # reported once; nothing is written with a fault
    taken = {("uplink", "ca"), ("uplink", "certificate"), ("gateway", "keys")}
    brought = {
        (section, name): table.pop(name)
        for section, table in given.items()
        for name in list(table)
        if isinstance(table, dict) and (section, name) in taken
    }
    for section, table in given.items():
        draft.document[section] = draft.document.get(section, {}) | table if isinstance(table, dict) else table
    insee = str(draft.document["gateway"].get("insee", ""))
    if "cabinet" in given or not draft.was_there:
        fault = drafts.site_fault(draft.document["cabinet"], insee, language)
        if fault is not None:
            faults.append(word("answers.site", language, why=fault))
    return faults + _install(draft, brought, insee, language)


def _install(draft: Draft, brought: dict[tuple[str, str], Any], insee: str, language: str) -> list[str]:
    """Check and adopt the files that the answers name; the authority comes before the certificate. Returns faults."""
    faults = []

    def keys_check(data: bytes) -> None:
        fault = drafts.keys_fault(data, insee, language)
        if fault is not None:
            raise identity.IdentityFault("file.refused", why=fault)

    def certificate_check(data: bytes) -> None:
        identity.check_certificate(data, draft.key, draft.common_name, draft.authority_in_force())

    steps: tuple[tuple[str, str, Path, str, Callable[[bytes], None]], ...] = (
        ("uplink", "ca", files.AUTHORITY, "authority", identity.check_authority),
        ("uplink", "certificate", files.CERTIFICATE, "certificate", certificate_check),
        ("gateway", "keys", files.COMMUNE_KEYS, "keys", keys_check),
    )
    for section, name, place, attribute, check in steps:
        path = brought.get((section, name))
        if path is None:
            continue
        if name == "keys":
            draft.document["gateway"]["keys"] = str(place)
        if path == str(place):
            continue  # it is in its place already
        try:
            data = Path(str(path)).read_bytes()
            check(data)
        except OSError as error:
            why = word("file.missing", language, path=str(path), error=error.strerror or str(error))
            faults.append(word("answers.file", language, section=section, field=name, why=why))
        except identity.IdentityFault as fault:
            why = word(fault.word, language, **fault.values)
            faults.append(word("answers.file", language, section=section, field=name, why=why))
        else:
            setattr(draft, attribute, data)
    return faults
