"""Finds UTC for records that had none, by learning when each boot of each node began.

A record of a node without a clock carries its uptime. The node's boot cannot have begun later than `arrival -
uptime` on our monotonic scale; of all records of a boot the smallest of these is the best bound. Once our own
clock is good, however much later, the bound becomes an `anchor` record of the gateway (wire.event): "uptime
u of this boot was that UTC, ± s". A node that sends an anchor for its own boot knows better: then none is made.

How wide is ± ? A record waits in its node before it arrives, and the bound is late by the wait of the best
record. Two cases:

    proven     two records whose uptimes lie TIMEMAP_SPREAD_S or more apart give the same bound within
               TIMEMAP_AGREE_S. A queue that fills or drains changes its wait by as much as time passes, so they
               waited alike because nothing held them: TIMEMAP_WAIT_S
    unproven   nothing is known of the wait: as long as a node can hold a record, NODE_HOLD_S_MAX. The anchor is made
               only when the boot has been silent long enough that no proof will come

To this are added the uncertainty of our clock, the drift of both crystals over the time between, and one second
for the whole seconds on both sides. A duplicate or a retransmission comes later with the same uptime: it can
neither tighten nor prove. A bound that tightens by more than TIMEMAP_AGREE_S is no longer proven.

All anchors that we make for one boot name the same uptime, so that a later one replaces an earlier one
(tools/centre/store/archive.py: of one maker and one uptime, the latest anchor holds). A later one is made when it is at
least twice as exact, or when our clock was corrected and the earlier one is wrong by more than its stated uncertainty;
at most TIMEMAP_STATEMENTS_MAX for a boot. The correction itself is a `clockStepped` record.

Memory is bounded by nodes and by boots of a node. Bounds without an anchor are lost when the agent stops: such records
stay without UTC, for nothing is guessed.
"""

from collections import OrderedDict
from collections.abc import Callable

from gateway.core import limits
from gateway.core.wallclock import WallClock, drift_s
from wire import event
from wire import limits as wire_limits
from wire.record import UNSET, EventBody, Record

# Makes a record of the gateway itself, with `now_ms`; returns None when the journal refuses it.
Own = Callable[..., object | None]
_Key = tuple[bytes | None, int]


class _Boot:
    """Holds what is known of one boot. Times in ms of our monotonic scale; `stated` is (unix_s, ± s) of the last
    anchor."""

    __slots__ = ("began_ms", "first_ms", "last_ms", "proven", "stated", "stated_uptime_s", "statements", "uptime_s")

    def __init__(self, uptime_s: int, now_ms: int) -> None:
        self.first_ms = self.last_ms = now_ms
        self.began_ms = now_ms - 1000 * uptime_s
        self.uptime_s = uptime_s  # of the record that gave the bound
        self.proven = False
        self.statements = 0
        self.stated_uptime_s = 0
        self.stated: tuple[int, int] | None = None

    def observe(self, uptime_s: int, now_ms: int) -> None:
        began_ms = now_ms - 1000 * uptime_s
        apart_s = abs(uptime_s - self.uptime_s)
        agree_ms = 1000 * (limits.TIMEMAP_AGREE_S + drift_s(1000 * apart_s))
        if apart_s >= limits.TIMEMAP_SPREAD_S and abs(began_ms - self.began_ms) <= agree_ms:
            self.proven = True
        elif began_ms < self.began_ms - agree_ms:
            self.proven = False
        if began_ms < self.began_ms:
            self.began_ms, self.uptime_s = began_ms, uptime_s
        self.last_ms = now_ms

    def anchor(self, clock: WallClock, uptime_s: int, now_ms: int) -> tuple[int, int]:
        """Return (unix_s, ± s) of an uptime of this boot as known now; needs a good clock."""
        unix_ms = clock.unix_ms_at(self.began_ms + 1000 * uptime_s)
        assert unix_ms is not None
        wait_s = limits.TIMEMAP_WAIT_S if self.proven else limits.NODE_HOLD_S_MAX
        theirs_s = drift_s(1000 * (uptime_s - self.uptime_s))
        ours_s = drift_s(now_ms - (self.began_ms + 1000 * self.uptime_s))
        return unix_ms // 1000, clock.uncertainty_s + wait_s + theirs_s + ours_s + 1


