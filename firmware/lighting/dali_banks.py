"""Decodes the memory banks of a D4i gear from bytes to integers.

Banks: asset (bank 1, DiiA part 251), energy (202 to 204, part 252), diagnostics and maintenance (205 to 207, part 253).

The most significant byte of a value comes first. All ones mean that the gear does not have the value (MASK); all ones
but the last bit mean that it is not available now (TMASK). A scaled value begins with a byte that is its power of ten,
-6 to 6. A temperature counts from -60 °C. Location 2 of a bank is its lock: LATCH written to it freezes the values of
an energy bank, so that the bytes of one value belong together. Layouts as in python-dali, which transcribes version 1.1
of the parts.
"""

from collections import namedtuple

from wire import quantity

ASSET = 1
ENERGY = 202
APPARENT = 203
LOAD = 204
GEAR = 205
LIGHT_SOURCE = 206
RATINGS = 207

LOCK_LOCATION = 2
LATCH = 0xAA
FIRST = 3
# bank: its last location in the standard
LAST = {ASSET: 0x77, ENERGY: 0x0F, APPARENT: 0x0F, LOAD: 0x0F, GEAR: 0x1C, LIGHT_SOURCE: 0x20, RATINGS: 0x07}
LATCHED = (ENERGY, APPARENT, LOAD)

# Results for a value that is no number.
MASK = "mask"
TMASK = "tmask"
INVALID = "invalid"

# Bits of lighting.inputs.GEAR_FLAGS: the detail words of a controlGearFailure event.
FLAGS = (
    "gear",
    "undervoltage",
    "overvoltage",
    "power-limit",
    "thermal-derating",
    "thermal-shutdown",
    "lamp-short-circuit",
    "lamp-open-circuit",
    "lamp-thermal-derating",
    "lamp-thermal-shutdown",
)
_GEAR_FLAGS = (0x0F, 0x11, 0x13, 0x15, 0x17, 0x19)
_LAMP_FLAGS = (0x18, 0x1A, 0x1C, 0x1E)

# gtin, luminaire_id: integers; power in W; mains in V; year of the century and week; the rest as named. None: the gear
# does not hold the value.
Asset = namedtuple(
    "Asset",
    (
        "gtin",
        "luminaire_id",
        "year",
        "week",
        "nominal_w",
        "minimum_w",
        "mains_min_v",
        "mains_max_v",
        "lumen",
        "cri",
        "cct_k",
        "distribution",
        "colour",
        "identification",
    ),
)
# Rated life of the luminaire in h, its gear's reference temperature in 0.01 °C, rated starts.
Ratings = namedtuple("Ratings", ("life_h", "reference_ck", "starts"))

_FORMAT_251 = 3
_PART_209 = 0xFFFE


