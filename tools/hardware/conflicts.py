"""Checks a node's uses against one another, their module and the parts they name; lists every fault.

Must not judge a value by itself: tools/hardware/files.py does that, and only sound files come here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from policy.fault import Fault
from tools.hardware import schema
from tools.hardware.files import Facts, expand, uses

INSTEAD_OF = "instead of "
_BUS_OF_USE = {"device": "i2c", "onewire": "onewire", "uart": "uart"}


def check_part(part: Mapping[str, Any], drivers: Mapping[str, frozenset[str]]) -> Iterator[Fault]:
    """Checks a part against the firmware. `drivers`: {module of firmware/drivers: classes in it}."""
    driver = part["driver"]
    if driver and driver not in drivers:
        yield Fault("driver", f"{driver!r} is no module of firmware/drivers", "write it, or name another")
    elif driver and part["bus"] != "pins" and class_of(driver) not in drivers[driver]:
        # Boards open it by that name (tools/hardware/board_text.py).
        yield Fault("driver", f"{driver!r} has no class {class_of(driver)}", "name its class after the module")


def class_of(driver: str) -> str:
    """Returns the name of a driver's class: `dali_bridge` has DaliBridge."""
    return "".join(word.capitalize() for word in driver.split("_"))


def check_node(node: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    """Checks the facts of one node against one another."""
    for name, kind in schema.EVERY_NODE_HAS.items():
        if node.get(name, {}).get("use") != kind:
            yield Fault(name, f"is no {kind}", f"every node has a use of this name and kind: add [{name}]")
    for name, use in uses(node).items():
        yield from _check_fitted(name, use, node)
        yield from _check_part_of_use(name, use, facts)
        yield from _check_safe_level(name, use, facts)
        yield from _check_bus(name, use, node)
    yield from _check_prefixes(node)
    module = facts.modules.get(node["chip"]["module"])
    if module is None:
        yield Fault("chip.module", "is not known", f"give one of {', '.join(sorted(facts.modules))}, or add its file")
        return
    if node["chip"]["psram"] == "none":
        problem = "is none, and a node's program takes 300 kB of heap, which only PSRAM has room for"
        yield Fault("chip.psram", problem, f"give one of {', '.join(module['psram'])}, and take such a module")
    elif node["chip"]["psram"] not in module["psram"]:
        yield Fault("chip.psram", "is not what this module has", f"give one of {', '.join(module['psram'])}")
    for name, use in uses(node).items():
        yield from _check_pins(name, use, module, node["chip"]["psram"])
        yield from _check_units(name, use, module)
    yield from _check_shared(node)


def _check_fitted(name: str, use: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Fault]:
    fitted = use.get("fitted", "option")
    other = node.get(instead_of(use), {})
    if fitted == "option":
        return
    if not fitted.startswith(INSTEAD_OF) or instead_of(use) == name or not isinstance(other, Mapping):
        yield Fault(f"{name}.fitted", f"is {fitted!r}", 'give "option" or "instead of" another use')
    elif "use" not in other:
        yield Fault(f"{name}.fitted", f"{instead_of(use)!r} is no use of this node", "name one that is")


def instead_of(use: Mapping[str, Any]) -> str:
    """Returns the name of the use that this one replaces, or an empty text."""
    fitted: str = use.get("fitted", "")
    return fitted.removeprefix(INSTEAD_OF) if fitted.startswith(INSTEAD_OF) else ""


def _check_part_of_use(name: str, use: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    if "part" not in use:
        if use["use"] in _BUS_OF_USE and use["use"] != "uart":
            yield Fault(f"{name}.part", "is missing", "name a file of hardware/parts")
        return
    part = facts.parts.get(use["part"])
    if part is None:
        yield Fault(f"{name}.part", f"{use['part']!r} is unknown", "name a file of hardware/parts, or write it")
        return
    wanted = _BUS_OF_USE.get(use["use"], "pins")
    if part["bus"] != wanted:
        yield Fault(f"{name}.part", f"{use['part']} stands on {part['bus']}, not on {wanted}", "name another part")
    elif wanted == "i2c" and use["address"] not in part["addresses"]:
        allowed = ", ".join(f"0x{address:02X}" for address in part["addresses"])
        problem = f"0x{use['address']:02X} is none that the part can have"
        yield Fault(f"{name}.address", problem, f"give one of {allowed}")
    elif "baud" in part and "baud" in use and use["baud"] not in part["baud"]:
        yield Fault(f"{name}.baud", f"{use['baud']} is none that the part can have", f"give one of {part['baud']}")
    missing = [name for name in use.get("needs", ()) if name not in part.get("measures", ())]
    if missing:
        yield Fault(f"{name}.part", f"{use['part']} does not measure {', '.join(missing)}", "name a part that does")
    for key in part.get("facts", ()):
        if key not in use:
            yield Fault(f"{name}.{key}", "is missing", f"add it: {use['part']} cannot know it")


def _check_safe_level(name: str, use: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    for (kind, pin_key), key in schema.SAFE_KEYS.items():
        if kind == use["use"] and pin_key in use and key not in use and pin_key != "in2_pin":
            yield Fault(f"{name}.{key}", "is missing", "an output needs the level that is safe while nothing drives it")
    if use["use"] == "bridge" and use.get("safe_level") == 1:
        yield Fault(f"{name}.safe_level", "is 1", "give 0: both inputs high brake through the coil for ever")
    if use["use"] == "output" and "closed_level" in use and "active_level" in use:
        yield Fault(f"{name}.active_level", "says what closed_level says", "keep one of them")


def _check_bus(name: str, use: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Fault]:
    if use["use"] == "device" and node.get(use["bus"], {}).get("use") != "i2c":
        yield Fault(f"{name}.bus", f"{use['bus']!r} is no I2C bus of this node", "name one that is")


def _check_prefixes(node: Mapping[str, Any]) -> Iterator[Fault]:
    taken: dict[str, str] = {}
    for name, use in uses(node).items():
        other = taken.setdefault(prefix(name, use), name)
        if other != name:
            yield Fault(f"{name}.prefix", f"is that of {other}", "give a prefix of its own")


def prefix(name: str, use: Mapping[str, Any]) -> str:
    """Returns the prefix of a use's constants."""
    text: str = use.get("prefix", name)
    return text.upper()


def pins(use: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """Returns {key: (GPIO, direction)} of every pin that a use has."""
    directions = schema.USES[use["use"]].pins
    return {key: (use[key], way) for key, way in directions.items() if key in use}


def _check_pins(name: str, use: Mapping[str, Any], module: Mapping[str, Any], psram: str) -> Iterator[Fault]:
    for key, (pin, way) in pins(use).items():
        reason = reserved(pin, module, psram) or _cannot(pin, way, use, module)
        if reason:
            yield Fault(f"{name}.{key}", f"GPIO {pin} {reason}", "choose another")


def reserved(pin: int, module: Mapping[str, Any], psram: str) -> str:
    """Returns why the module itself needs this pin, or an empty text when it does not."""

    def among(key: str) -> bool:
        return pin in (expand(module.get(key, [])) or ())

    if not among("pins"):
        return f"does not exist on the {module['name']}"
    if among("strapping"):
        return "is a strapping pin: its level at reset chooses how the chip boots"
    if among("usb"):
        return "is a USB pin: the console of the board"
    if among("console"):
        return "is the console's UART: the boot loader speaks there"
    if among("flash"):
        return "belongs to flash and PSRAM"
    if psram == "octal" and among("octal_psram"):
        return "belongs to octal PSRAM"
    if psram == "quad" and among("quad_psram"):
        return "belongs to PSRAM"
    return ""


def _cannot(pin: int, way: str, use: Mapping[str, Any], module: Mapping[str, Any]) -> str:
    """Returns why this pin cannot be used this way, or an empty text when it can."""
    if way in (schema.OUT, schema.BOTH) and pin in (expand(module["input_only"]) or ()):
        return "can only be an input"
    drives = (use["use"], "pin") in schema.SAFE_KEYS or use["use"] == "bridge"
    if way == schema.OUT and drives and pin in (expand(module["noisy_at_reset"]) or ()):
        return "is high for a moment at power-up: what hangs on it would act"
    if way == schema.ADC and pin in (expand(module["adc2"]) or ()):
        return "belongs to ADC2, which the radio needs for itself"
    if way == schema.ADC and pin not in (expand(module["adc1"]) or ()):
        return "has no analogue input"
    if use.get("pull", "none") != "none" and pin in (expand(module["input_only"]) or ()):
        return "has no pull resistor of its own: give pull = none and fit one"
    return ""


def _check_units(name: str, use: Mapping[str, Any], module: Mapping[str, Any]) -> Iterator[Fault]:
    if use["use"] == "uart" and use["uart"] == module["console_uart"]:
        yield Fault(f"{name}.uart", f"{use['uart']} is the console's", "choose another")
    elif use["use"] == "uart" and use["uart"] >= module["uarts"]:
        yield Fault(f"{name}.uart", f"{use['uart']} does not exist", f"this module has {module['uarts']}")
    if use["use"] == "pulse" and use["unit"] >= module["pulse_counters"]:
        has = module["pulse_counters"]
        yield Fault(f"{name}.unit", f"pulse counter {use['unit']} does not exist", f"this module has {has} of them")


def _check_shared(node: Mapping[str, Any]) -> Iterator[Fault]:
    """Finds pins, UARTs, counters, addresses and terminals with two users that may be fitted together."""
    users: dict[tuple[str, Any], list[str]] = {}
    supply = node.get("supply", {})
    taken = {("terminal", (supply["connector"], terminal)) for terminal in supply.get("terminals", ())}
    for name, use in uses(node).items():
        for path, thing in _claims(name, use):
            if thing in taken:
                yield Fault(path, f"{_named(thing)} is the supply's already", "choose another")
            for other in users.setdefault(thing, []):
                if not _alternatives(name, other.partition(".")[0], node):
                    yield Fault(path, f"{_named(thing)} is {other} already", "choose another")
                    break
            users[thing].append(path)


def _claims(name: str, use: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, Any]]]:
    for key, (pin, _way) in pins(use).items():
        yield f"{name}.{key}", ("GPIO", pin)
    if use["use"] == "uart":
        yield f"{name}.uart", ("UART", use["uart"])
    if use["use"] == "pulse":
        yield f"{name}.unit", ("pulse counter", use["unit"])
    if use["use"] == "device":
        yield f"{name}.address", ("address", (use["bus"], use["address"]))
    for terminal in use.get("terminals", ()):
        yield f"{name}.terminals", ("terminal", (use.get("connector"), terminal))


def _named(thing: tuple[str, Any]) -> str:
    what, which = thing
    if what == "address":
        return f"address 0x{which[1]:02X} on {which[0]}"
    return f"{what} {which[0]}.{which[1]}" if what == "terminal" else f"{what} {which}"


def _alternatives(one: str, other: str, node: Mapping[str, Any]) -> bool:
    """Returns whether at most one of the two can be fitted."""
    return bool(
        one != other
        and (
            instead_of(node[one]) == other
            or instead_of(node[other]) == one
            or (instead_of(node[one]) and instead_of(node[one]) == instead_of(node[other]))
        )
    )
