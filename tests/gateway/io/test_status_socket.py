"""The status socket, seen by real clients; and what `gateway status` makes of an agent, of none, and of a mute one."""

import asyncio
import contextlib
import json
import os
import socket
import stat

import pytest

from gateway.commands import losses
from gateway.commands import status as questions
from gateway.config import config
from gateway.core.heartbeats import LateTask
from gateway.core.status import RUNNING, CentreStatus, Status, parse
from gateway.io import status_socket
from gateway.io.files import FolderLock, is_held
from gateway.io.status_socket import LINE_BYTES_MAX, StatusServer
from tests.support.commands import bocage_gateway
from tests.support.gateway_world import GATEWAY

CONFIG = """
[gateway]
id = "{id}"
insee = "49007"
name = "cab-12"
data = "{data}"
[link]
bind = "127.0.0.1:0"
[uplink]
broker = "127.0.0.1:1"
"""
PATIENCE_S = 60


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG.format(id=GATEWAY.hex(), data=tmp_path / "data"))
    return path


def served(path, state, clients):
    """Run a server in a loop and the function `clients` beside it, in a thread; what that returns."""

    async def run():
        server = StatusServer(path, state)
        try:
            return await asyncio.wait_for(asyncio.to_thread(clients), PATIENCE_S), server.counters
        finally:
            server.close()

    return asyncio.run(run())


# --- the socket -----------------------------------------------------------------------------------------------------


def test_a_client_reads_one_line_of_json(tmp_path):
    path = tmp_path / "run" / "s.sock"
    found, counters = served(path, lambda: Status(phase=RUNNING), lambda: status_socket.ask(path, PATIENCE_S))
    assert found == Status(phase=RUNNING) and counters == {"served": 1, "not-served": 0}
    assert not path.exists(), "the name of an agent that has ended stays"


def test_only_the_agents_user_may_connect(tmp_path):
    path = tmp_path / "run" / "s.sock"
    modes, _ = served(path, Status, lambda: (path.stat().st_mode, path.parent.stat().st_mode))
    assert stat.S_ISSOCK(modes[0]) and stat.S_IMODE(modes[0]) == 0o600 and stat.S_IMODE(modes[1]) == 0o700


def test_clients_that_never_read_cost_nothing_and_stop_nobody(tmp_path):
    path = tmp_path / "s.sock"

    def clients():
        idle = []
        for _ in range(50):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(path))
            idle.append(client)
        gone = socket.socket(socket.AF_UNIX)
        gone.connect(str(path))
        gone.close()
        found = status_socket.ask(path, PATIENCE_S)
        for client in idle:
            client.close()
        return found

    found, counters = served(path, lambda: Status(pid=1), clients)
    assert found == Status(pid=1) and counters["served"] >= 51


def test_asking_often_does_not_make_the_state_often(tmp_path):
    path = tmp_path / "s.sock"
    made = []

    def state():
        made.append(1)
        return Status(pid=len(made))

    answers, _ = served(path, state, lambda: [status_socket.ask(path, PATIENCE_S).pid for _ in range(100)])
    assert len(answers) == 100 and len(made) < 50


def test_a_state_that_is_too_long_loses_its_counters_and_secrets_never_leave():
    long = Status(phase=RUNNING, health={f"k{n}": ["x " * 200] * 100 for n in range(100)})
    line = status_socket.encode(long)
    assert len(line) <= LINE_BYTES_MAX and parse(json.loads(line)) == Status(phase=RUNNING)
    assert b"hunter2" not in status_socket.encode(Status(centre=CentreStatus(why="mqtts://me:hunter2@host/")))


def test_the_socket_of_an_agent_that_was_killed_is_replaced(tmp_path):
    path = tmp_path / "s.sock"
    for name in (path, tmp_path / "s.sock.new"):
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(name))
        dead.close()
    with pytest.raises(ConnectionRefusedError):
        status_socket.ask(path, PATIENCE_S)
    found, _ = served(path, lambda: Status(pid=1), lambda: status_socket.ask(path, PATIENCE_S))
    assert found == Status(pid=1)


