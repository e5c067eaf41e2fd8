"""Computes CRC-16/X-25 (as in PPP, RFC 1662 appendix C), which detects errors of a line or of flash, not an
attacker's."""

# Computed a nibble at a time: a table of sixteen words, and two steps a byte. Polynomial 0x1021, reflected.
_TABLE = (
    0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
    0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F,
)  # fmt: skip


def crc16(data) -> int:
    """Returns the CRC-16/X-25 of bytes: 0x906E for b"123456789"."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 4) ^ _TABLE[(crc ^ byte) & 15]
        crc = (crc >> 4) ^ _TABLE[(crc ^ byte >> 4) & 15]
    return crc ^ 0xFFFF
