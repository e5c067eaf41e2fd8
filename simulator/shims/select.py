"""Replaces the chip's `select` on a desktop VM: polls the socket inside the shim's. MicroPython only."""

import sys

import bench_block
import bench_watchdog
import uselect

POLLIN = uselect.POLLIN


class poll:  # noqa: N801 - the chip's name
    """Watches sockets of the shim."""

    def __init__(self):
        self._inner = uselect.poll()

    def register(self, sock, events):
        """Watches a socket of the shim."""
        self._inner.register(sock.inner, events)

    def ipoll(self, timeout_ms):
        """Looks without waiting, and returns an iterator over what is ready: receiving begins here."""
        assert timeout_ms == 0
        bench_watchdog.may_block("receive")
        if "bench_clock" in sys.modules:
            import bench_lockstep

            return iter((self,) if bench_lockstep.waits() else ())
        return self._inner.ipoll(0)

    def poll(self, timeout_ms):
        """Waits, then returns what became ready."""
        bench_watchdog.may_block("poll")
        if "bench_clock" in sys.modules:
            import bench_lockstep

            ready = bench_lockstep.wait(timeout_ms)
        else:
            ready = self._inner.poll(timeout_ms)
        bench_block.pass_time()
        bench_watchdog.look()
        return ready
