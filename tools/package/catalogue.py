"""Keeps the catalogue of sentences (gateway/language) up to date with the sources, with Babel.

    python -m tools.package.catalogue           brings every .po up to date and compiles it; names what is left to do
    python -m tools.package.catalogue --check   changes nothing; fails when a sentence is missing, fuzzy or unused

The build hook in `wheel/` and tests/conftest.py compile through `compile_all`, so this module must import none of our
modules.
"""

import argparse
import ast
import os
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = "gateway/language/locale"
SOURCES = ("gateway", "tools", "simulator")
# What a person reads of a command line, too: the docstrings of commands, from this module's table on, and the `help` of
# arguments. Of the commands for who changes Bocage it is the docstring of the first level alone.
COMMANDS = "tools.cli"
DEVELOPERS = (
    "simulator/rig/", "tools/bare/", "tools/bench/", "tools/hardware/", "tools/link/", "tools/package/", "tools/prove/",
    "tools/prepare.py",
)  # fmt: skip
# And what `bocage node new --reference` prints: where the settings of any node, of a trade or of a kind are read.
SETTINGS, KINDS = "firmware/*/settings.py", "firmware/kinds/*.py"
_READS_SETTINGS = re.compile(r"^FIELDS = \([^)]*\)$", re.MULTILINE)
# The marks of gateway/language: a sentence; a context and a sentence; singular and plural.
KEYWORDS = {"N_": None, "NC_": ((1, "c"), 2), "NN_": (1, 2)}
_WIDTH = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only tell what is wrong")
    args = parser.parse_args()
    template = extract(ROOT)
    if not args.check:
        for po in po_files(ROOT):
            update(po, template)
        compile_all(ROOT)
    found = [fault for po in po_files(ROOT) for fault in faults(po, template)]
    print("\n".join(found))
    sys.exit(1 if found else 0)


def po_files(root: Path) -> list[Path]:
    return sorted((root / LOCALE).glob("*/LC_MESSAGES/*.po"))


def extract(root: Path) -> Catalog:
    """Returns every sentence that the sources mark, with the files that use it."""
    template = Catalog(domain="bocage", project="bocage", charset="utf-8")
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            source, name = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
            if not name.startswith(DEVELOPERS) and "help=" in source:
                for text in _arguments(ast.parse(source)):
                    template.add(text, locations=[(name, 0)])
            if "gateway.language" not in source:
                continue
            for _, message, comments, context in extract_from_file(
                "python", path, keywords=KEYWORDS, comment_tags=["Translators:"], strip_comment_tags=True
            ):
                template.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    if _file(root, COMMANDS).is_file():
        for name, text in _help_of(root, _file(root, COMMANDS)):
            template.add(text, locations=[(name, 0)])
    own = (path for path in root.glob(KINDS) if _READS_SETTINGS.search(path.read_text(encoding="utf-8")))
    for path in sorted((*root.glob(SETTINGS), *own)):
        for name, text in _help_of(root, path):
            template.add(text, locations=[(name, 0)])
    return template


def _help_of(root: Path, path: Path) -> Iterator[tuple[str, str]]:
    """Returns what a command says of itself, and what those below it say: pairs of file and paragraph."""
    name, tree = path.relative_to(root).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
    for text in _paragraphs(tree):
        yield name, text
    if name.startswith(DEVELOPERS):
        return
    for table in tree.body:
        if isinstance(table, ast.Assign) and [ast.unparse(one) for one in table.targets] == ["COMMANDS"]:
            for below in ast.literal_eval(table.value).values():
                yield from _help_of(root, _file(root, below))


def _paragraphs(tree: ast.Module) -> list[str]:
    """Returns the paragraphs of a docstring, as `tools.command_line.help_text` says them, without examples."""
    return [one for one in (ast.get_docstring(tree) or "").split("\n\n") if not one.startswith("example")]


def _arguments(tree: ast.Module) -> Iterator[str]:
    """Returns what is said of arguments, where it is a text that stands there."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for given in call.keywords:
            if given.arg == "help" and isinstance(given.value, ast.Constant) and isinstance(given.value.value, str):
                yield given.value.value


def _file(root: Path, module: str) -> Path:
    return (root / module.replace(".", "/")).with_suffix(".py")


def update(po: Path, template: Catalog) -> None:
    """Adds new sentences (a near translation is proposed as fuzzy) and drops those that no source uses any more."""
    catalog = read(po)
    catalog.update(template, update_creation_date=False)
    catalog.obsolete.clear()
    for message in catalog:
        # A % in our sentences is a percent sign, never a placeholder.
        message.flags.discard("python-format")
    with po.open("wb") as file:
        write_po(file, catalog, width=_WIDTH, include_lineno=False, sort_by_file=True)


def faults(po: Path, template: Catalog) -> list[str]:
    """Lists what is missing, fuzzy or unused in this file, compared with the sources."""
    catalog = read(po)
    found = [f"no longer used: {_shown(message)}" for message in catalog.obsolete.values()]
    for message in catalog:
        if message.id and template.get(message.id, message.context) is None:
            found.append(f"no longer used: {_shown(message)}")
    for wanted in template:
        if wanted.id:
            found += _faults_of(catalog.get(wanted.id, wanted.context), wanted, catalog.num_plurals)
    return [f"{po.parent.parent.name}: {fault}" for fault in found]


def compile_all(root: Path) -> list[Path]:
    """Compiles each .po that is newer than its .mo; returns the .mo files."""
    made = []
    for po in po_files(root):
        mo = po.with_suffix(".mo")
        if not mo.exists() or mo.stat().st_mtime_ns < po.stat().st_mtime_ns:
            # Replaced atomically: another process may be reading it.
            partial = mo.with_suffix(f".{os.getpid()}")
            with partial.open("wb") as file:
                write_mo(file, read(po))
            partial.replace(mo)
        made.append(mo)
    return made


def read(po: Path) -> Catalog:
    """Returns the translation; sentences that are no longer used are under `obsolete`."""
    with po.open("rb") as file:
        return read_po(file, locale=po.parent.parent.name, domain="bocage")


def _faults_of(message: Message | None, wanted: Message, plural_forms: int) -> list[str]:
    if message is None:
        return [f"missing: {_shown(wanted)}"]
    forms = _forms(message.string)
    expected = plural_forms if wanted.pluralizable else 1
    if len(forms) != expected or not all(forms):
        return [f"not translated: {_shown(wanted)}"]
    if message.fuzzy:
        return [f"fuzzy, to be read and unmarked: {_shown(wanted)}"]
    names = {name for form in _forms(wanted.id) for name in _places(form)}
    if any(_places(form) - {"count"} != names - {"count"} for form in forms):
        return [f"other places for values: {_shown(wanted)}"]
    return []


def _forms(text: object) -> tuple[str, ...]:
    """Returns the forms of a sentence: Babel gives a text for one form, a tuple for several."""
    return tuple(str(form) for form in text) if isinstance(text, (tuple, list)) else (str(text or ""),)


def _places(form: str) -> set[str]:
    """Returns the placeholders: names in braces, and those of argparse's own sentences."""
    named = {name for _, name, _, _ in string.Formatter().parse(form) if name is not None}
    return named | set(re.findall(r"%(?:\(\w+\))?[sr]", form))


def _shown(message: Message) -> str:
    text = _forms(message.id)[0]
    return f"{message.context}: {text!r}" if message.context else repr(text)


if __name__ == "__main__":
    main()
