"""The log: bounded lines, counted suppression, priorities for systemd, and no secret whatever form it takes."""

import io
import json
import logging
import os
from contextlib import suppress

import pytest

from gateway.io.log import Log, clean

# Made for this test: the shape of a PEM key, not a key.
KEY_LINE = "MHcCAQEEIIvR2Tzm0b4Y8kq3W6Pz1sQnXhJd7Lr5cVgKfUe9oNaAoAoGCCqGSM49"
PEM = f"-----BEGIN EC PRIVATE KEY-----\n{KEY_LINE}\nAwEHoUQDQgAE\n-----END EC PRIVATE KEY-----\n"


class Bench:
    """A log on a string, and its clock."""

    def __init__(self, stream=None, **environment):
        self.now_ms = 0
        self.stream = io.StringIO() if stream is None else stream
        self.log = Log(self.stream, environment=environment, now_ms=lambda: self.now_ms)

    def lines(self):
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_level():
    bench = Bench()
    bench.log("started", boot=3, link=("127.0.0.1", 5683), text="two\nlines")
    bench.log("disconnected", why="refused")
    bench.log("health", uplink={"batches": 3})
    first, second, third = bench.lines()
    assert first == {
        "what": "started", "level": "notice", "boot": 3, "link": ["127.0.0.1", 5683], "text": "two\nlines",
    }  # fmt: skip
    assert second["level"] == "warning" and third["uplink"] == {"batches": 3}


def test_a_priority_stands_in_front_only_when_this_very_stream_goes_to_the_journal(tmp_path):
    path = tmp_path / "log"
    with path.open("w") as stream:
        found = os.fstat(stream.fileno())
        for name in (f"{found.st_dev}:{found.st_ino}", f"{found.st_dev}:{found.st_ino + 1}", ""):
            log = Log(stream, environment={"JOURNAL_STREAM": name}, now_ms=lambda: 0)
            log("journal-sync-failed", error="EIO")
    with_prefix, other, none = path.read_text().splitlines()
    assert with_prefix.startswith('<3>{"what": "journal-sync-failed"')
    assert other.startswith("{") and none.startswith("{")


def test_a_flood_is_bounded_counted_and_told_and_hides_nobody_else():
    bench = Bench()
    for number in range(10_000):
        bench.log("record-refused", number=number)
    bench.log("disconnected", why="x")
    assert [line["what"] for line in bench.lines()] == 30 * ["record-refused"] + ["disconnected"]
    bench.now_ms = 60_000
    bench.log.settle()
    assert bench.lines()[-1] == {"what": "suppressed", "level": "warning", "of": "record-refused", "lines": 9970}
    bench.log("record-refused", number=-1)
    assert bench.lines()[-1]["number"] == -1
    assert bench.log.counters == {"lines": 33, "suppressed": 9970, "not-written": 0}


def test_many_different_words_are_bounded_together():
    bench = Bench()
    for number in range(5000):
        bench.log(f"what-{number}")
        bench.log(f"what-{number % 7}")
    assert len(bench.lines()) <= 300
    bench.now_ms = 60_000
    bench.log.settle()
    counted = sum(line["lines"] for line in bench.lines() if line["what"] == "suppressed")
    assert counted == bench.log.counters["suppressed"] == 10_000 - bench.log.counters["lines"] + len(
        [line for line in bench.lines() if line["what"] == "suppressed"]
    )


def test_a_stream_that_is_gone_or_full_is_counted_and_never_raised():
    with suppress(OSError), open("/dev/full", "w") as stream:  # closing it fails as well
        full = Bench(stream)
        full.log("started")
    assert full.log.counters["not-written"] == 1
    closed = io.StringIO()
    closed.close()
    gone = Bench(closed)
    gone.log("started")
    assert gone.log.counters["not-written"] == 1


@pytest.mark.parametrize(
    "value",
    [
        PEM,
        f"cannot load {PEM} here",
        PEM[:80],  # cut off before its end
        KEY_LINE,
        f"ValueError: bad line '{KEY_LINE}'",
        {"nested": [{"why": ("x", KEY_LINE)}]},
        {KEY_LINE: 1},
        ValueError(PEM),
        KEY_LINE.encode(),
        "mqtts://cab-12:KEYhunter2@centre.example.fr:8883/x",
        "https://KEYtoken@example.fr",
        {"password": "KEY"},
        {"sim_pin": "KEY", "apn-password": "KEY", "PSK": ["KEY"]},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": "KEY"}}}}}}},
    ],
)
def test_nothing_that_looks_like_a_secret_passes(value):
    bench = Bench()
    bench.log("library", value=value)
    written = bench.stream.getvalue()
    for fragment in (KEY_LINE, KEY_LINE[:20], "AwEHoUQD", "KEY", "hunter2", "BEGIN"):
        assert fragment not in written
    assert "hidden" in written or "bytes" in written or "too deep" in written


@pytest.mark.parametrize(
    "value",
    [
        "7c1f0a2c01000001" * 4,  # hex of a datagram
        "/var/lib/bocage/journal/00000000-telemetry-0123456789abcdef.seg",
        "ConnectionRefusedError: [Errno 111] Connection refused",
        "tc/1/a/49007/cab-12",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
        {"token": 7, "key": "/etc/bocage/cab-12.key", "pinned": 1, "passing": 2, "happened_at": "x"},
        [None, True, 1.5],
    ],
)
def test_what_an_operator_needs_passes_unchanged(value):
    assert clean(value) == value


def test_a_value_without_measure_is_cut():
    bench = Bench()
    bench.log("health", text=100_000 * "a ", many=list(range(100_000)), deep=[[[[[[[[[1]]]]]]]]])
    bench.log("health", **{f"k{number}": [500 * "b "] * 100 for number in range(50)})
    assert all(len(line) < 20_000 for line in bench.stream.getvalue().splitlines())
    assert bench.lines()[1]["too_long"] > 16_384


def test_warnings_of_libraries_are_filtered_too():
    bench = Bench()
    logger = logging.Logger("paho")  # of its own: the root's handlers are pytest's
    bench.log.adopt(logger)
    logger.warning("cannot read %s", PEM)
    logger.warning("%d", "no number")
    logger.info("not of interest")
    assert [line["message"] for line in bench.lines()] == ["cannot read [hidden: PEM]\n", "(cannot be formatted)"]
