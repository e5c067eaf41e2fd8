"""An attacker on the air between gateway and lamps: he listens, jams, keeps datagrams and sends them when he likes.
None of them actuates anything out of its time (invariant 6). The checker that says so is shown to see what it is for.
"""

from random import Random

import pytest

from node.orders import Orders
from tests.support.lit_world import STRANGER, restart
from tests.support.ordered_world import OrderedWorld, settled
from wire import coap_message as messages
from wire import command, node_order


def is_push(flying):
    """A request of the gateway: that much is seen from outside."""
    return flying.is_down and flying.datagram[1] >> 5 == 0 and flying.datagram[1] != 0


def orders_to(world, post):
    """Catch what goes to one post from now on."""
    world.hears = lambda flying: flying.is_down and flying.address == post.address


def held_order(**options):
    """(world, post, push): an emergency was ordered, and its push is in the attacker's hands."""
    world = settled(**options)
    post = world.posts[0]
    orders_to(world, post)
    world.emergency(lasts_s=600)
    world.live(2)
    (push,) = world.caught
    assert post.level == 0
    return world, post, push


def deaf(world):
    """From now on the attacker takes everything."""
    world.hears = lambda flying: True


def act(world, push):
    """He sends it, several times, and waits what comes of it."""
    for _ in range(3):
        world.release(push)
        world.live(1)


def is_dark(world, post):
    return post.level == 0 and post.rule == "calendar" and world.checker.violations == []


def test_held_until_after_its_end():
    world, post, push = held_order()
    world.live(60)
    world.end(1)
    world.live(1)
    deaf(world)
    world.live(20)
    act(world, push)
    assert is_dark(world, post) and post.node._orders.counters["challenged"] == 1


def test_held_until_after_its_end_with_the_answers_let_through():
    world, post, push = held_order()
    world.live(60)
    world.end(1)
    world.live(1)
    world.hears = lambda flying: False
    act(world, push)
    world.live(30)
    assert is_dark(world, post), "the gateway does not send with the Echo what does not stand any more"


def test_held_until_after_its_expiry():
    world, post, push = held_order()
    deaf(world)
    world.live(605)
    act(world, push)
    assert is_dark(world, post)


def test_held_until_after_its_expiry_before_a_node_without_a_clock():
    world, post, push = held_order()
    post.node.time._set = False
    deaf(world)
    world.live(605)
    act(world, push)
    assert post.node.outputs.rule == "no-time" and world.checker.violations == []


def test_held_until_after_a_newer_order():
    world, post, push = held_order()
    world.emergency(2)
    world.hears = is_push  # its repetitions too
    post.ask()
    world.live(5)
    assert post.node.outputs.reason == (2).to_bytes(8, "big")
    deaf(world)
    act(world, push)
    assert post.node.outputs.reason == (2).to_bytes(8, "big")
    assert post.node._orders.counters["refused"] == 1, "later"
    assert world.checker.violations == []


def test_held_over_the_nodes_reboot():
    world, post, push = held_order()
    world.hears = lambda flying: False
    world.end(1)
    post.power_off()
    world.live(100)
    post.power_on()
    world.live(60)
    act(world, push)
    assert is_dark(world, post) and post.link.counters["strange"] >= 1


def test_held_over_a_reboot_before_there_are_keys():
    world, post, push = held_order()
    post.power_off()
    deaf(world)
    post.power_on()
    act(world, push)
    assert post.node.outputs.rule == "no-time" and world.checker.violations == []


def test_held_over_the_gateways_restart():
    world, post, push = held_order()
    world.hears = lambda flying: False
    world.end(1)
    restart(world)
    world.live(1000)
    assert post.link.era == 2
    act(world, push)
    assert is_dark(world, post)


def test_what_was_delivered_already():
    world = settled(posts=1)
    post = world.posts[0]
    seen = []
    world.hears = lambda flying: seen.append(flying) and False
    world.emergency()
    world.live(2)
    pushes = [flying for flying in seen if is_push(flying)]
    world.end(1)
    world.live(2)
    assert len(pushes) == 1 and is_dark(world, post)
    begins = world.checker.begins
    for flying in list(seen):
        act(world, flying)
    world.live(400)
    for flying in list(seen):
        act(world, flying)
    assert is_dark(world, post) and world.checker.begins == begins


def held_answer(world, post):
    """The answer to a node's own question for its order, kept."""
    world.hears = lambda flying: flying.is_down and post.node._fetch._channel.exchange is not None
    for _ in range(950):
        world.live(1)
        if world.caught:  # it has asked, and the attacker has the answer
            return world.caught[0]
    raise AssertionError("it never asked")


def test_an_answer_to_its_question_that_comes_too_late():
    world = settled(posts=1)
    post = world.posts[0]
    orders_to(world, post)
    world.emergency(lasts_s=7200)
    world.live(150)
    world.caught.clear()
    world.hears = lambda flying: False
    answer = held_answer(world, post)
    world.end(1)
    deaf(world)
    world.live(70)
    assert post.node._fetch._channel.exchange is not None, "it still waits for it"
    world.release(answer)
    assert is_dark(world, post) and post.node._fetch.counters["useless"] == 1


def test_a_repetition_with_its_echo_that_comes_too_late():
    world = settled(posts=1)
    post = world.posts[0]
    post.node.time._set = False
    pushes = []

    def hears(flying):
        if is_push(flying):
            pushes.append(flying)
            return len(pushes) > 1
        return flying.is_down  # no answer tells it the time, or that something waits

    world.hears = hears
    world.emergency(lasts_s=7200)
    world.live(2)
    assert len(pushes) == 2 and post.node._orders.counters["challenged"] == 1
    deaf(world)
    world.live(1)
    world.end(1)
    world.live(70)
    world.release(pushes[1])
    assert post.node.outputs.rule == "no-time" and post.node._orders.counters["returned"] == 0
    assert world.checker.violations == []


