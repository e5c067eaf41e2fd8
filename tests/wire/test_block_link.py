"""Block-wise transfers over two CoAP endpoints and a bad link, in virtual time, with a reboot of the client and a
document that changes: what arrives is whole, or nothing does."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bad_link import BadLink
from wire import block as blocks
from wire import coap, limits
from wire import coap_message as messages
from wire.block import Body, Download, Part, Restarted, Stopped, digest_etag, serve
from wire.coap_message import Content

PATH = ((messages.URI_PATH, b"p"),)
BYTES = random.Random(1).randbytes(6000)
TOTAL_MAX = 6000


class World:
    """A client and a server. The client loses all but what is in `stored` when it reboots."""

    def __init__(self, seed, *, loss, duplication, delay_max_ms=3000):
        self.draw = random.Random(seed)
        self.now_ms = 0
        self.link = BadLink(self.draw, loss=loss, duplication=duplication, delay_max_ms=delay_max_ms)
        self.client, self.server = self.endpoint(), self.endpoint()
        self.body, self.served_szx = Body(b""), self.draw.randrange(4)
        self.exchanges = 0

    def endpoint(self):
        return coap.Endpoint(
            random_below=self.draw.randrange,
            first_message_id=self.draw.randrange(0x10000),
            handled_options=(messages.BLOCK2,),
        )

    def reboot(self):
        self.client = self.endpoint()

    def ask(self, content):
        """The Content of the response, however often it takes."""
        while True:
            self.exchanges += 1
            number = self.client.request(
                "server", content.code, (), content.payload, options=content.options, now_ms=self.now_ms
            )
            event = self.run_until_outcome(number)
            if isinstance(event, coap.Response):
                return Content(event.code, event.options, event.payload)
            assert event.reason == "timeout"

    def run_until_outcome(self, number):
        while True:
            for event in self.turn():
                if not isinstance(event, coap.Request) and event.exchange == number:
                    return event
            instants = [self.link.next_ms(), self.client.deadline_ms(), self.server.deadline_ms()]
            self.now_ms = max(self.now_ms, min(instant for instant in instants if instant is not None))

    def turn(self):
        events = []
        for _, _, destination, source, datagram in self.link.arrived(self.now_ms):
            if destination == "server":
                self.act(self.server.receive(datagram, source, now_ms=self.now_ms))
            else:
                events += self.client.receive(datagram, source, now_ms=self.now_ms)
        self.server.poll(now_ms=self.now_ms)
        events += self.client.poll(now_ms=self.now_ms)
        for name, end in (("client", self.client), ("server", self.server)):
            for peer, datagram in end.outgoing():
                assert len(datagram) <= limits.DATAGRAM_BYTES_MAX
                self.link.carry(name, peer, datagram, self.now_ms)
        return events

    def act(self, events):
        for event in events:
            answer = self.answer(event)
            self.server.respond(event.exchange, answer.code, answer.payload, options=answer.options, now_ms=self.now_ms)

    def answer(self, request):
        return serve(request, self.body, etag=digest_etag(self.body), szx=self.served_szx)


def told(event):
    """Of another type is another event, which namedtuples do not say."""
    return type(event), event


links = st.fixed_dictionaries(
    {"seed": st.integers(0, 1 << 32), "loss": st.sampled_from((0, 0.1, 0.35)), "duplication": st.sampled_from((0, 0.4))}
)
moments = st.sets(st.integers(0, 60), max_size=4)


@given(links, st.integers(0, TOTAL_MAX), st.integers(0, 3), moments, st.sets(st.integers(0, 60), max_size=2))
def test_a_download_through_reboots_and_changes_is_one_version_whole(link, size, szx, reboots, changes):
    world = World(**link)
    versions = [BYTES[:size]]
    world.body = Body(versions[0])
    request = Content(messages.GET, PATH, b"")
    download, flash = Download(request, total_max=TOTAL_MAX, szx=szx), bytearray()
    turns = 0
    while not download.is_over:
        if turns in reboots:
            world.reboot()
            flash[:] = b"torn"[: turns % 5]
            download = Download(request, total_max=TOTAL_MAX, szx=szx)
        if turns in changes:
            versions.append(BYTES[turns + 1 :][:size])
            world.body = Body(versions[-1])
        event = download.receive(world.ask(download.request()))
        if not isinstance(event, Restarted):
            assert isinstance(event, Part), event
            flash[event.offset :] = event.payload
        turns += 1
    assert bytes(flash) in versions
    if not changes:
        assert turns <= (size // blocks.block_bytes(min(szx, world.served_szx)) + 2) * (1 + len(reboots))


@pytest.mark.parametrize("seed", range(3))
def test_a_document_that_never_rests_is_given_up(seed):
    world = World(seed, loss=0.1, duplication=0.1)
    download = Download(Content(messages.GET, PATH, b""), total_max=TOTAL_MAX)
    turns = 0
    while not download.is_over:
        world.body = Body(BYTES[turns:][:1000])
        event = download.receive(world.ask(download.request()))
        turns += 1
    assert told(event) == told(Stopped("changed")) and turns == 2 * (1 + limits.BLOCK_RESTARTS_MAX)
