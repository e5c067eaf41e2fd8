"""A technician at the node goes before every order; the gateway may read the last lines; a restart waits for records.
"""

import pytest

from esp32.log_files import LogFiles
from node import limits, panel
from node.log_ring import LogRing
from node.outbox import Outbox
from node.record_log import RecordLog
from simulator.world.flash import Medium
from tests.portable.node_day import started
from wire import coap_message as messages
from wire import event, node_order
from wire.node_order import EMERGENCY, NodeOrder

ID = bytes(range(8))


def settled_world():
    world = started()
    world.run(600)
    assert world.node.outputs.level_percent == 0, "noon"
    return world


def unfelt(world):
    """The trade would not mind a restart."""
    world.node.trade.may_restart = lambda moment: True
    return world


def asked(world, code, path, payload=b""):
    world.gateway.end.request("node", code, (path,), payload, now_ms=world.now_ms)
    world.run(5)
    return world.gateway.replies[-1]


def ordered(world, number, level=100):
    order = NodeOrder(number, ID, EMERGENCY, level, world.unix_s() + 600, 600)
    return asked(world, messages.POST, b"c", node_order.encode(order))


def outcomes(world):
    return [made.body.detail[1:3] for _, made, _ in world.made if _code(made) == event.COMMAND_OUTCOME]


def _code(made):
    return getattr(made.body, "code", None)


def test_a_test_lights_the_lamp_and_gives_it_back_to_the_calendar():
    world = settled_world()
    world.node.local(panel.TEST)
    world.run(10)
    assert world.node.outputs[:2] == (100, "test")
    world.node.local(None)
    world.run(10)
    assert world.node.outputs.level_percent == 0
    details = [made.body.detail for _, made, _ in world.made if _code(made) == event.LEVEL_CHANGED]
    assert [detail[:3] for detail in details[-2:]] == [[100, 0, "test"], [0, 100, "calendar"]]


def test_a_lock_darkens_against_an_emergency_and_the_order_is_refused_with_its_reason():
    world = settled_world()
    ordered(world, 1)
    assert world.node.outputs[:2] == (100, "emergency")
    world.node.local(panel.LOCK)
    world.run(5)
    assert world.node.outputs[:2] == (0, "lock")
    assert outcomes(world)[-1] == ["refused", "locked"]
    world.node.local(None)
    world.run(5)
    assert world.node.outputs[:2] == (100, "emergency")


def test_a_test_claims_for_no_order_that_it_is_applied():
    world = settled_world()
    world.node.local(panel.TEST)
    ordered(world, 1, level=40)
    assert world.node.outputs[:2] == (100, "test") and [word for word, _ in outcomes(world)] == ["received"]
    world.node.local(None)
    world.run(5)
    assert world.node.outputs[:2] == (40, "emergency") and outcomes(world)[-1] == ["applied", None]


def test_the_gateway_reads_the_last_lines_and_only_reads():
    world = settled_world()
    world.node._lines = LogRing()
    for number in range(60):
        world.node._lines.add(f"line {number}", uptime_s=number)
    _, code, payload, _ = asked(world, messages.GET, b"l")
    assert code == messages.CONTENT and payload.endswith(b"59 line 59")
    assert len(payload) <= limits.LOG_ANSWER_BYTES_MAX
    assert asked(world, messages.POST, b"l", b"x")[1] == messages.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("word", [panel.LOCK, panel.TEST])
def test_nobody_restarts_under_a_technicians_hands(word):
    world = unfelt(settled_world())
    world.run(60)
    world.node.local(word)
    assert not world.node.may_restart(world.now_ms + limits.RESTART_PATIENCE_MS)
    world.node.local(None)
    assert world.node.may_restart(world.now_ms + 2 * limits.RESTART_PATIENCE_MS)


def test_a_restart_waits_for_records_that_a_gateway_would_take_but_not_for_one_that_is_away():
    world = unfelt(settled_world())
    world.node.report_event(event.LOCAL_TEST, None, ("test",), now_ms=world.now_ms)
    assert not world.node.may_restart(world.now_ms)
    assert world.node.may_restart(world.now_ms + limits.RESTART_PATIENCE_MS)


@pytest.mark.parametrize("refuses", [False, True])
def test_before_a_restart_what_no_gateway_took_goes_to_flash_if_flash_takes_it(refuses):
    world, medium = unfelt(settled_world()), Medium()
    world.node._outbox = Outbox(boot=world.boot, log=RecordLog(LogFiles(open_file=medium.open, files=medium)))
    medium.refuses = refuses
    world.node.report_event(event.LOCAL_TEST, None, ("test",), now_ms=world.now_ms)
    world.node.report_event(event.LAMP_FAILURE, True, (), now_ms=world.now_ms)
    later_ms = world.now_ms + limits.RESTART_PATIENCE_MS
    assert not world.node.may_restart(world.now_ms), "the gateway may still take it"
    assert not world.node.may_restart(later_ms), "it is on its way to flash"
    for turn in range(5):
        world.node._outbox.poll(now_ms=later_ms + turn)
    assert world.node.may_restart(later_ms + limits.RESTART_PATIENCE_MS)
    last = world.node.checkpoint(world.now_ms, is_last=True)
    assert bool(world.node.waiting_sequences()) == refuses
    assert (last.durable_sequence == world.node._sequence - 1) == (not refuses)


def test_the_last_checkpoint_does_not_wait_for_its_hour():
    world = settled_world()
    assert world.node.checkpoint(world.now_ms) is None
    assert world.node.checkpoint(world.now_ms, is_last=True).boot == world.boot
