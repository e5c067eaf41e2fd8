"""Makes an account for the screens, or gives it a new one-time password, which is printed once and never kept.

The name is that of the person in `bocage centre access`: what is granted there is what the account sees. The person
chooses a password at the first login, within a week; who is logged in with the old one is logged out.

example:
  bocage centre web account "Léa Durand"
  bocage centre web account "Léa Durand" --directory lea.durand@example.fr
"""

import argparse
import unicodedata

from gateway.language import N_, translate
from tools.centre.commands.web import add_data
from tools.centre.web.limits import PERSON_CHARACTERS_MAX
from tools.command_line import UsageError

_MADE = N_("{person}: one-time password, for a week: {password}")
_BOUND = N_("{person}: enters as {who} of the directory")
_UNBOUND = N_("{person}: enters by the directory no more")
_NO_NAME = N_("{name}: give a name of {count} characters at most")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the person, as `bocage centre access` names them")
    add_data(parser)
    text = N_("the person enters by the territory's directory, which knows them so (--directory of `web`); no password")
    parser.add_argument("--directory", metavar="WHO", help=text)


def run(args: argparse.Namespace) -> int:
    from tools.centre.web.accounts import bind, reset
    from tools.centre.web.configuration import Options, configure

    name = unicodedata.normalize("NFKC", args.name).strip()
    if not name.isprintable() or not 0 < len(name) <= PERSON_CHARACTERS_MAX:
        raise UsageError(_NO_NAME, name=repr(args.name), count=PERSON_CHARACTERS_MAX)
    configure(Options("", args.data))
    if args.directory is not None:
        bind(name, args.directory.strip())
        print(translate(_BOUND if args.directory.strip() else _UNBOUND, args.lang, person=name, who=args.directory))
        return 0
    print(translate(_MADE, args.lang, person=name, password=reset(name)))
    return 0
