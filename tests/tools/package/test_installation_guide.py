"""The installation guide, followed step by step by somebody who types what it says and looks for what it promises.

The cabinet is a clean Debian, booted, with the package's dependencies; its RS-485 adapter leads to a simulated street
(relay board and meters by pymodbus's server on a pseudo-terminal), its cable to a centre of real processes
(Mosquitto, ingest, control) in another network namespace. Pulling a plug takes the link down; a power cut kills the
machine. What cannot be had here is answered otherwise: there is no GPIO chip, so no line of the timer relay, and no
Linky on a UART. The commands of plain `text` blocks (flashing, Wi-Fi) are not run. Not `live`: where namespaces are
refused this is skipped, and that must be allowed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.rig.authority import Authority
from simulator.rig.rig import find_mosquitto
from simulator.rig.village import StreetBench
from tests.support import debian_machine
from tests.support.conversation import converse
from tests.support.debian_machine import Machine
from tests.tools.package import guide

REPOSITORY = Path(__file__).resolve().parents[3]
GUIDE = (REPOSITORY / "gateway/INSTALLATION.md").read_text(encoding="utf-8")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "firmware"), str(REPOSITORY)))}
SERVER, CENTRE_ADDRESS = "centre.example.fr", "192.0.2.1"
# What a status must show at once or soon: a policy is asked for every minute.
PATIENCE_S = 180

# As a commune adapts the sample: its own feeders, dark at any hour, so that what burns, burns by order.
POLICY = """
[policy]
commune = "49135"
version = 1
authority = "Conseil municipal de Feneu"
text = "Délibération 2026-41"
valid_from = {year}-01-01
valid_until = {last}-12-31
[site]
latitude = 47.5720
longitude = -0.5940
[[calendar]]
name = "rues"
  [[calendar.night]]
  steps = ["12:00 off"]
