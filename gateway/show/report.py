"""A gateway's state in words: one headline, what is wrong (`gateway/show/findings.py`), then the figures.

Works on the status of an agent, or on what the files alone tell when no agent answers. Parts that are absent are left
out. Changes nothing.
"""

from gateway.core.bearers.modem import ModemState
from gateway.core.status import ABSENT, FORBIDDEN, MUTE, RUNNING, BudgetStatus, FaultStatus, Status
from gateway.language.figures import duration, size
from gateway.show.cabinet_report import cabinet_sections
from gateway.show.directive_report import directive_lines
from gateway.show.findings import bearer_name, findings, percent
from gateway.show.words import why, word, word_or

WELL, ATTENTION, NO_AGENT = 0, 1, 2
_NOBODY = (ABSENT, MUTE, FORBIDDEN)

_LABEL_WIDTH = 12
_UNKNOWN_TOLD_MAX = 4  # kids of unknown nodes on one line


def exit_status(status: Status) -> int:
    """0 well, 1 something wants attention (or it starts, or stops), 2 nobody answers."""
    if status.phase in _NOBODY:
        return NO_AGENT
    return ATTENTION if status.phase != RUNNING or findings(status) else WELL


def headline(status: Status, language: str) -> str:
    """One short line: well, or the gravest finding and how many more."""
    if status.phase != RUNNING:
        return word(status.phase, language)
    found = findings(status)
    if not found:
        return word("well" if status.centre is None or status.centre.connected else "linking", language)
    first = found[0].sentence(language)
    return word("and_more", language, count=len(found) - 1, first=first) if len(found) > 1 else first


def render(status: Status, language: str) -> list[str]:
    """The whole report, a line each."""
    lines = nobody_answers(status, language) or [_title(status, language)]
    for found in findings(status):
        lines += [f"  ! {found.sentence(language)}", f"    → {word('do', language, text=found.to_do(language))}"]
    lines.append("")
    for label, parts in sections(status, language):
        lines.append(f"{word(f'label.{label}', language):{_LABEL_WIDTH}} {' ; '.join(parts)}")
    return lines


def nobody_answers(status: Status, language: str) -> list[str] | None:
    """The headline and what to do where no agent answers; None where one does."""
    if status.phase not in _NOBODY:
        return None
    return [_title(status, language), f"  → {word('do', language, text=word(f'{status.phase}.do', language))}"]


def _title(status: Status, language: str) -> str:
    return f"{status.name} — {headline(status, language)}"


# --- the figures -------------------------------------------------------------------------------------------------


def sections(status: Status, language: str) -> list[tuple[str, list[str]]]:
    """(label of WORDS, what stands behind it), a line each; parts that are absent are left out."""
    makers = (
        ("since", _say_since), ("centre", _say_centre), ("waiting", _say_waiting), ("disk", _say_disk),
        ("losses", _say_losses), ("nodes", _say_nodes), ("clock", _say_clock), ("certificates", _say_certificates),
        ("faults", _say_faults),
    )  # fmt: skip
    found = [(label, make(status, language)) for label, make in makers]
    found[-2:-2] = _bearer_lines(status, language)
    found[1:1] = cabinet_sections(status, language)
    found += [("directives", [line]) for line in directive_lines(status, language)]
    return [(label, parts) for label, parts in found if parts]


def _say_since(status: Status, language: str) -> list[str]:
    if status.uptime_s is None:
        return [word("last_boot", language, boot=status.boot)] if status.boot is not None else []
    shown = "?" if status.boot is None else status.boot
    return [word("since", language, uptime=duration(status.uptime_s, language), boot=shown)]


def _say_centre(status: Status, language: str) -> list[str]:
    centre = status.centre
    if centre is None:
        return []
    since = duration(centre.since_s, language)
    if not centre.connected:
        parts = [word("not_connected", language, since=since, why=why(centre.why, language))]
    elif centre.bearer:
        parts = [word("connected_by", language, bearer=bearer_name(centre.bearer, language), since=since)]
    else:
        parts = [word("connected", language, since=since)]
    marked_s = centre.watermark_ago_s
    if marked_s is None:
        parts.append(word("no_mark", language))
    else:
        parts.append(word("mark", language, ago=duration(marked_s, language)))
    bearers = status.bearers or {}
    for name, bearer in bearers.items() if len(bearers) > 1 else ():
        shown = bearer_name(name, language)
        parts.append(word("bearer_up" if bearer.up else "bearer_down", language, bearer=shown))
    return parts


def _say_waiting(status: Status, language: str) -> list[str]:
    waiting = status.waiting
    if waiting is None:
        return []
    lanes = [(lane, waiting.lanes.get(lane, 0)) for lane in ("alarm", "event", "telemetry")]
    parts = [word(f"lane.{lane}", language, count=count) for lane, count in lanes if count]
    if not parts:
        return [word("nothing", language)]
    if waiting.from_earlier_start:
        parts.append(word("oldest_earlier", language))
    elif waiting.oldest_s is not None:
        parts.append(word("oldest", language, age=duration(max(1, waiting.oldest_s), language)))
    return parts


