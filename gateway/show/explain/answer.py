"""Makes the whole explanation of one feeder as plain data: for the screen, for `--json`, for the technician's page.

`explain_now` returns the state and its reasons; `explain_at` what the policy demands at another time, and which
commands would still hold. Sentences are in one language; figures are beside them for programs.
"""

from typing import Any

from gateway.core.status import CabinetStatus, FeederStatus
from gateway.language.figures import duration
from gateway.show.explain import moments
from gateway.show.explain.calendar import law_of, wish
from gateway.show.explain.night import Tonight, next_by_policy, next_words, tonight
from gateway.show.explain.orders import command_words, concerns, kind_words, limit_words, still_holding
from gateway.show.explain.why import ladder, law_words, policy_words, state_words, why
from gateway.show.explain.words import word
from gateway.show.feeder_state import age_s, state_text, watts


def explain_now(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> dict[str, Any]:
    """Returns the state now, and everything that led to it."""
    found = watts(cabinet, feeder, language)
    law, now_s = law_of(cabinet, feeder), cabinet.unix_s
    return {
        "feeder": feeder.name,
        "ordered": feeder.ordered,
        "reported": feeder.reported,
        "measured": feeder.measured,
        "since_s": feeder.since_s,
        "rule": feeder.rule,
        "state": state_sentence(cabinet, feeder, language),
        "watts": {"verdict": found.verdict, "sentence": found.sentence, "power_w": feeder.power_w,
                  "expected_w": feeder.expected_w},
        "why": why(cabinet, feeder, language),
        "next": next_words(cabinet, feeder, language),
        "ladder": [rung._asdict() for rung in ladder(cabinet, feeder, language)],
        "limits": [] if law is None or now_s is None else limit_words(law, now_s, language),
        "commands": [
            word("pair", language, label=kind_words(command, language), text=command_words(command, now_s, language))
            for command in cabinet.commands if concerns(command, feeder)
        ],
        "night": night_data(tonight(cabinet, feeder, now_s, language), language),
    }  # fmt: skip


def explain_at(cabinet: CabinetStatus, feeder: FeederStatus, at: moments.At, language: str) -> dict[str, Any]:
    """Returns what the policy demands at `at`, why, and what could decide otherwise."""
    law, now_s = law_of(cabinet, feeder), cabinet.unix_s
    answer: dict[str, Any] = {
        "unix_s": at.unix_s,
        "when": moments.date_and_clock(at.unix_s, language),
        "side": _side(at.unix_s, now_s),
        "notes": _notes(cabinet, at, language),
        "commands": [command_words(one, now_s, language) for one in still_holding(cabinet, feeder, at.unix_s)],
        "night": night_data(tonight(cabinet, feeder, at.unix_s, language) if law is not None else None, language),
        "limits": [] if law is None else limit_words(law, at.unix_s, language),
    }
    if law is None:
        unknown = {"why": word("night.unknown", language), "next": word("next.unknown", language)}
        return answer | {"wants_light": None, "level": None} | unknown
    wished = wish(law, at.unix_s)
    return answer | {
        "wants_light": wished.wants_light,
        "level": wished.level,
        "why": law_words(cabinet, law, wished, language),
        "next": next_by_policy(law, at.unix_s, now_s, language),
    }


def state_sentence(cabinet: CabinetStatus, feeder: FeederStatus, language: str) -> str:
    """Puts the state into words, with its age where that is the order's: `allumé depuis 6 h 12 min`."""
    state, since_s = state_text(cabinet, feeder, language), age_s(cabinet, feeder)
    return state if since_s is None else f"{state} {word('for', language, since=duration(since_s, language))}"


def night_data(found: Tonight | None, language: str) -> dict[str, Any] | None:
    """Returns a night as plain data."""
    if found is None:
        return None
    return {
        "start_s": found.start_s,
        "end_s": found.end_s,
        "rows": [
            {
                "unix_s": row.unix_s,
                "clock": moments.clock(row.unix_s, language),
                "level": row.level,
                "state": "" if row.level is None else state_words(row.level > 0, language),
                "words": row.words,
            }
            for row in found.rows
        ],
        "notes": list(found.notes),
    }


def _side(at_s: int, now_s: int | None) -> str:
    if now_s is None or abs(at_s - now_s) < 60:
        return "now"
    return "future" if at_s > now_s else "past"


def _notes(cabinet: CabinetStatus, at: moments.At, language: str) -> list[str]:
    """Lists what matters about that time: an ambiguous or missing hour, a policy that ends or begins by then."""
    notes = []
    if at.note is not None:
        notes.append(word(f"at.{at.note}", language, clock=moments.clock(at.unix_s, language)))
    from_s, until_s = cabinet.policy.valid_from_s, cabinet.policy.valid_until_s
    is_before = from_s is not None and at.unix_s < from_s
    is_expired = until_s is not None and at.unix_s >= until_s
    for key, bound_s, is_so in (("before", from_s, is_before), ("expired", until_s, is_expired)):
        if cabinet.policy.version is not None and bound_s is not None and is_so:
            text = word(f"at.{key}", language, at=moments.date_and_clock(bound_s, language))
            notes.append(word("pair", language, label=policy_words(cabinet, language), text=text))
    side = _side(at.unix_s, cabinet.unix_s)
    if cabinet.policy.next_version is not None and side == "future":
        notes.append(word("at.next", language, version=cabinet.policy.next_version))
    if side != "now":
        notes.append(word(f"at.caveat.{side}", language))
    return notes
