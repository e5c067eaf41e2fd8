"""Runs the node application of any kind: datagrams and samples in, outputs, records and datagrams out.

It composes the node's time, outbox, sender and directives with one trade, and orders for a kind that follows them. The
shell (firmware/esp32/main.py on the chip, the simulator's twin on a desk) does four things in a loop: it passes in
datagrams and samples, calls `poll`, has its ports apply `outputs`, and sleeps until `deadline_ms`. The trade makes the
kind of node (`node.trade`). The application never blocks, reads no clock and touches no pin. The state that must
survive a power cut it returns as a `Checkpoint`: hourly, and at once when the trade has state that a cut must not
destroy. Flash wears out: `node.checkpoint` bounds the writes.

Long because all parts of a node meet here; each of them is a module of its own.
"""

from collections import namedtuple

from node import checkpoint, limits, panel
from node.checkpoint import Checkpoint
from node.directives import Directives
from node.outbox import Outbox
from node.sender import Reach, Sender, sooner
from node.timekeeper import Timekeeper
from node.trade import Moment, spread
from wire import cbor, coap_message, event, quantity, record
from wire import limits as wire_limits
from wire.coap import Request, Response
from wire.record import EventBody, Record

VERSION = "0.1.0"

# The shell's facts at a start. `previous_boot` and `durable_sequence` are None on a new board; `cause` is a word.
Boot = namedtuple("Boot", ("boot", "previous_boot", "durable_sequence", "cause"))
LOG_PATH = b"l"
# The word by which an order is declined while a technician has locked the node.
LOCKED = "locked"

MADE = "made"
ACKNOWLEDGED = "acknowledged"

_CHECKPOINT_MS = 3_600_000


