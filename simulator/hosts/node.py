"""Runs a simulated node: the twin of firmware/esp32/main.py in virtual time, around the real node code.

It has what a board has: power, a crystal that runs a little fast or slow and starts anywhere (near the wrap of the
chip's ticks too), a flash that keeps the boot counter and the last checkpoint, and the drivers' twins.
"""

from collections.abc import Callable
from typing import Any

import kinds
from links import udp
from node import limits
from node.app import Boot, Node
from node.checkpoint import Checkpoint
from node.settings import Settings
from simulator.hosts.deep_sleep import ClockChip, DeepSleep
from simulator.hosts.keys import paired_link
from simulator.hosts.ports import Ports
from simulator.hosts.programs import Programs
from simulator.world.chance import Prng
from simulator.world.flash import Cut
from simulator.world.network import Radio
from simulator.world.time import World
from wire import quantity

Tap = Callable[[bytes, int, str, int, bytes], None]

# The ESP32 boots MicroPython and our code in about this time, ± half of it.
_BOOT_MS = 1600
_TICKS_WRAP_MS = 1 << 30
_BUSY_MS = 10
# A cut in the middle of a write to flash is over after this.
_CUT_MS = 5_000
# The board's health, as every sample finds it.
_PLATFORM = {quantity.HEAP_FREE: 98_304}
# The delay with which a pulse is noticed in a sleep; on the board there is none.
_LISTEN_MS = 5_000


