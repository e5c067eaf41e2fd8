"""Decides when the gateway's own package and those of the system are exchanged, whether the new ones are well, and what
comes next.

The centre publishes two plans, one of the agent, one of the system: a version, and the cabinets that are to have it.
The system's version is a state of Debian's archive, named by its time (snapshot.debian.org). A cabinet fetches what is
new, keeps what was there, and then goes through the table below. The trial of an agent is led by the program of the
former version, unpacked beside the system: nothing of it is exchanged under its feet, and it is known to work here.

    install   the new packages are being installed
    restart   the system's are installed: the machine starts again with them
    watch     they run: within `watch_s` all that held before must hold again
    back      they are not well, or could not be installed: the former packages are being put back
    restart-back   the system's are back: the machine starts again with them
    kept, rolled-back   over; told as an event record

A power cut leaves the state on the disk: the program goes on at the next start, by `dpkg --configure -a` first. A trial
that is cut three times goes back: perhaps the new version is why.
"""

import json
import re
from typing import Any, NamedTuple

from gateway.core.custody.disk import parse_json
from gateway.core.status import RUNNING, Status
from policy import sun

INSTALL, WATCH, BACK, KEPT, ROLLED_BACK, REFUSED = "install", "watch", "back", "kept", "rolled-back", "refused"
RESTART, RESTART_BACK = "restart", "restart-back"
DONE, FAILED = "done", "failed"
FORTH, OVER = (INSTALL, RESTART, WATCH), (KEPT, ROLLED_BACK)
_NEXT = {
    (INSTALL, DONE): WATCH,
    (INSTALL, FAILED): BACK,
    (WATCH, DONE): KEPT,
    (WATCH, FAILED): BACK,
    (BACK, DONE): ROLLED_BACK,
    (BACK, FAILED): BACK,
}
# A new kernel, a new C library run once the machine has started; and a system that does not start shows by day.
_NEXT_OF_SYSTEM = {
    **_NEXT,
    (INSTALL, DONE): RESTART,
    (RESTART, DONE): WATCH,
    (RESTART, FAILED): BACK,
    (BACK, DONE): RESTART_BACK,
    (RESTART_BACK, DONE): ROLLED_BACK,
}
# Why a trial failed, as the centre is told.
INTERRUPTED, AGENT, JOURNAL, NODES, CENTRE = "interrupted", "agent", "journal", "nodes", "centre"
STARTS_MAX = 3
# An agent that ends by an error does so in its first seconds, and systemd starts it again after 2 to 30.
SETTLED_S = 120
WATCH_S, WATCH_S_MIN, WATCH_S_MAX = 1200, 30, 7200
# Street lighting must not meet an update: an hour before sunset all is over, and after sunrise feeders have switched
# off. A lamp that was cut off at sunrise counts as heard for an hour more (shell/facts.py), and would be missed: so a
# quarter more.
DUSK_S, DAWN_S = 3600, 4500
NAMES_MAX = 20_000
# As `bocage package build` accepts it, and short enough for a record.
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+~]{0,31}")
# A state of Debian's archive; the later of two is the higher text.
_STATE = re.compile(r"20[0-9]{6}T[0-9]{6}Z")
# A cabinet that has read no plan of the system for so long updates it by itself: longer than a campaign with its stages
# and a summer's holidays, and shorter than what an intruder needs a flaw to stay open for.
ALONE_S = 30 * 86_400
# Words of the log: the new version cannot write the journal, or not read what waits in it.
_OF_JOURNAL = ("card-unusable", "journal-sync-failed", "journal-other-version", "journal-missed")


class Plan(NamedTuple):
    """States which version cabinets are to have. `number` rises with each campaign; cabinets None: all."""

    number: int
    version: str
    watch_s: int
    cabinets: frozenset[str] | None


def parse_plan(text: bytes) -> Plan:
    """Returns the plan that the centre has written (tools/centre/agents/campaign.py). ValueError names the field."""
    plain: Any = parse_json(text)
    if not isinstance(plain, dict):
        raise ValueError("form")
    number, version, watch_s, names = (plain.get(name) for name in ("number", "version", "watch_s", "cabinets"))
    if type(number) is not int or number < 1:
        raise ValueError("number")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ValueError("version")
    if type(watch_s) is not int or not WATCH_S_MIN <= watch_s <= WATCH_S_MAX:
        raise ValueError("watch_s")
    if names is not None and (not isinstance(names, list) or len(names) > NAMES_MAX):
        raise ValueError("cabinets")
    return Plan(number, version, watch_s, None if names is None else frozenset(map(str, names)))


