"""The broker that `bocage centre init` sets up, attacked in every way the reference lists: all refused, and seen.

One broker for all attacks; the honest cabinet and the ingest's group work before and after each.
"""

import socket
import ssl
from contextlib import suppress
from dataclasses import replace

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.authority import Authority as Stranger
from tests.support.broker import until
from tests.support.installed_centre import InstalledCentre, now
from tools.centre.broker import probe, refusals, roles
from tools.centre.control import daemon as control
from tools.centre.ingest import daemon as ingest

pytestmark = pytest.mark.broker

# How Mosquitto says it, of each client that the list names.
REVOKED = "certificate verify failed"
HONEST, OTHER = "49007-mairie-1", "49135-cab-1"


@pytest.fixture(scope="module")
def centre(mosquitto_path):
    with InstalledCentre(mosquitto_path) as made:
        yield made


@pytest.fixture(scope="module")
def honest(centre):
    return centre.enrol(HONEST)


@pytest.fixture(scope="module")
def other(centre):
    return centre.enrol(OTHER)


def admitted(address):
    try:
        with probe.trial(address):
            return True
    except (probe.Refused, OSError):
        return False


def test_a_gateway_may_do_what_it_needs_and_nothing_else(centre, honest):
    found = probe.gateway_findings(centre.centre(roles.CHECK), honest, ("49007", "mairie-1"))
    assert [one.sentence("en") for one in found if one.remedy is not None] == []
    assert len(found) == 5


def test_nobody_without_a_certificate_and_no_older_tls(centre):
    found = probe.trust_findings(centre.centre(roles.CHECK))
    assert [one.sentence("en") for one in found if one.remedy is not None] == []


def test_the_centre_is_offered_what_it_needs(centre):
    found = probe.offer_findings(centre.centre(roles.CHECK))
    assert [one.sentence("en") for one in found if one.remedy is not None] == []


@pytest.mark.parametrize("doing, topic", [
    ("publishes", "tc/1/t/49135/mairie-1"),  # its name in another commune
    ("publishes", "tc/1/t/49007/mairie-2"),
    ("publishes", "tc/1/a/49007/mairie-1"),  # a receipt for itself
    ("publishes", "tc/1/c/49135/cab-1"),
    ("publishes", roles.CONTROL_TOPIC),
    ("publishes", "$SYS/broker/uptime"),
    ("subscribes", "#"),
    ("subscribes", "tc/1/c/+/+"),
    ("subscribes", "tc/1/c/49135/cab-1"),
    ("subscribes", "tc/1/t/49007/mairie-1"),  # not even its own, back
    ("subscribes", "$share/ingest/tc/1/t/#"),
    ("subscribes", "$share/thieves/tc/1/c/49007/mairie-1"),
    ("subscribes", roles.RESPONSE_TOPIC),
    ("subscribes", "$SYS/#"),
])  # fmt: skip
def test_what_is_not_a_gateways_own_is_refused_in_the_answer(honest, doing, topic):
    assert not probe.is_allowed(honest, doing, topic)


TELEMETRY, ALARMS = roles.of_ingest(1)
ALARMS_TOPIC, TELEMETRY_TOPIC = (f"$share/ingest/{topic}" for topic in ingest.TOPICS)


@pytest.mark.parametrize("account, own, others", [
    (TELEMETRY, (TELEMETRY_TOPIC,), ALARMS_TOPIC),  # where alarms would wait behind it
    (ALARMS, (ALARMS_TOPIC,), TELEMETRY_TOPIC),
    (roles.CONTROL, control.TOPICS, "#"),
])  # fmt: skip
def test_the_centres_processes_may_subscribe_to_what_they_name(centre, account, own, others):
    assert all(probe.is_allowed(centre.centre(account), "subscribes", topic) for topic in own)
    assert not probe.is_allowed(centre.centre(account), "subscribes", others)


