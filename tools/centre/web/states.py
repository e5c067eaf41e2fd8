"""Names the states in which a screen shows a light, a room or a green space, from what is known and measured. Pure.

`tools.centre.condition.states` says ok, fault, unpowered or unknown; for people, ok is lit as wanted, off as wanted, or
ordered and not yet measured; a room is warm, on its way, or cold; a green space is watered or rests, and of its faults
those that waste water are leaks. A light without a node of its own is as lit as its feeder is.
"""

from gateway.language import NC_, Message
from tools.centre.condition import states
from tools.centre.limits import LIT_DW
from tools.centre.web.limits import COLD_CK

Shown = str
LIT, OFF, UNPOWERED, FAULT, PENDING, UNKNOWN = "lit", "off", "unpowered", "fault", "pending", "unknown"
COLD, WARMING, WARM = "cold", "warming", "warm"
LEAK, WATERING, RESTING = "leak", "watering", "resting"
# Each in the order of a legend: what wants an eye first. Of lights, of rooms, of green spaces and meters.
SHOWN: dict[Shown, Message] = {
    FAULT: NC_("shown", "Fault"),
    UNKNOWN: NC_("shown", "No news"),
    PENDING: NC_("shown", "Ordered, not measured"),
    LIT: NC_("shown", "Lit"),
    OFF: NC_("shown", "Off"),
    UNPOWERED: NC_("shown", "Unpowered (wanted)"),
}
ROOMS: dict[Shown, Message] = {
    COLD: NC_("shown", "Under its set-point"),
    FAULT: SHOWN[FAULT],
    UNKNOWN: SHOWN[UNKNOWN],
    WARMING: NC_("shown", "Preheating"),
    WARM: NC_("shown", "At its set-point"),
}
GREENS: dict[Shown, Message] = {
    LEAK: NC_("shown", "Water is lost"),
    FAULT: SHOWN[FAULT],
    UNKNOWN: SHOWN[UNKNOWN],
    WATERING: NC_("shown", "Watering"),
    RESTING: NC_("shown", "At rest"),
}
WORDS = SHOWN | ROOMS | GREENS
# What wants an eye.
GRAVE = (LEAK, COLD, FAULT, UNKNOWN)


def shown(state: str, *, has_node: bool, power_dw: int | None, level_percent: int | None) -> Shown:
    """Returns the state that a screen shows. power_dw: measured; level_percent: ordered."""
    if state != states.OK:
        return state
    if not has_node:
        return LIT
    if power_dw is None:
        return PENDING
    is_lit = power_dw >= LIT_DW
    if level_percent is not None and is_lit != (level_percent > 0):
        return PENDING
    return LIT if is_lit else OFF


def of_room(state: str, lack_ck: int | None, *, is_preheating: bool) -> Shown:
    """Returns the state of a room. lack_ck: what it lacks to its set-point; None: one of the two is not known."""
    if state != states.OK:
        return state
    if lack_ck is None or lack_ck < COLD_CK:
        return WARM
    return WARMING if is_preheating else COLD


def of_green(state: str, *, is_leak: bool, is_watered: bool) -> Shown:
    """Returns the state of a green space or a meter."""
    if state != states.OK:
        return LEAK if is_leak else state
    return WATERING if is_watered else RESTING


# The letter of each state in what a map is sent.
LETTERS: dict[Shown, str] = {LIT: "l", OFF: "o", UNPOWERED: "u", FAULT: "f", PENDING: "p", UNKNOWN: "n"}

# The shape of each state within a square of 16, filled by the style; a number of a legend is not told by colour alone.
MARKS: dict[Shown, str] = {
    LIT: '<circle r="6"/>',
    OFF: '<circle r="4"/>',
    UNPOWERED: '<circle r="5"/><path d="M-5 0H5"/>',
    FAULT: '<path d="M0-7 7 0 0 7-7 0Z"/>',
    PENDING: '<circle r="6"/><path class="half" d="M0-6A6 6 0 0 0 0 6Z"/>',
    UNKNOWN: '<path d="M-6-6H6V6H-6Z"/><path d="M-6 0 0-6M-6 6 6-6M0 6 6 0"/>',
    # of a visit
    "repaired": '<path d="M-6 0-2 5 6-5"/>',
    COLD: '<path d="M0-6V4M-5 0 0 6 5 0"/>',
    WARMING: '<path d="M0 6V-4M-5 0 0-6 5 0"/>',
    WARM: '<circle r="4"/>',
    LEAK: '<path d="M0-7C3-3 5 0 5 2A5 5 0 0 1-5 2C-5 0-3-3 0-7Z"/><path class="cross" d="M-6 6 6-6"/>',
    WATERING: '<path d="M0-7C3-3 5 0 5 2A5 5 0 0 1-5 2C-5 0-3-3 0-7Z"/>',
    RESTING: '<circle r="4"/>',
    # of a cabinet
    "linked": '<path d="M-6-6H6V6H-6ZM-3 0H3"/>',
    "alone": '<path d="M-6-6H6V6H-6ZM-3-3 3 3M-3 3 3-3"/>',
}
