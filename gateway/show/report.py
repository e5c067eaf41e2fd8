"""Puts a gateway's state into words: one headline, the findings (`gateway/show/findings.py`), then the figures.

Works on the status of an agent, or on what the files show when no agent answers. Absent parts are left
out. The lines about a cabinet and about directives are here too. Changes nothing.
"""

from collections.abc import Mapping

from gateway.core.bearers.modem import ModemState
from gateway.core.status import (
    ABSENT,
    FORBIDDEN,
    MUTE,
    RUNNING,
    BudgetStatus,
    CabinetStatus,
    DirectiveStatus,
    FaultStatus,
    FeederStatus,
    Status,
)
from gateway.language import directives
from gateway.language.figures import duration, number, size
from gateway.language.values import value_text
from gateway.show import feeder_state
from gateway.show.explain import moments
from gateway.show.findings import alarm_findings, bearer_name, findings, percent
from gateway.show.words import why, word, word_or
from wire import event

WELL, ATTENTION, NO_AGENT = 0, 1, 2
_NO_ANSWER = (ABSENT, MUTE, FORBIDDEN)

# The label and the parts of one line.
Section = tuple[str, list[str]]

_LABEL_WIDTH = 12
_DETAILS = ("why", "error", "name", "damage", "lane")
_UNKNOWN_SHOWN_MAX = 4  # kids of unknown nodes on one line


def exit_status(status: Status) -> int:
    """Returns the exit status: 0 well, 1 something needs attention (or it starts, or stops), 2 no agent answers."""
    if status.phase in _NO_ANSWER:
        return NO_AGENT
    return ATTENTION if status.phase != RUNNING or findings(status) else WELL


def headline(status: Status, language: str) -> str:
    """Returns one short line: well, or the gravest finding and how many more."""
    if status.phase != RUNNING:
        return word(status.phase, language)
    found = findings(status)
    if not found:
        return word("well" if status.centre is None or status.centre.connected else "linking", language)
    first = found[0].sentence(language)
    return word("and_more", language, count=len(found) - 1, first=first) if len(found) > 1 else first


def render(status: Status, language: str) -> list[str]:
    """Returns the whole report, line by line."""
    lines = no_answer_lines(status, language) or [_title(status, language)]
    for found in findings(status):
        lines += [f"  ! {found.sentence(language)}", f"    → {word('do', language, text=found.to_do(language))}"]
    lines.append("")
    for label, parts in sections(status, language):
        lines.append(f"{word(f'label.{label}', language):{_LABEL_WIDTH}} {' ; '.join(parts)}")
    return lines


def no_answer_lines(status: Status, language: str) -> list[str] | None:
    """Returns the headline and what to do where no agent answers; None where one does."""
    if status.phase not in _NO_ANSWER:
        return None
    return [_title(status, language), f"  → {word('do', language, text=word(f'{status.phase}.do', language))}"]


def _title(status: Status, language: str) -> str:
    return f"{status.name} — {headline(status, language)}"


# --- the figures -------------------------------------------------------------------------------------------------


def sections(status: Status, language: str) -> list[tuple[str, list[str]]]:
    """Returns (label of WORDS, its parts) for each line; absent parts are left out."""
    makers = (
        ("since", _since_parts), ("centre", _centre_parts), ("waiting", _waiting_parts), ("disk", _disk_parts),
        ("losses", _losses_parts), ("nodes", _nodes_parts), ("clock", _clock_parts),
        ("certificates", _certificates_parts), ("faults", _faults_parts),
    )  # fmt: skip
    found = [(label, make(status, language)) for label, make in makers]
    found[-2:-2] = _bearer_lines(status, language)
    found[1:1] = cabinet_sections(status, language)
    found += [("directives", [line]) for line in directive_lines(status, language)]
    found += [("campaign", [line]) for line in campaign_lines(status, language)]
    return [(label, parts) for label, parts in found if parts]


def _since_parts(status: Status, language: str) -> list[str]:
    if status.uptime_s is None:
        return [word("last_boot", language, boot=status.boot)] if status.boot is not None else []
    shown = "?" if status.boot is None else status.boot
    return [word("since", language, uptime=duration(status.uptime_s, language), boot=shown)]


def _centre_parts(status: Status, language: str) -> list[str]:
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
    receipt_s = centre.receipt_ago_s
    if receipt_s is None:
        parts.append(word("no_mark", language))
    else:
        parts.append(word("mark", language, ago=duration(receipt_s, language)))
    bearers = status.bearers or {}
    for name, bearer in bearers.items() if len(bearers) > 1 else ():
        shown = bearer_name(name, language)
        parts.append(word("bearer_up" if bearer.up else "bearer_down", language, bearer=shown))
    return parts


