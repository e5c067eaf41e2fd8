"""Real ends of a protected node link, joined: nodes and gateways that restart, in virtual time.

`Joined` carries datagrams at once and loses what a test names. `World` goes through a bad link by a seed; what happens
in it is a plan. Both keep what was said and heard; `check` judges it apart from them.
"""

from hashlib import sha256
from random import Random

from gateway.core.link.link import Link
from simulator.hosts.keys import CIPHER, keys_of, link_of
from tests.support.bad_link import BadLink
from wire import coap_message as messages
from wire import oscore
from wire.coap import Failed, Refused, Request, Response

GATEWAY = "gateway"
NODE = bytes.fromhex("7c1f0a2c01000001")
OTHER = bytes.fromhex("7c1f0a2c01000002")


def answer_to(payload):
    """What the gateway's application says: it depends on all of the request."""
    return sha256(payload).digest()[:12]


def gateway_of(nodes, generator, **more):
    return Link(keys_of(nodes), CIPHER, random_below=generator.randrange, **more)


def again(datagram, message_id, *, token=None, kind=None, **changes):
    """What was protected, in a message that no memory of duplicates knows."""
    message = messages.decode(datagram)
    return messages.encode(
        message._replace(
            message_id=message_id,
            token=message.token if token is None else token,
            type=message.type if kind is None else kind,
            **changes,
        )
    )


def hint(datagram, *, kind=messages.ACK):
    """The unprotected 4.01 to a request, as anybody can say it who has heard the request."""
    message = messages.decode(datagram)
    return messages.encode(messages.Message(kind, messages.UNAUTHORIZED, message.message_id, message.token, (), b""))


def option_of(datagram):
    """Its OSCORE option."""
    return oscore.header_of(messages.decode(datagram))


class Joined:
    """One node, one gateway, and nothing between them but `lose(source, datagram)`."""

    def __init__(self, *, boot=1, seed=1, nodes=(NODE, OTHER)):
        self.generator = Random(seed)
        self.nodes = nodes
        self.now_ms = 1000
        self.heard = []  # Asked, in order
        self.events = []  # of the node
        self.served = []  # Requests that the node's application was handed
        self.traffic = []  # (source, datagram)
        self.lose = lambda source, datagram: False
        self.answers = True
        self.link = self.node = None
        self.restart()
        self.boot(boot)

    def restart(self):
        """The gateway starts anew."""
        self.link = gateway_of(self.nodes, self.generator)
        return self.link

    def boot(self, number):
        """The node starts anew."""
        self.node = link_of(NODE, GATEWAY, boot=number, random_below=self.generator.randrange)
        return self.node

    def ask(self, payload=b"payload", path=b"t", **more):
        """A request of the node, and whatever follows from it at once."""
        number = self.node.request(GATEWAY, messages.POST, (path,), payload, now_ms=self.now_ms, **more)
        self.settle()
        return number

    def answered(self, payload=b"payload"):
        """Whether a request is answered now."""
        number = self.ask(payload)
        return any(isinstance(event, Response) and event.exchange == number for event in self.events)

    def to_gateway(self, datagram, peer="node"):
        """The gateway gets this; what it is asked by it."""
        asked = self.link.receive(datagram, peer, now_ms=self.now_ms)
        self._hear(asked)
        return asked

    def to_node(self, datagram, peer=GATEWAY):
        self._note(self.node.receive(datagram, peer, now_ms=self.now_ms))

    def settle(self):
        """Carry until nobody says anything more."""
        for _ in range(100):
            self._note(self.node.poll(now_ms=self.now_ms))
            self._hear(self.link.poll(now_ms=self.now_ms))
            flying = [("node", datagram) for _, datagram in self.node.outgoing()]
            flying += [(GATEWAY, datagram) for _, datagram in self.link.outgoing()]
            if not flying:
                return
            for source, datagram in flying:
                self.traffic.append((source, datagram))
                if not self.lose(source, datagram):
                    (self.to_gateway if source == "node" else self.to_node)(datagram)
        raise AssertionError("they never fall silent")

    def pass_time(self, for_ms):
        until_ms = self.now_ms + for_ms
        while True:
            due = [at_ms for at_ms in (self.node.deadline_ms(), self.link.deadline_ms()) if at_ms is not None]
            at_ms = max(self.now_ms + 1, min(due, default=until_ms))
            if at_ms >= until_ms:
                break
            self.now_ms = at_ms
            self.settle()
        self.now_ms = until_ms
        self.settle()

    def said(self, source):
        return [datagram for origin, datagram in self.traffic if origin == source]

    def failed(self):
        return [event.reason for event in self.events if isinstance(event, Failed)]

    def _hear(self, asked):
        for one in asked:
            self.heard.append(one)
            if self.answers:
                refused = self.link.respond(one.exchange, messages.CHANGED, answer_to(one.payload), now_ms=self.now_ms)
                assert refused is None

    def _note(self, events):
        for event in events:
            (self.served if isinstance(event, Request) else self.events).append(event)


def counted(link):
    """Counters that are not zero."""
    return {name: count for name, count in link.counters.items() if count}


ACTIONS = ("ask", "reboot", "restart", "takeover", "forge", "replay", "replay-to-node")


