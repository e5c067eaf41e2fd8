"""How long somebody must wait before the next password: ever longer by address, and in all when many addresses fail.

The first FREE wrong passwords of an address cost nothing, each further one doubles the wait up to WAIT_MS_MAX;
after FORGET_MS without a failure all is forgotten. In all FREE_ALL are free and the wait is short, for it also
meets the person who belongs here. An attempt counts as failed when it begins, or many at once would be one. Time is
an argument.
"""

import ipaddress
from dataclasses import dataclass

FREE = 3
FREE_ALL = 12
WAIT_FIRST_MS = 2_000
WAIT_MS_MAX = 15 * 60_000
WAIT_ALL_MS_MAX = 30_000
FORGET_MS = 3_600_000
ADDRESSES_MAX = 256


@dataclass
class _Failures:
    count: int = 0
    at_ms: int = 0

    def wait_ms(self, free: int, most_ms: int, now_ms: int) -> int:
        beyond = self.count - free
        if beyond < 0 or self.count == 0:
            return 0
        return max(0, self.at_ms + min(most_ms, WAIT_FIRST_MS << min(beyond, 30)) - now_ms)

    def add(self, now_ms: int) -> None:
        self.count = 1 if now_ms - self.at_ms >= FORGET_MS else self.count + 1
        self.at_ms = now_ms


class Attempts:
    """Failed passwords. `wait_ms` first; then `began`, and `passed` when it was the right one."""

    def __init__(self) -> None:
        self._by_address: dict[str, _Failures] = {}
        self._all = _Failures()

    def wait_ms(self, address: str, *, now_ms: int) -> int:
        """Milliseconds until this address may try; 0: now."""
        own = self._by_address.get(network_of(address), _Failures())
        return max(own.wait_ms(FREE, WAIT_MS_MAX, now_ms), self._all.wait_ms(FREE_ALL, WAIT_ALL_MS_MAX, now_ms))

    def began(self, address: str, *, now_ms: int) -> None:
        key = network_of(address)
        if key not in self._by_address and len(self._by_address) >= ADDRESSES_MAX:
            del self._by_address[min(self._by_address, key=lambda one: self._by_address[one].at_ms)]
        self._by_address.setdefault(key, _Failures()).add(now_ms)
        self._all.add(now_ms)

    def passed(self, address: str) -> None:
        self._by_address.pop(network_of(address), None)
        self._all.count = max(0, self._all.count - 1)


def network_of(address: str) -> str:
    """An IPv4 address; of an IPv6 one its /64, for one machine has all of it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
