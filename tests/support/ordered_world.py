"""A gateway with a cabinet and lamps that have controllers of their own behind it: real nodes, real keys, one virtual
time, and an air between them that somebody may listen to, jam, and fill with what he has kept.

`Post` is a lamp post: its board, its power, its address, its history. The checker of tests/support/order_checker.py
watches every turn.
"""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import kinds
from gateway.core.gateway import Send
from kinds import streetlight
from node.app import Boot, Node
from node.settings import Settings
from policy import lighting
from simulator.estates.streets import lamp_settings
from simulator.hosts.keys import link_of, pairing_of
from tests.support.lit_world import FEEDERS, MAYOR, OPERATOR, SITE, LitWorld
from tests.support.order_checker import OrderChecker
from wire import command, limits, quantity, record
from wire.coap_exchange import bearer_timing

DARK_BY_DAY = lighting.DEFAULT_CALENDAR
_AIR_MS = (10, 60)

# At one instant.
_TURNS_MAX = 8


class Address(NamedTuple):
    """Where a post, or an attacker, can be sent to."""

    name: str


class Flying(NamedTuple):
    """One datagram on its way: down to `address` when `is_down`, else up from there."""

    at_ms: int
    number: int
    is_down: bool
    address: Address
    datagram: bytes


class Post:
    """One lamp post. `levels`: (world ms, level, rule, reason) of every change of the output, boots included; `draws`:
    what its lamp draws at a level of its gear, 0.1 W."""

    def __init__(self, world: "OrderedWorld", node: bytes, seed: int) -> None:
        self.world = world
        self.node_id = node
        self.address = Address(node.hex())
        self.random = Random(seed)
        self.boots = 0
        self.node: Any = None
        self.link: Any = None
        self.offset_ms = 0
        self.levels: list[tuple[int, int, str, Any]] = []
        self.made: list[Any] = []
        self.draws: Callable[[int], int] = lambda level: 6 + 354 * level // 100
        self.settings = Settings(
            node=node,
            own=lamp_settings(SITE, (360, 6), DARK_BY_DAY),
            bearer=("udp",),
            gateway=("gateway", 5683),
            pairing=pairing_of(node),
            sample_s=60,
            telemetry_s=900,
            health_s=3600,
            report_spread_s=5,
            ack_timeout_ms=limits.COAP_ACK_TIMEOUT_MIN_MS,
            update_keys=(),
            trace=False,
        )

    @property
    def now_ms(self) -> int:
        """On its own clock, which begins somewhere else at each boot."""
        return self.world.now_ms + self.offset_ms

    def power_on(self) -> None:
        self.boots += 1
        self.offset_ms = self.random.randrange(1 << 30)
        below = self.random.randrange
        self.link = link_of(
            self.node_id,
            self.settings.gateway,
            boot=self.boots,
            random_below=below,
            timing=bearer_timing(nstart=4),
        )
        boot = Boot(self.boots, self.boots - 1 or None, None, "power-on")
        trade = self.make_trade(kinds.Start(self.node_id, b"", self.now_ms, below))
        self.node = Node(self.settings, boot, self.link, trade, random_below=below, now_ms=self.now_ms, tap=self._tap)
        self.turn()

    def make_trade(self, start: Any) -> Any:
        return streetlight.make_trade(self.settings.own, start)

    def power_off(self) -> None:
        self.node = None
        self.levels.append((self.world.now_ms, 0, "unpowered", 0))

    def ask(self) -> None:
        """Makes the node ask for its order, as if an answer had told of one."""
        self.node._fetch.want(self.now_ms)
        self.receive(b"")

    def receive(self, datagram: bytes) -> None:
        if self.node is not None:
            self.node.receive(datagram, self.settings.gateway, now_ms=self.now_ms)
            self.turn()

    def turn(self) -> None:
        """What the shell does."""
        if self.node is None:
            return
        if self.node.sample_due(self.now_ms):
            level = self.node.outputs.level_percent
            self.node.sample({quantity.POWER: self.draws(level)}, {}, now_ms=self.now_ms)
        else:
            self.node.poll(now_ms=self.now_ms)
        output = self.node.outputs
        if not self.levels or self.levels[-1][1:] != output:
            self.levels.append((self.world.now_ms, *output))
        for _, datagram in self.node.outgoing():
            self.world.fly(False, self.address, datagram)

    def deadline_ms(self) -> int | None:
        return None if self.node is None else self.node.deadline_ms(self.now_ms) - self.offset_ms

    @property
    def level(self) -> int:
        return self.levels[-1][1]

    @property
    def rule(self) -> str:
        return self.levels[-1][2]

    def events(self, code: int) -> list[list[Any]]:
        """Details of its own event records, in the order they were made."""
        bodies = [made.body for made in self.made if not isinstance(made.body, dict)]
        return [body.detail for body in bodies if body.code == code]

    def _tap(self, what: str, _sequence: int, data: bytes) -> None:
        if what == "made":
            self.made.append(record.decode_payload(data)[0])