def without_certificate(centre, honest, _tmp):
    return admitted(replace(honest, cert=None, key=None))


def by_another_authority(centre, honest, tmp_path):
    certificate, key = Stranger(tmp_path, "stranger").issue(HONEST)
    return admitted(replace(honest, cert=str(certificate), key=str(key)))


def revoked(centre, honest, _tmp):
    stolen = centre.enrol("49007-volee-3")
    assert centre.run("revoke", "49007-volee-3") == 0
    centre.reload()
    return admitted(stolen)


def older_tls(centre, honest, _tmp):
    return probe._speaks_older_tls(honest)


def plain(centre, honest, _tmp):
    with socket.create_connection((honest.host, honest.port), 5) as scan:
        scan.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with suppress(ConnectionResetError):
            return scan.recv(100).startswith(b"HTTP")


def no_role(centre, honest, _tmp):
    return probe.is_allowed(centre.issue("49007-nobody"), "publishes", "tc/1/t/49007/nobody")


def publishing(topic):
    return lambda centre, honest, _tmp: probe.is_allowed(honest, "publishes", topic)


# The attack, which returns whether it succeeded; how the broker's log shows it, and by which name. What has no name is
# told by its address, with the cabinet that was admitted from there last.
SEEN = {
    "no certificate": (without_certificate, refusals.NO_CERTIFICATE, f"127.0.0.1 ({HONEST})"),
    "another authority": (by_another_authority, refusals.CERTIFICATE, f"127.0.0.1 ({HONEST})"),
    "revoked": (revoked, refusals.CERTIFICATE, f"127.0.0.1 ({HONEST})"),
    "TLS 1.2": (older_tls, refusals.OLD_TLS, f"127.0.0.1 ({HONEST})"),
    "no TLS": (plain, refusals.NO_TLS, f"127.0.0.1 ({HONEST})"),
    "no role": (no_role, refusals.NO_ROLE, "49007-nobody"),
    "another commune": (publishing("tc/1/t/49135/mairie-1"), refusals.TOPIC, HONEST),
    "another cabinet": (publishing("tc/1/e/49007/mairie-2"), refusals.TOPIC, HONEST),
    "a receipt": (publishing("tc/1/a/49007/mairie-1"), refusals.TOPIC, HONEST),
    "an order": (publishing("tc/1/c/49135/cab-1"), refusals.TOPIC, HONEST),
    "a policy": (publishing("tc/1/p/49007/mairie-1"), refusals.TOPIC, HONEST),
    "the accounts": (publishing(roles.CONTROL_TOPIC), refusals.TOPIC, HONEST),
}


@pytest.mark.parametrize("attack, kind, who", SEEN.values(), ids=SEEN)
def test_an_attack_is_refused_and_the_log_says_by_whom(centre, honest, tmp_path, attack, kind, who):
    def seen():
        return refusals.refusals(refusals.read(centre.log, 0)[at:], known)

    known = {HONEST, OTHER, *roles.accounts(1)}
    at = len(refusals.read(centre.log, 0))
    assert probe.is_allowed(honest, "publishes", "tc/1/t/49007/mairie-1")
    assert seen() == {}, "what is allowed is no refusal"
    assert not attack(centre, honest, tmp_path)
    until(lambda: seen().get(kind), f"the log does not say it: {refusals.read(centre.log, 0)[at:]}")
    assert seen()[kind] == {who: 1}


@pytest.mark.parametrize("topic, is_deaf", [("tc/1/a/49007/mairie-1", False), ("tc/1/a/49135/cab-1", True)])
def test_who_is_not_granted_its_subscription_is_known_by_the_want_of_a_line(centre, honest, other, topic, is_deaf):
    """Mosquitto logs what it grants; of a refusal it says nothing but to the client."""
    def seen(later_s=0):
        return refusals.deaf(refusals.read(centre.log, 0), wanted, now().timestamp() + later_s)

    wanted = {name: roles.subscriptions(name) for name in (HONEST, OTHER, *roles.accounts(1))}
    with probe.trial(honest) as cabinet:
        assert cabinet.subscribes(topic) != is_deaf
        assert probe.is_allowed(other, "subscribes", "tc/1/a/49135/cab-1"), "what is granted is logged"
        assert seen() == set(), "it may still subscribe"
        assert seen(120) == ({HONEST} if is_deaf else set())
    until(lambda: not seen(120), "one that is gone is not judged")


