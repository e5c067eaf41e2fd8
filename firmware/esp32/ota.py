"""Keeps the choice between two interpreters, each in an OTA partition of its own: for an interpreter of our own
(firmware/interpreter). It is in the base, beside `slots`, and never updated.

The boot loader of ESP-IDF decides which one starts, by a state that it keeps for each (partition `otadata`; Espressif,
"App Rollback"; `esp_ota_ops.c` and `bootloader_utility.c` of 5.5):

    NEW              chosen by `set_boot`: the next start tries it
    PENDING_VERIFY   that start runs
    VALID            `mark_app_valid_cancel_rollback` was called: it stays
    ABORTED          the chip started again before that: the former interpreter runs

So an interpreter has one try. A record as in `slots`, in files of its own, adds what the boot loader does not tell:

    trial, in the confirmed partition    it is given up: it failed, or the power did before `set_boot`
    trial, in the other one, tries 1     this start tries it, and writes tries 0
    trial, in the other one, tries 0     it was confirmed, and the power failed before that was written here: what is
                                         not VALID does not start twice
"""

import slots

_SLOT = 0x0F  # of the subtype of an OTA partition
_SUBTYPE, _ADDRESS = 1, 2  # of Partition.info()


def begin():
    """Returns the Choice of this start; None on a chip that has one place for an interpreter."""
    try:
        from esp32 import Partition

        running = Partition(Partition.RUNNING)
        other = running.get_next_update()
    except (ImportError, OSError):
        return None
    if running.info()[_ADDRESS] == other.info()[_ADDRESS]:
        return None
    return Choice(slots.Store(open_file=lambda name, mode: open("ota-" + name, mode)), Partition, running, other)


class Choice:
    """Knows the interpreters of this start. `running`, `other`: their partitions. `is_trial`: the running one is not
    confirmed. `given_up`: the number of the one that this start has found given up, or 0. `floor`: the highest number
    that was ever confirmed; `failed`: the one given up last. `partition`: the class of the chip."""

    def __init__(self, store, partition, running, other):
        self.running, self.other = running, other
        self._store = store
        self._partition = partition
        self._slot = running.info()[_SUBTYPE] & _SLOT
        slot, self.floor, trial, tries, self.failed = store.read()
        self.is_trial, self.given_up = False, 0
        if not trial:
            return
        if slot == self._slot:
            self.failed = self.given_up = trial
            self._write(0)
        elif tries:
            self.is_trial = True
            store.write(slots.State(slot, self.floor, trial, 0, self.failed))
        else:
            self.floor = max(self.floor, trial)
            self._write(0)

    def choose(self, number) -> bool:
        """Puts the other interpreter on trial from the next start on; returns whether that is written. The chip checks
        the whole of it before (0.5 s or so), its digest and for which chip it is made."""
        if not self._write(number):
            return False
        try:
            self.other.set_boot()
            if self._partition(self._partition.BOOT).info()[_ADDRESS] == self.other.info()[_ADDRESS]:
                return True
        except OSError as error:
            print("ota: not chosen:", repr(error))
        self._write(0)
        return False

    def confirm(self, number) -> bool:
        """Confirms the running interpreter; returns whether that is written."""
        try:
            self._partition.mark_app_valid_cancel_rollback()
        except OSError as error:
            print("ota: not confirmed:", repr(error))
            return False
        self.floor = max(self.floor, number)
        return self._write(0)

    def _write(self, trial):
        return self._store.write(slots.State(self._slot, self.floor, trial, 1 if trial else 0, self.failed))
