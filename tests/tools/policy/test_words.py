"""The sentences of `bocage policy`: a remedy for what is wrong, figures as people write them."""

import ast

from tools.policy import words

FAULT_WORDS = list(words.WORDS.messages)[: list(words.WORDS.messages).index("to_do")]


def remedies(source):
    """(line, remedy) of each fault that a source makes: `Fault(where, problem, remedy)`, `faults.add(...)`,
    `table.fault(...)`; an f-string counts by the text in it."""
    for node in ast.walk(ast.parse(source)):
        name = getattr(getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", None))
        if not isinstance(node, ast.Call) or name not in ("Fault", "add", "fault") or len(node.args) < 3:
            continue
        remedy = node.args[2].args[0] if isinstance(node.args[2], ast.Call) else node.args[2]
        parts = remedy.values if isinstance(remedy, ast.JoinedStr) else [remedy]
        if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts):
            yield node.lineno, "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def test_no_fault_anywhere_leaves_its_reader_without_a_remedy(repository):
    found = []
    for folder in ("firmware", "gateway", "tools"):
        for path in sorted((repository / folder).rglob("*.py")):
            if path.parent.name == "wire":
                continue  # its faults are of bytes, and for counters
            text = path.read_text(encoding="utf-8")
            found += [(path.name, *one) for one in remedies(text)] if "ault" in text else []
    assert len(found) > 100
    assert [one for one in found if not one[2].strip() or one[2] == "None"] == []


def test_a_fault_without_a_remedy_is_seen():
    planted = 'faults.add(path, "is 3", "")\nFault("", "is wrong", None)\nfaults.add(path, "is 4", "give 5")\n'
    assert list(remedies(planted)) == [(1, ""), (2, "None"), (3, "give 5")]


def test_every_fault_of_a_text_has_a_remedy():
    for key in FAULT_WORDS:
        if not key.endswith(".do") and not key.startswith("type."):
            assert words.WORDS.messages[f"{key}.do"].strip()


def test_what_has_a_remedy_gives_it_from_the_values_of_the_fault():
    with_remedy = [key.removesuffix(".do") for key in words.WORDS.messages if key.endswith(".do")]
    assert set(with_remedy) <= set(words.WORDS.messages)


def test_instants_and_durations_are_told_as_people_write_them():
    assert words.moment(1_800_000_000, "fr") == "15/01/2027 à 09:00"
    assert words.moment(1_800_000_000, "en") == "2027-01-15 at 09:00"
    assert words.duration(30_300, "fr") == "8 h 25"
    assert words.duration(30_300, "en") == "8 h 25 min"
    assert words.clock(65) == "01:05"
