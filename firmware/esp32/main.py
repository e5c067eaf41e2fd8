"""Runs a node on the chip: composes the parts and turns one loop. `boot.py` has made its outputs safe before.

The settings name the kind of node; `kinds/<kind>` has its trade and ports, `boards/<kind>` the pins. It decides
nothing: the application (`node.app`) decides the outputs and when it wants the next turn. No call below may take longer
than SLICE_MS, except a write to flash, some thirty a day at most; a call that still blocks longer ends in a watchdog
reset to safe outputs, within WATCHDOG_MS.

Long because it holds one loop and all that the loop owns; all other code is in modules of its own.
"""

import gc
import os
import time
from binascii import hexlify

import bearer
import chip
import chosen_settings
import crash
import cryptolib
import flash
import lifeline
import machine
from collector import Collector
from log_files import LogFiles
from settings_store import SettingsStore

import esp32
import kinds
from drivers import temperature
from drivers.sensor import PENDING
from links import udp
from node import app, checkpoint, limits, log_segment, panel
from node.record_log import RecordLog
from node.settings import RS485
from wire import ccm, event, oscore, quantity
from wire.coap import Endpoint
from wire.oscore_link import NodeLink

SLICE_MS = 100
# What the heap may still grow by is counted (py/modgc.c): with PSRAM at least 1.5 MB are left after a start. The
# official build starts without it, too; a small kind may then run for a while, and its LED shows a fault.
FREE_BYTES_MIN = 500_000
# The port starts an ESP32 at 160 MHz, with which turns take half as long again. This holds on a battery too: a cycle
# takes the same charge (Espressif, ESP32 data sheet, table 6: 30 to 68 mA against 27 to 44), and while the radio
# listens with 100 mA a waiting chip takes 3 mA more. A chip that refuses it stays as it is.
CLOCK_HZ = 240_000_000
# The loop turns every 10 ms while an answer of the ports arrives: 48 ms of a meter's bytes must not wait for the next
# slice.
SAMPLE_SLICE_MS = 10
# Flash waits for a turn without other long work, but no longer than this.
PUT_OFF_MS = 1000
WATCHDOG_MS = 8000
# The loop's own tasks are stale after this much silence; a flash write is the longest thing they wait for.
TASK_SILENCE_MAX_MS = 4000
# How often the LED's state is decided; and how long the LED shows a start without an answer of the gateway.
LED_STATE_MS = 1000
STARTING_MS = 60_000
# The pause between a crash and the reset: a fault at every start must not wear the flash out. It is shorter than the
# watchdog leaves to a loop whose last feed is TASK_SILENCE_MAX_MS old, so that our reset comes before the watchdog's.
CRASH_PAUSE_MS = 3000


def main(start=None):
    """Runs the node for ever. After an uncaught exception the outputs are made safe, the error is written down and the
    chip is reset. `start`: the loader's Start (`loader.Start`); the loader has begun the watchdog; None without one."""
    machine.WDT(timeout=WATCHDOG_MS)
    if hasattr(machine, "freq"):
        try:
            machine.freq(CLOCK_HZ)
        except (OSError, ValueError):
            print("clock: as the port has it")
    clock = chip.Clock(time.ticks_ms, time.ticks_diff)
    life = lifeline.Lifeline(machine, start, now_ms=clock.now_ms())
    opened = []  # the ports, once they are open; boot.py's levels hold until then
    try:
        run(opened, life, clock)
    except KeyboardInterrupt:  # Ctrl-C on the console: outputs must not stay as they are when the loop stops
        for ports in opened:
            ports.safe()
        raise
    except Exception as error:
        crashed(opened, life, clock, error)


def run(opened, life, clock):
    """Starts the shell, then turns it for ever."""
    shell = begin(machine.WDT(timeout=WATCHDOG_MS), opened, life, clock)
    gc.collect()
    print("ready", gc.mem_alloc(), "bytes of heap used,", gc.mem_free(), "free")
    while True:
        shell.turn()


def begin(wdt, opened, life, clock):
    """Returns the Shell of a node whose settings are usable."""
    settled, kind = chosen_settings.settle(wdt, life, clock)
    # The imports of an application and the reading of a full log take seconds each: the watchdog is fed between them.
    wdt.feed()
    if life.is_rescue:
        opened.append(kind.Ports(settled.board, machine, now_ms=clock.now_ms()))
    else:
        opened.append(kind.Ports(settled.settings.own, settled.board, machine, now_ms=clock.now_ms()))
    return Shell(settled, kind, opened[0], wdt, clock, life)


