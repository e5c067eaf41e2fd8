"""Measures the cost of OSCORE for one telemetry message of 8 readings: microseconds, heap bytes and bytes on the link.

`link_message` is such a message through the node's whole end of the link, `clear_message` the same without protection,
`handshake` what each start costs. The gateway's line gives the messages a second of one core with 500 nodes. The
benchmark runs on each MicroPython VM and on CPython with the gateway's cipher. The peer is the same message in the
clear. The VMs are those on the path and beside this Python, or those that BOCAGE_MICROPYTHON names. Times are those of
this computer: a chip must be measured itself.

    bocage bench link --json
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from time import thread_time
from typing import Any

from gateway.core.link.link import Link
from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesCcm
from simulator.hosts.keys import CIPHER, key_of
from simulator.hosts.vm import micropythons
from simulator.world.chance import Prng
from tools.bench.vm import require_checkout
from tools.command_line import add_json
from wire import coap_message as messages
from wire import oscore
from wire.coap import Endpoint
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.oscore_link import NodeLink

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).resolve().parent / "link_vm.py"
PROTECTED_BYTES_MAX = 80  # issue 5: outside the first message of a boot
TIMEOUT_S = 60
CONTEXTS = 500
ROUNDS = 20
_PREFIX = bytes.fromhex("7c1f0a2c01")
_RECORD = bytes(range(48))  # a streetlight's record of 8 readings at its worst
_ANSWER = bytes(12)
_GATEWAY = "gateway"
# Time between two rounds, far above the limit of 40 requests a second for a node.
_ROUND_MS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def measure(interpreter: str) -> dict:
    """Returns the figures `{"interpreter": version, "acts": {name: {"us", "allocated", "encoded"}}}` on one
    interpreter."""
    paths = {"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"}
    paths["PYTHONPATH"] = os.pathsep.join([str(ROOT / "firmware"), str(ROOT)])
    environment = {**os.environ, **paths}
    version = _output([interpreter, "-c", "import sys; print(sys.version)"], environment).strip()
    acts = {}
    for line in _output([interpreter, str(SCRIPT)], environment).splitlines():
        name, us, allocated, encoded = line.split()
        acts[name] = {"us": int(us), "allocated": int(allocated), "encoded": int(encoded)}
    return {"interpreter": version, "acts": acts}


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
    return done.stdout


def run(args: argparse.Namespace) -> int:
    """Prints the figures; the exit status is 0 when a protected message stays within its bound everywhere."""
    require_checkout()
    rows = [measure(interpreter) for interpreter in [*micropythons(), sys.executable]]
    passed = all(row["acts"]["link_message"]["encoded"] <= PROTECTED_BYTES_MAX for row in rows)
    gateway = measure_gateway()
    if args.json:
        told = {"protected_bytes_max": PROTECTED_BYTES_MAX, "passed": passed, "rows": rows, "gateway": gateway}
        print(json.dumps(told))
        return 0 if passed else 1
    for row in rows:
        print(row["interpreter"].splitlines()[0])
        for name, act in row["acts"].items():
            print(f"  {name:20} {act['us']:6} us {act['allocated']:6} B heap {act['encoded']:4} B datagram")
    print("gateway  " + ", ".join(f"{name} {figure}" for name, figure in gateway.items()))
    return 0 if passed else 1


# --- the gateway's end ---------------------------------------------------------------------------------------------


class District:
    """Runs a gateway and nodes under their own keys, real ones (`wire.oscore_link`), without socket or disk.

    `busy_s`: the gateway's time so far; only that counts: a datagram is received, opened and answered, and the datagram
    of the answer is made.
    """

    def __init__(self, count: int) -> None:
        prng = Prng("district")
        nodes = [_PREFIX + number.to_bytes(3, "big") for number in range(count)]
        # The usual kid of a node has two bytes of its serial; here the whole serial is the kid.
        keys: list[NodeKey] = [key_of(node)._replace(kid=node[5:8]) for node in nodes]
        self.link = Link(keys, AesCcm(), random_below=prng.randrange)
        self.nodes = [_node_of(key, prng) for key in keys]
        self.busy_s = 0.0
        self.now_ms = 0

    def round(self) -> int:
        """Lets each node send one message and receive its answer, after a handshake if it has no keys; returns the
        answered messages."""
        self.now_ms += _ROUND_MS
        for node in self.nodes:
            node.request(_GATEWAY, messages.POST, (b"t",), _RECORD, now_ms=self.now_ms)
        answered = 0
        while flying := [(number, data) for number, node in enumerate(self.nodes) for _, data in node.outgoing()]:
            begun = thread_time()
            answers: list[Any] = []
            for number, data in flying:
                for asked in self.link.receive(data, number, now_ms=self.now_ms):
                    self.link.respond(asked.exchange, messages.CHANGED, _ANSWER, now_ms=self.now_ms)
                answers += self.link.outgoing()
            self.busy_s += thread_time() - begun
            for number, data in answers:
                answered += len(self.nodes[number].receive(data, _GATEWAY, now_ms=self.now_ms))
        return answered


def _node_of(key: NodeKey, prng: Prng) -> NodeLink:
    end = Endpoint(
        random_below=prng.randrange,
        first_message_id=prng.randrange(0x10000),
        handled_options=oscore.ANY_OUTSIDE,
    )
    pairing = Pairing(key.master_secret, key.kid, GATEWAY_ID)
    return NodeLink(end, pairing, CIPHER, peer=_GATEWAY, boot=1, random_below=prng.randrange)


def measure_gateway(contexts: int = CONTEXTS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Returns {"contexts", "messages", "messages_per_s", "us_per_message", "us_per_agreement"}."""
    district = District(contexts)
    first = district.round()
    agreeing_s, district.busy_s = district.busy_s, 0.0
    count = sum(district.round() for _ in range(rounds))
    assert (first, count) == (contexts, contexts * rounds), "every message is answered"
    assert district.link.sessions.counters == {"handshakes": contexts, "agreed": contexts, "keys-unknown": 0}
    per_message_s = district.busy_s / count
    return {
        "contexts": contexts,
        "messages": count,
        "messages_per_s": round(1 / per_message_s),
        "us_per_message": round(1e6 * per_message_s),
        # Request 1 and its answer, and the cost of request 2 above that of any other.
        "us_per_agreement": round(1e6 * (agreeing_s / contexts - per_message_s)),
    }
