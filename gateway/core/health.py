"""The counters of every part of a gateway's core in one plain document, for the log and the status page. Changes
nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.core.gateway import Gateway


def health(core: "Gateway", *, now_ms: int, started_ms: int) -> dict[str, Any]:
    """By part."""
    return {
        "gateway": {**core.counters, "own-refused": core.own.refused, "image-requests": core.images.asked},
        "link": {name: count for name, count in core.link.counters.items() if count},
        "downlink": {name: count for name, count in core.downlink.health().items() if count},
        "directives": {name: count for name, count in core.desk.directives.health().items() if count},
        "inbox": dict(core.inbox.counters),
        "scrutiny": dict(core.scrutiny.counters),
        "time": {"steps": core.clock.steps, **core.timemap.counters},
        "uplink": dict(core.uplink.counters),
        **core.bearers.health(),
        "refused": dict(core.refused.counters),
        "nodes": len(core.registry.nodes()),
        "unknown_nodes": core.unknown_nodes(),
        "journal_bytes": core.journal.bytes_held,
        "wear": core.journal.wear(lasted_ms=now_ms - started_ms),
        "thinning": dict(core.thinner.counters),
        "losses": dict(core.ledger.totals),
        "ledger": dict(core.ledger.counters),
        **({} if core.cabinet is None else {"cabinet": core.cabinet.health()}),
        "waiting": sum(core.journal.waiting(stream) for stream in core.journal.streams()),
    }
