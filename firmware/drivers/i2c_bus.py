"""Runs an I2C bus, returns its errors as values, and frees it when a part holds the data line.

`i2c` is a `machine.SoftI2C`, or a twin's. Not `machine.I2C`: on the ESP32 it waits 100 ms and more for a bus that is
held (ports/esp32/machine_i2c.c: 100 ms for each byte), where the shell must not wait more than 100 ms in all. The
software bus waits only for a stretched clock, and no longer than its timeout.

A part that lost a clock in the middle of a byte (a reset of the chip, a spark) holds SDA low and waits for the rest:
nine clocks let it finish, then a stop condition follows (UM10204, section 3.1.16). A bus whose SCL is held low cannot
be freed.

The port detects neither a held SDA (it reads as an acknowledgement and as zeros) nor a refused byte: it raises OSError
only for an address without an answer and a clock that stays low; refused bytes show only in the count that `writeto`
returns (extmod/machine_i2c.c). So SDA is read before and after each transfer, and the bytes are counted.
"""

import time

# No part of ours stretches the clock for more than microseconds (the SHT4x and the others are read only when they are
# ready).
STRETCH_MAX_US = 1000
# Half a period of the standard mode's 100 kHz.
HALF_CLOCK_US = 5
CLOCKS = 9


def open_bus(machine, board):
    """Returns the Bus on the I2C pins of `board` (boards/<kind>); the pull-ups are on the board."""
    scl, sda = machine.Pin(board.I2C_SCL_PIN), machine.Pin(board.I2C_SDA_PIN)
    i2c = machine.SoftI2C(scl=scl, sda=sda, freq=board.I2C_HZ, timeout=STRETCH_MAX_US)
    return Bus(i2c, scl, sda, time.sleep_us)


class Bus:
    """Transfers bytes. `scl` and `sda` are the open-drain pins of `i2c`. `errors`: failed transfers; `freed`, `held`:
    how often the bus was freed, or could not be."""

    errors = freed = held = 0

    def __init__(self, i2c, scl, sda, sleep_us):
        self._i2c = i2c
        self._scl = scl
        self._sda = sda
        self._sleep_us = sleep_us

    def write(self, address, data) -> bool:
        """Writes `data` and returns whether the part acknowledged all of it."""
        try:
            if self._is_free() and self._i2c.writeto(address, data) == len(data) and self._sda.value():
                return True
        except OSError:
            pass
        return self._failed()

    def read_into(self, address, buffer) -> bool:
        """Fills `buffer`, whose contents are valid only when this returns True."""
        try:
            if self._is_free():
                self._i2c.readfrom_into(address, buffer)
                if self._sda.value():
                    return True
        except OSError:
            pass
        return self._failed()

    def read_register(self, address, register, buffer) -> bool:
        """Writes the register's number and reads in one transfer (repeated start)."""
        try:
            if self._is_free():
                if self._i2c.writeto(address, bytes((register,)), False) == 1:
                    return self.read_into(address, buffer)
                self._i2c.writeto(address, b"")  # ends the transfer by a stop condition
        except OSError:
            pass
        return self._failed()

    def write_register(self, address, register, data) -> bool:
        """Writes the register's number and its bytes in one transfer."""
        try:
            written = self._is_free() and self._i2c.writevto(address, (bytes((register,)), data))
            if written == 1 + len(data) and self._sda.value():
                return True
        except OSError:
            pass
        return self._failed()

    def _is_free(self):
        if not self._sda.value():
            self._free()
        return self._sda.value()

    def _failed(self):
        self.errors += 1
        if not self._sda.value() or not self._scl.value():
            self._free()
        return False

    def _free(self):
        """Clocks out the rest of the part's byte, then sends a stop condition. Takes 0.1 ms."""
        for _ in range(CLOCKS):
            if self._sda.value():
                break
            self._clock(0)
            self._clock(1)
        self._clock(0)
        self._sda.value(0)
        self._clock(1)
        self._sda.value(1)
        self._sleep_us(HALF_CLOCK_US)
        if self._sda.value() and self._scl.value():
            self.freed += 1
        else:
            self.held += 1

    def _clock(self, level):
        self._scl.value(level)
        self._sleep_us(HALF_CLOCK_US)
