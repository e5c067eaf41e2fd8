"""Makes one observation of everything that is wired, in the core's form: the last readings, debounced and scaled.

What is not wired, cannot be read or was read too long ago is None. A contact counts once two readings, DEBOUNCE_MS
apart or more, and all between agree. Readings are distinguished by the time they were made: the same one again proves
nothing, so an input that is read once a second over Modbus needs its next reading. Used by one thread.
"""

from typing import TYPE_CHECKING

from gateway.core.cabinet.equipment import AUTO, OFF, ON, FeederObservation, Observation
from gateway.io.cabinet import limits, meters
from gateway.io.cabinet.gpio import GpioPort
from gateway.io.cabinet.linky import LinkyPort
from gateway.io.cabinet.wiring import CabinetWiring, FeederWiring, Gpio, Input, Number
from wire import quantity


class Debounced:
    """Debounces a contact; its value is None at first. Times are monotonic milliseconds of the readings."""

    def __init__(self) -> None:
        self.value: bool | None = None
        self._candidate: bool | None = None
        self._since_ms = 0

    def update(self, raw: bool | None, read_ms: int) -> bool | None:
        """Accepts a reading made at `read_ms`; returns the value that counts now."""
        if raw is None:
            self.value = self._candidate = None
        elif raw != self._candidate:
            self._candidate, self._since_ms = raw, read_ms
        elif read_ms - self._since_ms >= limits.DEBOUNCE_MS:
            self.value = raw
        return self.value


if TYPE_CHECKING:
    from gateway.io.cabinet.modbus import ModbusPort

# From a register's natural unit to the one of Observation.
_UPS_MV, _TEMPERATURE_CK, _PHOTOCELL_LX = 1000, 100, 1


class Observer:
    """Observes what is wired. `contradictions`: observations in which both contacts of the hand switch were closed."""

    def __init__(
        self, config: CabinetWiring, gpio: GpioPort | None, modbus: "ModbusPort | None", linky: LinkyPort | None
    ) -> None:
        self.contradictions = 0
        self._config, self._gpio, self._modbus, self._linky = config, gpio, modbus, linky
        inputs = (config.door, config.mains, config.switch_on, config.switch_off)
        feedbacks = (feeder.feedback for feeder in config.feeders)
        self._contacts = {point: Debounced() for point in (*inputs, *feedbacks) if point is not None}

    def read_contacts(self, *, now_ms: int) -> None:
        """Read every contact; must be called some ten times a second."""
        if self._gpio is not None:
            self._gpio.read_inputs(now_ms=now_ms)
        for point, contact in self._contacts.items():
            if isinstance(point, Gpio):
                assert self._gpio is not None
                contact.update(self._gpio.value(point), now_ms)
            else:
                assert self._modbus is not None
                contact.update(*self._modbus.readings.bit(point, now_ms=now_ms))

    def seen(self, *, now_ms: int) -> Observation:
        """Return the observation as it is now."""
        config = self._config
        return Observation(
            tuple(self._feeder(feeder, now_ms) for feeder in config.feeders),
            switch=self._switch(),
            door_open=self._contact(config.door),
            mains=self._contact(config.mains),
            ups_mv=self._number(config.ups, _UPS_MV, quantity.BATTERY, now_ms),
            temperature_ck=self._number(config.temperature, _TEMPERATURE_CK, quantity.TEMPERATURE, now_ms),
            photocell_lx=self._number(config.photocell, _PHOTOCELL_LX, quantity.ILLUMINANCE, now_ms),
            linky=None if self._linky is None else self._linky.seen(now_ms=now_ms),
        )

    def _feeder(self, feeder: FeederWiring, now_ms: int) -> FeederObservation:
        measured: dict[str, int | None] = {}
        if feeder.meter is not None and self._modbus is not None:
            for name in meters.NAMES:
                measured[name] = self._modbus.readings.measured(feeder.meter, name, now_ms=now_ms)
        return FeederObservation(self._contact(feeder.feedback), **measured)

    def _contact(self, point: Input | None) -> bool | None:
        return None if point is None else self._contacts[point].value

    def _number(self, point: Number | None, factor: int, code: int, now_ms: int) -> int | None:
        if point is None or self._modbus is None:
            return None
        return meters.scaled(self._modbus.readings.number(point, now_ms=now_ms), factor, code)

    def _switch(self) -> str | None:
        """Return the position of the hand switch; None if a contact cannot be read, or both are closed (a wiring
        fault)."""
        positions = ((ON, self._config.switch_on), (OFF, self._config.switch_off))
        said = {word: self._contact(point) for word, point in positions if point is not None}
        if not said or None in said.values():
            return None
        closed = [word for word, is_closed in said.items() if is_closed]
        if len(closed) == 2:
            self.contradictions += 1
            return None
        return closed[0] if closed else AUTO
