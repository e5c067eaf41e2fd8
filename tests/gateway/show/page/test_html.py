"""No name can break out of our HTML."""

import re

import pytest

from gateway.show.page.html import Safe, join, tag

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onclick='x", "</title><b>", "&lt;b&gt;", "a & b",
    "]]>", "<!--", "\u2028<b>", "javascript:alert(1)", "</form><form action=//evil>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_never_markup(text):
    made = tag("p", text, title=text, data_name=text)
    assert re.fullmatch('<p title="[^"<>]*" data-name="[^"<>]*">[^<>]*</p>', made)
    assert "<b>" not in made and "<script" not in made


def test_elements_stand_in_elements_and_lists_are_flattened():
    made = tag("ul", [tag("li", number) for number in range(2)], None, [["x", [tag("b", "y")]]])
    assert made == "<ul><li>0</li><li>1</li>x<b>y</b></ul>"
    assert isinstance(made, Safe) and join("<", tag("br"), None) == "&lt;<br>"


def test_attributes():
    assert tag("input", class_="a b", name="n", required=True, hidden=False, value=None, data_left=5) == (
        '<input class="a b" name="n" required data-left="5">'
    )


@pytest.mark.parametrize("name", ["", "p onclick", "1p", "p>", "p-é"])
def test_a_name_of_an_element_is_never_a_text_from_outside(name):
    with pytest.raises(AssertionError):
        tag(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jusqu'à 04:00 : oui ?", "jusqu&#x27;à 04:00\u00a0: oui\u00a0?"),
        ("« bourg »", "«\u00a0bourg\u00a0»"),
        ("412 W sur 448 W", "412\u00a0W sur 448\u00a0W"),
        ("90 % de 805 Mo", "90\u00a0% de 805\u00a0Mo"),
        ("2 lampes", "2 lampes"),
        ("3 départs", "3 départs"),
    ],
)
def test_a_line_ends_only_where_french_lets_it(text, shown):
    assert tag("p", text) == f"<p>{shown}</p>"
