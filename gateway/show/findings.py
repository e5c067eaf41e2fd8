"""Finds what needs attention at a gateway, the gravest first, each with its sentence and what to do about it.

Absent parts of the status are skipped. It judges, and changes nothing; `gateway/show/report.py` lays it out.
"""

from functools import partial
from itertools import zip_longest
from typing import Any, NamedTuple

from gateway.core.bearers.modem import ModemState
from gateway.core.status import RUNNING, AlarmStatus, BabblingNode, CentreStatus, DiskStatus, Status, WaitingStatus
from gateway.io import tls
from gateway.language.figures import duration, size
from gateway.language.values import value_text
from gateway.show import feeder_state
from gateway.show.words import WORDS, word, word_or
from wire import event, event_table

# A reconnection takes seconds, a change of bearer half a minute; longer than this needs attention.
_LINK_DOWN_S = 180
# The centre restarts and catches up; a receipt follows each batch, so with records waiting this long is odd.
_CENTRE_SILENT_S = 900
# Of a day ago, what a stranger tried is still shown to the technician who comes.
_REFUSED_SHOWN_S = 86_400
_RECENT_S = 600
_DAYS_LEFT_MIN = 30
_JOURNAL_FULL_PERCENT = 90
_FREE_BYTES_MIN = 64 * 1024 * 1024
_UNHEARD_S = 900
# A modem that has just been powered needs time to start.
_MODEM_STARTS_S = 300

# A concentrator that appears late has waited for its port, or was reset.
_RADIO_STARTS_S = 300
_ADDRESSES_SHOWN_MAX = 8
_BABBLING_SHOWN_MAX = 3

# Causes that a technician at the cabinet cannot repair: the server refuses, or its messages are wrong.
_AT_THE_CENTRE = (
    "connection-refused", "connection-closed", "not-mqtt", "mqtt-refused", "mqtt-disconnected", "mqtt-malformed",
    "mqtt-flood", "mqtt-packet-too-large",
)  # fmt: skip

# The cabinet's alarms, the gravest first; from _GRAVE on they can wait for the next visit.
_ALARMS = (
    "cableFault", "supplyLoss", "contactorStuck", "feederFailure", "feederUnexpectedOn", "handedBack", "lampsLost",
    "timeFallback", "localOverride", "policyExpired", "cabinetMeterFailure", "photocellFailure", "doorOpen",
)  # fmt: skip
_GRAVE = _ALARMS.index("lampsLost")
# Causes at a feeder: while one of its own stands, what disagrees there is said already; so while the supply is lost.
_EXPLAINED = ("cableFault", "contactorStuck", "feederFailure", "feederUnexpectedOn", "lampsLost")


class Finding(NamedTuple):
    """Describes what needs attention: a key of WORDS, the values for its sentence, and the remedy's own key."""

    key: str
    values: dict[str, Any]
    remedy: str = ""
    since_s: int | None = None

    def sentence(self, language: str) -> str:
        return word(self.key, language, **_in_words(self.values, language))

    def to_do(self, language: str) -> str:
        if self.remedy in tls.REMEDIES:
            return tls.remedy(self.remedy, language)
        return word(self.remedy or f"{self.key}.do", language, **_in_words(self.values, language))


class _Deferred(NamedTuple):
    """Holds a value that is put into words only when the language is known."""

    function: Any
    value: Any


def findings(status: Status) -> list[Finding]:
    """Lists what needs attention, the gravest first. Empty for an agent that does not run: that is its headline."""
    if status.phase != RUNNING:
        return []
    parts = (
        _street, _stuck, _writing, _folder, _room, _letting_go, _link, _receipts, _certificates, _time, _bearers,
        _modem, _radio, _lines, _silence, _babbling, _campaigns, _cabinet, _serving,
    )  # fmt: skip
    return [found for part in parts for found in part(status)]


def alarm_findings(status: Status, feeder: str | None = None) -> list[Finding]:
    """Lists the cabinet's alarms, the gravest first; for one feeder, with those that concern every feeder."""
    alarms = () if status.cabinet is None else status.cabinet.alarms
    if any(alarm.what == "handedBack" for alarm in alarms):
        alarms = tuple(alarm for alarm in alarms if alarm.what != "timeFallback")  # its cause, included in handedBack
    found = [_of_alarm(alarm) for alarm in alarms if feeder is None or alarm.feeder in (None, feeder)]
    return sorted(found, key=_gravity)


