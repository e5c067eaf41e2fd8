"""Checks the settings of a node, which the provisioning tool writes: plain data in, one Settings out.

All faults are listed at once, each with its path and the remedy (policy.fault). Integers only: 47.5 ° north is 475000.

    node        16 hex digits, minted at provisioning, never reused
    bearer      ["udp"], the default; ["rs485", address, baud, nodes on the line]; ["uart", baud];
                ["espnow", concentrator's MAC, channel]
    gateway     UDP only: [address, port] of the gateway's CoAP server; a literal IP, since name look-ups block
    kid         4 or 6 hex digits: the node's OSCORE id, unique at its gateway
    master_secret  32 hex digits, known only to this node and its gateway
    kind        the kind of node, whose own settings are beside these (kinds/<kind>)
    sample_s, telemetry_s, health_s, report_spread_s, ack_timeout_ms: timing, with defaults
    clock_chip  true: the board's clock chip is fitted; read by the shell
    wifi        UDP only: [network, key], read by the shell
    update_keys public keys (64 hex digits each) of the people who may sign this node's program; absent: no updates
    trace       true: each record made and acknowledged is printed on the console
"""

from binascii import unhexlify
from collections import namedtuple

from node import limits as node_limits
from policy import civil
from policy.fault import Faults
from wire import bus, cose, limits
from wire.oscore_context import GATEWAY_ID, NODE_ID_BYTES, Pairing

Settings = namedtuple(
    "Settings",
    (
        "node",
        "own",
        "bearer",
        "gateway",
        "pairing",
        "sample_s",
        "telemetry_s",
        "health_s",
        "report_spread_s",
        "ack_timeout_ms",
        "update_keys",
        "trace",
    ),
)

# name: (default, lowest, highest)
_TIMING = {
    "sample_s": (60, 1, 3600),
    "telemetry_s": (900, 1, 86400),
    "health_s": (3600, 10, 86400),
    # All lamps of a feeder boot in the same second at dusk; their first reports spread over this.
    "report_spread_s": (120, 0, 280),
    # RFC 7252 asks for 2 s at least; ours must exceed the gateway's flush (ARCHITECTURE, section 4).
    # Lower on a bench only.
    "ack_timeout_ms": (limits.COAP_ACK_TIMEOUT_MIN_MS, 200, 60000),
}
_SECRET_BYTES = 16
_MAC_BYTES = 6
UDP = "udp"
RS485 = "rs485"
UART = "uart"
ESPNOW = "espnow"
_BAUD = (bus.BAUD_MIN, 921_600)
# kind: the values after it: (lowest, highest) of an integer, None for a MAC.
_BEARERS = {
    UDP: (),
    RS485: ((bus.ADDRESS_MIN, bus.ADDRESS_MAX), _BAUD, (1, bus.ADDRESS_MAX)),
    UART: (_BAUD,),
    ESPNOW: (None, (1, 13)),
}
# The one peer of a bearer that has no addresses.
GATEWAY = "gateway"
# Settings that every kind has.
KNOWN = (
    "node", "bearer", "gateway", "kid", "master_secret", "wifi", "update_keys", "trace", "kind", "clock_chip"
) + tuple(_TIMING)  # fmt: skip


def decode(plain, kind):
    """Returns (Settings, []) or (None, faults). `kind`: the module of the kind that the settings name, None when there
    is no such kind."""
    faults = Faults()
    if not isinstance(plain, dict):
        faults.add("", "is not a map", "give an object with at least node, kind, gateway")
        return None, faults.listed()
    known = KNOWN if kind is None else KNOWN + kind.FIELDS
    if kind is None:
        faults.add("kind", "is not known", "give the kind of node that this board is")
    for name in sorted(plain):
        if name not in known and kind is not None:
            faults.add(name, "is not a setting", "remove it, or correct its spelling")
    node = _node(faults, plain.get("node"))
    bearer = _bearer(faults, plain.get("bearer", [UDP]))
    gateway = GATEWAY
    if bearer is None or bearer[0] == UDP:
        gateway = _gateway(faults, plain.get("gateway"))
    elif "gateway" in plain:
        faults.add("gateway", "is given", "remove it: only UDP has an address")
    own = None if kind is None else kind.decode(faults, plain)
    timing = {name: _timing(faults, plain, name) for name in _TIMING}
    pairing = _pairing(faults, plain)
    keys = _update_keys(faults, plain.get("update_keys", []))
    if faults.count():
        return None, faults.listed()
    trace = plain.get("trace") is True
    return Settings(node, own, bearer, gateway, pairing, update_keys=keys, trace=trace, **timing), []


