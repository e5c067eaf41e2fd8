"""Checks the [cabinet] part of gateway.toml: what equipment the cabinet has, and where it is wired.

    [cabinet]
    latitude = 47.5720                  # degrees; for the calendar without a policy
    longitude = -0.5940
    gpio = "/dev/gpiochip0"             # absent: no GPIO points
    modbus = "/dev/serial/by-id/usb-…"  # absent: no Modbus points
    modbus_baud = 9600
    modbus_parity = "none"              # or "even", "odd"
    linky = "/dev/ttyAMA0"
    linky_mode = "historique"           # or "standard"
        watchdog = "gpio:22"                # to the timer relay that keeps the contactors under our control, which must
                                            # need new edges again and again; absent: none
    door = "gpio:5/pull-up"             # active: open
        mains = "gpio:6"                    # active: the supply is present
    switch_on = "gpio:13"               # the hand switch's two positions; neither: automatic
    switch_off = "gpio:19"
    photocell = "modbus:4/30001"        # lx
    temperature = "modbus:4/30002:s16*0.1"   # °C
    ups = "modbus:5/30010*0.01"         # V of the battery

    [[cabinet.feeder]]
    name = "bourg"                      # as in the policy
    lamps = 14
        lamp_watts = 32                     # of one lamp as installed, its gear included; absent or 0: to be learnt
    contactor = "gpio:17"
    feedback = "!gpio:27"               # the contactor's auxiliary contact; absent: none
    meter = "modbus:3/sdm120"           # absent: none
    self_dimming = false                # the lamps dim by themselves in the night; absent: they do not
        nodes = ["7c1f0a2c01000001"]        # lamps on it with a controller of their own: an order for this feeder goes
        to
                                            # them too; a node in no list follows orders to the whole cabinet alone

The form of points: `gateway.io.cabinet.wiring`. `check` lists all faults at once. Whether the files and devices
exist is not checked: an adapter that is unplugged must not keep the agent from starting.
"""

import re
from fractions import Fraction
from typing import Any

from gateway.config.table import IS_MISSING, Fault, Table
from gateway.core import limits
from gateway.core.cabinet import tic
from gateway.io.cabinet import wiring
from gateway.io.cabinet.meters import METERS
from gateway.io.cabinet.wiring import Bit, CabinetWiring, FeederWiring, Gpio, Meter, Number
from gateway.language import N_, NC_
from policy import limits as policy_limits

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
PARITIES = ("none", "even", "odd")
NAME_BYTES_MAX = 24
# One contactor of a cabinet feeds some tens of lamps; ten times that is a typing error.
LAMPS_MAX = 500
# A floodlight of 1,000 W with its gear.
LAMP_WATTS_MAX = 1_200
_NODE = re.compile("[0-9a-f]{16}")


# The points in use, each with its place in the file.
Used = list[tuple[str, wiring.Point]]

# By role, the kinds of point that it may be, and the remedy for any other.
_OUTPUT: tuple[Any, str] = (
    (Gpio, Bit), N_('give "gpio:17" or "modbus:1/coil:0", with "!" in front if inverted')
)
_INPUT: tuple[Any, str] = (
    (Gpio, Bit), N_('give "gpio:27", "modbus:1/input:0" or "modbus:1/coil:0", with "!" in front if inverted')
)
_NUMBER: tuple[Any, str] = (
    (Number,), N_('give "modbus:4/30001" or, with type and factor, "modbus:4/30001:s16*0.1"')
)
_METER: tuple[Any, str] = ((Meter,), N_('give "modbus:3/sdm120" (kinds: {kinds})'))
_ROLES: dict[str, tuple[Any, str]] = {
    "watchdog": ((Gpio,), N_('give "gpio:22", with "!" in front if inverted')),
    **dict.fromkeys(("door", "mains", "switch_on", "switch_off"), _INPUT),
    **dict.fromkeys(("photocell", "temperature", "ups"), _NUMBER),
}
_FEEDER_ROLES = {"contactor": _OUTPUT, "feedback": _INPUT, "meter": _METER}
_FIELDS = ("latitude", "longitude", "gpio", "modbus", "modbus_baud", "modbus_parity", "linky", "linky_mode",
           *_ROLES, "feeder")  # fmt: skip
