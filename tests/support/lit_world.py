"""A gateway with a cabinet of its own: feeders that draw what their contactors let them, keys of a commune, signed
orders.

`LitWorld` keeps time in Unix seconds beside the gateway's monotonic clock, looks every `look_ms`, and remembers what
was ordered: `switched` as [(unix_s, feeder, closed)], `pulses` as times in ms.
"""

from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.cabinet.cabinet import CabinetOptions
from gateway.core.cabinet.equipment import AUTO, FeederObservation, Observation, SetContactor, Watchdog
from gateway.core.cabinet.feeder import FeederOptions
from policy import civil, document, keyset, lighting
from simulator.hosts.keys import WAREHOUSE
from tests.support.gateway_world import INSEE, NAME, GatewayWorld
from wire import command, cose, event, event_table, topic
from wire.record import EventBody

SITE = lighting.Site(475720, -5940, civil.PARIS)
EVENING = lighting.Calendar(
    (lighting.Rule(0b0110000, 0, 0, 1), lighting.Rule(lighting.EVERY_DAY, 0, 0, 0)),
    (
        (
            lighting.Step(lighting.SUNSET, 0, 100, 0),
            lighting.Step(lighting.CLOCK, 22 * 60 + 30, 0, 0),
            lighting.Step(lighting.CLOCK, 5 * 60 + 30, 100, 0),
            lighting.Step(lighting.SUNRISE, 0, 0, 0),
        ),
        (
            lighting.Step(lighting.SUNSET, 0, 100, 0),
            lighting.Step(lighting.CLOCK, 60, 0, 0),
            lighting.Step(lighting.CLOCK, 5 * 60 + 30, 100, 0),
            lighting.Step(lighting.SUNRISE, 0, 0, 0),
        ),
    ),
)
START_S = 1_795_604_400  # Wednesday 25 November 2026, 11:00 UTC
RARE_MS, OFTEN_S = 30_000, 300
AFTERNOON_S, DUSK_S = START_S + 5400, START_S + 5 * 3600  # 13:30 and 17:00 in France