def test_a_path_longer_than_a_socket_name_may_be_works(tmp_path):
    path = tmp_path / ("x" * 100) / ("y" * 60) / "s.sock"
    found, _ = served(path, lambda: Status(pid=1), lambda: status_socket.ask(path, PATIENCE_S))
    assert found == Status(pid=1)


def test_a_wrong_path_costs_nobody_a_file(tmp_path):
    path = tmp_path / "precious"
    path.write_text("x")
    with pytest.raises(OSError, match="not a socket"):
        served(path, Status, lambda: None)
    assert path.read_text() == "x"


@pytest.mark.parametrize("line", [b"", b"\xff\n", b"[1]\n", b"{", 2 * LINE_BYTES_MAX * b"x"])
def test_an_answer_that_is_no_state_is_a_fault_of_a_known_kind(tmp_path, line):
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        async def run():
            asking = asyncio.create_task(asyncio.to_thread(status_socket.ask, path, PATIENCE_S))
            connection, _ = await asyncio.to_thread(listener.accept)
            with connection, contextlib.suppress(BrokenPipeError):  # it reads no more than it must
                await asyncio.to_thread(connection.sendall, line)
            await asking

        with pytest.raises(ValueError):
            asyncio.run(run())


# --- one agent a folder ---------------------------------------------------------------------------------------------


def test_the_lock_keeps_a_second_agent_out_and_tells_of_the_first(tmp_path):
    assert not is_held(tmp_path)
    first = FolderLock(tmp_path)
    assert is_held(tmp_path)
    with pytest.raises(OSError, match="another agent"):
        FolderLock(tmp_path)
    first.close()
    assert not is_held(tmp_path)
    FolderLock(tmp_path).close()


def test_to_ask_for_the_lock_creates_nothing(tmp_path):
    assert not is_held(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


# --- the command ----------------------------------------------------------------------------------------------------


def ask(capsys, *words):
    exit_status = bocage_gateway(*words)
    return exit_status, capsys.readouterr()


def test_no_agent_is_status_2_with_what_the_files_tell_and_nothing_is_created(settings, tmp_path, capsys):
    exit_status, said = ask(capsys, "status", "--config", str(settings))
    assert exit_status == 2 and "L’agent ne tourne pas" in said.out
    assert not (tmp_path / "data").exists()
    for name, data in (("journal/a.seg", 3_000_000), ("state/boot-0000000007", 0)):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(data))
    exit_status, said = ask(capsys, "status", "--config", str(settings), "--lang", "en")
    assert exit_status == 2 and "last start no. 7" in said.out and "journal 3.0 MB of 805 MB" in said.out


def test_an_agent_that_holds_the_folder_but_does_not_answer_is_called_mute(settings, tmp_path, capsys):
    lock = FolderLock(tmp_path / "data")
    exit_status, said = ask(capsys, "status", "--config", str(settings), "--json")
    lock.close()
    told = json.loads(said.out)
    assert exit_status == told["exit_status"] == 2 and told["phase"] == "mute"


def test_a_user_without_the_right_is_told_to_use_sudo(settings, capsys, monkeypatch):
    def refuse(_path, _timeout_s):
        raise PermissionError(13, "denied")

    monkeypatch.setattr(status_socket, "ask", refuse)
    exit_status, said = ask(capsys, "status", "--config", str(settings))
    assert exit_status == 2 and "sudo" in said.out


def test_a_bad_configuration_is_status_2_with_its_faults(settings, capsys):
    settings.write_text("[gateway]\n")
    exit_status, said = ask(capsys, "status", "--config", str(settings))
    assert exit_status == 2 and "[gateway] id : manque" in said.err and said.out == ""


