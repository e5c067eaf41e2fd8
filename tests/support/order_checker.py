"""Invariant 6 over whole runs: no command runs after its expiry, twice, or from a stranger.

Apart from the workload and from what it judges: it is told what the centre's people have ordered and ended, and looks
at the outputs of the lamps after every turn. A lamp burns by an order only if that was given, at the order's level,
before its expiry; and it begins to do so no later than FRESH_S after the order's end, for so long a datagram may be on
its way. A lamp shows itself only if a technician asked for that very one. (A lamp that nobody can reach goes on until
the expiry, which is why every command has one.)
"""

from typing import Any, NamedTuple

from wire import command, node_order

# A node's clock is off by so much at most while it judges by it; the worlds' own run true, their answers take a second.
_CLOCK_S = 2
_RULES = {command.EMERGENCY: node_order.EMERGENCY, command.OVERRIDE: node_order.OVERRIDE}


class Issued(NamedTuple):
    """Is an order that was given. `level` None: any. `node`: the one that it was for; None: any."""

    rule: str
    level: int | None
    issued_s: int
    expires_s: int
    node: bytes | None = None


class OrderChecker:
    """See the module. `violations`: sentences, none when all is well; `begins`: how many beginnings it has judged."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._issued: dict[bytes, Issued] = {}
        self._ended_s: dict[bytes, int] = {}
        self._seen: dict[bytes, Any] = {}
        self.violations: list[str] = []
        self.begins = 0

    def issued(self, name: bytes, kind: int, level: int, expires_s: int) -> None:
        self._issued.setdefault(name, Issued(_RULES[kind], level, self._world.unix_s, expires_s))

    def asked_to_show(self, name: bytes, node: bytes, expires_s: int) -> None:
        self._issued[name] = Issued(node_order.IDENTIFY, None, self._world.unix_s, expires_s, node)

    def ended(self, name: bytes) -> None:
        self._ended_s.setdefault(name, self._world.unix_s)

    def look(self) -> None:
        """After each turn, and after each datagram that has reached a node."""
        for post in self._world.posts:
            output = None if post.node is None else post.node.outputs
            before = self._seen.get(post.node_id)
            self._seen[post.node_id] = output
            if output is not None and output.rule in node_order.RULES:
                self._judge(post, output, is_new=before != output)

    def _judge(self, post: Any, output: Any, *, is_new: bool) -> None:
        unix_s = self._world.unix_s
        name = output.reason
        issued = self._issued.get(name)
        if issued is None:
            self._say(post, f"runs {name!r}, which nobody ordered")
            return
        if issued.node not in (None, post.node_id):
            self._say(post, f"runs {name.hex()}, which was for another")
        if output.rule != issued.rule or issued.level not in (None, output.level_percent):
            self._say(post, f"makes {output} of {issued}")
        if unix_s > issued.expires_s + _CLOCK_S:
            self._say(post, f"runs {name.hex()} {unix_s - issued.expires_s} s after its expiry")
        if is_new:
            self.begins += 1
            ended_s = self._ended_s.get(name)
            if ended_s is not None and unix_s > ended_s + node_order.FRESH_S:
                self._say(post, f"begins {name.hex()} {unix_s - ended_s} s after its end")

    def _say(self, post: Any, what: str) -> None:
        said = f"{post.node_id.hex()} {what}"
        if said not in self.violations:
            self.violations.append(said)
