"""The arguments of `bocage gateway setup`, apart from the wizard: who runs the agent need not load it."""

import argparse
from pathlib import Path

from gateway.language import DEFAULT_LANGUAGE, LANGUAGES

EXAMPLE = """examples:
  sudo bocage gateway setup
  sudo bocage gateway setup --lang en
  sudo bocage gateway setup --certificate /media/usb/49135-cab-1.pem
  sudo bocage gateway setup --answers cab-12.toml               for programs; see gateway/commands/setup/answers.py
  sudo bocage gateway setup --answers cab-12.toml --root /mnt   into an image"""


# Option -> what it brings; in the answers it is [uplink] ca, [uplink] certificate, [cabinet] keys.
_INSTALLED = {
    "ca": "the certificate of the territory's authority",
    "certificate": "this cabinet's certificate, as the authority signed it",
    "keys": "the commune's key set",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bocage gateway setup`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLE
    parser.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE, help="language (fr)")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="ask nothing: take the answers from a TOML file")
    for name, text in _INSTALLED.items():
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"ask nothing: install {text}")
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="where the system lies (/)")
