"""Keeps a node on its Wi-Fi network: connects, notices the loss, waits, connects again.

It never blocks and never reboots: a street is lit without a network. An error that the radio's driver raises is counted
and is one more failed try (`connect` while it is connecting raises OSError, micropython issue 17661).

**The states.** IDLE until the first step. CONNECTING from the call of `connect` until the driver reports a connection
or CONNECT_TIMEOUT_MS pass; then the try is broken off and WAITING lasts for a delay that doubles from try to try, with
jitter, since all lamps of a district ask a returning access point at once. UP until the driver reports no connection.
When the driver connects by itself during WAITING, the state is UP at once; it may retry only DRIVER_RETRIES times by
itself, because during its retries it reports most failures as connecting (ports/esp32/network_wlan.c, `status`).

The driver's reason for a failed try is printed on the console and counted, and never acted upon: its status may be an
older try's, and a password that is wrong today may be right tomorrow, when the access point is repaired.
"""

CONNECT_TIMEOUT_MS = 20_000
RETRY_FIRST_MS = 2_000
RETRY_LAST_MS = 120_000
# A first association fails now and then; an immediate retry is better than one after our pause.
DRIVER_RETRIES = 2

# `WLAN.status()` of the ESP32 port (ports/esp32/modnetwork.h; IDF's wifi_err_reason_t): code: reason.
REASONS = {
    15: "handshake-timeout",
    200: "beacon-timeout",
    201: "no-access-point",
    202: "wrong-password",
    203: "association-failed",
    204: "handshake-timeout",
    205: "connection-failed",
}
OTHER_REASON = "no-answer"

IDLE = "idle"
CONNECTING = "connecting"
UP = "up"
WAITING = "waiting"

# What may happen.
CONNECTED = "connected"
ABSENT = "absent"  # not connected, and no deadline has come
DUE = "due"  # not connected, and the deadline has come

# state: {what happens: (next state, action)}. Entries that change nothing are missing.
TABLE = {
    IDLE: {DUE: (CONNECTING, "_connect"), CONNECTED: (UP, "_succeed")},
    CONNECTING: {CONNECTED: (UP, "_succeed"), DUE: (WAITING, "_give_up")},
    UP: {ABSENT: (WAITING, "_give_up"), DUE: (WAITING, "_give_up")},
    WAITING: {CONNECTED: (UP, "_succeed"), DUE: (CONNECTING, "_connect")},
}


class Wifi:
    """Supervises `wlan`, a `network.WLAN` station. `counters`: tries, calls that the driver refused, losses of an UP
    link, failed tries by reason."""

    def __init__(self, wlan, network, key, *, random_below):
        self._wlan = wlan
        self._network = network
        self._key = key
        self._random_below = random_below
        self._due_ms = 0
        self._delay_ms = RETRY_FIRST_MS
        self.state = IDLE
        self.reason = None  # of the last failed try
        self.counters = {"tries": 0, "refused": 0, "lost": 0, OTHER_REASON: 0}
        for code in REASONS:
            self.counters[REASONS[code]] = 0

    def step(self, *, now_ms) -> None:
        """Reads the radio's state once and does what is due."""
        happening = DUE if now_ms >= self._due_ms else ABSENT
        if self._attempt(self._wlan.isconnected):
            happening = CONNECTED
        if happening in TABLE[self.state]:
            was = self.state
            self.state, action = TABLE[was][happening]
            getattr(self, action)(was, now_ms)

    def is_up(self) -> bool:
        """Returns whether the link was up at the last step."""
        return self.state == UP

    def stop(self) -> None:
        """Switches the radio off until the next `step`."""
        self._attempt(self._wlan.disconnect)
        self._attempt(self._wlan.active, False)
        self.state = IDLE
        self._due_ms = 0

    def signal_dbm(self):
        """Returns the received signal strength, or None when there is none."""
        if self.state != UP:
            return None
        value = self._attempt(self._wlan.status, "rssi")
        return value if isinstance(value, int) else None

    def _connect(self, _was, now_ms):
        self.counters["tries"] += 1
        self._attempt(self._wlan.active, True)
        self._attempt(self._wlan.config, reconnects=DRIVER_RETRIES)
        self._attempt(self._wlan.connect, self._network, self._key)
        self._due_ms = now_ms + CONNECT_TIMEOUT_MS

    def _succeed(self, _was, _now_ms):
        self._delay_ms = RETRY_FIRST_MS

    def _give_up(self, was, now_ms):
        if was == UP:
            self.counters["lost"] += 1
        else:
            self._note(REASONS.get(self._attempt(self._wlan.status), OTHER_REASON))
        self._attempt(self._wlan.disconnect)
        self._due_ms = now_ms + self._delay_ms // 2 + self._random_below(self._delay_ms // 2 + 1)
        self._delay_ms = min(2 * self._delay_ms, RETRY_LAST_MS)

    def _note(self, reason):
        self.counters[reason] += 1
        if reason != self.reason:
            self.reason = reason
            print("wifi:", reason)

    def _attempt(self, call, *arguments, **settings):
        """Returns the result of a call of the driver, None when it refuses."""
        try:
            return call(*arguments, **settings)
        except (OSError, RuntimeError, ValueError):
            self.counters["refused"] += 1
            return None
