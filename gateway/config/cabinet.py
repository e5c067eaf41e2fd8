"""The [cabinet] part of gateway.toml: what equipment the cabinet has, and where it is wired.

    [cabinet]
    latitude = 47.5720                  # degrees; for the calendar without a policy
    longitude = -0.5940
    keys = "/etc/bocage/commune.keys"   # the commune's key set; absent: no policy is taken
    gpio = "/dev/gpiochip0"             # absent: no GPIO points
    modbus = "/dev/serial/by-id/usb-…"  # absent: no Modbus points
    modbus_baud = 9600
    modbus_parity = "none"              # or "even", "odd"
    linky = "/dev/ttyAMA0"
    linky_mode = "historique"           # or "standard"
    watchdog = "gpio:22"                # to the timer relay that keeps the contactors in our hand, which must want
                                        # new edges again and again; absent: none
    door = "gpio:5/pull-up"             # active: open
    mains = "gpio:6"                    # active: the supply is there
    switch_on = "gpio:13"               # the hand switch's two positions; neither: automatic
    switch_off = "gpio:19"
    photocell = "modbus:4/30001"        # lx
    temperature = "modbus:4/30002:s16*0.1"   # °C
    ups = "modbus:5/30010*0.01"         # V of the battery

    [[cabinet.feeder]]
    name = "bourg"                      # as in the policy
    lamps = 14
    lamp_watts = 32                     # of one lamp as installed, its gear included; absent or 0: learn
    contactor = "gpio:17"
    feedback = "!gpio:27"               # the contactor's auxiliary contact; absent: none
    meter = "modbus:3/sdm120"           # absent: none
    self_dimming = false                # the lamps dim by themselves in the night; absent: they do not
    nodes = ["7c1f0a2c01000001"]        # lamps on it with a controller of their own: an order for this feeder goes to
                                        # them too; who is in no list follows orders to the whole cabinet alone

How points are written: `gateway.io.cabinet.wiring`. `check` tells all faults at once, in the words of
`gateway.config.config`. Whether the files and devices exist is not looked at: an adapter
that is unplugged must not keep the agent from starting.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from gateway.core import limits
from gateway.core.cabinet import tic
from gateway.io.cabinet import wiring
from gateway.io.cabinet.wiring import Bit, CabinetWiring, FeederWiring, Gpio, Meter, Number
from policy import limits as policy_limits

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
PARITIES = ("none", "even", "odd")
NAME_BYTES_MAX = 24
# One contactor of a cabinet feeds some tens of lamps; ten times that is a typing error.
LAMPS_MAX = 500
# A floodlight of 1,000 W with its gear.
LAMP_WATTS_MAX = 1_200
_NODE = re.compile("[0-9a-f]{16}")


# What a role may be: types, and whether a Bit must be a coil; the words for it.
_OUTPUT: tuple[Any, str] = ((Gpio, Bit), wiring.OUTPUT_FORMS)
_INPUT: tuple[Any, str] = ((Gpio, Bit), wiring.INPUT_FORMS)
_ROLES: dict[str, tuple[Any, str]] = {
    "watchdog": ((Gpio,), wiring.GPIO_FORMS),
    **dict.fromkeys(("door", "mains", "switch_on", "switch_off"), _INPUT),
    **dict.fromkeys(("photocell", "temperature", "ups"), ((Number,), wiring.NUMBER_FORMS)),
}
_FEEDER_ROLES = {"contactor": _OUTPUT, "feedback": _INPUT, "meter": ((Meter,), wiring.METER_FORMS)}
_FIELDS = ("latitude", "longitude", "keys", "gpio", "modbus", "modbus_baud", "modbus_parity", "linky", "linky_mode",
           *_ROLES, "feeder")  # fmt: skip
_FEEDER_FIELDS = ("name", "lamps", "lamp_watts", "self_dimming", "nodes", *_FEEDER_ROLES)


def check(plain: Any, faults: list[str]) -> CabinetWiring | None:
    """The configuration behind the plain data of [cabinet]. What is wrong is added to `faults`, one line each, and then
    there is no configuration."""
    if not isinstance(plain, dict):
        faults.append("[cabinet]: is not a section; write [cabinet] on a line of its own")
        return None
    reader = _Reader(plain, "")
    reader.unknown(_FIELDS)
    latitude_e4 = reader.degrees("latitude", policy_limits.latitude_min_e4, policy_limits.latitude_max_e4)
    longitude_e4 = reader.degrees("longitude", policy_limits.longitude_min_e4, policy_limits.longitude_max_e4)
    paths = {field: reader.path(field) for field in ("keys", "gpio", "modbus", "linky")}
    baud = reader.choice("modbus_baud", BAUDS, 9600)
    parity = reader.choice("modbus_parity", PARITIES, "none")
    mode = reader.choice("linky_mode", tic.MODES, tic.HISTORIQUE)
    wired = {field: reader.point(field, *role) for field, role in _ROLES.items()}
    feeders = _feeders(reader)
    if paths["modbus"] is not None and paths["modbus"] == paths["linky"]:
        reader.fault("linky", "is the port of modbus as well", "give each its own")
    reader.ports(paths)
    reader.shared()
    faults.extend(reader.faults)
    if reader.faults:
        return None
    return CabinetWiring(
        latitude_e4,
        longitude_e4,
        tuple(feeders),
        keys=None if paths["keys"] is None else Path(paths["keys"]),
        gpio=paths["gpio"],
        modbus=paths["modbus"],
        modbus_baud=baud,
        modbus_parity=parity,
        linky=paths["linky"],
        linky_mode=mode,
        **wired,
    )


def _feeders(reader: "_Reader") -> list[FeederWiring]:
    plain = reader.plain.get("feeder")
    if not isinstance(plain, list) or not plain or not all(isinstance(one, dict) for one in plain):
        problem = "is missing" if plain is None else "is not a list of tables"
        reader.fault("feeder", problem, "write one [[cabinet.feeder]] for each feeder")
        return []
    if len(plain) > limits.CABINET_FEEDERS_MAX:
        reader.fault("feeder", f"has {len(plain)} entries", f"give at most {limits.CABINET_FEEDERS_MAX}")
        return []
    feeders = [_feeder(_Reader(one, f"feeder[{index}].", reader)) for index, one in enumerate(plain)]
    for index, feeder in enumerate(feeders):
        if feeder.name and feeder.name in [earlier.name for earlier in feeders[:index]]:
            reader.fault(f"feeder[{index}].name", f"{feeder.name!r} is taken", "give each feeder a name of its own")
    hung: dict[bytes, int] = {}
    for index, feeder in enumerate(feeders):
        for node in feeder.nodes:
            if hung.setdefault(node, index) != index:
                problem = f"{node.hex()} hangs on another feeder too"
                reader.fault(f"feeder[{index}].nodes", problem, "remove it from one")
    return feeders


def _feeder(reader: "_Reader") -> FeederWiring:
    reader.unknown(_FEEDER_FIELDS)
    name = reader.name()
    lamps = reader.integer("lamps", 1, LAMPS_MAX, None)
    watts = reader.integer("lamp_watts", 0, LAMP_WATTS_MAX, 0)
    if reader.plain.get("contactor") is None:
        reader.fault("contactor", "is missing", f"give {wiring.OUTPUT_FORMS}")
    dims = reader.choice("self_dimming", (False, True), False)
    wired = {field: reader.point(field, *role) for field, role in _FEEDER_ROLES.items()}
    return FeederWiring(name, lamps, watts, **wired, self_dimming=dims, nodes=reader.nodes())


class _Reader:
    """Takes fields out of one table and collects what is wrong; a faulty field yields a harmless value."""

    def __init__(self, plain: dict[str, Any], prefix: str, parent: "_Reader | None" = None) -> None:
        self.plain = plain
        self._prefix = prefix
        self.faults: list[str] = [] if parent is None else parent.faults
        self._used: list[tuple[str, wiring.Point]] = [] if parent is None else parent._used

    def fault(self, field: str, problem: str, remedy: str) -> None:
        self.faults.append(f"[cabinet] {self._prefix}{field}: {problem}; {remedy}")

    def unknown(self, known: tuple[str, ...]) -> None:
        for field in self.plain:
            if field not in known:
                self.fault(field, "is not a field", f"remove it; known are {', '.join(sorted(known))}")

    def integer(self, field: str, low: int, high: int, default: int | None) -> int:
        value = self.plain.get(field, default)
        if type(value) is not int or not low <= value <= high:
            self._refuse(field, f"give an integer from {low} to {high}")
            return low
        return value

    def degrees(self, field: str, low_e4: int, high_e4: int) -> int:
        value = self.plain.get(field)
        # A TOML float is the nearest binary one: its shortest decimal is what was written.
        is_number = type(value) in (int, float) and abs(value or 0) <= 360
        value_e4 = round(Fraction(repr(value)) * 10_000) if is_number else None
        if value_e4 is None or not low_e4 <= value_e4 <= high_e4:
            self._refuse(field, f"give degrees from {low_e4 / 10_000:.1f} to {high_e4 / 10_000:.1f}, as 47.5720")
            return low_e4
        return value_e4

    def path(self, field: str) -> str | None:
        value = self.plain.get(field)
        if value is None or (isinstance(value, str) and value.startswith("/")):
            return value
        self._refuse(field, "give an absolute path, or remove it")
        return None

    def choice(self, field: str, allowed: tuple[Any, ...], default: Any) -> Any:
        value = self.plain.get(field, default)
        if type(value) is not type(default) or value not in allowed:
            self._refuse(field, f"give one of {', '.join(map(str, allowed))}")
            return default
        return value

    def name(self) -> str:
        value = self.plain.get("name")
        is_good = isinstance(value, str) and value.isprintable() and value == value.strip()
        if not is_good or not 1 <= len(str(value).encode()) <= NAME_BYTES_MAX:
            self._refuse("name", f"give the feeder's name in the policy, 1 to {NAME_BYTES_MAX} bytes")
            return ""
        return str(value)

    def nodes(self) -> tuple[bytes, ...]:
        value = self.plain.get("nodes", [])
        if not isinstance(value, list) or not all(isinstance(one, str) and _NODE.fullmatch(one) for one in value):
            self._refuse("nodes", "give a list of node ids of 16 hex digits")
            return ()
        nodes = tuple(bytes.fromhex(one) for one in value)
        if len(set(nodes)) < len(nodes):
            self.fault("nodes", "names a node twice", "name each once")
        return nodes

    def point(self, field: str, kinds: Any, forms: str) -> Any:
        if self.plain.get(field) is None:
            return None
        point = wiring.parse(self.plain[field])
        is_input_bit = isinstance(point, Bit) and point.function == wiring.INPUT
        if not isinstance(point, kinds) or (field == "contactor" and is_input_bit):
            self._refuse(field, f"give {forms}")
            return None
        self._used.append((self._prefix + field, point))
        return point

    def ports(self, paths: dict[str, str | None]) -> None:
        """A point needs the port that it is on. Told once each."""
        for port, kinds, example in (
            ("gpio", Gpio, "/dev/gpiochip0"),
            ("modbus", (Bit, Number, Meter), "/dev/serial/by-id/…"),
        ):
            users = [field for field, point in self._used if isinstance(point, kinds)]
            if users and paths[port] is None and port not in self.plain:
                self.fault(port, f"is missing, and {users[0]} needs it", f'give its device, as "{example}"')

    def shared(self) -> None:
        """Nothing may be wired to two things."""
        taken: dict[Any, str] = {}
        for field, point in self._used:
            place = _place(point)
            if place in taken:
                self.faults.append(f"[cabinet] {field}: is {taken[place]}'s as well; give each a point of its own")
            taken.setdefault(place, field)

    def _refuse(self, field: str, remedy: str) -> None:
        value = self.plain.get(field)
        self.fault(field, "is missing" if value is None else f"is {value!r}", remedy)


def _place(point: wiring.Point) -> tuple[Any, ...]:
    """What two points must not share: how it is read does not make it another."""
    if isinstance(point, Gpio):
        return ("gpio", point.line)
    if isinstance(point, Meter):
        return ("meter", point.unit)
    return ("modbus", point.unit, point.function, point.address)
