"""The UDP bearer: what the kernel does not take at once is dropped, not queued."""

import asyncio
import socket

from gateway.io.node_links import UdpLink, open_link

PATIENCE_S = 60


class FullTransport:
    """A transport whose kernel buffer is full from the second datagram on."""

    def __init__(self):
        self.sent = []

    def get_extra_info(self, _name):
        return ("127.0.0.1", 1)

    def get_write_buffer_size(self):
        return sum(map(len, self.sent))

    def sendto(self, datagram, _peer):
        self.sent.append(datagram)


def test_what_does_not_go_at_once_is_dropped_and_counted():
    transport = FullTransport()
    link = UdpLink(transport)
    for number in range(100):
        link.send("peer", bytes([number]))
    assert transport.sent == [b"\0"] and link.dropped == 99


def test_datagrams_come_and_go():
    async def main():
        got = asyncio.get_running_loop().create_future()
        link = await open_link("127.0.0.1", 0, lambda data, peer: got.set_result((data, peer)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(PATIENCE_S)
            peer.sendto(b"hello", link.address)
            assert await asyncio.wait_for(got, PATIENCE_S) == (b"hello", peer.getsockname())
            link.send(peer.getsockname(), b"back")
            assert await asyncio.to_thread(peer.recv, 100) == b"back"
        link.close()

    asyncio.run(main())
