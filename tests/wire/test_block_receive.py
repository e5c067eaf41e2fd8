"""A receiver of Block1 among honest clients, repeaters and attackers: whole bodies or none, in bounded memory."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import block as blocks
from wire import coap_message as messages
from wire.block import Answered, Block, Body, Restarted
from wire.block_receive import REFUSED_AS, TAKEN_AS, Receiver, Whole
from wire.block_upload import Upload
from wire.oscore_inner import Content

PATH = ((messages.URI_PATH, b"p"),)
DATA = bytes(range(256)) * 3
DONE = Content(messages.CHANGED, (), b"done")


def put(number, more, payload, *, szx=0, path=b"p", others=()):
    options = [(messages.URI_PATH, path), (messages.BLOCK1, blocks.encode(Block(number, more, szx))), *others]
    return Content(messages.PUT, tuple(options), payload)


def held_bytes(receiver):
    return sum(len(incoming.body or b"") for incoming in receiver._incoming.values())


def answered(receiver, request, *, peer="a", now_ms=0):
    """The code; a whole body is answered with DONE."""
    found = receiver.receive(peer, request, now_ms=now_ms)
    return (receiver.answer(found, DONE) if isinstance(found, Whole) else found).code


def told(event):
    """Of another type is another event, which namedtuples do not say."""
    return type(event), event


def check_counters(receiver, requests):
    assert sum(receiver.counters[name] for name in TAKEN_AS + REFUSED_AS) == requests


@given(st.integers(0, 700), st.integers(0, 6), st.integers(0, 6))
def test_every_size_arrives_by_every_pair_of_block_sizes(size, ours, theirs):
    upload = Upload(Content(messages.PUT, PATH, b""), Body(DATA[:size]), szx=ours, request_tag=b"tag")
    receiver, wholes = Receiver(szx=theirs, body_max=700), []
    while not upload.is_over:
        found = receiver.receive("a", upload.request(), now_ms=0)
        if isinstance(found, Whole):
            wholes.append(found.content)
            found = receiver.answer(found, DONE)
        upload.receive(found)
    (content,) = wholes
    assert content.payload == DATA[:size] and content.code == messages.PUT
    assert {number for number, _ in content.options} <= {messages.URI_PATH, messages.REQUEST_TAG}
    assert held_bytes(receiver) == 0


def test_a_repeated_block_counts_once_and_a_repeated_end_gets_its_answer_again():
    receiver = Receiver()
    assert answered(receiver, put(0, True, DATA[:16])) == messages.CONTINUE
    for _ in range(3):
        assert answered(receiver, put(1, True, DATA[16:32])) == messages.CONTINUE
    whole = receiver.receive("a", put(2, False, b"end"), now_ms=0)
    assert whole.content.payload == DATA[:32] + b"end"
    assert answered(receiver, put(2, False, b"end")) == messages.UNAVAILABLE, "its answer is not there yet"
    reply = receiver.answer(whole, DONE)
    assert reply.payload == b"done" and blocks.block_of(reply.options, messages.BLOCK1) == Block(2, False, 0)
    assert receiver.receive("a", put(2, False, b"end"), now_ms=0) == reply, "the request does not run twice"
    assert (receiver.counters["repeated"], receiver.counters["finished"]) == (3, 1)
    assert answered(receiver, put(2, False, b"END")) == messages.INCOMPLETE
    check_counters(receiver, 8)


@pytest.mark.parametrize(
    "wrong",
    [
        put(2, True, bytes(16)),
        put(0x80000, True, bytes(16)),
        put(1, True, bytes(16), path=b"q"),
        put(1, True, bytes(16), others=((messages.REQUEST_TAG, b"2"),)),
        put(1, True, bytes(32), szx=1),
        Content(messages.POST, *put(1, True, bytes(16))[1:]),
    ],
    ids=["gap", "far", "another path", "another tag", "overlap", "another method"],
)
def test_what_does_not_follow_is_4_08_and_the_body_can_go_on(wrong):
    receiver = Receiver()
    answered(receiver, put(0, True, DATA[:16]))
    assert answered(receiver, wrong) == messages.INCOMPLETE and receiver.counters["incomplete"] == 1
    assert receiver.receive("a", put(1, False, b"end"), now_ms=0).content.payload == DATA[:16] + b"end"


def test_an_overlap_with_other_bytes_is_4_08():
    receiver = Receiver()
    answered(receiver, put(0, True, DATA[:16]))
    answered(receiver, put(1, True, DATA[16:32]))
    assert answered(receiver, put(1, True, bytes(16))) == messages.INCOMPLETE
    assert answered(receiver, put(1, False, DATA[16:32])) == messages.INCOMPLETE, "the same bytes as an end"


def test_a_new_block_0_replaces_and_uploads_in_turn_both_fail_without_harm():
    receiver = Receiver()
    for turn in range(10):
        assert answered(receiver, put(0, True, bytes(16), path=b"pq"[turn % 2 :][:1])) == messages.CONTINUE
        assert answered(receiver, put(1, True, bytes(16), path=b"qp"[turn % 2 :][:1])) == messages.INCOMPLETE
    assert receiver.counters["replaced"] == 9 and len(receiver._incoming) == 1 and held_bytes(receiver) == 16


@pytest.mark.parametrize(
    ("request_", "code", "counter"),
    [
        (put(0, True, bytes(15)), messages.BAD_REQUEST, "block-cut"),
        (put(0, True, bytes(17)), messages.BAD_REQUEST, "block-cut"),
        (put(0, False, bytes(17)), messages.BAD_REQUEST, "block-cut"),
        (Content(messages.PUT, ((messages.BLOCK1, b"\x0f"),), b""), messages.BAD_REQUEST, "block-option"),
        (Content(messages.PUT, ((messages.BLOCK1, bytes(4)),), b""), messages.BAD_OPTION, "block-option"),
        (Content(messages.PUT, ((messages.BLOCK1, b"\x08"),) * 2, b""), messages.BAD_OPTION, "block-option"),
        (put(0, True, bytes(16), others=((messages.SIZE1, b"\x01\0"),)), messages.REQUEST_TOO_LARGE, "too-large"),
    ],
)
def test_a_broken_block_is_counted_and_keeps_nothing(request_, code, counter):
    receiver = Receiver(body_max=100)
    assert answered(receiver, request_) == code and receiver.counters[counter] == 1
    assert not receiver._incoming
    check_counters(receiver, 1)


def test_a_body_too_long_is_4_13_with_the_bound_however_small_it_was_claimed():
    receiver = Receiver(body_max=40)
    answered(receiver, put(0, True, bytes(16), others=((messages.SIZE1, b"\x01"),)))
    answered(receiver, put(1, True, bytes(16)))
    refused = receiver.receive("a", put(2, True, bytes(16)), now_ms=0)
    assert refused == Content(messages.REQUEST_TOO_LARGE, ((messages.SIZE1, b"\x28"),), b"")
    assert not receiver._incoming and receiver.counters["too-large"] == 1
    upload = Upload(Content(messages.PUT, PATH, b""), Body(bytes(100)), szx=0)
    assert told(upload.receive(refused)) == told(Answered(refused))


def test_endless_first_blocks_of_many_peers_hold_the_places_until_their_time_and_no_longer():
    receiver = Receiver(bodies_max=2, wait_ms=1000)
    for peer in range(500):
        assert answered(receiver, put(0, True, bytes(16)), peer=peer, now_ms=peer) in (
            messages.CONTINUE,
            messages.UNAVAILABLE,
        )
    assert receiver.counters["busy"] == 498 and held_bytes(receiver) == 32
    refused = receiver.receive("late", put(0, True, bytes(16)), now_ms=500)
    assert refused == Content(messages.UNAVAILABLE, ((messages.MAX_AGE, b"\x01"),), b"")
    assert receiver.deadline_ms() == 1000
    assert answered(receiver, put(0, True, bytes(16)), peer="late", now_ms=1000) == messages.CONTINUE
    assert receiver.counters["expired"] == 1


def test_a_finished_body_makes_room_at_once():
    receiver = Receiver(bodies_max=1)
    answered(receiver, put(0, False, b"end"), peer="a")
    assert answered(receiver, put(0, True, bytes(16)), peer="b") == messages.CONTINUE
    assert answered(receiver, put(0, True, bytes(16)), peer="c") == messages.UNAVAILABLE


def test_repeats_do_not_keep_a_place_for_ever():
    receiver = Receiver(wait_ms=1000)
    answered(receiver, put(0, True, bytes(16)), now_ms=0)
    answered(receiver, put(1, True, bytes(16)), now_ms=10)
    for now_ms in range(20, 1010, 10):
        assert answered(receiver, put(1, True, bytes(16)), now_ms=now_ms) == messages.CONTINUE
    assert answered(receiver, put(1, True, bytes(16)), now_ms=1010) == messages.INCOMPLETE
    assert receiver.counters["expired"] == 1 and receiver.deadline_ms() is None


def test_a_forgotten_upload_is_restarted_by_its_client_and_arrives():
    receiver = Receiver(szx=0, wait_ms=1000)
    upload = Upload(Content(messages.PUT, PATH, b""), Body(DATA[:40]), szx=0, request_tag=b"tag")
    upload.receive(receiver.receive("a", upload.request(), now_ms=0))
    assert told(upload.receive(receiver.receive("a", upload.request(), now_ms=5000))) == told(Restarted("incomplete"))
    for _ in range(3):
        found = receiver.receive("a", upload.request(), now_ms=5000)
        if not isinstance(found, Whole):
            upload.receive(found)
    assert found.content.payload == DATA[:40]


@pytest.mark.parametrize(
    ("tags", "body"),
    [((b"\x01", b"\x11"), b"b" * 40), ((None, None), b"b" * 32 + b"a" * 8)],
    ids=["tags", "no tags: the attack works"],
)
def test_a_block_held_back_does_not_end_a_later_upload(tags, body):
    """OSCORE lets it pass: it is genuine and has never arrived."""
    receiver = Receiver()
    old, new = (
        Upload(Content(messages.PUT, PATH, b""), Body(letter * 40), szx=0, request_tag=tag)
        for letter, tag in zip((b"a", b"b"), tags, strict=True)
    )
    for _ in range(2):
        old.receive(receiver.receive("a", old.request(), now_ms=0))
    held_back = old.request()  # the client hears nothing, gives up, and has something newer to say
    for _ in range(2):
        new.receive(receiver.receive("a", new.request(), now_ms=1000))
    found = receiver.receive("a", held_back, now_ms=1000)
    if not isinstance(found, Whole):
        found = receiver.receive("a", new.request(), now_ms=1000)
    assert found.content.payload == body


def test_a_request_without_block_passes_untouched_beside_an_upload():
    receiver = Receiver()
    answered(receiver, put(0, True, bytes(16)))
    plain = Content(messages.PUT, PATH, b"x")
    whole = receiver.receive("a", plain, now_ms=0)
    assert whole == Whole("a", plain, None) and receiver.answer(whole, DONE) == DONE
    assert answered(receiver, put(1, False, b"end")) == messages.CHANGED


@pytest.mark.parametrize("seed", range(4))
def test_drawn_attacks_never_exceed_the_bounds_and_never_make_a_body_of_two(seed):
    """Each peer's honest body is of its own letter: a Whole of mixed letters would be a mixed body."""
    draw = random.Random(seed)
    receiver = Receiver(body_max=300, bodies_max=4, wait_ms=200)
    wholes = 0
    for turn in range(8000):
        peer, tag = draw.randrange(8), draw.randrange(3)
        szx = draw.choice((0, 0, 0, 1, 6))
        size = blocks.block_bytes(szx)
        number = draw.choice((0, 1, 1, 2, 2, 3, draw.randrange(1 << 20)))
        letter = bytes([peer * 3 + tag])
        length = size if draw.random() < 0.9 else draw.randrange(size + 2)
        others = ((messages.SIZE1, draw.randbytes(draw.randrange(6))),) if draw.random() < 0.1 else ()
        others += ((messages.REQUEST_TAG, letter),)
        found = receiver.receive(
            peer, put(number, draw.random() < 0.6, letter * length, szx=szx, others=others), now_ms=turn
        )
        if isinstance(found, Whole):
            wholes += 1
            assert set(found.content.payload) <= set(letter) and len(found.content.payload) <= 300
            receiver.answer(found, DONE)
        assert len(receiver._incoming) <= 4 and held_bytes(receiver) <= 4 * 300
    assert wholes > 100 and receiver.counters["finished"] == wholes
    check_counters(receiver, 8000)
