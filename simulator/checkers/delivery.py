"""Invariant 1: what was acknowledged is in the warehouse exactly once, digit for digit, or a gap record
explains it.

Sees two things only: what each node said (record made, record acknowledged: the bytes at the node) and what
the warehouse holds at the end. Whatever happened in between is none of its business.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from wire import record

Identity = tuple[bytes, int, int]

# Gaps that a node declares about what it held alone. They excuse a record that was never acknowledged; once a
# gateway has acknowledged a record, no word of the node's can excuse its loss.
NODE_EXCUSES = ("thinned", "dropped", "boot")


class Store(Protocol):
    """What the checker asks of a warehouse."""

    def bodies(self) -> Iterable[tuple[Identity, record.Stamp, bytes]]: ...
    def explained(self, node: bytes, boot: int, sequence: int) -> str | None: ...


class Verdict(NamedTuple):
    """Figures of a run. `waiting`: made lately and still in the outbox of a powered node, which is no
    loss."""

    made: int
    acknowledged: int
    delivered: int
    duplicated: int
    altered: int
    lost: int
    gaps_explained: int
    waiting: int
    invented: int
    first_faults: tuple[str, ...]


class DeliveryChecker:
    """Collects what nodes say while the run goes on; compares at the end."""

    def __init__(self) -> None:
        self._made: dict[Identity, bytes] = {}
        self._made_ms: dict[Identity, int] = {}
        self._acknowledged: set[Identity] = set()

    def made(self, node: bytes, boot: int, sequence: int, data: bytes, *, now_ms: int) -> None:
        identity = (node, boot, sequence)
        assert identity not in self._made, f"a node used an identity twice: {identity}"
        self._made[identity] = data
        self._made_ms[identity] = now_ms

    def acknowledged(self, node: bytes, boot: int, sequence: int) -> None:
        self._acknowledged.add((node, boot, sequence))

    def acknowledged_count(self) -> int:
        return len(self._acknowledged)

    def missing(self, held: Iterable[Identity]) -> int:
        """Acknowledged records that are not among `held`."""
        return len(self._acknowledged.difference(held))

    def made_ms(self, identity: Identity) -> int | None:
        """When a record was made, on the world's clock; None for records of others (gateways)."""
        return self._made_ms.get(identity)

    def verdict(self, store: Store, still_waiting: set[Identity]) -> Verdict:
        """Compare. `still_waiting`: identities that powered nodes hold in their outbox at this moment."""
        faults: list[str] = []
        seen: dict[Identity, int] = {}
        altered = invented = 0
        nodes = {node for node, _, _ in self._made}
        for identity, stamp, body in store.bodies():
            seen[identity] = seen.get(identity, 0) + 1
            data = self._made.get(identity)
            if data is None:
                if identity[0] in nodes:
                    invented += 1
                    faults.append(f"invented {_show(identity)}")
                continue
            said = record.decode_payload(data)[0]
            if said.stamp != stamp or record.encode_body(said.body) != body:
                altered += 1
                faults.append(f"altered {_show(identity)}")
        duplicated = sum(count - 1 for count in seen.values())
        lost = explained = waiting = 0
        for identity in self._made:
            if identity in seen:
                continue
            why = store.explained(*identity)
            if why is not None and not (identity in self._acknowledged and why in NODE_EXCUSES):
                explained += 1
            elif identity in still_waiting and identity not in self._acknowledged:
                waiting += 1
            else:
                lost += 1
                word = "acknowledged, lost" if identity in self._acknowledged else "lost"
                faults.append(f"{word} {_show(identity)}")
        delivered = sum(1 for identity in self._made if identity in seen)
        return Verdict(
            len(self._made),
            len(self._acknowledged),
            delivered,
            duplicated,
            altered,
            lost,
            explained,
            waiting,
            invented,
            tuple(faults[:10]),
        )


def _show(identity: Identity) -> str:
    node, boot, sequence = identity
    return f"{node.hex()} boot {boot} sequence {sequence}"
