"""Asks the questions, in the order of a person in front of a cabinet: where it is, its centre, what is
wired, its feeders one by one, the commune's keys, the page.

Fills in a Draft. Every answer is judged at once by the agent's own checks (`draft.accepts`), so that no accepted answer
is refused at the end, except where two answers conflict.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.commands.setup import draft as drafts
from gateway.commands.setup import files, machine, site, wiring
from gateway.commands.setup.dialogue import Refused, Terminal
from gateway.commands.setup.draft import Draft
from gateway.commands.setup.words import word
from gateway.config import password
from gateway.config.bearers import FIBRE, MOBILE
from gateway.io import identity
from gateway.language.figures import number

_BYTES_OF_MEGABYTE = 1_000_000
_CONTACTS = ("door", "mains", "switch_on", "switch_off")
_NUMBERS = ("photocell", "temperature", "ups")

# Places of the letters of `letters.keep_feeder`: keep, change, remove.
_KEEP, _REMOVE = 0, 2


class Questions:
    """Goes once through all questions; the draft's values are the answers to empty lines."""

    def __init__(self, terminal: Terminal, draft: Draft) -> None:
        self._terminal = terminal
        self._draft = draft
        self._document = draft.document

    def ask_all(self) -> None:
        for part in (self._place, self._centre, self._points, self._feeders, self._keys, self._page):
            part()

    # --- place --------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        self._terminal.title("title.place")
        gateway, cabinet = self._document["gateway"], self._document["cabinet"]
        gateway["insee"] = self._terminal.ask("insee", _field("gateway", "insee"), default=gateway.get("insee", ""))
        commune = self._terminal.ask(
            "commune", _field("gateway", "commune"), default=gateway.get("commune", ""), optional=True
        )
        _put(gateway, "commune", commune)
        gateway["name"] = self._terminal.ask("name", _field("gateway", "name"), default=gateway.get("name", "cab-1"))
        present = [cabinet.get(name) for name in ("latitude", "longitude")]
        default = f"{present[0]}, {present[1]}" if None not in present else ""
        found = self._terminal.ask("site", self._read_site, default=default)
        assert found is not None
        cabinet["latitude"], cabinet["longitude"] = found
        self._show_site(*found)

    def _read_site(self, typed: str) -> tuple[float, float]:
        found = site.parse(typed)
        if found is None:
            raise Refused()
        objection = drafts.site_objection(*found, self._document["gateway"]["insee"])
        if objection is not None:
            raise Refused(objection[0], **objection[1])
        return found

    def _show_site(self, latitude: float, longitude: float) -> None:
        language = self._terminal.language
        self._terminal.show(
            "site.is",
            latitude=number(abs(latitude), language, 4),
            longitude=number(abs(longitude), language, 4),
            north_south=word("north" if latitude >= 0 else "south", language),
            east_west=word("east" if longitude >= 0 else "west", language),
        )

    # --- centre -------------------------------------------------------------------------------------------------

    def _centre(self) -> None:
        self._terminal.title("title.centre")
        draft, uplink = self._draft, self._document["uplink"]
        uplink["broker"] = self._terminal.ask("broker", _field("uplink", "broker"), default=uplink.get("broker", ""))
        present = draft.authority_in_force()
        authority = self._file("ca", files.AUTHORITY if present else None, identity.check_authority)
        draft.authority = authority or draft.authority
        present = draft.installed(files.CERTIFICATE)
        is_ours = present is not None and not identity.is_stand_in(present)
        certificate = self._file(
            "certificate", files.CERTIFICATE if is_ours else None, self._check_certificate, request=str(files.REQUEST)
        )
        draft.certificate = certificate or draft.certificate
        wired, mobile = machine.interfaces()
        self._bearer(FIBRE, wired)
        stick = self._bearer(MOBILE, mobile)
        if stick is not None:
            self._mobile(stick)

    def _check_certificate(self, pem: bytes) -> None:
        draft = self._draft
        identity.check_certificate(pem, draft.key, draft.common_name, draft.authority_in_force())

    def _bearer(self, kind: str, choices: list[str]) -> dict[str, Any] | None:
        """Asks about the first bearer of a kind; others in the file stay as they are. None: there is none of this
        kind."""
        bearers = self._document.setdefault("bearer", [])
        present = next((one for one in bearers if one.get("kind") == kind), None)
        guess = "" if self._draft.was_there or not choices else choices[0]
        found = self._terminal.ask(
            kind,
            _field_of_bearer(kind, "interface"),
            default=(present or {}).get("interface", guess),
            optional=True,
            choices=choices,
        )
        if found is not None:
            entry = {"name": kind, "kind": kind} | (present or {}) | {"interface": found}
            if present is None:
                bearers.insert(0 if kind == FIBRE else len(bearers), entry)  # fibre is preferred
            else:
                bearers[bearers.index(present)] = entry
            return entry
        if present is not None and "source" not in present:  # bound by an address: not asked about, so kept
            bearers.remove(present)
            present = None
        if not bearers:
            del self._document["bearer"]
        return present

    def _mobile(self, mobile: dict[str, Any]) -> None:
        default = str(mobile.get("monthly_bytes", 0) // _BYTES_OF_MEGABYTE)
        mobile["monthly_bytes"] = self._terminal.ask("monthly", _read_budget, default=default)
        modem = self._terminal.ask(
            "modem",
            _field_of_bearer(MOBILE, "modem"),
            default=mobile.get("modem", ""),
            optional=True,
            choices=machine.serial_ports(self._draft.root),
        )
        _put(mobile, "modem", modem)
        if modem is None:
            mobile.pop("power_command", None)  # it is the modem's

    # --- points -------------------------------------------------------------------------------------------------

    def _points(self) -> None:
        self._terminal.title("title.points")
        cabinet = self._document["cabinet"]
        ports, chips = machine.serial_ports(self._draft.root), machine.gpio_chips(self._draft.root)
        self._wired("modbus", "modbus", choices=ports)
        if "modbus" in cabinet:
            default = str(cabinet.get("modbus_baud", wiring.BAUD))
            cabinet["modbus_baud"] = self._terminal.ask("baud", _integer("cabinet", "modbus_baud"), default=default)
        self._wired("gpio", "gpio", choices=chips, guess=chips[0] if chips else "")
        self._wired("linky", "linky", choices=[port for port in ports if port != cabinet.get("modbus")])
        if "linky" in cabinet:
            default, modes = cabinet.get("linky_mode", "historique"), ("historique", "standard")
            mode = self._terminal.ask("linky_mode", _field("cabinet", "linky_mode"), default=default, choices=modes)
            cabinet["linky_mode"] = mode
        if "gpio" in cabinet:
            self._wired("watchdog", "watchdog", guess=wiring.WATCHDOG)
        clock = self._document.get("clock", {})
        trusts = self._terminal.confirm("rtc", default=clock.get("trust_system") is True)
        if trusts or clock:
            self._document["clock"] = clock | {"trust_system": trusts}
        offered = self._wiring()
        for name in _CONTACTS:
            self._wired(name, "contact", guess=offered.points[name] if offered else "")
        for name in _NUMBERS:
            self._wired(name, "number")

    def _wiring(self) -> wiring.Wiring | None:
        """Returns the wiring of the installation guide that fits the ports of this cabinet."""
        cabinet = self._document["cabinet"]
        return wiring.MODULE if "modbus" in cabinet else wiring.LINES if "gpio" in cabinet else None

    def _wired(self, name: str, expected: str, *, choices: list[str] | None = None, guess: str = "") -> None:
        cabinet = self._document["cabinet"]
        default = cabinet.get(name, "" if self._draft.was_there else guess)
        read = _field("cabinet", name)
        found = self._terminal.ask(name, read, expect=expected, default=default, optional=True, choices=choices or ())
        _put(cabinet, name, found)

    # --- feeders ------------------------------------------------------------------------------------------------

    def _feeders(self) -> None:
        self._terminal.title("title.feeders")
        kept: list[dict[str, Any]] = []
        present = self._document["cabinet"].get("feeder", [])
        for feeder in [one for one in present if isinstance(one, dict)]:
            self._show_feeder(len(kept) + 1, feeder)
            choice = self._terminal.choose("keep_feeder", "letters.keep_feeder")
            if choice != _REMOVE:
                kept.append(feeder if choice == _KEEP else self._feeder(len(kept), feeder))
        while not kept or self._terminal.confirm("one_more", default=False):
            kept.append(self._feeder(len(kept), {}))
        self._document["cabinet"]["feeder"] = kept

    def _show_feeder(self, number: int, feeder: dict[str, Any]) -> None:
        self._terminal.show(
            "feeder.is",
            number=str(number),
            name=str(feeder.get("name")),
            lamps=str(feeder.get("lamps")),
            watts=str(feeder.get("lamp_watts", 0)),
            contactor=str(feeder.get("contactor")),
        )

    def _feeder(self, index: int, present: dict[str, Any]) -> dict[str, Any]:
        feeder = dict(present)
        offered = self._wiring()
        is_new = not present and offered is not None and index < len(offered.contactors)

        def ask(question: str, field: str, read: Callable[[str], Any], guess: str, **more: Any) -> None:
            default = str(feeder.get(field, guess))
            _put(feeder, field, self._terminal.ask(question, read, default=default, number=str(index + 1), **more))

        ask("feeder", "name", _feeder("name"), "")
        ask("lamps", "lamps", _feeder("lamps", int), "")
        ask("lamp_watts", "lamp_watts", _feeder("lamp_watts", int), "0")
        ask("contactor", "contactor", _feeder("contactor"), offered.contactors[index] if is_new and offered else "")
        feedback = offered.feedbacks[index] if is_new and offered else ""
        ask("feedback", "feedback", _feeder("feedback"), feedback, expect="contact", optional=True)
        meter = wiring.meter(index) if is_new and "modbus" in self._document["cabinet"] else ""
        ask("meter", "meter", _feeder("meter"), meter, optional=True)
        return feeder

    # --- keys and page ------------------------------------------------------------------------------------------

    def _keys(self) -> None:
        self._terminal.title("title.keys")
        gateway, draft = self._document["gateway"], self._draft

        def check(data: bytes) -> None:
            fault = drafts.keys_fault(data, gateway["insee"], self._terminal.language)
            if fault is not None:
                raise Refused("file.refused", why=fault)

        is_there = draft.keys is not None or draft.installed(files.COMMUNE_KEYS) is not None
        draft.keys = self._file("keys", files.COMMUNE_KEYS if is_there else None, check) or draft.keys
        if draft.keys is not None or is_there:
            gateway["keys"] = str(files.COMMUNE_KEYS)
        else:
            gateway.pop("keys", None)

    def _page(self) -> None:
        self._terminal.title("title.page")
        page = self._document.get("page", {})
        if not self._terminal.confirm("page", default=bool(page) or not self._draft.was_there):
            self._document.pop("page", None)
            return
        bind = self._terminal.ask("bind", _field("page", "bind"), default=page.get("bind", "192.168.50.1:8080"))
        line = page.get("password")
        if not password.is_line(line) or self._terminal.confirm("new_password", default=False):
            line = self._terminal.secret("password", _password_line)
        self._document["page"] = page | {"bind": bind, "password": line}

    # --- files --------------------------------------------------------------------------------------------------

    def _file(
        self, question: str, present: Path | None, check: Callable[[bytes], None], **values: str
    ) -> bytes | None:
        """Returns the content of a file to install; None: the present one is kept, or there is none."""

        def read(typed: str) -> bytes | None:
            if present is not None and typed == str(present):
                return None
            try:
                data = Path(typed).expanduser().read_bytes()
            except OSError as error:
                raise Refused("file.missing", path=typed, error=error.strerror or str(error)) from error
            try:
                check(data)
            except identity.IdentityFault as fault:
                raise Refused(fault.word, **fault.values) from fault
            return data

        default = "" if present is None else str(present)
        return self._terminal.ask(question, read, default=default, optional=True, **values)


def _field(section: str, name: str) -> Callable[[str], str]:
    """Returns a reader of texts that the agent accepts in this field."""

    def read(typed: str) -> str:
        if not drafts.accepts(section, name, typed):
            raise Refused()
        return typed

    return read


def _feeder(name: str, kind: Callable[[str], Any] = str) -> Callable[[str], Any]:
    def read(typed: str) -> Any:
        value = _number(typed) if kind is int else typed
        if not drafts.accepts("cabinet", name, value, feeder=True):
            raise Refused()
        return value

    return read


def _field_of_bearer(kind: str, name: str) -> Callable[[str], str]:
    def read(typed: str) -> str:
        if not drafts.accepts_of_bearer(kind, name, typed):
            raise Refused()
        return typed

    return read


def _integer(section: str, name: str) -> Callable[[str], int]:
    def read(typed: str) -> int:
        value = _number(typed)
        if not drafts.accepts(section, name, value):
            raise Refused()
        return value

    return read


def _read_budget(typed: str) -> int:
    value = _number(typed) * _BYTES_OF_MEGABYTE
    if not drafts.accepts_of_bearer(MOBILE, "monthly_bytes", value):
        raise Refused()
    return value


def _number(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 9):
        raise Refused()
    return int(typed)


def _password_line(typed: str) -> str:
    try:
        return password.make(typed)
    except ValueError as error:
        raise Refused() from error


def _put(table: dict[str, Any], field: str, value: Any) -> None:
    if value is None:
        table.pop(field, None)
    else:
        table[field] = value
