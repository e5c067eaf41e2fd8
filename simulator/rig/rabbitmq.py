"""Puts RabbitMQ in Mosquitto's place in a rig: the server of a Debian in a folder, as one process to kill and freeze.

Needs root (a mount namespace and chroot). The server's files are in the rig's folder, the network is this machine's
loopback. Must not serve a real territory: it admits everybody.
"""

import socket
from collections.abc import Callable
from pathlib import Path

from simulator.rig.ports import free_port
from simulator.rig.rig import RigError

_SERVER = "usr/lib/rabbitmq/bin/rabbitmq-server"
# $1 the Debian, $2 the rig's folder, $3 epmd's port; then the server's environment. The shell becomes the server, so
# its process is what is killed and frozen; epmd, Erlang's register of names, ends with it.
_START = """
set -e
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/mnt"
root=$1 epmd=$3
shift 3
setpriv --pdeathsig KILL chroot "$root" env "$@" epmd -address 127.0.0.1 -port "$epmd" &
exec chroot "$root" env -i "$@" /usr/lib/rabbitmq/bin/rabbitmq-server
"""


def rabbitmq(root: Path) -> Callable[[Path, int], list[str]]:
    """Returns what makes the command of a broker, given the rig's folder and a port. `root`: a Debian with the package
    rabbitmq-server; RigError where it has none."""
    if not (root / _SERVER).exists():
        raise RigError(f"{root} is no Debian with rabbitmq-server: apt-get install rabbitmq-server in it")

    def command(folder: Path, port: int) -> list[str]:
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\nmqtt.allow_anonymous = true\n"
            "mqtt.durable_queue_type = quorum\nmqtt.max_session_expiry_interval_seconds = 604800\n",
            encoding="utf-8",
        )
        (folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n", encoding="utf-8")
        epmd = free_port(socket.SOCK_STREAM)
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/mnt",
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the server
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(epmd),
            "RABBITMQ_NODENAME": "bocage@localhost",
            "RABBITMQ_DIST_PORT": str(free_port(socket.SOCK_STREAM)),
            "RABBITMQ_CONFIG_FILE": "/mnt/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "/mnt/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": "/mnt/rabbitmq",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": "/mnt/rabbitmq.pid",
        }
        words = [str(root), str(folder.resolve()), str(epmd), *(f"{name}={text}" for name, text in environment.items())]
        return ["unshare", "--mount", "sh", "-c", _START, "sh", *words]

    return command
