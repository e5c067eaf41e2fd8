"""Computes the checksums of the parts bit by bit, for messages of a few bytes. Must know no part."""


def checked_words(data):
    """Returns the 16-bit words of an answer in which a CRC follows each (Sensirion's sensors), or None if one CRC is
    wrong."""
    words = []
    for at in range(0, len(data), 3):
        if crc8(data[at : at + 2]) != data[at + 2]:
            return None
        words.append(data[at] << 8 | data[at + 1])
    return words


def crc8(data) -> int:
    """Computes the CRC by x^8 + x^5 + x^4 + 1, most significant bit first, from 0xFF (Sensirion: 0xBE 0xEF gives
    0x92)."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc


def crc8_onewire(data) -> int:
    """Computes the CRC by the same polynomial, least significant bit first, from 0 (Maxim application note 27). It is 0
    over a message with its CRC, but also over zeros only: the caller must refuse those."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


def crc16_modbus(data) -> int:
    """Computes the CRC of Modbus over serial line 1.02, section 6.2.2; its low byte is sent first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc
