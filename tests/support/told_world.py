"""A gateway with nodes that want to be told things, in one virtual time: real node and gateway code, a lossy air.

`Listener` is a node whose trade wants every decision and some weather, and writes down what it was handed. The checker
looks after each turn: nothing may hold that nobody said, nor past its expiry.
"""

from typing import Any, NamedTuple

from gateway.core.directives.directive import Directive
from node.trade import Trade
from tests.support.lit_world import MAYOR
from tests.support.ordered_world import OrderedWorld, Post
from wire import command, directive, event

DROUGHT, SHED, EXCEPTION, OUTDOOR, OCCUPIED, DRY = (
    directive.DROUGHT_LEVEL, directive.LOAD_SHED, directive.EXCEPTION, directive.OUTDOOR_TEMPERATURE,
    directive.OCCUPIED, directive.DRY,
)  # fmt: skip
KINDS = ("irrigation", "thermostat")
# The clock of a gateway is told to be right to a second, and its words are whole seconds.
_CLOCK_S = 1


class _Output(NamedTuple):
    level_percent: int = 0
    rule: str = "none"
    reason: int = 0


class ListeningTrade(Trade):
    """Does nothing but remember what it was told last."""

    directives = (OUTDOOR, DROUGHT, SHED, EXCEPTION, OCCUPIED, DRY)

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.outputs = _Output()
        self.told: dict[int, int] = {}

    def decide(self, moment: Any) -> None:
        self.told = {code: moment.directives[code] for code in moment.directives if code in directive.TABLE}


class Listener(Post):
    """One node of a kind. `takes`: [(code, value)] of its own event records."""

    def __init__(self, world: Any, node: bytes, seed: int, kind: str) -> None:
        super().__init__(world, node, seed)
        self.kind = kind

    def make_trade(self, start: Any) -> Any:
        return ListeningTrade(self.kind)

    @property
    def told(self) -> dict[int, int]:
        return {} if self.node is None else self.node.trade.told

    @property
    def takes(self) -> list[tuple[int, int | None]]:
        return [(code, value) for code, value, _for_s in self.events(event.DIRECTIVE_TAKEN)]


class Said(NamedTuple):
    code: int
    value: int
    begins_s: int
    expires_s: int
    said_s: int


class ToldChecker:
    """Apart from what it judges: is told what people said, and looks at what the nodes act on. `violations`: sentences,
    none when all is well; `looked`: values judged."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._said: list[Said] = []
        self.violations: list[str] = []
        self.looked = 0

    def said(self, values: dict[int, int], begins_s: int, expires_s: int) -> None:
        said_s = self._world.unix_s
        self._said += [Said(code, value, begins_s, expires_s, said_s) for code, value in values.items()]

    def look(self) -> None:
        for post in self._world.posts:
            for code, value in post.told.items():
                self.looked += 1
                self._judge(post, code, value)

    def _judge(self, post: Any, code: int, value: int) -> None:
        unix_s = self._world.unix_s
        if code in directive.HOURS:  # told ahead, from when they were said on, with the minute at which they begin
            fits = [one for one in self._said if (one.code, one.begins_s // 60) == (code, value)]
            begun = [one.said_s for one in fits]
        else:
            fits = [one for one in self._said if (one.code, one.value) == (code, value)]
            begun = [one.begins_s for one in fits]
        ends = [one.expires_s + _CLOCK_S for one in fits]
        if not any(from_s - _CLOCK_S <= unix_s < to_s for from_s, to_s in zip(begun, ends, strict=True)):
            what = f"{post.node_id.hex()} holds {code}={value} at {unix_s}, said {fits}"
            if len(self.violations) < 10:
                self.violations.append(what)


class ToldWorld(OrderedWorld):
    """See the module. Posts are irrigation nodes and thermostats in turn."""

    def __init__(self, seed: int = 1, *, posts: int = 2, groups: Any = (), **options: Any) -> None:
        self.groups = groups
        super().__init__(seed, posts=posts, **options)
        self.checker = ToldChecker(self)  # type: ignore[assignment]

    def make_post(self, node: bytes, seed: int, index: int) -> Post:
        return Listener(self, node, seed, KINDS[index % len(KINDS)])

    def start(self) -> None:
        self.options = self.options._replace(groups=self.groups)
        super().start()

    def tell(self, values: dict[int, int], *, number: int = 1, lasts_s: int = 3600, **changes: Any) -> None:
        """The mayor has it signed."""
        begins_s = self.unix_s + changes.get("after_s", 0)
        self.checker.said(values, begins_s, begins_s + lasts_s)
        changes = {"values": values, **changes}
        self.send(self.order(MAYOR, kind=command.DIRECTIVE, number=number, lasts_s=lasts_s, **changes))

    def say(self, values: dict[int, int], *, number: int = 501, lasts_s: int = 3600, scope: str | None = None) -> Any:
        """A technician says it at the cabinet; the word of a refusal, or None."""
        one = here(values, self.unix_s, number=number, lasts_s=lasts_s, scope=scope)
        self.checker.said(values, one.begins_s, one.expires_s)
        refusal = self.core.directive_service.directives.accept(one, now_ms=self.now_ms)
        self.turn()
        return refusal

    def away(self) -> None:
        """Nothing comes through the air any more."""
        self.loss_percent = 100


def here(
    values: dict[int, int], begins_s: int, *, number: int = 501, lasts_s: int = 3600, scope: Any = None
) -> Directive:
    name = number.to_bytes(8, "big")
    return Directive(name, True, "le technicien", "arrêté 2026-41", scope, values, begins_s, begins_s + lasts_s)


def listening(**options: Any) -> ToldWorld:
    """By day, every node has agreed on keys and asked once."""
    world = ToldWorld(**options)
    world.until(world.at(0, 14))
    world.connect()
    for post in world.posts:
        post.power_on()
    world.live(60)
    return world
