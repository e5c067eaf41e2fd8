"""Prints D4i banks decoded, the dimming curve, and a gear read through its bridge: the same on every interpreter."""

from drivers.dali_bridge import DaliBridge
from lighting import dali, dali_banks, dali_gear

BANK_202 = bytes((1, 3, 0, 0, 0, 0, 0, 10, 0xFF, 0, 0, 3, 0xE8))
BANK_205 = bytes((1, 0, 0, 0x0E, 0x10, 0, 0, 10, 8, 0xFC, 50, 90, 1, 1, 1, 10, 0, 11, 0, 2, 0, 6, 0, 2, 90, 85))


class Uart:
    """A bridge whose gear answers with the low byte of what it is asked, or with the bytes of a bank."""

    def __init__(self):
        self.sent = b""
        self.waiting = b""
        self.memory = {202: BANK_202, 205: BANK_205}
        self.pointer = [0, 0]

    def write(self, data):
        self.sent += data
        value = int(data[1:5].decode(), 16)
        answer = None
        if value >> 8 == 0xA3:
            self.pointer[0] = value & 0xFF
        elif value >> 8 == 0xC3:
            self.pointer[1] = value & 0xFF
        elif value & 0xFF == 0x90:
            answer = 4
        elif value & 0xFF == 0xA0:
            answer = 229
        elif value & 0xFF == 0x98:
            answer = self.pointer[0]
        elif value & 0xFF == 0xC5:
            answer = self._memory()
        self.waiting += b"N\n" if answer is None else b"J%02X\n" % answer

    def _memory(self):
        bank = self.memory.get(self.pointer[1])
        at = self.pointer[0]
        if bank is None:
            return None
        self.pointer[0] = at + 1
        if at < 3:
            return len(bank) + 2
        return bank[at - 3] if at - 3 < len(bank) else None

    def any(self):
        return len(self.waiting)

    def read(self, count):
        data, self.waiting = self.waiting[:count], self.waiting[count:]
        return data


def show(readings):
    print(" ".join([f"{key}={readings[key]}" for key in sorted(readings)]))


show(dali_banks.readings(202, BANK_202))
show(dali_banks.readings(205, BANK_205))
print(dali_banks.flags(205, BANK_205))
print([dali.level_of(percent, dali.LOGARITHMIC) for percent in range(101)])
print([dali.percent_of(level, dali.LOGARITHMIC) for level in range(256)])
uart = Uart()
gear = dali_gear.DaliGear(DaliBridge(uart))
gear.set_level(50)
for number in range(8):
    gear.begin_round(now_ms=1000 * number)
    turns = 0
    while gear.collect() == dali_gear.PENDING:
        gear.turn(now_ms=1000 * number + 10 * turns)
        turns += 1
    print(number, turns)
    show(gear.collect())
print(len(uart.sent), uart.sent[:60])
