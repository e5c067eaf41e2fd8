"""Checks invariant 8, at a regular pace: every queue of a gateway stays within its stated maximum."""

from gateway.core import limits
from simulator.hosts.gateway import GatewayHost


class BoundsChecker:
    """Compares queues with their maxima at each `check`. `violations` name the queue, the value and the maximum."""

    def __init__(self, gateways: list[GatewayHost]) -> None:
        budgets = [sum(bearer.monthly_bytes for bearer in host.options.bearers) for host in gateways]
        self._gateways = list(zip(gateways, budgets, strict=True))
        self.violations: list[str] = []

    def check(self) -> None:
        for host, budget in self._gateways:
            if host.core is None:
                continue
            host.waiting_max = max(host.waiting_max, host.waiting())
            self._bound(host, "batches ahead", host.core.uplink.ahead(), host.options.window_max)
            self._bound(host, "journal bytes", host.core.journal.bytes_held, host.options.journal_bytes_max)
            self._bound(host, "metered bytes", host.metered_bytes, budget or host.metered_bytes)
            self._bound(host, "nodes", len(host.core.registry), limits.INBOX_NODES_MAX)
            boots_max = limits.INBOX_NODES_MAX * limits.TIMEMAP_BOOTS_PER_NODE_MAX
            self._bound(host, "boots in the time map", host.core.anchors.remembered(), boots_max)

    def _bound(self, host: GatewayHost, what: str, value: int, maximum: int) -> None:
        if value > maximum:
            self.violations.append(f"{host.options.name}: {what} {value} above {maximum}")