[[group]]
name = "rues"
calendar = "rues"
kind = "switched"
feeders = ["bourg", "parc"]
[[operator]]
name = "Maire"
key = "{key}"
rights = ["override", "emergency", "test"]
"""
# Questions that this machine's lack of GPIO and UART takes away or answers otherwise, by how they begin.
NO_CHIP, NO_LINKY = ("Contrôleur GPIO", "GPIO chip"), ("Port de la téléinformation", "Port of the Linky")
NOT_ASKED = ("Mode du compteur", "Mode of the meter", "Ligne du relais", "Line of the timer")


# --- the guide itself -----------------------------------------------------------------------------------------------


def test_both_languages_say_the_same_commands_and_acts():
    def done(language):
        for piece in guide.pieces(GUIDE, language):
            if isinstance(piece, guide.Commands):
                yield piece.place, tuple(line.replace(" --lang en", "") for line in piece.lines)
            elif isinstance(piece, guide.Act):
                yield piece

    assert list(done("fr")) == list(done("en"))


def test_both_languages_promise_something_after_the_same_steps():
    kinds = [[type(piece).__name__ for piece in guide.pieces(GUIDE, language)] for language in guide.HEADINGS]
    assert kinds[0] == kinds[1]


def test_every_block_is_for_somebody():
    """A typing error in the fence would take a step out of the test."""
    fences = set(re.findall(r"^```(\S.*)$", GUIDE, re.MULTILINE))
    assert fences <= {"text", "text vu", f"sh {guide.DESK}", f"sh {guide.CABINET}", f"sh {guide.CENTRE}"}


def test_the_wiring_table_and_the_wizard_agree():
    """The guide names inputs, lines and addresses in words; the wizard offers them."""
    from gateway.commands.setup import wiring

    for number, point in enumerate((*wiring.MODULE.feedbacks, *wiring.MODULE.points.values())):
        assert point.endswith(f"input:{number}")
    assert wiring.WATCHDOG == "gpio:22" and "broche 15 (GPIO 22)" in GUIDE
    assert wiring.meter(0).startswith("modbus:10/") and "compteur d’adresse 10" in GUIDE
    numbers = ", ".join(point.removeprefix("gpio:") for point in wiring.LINES.contactors)
    assert f"GPIO {numbers}" in GUIDE
    numbers = ", ".join(re.findall("[0-9]+", "".join(wiring.LINES.feedbacks)))
    assert f"et {numbers} pour leurs retours" in GUIDE


def test_the_drawing_is_what_its_script_draws():
    from tools.package import wiring

    assert wiring.PATH.read_text(encoding="utf-8") == wiring.draw()


# --- following it ---------------------------------------------------------------------------------------------------


class Newcomer:
    """Does what the guide says, at three places."""

    def __init__(self, root, folder):
        self._root = root
        self._desk = folder / "desk"
        self._desk.mkdir()
        self._usb = root / "media/usb"
        self._usb.mkdir(parents=True)
        self._folder = folder
        self._street = StreetBench(folder / "rs485")
        self._centre = Centre(folder, self._desk)
        self._machine = None
        self._last = None

    def __enter__(self):
        try:
            self._street.start()
            self._mains(True)
            self._door(open_=False)
            self._centre.__enter__()
            self._power_on()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._machine is not None:
            self._machine.__exit__()
        self._centre.__exit__()
        self._street.close()

    def follow(self, pieces):
        for index, piece in enumerate(pieces):
            if isinstance(piece, guide.Commands):
                answers = next(iter(pieces[index + 1 : index + 2]), None)
                for line in piece.lines:
                    self._last = (piece.place, line)
                    self._said = self._type(piece.place, line, answers if isinstance(answers, guide.Answers) else None)
            elif isinstance(piece, guide.Seen):
                self._look(piece)
            elif isinstance(piece, guide.Act):
                getattr(self, "_act_" + piece.name.replace("-", "_"))()

    def page_answers(self):
        """The technician's page, asked for from its own network: the sandbox lets it listen there."""
        program = "import urllib.request as r; print(r.urlopen('http://192.168.50.1:8080/login', timeout=60).status)"
        words = [*self._machine.beside(), sys.executable, "-c", program]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout == "200\n"

    # --- typing -------------------------------------------------------------------------------------------------

    def _type(self, place, line, answers=None):
        """What a command says; it must succeed, but for `status`, which says by 1 that something wants attention."""
        if answers is not None:
            return self._answer(line, answers)
        if place == guide.CABINET:
            words = ["sh", "-c", line.removeprefix("sudo ")]
            done = self._machine.run(*words, check=False, timeout=PATIENCE_S)
        else:
            local = re.sub(r"^bocage ", f"{sys.executable} -m tools ", line.replace("/media/usb", str(self._usb)))
            done = subprocess.run(
                local, shell=True, cwd=self._desk, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE_S
            )
        may_be = (0, 1, 2) if " status " in line else (0,)
        assert done.returncode in may_be, f"{place}: {line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def _answer(self, line, answers):
        """The wizard asks the questions of the table, in that order, and shows no password."""
        rows = [
            (question, "-" if question.startswith((*NO_CHIP, *NO_LINKY)) else answer)
            for question, answer in answers.rows
            if not question.startswith(NOT_ASKED)
        ]
        command = self._machine.terminal(*line.removeprefix("sudo ").split())
        status, shown = converse(command, rows, env=debian_machine.ENVIRONMENT)
        assert status == 0, shown
        secrets = {answer for question, answer in rows if question.startswith(("Mot de passe", "Password"))}
        assert len(secrets) == 1 and not any(secret in shown for secret in secrets)
        return shown

    def _look(self, seen):
        """Each line in what was said; a status or an explanation is asked for again until it says so."""
        place, line = self._last
        end = time.monotonic() + PATIENCE_S
        while missing := [one for one in seen.lines if not any(guide.matches(one, said) for said in
        self._said.split("\n"))]:
            may_change = " status " in line or " explain " in line
            assert may_change and time.monotonic() < end, f"{line}\nnot seen: {missing}\n{self._said}"
            time.sleep(1)
            self._said = self._type(place, line)

    def _was_said(self, wanted):
        return any(guide.matches(wanted, line) for line in self._said.split("\n"))

    # --- acts of hands ------------------------------------------------------------------------------------------

    def _act_ecrire_la_politique(self):
        text = self._desk / "commune.toml"
        assert "[[operator]]" in text.read_text(encoding="utf-8"), "the sample is a whole policy"
        key = re.findall("[0-9a-f]{64}", (self._desk / "maire.pub").read_text(encoding="utf-8"))[0]
        year = time.gmtime().tm_year
        text.write_text(POLICY.format(year=year, last=year + 2, key=key), encoding="utf-8")

    def _act_porte_ouverte(self):
        self._door(open_=True)

    def _act_porte_fermee(self):
        self._door(open_=False)

    def _act_commutateur_marche(self):
        self._street.line.set_input(1, 6, True)

    def _act_commutateur_auto(self):
        self._street.line.set_input(1, 6, False)

    def _act_reseau_debranche(self):
        self._centre.unplug()

    def _act_reseau_rebranche(self):
        self._centre.plug()

    def _act_courant_coupe(self):
        """No orderly end; then the same card again."""
        self._machine.__exit__()
        self._machine = None
        self._power_on()

    def _power_on(self):
        with (self._root / "etc/hosts").open("w", encoding="utf-8") as hosts:
            hosts.write(f"127.0.0.1 localhost\n{CENTRE_ADDRESS} {SERVER}\n")
        self._machine = Machine(self._root, adapter=self._folder / "rs485")
        self._machine.__enter__()
        self._centre.connect(self._machine)

    def _door(self, *, open_):
        self._street.line.set_input(1, 4, not open_)  # closed while the door is shut

    def _mains(self, on):
        self._street.line.set_input(1, 5, on)


