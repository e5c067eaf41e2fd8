"""The catalogue says every sentence of the sources in French, in the typography of French, with the same values."""

import os
import re
from pathlib import Path

import pytest

from gateway import language
from gateway.language import LANGUAGES, N_, NC_, NN_, Phrases, translate
from tools.package import catalogue

(PO,) = catalogue.po_files(catalogue.ROOT)
FRENCH = [
    (message.id, form)
    for message in catalogue.read(PO)
    if message.id
    for form in (message.string if isinstance(message.string, tuple) else (message.string,))
]

SOURCE = """
from gateway.language import N_, NC_, NN_
N_("one {sort}")
NN_("{count} cat", "{count} cats")
NC_("a place", "none")
"""
# What a translator may leave behind, and what is said about it.
TRANSLATIONS = {
    "whole": ('msgid "one {sort}"\nmsgstr "une {sort}"\n', ""),
    "absent": ("", "missing: 'one {sort}'"),
    "empty": ('msgid "one {sort}"\nmsgstr ""\n', "not translated: 'one {sort}'"),
    "fuzzy": ('#, fuzzy\nmsgid "one {sort}"\nmsgstr "une {sort}"\n', "fuzzy, to be read and unmarked: 'one {sort}'"),
    "values": ('msgid "one {sort}"\nmsgstr "une {kind}"\n', "other places for values: 'one {sort}'"),
    "unused": ('msgid "one {sort}"\nmsgstr "une {sort}"\n\nmsgid "two"\nmsgstr "deux"\n', "no longer used: 'two'"),
}
OTHERS = """
msgid "{count} cat"
msgid_plural "{count} cats"
msgstr[0] "{count} chat"
msgstr[1] "{count} chats"

msgctxt "a place"
msgid "none"
msgstr "aucun"
"""


@pytest.fixture(scope="module")
def template():
    return catalogue.extract(catalogue.ROOT)


def test_every_sentence_is_in_french(template):
    assert catalogue.faults(PO, template) == []
    assert len(template) > 700


def test_the_po_is_as_the_tool_writes_it(tmp_path, template):
    copy = tmp_path / "fr" / "LC_MESSAGES" / "bocage.po"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(PO.read_bytes())
    catalogue.update(copy, template)
    assert copy.read_bytes() == PO.read_bytes(), "run python -m tools.package.catalogue"


def test_french_puts_a_space_before_its_double_signs_and_english_does_not():
    for english, french in FRENCH:
        said = re.sub(r'\{[^}]*\}|--\S+ ?:|"\w+":', "", french)  # values, options, and JSON are no sentence
        assert not re.search(r"[^\s{}](?::(?=\s|$)|[;!?])", said), french
        for form in english if isinstance(english, (tuple, list)) else (english,):
            assert not re.search(r"\s[:;!?](?!\w)", form), form


def test_french_has_one_apostrophe():
    """A straight one stands only in what is typed, as in pip install 'bocage[web]', and in minutes of arc."""
    straight = r"(?<=[^\W\d_])'(?=[\w«{*(\"`%])"
    pages = (path for room in ("gateway", "tools") for path in (catalogue.ROOT / room).rglob("*.html"))
    texts = [french for _, french in FRENCH] + [path.read_text(encoding="utf-8") for path in pages]
    assert len(texts) > 1000
    assert [text for text in texts if re.search(straight, text)] == []


def test_french_is_the_trades():
    """Words that a street-lighting engineer would not use."""
    wrong = r"coffret|lampe morte|lampes mortes|changements? de porteuse|heures de soif|\bpas \{number\}"
    assert [french for _, french in FRENCH if re.search(wrong, french, re.IGNORECASE)] == []