class Key:
    """A person's key, the same at every run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
        self.public = self._key.public_key().public_bytes_raw()
        self.kid = cose.kid_of(self.public)

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


MAYOR, DEPUTY, CLERK, STRANGER = Key("maire"), Key("adjointe"), Key("secrétaire"), Key("inconnu")
OPERATOR, TESTER, PHONE = Key("exploitant"), Key("technicien"), Key("téléphone du maire")
REFERENT, GARDENER = Key("référente chauffage"), Key("référent espaces verts")
HOLDERS = tuple((key.public, key.name) for key in (MAYOR, DEPUTY, CLERK))
KEYS = keyset.KeySet(1, INSEE, 2, HOLDERS, ((WAREHOUSE.public, "entrepôt"),))
OPERATORS = (
    document.Operator(MAYOR.public, MAYOR.name, document.ALL_RIGHTS, 0),
    document.Operator(OPERATOR.public, OPERATOR.name, document.OVERRIDE | document.TEST, 0),
    document.Operator(TESTER.public, TESTER.name, document.TEST, 0),
    document.Operator(PHONE.public, PHONE.name, document.LIGHT, START_S + 30 * 86_400),
    document.Operator(REFERENT.public, REFERENT.name, document.HEAT, 0),
    document.Operator(GARDENER.public, GARDENER.name, document.DRY, 0),
)
FEEDERS = (FeederOptions("bourg", 14, 320), FeederOptions("parc", 6, 250))


def policy(version=1, **changes) -> document.Policy:
    """A sound one for this cabinet: two feeders, the park dark from 01:00 by law."""
    rules = document.Lighting(
        SITE,
        (EVENING, lighting.DEFAULT_CALENDAR),
        (
            document.FeederRule("bourg", document.SWITCHED, 0, "rues"),
            document.FeederRule("parc", document.SWITCHED, 0, "parcs"),
        ),
        (document.Limit("parcs", document.DARK_WINDOW, 60, 330, "État", "Arrêté du 27/12/2018, art. 2", 0, 0),),
    )
    made = document.Policy(
        version, INSEE, START_S - 86_400, START_S + 365 * 86_400, "Conseil municipal", "2026-41", rules, OPERATORS
    )
    return made._replace(**changes)


def signed_policy(made: document.Policy, key: Key = MAYOR) -> bytes:
    return cose.sign1_encode(document.encode(made), key.kid, cose.POLICY_AAD, key.sign)


def bundle(made: document.Policy, key: Key = MAYOR) -> bytes:
    return command.encode_bundle(None, signed_policy(made, key))


def signed(asked: command.Command, key: Key) -> bytes:
    return cose.sign1_encode(command.encode_command(asked), key.kid, cose.COMMAND_AAD, key.sign)


ORDINARY = policy()


class LitWorld(GatewayWorld):
    """See the module. `watts` by feeder, in 0.1 W of a sound feeder; `lamps_out` by feeder."""

    def __init__(
        self, seed=1, *, clock=True, made=ORDINARY, keys=KEYS, look_ms=5_000, start_s=START_S, **cabinet
    ) -> None:
        self.start_s = start_s
        self.closed = [False] * len(FEEDERS)
        self.switched: list[tuple[int, int, bool]] = []
        self.pulses: list[int] = []
        self.look_ms = look_ms
        self.seen_changes: dict[str, Any] = {}
        self.feedback: list[bool | None] = [None] * len(FEEDERS)  # None: as it should be
        self.draw: list[int | None] = [None] * len(FEEDERS)  # None: as installed
        self.silent: set[int] = set()
        self.clock = clock
        options = CabinetOptions(
            SITE.latitude_e4, SITE.longitude_e4, FEEDERS, **{"has_watchdog": True, **cabinet}
        )
        super().__init__(seed, auto_sync=True, journal_bytes_max=4_000_000, keyset=keys, cabinet=options)
        self.cabinet = self.core.cabinet
        if clock:
            self.tell_clock()
        if made is not None:
            self.give(bundle(made))

    @property
    def unix_s(self) -> int:
        return self.start_s + self.now_ms // 1000

    def start(self) -> None:
        super().start()
        self.cabinet = self.core.cabinet

    def tell_clock(self, *, wrong_s=0) -> None:
        self.core.on_clock(1000 * (self.start_s + wrong_s) + self.now_ms, 1, now_ms=self.now_ms)
        self.turn()

    def _carry_out(self, effect) -> None:
        if isinstance(effect, SetContactor):
            if self.closed[effect.feeder] != effect.closed:
                self.switched.append((self.unix_s, effect.feeder, effect.closed))
            self.closed[effect.feeder] = effect.closed
        elif isinstance(effect, Watchdog):
            self.pulses.append(self.now_ms)
        else:
            super()._carry_out(effect)

    def seen(self) -> Observation:
        feeders = []
        for index, options in enumerate(FEEDERS):
            draw = self.draw[index]
            full = options.lamps * options.lamp_dw if draw is None else draw
            power = None if index in self.silent else (full if self.closed[index] or draw is not None else 0)
            feedback = self.feedback[index]
            feeders.append(
                FeederObservation(self.closed[index] if feedback is None else feedback, power, 1000, 2310, 100)
            )
        return Observation(tuple(feeders), **{"switch": AUTO, "door_open": False, "mains": True, **self.seen_changes})

    def live(self, seconds: float) -> None:
        """Time passes with looks, and with the clock told every minute while it is good."""
        end_ms = self.now_ms + int(1000 * seconds)
        told_ms = self.now_ms
        while self.now_ms < end_ms:
            self.pass_ms(min(self.look_ms, end_ms - self.now_ms))
            if self.clock and self.now_ms - told_ms >= 60_000:
                told_ms = self.now_ms
                self.tell_clock()
            self.look()

    def look(self) -> None:
        self.core.on_observation(self.seen(), now_ms=self.now_ms)
        self.turn()

    def until(self, unix_s: int) -> None:
        """Hours pass with few looks, for the core decides at its deadlines; the last minutes with all."""
        assert unix_s >= self.unix_s
        often_ms, self.look_ms = self.look_ms, max(self.look_ms, RARE_MS)
        self.live(max(0, unix_s - self.unix_s - OFTEN_S))
        self.look_ms = often_ms
        self.live(unix_s - self.unix_s)

    def at(self, day: int, hour: int, minute: int = 0) -> int:
        """Unix second of a local time, days after 25 November 2026."""
        return civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 11, 25) + day, 60 * (60 * hour + minute))

    # --- the centre -----------------------------------------------------------------------------------------------

    def give(self, payload: bytes) -> None:
        """A bundle on topic `p`."""
        self.core.on_message(topic.build(topic.POLICY, INSEE, NAME), payload, True, now_ms=self.now_ms)
        self.turn()

    def send(self, payload: bytes, *, retained=False) -> None:
        """A message on topic `c`."""
        self.core.on_message(topic.build(topic.COMMAND, INSEE, NAME), payload, retained, now_ms=self.now_ms)
        self.turn()

    def order(self, key=MAYOR, *, kind=command.EMERGENCY, number=1, lasts_s=3600, after_s=0, **changes) -> bytes:
        """Signed bytes of a command from now."""
        asked = command.Command(
            number.to_bytes(8, "big"),
            kind,
            "Mme Martin",
            "chute dans la rue",
            self.unix_s + after_s,
            self.unix_s + after_s + lasts_s,
            INSEE,
            None,
            None,
            0 if kind == command.OVERRIDE else None,
            None,
            None,
        )
        return signed(asked._replace(**changes), key)

    def lease(self, duration_s=300) -> None:
        """Connect if need be, and answer the last question of the gateway."""
        if self.core.bearers.connection.active is None:
            self.connect()
        asks = [said for said in self.said() if isinstance(said, command.Ask)]
        assert asks, "nobody asked"
        self.send(command.encode_grant(command.Grant(asks[-1].nonce, duration_s)))

    def said(self) -> list[Any]:
        """Everything on class `r` so far."""
        mine = topic.build(topic.OUTCOME, INSEE, NAME)
        return [command.decode_reply(one.payload) for one in self.publications if one.topic == mine]

    def outcomes(self, number=None) -> list[tuple[str, str | None, str | None]]:
        """(outcome, why, feeder) as told at once."""
        return [
            (said.outcome, said.why, said.feeder)
            for said in self.said()
            if isinstance(said, command.Outcome) and (number is None or said.id == number.to_bytes(8, "big"))
        ]

    # --- what went up ---------------------------------------------------------------------------------------------

    def events(self, code: int) -> list[tuple[bool | None, list[Any]]]:
        """(active, detail) of the gateway's own events of a kind, in order."""
        found = []
        for items in self.held().values():
            for item in items:
                body = item.record.body
                if isinstance(body, EventBody) and body.code == code:
                    found.append((item.record.sequence, body.active, body.detail))
        return [(active, detail) for _, active, detail in sorted(found)]

    def alarms(self) -> list[tuple[str, bool]]:
        """(name, begins) of every alarm so far."""
        found = []
        for item in self.held().get(event.ALARM, []):
            body = item.record.body
            found.append((item.record.sequence, event_table.label(body.code), body.active))
        return [(name, active) for _, name, active in sorted(found)]


def restart(world: LitWorld, *, clock: bool = True) -> None:
    """The power fails and is back; with a clock the time is known at once."""
    world.power_cut()
    if clock:
        world.tell_clock()


def rewrite(disk: Any, name: str, data: bytes) -> None:
    """Other bytes in a file, durably."""
    disk.put(name, data)


def by_night(**changes: Any) -> LitWorld:
    """At 20:00 with a lease that counts."""
    world = LitWorld(start_s=DUSK_S, **changes)
    world.until(world.at(0, 19, 58))
    world.lease()
    world.until(world.at(0, 20))
    return world


def by_day(**changes: Any) -> LitWorld:
    """At 14:00 with a lease."""
    world = LitWorld(start_s=AFTERNOON_S, **changes)
    world.until(world.at(0, 14))
    world.lease()
    return world
