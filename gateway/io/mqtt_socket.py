"""Opens a socket to the broker over a bearer, within bounded time, and names the cause of a failure in one word.

Used in a connection's thread, for it blocks. It must know nothing of MQTT's packets.
"""

import contextlib
import socket
import ssl
from threading import Thread
from typing import Any, NamedTuple

from gateway.io import tls
from gateway.io.guarded_socket import Broken
from gateway.io.sockets import bind_socket

# Each of TCP connection and TLS handshake may take so long.
CONNECT_TIMEOUT_S = 10
# Data without an acknowledgement ends the connection (TCP_USER_TIMEOUT, RFC 5482): the keep-alive's time and a little,
# or this. A loaded 4G cell lets one wait for 10 s and more.
_UNACKNOWLEDGED_S_MAX = 30


class BearerRoute(NamedTuple):
    """Describes a way to the broker. `interface` (SO_BINDTODEVICE) and `source` (an address) bind the socket to it.

    A silent cut is noticed after twice the keep-alive: 6 s on fibre. One exchange of PINGREQ and PINGRESP costs about
    200 bytes with TLS, TCP and IP headers: 88 MB in 30 days at 6 s, 2.2 MB at 240 s, which is for a metered bearer;
    there TCP_USER_TIMEOUT still finds a dead link within 30 s of the first batch.
    """

    name: str
    interface: str | None = None
    source: str | None = None
    keepalive_s: int = 6


class MqttOptions(NamedTuple):
    """Describes the broker and our client. `tls` None is plain TCP, for a bench only."""

    host: str
    port: int
    client_id: str
    will_topic: str
    tls: tls.Tls | None


class Addresses:
    """Looks up the addresses of one broker. The last ones found are used at once and looked up again meanwhile: the
    resolver often fails with the bearer over which it is reached, and the other bearer must not depend on it."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self._port = port
        self._known: list[Any] = []
        self._asking: Thread | None = None

    def look_up(self) -> list[Any]:
        """Looks up as `getaddrinfo` does. The first answer may take half a minute; OSError when there was never one."""
        if not self._known:
            self._ask()
        elif self._asking is None or not self._asking.is_alive():
            self._asking = Thread(target=self._ask_again, name="resolver", daemon=True)
            self._asking.start()
        return self._known

    def _ask(self) -> None:
        self._known = socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM)

    def _ask_again(self) -> None:
        with contextlib.suppress(OSError):
            self._ask()


def open_tcp(addresses: Addresses, bearer: BearerRoute) -> socket.socket:
    """Returns a connection over the bearer to the first address that answers. OSError."""
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for family, kind, protocol, _, address in addresses.look_up():
        sock = socket.socket(family, kind, protocol)
        try:
            if bearer.interface is not None or bearer.source is not None:
                bind_socket(sock, interface=bearer.interface, source=bearer.source)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(AttributeError, OSError):  # Linux alone has it
                patience_ms = 1000 * min(bearer.keepalive_s + 2, _UNACKNOWLEDGED_S_MAX)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms)
            sock.settimeout(CONNECT_TIMEOUT_S)
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def secure(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """Makes the TLS handshake. OSError; then `sock` is closed too."""
    wrapped = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        wrapped.settimeout(CONNECT_TIMEOUT_S)
        wrapped.do_handshake()
    except OSError:
        wrapped.close()
        raise
    return wrapped


def why(error: BaseException | None) -> str:
    """Returns what ended or prevented a connection: a stable word, a colon and the detail."""
    fault = tls.fault_of(error) if error is not None else None
    if fault is not None or isinstance(error, Broken):
        return str(fault or error)
    for kind, word in _WORDS:
        if isinstance(error, kind):
            return f"{word}: {error}"
    return f"internal-error: {type(error).__name__}: {error}"


# The first that fits counts.
_WORDS: tuple[tuple[type[OSError], str], ...] = (
    (ConnectionRefusedError, "connection-refused"),
    (TimeoutError, "connection-timeout"),
    (socket.gaierror, "name-unresolved"),
    (ConnectionError, "connection-closed"),
    (ssl.SSLEOFError, "connection-closed"),
    (ssl.SSLZeroReturnError, "connection-closed"),
    (OSError, "network-error"),
)
