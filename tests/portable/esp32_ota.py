"""The choice between two interpreters and the two updates of a node, the same on both interpreters: a life of one
interpreter that is confirmed and one that is not."""

import sys

sys.path += [folder + "/esp32" for folder in sys.path if folder.endswith("firmware")]

import ota
import slots

from wire import interpreter

files = {}


class File:
    def __init__(self, name, mode):
        if mode == "rb" and name not in files:
            raise OSError(2)
        self._name, self._mode = name, mode

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def read(self, _size):
        return files[self._name]

    def write(self, data):
        files[self._name] = bytes(data)

    def flush(self):
        pass


class Partition:
    """Two partitions, of which one runs and one is to start."""

    BOOT, RUNNING = 0, 1
    slots = [0, 0]

    def __init__(self, which):
        self.slot = self.slots[which]

    def info(self):
        return 0, 16 + self.slot, 0x270000 * self.slot, 0x270000, "ota_%d" % self.slot, False

    def get_next_update(self):
        other = Partition(self.RUNNING)
        other.slot = 1 - self.slot
        return other

    def set_boot(self):
        if self.slot == 1 and not files:
            raise OSError(-0x1503)
        self.slots[self.BOOT] = self.slot

    @staticmethod
    def mark_app_valid_cancel_rollback():
        print("valid")


def start(slot):
    Partition.slots[:] = [slot, slot]
    running = Partition(Partition.RUNNING)
    choice = ota.Choice(slots.Store(open_file=File), Partition, running, running.get_next_update())
    print(slot, choice.is_trial, choice.given_up, choice.floor, choice.failed, sorted(files))
    return choice


choice = start(0)
print(choice.choose(3), Partition.slots)
choice = start(1)
print(choice.confirm(3))
choice = start(1)
print(choice.choose(4), Partition.slots)
start(0)
start(1)
start(1)
print(interpreter.product("BOCAGE", 11014), interpreter.is_product("streetlight-rom"))
