"""The password's line: right, wrong, spelt otherwise, damaged, or asking for more memory than it may."""

import hashlib
import unicodedata

import pytest

from gateway.config import password

RIGHT = "éclairage-49"
# Made once: a test's name must not change from run to run.
LINE = "scrypt$15$8$1$+sl6XOzWZLXHV4sGJ9Y8jQ$ivFNpcm40kD5Kr28MdUetl9rfZigEaA5Aj6z9/JT7Pk"


@pytest.mark.slow
def test_the_right_password_is_the_only_one():
    assert password.check(RIGHT, LINE)
    for wrong in ("", "eclairage-49", RIGHT + " ", RIGHT.upper(), LINE):
        assert not password.check(wrong, LINE)


def test_an_accent_may_be_typed_in_either_spelling_of_unicode():
    assert unicodedata.normalize("NFD", RIGHT) != RIGHT
    assert password.check(unicodedata.normalize("NFD", RIGHT), LINE)


def test_two_lines_of_one_password_differ_and_tell_nothing_of_it():
    other = password.make(RIGHT)
    assert other != LINE and password.check(RIGHT, other)
    assert RIGHT not in LINE and len(LINE.splitlines()) == 1


@pytest.mark.parametrize("wrong", ["", "court", "x" * 129])
def test_a_password_too_short_or_too_long_is_refused(wrong):
    with pytest.raises(ValueError, match="8 to 128"):
        password.make(wrong)


@pytest.mark.parametrize(
    "line",
    [
        "", "scrypt", RIGHT, LINE[:-1], LINE + "A", LINE.replace("scrypt", "bcrypt"), LINE.replace("$15$", "$40$"),
        *(LINE.replace("$15$8$1$", cost) for cost in ("$15$0$1$", "$15$8$9$", "$-1$8$1$", "$15$99$1$")),
        LINE + "\n", "scrypt$15$8$1$éééééééééééé$" + "A" * 43,
    ],
)  # fmt: skip
def test_what_is_no_line_lets_nobody_in_and_does_not_raise(line):
    assert not password.is_line(line)
    assert not password.check(RIGHT, line)


@pytest.mark.parametrize("line", [None, 5, b"scrypt", ["scrypt"]])
def test_a_configuration_may_hold_anything(line):
    assert not password.is_line(line)


def test_a_line_that_asks_for_too_much_memory_is_not_tried(monkeypatch):
    def scrypt(*_args, **_values):
        raise AssertionError("tried")

    monkeypatch.setattr(hashlib, "scrypt", scrypt)
    assert not password.check(RIGHT, LINE.replace("$15$8$1$", "$20$8$1$"))
    assert not password.check("x" * 1_000_000, LINE)


def test_a_cheaper_line_of_another_maker_is_understood():
    salt = b"sixteen bytes ok"
    key = hashlib.scrypt(RIGHT.encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32)
    assert password.check(RIGHT, f"scrypt$10$8$1${password._text(salt)}${password._text(key)}")
