"""A technician at the node: a lock shuts all and lets nothing open, a test opens each zone for a minute in turn.

A test is a technician's check of valves and pipes: a minute a zone that somebody watches, told as `localTest`. So
forbidden hours, drought, weather and the clock do not bind it, and an order "no water" does not either. What is broken
does: a latched burst, a bad coil, a store that could not pay for the closing. What ran when a test or a lock began is
over; the balance knows what it lacks. Programmes that are due during a test begin after it, during a lock they are
skipped.

A lock that ends acknowledges a burst: somebody stood there.
"""

from node.limits import TEST_MAX_MS
from node.trade import LOCK, TEST
from watering import limits, lockouts, runs
from watering.cycles import Cut

_ZONE_S = 60
# From the end of a zone's minute to the beginning of the next one's: runs look every five seconds, and a pulse waits
# for its turn.
_BETWEEN_S = 7
_MARGIN_S = 10


class ByHand:
    """`follow` at every turn. `lead_s`: of the supply, before the first zone."""

    def __init__(self, outputs, running, guard, energy, *, zones, lead_s):
        self._outputs = outputs
        self._runs = running
        self._guard = guard
        self._energy = energy
        self._zones = zones
        self._local = None
        free_s = TEST_MAX_MS // 1000 - lead_s - _MARGIN_S
        self._zone_s = min(_ZONE_S, free_s // zones - _BETWEEN_S)
        self.test_ms = 1000 * (lead_s + zones * (self._zone_s + _BETWEEN_S) + _MARGIN_S)

    def follow(self, local, *, now_ms) -> None:
        """What the technician wants now: a word of node.trade or None."""
        if local == self._local:
            return
        before, self._local = self._local, local
        if before == LOCK:
            self._guard.acknowledge()
        if self._runs.jobs or local == LOCK:
            self._runs.stop(0, TEST if local is None else local, 0, now_ms=now_ms)
        if local == LOCK:
            self._outputs.close_all()
        elif local == TEST:
            # A coil that was bad may have been mended: its first pulse says so, and none of before.
            self._outputs.take_currents()
            self._guard.new_start()
            for zone in range(1, self._zones + 1):
                self._runs.add(self._job(zone, now_ms))

    def refuses(self, zone, *, now_ms):
        """(Refusal or None, seconds that the zone may run) under a lock or a test."""
        if self._local == LOCK:
            return (lockouts.Refusal(LOCK, 0, False), 0)
        refusal = self._guard.refuses(zone) or lockouts.by_energy(self._energy, self._outputs, zone, now_ms=now_ms)
        if refusal is not None:
            # Whoever stands there is told now, not when the store is full.
            return (lockouts.Refusal(refusal.why, refusal.value, False), 0)
        return (None, limits.OPEN_S_MAX)

    def _job(self, zone, now_ms):
        cut = Cut(self._zone_s, self._zone_s, 0)
        give_up_ms = now_ms + self.test_ms
        # On a battery the store is charged first, and looked at.
        ready_ms = now_ms + (2 * limits.CHARGE_MS if self._energy.is_boosted() else 0)
        job = runs.Job(zone, cut, TEST, 0, ready_ms=ready_ms, give_up_ms=give_up_ms)
        job.is_alone = True
        return job