_FEEDER_FIELDS = ("name", "lamps", "lamp_watts", "self_dimming", "nodes", *_FEEDER_ROLES)


def check(plain: Any, faults: list[Fault]) -> CabinetWiring | None:
    """Returns the wiring in the plain data of [cabinet]; with faults, which are appended to `faults`, None."""
    count_before = len(faults)
    table = Table("[cabinet]", plain, faults)
    if not table.is_there:
        remedy = N_("write [cabinet] on a line of its own")
        faults.append(Fault("[cabinet]", NC_("fault", "is not a section"), remedy, {}))
        return None
    table.unknown(_FIELDS)
    used: Used = []
    latitude_e4 = _degrees(table, "latitude", policy_limits.latitude_min_e4, policy_limits.latitude_max_e4)
    longitude_e4 = _degrees(table, "longitude", policy_limits.longitude_min_e4, policy_limits.longitude_max_e4)
    paths = {field: table.path(field) for field in ("gpio", "modbus", "linky")}
    baud = table.choice("modbus_baud", BAUDS, 9600)
    parity = table.choice("modbus_parity", PARITIES, "none")
    mode = table.choice("linky_mode", tic.MODES, tic.HISTORIQUE)
    wired = {field: _point(table, field, used, *role) for field, role in _ROLES.items()}
    feeders = _feeders(table, used)
    if paths["modbus"] is not None and paths["modbus"] == paths["linky"]:
        table.fault("linky", NC_("fault", "is the port of modbus as well"), N_("give each its own"))
    _refuse_without_port(table, paths, used)
    _refuse_shared(table, used)
    if len(faults) > count_before:
        return None
    return CabinetWiring(
        latitude_e4,
        longitude_e4,
        tuple(feeders),
        gpio=paths["gpio"],
        modbus=paths["modbus"],
        modbus_baud=baud,
        modbus_parity=parity,
        linky=paths["linky"],
        linky_mode=mode,
        **wired,
    )


def _feeders(cabinet: Table, used: Used) -> list[FeederWiring]:
    plain = cabinet.plain.get("feeder")
    if not isinstance(plain, list) or not plain or not all(isinstance(one, dict) for one in plain):
        problem = IS_MISSING if plain is None else NC_("fault", "is not a list of tables")
        cabinet.fault("feeder", problem, N_("write one [[cabinet.feeder]] for each feeder"))
        return []
    if len(plain) > limits.CABINET_FEEDERS_MAX:
        problem, remedy = NC_("fault", "has {count} entries"), N_("give at most {most}")
        cabinet.fault("feeder", problem, remedy, count=len(plain), most=limits.CABINET_FEEDERS_MAX)
        return []
    feeders = [_feeder(cabinet.item("feeder", index, one), used) for index, one in enumerate(plain)]
    for index, feeder in enumerate(feeders):
        if feeder.name and feeder.name in [earlier.name for earlier in feeders[:index]]:
            problem, remedy = NC_("fault", "{name} is taken"), N_("give each feeder a name of its own")
            cabinet.fault(f"feeder[{index}].name", problem, remedy, name=repr(feeder.name))
    owners: dict[bytes, int] = {}
    for index, feeder in enumerate(feeders):
        for node in feeder.nodes:
            if owners.setdefault(node, index) != index:
                problem, remedy = NC_("fault", "{node} hangs on another feeder too"), N_("remove it from one")
                cabinet.fault(f"feeder[{index}].nodes", problem, remedy, node=node.hex())
    return feeders


