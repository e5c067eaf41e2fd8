"""The agent when something of its own is late or wrong: named, told, ended where it must be, and only there."""

import asyncio
import errno
import json
import os
import re
import shutil

import pytest

from tests.support.agent_process import run_agent, until, without_broker
from tests.support.broker import PATIENCE_S
from tests.support.hostile_broker import HostileBroker

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
pytestmark = pytest.mark.live

from gateway import agent as agent_module  # noqa: E402 - only once paho is known to be there
from gateway.config import config  # noqa: E402
from gateway.core.gateway import Gateway  # noqa: E402
from gateway.core.status import Status  # noqa: E402
from gateway.io import status_socket  # noqa: E402
from gateway.show.findings import findings  # noqa: E402


@pytest.fixture
def settings(tmp_path):
    return without_broker(tmp_path)


def test_a_task_that_is_late_is_named_and_the_watchdog_goes_hungry(settings, monkeypatch, capsys):
    fed = []

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        monkeypatch.setattr(agent._operation.notify, "alive", lambda: fed.append(1))
        agent._watch()
        assert fed == [1]
        # Asked for and never reported: its minute was over an hour ago.
        agent._heartbeats.expect("journal-sync", 60_000, now_ms=-3_600_000)
        agent._watch()
        agent._watch()
        assert fed == [1] and [late.name for late in agent._operation.facts.late] == ["journal-sync"]
        agent._heartbeats.forget("journal-sync")
        agent._watch()
        assert fed == [1, 1] and agent._operation.facts.late == []
        agent._stop.set()

    run_agent(settings, beside)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    late = [line for line in lines if line["what"] == "heartbeat-late"]
    assert [(line["name"], line["level"]) for line in late] == [("journal-sync", "error")]


def refuse(code):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    ("code", "key"), [(errno.EROFS, "card_read_only"), (errno.EIO, "card_failing"), (errno.ENOSPC, "card_failing")]
)
def test_a_card_that_cannot_be_written_at_the_start_keeps_no_agent_from_starting(settings, monkeypatch, code, key):
    monkeypatch.setattr("gateway.shell.startup.next_boot", refuse(code))

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        assert key in [found.key for found in findings(agent._operation.status())]
        agent._core.journal.flush()
        agent._turn()
        agent._stop.set()

    run_agent(settings, beside)


@pytest.mark.parametrize("kind", ["file", "pipe", "no folder at all"])
def test_a_data_folder_that_is_none_keeps_no_agent_from_starting(settings, tmp_path, kind):
    data = config.load(settings, insecure=True).data
    data.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        (data / "journal").write_text("a file")
    elif kind == "pipe":
        os.mkfifo(data / "state")
    else:
        shutil.rmtree(data)
        data.write_text("a file")

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        assert "card_failing" in [found.key for found in findings(agent._operation.status())]
        agent._stop.set()

    run_agent(settings, beside)


def test_strange_entries_in_the_state_folder_are_named_and_stop_no_recording(settings, tmp_path):
    """Names that are too long once a word stands before them, and names that are taken already."""
    state = config.load(settings, insecure=True).data / "state"
    state.mkdir(parents=True)
    for name in ("é" * 127, "a"):
        os.mkfifo(state / name)
    (state / "foreign-a").mkdir()
    (state / "foreign-00000001-a").mkdir()

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        keys = [found.key for found in findings(agent._operation.status())]
        assert "foreign" in keys and "card_failing" not in keys
        agent._stop.set()

    run_agent(settings, beside)
    assert not (state / "a").exists() and not (state / ("é" * 127)).exists()
    assert len([one for one in state.iterdir() if one.is_fifo()]) == 2


