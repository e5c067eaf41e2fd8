"""The agent as systemd and a technician see it: ready, watched, asked, stopped at any moment; it keeps its secrets."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from random import Random

import pytest

from tests.support.agent_process import AgentProcess, Client, held_in, run_agent, until, without_broker
from tests.support.authority import Authority
from tests.support.broker import PATIENCE_S
from tests.support.gateway_world import NODE, payload, reading
from wire import coap_message, record

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
pytestmark = pytest.mark.live

from gateway import agent as agent_module  # noqa: E402 - only once paho is known to be there
from gateway.commands import status as questions  # noqa: E402
from gateway.config import config  # noqa: E402
from gateway.core.custody import entry  # noqa: E402
from gateway.core.custody.journal import Journal  # noqa: E402
from gateway.core.status import STARTING  # noqa: E402
from gateway.io.disk import FileDisk  # noqa: E402
from gateway.io.notify import Notifier  # noqa: E402


@pytest.fixture
def settings(tmp_path):
    return without_broker(tmp_path)


@pytest.fixture
def process(repository, settings):
    made = AgentProcess(repository, settings)
    yield made
    made.stop(signal.SIGKILL)


class Manager:
    """systemd's end of the notification socket; the lines of each datagram as they come."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(PATIENCE_S)

    def until(self, line):
        """All that was said up to this line."""
        said = []
        while line not in said:
            said += self.socket.recv(4096).decode().split("\n")
        return said


# --- systemd --------------------------------------------------------------------------------------------------------


def test_it_says_ready_once_it_serves_feeds_the_watchdog_and_says_that_it_stops(process, tmp_path):
    manager = Manager(tmp_path / "n.sock")
    process.environment |= {"NOTIFY_SOCKET": str(tmp_path / "n.sock"), "WATCHDOG_USEC": "300000"}
    process.environment.pop("WATCHDOG_PID", None)
    address = process.start()
    before = manager.until("READY=1")
    assert before[0].startswith("EXTEND_TIMEOUT_USEC="), "systemd would have its patience from the unit alone"
    assert Client().ask(address, payload(reading(1))) == coap_message.CHANGED
    manager.until("WATCHDOG=1")
    manager.until("WATCHDOG=1")
    assert process.stop(signal.SIGTERM) == 0
    assert manager.until("STOPPING=1")[-1] == "STATUS=Arrêt en cours"
    manager.socket.close()


def test_ready_means_recovered_and_bound_and_nothing_is_said_before(settings, monkeypatch):
    said, running = [], {}

    def ready(_self, _status):
        agent = running["agent"]
        said.append((agent._operation.facts.phase, agent._link.address[1] > 0, agent._core.journal.bytes_held > 0))
        agent._stop.set()

    monkeypatch.setattr(Notifier, "ready", ready)

    async def beside(agent):
        running["agent"] = agent
        assert said == []
        await until(lambda: said)

    run_agent(settings, beside)
    assert said == [("running", True, True)]


def test_a_sync_that_is_reported_during_the_start_is_not_forgotten(settings, monkeypatch):
    real = agent_module.open_core

    def open_core(settings, heartbeats, on_synced, on_state_synced, **named):
        reported = threading.Event()

        def first(ticket, error):
            on_synced(ticket, error)
            reported.set()

        opened = real(settings, heartbeats, first, on_state_synced, **named)
        assert opened.core.journal.flush() is not None and reported.wait(PATIENCE_S)
        return opened

    async def beside(agent):
        await until(lambda: agent._operation.facts.phase == "running")
        await until(lambda: not agent._opened.journal_disk.unreported)
        assert sum(agent._core.journal.waiting(stream) for stream in agent._core.journal.streams()) == 1
        agent._stop.set()

    run_agent(settings, beside, monkeypatch, open_core=open_core)


def test_a_stop_during_a_long_start_is_answered_at_once(settings, monkeypatch):
    never = threading.Event()

    async def beside(agent):
        await until(lambda: any(thread.name == "startup" for thread in threading.enumerate()))
        assert agent._operation.facts.status(now_ms=0).phase == STARTING
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    run_agent(settings, beside, monkeypatch, open_core=lambda *_, **_named: never.wait())
    never.set()


