"""Decides when a battery node may sleep deeply, and gathers the image for the sleep. The trade must allow it
(`Trade.may_sleep_until`).

A node sleeps when nothing is under way and nothing in RAM would be lost: no exchange is open, no record waits that is
not on flash (records that a silent gateway did not accept are written there first), no program is being fetched, the
button is not pressed, it has sampled since it woke, and five minutes have passed since a power-on. It wakes when its
trade wants to, or when a record is due.

A gateway that did not answer is not tried at each waking, but after a quarter of an hour, then after twice as long each
time, up to four hours; sooner when an alarm waits, and at once for a new alarm.

Such a node is a client only (ARCHITECTURE, section 4), and of a kind that follows no orders (`node.trade`). Directives
that hold are kept through the sleep. Must not know pins or RTC memory (`esp32.sleeping`).
"""

from collections import namedtuple

from node import checkpoint, limits, panel
from node.trade import HAND
from wire import event

# The parts of one node; `updating` may be None.
Parts = namedtuple("Parts", ("time", "outbox", "sender", "directives", "link", "trade", "updating"))


class Sleeper:
    """Manages the sleep of one node. `woken`: a sleep.Woken, or None at a start."""

    def __init__(self, parts, woken, *, now_ms):
        self._parts = parts
        self._awake_until_ms = now_ms + (limits.AWAKE_AFTER_START_MS if woken is None else 0)
        self._silent = 0
        self._talk_at_ms = now_ms
        # Records lost and datagrams retransmitted in this boot, before this waking.
        self.before = (0, 0)
        if woken is not None:
            if woken.by == HAND:
                self._awake_until_ms = now_ms + limits.AWAKE_FOR_HAND_MS
            self._resume(woken, now_ms)

    def until_ms(self, moment, due_ms):
        """Returns when to wake, on the scale of `moment`, if the node may sleep now; else None. `due_ms`: when the next
        record is due."""
        parts, now_ms = self._parts, moment.now_ms
        if now_ms < self._awake_until_ms or parts.trade.local == panel.TEST:
            return None
        until_ms = parts.trade.may_sleep_until(moment)
        if until_ms is None or not self._is_quiet(now_ms):
            return None
        until_ms = min(until_ms, due_ms)
        if parts.outbox.any_stored((event.ALARM,)):
            until_ms = min(until_ms, now_ms + self._talk_in(now_ms, False)[1])
        return until_ms if until_ms - now_ms >= limits.SLEEP_MIN_MS else None

    def image(self, numbers, dues, chip, own, reach, *, now_ms):
        """Returns the bytes of the sleep image, or None while the link is busy. `numbers`: boot and next sequence;
        `dues`: milliseconds until report, health record and checkpoint. The node must not be used afterwards."""
        parts = self._parts
        link = parts.link.suspend()
        if link is None:
            return None
        from node import sleep  # loaded only for this

        silent, talk_ms = self._talk_in(now_ms, reach.has_exchanged)
        memory, rest = parts.trade.asleep(now_ms)
        return sleep.encode(
            sleep.Image(
                numbers[0],
                numbers[1],
                parts.time.asleep(now_ms),
                sleep.Dues(
                    dues[0],
                    dues[1],
                    dues[2],
                    parts.directives.due_ms(now_ms),
                    None if parts.updating is None else parts.updating.rest_ms(now_ms),
                    talk_ms,
                ),
                silent,
                int(chip is not None and chip.has_reported),
                self.before[0] + parts.outbox.lost(),
                self.before[1] + parts.link.counters["retransmitted"],
                checkpoint.encode_own(own),
                link,
                memory,
                rest,
                parts.directives.asleep(now_ms),
            )
        )

    # --- inside ---------------------------------------------------------------------------------------------

    def _resume(self, woken, now_ms):
        """Restores all parts. Directives end as if the sleep had lasted as long as it may have; due times count
        the sleep as it was measured."""
        parts, image, slept_ms = self._parts, woken.image, woken.slept_ms
        true_ms = parts.time.slept(slept_ms)
        longest_ms = true_ms + slept_ms * parts.time.sleep_residual_ppm() // 1_000_000 + 1
        parts.time.resume(image.time, slept_ms, now_ms=now_ms)
        parts.link.resume(image.link)
        parts.outbox.resume(image.sequence)
        due_ms = image.dues.directives_ms
        parts.directives.resume(
            image.directives, longest_ms, None if due_ms is None else due_ms - true_ms, now_ms=now_ms
        )
        parts.trade.woken(image.rest, true_ms, woken.by, now_ms=now_ms)
        self.before = (image.lost, image.retransmitted)
        self._silent = image.silent
        self._talk_at_ms = now_ms + image.dues.talk_ms - true_ms
        parts.sender.rest(max(0, self._talk_at_ms - now_ms) if self._silent else 0, now_ms=now_ms)

    def _is_quiet(self, now_ms):
        parts = self._parts
        if parts.updating is not None and parts.updating.rest_ms(now_ms) is None:
            return False
        if parts.sender.is_busy(now_ms) or parts.directives.is_busy(now_ms):
            return False
        if not parts.outbox.is_bare():
            parts.outbox.flush()
            return False
        return parts.link.suspend() is not None

    def _talk_in(self, now_ms, has_exchanged):
        """Returns (wakings without an answer, milliseconds until the next attempt to send)."""
        if has_exchanged:
            return 0, 0
        if not self._parts.sender.has_asked:
            return self._silent, max(0, self._talk_at_ms - now_ms)
        first_ms = limits.SILENT_FIRST_MS
        if self._parts.outbox.any_stored((event.ALARM,)):
            first_ms = limits.SILENT_ALARM_FIRST_MS
        return self._silent + 1, min(first_ms << min(self._silent, limits.SILENT_MAX), limits.SILENT_LAST_MS)
