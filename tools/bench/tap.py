"""Measures from the tap on "Sign" to the watts that the same page then shows, in the demonstration.

A browser (Debian's Chromium) is the operator of `bocage demo` at real speed, and lights a feeder of Béhuard by day,
gives it back, and so on. Real are key and signature of the browser, outbox, control's decisions, gateway core and
page; contactor, meter and broker are simulated, without the time of a network. `bocage bench command` has real
processes and a real broker, without a browser.

    shown_p50_s, _p95_s, _max_s    by the clock of this process, from the click to "1 sur 1 départ"

    bocage bench tap --rounds 20
"""

import argparse
import math
import shutil
import subprocess
import sys
import time
from contextlib import closing
from socket import create_server
from typing import Any
from urllib.parse import urlsplit

from gateway.language import N_
from tools.command_line import Refused, add_json, print_figures

_GIVE = "/49028/orders/give/light?where=feeder:bourg"
_WAIT_MS = 60_000
_NO_CHROMIUM = N_("no Chromium: apt-get install chromium")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=20, help="default: %(default)s")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise Refused(_NO_CHROMIUM)
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "tools", "demo", "--no-browser", "--port", str(port), "--rooms", "4"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            print_figures(_measure(chromium, process.stdout.readline().split()[-1], args.rounds), as_json=args.json)
        finally:
            process.terminate()
    return 0


def _measure(chromium: str, address: str, rounds: int) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(locale="fr-FR")
        page.set_default_timeout(_WAIT_MS)
        page.goto(address)
        page.wait_for_selector("aside.demo")
        page.click("#demo-1")
        page.wait_for_selector("#demo-1[aria-pressed=true]")
        page.goto(origin + _GIVE)
        page.click("[data-do=prepare]")
        page.click("#demo-enrol button")
        shown_s = sorted(_round_s(page, origin) for _ in range(rounds))
        browser.close()
    return {
        "rounds": rounds,
        "shown_p50_s": shown_s[rounds // 2],
        "shown_p95_s": shown_s[math.ceil(rounds * 95 / 100) - 1],
        "shown_max_s": shown_s[-1],
    }


def _round_s(page: Any, origin: str) -> float:
    """Lights the feeder and gives it back; returns the seconds until its watts were shown."""
    page.goto(origin + _GIVE)
    page.wait_for_selector("#words:visible")
    began_s = time.monotonic()
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("text=1 sur 1 départ")
    shown_s = time.monotonic() - began_s
    page.click("text=Rendre à la politique")
    page.click("[data-do=sign]:visible")
    page.wait_for_selector("text=Terminé par 1 armoire")
    return shown_s
