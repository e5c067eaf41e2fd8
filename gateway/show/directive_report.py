"""The lines of `gateway status` and `gateway tell --list` about what nodes are told, to whom, until when, by whom."""

from collections.abc import Mapping

from gateway.core.status import DirectiveStatus, Status
from gateway.show.explain import moments
from gateway.show.words import word
from policy import directive_form


def directive_lines(status: Status, language: str, *, with_ids: bool = False) -> list[str]:
    """One line for each directive, those that wait for their time too."""
    return [_line(one, language, with_ids) for one in status.directives or ()]


def _line(one: DirectiveStatus, language: str, with_ids: bool) -> str:
    parts = [f"{_values(one.values, language)} {_scope(one.scope, language)}"]
    if one.state == "waiting" and one.begins_s is not None:
        parts.append(word("told.from", language, at=moments.date_and_clock(one.begins_s, language)))
    if one.expires_s is not None:
        parts.append(word("told.until", language, at=moments.date_and_clock(one.expires_s, language)))
    key = "told.here" if one.source == "here" else "told.centre"
    parts.append(word(key, language, who=one.author, reason=one.reason))
    if one.state == "unknown":
        parts.append(word("told.no_clock", language))
    elif one.state == "active" and one.nodes is not None:
        parts.append(word("told.nodes", language, count=one.nodes))
    shown = ", ".join(parts)
    return f"{one.id}  {shown}" if with_ids else shown


def _values(values: Mapping[str, int], language: str) -> str:
    found = {int(code): value for code, value in values.items() if code.isdigit()}
    try:
        return directive_form.show_all(found, language)
    except IndexError:  # a value of a later release
        return ", ".join(f"{directive_form.name(code, language)} {value}" for code, value in sorted(found.items()))


def _scope(scope: str | None, language: str) -> str:
    return word("told.to_all", language) if scope is None else word("told.to", language, scope=scope)