def test_a_modem_that_hangs_is_told_and_the_agent_is_not_restarted_for_it(settings, tmp_path, monkeypatch):
    """Its port would hang again after the restart, and the next one: the street's records would pay for the modem."""
    stick = f'[[bearer]]\nname = "stick"\nkind = "mobile"\ninterface = "lo"\nmodem = "{tmp_path}/no-port"\n'
    settings.write_text(settings.read_text() + stick)
    fed = []

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        monkeypatch.setattr(agent._operation.notify, "alive", lambda: fed.append(1))
        agent._watch()
        assert "modem stick" in agent._heartbeats.expected() and agent._operation.facts.late == []
        port = agent._bearers._modems["stick"]
        monkeypatch.setattr(port, "_beat", lambda: None)
        port.alive_ms = agent_module.clock.monotonic_ms() - 181_000
        agent._watch()
        assert [late.name for late in agent._operation.facts.late] == ["modem stick"] and len(fed) == 2
        assert [found.key for found in findings(agent._operation.status())] == ["late.modem"]
        agent._bearers.close()
        agent._watch()
        assert "modem stick" not in agent._heartbeats.expected()
        agent._stop.set()

    run_agent(settings, beside)


def test_a_gateway_whose_subscription_is_refused_does_not_believe_that_all_is_well(settings):
    """It is connected and publishes, and no receipt will ever come."""

    def script(peer):
        peer.accept()
        while True:
            peer.answer(peer.read(), granted=0x87)

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        await until(lambda: [found.key for found in findings(agent._operation.status())] == ["deaf"])
        status = agent._operation.status()
        assert status.centre.connected and status.health["mqtt"] == {"subscription-refused": 1}
        agent._stop.set()

    with HostileBroker(script) as broker:
        text = re.sub("broker = .*", f'broker = "127.0.0.1:{broker.port}"', settings.read_text())
        settings.write_text(text)
        run_agent(settings, beside)


def test_a_loop_without_turns_is_late(settings, monkeypatch):
    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        far = agent_module.clock.monotonic_ms() + 40_000
        monkeypatch.setattr(agent_module.clock, "monotonic_ms", lambda: far)
        agent._watch()
        assert [late.name for late in agent._operation.facts.late] == ["loop"]
        monkeypatch.undo()
        agent._stop.set()

    run_agent(settings, beside)


def test_an_error_of_our_own_ends_the_process_and_says_where(settings, monkeypatch, capsys):
    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        monkeypatch.setattr(Gateway, "poll", lambda _self, *, now_ms: {}["planted"])
        agent._loop.call_soon(agent._turn)

    with pytest.raises(RuntimeError) as ended:
        run_agent(settings, beside)
    assert isinstance(ended.value.__cause__, KeyError)
    (crash,) = [line for line in map(json.loads, capsys.readouterr().err.splitlines()) if line["what"] == "crash"]
    assert crash["level"] == "error" and any("planted" in part for part in crash["trace"])


def test_an_error_of_the_disk_that_a_turn_lets_out_does_not_stop_the_timer_in_silence(settings, monkeypatch, capsys):
    """It is an OSError, as those of a transport are; but after this one no turn would ever come by itself."""

    def poll(_self, *, now_ms):
        raise OSError("planted")

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        monkeypatch.setattr(Gateway, "poll", poll)
        agent._loop.call_soon(agent._turn)

    with pytest.raises(RuntimeError):
        run_agent(settings, beside)


def test_an_error_in_what_is_merely_told_ends_nothing(settings, monkeypatch, capsys):
    checked = config.load(settings, insecure=True)

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        fed = []
        monkeypatch.setattr(agent._operation.facts, "status", lambda *, now_ms: {}["planted"])
        monkeypatch.setattr(agent._operation.facts, "sample", lambda *, unix_s, now_ms: {}["planted"])
        monkeypatch.setattr(agent._operation.notify, "alive", lambda: fed.append(1))
        agent._watch()
        agent._housekeep(agent_module.clock.monotonic_ms())
        assert fed and await asyncio.to_thread(status_socket.ask, checked.status_socket, PATIENCE_S) == Status()
        assert not agent._stop.is_set()
        agent._stop.set()

    run_agent(settings, beside)
    lines = [json.loads(line)["what"] for line in capsys.readouterr().err.splitlines()]
    assert "report-failed" in lines and "crash" not in lines


def test_a_status_socket_that_cannot_be_had_does_not_stop_the_agent(settings, tmp_path, capsys):
    data = config.load(settings, insecure=True).data
    data.mkdir(exist_ok=True)
    (data / "run").write_text("")

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        assert agent._operation.facts.status(now_ms=0).faults[0].what == "cannot-serve"
        agent._stop.set()

    run_agent(settings, beside)
