"""Random worlds around the connection's decisions: cuts, flaps, brokers that refuse, kick or hang; then calm.

Invariants while anything goes wrong: at most one connection carries, the core knows which, changes of bearer are a
dwell apart, attempts within any hour are bounded, no deadline lies in the past. After the faults: connected within
RECOVERY_MS, and on the preferred bearer within RETURN_MS. The world is separate from the rules it checks.
"""

from itertools import pairwise
from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.bearers.connection import Connect, Connection, Drop, Probe

BEARERS = (Bearer("fibre"), Bearer("mobile", is_metered=True))
THREE = (Bearer("fibre"), Bearer("radio"), Bearer("mobile", is_metered=True))
FAULTS_MS = 4 * 3_600_000
# Two back-offs in turn at their longest, the two attempts, and a dwell.
RECOVERY_MS = 2 * (limits.UPLINK_RECONNECT_LAST_MS + limits.CONNECTION_ATTEMPT_MS) + limits.CONNECTION_DWELL_MS
RETURN_MS = RECOVERY_MS + limits.CONNECTION_RETURN_LAST_MS + 2 * limits.BEARER_GOOD_MS
# Connections that last just long enough to reset the back-off: one each 30 s, and a few for changes of bearer.
CONNECTS_PER_HOUR_MAX = 140
HOUR_MS = 3_600_000


