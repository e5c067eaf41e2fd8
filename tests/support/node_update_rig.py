"""A node's side of an update with loader, guard, slots and a file system that loses its power, joined with the real
link and images of a gateway. What runs in a folder is decided as on the chip.
"""

from random import Random

from esp32 import guard, place_folder, rtc, slots
from esp32.slot_files import SlotFiles, running_number
from gateway.core.link.images import NodeImage, NodeImages
from gateway.core.link.link import Link, NodeRequest
from node.updating import Updating
from simulator.hosts.keys import CIPHER, key_of
from simulator.world.flash import Medium
from tests.support.signed_image import KEY, SIGNER
from tests.support.update_rig import image_of, installed, is_whole
from wire import coap_message, cose
from wire.coap import Endpoint
from wire.coap_exchange import bearer_timing
from wire.oscore import ANY_OUTSIDE
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.oscore_link import NodeLink

NODE = bytes(range(1, 9))
PRODUCT = "streetlight"
FILES = {
    "clock.py": b"clock " * 30,
    "wire/__init__.py": b"",
    "wire/long.py": bytes(range(256)) * 5,
}


def image(number, *, product=PRODUCT, files=None):
    """As `update_rig.image_of`, for a node."""
    chosen = {**FILES, "main.py": b"program %d" % number} if files is None else files
    return image_of(number, product=product, files=chosen, text="0.2.0")


def offered(one, *, product=PRODUCT, signer=SIGNER, aad=cose.IMAGE_AAD, kid=None):
    """What the gateway serves of it."""
    kid = cose.kid_of(signer.public_key().public_bytes_raw()) if kid is None else kid
    return NodeImage(product, one.number, one.text, cose.sign1_encode(one.manifest, kid, aad, signer.sign), one.files)


class Chip:
    """RTC memory: lost with the power."""

    def __init__(self):
        self.data = b""

    def memory(self, data=None):
        if data is None:
            return self.data
        self.data = bytes(data)
        return None


class Folders:
    """Programs in folders of the file system."""

    suffix = place_folder.SUFFIX

    def __init__(self):
        self.medium = Medium()

    @staticmethod
    def small(_monkeypatch):
        """Nothing is too large here."""

    @staticmethod
    def files_of(files):
        return files

    def slot_files(self, slot, choose, confirm):
        folder = place_folder.PROGRAMS[slot]
        return SlotFiles(folder, choose, confirm, open_file=self.medium.open, files=self.medium)

    def number(self, slot):
        return running_number(place_folder.PROGRAMS[slot], open_file=self.medium.open)

    def install(self, slot, one):
        installed(self.medium, place_folder.PROGRAMS[slot], one)

    def is_whole(self, slot):
        return is_whole(self.medium, place_folder.PROGRAMS[slot])

    def choice(self):
        """The ota.Choice of a start; such a chip has one place for an interpreter."""
        return None

    def runs(self):
        """Whether the interpreter is well."""
        return True


