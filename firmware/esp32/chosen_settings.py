"""Chooses the settings that a start runs under, and keeps a node without usable settings safe.

It connects `main` to the modules that decide: `node.settings`, the kind's own decoder, and `node.settings_slots` with
its store.
"""

import time
from collections import namedtuple

import lifeline
import machine
from settings_store import SettingsStore

import kinds
from node import panel
from node import settings as node_settings

FAULTS_REPEATED_MS = 30_000
TRIAL_WITHOUT_SETTINGS_MS = 60_000


# The settings and board of a node. `settings`: node.settings.Settings; `product`: the kind of board; `board`: module of
# its pins; `wifi`: [network, key], or None; `clock_chip`: True when one is fitted; `why`: of settings_slots.Chosen;
# `is_trial`: the settings are not proven yet.
Settled = namedtuple("Settled", ("settings", "product", "board", "wifi", "clock_chip", "why", "is_trial"))


def settle(wdt, life, clock):
    """Returns (Settled, module of the kind); without usable settings it never returns."""
    chosen, kind = load(SettingsStore(), life)
    if chosen.settings is None:
        stay_safe(wdt, clock, chosen, life)
    if chosen.why is not None:
        print_faults(chosen.faults)
    plain = chosen.plain
    product = plain.get("kind")
    if life.is_rescue:
        product = life.board_name(product)
    settled = Settled(
        chosen.settings,
        product,
        load_board(product),
        plain.get("wifi"),
        plain.get("clock_chip") is True and not life.is_rescue,
        chosen.why,
        # The rescue reads fewer settings than the application, so it cannot prove them.
        chosen.is_trial and not life.is_rescue,
    )
    return settled, kind


def load_board(name):
    """Imports the pins of this kind of node."""
    return __import__("boards." + name, None, None, (name,))


def load(store, life):
    """Returns (node.settings_slots.Chosen, module of the kind). A crash in the start before counts against new
    settings."""
    kind = None

    def decode(plain):
        nonlocal kind
        if life.is_rescue:
            import rescue as kind

            plain = kind.common(plain)
        else:
            kind = kinds.load(plain.get("kind")) if isinstance(plain, dict) else None
        settings, faults = node_settings.decode(plain, kind)
        if settings is not None:
            board = load_board(plain.get("kind")) if "clock_chip" in plain else None
            faults = node_settings.shell_faults(settings, plain, has_clock=hasattr(board, "open_rtc"))
        return None if faults else settings, faults

    chosen = store.begin(decode, crashed=life.was_fault)
    if chosen.settings is not None:
        decode(chosen.plain)  # sets `kind` to that of the settings in force, whichever were decoded last
    return chosen, kind


def stay_safe(wdt, clock, chosen, life):
    """Stays safe with bad settings: the outputs keep the levels of the boot, outputs that hold a state of their own are
    made safe, nothing heats (it is not known whether there is a room), and the console repeats the faults. A program on
    trial that cannot read settings which its predecessor could falls back soon."""
    printed_ms = None
    until_ms = clock.now_ms() + TRIAL_WITHOUT_SETTINGS_MS
    life.waits()
    port, stand_in = open_led_and_stand_in(life, chosen.plain, clock)
    while True:
        now_ms = clock.now_ms()
        if life.trial.is_trial and now_ms >= until_ms:
            life.give_up("settings", now_ms=now_ms)
        if printed_ms is None or now_ms - printed_ms >= FAULTS_REPEATED_MS:
            printed_ms = now_ms
            print_faults(chosen.faults)
        if port is not None:
            port.show(panel.NO_SETTINGS, now_ms=now_ms)
        if stand_in is not None and not stand_in.turn(now_ms=clock.now_ms(), wanted=False):
            stand_in = None
        wdt.feed()
        if stand_in is None:
            time.sleep_ms(100)
        else:
            time.sleep_ms(10)  # so that a pulse is no longer than it must be


def open_led_and_stand_in(life, plain, clock):
    """Returns (LED, the board's stand-in) of a node without usable settings; each is None when there is none, or when
    the board is not known."""
    kind = plain.get("kind") if isinstance(plain, dict) else None
    try:
        board = load_board(life.board_name(kind))
    except (ImportError, TypeError, ValueError):
        return None, None
    opened = []
    for make in (
        lambda: lifeline.PanelPort(machine, board, 0, now_ms=clock.now_ms()),
        lambda: stand_in_of(board, clock),
    ):
        try:
            opened.append(make())
        except (AttributeError, ImportError, OSError, TypeError, ValueError) as error:
            print("settings: of this board:", repr(error))
            opened.append(None)
    return opened


def stand_in_of(board, clock):
    """Opens the stand-in of a board for which boot.py's levels are not enough, else returns None. `last_resort` has the
    same lines, since it is never updated and imports nothing of ours."""
    return board.stand_in()(board, machine, now_ms=clock.now_ms()) if hasattr(board, "stand_in") else None


def print_faults(faults):
    """Prints the faults of the settings on the console."""
    for fault in faults:
        print("settings:", fault.path or "file", fault.problem + ":", fault.remedy)
