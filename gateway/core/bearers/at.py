"""Parses the output of a modem into lines and values: the part of 3GPP TS 27.007 (and V.250) that is used here.

Bytes that cannot be parsed are counted and dropped, and never raise. There is no dialogue and no time here.
"""

import re
from typing import NamedTuple

from gateway.core import limits

OK = "OK"
_FINALS = ("OK", "ERROR", "NO CARRIER", "NO DIALTONE", "BUSY", "NO ANSWER", "COMMAND NOT SUPPORT")

# TS 27.007 7.2 <stat>; 9 and 10 are "CSFB not preferred", which concerns voice calls only.
_REGISTRATIONS = {
    0: "idle",
    1: "home",
    2: "searching",
    3: "denied",
    4: "unknown",
    5: "roaming",
    6: "limited",  # messages only
    7: "limited",
    8: "limited",  # emergency calls only
    9: "home",
    10: "roaming",
}
REGISTERED = ("home", "roaming")
# TS 27.007 7.3 <AcT>.
_TECHNOLOGIES = {
    **dict.fromkeys((0, 1, 3, 8), "2G"),
    **dict.fromkeys((2, 4, 5, 6), "3G"),
    **dict.fromkeys((7, 9, 10), "4G"),
    **dict.fromkeys((11, 12, 13), "5G"),
}
# TS 27.007 9.2, as number (+CMEE=1) and as text (+CMEE=2).
_SIM_ERRORS = {
    10: "absent",
    11: "pin",
    12: "puk",
    13: "failed",
    14: "busy",
    15: "failed",
}
_SIM_ERROR_TEXTS = {
    "sim not inserted": "absent",
    "sim pin required": "pin",
    "sim puk required": "puk",
    "sim failure": "failed",
    "sim busy": "busy",
    "sim wrong": "failed",
}
# The SIM asks for a code that only a person may enter: three wrong PINs lock it.
LOCKED = ("pin", "puk", "locked")


class Operator(NamedTuple):
    """Names the network operator and its technology. `name` None: none is selected."""

    name: str | None
    technology: str | None


class Lines:
    """Cuts bytes, in pieces of any size, into whole stripped lines of printable ASCII, without empty ones."""

    def __init__(self) -> None:
        self.garbage = 0
        self._rest = b""
        self._is_overlong = False

    def feed(self, data: bytes) -> list[str]:
        *whole, rest = re.split(b"[\r\n]", self._rest + data)
        lines = [text for line in whole if (text := self._text(line))]
        if len(rest) > limits.MODEM_LINE_BYTES_MAX:
            # The end of this line is still to come: the bytes kept so far only mark it as too long.
            rest, self._is_overlong = b"", True
        self._rest = rest
        return lines

    def _text(self, line: bytes) -> str:
        is_overlong, self._is_overlong = self._is_overlong or len(line) > limits.MODEM_LINE_BYTES_MAX, False
        if is_overlong or not all(0x20 <= byte < 0x7F for byte in line):
            self.garbage += 1
            return ""
        return line.decode("ascii").strip()


def is_final(line: str) -> bool:
    """Returns whether the line ends an answer."""
    return line in _FINALS or line.startswith(("+CME ERROR:", "+CMS ERROR:"))


def signal_dbm(rssi: int) -> int | None:
    """Reads +CSQ: 0 to 31 in steps of 2 dB from -113 dBm; 99 is unknown; 100 to 191 are TD-SCDMA's, from -116 dBm."""
    if 0 <= rssi <= 31:
        return 2 * rssi - 113
    return rssi - 216 if 100 <= rssi <= 191 else None


def registration(values: str) -> str | None:
    """Parses what follows "+CREG:" or "+CEREG:"; None when it cannot be parsed.

    An answer (n,stat) has one more number in front than an unsolicited report (stat), which may come between question
    and answer. With cells (+CREG=2, which other software may have set) a report's second field is an area code.
    """
    fields = [field.strip() for field in values.split(",")]
    is_answer = len(fields) >= 2 and re.fullmatch("[0-9]{1,2}", fields[1]) is not None
    return _REGISTRATIONS.get(_number(fields[1] if is_answer else fields[0]))


def operator(values: str) -> Operator | None:
    """Reads what follows "+COPS:": mode[,format,"name"[,AcT]]."""
    found = re.fullmatch(r'\s*[0-9](?:\s*,\s*[0-9]\s*,\s*"([^"]*)"(?:\s*,\s*([0-9]{1,2}))?)?\s*', values)
    if found is None:
        return None
    name = (found[1] or "").strip()[: limits.MODEM_TEXT_MAX]
    return Operator(name or None, _TECHNOLOGIES.get(_number(found[2] or "")))


def sim(values: str) -> str:
    """Reads what follows "+CPIN:": ready, pin, puk, locked, absent, busy or unknown."""
    text = values.strip().upper()
    if text in ("READY", "SIM PIN2", "SIM PUK2"):  # the second codes guard nothing that is needed here
        return "ready"
    if text in ("SIM PIN", "SIM PUK"):
        return text.removeprefix("SIM ").lower()
    if text.startswith("PH-"):
        return "locked"
    return {"NOT INSERTED": "absent", "NOT READY": "busy"}.get(text, "unknown")


def sim_error(final: str) -> str:
    """Returns the SIM's state from the error with which the modem answered +CPIN?."""
    text = final.partition(":")[2].strip()
    return _SIM_ERRORS.get(_number(text)) or _SIM_ERROR_TEXTS.get(text.lower(), "unknown")


def first_number(values: str) -> int:
    """Returns the first of the numbers that follow a prefix; -1 when there is none."""
    return _number(values.split(",")[0].strip())


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else -1
