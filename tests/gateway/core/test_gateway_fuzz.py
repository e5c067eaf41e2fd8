"""No datagram, payload, message or order of events makes the gateway raise or spin."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.gateway_world import (
    ANSWERS,
    GATEWAY,
    NODE,
    OTHER,
    GatewayWorld,
    alarm,
    level,
    payload,
    reading,
    unpack,
)
from wire import cbor, coap_message, event, topic

MUTATIONS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255), st.sampled_from("ridx")), max_size=6)


def mutated(data, mutations):
    """`data` with bytes replaced, inserted, deleted, or cut behind."""
    data = bytearray(data)
    for at, value, kind in mutations:
        at %= len(data) + 1
        if kind == "r" and at < len(data):
            data[at] = value
        elif kind == "i":
            data.insert(at, value)
        elif kind == "d":
            del data[at : at + 1]
        elif kind == "x" and value < 40:
            del data[at:]
    return bytes(data)


@examples(times=2)
@given(st.lists(st.one_of(st.binary(max_size=300), MUTATIONS), min_size=1, max_size=5))
def test_no_datagram_raises(datagrams):
    world = GatewayWorld(auto_sync=True)
    world.connect()
    world.ask(payload(reading(1)))
    link = world.node().link
    for number, drawn in enumerate(datagrams):
        link.request("gateway", coap_message.POST, (b"t",), payload(reading(number + 2), alarm(number + 9)), now_ms=0)
        ((_, good),) = link.outgoing() or ((None, b"no place left"),)
        world.receive(drawn if isinstance(drawn, bytes) else mutated(good, drawn), ("192.0.2.1", number))
    world.wait(20_000)
    # What was journaled can be sent: the warehouse reads it.
    assert all(unpack(publication).gateway == GATEWAY for publication in world.publications)


@examples(times=2)
@given(
    st.lists(st.tuples(st.sampled_from("tebp"), st.binary(max_size=1100) | MUTATIONS), min_size=1, max_size=4),
    st.integers(0, 3),
)
def test_no_payload_of_any_length_raises_past_the_link(payloads, node):
    world = GatewayWorld(auto_sync=True)
    for number, (_, drawn) in enumerate(payloads):
        data = drawn if isinstance(drawn, bytes) else mutated(payload(reading(1), alarm(2), level(3)), drawn)
        world.core.inbox.accept(bytes(7) + bytes([node]), data, number, now_ms=world.now_ms)
    world.connect()
    world.wait(20_000)
    assert all(unpack(publication).gateway == GATEWAY for publication in world.publications)


SCALARS = st.integers(-3, 2**64 - 1) | st.binary(max_size=9) | st.text(max_size=9) | st.booleans() | st.none()
LANES = st.sampled_from((*event.LANES, "other"))


@examples(times=2)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=20) | st.sampled_from((ANSWERS, "tc/1/a/²²²²²/x", topic.build("c", "49007", "cab-12"))),
            st.binary(max_size=60) | st.tuples(st.integers(0, 3), st.none(), LANES, SCALARS, SCALARS, SCALARS),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_message_raises(messages):
    world = GatewayWorld(auto_sync=True)
    world.ask(payload(reading(1), alarm(2)))
    world.wait(500)
    world.connect()
    epoch = world.core.journal.streams()[0].epoch
    for name, drawn in messages:
        data = drawn if isinstance(drawn, bytes) else cbor.encode([drawn[0], epoch, *drawn[2:]])
        world.hear(data, name)
        world.wait(3000)


@given(st.integers(0, 2**32))
def test_after_any_events_no_deadline_lies_in_the_past(seed):
    """The world's turn checks it after every event."""
    random = Random(seed)
    world = GatewayWorld(seed, commit_ms=random.choice((0, 500)), batch_age_ms=random.choice((0, 60_000)))
    for number in range(40):
        _any_event(world, random, number)
    world.wait(2_000_000)


def _any_event(world, random, number):
    lane = random.choice(event.LANES)
    epoch = random.choice(world.core.journal.streams()).epoch
    choice = random.randrange(12)
    if choice <= 1:
        data = random.choice((payload(reading(number)), payload(alarm(number), reading(number + 100)), b"\xff"))
        world.core.inbox.accept(random.choice((NODE, OTHER)), data, number, now_ms=world.now_ms)
        world.turn()
    elif choice == 2:
        world.connect(random.choice((1, 5, 100)))
    elif choice == 3:
        world.core.on_disconnected("cut", now_ms=world.now_ms)
        world.turn()
    elif choice == 4:
        world.journal_disk.sync_error = random.choice((None, None, "simulated"))
        world.sync()
    elif choice == 5:
        world.mark(random.randrange(20), lane, epoch)
    elif choice == 6:
        world.reject(0, random.choice((0, 3, 10**9)), random.choice(("bad", "class")), lane, epoch)
    elif choice == 7:
        for publication in world.take_publications():
            world.core.on_puback(publication.token, random.choice((0, 0, 0x10, 0x87, 0x99)), now_ms=world.now_ms)
            world.turn()
    elif choice == 8 and number % 5 == 0:
        world.power_cut()
    elif choice == 9:
        world.journal_disk.append_error = random.choice((None, 28))
    else:
        world.wait(random.randrange(60_000))
