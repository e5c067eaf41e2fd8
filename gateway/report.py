"""A gateway's state in words: one headline, what is wrong and what to do about it, then the figures.

Works on the document of `gateway/facts.py`, or on what the files alone tell when no agent answers. Parts that
are absent are left out: an older or newer agent can be asked as well. Judges, and changes nothing.
"""

from typing import Any, NamedTuple

from gateway.io import tls
from gateway.words import WORDS, counted, duration, size, why, word, word_or

WELL, ATTENTION, ABSENT = 0, 1, 2
_NOBODY = ("absent", "mute", "forbidden")

# A reconnection takes seconds, a change of bearer half a minute; beyond, somebody should look.
_LINK_DOWN_S = 180
# The centre restarts and catches up; a watermark follows each batch, so with records waiting this long is odd.
_CENTRE_SILENT_S = 900
_RECENT_S = 600
_DAYS_LEFT_MIN = 30
_JOURNAL_FULL_PERCENT = 90
_FREE_BYTES_MIN = 64 * 1024 * 1024
_UNHEARD_S = 900
# A modem that has just been powered takes its time.
_MODEM_STARTS_S = 300
_LABEL_WIDTH = 12

# What the technician on the spot cannot mend: the server refuses, or what it says is wrong.
_AT_THE_CENTRE = ("connection-refused", "mqtt-", "not-mqtt", "connection-closed")


class Finding(NamedTuple):
    """Something that wants attention: a key of WORDS, the values for its sentence, and the remedy's own key."""

    key: str
    values: dict[str, Any]
    remedy: str = ""

    def sentence(self, language: str) -> str:
        values = _spoken(self.values, language)
        return counted(self.key, language, values.pop("count", 0), **values)

    def to_do(self, language: str) -> str:
        if self.remedy in tls.REMEDIES:
            return tls.remedy(self.remedy, language)
        return word(self.remedy or f"{self.key}.do", language, **_spoken(self.values, language))


class _Said(NamedTuple):
    """A value that is put into words only when the language is known."""

    function: Any
    value: Any


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
    phase = document.get("phase", "mute")
    lines = [f"{document.get('name', '?')} — {headline(document, language)}"]
    if phase in _NOBODY:
        lines.append(f"  → {word('do', language, text=word(f'{phase}.do', language))}")
    for found in findings(document):
        lines += [f"  ! {found.sentence(language)}", f"    → {word('do', language, text=found.to_do(language))}"]
    lines.append("")
    for label, parts in _sections(document, language):
        lines.append(f"{word(f'label.{label}', language):{_LABEL_WIDTH}} {' ; '.join(parts)}")
    return lines


# --- what is wrong -----------------------------------------------------------------------------------------------


def findings(document: dict[str, Any]) -> list[Finding]:
    """What wants attention, the gravest first. Empty for an agent that does not run: that is its headline."""
    if document.get("phase") != "running":
        return []
    parts = (_stuck, _writing, _room, _letting_go, _link, _certificates, _time, _bearers, _modem, _silence, _serving)
    return [found for part in parts for found in part(document)]


def _stuck(document: dict[str, Any]) -> list[Finding]:
    late = [str(one.get("name")) for one in document.get("late", [])]
    # Some have a sentence of their own: the agent is not restarted for them.
    apart = [f"late.{name}" for name in late if f"late.{name}" in WORDS]
    names = ", ".join(name for name in late if f"late.{name}" not in WORDS)
    return [*([Finding("late", {"names": names})] if names else []), *(Finding(key, {}) for key in apart)]


def _writing(document: dict[str, Any]) -> list[Finding]:
    recent = {fault["what"]: fault for fault in document.get("faults", []) if fault["ago_s"] < _RECENT_S}
    found = []
    if "journal-sync-failed" in recent:
        found.append(Finding("write", {}))
    for what in ("record-refused", "own-record-refused"):
        if what in recent:
            found.append(Finding("refused", {"why": recent[what]["values"].get("why", "?")}))
            break
    return found


