"""Drawn messages at every entrance of the block layer: no exception, no growth, no byte out of place."""

import random

import pytest

from gateway.io.crypto import AesBlocks
from wire import block as blocks
from wire import coap_message as messages
from wire import limits, oscore
from wire.block import Answered, Block, Body, Restarted, Stopped
from wire.block_download import Download, Part
from wire.block_receive import REFUSED_AS, TAKEN_AS, Receiver, Whole
from wire.block_serve import serve
from wire.block_upload import Acked, Upload
from wire.oscore_inner import Content

TURNS = 20_000
GET = Content(messages.GET, (), b"")
PUT = Content(messages.PUT, (), b"")
SUCCESSES = (messages.CONTENT, messages.CONTENT, messages.CONTINUE, messages.CONTINUE, messages.CHANGED)
ERRORS = (messages.INCOMPLETE, messages.REQUEST_TOO_LARGE, messages.BAD_REQUEST, messages.VALID, messages.NOT_FOUND)


def drawn(draw, codes, asked=None):
    """A message with options near and far from what is meant; `asked`: a request to answer nearly right."""
    options = []
    for number in (messages.ETAG, messages.BLOCK2, messages.BLOCK1, messages.SIZE2, messages.SIZE1):
        if draw.random() < 0.75:
            options += [(number, draw.randbytes(draw.randrange(5)))] * draw.choice((1, 1, 1, 2))
    payload = draw.randbytes(draw.choice((0, 1, 15, 16, 16, 16, 17, 32, 64)))
    if draw.random() < 0.8:
        options = [option for option in options if option[0] not in (messages.BLOCK1, messages.BLOCK2)]
        for number in (messages.BLOCK1, messages.BLOCK2):
            meant = (asked and blocks.block_of(asked.options, number)) or Block(draw.randrange(3), True, 0)
            block = Block(max(0, meant.number + draw.choice((0, 0, 0, 1, -1))), draw.random() < 0.8, meant.szx)
            messages.insert_option(options, number, blocks.encode(block))
            payload = draw.randbytes(blocks.block_bytes(block.szx) - (draw.random() < 0.1))
    return Content(draw.choice(codes), tuple(options), payload)


@pytest.mark.parametrize("seed", range(3))
def test_a_download_gives_a_contiguous_prefix_and_ends(seed):
    draw = random.Random(seed)
    seen = dict.fromkeys((Part, Restarted, Answered, Stopped), 0)
    for _ in range(TURNS // 20):
        download, end = Download(GET, total_max=500, szx=draw.randrange(7), is_early=draw.random() < 0.5), 0
        for _ in range(200):
            event = download.receive(drawn(draw, SUCCESSES * 8 + ERRORS, download.request()))
            seen[type(event)] += 1
            if isinstance(event, Part):
                assert event.offset == end and len(event.payload) <= 500
                end += len(event.payload)
            elif isinstance(event, Restarted):
                end = 0
            assert download.offset == end <= 500
            if download.is_over:
                break
        assert download.is_over, "500 bytes in blocks of 16 or more"
    assert all(seen.values()), seen


@pytest.mark.parametrize("seed", range(3))
def test_an_upload_never_says_more_than_was_acknowledged_and_ends(seed):
    draw = random.Random(seed)
    seen = dict.fromkeys((Acked, Restarted, Answered, Stopped), 0)
    for _ in range(TURNS // 20):
        upload = Upload(PUT, Body(bytes(500)), szx=draw.randrange(5), request_tag=b"\xff\xff")
        for _ in range(200):
            before, request = upload.offset, upload.request()
            event = upload.receive(drawn(draw, SUCCESSES * 8 + ERRORS, request))
            seen[type(event)] += 1
            if isinstance(event, Acked):
                assert event.offset == upload.offset == before + len(request.payload) <= 500
            elif isinstance(event, Restarted):
                assert upload.offset == 0
            if upload.is_over:
                break
        assert upload.is_over
    assert all(seen.values()), seen


@pytest.mark.parametrize("seed", range(3))
def test_servers_answer_everything_and_hold_no_more_than_their_bounds(seed):
    draw = random.Random(seed)
    receiver, codes = Receiver(szx=1, body_max=100, bodies_max=3, wait_ms=100), set()
    for turn in range(TURNS):
        if turn == 0 or draw.random() < 0.8:  # else the same once more
            peer, request = draw.randrange(5), drawn(draw, (messages.GET, messages.PUT))
        codes.add(serve(request, Body(bytes(70)), etag=b"e", szx=1).code)
        found = receiver.receive(peer, request, now_ms=turn)
        if isinstance(found, Whole):
            assert found.block is None or len(found.content.payload) <= 100
            found = receiver.answer(found, Content(messages.CHANGED, (), b""))
        codes.add(found.code)
        assert sum(len(incoming.body or b"") for incoming in receiver._incoming.values()) <= 3 * 100
        assert len(receiver._incoming) <= 3
    assert sum(receiver.counters[name] for name in TAKEN_AS + REFUSED_AS) == TURNS
    assert all(receiver.counters.values()), receiver.counters
    assert codes >= {messages.CONTENT, messages.CHANGED, messages.CONTINUE, messages.INCOMPLETE, messages.UNAVAILABLE}
    assert codes >= {messages.BAD_REQUEST, messages.BAD_OPTION, messages.REQUEST_TOO_LARGE}


def test_a_block_of_the_link_fits_its_datagram_under_oscore_with_all_that_may_go_with_it():
    """What `limits.BLOCK_LINK_SZX` says; a block of 256 does not."""
    path = tuple((messages.URI_PATH, name) for name in (b"firmware", b"streetlt", b"esp32-s3", b"20261126"))
    query = ((messages.URI_QUERY, b"n=0123456789abcdef"),)
    context = oscore.derive(bytes(16), sender_id=bytes(3), recipient_id=b"g", id_context=bytes(16))
    body = Body(bytes(blocks.NUMBER_MAX))
    upload = Upload(Content(messages.PUT, path + query, b""), body, offset=128 << 12, request_tag=bytes(4))
    first = Upload(Content(messages.PUT, path + query, b""), body, request_tag=bytes(4))
    asked = Download(Content(messages.GET, path + query, b""), total_max=1 << 20, offset=128 << 12, etag=bytes(8))
    answer = serve(asked.request(), body, etag=bytes(8), content_format=65000)
    _, exchange = oscore.protect_request(context, asked.request(), AesBlocks(), number=1)
    sizes = [datagram_bytes(oscore.protect_response(context, answer, AesBlocks(), exchange, number=(1 << 40) - 1))]
    for content in (upload.request(), first.request()):
        assert len(content.payload) == 128
        sent, _ = oscore.protect_request(context, content, AesBlocks(), number=(1 << 40) - 1, with_id_context=True)
        sizes.append(datagram_bytes(sent))
    assert max(sizes) <= limits.DATAGRAM_BYTES_MAX < 256, sizes


def datagram_bytes(content):
    message = messages.Message(messages.CON, content.code, 1, bytes(4), content.options, content.payload)
    return messages.encoded_bytes(message)
