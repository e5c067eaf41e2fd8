"""The streetlight node on the chip: puts the parts together and turns one loop. `boot.py` has lit the lamp before.

Decides nothing: the application (`node.app`) says what the output is and when it wants the next turn. No call below
may take longer than SLICE_MS, except a write to flash, once an hour at most; whatever blocks it all the same ends in
a watchdog reset to safe outputs, within WATCHDOG_MS.
"""

import gc
import json
import os
import time
from binascii import hexlify

import bearer
import crash
import cryptolib
import entropy
import flash
import machine
from clock import Clock
from watchdog import Ledger, Watchdog

import esp32
from boards import streetlight as board
from drivers import bl0942, temperature
from drivers.dimmer import Dimmer, duty
from links import udp
from node import app
from node import settings as node_settings
from node.streetlight import FAIL_SAFE_PERCENT
from policy.fault import Fault
from wire import ccm, oscore, quantity
from wire.coap import Endpoint
from wire.oscore_link import NodeLink

SETTINGS = "settings.json"
SLICE_MS = 100
# While the meter's answer arrives, a turn every 10 ms: 48 ms of bytes must not wait for the next slice.
METER_SLICE_MS = 10
WATCHDOG_MS = 8000
# The loop's own tasks are stale after this much silence; a flash write is the longest thing they wait for.
TASK_SILENCE_MAX_MS = 4000
FAULTS_REPEATED_MS = 30_000
# Between a crash and the reset: a fault that comes back at every start must not wear the flash out. Less than the
# watchdog leaves to a loop whose last feed is TASK_SILENCE_MAX_MS old, so that the reset is ours and not its.
CRASH_PAUSE_MS = 3000


def main():
    """Run for ever. What is not caught anywhere is written down; then the lamp is lit and the chip reset."""
    dimmer = None  # boot.py's levels hold until there is one
    try:
        dimmer = make_dimmer()
        run(dimmer)
    except Exception as error:
        crashed(dimmer, error)


def run(dimmer):
    """Start, then turn. Returns never."""
    clock = Clock(time.ticks_ms, time.ticks_diff)
    wdt = machine.WDT(timeout=WATCHDOG_MS)
    plain, settings, faults = load()
    if settings is None:
        stay_lit(wdt, clock, faults)
    shell = Shell(settings, plain, dimmer, wdt, clock)
    gc.collect()
    print("ready", gc.mem_alloc(), "bytes of heap used,", gc.mem_free(), "free")
    while True:
        shell.turn()


class Shell:
    """Owns the outside of one node."""

    def __init__(self, settings, plain, dimmer, wdt, clock):
        now_ms = clock.now_ms()
        random_below = entropy.below(os.urandom)
        self._clock = clock
        self._dimmer = dimmer
        self._store = flash.Store()
        self._meter = bl0942.Meter(make_uart(), bl0942.Calibration(*board.METER_CALIBRATION))
        self._bearer = bearer.open_bearer(
            settings, plain, random_below=random_below, now_ms=clock.now_ms, sleep_ms=time.sleep_ms
        )
        self._link = self._bearer.link
        self._ledger = Ledger()
        for name in ("network", "output", "application"):
            self._ledger.add(name, TASK_SILENCE_MAX_MS, now_ms=now_ms)
        self._ledger.add("meter", 2000 * settings.sample_s + TASK_SILENCE_MAX_MS, now_ms=now_ms)
        self._watchdog = Watchdog(wdt, self._ledger)
        start = flash.begin(self._store, random_below)
        cause = start.note or crash.reset_cause(machine)
        print("boot", start.boot, "after", cause, "node", hexlify(settings.node).decode())
        self._boot = start.boot
        self._node = app.Node(
            settings,
            app.Boot(start.boot, start.previous_boot, start.durable_sequence, cause, start.lamp_s),
            NodeLink(
                Endpoint(
                    random_below=random_below,
                    first_message_id=random_below(0x10000),
                    timing=udp.timing(max(settings.ack_timeout_ms, self._bearer.ack_timeout_ms)),
                    handled_options=oscore.ANY_OUTSIDE,
                ),
                settings.pairing,
                ccm.CryptolibCipher(cryptolib.aes),
                peer=settings.gateway,
                boot=start.boot,
                random_below=random_below,
            ),
            random_below=random_below,
            now_ms=now_ms,
            tap=self._trace if settings.trace else None,
        )

    def turn(self):
        """Network, meter, application, output, datagrams, flash, watchdog, sleep."""
        now_ms = self._clock.now_ms()
        self._bearer.step(now_ms=now_ms)
        for datagram, peer in self._link.receive():
            self._node.receive(datagram, peer, now_ms=now_ms)
        self._ledger.beat("network", now_ms=now_ms)
        self._measure(now_ms)
        self._node.poll(now_ms=now_ms)
        self._ledger.beat("application", now_ms=now_ms)
        self._dimmer.set_level(self._node.output.level_percent)
        self._ledger.beat("output", now_ms=now_ms)
        for peer, datagram in self._node.outgoing():
            self._link.send(peer, datagram)
        self._remember(now_ms)
        self._watchdog.feed(now_ms=now_ms)
        self._link.wait(self._pause_ms(now_ms))

    def _measure(self, now_ms):
        if not self._meter.waiting():
            if not self._node.sample_due(now_ms):
                return
            self._meter.request(now_ms=now_ms)
        readings = self._meter.collect(now_ms=now_ms)
        if readings is bl0942.PENDING:
            return
        platform = {quantity.HEAP_FREE: gc.mem_free()}
        platform[quantity.WATCHDOG_MARGIN] = max(0, self._ledger.margin_ms(now_ms=now_ms))
        signal_dbm = self._bearer.signal_dbm()
        if signal_dbm is not None:
            platform[quantity.SIGNAL] = signal_dbm
        if readings is not None:
            readings.update(temperature.read(esp32))
            frequency = readings.pop(quantity.FREQUENCY, None)  # the mains' own: hourly with health is enough
            if frequency is not None:
                platform[quantity.FREQUENCY] = frequency
        self._node.sample(readings, platform, now_ms=now_ms)
        self._ledger.beat("meter", now_ms=now_ms)

    def _remember(self, now_ms):
        due = self._node.checkpoint(now_ms)
        if due is None:
            return
        if not self._store.write(flash.State(due.boot, due.durable_sequence, due.lamp_s)):
            print("flash: the checkpoint was not written")

    def _pause_ms(self, now_ms):
        if self._meter.waiting():
            return METER_SLICE_MS
        return max(0, min(SLICE_MS, self._node.deadline_ms(now_ms) - now_ms))

    def _trace(self, what, sequence, data):
        print(what, self._boot, sequence, hexlify(data).decode())