def test_a_running_agent_is_asked_over_its_socket(settings, tmp_path, capsys):
    checked = config.load(settings, insecure=True)
    late = (LateTask("loop", 40_000, 30_000),)
    running = Status(phase=RUNNING, name="x", uptime_s=10, late=late, faults=())
    found, _ = served(
        checked.status_socket,
        lambda: running,
        lambda: [ask(capsys, "status", "--config", str(settings), *more) for more in ((), ("--json", "--lang", "en"))],
    )
    (text_status, text), (json_status, data) = found
    assert text_status == json_status == 1 and "bloquée : loop" in text.out
    told = json.loads(data.out)
    assert told["headline"] == "Part of the agent is stuck: loop" and told["findings"][0]["to_do"]
    assert told["losses"] == {"records": 0, "by_why": {}, "last_day": 0}


# --- losses ---------------------------------------------------------------------------------------------------------

LOSSES = [
    {"unix_s": 1_790_000_000, "uptime_s": 7, "why": "thinned", "lane": "telemetry", "node": "7c1f0a2c01000001",
     "boot": 3, "sequences": "3,5,7-9,20-40/2", "count": 16, "key": "k"},
    {"unix_s": None, "uptime_s": 7, "why": "journal-damaged", "lane": "event", "epoch": "00ff", "positions": "4-9",
     "count": 6, "key": "k"},
    {"unix_s": 1_795_000_000, "uptime_s": 7, "why": "of tomorrow", "lane": "alarm", "node": "7c1f0a2c01000001",
     "boot": 4, "sequences": "1", "count": 1, "key": "k"},
]  # fmt: skip


@pytest.fixture
def lossy(settings, tmp_path):
    folder = tmp_path / "data" / "state"
    folder.mkdir(parents=True)
    lines = [json.dumps({"totals": {}}), *map(json.dumps, LOSSES), '{"torn']
    (folder / "losses-00000001.log").write_text("\n".join(lines))
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()}
    yield settings
    assert before == {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()}


def test_losses_are_listed_and_summed_and_no_file_is_touched(lossy, capsys):
    exit_status, said = ask(capsys, "losses", "--config", str(lossy))
    head, first, second, third = said.out.splitlines()
    assert exit_status == 0 and head == "23 relevés abandonnés :"
    assert "éclairci" in first and "3,5,7-9,20-40/2" in first and "démarrage 3" in first
    assert "date inconnue" in second and "journal abîmé" in second and "positions 4-9" in second
    assert "of tomorrow" in third and "alarme" in third
    checked = config.load(lossy, insecure=True)
    assert questions.losses_total(checked, unix_s=1_795_000_100) == (
        23, {"thinned": 16, "journal-damaged": 6, "of tomorrow": 1}, 1,
    )  # fmt: skip


def test_losses_since_a_time_and_for_programs(lossy, capsys):
    exit_status, said = ask(capsys, "losses", "--config", str(lossy), "--json", "--since", "2026-10-01T00:00:00+00:00")
    assert exit_status == 0 and [json.loads(line) for line in said.out.splitlines()] == LOSSES[1:]


def test_no_losses_is_said(settings, capsys):
    assert ask(capsys, "losses", "--config", str(settings), "--lang", "en")[1].out == "No loss recorded.\n"


@pytest.mark.parametrize("since", ["yesterday", "2x", "", "99999-01-01"])
def test_a_time_that_is_none_is_bad_usage(settings, capsys, since):
    exit_status, said = ask(capsys, "losses", "--config", str(settings), "--since", since)
    assert exit_status == 2 and "--since" in said.err


@pytest.mark.parametrize(("text", "ago_s"), [("2h", 7200), ("3d", 259_200), ("3j", 259_200), ("90s", 90), ("5m", 300)])
def test_periods_count_back_from_now(text, ago_s):
    assert losses.parse_since(text, unix_s=1_795_000_000) == 1_795_000_000 - ago_s


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read_are_not_taken_for_absent(settings, tmp_path, capsys):
    folder = tmp_path / "data"
    folder.mkdir(mode=0)
    exit_status, said = ask(capsys, "status", "--config", str(settings))
    folder.chmod(0o700)
    assert exit_status == 2 and "sudo" in said.out
