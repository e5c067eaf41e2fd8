"""Prints who is on duty in which week, as CSV for a spreadsheet, or takes it from a file.

A line is a commune (or all), a trade (lighting, heating, watering, all), a week from Monday 08:00 on, a person and a
substitute, as `bocage centre access` names them. A line takes the place of the one that was there; without a person it
takes that away. The line of a commune counts before the one of all.

example:
  bocage centre duty rota --web web.sqlite3 > rota.csv
  bocage centre duty rota rota.csv --web web.sqlite3
"""

import argparse
import time
from pathlib import Path

from gateway.language import N_, NN_, Sentence, translate
from gateway.language.reasons import of_file
from tools.centre.arguments import database_faults
from tools.centre.commands.duty import add_web
from tools.centre.duty import rota
from tools.centre.limits import REGISTER_BYTES_MAX
from tools.command_line import UsageError

_WRITTEN = NN_("{count} line of the rota written", "{count} lines of the rota written")
_UNREACHED = N_("no telephone and no mail is known of {names}: nobody wakes them; see `bocage centre duty person`")
_FAULTY = N_("{path}: {why}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="CSV with the lines to write")
    add_web(parser)


def run(args: argparse.Namespace) -> int:
    path = rota.path_of(args.web)
    with database_faults(path):
        if args.file is None:
            print(rota.text_of(rota.read(path).weeks), end="")
            return 0
        try:
            if args.file.stat().st_size > REGISTER_BYTES_MAX:
                raise UsageError(_FAULTY, path=args.file, why=Sentence(N_("it is too long")))
            lines = rota.parse(args.file.read_text(encoding="utf-8-sig"))
            count = rota.set_weeks(path, lines, now_s=int(time.time()))
        except rota.Faulty as fault:
            raise UsageError(_FAULTY, path=args.file, why=Sentence(fault.message, fault.values)) from fault
        except OSError as error:
            raise UsageError(_FAULTY, path=args.file, why=of_file(error)) from error
        except UnicodeDecodeError as error:
            raise UsageError(_FAULTY, path=args.file, why=error) from error
        print(translate(_WRITTEN, args.lang, count=count))
        known = rota.read(path).people
    lacking = sorted({name for one in lines for name in (one.person, one.substitute) if name and name not in known})
    if lacking:
        print(translate(_UNREACHED, args.lang, names=", ".join(lacking)))
    return 0
