"""Serves the web on a port of this machine. Others reach it through a proxy, which has the certificate."""

import errno
import socket
import warnings

from gateway.language import N_
from tools.centre.web.configuration import Options, configure
from tools.command_line import Refused

HOST = "127.0.0.1"
_TAKEN = N_("port {port}: another program has it; give a free one with --port")
_NOT_OPENED = N_("port {port}: {error}; give another with --port")


def listening(port: int) -> socket.socket:
    """Returns a socket that listens on a port of this machine; Refused where it cannot be had. A command asks for it
    before it prints an address."""
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

    # Files of style and script are read whole, which is what they are small enough for.
    warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
    config = uvicorn.Config(get_asgi_application(), log_level="warning", server_header=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
