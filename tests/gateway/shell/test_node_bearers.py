"""The UDP address of the node link: taken, not ours yet; a cabinet lights its street all the same."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from gateway.config.link import SerialBearers
from gateway.shell import node_bearers
from gateway.shell.node_bearers import open_node_bearers

pytestmark = pytest.mark.live


def config(bind, *, cabinet):
    return SimpleNamespace(bind=bind, cabinet=cabinet, serial=SerialBearers())


def test_an_address_that_is_taken_is_had_later_where_there_is_a_cabinet(monkeypatch):
    monkeypatch.setattr(node_bearers, "_AGAIN_S", 0.05)
    said = []

    async def main():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            bind = taken.getsockname()
            link = await open_node_bearers(config(bind, cabinet=object()), None, lambda what, **_: said.append(what))
            assert link.address is None and said == ["cannot-serve"]
            link.send(("192.0.2.1", 5683), b"lost")
        async with asyncio.timeout(60):
            while link.address is None:
                await asyncio.sleep(0.02)
        assert link.address == bind and said == ["cannot-serve", "link-open"]
        link.close()

    asyncio.run(main())


def test_without_a_cabinet_it_is_an_error():
    async def main():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(OSError):
                await open_node_bearers(config(taken.getsockname(), cabinet=None), None, print)

    asyncio.run(main())


def test_an_address_that_comes_with_the_network_is_bound_before_it():
    async def main():
        link = await open_node_bearers(config(("192.0.2.17", 0), cabinet=None), None, print)
        assert link.address[0] == "192.0.2.17"
        link.close()

    asyncio.run(main())
