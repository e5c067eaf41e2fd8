"""The control daemon with a real broker and gateways that come and go: leases, policies, commands, words, noise."""

import json
import os
import signal
import time

import pytest

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
pytest.importorskip("cryptography", reason="cryptography is not installed")

from tests.support.authority import Authority
from tests.support.broker import PATIENCE_S, until
from tests.support.control_rig import LEASE_S, ControlRig
from tests.support.control_world import INSEE, order, signed_order
from tools.centre.control import file as control_file
from tools.centre.control import gateways, orders, outbox
from wire import command

pytestmark = [pytest.mark.broker, pytest.mark.live]


@pytest.fixture
def world(tmp_path, mosquitto_path):
    world = ControlRig(tmp_path, mosquitto_path)
    yield world
    world.close()


def test_a_lease_is_granted_within_bounds_and_an_overtaken_ask_is_not_answered(world):
    world.daemon()
    gateway = world.gateway()
    gateway.ask(b"nonce--1", duration_s=300)
    assert gateway.granted(b"nonce--1") == 300
    gateway.ask(b"nonce--2", duration_s=86_400)
    assert gateway.granted(b"nonce--2") == LEASE_S
    gateway.ask(b"nonce--1")
    gateway.ask(b"nonce--3")
    assert gateway.granted(b"nonce--3") == 300
    assert [grant.nonce for grant in gateway.grants] == [b"nonce--1", b"nonce--2", b"nonce--3"]
    assert world.look(gateways.refusals) == {"ask-stale": 1}


def test_a_policy_is_retained_and_sent_again_after_the_broker_forgot_it(world):
    world.daemon()
    gateway = world.gateway()
    gateway.ask(b"nonce--1", policy_version=0)
    until(lambda: gateway.bundles, "no policy")
    assert gateway.bundles[0][0][1] == (world.folder / "1.policy").read_bytes()
    gateway.ask(b"nonce--2", policy_version=1)
    gateway.granted(b"nonce--2")
    assert len(gateway.bundles) == 1, "it has it"
    assert world.publish(2) == 0
    until(lambda: len(gateway.bundles) == 2, "the new policy did not come by itself")
    # Whoever subscribes later is given what the broker kept.
    gateway.disconnect()
    gateway.connect()
    until(lambda: len(gateway.bundles) == 3, "nothing is retained")
    newest = (world.folder / "2.policy").read_bytes()
    assert gateway.bundles[2] == ((None, newest), True)
    world.broker.kill()
    world.broker.start()
    gateway.disconnect()
    gateway.connect()
    world.wait_connected()
    gateway.ask(b"nonce--3", policy_version=1)
    until(lambda: len(gateway.bundles) == 4, "the policy was not sent again")
    assert gateway.bundles[3][0] == (None, newest)


def test_a_command_for_a_cabinet_that_is_away_arrives_at_its_return_but_not_after_its_expiry(world):
    world.daemon()
    gateway = world.gateway()
    world.until_heard("cab-1")
    gateway.disconnect()
    assert world.light() == 0
    assert world.type("light", "--commune", INSEE, "--for", "15s", "--reason", "court") == 0
    until(lambda: world.log().count('"command-sent"') == 2, "the broker was not given both")
    time.sleep(16)
    gateway.connect()
    gateway.ask(b"nonce--1")
    gateway.granted(b"nonce--1")
    until(lambda: gateway.commands, "nothing arrived")
    assert {one.reason for one, _, _ in gateway.commands} == {"accident"}
    assert not any(retained for _, _, retained in gateway.commands)


def test_a_cabinet_without_a_session_is_sent_the_command_when_it_speaks(world, capsys):
    world.daemon()
    assert world.light("--gateway", "cab-9") == 0
    until(lambda: '"No matching subscribers"' in world.log(), "the broker keeps it for somebody")
    said = capsys.readouterr()
    assert "cab-9 n’a encore jamais donné signe de vie" in said.err
    world.type("commands")
    assert "No matching subscribers" in capsys.readouterr().out
    gateway = world.gateway("cab-9")
    until(lambda: gateway.commands, "nothing arrived")
    assert gateway.commands[0][0].gateway == "cab-9"


