"""Compares records with their receipt and with each other: times that cannot be, and two of one identity.

A stamp is doubtful when it lies after its receipt by more than its own uncertainty and STAMP_AHEAD_S_MAX, or before
this software was written. A doubtful record is stored as it came, marked, and its time counts as unknown.

Two of one node are seen when an older boot states a time after the newest has begun: each start raises the boot, so an
honest node's boots follow each other, however late their records arrive. Two of one gateway are seen when each of two
epochs holds a record that was made after the other's first had been received: an agent opens an epoch at its start and
never continues one. Times are compared beyond their uncertainties and OVERLAP_S_MIN.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tools.centre.ingest.nodes import Nodes
from tools.centre.ingest.plain import Row
from tools.centre.limits import OVERLAP_S_MIN, STAMP_AHEAD_S_MAX, STAMP_UNIX_S_MIN
from wire import record


class Doubts(NamedTuple):
    """Holds what is odd about some rows: those with a doubtful time, and the nodes of which there are two.
    `latest_s`: the latest time that one of the rows states for certain; 0 for none."""

    times: list[Row]
    twins: set[bytes]
    latest_s: int


def judge(rows: Iterable[Row], nodes: Nodes, received_unix_s: int) -> Doubts:
    """Returns the doubts about rows that arrive, and notes the newest boots in `nodes`."""
    times: list[Row] = []
    twins: set[bytes] = set()
    latest_s = 0
    for row in rows:
        node, boot, _, seconds, quality, uncertainty_s, _, _ = row
        life = nodes.life(node)
        if life.boot is None or boot > life.boot:
            nodes.note_boot(node, boot, None)
        if quality == record.UNSET:
            continue
        surely_s, at_latest_s = seconds - uncertainty_s, seconds + uncertainty_s
        if surely_s > received_unix_s + STAMP_AHEAD_S_MAX or at_latest_s < STAMP_UNIX_S_MIN:
            times.append(row)
            continue
        if surely_s > latest_s:
            latest_s = surely_s
        if boot != life.boot:
            if life.began_s is not None and surely_s > life.began_s + OVERLAP_S_MIN:
                twins.add(node)
        elif life.began_s is None or at_latest_s < life.began_s:
            nodes.note_boot(node, boot, at_latest_s)
    return Doubts(times, twins, latest_s)
