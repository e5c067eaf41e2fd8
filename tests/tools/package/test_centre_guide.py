"""The centre's guide, followed word for word: two clean Debians, booted, one for the server and one for the cabinet.

A cable joins them, and a USB stick goes from one to the other. The server is lost on the way, and a third Debian
becomes the same centre from the backup. A second time the warehouse is on Debian's own PostgreSQL. What apt would fetch
is there already, for the machines have no network. Not `live`: where namespaces are refused this is skipped, and that
must be allowed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import debian_machine
from tests.support.debian_machine import Machine
from tests.tools.package import guide
from tools.package import contents

REPOSITORY = Path(__file__).resolve().parents[3]
GUIDE = (REPOSITORY / "tools/centre/INSTALLATION.md").read_text(encoding="utf-8")
SERVER_STEP = 9
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "firmware"), str(REPOSITORY)))}
SERVER, SERVER_ADDRESS, CABINET_ADDRESS = "centre.example.fr", "192.0.2.1", "192.0.2.2"
USB = "media/usb"
PERSON, CHOSEN = "Claire Morin", "un chêne au bord de l'eau"
PATIENCE_S = 180
WAREHOUSE = "/var/lib/bocage-centre/warehouse.db"
OF_FILE = f"import sqlite3; print(*sqlite3.connect({WAREHOUSE!r}).execute({{!r}}).fetchone())"
OF_SERVER = "import psycopg; print(*psycopg.connect('postgresql:///bocage').execute({!r}).fetchone())"
HELD = """SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM conflicts),
    (SELECT sum(next_position) FROM prefixes) - (SELECT coalesce(sum(last - first + 1), 0) FROM skips),
    (SELECT count(*) FROM prefixes)"""
CABINET = """
[gateway]
insee = "49135"
name = "cab-1"
[uplink]
broker = "centre.example.fr:8883"
ca = "/media/usb/autorite.pem"
[clock]
trust_system = true
[cabinet]
latitude = 47.5720
longitude = -0.5940
modbus = "/dev/serial/by-id/none"
[[cabinet.feeder]]
name = "bourg"
lamps = 14
lamp_watts = 32
contactor = "modbus:1/coil:0"
"""


def test_every_block_is_for_somebody_and_every_step_is_looked_at():
    fences = set(re.findall(r"^```(\S.*)$", GUIDE, re.MULTILINE))
    assert fences == {"text vu", f"sh {guide.DESK}", f"sh {guide.CABINET}", f"sh {guide.CENTRE}"}
    assert sum(isinstance(piece, guide.Seen) for piece in guide.pieces(GUIDE, "fr")) >= 9


class Held(NamedTuple):
    records: int
    positions: int
    streams: int


class Newcomer:
    """Does what the guide says, at the desk, at the server and at the cabinet."""

    def __init__(self, blank, folder, gateway, *, asks=OF_FILE, before_restore=()):
        """`asks`: a script that puts a question to the warehouse; `before_restore`: what a new server is given
        first."""
        self._blank, self._gateway = blank, gateway
        self._asks, self._before_restore = asks, before_restore
        self._desk = folder / "desk"
        (self._desk / USB).mkdir(parents=True)
        self._machines = {}
        self.restore_s = None
        self.saved = None
        self._said = self._entered = ""

    def __enter__(self):
        try:
            self._boot(guide.CENTRE, f"127.0.0.1 localhost {SERVER}\n")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for machine in self._machines.values():
            machine.__exit__()

    def follow(self, pieces):
        last = said = None
        for piece in pieces:
            if isinstance(piece, guide.Commands):
                for line in piece.lines:
                    last = (piece.place, line)
                    begun = time.monotonic()
                    said = self._said = self._type(*last)
                    if " restore " in line:
                        self.restore_s = time.monotonic() - begun
            elif isinstance(piece, guide.Seen):
                self._look(piece, last, said)
            else:
                getattr(self, "_act_" + piece.name.replace("-", "_"))()

    def _type(self, place, line):
        """What a command says; it must succeed, but for `status`, which says by 1 that something wants attention."""
        if place == guide.DESK:
            local = re.sub(r"^bocage ", f"{sys.executable} -m tools ", line.replace("/media/usb", USB))
            done = subprocess.run(local, shell=True, cwd=self._desk, env=ENVIRONMENT, capture_output=True, text=True)
            folder = self._desk / USB
        else:
            machine = self._machines[place]
            words = re.sub("^sudo (?:-u ([a-z-]+) )?", lambda it: f"runuser -u {it[1]} -- " if it[1] else "", line)
            done = machine.run("sh", "-c", words, check=False, timeout=PATIENCE_S)
            folder = machine.root / USB
        may_be = (0, 1, 2) if " status" in line else (0,)
        assert done.returncode in may_be, f"{place}: {line}\n{done.stdout}{done.stderr}"
        self._carry(folder)
        return done.stdout + done.stderr

    def _carry(self, source):
        """One stick: what is written to it at one place is on it at the next."""
        for folder in (self._desk / USB, *(machine.root / USB for machine in self._machines.values())):
            if folder != source:
                shutil.copytree(source, folder, dirs_exist_ok=True)

    def _look(self, seen, last, said):
        """Each line in what was said; a status is asked for again until it says so."""
        end = time.monotonic() + PATIENCE_S
        while missing := [one for one in seen.lines if not any(guide.matches(one, it) for it in said.split("\n"))]:
            assert " status" in last[1] and time.monotonic() < end, f"{last}\nnot seen: {missing}\n{said}"
            time.sleep(1)
            said = self._type(*last)

    def night(self):
        """What the timer does, in the sandboxes of its units."""
        centre = self._machines[guide.CENTRE]
        centre.run("systemctl", "start", "bocage-night")
        wanted = {"Result": "success", "ActiveState": "inactive", "ExecMainStatus": "0"}
        begun = "ExecMainStartTimestamp"
        self._until(lambda: centre.status("bocage-purge", begun)[begun], "nothing is purged")
        self._until(lambda: centre.status("bocage-purge", *wanted) == wanted, "the purge fails")

    def _act_armoire_configuree(self):
        """By its own guide, up to the request."""
        machine = self._boot(guide.CABINET, f"127.0.0.1 localhost\n{SERVER_ADDRESS} {SERVER}\n")
        shutil.copy(self._gateway, machine.root / "root" / self._gateway.name)
        machine.apt("install", f"/root/{self._gateway.name}")
        self._carry(self._desk / USB)
        machine.run("bocage", "gateway", "setup", "--answers", "/dev/stdin", stdin=CABINET)
        machine.run("systemctl", "start", "bocage-gateway")
        self._join()

    def _act_ecran_ouvert(self):
        """In Debian's Chromium, and by a client that believes the territory's authority alone. The first time with the
        password that was made, then with the one that was chosen."""
        centre, password = self._machines[guide.CENTRE], self._entered or self._said.split()[-1]
        program = [*centre.beside(), sys.executable, "-m", "tests.tools.package.browser"]
        authority = str(centre.root / "etc/bocage-centre/authority.pem")
        words = [*program, f"https://{SERVER}", "127.0.0.1", authority, PERSON, password, CHOSEN]
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        log = centre.run("journalctl", "-u", "bocage-web", "-n", "40", "--no-pager", check=False).stdout
        assert done.returncode == 0, done.stdout + done.stderr + log
        self._entered = CHOSEN

    def _act_tout_tue(self):
        self._until(lambda: self._held().records, "nothing comes from the cabinet")
        self._kill("bocage-ingest@1", "bocage-rollup", "mosquitto", "bocage-control", "bocage-metrics")

    def _act_chacun_tue(self):
        """Each of the two that receive."""
        self._kill("bocage-ingest@1", "bocage-ingest@2")

    def _kill(self, *units):
        """Each service by SIGKILL, in turn and while the cabinet has something to say; every position that the
        warehouse has passed is a record, once."""
        for unit in units:
            before = self._held()
            self._machines[guide.CABINET].run("systemctl", "restart", "bocage-gateway")
            self._machines[guide.CENTRE].run("systemctl", "kill", "--signal=KILL", unit)
            self._until(lambda had=before: self._held().records > had.records, f"nothing comes after {unit}")
            after = self._held()
            assert after.records == after.positions, unit

    def _held(self):
        """What the warehouse holds: records, the positions that its receipts pass, streams; asked without our code."""
        ask = ["runuser", "-u", "bocage-centre", "--", "python3", "-c", self._asks.format(HELD)]
        return Held(*map(int, self._machines[guide.CENTRE].run(*ask).stdout.split()))

    def _until(self, reached, problem):
        end = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < end, problem
            time.sleep(1)

    def _act_serveur_perdu(self):
        """No orderly end, and nothing of it is left but the stick."""
        self.saved = self._held()
        lost = self._machines.pop(guide.CENTRE)
        lost.__exit__()
        shutil.rmtree(lost.root)
        self._boot(guide.CENTRE, f"127.0.0.1 localhost {SERVER}\n")
        self._carry(self._desk / USB)
        self._join()
        self.follow(self._before_restore)

    def _boot(self, place, hosts):
        root = self._blank.with_name(place)
        subprocess.run(["cp", "--archive", str(self._blank), str(root)], check=True)
        (root / "etc/hosts").write_text(hosts)
        (root / USB).mkdir(parents=True)
        machine = self._machines[place] = Machine(root)
        machine.__enter__()
        return machine

    def _join(self):
        """A cable between the two; the old one went with the machine."""
        ends = {place: self._machines[place] for place in (guide.CENTRE, guide.CABINET)}
        subprocess.run([*ends[guide.CABINET].beside(), "ip", "link", "del", "eth0"], capture_output=True, check=False)
        made = ["ip", "link", "add", "eth0", "netns", str(ends[guide.CENTRE].init), "type", "veth",
                "peer", "name", "eth0", "netns", str(ends[guide.CABINET].init)]  # fmt: skip
        subprocess.run(made, check=True)
        for place, address in ((guide.CENTRE, SERVER_ADDRESS), (guide.CABINET, CABINET_ADDRESS)):
            inside = [*ends[place].beside(), "ip"]
            subprocess.run([*inside, "address", "add", f"{address}/24", "dev", "eth0"], check=True)
            subprocess.run([*inside, "link", "set", "eth0", "up"], check=True)


@pytest.fixture(scope="module")
def either(memory, clean_root):
    """A clean Debian with what apt would fetch for either package."""
    copy = memory / "either"
    subprocess.run(["cp", "--archive", str(clean_root), str(copy)], check=True)
    backports = copy / "etc/apt/sources.list.d/backports.list"
    backports.write_text((copy / "etc/apt/sources.list").read_text().replace(" trixie main", " trixie-backports main"))
    debian_machine.update(copy)
    names = [re.split(r"[ (]", name)[0] for name in contents.CENTRE.depends]
    wanted = {*names, *(name for name, _ in contents.CENTRE.python.values())} - {"python3-django"}
    debian_machine.install(copy, *sorted(wanted), "python3-django/trixie-backports")
    backports.unlink()
    yield copy
    shutil.rmtree(copy)


@pytest.fixture
def blank(memory, either):
    copy = memory / "blank"
    subprocess.run(["cp", "--archive", str(either), str(copy)], check=True)
    yield copy
    for name in ("blank", guide.CENTRE, guide.CABINET):
        shutil.rmtree(memory / name, ignore_errors=True)


def steps():
    """The guide's steps, by number; the sections around them have nothing to type."""
    return {int(number) for number in re.findall(r"^### (\d+)\.", GUIDE, re.MULTILINE)}


