"""What wants attention at a gateway, the gravest first, each with its sentence and what to do about it.

Works on the document of `gateway/shell/facts.py`. Parts that are absent are passed over: an older or newer agent can be
asked as well. Judges, and changes nothing; how it is laid out is `gateway/show/report.py`'s affair.
"""

from typing import Any, NamedTuple

from gateway.io import tls
from gateway.show.explain.cabinet import Alarm, cabinet_of
from gateway.show.words import WORDS, counted, duration, size, word, word_or

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

# A concentrator that is found late has waited for its port, or was reset.
_RADIO_STARTS_S = 300
_ADDRESSES_TOLD_MAX = 8

# What the technician on the spot cannot mend: the server refuses, or what it says is wrong.
_AT_THE_CENTRE = (
    "connection-refused", "connection-closed", "not-mqtt", "mqtt-refused", "mqtt-disconnected", "mqtt-malformed",
    "mqtt-flood", "mqtt-packet-too-large",
)  # fmt: skip

# The cabinet's alarms, the gravest first; from _GRAVE on they can wait for the next visit.
_ALARMS = (
    "cableFault", "supplyLoss", "contactorStuck", "feederFailure", "feederUnexpectedOn", "handedBack", "lampsLost",
    "timeFallback", "localOverride", "policyExpired", "meterFailure", "photocellFailure", "doorOpen",
)  # fmt: skip
_GRAVE = _ALARMS.index("lampsLost")
# As the wire calls it (firmware/wire/event.py), where lamps have a meterFailure of their own.
_ALIASES = {"cabinetMeterFailure": "meterFailure"}


class Finding(NamedTuple):
    """Something that wants attention: a key of WORDS, the values for its sentence, and the remedy's own key."""

    key: str
    values: dict[str, Any]
    remedy: str = ""
    since_s: int | None = None

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


def findings(document: dict[str, Any]) -> list[Finding]:
    """What wants attention, the gravest first. Empty for an agent that does not run: that is its headline."""
    if document.get("phase") != "running":
        return []
    parts = (
        _street, _stuck, _writing, _room, _letting_go, _link, _certificates, _time, _bearers, _modem, _radio, _lines,
        _silence, _cabinet, _serving,
    )  # fmt: skip
    return [found for part in parts for found in part(document)]


def alarm_findings(document: dict[str, Any], feeder: str | None = None) -> list[Finding]:
    """The cabinet's alarms, the gravest first; of one feeder, with those that concern every feeder."""
    cabinet = cabinet_of(document)
    alarms = () if cabinet is None else cabinet.alarms
    if any(alarm.what == "handedBack" for alarm in alarms):
        alarms = tuple(alarm for alarm in alarms if alarm.what != "timeFallback")  # its cause, said by the other
    found = [_of_alarm(alarm) for alarm in alarms if feeder is None or alarm.feeder in (None, feeder)]
    return sorted(found, key=_gravity)


def is_grave(found: Finding) -> bool:
    """Whether a street is dark, burns by day or is dangerous by it; and whatever else is not of the cabinet."""
    return not found.key.startswith("alarm.") or _gravity(found) < _GRAVE


def _street(document: dict[str, Any]) -> list[Finding]:
    """What leaves a street dark, burning or dangerous comes before everything else."""
    return [found for found in alarm_findings(document) if _gravity(found) < _GRAVE]


def _cabinet(document: dict[str, Any]) -> list[Finding]:
    return [found for found in alarm_findings(document) if _gravity(found) >= _GRAVE]


def _of_alarm(alarm: Alarm) -> Finding:
    what = _ALIASES.get(alarm.what, alarm.what)
    if what not in _ALARMS:
        return Finding("alarm.other", {"what": alarm.what}, since_s=alarm.since_s)
    values: dict[str, Any] = {"feeder": alarm.feeder or alarm.detail or "?"}
    if what in ("lampsLost", "cableFault"):
        values["count"] = alarm.lamps if alarm.lamps is not None else "?"
    if what == "timeFallback":
        values["basis"] = _Said(_basis, alarm.detail or "")
    return Finding(f"alarm.{what}", values, since_s=alarm.since_s)


def _gravity(found: Finding) -> int:
    what = found.key.removeprefix("alarm.")
    return _ALARMS.index(what) if what in _ALARMS else len(_ALARMS)


