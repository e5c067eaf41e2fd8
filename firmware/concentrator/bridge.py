"""Decides how datagrams pass between the radio and the gateway's serial line. Events in, actions out.

Only one frame is in the air at a time, so a report of the driver belongs to it, and a frame without a report must be
lost in the driver's pool. Then, or when the driver accepts no more frames, the radio is started again, after a delay
that doubles each time; if that does not help the chip is restarted. Silence of nodes or gateway is no reason for
either.

An acknowledgement of the radio is counted and otherwise ignored: the receiver may have dropped the frame that it
acknowledged. Without room the oldest datagram is dropped on the way up, and on the way down the newest, which the
gateway sent against its credit. CoAP sends lost datagrams again.

Must not know what a datagram means; imports no pin, radio or clock.
"""

from concentrator import limits
from wire import limits as wire_limits
from wire import radio, radio_update, slip
from wire.faults import WireFault

# Actions, as tuples that begin with one of these.
SEND = "send"  # MAC, data
ADD = "add"  # MAC
DELETE = "delete"  # MAC
TUNE = "tune"  # channel
REINIT = "reinit"  # the radio, on this channel
RESTART = "restart"  # the chip

_COUNTERS = ("up", "up-overflow", "up-malformed", "probes", "down", "down-overrun", "sent", "sent-acked")
_MORE_COUNTERS = ("sent-failed", "sent-refused", "stuck", "reinits", "line-faults", "unknown-kinds")


