"""Follows a node's life: how the last one ended, whether this start is good, what it leaves for the next, the number of
its program and the folder for the next one. It connects the shell (`main`) to the modules that decide: `guard`, `slots`
(by the loader), `crash`, `node.trial`, `node.updating`, `node.log_ring`.

Without the loader (a simulated node, whose program is a checkout) there is no second folder, no update and no rescue.

Long because how a life ends is decided beside how the next one is told of it.
"""

import os
import struct

import crash
import guard
import rtc

from node import limits, panel
from node.log_ring import LogRing
from node.trial import Trial
from node.updating import Updating
from wire import event, image

TASKS = ("network", "ports", "application", "output", "flash", "sleep", "start")
NETWORK, PORTS, APPLICATION, OUTPUT, FLASH, SLEEP, START = range(len(TASKS))
LOG_TAIL_BYTES = 200
# A confirmation of a trial that the flash refused is tried again after this.
CONFIRM_AGAIN_MS = 60_000
# The time from the end of a life to the next Lifeline, ± s: loader and imports, within a watchdog's time.
RESTART_S = 4
RESTART_DOUBT_S = 30
# One small file, which holds whether a technician has locked the node.
LOCK_FILE = "locked.txt"


class Lifeline:
    """Follows one life from its start to its reset. `start`: a loader.Start, or None."""

    def __init__(self, machine, start, *, now_ms):
        self._start = start
        self._machine = machine
        self.memory = rtc.Memory(_rtc_of(machine)) if start is None else start.memory
        ended = guard.ended_by(machine, self.memory) if start is None else start.ended
        self._woken = None
        if ended == guard.SLEEP:
            import sleeping  # here and below: only nodes on a battery sleep

            self._woken = sleeping.restore(machine, self.memory)
        else:
            self.memory.spoil(rtc.TRADE)  # before anything is sent: an image may be used once
        if start is None:
            self._guard = guard.Guard(self.memory, guard.Store())
            self._guarded = self._guard.begin(ended, is_trial=False)
            self.is_rescue = False
        else:
            self._guard, self._guarded, self.is_rescue = start.guard, start.guarded, start.is_rescue
        self._crumbs = crash.Crumbs(self.memory, TASKS, now_ms=now_ms)
        self.past = None if ended == guard.POWER else self._crumbs.past()
        self.cause = crash.cause(machine, ended, self.past)
        # Not for a planned reset: settings are not to blame for an update.
        self.was_fault = self.cause in crash.FAULTS
        self._crumbs.begin(START, now_ms=now_ms)
        self.ring = LogRing(self.memory.get(rtc.LOG) if ended != guard.POWER else None)
        self.trial = Trial(is_trial=start is not None and start.is_trial, now_ms=now_ms)
        self._started_ms = now_ms
        self._is_good = False
        self._updating = None
        self._files = None
        self._number = 0  # of the program, or of the interpreter on trial
        self._holds = ()  # the third item of events about what is on trial
        self._has_keys = False
        self._lacks = None  # what a trial that is over lacked, once that is reported
        self._confirm_at_ms = now_ms
        # Set by the shell: a function of `now_ms` that writes the state to flash before a planned restart and returns
        # the node's Timekeeper, whose time goes to the next life.
        self.before_restart = None

    def board_name(self, kind, *, listdir=os.listdir):
        """Returns the name of the board's module: the kind's, or, when the settings name a board that is not here, the
        one beside the program, or the one that boot.py names. A board that cannot be imported must not end the rescue
        at every start."""
        if self._start is None:
            try:
                import boot
            except ImportError:
                return kind
            return getattr(boot, "KIND", kind)
        try:
            names = [name.rpartition(".")[0] for name in sorted(listdir(self._start.folder + "/boards"))]
        except OSError:
            return kind
        names = [name for name in names if name and name != "__init__" and not name.startswith("boot_")]
        return kind if kind in names or not names else names[0]

    # --- sleep ----------------------------------------------------------------------------------------------

    def woken(self, now_ms):
        """Returns the node.sleep.Woken of this start as of now, or None."""
        woken = self._woken
        if woken is None or self.is_rescue or self.trial.is_trial:
            return None
        from node import sleep

        return sleep.Woken(woken.image, woken.slept_ms + now_ms - self._started_ms, woken.by)

    def sleeps(self, image, sleep_ms, pins, chip, *, now_ms):
        """Ends this waking by deep sleep. It counts as a good start only by an exchange with the gateway or its
        duration: sleeping does not make a program good that crashes at every waking."""
        if self.trial.is_good_start(now_ms):
            self._guard.healthy()
        self._end(crash.SLEEPING, now_ms)
        import sleeping

        sleeping.fall_asleep(self._machine, chip, self.memory, image, sleep_ms, pins)

    # --- begin ----------------------------------------------------------------------------------------------

    def open_updating(self, link, settings, product, *, random_below, now_ms, in_ms=None):
        """Opens the node's Updating, or returns None without a second folder. `in_ms`: the time until the next
        question, when it was kept through a sleep."""
        start = self._start
        if start is None:
            return None
        import place  # which is beside a loader

        running, other = start.boot.slot, 1 - start.boot.slot
        if place.IS_MAPPED:  # each takes 3 kB of heap
            from slot_rom import SlotRom, running_number

            self._files = SlotRom(place.half(other), start.choose, start.confirm)
            self._number = running_number(place.half(running))
        else:
            from slot_files import SlotFiles, running_number

            self._files = SlotFiles(place.PROGRAMS[other], start.choose, start.confirm)
            self._number = running_number(place.PROGRAMS[running])
        # Soon after a crash: a program that crashes again and again after an exchange with the gateway counts as a good
        # start for the guard, and would never run long enough to fetch its repaired successor.
        is_urgent = self.is_rescue or self.was_fault
        wait_ms = limits.UPDATE_RESCUE_FIRST_MS if is_urgent else limits.UPDATE_FIRST_MS
        first_ms = now_ms + wait_ms + random_below(wait_ms) if in_ms is None else now_ms + in_ms
        self._has_keys = bool(settings.update_keys)
        if self.trial.is_trial or not self._has_keys:
            first_ms = None

        def updating(**own):
            peer, keys = settings.gateway, settings.update_keys
            return Updating(link, peer=peer, keys=keys, random_below=random_below, first_ms=first_ms, **own)

        self._updating = updating(
            product=product + place.SUFFIX,
            number=self._number,
            floor=start.boot.floor if self.is_rescue else max(start.boot.floor, self._number),
            failed=start.boot.failed,
            is_rescue=self.is_rescue,
        )
        if start.interpreter is not None:
            import two_updates  # a chip with two interpreters has it

            both = two_updates.open_two(self._updating, self._files, start.interpreter, updating)
            self._updating = self._files = both
            if start.interpreter.is_trial:
                self._number, self._holds = both.number, (two_updates.WORD,)
        return self._updating

    def report(self, node, *, now_ms):
        """Reports the last life to the gateway and to the technician at the console, and gives the node the time of its
        end if it was a planned restart."""
        past = self.past
        was_planned = past is not None and past.end == crash.PLANNED and past.digest is not None
        # No failed start may be in between: its duration is not known.
        if was_planned and self._guarded.last == guard.PLANNED and not node.time.is_set():
            unix_s, doubt_s = struct.unpack("<II", past.digest)
            node.time.carried(unix_s + RESTART_S, doubt_s + RESTART_DOUBT_S, now_ms=self._started_ms)
        if past is not None:
            self.log("the last life stood in %s after %d s" % (past.task, past.uptime_s), now_ms=now_ms)
        if self.cause in crash.REPORTED and past is not None:
            detail = (self.cause, past.digest, past.task, past.uptime_s, past.heap_low)
            node.report_event(event.CRASH, None, detail, now_ms=now_ms)
        start, last = self._start, self._guarded.last
        if self.is_rescue:
            why = "starts" if self._guarded.is_rescue else "import"
            node.report_event(event.RESCUE_MODE, True, (why,), now_ms=now_ms)
        elif start is None or getattr(start.interpreter, "given_up", 0):
            pass  # of an interpreter two_updates tells
        elif last == guard.TRIAL and not start.is_trial and start.boot.failed:
            node.report_event(event.UPDATE, None, (start.boot.failed, "fell-back"), now_ms=now_ms)

    # --- while it runs --------------------------------------------------------------------------------------

    def enter(self, task):
        """Notes that a step of the loop begins."""
        self._crumbs.enter(task)

    def step(self, node, ports, heap_free, margin_ms, *, now_ms):
        """Does one turn's work, after the outputs were applied."""
        self._crumbs.step(heap_free, margin_ms, now_ms=now_ms)
        if self.trial.is_trial:
            self.trial.applied(not hasattr(ports, "answered") or bool(ports.answered()))
        if node.reach.has_exchanged:
            self.trial.exchanged()
        if self._updating is not None:
            operation = self._updating.next_operation()
            if operation is not None:
                self._updating.on_result(operation, self._files.do(operation), now_ms=now_ms)
            if self._updating.wants_restart:
                self.restart("update", now_ms=now_ms)
        if self.is_rescue:
            self._retry(node, now_ms)
        elif self.trial.is_trial:
            self._judge(node, now_ms)
        elif not self._is_good and self.trial.is_good_start(now_ms):
            self._is_good = True
            self._guard.healthy()

    def _judge(self, node, now_ms):
        is_sound = node.is_sound(now_ms)
        may_confirm = now_ms >= self._confirm_at_ms and self.trial.may_confirm(is_sound=is_sound, now_ms=now_ms)
        if may_confirm:
            self._confirm_at_ms = now_ms + CONFIRM_AGAIN_MS
        if may_confirm and self._files.do((image.CONFIRM, self._number)):
            self.trial.is_trial = False
            self._is_good = True
            self._guard.healthy()
            if self._has_keys:
                self._updating.ask_at(now_ms + limits.UPDATE_CHECK_MS)
            node.report_event(event.UPDATE, None, (self._number, "confirmed") + self._holds, now_ms=now_ms)
        elif self.trial.is_over(now_ms):
            missing = self.trial.missing(is_sound=is_sound)
            if self._lacks is None and missing:
                self._lacks = "no-" + missing.split(",")[0]
                node.report_event(event.UPDATE, None, (self._number, self._lacks) + self._holds, now_ms=now_ms)
            if node.may_restart(now_ms):
                self.give_up(missing, now_ms=now_ms)

    def _retry(self, node, now_ms):
        if now_ms - self._started_ms >= 1000 * self._guarded.retry_s:
            self._guard.retry()
            self.log("the application gets one try", now_ms=now_ms)
            self._reset(now_ms)

    # --- the end --------------------------------------------------------------------------------------------

    def restart(self, why, *, now_ms):
        """Does a planned restart."""
        self.log("restart: " + why, now_ms=now_ms)
        self._guard.planned()
        self._reset(now_ms)

    def give_up(self, missing, *, now_ms):
        """Ends a failed trial by a reset. The guard keeps TRIAL: it was no good start."""
        self.log("on trial without " + missing, now_ms=now_ms)
        self._reset(now_ms)

    def waits(self):
        """Counts no strike when there are no usable settings: the person who corrects them resets the chip."""
        if not self.trial.is_trial and not self.is_rescue:
            self._guard.planned()

    def crashed(self, error, *, now_ms):
        """Notes an uncaught exception, which a reset follows. Returns False when the last life ended by the same one: a
        program that crashes at every start must not wear the flash out with the same note."""
        self.log("crash: " + repr(error), now_ms=now_ms)
        self._end(crash.CRASHED, now_ms, error)
        return self.past is None or self.past.end != crash.CRASHED or self.past.digest != crash.digest(error)

    def _reset(self, now_ms):
        known = None if self.before_restart is None else self.before_restart(now_ms)
        time = None
        if known is not None and known.is_set():
            time = (known.unix_s(now_ms), known.uncertainty_s(now_ms))
        self._end(crash.PLANNED, now_ms, time=time)
        self._machine.reset()

    def _end(self, end, now_ms, error=None, time=None):
        self._crumbs.end(end, now_ms=now_ms, error=error, time=time)

    # --- words ----------------------------------------------------------------------------------------------

    def log(self, line, *, now_ms):
        """Logs a line on the console and in the log, and copies the end of the log to RTC memory."""
        print(line)
        self.ring.add(line, uptime_s=(now_ms - self._started_ms) // 1000)
        self.memory.put(rtc.LOG, self.ring.tail(LOG_TAIL_BYTES))


class Ledger:
    """Notes when each named task of the loop last did its work. A task is stale after `silence_max_ms` without a beat.

    A loop that turns but no longer reads its meter or sets its output must end in a reset to safe outputs, like one
    that hangs."""

    def __init__(self):
        self._tasks = {}

    def add(self, name, silence_max_ms, *, now_ms):
        """Watches a task from now on."""
        self._tasks[name] = [silence_max_ms, now_ms]

    def beat(self, name, *, now_ms):
        """Notes that the task has just done its work."""
        self._tasks[name][1] = now_ms

    def stale(self, *, now_ms):
        """Returns the names of the stale tasks, sorted."""
        if self.margin_ms(now_ms=now_ms) >= 0:
            return ()
        return sorted([name for name in self._tasks if self._left_ms(name, now_ms) < 0])

    def margin_ms(self, *, now_ms) -> int:
        """Returns the least time left of all tasks; negative when one is stale."""
        least_ms = None
        for name in self._tasks:
            left_ms = self._left_ms(name, now_ms)
            if least_ms is None or left_ms < least_ms:
                least_ms = left_ms
        return least_ms

    def _left_ms(self, name, now_ms):
        silence_max_ms, beat_ms = self._tasks[name]
        return silence_max_ms - (now_ms - beat_ms)


class Watchdog:
    """Feeds `wdt` (a `machine.WDT`) only while no task of the ledger is stale, and logs the stale ones once."""

    def __init__(self, wdt, ledger, *, log=print):
        self._wdt = wdt
        self._ledger = ledger
        self._log = log
        self._starving = False

    def feed(self, *, now_ms) -> bool:
        """Feeds the watchdog if it may; returns whether it did. Once starved it stays starved, so that a half-dead node
        is reset."""
        stale = self._ledger.stale(now_ms=now_ms)
        if stale and not self._starving:
            self._starving = True
            self._log("watchdog: silent for too long: " + ", ".join(stale))
        if self._starving:
            return False
        self._wdt.feed()
        return True


class PanelPort:
    """Serves the button and the LED of a board that has them."""

    def __init__(self, machine, board, trade_test_ms, *, now_ms):
        self._button = self._led = None
        if getattr(board, "BUTTON_PIN", None) is not None:
            self._button = machine.Pin(board.BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
            self._pressed_level = board.BUTTON_ACTIVE_LEVEL
        if getattr(board, "LED_PIN", None) is not None:
            self._led = machine.Pin(board.LED_PIN, machine.Pin.OUT, value=1 - board.LED_ACTIVE_LEVEL)
            self._lit_level = board.LED_ACTIVE_LEVEL
        self._to_show = ()  # lines for the console, one a turn: 8 ms each on a UART, 0.5 s on an unread USB
        self.panel = panel.Panel(is_locked=_is_locked(), test_ms=trade_test_ms, now_ms=now_ms)

    def turn(self, node, lifeline, state, *, now_ms):
        """Reads the button, sets the LED, and passes the technician's wish to the node."""
        if self._button is not None:
            self.panel.observe(self._button.value() == self._pressed_level, now_ms=now_ms)
        for word in self.panel.drain_events():
            node.report_event(event.LOCAL_TEST, None, (word,), now_ms=now_ms)
            lifeline.log("button: " + word, now_ms=now_ms)
            if word == panel.TEST:
                self._to_show = shown(node.outputs, lifeline.ring)
            else:
                _write_lock(self.panel.is_locked)
        if self._to_show:
            print(self._to_show.pop(0))
        node.local(self.panel.local())
        self.show(state, now_ms=now_ms)

    def show(self, state, *, now_ms):
        """Sets only the LED."""
        if self._led is not None:
            lit = self.panel.led(state, now_ms=now_ms)
            self._led.value(self._lit_level if lit else 1 - self._lit_level)


def shown(outputs, ring) -> list:
    """Returns what the outputs are now, with the rule of a lamp, and the whole log as lines for the console."""
    before = ["--- before the restart"] + ring.before.split("\n") if ring.before else []
    return ["--- now " + repr(outputs)] + before + ["--- the last lines"] + ring.lines()


def _rtc_of(machine):
    return machine.RTC() if hasattr(machine, "RTC") else None


def _is_locked():
    try:
        with open(LOCK_FILE) as file:
            return file.read(1) == "1"
    except OSError:
        return False


def _write_lock(is_locked):
    """Writes the lock. Only a press of the button does so, so that flash does not wear out. A power cut in between
    leaves an empty file: not locked, as the LED then shows."""
    try:
        with open(LOCK_FILE, "w") as file:
            file.write("1" if is_locked else "0")
    except OSError:
        print("flash: the lock was not written")
