"""Serves a technician at the node: a lock shuts all and lets nothing open, a test opens each zone for a minute in turn.

A test is a technician's check of valves and pipes, a minute a zone in his presence, reported as `localTest`. So
forbidden hours, drought, weather, the clock and dry hours do not bind it. Broken equipment does: a latched
burst, a bad coil, a store without the energy for the closing. Runs that were under way when a test or a lock began are
ended; the balance keeps what their zones lack. Programmes that are due during a test begin after it; during a lock they
are skipped.

A lock that ends acknowledges a burst: the technician has seen it.
"""

from node.limits import TEST_MAX_MS
from node.trade import LOCK, TEST
from watering import limits, lockouts, runs
from watering.balance import CyclePlan

_ZONE_S = 60
# From the end of a zone's minute to the beginning of the next one's: runs are checked every five seconds, and a pulse
# waits for its turn.
_BETWEEN_S = 7
_MARGIN_S = 10


def zone_s(zones: int, lead_s: int) -> int:
    """Returns the seconds for which each of `zones` zones runs in a test.

    `lead_s`: of the supply, before the first zone.
    """
    free_s = TEST_MAX_MS // 1000 - lead_s - _MARGIN_S
    return min(_ZONE_S, free_s // zones - _BETWEEN_S)


def test_ms(zones: int, lead_s: int) -> int:
    """Returns the duration of a whole test."""
    return 1000 * (lead_s + zones * (zone_s(zones, lead_s) + _BETWEEN_S) + _MARGIN_S)


def follow(trade, *, now_ms: int) -> None:
    """Begins or ends a lock or a test, after `trade.local` has changed."""
    before, local = trade.followed, trade.local
    trade.followed = local
    if before == LOCK:
        trade.guard.acknowledge()
    if trade.runs.jobs or local == LOCK:
        trade.runs.stop(0, TEST if local is None else local, 0, now_ms=now_ms)
    if local == LOCK:
        for output in range(limits.OUTPUTS_MAX):
            trade.outputs.close(output)
    elif local == TEST:
        # A bad coil may have been mended: its next pulse shows it, not an earlier current.
        trade.outputs.drain_currents()
        trade.guard.new_start()
        for zone in range(1, len(trade.own.policy.zones) + 1):
            trade.runs.add(_job(trade, zone, now_ms))


def refuses(trade, zone: int, *, now_ms: int):
    """Returns (Refusal or None, seconds that the zone may run) under a lock or a test."""
    if trade.local == LOCK:
        return (lockouts.Refusal(LOCK, 0, False), 0)
    refusal = trade.guard.refuses(zone) or lockouts.by_energy(trade.battery, trade.outputs, zone, now_ms=now_ms)
    if refusal is not None:
        # The technician gets the answer now, not when the store is full.
        return (lockouts.Refusal(refusal.why, refusal.value, False), 0)
    return (None, limits.OPEN_S_MAX)


def _job(trade, zone, now_ms):
    for_s = zone_s(len(trade.own.policy.zones), trade.lead_s)
    # On a battery the store is charged and read first.
    ready_ms = now_ms + (2 * limits.CHARGE_MS if trade.own.boost_mv else 0)
    return runs.Job(zone, CyclePlan(for_s, for_s, 0), (TEST, 0), ready_ms=ready_ms, give_up_ms=now_ms + trade.test_ms)
