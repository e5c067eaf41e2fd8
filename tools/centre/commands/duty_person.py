"""Says how a person is reached when they are on duty: telephone, mail and language. Without options, shows it.

A person says it on the screens too. The name is that of `bocage centre access`: what is told to them is what they have
a right to.

example:
  bocage centre duty person "Alice Martin" --web web.sqlite3 --phone "06 12 34 56 78" --mail alice@example.fr
  bocage centre duty person "Alice Martin" --web web.sqlite3 --forget
"""

import argparse

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES, N_, translate
from tools.centre.arguments import database_faults
from tools.centre.commands.duty import add_web
from tools.centre.duty import rota
from tools.command_line import UsageError

_SHOWN = N_("{person}: {phone} {mail} ({language})")
_NONE = N_("{person}: no telephone and no mail is known")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="PERSON", help="as `bocage centre access` names them")
    add_web(parser)
    parser.add_argument("--phone", metavar="NUMBER", help="+33612345678, or as one writes it in France")
    parser.add_argument("--mail", metavar="ADDRESS")
    parser.add_argument("--language", choices=LANGUAGES, help=f"of what is told to them (default: {DEFAULT_LANGUAGE})")
    parser.add_argument("--forget", action="store_true", help="they are reached no more")


def run(args: argparse.Namespace) -> int:
    path = rota.path_of(args.web)
    with database_faults(path):
        before = rota.read(path).people.get(args.name, rota.Person(args.name, "", "", DEFAULT_LANGUAGE))
        given = {
            "phone": None if args.phone is None else rota.phone_of(args.phone),
            "mail": args.mail,
            "language": args.language,
        }
        after = before._replace(**{field: value for field, value in given.items() if value is not None})
        if args.forget:
            after = before._replace(phone="", mail="")
        if after != before:
            try:
                rota.set_person(path, after)
            except rota.Faulty as fault:
                raise UsageError(fault.message, **fault.values) from fault
    said = _SHOWN if after.phone or after.mail else _NONE
    print(translate(said, args.lang, person=after.name, phone=after.phone, mail=after.mail, language=after.language))
    return 0
