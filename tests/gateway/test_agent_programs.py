"""A campaign as an operator has it: the commands, a real agent, and a node that asks for its program."""

import json
import signal

import pytest

from tests.support.agent_process import AgentProcess, Client, without_broker
from tests.support.commands import bocage_gateway
from tests.support.signed_image import signed
from tests.support.update_rig import image_of
from wire import coap_message

pytestmark = pytest.mark.live
PATH = (b"f", b"thermostat")


@pytest.fixture
def agent(repository, tmp_path):
    made = AgentProcess(repository, without_broker(tmp_path))
    yield made
    made.stop(signal.SIGKILL)


def test_a_campaign_begins_is_followed_and_stopped_while_the_agent_runs(agent, tmp_path, capsys):
    def command(*words, lang="fr"):
        status = bocage_gateway("images", "--config", tmp_path / "gateway.toml", "--lang", lang, *words)
        return status, capsys.readouterr().out

    def asks(wanted):
        """Asks until the agent has seen the folder's change."""
        while (code := client.ask(address, code=coap_message.GET, path=PATH)) != wanted:
            assert code in (coap_message.NOT_FOUND, coap_message.CONTENT)

    address, client = agent.start(), Client()
    (tmp_path / "t.img").write_bytes(signed(image_of(7, product="thermostat")))
    assert command("add", tmp_path / "t.img")[0] == 0
    agent.log.wait_for(lambda line: line["what"] == "node-images")
    asks(coap_message.NOT_FOUND)
    assert command("campaign", "start", "thermostat", "--canary", 1)[0] == 0
    agent.log.wait_for(lambda line: line.get("campaigns") == {"thermostat": 7})
    asks(coap_message.CONTENT)
    status, told = command("campaign", "status")
    assert status == 0 and "« thermostat » n° 7 : 1 nœud d’abord ; proposé à 1 nœud" in told
    assert command("campaign", "stop", "thermostat")[0] == 0
    agent.log.wait_for(lambda line: line.get("campaigns") == {})
    asks(coap_message.NOT_FOUND)
    told = json.loads(command("--json", "campaign", "status")[1])["campaigns"]
    assert [(one["phase"], one["counts"]) for one in told] == [("stopped", {"offered": 1})]
