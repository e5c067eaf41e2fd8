"""A node on the chip: puts the parts together and turns one loop. `boot.py` has made its outputs safe before.

What kind of node it is, its settings say; `kinds/<kind>` brings trade and ports, `boards/<kind>` the pins. Decides
nothing: the application (`node.app`) says what the outputs are and when it wants the next turn. No call below
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
import kinds
from drivers import temperature
from links import udp
from node import app
from node import settings as node_settings
from policy.fault import Fault
from wire import ccm, oscore, quantity
from wire.coap import Endpoint
from wire.oscore_link import NodeLink

SETTINGS = "settings.json"
SLICE_MS = 100
# While an answer of the ports arrives, a turn every 10 ms: 48 ms of a meter's bytes must not wait for the next slice.
SAMPLE_SLICE_MS = 10
WATCHDOG_MS = 8000
# The loop's own tasks are stale after this much silence; a flash write is the longest thing they wait for.
TASK_SILENCE_MAX_MS = 4000
FAULTS_REPEATED_MS = 30_000
# Between a crash and the reset: a fault that comes back at every start must not wear the flash out. Less than the
# watchdog leaves to a loop whose last feed is TASK_SILENCE_MAX_MS old, so that the reset is ours and not its.
CRASH_PAUSE_MS = 3000


def main():
    """Run for ever. What is not caught anywhere is written down; then the outputs are made safe and the chip is
    reset."""
    opened = []  # the ports, once there are any; boot.py's levels hold until then
    try:
        run(opened)
    except Exception as error:
        crashed(opened, error)


def run(opened):
    """Start, then turn. Returns never."""
    clock = Clock(time.ticks_ms, time.ticks_diff)
    wdt = machine.WDT(timeout=WATCHDOG_MS)
    plain, kind, settings, faults = load()
    if settings is None:
        stay_safe(wdt, clock, faults)
    board = __import__("boards." + kind.KIND, None, None, (kind.KIND,))
    opened.append(kind.Ports(settings.own, board, machine, now_ms=clock.now_ms()))
    shell = Shell(settings, plain, kind, board, opened[0], wdt, clock)
    gc.collect()
    print("ready", gc.mem_alloc(), "bytes of heap used,", gc.mem_free(), "free")
    while True:
        shell.turn()


class Shell:
    """Owns the outside of one node."""

    def __init__(self, settings, plain, kind, board, ports, wdt, clock):
        now_ms = clock.now_ms()
        random_below = entropy.below(os.urandom)
        self._clock = clock
        self._kind = kind
        self._ports = ports
        self._sampling = False
        self._store = flash.Store()
        self._bearer = bearer.open_bearer(
            settings, plain, board, random_below=random_below, now_ms=clock.now_ms, sleep_ms=time.sleep_ms
        )
        self._link = self._bearer.link
        self._ledger = Ledger()
        for name in ("network", "output", "application"):
            self._ledger.add(name, TASK_SILENCE_MAX_MS, now_ms=now_ms)
        self._ledger.add("ports", 2000 * settings.sample_s + TASK_SILENCE_MAX_MS, now_ms=now_ms)
        self._watchdog = Watchdog(wdt, self._ledger)
        start = flash.begin(self._store, random_below)
        cause = start.note or crash.reset_cause(machine)
        print("boot", start.boot, "after", cause, "node", hexlify(settings.node).decode())
        self._boot = start.boot
        self._node = app.Node(
            settings,
            app.Boot(start.boot, start.previous_boot, start.durable_sequence, cause),
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
            kind.make_trade(
                settings.own, kinds.Start(settings.node, start.lamp_s.to_bytes(4, "little"), now_ms, random_below)
            ),
            random_below=random_below,
            now_ms=now_ms,
            tap=self._trace if settings.trace else None,
        )

    def turn(self):
        """Network, ports, application, outputs, datagrams, flash, watchdog, sleep."""
        now_ms = self._clock.now_ms()
        self._bearer.step(now_ms=now_ms)
        for datagram, peer in self._link.receive():
            self._node.receive(datagram, peer, now_ms=now_ms)
        self._ledger.beat("network", now_ms=now_ms)
        self._measure(now_ms)
        self._node.poll(now_ms=now_ms)
        self._ledger.beat("application", now_ms=now_ms)
        self._ports.apply(self._node.outputs, now_ms=now_ms)
        self._ledger.beat("output", now_ms=now_ms)
        for peer, datagram in self._node.outgoing():
            self._link.send(peer, datagram)
        self._remember(now_ms)
        self._watchdog.feed(now_ms=now_ms)
        self._link.wait(self._pause_ms(now_ms))

    def _measure(self, now_ms):
        if not self._sampling:
            if not self._node.sample_due(now_ms):
                return
            self._ports.begin_sample(now_ms=now_ms)
            self._sampling = True
        values = self._ports.collect(now_ms=now_ms)
        if values is kinds.PENDING:
            return
        self._sampling = False
        platform = {quantity.HEAP_FREE: gc.mem_free()}
        platform[quantity.WATCHDOG_MARGIN] = max(0, self._ledger.margin_ms(now_ms=now_ms))
        signal_dbm = self._bearer.signal_dbm()
        if signal_dbm is not None:
            platform[quantity.SIGNAL] = signal_dbm
        if values is not None:
            temperature_ck = temperature.read(esp32)
            if temperature_ck is not None:
                values[self._kind.BOARD_TEMPERATURE] = temperature_ck
        self._node.sample(values, platform, now_ms=now_ms)
        self._ledger.beat("ports", now_ms=now_ms)

    def _remember(self, now_ms):
        due = self._node.checkpoint(now_ms)
        if due is None:
            return
        if not self._store.write(flash.State(due.boot, due.durable_sequence, int.from_bytes(due.memory, "little"))):
            print("flash: the checkpoint was not written")

    def _pause_ms(self, now_ms):
        if self._sampling:
            return SAMPLE_SLICE_MS
        return max(0, min(SLICE_MS, self._node.deadline_ms(now_ms) - now_ms))

    def _trace(self, what, sequence, data):
        print(what, self._boot, sequence, hexlify(data).decode())


def load():
    """(plain settings, module of the kind, node.settings.Settings or None, faults)."""
    plain, kind, settings, faults = None, None, None, ()
    try:
        with open(SETTINGS) as file:
            plain = json.load(file)
    except OSError:
        faults = (Fault("", "cannot be read", "put settings.json on the board"),)
    except ValueError:
        faults = (Fault("", "is not JSON", "write settings.json again"),)
    else:
        kind = kinds.load(plain.get("kind", kinds.DEFAULT)) if isinstance(plain, dict) else None
        settings, faults = node_settings.decode(plain, kind)
        if settings is not None:
            faults = shell_faults(settings, plain)
    return plain, kind, None if faults else settings, faults


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


def stay_safe(wdt, clock, faults):
    """Bad settings: the outputs keep the levels of the boot, and the console says why, again and again."""
    said_ms = None
    while True:
        now_ms = clock.now_ms()
        if said_ms is None or now_ms - said_ms >= FAULTS_REPEATED_MS:
            said_ms = now_ms
            for fault in faults:
                print("settings:", fault.path or "file", fault.problem + ":", fault.remedy)
        wdt.feed()
        time.sleep_ms(100)


def crashed(opened, error):
    """Outputs safe, write the error down, wait, reset. The watchdog, which nobody feeds here, stands behind."""
    try:
        for ports in opened:
            ports.safe()
        print(crash.describe(error))
        crash.note("version " + app.VERSION, error)
        crash.pause(CRASH_PAUSE_MS, time.ticks_ms, time.ticks_diff, time.sleep_ms)
    finally:
        machine.reset()


if __name__ == "__main__":
    main()