class World:
    """Nodes and two gateways of the same keys, one of which is reachable at a time, through a bad link."""

    def __init__(self, seed, *, nodes=(NODE, OTHER), loss=0.3, duplication=0.2, delay_max_ms=6000):
        self.generator = Random(seed)
        self.now_ms = 1000
        self.ids = nodes
        self.bad = BadLink(self.generator, loss=loss, duplication=duplication, delay_max_ms=delay_max_ms)
        self.boots = dict.fromkeys(nodes, 0)
        self.nodes = {}
        self.gateways = [gateway_of(nodes, self.generator) for _ in range(2)]
        self.now_there = 0
        self.late = []  # (due_ms, gateway, exchange, payload)
        self.sent = {}  # payload: node
        self.open = {}  # (node, boot, exchange): payload
        self.heard = []  # (node, path, payload)
        self.answered = []  # (payload, answer)
        self.failed = []
        self.overheard = {node: [] for node in nodes}  # of each, what it said and what it was told
        self.hints_answered = 0
        for node in nodes:
            self.reboot(node)

    def reboot(self, node):
        self.boots[node] += 1
        self.nodes[node] = link_of(node, GATEWAY, boot=self.boots[node], random_below=self.generator.randrange)

    def act(self, action, node):
        if action == "ask":
            self.ask(node)
        elif action == "reboot":
            self.reboot(node)
        elif action == "restart":
            self.gateways[self.now_there] = gateway_of(self.ids, self.generator)
        elif action == "takeover":
            self.now_there = 1 - self.now_there
        elif action == "forge":
            said = [datagram for source, datagram in self.overheard[node][-6:] if source == node]
            if said:
                self.deliver(node, GATEWAY, hint(said[-1]))
        else:
            self.replay(node, to_node=action == "replay-to-node")
        self.drain()

    def ask(self, node):
        payload = f"{node.hex()}/{len(self.sent)}".encode()
        number = self.nodes[node].request(GATEWAY, messages.POST, (b"t",), payload, now_ms=self.now_ms)
        if not isinstance(number, Refused):
            self.sent[payload] = node
            self.open[node, self.boots[node], number] = payload

    def replay(self, node, *, to_node):
        """Something that was on the air, in a message of its own, or as it was."""
        said = [datagram for source, datagram in self.overheard[node] if (source == GATEWAY) == to_node]
        if not said:
            return
        datagram = self.generator.choice(said)
        if self.generator.random() < 0.7 and messages.decode(datagram).code != messages.EMPTY:
            datagram = again(datagram, self.generator.randrange(0x10000))
        self.deliver(*((node, GATEWAY) if to_node else (GATEWAY, node)), datagram)

    def deliver(self, destination, source, datagram):
        if destination == GATEWAY:
            asked = self.gateways[self.now_there].receive(datagram, source, now_ms=self.now_ms)
            self.hear(asked)
        else:
            self.note(destination, self.nodes[destination].receive(datagram, source, now_ms=self.now_ms))

    def hear(self, asked):
        gateway = self.gateways[self.now_there]
        for one in asked:
            self.heard.append((one.node, one.path, one.payload))
            wait_ms = self.generator.choice((0, 0, 300, 2500))
            self.late.append((self.now_ms + wait_ms, gateway, one.exchange, one.payload))

    def note(self, node, events):
        for event in events:
            payload = self.open.pop((node, self.boots[node], event.exchange))
            if isinstance(event, Response) and event.code == messages.CHANGED:
                self.answered.append((payload, event.payload))
            else:
                self.failed.append(payload)

    def turn(self):
        """All that is due now."""
        for _, _, destination, source, datagram in self.bad.arrived(self.now_ms):
            self.deliver(destination, source, datagram)
        for late in [late for late in self.late if late[0] <= self.now_ms]:
            self.late.remove(late)
            late[1].respond(late[2], messages.CHANGED, answer_to(late[3]), now_ms=self.now_ms)
        self.hear(self.gateways[self.now_there].poll(now_ms=self.now_ms))
        self.gateways[1 - self.now_there].poll(now_ms=self.now_ms)
        for node, link in self.nodes.items():
            self.note(node, link.poll(now_ms=self.now_ms))
        self.drain()

    def drain(self):
        for node, link in self.nodes.items():
            for _, datagram in link.outgoing():
                self.overheard[node].append((node, datagram))
                self.bad.carry(node, GATEWAY, datagram, self.now_ms)
        for index, gateway in enumerate(self.gateways):
            for peer, datagram in gateway.outgoing():
                if index == self.now_there:
                    self.overheard[peer].append((GATEWAY, datagram))
                    self.bad.carry(GATEWAY, peer, datagram, self.now_ms)

    def pass_time(self, for_ms):
        until_ms = self.now_ms + for_ms
        while self.now_ms < until_ms:
            due = [self.bad.next_ms(), *(link.deadline_ms() for link in (*self.nodes.values(), *self.gateways))]
            due += [late[0] for late in self.late]
            self.now_ms = max(self.now_ms + 1, min([until_ms, *(at_ms for at_ms in due if at_ms is not None)]))
            self.turn()

    def run(self, plan):
        """plan: [(pause_ms, action, index of the node), …]"""
        for pause_ms, action, index in plan:
            self.act(action, self.ids[index % len(self.ids)])
            self.pass_time(pause_ms)
        return self

    def end_of_faults(self):
        """The link is good from now on, and everything under way ends."""
        self.bad = BadLink(self.generator, loss=0, duplication=0, delay_max_ms=50)
        for _ in range(100):
            if not self.open and not self.late:
                return
            self.open = {key: payload for key, payload in self.open.items() if key[1] == self.boots[key[0]]}
            self.pass_time(20_000)
        raise AssertionError("something is under way for ever")


def check(world):
    """What the applications know is what was said."""
    heard = {}
    for node, path, payload in world.heard:
        assert world.sent.get(payload) == node and path == (b"t",), "handed over as it was sent, and by whom"
        heard[payload] = heard.get(payload, 0) + 1
    for payload, answer in world.answered:
        assert payload in heard, "what a node believes answered was handed to the gateway's application"
        assert answer == answer_to(payload)
    # A request goes out a second time, under new keys, when it was answered with an unprotected 4.01.
    assert max(heard.values(), default=0) <= 2