@pytest.mark.parametrize("case", TRANSLATIONS)
def test_what_a_translator_leaves_behind_is_named(case, tmp_path):
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "source.py").write_text(SOURCE, encoding="utf-8")
    po = tmp_path / catalogue.LOCALE / "fr" / "LC_MESSAGES" / "bocage.po"
    po.parent.mkdir(parents=True)
    head = PO.read_text(encoding="utf-8").partition("\n\n")[0]
    translated, fault = TRANSLATIONS[case]
    po.write_text(f"{head}\n\n{translated}{OTHERS}", encoding="utf-8")
    found = catalogue.faults(po, catalogue.extract(tmp_path))
    assert found == ([f"fr: {fault}"] if fault else [])
    catalogue.update(po, catalogue.extract(tmp_path))
    assert len(catalogue.read(po)) == 3 and not catalogue.read(po).obsolete


def test_what_commands_say_of_themselves_is_in_the_catalogue_but_for_what_is_typed(tmp_path):
    (tmp_path / "tools" / "prove").mkdir(parents=True)
    sources = {
        "cli": '"""Does all."""\nCOMMANDS = {"one": "tools.one", "prove": "tools.prove.cli"}\n',
        "one": '"""Does one.\n\nNot two.\n\nexample:\n  one\n"""\nx.add_argument("--n", help="how many")\n',
        "prove/cli": '"""Proves."""\nCOMMANDS = {"kill": "tools.prove.kill"}\nx.add_argument("--n", help="rounds")\n',
    }
    for name, source in sources.items():
        (tmp_path / "tools" / f"{name}.py").write_text(source, encoding="utf-8")
    said = {message.id for message in catalogue.extract(tmp_path) if message.id}
    assert said == {"Does all.", "Does one.", "Not two.", "how many", "Proves."}


def test_a_sentence_is_said_in_either_language_with_its_values(tmp_path, monkeypatch):
    po = tmp_path / "fr" / "LC_MESSAGES" / "bocage.po"
    po.parent.mkdir(parents=True)
    po.write_text(
        f"{PO.read_text(encoding='utf-8').partition(chr(10) * 2)[0]}\n\n{TRANSLATIONS['whole'][0]}{OTHERS}",
        encoding="utf-8",
    )
    monkeypatch.setattr(catalogue, "LOCALE", ".")
    catalogue.compile_all(tmp_path)
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    language._catalogue.cache_clear()
    try:
        cats = NN_("{count} cat", "{count} cats")
        words = Phrases({"one": N_("one {sort}"), "cats": cats, "no": NC_("a place", "none")})
        assert words.text("one", "fr", sort="x") == "une x" and words.text("one", "en", sort="x") == "one x"
        assert [words.text("cats", "fr", count=count) for count in (0, 1, 2)] == ["0 chat", "1 chat", "2 chats"]
        assert [words.text("cats", "en", count=count) for count in (0, 1, 2)] == ["0 cats", "1 cat", "2 cats"]
        assert words.text("no", "fr") == "aucun" and words.text("no", "en") == "none"
        assert words.text_or("other", "as it came", "fr") == "as it came" and "other" not in words
        with pytest.raises(KeyError):
            words.text("other", "fr")
    finally:
        language._catalogue.cache_clear()


def test_without_a_compiled_catalogue_people_read_english_and_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    language._catalogue.cache_clear()
    try:
        assert translate(N_("All is well"), "fr") == "All is well"
        assert "python -m tools.package.catalogue" in capsys.readouterr().err
        with pytest.raises(ValueError, match="no language de"):
            translate(N_("All is well"), "de")
    finally:
        language._catalogue.cache_clear()


def test_a_catalogue_is_compiled_when_its_translation_is_newer_and_only_then(tmp_path):
    po = tmp_path / catalogue.LOCALE / "fr" / "LC_MESSAGES" / "bocage.po"
    po.parent.mkdir(parents=True)
    po.write_bytes(PO.read_bytes())
    (mo,) = catalogue.compile_all(tmp_path)
    made = mo.stat()
    assert catalogue.compile_all(tmp_path) == [mo] and mo.stat().st_mtime_ns == made.st_mtime_ns
    mo.write_bytes(b"")
    os.utime(mo, ns=(0, 0))
    catalogue.compile_all(tmp_path)
    assert mo.stat().st_size == made.st_size and not list(Path(mo.parent).glob("*.[0-9]*"))


def test_both_languages_are_those_of_the_command_line():
    assert LANGUAGES == ("fr", "en")