class Before(NamedTuple):
    """Holds what held before an update, and must hold after it: nodes that were heard in the last hour, and whether the
    warehouse confirmed records."""

    nodes: int
    centre: bool


class Change(NamedTuple):
    """Holds what an update does to a package of the system. before None: it is installed anew."""

    package: str
    before: str | None
    after: str


class Trial(NamedTuple):
    """Holds the exchange of packages. `agent`: the version of the agent that must run after it; `changes`: of the
    system's packages, none where the agent's own is exchanged; `starts`: how often its program has begun."""

    number: int
    version: str
    former: str | None
    watch_s: int
    before: Before
    agent: str
    changes: tuple[Change, ...] = ()
    phase: str = INSTALL
    starts: int = 0
    why: str | None = None

    def started(self) -> "Trial":
        """Returns the trial of a program that begins, perhaps after a power cut."""
        if self.starts >= STARTS_MAX and self.phase in FORTH:
            return self.after(FAILED, INTERRUPTED)
        return self._replace(starts=self.starts + 1)

    def after(self, result: str, why: str | None = None) -> "Trial":
        """Returns the trial after its phase has ended so. `why`: the first reason stays."""
        table = _NEXT_OF_SYSTEM if self.changes else _NEXT
        return self._replace(phase=table[self.phase, result], why=self.why or why)

    def as_json(self) -> str:
        return json.dumps(self._replace(before=self.before._asdict())._asdict())  # type: ignore[arg-type]


def parse_trial(text: str) -> Trial:
    """Returns the trial that `as_json` wrote; ValueError."""
    try:
        plain = json.loads(text)
        changes = tuple(Change(*one) for one in plain["changes"])
        return Trial(**{**plain, "before": Before(**plain["before"]), "changes": changes})
    except (TypeError, KeyError) as error:
        raise ValueError(str(error)) from error


def before(status: Status, *, held_s: int) -> Before:
    """Returns what holds now. `held_s`: a receipt that is older proves nothing any more."""
    nodes, receipt_s = status.nodes, None if status.centre is None else status.centre.receipt_ago_s
    heard = 0 if nodes is None else max(0, (nodes.heard or 0) - nodes.silent)
    return Before(heard, receipt_s is not None and receipt_s <= held_s)


def missing(status: Status, trial: Trial) -> str | None:
    """Returns what new packages lack to be kept, the gravest first; None: nothing."""
    if status.phase != RUNNING or status.version != trial.agent or (status.uptime_s or 0) < _settled_s(trial):
        return AGENT
    if any(fault.what in _OF_JOURNAL for fault in status.faults or ()):
        return JOURNAL
    heard = 0 if status.nodes is None else status.nodes.heard or 0
    if 2 * heard < trial.before.nodes:
        return NODES
    if trial.before.centre and (status.centre is None or status.centre.receipt_ago_s is None):
        return CENTRE
    return None


def _settled_s(trial: Trial) -> int:
    return min(SETTLED_S, trial.watch_s // 2)


def is_state(version: str) -> bool:
    """Returns whether a plan's version names a state of Debian's archive."""
    return _STATE.fullmatch(version) is not None


# Why nothing begins now. It is tried again within the hour, and the centre is not told.
NO_AGENT, NO_CLOCK, NIGHT, METERED, UNLINKED = "no-agent", "no-clock", "night", "metered", "unlinked"


def hindrance(
    status: Status, site: tuple[int, int] | None, *, lasts_s: int, by_metered: bool, is_alone: bool = False
) -> str | None:
    """Returns why neither package nor system is updated now; None: nothing hinders. `is_alone`: without the centre."""
    if status.phase != RUNNING:
        return NO_AGENT
    unix_s = None if status.clock is None else status.clock.unix_s
    if unix_s is None:
        return NO_CLOCK
    if not is_day(unix_s, site, lasts_s=lasts_s):
        return NIGHT
    carrier = status.carrier
    if not is_alone and (status.centre is None or not status.centre.connected):
        return UNLINKED
    return METERED if carrier is not None and carrier.metered and not by_metered else None


def is_day(unix_s: int, site: tuple[int, int] | None, *, lasts_s: int) -> bool:
    """Returns whether something that lasts so long may begin now: it is over an hour before sunset. `site`: (latitude,
    longitude) in 10^-4 degrees; None: nothing is lit here, so any hour will do. Where the sun does not rise or set,
    nothing begins."""
    if site is None:
        return True
    rise_s, set_s = sun.sun_times(unix_s // 86_400, *site)  # sites are within France: a day of UTC holds theirs
    return rise_s is not None and set_s is not None and rise_s + DAWN_S <= unix_s <= set_s - DUSK_S - lasts_s