def _waiting_parts(status: Status, language: str) -> list[str]:
    waiting = status.waiting
    if waiting is None:
        return []
    lanes = [(lane, waiting.lanes.get(lane, 0)) for lane in event.BATCH_LANES]
    parts = [word(f"lane.{lane}", language, count=count) for lane, count in lanes if count]
    if not parts:
        return [word("nothing", language)]
    if waiting.from_earlier_start:
        parts.append(word("oldest_earlier", language))
    elif waiting.oldest_s is not None:
        parts.append(word("oldest", language, age=duration(max(1, waiting.oldest_s), language)))
    return parts


def _disk_parts(status: Status, language: str) -> list[str]:
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


def _losses_parts(status: Status, language: str) -> list[str]:
    losses = status.losses
    if losses is None:
        return []
    if not losses.records:
        return [word("none_f", language)]
    counts = losses.by_why.items()
    causes = ", ".join(f"{word_or(f'loss.{reason}', reason, language)} {count}" for reason, count in counts)
    return [word("loss_total", language, count=losses.records, why=causes)]


def _nodes_parts(status: Status, language: str) -> list[str]:
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
        kids = ", ".join(str(unknown.get("kid", "?")) for unknown in nodes.unknown[:_UNKNOWN_SHOWN_MAX])
        parts.append(word("unknown", language, count=len(nodes.unknown), kids=kids))
    return parts


def _clock_parts(status: Status, language: str) -> list[str]:
    if status.clock is None:
        return []
    if not status.clock.good:
        return [word("clock_bad", language)]
    return [word("clock_good", language, uncertainty=status.clock.uncertainty_s)]


def _bearer_lines(status: Status, language: str) -> list[tuple[str, list[str]]]:
    """Returns the lines for the budget and the modem of each bearer that has one; named where there are several."""
    bearers = status.bearers or {}
    found = [("mobile", name, _budget_parts(bearer.budget, language)) for name, bearer in bearers.items()]
    found += [("modem", name, _modem_parts(bearer.modem, language)) for name, bearer in bearers.items()]
    shown = [(label, name, parts) for label, name, parts in found if parts]
    is_single = len({name for _label, name, _parts in shown}) == 1
    return [
        (label, parts if is_single else [bearer_name(name, language), *parts]) for label, name, parts in shown
    ]


def _budget_parts(budget: BudgetStatus | None, language: str) -> list[str]:
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


def _modem_parts(modem: ModemState | None, language: str) -> list[str]:
    if modem is None:
        return []
    link = word_or(f"modem.link.{modem.link}", "", language)
    network = word_or(f"modem.network.{modem.registration}", "", language)
    parts = [str(part) for part in (link, network, modem.operator, modem.technology) if part]
    if modem.signal_dbm is not None:
        parts.append(word("signal", language, dbm=modem.signal_dbm))
    return parts


def _certificates_parts(status: Status, language: str) -> list[str]:
    return [
        word(
            "days_unknown" if days is None else "days_left",
            language,
            name=word_or(f"certificate_of.{name}", name, language),
            days=days,
        )
        for name, days in (status.certificates or {}).items()
    ]


def _faults_parts(status: Status, language: str) -> list[str]:
    faults = status.faults
    if faults is None:
        return []
    return [
        word("ago", language, ago=duration(fault.ago_s, language), what=fault_words(fault, language))
        for fault in reversed(faults[-5:])
    ] or [word("none", language)]


def fault_words(fault: FaultStatus, language: str) -> str:
    """Returns a fault of the log in words: its event, and the beginning of its reason."""
    what = word_or(f"event.{fault.what}", fault.what, language)
    detail = next((str(value) for name, value in fault.values.items() if name in _DETAILS), "")
    return word("more_text", language, what=what, detail=detail[:80]) if detail else what


def cabinet_sections(status: Status, language: str) -> list[Section]:
    """Returns (label, parts) for each line; nothing without a cabinet."""
    cabinet = status.cabinet
    if cabinet is None:
        return []
    return [
        *(("feeder", _feeder(cabinet, feeder, language)) for feeder in cabinet.feeders),
        ("cabinet", _cabinet(cabinet, language)),
        ("policy", _policy(cabinet, language)),
        ("lease", _lease(cabinet, language)),
        ("alarms", _alarms(status, language)),
    ]


