"""Which settings a start runs under, as the shell judges them; and what a node does that has none of any use.

Between `main` and the machines that decide: `node.settings`, the kind's own decoder, `node.settings_slots` by its
store.
"""

import time
from collections import namedtuple

import lifeline
import machine

import kinds
from links import udp
from node import panel
from node import settings as node_settings
from policy.fault import Fault

FAULTS_REPEATED_MS = 30_000
TRIAL_WITHOUT_SETTINGS_MS = 60_000


# What a node is made of. `settings`: node.settings.Settings; `product`: the kind of board; `board`: module of its pins;
# `wifi`: [network, key], or None; `clock_chip`: one is fitted; `why`: of settings_slots.Chosen; `is_trial`: they are to
# prove themselves.
Settled = namedtuple("Settled", ("settings", "product", "board", "wifi", "clock_chip", "why", "is_trial"))


def settle(wdt, life, clock):
    """(Settled, module of the kind). Without usable settings it returns never."""
    from settings_store import SettingsStore

    chosen, kind = load(SettingsStore(), life)
    if chosen.settings is None:
        stay_safe(wdt, clock, chosen, life)
    if chosen.why is not None:
        say(chosen.faults)
    plain = chosen.plain
    product = plain.get("kind", kinds.DEFAULT)
    if life.is_rescue:
        product = life.board_name(product)
    settled = Settled(
        chosen.settings,
        product,
        load_board(product),
        plain.get("wifi"),
        plain.get("clock_chip") is True and not life.is_rescue,
        chosen.why,
        # The rescue reads less of the settings than the application: it proves nothing of them.
        chosen.is_trial and not life.is_rescue,
    )
    return settled, kind


def load_board(name):
    """The pins of this kind of node."""
    return __import__("boards." + name, None, None, (name,))


def load(store, life):
    """(node.settings_slots.Chosen, module of the kind). A crash of the start before counts against new settings."""
    kind = None

    def decode(plain):
        nonlocal kind
        if life.is_rescue:
            import rescue as kind

            plain = kind.common(plain)
        else:
            kind = kinds.load(plain.get("kind", kinds.DEFAULT)) if isinstance(plain, dict) else None
        settings, faults = node_settings.decode(plain, kind)
        if settings is not None:
            faults = shell_faults(settings, plain)
        return None if faults else settings, faults

    chosen = store.begin(decode, crashed=life.was_fault)
    if chosen.settings is not None:
        decode(chosen.plain)  # `kind` is that of what is in force, whichever was looked at last
    return chosen, kind


def shell_faults(settings, plain):
    """What only the shell can judge: the network, and that the gateway's address needs no look-up."""
    faults = []
    if "clock_chip" in plain:
        is_there = hasattr(load_board(plain.get("kind", kinds.DEFAULT)), "open_rtc")
        if not isinstance(plain["clock_chip"], bool) or (plain["clock_chip"] and not is_there):
            faults.append(Fault("clock_chip", "is not on this board", "remove it, or say false"))
    if settings.bearer[0] != node_settings.UDP:
        return faults
    wifi = plain.get("wifi")
    if not isinstance(wifi, list) or len(wifi) != 2 or not all(isinstance(word, str) for word in wifi):
        faults.append(Fault("wifi", "is not [network, key]", "give two texts"))
    if not udp.is_literal(plain["gateway"][0]):
        faults.append(Fault("gateway[0]", "is not an IPv4 address", "give four numbers, 192.168.1.10"))
    return faults


def stay_safe(wdt, clock, chosen, life):
    """Bad settings: the outputs keep the levels of the boot, those that hold a state of their own are brought to
    theirs, nothing heats (nobody said that there is a room), and the console says why, again and again. A program on
    trial that cannot read what its predecessor could goes back soon."""
    said_ms = None
    until_ms = clock.now_ms() + TRIAL_WITHOUT_SETTINGS_MS
    life.waits()
    port, stand_in = beside(life, chosen.plain, clock)
    while True:
        now_ms = clock.now_ms()
        if life.trial.is_trial and now_ms >= until_ms:
            life.give_up("settings", now_ms=now_ms)
        if said_ms is None or now_ms - said_ms >= FAULTS_REPEATED_MS:
            said_ms = now_ms
            say(chosen.faults)
        if port is not None:
            port.show(panel.NO_SETTINGS, now_ms=now_ms)
        if stand_in is not None and not stand_in.turn(now_ms=clock.now_ms(), wanted=False):
            stand_in = None
        wdt.feed()
        if stand_in is None:
            time.sleep_ms(100)
        else:
            time.sleep_ms(10)  # a pulse is no longer than it must be


def beside(life, plain, clock):
    """(LED, the board's stand-in) of a node whose settings are of no use; each None where there is none, or nothing
    tells which board it is."""
    kind = plain.get("kind", kinds.DEFAULT) if isinstance(plain, dict) else kinds.DEFAULT
    try:
        board = load_board(life.board_name(kind))
    except (ImportError, TypeError, ValueError):
        return None, None
    found = []
    for make in (
        lambda: lifeline.PanelPort(machine, board, 0, now_ms=clock.now_ms()),
        lambda: stand_in_of(board, clock),
    ):
        try:
            found.append(make())
        except (AttributeError, ImportError, OSError, TypeError, ValueError) as error:
            print("settings: of this board:", repr(error))
            found.append(None)
    return found


def stand_in_of(board, clock):
    """Of a board for which boot.py's levels are not all there is to do, else None."""
    return board.stand_in()(board, machine, now_ms=clock.now_ms()) if hasattr(board, "stand_in") else None


def say(faults):
    """What is wrong with the settings, on the console."""
    for fault in faults:
        print("settings:", fault.path or "file", fault.problem + ":", fault.remedy)
