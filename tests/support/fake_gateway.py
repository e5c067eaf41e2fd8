"""A gateway as the control centre sees it, on a real broker: asks, keeps what comes, says outcomes when told to."""

import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.broker import PATIENCE_S, until
from wire import command, cose


class FakeGateway:
    """Verifies nothing and has no clock. `obeys`: the feeders that follow every command at once, with their power in
    0.1 W; `refuses`: the word with which it refuses them all. Without either it is silent."""

    def __init__(self, port, insee, name, *, obeys=None, refuses=None):
        self.insee, self.name = insee, name
        self.obeys, self.refuses = obeys or {}, refuses
        self.grants, self.bundles, self.commands = [], [], []  # commands: (Command, signed bytes, retained)
        self.stale = 0
        self._port = port
        self._asked = []
        self._client = None

    def topic(self, kind):
        return f"tc/1/{kind}/{self.insee}/{self.name}"

    def connect(self):
        """With a session that outlives the connection; returns when subscribed."""
        subscribed = threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"{self.insee}-{self.name}", protocol=mqtt.MQTTv5)
        client.on_connect = lambda *_: client.subscribe([(self.topic("c"), 1), (self.topic("p"), 1)])
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self._port, clean_start=False, properties=properties)
        client.loop_start()
        assert subscribed.wait(PATIENCE_S)
        self._client = client
        self.publish("s", b"online", retain=True)
        return self

    def disconnect(self):
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def publish(self, kind, payload, *, retain=False):
        self._client.publish(self.topic(kind), payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def ask(self, nonce, *, duration_s=300, policy_version=1, keyset_version=1):
        self._asked = [*self._asked[-1:], nonce]
        self.publish("r", command.encode_reply(command.Ask(nonce, duration_s, policy_version, keyset_version)))

    def granted(self, nonce):
        """Wait for the lease of that ask; its duration in seconds."""
        until(lambda: any(grant.nonce == nonce for grant in self.grants), f"no grant for {nonce}")
        return next(grant.duration_s for grant in self.grants if grant.nonce == nonce)

    def say(self, id, outcome, *, feeder=None, why=None, power_dw=None, unix_s=None):
        self.publish("r", command.encode_reply(command.Outcome(id, outcome, why, feeder, power_dw, unix_s)))

    def _on_message(self, _client, _userdata, message):
        if message.topic == self.topic("p"):
            self.bundles.append((command.decode_bundle(message.payload), bool(message.retain)))
            return
        control = command.decode_control(message.payload)
        if isinstance(control, command.Grant):
            if control.nonce in self._asked:
                self.grants.append(control)
            else:
                self.stale += 1
            return
        signed = cose.sign1_decode(control, bytes_max=command.SIGNED_COMMAND_BYTES_MAX)
        one = command.decode_command(signed.payload)
        is_new = all(known.id != one.id for known, _, _ in self.commands)
        self.commands.append((one, control, bool(message.retain)))
        if is_new and (self.obeys or self.refuses):
            # From another thread: paho's own must not wait for a PUBACK.
            threading.Thread(target=self._obey, args=(one,)).start()

    def _obey(self, one):
        if self.refuses:
            self.say(one.id, "refused", why=self.refuses)
            return
        self.say(one.id, "received")
        if one.kind == command.END:
            self.say(one.ends, "ended")
            self.say(one.id, "applied")
            return
        feeders = [feeder for feeder in self.obeys if one.target in (None, feeder)]
        for feeder in feeders:
            self.say(one.id, "applied", feeder=feeder)
        for feeder in feeders:
            power_dw = 0 if one.level == 0 else self.obeys[feeder]
            self.say(one.id, "measured", feeder=feeder, power_dw=power_dw)
