"""Makes HTML from Python calls; escapes every text that is not HTML already, and sets no-break spaces.

    tag("p", "Départ ", tag("b", name), class_="why")

A name from a policy or a command may contain anything that a person, or an attacker, typed: `Safe` is made only here,
from escaped parts, so no screen can forget it. Knows no screen.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Union

from gateway.language.figures import unbroken

_VOID = frozenset(("meta", "link", "input", "br", "hr", "img"))
_NAME = re.compile("[a-zA-Z][a-zA-Z0-9-]*")


class Safe(str):
    """Marks HTML that needs no escaping."""


# `Union`, because a name in quotes cannot be an operand of `|` when it is evaluated.
Child = Union[str, int, None, Iterable["Child"]]  # noqa: UP007
Attribute = str | int | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Safe:
    """Returns an element. A final `_` (for Python's keywords) is dropped, `_` inside is `-`; None and False: left
    out."""
    assert _NAME.fullmatch(name)
    head = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        assert not children
        return Safe(f"<{name}{head}>")
    return Safe(f"<{name}{head}>{join(*children)}</{name}>")


def join(*children: Child) -> Safe:
    """Returns the children without an element around them."""
    return Safe("".join(_shown(child) for child in children))


def _shown(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Safe):
        return child
    if isinstance(child, str | int):
        return escape(unbroken(str(child)))
    return "".join(_shown(one) for one in child)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    assert _NAME.fullmatch(name)
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
