"""Drawn messages at every entrance of the block layer: no exception, no growth, no byte out of place."""

import random

import pytest

from gateway.io.crypto import AesCcm
from wire import block as blocks
from wire import coap_message as messages
from wire import limits, oscore, oscore_context
from wire.block import Answered, Block, Body, Download, Part, Restarted, Stopped, serve
from wire.coap_message import Content

TURNS = 20_000
GET = Content(messages.GET, (), b"")
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
        download, end = Download(GET, total_max=500, szx=draw.randrange(7)), 0
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
def test_a_server_answers_everything(seed):
    draw = random.Random(seed)
    codes = set()
    for _ in range(TURNS):
        request = drawn(draw, (messages.GET, messages.PUT))
        codes.add(serve(request, Body(bytes(70)), etag=b"e", szx=1).code)
    assert codes == {messages.CONTENT, messages.VALID, messages.BAD_REQUEST, messages.BAD_OPTION}


def test_a_block_of_the_link_fits_its_datagram_under_oscore_with_all_that_may_go_with_it():
    """What `limits.BLOCK_LINK_SZX` says; a block of 256 does not."""
    path = tuple((messages.URI_PATH, name) for name in (b"firmware", b"streetlt", b"esp32-s3", b"20261126"))
    query = ((messages.URI_QUERY, b"n=0123456789abcdef"),)
    context = oscore_context.derive(bytes(16), sender_id=bytes(3), recipient_id=b"g", id_context=bytes(16))
    body = Body(bytes(blocks.NUMBER_MAX))
    asked = Download(Content(messages.GET, path + query, b""), total_max=1 << 20)
    asked.offset = 128 << 12
    answer = serve(asked.request(), body, etag=bytes(8), content_format=65000)
    _, exchange = oscore.protect_request(context, asked.request(), AesCcm(), number=1)
    sizes = [datagram_bytes(oscore.protect_response(context, answer, AesCcm(), exchange, number=(1 << 40) - 1))]
    assert len(answer.payload) == 128
    sent, _ = oscore.protect_request(context, asked.request(), AesCcm(), number=(1 << 40) - 1, kid_context=bytes(16))
    sizes.append(datagram_bytes(sent))
    assert max(sizes) <= limits.DATAGRAM_BYTES_MAX < 256, sizes


def datagram_bytes(content):
    message = messages.Message(messages.CON, content.code, 1, bytes(4), content.options, content.payload)
    return len(messages.encode(message, 2 * limits.DATAGRAM_BYTES_MAX))