class Centre:
    """Broker, ingest and control in a network namespace of their own, which a cable joins to the machine."""

    def __init__(self, folder, desk):
        self._folder = folder
        self._desk = desk
        self._processes = []
        self._holder = None

    def __enter__(self):
        authority = Authority(self._desk, "autorite")
        self._holder = subprocess.Popen([*debian_machine.MORTAL, "unshare", "--net", "sleep", "infinity"])
        end = time.monotonic() + PATIENCE_S
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            assert time.monotonic() < end, "no network namespace"
            time.sleep(0.01)
        self._run("ip", "link", "set", "lo", "up")
        server, server_key = issue(authority, self._folder, SERVER)
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener 8883 0.0.0.0\ncafile {authority.certificate}\ncertfile {server}\nkeyfile {server_key}\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\nuser root\n"
        )
        self._start(find_mosquitto(), "-c", config)
        for command, name in (("ingest", "ingest-1"), ("control", "control-1")):
            certificate, key = authority.issue(name)
            words = ("--broker", f"{SERVER}:8883", "--ca", authority.certificate, "--cert", certificate, "--key", key)
            self._start(sys.executable, "-m", "tools", "centre", command, "--db", f"{command}.db", *words)
        return self

    def __exit__(self, *_):
        for process in (*self._processes, self._holder):
            if process is not None:
                process.kill()
                process.wait()

    def connect(self, machine):
        """A new cable: the machine's end goes with the machine."""
        self._run("ip", "link", "del", "cabinet", check=False)
        made = ["ip", "link", "add", "eth0", "netns", str(machine.init), "type", "veth",
                "peer", "name", "cabinet", "netns", str(self._holder.pid)]  # fmt: skip
        subprocess.run(made, check=True)
        self._run("ip", "address", "add", f"{CENTRE_ADDRESS}/24", "dev", "cabinet")
        self._run("ip", "link", "set", "cabinet", "up")
        inside = [*machine.beside(), "ip"]
        subprocess.run([*inside, "address", "add", "192.0.2.2/24", "dev", "eth0"], check=True)
        subprocess.run([*inside, "link", "set", "eth0", "up"], check=True)
        # The page's own network, and a phone on it.
        subprocess.run([*inside, "link", "add", "wlan0", "type", "veth", "peer", "name", "phone"], check=True)
        subprocess.run([*inside, "address", "add", "192.168.50.1/24", "dev", "wlan0"], check=True)
        subprocess.run([*inside, "link", "set", "wlan0", "up"], check=True)

    def unplug(self):
        self._run("ip", "link", "set", "cabinet", "down")

    def plug(self):
        self._run("ip", "link", "set", "cabinet", "up")

    def _start(self, *command):
        log = (self._folder / f"centre-{len(self._processes)}.log").open("w")
        hosts = self._folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {SERVER}\n")
        # A view of its own of /etc/hosts, so that the server's name leads to it here too.
        script = 'mount --bind "$0" /etc/hosts && exec "$@"'
        words = [*self._enter(), *debian_machine.MORTAL, "unshare", "--mount", "sh", "-c", script, hosts]
        self._processes.append(
            subprocess.Popen([*map(str, (*words, *command))], cwd=self._desk, env=ENVIRONMENT, stdout=log, stderr=log)
        )
        log.close()

    def _run(self, *command, check=True):
        subprocess.run([*self._enter(), *command], check=check, capture_output=True)

    def _enter(self):
        return ["nsenter", "-t", str(self._holder.pid), "-n", "--"]


def issue(authority, folder, name):
    """A certificate for a server by its name."""
    key, request, certificate, extensions = (folder / f"server.{kind}" for kind in ("key", "csr", "pem", "ext"))
    extensions.write_text(f"subjectAltName=DNS:{name}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    ca_key = authority.certificate.with_suffix(".key")
    for words in (
        ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
         "-subj", f"/CN={name}"],
        ["x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", ca_key, "-days", "30",
         "-extfile", extensions, "-out", certificate],
    ):  # fmt: skip
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return certificate, key


@pytest.mark.root
@pytest.mark.services
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", guide.HEADINGS)
def test_a_newcomer_who_follows_the_guide_lights_the_street(language, root, tmp_path, record_property):
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    for program in ("dpkg-deb", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} program")
    begun = time.monotonic()
    with Newcomer(root, tmp_path) as newcomer:
        newcomer.follow(guide.pieces(GUIDE, language))
        assert newcomer.page_answers()
    record_property("guide_s", round(time.monotonic() - begun, 1))
