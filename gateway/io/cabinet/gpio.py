"""Drives lines of a GPIO chip by libgpiod 2 (Python package `gpiod`), each requested separately.

Inputs are requested at the first observation. An output is requested with its first order and with the ordered value,
so that starting changes no output and no interim value occurs. We never release lines: at the end of the process the
kernel takes them back (Raspberry Pi kernels leave an output as it is, "pinctrl-bcm2835.persist_gpio_outputs"; others
may make an input of it, which the cabinet's relays must survive: they then fall back by the watchdog's timer).

A line that is refused or lost is requested again. Not for several threads. It decides nothing.
"""

import importlib
from collections.abc import Iterable
from typing import Any

from gateway.io.cabinet import limits
from gateway.io.cabinet.wiring import Gpio

_CONSUMER = "bocage"


class _Line:
    def __init__(self) -> None:
        self.request: Any = None
        self.value: bool | None = None  # of an input: as read; of an output: as ordered
        self.retry_at_ms = 0


class GpioPort:
    """Drives one chip. `gpiod`: the package, or a twin of it; imported at first use. `why`: the last error, or None."""

    def __init__(self, path: str, inputs: Iterable[Gpio], *, gpiod: Any = None) -> None:
        self._path = path
        self._gpiod = gpiod
        self._inputs = {point: _Line() for point in inputs}
        self._outputs: dict[Gpio, _Line] = {}
        self.why: str | None = None
        self.counters = {"lines-refused": 0, "lines-lost": 0}

    def read_inputs(self, *, now_ms: int) -> None:
        """Reads all inputs; requests missing lines again, outputs with the value last ordered."""
        for point, line in self._inputs.items():
            line.value = None
            if self._have(point, line, False, now_ms):
                self._read(point, line, now_ms)
        for point, line in self._outputs.items():
            self._have(point, line, True, now_ms)

    def value(self, point: Gpio) -> bool | None:
        """Returns the value of an input when it was last read; None when it could not be read."""
        return self._inputs[point].value

    def set(self, point: Gpio, on: bool, *, now_ms: int) -> None:
        """Switch an output, and keep it so."""
        line = self._outputs.setdefault(point, _Line())
        line.value = on
        if line.request is None:
            self._have(point, line, True, now_ms)
            return
        try:
            line.request.set_value(point.line, self._package().line.Value.ACTIVE if on else self._inactive())
        except (OSError, ValueError) as error:
            self._lose(point, line, error, now_ms)

    def in_hand(self, point: Gpio) -> bool:
        """Returns whether this output can be switched, as far as is known: it has the ordered value, or no order came
        yet."""
        line = self._outputs.get(point)
        return line is None or line.request is not None

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status."""
        missing = sum(line.request is None for line in (*self._inputs.values(), *self._outputs.values()))
        return {"state": "open" if not missing else self.why or "not opened yet", "missing": missing, **self.counters}

    # --- lines ------------------------------------------------------------------------------------------------------

    def _have(self, point: Gpio, line: _Line, is_output: bool, now_ms: int) -> bool:
        """Returns whether the line is requested; requests it when that is due."""
        if line.request is None and now_ms >= line.retry_at_ms:
            try:
                line.request = self._request(point, line, is_output)
            except (OSError, ValueError, ImportError) as error:
                self.counters["lines-refused"] += 1
                self._miss(point, line, error, now_ms)
        return line.request is not None

    def _request(self, point: Gpio, line: _Line, is_output: bool) -> Any:
        gpiod = self._package()
        kinds = gpiod.line
        bias = {None: kinds.Bias.AS_IS, "pull-up": kinds.Bias.PULL_UP, "pull-down": kinds.Bias.PULL_DOWN}[point.pull]
        settings = gpiod.LineSettings(
            direction=kinds.Direction.OUTPUT if is_output else kinds.Direction.INPUT,
            bias=bias,
            active_low=point.inverted,
            output_value=kinds.Value.ACTIVE if is_output and line.value else self._inactive(),
        )
        return gpiod.request_lines(self._path, consumer=_CONSUMER, config={point.line: settings})

    def _read(self, point: Gpio, line: _Line, now_ms: int) -> None:
        try:
            line.value = line.request.get_value(point.line) == self._package().line.Value.ACTIVE
        except (OSError, ValueError) as error:
            self._lose(point, line, error, now_ms)

    def _lose(self, point: Gpio, line: _Line, error: Exception, now_ms: int) -> None:
        self.counters["lines-lost"] += 1
        line.request.release()
        line.request = None
        self._miss(point, line, error, now_ms)

    def _miss(self, point: Gpio, line: _Line, error: Exception, now_ms: int) -> None:
        line.retry_at_ms = now_ms + limits.GPIO_RETRY_MS
        self.why = f"line {point.line} of {self._path}: {error}"

    def _inactive(self) -> Any:
        return self._package().line.Value.INACTIVE

    def _package(self) -> Any:
        if self._gpiod is None:
            self._gpiod = importlib.import_module("gpiod")  # its package is needed only with GPIO points
        return self._gpiod