def _room(document: dict[str, Any]) -> list[Finding]:
    disk = document.get("disk", {})
    found = []
    if disk.get("free_bytes") is not None and disk["free_bytes"] < _FREE_BYTES_MIN:
        found.append(Finding("card_full", {"free": _Said(size, disk["free_bytes"])}))
    share = _percent(disk.get("held_bytes"), disk.get("cap_bytes"))
    if share is not None and share >= _JOURNAL_FULL_PERCENT:
        found.append(Finding("journal_full", {"share": share}))
    return found


def _letting_go(document: dict[str, Any]) -> list[Finding]:
    count = document.get("losses", {}).get("last_day", 0)
    return [Finding("lost", {"count": count})] if count else []


def _link(document: dict[str, Any]) -> list[Finding]:
    centre = document.get("centre", {})
    since_s = centre.get("since_s", 0)
    if not centre.get("connected", True):
        if since_s < _LINK_DOWN_S:
            return []
        values = {"since": _Said(duration, since_s), "broker": centre.get("broker", "?")}
        name = str(centre.get("why") or "").partition(":")[0]
        if name in tls.REMEDIES:
            return [Finding("centre", values, name)]
        return [Finding("centre", values, "centre.do.server" if name.startswith(_AT_THE_CENTRE) else "")]
    if centre.get("deaf"):
        return [Finding("deaf", {})]
    marked_s = centre.get("watermark_ago_s")
    silent_s = since_s if marked_s is None else min(marked_s, since_s)
    lanes = document.get("waiting", {}).get("lanes", {})
    held = ("telemetry",) if _policy(document) == "hold" else ()  # not sent, so nobody can confirm it
    if any(count for lane, count in lanes.items() if lane not in held) and silent_s >= _CENTRE_SILENT_S:
        return [Finding("silent", {"since": _Said(duration, silent_s)})]
    return []


def _certificates(document: dict[str, Any]) -> list[Finding]:
    return [
        Finding("expired" if days < 0 else "certificate", {"name": name, "days": days})
        for name, days in document.get("certificates", {}).items()
        if days is not None and days < _DAYS_LEFT_MIN
    ]


def _time(document: dict[str, Any]) -> list[Finding]:
    # A start without network takes a moment to find its time server.
    early = document.get("uptime_s", 0) < _RECENT_S
    return [] if early or document.get("clock", {}).get("good", True) else [Finding("clock", {})]


def _bearers(document: dict[str, Any]) -> list[Finding]:
    """Another than the preferred one carries, or nothing stands by. Without any link `_link` has said so."""
    policy = _policy(document)
    if policy in ("thin", "hold"):
        return [Finding(policy, {})]
    connection = _part(document, "connection")
    active, names = connection.get("active"), list(connection.get("bearers", {}))
    if active not in names:
        return []
    down = [name for name in names if name != active and not connection["bearers"][name].get("up", True)]
    return [
        Finding("detour", {"bearer": _Said(_bearer, name), "active": _Said(_bearer, active)})
        if names.index(name) < names.index(active)
        else Finding("standby", {"bearer": _Said(_bearer, name)})
        for name in down
    ]


def _modem(document: dict[str, Any]) -> list[Finding]:
    """The first trouble on the way from the plug to the operator."""
    modem = _part(document, "modem")
    if document.get("uptime_s", 0) < _MODEM_STARTS_S:
        return []
    for part, remedy in (("link", "modem.do"), ("sim", "modem.do.sim"), ("registration", "modem.do.operator")):
        key = f"modem.{part}.{modem.get(part)}"
        if key in WORDS and key != "modem.link.answers":
            return [Finding("modem", {"why": _Said(word, key)}, remedy)]
    return []


def _silence(document: dict[str, Any]) -> list[Finding]:
    nodes = document.get("nodes", {})
    unheard = nodes.get("heard") == 0 and nodes.get("expected") != 0
    return [Finding("unheard", {})] if unheard and document.get("uptime_s", 0) >= _UNHEARD_S else []