class BootAnchors:
    """Keeps when each boot of each node began. `boot` is our own; `own` makes a record about a node, `report` one about
    the gateway; `counters` only rise."""

    def __init__(self, clock: WallClock, own: Own, report: Callable[..., bool], *, boot: int) -> None:
        self._clock = clock
        self._own = own
        self._report_own = report
        self._boot = boot
        # By node, its boots; None for a boot that the node has anchored itself.
        self._nodes: OrderedDict[bytes, dict[int, _Boot | None]] = OrderedDict()
        self._open: dict[tuple[bytes, int], _Boot] = {}  # boots for which an anchor may be due
        self._check_at_ms = 0
        self._self: _Boot | None = None
        self._steps_reported_ms: list[int] = []
        self.counters = {"anchors": 0, "anchors-better": 0, "forgotten": 0, "unstated": 0, "absurd": 0}

    def observe(self, node: bytes, made: Record, *, now_ms: int) -> None:
        """Observe a record of `node`."""
        anchored = _anchored(node, made.body)
        if anchored is not None:
            self._boots(node)[anchored] = None
            self._open.pop((node, anchored), None)
            self._bound(node)
        elif made.stamp.quality == UNSET:
            self._observe(node, made.boot, made.stamp.seconds, now_ms)

    def poll(self, *, now_ms: int) -> None:
        """Make the anchors that are due."""
        if self._clock.good_since_ms is None:
            return
        self._note_step(now_ms)
        if self._self is None:
            self._anchor_ourselves(now_ms)
        if not self._open or now_ms < self._check_at_ms:
            return
        left = limits.TIMEMAP_PER_TURN_MAX
        next_ms = now_ms + limits.TIMEMAP_CHECK_MS
        for key, boot in list(self._open.items()):
            due_ms = self._due_ms(boot)
            if due_ms > now_ms:
                next_ms = min(next_ms, due_ms)
            elif left == 0:
                next_ms = now_ms + limits.TIMEMAP_PAUSE_MS
                break
            else:
                left -= 1
                if not self._state(key, boot, now_ms):
                    break  # the journal is full: later
                del self._open[key]
        self._check_at_ms = max(next_ms, now_ms + limits.TIMEMAP_PAUSE_MS)

    def deadline_ms(self) -> int | None:
        """Return when `poll` is due; None: only after a record has come, or the clock has become good."""
        if self._clock.good_since_ms is None or not (self._open or self._self is None):
            return None
        return self._check_at_ms

    def remembered(self) -> int:
        """Return how many boots are held in memory, for the checker of bounds."""
        return sum(map(len, self._nodes.values()))

    # --- inside ---

    def _observe(self, node: bytes, number: int, uptime_s: int, now_ms: int) -> None:
        boots = self._boots(node)
        if number not in boots:
            boot = boots[number] = _Boot(uptime_s, now_ms)
            self._bound(node)
        else:
            known = boots[number]
            if known is None:
                return
            boot = known
            boot.observe(uptime_s, now_ms)
        if boot.stated is not None and not self._is_better(boot, now_ms):
            return
        if not self._open:
            self._check_at_ms = now_ms + limits.TIMEMAP_PAUSE_MS
        self._open[node, number] = boot
        if boot.proven:
            self._check_at_ms = min(self._check_at_ms, now_ms + limits.TIMEMAP_PAUSE_MS)

    def _boots(self, node: bytes) -> dict[int, _Boot | None]:
        boots = self._nodes.get(node)
        if boots is None:
            boots = self._nodes[node] = {}
        self._nodes.move_to_end(node)
        return boots

    def _bound(self, node: bytes) -> None:
        """Forget what exceeds the limits after an addition: the boot noted first, then the node heard longest ago."""
        boots = self._nodes[node]
        if len(boots) > limits.TIMEMAP_BOOTS_PER_NODE_MAX:
            self._forget(node, boots, next(iter(boots)))
        if len(self._nodes) > limits.INBOX_NODES_MAX:
            other, gone = self._nodes.popitem(last=False)
            for number in list(gone):
                self._forget(other, gone, number)

    def _forget(self, node: bytes, boots: dict[int, _Boot | None], number: int) -> None:
        boot = boots.pop(number)
        self._open.pop((node, number), None)
        self.counters["forgotten"] += boot is not None and boot.stated is None

    def _due_ms(self, boot: _Boot) -> int:
        assert self._clock.good_since_ms is not None
        good_ms = max(self._clock.good_since_ms, boot.first_ms) + limits.TIMEMAP_GRACE_MS
        return good_ms if boot.proven else max(good_ms, boot.last_ms + limits.TIMEMAP_SILENT_MS)

    def _is_better(self, boot: _Boot, now_ms: int) -> bool:
        """Return whether an anchor made now would be much more exact than the last one, or contradict it."""
        assert boot.stated is not None
        if self._clock.good_since_ms is None:
            return True  # not known yet
        unix_s, uncertainty_s = boot.anchor(self._clock, boot.stated_uptime_s, now_ms)
        return 2 * uncertainty_s <= boot.stated[1] or abs(unix_s - boot.stated[0]) > boot.stated[1]

    def _state(self, key: _Key, boot: _Boot, now_ms: int) -> bool:
        """Make the anchor, if one is due; return False when the journal refused it."""
        if boot.stated is not None and not self._is_better(boot, now_ms):
            return True
        if boot.statements >= limits.TIMEMAP_STATEMENTS_MAX:
            self.counters["unstated"] += 1
            return True
        uptime_s = boot.uptime_s if boot.stated is None else boot.stated_uptime_s
        unix_s, uncertainty_s = boot.anchor(self._clock, uptime_s, now_ms)
        if not 0 <= unix_s <= wire_limits.SECONDS_MAX:
            self.counters["absurd"] += 1
            return True
        return self._report(key, boot, uptime_s, unix_s, uncertainty_s, now_ms)

    def _report(
        self, key: _Key, boot: _Boot, uptime_s: int, unix_s: int, uncertainty_s: int, now_ms: int
    ) -> bool:
        about, number = key
        body = EventBody(event.ANCHOR, None, [about, number, uptime_s, unix_s, uncertainty_s])
        make = self._report_own if about is None else self._own
        if make(body, now_ms=now_ms) in (None, False):
            return False
        self.counters["anchors" if boot.stated is None else "anchors-better"] += 1
        boot.stated_uptime_s, boot.stated = uptime_s, (unix_s, uncertainty_s)
        boot.statements += 1
        return True

    def _anchor_ourselves(self, now_ms: int) -> None:
        """Make the anchor of our own boot: our earlier records carry our uptime, and none of them waited."""
        if now_ms < self._check_at_ms:
            return
        uptime_s = self._clock.uptime_s(now_ms=now_ms)
        ourselves = _Boot(uptime_s, now_ms)
        if self._state_ourselves(ourselves, uptime_s, now_ms):
            self._self = ourselves
        else:
            self._check_at_ms = now_ms + limits.TIMEMAP_CHECK_MS

    def _state_ourselves(self, ourselves: _Boot, uptime_s: int, now_ms: int) -> bool:
        unix_ms = self._clock.unix_ms_at(ourselves.began_ms + 1000 * uptime_s)
        assert unix_ms is not None
        uncertainty_s = self._clock.uncertainty_s + drift_s(now_ms - ourselves.first_ms) + 1
        return self._report((None, self._boot), ourselves, uptime_s, unix_ms // 1000, uncertainty_s, now_ms)

    def _note_step(self, now_ms: int) -> None:
        """Report a correction of our clock, and check again all anchors that were made with it."""
        step = self._clock.drain_step()
        if step is None:
            return
        self._steps_reported_ms = [at_ms for at_ms in self._steps_reported_ms if at_ms > now_ms - 3_600_000]
        if len(self._steps_reported_ms) < limits.CLOCK_STEPS_PER_HOUR_MAX and self._report_own(
            EventBody(event.CLOCK_STEPPED, None, list(step)), now_ms=now_ms
        ):
            self._steps_reported_ms.append(now_ms)
        if self._self is not None and self._self.statements < limits.TIMEMAP_STATEMENTS_MAX:
            self._state_ourselves(self._self, self._self.stated_uptime_s, now_ms)
        for node, boots in self._nodes.items():
            for number, boot in boots.items():
                if boot is not None and boot.stated is not None:
                    self._open[node, number] = boot
        self._check_at_ms = now_ms


def _anchored(node: bytes, body: EventBody | dict[int, int]) -> int | None:
    """Return the boot for which a node sends its own anchor with this body."""
    if isinstance(body, dict) or body.code != event.ANCHOR or not isinstance(body.detail, list):
        return None
    about, boot = body.detail[:2]
    return boot if about is None or about == node else None
