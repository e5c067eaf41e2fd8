"""The house rules hold in the whole repository, and each rule sees the fault it is for."""

import pytest

from tools import tidy

DOCSTRING = '"""What it is for."""\n'


def test_the_repository_is_tidy():
    found = tidy.check()
    assert not found, "\n" + "\n".join(found)


def complaints(name, body):
    return tidy.check_text(name, DOCSTRING + body)


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("gateway/core/utils.py", "", "name a module"),
        ("gateway/common/disk.py", "", "name a module"),
        ("gateway/core/custody/disk.py", "x = 1\n" * tidy.MODULE_LINES_MAX, "401 lines"),
        ("gateway/core/custody/disk.py", "def f():\n" + "    x = 1\n" * tidy.FUNCTION_LINES_MAX, "61 lines"),
        ("README.md", "see /wor" + "k/main\n", "no machine path"),
        ("Makefile", "pip install --index" + "-url x\n", "no machine path"),
        ("firmware/wire/a.py", "import typing\n", "MicroPython has no typing: use built-in"),
        ("firmware/policy/a.py", "from dataclasses import dataclass\n", "use collections.namedtuple"),
        ("firmware/node/a.py", "def f():\n    import enum\n", "MicroPython has no enum"),
        ("firmware/links/a.py", "from __future__ import annotations\n", "MicroPython has no __future__"),
        ("firmware/wire/a.py", "match a:\n    case 1: pass\n", "outside the portable subset: match"),
        ("firmware/wire/a.py", "def f(a, /): pass\n", "positional-only"),
        ("firmware/wire/a.py", "a = {**b}\n", "update()"),
        ("firmware/wire/a.py", "a = (*b, 1)\n", "tuple addition"),
        ("firmware/wire/a.py", "raise a from b\n", "raise ... from"),
        ("firmware/wire/a.py", "del a[:2]\n", "copy what stays"),
        ("firmware/wire/a.py", "a[::2] = b\n", "stepped slice"),
        ("firmware/wire/a.py", "a.to_bytes(2, 'big', signed=True)\n", "struct"),
        ("firmware/wire/a.py", "a.bit_length()\n", ".bit_length"),
        ("firmware/esp32/a.py", "socket.getaddrinfo(a, 1)\n", "waits for DNS"),
        ("firmware/esp32/a.py", "time.sleep(0.2)\n", "more than 100 ms"),
        ("firmware/esp32/a.py", "time.sleep_ms(101)\n", "more than 100 ms"),
        ("firmware/esp32/a.py", "sleep_ms(delay_ms)\n", "no constant time"),
        ("firmware/esp32/a.py", "poller.poll()\n", "for ever"),
        ("firmware/esp32/a.py", "import ntptime\n", "blocks for seconds"),
    ],
)
def test_a_rule_sees_its_fault(name, body, words):
    found = complaints(name, body)
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gateway/core/custody/disk.py", "x = 1\n" * (tidy.MODULE_LINES_MAX - 1)),
        ("gateway/core/custody/disk.py", "from typing import NamedTuple\nimport enum\na = {**b}\n"),
        (
            "firmware/wire/a.py",
            "from collections import namedtuple\na = [*b]\nf(*b, c)\n*a, b = c\ndel a[1]\n",
        ),
        ("firmware/wire/a.py", "a[1:2] = b\na.to_bytes(2, 'big')\nraise a\n"),
        ("firmware/esp32/a.py", "sleep_ms(100)\ntime.sleep(0.1)\npoller.poll(20)\nend.poll(now_ms=a)\n"),
        ("firmware/links/a.py", "time.sleep_ms(500)\n"),
        ("hardware/README.md", "the frame" + "work/main part\n"),
    ],
)
def test_what_is_allowed_is_left_alone(name, body):
    assert complaints(name, body) == []


def test_a_file_without_docstring_is_seen():
    assert len(tidy.check_text("gateway/a.py", "import os\n")) == 1


def test_a_long_module_gives_its_reason():
    long = "x = 1\n" * tidy.MODULE_LINES_MAX
    assert "lines" in tidy.check_text("gateway/a.py", f'"""Does it."""\n{long}')[0]
    assert tidy.check_text("gateway/a.py", f'"""Does it. Long because it is a table."""\n{long}') == []


def test_a_long_function_gives_its_reason():
    body = "    x = 1\n" * tidy.FUNCTION_LINES_MAX
    assert "lines" in tidy.check_text("gateway/a.py", f'"""Does it."""\ndef f():\n    """Does."""\n{body}')[0]
    head = '"""Does it."""\ndef f():\n    """Does. Long because it is a table."""\n'
    assert tidy.check_text("gateway/a.py", head + body) == []
