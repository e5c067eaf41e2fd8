"""Turns a CoAP message and the records in it into plain data with names, units and exact decimals, for the bench.

Text that a peer wrote is shown as text only when it is safe for a terminal; anything else is hexadecimal. Must not know
keys, files or a network: `tools.link.opener` opens what is protected.
"""

from binascii import hexlify
from typing import Any

from wire import coap_message as messages
from wire import event_table, limits, quantity, quantity_table, record
from wire.faults import WireFault
from wire.line import is_line
from wire.record import UNSET, EventBody, Record

TYPES = ("CON", "NON", "ACK", "RST")
# RFC 7252 section 12.1, RFC 7959, 8132, 9175.
_CODES = {
    0x00: "empty",
    **dict(enumerate(("GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"), 1)),
    **dict(enumerate(("Created", "Deleted", "Valid", "Changed", "Content"), 0x41)),
    0x5F: "Continue",
    **dict(enumerate(("Bad Request", "Unauthorized", "Bad Option", "Forbidden", "Not Found"), 0x80)),
    **dict(enumerate(("Method Not Allowed", "Not Acceptable"), 0x85)),
    **dict(enumerate(("Request Entity Incomplete", "Conflict"), 0x88)),
    **dict(enumerate(("Precondition Failed", "Request Entity Too Large"), 0x8C)),
    0x8F: "Unsupported Content-Format",
    0x96: "Unprocessable Entity",
    0x9D: "Too Many Requests",
    **dict(enumerate(("Internal Server Error", "Not Implemented", "Bad Gateway"), 0xA0)),
    **dict(enumerate(("Service Unavailable", "Gateway Timeout", "Proxying Not Supported"), 0xA3)),
    0xA8: "Hop Limit Reached",
}
_OPAQUE, _UINT, _TEXT, _BLOCK = "opaque", "uint", "text", "block"
# The options (RFC 7252 section 12.2) that may occur on a node link: name, form.
_OPTIONS = {
    1: ("If-Match", _OPAQUE),
    messages.URI_HOST: ("Uri-Host", _TEXT),
    4: ("ETag", _OPAQUE),
    5: ("If-None-Match", _OPAQUE),
    6: ("Observe", _UINT),
    messages.URI_PORT: ("Uri-Port", _UINT),
    8: ("Location-Path", _TEXT),
    messages.OSCORE: ("OSCORE", _OPAQUE),
    messages.URI_PATH: ("Uri-Path", _TEXT),
    messages.CONTENT_FORMAT: ("Content-Format", _UINT),
    messages.MAX_AGE: ("Max-Age", _UINT),
    messages.URI_QUERY: ("Uri-Query", _TEXT),
    16: ("Hop-Limit", _UINT),
    messages.ACCEPT: ("Accept", _UINT),
    20: ("Location-Query", _TEXT),
    messages.BLOCK2: ("Block2", _BLOCK),
    messages.BLOCK1: ("Block1", _BLOCK),
    28: ("Size2", _UINT),
    messages.PROXY_URI: ("Proxy-Uri", _TEXT),
    messages.PROXY_SCHEME: ("Proxy-Scheme", _TEXT),
    60: ("Size1", _UINT),
    messages.ECHO: ("Echo", _OPAQUE),
    258: ("No-Response", _UINT),
    292: ("Request-Tag", _OPAQUE),
}
_UINT_BYTES_MAX = 4
_RESERVED_SIZE = 7  # of a block (RFC 7959 section 2.2)
_ERROR_CLASS = 4
# The paths to which nodes post records (ARCHITECTURE, section 4); the answer to such a request holds the time.
RECORD_PATHS = ("/b", "/t", "/e")


def code_text(code: int) -> str:
    """Returns a code as RFC 7252 writes it: 2.04."""
    return f"{code >> 5}.{code & 31:02}"


def code_name(code: int) -> str:
    """Returns a code's name, or its number when it has none: POST, 2.04 Changed."""
    name = _CODES.get(code)
    if name is None:
        return code_text(code)
    return name if code >> 5 == 0 else f"{code_text(code)} {name}"


def text(value: bytes) -> str:
    """Returns the text that a peer wrote, safe for a terminal: as it is, or in hexadecimal with 0x before it."""
    try:
        written = value.decode()
    except UnicodeDecodeError:
        written = ""
    return written if is_line(written, limits.COAP_UDP_DATAGRAM_BYTES_MAX) else f"0x{value.hex()}"


def options(pairs: Any) -> list[list[Any]]:
    """Returns [name, value] of every option, in order."""
    return [list(_option(number, value)) for number, value in pairs]


