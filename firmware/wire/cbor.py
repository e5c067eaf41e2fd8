"""Encodes and decodes the subset of CBOR (RFC 8949) that our records use, bounded in depth, size and item count.

Accepted: unsigned and negative integers up to 64 bits, byte and text strings, arrays, maps, false, true, null and, on
request, decimal fractions (tag 4). Refused: floats (the chip has 32 bits of them, so no float is ever on a wire), other
tags, other simple values, indefinite lengths, lengths that are not the shortest, keys that repeat or do not ascend (in
the bytewise order of RFC 8949 section 4.2.1), bytes after the value. One value therefore has one encoding, and two ends
can compare records as bytes.

The writer fills a buffer that its owner keeps, so that a telemetry record costs the node's heap next to
nothing.
"""

from struct import pack_into

from wire import limits
from wire.faults import WireFault

_UNSIGNED = 0x00
_NEGATIVE = 0x20
_BYTES = 0x40
_TEXT = 0x60
_ARRAY = 0x80
_MAP = 0xA0
_TAG = 0xC0
_FALSE = 0xF4
_TRUE = 0xF5
_NULL = 0xF6
_DECIMAL_FRACTION_TAG = 4
_INTEGER_MAX = 0xFFFFFFFFFFFFFFFF
# What an argument of 1, 2, 4 and 8 bytes is at least: a lesser one has a shorter form.
_LEAST = (24, 0x100, 0x10000, 0x100000000)
_from_bytes = int.from_bytes


class DecimalFraction:
    """Holds `mantissa · 10^exponent` (RFC 8949 section 3.4.4): the exact form of a scaled integer in the open
    formats."""

    def __init__(self, exponent: int, mantissa: int):
        self.exponent = exponent
        self.mantissa = mantissa

    def __eq__(self, other):
        return (
            isinstance(other, DecimalFraction) and self.exponent == other.exponent and self.mantissa == other.mantissa
        )

    def __hash__(self):
        return hash((self.exponent, self.mantissa))

    def __repr__(self):
        return f"DecimalFraction({self.exponent}, {self.mantissa})"


class Writer:
    """Appends items to `buffer` (a bytearray of fixed size). `length` is what has been written.

    An item that does not fit raises WireFault("too-long"); the owner resets `length` to drop a partial item.
    """

    def __init__(self, buffer):
        self.buffer = buffer
        self.length = 0
        self._size = len(buffer)

    def _byte(self, value):
        if self.length >= self._size:
            raise WireFault("too-long")
        self.buffer[self.length] = value
        self.length += 1

    def integer(self, value, major=_UNSIGNED):
        """Writes an integer; with another `major`, the head of an item whose length, count or tag is `value`."""
        # One call writes a head: a record has some twenty. A chip's small integers have 31 bits: shifting a Unix time
        # byte by byte would allocate at every step.
        if value < 0:
            value, major = -1 - value, _NEGATIVE
        at = self.length
        if value < 24:
            if at >= self._size:
                raise WireFault("too-long")
            self.buffer[at] = major | value
            self.length = at + 1
            return
        if value < 0x100:
            end, form, major = at + 2, ">BB", major | 24
        elif value < 0x10000:
            end, form, major = at + 3, ">BH", major | 25
        elif value <= 0xFFFFFFFF:
            end, form, major = at + 5, ">BI", major | 26
        elif value <= _INTEGER_MAX:
            end, form, major = at + 9, ">BQ", major | 27
        else:
            raise WireFault("integer-range")
        if end > self._size:
            raise WireFault("too-long")
        pack_into(form, self.buffer, at, major, value)
        self.length = end

    def array(self, count):
        self.integer(count, _ARRAY)

    def map(self, count):
        self.integer(count, _MAP)

    def bytes(self, value):
        self.integer(len(value), _BYTES)
        self._raw(value)

    def text(self, value):
        encoded = value.encode()
        self.integer(len(encoded), _TEXT)
        self._raw(encoded)

    def fraction(self, exponent, mantissa):
        self.integer(_DECIMAL_FRACTION_TAG, _TAG)
        self.array(2)
        self.integer(exponent)
        self.integer(mantissa)

    def _raw(self, value):
        end = self.length + len(value)
        if end > self._size:
            raise WireFault("too-long")
        self.buffer[self.length : end] = value
        self.length = end

    def value(self, item):
        """Writes any accepted value, maps in the order of their encoded keys, independent of the interpreter."""
        if type(item) is int:
            self.integer(item)
        elif isinstance(item, str):
            self.text(item)
        elif item is None:
            self._byte(_NULL)
        elif item is True:
            self._byte(_TRUE)
        elif item is False:
            self._byte(_FALSE)
        elif isinstance(item, (bytes, bytearray, memoryview)):
            self.bytes(item)
        elif isinstance(item, (list, tuple)):
            self.array(len(item))
            for element in item:
                self.value(element)
        elif isinstance(item, dict):
            self.map(len(item))
            for key in _ordered_keys(item):
                self.value(key)
                self.value(item[key])
        elif isinstance(item, DecimalFraction):
            self.fraction(item.exponent, item.mantissa)
        else:
            raise WireFault("type")

    def view(self):
        """Returns the bytes written so far, without a copy; valid until the next write."""
        return memoryview(self.buffer)[: self.length]


