"""No key and nonce serves two messages, and no node believes what no gateway was told: real ends over a bad link,
restarts of either side, gateways that stand in for each other, a peer that repeats and forges. `tests.support`
holds the workload (`link_world`) and, apart from it, what judges it (`SealedOnce`, `check`)."""

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esp32 import flash
from gateway.core.link.sessions import Sessions
from simulator.world.flash import Cut
from tests.support import link_world
from tests.support.link_world import ACTIONS, Joined, World, check
from tests.support.no_nonce_twice import no_nonce_twice
from tests.support.powered_flash import Flash
from wire import ccm, oscore_link
from wire.faults import WireFault

# Asking is what most of a link's life is.
PLAN = st.lists(
    st.tuples(st.integers(0, 60_000), st.sampled_from((*ACTIONS, "ask", "ask", "ask", "ask")), st.integers(0, 1)),
    max_size=40,
)


def recovers(world):
    """On a good link every node is heard again: at the second request at the latest, after one that ends in silence."""
    world.end_of_faults()
    for node in world.ids:
        for _ in range(2):
            before = len(world.answered)
            world.ask(node)
            world.drain()
            world.end_of_faults()
            if len(world.answered) > before:
                break
        assert len(world.answered) > before, "a node that nobody hears any more"


@given(seed=st.integers(0, 1 << 32), plan=PLAN)
def test_what_a_node_believes_was_handed_over_unaltered_and_no_nonce_is_used_twice(seed, plan):
    with no_nonce_twice():
        world = World(seed).run(plan)
        check(world)
        recovers(world)
        check(world)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_life_with_many_restarts(seed):
    generator = Random(seed)
    with no_nonce_twice() as ledger:
        world = World(seed)
        for _ in range(600):
            action = generator.choice((*ACTIONS, *("ask",) * 12))
            world.run([(generator.randrange(20_000), action, generator.randrange(2))])
        recovers(world)
        check(world)
    assert len(world.answered) > 150 and ledger.sealed > 600


def run(seed=1, steps=300):
    """A life in which everything happens; the checkers' complaint is an AssertionError."""
    generator = Random(seed)
    with no_nonce_twice():
        world = World(seed)
        for _ in range(steps):
            world.run([(generator.randrange(20_000), generator.choice((*ACTIONS, "ask", "ask")), 0)])
        check(world)
        recovers(world)
        check(world)


def test_the_life_of_the_planted_bugs_is_sound_without_them():
    run()


# --- planted bugs: each is caught ----------------------------------------------------------------------------


@pytest.fixture
def constant_offers(monkeypatch):
    """A gateway without a source of chance: it offers the same nonce whenever it is asked."""
    real = Sessions.__init__
    monkeypatch.setattr(Sessions, "__init__", lambda sessions, keys, cipher, _: real(sessions, keys, cipher, bytes))


@pytest.mark.usefixtures("constant_offers")
def test_an_r3_that_repeats_is_caught(monkeypatch):
    monkeypatch.setattr(oscore_link.NodeLink, "_nonce", lambda link: b"constant")
    with pytest.raises(AssertionError, match="nonce that was spent"):
        run(seed=3)


@pytest.mark.usefixtures("constant_offers")
def test_a_boot_number_that_repeats_is_caught(monkeypatch):
    real = link_world.link_of
    monkeypatch.setattr(
        link_world,
        "link_of",
        lambda node, peer, *, boot, random_below: real(node, peer, boot=1, random_below=lambda _: 0),
    )
    with pytest.raises(AssertionError, match="nonce that was spent"):
        run()


@pytest.mark.usefixtures("constant_offers")
def test_boots_that_never_repeat_need_no_faith_in_chance(monkeypatch):
    """The same poor gateway, and no chance at all in the node: its boots and counts suffice."""
    real = oscore_link.NodeLink._nonce
    monkeypatch.setattr(oscore_link.NodeLink, "_nonce", lambda link: real(link)[:-1] + b"\0")
    with no_nonce_twice() as ledger:
        world = World(3)
        generator = Random(3)
        for _ in range(300):
            world.run([(generator.randrange(20_000), generator.choice((*ACTIONS, "ask", "ask")), 0)])
    assert ledger.sealed > 200


def test_a_number_that_is_used_twice_is_caught(monkeypatch):
    monkeypatch.setattr(oscore_link.Session, "next_number", lambda session: session.number)
    with pytest.raises(AssertionError):
        run()


def test_an_answer_that_is_not_checked_is_caught(monkeypatch):
    real = oscore_link.oscore.unprotect_response

    def trusting(context, response, cipher, exchange, **more):
        try:
            return real(context, response, cipher, exchange, **more)
        except WireFault:
            return oscore_link.oscore.Content(68, (), b"trust me")

    monkeypatch.setattr(oscore_link.oscore, "unprotect_response", trusting)
    with pytest.raises(AssertionError):
        run()