class OrderedWorld(LitWorld):
    """See the module. `hears(flying)` true: the attacker takes this datagram out of the air into `caught`."""

    def __init__(self, seed: int = 1, *, posts: int = 2, mapped: tuple[tuple[int, ...], ...] = (), **options: Any):
        self.posts: list[Post] = []
        self.air: list[Flying] = []
        self.caught: list[Flying] = []
        self.hears: Any = lambda flying: False
        self.loss_percent = 0
        self.air_random = Random(f"air {seed}")
        self._number = 0
        ids = [bytes.fromhex("7c1f0a2c01") + (index + 1).to_bytes(3, "big") for index in range(posts)]
        self._ids = ids
        feeders = [
            one._replace(nodes=tuple(ids[post] for post in mine)) for one, mine in zip(FEEDERS, mapped, strict=False)
        ]
        self.feeders_as_configured = (*feeders, *FEEDERS[len(feeders) :])
        self.checker = OrderChecker(self)
        super().__init__(seed, **options)
        for index, node in enumerate(ids):
            self.posts.append(self.make_post(node, 1000 * seed + index, index))

    def make_post(self, node: bytes, seed: int, _index: int) -> Post:
        return Post(self, node, seed)

    def start(self) -> None:
        self.adopted = set(self._ids)
        cabinet = self.options.cabinet._replace(feeders=self.feeders_as_configured)
        self.options = self.options._replace(cabinet=cabinet)
        super().start()

    # --- the air --------------------------------------------------------------------------------------------------

    def fly(self, is_down: bool, address: Address, datagram: bytes) -> None:
        """Somebody has sent something."""
        self._number += 1
        at_ms = self.now_ms + self.air_random.randint(*_AIR_MS)
        flying = Flying(at_ms, self._number, is_down, address, datagram)
        if self.hears(flying):
            self.caught.append(flying)
        elif self.air_random.randrange(100) >= self.loss_percent:
            self.air.append(flying)

    def release(self, flying: Flying, *, address: Address | None = None) -> None:
        """The attacker sends what he has kept, perhaps from elsewhere."""
        self._land(flying if address is None else flying._replace(address=address))

    def _land(self, flying: Flying) -> None:
        if not flying.is_down:
            self.receive(flying.datagram, flying.address)
            return
        for post in self.posts:
            if post.address == flying.address:
                post.receive(flying.datagram)
        self.checker.look()

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, Send) and isinstance(effect.peer, Address):
            self.sent.append(effect)
            self.fly(True, effect.peer, effect.datagram)
        else:
            super()._carry_out(effect)

    # --- time -----------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        super().turn()
        self.checker.look()

    def pass_ms(self, duration_ms: int) -> None:
        """Time passes for all of them; each deadline on the way is kept."""
        end_ms = self.now_ms + duration_ms
        while True:
            due_ms = self._due_ms()
            if due_ms is None or due_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            for flying in sorted(one for one in self.air if one.at_ms <= self.now_ms):
                self.air.remove(flying)
                self._land(flying)
            for post in self.posts:
                at_ms = post.deadline_ms()
                if at_ms is not None and at_ms <= self.now_ms:
                    for _ in range(_TURNS_MAX):  # one payload a turn, and what waits has the next at once
                        post.turn()
                        again_ms = post.deadline_ms()
                        if again_ms is not None and again_ms > self.now_ms:
                            break
                    else:
                        raise AssertionError("the node would spin")
            self.turn()
        self.now_ms = end_ms

    def _due_ms(self) -> int | None:
        instants = [one.at_ms for one in self.air]
        for at_ms in (self.core.deadline_ms(now_ms=self.now_ms), *(post.deadline_ms() for post in self.posts)):
            if at_ms is not None:
                instants.append(at_ms)
        return min(instants, default=None)

    # --- the centre -----------------------------------------------------------------------------------------------

    def emergency(self, number: int = 1, *, lasts_s: int = 3600, **changes: Any) -> None:
        """The mayor lights it all."""
        self.command(MAYOR, command.EMERGENCY, number, lasts_s, **changes)

    def override(self, number: int = 1, *, level: int = 0, lasts_s: int = 3600, **changes: Any) -> None:
        self.command(OPERATOR, command.OVERRIDE, number, lasts_s, level=level, **changes)

    def end(self, ends: int, number: int = 99) -> None:
        self.checker.ended(ends.to_bytes(8, "big"))
        self.send(self.order(MAYOR, kind=command.END, number=number, ends=ends.to_bytes(8, "big")))

    def command(self, key: Any, kind: int, number: int, lasts_s: int, **changes: Any) -> None:
        level = changes.get("level", 0) if kind == command.OVERRIDE else 100
        expires_s = self.unix_s + changes.get("after_s", 0) + lasts_s
        self.checker.issued(number.to_bytes(8, "big"), kind, level, expires_s)
        self.send(self.order(key, kind=kind, number=number, lasts_s=lasts_s, **changes))


def settled(**options: Any) -> OrderedWorld:
    """By day, the cabinet in order, with a lease; every node knows the time and keeps its lamp dark."""
    world = OrderedWorld(**options)
    world.until(world.at(0, 14))
    world.lease()
    for post in world.posts:
        post.power_on()
    world.live(60)
    assert [post.level for post in world.posts] == [0] * len(world.posts)
    return world


def levels(world: OrderedWorld) -> list[int]:
    return [post.level for post in world.posts]


def rules(world: OrderedWorld) -> list[str]:
    return [post.rule for post in world.posts]


def by_night(**options: Any) -> OrderedWorld:
    """At 20:00 with a lease that counts: every lamp burns by its calendar."""
    world = settled(**options)
    world.until(world.at(0, 20) - 40)
    world.lease()
    world.live(40)
    assert rules(world) == ["calendar"] * len(world.posts) and set(levels(world)) == {100}
    return world


def keep_lease(world: OrderedWorld, seconds: int) -> None:
    """The centre renews its lease every minute."""
    for _ in range(seconds // 60):
        world.lease()
        world.live(60)