def _basis(basis: str, language: str) -> str:
    return word_or(f"basis.{basis}", basis or "?", language)


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
    share = percent(disk.get("held_bytes"), disk.get("cap_bytes"))
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
    held = ("telemetry",) if policy_of(document) == "hold" else ()  # not sent, so nobody can confirm it
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
    if any(found.key in ("alarm.timeFallback", "alarm.handedBack") for found in alarm_findings(document)):
        return []  # one cause, said once
    return [] if early or document.get("clock", {}).get("good", True) else [Finding("clock", {})]


def _bearers(document: dict[str, Any]) -> list[Finding]:
    """Another than the preferred one carries, or nothing stands by. Without any link `_link` has said so."""
    policy = policy_of(document)
    if policy in ("thin", "hold"):
        return [Finding(policy, {})]
    connection = part_of(document, "connection")
    active, names = connection.get("active"), list(connection.get("bearers", {}))
    if active not in names:
        return []
    down = [name for name in names if name != active and not connection["bearers"][name].get("up", True)]
    return [
        Finding("detour", {"bearer": _Said(bearer_name, name), "active": _Said(bearer_name, active)})
        if names.index(name) < names.index(active)
        else Finding("standby", {"bearer": _Said(bearer_name, name)})
        for name in down
    ]


def _modem(document: dict[str, Any]) -> list[Finding]:
    """The first trouble on the way from the plug to the operator."""
    modem = part_of(document, "modem")
    if document.get("uptime_s", 0) < _MODEM_STARTS_S:
        return []
    for part, remedy in (("link", "modem.do"), ("sim", "modem.do.sim"), ("registration", "modem.do.operator")):
        key = f"modem.{part}.{modem.get(part)}"
        if key in WORDS and key != "modem.link.answers":
            return [Finding("modem", {"why": _Said(word, key)}, remedy)]
    return []


def _radio(document: dict[str, Any]) -> list[Finding]:
    """The concentrator is away, or did not take its image."""
    radio = part_of(document, "radio")
    told = radio.get("concentrator")
    found = []
    if radio.get("state", "up") != "up" and document.get("uptime_s", 0) >= _RADIO_STARTS_S:
        found.append(Finding("radio", {}))
    if isinstance(told, dict) and told.get("update") == "failed":
        values = {"number": told.get("image_number", "?"), "why": _Said(_update_why, str(told.get("why", "?")))}
        found.append(Finding("radio_update", values))
    return found


def _lines(document: dict[str, Any]) -> list[Finding]:
    """Serial ports of the node link: away, or with nobody behind them."""
    if document.get("uptime_s", 0) < _RADIO_STARTS_S:
        return []
    found = []
    bus, wire = part_of(document, "bus"), part_of(document, "wire")
    if bus.get("state", "open") != "open":
        found.append(Finding("bus", {"why": bus["state"]}))
    elif bus.get("silent"):
        silent = sorted(bus["silent"])[:_ADDRESSES_TOLD_MAX]
        found.append(Finding("bus_silent", {"addresses": ", ".join(map(str, silent))}))
    if wire.get("state", "open") != "open":
        found.append(Finding("wire", {"why": wire["state"]}))
    return found


def _update_why(why: str, language: str) -> str:
    return word_or(f"update.{why}", why, language)


def _silence(document: dict[str, Any]) -> list[Finding]:
    nodes = document.get("nodes", {})
    unheard = nodes.get("heard") == 0 and nodes.get("expected") != 0
    return [Finding("unheard", {})] if unheard and document.get("uptime_s", 0) >= _UNHEARD_S else []


def _serving(document: dict[str, Any]) -> list[Finding]:
    for fault in document.get("faults", []):
        if fault["what"] == "cannot-serve":
            return [Finding("cannot_serve", {"why": fault["values"].get("error", "?")})]
    return []


# --- reading the document ------------------------------------------------------------------------------------------


def part_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of the core's health; empty when the core has none such."""
    part = document.get("health", {}).get(name)
    return part if isinstance(part, dict) else {}


def bearer_name(name: str, language: str) -> str:
    return word_or(f"bearer.{name}", name, language)


def policy_of(document: dict[str, Any]) -> str | None:
    """What the budget of the bearer that carries lets pass; None where none is counted."""
    active = part_of(document, "connection").get("active") or ""
    return budgets(document).get(active, {}).get("policy")


def budgets(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By bearer, the metered ones."""
    return {name: budget for name, budget in part_of(document, "budget").items() if isinstance(budget, dict)}


def percent(part: int | None, whole: int | None) -> int | None:
    return None if part is None or not whole else 100 * part // whole


def _spoken(values: dict[str, Any], language: str) -> dict[str, Any]:
    return {
        name: value.function(value.value, language) if isinstance(value, _Said) else value
        for name, value in values.items()
    }
