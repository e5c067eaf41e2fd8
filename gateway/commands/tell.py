"""Gives the nodes of a cabinet a drought level, a load shed, a day's exception; lists what is in force, or clears it.

For a day when the centre is away, or there is none: `sudo` is the right to it; the author's name is written to the
audit log and reported in a record. Every directive expires. It needs no restart and no running agent: the agent accepts
it within seconds, or at its start. A directive of the centre can be ended only by the centre.
"""

import argparse
import getpass
import json
import os
import re
import secrets
import time

from gateway.commands import UsageError, add_config, add_json, on_config
from gateway.commands import status as questions
from gateway.config.config import Config
from gateway.core.directives.directive import Directive
from gateway.core.directives.directives import Directives
from gateway.core.status import FORBIDDEN, Status, as_json
from gateway.core.wallclock import WallClock
from gateway.io.disk import ReadOnlyFolder
from gateway.language import directives
from gateway.language.figures import duration
from gateway.shell import tell_store
from gateway.show import report
from gateway.show.explain import moments
from gateway.show.words import word
from policy import civil
from wire import command
from wire.line import is_line

# The agent checks the folder every five seconds.
_WAIT_S = 12.0
_LOOK_S = 0.5
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "j": 86_400}
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{2})/([0-9]{2})/([0-9]{4})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_json(parser)
    parser.add_argument("what", nargs="*", metavar="NAME VALUE", help="drought 2, sécheresse alerte, load-shed 1.5")
    parser.add_argument("--until", metavar="TIME", help="2027-08-31 (that day included), 22:30, 2027-08-31T22:30")
    parser.add_argument("--for", dest="duration", metavar="TIME", help="instead: 90m, 2h, 3d")
    parser.add_argument("--from", dest="begins", metavar="TIME", help="when it begins (now)")
    parser.add_argument("--to", metavar="SCOPE", help="a kind of node, a group, a feeder or a node's id (all)")
    parser.add_argument("--reason", metavar="TEXT", help="for the record: the order's number, who asked for it")
    parser.add_argument("--who", metavar="NAME", help="who says it (the user who called sudo)")
    parser.add_argument("--list", action="store_true", help="what nodes are told now")
    parser.add_argument("--clear", metavar="ID", help="take back what was said here")


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 done, 1 the disk or the agent refused, 2 the usage is at fault."""
    unix_s = int(time.time())
    if args.list:
        return _list(config, args, unix_s)
    if args.clear is not None:
        return _clear(config, args, unix_s)
    one = wanted(args, unix_s=unix_s)
    tell_store.put(config.data, one)
    if not args.json:
        told = directives.text(one.values, args.lang)
        print(word("tell.put", args.lang, id=one.id.hex(), told=told))
    return _follow(config, args, one.id.hex(), wants=True)


def wanted(args: argparse.Namespace, *, unix_s: int) -> Directive:
    """Returns the directive that the arguments ask for; UsageError."""
    values = _values(args)
    begins_s = unix_s if args.begins is None else _instant(args, args.begins, unix_s, is_end=False)
    expires_s = _end(args, unix_s, begins_s)
    if expires_s <= unix_s:
        raise _fault(args, "tell.past")
    if expires_s <= begins_s:
        raise _fault(args, "tell.order")
    if begins_s > unix_s + command.WINDOW_S_MAX:
        raise _fault(args, "tell.ahead")
    longest_s = command.directive_s_max(values)
    if expires_s - begins_s > longest_s:
        names = ", ".join(directives.name(code, args.lang) for code in values)
        raise _fault(args, "tell.long", names=names, longest=duration(longest_s, args.lang))
    if not is_line(args.reason, command.REASON_BYTES_MAX):
        raise _fault(args, "tell.reason", bytes_max=command.REASON_BYTES_MAX)
    scope = None if args.to in (None, "*") else args.to
    if scope is not None and not is_line(scope, command.NAME_BYTES_MAX):
        raise _fault(args, "tell.scope")
    return Directive(
        secrets.token_bytes(command.ID_BYTES), True, _who(args), args.reason, scope, values, begins_s, expires_s
    )


def _fault(args: argparse.Namespace, key: str, **values: object) -> UsageError:
    return UsageError(word(key, args.lang, **values))


# --- the directive --------------------------------------------------------------------------------------------------


def _values(args: argparse.Namespace) -> dict[int, int]:
    if not args.what:
        raise _fault(args, "tell.pairs")
    values, fault = directives.values_of(args.what, args.lang)
    if fault is not None:
        raise _fault(args, f"tell.{fault[0]}", **fault[1])
    return values


def _end(args: argparse.Namespace, unix_s: int, begins_s: int) -> int:
    if (args.until is None) == (args.duration is None):
        raise _fault(args, "tell.end")
    if args.until is not None:
        return _instant(args, args.until, unix_s, is_end=True)
    hours = re.fullmatch("([0-9]{1,4})h([0-5][0-9])", args.duration)
    found = re.fullmatch("([0-9]{1,6})(s|m|min|h|d|j)", args.duration)
    if hours:
        return begins_s + 3600 * int(hours[1]) + 60 * int(hours[2])
    if not found:
        raise _fault(args, "tell.end")
    return begins_s + int(found[1]) * _UNITS_S[found[2]]


def _instant(args: argparse.Namespace, text: str, unix_s: int, *, is_end: bool) -> int:
    """Returns an instant. A date alone is its first second, as an end the first second after it: French civil time."""
    day = _DATE.fullmatch(text.strip())
    if day:
        year, month, number = (int(day[1] or day[6]), int(day[2] or day[5]), int(day[3] or day[4]))
        if not civil.is_date(year, month, number):
            raise _fault(args, "tell.time", text=text)
        return int(civil.unix_from_local(civil.PARIS, civil.days_from_civil(year, month, number) + is_end, 0))
    try:
        return moments.parse(text, unix_s).unix_s
    except ValueError:
        raise _fault(args, "tell.time", text=text) from None


def _who(args: argparse.Namespace) -> str:
    who = args.who
    if who is None:
        try:
            who = os.environ.get("SUDO_USER") or getpass.getuser()
        except (OSError, KeyError):  # no such user in the system's list
            who = ""
    if not is_line(who, command.AUTHOR_BYTES_MAX):
        raise _fault(args, "tell.who", bytes_max=command.AUTHOR_BYTES_MAX)
    return str(who)


# --- directives in force --------------------------------------------------------------------------------------------


def _status(config: Config, unix_s: int) -> Status:
    """Returns the agent's status, or the directives given here from its files. PermissionError."""
    status = questions.state_of(config, unix_s=unix_s)
    if status.phase == FORBIDDEN:
        raise PermissionError("the agent's state may not be read by this user")
    if status.directives is not None:
        return status
    clock = WallClock(started_ms=0)
    clock.observe(1000 * unix_s, 0, now_ms=0)
    kept = Directives(
        ReadOnlyFolder(config.data / "state"),
        clock,
        groups={},
        report=lambda _, now_ms: None,
        on_used=lambda _, now_ms: None,
    )
    kept.start()
    return status._replace(directives=kept.status(now_ms=0))


