"""The control centre joined with the gateway's own core, in virtual time: messages pass at once, both ways."""

from policy import keyset
from tests.support import lit_world
from tests.support.gateway_world import INSEE, NAME
from tests.support.lit_world import KEYS, MAYOR, START_S, LitWorld
from tools.centre.control import communes, gateways, orders
from tools.centre.control import file as control_file
from tools.centre.control.dispatch import Dispatcher, Message
from tools.centre.control.drafts import Request, draft, draft_end, sign_and_keep
from tools.centre.control.progress import progress_of
from tools.centre.store import database
from tools.policy.keys import Signer
from wire import command, cose, topic

CAB = (INSEE, NAME)


class Joined:
    """Messages pass at once, both ways, whenever time does."""

    def __init__(self, path, **options):
        self.connection = control_file.open_to_write(str(path))
        self.people = control_file.open_to_write(str(path))
        self.gateway = LitWorld(made=None, **options)
        self.dispatcher = Dispatcher(self.connection, lease_s=1800, log=lambda *_, **__: None)
        self.carried = 0
        self.number = 0
        with database.transaction(self.people):
            assert communes.accept_keyset(self.people, keyset.encode(KEYS), now_s=START_S)[0]
        self.gateway.connect()
        self.dispatcher.on_connected(session_present=False)

    def live(self, seconds):
        """A second at a time."""
        for _ in range(int(seconds)):
            self.gateway.live(1)
            self.carry()

    def carry(self):
        now = {"now_s": self.gateway.unix_s, "now_ms": self.gateway.now_ms}
        new, self.carried = self.gateway.publications[self.carried :], len(self.gateway.publications)
        said = [Message(one.topic, one.payload, False) for one in new if topic.parse(one.topic).kind == topic.OUTCOME]
        sent = (self.dispatcher.receive(said, **now) if said else []) + self.dispatcher.poll(100, **now)
        for one in sent:
            self.gateway.core.on_message(one.topic, one.payload, False, now_ms=self.gateway.now_ms)
            self.gateway.turn()
        self.dispatcher.on_acknowledged([(one.about, None) for one in sent if one.about], now_s=self.gateway.unix_s)

    def publish(self, made, key=MAYOR):
        with database.transaction(self.people):
            kept, faults = communes.accept_policy(
                self.people, lit_world.signed_policy(made, key), now_s=self.gateway.unix_s
            )
        assert kept, faults

    def order(self, kind=command.EMERGENCY, *, key=MAYOR, target=None, level=None, for_s=3600):
        now_s = self.gateway.unix_s
        self.number += 1
        wanted = Request(kind, INSEE, None, target, level, "essai", now_s, now_s + for_s)
        one = draft(self.people, wanted, key.kid, self.number.to_bytes(8, "big"), now_s=now_s)
        return sign_and_keep(self.people, one, Signer(key.kid, key.public, key.sign), now_s=now_s)

    def end(self, kept, key=MAYOR):
        now_s = self.gateway.unix_s
        self.number += 1
        one = draft_end(self.people, kept, "fini", key.kid, self.number.to_bytes(8, "big"), now_s=now_s)
        return sign_and_keep(self.people, one, Signer(key.kid, key.public, key.sign), now_s=now_s)

    def put(self, one, key):
        """Past the centre's own questions: as a centre that was broken into would."""
        signed = cose.sign1_encode(command.encode_command(one), key.kid, cose.COMMAND_AAD, key.sign)
        with database.transaction(self.people):
            orders.add(self.people, signed, now_s=self.gateway.unix_s)
        return orders.Order(one, signed, key.kid, self.gateway.unix_s)

    def standing(self, kept):
        return progress_of(self.people, kept, now_s=self.gateway.unix_s)

    def told(self, kept):
        """{feeder or None: (last outcome, why)}"""
        return {said.feeder: (said.outcome, said.why) for said in orders.outcomes(self.people, kept.command.id)}

    def seen(self):
        (one,) = gateways.list_gateways(self.connection)
        return one