def _feeder(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> list[str]:
    state, since_s = feeder_state.state_text(cabinet, feeder, language), feeder_state.age_s(cabinet, feeder)
    if since_s is not None:
        state += f" ({duration(since_s, language)})"
    parts = [word("feeder", language, name=feeder.name, state=state)]
    if feeder.power_w is not None and feeder.normal_w and feeder.ordered:
        power, expected = round(feeder.power_w), round(feeder.normal_w)
        parts.append(word("feeder.power_of", language, power=power, expected=expected))
    elif feeder.power_w is not None:
        parts.append(word("feeder.power", language, power=round(feeder.power_w)))
    if feeder.rule is not None:
        parts.append(word("feeder.by", language, rule=value_text("rule", feeder.rule, language)))
    return parts


def _cabinet(cabinet: CabinetStatus, language: str) -> list[str]:
    parts = []
    for value, key in ((cabinet.in_control, "control"), (cabinet.mains, "mains")):
        if value is not None:
            parts.append(word(f"{key}.{'yes' if value else 'no'}", language))
    if cabinet.door_open is not None:
        parts.append(word("door.open" if cabinet.door_open else "door.closed", language))
    if cabinet.switch is not None:
        parts.append(word_or(f"switch.{cabinet.switch}", cabinet.switch, language))
    if cabinet.temperature_c is not None:
        parts.append(word("temperature", language, celsius=number(cabinet.temperature_c, language)))
    return parts


def _policy(cabinet: CabinetStatus, language: str) -> list[str]:
    policy = cabinet.policy
    if policy.version is None:
        return [word("policy.none", language)]
    parts = [word("policy.number", language, version=policy.version)]
    parts += [part for part in (policy.authority, policy.text) if part]
    if policy.valid_until_s is not None:
        key = "policy.expired" if policy.state == "expired" else "policy.until"
        parts.append(word(key, language, date=moments.date_and_clock(policy.valid_until_s, language)))
    if policy.next_version is not None:
        parts.append(word("policy.next", language, version=policy.next_version))
    return parts


def _lease(cabinet: CabinetStatus, language: str) -> list[str]:
    if cabinet.lease.held is None:
        return []
    if not cabinet.lease.held:
        return [word("lease.none", language)]
    if cabinet.lease.left_s is None:
        return [word("lease.held.bare", language)]
    return [word("lease.held", language, left=duration(cabinet.lease.left_s, language))]


def _alarms(status: Status, language: str) -> list[str]:
    parts = []
    for found in alarm_findings(status):
        sentence, since_s = found.sentence(language), found.since_s
        if since_s is None:
            parts.append(sentence)
        else:
            parts.append(word("alarm.since", language, sentence=sentence, since=duration(since_s, language)))
    return parts or [word("none_f", language)]


def directive_lines(status: Status, language: str, *, with_ids: bool = False) -> list[str]:
    """Returns one line for each directive, including those that wait for their time."""
    return [_line(one, language, with_ids) for one in status.directives or ()]


def campaign_lines(status: Status, language: str) -> list[str]:
    """Returns one line for each campaign: its phase, how many nodes stand where, and which have failed."""
    lines = []
    for one in status.campaigns or ():
        left = "" if one.soak_left_s is None else duration(one.soak_left_s, language)
        phase = value_text("phase", one.phase, language)
        phase = word_or(f"campaign.{one.phase}", phase, language, left=left, count=one.canaries)
        parts = [word("campaign.of", language, product=one.product, number=one.number, phase=phase)]
        parts += [word_or(f"node.{state}", state, language, count=count) for state, count in one.counts.items()]
        if one.unheard:
            parts.append(word("node.unheard", language, count=one.unheard))
        for failed in one.failed:
            parts.append(word("feeder", language, name=failed.node, state=value_text("outcome", failed.why, language)))
        lines.append(" ; ".join(parts))
    return lines


def _line(one: DirectiveStatus, language: str, with_ids: bool) -> str:
    parts = [f"{_values(one.values, language)} {_scope(one.scope, language)}"]
    if one.state == "waiting" and one.begins_s is not None:
        parts.append(word("directive.from", language, at=moments.date_and_clock(one.begins_s, language)))
    if one.expires_s is not None:
        parts.append(word("directive.until", language, at=moments.date_and_clock(one.expires_s, language)))
    key = "directive.here" if one.source == "here" else "directive.centre"
    parts.append(word(key, language, who=one.author, reason=one.reason))
    if one.state == "unknown":
        parts.append(word("directive.no_clock", language))
    elif one.state == "active" and one.nodes is not None:
        parts.append(word("directive.nodes", language, count=one.nodes))
    shown = ", ".join(parts)
    return f"{one.id}  {shown}" if with_ids else shown


def _values(values: Mapping[str, int], language: str) -> str:
    found = {int(code): value for code, value in values.items() if code.isdigit()}
    return directives.text(found, language)


def _scope(scope: str | None, language: str) -> str:
    return word("directive.to_all", language) if scope is None else word("directive.to", language, scope=scope)
