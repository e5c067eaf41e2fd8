"""Tries a broker over the network: what it offers the centre, whom it admits, what a gateway's account may do.

Every trial is a connection of its own with a clean session, for a broker may answer what it does not allow by closing
the connection (RabbitMQ does). What is published is empty and names a gateway that does not exist wherever the topic
leaves it open, so the centre counts it as refused and nothing acts on it. Must not join the group of the ingests: it
would take their messages.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.language import N_
from tools.centre import mqtt
from tools.centre.mqtt import BrokerAddress, Finding, Offer
from wire import topic as topics

# A broker at hand answers in milliseconds, one over a slow link within this, or one that writes the roles of 20,000
# cabinets anew; then it does not answer.
_ANSWER_S = 10.0
# The name and the commune of no gateway (INSEE codes end at 98); a group that no ingest is in.
_NOBODY, _NOWHERE, _GROUP = "bocage-check", "99000", "$share/bocage-check/"

# Topics that one line shows.
_SHOWN_MAX = 3

Gateway = tuple[str, str]  # INSEE code and name


class Refused(Exception):
    """Says that the broker does not admit a connection, in its words."""


class Trial:
    """Holds one connection; its methods return whether the broker allows what they do."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._connack: tuple[str | None, Properties | None] | None = None
        self._answers: dict[int, bool] = {}
        self._is_gone = False
        self.received: list[tuple[str, bool, bytes]] = []  # topic, whether it was retained, payload
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = lambda _client, _userdata, mid, reason, _: self._note(mid, not reason.is_failure)
        client.on_subscribe = lambda _client, _userdata, mid, reasons, _: self._note(mid, not reasons[0].is_failure)
        client.on_message = self._on_message

    def offer(self) -> Offer:
        """Returns what the broker offers; Refused where it does not admit us."""
        self._wait(lambda: self._connack is not None)
        if self._connack is None:
            raise Refused("the connection was closed" if self._is_gone else "no answer")
        refusal, properties = self._connack
        if refusal is not None:
            raise Refused(refusal)
        return mqtt.offer_of(properties)

    def publishes(self, topic: str, payload: bytes = b"", *, retain: bool = False) -> bool:
        """Returns whether a message of QoS 1 is accepted; nobody need be subscribed."""
        return self._is_answered(self._client.publish(topic, payload, qos=1, retain=retain).mid)

    def subscribes(self, pattern: str) -> bool:
        return self._is_answered(self._client.subscribe(pattern, 1)[1])

    def hears(self, topic: str) -> bool:
        """Returns whether a message on this topic comes before the broker would have answered anything."""
        return self.payload_on(topic) is not None

    def payload_on(self, topic: str) -> bytes | None:
        """Returns the first message on this topic, which may have come already; None where none comes in time."""
        self._wait(lambda: any(name == topic for name, *_ in self.received))
        return next((payload for name, _, payload in self.received if name == topic), None)

    def _is_answered(self, mid: int | None) -> bool:
        self._wait(lambda: mid in self._answers)
        return mid is not None and self._answers.get(mid, False)

    def _wait(self, reached) -> None:
        end_s = time.monotonic() + _ANSWER_S
        while not (reached() or self._is_gone) and time.monotonic() < end_s:
            if self._client.loop(timeout=0.1) != 0:
                self._is_gone = True

    def _note(self, mid, is_allowed):
        self._answers[mid] = is_allowed

    def _on_connect(self, _client, _userdata, _flags, reason, properties):
        self._connack = str(reason) if reason.is_failure else None, properties

    def _on_disconnect(self, *_):
        self._is_gone = True

    def _on_message(self, client, _userdata, message):
        self.received.append((message.topic, bool(message.retain), bytes(message.payload)))
        client.ack(message.mid, message.qos)


@contextmanager
def trial(address: BrokerAddress) -> Iterator[Trial]:
    """Gives a connection that is admitted; Refused, or OSError, where there is none."""
    client = mqtt.new_client(address)
    found = Trial(client)
    client.connect(address.host, address.port, keepalive=mqtt.KEEPALIVE_S, clean_start=True, properties=_ask())
    try:
        found.offer()
        yield found
    finally:
        client.disconnect()


def _ask() -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 0
    return properties


def is_allowed(address: BrokerAddress, doing: str, topic: str) -> bool:
    """Returns whether an account may do ("publishes", "subscribes") that, on a connection of its own."""
    with trial(address) as one:
        return bool(getattr(one, doing)(topic))


# --- what is looked at ---------------------------------------------------------------------------------------------


def offer_findings(address: BrokerAddress) -> list[Finding]:
    """Returns what the broker lacks of what the centre wants, asked as the centre asks: with a session that lasts."""
    client = mqtt.new_client(address)
    found = Trial(client)
    mqtt.connect(client, address)
    try:
        lacking = mqtt.findings(found.offer())
    finally:
        client.disconnect(properties=mqtt.ending())
    return [Finding(N_("it speaks MQTT 5 and admits the centre")), *lacking]


