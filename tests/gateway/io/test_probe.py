"""Probes through a bearer on the loopback interface: what is good, what is not, and that nothing ever waits for DNS."""

import asyncio
import errno
import socket
import threading

import pytest

from gateway.io import sockets
from gateway.io.probe import Resolver, probe
from gateway.io.sockets import BearerError, bind_socket, interface_bytes, interface_identity

pytestmark = pytest.mark.live
GENEROUS_MS = 60_000


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(60)
        yield sock


def port_of(sock):
    return sock.getsockname()[1]


def run(port, host="127.0.0.1", timeout_ms=GENEROUS_MS, **bound):
    return asyncio.run(probe(Resolver(host, port), timeout_ms=timeout_ms, **bound))


# --- probes -------------------------------------------------------------------------------------------------------


def test_a_handshake_is_good_and_tells_its_time_and_ends_with_a_reset(listener):
    outcome = run(port_of(listener))
    assert outcome.ok and outcome.why == "connected" and outcome.rtt_ms >= 0
    peer, _ = listener.accept()
    with peer, pytest.raises(ConnectionResetError):
        peer.recv(1)


def test_a_refusal_is_good_too_for_the_path_carries():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # and does not listen: nobody else can
        outcome = run(port_of(sock))
    assert outcome.ok and outcome.why == "refused"


def test_silence_is_not_good_and_ends_in_time():
    """A backlog of 1 that is full: Linux answers no further SYN, as behind a cut."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        fillers = []
        try:
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(sock.getsockname())
                fillers.append(filler)
            outcome = run(port_of(sock), timeout_ms=300)
        finally:
            for filler in fillers:
                filler.close()
    assert not outcome.ok and outcome.rtt_ms is None and "300 ms" in outcome.why


def test_by_the_interface_and_the_source_it_was_told(listener):
    assert run(port_of(listener), interface="lo", source="127.0.0.9").ok
    peer, address = listener.accept()
    peer.close()
    assert address[0] == "127.0.0.9"


def test_an_interface_that_is_absent_is_an_outcome_with_a_remedy(listener):
    outcome = run(port_of(listener), interface="wwan9")
    assert not outcome.ok and "wwan9" in outcome.why and "plug it in" in outcome.why


def test_a_second_address_is_tried_when_the_first_cannot_be_reached(listener):
    addresses = [(socket.AF_INET, ("255.255.255.255", 1)), (socket.AF_INET, ("127.0.0.1", port_of(listener)))]
    resolver = Resolver("centre.example.fr", 1, lambda _host, _port: addresses)
    assert asyncio.run(probe(resolver, timeout_ms=GENEROUS_MS)).ok


# --- binding ------------------------------------------------------------------------------------------------------


class Refusing:
    """A socket whose kernel refuses the interface."""

    def __init__(self, number):
        self.number = number
        self.bound = None

    def setsockopt(self, level, option, value):
        assert (level, option, value) == (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wwan0\0")
        raise OSError(self.number, "said the kernel")

    def bind(self, address):
        self.bound = address


def test_without_the_right_to_bind_the_remedy_is_named():
    with pytest.raises(BearerError, match="CAP_NET_RAW") as raised:
        bind_socket(Refusing(errno.EPERM), interface="wwan0")
    assert raised.value.errno == errno.EPERM


def test_without_the_right_to_bind_a_source_address_serves():
    sock = Refusing(errno.EPERM)
    bind_socket(sock, interface="wwan0", source="10.0.0.2")
    assert sock.bound == ("10.0.0.2", 0)


def test_an_absent_interface_is_not_papered_over_by_a_source_address():
    with pytest.raises(BearerError, match="plug it in"):
        bind_socket(Refusing(errno.ENODEV), interface="wwan0", source="10.0.0.2")


def test_a_source_that_is_not_ours_is_told_with_a_remedy():
    with socket.socket() as sock, pytest.raises(BearerError, match=r"192\.0\.2\.77.*give an address"):
        bind_socket(sock, source="192.0.2.77")


# --- counters -----------------------------------------------------------------------------------------------------


def test_the_kernels_byte_counters_grow_with_what_is_sent():
    before = interface_bytes("lo")
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x" * 1000, ("127.0.0.1", 9))
    assert interface_bytes("lo") >= before + 2000  # sent and received


def test_an_absent_interface_has_neither_bytes_nor_identity():
    assert interface_bytes("wwan9") is None and interface_identity("wwan9") is None
    assert interface_identity("lo").endswith("/1")


def test_an_interface_that_is_replaced_between_two_readings_is_not_counted(monkeypatch):
    identities = iter(["boot/3", "boot/4", "boot/4", "boot/4"])
    monkeypatch.setattr(sockets, "interface_identity", lambda _interface: next(identities))
    monkeypatch.setattr(sockets, "interface_bytes", lambda _interface: 400_000_000)
    assert sockets.interface_count("wwan0") is None
    assert sockets.interface_count("wwan0") == (400_000_000, "boot/4")


def test_counters_that_are_no_numbers_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr(sockets, "_CLASS", tmp_path)
    folder = tmp_path / "wwan0" / "statistics"
    folder.mkdir(parents=True)
    (folder / "rx_bytes").write_text("12\n")
    (folder / "tx_bytes").write_text("")
    assert interface_bytes("wwan0") is None
    (folder / "tx_bytes").write_text("30\n")
    assert interface_bytes("wwan0") == 42


# --- names --------------------------------------------------------------------------------------------------------

HERE = [(socket.AF_INET, ("127.0.0.1", 8883))]


@pytest.mark.parametrize(("host", "address"), [("192.0.2.1", ("192.0.2.1", 7)), ("::1", ("::1", 7, 0, 0))])
def test_a_literal_address_asks_nobody(host, address):
    def never(_host, _port):
        raise AssertionError

    ((_, found),) = asyncio.run(Resolver(host, 7, never).addresses())
    assert found == address


def test_a_name_is_asked_once_and_kept_when_the_resolver_dies():
    asked = []

    def lookup(host, port):
        asked.append((host, port))
        if len(asked) > 1:
            raise OSError("temporary failure in name resolution")
        return HERE

    async def scene():
        resolver = Resolver("centre.example.fr", 8883, lookup)
        assert resolver.known == []
        assert await resolver.addresses() == resolver.known == HERE
        assert await resolver.addresses() == HERE and len(asked) == 1
        resolver._known_at_s -= 601
        assert await resolver.addresses() == HERE
        await resolver._asking
        assert len(asked) == 2 and await resolver.addresses() == HERE

    asyncio.run(scene())


def test_a_resolver_that_hangs_holds_one_thread_and_no_probe_beyond_its_time():
    release = threading.Event()
    asked = []

    def lookup(_host, _port):
        asked.append(1)
        release.wait(60)
        return HERE

    async def scene():
        resolver = Resolver("centre.example.fr", 8883, lookup)
        ticks = []

        async def tick():
            while True:
                ticks.append(1)
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        outcomes = [await probe(resolver, timeout_ms=100) for _ in range(3)]
        ticking.cancel()
        assert not any(outcome.ok for outcome in outcomes) and len(asked) == 1
        assert len(ticks) > 3  # the loop went on meanwhile
        release.set()
        await resolver._asking
        assert await resolver.addresses() == HERE  # the late answer is kept

    asyncio.run(scene())
