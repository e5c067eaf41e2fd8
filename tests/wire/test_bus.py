"""RS-485: every datagram gets its turn, nobody speaks unasked, a dead node costs little, whatever the line does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.chance import Prng
from simulator.world.time import World
from tests.support.bus_line import NONE, Faults, Street
from tests.support.examples import examples
from wire import bus, bus_master, slip
from wire.bus import BusNode
from wire.bus_master import BusMaster
from wire.faults import WireFault

LINE = bus.line()


def street(boards=32, *, dead=(), faults=NONE, seed=1, line=LINE):
    world = World(start_unix_s=0)
    addresses = range(1, boards + 1)
    made = Street(world, Prng(seed), line, addresses, addresses=addresses, faults=faults)
    for address in dead:
        made.boards[address].powered = False
    return world, made


def datagrams(prng, count):
    return [bytes(prng.randrange(256) for _ in range(1 + prng.randrange(250))) for _ in range(count)]


# --- frames ---------------------------------------------------------------------------------------------------


@given(
    st.sampled_from((bus.ASK, bus.ANSWER)),
    st.integers(1, 247),
    st.integers(0, 7),
    st.binary(max_size=250),
    st.booleans(),
)
def test_a_frame_comes_back(kind, address, number, datagram, more):
    more = more and kind == bus.ANSWER
    (body,) = slip.Decoder(bus.BODY_BYTES_MAX).feed(bus.encode(kind, address, number, datagram, more=more))
    assert bus.decode(body) == (kind, address, number, more, datagram)


@examples(times=2)
@given(st.binary(max_size=260))
def test_any_body_is_a_frame_or_a_fault(body):
    try:
        frame = bus.decode(body)
    except WireFault as fault:
        assert fault.reason in ("short", "kind", "address")
    else:
        assert bus.ADDRESS_MIN <= frame.address <= bus.ADDRESS_MAX


def test_the_longest_frame_leaves_within_a_slice():
    assert bus.airtime_ms(bus.line(baud=bus.BAUD_MIN), bus.FRAME_BYTES_MAX) <= 100
    longest = bus.encode(bus.ANSWER, 0xC0, 7, b"\xc0" * 250, more=True)
    assert len(longest) <= bus.FRAME_BYTES_MAX


# --- a node ---------------------------------------------------------------------------------------------------


def ask(address=5, number=1, datagram=b""):
    return bus.encode(bus.ASK, address, number, datagram)


def test_a_node_answers_once_and_only_when_asked():
    node = BusNode(LINE, 5)
    node.send(b"a")
    node.send(b"b")
    assert node.answer(now_ms=0) == b""
    assert node.receive(ask(datagram=b"down"), since_ms=0) == [b"down"]
    answer = node.answer(now_ms=6)
    assert answer == bus.encode(bus.ANSWER, 5, 1, b"a", more=True)
    assert node.answer(now_ms=7) == b""
    node.receive(ask(number=2), since_ms=6)
    assert node.answer(now_ms=21) == bus.encode(bus.ANSWER, 5, 2, b"b")
    node.receive(ask(number=3), since_ms=21)
    assert node.answer(now_ms=31) == bus.encode(bus.ANSWER, 5, 3)


@pytest.mark.parametrize(
    "line",
    [
        ask(6),  # another's
        ask() + ask(6),  # ours is old: another has been asked since
        ask() + bus.encode(bus.ANSWER, 5, 1),  # somebody answers in our place
        ask() + b"\xc0\x80\x06x",  # a frame that has begun
        bus.encode(bus.ANSWER, 5, 1),
        b"\x00" * 40,
        ask()[:-1],
    ],
)
def test_a_node_is_silent_unless_its_question_is_the_last_thing_heard(line):
    node = BusNode(LINE, 5)
    node.receive(line, since_ms=0)
    assert node.answer(now_ms=1) == b""


def test_a_question_that_may_be_old_is_not_answered():
    node = BusNode(LINE, 5)
    node.receive(ask(), since_ms=0)
    assert node.answer(now_ms=LINE.turnaround_ms)
    node.receive(ask(), since_ms=1000)
    assert node.answer(now_ms=1001 + LINE.turnaround_ms) == b""
    assert node.counters["too-late"] == 1


def test_a_nodes_queue_is_bounded_and_the_oldest_goes():
    node = BusNode(LINE, 5)
    for value in range(6):
        assert node.send(bytes([value]))
    assert not node.send(bytes(251)) and not node.send(b"")
    assert node.counters["overflow"] == 2 and node.counters["too-long"] == 2
    node.receive(ask(), since_ms=0)
    assert node.answer(now_ms=0) == bus.encode(bus.ANSWER, 5, 1, b"\x02", more=True)


# --- the gateway's side -----------------------------------------------------------------------------------------


def first_question(master, now_ms=0):
    """Run the master until it asks; (frame, when)."""
    while not (frame := master.poll(now_ms=now_ms)):
        due_ms = master.deadline_ms()
        assert due_ms > now_ms, "a deadline that has passed"
        now_ms = due_ms
    return bus.decode(slip.Decoder(bus.BODY_BYTES_MAX).feed(frame)[0]), now_ms


def test_a_late_answer_is_known_by_its_number_and_does_not_count():
    master = BusMaster(LINE, [5], now_ms=0)
    first, asked_ms = first_question(master)
    second, again_ms = first_question(master, asked_ms)
    assert second.number != first.number
    late = bus.encode(bus.ANSWER, 5, first.number, b"late")
    assert master.receive(late, now_ms=again_ms + 1) == []
    assert master.poll(now_ms=again_ms + 2) == b"", "the one who was asked may still answer"
    right = bus.encode(bus.ANSWER, 5, second.number, b"right")
    assert master.receive(right, now_ms=again_ms + 3) == [(5, b"right")]
    assert master.receive(right, now_ms=again_ms + 4) == [], "one answer a question"
    assert master.counters["late"] == 2


def test_an_echo_of_our_own_question_is_passed_over():
    master = BusMaster(LINE, [5], now_ms=0)
    question, asked_ms = first_question(master)
    echo = bus.encode(bus.ASK, 5, question.number)
    assert master.receive(echo, now_ms=asked_ms) == [] and master.counters["echo"] == 1
    answer = bus.encode(bus.ANSWER, 5, question.number, b"x")
    assert master.receive(answer, now_ms=asked_ms + 20) == [(5, b"x")]


def test_a_dead_node_is_silent_though_the_adapter_hears_itself():
    master = BusMaster(LINE, [5], now_ms=0)
    master._stations[5].misses = 0  # it answered until now
    now_ms = 0
    for _ in range(3000):
        now_ms += 5
        frame = master.poll(now_ms=now_ms)
        master.receive(frame[:4], now_ms=now_ms)
        master.receive(frame[4:], now_ms=now_ms + 3)
        if master.silent():
            break
    assert master.silent() == [5] and master.counters["missed"] == bus_master.MISSES_MAX


def test_nothing_is_said_while_a_frame_is_being_heard():
    master = BusMaster(LINE, [5], now_ms=0)
    question, now_ms = first_question(master)
    answer = bus.encode(bus.ANSWER, 5, question.number, bytes(250))
    now_ms += LINE.turnaround_ms
    for byte in answer[:40]:  # a slow adapter: a byte every 10 ms
        now_ms += 3
        assert master.receive(bytes([byte]), now_ms=now_ms) == []
        assert master.poll(now_ms=now_ms) == b""
    assert master.receive(answer[40:], now_ms=now_ms) == [(5, bytes(250))]


def test_noise_does_not_shorten_the_time_in_which_a_node_may_begin():
    master = BusMaster(LINE, [5], now_ms=0)
    question, now_ms = first_question(master)
    master.receive(b"\x55", now_ms=now_ms + 1)
    for later_ms in range(2, LINE.turnaround_ms):
        assert master.poll(now_ms=now_ms + later_ms) == b""
    answer = bus.encode(bus.ANSWER, 5, question.number, b"slow")
    assert master.receive(answer, now_ms=now_ms + LINE.turnaround_ms + 1) == [(5, b"slow")]


def test_a_line_that_babbles_is_given_up_once_no_answer_can_be_in_it():
    master = BusMaster(LINE, [5], now_ms=0)
    _, now_ms = first_question(master)
    began_ms = now_ms
    while not master.poll(now_ms=now_ms):
        master.receive(b"\x55" * 5, now_ms=now_ms)
        now_ms += 5
        assert now_ms < began_ms + 1000
    assert master.counters["babble"] == 1


def test_queues_are_bounded_and_what_is_too_old_is_not_sent():
    master = BusMaster(LINE, [5], now_ms=0)
    for value in range(bus_master.QUEUE_MAX + 2):
        assert master.send(5, bytes([value]), now_ms=0)
    assert not master.send(6, b"x", now_ms=0) and not master.send(5, bytes(251), now_ms=0)
    assert (master.waiting(), master.counters["overflow"]) == (bus_master.QUEUE_MAX, 2)
    question, _ = first_question(master, bus_master.WAIT_MAX_MS + 1)
    assert question.datagram == b"" and master.counters["expired"] == bus_master.QUEUE_MAX


def test_a_line_without_addresses_wakes_nobody():
    master = BusMaster(LINE, [], now_ms=0)
    master.poll(now_ms=10_000)
    assert master.poll(now_ms=10_000) == b"" and master.deadline_ms() is None


# --- a street ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_everything_arrives_in_order_on_a_good_line_and_in_time():
    world, made = street()
    prng = Prng("sent")
    sent = {address: datagrams(prng, 4) for address in made.boards}
    for address, waiting in sent.items():
        for datagram in waiting:
            assert made.boards[address].node.send(datagram)
    world.run_until(40_000)
    for address, waiting in sent.items():
        assert [datagram for who, datagram in made.arrived if who == address] == waiting
    assert made.wire.collisions == 0 and made.master.silent() == []
    assert made.master.round_longest_ms <= bus.cycle_ms(LINE, 32)


@pytest.mark.slow
def test_an_idle_street_of_32_is_asked_once_a_second():
    world, made = street()
    world.run_until(20_000)
    for board in made.boards.values():
        gaps = [later - earlier for earlier, later in zip(board.turns_ms[2:], board.turns_ms[3:], strict=False)]
        assert max(gaps) < 2000, board.address
    assert made.master.round_ms < 2000


def test_what_the_application_says_to_a_datagram_rides_in_the_same_slot():
    world, made = street(4)
    made.boards[3].answer_with = lambda datagram: b"to " + datagram
    world.run_until(3000)
    answered = made.master.counters["answered"]
    made.send(3, b"hello")
    while (3, b"to hello") not in made.arrived:
        world.run_until(world.now_ms + 1)
    assert made.master.counters["answered"] - answered <= 4, "a round at most"


@pytest.mark.slow
def test_one_who_has_much_does_not_starve_the_others():
    world, made = street(16)
    world.run_until(10_000)
    for board in made.boards.values():
        board.turns_ms.clear()
    for _ in range(300):
        for _ in range(4 - len(made.boards[7].node._queue)):
            made.boards[7].node.send(bytes(250))
        world.run_until(world.now_ms + 100)
    turns = {address: len(board.turns_ms) for address, board in made.boards.items()}
    others = [count for address, count in turns.items() if address != 7]
    assert max(others) - min(others) <= 2
    assert turns[7] > 10 * max(others), "every second slot is an extra one"
    gaps = [b - a for board in made.boards.values() for a, b in zip(board.turns_ms, board.turns_ms[1:], strict=False)]
    assert max(gaps) <= bus.cycle_ms(LINE, 16)


@pytest.mark.slow
def test_dead_nodes_cost_one_slot_a_round_and_are_found_when_they_come_back():
    dead = tuple(range(1, 5))
    world, made = street(8, dead=dead)
    world.run_until(30_000)
    assert made.master.silent() == list(dead)
    asked = made.master.counters["missed"]
    world.run_until(90_000)
    assert made.master.counters["missed"] - asked <= 2 * len(dead), "each about once a minute"
    assert made.master.round_ms <= bus.cycle_ms(LINE, 4, down_bytes=0, up_bytes=0)
    for address in dead:
        made.boards[address].powered = True
    world.run_until(90_000 + 2 * bus_master.TRY_LAST_MS)
    assert made.master.silent() == []


def test_a_street_that_has_power_again_is_found_at_once_when_one_of_it_is_found():
    world, made = street(dead=range(1, 33))
    world.run_until(300_000)
    assert len(made.master.silent()) == 32
    for board in made.boards.values():
        board.powered = True
    while len(made.master.silent()) == 32:
        world.run_until(world.now_ms + 10)
    assert world.now_ms <= 300_000 + bus_master.TRY_LAST_MS
    world.run_until(world.now_ms + 3000)
    assert made.master.silent() == []


def exchange(made, world, seconds, count):
    """Datagrams both ways, each sent again every 4 s until it has come; how many of how many have."""
    prng = Prng("exchange")
    up = {(address, datagram) for address in made.boards for datagram in datagrams(prng, count)}
    down = {(address, datagram) for address in made.boards for datagram in datagrams(prng, count)}
    end_ms = world.now_ms + 1000 * seconds
    while world.now_ms < end_ms:
        for address, datagram in sorted(up.difference(made.arrived)):
            made.boards[address].node.send(datagram)
        for address, datagram in sorted(down):
            if datagram not in made.boards[address].said:
                made.send(address, datagram)
        world.run_until(world.now_ms + 4000)
    said = {(address, datagram) for address, board in made.boards.items() for datagram in board.said}
    return len(up.intersection(made.arrived)) + len(down.intersection(said)), len(up) + len(down)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_line_that_loses_and_spoils_carries_everything_when_it_is_repeated_and_nobody_collides(seed):
    world, made = street(32, dead=(9, 20), faults=Faults(spoilt=80, unheard=50, held_up=30), seed=seed)
    for address in (9, 20):
        del made.boards[address]
    came, of = exchange(made, world, 90, 3)
    assert came == of
    assert made.wire.collisions == 0, "boards that keep to the rule never meet"
    assert sum(board.spoke_unasked for board in made.boards.values()) == 0
    assert sum(board.node.counters["too-late"] for board in made.boards.values()) > 0
    assert made.master.round_longest_ms <= bus.cycle_ms(LINE, 32)


@pytest.mark.slow
def test_boards_that_answer_late_do_no_more_harm_than_noise():
    world, made = street(32, faults=Faults(spoilt=30, late=60))
    came, of = exchange(made, world, 60, 2)
    assert came == of and made.master.counters["late"] > 0 and made.wire.collisions > 0


def test_a_master_that_does_not_wait_for_the_turnaround_is_seen_to_collide():
    hasty = LINE._replace(turnaround_ms=2, latency_ms=0)
    world = World(start_unix_s=0)
    made = Street(world, Prng(1), LINE, range(1, 9), addresses=range(1, 9))
    world.run_until(10_000)
    assert made.wire.collisions == 0
    made.master._line = hasty
    world.run_until(30_000)
    assert made.wire.collisions > 0


@examples(times=2)
@given(st.lists(st.one_of(st.binary(max_size=40), st.integers(1, 400)), max_size=60), st.randoms(use_true_random=False))
def test_any_bytes_at_any_time_do_no_harm_and_every_deadline_lies_ahead(happenings, random):
    master = BusMaster(LINE, [1, 5, 9], now_ms=0)
    node = BusNode(LINE, 5)
    now_ms = 0
    for happening in happenings:
        if isinstance(happening, int):
            now_ms += happening
        else:
            master.receive(happening, now_ms=now_ms)
            node.receive(happening, since_ms=now_ms)
            node.answer(now_ms=now_ms)
        if random.random() < 0.3:
            master.send(random.choice((1, 5, 9)), b"x", now_ms=now_ms)
        frame = master.poll(now_ms=now_ms)
        if frame:
            node.receive(frame, since_ms=now_ms)
            master.receive(node.answer(now_ms=now_ms), now_ms=now_ms)
            assert master.poll(now_ms=now_ms) == b"", "one question at a time"
        assert master.deadline_ms() > now_ms or master.poll(now_ms=now_ms)
    # And then it works.
    for number in range(3):
        node.send(b"still %d" % number)
    arrived = []
    for _ in range(4000):
        now_ms += 10
        frame = master.poll(now_ms=now_ms)
        if frame:
            node.receive(frame, since_ms=now_ms)
            arrived += master.receive(node.answer(now_ms=now_ms), now_ms=now_ms)
    assert arrived[-1] == (5, b"still 2")
