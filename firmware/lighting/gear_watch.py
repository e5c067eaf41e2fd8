"""What a DALI gear tells of itself: that it does not answer, and its own flags (IEC 62386-102, DiiA part 253)."""

from lighting import dali, dali_banks, inner, limits
from wire import event


class GearWatch:
    """`is_silent`, `flags` (bits as of dali_banks.FLAGS): what is told and holds, at a start from before it. `sample`
    returns [(event code, begins, detail or None)]: a detail of one word a flag, None: the readings."""

    def __init__(self, is_silent=False, flags=0):
        self._silent = 0
        self.flags = flags
        self.is_silent = is_silent

    def sample(self, values):
        """One reading of the ports, or None; a gear that answers has its status among them."""
        status = None if values is None else values.get(inner.GEAR_STATUS)
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
        # Banks are read now and then: what they said last holds until they say otherwise.
        told = values.get(inner.GEAR_FLAGS)
        flags = self.flags if told is None else self.flags & ~told[1] | told[0]
        flags = flags | 1 if status & dali.STATUS_GEAR_FAILURE else flags & ~1
        for bit, word in enumerate(dali_banks.FLAGS):
            mask = 1 << bit
            if (flags ^ self.flags) & mask:
                changes.append((event.GEAR_FAILURE, bool(flags & mask), (word,)))
        self.flags = flags
        return changes

    @property
    def is_failed(self):
        """The gear says so itself."""
        return self.flags & 1 != 0

    @staticmethod
    def is_lamp_dead(values):
        """What the gear says of its lamp: True, False, or None when it says nothing."""
        status = None if values is None else values.get(inner.GEAR_STATUS)
        return None if status is None else bool(status & dali.STATUS_LAMP_FAILURE)