def _option(number: int, value: bytes) -> tuple[str, Any]:
    name, form = _OPTIONS.get(number, (f"option {number}", _OPAQUE))
    if form == _TEXT:
        return name, text(value)
    if form == _UINT and len(value) <= _UINT_BYTES_MAX:
        return name, int.from_bytes(value, "big")
    if form == _BLOCK and len(value) <= 3:
        block = int.from_bytes(value, "big")
        if block & 7 != _RESERVED_SIZE:
            return name, f"{block >> 4}/{block >> 3 & 1}/{16 << (block & 7)}"  # number, more, size
    return name, value.hex()


def path(pairs: Any) -> str | None:
    """Returns the path that the options hold, None without one."""
    segments = messages.option_values(pairs, messages.URI_PATH)
    return "/" + "/".join(text(segment) for segment in segments) if segments else None


def content(message: Any, *, request_path: str | None = None) -> dict[str, Any]:
    """Returns the code, path, options and payload of a message or of what was protected in it.

    `request_path`: the path of the request that a response answers.
    """
    shown: dict[str, Any] = {"code": code_text(message.code), "name": code_name(message.code)}
    own_path = path(message.options)
    if own_path is not None:
        shown["path"] = own_path
    shown["options"] = options(message.options)
    if message.payload:
        shown["payload"] = message.payload.hex()
        if not _is_part(message.options):
            is_request = message.code >> 5 == 0
            shown |= _payload(message.code, message.payload, own_path if is_request else request_path)
    return shown


def _is_part(pairs: Any) -> bool:
    """Returns True for one block of several, which cannot be decoded alone."""
    for number in (messages.BLOCK1, messages.BLOCK2):
        for value in messages.option_values(pairs, number):
            if value and int.from_bytes(value, "big") & ~7:
                return True
    return False


def _payload(code: int, payload: bytes, about: str | None) -> dict[str, Any]:
    if about in RECORD_PATHS:
        if code == messages.POST:
            return {"records": records(payload)}
        if code == messages.CHANGED:
            return {"answer": answer(payload)}
    written = text(payload)
    return {} if written.startswith("0x") and code >> 5 < _ERROR_CLASS else {"text": written}


def answer(payload: bytes) -> dict[str, Any]:
    """Returns the answer of a gateway that has stored records."""
    try:
        told = record.decode_answer(payload)
    except WireFault as fault:
        return {"fault": fault.reason}
    return {"unix_s": told.unix_s, "uncertainty_s": told.uncertainty_s}


def records(payload: bytes) -> list[dict[str, Any]]:
    """Returns the records of a payload; one item with the fault when a byte of it breaks the contract."""
    try:
        return [_record(made) for made in record.decode_payload(payload)]
    except WireFault as fault:
        return [{"fault": fault.reason}]


def _record(made: Record) -> dict[str, Any]:
    stamp = made.stamp
    shown: dict[str, Any] = {"boot": made.boot, "sequence": made.sequence}
    shown["uptime_s" if stamp.quality == UNSET else "unix_s"] = stamp.seconds
    if stamp.quality != UNSET:
        shown["uncertainty_s"] = stamp.uncertainty_s
    if isinstance(made.body, EventBody):
        shown["event"] = event_table.label(made.body.code)
        shown["active"] = made.body.active
        detail = made.body.detail
        shown["detail"] = _readings(detail) if isinstance(detail, dict) else _detail(made.body.code, detail)
    else:
        shown["readings"] = _readings(made.body)
    return shown


def _readings(readings: dict[int, int]) -> dict[str, str]:
    shown = {}
    for key, value in sorted(readings.items()):
        entry = quantity_table.BY_CODE.get(key % quantity.CHANNEL_STEP)
        exponent, unit = (entry.exponent, entry.unit) if entry else (0, "?")
        shown[quantity_table.label(key)] = f"{_decimal(value, exponent)} {unit}"
    return shown


def _decimal(value: int, exponent: int) -> str:
    """Returns a scaled integer as an exact decimal, without a float in between."""
    if exponent >= 0:
        return str(value * 10**exponent)
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(1 - exponent, "0")
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


def _detail(code: int, detail: list[Any] | None) -> Any:
    if detail is None:
        return None
    entry = event_table.BY_CODE.get(code)
    values = [_plain(item) for item in detail]
    names = entry.detail if entry is not None and entry.detail else ()
    return dict(zip(names, values, strict=False)) if names else values


def _plain(item: Any) -> Any:
    if isinstance(item, (bytes, bytearray)):
        return hexlify(item).decode()
    return text(item.encode()) if isinstance(item, str) and item else item