def encode(item, bytes_max: int = limits.CBOR_BYTES_MAX) -> bytes:
    """Returns one value as CBOR bytes; for occasional use, since it allocates its buffer."""
    writer = Writer(bytearray(bytes_max))
    writer.value(item)
    return bytes(writer.view())


class Reader:
    """Reads items one after the other from `data`; every fault is a WireFault with a stable reason."""

    def __init__(self, data, *, fractions: bool = False, items_max: int = limits.CBOR_ITEMS_MAX):
        self.data = data
        self.offset = 0
        self._size = len(data)
        self.fractions = fractions
        self.items_max = items_max

    def at_end(self) -> bool:
        return self.offset >= self._size

    def _bytes(self, count):
        start = self.offset
        if count > self._size - start:
            raise WireFault("truncated")
        self.offset = start + count
        return self.data[start : start + count]

    def _argument(self, additional):
        if additional > 27:
            raise WireFault("indefinite" if additional == 31 else "reserved")
        start = self.offset
        end = start + (1 << additional - 24)
        if end > self._size:
            raise WireFault("truncated")
        self.offset = end
        value = self.data[start] if additional == 24 else _from_bytes(self.data[start:end], "big")
        if value < _LEAST[additional - 24]:
            raise WireFault("not-shortest")
        return value

    def value(self, depth: int = limits.CBOR_DEPTH_MAX):
        """Returns the next value. `depth` is how many more levels of array, map or tag may open."""
        # Most items of a record are small numbers and their keys: they are returned at once.
        at = self.offset
        try:
            initial = self.data[at]
        except IndexError:
            raise WireFault("truncated")
        self.offset = at + 1
        if initial < 24:
            return initial
        if initial < _NEGATIVE:
            return self._argument(initial)
        major = initial & 0xE0
        if major == 0xE0:
            return self._simple(initial)
        argument = initial & 0x1F
        if argument >= 24:
            argument = self._argument(argument)
        if major == _NEGATIVE:
            return -1 - argument
        if major == _BYTES:
            return bytes(self._bytes(argument))
        if major == _TEXT:
            return self._text(argument)
        if depth <= 0:
            raise WireFault("depth")
        if major == _ARRAY:
            return self._array(argument, depth - 1)
        if major == _MAP:
            return self._map(argument, depth - 1)
        return self._tagged(argument, depth - 1)

    def _simple(self, initial):
        if initial == _NULL:
            return None
        if initial == _TRUE:
            return True
        if initial == _FALSE:
            return False
        if initial == 0xFF:
            raise WireFault("break")
        raise WireFault("float" if 0xF9 <= initial <= 0xFB else "simple")

    def _text(self, length):
        raw = bytes(self._bytes(length))
        # MicroPython decodes some ill-formed UTF-8 (surrogates, overlong forms) that CPython refuses: check here.
        if not _is_utf8(raw):
            raise WireFault("utf-8")
        return raw.decode()

    def _check_count(self, count):
        # Each item takes a byte at least, so a count beyond the bytes left is false: refuse it before allocating.
        if count > self._size - self.offset:
            raise WireFault("truncated")
        if count > self.items_max:
            raise WireFault("items")

    def _array(self, count, depth):
        self._check_count(count)
        items = []  # a comprehension in `value` would make `self` a cell at each call, for a number too
        for _ in range(count):
            items.append(self.value(depth))
        return items

    def _map(self, count, depth):
        self._check_count(count)
        result = {}
        number = -1
        previous = b""
        for _ in range(count):
            start = self.offset
            key = self.value(0)
            if not previous and type(key) is int and key >= 0:
                # Shortest encodings of unsigned integers ascend as the numbers do, before all other keys.
                if key <= number:
                    raise WireFault("duplicate-key" if key == number else "key-order")
                number = key
            else:
                _check_key(key)
                encoded = bytes(self.data[start : self.offset])
                if encoded <= previous:
                    raise WireFault("duplicate-key" if encoded == previous else "key-order")
                previous = encoded
            result[key] = self.value(depth)
        return result

    def _tagged(self, tag, depth):
        if not self.fractions or tag != _DECIMAL_FRACTION_TAG:
            raise WireFault("tag")
        content = self.value(depth)
        if not isinstance(content, list) or len(content) != 2:
            raise WireFault("tag")
        exponent, mantissa = content
        if not is_integer(exponent) or not is_integer(mantissa):
            raise WireFault("tag")
        return DecimalFraction(exponent, mantissa)