class Shell:
    """Owns the outside of one node: link, ports, flash, panel and clock."""

    def __init__(self, settled, kind, ports, wdt, clock, life):
        now_ms = clock.now_ms()
        settings, board, wifi = settled.settings, settled.board, settled.wifi
        random_below = chip.random_below_of(os.urandom)
        self._clock = clock
        self._kind = kind
        self._ports = ports
        self._senses = hasattr(ports, "sense")
        self._life = life
        self._sampling = False
        self._received, self._busy_ms = [], None  # datagrams that wait for a turn; since when flash waits
        self._collector, self._due_ms = Collector(), now_ms  # when the application wanted its turn
        self._store = flash.Store()
        woken = life.woken(now_ms)
        start = None if woken is None else flash.go_on(self._store, woken.image.boot)
        woken = self._woken = None if start is None else woken

        def open_bearer():
            return bearer.open_bearer(
                settings, wifi, board, random_below=random_below, now_ms=clock.now_ms, sleep_ms=time.sleep_ms
            )

        self._bearer = self._bearer_of(open_bearer)
        self._link = self._bearer.link
        self._ledger = lifeline.Ledger()
        for name in ("network", "output", "application"):
            self._ledger.add(name, TASK_SILENCE_MAX_MS, now_ms=now_ms)
        self._ledger.add("ports", 2000 * settings.sample_s + TASK_SILENCE_MAX_MS, now_ms=now_ms)
        self._watchdog = lifeline.Watchdog(wdt, self._ledger)
        if start is None:
            start = flash.begin(self._store, random_below)
        cause = start.note or life.cause
        life.log("boot %d after %s node %s" % (start.boot, cause, hexlify(settings.node).decode()), now_ms=now_ms)
        is_trial = settled.is_trial and woken is None
        self._proven_at_ms = now_ms + limits.SETTINGS_PROVEN_MS if is_trial else None
        own = checkpoint.decode_own(start.own if woken is None else woken.image.own)
        self._wear = checkpoint.Wear(before=own.flash_writes, now_ms=now_ms, is_waking=woken is not None)
        if woken is None:
            self._wear.spend(checkpoint.BOOT, now_ms=now_ms)
        wdt.feed()
        log = RecordLog(LogFiles(), spend=self._may_write_log, on_file=wdt.feed)
        wdt.feed()
        trade = self._make_trade(settings, settled.product, start, random_below, now_ms)
        self._sleeps = self._may_sleep(settings, trade)
        self._node = self._make_node(settled, start, cause, trade, log, random_below, now_ms)
        self._chip = None
        if settled.clock_chip:
            self._chip = BoardClock(board)
            self._chip.read(self._node, is_start=woken is None, now_ms=now_ms)
        if woken is None:
            life.report(self._node, now_ms=now_ms)
        life.before_restart = self._save
        if settled.why is not None:
            self._node.report_event(event.SETTINGS_FAILURE, None, (settled.why,), now_ms=now_ms)
        self._panel = lifeline.PanelPort(machine, board, trade.test_ms, now_ms=now_ms)
        self._shown = panel.STARTING if woken is None else panel.WELL
        self._led_state_ms = self._started_ms = now_ms
        self._lacks_memory = self._collector.free_bytes < FREE_BYTES_MIN
        if self._lacks_memory:
            life.log("little memory: has this module PSRAM?", now_ms=now_ms)

    def _bearer_of(self, open_bearer):
        if self._woken is None:
            return open_bearer()
        from sleeping import QuietBearer

        return QuietBearer(open_bearer, time.sleep_ms)

    def _may_sleep(self, settings, trade):
        """Returns whether the node may ever sleep: on a polled line it must answer, and a program on trial must prove
        itself."""
        return trade.sleeps and settings.bearer[0] != RS485 and not self._life.trial.is_trial

    def _make_trade(self, settings, product, start, random_below, now_ms):
        if self._life.is_rescue:
            return self._kind.RescueTrade(product, start.memory, self._ports)
        memory = start.memory if self._woken is None else self._woken.image.memory
        return self._kind.make_trade(settings.own, kinds.Start(settings.node, memory, now_ms, random_below))

    def _make_node(self, settled, start, cause, trade, log, random_below, now_ms):
        woken, settings = self._woken, settled.settings
        durable = start.durable_sequence
        if start.previous_boot is not None:
            durable = log.durable_sequence(start.previous_boot, durable)
        link = self._protect(settings, start.boot, random_below)
        if woken is not None:
            self._bearer.is_idle = link.is_idle
        program_ms = None if woken is None else woken.image.dues.program_ms
        return app.Node(
            settings,
            app.Boot(start.boot, start.previous_boot, durable, cause),
            link,
            trade,
            random_below=random_below,
            now_ms=now_ms,
            tap=self._trace if settings.trace else None,
            log=log,
            own=start.own,
            wear=self._wear,
            updating=self._life.open_updating(
                link,
                settings,
                settled.product,
                random_below=random_below,
                now_ms=now_ms,
                in_ms=None if program_ms is None else program_ms - woken.slept_ms,
            ),
            lines=self._life.ring,
            sleeps=self._sleeps,
            woken=woken,
            clock_chip=settled.clock_chip,
        )

    def _protect(self, settings, boot, random_below):
        endpoint = Endpoint(
            random_below=random_below,
            first_message_id=random_below(0x10000),
            timing=udp.timing(
                max(settings.ack_timeout_ms, self._bearer.ack_timeout_ms),
                limits.SLEEPER_RETRANSMISSIONS if self._sleeps else 4,
            ),
            handled_options=oscore.ANY_OUTSIDE,
        )
        return NodeLink(
            endpoint,
            settings.pairing,
            ccm.CryptolibCipher(cryptolib.aes),
            peer=settings.gateway,
            boot=boot,
            random_below=random_below,
        )

    def turn(self):
        """Does one turn: network, ports, application, outputs, datagrams, flash, watchdog, sleep; or one of the
        collector.

        It does only one long step a turn, so that outputs follow within SLICE_MS even if all steps come together: a
        sample, or one datagram, or neither; flash waits while there are samples and datagrams. The rest has its turn
        at once."""
        if self._collector.turn():
            self._link.wait(0)
            return
        now_ms = self._clock.now_ms()
        life = self._life
        life.enter(lifeline.NETWORK)
        if not self._received:
            self._received = self._link.receive()
        self._ledger.beat("network", now_ms=now_ms)
        life.enter(lifeline.PORTS)
        if self._senses:
            noticed = self._ports.sense(now_ms=now_ms)
            if noticed is not None:
                self._node.sense(noticed, now_ms=now_ms)
        is_sampled = self._sample(now_ms)
        self._serve_panel(now_ms)
        life.enter(lifeline.APPLICATION)
        is_busy = is_sampled
        if is_sampled:
            pass  # the sample has polled the application, as a datagram does
        elif self._received:
            datagram, peer = self._received.pop(0)
            self._node.receive(datagram, peer, now_ms=now_ms)
            is_busy = True
        else:
            self._node.poll(now_ms=now_ms)
        self._ledger.beat("application", now_ms=now_ms)
        life.enter(lifeline.OUTPUT)
        self._ports.apply(self._node.outputs, now_ms=now_ms)
        self._ledger.beat("output", now_ms=now_ms)
        life.enter(lifeline.NETWORK)
        for peer, datagram in self._node.outgoing():
            self._link.send(peer, datagram)
            is_busy = True
        # After the outputs: the driver's first start calibrates the radio (some 0.1 s) and waits for it without a bound
        # of its own (ports/esp32/network_wlan.c). Where it never comes back the watchdog ends it, and the next start
        # says that this one stood in "network".
        if self._bearer.step(now_ms=now_ms) and self._node.may_restart(now_ms):
            life.restart("radio", now_ms=now_ms)
        life.enter(lifeline.FLASH)
        self._collector.add(is_busy or now_ms >= self._due_ms)
        self._remember_when_idle(is_busy, now_ms)
        life.step(self._node, self._ports, self._collector.free_bytes, self._ledger.margin_ms, now_ms=now_ms)
        self._watchdog.feed(now_ms=now_ms)
        life.enter(lifeline.SLEEP)
        if self._sleeps and self._busy_ms is None and not self._received:
            self._sleep(now_ms)
        self._link.wait(self._pause_ms(now_ms))

    def _remember_when_idle(self, is_busy, now_ms):
        """Writes due state to flash, not in a busy turn, for PUT_OFF_MS at most."""
        if is_busy:
            if self._busy_ms is None:
                self._busy_ms = now_ms
            if now_ms - self._busy_ms < PUT_OFF_MS:
                return
        self._busy_ms = None
        self._remember(now_ms)

    def _sleep(self, now_ms):
        """Enters deep sleep if the node may and its button is not touched; otherwise returns."""
        until_ms = None if self._sampling or self._panel.panel.is_touched else self._node.may_sleep(now_ms)
        if until_ms is None:
            return
        self._ports.safe()
        if self._proven_at_ms is not None:
            self._prove(now_ms)
        sleep_ms = self._node.sleep_for(until_ms, now_ms=now_ms)
        pins = self._ports.wake_pins(self._node.trade)
        image = self._node.suspend(now_ms)
        if image is not None:
            self._life.log("sleeps for %d s" % (sleep_ms // 1000), now_ms=now_ms)
            self._life.sleeps(image, sleep_ms, pins, esp32, now_ms=now_ms)

    def _serve_panel(self, now_ms):
        """Serves the technician's button, and the LED, whose state is decided once a second."""
        if now_ms >= self._led_state_ms:
            self._led_state_ms = now_ms + LED_STATE_MS
            if self._life.is_rescue:
                self._shown = panel.RESCUE
            elif self._woken is not None and not self._node.reach.has_exchanged:
                self._shown = panel.WELL
            elif not self._node.reach.is_linked(now_ms):
                is_new = now_ms - self._started_ms < STARTING_MS and not self._node.reach.has_exchanged
                self._shown = panel.STARTING if is_new else panel.NO_LINK
            else:
                is_sound = self._node.is_sound(now_ms) and not self._lacks_memory
                self._shown = panel.WELL if is_sound else panel.FAULT
        self._panel.turn(self._node, self._life, self._shown, now_ms=now_ms)

    def _sample(self, now_ms):
        """Samples when that is due; returns whether the application got a sample."""
        if not self._sampling:
            if not self._node.sample_due(now_ms):
                return False
            self._ports.begin_sample(now_ms=now_ms)
            self._sampling = True
        values = self._ports.collect(now_ms=now_ms)
        if values is PENDING:
            return False
        self._sampling = False
        margin_ms = max(0, self._ledger.margin_ms(now_ms=now_ms))
        platform = {quantity.HEAP_FREE: self._collector.free_bytes, quantity.WATCHDOG_MARGIN: margin_ms}
        signal_dbm = self._bearer.signal_dbm()
        if signal_dbm is not None:
            platform[quantity.SIGNAL] = signal_dbm
        self._life.trial.sampled(values, getattr(self._ports, "whole", ()))  # without the chip's own thermometer
        if values is not None and not self._life.is_rescue:
            temperature_ck = temperature.read(esp32)
            if temperature_ck is not None:
                values[self._kind.BOARD_TEMPERATURE] = temperature_ck
        self._node.sample(values, platform, now_ms=now_ms)
        self._ledger.beat("ports", now_ms=now_ms)
        return True

    def _remember(self, now_ms):
        """Writes one due item to flash."""
        if self._proven_at_ms is not None and now_ms >= self._proven_at_ms:
            self._prove(now_ms)
            return
        if self._chip is not None:
            self._chip.turn(self._node, now_ms=now_ms)
        self._write(self._node.checkpoint(now_ms), now_ms)

    def _prove(self, now_ms):
        """Notes that the settings on trial are good."""
        self._proven_at_ms = None
        if SettingsStore().prove():
            self._wear.spend(checkpoint.SETTINGS, now_ms=now_ms)

    def _save(self, now_ms):
        self._write(self._node.checkpoint(now_ms, is_last=True), now_ms)
        return self._node.time

    def _write(self, due, now_ms):
        if due is not None and not self._store.write(due):
            print("flash: the checkpoint was not written")
            self._node.write_again(now_ms)

    def _may_write_log(self, now_ms):
        return self._wear.spend(checkpoint.LOG, now_ms=now_ms)

    def _pause_ms(self, now_ms):
        if self._received or self._busy_ms is not None or self._collector.is_due():
            return 0
        if self._sampling:
            return SAMPLE_SLICE_MS
        self._due_ms = self._node.deadline_ms(now_ms)
        return max(0, min(SLICE_MS, self._due_ms - now_ms))

    def _trace(self, what, sequence, data):
        # A record of an earlier boot, from flash, is acknowledged under its own sequence.
        print(what, log_segment.identity(data)[0], sequence, hexlify(data).decode())


class BoardClock:
    """Reads the clock chip of a board that has one, once after a start or a sleep, and sets it when the node wants it.
    No call takes longer than 3 ms. `node.clock_chip` decides."""

    def __init__(self, board):
        from drivers.i2c_bus import open_bus

        self._part = board.open_rtc(open_bus(machine, board))

    def read(self, node, *, is_start, now_ms):
        """Reads the chip and passes its time or its fault to the node."""
        from node import clock_chip

        self._part.begin(now_ms=now_ms)
        unix_s = self._part.collect(now_ms=now_ms)
        fault = clock_chip.SILENT if self._part.temperature_ck is None else clock_chip.STOPPED
        node.chip.read(unix_s, fault, is_start=is_start, now_ms=now_ms)

    def turn(self, node, *, now_ms):
        """Sets the chip, if that is wanted."""
        unix_s = node.chip.wants_set(now_ms)
        if unix_s is not None:
            node.chip.was_set(unix_s, self._part.set(unix_s), now_ms=now_ms)


def crashed(opened, life, clock, error):
    """Makes outputs safe, writes the error down, waits, resets. If this hangs, the watchdog, which is not fed here,
    resets the chip."""
    try:
        for ports in opened:
            ports.safe()
        is_new = life.crashed(error, now_ms=clock.now_ms())
        print(crash.describe(error))
        if is_new:
            crash.note("version " + app.VERSION, error)
        crash.pause(CRASH_PAUSE_MS, time.ticks_ms, time.ticks_diff, time.sleep_ms)
    finally:
        machine.reset()


if __name__ == "__main__":
    main()