STAND_IN = [(10_000, action, 0) for action in ("ask", "takeover", "ask", "takeover")]


def test_a_gateway_that_has_stood_in_for_another_leaves_no_node_mute():
    recovers(World(1, loss=0, duplication=0, delay_max_ms=50).run(STAND_IN))


def test_a_node_that_stays_proven_through_silence_is_caught(monkeypatch):
    """As it was before: keys of a gateway that stands in, no kid context, silence for ever."""
    real = oscore_link.NodeLink._fail

    def stubborn(link, ask, reason):
        real(link, ask, reason)
        if reason == "timeout" and ask.sent is not None and ask.sent[2] is link._session:
            link._is_proven = True

    monkeypatch.setattr(oscore_link.NodeLink, "_fail", stubborn)
    with pytest.raises(AssertionError, match="nobody hears"):
        recovers(World(1, loss=0, duplication=0, delay_max_ms=50).run(STAND_IN))


def test_the_ledger_lets_the_same_data_pass_and_nothing_else():
    with no_nonce_twice() as ledger:
        cipher = link_world.CIPHER
        for _ in range(2):
            ccm.seal(cipher, bytes(16), bytes(13), b"aad", b"data")
        ccm.seal(cipher, bytes(16), bytes(12) + b"\1", b"aad", b"other")
        assert (ledger.sealed, ledger.reused) == (3, 0)
        for aad, data in ((b"aad", b"other"), (b"other", b"data")):
            ccm.seal(cipher, bytes(16), bytes(13), aad, data)
        assert ledger.reused == 2
        ledger.reused = 0
    assert ccm.seal is not ledger._seal


# --- power cuts at every write of the flash that boot numbers start from --------------------------------------


def start(medium, world, draw):
    """The node starts from its flash, speaks a little, and puts down a checkpoint. What it spoke under, or None."""
    store = flash.Store(open_file=medium.open)
    begun = flash.begin(store, draw)
    world.boot(begun.boot)
    world.answered(b"under %d" % begun.boot)
    world.restart()
    world.answered(b"and again")
    store.write(flash.State(begun.boot, 1, b"1", b""))
    return begun.boot


def poor_world():
    """Nothing but boot numbers keeps keys apart: neither side has any chance, and the gateway offers what it did."""
    world = Joined()
    world.generator.randrange = lambda bound: 0
    world.restart()
    return world


@pytest.mark.slow
@pytest.mark.parametrize("starts_before", [0, 1, 2, 3])
def test_a_power_cut_at_every_write_repeats_no_nonce(starts_before):
    whole = Flash()
    with no_nonce_twice():
        world = poor_world()
        for _ in range(starts_before + 1):
            start(whole, world, lambda bound: bound // 2)
        operations = whole.operations
    cuts = 0
    for cut_at in range(1, operations + 1):
        medium = Flash()
        medium.cut_at = cut_at
        with no_nonce_twice() as ledger:
            world = poor_world()
            spoken = []
            for _ in range(starts_before + 5):
                try:
                    spoken.append(start(medium, world, lambda bound: bound // 2))
                except Cut:
                    cuts += 1
                    medium.cut_at = None
        assert len(set(spoken)) == len(spoken) >= 4 and ledger.sealed > 20
    assert cuts == operations > 50


def test_cuts_at_start_after_start_repeat_no_nonce():
    medium, draws = Flash(), Random(1)
    with no_nonce_twice() as ledger:
        world = poor_world()
        for cut_after in list(range(1, 80)) * 2:
            medium.cut_at = medium.operations + cut_after
            with suppress(Cut):
                start(medium, world, draws.randrange)
    assert ledger.sealed > 300


def test_a_start_writes_once_and_a_message_never():
    medium = Flash()
    world = Joined()
    for number in range(1, 4):
        writes = medium.writes
        begun = flash.begin(flash.Store(open_file=medium.open), lambda bound: 0)
        world.boot(begun.boot)
        assert medium.writes == writes + 1
        for count in range(200):
            assert world.answered(b"%d" % count)
            if count % 50 == 0:
                world.restart()
        assert medium.writes == writes + 1 and begun.boot == number


def test_a_flash_that_gives_a_boot_twice_is_caught():
    """Planted: the number is spoken under before it is on flash."""
    medium = Flash()
    with pytest.raises(AssertionError, match="nonce that was spent"), no_nonce_twice():
        world = poor_world()
        for cut_at in range(1, 60):
            medium.cut_at = medium.operations + cut_at
            state, _ = flash.Store(open_file=medium.open).read()
            boot = 1 if state is None else state.boot + 1
            world.boot(boot)
            world.answered(b"before it is written, %d" % cut_at)
            with suppress(Cut):
                flash.begin(flash.Store(open_file=medium.open), lambda bound: 0)
