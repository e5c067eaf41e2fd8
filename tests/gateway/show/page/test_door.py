"""The listening socket: bounded in number, by address and in time; over TLS; nothing is raised into the loop."""

import asyncio
import errno
import socket
import ssl

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed")
pytestmark = pytest.mark.live

from gateway.config.page import PageOptions  # noqa: E402
from gateway.show.page import door as door_module  # noqa: E402 - only once aiohttp is known to be there
from gateway.show.page.door import CONNECTIONS_MAX, Door  # noqa: E402
from gateway.show.page.page import LocalPage  # noqa: E402
from tests.support.authority import Authority  # noqa: E402
from tests.support.page_world import LINE, PageWorld, open_page  # noqa: E402

PATIENCE_S = 60
FORM = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 9\r\n\r\nwho=%%ff%%fe"


class Echo(asyncio.Protocol):
    """Answers what it gets; `fault` is raised in the place of that name."""

    def __init__(self, fault=None):
        self.fault = fault

    def connection_made(self, transport):
        self.transport = transport
        self._fail("made")

    def data_received(self, data):
        self._fail("data")
        self.transport.write(data)

    def connection_lost(self, error):
        self._fail("lost")

    def _fail(self, place):
        if self.fault == place:
            raise ValueError(place)


def on_door(story, make=Echo, **options):
    said, raised = [], []

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context))
        say = lambda what, **values: said.append((what, values))  # noqa: E731
        door = Door(("127.0.0.1", 0), make, None, say, **options)
        try:
            await asyncio.wait_for(story(door), PATIENCE_S)
        finally:
            await door.close()

    asyncio.run(run())
    assert not raised
    return said


async def connect(door):
    return await asyncio.open_connection(*door.address)


async def is_open(reader, writer):
    writer.write(b"?")
    return await reader.read(1) == b"?"


def test_a_connection_is_served_and_counted():
    async def story(door):
        reader, writer = await connect(door)
        assert await is_open(reader, writer)
        writer.close()
        while not door.counters["served"]:
            await asyncio.sleep(0.01)

    assert on_door(story) == []


async def connect_from(address, door):
    """A socket of one of the addresses of the loopback network, which has addresses enough."""
    one = socket.socket()
    one.bind((address, 0))
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, door.address)
    return one


def test_when_all_places_are_taken_the_oldest_without_a_request_gives_its_place():
    async def story(door):
        first = await connect(door)
        first[1].write(b"GET / HTTP/1.1\r\n\r\n")
        await first[0].readexactly(18)
        held = [await connect(door) for _ in range(CONNECTIONS_MAX - 1)]
        assert all([await is_open(*one) for one in held])
        newest = await connect(door)
        assert await is_open(*newest)
        assert await is_open(*first), "a request that is complete keeps its place"
        with pytest.raises(ConnectionError):
            assert await held[0][0].read() == b""
            raise ConnectionResetError
        assert all([await is_open(*one) for one in held[1:]]) and door.counters["dropped"] == 1

    on_door(story)


def test_sixty_slow_clients_of_six_addresses_do_not_hold_the_page():
    world = PageWorld()

    async def run():
        loop = asyncio.get_running_loop()
        async with open_page(world) as phone:
            held = [await connect_from(f"127.0.0.{2 + number % 6}", world.page) for number in range(60)]

            async def dribble():
                while True:
                    for number, one in enumerate(held):
                        try:
                            await loop.sock_sendall(one, b"POST /login HTTP/1.1\r\n" if number % 2 else b"X")
                        except OSError:
                            one.close()
                            held[number] = await connect_from(f"127.0.0.{2 + number % 6}", world.page)
                    await asyncio.sleep(0.01)

            dribbling = asyncio.create_task(dribble())
            assert (await phone.login()).status == 303
            for path in ("/", "/tonight", "/faults", "/feeder/0") * 3:
                assert (await phone.get(path)).status == 200
            assert (await phone.order("/feeder/0/test")).status == 303
            dribbling.cancel()
            for one in held:
                one.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_S))
    assert world.orders == [("test", 0, 120, "J. Renard")]