def _serving(document: dict[str, Any]) -> list[Finding]:
    for fault in document.get("faults", []):
        if fault["what"] == "cannot-serve":
            return [Finding("cannot_serve", {"why": fault["values"].get("error", "?")})]
    return []


# --- the figures -------------------------------------------------------------------------------------------------


def _sections(document: dict[str, Any], language: str) -> list[tuple[str, list[str]]]:
    makers = (
        ("since", _say_since), ("centre", _say_centre), ("waiting", _say_waiting), ("disk", _say_disk),
        ("losses", _say_losses), ("nodes", _say_nodes), ("clock", _say_clock), ("mobile", _say_mobile),
        ("modem", _say_modem), ("certificates", _say_certificates), ("faults", _say_faults),
    )  # fmt: skip
    sections = [(label, make(document, language)) for label, make in makers]
    return [(label, parts) for label, parts in sections if parts]


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
    connection = _part(document, "connection")
    since = duration(centre.get("since_s", 0), language)
    if not centre.get("connected"):
        parts = [word("not_connected", language, since=since, why=why(centre.get("why"), language))]
    elif connection.get("active"):
        bearer = _bearer(connection["active"], language)
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
        shown = _bearer(name, language)
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
    share = _percent(disk.get("held_bytes"), disk.get("cap_bytes"))
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
    if not nodes:
        return []
    key = "heard" if nodes.get("expected") is None else "heard_of"
    parts = [counted(key, language, nodes.get("heard", 0), expected=nodes.get("expected"))]
    if nodes.get("silent"):
        after = duration(nodes.get("silent_after_s", 0), language)
        parts.append(counted("quiet", language, nodes["silent"], after=after))
    if nodes.get("odd"):
        parts.append(counted("odd", language, nodes["odd"]))
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
    for budget in _budgets(document).values():
        used, limit = size(budget.get("used", 0), language), budget.get("limit")
        if not limit:
            parts.append(word("budget_free", language, used=used))
            continue
        share = _percent(budget.get("used", 0), limit)
        parts.append(word("budget", language, used=used, limit=size(limit, language), share=share))
        parts.append(word_or(f"policy.{budget.get('policy')}", str(budget.get("policy")), language))
    return parts


def _say_modem(document: dict[str, Any], language: str) -> list[str]:
    modem = _part(document, "modem")
    told = [word_or(f"modem.link.{modem.get('link')}", "", language)] if modem.get("link") else []
    parts = [*told, *(str(modem[name]) for name in ("operator", "technology") if modem.get(name))]
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
        word("ago", language, ago=duration(fault["ago_s"], language), what=_fault(fault, language))
        for fault in reversed(faults[-5:])
    ] or [word("none", language)]


def _fault(fault: dict[str, Any], language: str) -> str:
    what = word_or(f"event.{fault['what']}", fault["what"], language)
    detail = next((str(value) for name, value in fault.get("values", {}).items() if name in _DETAILS), "")
    return word("more_text", language, what=what, detail=detail[:80]) if detail else what


_DETAILS = ("why", "error", "name", "damage", "lane")


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of the core's health; empty when the core has none such."""
    part = document.get("health", {}).get(name)
    return part if isinstance(part, dict) else {}


def _bearer(name: str, language: str) -> str:
    return word_or(f"bearer.{name}", name, language)


def _policy(document: dict[str, Any]) -> str | None:
    """What the budget of the bearer that carries lets pass; None where none is counted."""
    active = _part(document, "connection").get("active") or ""
    return _budgets(document).get(active, {}).get("policy")


def _budgets(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By bearer, the metered ones."""
    return {name: budget for name, budget in _part(document, "budget").items() if isinstance(budget, dict)}


def _percent(part: int | None, whole: int | None) -> int | None:
    return None if part is None or not whole else 100 * part // whole


def _spoken(values: dict[str, Any], language: str) -> dict[str, Any]:
    return {
        name: value.function(value.value, language) if isinstance(value, _Said) else value
        for name, value in values.items()
    }
