"""Shows a simulated town on the screens of the centre, to play with: time runs, lamps light up, things break.

Node code, gateway core, ingest, warehouse and screens are the real ones, in one process, without a broker; only time,
radio and the physical world are simulated. It listens on this machine only, and keeps nothing when it ends.

    bocage demo                     opens a browser just before dusk; the same --seed gives the same town
    bocage demo --season summer     a drought order, green spaces that are watered before sunrise
    bocage demo --commune lampes.gpkg    the streets and lights of a real commune, from its register
    bocage demo --db centre.db --night 2026-11-24    a night of any warehouse, played again
"""

import argparse
import signal
import tempfile
import time
import warnings
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from gateway.language import N_, translate
from gateway.language.arguments import whole
from simulator.options import SEASONS, Options
from tools.centre.arguments import check_insee, database_faults
from tools.centre.register.equipment import day_text, first_second
from tools.centre.register.table import Unreadable
from tools.centre.register.words import fault_text
from tools.command_line import Refused, UsageError
from tools.demo import people
from tools.demo.commune import File, read
from tools.demo.driver import Driver
from tools.demo.replay import Replay, nights
from tools.demo.story import CONTROL, DATA, DUTY, Story

_AT = N_("The town is at {address}")
_NEXT = N_("For another browser: {address}")
_END = N_("Ctrl-C ends it.")
_NO_NIGHT = N_("--db {path}: it holds no record")
_OTHER_NIGHT = N_("--night {night}: there are records from {first} to {last}")
_UNREADABLE = N_("{faults}\nThe commune is not shown: mend the file, or try `bocage centre register import`.")
_FAULTS_SHOWN_MAX = 10
# At which a town has told four seconds after its visitor has begun that it is lit.
_SPEED = 60
# What the simulated communes pay for a kilowatt-hour, in euros: an example, of the order of 2025.
_KWH_PRICE = 0.22
_LOOK_S = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `bocage demo`."""
    parser.add_argument("--seed", type=int, default=1, help="which town (default 1)")
    parser.add_argument("--lamps", type=whole(30, 2000), default=180, help="street lights with a node (default 180)")
    parser.add_argument("--rooms", type=whole(0, 200), default=12, help="heated rooms (default 12)")
    parser.add_argument("--greens", type=whole(0, 60), default=8, help="green spaces (default 8)")
    parser.add_argument("--season", choices=sorted(SEASONS), default="spring", help="when it is (default spring)")
    parser.add_argument("--commune", type=Path, metavar="FILE.gpkg", help="the lights of a commune, instead of a town")
    parser.add_argument("--insee", metavar="CODE", help="with --commune: of the lines that name none")
    parser.add_argument("--db", metavar="WAREHOUSE", help="play a night of its records again, instead of a town")
    parser.add_argument("--night", metavar="DAY", help="with --db: the day of its evening (default: the last)")
    parser.add_argument("--port", type=whole(1, 65535), default=8081, help="of this machine (default: %(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(args: argparse.Namespace) -> int:
    """Runs the town until Ctrl-C."""
    import uvicorn

    from tools.centre.web import connections
    from tools.centre.web.configuration import Options as WebOptions
    from tools.centre.web.serving import HOST, listening
    from tools.demo import screens

    listener = listening(args.port)
    # Ended by another program (timeout, systemd): the way out is that of Ctrl-C, which removes the folder.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="bocage-demo-") as name:
        file = None if args.commune is None else _read(args)
        driver = Driver(_made(args, Path(name), file), speed=_SPEED, waits=args.db is None)
        driver.start()
        origin = f"http://{HOST}:{args.port}"
        entrance = screens.Entrance(origin, lambda address: _say(args, _NEXT, address))
        demo = screens.Demo(driver, entrance, Path(name), people.COMMUNE if file is None else file.insee)
        try:
            warehouse = driver.ask(lambda story: story.path)
            control = None if args.db else str(Path(name, CONTROL))
            data = str(Path(name, DATA))
            duty = None if args.db else str(Path(name, DUTY))
            options = WebOptions(
                warehouse, data, origin, driver.unix_s, ground=name, control=control, duty=duty, kwh_price=_KWH_PRICE
            )
            screens.configure(options, demo)
            from django.core.asgi import get_asgi_application

            # Files of style and script are read whole, which is what they are small enough for.
            warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
            server = uvicorn.Server(uvicorn.Config(get_asgi_application(), log_level="warning", lifespan="off"))
            Thread(target=_open, args=(args, server, entrance), name="opening", daemon=True).start()
            server.run(sockets=[listener])
        finally:
            connections.close()
            demo.close()
    return 0


def _read(args: argparse.Namespace) -> File:
    """Returns the commune of a file, and says what that lacks; Refused for one that cannot be imported."""
    if args.insee is not None:
        check_insee("--insee", args.insee)
    start_s = first_second(int(SEASONS[args.season].timestamp()))
    try:
        found = read(args.commune, insee=args.insee, lamps_max=args.lamps, unix_s=start_s)
    except Unreadable as error:
        told = [fault_text(args.commune, fault, args.lang) for fault in error.faults[:_FAULTS_SHOWN_MAX]]
        raise Refused(_UNREADABLE, faults="\n".join(told)) from error
    for said in found.missing:
        print(f"{args.commune}: {translate(said.message, args.lang, **said.values)}")
    return found


def _made(args: argparse.Namespace, folder: Path, file: File | None) -> Callable[[], Any]:
    """Returns what makes the world that is shown."""
    if file is not None:
        given = file.districts()
        lamps = sum(district.lamps for district in given)
        start = SEASONS[args.season]
        return partial(Story, folder, Options(args.seed, start, cabinets=len(given), lamps=lamps, given=given), file)
    if args.db is None:
        options = Options(
            seed=args.seed, start=SEASONS[args.season], lamps=args.lamps, rooms=args.rooms, greens=args.greens
        )
        return partial(Story, folder, options)
    with database_faults(args.db):
        known = {day_text(noon_s): noon_s for noon_s in nights(args.db)}
    if not known:
        raise Refused(_NO_NIGHT, path=args.db)
    if args.night is not None and args.night not in known:
        raise UsageError(_OTHER_NIGHT, night=args.night, last=next(iter(known)), first=list(known)[-1])
    return partial(Replay, folder, args.db, known[args.night or next(iter(known))])


def _open(args: argparse.Namespace, server: Any, entrance: Any) -> None:
    """Prints the address and opens it, once somebody answers there."""
    while not server.started:
        time.sleep(_LOOK_S)
    address = entrance.address()
    _say(args, _AT, address)
    print(translate(_END, args.lang), flush=True)
    if not args.no_browser:
        webbrowser.open(address)


def _say(args: argparse.Namespace, message: str, address: str) -> None:
    print(translate(message, args.lang, address=address), flush=True)
