"""The lines of `gateway status` and `gateway tell --list` about what nodes are told, to whom, until when, by whom.

Reads the document of `gateway/shell/facts.py`; what is not as expected is left out. Judges nothing.
"""

from typing import Any

from gateway.show.explain import moments
from gateway.show.words import counted, word
from policy import directive_form


def directive_lines(document: dict[str, Any], language: str, *, with_ids: bool = False) -> list[str]:
    """One for each, those that wait for their time too."""
    told = document.get("directives")
    return [_line(one, language, with_ids) for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _line(one: dict[str, Any], language: str, with_ids: bool) -> str:
    parts = [f"{_values(one.get('values'), language)} {_scope(one.get('scope'), language)}"]
    if one.get("state") == "waiting" and isinstance(one.get("begins_s"), int):
        parts.append(word("told.from", language, at=moments.date_and_clock(one["begins_s"], language)))
    if isinstance(one.get("expires_s"), int):
        parts.append(word("told.until", language, at=moments.date_and_clock(one["expires_s"], language)))
    key = "told.here" if one.get("source") == "here" else "told.centre"
    parts.append(word(key, language, who=one.get("author", "?"), reason=one.get("reason", "?")))
    if one.get("state") == "unknown":
        parts.append(word("told.no_clock", language))
    elif one.get("state") == "active" and isinstance(one.get("nodes"), int):
        parts.append(counted("told.nodes", language, one["nodes"]))
    shown = ", ".join(parts)
    return f"{one.get('id', '?')}  {shown}" if with_ids else shown


def _values(values: Any, language: str) -> str:
    if not isinstance(values, dict):
        return "?"
    found = {int(code): value for code, value in values.items() if str(code).isdigit() and isinstance(value, int)}
    try:
        return directive_form.show_all(found, language)
    except IndexError:  # a value of a later release
        return ", ".join(f"{directive_form.name(code, language)} {value}" for code, value in sorted(found.items()))


def _scope(scope: Any, language: str) -> str:
    return word("told.to_all", language) if scope is None else word("told.to", language, scope=scope)
