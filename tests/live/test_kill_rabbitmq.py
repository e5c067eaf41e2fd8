"""Debian's RabbitMQ in Mosquitto's place: kills and freezes lose and double nothing, and check-broker knows it."""

import argparse
import shutil

import pytest

from simulator.rig.rabbitmq import rabbitmq
from simulator.rig.rig import Rig
from tests.support import debian_machine
from tools import cli
from tools.prove import kill

pytestmark = [pytest.mark.services, pytest.mark.root, pytest.mark.live, pytest.mark.vm, pytest.mark.slow]


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """A Debian with its rabbitmq-server."""
    missing = debian_machine.why_not()
    if missing is not None:
        pytest.skip(missing)
    root = tmp_path_factory.mktemp("rabbitmq") / "debian"
    debian_machine.shared(tmp_path_factory, "debian", debian_machine.make_root, root)
    debian_machine.install(root, "--no-install-recommends", "rabbitmq-server")
    yield root
    shutil.rmtree(root)


@pytest.mark.timeout(900)
def test_kills_and_freezes_with_rabbitmq_lose_and_double_nothing(debian, tmp_path):
    """Each part killed twice and a freeze; each round waits until records pass again."""
    args = argparse.Namespace(rounds=10, seed=91, nodes=1, crowd=2, engine="sqlite", rabbitmq=debian)
    figures = kill.prove(tmp_path, args)
    assert all(figures[f"kills_{part}"] >= 2 for part in ("gateway", "broker", "ingest", "worker"))
    assert figures["freezes_broker"] == 1 and figures["acknowledged"] > 1000
    assert figures["lost"] == figures["duplicated"] == figures["altered"] == 0
    assert figures["stored"] >= figures["acknowledged"]
    assert '"problem": "it has no shared subscriptions' in (tmp_path / "ingest.log").read_text()


@pytest.mark.timeout(300)
def test_check_broker_knows_rabbitmq(debian, tmp_path, capsys):
    with Rig(tmp_path, nodes=0, crowd=1, broker=rabbitmq(debian)) as rig:
        assert rig.wait_until(lambda: rig.stored() > 0, 120)
        words = ["--broker", rig.broker_address, "--insecure", "--gateway", "49007-essai", "--lang", "en"]
        status = cli.main(["centre", "check-broker", *words, "--config", str(tmp_path / "rabbitmq.conf")])
    page = capsys.readouterr().out
    assert status == 1, "it admits everybody"
    assert "! it has no shared subscriptions" in page and "wildcards do not bring it" in page
    assert "$share" not in page and "durable_queue_type is" not in page and "mqtt.allow_anonymous is true" in page