class Bank:
    """Holds the bytes of one bank from location FIRST on; some gear has fewer than the standard's."""

    def __init__(self, data):
        self._data = data

    def raw(self, first, last):
        """Returns the bytes of locations first to last, or None when the gear lacks one of them."""
        data = self._data[first - FIRST : last + 1 - FIRST]
        return data if len(data) == last + 1 - first else None

    def value(self, first, last, highest=None):
        """Returns an unsigned value, or MASK, TMASK, INVALID (more than `highest`), or None where the gear lacks it."""
        data = self.raw(first, last)
        if data is None:
            return None
        number = int.from_bytes(data, "big")
        ones = (1 << 8 * len(data)) - 1
        if number == ones:
            return MASK
        if number == ones - 1:
            return TMASK
        return INVALID if highest is not None and number > highest else number

    def number(self, first, last, highest=None):
        """Returns an unsigned value, or None where the bytes give no number."""
        return known(self.value(first, last, highest))

    def scaled(self, first, last, exponent):
        """Returns a scaled value as an integer in 10^exponent of its unit (rounded), or MASK, TMASK, INVALID, None."""
        scale = self.raw(first, first)
        value = self.value(first + 1, last)
        if scale is None or not isinstance(value, int):
            return value
        power = scale[0] - 256 if scale[0] > 127 else scale[0]
        if not -6 <= power <= 6:
            return INVALID
        power -= exponent
        if power >= 0:
            return value * 10**power
        divisor = 10 ** (-power)
        return (value + divisor // 2) // divisor

    def text(self, first, last):
        """Returns ASCII up to the first 0; "" where nothing is written, INVALID for other bytes.

        A bank that ends before `last` gives the bytes that it has.
        """
        data = self._data[first - FIRST : last + 1 - FIRST]
        written = ""
        for byte in data:
            if byte in (0, 0xFF):
                break
            if not 0x20 <= byte < 0x7F:
                return INVALID
            written += chr(byte)
        return written

    def is_set(self, location):
        """Returns True if a flag is set: its byte is 1; 0 or no value means that it is not."""
        return self.number(location, location) == 1


def known(value):
    """Returns the value if it is a number, else None."""
    return value if isinstance(value, int) else None


def readings(bank, data):
    """Returns the readings {wire key: scaled integer} of one of the banks 202 to 206; an absent value has no key."""
    memory = Bank(data)
    found = {}
    if bank == ENERGY:
        _put(found, quantity.ENERGY, memory.scaled(0x04, 0x0A, 0))
        _put(found, quantity.POWER, memory.scaled(0x0B, 0x0F, -1))
    elif bank == APPARENT:
        _put(found, quantity.APPARENT_POWER, memory.scaled(0x0B, 0x0F, 0))
    elif bank == LOAD:
        _put(found, quantity.LOAD_ENERGY, memory.scaled(0x04, 0x0A, 0))
    elif bank == GEAR:
        _gear(found, memory)
    elif bank == LIGHT_SOURCE:
        _put(found, quantity.VOLTAGE + quantity.CHANNEL_STEP, memory.value(0x12, 0x13))
        _put(found, quantity.CURRENT + quantity.CHANNEL_STEP, memory.value(0x14, 0x15))
        _put(found, quantity.TEMPERATURE + 2 * quantity.CHANNEL_STEP, temperature_ck(memory.value(0x20, 0x20)))
    return found


def flags(bank, data):
    """Returns (bits, mask) of FLAGS from this bank: the flags that are set, and the flags that the bank has."""
    memory = Bank(data)
    locations, shift = (_GEAR_FLAGS, 0) if bank == GEAR else (_LAMP_FLAGS, len(_GEAR_FLAGS))
    bits = 0
    for index, location in enumerate(locations):
        if memory.is_set(location):
            bits |= 1 << (shift + index)
    return bits, ((1 << len(locations)) - 1) << shift


def temperature_ck(value):
    """Returns a temperature byte in 0.01 °C; MASK, TMASK and None pass through."""
    return 100 * (value - 60) if isinstance(value, int) else value


def asset(data):
    """Returns the Asset of bank 1, or None when the bank is not written in the format of part 251."""
    memory = Bank(data)
    if memory.number(0x11, 0x12) != _FORMAT_251:
        return None
    cct = memory.raw(0x21, 0x22)
    is_tunable = cct is not None and int.from_bytes(cct, "big") == _PART_209
    return Asset(
        memory.number(0x03, 0x08),
        memory.number(0x09, 0x10),
        memory.number(0x13, 0x13, 99),
        memory.number(0x14, 0x14, 53),
        memory.number(0x15, 0x16),
        memory.number(0x17, 0x18),
        memory.number(0x19, 0x1A),
        memory.number(0x1B, 0x1C),
        memory.number(0x1D, 0x1F),
        memory.number(0x20, 0x20, 100),
        None if is_tunable else memory.number(0x21, 0x22),
        memory.number(0x23, 0x23),
        _text(memory, 0x24, 0x3B),
        _text(memory, 0x3C, 0x77),
    )


def ratings(data):
    """Returns the Ratings of bank 207."""
    memory = Bank(data)
    life, starts = memory.number(0x04, 0x04), memory.number(0x06, 0x07)
    return Ratings(
        None if life is None else 1000 * life,
        known(temperature_ck(memory.value(0x05, 0x05))),
        None if starts is None else 100 * starts,
    )


def _gear(found, memory):
    seconds = memory.number(0x04, 0x07)
    if seconds is not None:
        found[quantity.GEAR_HOURS] = seconds // 3600
    _put(found, quantity.GEAR_STARTS, memory.value(0x08, 0x0A))
    _put(found, quantity.VOLTAGE, memory.value(0x0B, 0x0C))
    hertz = memory.number(0x0D, 0x0D)
    if hertz is not None:
        found[quantity.FREQUENCY] = 100 * hertz
    _put(found, quantity.POWER_FACTOR, memory.value(0x0E, 0x0E, 100))
    _put(found, quantity.TEMPERATURE + quantity.CHANNEL_STEP, temperature_ck(memory.value(0x1B, 0x1B)))


def _put(found, key, value):
    if isinstance(value, int):
        found[key] = value


def _text(memory, first, last):
    written = memory.text(first, last)
    return None if written in ("", INVALID) else written
