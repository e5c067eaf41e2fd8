"""Keeps a lamp lit whose output has a mind of its own, where no application does: in the rescue, without usable
settings, and where no program can be imported.

The relay and the dimming pin are as boot.py set them. A converter chip (MCP4725) holds its last voltage through every
reset, and a DALI gear the last level that it was told, so both are told full light, again and again: whichever is not
fitted does not listen. A meter that stands in the bridge's place hears lines that are no commands of its own.
"""

import time

from drivers import dali_bridge, i2c_bus, mcp4725

# Every gear, 254: full light.
EVERYBODY_FULL = b"\nhFEFE\n"
SAY_MS = 10_000


class LampLight:
    """On the pins of `board` (boards/<kind>). Call `turn` in every turn; it is never done."""

    is_brief = False

    def __init__(self, board, machine, *, now_ms):
        bus = i2c_bus.open_bus(
            machine, scl=board.I2C_SCL_PIN, sda=board.I2C_SDA_PIN, hz=board.I2C_HZ, sleep_us=time.sleep_us
        )
        self._converter = mcp4725.Mcp4725(bus, board.DAC_ADDRESS, full_mv=board.DAC_FULL_MV)
        self._full_mv = board.DAC_FULL_MV
        self._gear = machine.UART(
            board.DALI_UART, baudrate=dali_bridge.BAUD, timeout=0, tx=board.DALI_TX_PIN, rx=board.DALI_RX_PIN
        )
        self._say_ms = now_ms
        self.deadline_ms = None

    def turn(self, *, now_ms, wanted=None) -> bool:
        """Do what is due; always True. Whatever is wanted, it is light."""
        self._converter.set(self._full_mv, now_ms=now_ms)
        if now_ms >= self._say_ms:
            self._say_ms = now_ms + SAY_MS
            self._gear.write(EVERYBODY_FULL)
        return True