def load():
    """(plain settings, node.settings.Settings or None, faults)."""
    plain, settings, faults = None, None, ()
    try:
        with open(SETTINGS) as file:
            plain = json.load(file)
    except OSError:
        faults = (Fault("", "cannot be read", "put settings.json on the board"),)
    except ValueError:
        faults = (Fault("", "is not JSON", "write settings.json again"),)
    else:
        settings, faults = node_settings.decode(plain)
        if settings is not None:
            faults = shell_faults(settings, plain)
    return plain, None if faults else settings, faults


def shell_faults(settings, plain):
    """What only the shell can judge: the network, and that the gateway's address needs no look-up."""
    faults = []
    if settings.bearer[0] != node_settings.UDP:
        return faults
    wifi = plain.get("wifi")
    if not isinstance(wifi, list) or len(wifi) != 2 or not all(isinstance(word, str) for word in wifi):
        faults.append(Fault("wifi", "is not [network, key]", "give two texts"))
    if not udp.is_literal(plain["gateway"][0]):
        faults.append(Fault("gateway[0]", "is not an IPv4 address", "give four numbers, 192.168.1.10"))
    return faults


def stay_lit(wdt, clock, faults):
    """Bad settings: the lamp keeps the level of the boot, and the console says why, again and again."""
    said_ms = None
    while True:
        now_ms = clock.now_ms()
        if said_ms is None or now_ms - said_ms >= FAULTS_REPEATED_MS:
            said_ms = now_ms
            for fault in faults:
                print("settings:", fault.path or "file", fault.problem + ":", fault.remedy)
        wdt.feed()
        time.sleep_ms(100)


def make_dimmer():
    """The output, at the fail-safe level from its first instant on."""
    closed = board.RELAY_CLOSED_LEVEL
    relay = machine.Pin(board.RELAY_PIN, machine.Pin.OUT, value=closed)
    pwm = machine.PWM(
        machine.Pin(board.DIM_PIN), freq=board.DIM_HZ, duty_u16=duty(FAIL_SAFE_PERCENT, board.DIM_INVERTED)
    )
    dimmer = Dimmer(relay, pwm, relay_closed_level=closed, inverted=board.DIM_INVERTED)
    dimmer.set_level(FAIL_SAFE_PERCENT)
    return dimmer


def make_uart():
    """The meter's UART; reads return at once with what there is."""
    pins = {"tx": board.METER_TX_PIN, "rx": board.METER_RX_PIN}
    return machine.UART(board.METER_UART, baudrate=board.METER_BAUD, timeout=0, **pins)


def crashed(dimmer, error):
    """Light the lamp, write the error down, wait, reset. The watchdog, which nobody feeds here, stands behind."""
    try:
        if dimmer is not None:
            dimmer.set_level(FAIL_SAFE_PERCENT)
        print(crash.describe(error))
        crash.note("version " + app.VERSION, error)
        crash.pause(CRASH_PAUSE_MS, time.ticks_ms, time.ticks_diff, time.sleep_ms)
    finally:
        machine.reset()


if __name__ == "__main__":
    main()
