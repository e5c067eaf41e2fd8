"""RTC memory is shared out by regions, and only what is whole in it is believed."""

import pytest

from esp32 import guard, rtc


class Chip:
    """`machine.RTC()`: bytes that a reset leaves alone."""

    def __init__(self, data=b""):
        self.data = bytes(data)
        self.writes = 0

    def memory(self, data=None):
        if data is None:
            return self.data
        self.writes += 1
        self.data = bytes(data)
        return None


REGIONS = (rtc.GUARD, rtc.CRUMBS, rtc.LOG, rtc.TRADE)


def test_what_was_put_is_there_after_a_reset_and_gone_after_the_loss_of_power():
    chip = Chip()
    memory = rtc.Memory(chip)
    for region in REGIONS:
        memory.put(region, b"body %d" % region)
    assert [rtc.Memory(chip).get(region) for region in REGIONS] == [b"body %d" % region for region in REGIONS]
    assert [rtc.Memory(Chip()).get(region) for region in REGIONS] == [None] * 4


@pytest.mark.parametrize("region", REGIONS)
def test_one_bit_anywhere_in_a_region_spoils_that_region_alone(region):
    chip = Chip()
    memory = rtc.Memory(chip)
    for each in REGIONS:
        memory.put(each, b"1234")
    start = {rtc.GUARD: 2, rtc.CRUMBS: 34, rtc.LOG: 130, rtc.TRADE: 354}[region]
    for index in range(rtc.HEAD_BYTES + 4):
        for bit in range(8):
            spoilt = bytearray(chip.data)
            spoilt[start + index] ^= 1 << bit
            again = rtc.Memory(Chip(spoilt))
            assert [again.get(each) for each in REGIONS] == [None if each == region else b"1234" for each in REGIONS]


@pytest.mark.parametrize("noise", [b"\xff" * rtc.BYTES, b"\xa5" * rtc.BYTES, b"\xff" * 10, b"\x01" * 2048])
def test_noise_of_a_power_on_is_nothing(noise):
    assert [rtc.Memory(Chip(noise)).get(region) for region in REGIONS] == [None] * 4


def test_a_mark_is_one_byte_that_is_believed_only_whole():
    chip = Chip()
    memory = rtc.Memory(chip)
    assert memory.marked() is None, "a memory of zeros says nothing"
    for value in (0, 5, 255):
        memory.mark(value)
        assert rtc.Memory(chip).marked() == value
    memory.put(rtc.GUARD, b"x")
    assert rtc.Memory(chip).marked() == 255 and rtc.Memory(chip).get(rtc.GUARD) == b"x"
    spoilt = bytearray(chip.data)
    spoilt[1] ^= 1
    assert rtc.Memory(Chip(spoilt)).marked() is None


def test_a_region_holds_its_whole_room_and_no_more():
    memory = rtc.Memory(Chip())
    memory.put(rtc.GUARD, bytes(range(26)))
    assert memory.get(rtc.GUARD) == bytes(range(26))
    with pytest.raises(AssertionError):
        memory.put(rtc.GUARD, bytes(27))


def test_a_board_without_such_memory_loses_it_all_and_goes_on():
    memory = rtc.Memory(None)
    memory.put(rtc.CRUMBS, b"x")
    assert memory.get(rtc.CRUMBS) == b"x" and rtc.Memory(None).get(rtc.CRUMBS) is None


def test_the_guard_has_the_region_of_its_name():
    chip = Chip()
    guard.Guard(rtc.Memory(chip), guard.Store(open_file=_no_file)).begin(guard.POWER, is_trial=False)
    assert rtc.Memory(chip).get(rtc.GUARD) is not None


def _no_file(_name, _mode):
    raise OSError(30, "read only")
