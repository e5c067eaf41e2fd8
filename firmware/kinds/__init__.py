"""Holds one file for each kind of node: its own settings, its trade, its ports. Kinds compose and decide nothing.

A kind is a module with

    KIND                                   the word in settings and boot reports
    FIELDS                                 names of its own settings
    decode(faults, plain)                  its settings out of plain data; every fault noted in policy.fault.Faults
    make_trade(own, start)                 a node.trade.Trade; `start` is a Start
    Ports(own, board, machine, now_ms=)    the chip's side: drivers on the pins of `board` (boards/<kind>)
    BOARD_TEMPERATURE                      wire key under which the chip's own thermometer is read with each sample

Ports has `safe()`, for a program that is about to end; `apply(outputs, now_ms=)`, called every turn;
`begin_sample(now_ms=)` and `collect(now_ms=)`, which returns drivers.sensor.PENDING until the reading is complete, then
{wire key: scaled integer}, or None when all sensors are silent. Ports open the part for each use by the board's own
function (`board.open_room(bus)`), so that the board's file chooses the driver. Ports may have `sense(now_ms=)`, also
called every turn: it only reads a pin and returns {wire key: value} that cannot wait for the next sample (a person
passes), else None. They may have `answered()`, when an output can be read back: it returns whether the output has
accepted the last `apply`; a program on trial is not confirmed before. And they may have `whole`: the keys without which
a sample does not confirm such a program either (node.trial), for parts that this board must have and whose absence its
trade would not notice (`is_sound`) in ten minutes; without `whole` any key is enough. A new kind is one file here and
one entry in hardware/nodes.
"""

from collections import namedtuple

_LETTERS = "abcdefghijklmnopqrstuvwxyz_"

# The facts for a trade's start: its node's id (8 bytes), its `memory` from before the restart, the time, a random
# source.
Start = namedtuple("Start", ("node", "memory", "now_ms", "random_below"))


def load(name):
    """Returns the module of a kind, or None for a word that is no kind. There is no list of kinds."""
    if not isinstance(name, str) or not name or name[0] == "_" or name.strip(_LETTERS):
        return None
    try:
        return __import__("kinds." + name, None, None, (name,))
    except ImportError as error:
        if "kinds." + name not in str(error):
            raise  # the kind exists, but a module that it needs does not
        return None
