"""Puts commands, tests and limits into words (author, end, reason), and finds those that hold for a feeder."""

from typing import Any

from gateway.core.status import CabinetStatus, CommandStatus, FeederStatus, WishStatus, one_line
from gateway.language.figures import duration
from gateway.show.explain.calendar import Law, limits_of, minute_words
from gateway.show.explain.moments import clock_near
from gateway.show.explain.words import word, word_or
from policy import document

EMERGENCY, OVERRIDE, TEST = "emergency", "override", "test"
_OVER = frozenset(("over", "refused", "expired", "ended"))
_WAITING = "waiting"


def concerns(command: CommandStatus, feeder: FeederStatus) -> bool:
    return command.target in (None, feeder.name, feeder.group)


def is_over(command: CommandStatus) -> bool:
    return command.state in _OVER or command.kind == "end"


def holding(
    cabinet: CabinetStatus, feeder: FeederStatus, kinds: tuple[str, ...], unix_s: int | None
) -> CommandStatus | None:
    """Finds the command of these kinds that holds for a feeder at an instant; of several the latest, as the agent
    does."""
    found = [
        command
        for command in cabinet.commands
        if command.kind in kinds and concerns(command, feeder) and _holds(command, unix_s)
    ]
    return found[-1] if found else None


def still_holding(cabinet: CabinetStatus, feeder: FeederStatus, unix_s: int) -> list[CommandStatus]:
    """Lists the commands known now that would still hold at that instant."""
    return [command for command in cabinet.commands if concerns(command, feeder) and _holds(command, unix_s)]


def _holds(command: CommandStatus, unix_s: int | None) -> bool:
    if is_over(command) or unix_s is None:
        return not is_over(command) and command.state != _WAITING
    has_begun = command.state != _WAITING if command.not_before_s is None else command.not_before_s <= unix_s
    return has_begun and (command.expires_s is None or unix_s < command.expires_s)


def wants_light(command: CommandStatus) -> bool:
    return command.kind != OVERRIDE or command.level is None or command.level > 0


def lowers(command: CommandStatus) -> bool:
    """Returns whether a command is for the lamps' own controllers, and leaves the contactor to the policy."""
    return command.kind == OVERRIDE and command.level is not None and 0 < command.level < 100


def command_words(command: CommandStatus, now_s: int | None, language: str) -> str:
    """Puts a command into words: `Mme X, éteindre pour « bourg », jusqu'à 04:00, raison : travaux`."""
    parts = [command.author or word("order.no_author", language)]
    key = "order.lower" if lowers(command) else "order.light" if wants_light(command) else "order.dark"
    parts.append(word(key, language, level=command.level))
    if command.target:
        parts[-1] += f" {word('order.target', language, target=command.target)}"
    if command.expires_s is not None:
        parts.append(word("order.until", language, at=clock_near(command.expires_s, now_s, language)))
    if command.reason:
        parts.append(word("order.reason", language, reason=command.reason))
    if command.state == _WAITING:
        parts.append(word("order.waiting", language))
    elif is_over(command):
        parts.append(word("order.over", language))
    return ", ".join(parts)


def kind_words(command: CommandStatus, language: str) -> str:
    return word_or(f"kind.{command.kind}", command.kind, language)


def demand_words(cabinet: CabinetStatus, feeder: FeederStatus, demand: WishStatus, language: str) -> str:
    """Puts a demand's source into words: the command behind it, or a name with how long it still holds."""
    now_s = cabinet.unix_s
    command = next((one for one in cabinet.commands if one.id is not None and one.id == demand.command), None)
    if command is not None:
        return command_words(command, now_s, language)
    parts = [demand.reason_text or word("order.no_author", language)]
    until_s = demand.until_unix_s
    left_s = feeder.test_left_s if demand.rule == "manual" else None
    if left_s is None and until_s is not None and now_s is not None and 0 <= until_s - now_s < 600:
        left_s = until_s - now_s
    if left_s is not None and left_s >= 0:
        parts.append(word("order.left", language, left=duration(left_s, language)))
    elif until_s is not None:
        parts.append(word("order.until", language, at=clock_near(until_s, now_s, language)))
    return ", ".join(parts)


def limit_words(law: Law, unix_s: int, language: str) -> list[str]:
    """Puts into words what the law forbids at this feeder in the night of this instant, with its source."""
    return [_limit(limit, language) for limit in limits_of(law, unix_s)]


def _limit(limit: Any, language: str) -> str:
    if limit.kind == document.DARK_WINDOW:
        words = word("limit.1", language, a=minute_words(limit.a), b=minute_words(limit.b))
    elif limit.kind == document.NO_DARKENING:
        words = word("limit.2.least" if limit.a else "limit.2", language, least=limit.a)
    elif limit.kind == document.DARK_BY_DAY:
        words = word("limit.3", language, a=limit.a, b=limit.b)
    else:
        words = word("limit.other", language)
    source = ", ".join(shown for shown in (one_line(limit.authority), one_line(limit.text)) if shown)
    return word("limit.by", language, words=words, by=source) if source else words