class Bridge:
    """Decides what the concentrator sends where. `session`: drawn at the start. `counters`: {name: integer}, a part of
    HEALTH. `update`: the `concentrator.update.Update` that shares the line; without it the messages of updates are
    unknown kinds."""

    def __init__(self, *, session, cause, firmware, channel, now_ms, update=None):
        self.channel = channel
        self.counters = dict.fromkeys(_COUNTERS + _MORE_COUNTERS, 0)
        self._session = session
        self._cause = cause
        self._firmware = firmware
        self._update = update
        self._started_ms = now_ms
        self._decoder = slip.Decoder(radio.BODY_BYTES_MAX)
        self._peers = RadioPeers(limits.RADIO_PEERS_MAX)
        self._counts = Counts(limits.COUNTED_PEERS_MAX)
        self._actions = []
        # Towards the line.
        self._frames = []
        self._frames_bytes = 0
        self._hello_due = True
        self._credit_due = False
        self._reports = []
        self._health_ms = now_ms + limits.HEALTH_MS
        # From the line.
        self._heard = 0  # the gateway's session
        self._number = 0
        self._credited = 0  # free places that the gateway knows of
        self._waiting = []  # [(MAC, datagram)]
        # In the air.
        self._flying = None
        self._flying_ms = 0
        self._refused = 0
        self._reinits = 0  # in a row
        self._reinit_wanted = False
        self._reinit_ms = now_ms
        self._reinit_delay_ms = limits.REINIT_FIRST_MS

    # --- events ---------------------------------------------------------------------------------------------------

    def on_serial(self, data) -> None:
        """Receives bytes of the line."""
        for body in self._decoder.feed(data):
            try:
                if self._update is not None and body[0] in radio_update.ASKED:
                    self._update.on_message(radio_update.decode(body))
                    continue
                message = radio.decode(body)
            except WireFault as fault:
                self.counters["unknown-kinds" if fault.reason == "kind" else "line-faults"] += 1
                continue
            if isinstance(message, radio.Down):
                self._on_down(message)
            elif isinstance(message, radio.Ask):
                self._on_ask(message)
            elif isinstance(message, radio.Channel):
                self._on_channel(message.channel)
            else:
                self.counters["unknown-kinds"] += 1  # a message of ours: an echo

    def on_radio(self, mac, rssi_dbm, data) -> None:
        """Receives a frame from the radio."""
        if data == wire_limits.RADIO_PROBE:
            self.counters["probes"] += 1
            return
        if not 0 < len(data) <= wire_limits.DATAGRAM_BYTES_MAX or len(mac) != radio.MAC_BYTES or mac[0] & 1:
            self.counters["up-malformed"] += 1
            return
        self.counters["up"] += 1
        self._counts.heard(mac, rssi_dbm)
        frame = slip.encode(radio.up(mac, rssi_dbm, data))
        self._frames.append(frame)
        self._frames_bytes += len(frame)
        while self._frames_bytes > limits.UP_BYTES_MAX:
            self._frames_bytes -= len(self._frames.pop(0))
            self.counters["up-overflow"] += 1

    def on_done(self, was_acknowledged) -> None:
        """Observes the driver's report about the frame in the air."""
        if self._flying is None:
            return  # about a frame that was given up
        self.counters["sent-acked" if was_acknowledged else "sent-failed"] += 1
        self._counts.sent(self._flying, was_acknowledged)
        self._flying = None
        self._refused = 0
        self._reinits = 0
        self._reinit_delay_ms = limits.REINIT_FIRST_MS

    def on_refused(self) -> None:
        """Notes that the driver did not accept the frame to send, or its peer: the frame is lost."""
        self.counters["sent-refused"] += 1
        self._flying = None
        self._refused += 1
        if self._refused >= limits.REFUSED_MAX:
            self._reinit_wanted = True

    def on_broken(self) -> None:
        """Notes that the radio could not be started completely: it may receive no node, and nothing would show that."""
        self._reinit_wanted = True

    def poll(self, *, now_ms) -> None:
        """Does what is due: frames to send, a start of the radio, HEALTH."""
        if self._flying is not None and now_ms - self._flying_ms >= limits.DONE_MAX_MS:
            self.counters["stuck"] += 1
            self._flying = None
            self._reinit_wanted = True
        if self._reinit_wanted and now_ms >= self._reinit_ms:
            self._reinit(now_ms)
        if self._flying is None and self._waiting and not self._reinit_wanted:
            self._fly(now_ms)
        if now_ms >= self._health_ms:
            self._health_ms = now_ms + limits.HEALTH_MS
            self._report()

    def deadline_ms(self):
        """Returns when `poll` is due without a further event."""
        due_ms = self._health_ms
        if self._flying is not None:
            due_ms = min(due_ms, self._flying_ms + limits.DONE_MAX_MS)
        if self._reinit_wanted:
            due_ms = min(due_ms, self._reinit_ms)
        return due_ms

    # --- actions --------------------------------------------------------------------------------------------------

    def drain_actions(self) -> list:
        """Drains the actions for the radio, in order."""
        actions, self._actions = self._actions, []
        return actions

    def next_frame(self, *, heap_free, radio_dropped, now_ms) -> bytes:
        """Returns the next whole frame for the line, or b"". A frame of state holds the state of this instant."""
        if self._hello_due:
            self._hello_due = False
            if self._update is not None:
                self._update.on_greeting()
            return slip.encode(radio.hello(self._session, self._heard, self.channel, self._cause, self._firmware))
        if self._credit_due:
            self._credit_due = False
            self._credited = self._free()
            return slip.encode(radio.credit(self._number, self._credited))
        body = self._update.next_body() if self._update is not None else b""
        if body:
            return slip.encode(body)
        if self._reports:
            report = self._reports.pop(0)
            if report is None:
                report = radio.health(self._health(heap_free, radio_dropped, now_ms))
            return slip.encode(report)
        if self._frames:
            frame = self._frames.pop(0)
            self._frames_bytes -= len(frame)
            return frame
        return b""

    def is_flying(self) -> bool:
        """Returns whether a report of the driver is awaited."""
        return self._flying is not None

    def evicted(self) -> int:
        """Returns how often a peer was removed from the driver's table to make room for another."""
        return self._peers.evicted

    # --- from the line ----------------------------------------------------------------------------------------------

    def _free(self):
        return limits.DOWN_MAX - len(self._waiting)

    def _on_down(self, message):
        self._number = message.number
        self._credited -= 1
        if self._free() == 0:
            self.counters["down-overrun"] += 1
            self._credit_due = True
            return
        self.counters["down"] += 1
        self._waiting.append((message.mac, message.datagram))

    def _on_ask(self, message):
        if message.version == radio.VERSION and message.session != self._heard:
            # The gateway has restarted: the datagrams from before are old.
            self._heard = message.session
            self._waiting = []
        if message.version == radio.VERSION and self._update is not None:
            self._update.on_asked()
        self._number = message.number
        self._hello_due = True
        self._credit_due = True

    def _on_channel(self, number):
        if number != self.channel:
            self.channel = number
            self._actions.append((TUNE, number))
        self._hello_due = True

    # --- in the air ---------------------------------------------------------------------------------------------------

    def _fly(self, now_ms):
        mac, datagram = self._waiting.pop(0)
        is_new, gone = self._peers.use(mac)
        if gone is not None:
            self._actions.append((DELETE, gone))
        if is_new:
            self._actions.append((ADD, mac))
        self._actions.append((SEND, mac, datagram))
        self._flying, self._flying_ms = mac, now_ms
        self.counters["sent"] += 1
        unknown = self._free() - self._credited  # places that the gateway does not know of
        if unknown >= limits.CREDIT_STEP or (unknown > 0 and not self._waiting):
            self._credit_due = True

    def _reinit(self, now_ms):
        self._reinit_wanted = False
        self._refused = 0
        self._reinits += 1
        if self._reinits > limits.REINITS_MAX:
            self._actions.append((RESTART,))
            return
        self.counters["reinits"] += 1
        self._peers.forget()
        self._actions.append((REINIT,))
        self._reinit_ms = now_ms + self._reinit_delay_ms
        self._reinit_delay_ms = min(2 * self._reinit_delay_ms, limits.REINIT_LAST_MS)

    # --- health -------------------------------------------------------------------------------------------------------

    def _report(self):
        """Queues HEALTH, whose values are read when it is sent, and the counts of nodes."""
        rows = self._counts.rows()
        self._reports = [None]
        for at in range(0, len(rows), radio.PEERS_MAX):
            self._reports.append(radio.peers(rows[at : at + radio.PEERS_MAX]))

    def _health(self, heap_free, radio_dropped, now_ms):
        known = dict(self.counters)
        known["uptime-s"] = (now_ms - self._started_ms) // 1000
        known["heap-free"] = heap_free
        known["places-free"] = self._free()
        known["evicted"] = self._peers.evicted
        known["radio-dropped"] = radio_dropped
        for name in ("crc", "short", "long", "escape"):
            known["line-faults"] += self._decoder.counters[name]
        return [known[name] for name in radio.HEALTH_NAMES]


