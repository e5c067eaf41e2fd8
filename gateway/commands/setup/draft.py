"""Holds a draft of /etc/bocage: the document of gateway.toml as plain data, and the files to install with it.

`check` judges the whole as the agent will (`gateway.config.config`), with the files that are about to be written
in a temporary folder; `accepts` judges one answer by itself. Nothing here asks a person or
writes to /etc.
"""

import copy
import secrets
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.commands.setup import files, site
from gateway.commands.setup.words import comment, word
from gateway.config import config, password
from gateway.config.table import Fault
from gateway.io import identity
from policy import keyset

INSECURE = "--insecure"
_NODE_ID_BYTES = 8

# A document without fault, so that one field put into it is judged by itself.
_SOUND: dict[str, Any] = {
    "gateway": {"id": "7c1f0a2cff000001", "insee": "49135", "name": "cab-1", "data": "/var/lib/bocage"},
    "link": {"bind": "127.0.0.1:5683"},
    "uplink": {"broker": "centre.example.fr:8883"},
}
_SOUND_CABINET: dict[str, Any] = {
    "latitude": 47.572,
    "longitude": -0.594,
    "gpio": "/dev/gpiochip0",
    "modbus": "/dev/ttyUSB0",
    "feeder": [{"name": "bourg", "lamps": 1, "lamp_watts": 0, "contactor": "modbus:1/coil:0"}],
}


@dataclass
class Draft:
    """Is the draft. `document` is gateway.toml. `authority`, `certificate`, `keys` are the contents of files to be
    installed, None: as they are. `questions` and `answers` judge each by `identity` and `keys_fault` before they set
    it."""

    root: Path
    document: dict[str, Any]
    key: bytes
    authority: bytes | None = None
    certificate: bytes | None = None
    keys: bytes | None = None
    was_there: bool = False
    _installed: dict[Path, bytes | None] = field(default_factory=dict)

    @property
    def common_name(self) -> str:
        """Returns the common name of the certificate: the MQTT client's id."""
        gateway = self.document["gateway"]
        return f"{gateway.get('insee', '')}-{gateway.get('name', '')}"

    def installed(self, path: Path) -> bytes | None:
        if path not in self._installed:
            self._installed[path] = files.read(self.root, path)
        return self._installed[path]

    def authority_in_force(self) -> bytes | None:
        """Returns the authority's certificate that will be in force, None while it is a stand-in."""
        pem = self.authority or self.installed(files.AUTHORITY)
        return None if pem is None or identity.is_stand_in(pem) else pem

    def check(self, language: str) -> list[str]:
        """Lists every fault, in the words of the agent."""
        with tempfile.TemporaryDirectory(prefix="bocage-setup-") as folder:
            return [fault.text(language) for fault in _faults(self._staged(Path(folder)))]

    def new_files(self, language: str) -> list[files.New]:
        """Lists the files to write, in this order. The document's paths are those of the system that will run it."""
        new = [files.New(files.KEY, self.key, 0o600)]
        name = self.common_name
        stand_in = identity.make_stand_in(self.key, name)
        if self.installed(files.KEY) != self.key or self._request_name() != name:
            new.append(files.New(files.REQUEST, identity.make_request(self.key, name), 0o644))
        certificate = self.certificate or self._kept(files.CERTIFICATE, name)
        new.append(files.New(files.CERTIFICATE, certificate or stand_in, 0o644))
        new.append(files.New(files.AUTHORITY, self.authority_in_force() or stand_in, 0o644))
        if self.keys is not None:
            new.append(files.New(files.COMMUNE_KEYS, self.keys, 0o644))
        new.append(files.New(files.SERVICE_OPTIONS, self._service_options(), 0o644))
        before = self.installed(files.CONFIG)
        if before is not None:
            new.append(files.New(files.BEFORE, before, 0o640))
        text = files.toml_text(self.document, lambda path: comment(path, language))
        return [*new, files.New(files.CONFIG, text.encode(), 0o640)]

    # --- parts --------------------------------------------------------------------------------------------------

    def _staged(self, folder: Path) -> dict[str, Any]:
        """Returns the document with paths to copies of the files to come, for a check before any file is in its
        place."""
        staged = copy.deepcopy(self.document)
        uplink, gateway = staged.get("uplink", {}), staged.get("gateway", {})
        stand_in = folder / "stand-in.pem"
        stand_in.write_bytes(identity.make_stand_in(self.key, "check"))
        for name in ("ca", "certificate", "key"):
            if name in uplink:
                uplink[name] = str(stand_in)
        page = staged.get("page", {})
        for table, name in ((uplink, "crl"), (page, "certificate"), (page, "key"), (page, "lights")):
            if isinstance(table.get(name), str) and table[name].startswith("/"):
                table[name] = str(files.under(self.root, Path(table[name])))
        if "keys" in gateway:
            keys = folder / "commune.keys"
            keys.write_bytes(self.keys or self.installed(files.COMMUNE_KEYS) or b"")
            gateway["keys"] = str(keys)
        return staged

    def _kept(self, path: Path, name: str) -> bytes | None:
        """Returns an installed certificate that is still ours; a stand-in in an old name is made anew."""
        pem = self.installed(path)
        if pem is None or identity.is_stand_in(pem):
            return None
        try:
            identity.check_certificate(pem, self.key, name, None)
        except identity.IdentityFault:
            return None
        return pem

    def _request_name(self) -> str | None:
        pem = self.installed(files.REQUEST)
        return None if pem is None else identity.name_of_request(pem)

    def _service_options(self) -> bytes:
        text = (self.installed(files.SERVICE_OPTIONS) or b"").decode(errors="replace")
        lines = [line for line in text.splitlines() if line.startswith("BOCAGE_OPTIONS=")]
        words = [one for one in lines[-1].partition("=")[2].strip("\"'").split() if one != INSECURE] if lines else []
        return f'# Options of the service bocage-gateway.\nBOCAGE_OPTIONS="{" ".join(words)}"\n'.encode()


