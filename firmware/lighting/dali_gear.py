"""Keeps one DALI gear behind a bridge at its level, reads its memory banks, and watches it.

Never blocks: runs one transaction at a time.

A level goes before everything else. The node's sampling begins a round of reading. The round asks for status and actual
level, then reads the energy bank (latched), then one more bank in turn: diagnostics of gear and lamp, apparent and
load-side energy, and once only asset and ratings. A gear that is not at its level, or has had a power cut (status bit
7), is sent the level again. A bank that the gear has refused some rounds in a row counts as absent and is not asked for
again. This is forgotten each day, and when the gear was silent or without power, for it may then be another gear.
`dali_banks` decodes the bytes of a bank. The bytes do not belong together when the gear's pointer is not where that
many reads leave it (another master has used it): the bank then counts as not read.

`bridge` is a drivers.dali_bridge.DaliBridge or has its interface: `is_busy()`, `start(step, now_ms=)`, `poll(now_ms=)`.
"""

from lighting import dali, dali_banks, inputs, limits
from wire import event, quantity

# Results of a bridge other than an answer byte of a gear.
PENDING = "pending"
NO_ANSWER = "no-answer"
GARBLED = "garbled"
NO_BRIDGE = "no-bridge"

# The banks that are read in turn after the energy bank, one per round.
_TURNS = (
    dali_banks.ASSET,
    dali_banks.GEAR,
    dali_banks.LIGHT_SOURCE,
    dali_banks.RATINGS,
    dali_banks.APPARENT,
    dali_banks.LOAD,
)
_ONCE = (dali_banks.ASSET, dali_banks.RATINGS)
_FLAGGED = (dali_banks.GEAR, dali_banks.LIGHT_SOURCE)
# The most bytes of one bank that one round reads: at 20 a second a round ends well before the next sample and before
# the watchdog fires. Only the asset record is longer; it is read in pieces.
_PIECE_BYTES = 30


class DaliGear:
    """Talks to one gear.

    Call `turn(now_ms=)` in each turn of the loop; call `begin_round(now_ms=)`, then `collect()`. The asset record comes
    with the ratings of bank 207, or with None where the gear has none.
    """

    def __init__(self, bridge, *, address=dali.BROADCAST, curve=dali.LOGARITHMIC):
        self._bridge = bridge
        self._address = address
        self._curve = curve
        self._level = None
        self._is_level_sent = True
        self._round = None
        self._step = None
        self._is_level_step = False
        self._found = None
        self._due = 0
        self._refusals = {}  # bank: refusals in a row; at BANK_REFUSALS it is not asked for
        self._forgot_ms = None
        self._asset = b""  # the part that has been read so far
        self._record = None  # the asset record, until it is collected
        self._ratings = None
        self.counters = {"rounds": 0, "silent": 0, "garbled": 0, "retold": 0, "torn": 0}

    def set_level(self, percent):
        """Sets the level of the gear, 0 to 100 % of light."""
        level = dali.level_of(percent, self._curve)
        if level != self._level:
            self._level = level
            self._is_level_sent = False

    def begin_round(self, *, now_ms):
        """Begins a round that asks for everything that is due; abandons an unfinished round."""
        if self._forgot_ms is None or now_ms - self._forgot_ms >= limits.BANKS_AGAIN_MS:
            self._forgot_ms = now_ms
            self._forget()
        self._found = None
        self._step = None
        self._round = self._reading()
        self._advance(None)

    def collect(self):
        """Returns PENDING during a round, then {key: value} with keys of the wire and of lighting.inputs.

        It is {} when the gear does not answer.
        """
        return PENDING if self._round is not None else (self._found or {})

    def turn(self, *, now_ms):
        """Accepts an answer of the bridge and starts the next transaction."""
        if self._bridge.is_busy():
            answer = self._bridge.poll(now_ms=now_ms)
            if answer == PENDING:
                return
            self._observe(answer)
        if not self._is_level_sent:
            self._is_level_sent = True
            self._is_level_step = True
            self._bridge.start(self._level_step(), now_ms=now_ms)
        elif self._step is not None:
            step, self._step = self._step, None
            self._is_level_step = False
            self._bridge.start(step, now_ms=now_ms)

    def _observe(self, answer):
        if self._is_level_step:
            self._is_level_step = False
            # If a level did not reach the gear, the next round finds the difference.
            if self._round is not None and self._step is None:
                self._advance(None)
            return
        if self._round is not None and self._step is None:
            self._advance(answer)

    def _level_step(self):
        if self._level:
            return dali.arc_power(self._address, self._level)
        return dali.command(self._address, dali.OFF)

    def _advance(self, answer):
        try:
            self._step = self._round.send(answer)
        except StopIteration:
            self._round = None

    # --- a round, as a sequence of steps that are yielded and answers that come back ---------------------------

    def _ask(self, code):
        return dali.command(self._address, code)

    def _reading(self):
        self.counters["rounds"] += 1
        found = {}
        status = yield self._ask(dali.QUERY_STATUS)
        if not isinstance(status, int):
            self.counters["garbled" if status == GARBLED else "silent"] += 1
            self._forget()
            return
        found[inputs.GEAR_STATUS] = status
        if status & dali.STATUS_POWER_CYCLE:
            self._forget()
        actual = yield self._ask(dali.QUERY_ACTUAL_LEVEL)
        if isinstance(actual, int):
            percent = dali.percent_of(actual, self._curve)
            if percent is not None:
                found[quantity.LEVEL_REPORTED] = percent
            self._repeat_level(status, actual)
        data = yield from self._bank(dali_banks.ENERGY)
        if data is not None:
            found.update(dali_banks.readings(dali_banks.ENERGY, data))
            found[inputs.METER] = 1
        elif self._is_settled(dali_banks.ENERGY):
            found[inputs.METER] = 0
        bank = self._next_bank()
        data = (yield from self._bank(bank)) if bank is not None else None
        if data is not None:
            self._use(bank, data, found)
        elif bank in _FLAGGED and self._is_settled(bank):
            found[inputs.GEAR_FLAGS] = dali_banks.flags(bank, b"")  # ends the flags of the gear that was fitted before
        if self._record is not None and self._is_settled(dali_banks.RATINGS):
            found[inputs.ASSET] = (self._record, self._ratings)
            self._record = None
        self._found = found

    def _repeat_level(self, status, actual):
        fades = status & dali.STATUS_FADE_RUNNING
        is_off_level = actual not in (self._level, dali.LEVEL_MASK) and not fades
        if self._level is not None and (is_off_level or status & dali.STATUS_POWER_CYCLE):
            self._is_level_sent = False
            self.counters["retold"] += 1

    def _next_bank(self):
        """Returns the bank for this round, or None when the gear has none left.

        An asset record is read to its end first.
        """
        if self._asset:
            return dali_banks.ASSET
        for _ in _TURNS:
            bank = _TURNS[self._due]
            self._due = (self._due + 1) % len(_TURNS)
            if not self._is_settled(bank):
                return bank
        return None

    def _is_settled(self, bank):
        """Returns True if the bank is absent, or if it is read once only and has been read."""
        return self._refusals.get(bank, 0) >= limits.BANK_REFUSALS

    def _forget(self):
        self._refusals.clear()
        self._ratings = None

    def _use(self, bank, data, found):
        if bank in _ONCE:
            self._refusals[bank] = limits.BANK_REFUSALS
        if bank == dali_banks.ASSET:
            asset = dali_banks.asset(data)
            if asset is not None:
                self._record = asset
            return
        if bank == dali_banks.RATINGS:
            self._ratings = dali_banks.ratings(data)
            return
        found.update(dali_banks.readings(bank, data))
        if bank in _FLAGGED:
            found[inputs.GEAR_FLAGS] = dali_banks.flags(bank, data)

    def _bank(self, bank):
        """Yields the steps that read a bank; returns its bytes from location 3 to its last.

        Returns None if the bank is absent, was read with errors, or is not read to its end yet.
        """
        if self._is_settled(bank):
            return None
        read = b""
        if bank == dali_banks.ASSET:
            read, self._asset = self._asset, b""
        yield dali.special(dali.DTR1, bank)
        yield dali.special(dali.DTR0, 0)
        last = yield self._ask(dali.READ_MEMORY_LOCATION)
        self._refusals[bank] = self._refusals.get(bank, 0) + 1 if last == NO_ANSWER else 0
        if not isinstance(last, int) or last < dali_banks.FIRST:
            return None
        if bank in dali_banks.LATCHED:
            yield self._ask(dali.ENABLE_WRITE_MEMORY)
            yield dali.special(dali.DTR0, dali_banks.LOCK_LOCATION)
            yield dali.special(dali.WRITE_MEMORY_NO_REPLY, dali_banks.LATCH)
        last = min(last, dali_banks.LAST[bank])
        first = dali_banks.FIRST + len(read)
        end = min(last + 1, first + _PIECE_BYTES)
        yield dali.special(dali.DTR0, first)
        data = bytearray(read)
        for _ in range(first, end):
            byte = yield self._ask(dali.READ_MEMORY_LOCATION)
            if not isinstance(byte, int):
                self.counters["torn"] += 1
                return None
            data.append(byte)
        pointer = yield self._ask(dali.QUERY_CONTENT_DTR0)
        if pointer != end:
            self.counters["torn"] += 1
            return None
        if end <= last:
            self._asset = bytes(data)
            return None
        return bytes(data)