class Node:
    """Composes one node: identity, time, custody and link around its trade.

    `link`: a `wire.oscore_link.NodeLink`. `tap(what, sequence, data)` is called with every record made and acknowledged
    (console trace). `log`: a `node.record_log.RecordLog`, or None for a node that keeps records in RAM. `own`: the
    application's part of an earlier boot's checkpoint; `wear`: a `node.checkpoint.Wear`, or None where nothing wears
    out. `updating`: a node.updating.Updating, or None without a second place for a program; `lines`: a
    node.log_ring.LogRing that the gateway may read. `sleeps`: whether the shell supports deep sleep; `woken`: a
    node.sleep.Woken after a sleep, else None.
    """

    # When `poll` has more to do than let the trade decide, if nothing comes and no record is made before; None: always.
    _due_ms = None

    def __init__(
        self, settings, boot, link, trade, *, random_below, now_ms,
        tap=None, log=None, own=b"", wear=None, updating=None, lines=None, sleeps=False, woken=None, clock_chip=False,
    ):  # fmt: skip
        self._settings = settings
        self._boot = boot
        self._link = link
        self._tap = tap
        self._updating = updating
        self._lines = lines
        self.reach = Reach(settings.telemetry_s, now_ms=now_ms)
        self._sequence = self._sequence_before = 0  # of the next record; after the last poll (None: it put off sending)
        self._wear = wear
        self._own = checkpoint.decode_own(own if woken is None else woken.image.own)
        self.time = Timekeeper(
            started_ms=now_ms, drift=checkpoint.crystal_drift(self._own), sleep_drift=checkpoint.sleep_drift(self._own)
        )
        self.chip = None
        if clock_chip:
            from node.clock_chip import ClockChip  # few boards have one
            has_reported = woken is not None and woken.image.chip_reported == 1
            self.chip = ClockChip(self.time, self._own.chip_set_s, self._own.chip_doubt_s, has_reported)
        self._outbox = Outbox(boot=boot.boot, log=log)
        self._sender = Sender(
            link,
            self._outbox,
            peer=settings.gateway,
            random_below=random_below,
            hold_until_ms=now_ms + random_below(1000 * settings.report_spread_s + 1),
            options=((coap_message.URI_QUERY, record.SLEEPS),) if sleeps and trade.sleeps else (),
        )
        self.trade = trade
        self._orders = self._fetch = None
        if trade.follows_orders:
            from node.orders import Fetch, Orders  # orders are of light: no room and no green space gets one
            self._orders = Orders(random_below)
            self._fetch = Fetch(link, peer=settings.gateway, random_below=random_below)
        self._directives = Directives(
            link, peer=settings.gateway, kind=trade.kind, codes=trade.directives, spread_s=spread(settings.node),
            random_below=random_below,
        )  # fmt: skip
        self._sample_at_ms = now_ms
        self._may_want_sample = trade.wants_sample_ms is not None
        self._report_at_ms = self._health_at_ms = now_ms + 1000 * min(60, settings.telemetry_s)
        self._checkpoint_at_ms = now_ms + _CHECKPOINT_MS
        self._kept = trade.keeps
        self._platform = {} if woken is None else None  # after a sleep nothing is reported before there is a sample
        self._sleeper = None
        if (sleeps and trade.sleeps) or woken is not None:
            from node.sleeper import Parts, Sleeper  # only nodes on a battery sleep
            parts = (self.time, self._outbox, self._sender, self._directives, link, trade)
            self._sleeper = Sleeper(Parts(*parts, updating), woken, now_ms=now_ms)
        self._era = link.era
        if woken is not None:
            self._go_on(woken, now_ms)
            return
        if boot.cause == "power-on" and hasattr(trade, "powered"):
            trade.powered()
        detail = (boot.previous_boot, boot.durable_sequence, boot.cause, trade.kind, VERSION)
        self._emit(EventBody(event.BOOT, None, detail), now_ms)

    # --- events in ------------------------------------------------------------------------------------------

    def receive(self, datagram, peer, *, now_ms):
        """Receives one datagram of the link and polls."""
        self._due_ms = None
        for happened in self._link.receive(datagram, peer, now_ms=now_ms):
            self._handle(happened, now_ms)
        self.poll(now_ms=now_ms)

    @property
    def outputs(self):
        """Returns the outputs that the ports must apply now."""
        return self.trade.outputs

    def sample_due(self, now_ms) -> bool:
        """Returns whether the shell must read its ports and call `sample`."""
        return now_ms >= self._sample_at_ms or (self._may_want_sample and now_ms >= self._next_sample_ms(now_ms))

    def sample(self, values, platform, *, now_ms):
        """Observes one reading of the ports (map of wire keys to scaled integers; None: silent) and of the board's own
        health. Returns the deadline if only the latest figures have changed: nothing is to be applied, sent or written.
        Else None, as always where the chip may sleep."""
        sample_ms = self._sample_at_ms = now_ms + 1000 * self._settings.sample_s
        self._platform = platform
        due_ms, until_ms = self._due_ms, self.trade.decided_until_ms
        rests = due_ms is not None and until_ms is not None
        rests = rests and now_ms < due_ms and now_ms < until_ms and now_ms < self._checkpoint_at_ms
        if rests and self.trade.sample_without_news(values, now_ms):
            return min(now_ms + limits.DECIDE_MS, sample_ms, due_ms)
        moment = self._moment(now_ms)
        self.trade.sample(values, moment)
        self._emit_all(now_ms)
        if rests and self._due_ms is not None and self._is_as_decided():
            return self.deadline_ms(now_ms)
        # Measurements during a technician's test or lock do not show whether an order is obeyed.
        if self._has_order() and self.trade.local is None:
            power_dw = self.trade.measured(moment)
            if power_dw is not None:
                self._orders.measured(power_dw)
        self._poll(moment, now_ms)
        return None

    def _is_as_decided(self) -> bool:
        """Returns whether a sample, before which nothing was due, has left the decision and the memory as they were."""
        trade = self.trade
        return trade.decided_until_ms is not None and trade.keeps == self._kept and self._sleeper is None

    def sense(self, values, *, now_ms):
        """Observes readings of the ports between two samples; the shell's `poll` of this turn acts on them."""
        self._due_ms = None
        self.trade.sense(values, self._moment(now_ms))

    def poll(self, *, now_ms):
        """Does what is due: exchanges, the output, periodic records, the next payload."""
        self._poll(None, now_ms)

    def _poll(self, moment, now_ms):
        """Polls. `moment`: of this turn's sample, which holds as long as nothing comes; or None."""
        has_come = self._due_ms is None
        if has_come or now_ms >= self._due_ms:
            self._due_ms = None
            for happened in self._link.poll(now_ms=now_ms):
                has_come, moment = True, None
                self._handle(happened, now_ms)
            has_come = has_come or self._directives.has_changed(now_ms)
            if self._link.era != self._era:
                self._era = self._link.era
                if self._has_order():
                    self._fetch.want(now_ms)  # the gateway may have restarted, and not know the order that we hold
                    moment = None
        until_ms = self.trade.decided_until_ms
        if has_come or until_ms is None or now_ms >= until_ms:
            self._decide(moment or self._moment(now_ms), now_ms)
        if self._due_ms is not None:
            return  # nothing is due, and the decision made no record
        if now_ms >= self._report_at_ms and self._platform is not None:
            self._report(now_ms)
        gap = self._outbox.next_gap() if self._outbox.may_report_gap() else None
        if gap is not None:
            detail = (None, gap.boot, gap.first, gap.last, gap.why)
            self._emit(EventBody(event.GAP, None, detail), now_ms, gap)
        self._outbox.poll(now_ms=now_ms)
        fault = None if self.chip is None else self.chip.next_fault()
        if fault is not None:
            self._emit(EventBody(event.CLOCK_FAILURE, None, (fault,)), now_ms)
        needs_answer = not self.time.is_set() or (self._has_order() and self._orders.needs_lease(now_ms))
        # Sealing a request takes a chip as long as all the rest: one a turn, alarms first, and none when many records
        # were made since the last turn; `deadline_ms` asks for the next turn at once.
        before = self._sequence_before
        is_sent = before is not None and self._sequence - before > limits.MADE_MAX
        self._sequence_before = None if is_sent else self._sequence
        is_sent = is_sent or self._sender.send(now_ms=now_ms, needs_time=needs_answer)
        is_sent = is_sent or (self._fetch is not None and self._fetch.send(now_ms))
        is_sent = is_sent or self._directives.send(now_ms)
        if self._updating is not None and not is_sent:
            self._update(now_ms)

    def report_event(self, code, active, detail, *, now_ms):
        """Reports an event that the shell has found: a crash before this start, a press of the button."""
        self._emit(EventBody(code, active, detail), now_ms)

    def local(self, word):
        """Accepts the wish of a technician at the node: a word of node.panel, or None. It precedes every order."""
        if word != self.trade.local:
            self._due_ms = None
            self.trade.local = word

    def is_sound(self, now_ms) -> bool:
        """Returns False when a measurement contradicts the outputs."""
        return self.trade.is_sound(self._moment(now_ms))

    def may_restart(self, now_ms) -> bool:
        """Returns whether a restart now would have no visible effect and lose no record that a reachable gateway would
        still accept."""
        if self.reach.holds_restart(self._outbox.waiting(), now_ms):
            return False
        is_unfelt = self.trade.local is None and self.trade.may_restart(self._moment(now_ms))
        return self.reach.has_saved(self._outbox, now_ms, is_wanted=is_unfelt)

    def may_sleep(self, now_ms):
        """Returns when to wake, on the scale of `now_ms`, if the chip may sleep deeply now; None: stay awake."""
        if self._sleeper is None or self._platform is None or self.sample_due(now_ms):
            return None
        return self._sleeper.until_ms(self._moment(now_ms), self._report_at_ms)

    def suspend(self, now_ms):
        """Returns the image for a deep sleep (node.sleep), or None when it is not possible now. This Node must not be
        used afterwards; the one that wakes with the image continues."""
        dues = (self._report_at_ms - now_ms, self._health_at_ms - now_ms, self._checkpoint_at_ms - now_ms)
        numbers = (self._boot.boot, self._sequence)
        return self._sleeper.image(numbers, dues, self.chip, self._remembered(), self.reach, now_ms=now_ms)

    def sleep_for(self, until_ms, *, now_ms) -> int:
        """Returns the milliseconds that the sleep's oscillator must count so that the node is awake at `until_ms`, and
        not long before."""
        return self.time.sleep_for(until_ms - now_ms)

    # --- effects out ----------------------------------------------------------------------------------------

    def outgoing(self) -> list:
        """Drains the datagrams to send: [(peer, bytes)]."""
        return self._link.outgoing()

    def deadline_ms(self, now_ms) -> int:
        """Returns when `poll` (or a sample) is due at the latest."""
        due_ms = self._due_ms
        if due_ms is None:
            due_ms = self._next_due_ms(now_ms)
            if self._may_rest(now_ms):
                self._due_ms = due_ms
        due_ms = sooner(due_ms, self.trade.deadline_ms(now_ms))
        sample_ms = self._next_sample_ms(now_ms) if self._may_want_sample else self._sample_at_ms
        return min(now_ms + limits.DECIDE_MS, sample_ms, due_ms)

    def _next_due_ms(self, now_ms):
        # One after the other: after twelve days each instant is an object, and eight at once take 300 bytes.
        due_ms = sooner(self._report_at_ms, self._link.deadline_ms())
        due_ms = sooner(due_ms, self._sender.deadline_ms())
        if self._fetch is not None:
            due_ms = sooner(due_ms, self._fetch.deadline_ms(now_ms))
        due_ms = sooner(due_ms, self._outbox.deadline_ms(now_ms))
        due_ms = sooner(due_ms, self._directives.deadline_ms(now_ms))
        if self._has_order():
            due_ms = sooner(due_ms, self._orders.deadline_ms(self._certain(now_ms), now_ms))
        return due_ms if self._updating is None else sooner(due_ms, self._updating.deadline_ms(now_ms))

    def _may_rest(self, now_ms) -> bool:
        """Returns whether `poll` has nothing to do but to decide before the instants that are known. A lamp's sample
        without news, one a minute, then costs little more than its reading."""
        return (
            not self._has_order()
            and (self._fetch is None or not self._fetch.is_expected(now_ms))
            and self.chip is None
            and self._outbox.is_settled()
            and (self._updating is None or self._updating.is_idle())
        )

    def checkpoint(self, now_ms, *, is_last=False):
        """Returns a Checkpoint to write to flash when one is due, else None. `is_last`: a restart follows, so it is due
        now. When the write fails, the shell calls `write_again`."""
        if self._kept != self.trade.keeps:
            self._kept = self.trade.keeps
            self._checkpoint_at_ms = min(self._checkpoint_at_ms, now_ms)
        if not is_last:
            late_ms = now_ms - self._checkpoint_at_ms
            if late_ms < 0 or (late_ms < limits.WRITE_PATIENCE_MS and not self.trade.may_write(now_ms)):
                return None
        if self._wear is not None and not self._wear.spend(checkpoint.CHECKPOINT, now_ms=now_ms):
            self.write_again(now_ms)
            return None
        self._checkpoint_at_ms = now_ms + _CHECKPOINT_MS
        return Checkpoint(
            self._boot.boot,
            self._outbox.durable_sequence(self._sequence),
            self.trade.memory(now_ms),
            checkpoint.encode_own(self._remembered()),
        )

    def write_again(self, now_ms):
        """Observes that the last checkpoint was not written: another becomes due later."""
        self._checkpoint_at_ms = now_ms + limits.CHECKPOINT_AGAIN_MS

    def waiting_sequences(self) -> list:
        """Returns the sequences of the records that no gateway has acknowledged yet."""
        return self._outbox.sequences()

    def unix_s(self, now_ms):
        """Returns the node's UTC in Unix seconds, or None."""
        return self.time.unix_s(now_ms)

    # --- inside ---------------------------------------------------------------------------------------------

    def _handle(self, happened, now_ms):
        if isinstance(happened, Request):
            self._serve(happened, now_ms)
            return
        if self._directives.is_ours(happened):
            self._directives.handle(happened, now_ms)
            return
        if isinstance(happened, Response):
            self._directives.answered(now_ms)
        if self._fetch is not None and self._fetch.is_ours(happened):
            found = self._fetch.handle(happened, now_ms)
            if found is not None:
                self._orders.answered(
                    found[0], asked_ms=found[1], certain=self._certain(now_ms), era=self._link.era, now_ms=now_ms
                )
            return
        if self._updating is not None and self._updating.is_ours(happened):
            self._updating.handle(happened, now_ms)
            return
        entries, answer, asked_ms = self._sender.handle(happened, now_ms=now_ms)
        if self._tap is not None:
            for entry in entries:
                self._tap(ACKNOWLEDGED, entry.sequence, entry.data)
        if answer is None:
            return
        self.reach.answered(now_ms)
        if self.time.learn(answer, asked_ms=asked_ms, now_ms=now_ms):
            detail = (
                None,
                self._boot.boot,
                self.time.uptime_s(now_ms),
                self.time.unix_s(now_ms),
                self.time.uncertainty_s(now_ms),
            )
            self._emit(EventBody(event.ANCHOR, None, detail), now_ms)
            self._report_at_ms = self._next_report_ms(now_ms, 0)
        if self._orders is not None:
            self._orders.renew_lease(answer.lease_s, asked_ms=asked_ms, now_ms=now_ms)
            if answer.waiting:
                self._fetch.want(now_ms)

    def _go_on(self, woken, now_ms):
        """Restores the numbers of the boot after a sleep, and the times at which its records and checkpoint are due."""
        self._sequence = self._sequence_before = woken.image.sequence
        dues, true_ms = woken.image.dues, self.time.slept(woken.slept_ms)
        self._report_at_ms = now_ms + dues.report_ms - true_ms
        self._health_at_ms = now_ms + dues.health_ms - true_ms
        self._checkpoint_at_ms = now_ms + dues.checkpoint_ms - true_ms

    def _serve(self, request, now_ms):
        """Answers a request of the gateway: an order for `/c`, the last lines of the log for GET `l`."""
        code, payload, options = coap_message.NOT_FOUND, b"", ()
        if self._orders is not None and request.path == (self._orders.path,):
            code = coap_message.METHOD_NOT_ALLOWED
            if request.code == coap_message.POST:
                echoes = coap_message.option_values(request.options, coap_message.ECHO)
                code, payload, options = self._orders.serve(
                    request.payload,
                    echoes[0] if echoes else None,
                    certain=self._certain(now_ms),
                    era=self._link.era,
                    now_ms=now_ms,
                )
        elif request.path == (LOG_PATH,) and self._lines is not None:
            code = coap_message.METHOD_NOT_ALLOWED
            if request.code == coap_message.GET:
                code, payload = coap_message.CONTENT, self._lines.tail(limits.LOG_ANSWER_BYTES_MAX)
        self._link.respond(request.exchange, code, payload, options=options, now_ms=now_ms)

    def _update(self, now_ms):
        # Outcomes are reported first: records that wait to be sent delay a restart.
        for outcome in self._updating.drain_outcomes():
            self._emit(EventBody(event.UPDATE, None, outcome), now_ms)
        self._updating.poll(self.may_restart, now_ms=now_ms)

    def _certain(self, now_ms):
        """Returns (Unix s, ± s) when the clock is good enough to judge an order by, else None."""
        uncertainty_s = self.time.uncertainty_s(now_ms)
        if not self.time.is_set() or uncertainty_s > limits.CERTAIN_S:
            return None
        return self.time.unix_s(now_ms), uncertainty_s

    def _moment(self, now_ms):
        # Like `_certain`, but the clock is read only once: numbers of its size take heap, at every turn.
        unix_s, uncertainty_s, order = self.time.steady_s(now_ms), self.time.uncertainty_s(now_ms), None
        if self._has_order():
            is_certain = unix_s is not None and uncertainty_s <= limits.CERTAIN_S
            order = self._orders.in_force(certain=(unix_s, uncertainty_s) if is_certain else None, now_ms=now_ms)
        is_expected = self._fetch is not None and self._fetch.is_expected(now_ms)
        return Moment(now_ms, unix_s, uncertainty_s, order, is_expected, self._directives.values(now_ms))

    def _has_order(self):
        """Returns whether the node holds an order, in force or not."""
        return self._orders is not None and self._orders.order is not None

    def _decide(self, moment, now_ms):
        for change in self._directives.drain_changes():
            self._emit(EventBody(event.DIRECTIVE_TAKEN, None, change), now_ms)
        self.trade.decide(moment)
        self._emit_all(now_ms)
        if moment.order is not None:
            why = LOCKED if self.trade.local == panel.LOCK else self.trade.declines(moment)
            if why is None and self.trade.local is None and not self.trade.awaits:
                self._orders.applied()
            elif why is not None:
                self._orders.declined(why)
        for name, outcome, why, power_dw in () if self._orders is None else self._orders.drain_outcomes():
            self._emit(EventBody(event.COMMAND_OUTCOME, None, (name, outcome, why, None, power_dw)), now_ms)

    def _emit_all(self, now_ms):
        for code, active, detail in self.trade.drain_events():
            self._emit(EventBody(code, active, detail), now_ms)

    def _next_sample_ms(self, now_ms):
        wanted_ms = self.trade.wants_sample_ms(now_ms)
        return self._sample_at_ms if wanted_ms is None else min(wanted_ms, self._sample_at_ms)

    def _report(self, now_ms):
        # After the clock was set back a second, the same quarter hour must not be reported twice; nor may a report that
        # comes a second early leave the hour's health record to the next one.
        half_s = self._settings.telemetry_s // 2
        self._report_at_ms = self._next_report_ms(now_ms, half_s)
        moment = self._moment(now_ms)
        readings = self.trade.readings(moment)
        if readings:
            self._emit(readings, now_ms)
        if now_ms + 1000 * half_s >= self._health_at_ms:
            self._health_at_ms = now_ms + 1000 * self._settings.health_s
            self._emit(self._health(moment), now_ms)

    def _health(self, moment):
        before = (0, 0) if self._sleeper is None else self._sleeper.before
        return _health(
            self._platform, self.trade.health(moment), self.time, self._outbox, self._link.counters, before,
            self._wear, now_ms=moment.now_ms,
        )  # fmt: skip

    def _remembered(self):
        writes = self._own.flash_writes if self._wear is None else self._wear.total
        return checkpoint.learned(self.time, self._own if self.chip is None else self.chip, writes)

    def _next_report_ms(self, now_ms, apart_s):
        settings = self._settings
        return _next_report_ms(
            self.time.unix_s(now_ms), settings.telemetry_s, spread(settings.node), apart_s, now_ms=now_ms
        )

    def _emit(self, body, now_ms, gap=None):
        made = Record(self._boot.boot, self._sequence, self.time.stamp(now_ms), body)
        writer = cbor.Writer(bytearray(256))  # not kept: no record is made where the heap is fullest
        record.write(writer, made)
        data = bytes(writer.view())
        if self._tap is not None:
            self._tap(MADE, self._sequence, data)
        self._due_ms = None
        self._outbox.put(record.lane(made), self._sequence, data, gap)
        self._sequence = (self._sequence + 1) & wire_limits.SEQUENCE_MAX


