"""Sub-commands of `bocage gateway` as a person types them, on a configuration or on a file."""

import argparse

from gateway import cli


def bocage_gateway(*words):
    """The exit status of the whole command line, from its first word on."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.run(parser.parse_args([str(word) for word in words]))


def run_command(name, config, *words, lang="fr", json=False):
    """The exit status of one sub-command on a configuration that a test has made."""
    options = ["--lang", lang, *(["--json"] if json else [])]
    return cli.run_command(name, [*options, *map(str, words)], config)
