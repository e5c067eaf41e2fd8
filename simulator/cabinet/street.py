"""Joins a commune's only cabinet and its street, and judges their light: plant, points, gateway, checker in one world.

The policy is installed on the card before the run, as one that came long ago. What the checker may expect of the agent
follows from the story alone: whether it runs, and what time its machine was given.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.core.bearers.bearer import Bearer
from gateway.core.gateway import Options
from policy import lighting
from simulator.cabinet import commune as communes
from simulator.cabinet.commune import Commune, Night
from simulator.cabinet.host import CabinetHost
from simulator.cabinet.points import WHOLE, CabinetSide, CabinetTwin, Wiring
from simulator.cabinet.system_clock import NOTHING, RIGHT, VAGUE, Drifting, SystemClock
from simulator.checkers.street import KNOWN, NIGHTLY, ORDINARY, Order, StreetChecker, Wanting
from simulator.hosts.gateway import SMALL_CARD
from simulator.hosts.keys import keyset_of
from simulator.plants.cabinet import Cabinet, CabinetData
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from simulator.world.broker import Broker
from simulator.world.chance import Prng
from simulator.world.time import World
from wire import topic

_FIBRE = Bearer("fibre")
# A clock known to the first figure follows the policy; up to the second, the wider clock or a photocell decides;
# beyond, the clock counts as none.
_SURE_S, _USABLE_S, _DRIFT_S = 45, 880, 20


class Setup(NamedTuple):
    """Describes one cabinet and its feeders.

    `clock_error_ms`, `clock_drift_ppm`: of its astronomical clock, which is never corrected. `observe_ms`: how often
    its points are sampled while nothing happens.
    """

    commune: Commune
    feeders: tuple[FeederData, ...]
    ordinary: Programme
    gateway: bytes
    nights: tuple[Night, ...] = ()
    wiring: Wiring = WHOLE
    clock_error_ms: int = 0
    clock_drift_ppm: int = 0
    name: str = "cab-1"
    observe_ms: int = 5_000


MakeHost = Callable[[World, Prng, Options, Broker, CabinetSide, SystemClock], CabinetHost]


class Street:
    """Joins plant, points, gateway and checker. Power on with `host.power_on`; call `finish` at the end.

    `policy`: the signed one that is installed.
    """

    def __init__(
        self,
        world: World,
        prng: Prng,
        broker: Broker,
        setup: Setup,
        clock: SystemClock,
        make_host: MakeHost = CabinetHost,
    ) -> None:
        self.setup = setup
        self._world = world
        self._clock = clock
        commune = setup.commune
        data = CabinetData(
            commune.latitude_e4,
            commune.longitude_e4,
            setup.feeders,
            setup.ordinary,
            setup.clock_error_ms,
            setup.clock_drift_ppm,
            index_wh=1000 * prng.between(2_000, 90_000),
        )
        self.plant = Cabinet(data, prng.split("plant"), start_unix_s=world.unix_s)
        self.twin = CabinetTwin(self.plant, prng.split("twin"), setup.wiring)
        self.side = CabinetSide(world, self.twin, quiet_ms=setup.observe_ms)
        self.host = make_host(world, prng.split("host"), self._options(), broker, self.side, clock)
        calendar = communes.calendar_of(setup.ordinary, setup.nights)
        self._install(calendar)
        pairs = [(calendar, setup.ordinary.calendar()) if feeder.switched else None for feeder in setup.feeders]
        self.wanting = Wanting(commune.site, pairs)
        names = [feeder.name for feeder in setup.feeders]
        self.checker = StreetChecker(names, self.wanting, self.plant.lights(), unix_ms=world.unix_ms)
        self.plant.on_change.append(lambda now_ms: self._observe_light())
        self.host.on_knowledge = self._observe_agent
        self._orders = 0
        self._board_is_lost = False
        self._known = (False, NOTHING)

    def order_emergency(self, reason: str, *, from_s: int, to_s: int) -> None:
        """Gives the cabinet an order of the mayor for light everywhere."""
        self._orders += 1
        commune = self.setup.commune
        data = communes.signed_by_telephone(commune, self._orders, reason, from_s=from_s, to_s=to_s)
        self.expect(Order(None, True, from_s, to_s))
        self.host.dispatch("on_message", topic.build(topic.COMMAND, commune.insee, self.setup.name), data)

    def expect(self, order: Order, target: str | None = None) -> None:
        """Makes the checker expect an order from now on. `target`: the feeder or the group that it names."""
        self.checker.judge_until(self._world.unix_ms)
        names = [one.name for one in self.setup.feeders]
        index = names.index(target) if target in names else None
        self.wanting.orders.append(order._replace(feeder=index, from_s=max(order.from_s, self._world.unix_s)))

    def expect_end(self, id: bytes) -> None:
        """Makes the checker expect this order no more: it was ended."""
        self.checker.judge_until(self._world.unix_ms)
        now_s = self._world.unix_s
        orders = self.wanting.orders
        orders[:] = [one._replace(to_s=min(one.to_s, now_s)) if one.id == id else one for one in orders]

    def lose_board(self, is_lost: bool) -> None:
        """Takes the board of the outputs away, or brings it back; meanwhile the fallback controls the street."""
        self._board_is_lost = is_lost
        self.side.do(self.twin.lose_board, is_lost)
        self._observe_agent(*self._known)

    def finish(self) -> None:
        """Judges everything up to now."""
        self.plant.advance(self._world.now_ms)
        self.checker.judge_until(self._world.unix_ms)

    # --- inside -------------------------------------------------------------------------------------------------

    def _observe_light(self) -> None:
        self.checker.observe(self.plant.lights(), unix_ms=self.plant.unix_ms)

    def _observe_agent(self, runs: bool, worth: str) -> None:
        """Sets what the checker may expect of the agent from now on."""
        self._known = (runs, worth)
        self.plant.advance(self._world.now_ms)
        self.checker.judge_until(self._world.unix_ms)
        doubt_s = self._clock.doubt_s + _DRIFT_S if isinstance(self._clock, Drifting) else 0
        is_sure = worth == RIGHT or (worth == VAGUE and doubt_s <= _SURE_S + _DRIFT_S)
        is_usable = is_sure or (worth == VAGUE and doubt_s <= _USABLE_S + _DRIFT_S)
        if not runs or self._board_is_lost:
            self.wanting.mode = ORDINARY
        elif is_sure:
            self.wanting.mode = KNOWN
        elif self.setup.wiring.photocell:
            self.wanting.mode = NIGHTLY
        else:
            self.wanting.mode = KNOWN if is_usable else ORDINARY
        # The agent may err by its doubt, and lights by the brightest of what may be right.
        self.wanting.doubt_s = 2 * doubt_s if is_usable and not is_sure else 0

    def _install(self, calendar: lighting.Calendar) -> None:
        setup = self.setup
        policy = communes.policy_of(setup.commune, setup.feeders, calendar, now_s=self._world.unix_s)
        self.policy = communes.signed_policy(policy)
        self.host.state_disk.put(communes.POLICY_FILE, self.policy)

    def _options(self) -> Options:
        setup = self.setup
        return Options(
            gateway=setup.gateway,
            insee=setup.commune.insee,
            name=setup.name,
            keyset=keyset_of(setup.commune.insee),
            **SMALL_CARD,
            bearers=(_FIBRE,),
            cabinet=communes.options_of(setup.commune, setup.feeders, setup.wiring),
        )
