"""Two bearers and a broker in virtual time around the connection's decisions, as they behave on a good or bad day.

Probes and attempts end as the world's attributes say at that moment. Holds no expectation but one: after a poll, no
deadline lies in the past.
"""

from random import Random

from gateway.core.bearers.bearer import Bearer
from gateway.core.bearers.connection import UNBOUND, Connect, Connection, Probe

FIBRE, MOBILE = "fibre", "mobile"
BOTH = (Bearer(FIBRE), Bearer(MOBILE, is_metered=True))


class Net:
    """Two bearers and a broker around a `Connection`. Probes and attempts end as the attributes below say."""

    def __init__(self, bearers=BOTH, seed=1):
        self.now_ms = 0
        self.core = Connection(bearers, random_below=Random(seed).randrange, now_ms=0)
        self.passes = {bearer.name: True for bearer in bearers or (UNBOUND,)}
        self.broker = "accepts"  # or "refuses", "kicks"
        self.cut_after_ms = 14_000  # a keep-alive of 7 s sees a silent cut after twice that
        self.log = []  # (now_ms, effect)
        self.actives = []  # (now_ms, bearer) whenever another bearer carries
        self._events = []  # (at_ms, number, function)
        self._number = 0
        self._alive = {}  # bearer -> life of the connection by it

    def after(self, delay_ms, function):
        self._number += 1
        self._events.append((self.now_ms + delay_ms, self._number, function))

    def run(self, ms):
        end_ms = self.now_ms + ms
        while True:
            self._poll()
            deadline_ms = self.core.deadline_ms()
            assert deadline_ms is None or deadline_ms > self.now_ms
            next_ms = min([end_ms, *(event[0] for event in self._events), *([deadline_ms] if deadline_ms else [])])
            if next_ms >= end_ms:
                self.now_ms = end_ms
                self._fire()
                self._poll()
                return
            self.now_ms = next_ms
            self._fire()

    def cut(self, bearer, *, silent):
        self.passes[bearer] = False
        if bearer in self._alive:
            life = self._alive[bearer]
            self.after(self.cut_after_ms if silent else 0, lambda: self._end(bearer, life, "lost"))

    def heal(self, bearer):
        self.passes[bearer] = True

    def connects(self, bearer=None):
        return [at for at, effect in self.log if isinstance(effect, Connect) and bearer in (None, effect.bearer)]

    def _fire(self):
        due = sorted(event for event in self._events if event[0] <= self.now_ms)
        self._events = [event for event in self._events if event[0] > self.now_ms]
        for _, _, function in due:
            function()

    def _poll(self):
        for effect in self.core.poll(now_ms=self.now_ms):
            self.log.append((self.now_ms, effect))
            if isinstance(effect, Probe):
                self._probe(effect)
            elif isinstance(effect, Connect):
                self._connect(effect.bearer)
            else:
                self._alive.pop(effect.bearer, None)

    def _probe(self, probe):
        ok = self.passes[probe.bearer]
        delay_ms = 40 if ok else probe.timeout_ms
        self.after(delay_ms, lambda: self.core.probed(probe.bearer, ok, 40, now_ms=self.now_ms))

    def _connect(self, bearer):
        self._number += 1
        life = self._alive[bearer] = self._number
        if not self.passes[bearer]:
            self.after(10_000, lambda: self._end(bearer, life, "timeout"))
        elif self.broker == "refuses":
            self.after(50, lambda: self._end(bearer, life, "refused"))
        else:
            self.after(1_000, lambda: self._accept(bearer, life))

    def _accept(self, bearer, life):
        if self._alive.get(bearer) != life:
            return
        for other in [name for name in self._alive if name != bearer]:
            self._end(other, self._alive[other], "session taken over")  # before our CONNACK, as it may come
        assert self.core.connected(bearer, now_ms=self.now_ms)
        if not self.actives or self.actives[-1][1] != bearer:
            self.actives.append((self.now_ms, bearer))
        if self.broker == "kicks":
            self.after(100, lambda: self._end(bearer, life, "kicked"))

    def _end(self, bearer, life, why):
        if self._alive.get(bearer) == life:
            del self._alive[bearer]
            self.core.disconnected(bearer, why, now_ms=self.now_ms)


def on_mobile():
    """A world whose fibre was cut after a long calm, and which now goes by mobile."""
    net = Net()
    net.run(600_000)
    net.cut(FIBRE, silent=True)
    net.run(30_000)
    assert net.core.active == MOBILE
    return net
