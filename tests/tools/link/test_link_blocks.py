"""`bocage link talk` with more than a datagram, and what a broken peer makes of it."""

import pytest

from tools.link import talk as link_talk
from wire import block as blocks
from wire import coap_message as messages
from wire.block import Block, Body, digest_etag, serve
from wire.coap_message import Content

PATH = ((messages.URI_PATH, b"p"),)
DATA = bytes(range(250)) * 8


class Peer:
    """Serves DATA by Block2."""

    def __init__(self, szx=6):
        self.szx, self.asked = szx, []

    def __call__(self, request):
        self.asked.append(request)
        return serve(request, Body(DATA), etag=digest_etag(Body(DATA)), szx=self.szx)


@pytest.mark.parametrize("served", [0, 3, 6])
def test_an_answer_by_blocks_arrives_whole(served):
    got = link_talk.transfer(Peer(szx=served), Content(messages.GET, PATH, b""))
    assert (got.code, got.payload) == (messages.CONTENT, DATA)


def test_nothing_is_said_about_blocks_to_a_peer_that_may_know_none():
    peer = Peer()
    link_talk.transfer(peer, Content(messages.GET, PATH, b""))
    link_talk.transfer(peer, Content(messages.POST, PATH, b"short"))
    first = [request for request in peer.asked if not messages.option_values(request.options, messages.BLOCK2)]
    assert first == [Content(messages.GET, PATH, b""), Content(messages.POST, PATH, b"short")]


def test_an_error_is_an_answer():
    refused = Content(messages.FORBIDDEN, (), b"no")
    for method in (messages.GET, messages.PUT):
        assert link_talk.transfer(lambda _: refused, Content(method, PATH, DATA)) == refused


def test_endless_blocks_end_at_the_bound(monkeypatch):
    monkeypatch.setattr(link_talk, "ANSWER_BYTES_MAX", 5000)

    def endless(request):
        number = (blocks.block_of(request.options, messages.BLOCK2) or Block(0, False, 2)).number
        return Content(messages.CONTENT, ((messages.BLOCK2, blocks.encode(Block(number, True, 2))),), bytes(64))

    with pytest.raises(link_talk.TransferError, match="more than"):
        link_talk.transfer(endless, Content(messages.GET, PATH, b""))


def test_what_changes_in_the_middle_is_fetched_again_whole():
    versions = [Body(b"a" * 300), Body(b"b" * 300)]
    asked = []

    def changing(request):
        asked.append(request)
        body = versions[len(asked) > 2]
        return serve(request, body, etag=digest_etag(body), szx=2)

    answer = link_talk.transfer(changing, Content(messages.GET, PATH, b""))
    assert answer.payload == b"b" * 300


def test_every_known_stop_has_its_words():
    assert set(blocks.STOPS) == set(link_talk._WHY)