def is_grave(found: Finding) -> bool:
    """Returns True when a street is dark, lit by day or dangerous by it, and for every finding that is not of the
    cabinet."""
    if found.key == "differs":
        return bool(found.values["is_fault"])
    return not found.key.startswith("alarm.") or _gravity(found) < _GRAVE


def is_of_street(found: Finding) -> bool:
    """Returns True for what is wrong at the cabinet and its feeders, not at the gateway."""
    return found.key == "differs" or found.key.startswith("alarm.")


def _street(status: Status) -> list[Finding]:
    """Finds what leaves a street dark, lit by day or dangerous: these findings come before all others."""
    return [found for found in [*alarm_findings(status), *_differing(status)] if is_grave(found)]


def _differing(status: Status) -> list[Finding]:
    """Finds feeders where contact or watts contradict the order and no alarm says so yet: no screen that shows one in
    red may say that all is well."""
    cabinet = status.cabinet
    if cabinet is None or any(alarm.what == "supplyLoss" for alarm in cabinet.alarms):
        return []
    explained = {alarm.feeder for alarm in cabinet.alarms if alarm.what in _EXPLAINED}
    found = []
    for feeder in cabinet.feeders:
        if feeder.name not in explained and feeder_state.is_wrong(cabinet, feeder):
            is_fault = feeder_state.state_of(cabinet, feeder).kind == feeder_state.FAULT
            what = _Deferred(partial(feeder_state.wrong_text, cabinet), feeder)
            found.append(Finding("differs", {"feeder": feeder.name, "what": what, "is_fault": is_fault}))
    return found


def _cabinet(status: Status) -> list[Finding]:
    return [found for found in [*_differing(status), *alarm_findings(status)] if not is_grave(found)]


def _of_alarm(alarm: AlarmStatus) -> Finding:
    code = event_table.code_from_label(alarm.what)
    entry = event_table.BY_CODE.get(code)
    if entry is None or f"alarm.{entry.name}.do" not in WORDS:
        return Finding("alarm.other", {"what": alarm.what}, since_s=alarm.since_s)
    detail = alarm.detail if alarm.feeder is None else (alarm.feeder, *alarm.detail)
    values: dict[str, Any] = {
        field: _Deferred(partial(value_text, field), value)
        for field, value in zip_longest(entry.detail or (), detail[: len(entry.detail or ())])
    }
    values["feeder"] = alarm.feeder or alarm.words or "?"
    values["count"] = alarm.lamps if alarm.lamps is not None else "?"
    if code == event.TIME_FALLBACK:
        values["basis"] = _Deferred(_basis, alarm.words or "")
    return Finding(f"alarm.{entry.name}", values, since_s=alarm.since_s)


def _gravity(found: Finding) -> int:
    what = found.key.removeprefix("alarm.")
    return _ALARMS.index(what) if what in _ALARMS else len(_ALARMS)


def _basis(basis: str, language: str) -> str:
    return word_or(f"basis.{basis}", basis or "?", language)


def _stuck(status: Status) -> list[Finding]:
    # The name of a modem's thread contains its bearer too: "modem mobile".
    late = [one.name.partition(" ")[0] for one in status.late]
    # Some have a sentence of their own: the agent is not restarted for them.
    apart = [f"late.{name}" for name in late if f"late.{name}" in WORDS]
    names = ", ".join(name for name in late if f"late.{name}" not in WORDS)
    first = [Finding("late", {"names": names})] if names else []
    return [*first, *(Finding(key, {}) for key in dict.fromkeys(apart))]


def _writing(status: Status) -> list[Finding]:
    recent = {fault.what: fault for fault in status.faults or () if fault.ago_s < _RECENT_S}
    found = []
    if "journal-sync-failed" in recent:
        found.append(Finding("write", {}))
    for what in ("record-refused", "own-record-refused"):
        if what in recent:
            found.append(Finding("refused", {"why": recent[what].values.get("why", "?")}))
            break
    return found


def _folder(status: Status) -> list[Finding]:
    """Finds what the start found in the data folder and could not read, or is not ours."""
    last = {fault.what: fault.values for fault in status.faults or ()}
    found = []
    if "card-unusable" in last:
        values = last["card-unusable"]
        found.append(Finding("card_read_only" if values.get("is_read_only") else "card_failing", dict(values)))
    keys = {
        "journal-missed": "journal_missed",
        "journal-other-version": "journal_version",
        "foreign-file": "foreign",
    }
    return found + [Finding(key, dict(last[what])) for what, key in keys.items() if what in last]


