"""Sub-commands of `bocage gateway` as a person types them, on a configuration or on a file."""

import pytest

from gateway import cli
from tools import command_line


def bocage_gateway(*words):
    """The exit status of the whole command line, from its first word on."""
    return command_line.run("bocage gateway", cli.COMMANDS, [str(word) for word in words], "")


def run_command(name, config, *words, lang="fr", json=False):
    """The exit status of one sub-command on a configuration that a test has made."""
    options = ["--config", "of-the-test.toml", "--lang", lang, *(["--json"] if json else [])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.config.config.load", lambda _path, *, insecure: config)
        return bocage_gateway(name, *options, *words)
