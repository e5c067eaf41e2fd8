"""Asks what is in the cabinet and writes /etc/bocage, from the first question to the last file.

Exit status: 0 written, 1 the machine did not allow it, 2 faults or given up; then nothing was written.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from gateway.commands.setup import answers, files, machine
from gateway.commands.setup.dialogue import Abandoned, Terminal
from gateway.commands.setup.draft import Draft, open_draft
from gateway.commands.setup.questions import Questions
from gateway.commands.setup.words import word
from gateway.io import identity

_UNIT = "bocage-gateway.service"
# systemctl waits until the agent reports ready; reading a large journal takes a minute.
_START_S_MAX = 120

EXAMPLE = """examples:
  sudo bocage gateway setup
  sudo bocage gateway setup --lang en
  sudo bocage gateway setup --certificate /media/usb/49135-cab-1.pem
  sudo bocage gateway setup --answers cab-12.toml               for programs; see gateway/commands/setup/answers.py
  sudo bocage gateway setup --answers cab-12.toml --root /mnt   into an image"""


# Option -> the file it installs; in the answers it is [uplink] ca, [uplink] certificate, [gateway] keys.
_INSTALLED = {
    "ca": "the certificate of the territory's authority",
    "certificate": "this cabinet's certificate, as the authority signed it",
    "keys": "the commune's key set",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `bocage gateway setup`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLE
    parser.add_argument("--answers", type=Path, metavar="FILE", help="ask nothing: take the answers from a TOML file")
    for name, text in _INSTALLED.items():
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"ask nothing: install {text}")
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="where the system lies (/)")


def run(args: argparse.Namespace) -> int:
    """Runs the questions, or the answers of a file; returns the exit status."""
    terminal = Terminal(args.lang)
    if args.root == Path("/") and os.geteuid() != 0:
        print(word("not_root", args.lang), file=sys.stderr)
        return 1
    try:
        draft = open_draft(args.root)
    except (OSError, ValueError) as error:  # a text that is not TOML, or not UTF-8, is a ValueError
        path = files.under(args.root, files.CONFIG)
        print(word("cannot_read", args.lang, path=str(path), error=str(error)), file=sys.stderr)
        return 1 if isinstance(error, OSError) else 2
    try:
        if any(one is not None for one in (args.answers, args.ca, args.certificate, args.keys)):
            return _from_answers(draft, args, terminal)
        return _from_person(draft, terminal)
    except Abandoned:
        print(f"\n{word('abandoned', args.lang)}", file=sys.stderr)
        return 2
    except OSError as error:
        print(word("cannot_write", args.lang, error=str(error)), file=sys.stderr)
        return 1
    except identity.IdentityFault as fault:  # the installed key is faulty
        print(word(fault.word, args.lang, **fault.values), file=sys.stderr)
        return 2


def _from_answers(draft: Draft, args: argparse.Namespace, terminal: Terminal) -> int:
    language = terminal.language
    try:
        given = answers.read(args.answers) if args.answers is not None else {}
    except (OSError, ValueError) as error:
        print(word("cannot_read", language, path=str(args.answers), error=str(error)), file=sys.stderr)
        return 2
    except answers.OpenToOthers:
        print(word("answers.open", language, path=str(args.answers)), file=sys.stderr)
        return 2
    for section, name, path in (
        ("uplink", "ca", args.ca),
        ("uplink", "certificate", args.certificate),
        ("gateway", "keys", args.keys),
    ):
        if path is not None:
            given.setdefault(section, {})[name] = str(path)
    faults = answers.lay_over(draft, given, language)
    faults += draft.check(language)
    if faults:
        print("\n".join([word("faults", language, count=str(len(faults))), *faults]), file=sys.stderr)
        return 2
    _write(draft, terminal)
    terminal.show("done.restart")
    return 0


def _from_person(draft: Draft, terminal: Terminal) -> int:
    terminal.show("hello")
    if draft.was_there:
        terminal.show("found", path=str(files.CONFIG))
    while True:
        Questions(terminal, draft).ask_all()
        faults = draft.check(terminal.language)
        if not faults:
            break
        terminal.show("faults", count=str(len(faults)))
        for fault in faults:
            terminal.show_line(f"  {fault}")
        if not terminal.confirm("again", default=True):
            raise Abandoned
    terminal.title("title.end")
    terminal.show("end.cabinet", name=draft.common_name, id=draft.document["gateway"]["id"])
    for number, feeder in enumerate(draft.document["cabinet"]["feeder"], 1):
        values = {"name": feeder["name"], "lamps": feeder["lamps"], "watts": feeder.get("lamp_watts", 0)}
        shown = {name: str(value) for name, value in values.items()}
        terminal.show("feeder.is", number=str(number), contactor=feeder["contactor"], **shown)
    if not terminal.confirm("write", default=True):
        raise Abandoned
    _write(draft, terminal)
    if machine.runs_systemd(draft.root) and terminal.confirm("start", default=True):
        return _start(terminal)
    terminal.show("done.restart")
    return 0


def _write(draft: Draft, terminal: Terminal) -> None:
    new = draft.new_files(terminal.language)
    for file in new:
        files.replace(draft.root, file)
        terminal.show("done.written", path=str(files.under(draft.root, file.path)))
    certificate = next(file.data for file in new if file.path == files.CERTIFICATE)
    if identity.is_stand_in(certificate):
        terminal.show("done.request", path=str(files.under(draft.root, files.REQUEST)), name=draft.common_name)
    if "keys" not in draft.document["gateway"]:
        terminal.show("done.no_keys")


def _start(terminal: Terminal) -> int:
    command = ["systemctl", "restart", _UNIT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_START_S_MAX)
        error = done.stderr.strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as failure:
        error = str(failure)
    if error:
        terminal.show("done.not_started", error=error)
        return 1
    terminal.show("done.started", path=str(files.CONFIG))
    return 0