def _room(status: Status) -> list[Finding]:
    disk = status.disk or DiskStatus()
    found = []
    if disk.free_bytes is not None and disk.free_bytes < _FREE_BYTES_MIN:
        found.append(Finding("card_full", {"free": _Deferred(size, disk.free_bytes)}))
    share = percent(disk.held_bytes, disk.cap_bytes)
    if share is not None and share >= _JOURNAL_FULL_PERCENT:
        found.append(Finding("journal_full", {"share": share}))
    return found


def _letting_go(status: Status) -> list[Finding]:
    count = 0 if status.losses is None else status.losses.last_day
    return [Finding("lost", {"count": count})] if count else []


def _link(status: Status) -> list[Finding]:
    centre = status.centre or CentreStatus()
    since_s = centre.since_s
    if not centre.connected:
        if since_s < _LINK_DOWN_S:
            return []
        values = {"since": _Deferred(duration, since_s), "broker": centre.broker}
        name = (centre.why or "").partition(":")[0]
        if name in tls.REMEDIES:
            return [Finding("centre", values, name)]
        return [Finding("centre", values, "centre.do.server" if name.startswith(_AT_THE_CENTRE) else "")]
    if centre.deaf:
        return [Finding("deaf", {})]
    receipt_s = centre.receipt_ago_s
    silent_s = since_s if receipt_s is None else min(receipt_s, since_s)
    lanes = WaitingStatus().lanes if status.waiting is None else status.waiting.lanes
    # What may not be sent cannot be confirmed.
    held = (event.SURPLUS, event.TELEMETRY) if policy_of(status) == "hold" else (event.SURPLUS,)
    if any(count for lane, count in lanes.items() if lane not in held) and silent_s >= _CENTRE_SILENT_S:
        return [Finding("silent", {"since": _Deferred(duration, silent_s)})]
    return []


def _receipts(status: Status) -> list[Finding]:
    """Finds what keeps records from being freed, and what tried to free them."""
    centre = status.centre or CentreStatus()
    found = [Finding("no_warehouse", {})] if centre.warehouses == 0 else []
    if centre.refused_ago_s is not None and centre.refused_ago_s < _REFUSED_SHOWN_S:
        why = _Deferred(partial(value_text, "why"), centre.refused_why)
        is_altered = centre.refused_why == "altered"
        found.append(Finding("altered", {}) if is_altered else Finding("forged", {"why": why}))
    return found


def _certificates(status: Status) -> list[Finding]:
    return [
        Finding("expired" if days < 0 else "certificate", {"name": name, "days": days})
        for name, days in (status.certificates or {}).items()
        if days is not None and days < _DAYS_LEFT_MIN
    ]


def _time(status: Status) -> list[Finding]:
    if status.clock is not None and status.clock.jumped:
        return [Finding("clock_jumped", {})]  # the cause of what follows, such as an alarm of the cabinet
    # A start without network takes a moment to find its time server.
    early = (status.uptime_s or 0) < _RECENT_S
    if any(found.key in ("alarm.timeFallback", "alarm.handedBack") for found in alarm_findings(status)):
        return []  # one cause, reported once
    return [] if early or status.clock is None or status.clock.good else [Finding("clock", {})]


def _bearers(status: Status) -> list[Finding]:
    """Finds a preferred bearer or a spare one that is down. `_link` reports a missing link."""
    policy = policy_of(status)
    if policy in ("thin", "hold"):
        return [Finding(policy, {})]
    bearers = status.bearers or {}
    active, names = None if status.centre is None else status.centre.bearer, list(bearers)
    if active not in names:
        return []
    down = [name for name in names if name != active and not bearers[name].up]
    return [
        Finding("detour", {"bearer": _Deferred(bearer_name, name), "active": _Deferred(bearer_name, active)})
        if names.index(name) < names.index(active)
        else Finding("standby", {"bearer": _Deferred(bearer_name, name)})
        for name in down
    ]


