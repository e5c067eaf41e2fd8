"""A gateway's state in words: one headline, what is wrong (`gateway/show/findings.py`), then the figures.

Works on the document of `gateway/shell/facts.py`, or on what the files alone tell when no agent answers. Parts that
are absent are left out: an older or newer agent can be asked as well. Judges, and changes nothing.
"""

from typing import Any

from gateway.show.cabinet_report import cabinet_sections
from gateway.show.directive_report import directive_lines
from gateway.show.findings import bearer_name, budgets, findings, part_of, percent
from gateway.show.words import counted, duration, size, why, word, word_or

WELL, ATTENTION, ABSENT = 0, 1, 2
_NOBODY = ("absent", "mute", "forbidden")

_LABEL_WIDTH = 12
_UNKNOWN_TOLD_MAX = 4  # kids of unknown nodes on one line


def exit_status(document: dict[str, Any]) -> int:
    """0 well, 1 something wants attention (or it starts, or stops), 2 nobody answers."""
    phase = document.get("phase", "mute")
    if phase in _NOBODY:
        return ABSENT
    return ATTENTION if phase != "running" or findings(document) else WELL


def headline(document: dict[str, Any], language: str) -> str:
    """One short line: well, or the gravest finding and how many more."""
    phase = document.get("phase", "mute")
    if phase != "running":
        return word(phase, language)
    found = findings(document)
    if not found:
        return word("well" if document.get("centre", {}).get("connected", True) else "linking", language)
    first = found[0].sentence(language)
    return counted("and_more", language, len(found) - 1, first=first) if len(found) > 1 else first


def render(document: dict[str, Any], language: str) -> list[str]:
    """The whole report, a line each."""
    lines = nobody_answers(document, language) or [_title(document, language)]
    for found in findings(document):
        lines += [f"  ! {found.sentence(language)}", f"    → {word('do', language, text=found.to_do(language))}"]
    lines.append("")
    for label, parts in sections(document, language):
        lines.append(f"{word(f'label.{label}', language):{_LABEL_WIDTH}} {' ; '.join(parts)}")
    return lines


def nobody_answers(document: dict[str, Any], language: str) -> list[str] | None:
    """The headline and what to do where no agent answers; None where one does."""
    phase = document.get("phase", "mute")
    if phase not in _NOBODY:
        return None
    return [_title(document, language), f"  → {word('do', language, text=word(f'{phase}.do', language))}"]


def _title(document: dict[str, Any], language: str) -> str:
    return f"{document.get('name', '?')} — {headline(document, language)}"


# --- the figures -------------------------------------------------------------------------------------------------


def sections(document: dict[str, Any], language: str) -> list[tuple[str, list[str]]]:
    """(label of WORDS, what stands behind it), a line each; parts that are absent are left out."""
    makers = (
        ("since", _say_since), ("centre", _say_centre), ("waiting", _say_waiting), ("disk", _say_disk),
        ("losses", _say_losses), ("nodes", _say_nodes), ("clock", _say_clock), ("mobile", _say_mobile),
        ("modem", _say_modem), ("certificates", _say_certificates), ("faults", _say_faults),
    )  # fmt: skip
    found = [(label, make(document, language)) for label, make in makers]
    found[1:1] = cabinet_sections(document, language)
    found += [("directives", [line]) for line in directive_lines(document, language)]
    return [(label, parts) for label, parts in found if parts]


def _say_since(document: dict[str, Any], language: str) -> list[str]:
    boot = document.get("boot")
    if document.get("uptime_s") is None:
        return [word("last_boot", language, boot=boot)] if boot is not None else []
    shown = "?" if boot is None else boot
    return [word("since", language, uptime=duration(document["uptime_s"], language), boot=shown)]


def _say_centre(document: dict[str, Any], language: str) -> list[str]:
    centre = document.get("centre")
    if not centre:
        return []
    connection = part_of(document, "connection")
    since = duration(centre.get("since_s", 0), language)
    if not centre.get("connected"):
        parts = [word("not_connected", language, since=since, why=why(centre.get("why"), language))]
    elif connection.get("active"):
        bearer = bearer_name(connection["active"], language)
        parts = [word("connected_by", language, bearer=bearer, since=since)]
    else:
        parts = [word("connected", language, since=since)]
    marked_s = centre.get("watermark_ago_s")
    if marked_s is None:
        parts.append(word("no_mark", language))
    else:
        parts.append(word("mark", language, ago=duration(marked_s, language)))
    bearers = connection.get("bearers", {})
    for name, bearer in bearers.items() if len(bearers) > 1 else ():
        shown = bearer_name(name, language)
        parts.append(word("bearer_up" if bearer.get("up") else "bearer_down", language, bearer=shown))
    return parts


