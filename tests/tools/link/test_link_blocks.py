"""`bocage link talk` with more than a datagram: both directions, what a broken peer makes of it, and the progress."""

import io

import pytest

from tools import cli
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


def quiet(*_):
    pass


@pytest.mark.parametrize("szx", [None, 0, 2, 6])
@pytest.mark.parametrize("served", [0, 3, 6])
def test_an_answer_by_blocks_arrives_whole(szx, served):
    peer = Peer(szx=served)
    got = link_talk.transfer(peer, Content(messages.GET, PATH, b""), szx=szx, progress=quiet)
    assert (got.code, got.payload) == (messages.CONTENT, DATA)
    asked = {block.szx for request in peer.asked if (block := blocks.block_of(request.options, messages.BLOCK2))}
    assert max(asked) <= (6 if szx is None else szx)


def test_nothing_is_said_about_blocks_to_a_peer_that_may_know_none():
    peer = Peer()
    link_talk.transfer(peer, Content(messages.GET, PATH, b""), szx=None, progress=quiet)
    link_talk.transfer(peer, Content(messages.POST, PATH, b"short"), szx=None, progress=quiet)
    first = [request for request in peer.asked if not messages.option_values(request.options, messages.BLOCK2)]
    assert first == [Content(messages.GET, PATH, b""), Content(messages.POST, PATH, b"short")]


def test_an_error_is_an_answer():
    refused = Content(messages.FORBIDDEN, (), b"no")
    for method in (messages.GET, messages.PUT):
        assert link_talk.transfer(lambda _: refused, Content(method, PATH, DATA), szx=2, progress=quiet) == refused


def test_endless_blocks_end_at_the_bound(monkeypatch):
    monkeypatch.setattr(link_talk, "ANSWER_BYTES_MAX", 5000)

    def endless(request):
        number = (blocks.block_of(request.options, messages.BLOCK2) or Block(0, False, 2)).number
        return Content(messages.CONTENT, ((messages.BLOCK2, blocks.encode(Block(number, True, 2))),), bytes(64))

    with pytest.raises(link_talk.TransferError, match="more than"):
        link_talk.transfer(endless, Content(messages.GET, PATH, b""), szx=2, progress=quiet)


def test_what_changes_in_the_middle_is_fetched_again_whole():
    versions = [Body(b"a" * 300), Body(b"b" * 300)]
    asked = []

    def changing(request):
        asked.append(request)
        body = versions[len(asked) > 2]
        return serve(request, body, etag=digest_etag(body), szx=2)

    answer = link_talk.transfer(changing, Content(messages.GET, PATH, b""), szx=2, progress=quiet)
    assert answer.payload == b"b" * 300


def test_every_known_stop_has_its_words():
    assert set(blocks.STOPS) == set(link_talk._WHY)


def test_progress_is_silent_for_a_second_and_then_one_line_a_second():
    clock, stream = [128.0], io.StringIO()
    progress = link_talk.Progress(stream, lambda: clock[0])
    for number in range(21):
        progress("received", number * 64, None if number < 10 else 8000)
        clock[0] += 0.125  # exact in binary
    lines = stream.getvalue().splitlines()
    assert lines == ["bocage link: received 512 bytes", "bocage link: received 1024 of 8000 bytes"]


def test_a_payload_that_cannot_be_read_is_said_before_a_number_is_used(tmp_path, capsys):
    words = [str(tmp_path / "none.toml"), "coap://127.0.0.1/t", "--payload-file", str(tmp_path / "none"), "--first"]
    assert cli.main(["link", "talk", *words]) == 2
    assert "none: No such file" in capsys.readouterr().err