def _modem(status: Status) -> list[Finding]:
    """Finds the first trouble of each modem on the way from the plug to the operator."""
    if (status.uptime_s or 0) < _MODEM_STARTS_S:
        return []
    modems = {name: bearer.modem for name, bearer in (status.bearers or {}).items() if bearer.modem is not None}
    sentence = "modem" if len(modems) == 1 else "modem_of"
    return [trouble for name, modem in modems.items() for trouble in _modem_trouble(sentence, name, modem)[:1]]


def _modem_trouble(sentence: str, bearer: str, modem: ModemState) -> list[Finding]:
    parts = (("link", "modem.do"), ("sim", "modem.do.sim"), ("registration", "modem.do.operator"))
    keys = ((f"modem.{part}.{getattr(modem, part)}", remedy) for part, remedy in parts)
    return [
        Finding(sentence, {"why": _Deferred(word, key), "bearer": bearer}, remedy)
        for key, remedy in keys
        if key in WORDS and key != "modem.link.answers"
    ]


def _radio(status: Status) -> list[Finding]:
    """Finds that the concentrator is away, or did not accept its image."""
    radio = status.part("radio")
    concentrator = radio.get("concentrator")
    found = []
    if radio.get("state", "up") != "up" and (status.uptime_s or 0) >= _RADIO_STARTS_S:
        found.append(Finding("radio", {}))
    if isinstance(concentrator, dict) and concentrator.get("update") == "failed":
        why = _Deferred(_update_why, str(concentrator.get("why", "?")))
        values = {"number": concentrator.get("image_number", "?"), "why": why}
        found.append(Finding("radio_update", values))
    return found


def _lines(status: Status) -> list[Finding]:
    """Finds serial ports of the node link that are away, or behind which no node answers."""
    if (status.uptime_s or 0) < _RADIO_STARTS_S:
        return []
    found = []
    bus, wire = status.part("bus"), status.part("wire")
    if bus.get("state", "open") != "open":
        found.append(Finding("bus", {"why": bus["state"]}))
    elif bus.get("silent"):
        silent = sorted(bus["silent"])[:_ADDRESSES_SHOWN_MAX]
        found.append(Finding("bus_silent", {"addresses": ", ".join(map(str, silent))}))
    if wire.get("state", "open") != "open":
        found.append(Finding("wire", {"why": wire["state"]}))
    return found


def _update_why(why: str, language: str) -> str:
    return word_or(f"update.{why}", why, language)


def _silence(status: Status) -> list[Finding]:
    unheard = status.nodes is not None and status.nodes.heard == 0 and status.nodes.expected != 0
    return [Finding("unheard", {})] if unheard and (status.uptime_s or 0) >= _UNHEARD_S else []


def _babbling(status: Status) -> list[Finding]:
    """Finds nodes beyond their fair use, the loudest first."""
    nodes = () if status.nodes is None else status.nodes.babbling
    return [Finding("babbling", {"count": len(nodes), "nodes": _Deferred(_loudest, nodes)})] if nodes else []


def _campaigns(status: Status) -> list[Finding]:
    return [
        Finding("campaign_halted", {"product": one.product, "count": one.counts.get("failed", 0)})
        for one in status.campaigns or ()
        if one.phase == "halted"
    ]


def _loudest(nodes: tuple[BabblingNode, ...], language: str) -> str:
    shown = [
        word("babbling.node", language, **one._asdict(), readings=size(one.reading_bytes, language))
        for one in nodes[:_BABBLING_SHOWN_MAX]
    ]
    return ", ".join([*shown, *(["…"] if len(nodes) > len(shown) else [])])


def _serving(status: Status) -> list[Finding]:
    for fault in status.faults or ():
        if fault.what == "cannot-serve":
            return [Finding("cannot_serve", {"why": fault.values.get("error", "?")})]
    return []


# --- reading the status --------------------------------------------------------------------------------------------


def bearer_name(name: str, language: str) -> str:
    return word_or(f"bearer.{name}", name, language)


def policy_of(status: Status) -> str | None:
    """Returns what the budget of the bearer in use lets pass; None where there is no budget."""
    carrier = status.carrier
    return None if carrier is None or carrier.budget is None else carrier.budget.policy


def percent(part: int | None, whole: int | None) -> int | None:
    return None if part is None or not whole else 100 * part // whole


def _in_words(values: dict[str, Any], language: str) -> dict[str, Any]:
    return {
        name: value.function(value.value, language) if isinstance(value, _Deferred) else value
        for name, value in values.items()
    }
