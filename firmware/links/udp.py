"""Carries a node's datagrams to and from one gateway over UDP, never blocking.

The peer is a literal IPv4 address, as `node.settings` sees to: a name look-up blocks for seconds. A datagram that
cannot be sent is a lost datagram, which CoAP sends again; one from another address than the gateway's is counted and
dropped.

After an empty datagram, which any host may send, the ESP32 port considers the socket's peer gone and never reads the
network for this socket again (ports/esp32/modsocket.c, `peer_closed`). So the link then opens a new socket.
"""

from wire import limits
from wire.coap_exchange import ACK_RANDOM_PERMILLE, Timing, bearer_timing

# Datagrams read in one turn: a flood must not keep the loop from its output.
RECEIVED_PER_TURN_MAX = 8


class UdpLink:
    """Sends and receives datagrams. `socket_module` and `select_module` are those of the chip, or a twin's. `counters`:
    {name: integer}; `empty`: new sockets after an empty datagram."""

    def __init__(self, socket_module, select_module, peer):
        self._peer = peer
        self._modules = (socket_module, select_module)
        self._open()
        self.counters = {"sent": 0, "send-failed": 0, "received": 0, "stranger": 0, "empty": 0}

    def _open(self):
        socket_module, select_module = self._modules
        self._socket = socket_module.socket(socket_module.AF_INET, socket_module.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._poll = select_module.poll()
        self._poll.register(self._socket, select_module.POLLIN)

    def send(self, peer, datagram) -> None:
        """Sends a datagram now, or drops it."""
        try:
            self._socket.sendto(datagram, peer)
            self.counters["sent"] += 1
        except OSError:
            self.counters["send-failed"] += 1

    def close(self) -> None:
        """Closes the socket; the link must not be used any more."""
        self._socket.close()

    def receive(self) -> list:
        """Returns the datagrams that have arrived: [(datagram, peer)], at most RECEIVED_PER_TURN_MAX."""
        arrived = []
        for _ in range(RECEIVED_PER_TURN_MAX):
            if not self._waits():
                break
            try:
                # One byte more than allowed, so that a datagram that is too long can be recognised.
                datagram, peer = self._socket.recvfrom(limits.DATAGRAM_BYTES_MAX + 1)
            except OSError:  # nothing waits, or the network is down
                break
            if not datagram:
                self.counters["empty"] += 1
                self.close()
                self._open()
                break
            if tuple(peer) == self._peer:
                self.counters["received"] += 1
                arrived.append((datagram, self._peer))
            else:
                self.counters["stranger"] += 1
        return arrived

    def _waits(self) -> bool:
        """Returns whether something waits. Most turns end here: `recvfrom` takes a buffer for the longest datagram from
        the heap before it looks (extmod/modsocket.c), and a full heap at each turn is a collector at each turn."""
        for _ in self._poll.ipoll(0):
            return True
        return False

    def wait(self, timeout_ms) -> None:
        """Returns when a datagram waits, or after `timeout_ms`."""
        self._poll.poll(timeout_ms)


def timing(ack_timeout_ms, retransmissions=4):
    """Returns the CoAP timing of this bearer, for five exchanges at a time: an alarm never waits behind telemetry, and
    neither waits behind a question, for an order, for directives or for the next block of a program.

    `bearer_timing` refuses an ACK_TIMEOUT below the time of the gateway's flush. On a bench settings may give a lower
    one, to save waiting; then the same formulas apply, with a loopback's latency.
    """
    if ack_timeout_ms >= limits.COAP_ACK_TIMEOUT_MIN_MS:
        return bearer_timing(ack_timeout_ms=ack_timeout_ms, max_retransmit=retransmissions, nstart=5)
    longest_ms = ack_timeout_ms * ACK_RANDOM_PERMILLE // 1000
    last_ms = longest_ms << retransmissions
    return Timing(
        ack_timeout_ms, retransmissions, 5, ack_timeout_ms // 2, 2 * last_ms - longest_ms,
        last_ms - longest_ms + 2 * 1000,
    )  # fmt: skip