def test_a_command_comes_again_with_the_same_id_until_the_first_word(world):
    world.daemon()
    gateway = world.gateway()
    world.until_heard("cab-1")
    world.light()
    until(lambda: gateway.commands, "nothing arrived")
    asked = 0

    def ask_again():
        nonlocal asked
        asked += 1
        gateway.ask(b"%08d" % asked)
        return len(gateway.commands) > 1

    until(ask_again, "it was not sent again")
    assert len({(one.id, signed) for one, signed, _ in gateway.commands}) == 1
    gateway.say(gateway.commands[0][0].id, "received")
    until(lambda: '"outcome"' in world.log(), "the word was not heard")
    gateway.ask(b"the-last")
    gateway.granted(b"the-last")  # so what was sent before the word has come
    before, stop = len(gateway.commands), time.monotonic() + 3  # longer than the pause between two sendings
    while time.monotonic() < stop:
        ask_again()
    assert len(gateway.commands) == before


def test_words_are_told_by_gateway_and_feeder(world, capsys):
    world.daemon()
    first, second = world.gateway("cab-1", obeys={"bourg": 4480}), world.gateway("cab-2")
    world.until_heard("cab-1")
    world.until_heard("cab-2")
    world.light()
    until(lambda: second.commands, "nothing arrived")
    second.say(second.commands[0][0].id, "refused", why="clock")
    capsys.readouterr()

    def told():
        assert world.type("commands", "--json") == 0
        (found,) = json.loads(capsys.readouterr().out)
        return [(one["gateway"], one["state"], one["why"], one["feeders"]) for one in found["gateways"]]

    until(lambda: len(told()) == 2 and told()[0][3] and told()[0][3][0]["state"] == "measured", "not measured")
    until(lambda: told()[1][1:3] == ("refused", "clock"), "not refused")
    assert (told()[0][3][0]["feeder"], told()[0][3][0]["power_w"]) == ("bourg", 448.0)
    assert first.commands[0][0] == second.commands[0][0]


def test_the_whole_way_is_followed_and_shows_in_the_exit_status(world, capsys):
    world.daemon()
    gateway = world.gateway(obeys={"bourg": 4480, "ecole": 900, "route": 2100})
    world.until_heard("cab-1")
    capsys.readouterr()
    assert world.light("--wait", "60") == 0
    said = capsys.readouterr().out
    for words in ("cab-1  reçu", "bourg  mesuré : 448,0 W", "3 départ(s) sur 3 suivent l’ordre"):
        assert words in said
    id = gateway.commands[0][0].id
    assert world.type("end", "--command", id.hex(), "--wait", "60") == 0
    assert "terminé partout" in capsys.readouterr().out
    assert gateway.commands[-1][0].ends == id
    gateway.obeys = {"bourg": 4480}
    assert world.light("--wait", "8", "--lang", "en") == 1
    said = capsys.readouterr().out
    assert "1 of 3 feeders follow the command" in said and "not measured everywhere: ecole, route" in said


def test_what_is_said_while_the_daemon_is_dead_is_heard_at_its_return(world):
    process = world.daemon()
    gateway = world.gateway()
    world.until_heard("cab-1")
    world.light()
    until(lambda: gateway.commands, "nothing arrived")
    process.send_signal(signal.SIGKILL)
    process.wait()
    gateway.say(gateway.commands[0][0].id, "measured", feeder="bourg", power_dw=4480)
    assert world.light() == 1, "without a daemon nobody sends it"
    world.daemon()
    until(lambda: '"measured"' in world.log(), "the word was lost")
    until(lambda: len({one.id for one, _, _ in gateway.commands}) == 2, "the second was not sent")


