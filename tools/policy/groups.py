"""`[[group]]`: feeders with a calendar and a kind in common, to `document.FeederRule`.

    [[group]]
    name = "rues"
    calendar = "rues"
    kind = "switched"                 # or "permanent"; "switched" when left out
    feeders = ["bourg", { name = "gare", kind = "permanent" }]

Names of groups and feeders are one set: a command or a limit has one of them as its target.
"""

from typing import Any

from policy import document, limits
from policy.document import FeederRule
from tools.policy.complaints import Complaints
from tools.policy.source_lines import Path
from tools.policy.table import Table, wrong_type
from wire.command import NAME_BYTES_MAX

KINDS = {"switched": document.SWITCHED, "permanent": document.PERMANENT}


class CalendarNames:
    """The calendars of the file by name, and which of them somebody uses. Faulty calendars have their names too."""

    def __init__(self, names: list[Any]) -> None:
        self._names = names
        self._used: set[str] = set()

    def index(self, table: Table, name: str | None) -> int:
        """The index of the calendar that `table` names; 0 after a complaint."""
        if name is None:
            return 0
        self._used.add(name)
        if name not in self._names:
            known = ", ".join(str(one) for one in self._names)
            table.add("calendar", "no_calendar", name=name, names=known)
            return 0
        return self._names.index(name)

    def close(self, complaints: Complaints) -> None:
        """Complains about calendars without a feeder: a policy says nothing that has no effect."""
        for i, name in enumerate(self._names):
            if isinstance(name, str) and name not in self._used:
                complaints.add(("calendar", i, "name"), "unused", name=name)


def read(root: Table, calendars: CalendarNames) -> list[FeederRule]:
    """All feeders of the file, in its order; after a complaint some may be missing."""
    feeders: list[FeederRule] = []
    places: dict[str, Path] = {}
    for table in root.tables("group", limits.feeders_max, needed=True):
        name = table.text("name", NAME_BYTES_MAX)
        _take(table.complaints, places, table.at("name"), name)
        calendar = calendars.index(table, table.text("calendar", NAME_BYTES_MAX))
        kind = table.one_of("kind", tuple(KINDS), otherwise="switched")
        for path, value in table.items("feeders"):
            feeder = _feeder(table.complaints, path, value, calendars)
            if feeder is None:
                continue
            own_name, own_kind, own_calendar = feeder
            _take(table.complaints, places, path, own_name)
            feeders.append(
                FeederRule(
                    own_name,
                    KINDS[own_kind or kind or "switched"],
                    calendar if own_calendar is None else own_calendar,
                    name,
                )
            )
            if len(feeders) == limits.feeders_max + 1:
                table.complaints.add(path, "too_many", max=limits.feeders_max)
        table.close()
    return feeders


def _feeder(
    complaints: Complaints, path: Path, value: Any, calendars: CalendarNames
) -> tuple[str, str | None, int | None] | None:
    """(name, its own kind, its own calendar) of one item of `feeders`."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        wrong_type(complaints, path, value, "text")
        return None
    table = Table(complaints, path, value)
    name = table.text("name", NAME_BYTES_MAX)
    kind = table.one_of("kind", tuple(KINDS)) if table.has("kind") else None
    calendar = None
    if table.has("calendar"):
        calendar = calendars.index(table, table.text("calendar", NAME_BYTES_MAX))
    table.close()
    return None if name is None else (name, kind, calendar)


def _take(complaints: Complaints, places: dict[str, Path], path: Path, name: str | None) -> None:
    """Notes a name of a group or feeder; each is taken once."""
    if name is None:
        return
    if name == document.ALL:
        complaints.add(path, "star")
    elif name in places:
        complaints.add(path, "twice", name=name)
    places.setdefault(name, path)