def test_a_day_goes_back_into_the_log_that_was_put_aside(tmp_path):
    log = tmp_path / "mosquitto.log"
    aside = "1000: too old\n2000: New connection from 192.0.2.8:1 on port 8883.\nno time\n"
    log.with_name("mosquitto.log.1").write_text(aside)
    log.write_text("3000: Client <unknown> closed its connection.\n")
    assert refusals.refusals(refusals.read(log, 1500), []) == {refusals.NO_TLS: {"192.0.2.8": 1}}


def test_refusals_that_overlap_are_told_apart_from_who_was_let_in_meanwhile():
    lines = """\
New connection from 192.0.2.7:1001 on port 8883.
New client connected from 192.0.2.7:1001 as 49007-mairie-1 (p5, c1, k30, u'49007-mairie-1').
New connection from 192.0.2.8:1002 on port 8883.
New connection from 192.0.2.9:1003 on port 8883.
OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed
Client <unknown> disconnected: Protocol error.
New client connected from 192.0.2.9:1003 as 49007-mairie-2 (p5, c1, k30, u'49007-mairie-2').
New connection from 192.0.2.7:1004 on port 8883.
Client <unknown> has exceeded timeout, disconnecting.""".splitlines()
    found = refusals.refusals(enumerate(lines), ["49007-mairie-1", "49007-mairie-2"])
    assert found == {refusals.CERTIFICATE: {"192.0.2.8": 1}, refusals.NO_TLS: {"192.0.2.7 (49007-mairie-1)": 1}}


def test_a_thief_in_the_ingests_group_gets_none_of_100(centre, honest, other):
    """With an acl_file, 50 of 100 vanished while every publisher saw success."""
    with probe.trial(centre.centre(roles.INGEST)) as group, probe.trial(other) as thief:
        assert group.subscribes(TELEMETRY_TOPIC)
        assert not thief.subscribes(TELEMETRY_TOPIC)
        with probe.trial(honest) as cabinet:
            assert all(cabinet.publishes("tc/1/t/49007/mairie-1", b"%d" % number) for number in range(100))
        group._wait(lambda: len(group.received) == 100)
        assert len(group.received) == 100
        assert thief.received == []


def old_client(address):
    client = Client(CallbackAPIVersion.VERSION2, OTHER, protocol=MQTTv311)
    context = ssl.create_default_context(cafile=address.ca)
    context.load_cert_chain(address.cert, address.key)
    client.tls_set_context(context)
    client.connect(address.host, address.port)
    while not client.is_connected():
        assert client.loop() == 0
    return client


def test_an_old_protocol_brings_nothing_under_anothers_name(centre, other):
    """MQTT 3.1.1 has no word for a refused message, and success may be said: what counts is that it goes nowhere."""
    with probe.trial(centre.centre(roles.INGEST)) as group:
        assert group.subscribes("$share/ingest/tc/1/t/#")
        for topic in ("tc/1/t/49007/mairie-1", "tc/1/t/49135/cab-1"):
            client = old_client(other)
            sent = client.publish(topic, b"x", qos=1)
            while client.loop() == 0 and not sent.is_published():
                pass
            client.disconnect()
        group._wait(lambda: bool(group.received))
        assert [topic for topic, *_ in group.received] == ["tc/1/t/49135/cab-1"]