def open_draft(root: Path) -> Draft:
    """Reads the installed files and completes them with what every gateway has. OSError, or ValueError for a document
    that is not TOML."""
    present = files.read(root, files.CONFIG)
    document: dict[str, Any] = {} if present is None else tomllib.loads(present.decode())
    for name, section in document.items():
        if not isinstance(section, list if name == "bearer" else dict):
            raise ValueError(f"{name} is no section")
    gateway = document.setdefault("gateway", {})
    gateway.setdefault("id", secrets.token_bytes(_NODE_ID_BYTES).hex())
    gateway.setdefault("data", "/var/lib/bocage")
    uplink = document.setdefault("uplink", {})
    uplink.update({"ca": str(files.AUTHORITY), "certificate": str(files.CERTIFICATE), "key": str(files.KEY)})
    document.setdefault("cabinet", {})
    key = files.read(root, files.KEY) or identity.make_key()
    return Draft(root, document, key, was_there=present is not None)


def accepts(section: str, name: str, value: Any, *, feeder: bool = False) -> bool:
    """True when the agent accepts this value in this field, apart from all others."""
    probe = copy.deepcopy(_SOUND)
    if section in ("cabinet", "page"):
        probe["cabinet"] = copy.deepcopy(_SOUND_CABINET)
    if section == "page":
        probe["page"] = {"bind": "127.0.0.1:8080", "password": some_password_line()}
    if feeder:
        probe["cabinet"]["feeder"][0][name] = value
    else:
        probe.setdefault(section, {})[name] = value
    return not _faults(probe)


def accepts_of_bearer(kind: str, name: str, value: Any) -> bool:
    """True when the agent accepts this value in this field of a [[bearer]]."""
    bearer = {"name": kind, "kind": kind, "interface": "eth0"} | {name: value}
    return not _faults(_SOUND | {"bearer": [bearer]})


def keys_fault(data: bytes, insee: str, language: str) -> str | None:
    """Returns in words why these bytes are not the key set of this commune."""
    found, faults = keyset.decode(data)
    if found is None:
        return word("keys.bad", language, why=f"{faults[0].path} {faults[0].problem}; {faults[0].remedy}")
    if found.insee != insee:
        return word("keys.other", language, found=found.insee, expected=insee)
    return None


def site_objection(latitude: float, longitude: float, insee: str) -> tuple[str, dict[str, str]] | None:
    """Returns why the cabinet cannot be there: a word of `words` and its values. The agent's sun does not cover
    overseas regions yet."""
    objection = site.objection(latitude, longitude, insee)
    is_taken = accepts("cabinet", "latitude", latitude) and accepts("cabinet", "longitude", longitude)
    if objection is None and not is_taken:
        return "site.overseas", {"region": site.region_of(insee).name}
    return objection


def site_fault(cabinet: dict[str, Any], insee: str, language: str) -> str | None:
    """Returns the same in words, for values of any type."""
    latitude, longitude = cabinet.get("latitude"), cabinet.get("longitude")
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (latitude, longitude)):
        return word("answers.numbers", language)
    objection = site_objection(float(latitude or 0), float(longitude or 0), insee)
    return None if objection is None else word(objection[0], language, **objection[1])


def _faults(document: dict[str, Any]) -> list[Fault]:
    try:
        config.check(document, insecure=True)
    except config.ConfigError as error:
        return error.faults
    return []


_password_line = ""


def some_password_line() -> str:
    """Returns a sound line of a password that is used nowhere; making it takes a quarter of a second of a Pi, so it is
    made once."""
    global _password_line
    _password_line = _password_line or password.make(secrets.token_urlsafe(16))
    return _password_line
