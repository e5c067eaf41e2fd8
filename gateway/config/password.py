"""Keeps the password of the technician's page as one line from which it cannot be read.

    scrypt$15$8$1$<salt>$<key>        log2 of N, r, p, then base64 without padding

The line is `[page] password` in gateway.toml, written by `bocage gateway setup`. Its cost is 32 MiB and about a
quarter of a second of a Raspberry Pi, so it is checked in a thread, one at a time (`gateway/show/page/sessions.py`). A
line from elsewhere may not ask for more than `MEMORY_BYTES_MAX`: a typing error in a configuration must not use up
the agent's memory. What is typed on a phone is compared in Unicode form NFC, for an é has two encodings. Neither
password nor line goes to a log.
"""

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata

CHARACTERS_MIN, CHARACTERS_MAX = 8, 128
MEMORY_BYTES_MAX = 64 << 20
_LOG2_N, _R, _P = 15, 8, 1
_SALT_BYTES, _KEY_BYTES = 16, 32
_LINE = re.compile(r"scrypt\$([0-9]{1,2})\$([0-9]{1,2})\$([0-9]{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43})")


def make(password: str) -> str:
    """Returns the line for a password. ValueError for one that is too short or too long."""
    if not CHARACTERS_MIN <= len(_form(password)) <= CHARACTERS_MAX:
        raise ValueError(f"give {CHARACTERS_MIN} to {CHARACTERS_MAX} characters")
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _derive(password, salt, _LOG2_N, _R, _P)
    return f"scrypt${_LOG2_N}${_R}${_P}${_text(salt)}${_text(key)}"


def check(password: str, line: str) -> bool:
    """Returns whether this is the password of the line. False for a malformed line; never raises."""
    found = _read(line)
    if found is None or len(_form(password)) > CHARACTERS_MAX:
        return False
    (log2_n, r, p), salt, key = found
    try:
        return hmac.compare_digest(_derive(password, salt, log2_n, r, p), key)
    except (ValueError, MemoryError):  # OpenSSL refuses, or the cabinet has no memory left
        return False


def is_line(line: object) -> bool:
    """Returns whether `check` could accept any password with this line, for the check of a configuration."""
    return isinstance(line, str) and _read(line) is not None


def _read(line: str) -> tuple[tuple[int, int, int], bytes, bytes] | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    log2_n, r, p = (int(found[number]) for number in (1, 2, 3))
    if not 1 <= log2_n <= 20 or r < 1 or not 1 <= p <= 4 or 128 * r * (1 << log2_n) > MEMORY_BYTES_MAX:
        return None
    try:
        return (log2_n, r, p), _bytes(found[4]), _bytes(found[5])
    except ValueError:
        return None


def _derive(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    # OpenSSL needs somewhat more than 128 · r · N.
    memory = 128 * r * ((1 << log2_n) + p + 2) + (1 << 20)
    typed = _form(password).encode("utf-8", "replace")
    return hashlib.scrypt(typed, salt=salt, n=1 << log2_n, r=r, p=p, maxmem=memory, dklen=_KEY_BYTES)


def _form(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
