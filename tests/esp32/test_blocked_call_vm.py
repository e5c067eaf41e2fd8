"""Thirty seconds in any one call of the whole node on a VM end in a reset to safe outputs."""

import time

import pytest

from simulator.hosts import vm
from simulator.hosts.keys import settings_of
from simulator.hosts.vm import HEAP_BYTES, VmNode
from tests.support.node_update_rig import NODE

# A call of the shims, and the step of the loop that the crumbs must name.
CALLS = {
    "send": "network",
    "receive": "network",
    "poll": "sleep",
    "meter": "ports",
    "wifi": "network",
    "pin": "output",
}
# How long the technician's button is held so that the output's pin is written.
LOCKING_S = 5.5
WATCHDOG_S = 8
DEADLINE_S = 60


@pytest.mark.vm
@pytest.mark.live
@pytest.mark.slow
def test_thirty_seconds_in_any_one_call_end_in_a_reset_to_safe_outputs_within_eight(tmp_path, micropython):
    settings = {
        "node": NODE.hex(), "kind": "streetlight", "gateway": ["127.0.0.1", 9], **settings_of(NODE),
        "site": [457500, 48500], "lamp": [700, 4], "sample_s": 1, "telemetry_s": 1, "report_spread_s": 0,
        "ack_timeout_ms": 300,
    }  # fmt: skip
    nodes = {call: VmNode(tmp_path / call, settings, micropython, heap_bytes=HEAP_BYTES) for call in CALLS}
    try:
        for node in nodes.values():
            node.start()
        _until(lambda: all(_said(node, "ready") for node in nodes.values()))
        time.sleep(1)  # past the first turns: the crumbs are those of a running loop
        (nodes["pin"].folder / "bench-button").write_text("pressed")
        time.sleep(LOCKING_S)
        blocked, ended = {}, {}
        for call, node in nodes.items():
            (node.folder / "bench-block").write_text(call)
        (nodes["pin"].folder / "bench-button").unlink()

        def all_ended():
            for call, node in nodes.items():
                if call not in blocked and _said(node, f"bench: {call} blocks"):
                    blocked[call] = time.monotonic()
                if call not in ended and not node.running:
                    ended[call] = time.monotonic()
            return len(ended) == len(nodes)

        _until(all_ended)
        for call in CALLS:
            lasted_s = ended[call] - blocked[call]
            assert lasted_s < WATCHDOG_S + 4, f"{call}: {lasted_s} s; the bound, and what a loaded desk adds"
        for call, node in nodes.items():
            assert node.returncode == vm.WATCHDOG_CODE, call
            (node.folder / "bench-block").unlink()
            node.seen = []
            node.start(reset_cause="WDT_RESET")
        _until(lambda: all(node.lamp() == (True, 100) for node in nodes.values()))
        _until(lambda: all(_said(node, "ready") for node in nodes.values()))
        for call, node in nodes.items():
            assert _said(node, "after watchdog"), (call, node.seen)
            assert _said(node, f"stood in {CALLS[call]}"), (call, node.seen)
    finally:
        for node in nodes.values():
            node.kill()


def _said(node, text):
    node.seen = [*getattr(node, "seen", []), *node.lines()]
    return any(text in line for line in node.seen)


def _until(condition):
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)