@pytest.mark.parametrize("name", ["+", "#", "49007-mairie-1/+", "$CONTROL", "nobody"])
def test_a_name_with_wildcards_or_without_a_role_may_do_nothing(centre, name):
    address = centre.issue(name)
    tried = ("publishes", "tc/1/t/49007/mairie-1"), ("publishes", "tc/1/t/49007/nobody"), ("subscribes", "#")
    assert not admitted(address) or not any(probe.is_allowed(address, doing, topic) for doing, topic in tried)


def test_a_certificate_of_another_authority_is_refused(centre, honest, tmp_path):
    certificate, key = Stranger(tmp_path, "stranger").issue(HONEST)
    assert not admitted(replace(honest, cert=str(certificate), key=str(key)))


def test_a_session_is_named_by_its_certificate_whatever_the_client_says(centre, honest, other):
    """Under the name of another's session a client would get its queue."""
    with probe.trial(honest) as cabinet, probe.trial(replace(other, client_id=HONEST)) as thief:
        assert cabinet.publishes("tc/1/t/49007/mairie-1") and not thief.publishes("tc/1/t/49007/mairie-1")


@pytest.mark.parametrize("state, comes", [("tc/1/s/49135/cab-1", True), ("tc/1/s/49007/mairie-1", False)])
def test_a_will_in_anothers_name_is_not_carried_out(centre, other, state, comes):
    with probe.trial(centre.centre(roles.CHECK)) as watch:
        assert watch.subscribes("tc/1/s/+/+")
        client = probe.mqtt.new_client(other)
        client.will_set(state, b"offline", 1, False)
        one = probe.Trial(client)
        client.connect(other.host, other.port, clean_start=True)
        one.offer()
        client.socket().shutdown(socket.SHUT_RDWR)
        if comes:
            assert watch.hears(state)
        else:
            until(lambda: centre.said("Client 49135-cab-1 closed its connection") > 1, "the end is not noticed")
            with probe.trial(other) as cabinet:
                assert cabinet.publishes("tc/1/s/49135/cab-1", b"online")
            assert watch.hears("tc/1/s/49135/cab-1") and len(watch.received) == 1


def test_a_copied_certificate_throws_the_cabinet_out_and_the_broker_says_so(centre, honest):
    before = centre.said(f"{HONEST} already connected")
    with probe.trial(honest) as cabinet, probe.trial(honest):
        cabinet._wait(lambda: False)
        assert cabinet._is_gone
    assert centre.said(f"{HONEST} already connected") > before


def test_revoked_is_refused_at_once_at_the_door_and_behind_it(centre, honest, capsys):
    """Upstream 2999: a disabled client comes back by its certificate and publishes. A deleted one may do nothing, and
    once the broker has read the list it does not get in."""
    stolen, second = centre.enrol("49007-volee"), centre.enrol("49007-volee-2")
    with probe.trial(stolen) as connected:
        assert connected.publishes("tc/1/t/49007/volee")
        assert centre.run("revoke", "49007-volee") == 0
        connected._wait(lambda: False)
        assert connected._is_gone
    assert not admitted(stolen) or not probe.is_allowed(stolen, "publishes", "tc/1/t/49007/volee")
    # Two revocations within a second: the broker must read the second list too.
    assert centre.run("revoke", "49007-volee-2") == 0
    before = centre.said(REVOKED)
    centre.reload()
    assert not admitted(stolen) and not admitted(second)
    assert centre.said(REVOKED) > before
    assert admitted(honest) and probe.is_allowed(honest, "publishes", "tc/1/t/49007/mairie-1")


def test_roles_and_revocations_outlast_a_killed_broker(centre, honest):
    gone = centre.enrol("49007-partie")
    assert centre.run("revoke", "49007-partie") == 0
    centre.kill()
    centre.start()
    assert not admitted(gone)
    assert probe.is_allowed(honest, "publishes", "tc/1/t/49007/mairie-1")
    until(lambda: centre.said(REVOKED), "the broker does not say why")
