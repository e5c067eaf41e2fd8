"""A street behind a Modbus line: a relay board whose coils close contactors, a meter for each feeder that tells what
burns.

For the bench and for tests with the real agent; virtual time has `simulator/cabinet`. Unit 1 is the relay board: coil
n is the contactor of feeder n, discrete input n its auxiliary contact. Unit 10 + n is the SDM120 of feeder n. By
hand: `python -m simulator.rig.street --link PORT --config FILE` also writes a configuration for the agent.
"""

import argparse
import struct
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from simulator.rig.modbus import ModbusBench

_BOARD, _FIRST_METER = 1, 10
_EVERY_S = 0.05


class Street(NamedTuple):
    """One feeder: its name in the policy, its lamps, what one of them draws in W."""

    name: str
    lamps: int
    lamp_w: int


VILLAGE = (Street("bourg", 14, 32), Street("parc", 6, 25))


class StreetBench:
    """`start` and `close`; between them `lamps_out` (by feeder), `stuck` (a contactor that stays as it is: open or
    closed) and the line's own faults (`line`) may be changed at any time.
    """

    def __init__(self, link: Path, streets: tuple[Street, ...] = VILLAGE) -> None:
        self.streets = streets
        units = (_BOARD, *(_FIRST_METER + index for index in range(len(streets))))
        self.line = ModbusBench(link, units)
        self.lamps_out = [0] * len(streets)
        self.stuck: dict[int, bool] = {}
        self._wh = [0.0] * len(streets)
        self._stop = Event()
        self._thread = Thread(target=self._live, name="street", daemon=True)

    def start(self) -> None:
        self.line.start()
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.line.close()

    def lit(self) -> list[bool]:
        """Which feeders have their lamps burning."""
        return [self._is_closed(index) for index in range(len(self.streets))]

    def toml(self) -> str:
        """The [cabinet] of a configuration for this street, at Feneu."""
        lines = [
            "[cabinet]",
            "latitude = 47.5720",
            "longitude = -0.5940",
            f'modbus = "{self.line.pty.link}"',
            "modbus_baud = 19200",
        ]
        for index, street in enumerate(self.streets):
            lines += [
                "[[cabinet.feeder]]",
                f'name = "{street.name}"',
                f"lamps = {street.lamps}",
                f"lamp_watts = {street.lamp_w}",
                f'contactor = "modbus:{_BOARD}/coil:{index}"',
                f'feedback = "modbus:{_BOARD}/input:{index}"',
                f'meter = "modbus:{_FIRST_METER + index}/sdm120"',
            ]
        return "\n".join(lines) + "\n"

    def _is_closed(self, index: int) -> bool:
        return self.stuck.get(index, self.line.coil(_BOARD, index))

    def _live(self) -> None:
        before_s = time.monotonic()
        while not self._stop.wait(_EVERY_S):
            now_s = time.monotonic()
            for index, street in enumerate(self.streets):
                closed = self._is_closed(index)
                watts = float((street.lamps - self.lamps_out[index]) * street.lamp_w) if closed else 0.4
                self._wh[index] += watts * (now_s - before_s) / 3600
                self._tell(index, closed, watts)
            before_s = now_s

    def _tell(self, index: int, closed: bool, watts: float) -> None:
        self.line.set_input(_BOARD, index, closed)
        unit = _FIRST_METER + index
        self.line.set_input_registers(unit, 0x00, struct.pack(">f", 231.4))
        self.line.set_input_registers(unit, 0x06, struct.pack(">f", watts / 231.4 / 0.95))
        self.line.set_input_registers(unit, 0x0C, struct.pack(">f", watts))
        self.line.set_input_registers(unit, 0x48, struct.pack(">f", 1200 + self._wh[index] / 1000))


def main(arguments: list[str] | None = None) -> int:
    """A village's street on a pseudo-terminal until "quit" or the end of the standard input: "out N K" puts K lamps of
    feeder N out, "show" tells which feeders burn."""
    parser = argparse.ArgumentParser(prog="python -m simulator.rig.street", description=main.__doc__)
    parser.add_argument("--link", type=Path, required=True, help="where the port appears, as a symbolic link")
    parser.add_argument("--config", type=Path, help="write the [cabinet] of a configuration here")
    options = parser.parse_args(arguments)
    bench = StreetBench(options.link)
    if options.config is not None:
        options.config.write_text(bench.toml(), encoding="utf-8")
    bench.start()
    print(f"{options.link}: {', '.join(street.name for street in bench.streets)}", flush=True)
    try:
        for line in sys.stdin:
            words = line.split()
            if len(words) == 3 and words[0] == "out":
                bench.lamps_out[int(words[1])] = int(words[2])
            elif words == ["show"]:
                print(" ".join(f"{one.name}={lit}" for one, lit in zip(bench.streets, bench.lit(), strict=True)),
                flush=True)
            elif words == ["quit"]:
                break
    except KeyboardInterrupt:
        pass
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
