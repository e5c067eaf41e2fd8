"""Makes an account for the screens, or gives it a new one-time password, which is printed once and never kept.

The name is that of the person in `bocage centre access`: what is granted there is what the account sees. The person
chooses a password at the first login, within a week; who is logged in with the old one is logged out.

example:
  bocage centre web account "Léa Durand"
"""

import argparse
import unicodedata

from gateway.language import N_, translate
from tools.centre.commands.web import add_data
from tools.centre.web.limits import PERSON_CHARACTERS_MAX
from tools.command_line import UsageError

_MADE = N_("{person}: one-time password, for a week: {password}")
_NO_NAME = N_("{name}: give a name of {count} characters at most")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the person, as `bocage centre access` names them")
    add_data(parser)


def run(args: argparse.Namespace) -> int:
    from tools.centre.web.accounts import reset
    from tools.centre.web.configuration import Options, configure

    name = unicodedata.normalize("NFKC", args.name).strip()
    if not name.isprintable() or not 0 < len(name) <= PERSON_CHARACTERS_MAX:
        raise UsageError(_NO_NAME, name=repr(args.name), count=PERSON_CHARACTERS_MAX)
    configure(Options("", args.data))
    print(translate(_MADE, args.lang, person=name, password=reset(name)))
    return 0