def trust_findings(address: BrokerAddress) -> list[Finding]:
    """Returns whom the broker admits: nobody without a certificate, nothing below TLS 1.3."""
    if address.ca is None:
        return [Finding(
            N_("there is no TLS: everybody on the way reads, writes and takes messages away"),
            N_("give the broker a certificate and a TLS listener, and leave the plain one to the loopback"), True,
        )]
    found = []
    nobody = replace(address, client_id="bocage-check-nobody", cert=None, key=None)
    if _is_admitted(nobody):
        found.append(Finding(
            N_("it admits a client without a certificate"),
            N_("Mosquitto: require_certificate true, allow_anonymous false; RabbitMQ: ssl_options.fail_if_no_peer_cert "
               "= true, mqtt.allow_anonymous = false"), True,
        ))
    else:
        found.append(Finding(N_("it admits nobody without a certificate")))
    if _speaks_older_tls(address):
        found.append(Finding(
            N_("it speaks TLS 1.2 too"),
            N_("Mosquitto: tls_version tlsv1.3; RabbitMQ: ssl_options.versions.1 = tlsv1.3"),
        ))
    else:
        found.append(Finding(N_("it speaks TLS 1.3 only")))
    return found


def _is_admitted(address: BrokerAddress) -> bool:
    try:
        with trial(address):
            return True
    except (Refused, OSError):
        return False


def _speaks_older_tls(address: BrokerAddress) -> bool:
    context = ssl.create_default_context(cafile=address.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if address.cert:
        context.load_cert_chain(address.cert, address.key)
    try:
        with socket.create_connection((address.host, address.port), _ANSWER_S) as plain:
            context.wrap_socket(plain, server_hostname=address.host).close()
    except OSError:
        return False
    return True


def gateway_findings(centre: BrokerAddress, address: BrokerAddress, gateway: Gateway) -> list[Finding]:
    """Returns what a gateway's account may do that it must not, and may not do that it needs. `address` is the same
    broker, with the gateway's certificate and client id."""
    own = {kind: topics.build(kind, *gateway) for kind in topics.KINDS}
    missing = [
        own[kind]
        for kinds, doing in (("tesrq", "publishes"), ("acpk", "subscribes"))
        for kind in kinds
        if not is_allowed(address, doing, own[kind])
    ]
    found = [
        _judged(
            missing,
            N_("a gateway may do what it needs: publish on its t, e, s, r and q, subscribe to its a, c, p and k"),
            N_("a gateway may not use its own {topics}: its records, orders or policies do not pass"),
            N_("allow each gateway its own topics, by a role with literal names"),
        ),
        _judged(
            _allowed(address, "publishes", _foreign(gateway, "tesrq")),
            N_("it cannot speak in another gateway's name, nor for another commune"),
            N_("it may publish on {topics}: one opened cabinet speaks for every lamp of the territory"),
            N_("give each gateway a role of its own, with literal topics (Mosquitto: plugin dynamic-security, for an "
               "acl_file cannot bind the commune; RabbitMQ: set_topic_permissions)"),
        ),
        _judged(
            _allowed(address, "publishes", [own["c"], own["p"], own["a"], own["k"], *_foreign(gateway, "cpak")]),
            N_("it cannot publish orders, policies, receipts or certificates"),
            N_("it may publish on {topics}: what is not signed is refused there, but it costs what it fills"),
            N_("let only the centre's accounts publish on a, c, p and k"),
        ),
        _judged(
            _allowed(address, "subscribes", ["#", *_foreign(gateway, "cp"), *_shared(centre)]),
            N_("it cannot subscribe to what others receive, nor join a group of ingests"),
            N_("it may subscribe to {topics}: it reads others' orders, or takes batches that are the ingest's"),
            N_("refuse subscriptions by default (Mosquitto: plugin dynamic-security; an acl_file grants them all, and "
               "must not stand beside shared subscriptions)"),
        ),
    ]
    return [*found, _retained(centre, address, own[topics.STATE])]


def _foreign(gateway: Gateway, kinds: str) -> list[str]:
    """Returns topics of another gateway of the commune, and of the gateway's name in another commune."""
    others = ((gateway[0], _NOBODY), (_NOWHERE, gateway[1]))
    return [topics.build(kind, *other) for kind in kinds for other in others]


def _shared(centre: BrokerAddress) -> list[str]:
    """Returns a subscription that shares with others, where the broker knows such: RabbitMQ takes it for a topic."""
    with trial(centre) as one:
        return [f"{_GROUP}tc/1/t/#"] if one.offer().shares else []


def _allowed(address: BrokerAddress, doing: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if is_allowed(address, doing, name)]


def _judged(topics_found: list[str], good, bad, remedy) -> Finding:
    if not topics_found:
        return Finding(good)
    more = [] if len(topics_found) <= _SHOWN_MAX else ["…"]
    return Finding(bad, remedy, True, {"topics": ", ".join([*topics_found[:_SHOWN_MAX], *more])})


def _retained(centre: BrokerAddress, address: BrokerAddress, state: str) -> Finding:
    """Returns whether a state that a gateway left is given to who subscribes later, by a wildcard or by its topic."""
    with trial(address) as one:
        one.publishes(state, b"offline", retain=True)
    try:
        with trial(centre) as one:
            if one.subscribes("tc/1/s/+/+") and one.hears(state):
                return Finding(N_("it retains a gateway's state, and wildcards bring it"))
            if one.subscribes(state) and one.hears(state):
                return Finding(N_("it retains a gateway's state; wildcards do not bring it, and control asks by topic"))
        return Finding(
            N_("it does not retain a gateway's state: who is away is not known when control starts"),
            N_("let it retain messages (Mosquitto: retain_available true)"),
        )
    finally:
        with trial(address) as one:
            one.publishes(state, b"", retain=True)
