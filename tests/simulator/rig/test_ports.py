"""Rigs that run beside each other never have one port twice."""

import os
import socket
import subprocess
import sys

import pytest

from simulator.rig import ports


def test_a_port_is_drawn_once_whoever_draws_and_whether_it_is_bound(monkeypatch):
    port = ports.free_port(socket.SOCK_STREAM)
    monkeypatch.setattr(ports, "_PORTS", range(port, port + 1))
    with pytest.raises(OSError, match="no free port"):
        ports.free_port(socket.SOCK_DGRAM)
    script = "import socket; from simulator.rig import ports\n"
    script += f"ports._PORTS = range({port}, {port + 1}); ports.free_port(socket.SOCK_STREAM)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert other.stderr.splitlines()[-1].endswith(f"no free port from {port} to {port}")