class World:
    """Paths that pass or not and a broker with moods, changed at random. Time leaps from event to event."""

    def __init__(self, seed, bearers):
        self.rng = Random(seed)
        self.now_ms = self.rng.randrange(10**6)
        self.start_ms = self.now_ms
        self.names = [bearer.name for bearer in bearers]
        self.core = Connection(bearers, random_below=Random(seed + 1).randrange, now_ms=self.now_ms)
        self.passes = dict.fromkeys(self.names, True)
        self.mood = "accepts"
        self.events = []
        self.number = 0
        self.open = {}  # bearer -> life: what the shell has open or is opening
        self.carries = set()  # bearers whose connection the core was told of
        self.connects = []
        self.changes = []
        self.last = None
        self.swift = self.rng.choice([2_000, 10_000, 60_000, 600_000])

    def after(self, delay_ms, function, *arguments):
        self.number += 1
        self.events.append((self.now_ms + max(0, delay_ms), self.number, function, arguments))

    def run(self, until_ms):
        while self.now_ms < until_ms:
            self.poll()
            deadline_ms = self.core.deadline_ms()
            assert deadline_ms is None or deadline_ms > self.now_ms, "a deadline in the past"
            times = [event[0] for event in self.events]
            self.now_ms = min([until_ms, *times, *([] if deadline_ms is None else [deadline_ms])])
            for event in sorted(event for event in self.events if event[0] <= self.now_ms):
                self.events.remove(event)
                event[2](*event[3])
                self.check()

    def disturb(self):
        """One fault or repair, and the next one later."""
        if self.now_ms - self.start_ms >= FAULTS_MS:
            return
        if self.rng.randrange(3):
            name = self.rng.choice(self.names)
            self.passes[name] = not self.passes[name]
            if not self.passes[name] and name in self.open:
                silent_ms = self.rng.choice([0, 14_000, 60_000])
                self.after(silent_ms, self.end, name, self.open[name], "lost")
        else:
            self.mood = self.rng.choice(["accepts", "accepts", "refuses", "kicks", "lasts", "hangs"])
        self.after(self.rng.randrange(2 * self.swift) + 1, self.disturb)

    def calm(self):
        self.passes = dict.fromkeys(self.names, True)
        self.mood = "accepts"

    def poll(self):
        for effect in self.core.poll(now_ms=self.now_ms):
            if isinstance(effect, Probe):
                ok = self.passes[effect.bearer] and self.rng.randrange(50) > 0
                if self.now_ms - self.start_ms > FAULTS_MS:
                    ok = True
                delay_ms = self.rng.choice([0, 40, 900]) if ok else self.rng.choice([0, effect.timeout_ms])
                if self.rng.randrange(100) or self.now_ms - self.start_ms > FAULTS_MS:
                    self.after(delay_ms, self.probed, effect.bearer, ok)
            elif isinstance(effect, Connect):
                self.connect(effect.bearer)
            elif isinstance(effect, Drop):
                self.open.pop(effect.bearer, None)
                self.carries.discard(effect.bearer)
        self.check()
        assert len(self.carries) <= 1, "two connections carry"

    def probed(self, name, ok):
        self.core.probed(name, ok, 40, now_ms=self.now_ms)

    def connect(self, name):
        assert name not in self.carries, "asked for what is there"
        self.number += 1
        life = self.open[name] = self.number
        self.connects.append(self.now_ms)
        # Two may be opening only if the core has forgotten one without dropping it.
        assert len(self.open) <= 2 and len(self.open.keys() - self.carries) == 1
        if self.passes[name] and self.mood != "hangs":
            if self.mood == "refuses":
                self.after(self.rng.randrange(200), self.end, name, life, "refused")
            else:
                self.after(self.rng.choice([5, 300, 4_000]), self.accept, name, life)
        elif self.rng.randrange(2):
            self.after(self.rng.choice([0, 10_000]), self.end, name, life, "timeout")

    def accept(self, name, life):
        if self.open.get(name) != life or not self.passes[name]:
            return
        if self.rng.randrange(2):
            for other in self.open.keys() - {name}:
                self.end(other, self.open[other], "session taken over")
        assert self.core.connected(name, now_ms=self.now_ms)
        if self.last not in (None, name):
            self.changes.append(self.now_ms)
        self.last = name
        self.carries.add(name)
        self.poll()  # as the agent does after each event
        if self.mood == "kicks":
            self.after(self.rng.randrange(3_000), self.end, name, life, "kicked")
        elif self.mood == "lasts":
            self.after(limits.UPLINK_STABLE_MS, self.end, name, life, "kicked late")

    def end(self, name, life, why):
        if self.open.get(name) == life:
            del self.open[name]
            self.carries.discard(name)
            assert self.core.disconnected(name, why, now_ms=self.now_ms)

    def check(self):
        assert self.core.active is None or self.core.active in self.carries, "believes in what is gone"

    def check_history(self):
        apart = [b - a for a, b in pairwise(self.changes)]
        assert all(ms >= limits.CONNECTION_DWELL_MS for ms in apart), "changes closer than a dwell"
        assert len(self.changes) == self.core.counters["changes"]
        for index, at_ms in enumerate(self.connects):
            within = [other for other in self.connects[index:] if other < at_ms + HOUR_MS]
            assert len(within) <= CONNECTS_PER_HOUR_MAX, "a storm"


@pytest.mark.parametrize("bearers", [(Bearer("only"),), BEARERS, THREE], ids=["one", "two", "three"])
@pytest.mark.parametrize("seed", range(25))
def test_whatever_goes_wrong_the_invariants_hold_and_calm_brings_it_back(seed, bearers):
    world = World(seed, bearers)
    world.disturb()
    world.run(world.start_ms + FAULTS_MS + 1)
    world.calm()
    calm_ms = world.now_ms
    while world.core.active is None:
        world.run(world.now_ms + 1_000)
        assert world.now_ms - calm_ms <= RECOVERY_MS, "does not come back"
    recovered_ms = world.now_ms - calm_ms
    # A connection that was silently dead at the calm ends once more.
    world.run(calm_ms + RETURN_MS + RECOVERY_MS)
    assert world.core.active == world.names[0], "does not return to the preferred bearer"
    assert recovered_ms <= RECOVERY_MS
    world.check_history()


def test_an_hour_of_calm_costs_one_connection():
    world = World(1, BEARERS)
    world.start_ms -= 2 * FAULTS_MS  # no faults
    world.run(world.now_ms + HOUR_MS)
    assert len(world.connects) == 1 and world.core.active == "fibre"
