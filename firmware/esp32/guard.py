"""Counts failed starts: three in a row lead to the rescue program. Configuration is never touched.

A start is good when the program calls `healthy`: after ten minutes of turning, or one authenticated exchange with the
gateway. The outcome of the last start is in RTC memory, which survives every reset except a loss of power:

    STARTED   it has not been good yet: any reset of the chip now is a strike
    HEALTHY   it was good: a crash after days is reported, and no strike
    PLANNED   it asked for the reset itself (an update, the rescue's own end)
    TRIAL     an image on trial: its starts are counted by `slots`, and it has its own way back
    RESCUE    the rescue program ran

    last      after a reset            after a brown-out        after a loss of power (nothing is known)
    STARTED   strike                   no strike                no strike
    HEALTHY   none                     none                     no strike
    PLANNED   none                     none                     no strike
    TRIAL     none                     none                     no strike
    RESCUE    rescue again             rescue again             one more try of the application
    unknown   strike                   -                        no strike

Interrupted mains, or a technician at the fuse, are no fault of a program: after fifty short cuts in a row a lamp still
follows its calendar. Another program does not cure a sagging supply either. But a technician who turns the power off
and on again gets one try of the application. The rescue program grants one by itself too: after an hour, then after
two, four, up to a day, since the cause may have been outside the node.

The count is in RTC memory, and also on flash in case power is cut between two crashes: it is written when it changes,
so three times on the way into rescue and once on the way out, and never by a good start.

It is at the root of the file system beside `slots` and the loader and is never updated: it imports nothing that an
update could change.
"""

import struct
from binascii import crc32
from collections import namedtuple

STRIKES_MAX = 3
FILES = ("guard-a.bin", "guard-b.bin")

# The outcome of the last start. The numbers are in RTC memory.
STARTED = 1
HEALTHY = 2
PLANNED = 3
TRIAL = 4
RESCUE = 5

# What ended the last start.
RESET = "reset"
BROWN_OUT = "brown-out"
POWER = "power"
SLEEP = "sleep"

RETRY_FIRST_S = 3600
RETRY_LAST_S = 86_400
_RETRIES_MAX = 8  # doublings; the wait has its bound before

# is_rescue: True for the rescue program. last: the outcome of the last start, or None. strikes: this start's own
# included. retry_s: how long the rescue waits before it gives the application a try.
Start = namedtuple("Start", ("is_rescue", "last", "strikes", "retry_s"))

_REGION = 0  # rtc.GUARD
_RTC = "<BBB"
# magic, generation, strikes, retries; then a CRC-32 of these
_FORMAT = "<4sIBB"
_MAGIC = b"BOG1"
_LENGTH = struct.calcsize(_FORMAT) + 4


class Guard:
    """Counts strikes and decides what a start runs. `memory`: an `rtc.Memory`; `store`: a Store. Call `begin` once,
    first."""

    def __init__(self, memory, store):
        self._memory = memory
        self._store = store
        self._count = (0, 0)  # strikes, retries
        self._state = None

    def begin(self, ended, *, is_trial) -> Start:
        """Returns the Start, which names the program to run. `ended`: RESET, BROWN_OUT, POWER or SLEEP, from
        `ended_by`."""
        kept = self._memory.get(_REGION)
        last = None
        if kept is not None and len(kept) == 3 and ended != POWER:
            last, strikes, retries = struct.unpack(_RTC, kept)
            self._count = (strikes, retries)
        else:
            self._count = self._store.read()
        strikes, retries = self._count
        if last in (STARTED, None) and ended == RESET and not is_trial:
            strikes = min(strikes + 1, STRIKES_MAX)
            self._write((strikes, retries))
        if ended == POWER and strikes >= STRIKES_MAX:
            strikes = STRIKES_MAX - 1  # not on flash: the next one counts as before
            self._count = (strikes, retries)
        is_rescue = strikes >= STRIKES_MAX and not is_trial
        if ended == SLEEP and last is not None and not is_rescue:
            self._keep(last)  # waking is not a start
        else:
            self._keep(RESCUE if is_rescue else TRIAL if is_trial else STARTED)
        return Start(is_rescue, last, strikes, retry_s(retries))

    def healthy(self):
        """Notes that the running program is good. On trial call `slots.confirm` first."""
        if self._count != (0, 0):
            self._write((0, 0))
        self._keep(HEALTHY)

    def planned(self):
        """Notes that a planned reset follows."""
        self._keep(PLANNED)

    def retry(self):
        """Gives the application one try: a reset follows, and one more strike leads to the rescue again."""
        retries = min(self._count[1] + 1, _RETRIES_MAX)
        self._write((STRIKES_MAX, retries))
        self._count = (STRIKES_MAX - 1, retries)
        self._keep(PLANNED)

    def _write(self, count):
        """Writes the count to flash if it differs; when flash refuses, the count is only in RTC memory."""
        self._count = count
        if self._store.read() != count:
            self._store.write(count)

    def _keep(self, state):
        if state != self._state:
            self._state = state
            self._memory.put(_REGION, struct.pack(_RTC, state, self._count[0], self._count[1]))


def ended_by(machine, memory) -> str:
    """Returns what ended the last start. The port reports a brown-out as a power-on, but RTC memory survives a
    brown-out, and not a true power-on."""
    cause = machine.reset_cause()
    if cause == getattr(machine, "DEEPSLEEP_RESET", None):
        return SLEEP
    if cause != getattr(machine, "PWRON_RESET", None):
        return RESET
    return POWER if memory.get(_REGION) is None else BROWN_OUT


def retry_s(retries) -> int:
    """Returns how long the rescue runs before it gives the application a try."""
    return min(RETRY_FIRST_S << retries, RETRY_LAST_S)


class Store:
    """Keeps the count on flash, in two files that are written in turn. `open_file` is the built-in `open`, or a test's
    that simulates a power cut."""

    def __init__(self, *, open_file=open):
        self._open = open_file

    def read(self) -> tuple:
        """Returns the newest sound (strikes, retries), or (0, 0) when there are none."""
        return self._newest()[1]

    def write(self, count) -> bool:
        """Writes into the older file and returns whether it reads back."""
        generation, _, newest = self._newest()
        data = struct.pack(_FORMAT, _MAGIC, generation + 1, count[0], count[1])
        data += struct.pack("<I", crc32(data))
        name = FILES[1 - newest]
        try:
            with self._open(name, "wb") as file:
                file.write(data)
                file.flush()
        except OSError:
            return False
        return self._load(name) == data

    def _newest(self):
        found = (0, (0, 0), 1)
        for index in (0, 1):
            data = self._load(FILES[index])
            if len(data) != _LENGTH or crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
                continue
            magic, generation, strikes, retries = struct.unpack(_FORMAT, data[:-4])
            if magic == _MAGIC and generation > found[0]:
                found = (generation, (min(strikes, STRIKES_MAX), min(retries, _RETRIES_MAX)), index)
        return found

    def _load(self, name):
        try:
            with self._open(name, "rb") as file:
                return file.read(_LENGTH + 1)
        except OSError:
            return b""
