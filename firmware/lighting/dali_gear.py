"""Keeps one DALI gear behind a bridge at its level, reads its memory banks, and watches it. Never blocks: one
transaction at a time.

A level goes before everything else. A round of reading, which the node's sampling begins, asks status and actual
level, then the energy bank (latched), then one bank more, each in its turn: diagnostics of gear and lamp, apparent
and load-side energy; asset and ratings once. A gear that is not at its level, or has had a power cut (status bit 7),
gets the level again. A bank that the gear has refused some rounds in a row is absent, and is not asked for any more;
this is forgotten each day, and when the gear was silent or without power: it may be another gear. `dali_banks` decodes
the bytes of a bank; when they do not belong together (the gear's pointer is not where so many reads leave it: another
master spoke), the bank counts as not read.

`bridge` is a drivers.dali_bridge.DaliBridge or has its interface: `is_busy()`, `start(step, now_ms=)`, `poll(now_ms=)`.
"""

from lighting import dali, dali_banks, inputs, limits
from wire import event, quantity

# Answers of a bridge that are no byte of a gear.
PENDING = "pending"
NO_ANSWER = "no-answer"
GARBLED = "garbled"
NO_BRIDGE = "no-bridge"

# The banks that are read in turn, one a round, after the energy bank.
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
# Bytes of one bank in one round: at 20 a second a round ends well before the next sample and the watchdog's patience.
# Only the asset record is longer; it is read in pieces.
_PIECE_BYTES = 30


class DaliGear:
    """Talks to one gear. Call `turn(now_ms=)` as often as the loop turns; `begin_round(now_ms=)`, then `collect()`. The
    asset record comes with the ratings of bank 207, or with None where there are none."""

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
        self._refusals = {}  # bank: in a row; BANK_REFUSALS: not to be asked for
        self._forgot_ms = None
        self._asset = b""  # the part that has been read
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
        """Asks for everything that is due; gives an unfinished round up."""
        if self._forgot_ms is None or now_ms - self._forgot_ms >= limits.BANKS_AGAIN_MS:
            self._forgot_ms = now_ms
            self._forget()
        self._found = None
        self._step = None
        self._round = self._reading()
        self._advance(None)

    def collect(self):
        """PENDING, then {key: value} of wire keys and lighting.inputs's, {} when the gear does not answer."""
        return PENDING if self._round is not None else (self._found or {})

    def turn(self, *, now_ms):
        """Observes an answer and starts the next transaction."""
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
            # A level that may not have reached the gear is seen by the next round.
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
                found[quantity.LEVEL_MEASURED] = percent
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
            found[inputs.GEAR_FLAGS] = dali_banks.flags(bank, b"")  # the flags of a gear before this one end
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
        """The bank of this round, or None when the gear has none of them; an asset record is read to its end first."""
        if self._asset:
            return dali_banks.ASSET
        for _ in _TURNS:
            bank = _TURNS[self._due]
            self._due = (self._due + 1) % len(_TURNS)
            if not self._is_settled(bank):
                return bank
        return None

    def _is_settled(self, bank):
        """True if the bank is absent or has been read for good."""
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
        """Bytes of a bank from location 3 to its last, or None: absent, not sound, or not all read yet."""
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
    """Watches whether a gear answers, and its own flags (IEC 62386-102, DiiA part 253). `is_silent`, `flags` (bits of
    dali_banks.FLAGS): the faults in force, at a start those from before it."""

    def __init__(self, is_silent=False, flags=0):
        self._silent = 0
        self.flags = flags
        self.is_silent = is_silent

    def sample(self, values):
        """Judges one reading of the ports, or None; a gear that answers has its status among them. Returns [(event
        code, begins, detail or None)]: a detail is the word of a flag, None stands for the readings."""
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
        # Banks are read now and then: their last flags hold until the next ones.
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
        """True while the gear reports a failure of its own."""
        return self.flags & 1 != 0

    @staticmethod
    def is_lamp_dead(values):
        """The gear's report of its lamp: True, False, or None without an answer."""
        status = None if values is None else values.get(inputs.GEAR_STATUS)
        return None if status is None else bool(status & dali.STATUS_LAMP_FAILURE)
