"""A village with real parts: keys, a signed policy, broker, control daemon, agent, contactors and meters on a serial
line.
"""

import json
import time

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from policy.document import Policy
from simulator.rig.rig import find_mosquitto
from simulator.rig.village import INSEE, NAME, Village
from tests.support.lit_world import STRANGER, bundle, policy, signed
from tools.centre.control import orders, outbox
from tools.centre.store.archive import Archive
from tools.policy.keys import load_signer
from wire import command, cose, event, record, topic
from wire.record import EventBody

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    village = Village(tmp_path_factory.mktemp("village"))
    with village:
        village.publish(village.sign_policy(2))
        assert village.wait_for(lambda told: version(told) == 2)
        yield village


def version(told):
    return told.get("cabinet", {}).get("policy", {}).get("version")


def say(village, kind, payload, *, retain=False):
    """As a stranger with access to the broker would."""
    host, port = village.rig.broker_address.split(":")
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect(host, int(port))
    client.loop_start()
    client.publish(topic.build(kind, INSEE, NAME), payload, qos=1, retain=retain).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def events(village, code):
    """Details of the gateway's events of a kind that the warehouse holds."""
    archive = Archive.open(village.rig.database)
    try:
        bodies = [record.decode_body(body) for _, _, body in archive.bodies()]
    finally:
        archive.close()
    return [body.detail for body in bodies if isinstance(body, EventBody) and body.code == code]


def reaches_warehouse(village, code, wanted):
    return village.rig.wait_until(lambda: any(wanted(detail) for detail in events(village, code)), 60)


def test_an_emergency_of_the_mayor_is_measured_in_watts_and_its_end_as_well(village):
    assert village.street.lit() == [False, False]
    words = ["--commune", INSEE, "--for", "5m", "--reason", "essai", "--wait", "60"]
    said = json.loads(village.order("light", *words).stdout)
    feeders = said["gateways"][0]["feeders"]
    assert {one["feeder"]: (one["state"], one["power_w"]) for one in feeders} == {
        "bourg": ("measured", 448.0), "parc": ("measured", 150.0),
    }  # fmt: skip
    assert village.street.lit() == [True, True]
    village.order("end", "--command", said["id"], "--wait", "60")
    assert village.rig.wait_until(lambda: village.street.lit() == [False, False], 60)
    assert reaches_warehouse(village, event.COMMAND_OUTCOME, lambda detail: detail[1:4] == ["measured", None, "bourg"])
    assert reaches_warehouse(village, event.COMMAND_OUTCOME, lambda detail: detail[1] == "ended")


def test_an_order_that_was_signed_in_the_web_is_fetched_and_lights(village):
    mayor = load_signer(village.key("maire"), lambda path: b"")
    now_s = int(time.time())
    window = (now_s, now_s + 300)
    whole = (INSEE, None, None, None, None, None)
    asked = command.Command(b"from-web", command.EMERGENCY, "Maire", "fête", *window, *whole)
    data = cose.sign1_encode(command.encode_command(asked), mayor.kid, cose.COMMAND_AAD, mayor.sign)
    outbox.put(outbox.path_of(village.web), orders.opened(data, now_s), "A. Martin", now_s=now_s)
    assert village.rig.wait_until(lambda: village.street.lit() == [True, True], 60)
    village.order("end", "--command", asked.id.hex(), "--wait", "60")
    assert village.rig.wait_until(lambda: village.street.lit() == [False, False], 60)


def test_an_override_lights_one_feeder_and_outlives_a_kill_of_the_agent_with_its_lease(village):
    words = ["--commune", INSEE, "--target", "bourg", "--level", "100", "--for", "10m", "--reason", "bal"]
    said = json.loads(village.order("override", *words, "--wait", "60", "--yes").stdout)
    assert village.street.lit() == [True, False]
    village.rig.kill(village.rig.gateway, 0.5)
    assert village.wait_for(lambda told: told.get("cabinet", {}).get("lease", {}).get("held"))
    assert village.rig.wait_until(lambda: village.street.lit() == [True, False], 60)
    village.order("end", "--command", said["id"], "--wait", "60")
    assert village.rig.wait_until(lambda: village.street.lit() == [False, False], 60)


def test_what_a_stranger_says_changes_nothing_and_is_told(village):
    now_s = village.status()["cabinet"]["unix_s"]
    window = (now_s, now_s + 600)
    asked = command.Command(b"stranger", command.EMERGENCY, "X", "x", *window, INSEE, None, None, None, None, None)
    say(village, topic.COMMAND, signed(asked, STRANGER))
    for size in (60_000, 100_000):  # the broker keeps back what is beyond the agent's Maximum Packet Size
        say(village, topic.COMMAND, bytes(size))
    for made, key in ((policy(9), STRANGER), (policy(9, insee="49135"), STRANGER)):
        say(village, topic.POLICY, bundle(made, key), retain=True)
    for size in (60_000, 100_000):
        say(village, topic.POLICY, bytes(size))
    for code, wanted in (
        (event.COMMAND_OUTCOME, "stranger"),
        (event.COMMAND_OUTCOME, "too-long"),
        (event.POLICY_REFUSED, "stranger"),
        (event.POLICY_REFUSED, "too-long"),
    ):
        assert reaches_warehouse(village, code, lambda detail, wanted=wanted: wanted in detail), wanted
    assert village.street.lit() == [False, False]
    assert version(village.status()) == 2


def test_an_older_policy_and_another_communes_key_are_refused_before_they_are_sent(village):
    older = village.sign_policy(1)
    words = ["centre", "policy", "publish", "--db", str(village.control_db), "--policy", str(older)]
    done = village.bocage(*words, may_fail=True)
    assert done.returncode == 1 and "2" in done.stderr
    assert version(village.status()) == 2
    assert isinstance(policy(), Policy)


def test_a_policy_change_moves_the_contactors(village):
    village.publish(village.sign_policy(3, steps='["12:00 on", "11:59 off"]'))
    assert village.wait_for(lambda told: version(told) == 3)
    by_day = village.street.lit()
    told = village.status()["cabinet"]
    assert [one["rule"] for one in told["feeders"]] == ["policy", "policy"]
    assert [one["ordered"] for one in told["feeders"]] == by_day


def test_the_agent_explains_itself(village):
    config = str(village.folder / "gateway.toml")
    said = village.bocage("gateway", "explain", "bourg", "--config", config).stdout
    assert "bourg" in said and "politique" in said.lower()
    status = village.bocage("gateway", "status", "--config", config, may_fail=True).stdout
    assert "bourg" in status


def test_lamps_that_go_out_are_told_with_their_number(village):
    village.publish(village.sign_policy(4))
    assert village.wait_for(lambda told: version(told) == 4)
    village.street.stuck[0] = True  # welded
    assert reaches_warehouse(village, event.CONTACTOR_STUCK, lambda detail: detail == ["bourg", False])
    (alarm,) = village.status()["cabinet"]["alarms"]
    assert (alarm["what"], alarm["feeder"], alarm["detail"]) == ("contactorStuck", "bourg", [False])
    village.street.stuck.clear()
    assert village.wait_for(lambda told: told["cabinet"]["alarms"] == [])
