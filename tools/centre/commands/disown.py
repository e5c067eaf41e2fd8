"""Says from which boot on a node's records were a stranger's, who had its key; without a boot, shows its boots.

Each start raises a node's boot, and the highest counts as the newest: one record of a stranger with a high boot hides
all that the lamp says afterwards, with a new key too. What is disowned is kept apart, whole, and counts for nothing:
the last state, faults, hours and days are made anew without it, and what still comes of these boots goes there too,
were it the lamp's own. Give the node a new key first. `bocage centre apart` shows what is apart; its `--release` takes
the decision back.

example:
  bocage centre disown 0011223344556677 --db centre.db
  bocage centre disown 0011223344556677 --db centre.db --from-boot 4294967295
"""

import argparse
import time

from gateway.language import N_, NN_, Phrases
from tools.centre import report
from tools.centre.arguments import add_reading, opened_connection, parse_node
from tools.centre.commands.bind import opened_warehouse
from tools.centre.report import Column
from tools.centre.rollup import hours
from tools.command_line import Refused, UsageError
from wire import limits

_NO_RECORD = N_("{node}: no record of such a boot is held")
_WORDS = Phrases({
    "apart": NN_(
        "{count} record is kept apart; `bocage centre rollup` computes its days anew",
        "{count} records are kept apart; `bocage centre rollup` computes their days anew",
    )
})  # fmt: skip
_COLUMNS = (
    Column("boot", N_("boot")),
    Column("records", N_("records")),
    Column("first", N_("first received")),
    Column("last", N_("last received")),
    Column("cabinet", N_("cabinet")),
)
_BOOTS = """SELECT boot, count(*), min(received_unix_s), max(received_unix_s), insee || '-' || name
    FROM records JOIN gateways ON gateways.gateway = records.gateway WHERE node = ? GROUP BY boot, 5 ORDER BY boot, 5"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="its id, 16 hexadecimal digits")
    add_reading(parser)
    parser.add_argument("--from-boot", type=int, metavar="BOOT", help="this boot and all above were a stranger's")
    report.add_forms(parser)


def run(args: argparse.Namespace) -> int:
    node = parse_node(args.node)
    if args.from_boot is None:
        return _show(args, node)
    if not 0 <= args.from_boot <= limits.BOOT_MAX:
        raise UsageError(N_("--from-boot {boot}: give one of those that are shown without it"), boot=args.from_boot)
    with opened_warehouse(args, "disown", f"{args.node} {args.from_boot}", "") as warehouse:
        count = warehouse.disown(node, args.from_boot, now_s=int(time.time()))
        if not count:
            raise Refused(_NO_RECORD, node=args.node)
    print(_WORDS.text("apart", args.lang, count=count))
    return 0


def _show(args: argparse.Namespace, node: bytes) -> int:
    with opened_connection(args) as connection:
        found = connection.execute(_BOOTS, (node,)).fetchall()
    rows = [
        {
            "boot": boot,
            "records": records,
            "first": hours.day_text(hours.day_of(first_s)),
            "last": hours.day_text(hours.day_of(last_s)),
            "cabinet": cabinet,
        }
        for boot, records, first_s, last_s, cabinet in found
    ]
    report.show(args, _COLUMNS, rows, N_("No record of this node is held."))
    return 0
