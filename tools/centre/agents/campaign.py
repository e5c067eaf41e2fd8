"""Decides which cabinets are to have which version of their agent, and which state of Debian's archive: a first few,
then a tenth, then all.

    first    the named cabinets; each must have run the version for `after_s` without a start between
    tenth    a tenth of all, dealt by a digest of their names; nine in ten of those must have done the same
    all      every cabinet; a silent one catches up later
    stopped  no further cabinet: one of the first took it back, later more than one in fifty did; or a person said so

Cabinets read the plan, one file beside the repository. The plan can name a published version and nothing else, and a
cabinet never goes to a lower version: so the plan needs no signature of its own beside TLS. That holds of the system's
plan, too: it names an instant, and what Debian had signed by then is what cabinets may have. The facts come from the
warehouse: the version that the last start of a gateway stated, what it said of its system, and alarms of updates that
failed.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gateway.language import N_
from tools.centre.broker.files import write
from tools.centre.condition.faults import Faults
from tools.centre.condition.fold import fields
from tools.centre.condition.programs import program, systems
from tools.centre.limits import SILENCE_S_MAX
from tools.centre.register.equipment import cabinet_of
from tools.centre.store import database
from tools.command_line import Refused
from wire import event

FIRST, TENTH, ALL, STOPPED = "first", "tenth", "all", "stopped"
_DEALT = 10
# Of those that were asked, how many may take it back: one, or one in fifty. A cabinet may fail for its own reasons.
_FAILED_OF = 50
_WELL_PERCENT = 90
_GATEWAYS = """SELECT g.id, g.insee, g.name, max(p.extended_unix_s) FROM gateways AS g
    LEFT JOIN prefixes AS p ON p.gateway = g.gateway WHERE g.bound = 1 GROUP BY g.id, g.insee, g.name"""


class Plan(NamedTuple):
    """Holds what the plan's file has: cabinets read number, version, watch_s and cabinets (None: all); the rest is the
    campaign's."""

    number: int
    version: str
    watch_s: int
    cabinets: tuple[str, ...] | None
    first: tuple[str, ...]
    after_s: int
    begun_unix_s: int
    state: str
    since_unix_s: int
    why: tuple[str, ...] = ()


class Seen(NamedTuple):
    """States what the warehouse knows of a cabinet. received_unix_s: when its last start was received; failed: the
    version that it took back, or could not install, and when that was received."""

    version: str | None
    received_unix_s: int | None
    is_linked: bool
    failed: tuple[str, int] | None = None

    def is_well(self, plan: Plan, *, now_s: int) -> bool:
        since_s = None if self.received_unix_s is None else now_s - self.received_unix_s
        return self.version == plan.version and self.is_linked and since_s is not None and since_s >= plan.after_s

    def has_failed(self, plan: Plan) -> bool:
        return self.failed is not None and self.failed[0] == plan.version and self.failed[1] >= plan.begun_unix_s


def begin(
    before: Plan | None, version: str, first: tuple[str, ...], *, after_s: int, watch_s: int, now_s: int
) -> Plan:
    """Returns the plan of a new campaign, which takes the place of the one before."""
    number = 1 if before is None else before.number + 1
    return Plan(number, version, watch_s, first, first, after_s, now_s, FIRST, now_s)


def stop(plan: Plan, *, now_s: int, why: tuple[str, ...] = ()) -> Plan:
    """Returns the plan by which no further cabinet changes."""
    return plan._replace(state=STOPPED, cabinets=(), since_unix_s=now_s, why=why)


def advance(plan: Plan, cabinets: Mapping[str, Seen], *, now_s: int) -> Plan:
    """Returns the plan as it is to be by what is known of all cabinets; the same where nothing changes."""
    if plan.state == STOPPED:
        return plan
    asked = [name for name in (cabinets if plan.cabinets is None else plan.cabinets) if name in cabinets]
    failed = tuple(sorted(name for name, one in cabinets.items() if one.has_failed(plan)))
    if failed and (set(failed) & set(plan.first) or len(failed) > max(1, len(asked) // _FAILED_OF)):
        return stop(plan, now_s=now_s, why=failed)
    well = sum(cabinets[name].is_well(plan, now_s=now_s) for name in asked)
    if plan.state == FIRST and asked and well == len(plan.first):
        tenth = tuple(sorted({*plan.first, *filter(_is_dealt, cabinets)}))
        return plan._replace(state=TENTH, cabinets=tenth, since_unix_s=now_s)
    if plan.state == TENTH and 100 * well >= _WELL_PERCENT * len(asked):
        return plan._replace(state=ALL, cabinets=None, since_unix_s=now_s)
    return plan


def _is_dealt(name: str) -> bool:
    return int.from_bytes(sha256(name.encode()).digest()[:4]) % _DEALT == 0


def known(connection: database.Connection, *, now_s: int) -> dict[str, Seen]:
    """Returns what the warehouse knows of each cabinet, by name (49007-mairie-1)."""
    failed = _failed(connection, event.AGENT_UPDATE_FAILURE, "agent_version")
    found = {}
    for node, name, is_linked in cabinets(connection, now_s=now_s):
        version, _, received_s = program(connection, node)
        found[name] = Seen(version, received_s, is_linked, failed.get(node))
    return found


def known_systems(connection: database.Connection, *, now_s: int) -> dict[str, Seen]:
    """Returns what the warehouse knows of each cabinet's system, by name: its state, and since when, without a start
    between."""
    failed = _failed(connection, event.SYSTEM_UPDATE_FAILURE, "system_state")
    by_gateway = {one.gateway: one for one in systems(connection)}
    found = {}
    for node, name, is_linked in cabinets(connection, now_s=now_s):
        system, started_s = by_gateway.get(node), program(connection, node).received_unix_s
        since_s = None if system is None else max(system.received_unix_s, started_s or 0)
        found[name] = Seen(system and system.state, since_s, is_linked, failed.get(node))
    return found


def _failed(connection: database.Connection, code: int, field: str) -> dict[bytes, tuple[str, int]]:
    return {
        fault.node: (str(fields(code, fault.detail).get(field)), fault.received_unix_s)
        for fault in Faults(connection).open()
        if fault.code == code
    }


def cabinets(connection: database.Connection, *, now_s: int) -> list[tuple[bytes, str, bool]]:
    """Returns (id, name, whether it is linked) of each cabinet."""
    return [
        (node, cabinet_of(insee, name), heard_s is not None and heard_s >= now_s - SILENCE_S_MAX)
        for node, insee, name, heard_s in connection.execute(_GATEWAYS).fetchall()
    ]


def read(path: Path) -> Plan | None:
    """Returns the plan in a file; None: there is no such file. Refused where it is no plan; OSError."""
    try:
        return of_plain(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(N_("{path} is no plan of a campaign: delete it, and begin anew"), path=path) from error


def of_plain(plain: dict[str, Any]) -> Plan:
    """Returns the plan that JSON has; ValueError, TypeError, KeyError."""
    names = {key: tuple(plain[key]) for key in ("first", "why")}
    return Plan(**{**plain, **names, "cabinets": None if plain["cabinets"] is None else tuple(plain["cabinets"])})


def save(path: Path, plan: Plan) -> None:
    """Writes the plan for all to read. OSError."""
    write(path, json.dumps(plan._asdict(), indent=1).encode(), mode=0o644)