def test_while_it_starts_it_answers_who_asks(settings, monkeypatch, capsys):
    never = threading.Event()
    checked = config.load(settings, insecure=True)

    async def beside(agent):
        await until(lambda: checked.status_socket.exists())
        document = await asyncio.to_thread(questions.state_of, checked, unix_s=0)
        assert document.phase == "starting" and document.pid == os.getpid()
        agent._stop.set()

    run_agent(settings, beside, monkeypatch, open_core=lambda *_, **_named: never.wait())
    never.set()


def test_the_watchdogs_signal_makes_every_thread_say_where_it_stood(process):
    assert Client().ask(process.start(), payload(reading(1))) == coap_message.CHANGED  # so the disks' threads run
    assert process.stop(signal.SIGABRT) == -signal.SIGABRT
    said = "".join(line["what"] for line in [*process.log.seen, *process.log.rest()])
    assert "Current thread" in said and "io/disk.py" in said


# --- stopping -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_what_was_acknowledged_under_load_is_durable_after_an_orderly_stop(process, tmp_path, seed):
    address = process.start()
    acknowledged = []
    enough, stopped = threading.Event(), threading.Event()

    def load(number):
        client = Client(number)
        for sequence in range(100_000):
            made = reading(sequence, boot=number + 1)
            if client.ask(address, payload(made), given_up=stopped.is_set) != coap_message.CHANGED:
                break
            acknowledged.append((NODE, made.boot, made.sequence))
            if len(acknowledged) >= 50 + Random(seed).randrange(100):
                enough.set()
        client.socket.close()

    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(PATIENCE_S)
    process.process.send_signal(signal.SIGTERM)
    assert process.stop(signal.SIGTERM) == 0, "the second word must be harmless"
    stopped.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert process.log.rest()[-1]["what"] == "stopped"
    assert set(acknowledged) <= held_in(tmp_path / "data" / "journal")


def test_a_second_agent_on_the_same_folder_is_refused(process, tmp_path):
    process.start()
    done = subprocess.run(
        process.command, env=process.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 1 and "another agent" in done.stderr and "Traceback" not in done.stderr


# --- secrets --------------------------------------------------------------------------------------------------------


def test_nothing_of_a_key_leaves_the_process(repository, process, settings, tmp_path):
    """Whatever a technician can read: log, status, the files of the data folder."""
    authority = Authority(tmp_path, "territory")
    certificate, key = authority.issue("49007-cab-12")
    with socket.create_server(("127.0.0.1", 0)) as refusing:  # accepts, says nothing, so TLS fails in its own way
        port = refusing.getsockname()[1]
        text = settings.read_text()
        broker = text[text.index("broker = ") :].splitlines()[0]
        files = f'ca = "{authority.certificate}"\ncertificate = "{certificate}"\nkey = "{key}"'
        tls = f'broker = "127.0.0.1:{port}"\n{files}'
        settings.write_text(text.replace(broker, tls))
        address = process.start()
        connection, _ = refusing.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(key.read_bytes())  # a hostile peer that would have us quote it
        process.log.wait_for(lambda line: line["what"] == "disconnected")
    Client().ask(address, payload(reading(1)))
    Client(2).ask(address, key.read_bytes()[:200])
    told = subprocess.run(
        [sys.executable, "-m", "tools", "gateway", "status", "--config", str(settings), "--json"],
        env=process.environment, capture_output=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert process.stop(signal.SIGTERM) == 0
    log = json.dumps([*process.log.seen, *process.log.rest()]).encode()
    assert told.returncode == 0 and b"disconnected" in log
    lines = [line for line in key.read_bytes().splitlines() if b"-----" not in line]
    assert len(lines) >= 3
    for text in (log, told.stdout, told.stderr):
        assert not any(line[:16] in text for line in lines) and b"PRIVATE KEY" not in text


def test_records_of_the_load_test_are_what_the_journal_holds(tmp_path):
    """The reader of the test above finds what is there, and nothing else."""
    with closing(FileDisk(tmp_path, lambda _ticket, _error: None)) as disk:
        journal = Journal(disk, epoch=b"12345678")
        journal.recover()
        journal.append("telemetry", entry.encode(entry.Entry(NODE, record.encode(reading(7)))))
        journal.flush()
    assert held_in(tmp_path) == {(NODE, 1, 7)}
