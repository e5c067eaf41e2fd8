"""A gateway's side and a concentrator joined by a line, the concentrator with loader, slots and a file system.

What runs in a folder is decided as on the chip: by `slots.begin`, and by whether the folder holds a whole image.
"""

from hashlib import sha256

from concentrator.bridge import Bridge
from concentrator.update import MANIFEST_NAME, Update
from esp32 import slots
from esp32.slot_files import SlotFiles, running_number
from gateway.core.concentrator import Concentrator
from gateway.core.concentrator_update import Image
from simulator.world.flash import Cut, Medium
from wire import image, radio_update


def image_of(number, *, files=None, product=image.CONCENTRATOR, text="0.2.0"):
    """An image as the gateway holds it after it was verified."""
    if files is None:
        files = {
            "clock.py": b"clock of %d" % number,
            "wire/__init__.py": b"",
            "concentrator/main.py": b"%d " % number * 300,
        }
    rows = [image.File(path, len(data), sha256(data).digest()) for path, data in files.items()]
    manifest = image.encode(image.Manifest(product, number, text, rows))
    return Image(sha256(manifest).digest(), manifest, number, text, tuple(files.values()))


def installed(medium, folder, one):
    """Put a whole image into a folder, as a first installation does."""
    medium.files[folder] = None
    medium.files[f"{folder}/{MANIFEST_NAME}"] = one.manifest
    for file, data in zip(image.decode(one.manifest).files, one.files, strict=True):
        parts = file.path.split("/")
        for depth in range(1, len(parts)):
            medium.files["/".join([folder, *parts[:depth]])] = None
        medium.files[f"{folder}/{file.path}"] = data


def is_whole(medium, folder):
    """Whether a folder holds exactly what a manifest in it says."""
    raw = medium.files.get(f"{folder}/{MANIFEST_NAME}")
    if not raw:
        return False
    files = image.decode(raw).files
    return all(sha256(medium.files.get(f"{folder}/{file.path}") or b"").digest() == file.digest for file in files)


class UpdateRig:
    """`loses(frame)`: what the line swallows. `repeats`: every frame comes once more, a turn later.

    `crashes(number)`: images that end as soon as they run."""

    def __init__(self, *, running=1, medium=None):
        self.now_ms = 0
        self.medium = Medium() if medium is None else medium
        if medium is None:
            installed(self.medium, "a", image_of(running))
        self.logged = []
        self.loses = lambda _frame: False
        self.repeats = False
        self._again = []
        self.sent = []  # kinds of the gateway's frames
        self.crashes = lambda _number: False
        self.radio_is_whole = True
        self.session = 100
        self.boots = []
        self.operations = []
        self.bytes_a_turn_max = 0
        self.chunks = 0
        self.boot()
        self.gateway()

    def gateway(self, offered=None, failed=""):
        """The agent begins anew."""
        self.session += 1
        self.core = Concentrator(
            session=self.session, now_ms=self.now_ms, log=lambda event, **values: self.logged.append((event, values))
        )
        if offered is not None:
            self.core.update.offer(offered, failed)
        self.core.opened(now_ms=self.now_ms)

    def boot(self):
        """The loader and what it starts; crashing programs are started again until one runs."""
        while True:
            self.store = slots.Store(open_file=self.medium.open)
            boot = slots.begin(self.store)
            folder = slots.FOLDERS[boot.slot]
            assert is_whole(self.medium, folder), "what is started is whole"
            number = running_number(folder, open_file=self.medium.open)
            self.boots.append(number)
            if not self.crashes(number):
                break
        phase = radio_update.TRIAL if boot.is_trial else radio_update.CONFIRMED
        self.update = Update(number=number, floor=boot.floor, phase=phase, failed=boot.failed, now_ms=self.now_ms)
        self.files = SlotFiles(
            slots.FOLDERS[1 - boot.slot],
            lambda new: slots.choose(self.store, boot.slot, new),
            lambda new: slots.confirm(self.store, boot.slot, new),
            open_file=self.medium.open,
            files=self.medium,
        )
        self.session += 1
        self.bridge = Bridge(
            session=self.session, cause="soft", firmware="t", channel=6, now_ms=self.now_ms, update=self.update
        )

    def step(self, step_ms=20):
        self.now_ms += step_ms
        frames = self.core.poll(now_ms=self.now_ms)
        chunks = sum(frame[1] == radio_update.CHUNK for frame in frames)
        assert chunks <= 1
        self.chunks += chunks
        self.sent += [frame[1] for frame in frames]
        again, self._again = self._again, frames if self.repeats else []
        for frame in again + frames:
            if not self.loses(frame):
                self.bridge.on_serial(frame)
        self.bridge.poll(now_ms=self.now_ms)
        self.update.poll(radio_is_whole=self.radio_is_whole, now_ms=self.now_ms)
        operation = self.update.next_operation()
        if operation is not None:
            self.operations.append(operation[0])
            result = self.files.do(operation)
            touched = result if isinstance(result, bytes) else operation[1] if operation[0] == "write" else b""
            self.bytes_a_turn_max = max(self.bytes_a_turn_max, len(touched))
            self.update.on_result(operation, result)
        if self.update.wants_restart:
            self.boot()
            return
        while frame := self.bridge.next_frame(heap_free=1, radio_dropped=0, now_ms=self.now_ms):
            for _ in range(2 if self.repeats else 1):
                if not self.loses(frame):
                    self.core.receive(frame, now_ms=self.now_ms)

    def run(self, for_ms, step_ms=20):
        end_ms = self.now_ms + for_ms
        while self.now_ms < end_ms:
            self.step(step_ms)

    def until(self, *states, for_ms=300_000):
        """Turn until the gateway's update is in one of these states."""
        end_ms = self.now_ms + for_ms
        while self.core.update.state not in states:
            assert self.now_ms < end_ms, self.core.update.health()
            self.step()
        return self.core.update

    def events(self):
        return [event for event, _ in self.logged if "update" in event]


def cut_free(rig, turn, *arguments):
    """Do it; when the power goes, the chip begins anew on what is left. Whether it went."""
    try:
        turn(*arguments)
    except Cut:
        rig.medium.cut_at = None
        rig.boot()
        return True
    return False