def _health(platform, trade_health, time, outbox, counters, before, wear, *, now_ms) -> dict:
    """Returns the readings of a health record: {wire key: scaled integer}. `counters`: of the link; `before`: (records
    lost, datagrams retransmitted) of this boot before its last sleep; `wear`: a node.checkpoint.Wear or None."""
    readings = dict(platform)
    readings.update(trade_health)
    readings[quantity.UPTIME] = time.uptime_s(now_ms)
    readings[quantity.OUTBOX_WAITING] = outbox.waiting()
    readings[quantity.RECORDS_DROPPED] = before[0] + outbox.lost()
    readings[quantity.RETRANSMISSIONS] = before[1] + counters["retransmitted"]
    if time.rate.doubt_ppm is not None:
        readings[quantity.CLOCK_DRIFT] = time.rate.ppm
    if wear is not None:
        readings[quantity.FLASH_WRITES] = wear.total
    return readings


def _next_report_ms(unix_s, period_s, spread_s, apart_s, *, now_ms) -> int:
    """Returns when the next report is due: on the quarter hour of UTC plus this node's own seconds, so that a gateway's
    batch holds a whole street, and more than `apart_s` from now. Without a clock it is a period from now."""
    if unix_s is None:
        return now_ms + 1000 * period_s
    offset_s = spread_s % min(60, period_s)
    return now_ms + 1000 * (apart_s + period_s - (unix_s + apart_s - offset_s) % period_s)
