"""The image of a sleep: whole or nothing, whatever the memory that was to keep it has become."""

from random import Random

import pytest

from node import checkpoint, limits, sleep
from node.checkpoint import OwnMemory
from node.sleep import Asleep
from node.trade import ASLEEP_BYTES_MAX, MEMORY_BYTES_MAX
from wire import limits as wire_limits
from wire.oscore_link import ASLEEP_BYTES

OWN = checkpoint.encode_own(OwnMemory(-37, 5, 2900, 310, 1_795_521_600, 2, 123_456))
TIME = Asleep(86_400_000, 1_795_521_600_123, 4000, 80_000_000, 1500, 3_600_000)
DUES = sleep.Dues(1000, -20, 3_000_000, 60_000, None, 0)


def made(**changes):
    fields = {
        "boot": 7, "sequence": 99, "time": TIME, "dues": DUES, "silent": 2, "chip_reported": 0,
        "lost": 3, "retransmitted": 4,
        "own": OWN, "link": bytes(range(ASLEEP_BYTES)), "memory": b"m", "rest": b"r", "directives": b"",
    }  # fmt: skip
    return sleep.Image(**{**fields, **changes})


@pytest.mark.parametrize(
    "image",
    [
        made(),
        made(time=TIME._replace(unix_ms=None, age_ms=None)),
        made(dues=DUES._replace(directives_ms=None, program_ms=5)),
        made(sequence=wire_limits.SEQUENCE_MAX, boot=wire_limits.BOOT_MAX, silent=limits.SILENT_MAX, chip_reported=1),
        made(memory=bytes(MEMORY_BYTES_MAX), rest=bytes(ASLEEP_BYTES_MAX), directives=bytes(90)),
    ],
)
def test_what_was_put_comes_back(image):
    data = sleep.encode(image)
    assert sleep.decode(data) == image and len(data) <= limits.IMAGE_BYTES_MAX


def test_what_is_cut_or_longer_is_nothing():
    data = sleep.encode(made())
    assert all(sleep.decode(data[:length]) is None for length in range(len(data)))
    assert sleep.decode(data + b"\0") is None and sleep.decode(None) is None


def test_rubbish_is_never_an_exception_and_an_impossible_image_is_nothing():
    data, random = sleep.encode(made()), Random(5)
    for _ in range(20_000):
        spoilt = bytearray(data)
        for _ in range(random.randrange(1, 4)):
            spoilt[random.randrange(len(spoilt))] = random.randrange(256)
        found = sleep.decode(bytes(spoilt))
        if found is not None:
            assert 0 <= found.time.slept_ms <= found.time.uptime_ms and found.boot > 0
            assert found.time.unix_ms is None or found.time.unix_ms >= 1000 * limits.UNIX_S_MIN
    for size in range(0, 1200, 7):
        assert sleep.decode(random.randbytes(size)) is None or size > 200


@pytest.mark.parametrize(
    "image",
    [
        made(boot=0),
        made(time=TIME._replace(slept_ms=86_400_001)),
        made(time=TIME._replace(age_ms=87_000_000)),
        made(time=TIME._replace(uptime_ms=-1, slept_ms=-1, age_ms=None)),
        made(time=TIME._replace(unix_ms=946_684_800_000)),
        made(dues=DUES._replace(report_ms=None)),
        made(link=b"short"),
    ],
)
def test_what_cannot_be_is_nothing(image):
    assert sleep.decode(sleep.encode(image)) is None


def test_another_form_is_a_start():
    data = bytearray(sleep.encode(made()))
    data[0] = sleep.VERSION + 1
    assert sleep.decode(bytes(data)) is None