def _list(config: Config, args: argparse.Namespace, unix_s: int) -> int:
    status = _status(config, unix_s)
    if args.json:
        told = {"directives": as_json(status)["directives"], "waiting": tell_store.waiting(config.data)}
        print(json.dumps(told, ensure_ascii=False))
        return 0
    lines = report.directive_lines(status, args.lang, with_ids=True)
    print("\n".join(lines or [word("tell.none", args.lang)]))
    return 0


def _clear(config: Config, args: argparse.Namespace, unix_s: int) -> int:
    text = args.clear.lower()
    if not re.fullmatch("[0-9a-f]{16}", text):
        raise _fault(args, "tell.id")
    known = next((one for one in _status(config, unix_s).directives or () if one.id == text), None)
    if known is None or known.source != "here":
        raise _fault(args, "tell.unknown" if known is None else "tell.centres", id=text)
    tell_store.clear(config.data, bytes.fromhex(text), _who(args))
    if not args.json:
        print(word("tell.cleared", args.lang, id=text))
    return _follow(config, args, text, wants=False)


def _follow(config: Config, args: argparse.Namespace, name: str, *, wants: bool) -> int:
    """Waits for the agent: 0 once it has accepted, 1 if it refused. Without an agent it accepts later: no fault."""
    end = time.monotonic() + _WAIT_S
    outcome = "later"
    while time.monotonic() < end:
        status = questions.state_of(config, unix_s=int(time.time()))
        if status.directives is None:
            break
        is_told = any(one.id == name for one in status.directives)
        is_waiting = any(name in path for path in tell_store.waiting(config.data))
        if is_told == wants:
            outcome = "taken" if wants else "gone"
            break
        if not is_waiting:
            outcome = "refused"
            break
        time.sleep(_LOOK_S)
    if args.json:
        print(json.dumps({"id": name, "outcome": outcome}))
    else:
        print(word(f"tell.{outcome}", args.lang))
    return 1 if outcome == "refused" else 0
