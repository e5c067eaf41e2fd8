"""Serves the web on a port of this machine, or on the socket that systemd hands over (sd_listen_fds(3)). Others reach
it through a proxy, which has the certificate."""

import errno
import os
import socket
import warnings

from gateway.language import N_
from tools.centre.web.configuration import Options, configure
from tools.command_line import Refused

HOST = "127.0.0.1"
# The first socket that systemd hands over.
_HANDED_OVER = 3
_TAKEN = N_("port {port}: another program has it; give a free one with --port")
_NOT_OPENED = N_("port {port}: {error}; give another with --port")


def listening(port: int) -> socket.socket:
    """Returns the socket that was handed over to this process, or one that listens on a port of this machine; Refused
    where it cannot be had. A command asks for it before it prints an address."""
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        return socket.socket(fileno=_HANDED_OVER)
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        message = _TAKEN if error.errno == errno.EADDRINUSE else _NOT_OPENED
        raise Refused(message, port=port, error=error.strerror) from error


def serve(options: Options, listener: socket.socket) -> None:
    """Serves on a socket of `listening` until the process is told to end."""
    import uvicorn

    configure(options)
    from django.core.asgi import get_asgi_application

    from tools.centre.web import connections

    # Files of style and script are read whole, which is what they are small enough for.
    warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
    # Who may open a socket in the file system is the proxy; on a port it is this machine.
    proxies = "*" if listener.family == socket.AF_UNIX else HOST
    config = uvicorn.Config(
        get_asgi_application(), log_level="warning", server_header=False, lifespan="off", forwarded_allow_ips=proxies
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        connections.close()