def decode(
    data,
    *,
    fractions: bool = False,
    bytes_max: int = limits.CBOR_BYTES_MAX,
    items_max: int = limits.CBOR_ITEMS_MAX,
    depth_max: int = limits.CBOR_DEPTH_MAX,
):
    """Returns the one value that `data` holds; raises WireFault when it is malformed or more bytes follow.

    A document larger than a record gives its own bounds: bytes in all, items in one array or map, and levels of array,
    map or tag. Data that is too long is refused before a byte of it is read.
    """
    if len(data) > bytes_max:
        raise WireFault("too-long")
    reader = Reader(data, fractions=fractions, items_max=items_max)
    value = reader.value(depth_max)
    if not reader.at_end():
        raise WireFault("trailing")
    return value


def is_integer(value) -> bool:
    """Returns whether this is an integer and no boolean, on both interpreters (on CPython a bool is an int)."""
    return type(value) is int


def _check_key(key):
    if not is_integer(key) and not isinstance(key, str):
        raise WireFault("key-type")


def _ordered_keys(item):
    for key in item:
        _check_key(key)
    return sorted(item, key=_key_order)


def _key_order(key):
    """Sorts as the encoded keys do (RFC 8949 section 4.2.1): 0 ... 2^64-1, then -1 ... -2^64, then texts."""
    if is_integer(key):
        return (0, key, b"") if key >= 0 else (1, -1 - key, b"")
    encoded = key.encode()
    return (2, len(encoded), encoded)


def _is_utf8(raw) -> bool:
    """Checks UTF-8 (RFC 3629): well-formed sequences only, no surrogates, nothing above U+10FFFF."""
    if not raw or max(raw) < 0x80:  # names and words of a record are ASCII
        return True
    index = 0
    end = len(raw)
    while index < end:
        first = raw[index]
        index += 1
        if first < 0x80:
            continue
        if 0xC2 <= first <= 0xDF:
            more, low, high = 1, 0x80, 0xBF
        elif 0xE0 <= first <= 0xEF:
            more, low, high = 2, 0xA0 if first == 0xE0 else 0x80, 0x9F if first == 0xED else 0xBF
        elif 0xF0 <= first <= 0xF4:
            more, low, high = 3, 0x90 if first == 0xF0 else 0x80, 0x8F if first == 0xF4 else 0xBF
        else:
            return False
        for _ in range(more):
            if index >= end or not low <= raw[index] <= high:
                return False
            index += 1
            low, high = 0x80, 0xBF
    return True
