"""Each kind of node is one file here: the settings of its own, its trade, its ports. Kinds compose and decide nothing.

A kind is a module with

    KIND                                   the word in settings and boot reports
    FIELDS                                 names of its own settings
    decode(faults, plain)                  its settings out of plain data; every fault noted in policy.fault.Faults
    make_trade(own, start)                 a node.trade.Trade; `start` is a Start
    Ports(own, board, machine, now_ms=)    the chip's side: drivers on the pins of `board` (boards/<kind>)
    BOARD_TEMPERATURE                      wire key under which the chip's own thermometer is read with each sample

Ports has `safe()`, for a program that is about to end; `apply(outputs, now_ms=)`, every turn; `begin_sample(now_ms=)`
and `collect(now_ms=)`, which returns drivers.sensor.PENDING until the reading is whole, then {wire key: scaled
integer}, or None when all of it is silent. Ports open the part of each use by the board's own function
(`board.open_room(bus)`), so that the board's file chooses the driver. Ports may have `sense(now_ms=)`, every turn too:
{wire key: value} of what cannot wait for the next sample (a person passes), else None; it reads a pin, no more. And
`answered()`, where an output can be asked: whether it has taken what `apply` gave it; a program on trial is not
confirmed before. And `whole`: the keys without which a sample confirms no such program either (node.trial), those of
what this board must have and its trade would not miss by itself (`is_sound`) in ten minutes; left out, any key will do.
A new kind is one file here and one entry in hardware/nodes.
"""

from collections import namedtuple

# Files of settings that were written when there was one kind alone.
DEFAULT = "streetlight"

# Modules that read settings are needed at a start alone: the shell lets them go once the node is made. Kinds import
# their own readers where they decode.
READING = (
    "chosen_settings",
    "settings_store",
    "node.settings",
    "node.settings_slots",
    "policy.fault",
    "policy.lighting_form",
    "policy.heating_form",
    "policy.watering_form",
    "lighting.settings",
    "lighting.dali",
    "heating.settings",
    "watering.settings",
    "wire.bus",
    "wire.cose",
    "wire.slip",
)

_LETTERS = "abcdefghijklmnopqrstuvwxyz_"

# What a trade starts with: its node's id (8 bytes), what its `memory` was before the restart, chance.
Start = namedtuple("Start", ("node", "memory", "now_ms", "random_below"))


def load(name):
    """Returns the module of a kind, or None for a word that is none. There is no list: a frozen module is found as a
    file is."""
    if not isinstance(name, str) or not name or name[0] == "_" or name.strip(_LETTERS):
        return None
    try:
        return __import__("kinds." + name, None, None, (name,))
    except ImportError as error:
        if "kinds." + name not in str(error):
            raise  # the kind is there, and something that it needs is not
        return None