@pytest.mark.parametrize("rest", [b"", b"Content-Length: 9\r\n\r\nwho=x", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_request_that_does_not_become_complete_is_cut(rest):
    async def story(door):
        reader, writer = await connect(door)
        writer.write(b"POST / HTTP/1.1\r\n" + rest)
        with pytest.raises(ConnectionError):
            while await reader.read(100):
                pass
            raise ConnectionResetError
        assert door.counters == {"served": 0, "dropped": 0, "cut": 1}

    on_door(story, request_s=0.2)


def test_who_takes_too_long_is_cut_off_whatever_they_send():
    async def story(door):
        reader, writer = await connect(door)

        async def dawdle():
            while True:
                writer.write(b"G")
                await asyncio.sleep(0.02)

        dawdling = asyncio.create_task(dawdle())
        with pytest.raises(ConnectionError):
            while await reader.read(100):
                pass
            raise ConnectionResetError
        dawdling.cancel()
        while not door.counters["cut"]:
            await asyncio.sleep(0.01)

    on_door(story, deadline_s=0.2)


@pytest.mark.parametrize("place", ["made", "data", "lost"])
def test_an_error_in_what_serves_ends_the_connection_and_never_the_loop(place):
    async def story(door):
        reader, writer = await connect(door)
        writer.write(b"?")
        if place == "lost":
            await reader.read(1)
            writer.close()
        else:
            with pytest.raises(ConnectionError):
                assert await reader.read() == b""
                raise ConnectionResetError
        while not (door.counters["served"] or door.counters["cut"]):
            await asyncio.sleep(0.01)

    said = on_door(story, lambda: Echo(place))
    assert said == [("page-failed", {"error": f"ValueError('{place}')"})]


def test_without_a_descriptor_left_it_waits_a_little_and_does_not_spin(monkeypatch):
    monkeypatch.setattr(door_module, "_PAUSE_S", 0.05)
    tried = []

    class Exhausted:
        def __init__(self, inner):
            self.inner = inner
            self.fileno, self.close = inner.fileno, inner.close

        def accept(self):
            tried.append(self)
            if len(tried) < 3:
                raise OSError(errno.EMFILE, "too many open files")
            return self.inner.accept()

    async def story(door):
        door._socket = Exhausted(door._socket)
        began_s = asyncio.get_running_loop().time()
        assert await is_open(*await connect(door))
        assert len(tried) == 3 and asyncio.get_running_loop().time() - began_s >= 0.09

    on_door(story)


def test_closing_ends_what_is_open():
    async def run():
        door = Door(("127.0.0.1", 0), Echo, None, lambda what, **values: None)
        reader, writer = await connect(door)
        assert await is_open(reader, writer)
        await door.close()
        with pytest.raises(ConnectionError):
            assert await reader.read() == b""
            raise ConnectionResetError

    asyncio.run(run())


def test_an_address_that_is_taken_is_an_oserror_and_one_that_is_not_there_yet_is_none():
    async def run():
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for bind in (taken.getsockname(), ("nom.invalid", 0)):
            page = LocalPage(PageOptions(bind, LINE), dict, PageWorld(), lambda what, **values: None)
            with pytest.raises(OSError):
                await page.start()
            assert page.address is None and page.counters == {}
            await page.close()
        # The maintenance port has its address only while a cable is in.
        page = LocalPage(PageOptions(("192.0.2.77", 0), LINE), dict, PageWorld(), lambda what, **values: None)
        await page.start()
        assert page.address[0] == "192.0.2.77"
        await page.close()
        await page.close()

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_over_tls_the_cookie_is_for_tls_alone_and_old_versions_are_refused(tmp_path):
    certificate, key = Authority(tmp_path, "commune").issue("armoire", address="127.0.0.1")
    world = PageWorld()

    async def run():
        async with open_page(world, certificate=str(certificate), key=str(key)) as phone:
            answer = await phone.login()
            assert answer.status == 303 and "Secure" in answer.headers["Set-Cookie"]
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(*world.page.address, ssl=old)
            # A peer that speaks no TLS is a connection cut, no event of the agent.
            reader, writer = await asyncio.open_connection(*world.page.address)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.read()
            assert not world.words("page-failed")

    asyncio.run(run())


def test_nonsense_is_answered_or_cut_and_makes_no_line_of_the_log():
    world = PageWorld()
    nonsense = (
        b"\x16\x03\x01\x02\x00" * 20, b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n", b"POST /login HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"\r\n\r\n\r\n", b"\x00" * 100,
        b"GET /feeder/%ff%fe/%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /?lang=%C3%28 HTTP/1.1\r\nHost: \xff\r\n\r\n",
        *(FORM % kind for kind in (b"text/plain", b"application/x-www-form-urlencoded; charset=nowhere", b"")),
        FORM % b"multipart/form-data; boundary=x",
    )  # fmt: skip

    async def run():
        raised = []
        async with open_page(world) as phone:
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context))
            for data in nonsense:
                reader, writer = await asyncio.open_connection(*world.page.address)
                writer.write(data)
                writer.write_eof()
                try:
                    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
                except ConnectionError:
                    answer = b""
                # Below the head, which is the library's own for what is no HTTP.
                said = answer.partition(b"\r\n\r\n")[2]
                assert b"Traceback" not in said and b"aiohttp" not in said, data[:40]
                writer.close()
            assert (await phone.login()).status == 303
        assert not raised

    asyncio.run(run())
    assert [what for what, _ in world.said] == ["page-login"]