def _say_disk(status: Status, language: str) -> list[str]:
    disk = status.disk
    if disk is None:
        return []
    parts = []
    if disk.held_bytes is not None:
        held = size(disk.held_bytes, language)
        share = percent(disk.held_bytes, disk.cap_bytes)
        if share is None or disk.cap_bytes is None:
            parts.append(word("held_only", language, held=held))
        else:
            parts.append(word("held", language, held=held, cap=size(disk.cap_bytes, language), share=share))
    if disk.free_bytes is not None:
        parts.append(word("free", language, free=size(disk.free_bytes, language)))
    if disk.written_bytes_a_day is not None:
        parts.append(word("wear", language, wear=size(disk.written_bytes_a_day, language)))
    return parts


def _say_losses(status: Status, language: str) -> list[str]:
    losses = status.losses
    if losses is None:
        return []
    if not losses.records:
        return [word("none_f", language)]
    counts = losses.by_why.items()
    causes = ", ".join(f"{word_or(f'loss.{reason}', reason, language)} {count}" for reason, count in counts)
    return [word("loss_total", language, count=losses.records, why=causes)]


def _say_nodes(status: Status, language: str) -> list[str]:
    nodes = status.nodes
    if nodes is None or not (nodes.heard or nodes.expected != 0 or nodes.unknown):
        return []  # a cabinet without controllers on its lamps
    key = "heard" if nodes.expected is None else "heard_of"
    parts = [word(key, language, count=nodes.heard or 0, expected=nodes.expected)]
    if nodes.silent:
        parts.append(word("quiet", language, count=nodes.silent, after=duration(nodes.silent_after_s, language)))
    if nodes.odd:
        parts.append(word("odd", language, count=nodes.odd))
    if nodes.unknown:
        kids = ", ".join(str(unknown.get("kid", "?")) for unknown in nodes.unknown[:_UNKNOWN_TOLD_MAX])
        parts.append(word("unknown", language, count=len(nodes.unknown), kids=kids))
    return parts


def _say_clock(status: Status, language: str) -> list[str]:
    if status.clock is None:
        return []
    if not status.clock.good:
        return [word("clock_bad", language)]
    return [word("clock_good", language, uncertainty=status.clock.uncertainty_s)]


def _bearer_lines(status: Status, language: str) -> list[tuple[str, list[str]]]:
    """The budget and the modem of each bearer that has one; with its name where there are several."""
    bearers = status.bearers or {}
    found = [("mobile", name, _say_budget(bearer.budget, language)) for name, bearer in bearers.items()]
    found += [("modem", name, _say_modem(bearer.modem, language)) for name, bearer in bearers.items()]
    told = [(label, name, parts) for label, name, parts in found if parts]
    is_single = len({name for _label, name, _parts in told}) == 1
    return [
        (label, parts if is_single else [bearer_name(name, language), *parts]) for label, name, parts in told
    ]


def _say_budget(budget: BudgetStatus | None, language: str) -> list[str]:
    if budget is None:
        return []
    used = size(budget.used, language)
    if not budget.limit:
        return [word("budget_free", language, used=used)]
    share = percent(budget.used, budget.limit)
    return [
        word("budget", language, used=used, limit=size(budget.limit, language), share=share),
        word_or(f"policy.{budget.policy}", str(budget.policy), language),
    ]


def _say_modem(modem: ModemState | None, language: str) -> list[str]:
    if modem is None:
        return []
    link = word_or(f"modem.link.{modem.link}", "", language)
    network = word_or(f"modem.network.{modem.registration}", "", language)
    parts = [str(part) for part in (link, network, modem.operator, modem.technology) if part]
    if modem.signal_dbm is not None:
        parts.append(word("signal", language, dbm=modem.signal_dbm))
    return parts


def _say_certificates(status: Status, language: str) -> list[str]:
    return [
        word("days_unknown" if days is None else "days_left", language, name=name, days=days)
        for name, days in (status.certificates or {}).items()
    ]


def _say_faults(status: Status, language: str) -> list[str]:
    faults = status.faults
    if faults is None:
        return []
    return [
        word("ago", language, ago=duration(fault.ago_s, language), what=fault_words(fault, language))
        for fault in reversed(faults[-5:])
    ] or [word("none", language)]


def fault_words(fault: FaultStatus, language: str) -> str:
    """A fault of the log: what, and the beginning of why."""
    what = word_or(f"event.{fault.what}", fault.what, language)
    detail = next((str(value) for name, value in fault.values.items() if name in _DETAILS), "")
    return word("more_text", language, what=what, detail=detail[:80]) if detail else what


_DETAILS = ("why", "error", "name", "damage", "lane")