class NodeHost:
    """Runs one board, in a lamp post, a classroom or a valve box. `kind`: its module of `kinds`."""

    def __init__(
        self,
        world: World,
        prng: Prng,
        settings: Settings,
        kind: Any,
        ports: Ports,
        radio: Radio,
        send: Callable[[bytes, "NodeHost"], None],
        tap: Tap,
        *,
        memory: bytes = b"",
    ) -> None:
        self._world = world
        self._prng = prng
        self.settings = settings
        self._kind = kind
        self._ports = ports
        self.radio = radio
        self._send = send
        self._tap = tap
        self._rate_ppm = 1_000_000 + prng.between(-40, 40)  # its crystal against the world's clock
        self.node: Node | None = None
        self.boot = 0
        self.boots = 0
        self._flash: Checkpoint | None = Checkpoint(0, None, memory, b"") if memory else None
        self._local_start_ms = 0
        self._world_start_ms = 0
        self._ran_ms = 0  # in former lives
        self._wake_ms: int | None = None
        self._life = 0
        # For a board on a battery; made when its trade reports that it sleeps.
        self.asleep: DeepSleep | None = None
        self.clock_chip: ClockChip | None = None
        # For a board that can be updated; set before its power is on.
        self.programs: Programs | None = None

    def power_on(self) -> None:
        """Gives mains to the board: the output is at its safe level before anything else, then the code starts."""
        self._life += 1
        self._ports.power_on()
        self._world.after(_BOOT_MS // 2 + self._prng.randrange(_BOOT_MS), self._start, self._life)

    def power_off(self) -> None:
        """Cuts the mains, so that RAM is lost and the output falls."""
        self._end_life()
        if self.asleep is not None:
            self.asleep.lose_power(self._world.now_ms)
        if self.programs is not None:
            self.programs.lose_power()
        self._ports.power_off()

    def ran_ms(self) -> int:
        """Returns for how long the code has run until now."""
        return self._ran_ms + (0 if self.node is None else self._world.now_ms - self._world_start_ms)

    def receive(self, datagram: bytes, peer: Any) -> None:
        """Passes on a datagram that has reached the antenna."""
        if self.node is not None:
            now_ms = self._local_ms()
            self.node.receive(datagram, peer, now_ms=now_ms)
            self._after_turn(now_ms)

    def sense(self, values: dict[int, int]) -> None:
        """Passes on an input of the ports that cannot wait for the next sample."""
        if self.node is not None:
            now_ms = self._local_ms()
            self.node.sense(values, now_ms=now_ms)
            self.node.poll(now_ms=now_ms)
            self._after_turn(now_ms)

    def _start(self, life: int, by: str | None = None) -> None:
        if life != self._life or not self._finds_program():
            return
        woken = None if self.asleep is None else self.asleep.restore(self.boot, by, self._world.now_ms)
        previous = self.boot or None
        flash = self._flash
        durable = flash.durable_sequence if flash is not None and flash.boot == previous else None
        if woken is None:
            self.boot += 1
            self.boots += 1
        boot = self.boot
        self._world_start_ms = self._world.now_ms
        self._local_start_ms = self._prng.randrange(2) * (_TICKS_WRAP_MS - self._prng.randrange(3_600_000))
        waking = "" if woken is None else f"-{woken.image.time.uptime_ms}"
        prng = self._prng.split(f"boot-{boot}{waking}")
        memory = flash.memory if flash else b""
        trade = self._kind.make_trade(
            self.settings.own,
            kinds.Start(
                self.settings.node, memory if woken is None else woken.image.memory, self._local_ms(), prng.randrange
            ),
        )
        more: dict[str, Any] = {} if self.clock_chip is None else {"clock_chip": True}
        if trade.sleeps:
            if self.asleep is None:
                self.asleep = DeepSleep(self._prng.split("sleep"), getattr(self._ports, "battery", None))
            log = self.asleep.open_log()
            if woken is None and previous is not None:
                durable = log.durable_sequence(previous, durable)
            more.update(sleeps=True, woken=woken, log=log)
            self.asleep.start(self._world.now_ms)
        link = paired_link(
            self.settings.pairing,
            self.settings.gateway,
            boot=boot,
            random_below=prng.randrange,
            timing=udp.timing(self.settings.ack_timeout_ms, limits.SLEEPER_RETRANSMISSIONS if trade.sleeps else 4),
        )

        cause = "power-on"
        if self.programs is not None:
            cause = self.programs.cause
            more["updating"] = self.programs.open(link, self.settings, trade.kind, prng.randrange, self._local_ms())
        def tap(what: str, sequence: int, data: bytes) -> None:
            self._tap(self.settings.node, boot, what, sequence, data)

        self.node = Node(
            self.settings,
            Boot(boot, previous, durable, cause),
            link,
            trade,
            random_below=prng.randrange,
            now_ms=self._local_ms(),
            tap=tap,
            own=flash.own if flash else b"",
            **more,
        )
        self._report_start(self.node, is_start=woken is None)
        self._wake_ms = None
        self._turn(life)

    def _report_start(self, node: Node, *, is_start: bool) -> None:
        """Tells the node what its clock chip shows, and how the last life ended."""
        if self.clock_chip is not None:
            chip_s = self.clock_chip.read(self._world.unix_s)
            fault = self.clock_chip.fault or "stopped"
            node.chip.read(chip_s, fault, is_start=is_start, now_ms=self._local_ms())
        if self.programs is not None:
            self.programs.begun(node, self._local_ms())

    def _finds_program(self) -> bool:
        """Returns whether a program runs from this start on; without one a reset or a new power-on follows."""
        if self.programs is None:
            return True
        try:
            runs = self.programs.start()
        except Cut:
            self._lose_power_briefly()
            return False
        if not runs:
            self._reset()
        return runs

    def _end_life(self) -> None:
        """Ends what the code has in RAM."""
        self._life += 1
        self._ran_ms = self.ran_ms()
        self.node = None

    def _reset(self) -> None:
        """Resets the chip: RAM is lost, outputs are at their safe level at once."""
        self._end_life()
        self._ports.power_on()
        self._world.after(_BOOT_MS // 2 + self._prng.randrange(_BOOT_MS), self._start, self._life)

    def _lose_power_briefly(self) -> None:
        self.power_off()
        self._world.after(_CUT_MS, lambda life: self.power_on() if life == self._life else None, self._life)

    def _turn(self, life: int, wake_ms: int | None = None) -> None:
        if life != self._life or wake_ms != self._wake_ms or self.node is None:
            return
        node = self.node
        self._wake_ms = None
        now_ms = self._local_ms()
        if node.sample_due(now_ms):
            values = self._ports.read()
            if self.programs is not None:
                self.programs.sampled(values)
            deadline_ms = node.sample(values, _PLATFORM, now_ms=now_ms)
            if deadline_ms is not None:
                self._wake_at(deadline_ms)
                return
        else:
            node.poll(now_ms=now_ms)
        if self.clock_chip is not None:
            unix_s = node.chip.wants_set(now_ms)
            if unix_s is not None:
                self.clock_chip.set(unix_s, self._world.unix_s)
                node.chip.was_set(unix_s, True, now_ms=now_ms)
        self._after_turn(now_ms)

    def _after_turn(self, now_ms: int) -> None:
        node = self.node
        assert node is not None
        again_ms = self._ports.apply(node.outputs, now_ms=now_ms)
        outgoing = node.outgoing()
        if self.programs is not None:
            if self.programs.is_deaf:
                outgoing = []
            if self._works_on_flash(node, now_ms):
                return
        for _, datagram in outgoing:
            if self.asleep is not None:
                self.asleep.transmit(self._world.now_ms)
            self._send(datagram, self)
        checkpoint = node.checkpoint(now_ms)
        if checkpoint is not None:
            self._flash = checkpoint
        if self.asleep is not None and again_ms is None and self._falls_asleep(node, now_ms):
            return
        deadline_ms = node.deadline_ms(now_ms)
        if again_ms is not None:  # a pulse is being given: the chip's loop turns without a pause, this one at intervals
            deadline_ms = min(again_ms, max(deadline_ms, now_ms + _BUSY_MS))
        self._wake_at(deadline_ms)

    def _works_on_flash(self, node: Node, now_ms: int) -> bool:
        """Does what the update asks of the flash; returns whether this life is over."""
        assert self.programs is not None
        try:
            is_over = self.programs.turn(node, now_ms)
        except Cut:
            self._lose_power_briefly()
            return True
        if is_over:
            self._flash = node.checkpoint(now_ms, is_last=True) or self._flash
            self._reset()
        return is_over

    def _wake_at(self, deadline_ms: int) -> None:
        """Schedules a turn at the first millisecond at which the node's clock shows at least `deadline_ms`."""
        elapsed_ms = -(-(deadline_ms - self._local_start_ms) * 1_000_000 // self._rate_ppm)
        wake_ms, now_ms = self._world_start_ms + elapsed_ms, self._world.now_ms
        if wake_ms < now_ms:
            wake_ms = now_ms
        if wake_ms != self._wake_ms:  # as on the chip, an instant that is no longer asked for brings no turn
            self._wake_ms = wake_ms
            self._world.at(wake_ms, self._turn, self._life, wake_ms)

    def _falls_asleep(self, node: Node, now_ms: int) -> bool:
        """Lets the board sleep if it may: RAM is lost, the image and the ports' equipment stay.

        This is the twin of `esp32.main` and `esp32.sleeping`.
        """
        assert self.asleep is not None
        until_ms = node.may_sleep(now_ms)
        if until_ms is None:
            return False
        sleep_ms = node.sleep_for(until_ms, now_ms=now_ms)
        counts = node.trade.counts_asleep
        image = node.suspend(now_ms)
        if image is None:
            return False
        self._end_life()
        self._wake_ms = None
        self._ports.sleep()
        self.asleep.save(image, self._world.now_ms)
        self._world.after(self.asleep.true_ms(sleep_ms), self._wake_up, self._life, None)
        if counts:
            self._world.after(_LISTEN_MS, self._listen, self._life)
        return True

    def _listen(self, life: int) -> None:
        """Wakes the sleeping board at a pulse of its meter."""
        if life != self._life:
            return
        if self._ports.pulsed():
            self._wake_up(life, "pulse")
        else:
            self._world.after(_LISTEN_MS, self._listen, life)

    def _wake_up(self, life: int, by: str | None) -> None:
        if life == self._life:
            self._life += 1
            assert self.asleep is not None
            self.asleep.wake(self._world.now_ms)
            self._ports.wake()
            self._world.after(_BOOT_MS // 2 + self._prng.randrange(_BOOT_MS), self._start, self._life, by)

    def _local_ms(self) -> int:
        elapsed_ms = self._world.now_ms - self._world_start_ms
        return self._local_start_ms + elapsed_ms * self._rate_ppm // 1_000_000
