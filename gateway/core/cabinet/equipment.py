"""Defines what passes between the cabinet's core and the shell: an observation of the equipment, two kinds of effect.

A value that is not wired, or that could not be read, is None: nothing is invented, and an earlier reading is not
repeated. The real shell is `gateway/io/cabinet`, its twin `simulator/cabinet`.
"""

from typing import NamedTuple

AUTO, ON, OFF = "auto", "on", "off"


class FeederObservation(NamedTuple):
    """Holds what was read of one feeder. `feedback`: the contactor's auxiliary contact reports closed. Power in 0.1 W,
    energy in Wh as the meter counts it (it never restarts by itself), voltage in 0.1 V, current in mA.
    """

    feedback: bool | None = None
    power_dw: int | None = None
    energy_wh: int | None = None
    voltage_dv: int | None = None
    current_ma: int | None = None


class Linky(NamedTuple):
    """Holds what the operator's billing meter reports by its TIC: index of all tariffs in Wh, apparent power in VA, the
    tariff in the meter's words.
    """

    mode: str
    serial: str
    index_wh: int
    apparent_va: int | None
    tariff: str


class Observation(NamedTuple):
    """Holds what was read of the equipment at one time. `feeders` in the order of the configuration. `switch`: the hand
    switch of the cabinet, AUTO, ON or OFF. `mains`: the supply is present. Battery in mV, temperature in 0.01 °C, light
    in lx. `in_hand`: as far as is known, every contactor can be switched (its port exists, its board answers).
    """

    feeders: tuple[FeederObservation, ...]
    switch: str | None = None
    door_open: bool | None = None
    mains: bool | None = None
    ups_mv: int | None = None
    temperature_ck: int | None = None
    photocell_lx: int | None = None
    linky: Linky | None = None
    in_hand: bool = True


class SetContactor(NamedTuple):
    """Closes or opens the contactor of a feeder (index of the configuration)."""

    feeder: int
    closed: bool


class Watchdog(NamedTuple):
    """Sends one pulse on the line that keeps the contactors under the agent's control. A timer relay that gets none for
    CABINET_WATCHDOG_MS returns them to the cabinet's own astronomical clock.
    """
