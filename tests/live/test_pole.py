"""A whole agent with its page, a whole streetlight on UDP, a phone: a lamp blinks and gets its light, in real time."""

import asyncio
import re
import signal
import time
from random import Random

import pytest

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed")
pytestmark = [pytest.mark.live, pytest.mark.slow]

import kinds  # noqa: E402 - only once aiohttp is known to be there
from kinds import streetlight  # noqa: E402
from node.app import Boot, Node  # noqa: E402
from node.settings import Settings  # noqa: E402
from simulator.estates.streets import lamp_settings  # noqa: E402
from simulator.hosts.keys import link_of, pairing_of  # noqa: E402
from tests.support.agent_process import AgentProcess, held_in, without_broker  # noqa: E402
from tests.support.broker import free_port  # noqa: E402
from tests.support.gateway_world import GATEWAY, NODE  # noqa: E402
from tests.support.lit_world import SITE  # noqa: E402
from tests.support.ordered_world import DARK_BY_DAY  # noqa: E402
from tests.support.page_world import LINE, Phone  # noqa: E402
from wire import limits, quantity  # noqa: E402
from wire.coap_exchange import bearer_timing  # noqa: E402

_WAIT_S = 60
_CABINET = """
[clock]
trust_system = true
[page]
bind = "127.0.0.1:{port}"
password = "{line}"
[cabinet]
latitude = 47.572
longitude = -0.594
modbus = "{folder}/no-line"
[[cabinet.feeder]]
name = "bourg"
lamps = 1
contactor = "modbus:1/coil:0"
"""


class Lamp(asyncio.DatagramProtocol):
    """A node of the real program on a socket; its meter shows the level."""

    def __init__(self):
        below = Random(1).randrange
        own = lamp_settings(SITE, (360, 6), DARK_BY_DAY)
        settings = Settings(
            node=NODE, own=own, bearer=("udp",), gateway=("gateway", 5683), pairing=pairing_of(NODE), sample_s=60,
            telemetry_s=900, health_s=3600, report_spread_s=0, ack_timeout_ms=limits.COAP_ACK_TIMEOUT_MIN_MS,
            update_keys=(), trace=False,
        )  # fmt: skip
        self._gateway = settings.gateway
        link = link_of(NODE, self._gateway, boot=1, random_below=below, timing=bearer_timing(nstart=4))
        trade = streetlight.make_trade(own, kinds.Start(NODE, b"", _now_ms(), below))
        self.node = Node(settings, Boot(1, None, None, "power-on"), link, trade, random_below=below, now_ms=_now_ms())
        self.levels = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, _address):
        self.node.receive(data, self._gateway, now_ms=_now_ms())
        self._turn()

    async def live(self):
        while True:
            self._turn()
            await asyncio.sleep(max(0.005, min(0.5, (self.node.deadline_ms(_now_ms()) - _now_ms()) / 1000)))

    def _turn(self):
        level = self.node.outputs.level_percent
        if self.node.sample_due(_now_ms()):
            self.node.sample({quantity.POWER: 6 + 354 * level // 100}, {}, now_ms=_now_ms())
        else:
            self.node.poll(now_ms=_now_ms())
        if self.node.outputs.rule == "identify" and self.levels[-1:] != [self.node.outputs.level_percent]:
            self.levels.append(self.node.outputs.level_percent)
        for _, datagram in self.node.outgoing():
            self.transport.sendto(datagram)


def _now_ms():
    return time.monotonic_ns() // 1_000_000


async def shown(phone, words):
    """Looks until the screen of the node says so."""
    async with asyncio.timeout(_WAIT_S):
        while words not in (found := (await phone.get(f"/node/{NODE.hex()}")).shown.replace("\u00a0", " ")):
            await asyncio.sleep(0.2)
    return found


async def entered(phone):
    """Logs in once the page is served: the agent opens it after its link."""
    async with asyncio.timeout(_WAIT_S):
        while True:
            try:
                return await phone.login()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.2)


async def story(link, port):
    _, lamp = await asyncio.get_running_loop().create_datagram_endpoint(Lamp, remote_addr=link)
    living = asyncio.ensure_future(lamp.live())
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, connector=aiohttp.TCPConnector(force_close=True)) as session:
        phone = Phone(session, f"http://127.0.0.1:{port}")
        await entered(phone)
        await shown(phone, "contrôleur de luminaire")
        await phone.order(f"/node/{NODE.hex()}/identify")
        await shown(phone, "36,0 W à pleine lumière")
        await phone.order(f"/node/{NODE.hex()}/place", light="0117", street="Rue du Port")
        await shown(phone, "Point lumineux 0117, Rue du Port")
    living.cancel()
    lamp.transport.close()
    return lamp


def test_a_lamp_blinks_for_a_phone_and_its_light_is_on_the_card(repository, tmp_path):
    path, port = without_broker(tmp_path), free_port()
    path.write_text(path.read_text() + _CABINET.format(port=port, line=LINE, folder=tmp_path))
    agent = AgentProcess(repository, path)
    link = agent.start()
    try:
        lamp = asyncio.run(story(link, port))
    finally:
        assert agent.stop(signal.SIGTERM) == 0
    assert lamp.levels == [100, 10] * 4 + [100]
    held = held_in(tmp_path / "data" / "journal")
    assert {node for node, _, _ in held} == {NODE, GATEWAY}
    audit = b"".join(one.read_bytes() for one in (tmp_path / "data" / "state").glob("audit-*"))
    assert re.search(rb'"place".*0117', audit)
