"""A whole node on the bare 32-bit machine, and the gateway's end of its serial line."""

import time
from random import Random

from gateway.core.link.images import NodeImages
from gateway.core.link.link import Link
from simulator.hosts.keys import CIPHER, key_of
from tests.support.whole_node import OF_KIND
from tools.bare import board, machine
from tools.link.romfs import romfs_image
from wire import coap_message, limits, record, slip
from wire.record import Answer

NIGHT_S = 1_795_561_200
DEADLINE_S = 200
OFTEN = {"sample_s": 1, "telemetry_s": 1, "report_spread_s": 0}
_END = b"\xc0"


def now_ms():
    return time.monotonic_ns() // 1_000_000


class BareBoard:
    """A node of a kind; `said` gathers the console's lines, `records` what its gateway has got. Its memory is a file,
    in which its flash survives `cut`. `heap`: bytes for Python, 0 for all there are; `rom`: the ROMFS partition from
    which its program runs, as with an interpreter of our own; `images`: the programs that its gateway offers."""

    def __init__(self, elf, folder, kind, *, heap=0, rom=None, **settings):
        self._elf, self._heap, self.memory = elf, heap, folder / "memory"
        own = {**OFTEN, **OF_KIND[kind], **settings}
        if rom is None:
            files, self._image = board.flash(kind, **own), romfs_image(board.rom(kind))
        else:
            files, self._image = board.flash_in_place(kind, **own), b""
        machine.make_memory(self.memory, machine.flash_image(files), rom or b"")
        self.link = Link([key_of(board.NODE)], CIPHER, random_below=Random(3).randrange)
        self.images = NodeImages(self.link)
        self.records, self.said = [], []
        self._machine = None

    def start(self, *, cut=0):
        """Power, which fails in the erase or write of this number, if any."""
        self._text, self._in_frame = b"", False
        self._decoder = slip.Decoder(limits.DATAGRAM_BYTES_MAX)
        self._machine = machine.Machine(
            self._elf, self._image, heap=self._heap, memory=self.memory, cut=cut, counted=True
        )

    def cut(self):
        """No power: RAM is lost. Returns the files that another littlefs finds in the flash."""
        self._machine.close()
        machine.cut_power(self.memory)
        return machine.files_in(self.memory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._machine.running:
            self._machine.close()

    def until(self, condition):
        """Serves until `condition()`; fails with the console."""
        end = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < end, "\n".join(["it did not come", *self.said[-30:]])
            self.turn()

    def says(self, words):
        return any(words in line for line in self.said)

    def turn(self):
        data = self._machine.read(0.05)
        for datagram in self._decoder.feed(data):
            for asked in self.link.receive(datagram, "node", now_ms=now_ms()):
                if self.images.handle(asked, now_ms=now_ms()):
                    continue
                self.records += record.decode_payload(asked.payload) if asked.payload else []
                answer = record.encode_answer(Answer(NIGHT_S + now_ms() // 1000, 1, None, 0))
                self.link.respond(asked.exchange, coap_message.CHANGED, answer, now_ms=now_ms())
        self.link.poll(now_ms=now_ms())
        for _, datagram in self.link.outgoing():
            self._machine.write(slip.encode(datagram))
        # No text has the byte that begins and ends a frame.
        for at, piece in enumerate(data.split(_END)):
            self._in_frame ^= at > 0
            if not self._in_frame:
                *whole, self._text = (self._text + piece).split(b"\r\n")
                self.said += [line.decode(errors="replace") for line in whole]

    def events(self, code):
        return [made.body for made in self.records if getattr(made.body, "code", None) == code]

    def synced(self):
        return sum(made.stamp.quality == record.SYNCED for made in self.records)
