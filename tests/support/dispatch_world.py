"""The control centre's dispatcher without a broker: messages in, publications out, with time in the test's hand."""

from tests.support.control_world import INSEE, NOW_S, new_file
from tools.centre.control import file as control_file
from tools.centre.control import gateways, orders
from tools.centre.control.dispatch import Dispatcher, Message
from wire import command

CAB1, CAB2, FOREIGN = (INSEE, "cab-1"), (INSEE, "cab-2"), ("49007", "cab-1")
LEASE_S = 600


class DispatchWorld:
    """A dispatcher on one connection, and the people on another, as in the field."""

    def __init__(self, path):
        self.people = new_file(path)
        self.connection = control_file.open_to_write(str(path))
        for connection in (self.people, self.connection):
            connection.execute("PRAGMA synchronous = OFF")  # a day of asks is a day of flushes
        self.now_s, self.now_ms = NOW_S, 1_000_000
        self.logged = []
        self.start()

    def start(self, *, session_present=True):
        def log(what, **more):
            self.logged.append((what, more))

        self.dispatcher = Dispatcher(self.connection, lease_s=LEASE_S, log=log)
        self.dispatcher.on_connected(session_present=session_present)

    def sleep(self, seconds):
        self.now_s += seconds
        self.now_ms += 1000 * seconds

    def hear(self, *messages):
        return self.dispatcher.receive(messages, now_s=self.now_s, now_ms=self.now_ms)

    def due(self, room=100):
        return self.dispatcher.poll(room, now_s=self.now_s, now_ms=self.now_ms)

    def ask(self, name=CAB1, nonce=b"nonce--1", duration_s=300, policy_version=1, keyset_version=1):
        said = command.encode_reply(command.Ask(nonce, duration_s, policy_version, keyset_version))
        return self.hear(on("r", name, said))

    def say(self, name, *outcomes):
        return self.hear(*(on("r", name, command.encode_reply(one)) for one in outcomes))

    def commands(self, *, room=100):
        """(gateway, id) of the commands that go out now."""
        return [(one.about[1], one.about[0]) for one in self.due(room) if one.about]

    def words(self, one):
        """What was said of a command, in its order."""
        return orders.outcomes(self.connection, one.id)

    def close(self):
        self.people.close()
        self.connection.close()

    def refused(self):
        return gateways.refusals(self.connection)


def on(kind, name, payload, *, retained=False):
    return Message(f"tc/1/{kind}/{name[0]}/{name[1]}", payload, retained)
