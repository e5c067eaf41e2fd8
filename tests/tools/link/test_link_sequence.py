"""Sender sequences: each number once, with the power cut after every byte of every flash write and between them."""

from zlib import crc32

import pytest

from tools.link import sequence
from tools.link.sequence import BLOCK, MARGIN, Reserve, SenderSequence
from wire.oscore_context import PARTIAL_IV_MAX

MESSAGES_PER_WRITE_MIN = 500  # issue 5: at most one flash write for so many messages


class PowerCutError(Exception):
    pass


class Flash:
    """Two slots written in turn, byte by byte; power fails when `steps_left` are used up."""

    def __init__(self, steps_left):
        self.steps_left = steps_left
        self.slots = [b"", b""]
        self.writes = 0

    def step(self):
        if self.steps_left == 0:
            raise PowerCutError
        self.steps_left -= 1

    def read(self):
        return max((self._sound(slot) for slot in self.slots), default=0)

    def write(self, upto):
        self.writes += 1
        place = min((0, 1), key=lambda slot: self._sound(self.slots[slot]))
        data = upto.to_bytes(6, "big")
        data += crc32(data).to_bytes(4, "big")
        self.step()
        self.slots[place] = b""  # erased first
        for byte in data:
            self.step()
            self.slots[place] += bytes((byte,))
        self.step()

    @staticmethod
    def _sound(slot):
        if len(slot) != 10 or crc32(slot[:6]).to_bytes(4, "big") != slot[6:]:
            return 0
        return int.from_bytes(slot[:6], "big")


def live(flash, used, messages):
    """One life: from a start to `messages` sent, or to the cut."""
    sequence = SenderSequence(flash.read())
    for _ in range(messages):
        effect = sequence.due()
        if effect is not None:
            flash.write(effect.upto)
            sequence.reserved(effect.upto)
        number = sequence.next_number()
        flash.step()
        used.append(number)


def test_no_number_is_used_twice_whenever_the_power_fails(monkeypatch):
    monkeypatch.setattr(sequence, "BLOCK", 8)
    monkeypatch.setattr(sequence, "MARGIN", 2)
    # Two cuts: the first after each step of a life of four reservations, the second after each step of the next.
    for first in range(90):
        for second in range(0, 60, 1 if first % 9 == 0 else 7):
            flash, used = Flash(first), []
            for steps in (first, second, 10_000):
                flash.steps_left = steps
                try:
                    live(flash, used, 25)
                except PowerCutError:
                    continue
            assert len(used) == len(set(used)) >= 25 and None not in used


def test_a_write_that_fails_costs_no_number_and_ends_sending_only_at_the_end():
    sequence = SenderSequence(0)
    assert sequence.next_number() is None
    assert sequence.due() == sequence.due() == Reserve(BLOCK)
    sequence.reserved(BLOCK)
    numbers = [sequence.next_number() for _ in range(BLOCK - MARGIN - 1)]
    assert sequence.due() is None
    numbers += [sequence.next_number()]
    assert sequence.due() == Reserve(2 * BLOCK)
    numbers += [sequence.next_number() for _ in range(MARGIN)]
    assert numbers == list(range(BLOCK))
    assert sequence.next_number() is None and sequence.due() == Reserve(2 * BLOCK)
    sequence.reserved(2 * BLOCK)
    assert sequence.next_number() == BLOCK


def test_flash_is_written_seldom():
    flash, used = Flash(10**9), []
    live(flash, used, 100_000)
    assert used == list(range(100_000))
    assert flash.writes * MESSAGES_PER_WRITE_MIN <= 100_000


def test_the_last_number_ends_the_context():
    sequence = SenderSequence(PARTIAL_IV_MAX - 1)
    assert sequence.due() == Reserve(PARTIAL_IV_MAX + 1)
    sequence.reserved(PARTIAL_IV_MAX + 1)
    assert [sequence.next_number() for _ in range(3)] == [PARTIAL_IV_MAX - 1, PARTIAL_IV_MAX, None]
    assert sequence.is_exhausted and sequence.due() is None


@pytest.mark.parametrize("upto", [-1, 5, PARTIAL_IV_MAX + 2])
def test_a_reservation_never_goes_back_or_beyond(upto):
    with pytest.raises(AssertionError):
        SenderSequence(6).reserved(upto)
