"""Names the six states in which a screen shows a light, from what is known of it and what it measured. Pure.

`tools.centre.condition.states` says ok, fault, unpowered or unknown; for people, ok is lit as wanted, off as wanted, or
ordered and not yet measured. A light without a node of its own is as lit as its feeder is.
"""

from gateway.language import NC_, Message
from tools.centre.condition import states
from tools.centre.limits import LIT_DW

Shown = str
LIT, OFF, UNPOWERED, FAULT, PENDING, UNKNOWN = "lit", "off", "unpowered", "fault", "pending", "unknown"
# In the order of a legend: what wants an eye first.
SHOWN: dict[Shown, Message] = {
    FAULT: NC_("shown", "Fault"),
    UNKNOWN: NC_("shown", "No news"),
    PENDING: NC_("shown", "Ordered, not measured"),
    LIT: NC_("shown", "Lit"),
    OFF: NC_("shown", "Off"),
    UNPOWERED: NC_("shown", "Unpowered (wanted)"),
}


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
    # of a cabinet
    "linked": '<path d="M-6-6H6V6H-6ZM-3 0H3"/>',
    "alone": '<path d="M-6-6H6V6H-6ZM-3-3 3 3M-3 3 3-3"/>',
}
