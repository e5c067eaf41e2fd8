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
        boots_max = limits.INBOX_NODES_MAX * limits.TIMEMAP_BOOTS_PER_NODE_MAX
        for host, budget in self._gateways:
            core, options = host.core, host.options
            if core is None:
                continue
            for what, value, maximum in (
                ("batches ahead", core.uplink.ahead(), options.window_max),
                ("journal bytes", core.journal.bytes_held, options.journal_bytes_max),
                ("metered bytes", host.metered_bytes, budget or host.metered_bytes),
                ("nodes", len(core.known_nodes), limits.INBOX_NODES_MAX),
                ("boots in the time map", core.anchors.remembered(), boots_max),
            ):
                if value > maximum:
                    self.violations.append(f"{options.name}: {what} {value} above {maximum}")
