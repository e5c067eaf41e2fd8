"""Runs the real decisions of the control daemon in virtual time: orders that people sign on the screens reach cabinets.

It is the twin of `tools.centre.control.daemon` on the modelled broker. Each commune has its key set and policy here;
`enrol` names a browser's key in a new policy, which the demonstration signs in the place of the commune's key holder.
"""

from collections.abc import Callable
from contextlib import closing
from itertools import count

from policy import document, keyset
from simulator.cabinet.commune import BEHUARD, signed_policy
from simulator.checkers.street import Order
from simulator.hosts.centre import CONTROL, Control
from simulator.hosts.keys import keyset_of
from simulator.territory import Territory
from simulator.world.broker import Broker
from simulator.world.time import World
from tools.centre.control import communes, file
from tools.centre.control.dispatch import Dispatcher, Message, Name, Publication
from tools.centre.control.outbox import Outbox, path_of
from tools.centre.limits import LEASE_S
from tools.centre.store import database
from wire import command, cose, directive

_EVERY_MS = 1_000
# More are never under way in a town of a few cabinets.
_ROOM = 20


class Dispatching(Control):
    """Runs the dispatcher on a control file. `data`: the web's own database, beside which signed orders wait.

    `on_order(command)` is called when an order of a person is sent the first time.
    """

    def __init__(self, world: World, broker: Broker, path: str, data: str) -> None:
        super().__init__(world, broker)
        self.path = path
        self.on_order: Callable[[command.Command], None] = lambda order: None
        self._connection = file.open_to_write(path)
        self._connection.execute("PRAGMA synchronous = OFF")  # its folder is gone with the demonstration
        self._dispatcher = Dispatcher(self._connection, lease_s=LEASE_S, log=_quiet)
        self._outbox = Outbox(path_of(data), path, _quiet)
        self._tokens = count(1)
        self._about: dict[int, tuple[bytes, Name]] = {}
        self._seen: set[bytes] = set()
        self._is_connected = False
        world.every(_EVERY_MS, self._poll)

    def close(self) -> None:
        self._outbox.close()
        self._connection.close()

    def install(self, insee: str, policy: bytes) -> None:
        """Keeps the key set and the signed policy that the cabinets of a commune have."""
        now_s = self._world.unix_s
        with database.transaction(self._connection):
            _, faults = communes.accept_keyset(self._connection, keyset.encode(keyset_of(insee)), now_s=now_s)
            assert not faults, faults
            _, faults = communes.accept_policy(self._connection, policy, now_s=now_s)
            assert not faults, faults

    def enrol(self, insee: str, key: bytes, name: str, right: int) -> None:
        """Names a key with this right in a new version of a commune's policy, if it has one; ValueError for a key that
        is none."""
        if not cose.is_sound_key(key):
            raise ValueError("no key")
        now_s = self._world.unix_s
        # On a connection of its own, as a command of people has: the dispatcher looks for what others have written.
        with closing(file.open_to_write(self.path)) as control, database.transaction(control):
            held = communes.policy_in_force(control, insee, now_s=now_s)
            if held is None:
                return
            others = tuple(one for one in held.operators if key not in (one.key,))
            operators = (*others, document.Operator(key, name, right, held.valid_until_s))
            following = held._replace(version=held.version + 1, operators=operators)
            _, faults = communes.accept_policy(control, signed_policy(following), now_s=now_s)
            if faults:
                raise ValueError(faults[0].problem)

    def stop(self) -> None:
        super().stop()
        self._is_connected = False

    # --- broker.Client ----------------------------------------------------------------------------------------------

    def on_connected(self, receive_max: int) -> None:
        self._is_connected = True
        self._dispatcher.on_connected(session_present=True)

    def on_disconnected(self, why: str) -> None:
        self._is_connected = False
        super().on_disconnected(why)

    def on_puback(self, token: int, reason_code: int) -> None:
        about = self._about.pop(token, None)
        if about is not None:
            self._dispatcher.on_acknowledged([(about, None)], now_s=self._world.unix_s)

    def on_message(self, name: str, payload: bytes) -> None:
        message = Message(name, payload, False)
        self._publish(self._dispatcher.receive([message], now_s=self._world.unix_s, now_ms=self._world.now_ms))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        if self._is_connected:
            self._outbox.fetch(now_s=self._world.unix_s)
            self._publish(self._dispatcher.poll(_ROOM, now_s=self._world.unix_s, now_ms=self._world.now_ms))

    def _publish(self, publications: list[Publication]) -> None:
        for one in publications:
            token = next(self._tokens)
            if one.about is not None:
                self._about[token] = one.about
                if one.about[0] not in self._seen:
                    self._seen.add(one.about[0])
                    payload = cose.sign1_decode(one.payload, bytes_max=command.SIGNED_COMMAND_BYTES_MAX).payload
                    self.on_order(command.decode_command(payload))
            self._broker.publish(CONTROL, token, one.topic, one.payload)


def expecting(territory: Territory) -> Callable[[command.Command], None]:
    """Returns what makes the checkers expect what an order wants, and no more after its end."""
    assert territory.village is not None
    street = territory.village.street
    hours: dict[bytes, bytes] = {}

    def on_order(order: command.Command) -> None:
        if order.kind == command.END and order.ends in hours:
            node = hours.pop(order.ends)
            territory.rooms.end_hours(node, order.not_before_s)
            territory.greens.end_hours(node)
        elif order.kind == command.END:
            street.expect_end(order.ends)
            territory.streets.expect_end(order.ends)
        elif order.kind == command.DIRECTIVE:
            node = hours[order.id] = bytes.fromhex(order.target)
            estate = territory.rooms if directive.OCCUPIED in order.values else territory.greens
            estate.order_hours(node, order.not_before_s, order.expires_s)
        else:
            is_sure, level = order.kind == command.EMERGENCY, 100 if order.level is None else order.level
            wanted = Order(None, level > 0, order.not_before_s, order.expires_s, is_sure, order.id, level)
            if order.insee != BEHUARD.insee:
                territory.streets.expect(wanted, order.insee, order.gateway, order.target)
            elif not wanted.lowers:  # an order that lowers is refused there: those lamps have no controllers
                street.expect(wanted, order.target)

    return on_order


def _quiet(_what: str, **_fields: object) -> None:
    """Writes no log: the screens show what became of an order."""
