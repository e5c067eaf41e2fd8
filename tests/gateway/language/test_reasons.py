"""Reasons why a file cannot be read: said in both languages, none left in the system's English."""

import ast
import errno
import inspect
import re
import tomllib

import pytest

from gateway.language import reasons, translate

BROKEN = {
    "[gateway\n": (1, "il manque ] après"),
    "[[bearer]\n": (1, "il manque ] après"),
    "a = 1\nb 2\n": (2, "il manque = après"),
    "a = 1\na = 2\n": (2, "deux fois"),
    "[a]\n[a]\n": (2, "deux fois"),
    "x = {a = 1, a = 2}\n": (1, "deux fois"),
    'x = "abc\n': (1, "pas de guillemet"),
    'x = """abc\n': (None, "pas de guillemet"),
    "x = 'abc\n": (None, "pas de guillemet"),
    "x = 'abc": (None, "pas de guillemet"),
    "x = '''abc\n": (None, "pas de guillemet"),
    "x = [1 2]\n": (1, "pas de ]"),
    "x = {a = 1 b = 2}\n": (1, "accolade fermante"),
    "x = 01\n": (1, "sa propre ligne"),
    "x = oui\n": (1, "entre guillemets"),
    "x = 2027-02-30\n": (1, "n’existe pas"),
    'x = "C:\\qx"\n': (1, "s’écrit \\\\"),
    'x = "\\u12"\n': (1, "s’écrit \\\\"),
    "= 3\n": (1, "commence par une clé"),
    "é = 3\n": (1, "commence par"),
    'x = "\x01"\n': (1, "n’admet pas"),
    "# \x01\n": (1, "n’admet pas"),
}


@pytest.mark.parametrize(("text", "line", "said"), [(text, *rest) for text, rest in BROKEN.items()])
def test_a_fault_of_toml_has_its_line_and_is_said_in_french(text, line, said):
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    found, reason = reasons.of_toml(caught.value)
    assert found == line
    assert said in translate("{why}", "fr", why=reason)


def test_every_fault_that_this_python_finds_in_toml_is_said_in_french():
    """Its messages are read from its own source: a newer Python may have others."""
    source = inspect.getsource(tomllib._parser)
    messages = re.findall(r'suffixed_err\(\s*src,\s*[^,]+,\s*f?("(?:[^"\\]|\\.)*")', source)
    assert len(messages) > 20
    for message in {ast.literal_eval(one).replace("{expect!r}", repr("'")) for one in messages} - {"{msg}"}:
        _, reason = reasons.of_toml(tomllib.TOMLDecodeError(f"{message} (at line 1, column 1)"))
        assert translate("{why}", "fr", why=reason) != translate("{why}", "en", why=reason), message


@pytest.mark.parametrize(
    ("error", "french", "english"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "n’existe pas", "no such file"),
        (IsADirectoryError(errno.EISDIR, "Is a directory"), "un dossier", "a folder"),
        (PermissionError(errno.EACCES, "Permission denied"), "le droit", "may not"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "UTF-8", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_in_both_languages(error, french, english):
    for language, said in (("fr", french), ("en", english)):
        assert said in translate("{why}", language, why=reasons.of_file(error))


def test_what_is_not_known_stands_as_it_came_braces_included():
    assert translate("{why}", "fr", why=reasons.of_file(OSError(errno.EIO, "broken {card}"))).endswith("broken {card}")
    line, reason = reasons.of_toml(tomllib.TOMLDecodeError("News {of} TOML (at line 7, column 1)"))
    assert line == 7
    assert translate("{why}", "fr", why=reason) == "News {of} TOML"
