"""Checks lines of text from a peer or a person: short, and safe to show in a log, a terminal or a page.

Authors, reasons and names travel as such lines. Must not judge their content.
"""

# Line and paragraph separators end a log line; the others change the direction of the text after them.
_REFUSED = "\u2028\u2029\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def is_line(value, bytes_max) -> bool:
    """Returns whether this is a text of 1 to `bytes_max` bytes of UTF-8 without control characters and without a space
    at either end."""
    if not isinstance(value, str) or not value or value[0] == " " or value[-1] == " ":
        return False
    for character in value:
        code = ord(character)
        # Control characters of both sets, and halves of surrogate pairs, which have no UTF-8.
        if code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or character in _REFUSED:
            return False
    return len(value.encode()) <= bytes_max
