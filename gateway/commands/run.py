"""Runs the agent of a cabinet in the foreground, until SIGTERM or SIGINT."""

import argparse
import asyncio
import faulthandler
import sys

from gateway.commands import on_config
from gateway.commands.check import add_arguments
from gateway.config.config import Config
from gateway.language import N_, translate

__all__ = ["add_arguments", "run"]


@on_config
def run(config: Config, args: argparse.Namespace) -> int:
    """Returns the exit status: 0 stopped, 1 an address or the data folder is not available."""
    from gateway.agent import Agent  # its packages are needed only here

    async def serve() -> None:
        await Agent(config).run()

    # systemd's watchdog ends us with SIGABRT: then the stack of every thread is written.
    faulthandler.enable()
    try:
        asyncio.run(serve())
    except OSError as error:
        remedy = N_("cannot start: {error}; free the address or give another data folder")
        print(translate(remedy, args.lang, error=error), file=sys.stderr)
        return 1
    return 0