class RadioPeers:
    """Knows which nodes are in the driver's table of `count_max` places; the one used longest ago is removed to make
    room. `evicted` counts the removals."""

    def __init__(self, count_max):
        self._count_max = count_max
        self._used = {}  # MAC -> the turn of its last use
        self._turn = 0
        self.evicted = 0

    def use(self, mac):
        """Returns (must be added, MAC that must be deleted first or None)."""
        self._turn += 1
        is_new = mac not in self._used
        gone = None
        if is_new and len(self._used) == self._count_max:
            gone = _oldest(self._used)
            del self._used[gone]
            self.evicted += 1
        self._used[mac] = self._turn
        return is_new, gone

    def forget(self):
        """Forgets all nodes: the driver was started again and knows none."""
        self._used.clear()

    def __len__(self):
        return len(self._used)


class Counts:
    """Keeps for each node: signal strength of the last frame, frames from it, frames for it, and how many of these were
    not acknowledged. The node that was used longest ago is removed to make room."""

    def __init__(self, count_max):
        self._count_max = count_max
        self._rows = {}  # MAC -> [rssi, up, down, failed]
        self._used = {}
        self._turn = 0

    def heard(self, mac, rssi_dbm):
        row = self._row(mac)
        row[0] = rssi_dbm
        row[1] += 1

    def sent(self, mac, was_acknowledged):
        row = self._row(mac)
        row[2] += 1
        if not was_acknowledged:
            row[3] += 1

    def rows(self):
        """Returns (MAC, rssi_dbm, up, down, failed) of all nodes, by MAC."""
        return [(mac, row[0], row[1], row[2], row[3]) for mac, row in sorted(self._rows.items())]

    def _row(self, mac):
        self._turn += 1
        row = self._rows.get(mac)
        if row is None:
            if len(self._rows) == self._count_max:
                gone = _oldest(self._used)
                del self._used[gone]
                del self._rows[gone]
            row = self._rows[mac] = [0, 0, 0, 0]
        self._used[mac] = self._turn
        return row


def _oldest(used):
    oldest = None
    for mac, turn in used.items():
        if oldest is None or turn < used[oldest]:
            oldest = mac
    return oldest
