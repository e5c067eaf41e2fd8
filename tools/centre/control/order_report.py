"""What became of commands, as lines for people and as plain data for programs. Words only: decides nothing."""

from collections.abc import Iterator

from policy import directive_form
from tools.centre.arguments import local_time
from tools.centre.control import orders, standing
from tools.centre.control.order_words import why, word
from tools.centre.control.standing import Cabinet, Standing
from wire import command

KINDS = {
    command.OVERRIDE: "override",
    command.EMERGENCY: "emergency",
    command.END: "end",
    command.TEST_FEEDER: "test-feeder",
    command.DIRECTIVE: "tell",
}


def title(one: command.Command, language: str) -> str:
    """Which command, where."""
    level = f".{one.level}" if one.kind == command.OVERRIDE else ""
    values = directive_form.show_all(one.values, language) if one.values else ""
    everything = "nodes" if one.kind == command.DIRECTIVE else "all"
    return word(
        "title",
        language,
        id=one.id.hex(),
        kind=word(f"kind.{one.kind}{level}", language, ends=one.ends.hex() if one.ends else "", values=values),
        insee=one.insee,
        gateway=one.gateway or word("everywhere", language),
        target=one.target or word(everything, language),
    )


def lines(found: Standing, language: str, *, now_s: int) -> Iterator[str]:
    """One command: who and why, then each cabinet and each feeder."""
    one = found.kept.command
    yield title(one, language)
    times = {"start": local_time(one.not_before_s, now_s=now_s), "end": local_time(one.expires_s, now_s=now_s)}
    yield f"  {word('by', language, author=one.author, reason=one.reason)}, {word('window', language, **times)}"
    if not found.cabinets:
        yield "  " + word("nobody", language)
    for cabinet in found.cabinets:
        yield f"  {cabinet.name}  {_cabinet(found, cabinet, language, now_s)}"
        for feeder in cabinet.feeders:
            yield f"    {feeder.name}  {said(feeder.last, language)}  {_at(feeder.last, now_s)}"
    if found.missing and any(cabinet.words for cabinet in found.cabinets):
        yield "  " + word("missing", language, names=", ".join(found.missing))


def said(one: orders.Said, language: str) -> str:
    """One word of a feeder or cabinet."""
    if one.outcome == standing.REFUSED:
        return word("refused", language, why=why(one.why, language))
    if one.outcome == standing.MEASURED:
        power = word("unknown", language) if one.power_dw is None else _power(one.power_dw, language)
        return word("measured", language, power=power)
    if one.outcome == standing.UNMEASURED and one.why == "meter":
        return word("unmeasured.meter", language)
    return word(one.outcome, language)


def plain(found: Standing, *, now_s: int) -> dict:
    """For programs. Power in W, times in Unix seconds, ids in hexadecimal."""
    one = found.kept.command
    return {
        "id": one.id.hex(),
        "kind": KINDS[one.kind],
        "author": one.author,
        "reason": one.reason,
        "key": found.kept.kid.hex(),
        "insee": one.insee,
        "gateway": one.gateway,
        "target": one.target,
        "level": one.level,
        "ends": one.ends.hex() if one.ends else None,
        "values": {str(code): value for code, value in one.values.items()} if one.values else None,
        "ended_by": found.ended_by.hex() if found.ended_by else None,
        "made_unix_s": found.kept.made_unix_s,
        "not_before_s": one.not_before_s,
        "expires_s": one.expires_s,
        "is_expired": now_s >= one.expires_s,
        "is_fulfilled": found.is_fulfilled,
        "is_settled": found.is_settled,
        "missing": list(found.missing),
        "gateways": [_plain_cabinet(cabinet) for cabinet in found.cabinets],
    }


def _cabinet(found: Standing, cabinet: Cabinet, language: str, now_s: int) -> str:
    sending = cabinet.sending
    if cabinet.state == standing.SENT and sending is not None:
        return word("sent", language, at=local_time(sending.last_unix_s, now_s=now_s))
    if cabinet.state == standing.WAITING and sending is not None:
        return word("waiting.problem", language, problem=sending.problem)
    if cabinet.state == standing.APPLIED and found.kept.command.kind == command.END:
        return word("applied.end", language)
    if cabinet.state in (standing.RECEIVED, standing.APPLIED) and found.kept.command.kind == command.DIRECTIVE:
        return f"{word(f'{cabinet.state}.told', language)}  {_at(cabinet.words[-1], now_s)}"
    if cabinet.words:
        return f"{said(cabinet.words[-1], language)}  {_at(cabinet.words[-1], now_s)}"
    return word(cabinet.state, language)


def _at(one: orders.Said, now_s: int) -> str:
    """The gateway's own time of a word where it knew it, else ours of hearing it."""
    return local_time(one.heard_unix_s if one.unix_s is None else one.unix_s, now_s=now_s)


def _power(power_dw: int, language: str) -> str:
    whole, tenth = divmod(abs(power_dw), 10)
    return ("-" if power_dw < 0 else "") + word("power", language, whole=whole, tenth=tenth)


def _plain_cabinet(cabinet: Cabinet) -> dict:
    sending = cabinet.sending
    return {
        "gateway": cabinet.name,
        "state": cabinet.state,
        "why": cabinet.why,
        "sent_unix_s": None if sending is None or sending.problem is not None else sending.first_unix_s,
        "sent_times": 0 if sending is None else sending.times,
        "problem": None if sending is None else sending.problem,
        "words": [_plain_word(one) for one in cabinet.words],
        "feeders": [
            {
                "feeder": feeder.name,
                "state": feeder.last.outcome,
                "why": feeder.last.why,
                "power_w": None if feeder.last.power_dw is None else feeder.last.power_dw / 10,
                "is_fulfilled": feeder.is_fulfilled,
                "words": [_plain_word(one) for one in feeder.words],
            }
            for feeder in cabinet.feeders
        ],
    }


def _plain_word(one: orders.Said) -> dict:
    return {
        "outcome": one.outcome,
        "why": one.why,
        "power_w": None if one.power_dw is None else one.power_dw / 10,
        "unix_s": one.unix_s,
        "heard_unix_s": one.heard_unix_s,
    }
