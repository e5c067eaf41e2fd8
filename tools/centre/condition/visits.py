"""States what became of a fault that a person has been to: repaired is what its node or cabinet has measured, and
nothing else. Pure.

    open ── a person says "done" ──▶ claimed ── its node or cabinet states the end ──▶ repaired
      ▲                                │
      └──── measured all the same ─────┘   (or the person says that it is not done)

The end of a fault is a record that is made from watts, current or an answer; but of what burnt by day it comes at dusk,
when it may burn: that is repaired once it was measured dark. A claim that nothing has measured stays
one, however old it is. A lamp whose node has measured it for JUDGED_S since the claim, in the state in which such a
fault shows, and still holds it, contradicts it: that is as long as a node takes to find a lamp healthy. Of a fault that
is over because its node was exchanged nothing was measured: the node in its place states what it finds itself.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tools.centre.condition.faults import Note, StandingFault
from tools.centre.limits import JUDGED_PERCENT_MIN, JUDGED_S, LIT_DW
from wire import event

OPEN, CLAIMED, REPAIRED = "open", "claimed", "repaired"
# What a node judges by the watts of a few samples, and whether lit (`firmware/lighting/watch`). Of other faults a
# reading says nothing: cycles are counted for hours, a photocell is judged by a day.
_JUDGED_LIT = {
    event.LAMP_FAILURE: True, event.POWER_TOO_LOW: True, event.POWER_TOO_HIGH: True, event.LAMP_UNEXPECTED_ON: False,
}  # fmt: skip


# Their end says that light is wanted by now.
ENDED_BY_DUSK = (event.LAMP_UNEXPECTED_ON, event.FEEDER_UNEXPECTED_ON)


class Reading(NamedTuple):
    """Holds what a light's node measured at a time. power_dw and level_percent: None where it has none."""

    unix_s: int
    power_dw: int | None
    level_percent: int | None


class Standing(NamedTuple):
    """Holds the state of a fault: OPEN, CLAIMED or REPAIRED. claim: the last word that it is repaired; against: what
    contradicts that; unix_s: of the end, when REPAIRED."""

    state: str
    claim: Note | None = None
    against: Reading | None = None
    unix_s: int | None = None


def claim_of(fault: StandingFault) -> Note | None:
    """Returns the note that says that a fault is repaired, unless a later one says that it is not."""
    latest = next((note for note in reversed(fault.notes) if note.is_repaired is not None), None)
    return latest if latest is not None and latest.is_repaired else None


def is_judged_lit(fault: StandingFault) -> bool:
    """Returns whether a node judges a fault by the watts of its lamp while that is lit: by day it stays as it is."""
    return _JUDGED_LIT.get(fault.code) is True


def measured_from(fault: StandingFault) -> int | None:
    """Returns from when on readings say how a fault stands; None: they say nothing of it."""
    if fault.is_over:
        return fault.until_unix_s if fault.code in ENDED_BY_DUSK else None
    claim = claim_of(fault)
    return None if claim is None else claim.written_unix_s


def standing(fault: StandingFault, readings: Iterable[Reading] = ()) -> Standing:
    """Returns how a fault stands. readings: of the node that it is about, since `measured_from`, the oldest first."""
    claim = claim_of(fault)
    if fault.is_over:
        if fault.code not in ENDED_BY_DUSK and not fault.is_replaced:
            return Standing(REPAIRED, claim, unix_s=fault.until_unix_s)
        dark_s = next((one.unix_s for one in readings if _is_dark(one)), None)
        if dark_s is not None:
            return Standing(REPAIRED, claim, unix_s=dark_s)
        return Standing(OPEN if claim is None else CLAIMED, claim)
    if claim is None:
        return Standing(OPEN)
    against = _against(fault.code, claim.written_unix_s, readings)
    return Standing(CLAIMED if against is None else OPEN, claim, against)


def _is_dark(one: Reading) -> bool:
    return one.level_percent == 0 and one.power_dw is not None and one.power_dw < LIT_DW


def _against(code: int, claimed_s: int, readings: Iterable[Reading]) -> Reading | None:
    """Returns the reading at which a node that still holds the fault had measured its lamp for long enough."""
    is_judged_lit, since_s = _JUDGED_LIT.get(code), None
    for one in readings:
        if is_judged_lit is None or one.level_percent is None or one.unix_s < claimed_s:
            continue
        is_shown = one.level_percent >= JUDGED_PERCENT_MIN if is_judged_lit else one.level_percent == 0
        if not is_shown:
            since_s = None
        elif since_s is None:
            since_s = one.unix_s
        elif one.unix_s - since_s >= JUDGED_S:
            return one
    return None