class NodeUpdateRig:
    """`runs(number)`: what the program of that number does once started: "well" or "crash". `place`: where programs
    are, Folders, rom_medium.Halves, or ota_chip.Partitions, which holds two interpreters as well."""

    def __init__(self, *, running=1, place=Folders, seed=3):
        self.now_ms = 0
        self.random = Random(seed)
        self.place = place()
        self.medium = self.place.medium
        self.place.install(0, self.image(running))
        self.chip = Chip()
        self.runs = lambda _number: "well"
        self.loses = lambda _datagram: False
        self.boots = []
        self.outcomes = []
        self.boot_number = 0
        self.may_restart = True
        self.keys = (KEY,)
        key = key_of(NODE)
        self._key = key
        self.gateway = Link([key], CIPHER, random_below=self.random.randrange)
        self.images = NodeImages(self.gateway)
        self.start(guard.POWER)

    # --- the chip -----------------------------------------------------------------------------------------------

    def start(self, ended):
        """Loader and guard, until a program runs that does not crash. `rescued`: it is the rescue."""
        while True:
            if ended == guard.POWER:
                self.chip = Chip()
            memory = rtc.Memory(self.chip)
            self.choice = self.place.choice()
            self.store = slots.Store(open_file=self.medium.open)
            boot = slots.begin(self.store)
            self.guard = guard.Guard(memory, guard.Store(open_file=self.medium.open))
            self.is_trial = boot.is_trial or (self.choice is not None and self.choice.is_trial)
            self.guarded = self.guard.begin(ended, is_trial=self.is_trial)
            assert self.place.is_whole(boot.slot) or self.guarded.is_rescue, "what is started is whole"
            number = self.place.number(boot.slot)
            self.boots.append("rescue" if self.guarded.is_rescue else number)
            if self.guarded.is_rescue or (self.runs(number) == "well" and self.place.runs()):
                break
            ended = guard.RESET
        self.boot, self.number = boot, number
        self.boot_number += 1
        self._open()

    def _open(self):
        boot, is_rescue = self.boot, self.guarded.is_rescue
        endpoint = Endpoint(
            random_below=self.random.randrange,
            first_message_id=self.random.randrange(0x10000),
            timing=bearer_timing(),
            handled_options=ANY_OUTSIDE,
        )
        self.link = NodeLink(
            endpoint,
            Pairing(self._key.master_secret, self._key.kid, GATEWAY_ID),
            CIPHER,
            peer="gateway",
            boot=self.boot_number,
            random_below=self.random.randrange,
        )
        self.files = self.place.slot_files(
            1 - boot.slot,
            lambda number: slots.choose(self.store, boot.slot, number),
            lambda number: slots.confirm(self.store, boot.slot, number),
        )

        def updating(**own):
            first_ms = None if self.is_trial else self.now_ms + 1000
            random_below = self.random.randrange
            return Updating(
                self.link, peer="gateway", keys=self.keys, random_below=random_below, first_ms=first_ms, **own
            )

        self.updating = updating(
            product=PRODUCT + self.place.suffix,
            number=self.number,
            floor=boot.floor if is_rescue else max(boot.floor, self.number),
            failed=boot.failed,
            is_rescue=is_rescue,
        )
        if self.choice is not None:
            self.updating = self.files = self.place.both(self.updating, self.files, self.choice, updating)

    def restart(self):
        self.guard.planned()
        self.start(guard.RESET)

    def confirm(self):
        """The trial has shown all that it has to show."""
        is_program = self.choice is None or not self.choice.is_trial
        assert self.files.do(("confirm", self.number if is_program else self.files.number))
        self.guard.healthy()

    # --- the world ----------------------------------------------------------------------------------------------

    def image(self, number):
        """The image of this number, as this chip takes it."""
        files = self.place.files_of({**FILES, "main.py": b"program %d" % number})
        return image(number, product=PRODUCT + self.place.suffix, files=files)

    def offered(self, number):
        """What the gateway serves of it."""
        return offered(self.image(number), product=PRODUCT + self.place.suffix)

    def offer(self, *images):
        self.images.set_images(images)

    def step(self):
        self.now_ms += 100
        for _, datagram in self.link.outgoing():
            if not self.loses(datagram):
                self._heard(self.gateway.receive(datagram, "node", now_ms=self.now_ms))
        self._heard(self.gateway.poll(now_ms=self.now_ms))
        for _, datagram in self.gateway.outgoing():
            if not self.loses(datagram):
                for happened in self.link.receive(datagram, "gateway", now_ms=self.now_ms):
                    self._happened(happened)
        for happened in self.link.poll(now_ms=self.now_ms):
            self._happened(happened)
        self.updating.poll(lambda _now_ms: self.may_restart, now_ms=self.now_ms)
        operation = self.updating.next_operation()
        if operation is not None:
            self.updating.on_result(operation, self.files.do(operation), now_ms=self.now_ms)
        self.outcomes += self.updating.drain_outcomes()
        if self.updating.wants_restart:
            self.restart()

    def run(self, for_ms):
        for _ in range(for_ms // 100):
            self.step()

    def until(self, condition, for_ms=3_600_000):
        end_ms = self.now_ms + for_ms
        while not condition():
            assert self.now_ms < end_ms, (self.outcomes, self.boots)
            self.step()

    def _heard(self, heard):
        for one in heard:
            if isinstance(one, NodeRequest) and not self.images.handle(one, now_ms=self.now_ms):
                self.gateway.respond(one.exchange, coap_message.NOT_FOUND, now_ms=self.now_ms)

    def _happened(self, happened):
        if self.updating.is_ours(happened):
            self.updating.handle(happened, self.now_ms)

