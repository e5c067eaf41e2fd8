"""The client of block-wise transfers against servers that err, lie, change and forget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from wire import block as blocks
from wire import coap_message as messages
from wire import limits
from wire.block import Answered, Block, Body, Download, Part, Restarted, Stopped, digest_etag, serve
from wire.coap_message import Content
from wire.faults import WireFault

PATH = ((messages.URI_PATH, b"p"),)
GET = Content(messages.GET, PATH, b"")
DATA = bytes(range(256)) * 3
BODY = Body(DATA)


def block2(number, more, szx, payload=None, etag=b"e", *others):
    options = [(messages.ETAG, etag)] if etag else []
    options += [(messages.BLOCK2, blocks.encode(Block(number, more, szx))), *others]
    size = blocks.block_bytes(szx)
    return Content(messages.CONTENT, tuple(options), DATA[number * size :][:size] if payload is None else payload)


def fetched(download, *, body=BODY, etag=b"e", szx=6, turns=100):
    """The bytes of a whole transfer from our own server, and its events."""
    events, got = [], b""
    while not download.is_over:
        assert len(events) < turns
        events.append(download.receive(serve(download.request(), body, etag=etag, szx=szx)))
        if isinstance(events[-1], Part):
            got += events[-1].payload
        elif isinstance(events[-1], Restarted):
            got = b""
    return got, events


def told(event):
    """Of another type is another event, which namedtuples do not say."""
    return type(event), event


# --- the option ---


@given(st.integers(0, blocks.NUMBER_MAX), st.booleans(), st.integers(0, blocks.SZX_MAX))
def test_a_block_has_one_shortest_encoding(number, more, szx):
    value = blocks.encode(Block(number, more, szx))
    assert blocks.decode(value) == Block(number, more, szx)
    assert len(value) <= 3 and not value.startswith(b"\0")


@examples(times=2)
@given(st.binary(max_size=6))
def test_any_bytes_are_a_block_or_a_fault_with_a_known_reason(value):
    try:
        block = blocks.decode(value)
    except WireFault as fault:
        assert fault.reason in blocks.REASONS and (len(value) > 3 or value[-1] & 7 == 7)
    else:
        assert block.number <= blocks.NUMBER_MAX and block.szx <= blocks.SZX_MAX


def test_a_second_block_option_is_a_fault_and_a_broken_size_is_absent():
    twice = ((messages.BLOCK2, b"\x08"), (messages.BLOCK2, b"\x08"))
    with pytest.raises(WireFault, match="block-option-repeated"):
        blocks.block_of(twice, messages.BLOCK2)
    assert blocks.size_of(((messages.SIZE2, bytes(5)),), messages.SIZE2) is None
    assert blocks.size_of(((messages.SIZE2, b"\1\0"),), messages.SIZE2) == 256
    assert blocks.etag_of(((messages.ETAG, b""),)) is None and blocks.etag_of(((messages.ETAG, bytes(9)),)) is None


# --- download ---


@given(st.integers(0, 700), st.integers(0, 6), st.integers(0, 6))
def test_every_size_arrives_by_every_pair_of_block_sizes(size, ours, theirs):
    body = Body(DATA[:size])
    download = Download(GET, total_max=700, szx=ours)
    got, events = fetched(download, body=body, szx=theirs)
    assert got == DATA[:size] and events[-1].is_last and download.offset == size
    assert download.size in (None, size) and download.response.code == messages.CONTENT


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Content(messages.INCOMPLETE, (), b""), "refused"),
        (Content(messages.CONTENT, ((messages.ETAG, b"e"),), b"short"), "whole"),
    ],
)
def test_a_peer_that_knows_the_transfer_no_more_or_sends_it_whole_has_it_begin_again(answer, reason):
    download = Download(GET, total_max=800, szx=2)
    download.receive(block2(0, True, 2, etag=b"e"))
    assert told(download.receive(answer)) == told(Restarted(reason))
    assert fetched(download)[0] == DATA


def test_a_change_in_the_middle_begins_again_and_what_never_rests_is_given_up():
    download = Download(GET, total_max=800, szx=2)
    for etag in (b"1", b"2", b"3"):
        assert download.receive(block2(0, True, 2, etag=etag)).payload == DATA[:64]
        assert download.etag == etag and download.offset == 64
        assert told(download.receive(block2(1, True, 2, etag=etag + b"x"))) == told(Restarted("changed"))
        assert download.offset == 0 and download.etag is None
    download.receive(block2(0, True, 2))
    assert limits.BLOCK_RESTARTS_MAX == 3
    assert told(download.receive(block2(1, True, 2, etag=None))) == told(Stopped("changed")) and download.is_over


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (block2(2, True, 2), "block-number"),
        (block2(0, True, 2), "block-number"),
        (block2(1, True, 3, bytes(128)), "block-size"),
        (block2(1, True, 2, bytes(63)), "block-cut"),
        (block2(1, True, 2, bytes(65)), "block-cut"),
        (block2(1, True, 2, b""), "block-cut"),
        (block2(1, False, 2, bytes(65)), "block-cut"),
        (Content(messages.CONTENT, ((4, b"e"), (messages.BLOCK2, b"\x17")), bytes(64)), "block-option-reserved"),
        (Content(messages.CONTENT, ((4, b"e"), (messages.BLOCK2, bytes(4))), bytes(64)), "block-option-length"),
        (block2(1, True, 2, None, b"e", (messages.SIZE2, b"\x10\0")), "block-total"),
    ],
)
def test_a_broken_answer_ends_a_download_with_its_reason(answer, why):
    download = Download(GET, total_max=800, szx=2)
    download.receive(block2(0, True, 2))
    assert told(download.receive(answer)) == told(Stopped(why)) and download.is_over and download.offset == 64
    assert why in blocks.STOPS + blocks.REASONS


def test_endless_blocks_end_at_the_bound():
    download = Download(GET, total_max=800, szx=2)
    number = 0
    while not download.is_over:
        event = download.receive(block2(number, True, 2, bytes(64)))
        number += 1
    assert told(event) == told(Stopped("block-total")) and number == 13
    assert told(Download(GET, total_max=800).receive(Content(messages.CONTENT, (), bytes(801)))) == told(
        Stopped("block-total")
    )


def test_more_blocks_than_a_number_can_count_are_refused():
    download = Download(GET, total_max=1 << 31, szx=6)
    download.offset = blocks.NUMBER_MAX << 4 + 6
    assert told(download.receive(block2(blocks.NUMBER_MAX, True, 6, bytes(1024)))) == told(Stopped("block-total"))


def test_an_error_is_the_answer_and_so_is_2_03():
    known = Content(messages.GET, ((messages.ETAG, b"e"), *PATH), b"")
    download = Download(known, total_max=800)
    assert download.receive(serve(download.request(), BODY, etag=b"e")).content.code == messages.VALID
    download = Download(GET, total_max=800, szx=2)
    download.receive(block2(0, True, 2))
    assert told(download.receive(Content(messages.NOT_FOUND, (), b""))) == told(
        Answered(Content(messages.NOT_FOUND, (), b""))
    )
    assert download.offset == 64, "the caller may go on later"


def test_who_knows_the_etag_gets_any_later_block_all_the_same():
    later = Content(messages.GET, ((messages.ETAG, b"e"), (messages.BLOCK2, b"\x12")), b"")
    answer = serve(later, BODY, etag=b"e")
    assert answer.code == messages.CONTENT and answer.payload == DATA[64:128]


def test_a_failed_exchange_repeats_the_same_request():
    download = Download(GET, total_max=800)
    assert download.request() == download.request()
    assert messages.option_values(download.request().options, messages.SIZE2) == (b"",)


def test_an_etag_is_of_the_bytes():
    assert digest_etag(BODY) == digest_etag(Body(bytearray(DATA))) != digest_etag(Body(DATA[1:]))
    assert len(digest_etag(Body(bytes(5000)))) == 8


@pytest.mark.parametrize(
    ("value", "code"),
    [(b"\x0f", messages.BAD_REQUEST), (bytes(4), messages.BAD_OPTION), (b"\x7f\xf2", messages.BAD_REQUEST)],
    ids=["reserved", "long", "beyond"],
)
def test_a_server_refuses_what_is_no_block(value, code):
    request = Content(messages.GET, (*PATH, (messages.BLOCK2, value)), b"")
    assert serve(request, BODY, etag=b"e").code == code
