"""Joins simulated nodes to gateways: settings, radio and board of any kind, with numbers and keys of their own."""

from typing import Any

from node.settings import Settings
from simulator.hosts.gateway import GatewayHost
from simulator.hosts.keys import pairing_of
from simulator.hosts.node import NodeHost, Tap
from simulator.hosts.ports import Ports
from simulator.world.chance import Prng
from simulator.world.network import LinkQuality, Radio
from simulator.world.time import World
from wire import limits

TERRITORY = bytes.fromhex("7c1f0a2c")
_BENCH = b"\x01"


class Joining:
    """Numbers the nodes of a territory in the order in which they join. `radios`: those of all nodes.

    `next_number`: of the node that joins next; a part of a territory sets it, for the nodes before its own.
    """

    def __init__(self, world: World, tap: Tap, *, loss_permille: int) -> None:
        self._world = world
        self._tap = tap
        self._loss_permille = loss_permille
        self.hosts: list[NodeHost] = []
        self.radios: list[Radio] = []
        self.next_number = 1

    def join(
        self, gateway: GatewayHost, kind: Any, own: Any, ports: Ports, prng: Prng, *, memory: bytes = b""
    ) -> NodeHost:
        """Returns a board with these ports and settings, adopted by this gateway.

        `kind`: its module of `kinds`; `memory`: what its trade wrote to flash before this story begins.
        """
        node = TERRITORY + _BENCH + self.next_number.to_bytes(3, "big")
        self.next_number += 1
        gateway.nodes.append(node)
        settings = Settings(
            node=node,
            own=own,
            bearer=("udp",),
            gateway=(gateway.options.name, 5683),
            pairing=pairing_of(node),
            sample_s=60,
            telemetry_s=900,
            health_s=3600,
            report_spread_s=120,
            ack_timeout_ms=limits.COAP_ACK_TIMEOUT_MIN_MS,
            update_keys=(),
            trace=False,
        )
        loss = self._loss_permille
        quality = LinkQuality(loss // 2 + prng.randrange(loss + 1), 10, 5, 80, 15, 3000)
        radio = Radio(self._world, prng.split("radio"), quality)
        host = NodeHost(
            self._world,
            prng.split("board"),
            settings,
            kind,
            ports,
            radio,
            lambda datagram, sender: radio.carry(datagram, gateway.receive, sender),
            self._tap,
            memory=memory,
        )
        self.radios.append(radio)
        self.hosts.append(host)
        return host
