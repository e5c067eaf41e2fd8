"""sd_notify over a real datagram socket: path and abstract name, silence without one, and never an exception."""

import os
import socket

import pytest

from gateway.io.notify import Notifier


class Manager:
    """What systemd listens with."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self):
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def told(request, tmp_path):
    """(manager, environment)."""
    name = str(tmp_path / "n.sock") if request.param == "path" else f"@bocage-test-{os.getpid()}"
    manager = Manager(name if request.param == "path" else "\0" + name[1:])
    yield manager, {"NOTIFY_SOCKET": name}
    manager.socket.close()


def test_each_message_is_one_datagram_of_assignments(told):
    manager, environment = told
    notifier = Notifier(environment)
    notifier.extend(30_000)
    notifier.ready("à l’écoute")
    notifier.alive()
    notifier.status("12 nœuds")
    notifier.stopping("arrêt")
    assert manager.heard() == [
        ["EXTEND_TIMEOUT_USEC=30000000", "WATCHDOG=1"],
        ["READY=1", "STATUS=à l’écoute"],
        ["WATCHDOG=1"],
        ["STATUS=12 nœuds"],
        ["STOPPING=1", "STATUS=arrêt"],
    ]


def test_a_status_is_one_line_whatever_it_holds(told):
    manager, environment = told
    Notifier(environment).status("lien perdu\nREADY=1\r\n" + 300 * "x")
    ((line,),) = manager.heard()
    assert line.startswith("STATUS=lien perdu READY=1 xxx") and len(line) == len("STATUS=") + 200


def test_a_full_queue_neither_blocks_nor_loses_the_word_ready(told):
    manager, environment = told
    notifier = Notifier(environment)
    while not notifier.counters["not-sent"]:
        notifier.alive()
    notifier.ready("prêt")
    assert not any("READY=1" in message for message in manager.heard())
    notifier.alive()
    notifier.alive()
    assert manager.heard() == [["READY=1", "WATCHDOG=1"], ["WATCHDOG=1"]]


@pytest.mark.parametrize("name", ["", "vsock:2:1", "relative.sock", "/absent/socket", "/" + 200 * "x", "@" + 200 * "x"])
def test_nobody_to_tell_is_no_fault(name):
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
    notifier.ready("prêt")
    notifier.alive()
    notifier.stopping("arrêt")
    assert notifier.counters["sent"] == 0


def test_no_variable_means_silence_and_no_watchdog():
    notifier = Notifier({"WATCHDOG_USEC": "30000000"})
    notifier.ready("prêt")
    assert notifier.counters == {"sent": 0, "not-sent": 0} and notifier.watchdog_ms is None


@pytest.mark.parametrize(
    ("variables", "expected_ms"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_only_when_it_says_so(variables, expected_ms):
    assert Notifier({"NOTIFY_SOCKET": "@x", **variables}).watchdog_ms == expected_ms
