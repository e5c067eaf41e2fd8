"""THEFT.md: each line names tests that are there, or says why there is none."""

import re


def test_each_line_names_tests_that_are_there_or_says_why_there_is_none(repository):
    defined = set()
    for path in (repository / "tests").rglob("test_*.py"):
        defined.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    text = (repository / "gateway" / "THEFT.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| a thief can")]
    assert len(lines) > 20
    for line in lines:
        shown_by = line.split(" | ")[-1]
        named = re.findall(r"`(test_\w+)`", shown_by)
        assert (named or "no test: " in shown_by) and defined.issuperset(named), line