def _say_waiting(document: dict[str, Any], language: str) -> list[str]:
    waiting = document.get("waiting")
    if waiting is None:
        return []
    lanes = [(lane, waiting.get("lanes", {}).get(lane, 0)) for lane in ("alarm", "event", "telemetry")]
    parts = [counted(f"lane.{lane}", language, count) for lane, count in lanes if count]
    if not parts:
        return [word("nothing", language)]
    if waiting.get("from_earlier_start"):
        parts.append(word("oldest_earlier", language))
    elif waiting.get("oldest_s") is not None:
        parts.append(word("oldest", language, age=duration(max(1, waiting["oldest_s"]), language)))
    return parts


def _say_disk(document: dict[str, Any], language: str) -> list[str]:
    disk = document.get("disk")
    if not disk:
        return []
    parts = []
    share = percent(disk.get("held_bytes"), disk.get("cap_bytes"))
    if share is not None:
        held, cap = size(disk["held_bytes"], language), size(disk["cap_bytes"], language)
        parts.append(word("held", language, held=held, cap=cap, share=share))
    elif disk.get("held_bytes") is not None:
        parts.append(word("held_only", language, held=size(disk["held_bytes"], language)))
    if disk.get("free_bytes") is not None:
        parts.append(word("free", language, free=size(disk["free_bytes"], language)))
    if disk.get("written_bytes_a_day") is not None:
        parts.append(word("wear", language, wear=size(disk["written_bytes_a_day"], language)))
    return parts


def _say_losses(document: dict[str, Any], language: str) -> list[str]:
    losses = document.get("losses")
    if losses is None:
        return []
    if not losses.get("records"):
        return [word("none_f", language)]
    by_why = losses.get("by_why", {})
    causes = ", ".join(f"{word_or(f'loss.{reason}', reason, language)} {count}" for reason, count in by_why.items())
    return [counted("loss_total", language, losses["records"], why=causes)]


def _say_nodes(document: dict[str, Any], language: str) -> list[str]:
    nodes = document.get("nodes")
    if not nodes or not (nodes.get("heard") or nodes.get("expected", True) or nodes.get("unknown")):
        return []  # a cabinet without controllers on its lamps
    key = "heard" if nodes.get("expected") is None else "heard_of"
    parts = [counted(key, language, nodes.get("heard", 0), expected=nodes.get("expected"))]
    if nodes.get("silent"):
        after = duration(nodes.get("silent_after_s", 0), language)
        parts.append(counted("quiet", language, nodes["silent"], after=after))
    if nodes.get("odd"):
        parts.append(counted("odd", language, nodes["odd"]))
    if nodes.get("unknown"):
        kids = ", ".join(unknown["kid"] for unknown in nodes["unknown"][:_UNKNOWN_TOLD_MAX])
        parts.append(counted("unknown", language, len(nodes["unknown"]), kids=kids))
    return parts


def _say_clock(document: dict[str, Any], language: str) -> list[str]:
    clock = document.get("clock")
    if clock is None:
        return []
    if not clock.get("good"):
        return [word("clock_bad", language)]
    return [word("clock_good", language, uncertainty=clock.get("uncertainty_s"))]


def _say_mobile(document: dict[str, Any], language: str) -> list[str]:
    parts = []
    for budget in budgets(document).values():
        used, limit = size(budget.get("used", 0), language), budget.get("limit")
        if not limit:
            parts.append(word("budget_free", language, used=used))
            continue
        share = percent(budget.get("used", 0), limit)
        parts.append(word("budget", language, used=used, limit=size(limit, language), share=share))
        parts.append(word_or(f"policy.{budget.get('policy')}", str(budget.get("policy")), language))
    return parts


def _say_modem(document: dict[str, Any], language: str) -> list[str]:
    modem = part_of(document, "modem")
    told = [word_or(f"modem.link.{modem.get('link')}", "", language)] if modem.get("link") else []
    network = word_or(f"modem.network.{modem.get('registration')}", "", language)
    operator = (modem.get(name) for name in ("operator", "technology"))
    parts = [*told, *(str(part) for part in (network, *operator) if part)]
    if modem.get("signal_dbm") is not None:
        parts.append(word("signal", language, dbm=modem["signal_dbm"]))
    return parts


def _say_certificates(document: dict[str, Any], language: str) -> list[str]:
    return [
        word("days_unknown" if days is None else "days_left", language, name=name, days=days)
        for name, days in document.get("certificates", {}).items()
    ]


def _say_faults(document: dict[str, Any], language: str) -> list[str]:
    faults = document.get("faults")
    if faults is None:
        return []
    return [
        word("ago", language, ago=duration(fault["ago_s"], language), what=fault_words(fault, language))
        for fault in reversed(faults[-5:])
    ] or [word("none", language)]


def fault_words(fault: dict[str, Any], language: str) -> str:
    """A fault of the log: what, and the beginning of why."""
    what = word_or(f"event.{fault['what']}", fault["what"], language)
    detail = next((str(value) for name, value in fault.get("values", {}).items() if name in _DETAILS), "")
    return word("more_text", language, what=what, detail=detail[:80]) if detail else what


_DETAILS = ("why", "error", "name", "damage", "lane")
