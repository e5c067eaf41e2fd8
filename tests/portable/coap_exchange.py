"""Two endpoints through a lossy link in virtual time: the same datagrams and events on every interpreter.

The random source is a generator of our own (`random` differs between interpreters). Prints a digest of
everything.
"""

import hashlib

from wire import coap
from wire import coap_message as messages


class Generator:
    """x = 48271 x mod (2^31 - 1), the "minimal standard" of Park and Miller."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = self.state * 48271 % 2147483647
        return self.state % bound


def turn(ends, name, other, link, now_ms, log):
    """Everything that `name` has to do at `now_ms`; its events are logged, its requests answered."""
    end = ends[name]
    events = []
    for due_ms, datagram in [item for item in link[name] if item[0] <= now_ms]:
        link[name].remove((due_ms, datagram))
        events += end.receive(datagram, other, now_ms=now_ms)
    events += end.poll(now_ms=now_ms)
    for event in events:
        log.append((now_ms, name, event))
        if isinstance(event, coap.Request):
            late[now_ms + (3000 if event.path == (b"slow",) else 0)] = (name, event.exchange)
    for due_ms in sorted(late):
        if due_ms <= now_ms and late[due_ms][0] == name:
            end.respond(late.pop(due_ms)[1], messages.CHANGED, b"ok", now_ms=now_ms)
    for _, datagram in end.outgoing():
        log.append((now_ms, name, datagram))
        for _ in range(2 if random.below(10) == 0 else 1):
            if random.below(10) > 2:
                link[other].append((now_ms + 10 + random.below(400), datagram))


random = Generator(20261125)
late = {}
log = []
link = {"node": [], "gateway": []}
ends = {
    "node": coap.Endpoint(random_below=random.below, first_message_id=65530),
    "gateway": coap.Endpoint(random_below=random.below, first_message_id=7),
}
now_ms = (1 << 30) - 5000  # passes the chip's tick wrap: an endpoint must not care
asked = 0
while asked < 30 or ends["node"].deadline_ms() is not None or ends["gateway"].deadline_ms() is not None:
    if asked < 30 and random.below(100) == 0:
        asked += 1
        path = (b"slow",) if asked % 3 == 0 else (b"t",)
        ends["node"].request(
            "gateway",
            messages.POST,
            path,
            bytes((asked,)),
            content_format=60,
            confirmable=asked % 5 > 0,
            now_ms=now_ms,
        )
    turn(ends, "node", "gateway", link, now_ms, log)
    turn(ends, "gateway", "node", link, now_ms, log)
    now_ms += 50

digest = hashlib.sha256()
for line in log:
    digest.update(repr(line).encode())
print(len(log), "lines,", digest.digest().hex(), "until", now_ms)
for name in ("node", "gateway"):
    counters = ends[name].counters
    print(name, " ".join([f"{key}={counters[key]}" for key in sorted(counters) if counters[key]]))
outcomes = [line for line in log if line[1] == "node" and isinstance(line[2], (coap.Response, coap.Failed))]
assert len(outcomes) + ends["node"].counters["queue-full"] == 30, len(outcomes)
