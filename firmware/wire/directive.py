"""Defines directives: facts and restrictions from a gateway for all nodes of a kind, each with the seconds it holds
for: weather, drought level, load shedding.

A directive is a lease on a fact or a restriction, not an order: it expires by itself, counted by the node from the time
of its question, and the trade decides what holds afterwards (a drought level expires to something strict, a load shed
to nothing). A node asks with GET of `d`; the answer is a map {code: [value, for_s]}. Values are integers in the scale
given here. Codes are never reused; unknown ones are ignored.

The query of the question holds what the gateway cannot know after a restart, and what limits the answer: `k=<kind>` and
`c=<codes>`, a number in hexadecimal whose bit n stands for code n. An answer is complete: a code that is not in it does
not hold (any more). Bytes from a peer raise WireFault("directive-…") or a reason of `cbor`.
"""

from collections import namedtuple

from wire import cbor, limits
from wire.faults import WireFault

PATH = b"d"

OUTDOOR_TEMPERATURE = 1  # 0.01 °C, now
TEMPERATURE_MIN_6H = 2  # 0.01 °C, the least that is forecast for the next six hours
EVAPOTRANSPIRATION = 3  # reference ET0 of the day that WEATHER_DAY names, 0.01 mm
RAIN_DAY = 4  # of the same day, 0.1 mm
RAIN_FORECAST = 5  # of the next 24 h, 0.1 mm
WIND_SPEED = 6  # mean now, 0.1 m/s
DROUGHT_LEVEL = 7  # 0 none, 1 vigilance, 2 alerte, 3 alerte renforcée, 4 crise
LOAD_SHED = 8  # lower the set-point by so many 0.01 K; 0: nothing is shed
EXCEPTION = 9  # to a day's programme: 0 none, 1 closed
# The civil day (days since 1970, local) that 3 and 4 belong to: yesterday's values must not be booked for today. A
# gateway that does not send it is an older one, as is a node that does not ask for it: for both, the two values are of
# the last whole day, and a gateway ends them with the day after theirs.
WEATHER_DAY = 10
OF_A_DAY = (EVAPOTRANSPIRATION, RAIN_DAY)
# Hours that a person has ordered: a room is occupied, a green space stays dry. A person gives 1, for the time of the
# order; a gateway tells them ahead, since a room is preheated and a valve box may sleep, and its value is the Unix
# minute at which they begin. Of several it tells the one that begins first.
OCCUPIED = 11
DRY = 12
HOURS = (OCCUPIED, DRY)

# code: (name, lowest, highest)
TABLE = {
    OUTDOOR_TEMPERATURE: ("outdoor-temperature", -5000, 6000),
    TEMPERATURE_MIN_6H: ("temperature-min-6h", -5000, 6000),
    EVAPOTRANSPIRATION: ("et0", 0, 1500),
    RAIN_DAY: ("rain-day", 0, 5000),
    RAIN_FORECAST: ("rain-forecast", 0, 5000),
    WIND_SPEED: ("wind", 0, 1000),
    DROUGHT_LEVEL: ("drought", 0, 4),
    LOAD_SHED: ("load-shed", 0, 500),
    EXCEPTION: ("exception", 0, 1),
    WEATHER_DAY: ("weather-day", 1, 0xFFFF),
    OCCUPIED: ("occupied", 1, 1),
    DRY: ("dry", 1, 1),
}
# Never sent: under ENDS + a code of ENDING a node's trade finds when that ends, in the node's own milliseconds.
ENDS = 64
ENDING = (EXCEPTION, OCCUPIED)
# Decided by a person, not measured: a change is an event.
DECISIONS = (DROUGHT_LEVEL, LOAD_SHED, EXCEPTION, OCCUPIED, DRY)
# A directive that is not renewed ends within a week.
FOR_S_MAX = 7 * 86400

# kind: a word, or None where the node does not name it; codes: the codes that it asks for, None for all.
Question = namedtuple("Question", ("kind", "codes"))

_CODE_MAX = 63
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-"


def encode_question(kind: str, codes) -> tuple:
    """Returns the query of a question: values of Uri-Query, 24 bytes together at most for the codes of today."""
    mask = 0
    for code in codes:
        mask |= 1 << code
    return (b"k=" + kind.encode(), f"c={mask:x}".encode())


def decode_question(queries) -> Question:
    """Returns the Question of a query; an unknown part is ignored, for a node may be newer than its gateway."""
    kind, codes = None, None
    for query in queries:
        if query[:2] == b"k=":
            kind = _kind(query[2:])
        elif query[:2] == b"c=":
            codes = _codes(query[2:])
    return Question(kind, codes)


def encode(held) -> bytes:
    """Returns the bytes of an answer, {code: (value, for_s)}: 121 at most with every code of TABLE."""
    for code in held:
        value, for_s = held[code]
        _check(code, value, for_s)
    return cbor.encode({code: list(held[code]) for code in held}, limits.DIRECTIVES_BYTES_MAX)


def decode(payload) -> tuple:
    """Returns ({code: (value, for_s)}, how many unknown codes there were) of a gateway's answer; unknown codes are of a
    later release. One value out of its bounds makes the whole answer a WireFault."""
    plain = cbor.decode(
        payload, bytes_max=limits.DIRECTIVES_BYTES_MAX, items_max=limits.DIRECTIVES_MAX, depth_max=limits.CBOR_DEPTH_MAX
    )
    if not isinstance(plain, dict):
        raise WireFault("directive-shape")
    held, unknown = {}, 0
    for code in plain:
        if not cbor.is_integer(code):
            raise WireFault("directive-shape")
        if code not in TABLE:
            unknown += 1
            continue
        pair = plain[code]
        if not isinstance(pair, list) or len(pair) != 2:
            raise WireFault("directive-shape")
        _check(code, pair[0], pair[1])
        held[code] = (pair[0], pair[1])
    return held, unknown


def is_sound(code, value) -> bool:
    """Returns whether this release knows the code and the value is within its bounds."""
    if not cbor.is_integer(code) or code not in TABLE or not cbor.is_integer(value):
        return False
    _, lowest, highest = TABLE[code]
    return lowest <= value <= highest


def is_kind(kind) -> bool:
    """Returns whether bytes may be the word for a kind of node."""
    return 1 <= len(kind) <= limits.KIND_BYTES_MAX and all(byte in _LETTERS for byte in kind)


def _check(code, value, for_s):
    is_minute = code in HOURS and cbor.is_integer(value) and 0 <= value <= limits.SECONDS_MAX // 60
    if not (is_minute or is_sound(code, value)):
        raise WireFault("directive-value")
    if not cbor.is_integer(for_s) or not 0 <= for_s <= FOR_S_MAX:
        raise WireFault("directive-duration")


def _kind(text):
    if not is_kind(text):
        raise WireFault("directive-question")
    return text.decode()


def _codes(text):
    if not 1 <= len(text) <= (_CODE_MAX + 1) // 4:
        raise WireFault("directive-question")
    mask = 0
    for byte in text:
        digit = b"0123456789abcdef".find(bytes((byte,)))
        if digit < 0:
            raise WireFault("directive-question")
        mask = mask << 4 | digit
    return tuple([code for code in range(_CODE_MAX + 1) if mask >> code & 1])