def _feeder(table: Table, used: Used) -> FeederWiring:
    table.unknown(_FEEDER_FIELDS)
    remedy = N_("give the feeder's name in the policy, 1 to {count} bytes")
    name = table.text("name", _is_name, remedy, count=NAME_BYTES_MAX)
    lamps = table.integer("lamps", 1, LAMPS_MAX)
    watts = table.integer("lamp_watts", 0, LAMP_WATTS_MAX, 0)
    if table.plain.get("contactor") is None:
        table.refuse("contactor", _OUTPUT[1])
    dims = table.boolean("self_dimming", False)
    wired = {field: _point(table, field, used, *role) for field, role in _FEEDER_ROLES.items()}
    return FeederWiring(name, lamps, watts, **wired, self_dimming=dims, nodes=_nodes(table))


def _degrees(table: Table, field: str, low_e4: int, high_e4: int) -> int:
    value = table.plain.get(field)
    # A TOML float is the nearest binary one: its shortest decimal is the number in the file.
    is_number = type(value) in (int, float) and abs(value or 0) <= 360
    value_e4 = round(Fraction(repr(value)) * 10_000) if is_number else None
    if value_e4 is None or not low_e4 <= value_e4 <= high_e4:
        remedy = N_("give degrees from {low:.1f} to {high:.1f}, as 47.5720")
        table.refuse(field, remedy, low=low_e4 / 10_000, high=high_e4 / 10_000)
        return low_e4
    return value_e4


def _is_name(text: str) -> bool:
    return text.isprintable() and text == text.strip() and 1 <= len(text.encode()) <= NAME_BYTES_MAX


def _nodes(table: Table) -> tuple[bytes, ...]:
    value = table.plain.get("nodes", [])
    if not isinstance(value, list) or not all(isinstance(one, str) and _NODE.fullmatch(one) for one in value):
        table.refuse("nodes", N_("give a list of node ids of 16 hex digits"))
        return ()
    nodes = tuple(bytes.fromhex(one) for one in value)
    if len(set(nodes)) < len(nodes):
        table.fault("nodes", NC_("fault", "names a node twice"), N_("name each once"))
    return nodes


def _point(table: Table, field: str, used: Used, kinds: Any, remedy: str) -> Any:
    if table.plain.get(field) is None:
        return None
    point = wiring.parse(table.plain[field])
    is_input_bit = isinstance(point, Bit) and point.function == wiring.INPUT
    if not isinstance(point, kinds) or (field == "contactor" and is_input_bit):
        table.refuse(field, remedy, kinds=", ".join(METERS))
        return None
    used.append((table.place(field), point))
    return point


def _refuse_without_port(table: Table, paths: dict[str, str | None], used: Used) -> None:
    """Adds a fault for each port that points need and that is not given."""
    for port, kinds, example in (
        ("gpio", Gpio, "/dev/gpiochip0"),
        ("modbus", (Bit, Number, Meter), "/dev/serial/by-id/…"),
    ):
        users = [place for place, point in used if isinstance(point, kinds)]
        if users and paths[port] is None and port not in table.plain:
            problem = NC_("fault", "is missing, and {user} needs it")
            user = users[0].removeprefix(f"{table.name} ")
            table.fault(port, problem, N_('give its device, as "{example}"'), user=user, example=example)


def _refuse_shared(table: Table, used: Used) -> None:
    """Adds a fault for each point that is wired to two things."""
    taken: dict[Any, str] = {}
    for place, point in used:
        other = taken.setdefault(_place(point), place)
        if other != place:
            problem, remedy = NC_("fault", "is that of {other} as well"), N_("give each a point of its own")
            other = other.removeprefix(f"{table.name} ")
            table.faults.append(Fault(place, problem, remedy, {"other": other}))


def _place(point: wiring.Point) -> tuple[Any, ...]:
    """Returns what two points must not share: two ways to read a point are still one point."""
    if isinstance(point, Gpio):
        return ("gpio", point.line)
    if isinstance(point, Meter):
        return ("meter", point.unit)
    return ("modbus", point.unit, point.function, point.address)
