"""Shows what the warehouse holds, and what it lacks; its own alarms stand in `bocage centre alarms`.

example:
  bocage centre stats --db centre.db --json
"""

import argparse
import json
import time

from gateway.language import N_, translate
from tools.centre.arguments import add_reading, local_time, opened_connection
from tools.centre.register import words
from tools.centre.register.equipment import cabinet_of
from tools.centre.register.register import Register
from tools.centre.store.archive import Archive
from tools.command_line import add_json

# Of the positions that are gone, so many lines; `--json` has all.
_GONE_SHOWN_MAX = 20
_GONE = N_(
    "gone {gateway} {epoch} {lane} {first}-{last}, noticed {when}: the gateway no longer had these positions. A gap or "
    "hole record of its own says why; without one, an earlier state of this warehouse had received them, and its "
    "backup is older"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    now_s = int(time.time())
    with opened_connection(args) as connection:
        figures = statistics(Archive(connection), Register(connection), args.lang, now_s=now_s)
    if args.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
        return 0
    for name in ("records", "duplicates", "conflicts", "refused", "gaps", "missing"):
        print(f"{name:<12}{figures[name]:>12}")
    for lane, count in figures["records_by_lane"].items():
        print(f"  {lane:<10}{count:>12}")
    for gateway in figures["gateways"]:
        where = "" if gateway["place"] is None else f"  ({gateway['place']['text']})"
        print(f"gateway {gateway['insee']}-{gateway['name']}  {gateway['id']}{where}")
        for prefix in gateway["prefixes"]:
            ahead = "".join(f"  ahead {first}-{last}" for first, last in prefix["ahead"])
            print(f"  {prefix['epoch']} {prefix['lane']:<10}{prefix['next_position']:>12}{ahead}")
    for gone in figures["gone"][:_GONE_SHOWN_MAX]:
        when = local_time(gone["noticed_unix_s"], now_s=now_s)
        print(translate(_GONE, args.lang, when=when, **gone))
    return 0


def statistics(archive: Archive, register: Register, language: str, *, now_s: int) -> dict:
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
                "place": words.place_plain(register.of_gateway(insee, name, unix_s=now_s), language),
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
        "gone": [
            {
                "gateway": cabinet_of(skip.insee, skip.name),
                "epoch": skip.epoch.hex(),
                "lane": skip.lane,
                "first": skip.first,
                "last": skip.last,
                "noticed_unix_s": skip.received_unix_s,
            }
            for skip in archive.skips()
        ],
    }
