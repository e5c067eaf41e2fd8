"""Measures the screens of the centre on a commune of N lights: bytes, processor time, frames of the map, viewers.

A web is served by its own process from a warehouse of N lights in every state (`screens_world`).

    page_*_ms              processor time for one page, of the web and of PostgreSQL together
    picture_ms             the same for what all pages are made of, when the warehouse has changed
    viewers_core_percent   of one core, of both, with VIEWERS streams open while a light in a thousand changes each 2 s
    seen_s                 from a commit to the event at the last of the viewers, the worst of ten or so; seen_p50_s
    first_page_kb          the map and all that it asks for, as it crosses the network to an empty browser: Debian's
                           Chromium, where it is installed
    frame_p95_ms, _p50_    while the map is dragged there, without a GPU

    bocage bench screens --lights 20000
    bocage bench screens --lights 20000 --server     on PostgreSQL, as the role of an installed centre's screens
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulator.rig import postgresql
from tools.bench import screens_world
from tools.bench.screens_world import INSEE, OPERATOR
from tools.centre.scope import server as server_scope
from tools.centre.store import database, schema
from tools.command_line import add_json, print_figures

_PORT = 8197
_PAGES = {"list": f"/{INSEE}/lights", "map": f"/{INSEE}/map", "data": f"/{INSEE}/map/lights.json",
          "light": f"/{INSEE}/lights/00100", "faults": f"/{INSEE}/faults"}  # fmt: skip
_WATCHED_S = 20
_SEEN_S_MAX = 10
# Frames of a drag across a screen, and back.
_FRAMES = """async () => {
    const times = [];
    await new Promise((done) => {
        const turn = (now) => { times.push(now); times.length < 240 ? requestAnimationFrame(turn) : done(); };
        requestAnimationFrame(turn);
    });
    return times.slice(1).map((one, i) => one - times[i]).sort((a, b) => a - b);
}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lights", type=int, default=2000, help="default: %(default)s; a town has 20,000")
    parser.add_argument("--viewers", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--server", action="store_true", help="on PostgreSQL")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="bocage-screens-") as folder, ExitStack() as stack:
        warehouse, engine_pid = str(Path(folder) / "centre.db"), None
        if args.server:
            made: postgresql.Server = stack.enter_context(postgresql.temporary(Path(os.devnull)))
            warehouse, engine_pid = made.address(), made.pid
        print_figures(measure(Path(folder), warehouse, engine_pid, args.lights, args.viewers), as_json=args.json)
    return 0


def measure(folder: Path, warehouse: str, engine_pid: int | None, lights: int, viewers: int) -> dict[str, Any]:
    shown, data = warehouse, str(folder / "web.sqlite3")
    screens_world.build(warehouse, lights, now_s=int(time.time()), has_spaces=True)
    if database.is_server(warehouse):
        with closing(schema.open_to_write(warehouse, "OFF")) as connection:
            with database.transaction(connection):
                server_scope.prepare(connection)
            connection.execute("ANALYZE")  # autovacuum's, a minute later
        shown = urlsplit(warehouse)._replace(netloc=f"{server_scope.WEB_ROLE}@").geturl()
    cookie = _entered(shown, data)
    figures: dict[str, Any] = {"lights": lights}
    with _served(shown, data) as process:
        server = _Server(cookie, process.pid, engine_pid)
        for name, address in _PAGES.items():
            figures[f"page_{name}_ms"] = server.cost_ms(partial(server.get, address), 20)
        figures["picture_ms"] = server.cost_ms(lambda: _changed_page(server, warehouse), 4) - figures["page_list_ms"]
        figures |= asyncio.run(_watched(server, warehouse, lights, viewers))
        if shutil.which("chromium"):
            figures |= _in_chromium(cookie)
        figures["server_mb"] = server.memory_mb()
    return figures


def _entered(warehouse: str, data: str) -> str:
    """Returns the cookie of a session of the operator."""
    from tools.centre.web.configuration import Options, configure

    configure(Options(warehouse, data, f"http://127.0.0.1:{_PORT}"))
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.utils import timezone

    account = get_user_model()(username=OPERATOR, last_login=timezone.now())
    account.set_unusable_password()
    account.save()
    client = Client()
    client.force_login(account, "django.contrib.auth.backends.ModelBackend")
    return str(client.cookies["bocage"].value)


@contextmanager
def _served(warehouse: str, data: str) -> Any:
    words = ("centre", "web", "--db", warehouse, "--data", data, "--port", str(_PORT))
    with subprocess.Popen([sys.executable, "-m", "tools", *words], stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with suppress(OSError), closing(HTTPConnection("127.0.0.1", _PORT, timeout=5)) as connection:
                    connection.connect()
                    break
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()


class _Server:
    """Asks the served web, and reads what its process costs, and PostgreSQL's with all of its sessions."""

    def __init__(self, cookie: str, pid: int, engine_pid: int | None) -> None:
        self.headers = {"Cookie": f"bocage={cookie}", "Accept-Encoding": "gzip", "Accept-Language": "fr"}
        self._pid, self._engine_pid = pid, engine_pid

    def get(self, address: str) -> bytes:
        with closing(HTTPConnection("127.0.0.1", _PORT, timeout=60)) as connection:
            connection.request("GET", address, headers=self.headers)
            answer = connection.getresponse()
            assert answer.status == 200, (address, answer.status)
            return answer.read()

    def cpu_s(self) -> float:
        ticks = sum(_ticks(self._pid)[:2])
        if self._engine_pid is not None:
            ticks += sum(_ticks(self._engine_pid))
            sessions = Path(f"/proc/{self._engine_pid}/task/{self._engine_pid}/children").read_text(encoding="ascii")
            for session in map(int, sessions.split()):
                with suppress(OSError):  # it has ended, and counts as one of its parent's from now on
                    ticks += sum(_ticks(session)[:2])
        return ticks / os.sysconf("SC_CLK_TCK")

    def cost_ms(self, ask: Any, times: int) -> float:
        """Returns the processor time of one question, which the system counts in hundredths of a second: the best
        mean of three rows of `times`."""
        best = float("inf")
        for _ in range(3):
            before_s = self.cpu_s()
            for _ in range(times):
                ask()
            best = min(best, (self.cpu_s() - before_s) / times)
        return 1000 * best

    def memory_mb(self) -> float:
        lines = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


def _ticks(pid: int) -> list[int]:
    """Returns the processor time of a process: as a user, as the system, and both of its children that have ended."""
    return [
        int(word) for word in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:15]
    ]


def _changed_page(server: _Server, warehouse: str) -> None:
    _change(warehouse, 1)
    time.sleep(1.05)  # a picture is held for a second
    server.get(_PAGES["list"])


def _change(warehouse: str, count: int) -> None:
    """Writes new watts of some lights, as an ingest does."""
    with closing(schema.open_to_write(warehouse, "OFF")) as connection:
        connection.execute(
            "UPDATE latest SET power_dw = power_dw + 1, received_unix_s = ?, seconds = ? WHERE node IN"
            " (SELECT node FROM latest WHERE power_dw > 100 ORDER BY received_unix_s LIMIT ?)",
            (int(time.time()), int(time.time()), count),
        )


async def _watched(server: _Server, warehouse: str, lights: int, viewers: int) -> dict[str, float]:
    seen: list[float] = []
    streams = [await asyncio.open_connection("127.0.0.1", _PORT) for _ in range(viewers)]
    heads = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    for _, writer in streams:
        writer.write(f"GET /{INSEE}/live HTTP/1.1\r\nHost: 127.0.0.1:{_PORT}\r\n{heads}\r\n".encode())
    last = [0.0] * viewers

    async def follow(number: int, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if b'"changes":[[' in line:
                last[number] = time.monotonic()

    tasks = [asyncio.create_task(follow(number, reader)) for number, (reader, _) in enumerate(streams)]
    await asyncio.sleep(8)  # all have begun
    before_s, began_s = server.cpu_s(), time.monotonic()
    while time.monotonic() - began_s < _WATCHED_S:
        asked_s = time.monotonic()
        await asyncio.to_thread(_change, warehouse, max(1, lights // 1000))
        written_s = time.monotonic()
        while min(last) < asked_s and time.monotonic() < written_s + _SEEN_S_MAX:
            await asyncio.sleep(0.01)
        seen.append(max(last) - written_s if min(last) > asked_s else float("inf"))
        await asyncio.sleep(max(0, 2 - (time.monotonic() - asked_s)))
    spent_s, watched_s = server.cpu_s() - before_s, time.monotonic() - began_s
    for task in tasks:
        task.cancel()
    seen.sort()
    return {
        "viewers": viewers,
        "viewers_core_percent": 100 * spent_s / watched_s,
        "seen_p50_s": seen[len(seen) // 2],
        "seen_s": seen[-1],
    }


def _in_chromium(cookie: str) -> dict[str, float]:
    from playwright.sync_api import Request, sync_playwright

    finished: list[Request] = []

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        context.add_cookies([{"name": "bocage", "value": cookie, "url": f"http://127.0.0.1:{_PORT}"}])
        page = context.new_page()
        page.on("requestfinished", lambda one: finished.append(one))
        page.goto(f"http://127.0.0.1:{_PORT}/{INSEE}/map")
        page.wait_for_selector("#map[data-ready]")
        page.wait_for_timeout(1000)
        sizes = [one.sizes() for one in finished]
        first_bytes = sum(one["responseHeadersSize"] + one["responseBodySize"] for one in sizes)
        page.evaluate(f"window.frames95 = ({_FRAMES})()")
        page.mouse.move(1100, 600)
        page.mouse.down()
        for step in range(120):
            page.mouse.move(1100 + 4 * (step if step < 60 else 120 - step), 600 + step % 40)
            page.wait_for_timeout(16)
        page.mouse.up()
        times = page.evaluate("window.frames95")
        browser.close()
    frames = {"frame_p50_ms": times[len(times) // 2], "frame_p95_ms": times[len(times) * 95 // 100]}
    return {"first_page_kb": first_bytes / 1000} | frames
