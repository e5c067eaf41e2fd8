"""Drives the cabinet's equipment in threads: carries out orders at once, makes an observation once a second.

GPIO and the observations have one thread, the Modbus line and the Linky meter one each: a slow or hanging driver
delays neither the others nor the agent's loop. At the start no output changes before the core orders it; at the end
outputs are left as they are, and the pulses of the watchdog line end: the hardware fallback takes over.

A pulse means "the agent controls the contactors". It is passed on only while that is true: when the port of a contactor
is gone, or its relay board silent, it is withheld, so that the hardware takes over. It decides nothing else.
"""

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from gateway.core.cabinet.equipment import Observation, SetContactor, Watchdog
from gateway.io import clock
from gateway.io.cabinet import limits
from gateway.io.cabinet.gpio import GpioPort
from gateway.io.cabinet.linky import LinkyPort
from gateway.io.cabinet.observer import Observer
from gateway.io.cabinet.wiring import Bit, CabinetWiring, Gpio, Meter, Number, Output

if TYPE_CHECKING:
    from gateway.io.cabinet.modbus import ModbusPort


class CabinetIo:
    """Drives one cabinet, from `start` to `close`. `post` gets an Observation about once a second, in a thread of ours:
    it must pass it on to the agent's loop, which calls `processed` for each. `gpiod`: a twin of the package of that
    name."""

    def __init__(self, config: CabinetWiring, post: Callable[[Observation], None], *, gpiod: Any = None) -> None:
        self._config = config
        self._post = post
        outputs = {config.watchdog, *(feeder.contactor for feeder in config.feeders)}
        inputs = {point for point in config.points() if isinstance(point, Gpio) and point not in outputs}
        self._gpio = None if config.gpio is None else GpioPort(config.gpio, inputs, gpiod=gpiod)
        self._modbus = None if config.modbus is None else _modbus_port(config, config.modbus)
        self._linky = None if config.linky is None else LinkyPort(config.linky, config.linky_mode)
        self._observer = Observer(config, self._gpio, self._modbus, self._linky)
        self._lock = Lock()
        self._orders: dict[int, bool] = {}
        self._pulse_wanted = False
        self._pulse_ends_ms: int | None = None
        self._on_their_way = 0
        self.counters = dict.fromkeys(("observations", "observations-skipped", "pulses", "pulses-withheld"), 0)
        self._alive_ms: int | None = clock.monotonic_ms()
        self._stop, self._wake = Event(), Event()
        self._thread = Thread(target=self._run, name="cabinet", daemon=True)

    # --- any thread -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        for port in (self._modbus, self._linky):
            if port is not None:
                port.start()
        self._thread.start()

    def apply(self, effect: SetContactor | Watchdog) -> None:
        """Carry out one effect of the core; returns at once. Of several orders for one contactor the last counts."""
        with self._lock:
            if isinstance(effect, Watchdog):
                self._pulse_wanted = True
            else:
                self._orders[effect.feeder] = effect.closed
        self._wake.set()

    def processed(self) -> None:
        """Note that the agent has processed one posted observation."""
        with self._lock:
            self._on_their_way -= 1

    @property
    def alive_ms(self) -> int | None:
        """Returns the oldest last sign of life (monotonic) of the threads that control contactors; None once closed. A
        meter's thread that hangs makes its values None; it is no reason to restart the agent."""
        signs_ms = [self._alive_ms]
        if self._modbus is not None and any(isinstance(feeder.contactor, Bit) for feeder in self._config.feeders):
            signs_ms.append(self._modbus.alive_ms)
        return None if None in signs_ms else min(ms for ms in signs_ms if ms is not None)

    @property
    def in_hand(self) -> bool:
        """Returns whether every contactor can be switched, as far as is known."""
        now_ms = clock.monotonic_ms()
        return all(self._is_in_hand(feeder.contactor, now_ms) for feeder in self._config.feeders)

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status, by port."""
        ports = {"gpio": self._gpio, "modbus": self._modbus, "linky": self._linky}
        told = {name: port.health() for name, port in ports.items() if port is not None}
        ours = {**self.counters, "switch-contradictions": self._observer.contradictions}
        return {"in_hand": self.in_hand, **ours, **told}

    def close(self, timeout_s: float = 1.0) -> None:
        """Ends the threads; outputs stay as they are. A thread that hangs in a driver is left behind."""
        self._stop.set()
        self._wake.set()
        self._alive_ms = None
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        for port in (self._modbus, self._linky):
            if port is not None:
                port.close(timeout_s)

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        observe_at_ms = clock.monotonic_ms() + limits.OBSERVE_MS
        while not self._stop.is_set():
            self._wake.clear()
            now_ms = clock.monotonic_ms()
            self._alive_ms = now_ms
            self._carry_out(now_ms)
            self._observer.read_contacts(now_ms=now_ms)
            if now_ms >= observe_at_ms:
                observe_at_ms = max(observe_at_ms + limits.OBSERVE_MS, now_ms)
                self._post_observation(now_ms)
            self._wake.wait(limits.TICK_MS / 1000)
        if self._pulse_ends_ms is not None:
            self._drive_watchdog(False, self._pulse_ends_ms)

    def _carry_out(self, now_ms: int) -> None:
        with self._lock:
            orders, self._orders = self._orders, {}
            pulse, self._pulse_wanted = self._pulse_wanted, False
        for feeder, closed in orders.items():
            contactor = self._config.feeders[feeder].contactor
            if isinstance(contactor, Gpio):
                assert self._gpio is not None
                self._gpio.set(contactor, closed, now_ms=now_ms)
            else:
                assert self._modbus is not None
                self._modbus.write(contactor, closed)
        self._drive_watchdog(pulse, now_ms)

    def _drive_watchdog(self, pulse: bool, now_ms: int) -> None:
        line = self._config.watchdog
        if self._gpio is None or line is None:
            return
        if pulse and not self.in_hand:
            self.counters["pulses-withheld"] += 1
        elif pulse:
            self.counters["pulses"] += 1
            self._pulse_ends_ms = now_ms + limits.WATCHDOG_PULSE_MS
            self._gpio.set(line, True, now_ms=now_ms)
        elif self._pulse_ends_ms is not None and now_ms >= self._pulse_ends_ms:
            self._pulse_ends_ms = None
            self._gpio.set(line, False, now_ms=now_ms)

    def _is_in_hand(self, contactor: Output, now_ms: int) -> bool:
        if isinstance(contactor, Gpio):
            return self._gpio is not None and self._gpio.in_hand(contactor)
        return self._modbus is not None and self._modbus.in_hand(contactor, now_ms=now_ms)

    def _post_observation(self, now_ms: int) -> None:
        with self._lock:
            if self._on_their_way >= limits.OBSERVATIONS_MAX:
                self.counters["observations-skipped"] += 1
                return
            self._on_their_way += 1
        self.counters["observations"] += 1
        self._post(self._observer.seen(now_ms=now_ms)._replace(in_hand=self.in_hand))


def _modbus_port(config: CabinetWiring, path: str) -> "ModbusPort":
    from gateway.io.cabinet.modbus import ModbusPort  # its package is needed only with a Modbus line

    points = [point for point in config.points() if isinstance(point, Bit | Number | Meter)]
    return ModbusPort(path, config.modbus_baud, config.modbus_parity, points)