def forged(world, post, kind):
    """A push that another has made."""
    order = node_order.NodeOrder(9, bytes(8), node_order.EMERGENCY, 100, world.unix_s + 600, 600)
    if kind == "in the clear":
        options, payload = ((messages.URI_PATH, b"c"),), node_order.encode(order)
    else:  # in the keys of the other node
        other = world.posts[1].node_id
        number = world.core.link.ask(other, messages.POST, (b"c",), node_order.encode(order), now_ms=world.now_ms)
        assert isinstance(number, int)
        ((_, datagram),) = world.core.link.outgoing()
        return datagram
    return messages.encode(messages.Message(messages.CON, messages.POST, 7, b"tokn", options, payload))


@pytest.mark.parametrize("kind", ["in the clear", "for another"])
def test_a_strangers(kind):
    world = settled()
    post = world.posts[0]
    orders_to(world, world.posts[1])
    post.receive(forged(world, post, kind))
    world.live(20)
    assert is_dark(world, post)
    assert post.link.counters["unprotected"] + post.link.counters["strange"] == 1


def test_a_strangers_command_moves_no_lamp():
    world = settled()
    world.send(world.order(STRANGER))
    world.live(60)
    assert all(is_dark(world, post) for post in world.posts) and world.core.downlink.counters["pushed"] == 0


# --- whole runs -----------------------------------------------------------------------------------------------------


def hours_of_trouble(seed):
    """Orders, ends, cuts and restarts, on an air that loses a fifth and that an attacker jams and fills again; then it
    is quiet, and every lamp is as it must be."""
    world = settled(seed=seed, posts=3, mapped=((0,),))
    random = Random(f"trouble {seed}")
    world.loss_percent = 20
    number = 0
    jammed = set()
    world.hears = lambda flying: flying.address in jammed or random.randrange(100) < 10
    for _ in range(200):
        jammed ^= {random.choice(world.posts).address} if random.randrange(4) == 0 else set()
        happening = random.randrange(12)
        if happening < 3:
            number += 1
            world.emergency(number, lasts_s=random.choice((100, 900, 1500)), target=random.choice((None, "bourg")))
        elif happening < 4:
            number += 1
            world.override(number, level=random.choice((0, 100)), lasts_s=600)
        elif happening < 6 and number:
            world.end(max(1, number - random.randrange(3)), 1000 + world.now_ms % 100_000)
        elif happening == 6:
            post = random.choice(world.posts)
            if post.node is None:
                post.power_on()
            else:
                post.power_off()
        elif happening == 7 and random.randrange(4) == 0:
            restart(world)
        elif happening == 8:
            world.lease()
        pushes = [flying for flying in world.caught if is_push(flying)]
        for _ in range(random.randrange(4)):
            kept = pushes if pushes and random.randrange(2) else world.caught
            if kept:
                world.release(random.choice(kept))
        world.live(random.choice((1, 10, 40, 100)))
    world.loss_percent = 0
    world.hears = lambda flying: False
    for post in world.posts:
        if post.node is None:
            post.power_on()
    for one in range(1, number + 1):
        world.end(one, 500 + one)
    world.live(1100)
    return world


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_hours_of_trouble(seed):
    world = hours_of_trouble(seed)
    assert world.checker.violations == []
    assert world.checker.begins > 10
    assert {post.rule for post in world.posts} == {"calendar"}


def accept_all(monkeypatch):
    monkeypatch.setattr(Orders, "_written_ms", lambda self, order, echo, certain, now_ms: now_ms)
    monkeypatch.setattr(Orders, "_number", property(lambda self: -1, lambda self, value: None), raising=False)


def forget_expiry(monkeypatch):
    honest = Orders._accept

    def take(self, order, said_ms, certain, era, now_ms):
        why = honest(self, order, said_ms, certain, era, now_ms)
        self._ends_ms += 10_000_000
        return why

    monkeypatch.setattr(Orders, "_accept", take)
    monkeypatch.setattr("node.orders._is_over", lambda order, certain: False)
    monkeypatch.setattr(Orders, "deadline_ms", lambda self, certain, now_ms: None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "said"), [(accept_all, "after its end"), (forget_expiry, "after its expiry")], ids=["old", "expiry"]
)
def test_the_checker_sees_a_node_that_takes_what_is_old_or_does_not_end(monkeypatch, plant, said):
    plant(monkeypatch)
    assert any(said in violation for seed in (4, 8, 9) for violation in hours_of_trouble(seed).checker.violations)


def test_the_checker_sees_an_order_that_nobody_gave_or_that_was_changed():
    world = OrderedWorld(posts=1)
    world.posts[0].power_on()
    node = world.posts[0].node
    order = node_order.NodeOrder(1, bytes(8), node_order.EMERGENCY, 100, world.unix_s + 600, 600)
    node._orders.answered(
        node_order.encode(order), asked_ms=world.posts[0].now_ms, certain=None, era=0, now_ms=world.posts[0].now_ms
    )
    world.posts[0].turn()
    world.checker.look()
    assert "nobody ordered" in world.checker.violations[0]
    world.checker.violations.clear()
    world.checker.issued(bytes(8), command.OVERRIDE, 0, world.unix_s + 600)
    world.checker.look()
    assert "makes" in world.checker.violations[0]
