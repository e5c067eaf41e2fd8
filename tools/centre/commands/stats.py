"""Shows what the warehouse holds, and what it lacks.

example:
  bocage centre stats --db centre.db --json
"""

import argparse
import json

from tools.centre.arguments import add_file, opened_archive
from tools.centre.store.archive import Archive
from tools.command_line import add_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file(parser, "the warehouse, an SQLite file")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    with opened_archive(args.db) as archive:
        figures = statistics(archive)
    if args.json:
        print(json.dumps(figures, indent=2))
        return 0
    for name in ("records", "duplicates", "conflicts", "refused", "gaps", "missing"):
        print(f"{name:<12}{figures[name]:>12}")
    for lane, count in figures["records_by_lane"].items():
        print(f"  {lane:<10}{count:>12}")
    for gateway in figures["gateways"]:
        print(f"gateway {gateway['insee']}-{gateway['name']}  {gateway['id']}")
        for prefix in gateway["prefixes"]:
            ahead = "".join(f"  ahead {first}-{last}" for first, last in prefix["ahead"])
            print(f"  {prefix['epoch']} {prefix['lane']:<10}{prefix['next_position']:>12}{ahead}")
    for alarm in figures["alarms"]:
        print(f"alarm {alarm['kind']} {alarm['subject']} x{alarm['times']}")
    return 0


def statistics(archive: Archive) -> dict:
    """Returns the figures that `stats --json` prints. `missing` counts the records that neither came nor are explained
    by a gap."""
    prefixes = archive.prefixes()
    return {
        **archive.counters,
        "records_by_lane": archive.records_by_lane(),
        "gaps": len(archive.gaps()),
        "missing": sum(last - first + 1 for _, _, first, last in archive.missing_all()),
        "gateways": [
            {
                "id": identity.hex(),
                "insee": insee,
                "name": name,
                "bound": bound,
                "prefixes": [
                    {
                        "epoch": prefix.epoch.hex(),
                        "lane": prefix.lane,
                        "next_position": prefix.next_position,
                        "ahead": prefix.ahead,
                    }
                    for prefix in prefixes
                    if (prefix.gateway, prefix.insee, prefix.name) == (identity, insee, name)
                ],
            }
            for identity, insee, name, bound in archive.gateways()
        ],
        "alarms": [
            {"kind": kind, "subject": subject, "first_unix_s": first, "last_unix_s": last, "times": times}
            for kind, subject, first, last, times in archive.alarms()
        ],
    }