def test_noise_is_counted_and_does_no_harm(world):
    world.daemon()
    gateway = world.gateway()
    for payload in (b"", b"\xff" * 40, os.urandom(100_000), b"\x9f" * 64):
        gateway.publish("r", payload)
        gateway.publish("s", payload)
    for _ in range(150):  # more than a broker hands us before we acknowledge
        gateway.publish("s", b"maybe")
    gateway.publish("r", command.encode_reply(command.Ask(b"nonce--0", 300, 1, 1)), retain=True)
    gateway.publish("r", b"", retain=True)
    gateway.say(order(7).id, "measured", feeder="bourg")
    gateway.ask(b"nonce--1")
    assert gateway.granted(b"nonce--1") == 300
    refused = world.look(gateways.refusals)
    assert refused["state"] == 154 and refused["outcome-unknown-command"] == 1
    assert sum(refused.values()) >= 10
    assert world.daemons[0].poll() is None and "Traceback" not in world.log()


def test_one_daemon_serves_a_file_and_says_when_it_stops(world):
    process = world.daemon()
    words = ["control", "--broker", f"127.0.0.1:{world.broker.port}", "--insecure"]
    assert world.type(*words) == 1
    assert process.poll() is None
    world.broker.kill()
    world.wait_connected(False)
    process.terminate()
    assert process.wait(PATIENCE_S) == 0 and '"stopped"' in world.log()
    assert control_file.serving_daemon(str(world.path)) is None


def test_over_tls_with_certificates_and_its_refusal_is_told(tmp_path, mosquitto_path):
    territory, stranger = (Authority(tmp_path, name) for name in ("territory", "stranger"))
    certificate, key = territory.issue("broker", address="127.0.0.1")
    files = f"cafile {territory.certificate}\ncertfile {certificate}\nkeyfile {key}\n"
    broker = f"require_certificate true\nuse_identity_as_username true\ntls_version tlsv1.3\n{files}"
    ours = territory.issue("control-1")
    trust = ["--ca", territory.certificate, "--cert", ours[0], "--key", ours[1]]
    rig = ControlRig(tmp_path, mosquitto_path, broker=broker, trust=[str(word) for word in trust])
    try:
        rig.daemon().terminate()
        until(lambda: '"stopped"' in rig.log(), "it does not stop")
        rig.trust = ["--ca", str(stranger.certificate), *rig.trust[2:]]
        rig.daemon(connected=False)
        until(lambda: "CERTIFICATE_VERIFY_FAILED" in rig.log(), "it took a stranger for the broker")
    finally:
        rig.close()


def test_no_key_and_no_payload_is_in_the_log(world):
    world.daemon()
    gateway = world.gateway(obeys={"bourg": 4480})
    world.until_heard("cab-1")
    gateway.ask(b"nonce--1", policy_version=0)
    world.light("--target", "bourg", "--wait", "60")
    for line in world.log().splitlines():
        json.loads(line)
    for secret in ("PRIVATE", "accident", b"nonce--1".hex(), "nonce--1"):
        assert secret not in world.log()


def test_what_was_signed_in_the_web_is_sent_by_the_running_daemon_or_by_the_next(world):
    def put(number):
        now_s = int(time.time())
        signed = signed_order(order(number, start_s=now_s))
        outbox.put(outbox.path_of(world.web), orders.opened(signed, now_s), "A. Martin", now_s=now_s)
        return signed

    def sent():
        return {signed for _, signed, _ in gateway.commands}

    running = world.daemon()
    gateway = world.gateway()
    gateway.ask(b"nonce--1")
    gateway.granted(b"nonce--1")
    first = put(1)
    until(lambda: sent() == {first}, "nothing arrived")
    running.kill()
    running.wait()
    second = put(2)
    world.daemon()
    until(lambda: second in sent(), "what was signed meanwhile did not arrive")
