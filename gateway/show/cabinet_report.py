"""The lines of `gateway status` about a cabinet: its feeders and who decides, policy, lease, alarms, door and mains.
"""

from gateway.core.status import CabinetStatus, FeederStatus, Status
from gateway.language.figures import duration, number
from gateway.language.values import value_text
from gateway.show.explain import moments
from gateway.show.explain.why import state_words
from gateway.show.findings import alarm_findings
from gateway.show.words import word, word_or

Section = tuple[str, list[str]]


def cabinet_sections(status: Status, language: str) -> list[Section]:
    """(label, parts) a line; nothing without a cabinet."""
    cabinet = status.cabinet
    if cabinet is None:
        return []
    return [
        *(("feeder", _feeder(feeder, language)) for feeder in cabinet.feeders),
        ("cabinet", _cabinet(cabinet, language)),
        ("policy", _policy(cabinet, language)),
        ("lease", _lease(cabinet, language)),
        ("alarms", _alarms(status, language)),
    ]


def _feeder(feeder: FeederStatus, language: str) -> list[str]:
    state = state_words(feeder.closed, language)
    if feeder.closed is not None and feeder.since_s is not None:
        state += f" ({duration(feeder.since_s, language)})"
    parts = [word("feeder", language, name=feeder.name, state=state)]
    if feeder.power_w is not None and feeder.normal_w and feeder.closed:
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