def step(number):
    [text] = re.findall(rf"^### {number}\..*?(?=^### )", GUIDE, re.MULTILINE | re.DOTALL)
    return guide.pieces(f"{guide.HEADINGS['fr']}\n{text}", "fr")


def on_server(piece):
    """What the guide says of its other commands: the server's address in the place of the file."""
    if not isinstance(piece, guide.Commands):
        return piece
    return piece._replace(lines=tuple(line.replace(WAREHOUSE, "postgresql:///bocage") for line in piece.lines))


@pytest.mark.root
@pytest.mark.services
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_a_blank_debian_to_a_connected_cabinet_and_back_from_a_lost_server(
    blank, packages, tmp_path, record_property
):
    assert contents.GATEWAY.name in packages[0].name
    begun = time.monotonic()
    with Newcomer(blank, tmp_path, packages[0]) as newcomer:
        newcomer.follow(piece for number in sorted(steps() - {SERVER_STEP}) for piece in step(number))
        held = newcomer._held()
        assert held.records == held.positions and held.streams >= newcomer.saved.streams
        newcomer.night()
    record_property("centre_guide_s", round(time.monotonic() - begun, 1))
    record_property("centre_restore_s", round(newcomer.restore_s, 1))


@pytest.mark.root
@pytest.mark.services
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_same_with_the_warehouse_on_postgresql(blank, packages, tmp_path, record_property):
    """Its step in the place of the first `init`; then the cabinet, everything killed, the server lost and restored."""
    debian_machine.install(blank, "--no-install-recommends", "postgresql", "python3-psycopg-c")
    server = step(SERVER_STEP)
    key_of_receipts = [piece for piece in step(2) if isinstance(piece, guide.Commands)][-1]
    ways = {"asks": OF_SERVER, "before_restore": server[:1]}
    with Newcomer(blank, tmp_path, packages[0], **ways) as newcomer:
        newcomer.follow((*step(1), *server, key_of_receipts, *map(on_server, step(3)), *step(4), *step(6)))
        held = newcomer._held()
        assert held.records == held.positions and held.streams >= newcomer.saved.streams
        newcomer.night()
    record_property("centre_restore_s", round(newcomer.restore_s, 1))