def shell_faults(settings, plain, *, has_clock):
    """Returns the faults of what the shell reads of sound settings: the clock chip, the network, and a gateway's
    address that would have to be looked up. `has_clock`: the board of this kind may carry a clock chip."""
    faults = Faults()
    clock_chip = plain.get("clock_chip", False)
    if not isinstance(clock_chip, bool) or (clock_chip and not has_clock):
        faults.add("clock_chip", "is not on this board", "remove it, or say false")
    if settings.bearer[0] == UDP:
        wifi = plain.get("wifi")
        if not isinstance(wifi, list) or len(wifi) != 2 or not all(isinstance(word, str) for word in wifi):
            faults.add("wifi", "is not [network, key]", "give two texts")
        if not is_literal(settings.gateway[0]):
            faults.add("gateway[0]", "is not an IPv4 address", "give four numbers, 192.168.1.10")
    return faults.listed()


def is_literal(address) -> bool:
    """Returns whether a text is an IPv4 address in dotted decimals."""
    parts = address.split(".")
    if len(parts) != 4:
        return False
    for part in parts:
        if not 1 <= len(part) <= 3 or not all(digit in "0123456789" for digit in part) or int(part) > 255:
            return False
    return True


def site(faults, value):
    """Returns the site of a node that must know the sun or the calendar, a policy.civil.Site; notes a fault and returns
    None otherwise."""
    found = pair(faults, "site", value, (-900000, -1800000), (900000, 1800000))
    return civil.Site(found[0], found[1], civil.PARIS) if found else None


def pair(faults, path, value, low, high):
    """Returns two integers and notes those out of their bounds, or returns None; a kind's settings have such pairs."""
    if not faults.sequence(path, value, 2, 2):
        return None
    for index in (0, 1):
        faults.integer(f"{path}[{index}]", value[index], low[index], high[index])
    return (value[0], value[1])


def _node(faults, value):
    if isinstance(value, str) and len(value) == 2 * limits.NODE_ID_BYTES:
        try:
            return unhexlify(value)
        except ValueError:
            pass
    faults.add("node", "is not 16 hex digits", "give the id that was minted for this board")
    return None


def _pairing(faults, plain):
    """Returns the Pairing, or None. No fault shows the value given, which may be a secret."""
    kid = _hex(plain.get("kid"))
    secret = _hex(plain.get("master_secret"))
    if len(kid) not in NODE_ID_BYTES:
        faults.add("kid", "is not 4 or 6 hex digits", "give the one of the node's key file")
    if len(secret) != _SECRET_BYTES:
        faults.add("master_secret", "is not 32 hex digits", "give the one of the node's key file")
    if len(kid) not in NODE_ID_BYTES or len(secret) != _SECRET_BYTES:
        return None
    return Pairing(secret, kid, GATEWAY_ID)


def _update_keys(faults, value):
    """Returns a tuple of keys of 32 bytes."""
    found = []
    for text in value if isinstance(value, list) and len(value) <= node_limits.UPDATE_KEYS_MAX else (None,):
        key = _hex(text)
        if not cose.is_sound_key(key):
            remedy = "give %d public keys of 64 hex digits at most" % node_limits.UPDATE_KEYS_MAX
            faults.add("update_keys", "are not public keys", remedy)
            break
        found.append(key)
    return tuple(found)


def _hex(value):
    try:
        return unhexlify(value) if isinstance(value, str) else b""
    except ValueError:
        return b""


def _bearer(faults, value):
    """Returns (kind, …) as a tuple, or None; the shell opens the bearer."""
    name = value[0] if isinstance(value, list) and value else None
    kind = name if isinstance(name, str) else None
    if kind not in _BEARERS or len(value) != 1 + len(_BEARERS[kind]):
        faults.add(
            "bearer", "is not known", 'give ["udp"], ["rs485", 7, 115200, 32], ["uart", 115200] or ["espnow", MAC, 6]'
        )
        return None
    for index, bounds in enumerate(_BEARERS[kind], 1):
        if bounds is None:
            if len(_hex(value[index])) != _MAC_BYTES:
                faults.add(f"bearer[{index}]", "is not 12 hex digits", "give the concentrator's MAC")
        else:
            faults.integer(f"bearer[{index}]", value[index], bounds[0], bounds[1])
    if kind == ESPNOW:
        return (kind, _hex(value[1]), value[2])
    return tuple(value)


def _gateway(faults, value):
    if faults.sequence("gateway", value, 2, 2):
        if not isinstance(value[0], str) or not value[0]:
            faults.add("gateway[0]", "is not an address", "give a literal IP address")
        faults.integer("gateway[1]", value[1], 1, 65535)
        return (value[0], value[1])
    return None


def _timing(faults, plain, name):
    default, low, high = _TIMING[name]
    value = plain.get(name, default)
    faults.integer(name, value, low, high)
    return value
