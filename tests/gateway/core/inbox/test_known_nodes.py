"""Who is known: bounded, the least recently heard goes first."""

from random import Random

import pytest

from gateway.core import limits
from simulator.world.disk import SimDisk
from tests.support.gateway_world import NODE, OTHER, made_known_nodes, reading
from wire import event
from wire.record import EventBody, Record, Stamp


def boot(number, kind="streetlight", version="1.2.0"):
    return Record(number, 0, Stamp(0, 0, 0), EventBody(event.BOOT, None, [None, None, "power-on", kind, version]))


def test_a_boot_report_tells_what_a_node_is():
    known_nodes = made_known_nodes()
    known_nodes.observe(NODE, [boot(4), reading(1)], now_ms=5)
    known = known_nodes.nodes()[NODE]
    assert (known.boot, known.kind, known.version, known.boots, known.heard_ms) == (4, "streetlight", "1.2.0", 1, 5)


def test_the_same_boot_report_again_counts_as_one_boot():
    known_nodes = made_known_nodes()
    for number in (4, 4, 5):
        known_nodes.observe(NODE, [boot(number)], now_ms=5)
    assert known_nodes.nodes()[NODE].boots == 2


@pytest.mark.parametrize("word", [7, None, True, b"\xff", "x" * 900])
def test_words_of_any_type_are_kept_short(word):
    known_nodes = made_known_nodes()
    known_nodes.observe(NODE, [boot(1, word, word)], now_ms=0)
    known = known_nodes.nodes()[NODE]
    assert isinstance(known.kind, str) and len(known.kind) <= 40 and len(known.version) <= 40


def test_the_least_recently_heard_goes_first(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_NODES_MAX", 3)
    known_nodes = made_known_nodes()
    names = [bytes([number] * 8) for number in range(4)]
    for now_ms, node in enumerate([names[0], names[1], names[2], names[0], names[3]]):
        known_nodes.observe(node, [], now_ms=now_ms)
    assert set(known_nodes.nodes()) == {names[0], names[2], names[3]}


def test_that_a_node_is_odd_is_kept_when_it_is_heard_again_and_goes_with_it(monkeypatch):
    monkeypatch.setattr(limits, "INBOX_NODES_MAX", 1)
    known_nodes = made_known_nodes()
    known_nodes.observe(NODE, [reading(1)], now_ms=0)
    assert not known_nodes.nodes()[NODE].is_odd
    known_nodes.note_odd(NODE, now_ms=1)
    known_nodes.observe(NODE, [boot(4)], now_ms=5)
    assert known_nodes.nodes()[NODE].is_odd and known_nodes.nodes()[NODE].boots == 1
    known_nodes.note_odd(OTHER, now_ms=6)
    assert set(known_nodes.nodes()) == {OTHER}


def test_who_belongs_here_no_more_is_forgotten():
    known_nodes = made_known_nodes()
    for node in (NODE, OTHER):
        known_nodes.observe(node, [], now_ms=0)
    known_nodes.keep_only(frozenset({OTHER}))
    assert list(known_nodes.nodes()) == [OTHER]


def test_what_a_node_is_survives_the_agent_and_a_torn_file():
    disk = SimDisk(Random(1))
    known_nodes = made_known_nodes(disk)
    known_nodes.observe(NODE, [boot(1)], now_ms=0)
    known_nodes.observe(OTHER, [boot(1, "thermostat")], now_ms=limits.KNOWN_NODES_SAVE_MS - 1)
    known_nodes.poll(now_ms=limits.KNOWN_NODES_SAVE_MS - 1)
    assert disk.list() == [], "one write for all of a dusk"
    known_nodes.poll(now_ms=known_nodes.deadline_ms())
    known_nodes.observe(NODE, [boot(2)], now_ms=limits.KNOWN_NODES_SAVE_MS)
    assert known_nodes.deadline_ms() is None and len(disk.list()) == 1, "the same again is no change"
    known_nodes.observe(NODE, [boot(3, version="1.3.0")], now_ms=limits.KNOWN_NODES_SAVE_MS)
    known_nodes.poll(now_ms=known_nodes.deadline_ms())
    for version in ("1.3.0", "1.2.0"):
        again = made_known_nodes(disk)
        again.start()
        assert len(again) == 0 and again.of_kind("streetlight") == {NODE}, "known, and not heard"
        again.observe(NODE, [reading(1)], now_ms=0)
        assert (again.node(NODE).kind, again.node(NODE).version) == ("streetlight", version)
        disk.cut(disk.list()[-1], 9)
    again.keep_only(frozenset({OTHER}))
    assert again.of_kind("streetlight") == set() and again.of_kind("thermostat") == {OTHER}