class GearWatch:
    """Watches whether a gear answers, and its own flags (IEC 62386-102, DiiA part 253).

    `is_silent`, `flags` (bits of dali_banks.FLAGS): the faults in force; at a start, those that were in force before
    it.
    """

    def __init__(self, is_silent=False, flags=0):
        self._silent = 0
        self.flags = flags
        self.is_silent = is_silent

    def sample(self, values):
        """Judges one sample of the ports, or None; the sample of a gear that answers holds its status.

        Returns [(event code, begins, detail or None)]: a detail is the word of a flag; None means that the readings are
        the detail.
        """
        status = None if values is None else values.get(inputs.GEAR_STATUS)
        if status is None:
            self._silent += 1
            if self._silent < limits.GEAR_SILENT_SAMPLES or self.is_silent:
                return []
            self.is_silent = True
            return [(event.GEAR_COMM_FAILURE, True, None)]
        self._silent = 0
        changes = []
        if self.is_silent:
            self.is_silent = False
            changes.append((event.GEAR_COMM_FAILURE, False, None))
        # Not every round reads these banks: their last flags hold until the next read.
        read = values.get(inputs.GEAR_FLAGS)
        flags = self.flags if read is None else self.flags & ~read[1] | read[0]
        flags = flags | 1 if status & dali.STATUS_GEAR_FAILURE else flags & ~1
        for bit, word in enumerate(dali_banks.FLAGS):
            mask = 1 << bit
            if (flags ^ self.flags) & mask:
                changes.append((event.GEAR_FAILURE, bool(flags & mask), (word,)))
        self.flags = flags
        return changes

    @property
    def is_failed(self):
        """Returns True while the gear reports a failure of its own."""
        return self.flags & 1 != 0

    @staticmethod
    def is_lamp_dead(values):
        """Returns what the gear reports of its lamp: True (dead), False, or None without an answer."""
        status = None if values is None else values.get(inputs.GEAR_STATUS)
        return None if status is None else bool(status & dali.STATUS_LAMP_FAILURE)
