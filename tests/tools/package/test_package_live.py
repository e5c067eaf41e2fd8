"""The package in a clean Debian, made by debootstrap and booted: the real systemd starts the real unit in its sandbox.

A journal that is nearly full goes through an upgrade, a downgrade, a removal, a purge and a new installation, and
then to a warehouse, where every record must be found once. Not `live`: where namespaces are refused this is skipped,
and that must be allowed.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.core.custody import entry
from gateway.core.custody.journal import Journal
from gateway.io.disk import FileDisk
from policy import keyset
from simulator.hosts.keys import keyset_of
from simulator.rig.authority import Authority
from simulator.rig.rig import find_mosquitto
from tests.support.agent_process import held_in
from tests.support.debian_machine import MORTAL, PATIENCE_S, Machine
from tests.support.gateway_world import NODE, payload, reading
from tools.centre.ingest import receipts
from tools.centre.store.archive import Archive

pytestmark = [
    pytest.mark.root,
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb program: Debian builds packages"),
]

REPOSITORY = Path(__file__).resolve().parents[3]
UNIT = "bocage-gateway.service"
JOURNAL_BYTES_MAX = 1 << 20
ANSWERS = f"""
[gateway]
insee = "49135"
name = "cab-1"
[uplink]
broker = "localhost:8883"
[journal]
bytes_max = {JOURNAL_BYTES_MAX}
segment_bytes_max = 16384
alarm_reserve_bytes = 65536
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


@pytest.fixture
def machine(root, packages):
    """Booted, with both versions of the package at hand and the older one installed."""
    for package in packages:
        shutil.copy(package, root / "root" / package.name)
    with Machine(root) as booted:
        booted.apt("install", f"/root/{packages[0].name}")
        yield booted


def setup(machine, answers=ANSWERS):
    machine.run("bocage", "gateway", "setup", "--answers", "/dev/stdin", stdin=answers)


def until(reached, what):
    end = time.monotonic() + PATIENCE_S
    while not (found := reached()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def is_active(machine):
    return machine.status(UNIT, "ActiveState")["ActiveState"] == "active"


def journal(machine, unit):
    """What a unit said, as far as journald has written it by now."""
    return machine.run("journalctl", "-u", unit, "--no-pager").stdout


def pid_of(machine):
    """As the machine counts."""
    return int(machine.status(UNIT, "MainPID")["MainPID"])


def fill(machine):
    """Put records into the journal until no more may go in without thinning; their identities."""
    folder = machine.path("/var/lib/bocage/journal")
    made = set()
    with closing(FileDisk(folder, lambda _ticket, _error: None)) as disk:
        journal = Journal(
            disk,
            epoch=os.urandom(8),
            journal_bytes_max=JOURNAL_BYTES_MAX,
            segment_bytes_max=16_384,
            alarm_reserve_bytes=65_536,
            ballast_bytes=0,
        )
        journal.recover()
        while journal.bytes_held < 0.85 * JOURNAL_BYTES_MAX:
            sequence = len(made)
            journal.append("telemetry", entry.encode(entry.Entry(NODE, payload(reading(sequence)))))
            made.add((NODE, 1, sequence))
        journal.flush()
    owner = machine.path("/var/lib/bocage").stat()
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)
    return made


def held(machine):
    """Identities of all records in the machine's journal."""
    return held_in(machine.path("/var/lib/bocage/journal"))


# --- the unit -------------------------------------------------------------------------------------------------------


def test_it_does_not_start_before_it_is_set_up_and_then_runs_with_no_rights(machine, record_property):
    shown = machine.status(UNIT, "ActiveState", "ConditionResult", "UnitFileState")
    assert shown == {"ActiveState": "inactive", "ConditionResult": "no", "UnitFileState": "enabled"}
    begun = time.monotonic()
    setup(machine)
    machine.run("systemctl", "restart", UNIT)  # returns when the agent has said that it is ready
    record_property("from_setup_to_ready_s", round(time.monotonic() - begun, 1))
    assert is_active(machine)
    process = Path(f"/proc/{host_pid(machine)}")
    told = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    assert {told[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
    record_property("resident_kb", told["VmRSS"])
    # The key is root's on the card; in the agent's own view it is there to be read, and the rest of /etc is as it is.
    seen = machine.run("nsenter", "-t", str(pid_of(machine)), "-m", "cat", "/etc/bocage/gateway.key").stdout
    assert seen == machine.path("/etc/bocage/gateway.key").read_text()
    assert machine.path("/etc/bocage/gateway.key").stat().st_mode & 0o777 == 0o600
    denied = machine.run("setpriv", "--reuid=bocage", "--regid=bocage", "--clear-groups",
                         "cat", "/etc/bocage/gateway.key", check=False)  # fmt: skip
    assert denied.returncode != 0 and "Permission denied" in denied.stderr
    document = machine.gateway()
    assert document["phase"] == "running" and document["name"] == "49135-cab-1"
    # The bounds of the machine's log hold since the installation, not only after the next boot.
    until(lambda: "max 64M" in journal(machine, "systemd-journald"), "the log has no bound")


def host_pid(machine):
    """As this test's machine counts: the main process by its place among the namespaces."""
    wanted = str(pid_of(machine))
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if lines["NSpid"].split()[1:] == [wanted] and "bocage" in (status.parent / "cmdline").read_text():
                return int(status.parent.name)
        except (OSError, KeyError):
            continue  # it has ended meanwhile
    raise AssertionError("no such process")


def test_a_frozen_agent_is_restarted_by_the_watchdog(machine):
    """With three seconds instead of sixty."""
    setup(machine)
    machine.path("/etc/systemd/system/bocage-gateway.service.d").mkdir()
    machine.path("/etc/systemd/system/bocage-gateway.service.d/quick.conf").write_text("[Service]\nWatchdogSec=3\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    first = pid_of(machine)
    machine.run("systemctl", "kill", "--signal=STOP", UNIT)
    until(lambda: pid_of(machine) not in (0, first) and is_active(machine), "nobody restarts the frozen agent")
    until(lambda: "Watchdog timeout" in journal(machine, UNIT), "it was not the watchdog")


def test_what_the_sandbox_must_not_hide_is_seen(machine):
    """The clock's quality, the boot's id, an interface's bytes and a socket bound to it: in the unit's own sandbox."""
    unit = machine.path("/usr/lib/systemd/system/bocage-gateway.service").read_text()
    probe = """
import socket, sys
sys.path.insert(0, "/usr/share/bocage")
from gateway.io import clock, sockets
import ctypes
state = clock._Timex()
assert ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state)) != -1, "adjtimex"
assert sockets.interface_count("lo") is not None, "boot id or bytes"
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
    sockets.bind_socket(bound, interface="lo")
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
except OSError:
    print("all seen")
"""
    machine.path("/root/probe.py").write_text(probe)
    machine.path("/usr/share/bocage-probe.py").write_text(probe)
    start = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    lines = unit.replace(start, "ExecStart=/usr/bin/python3 /usr/share/bocage-probe.py")
    lines = lines.replace("Type=notify", "Type=oneshot").replace("Restart=always", "Restart=no")
    machine.path("/etc/systemd/system/bocage-probe.service").write_text(lines)
    setup(machine)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "bocage-probe.service")
    until(lambda: "all seen" in journal(machine, "bocage-probe"), "something is hidden")


# --- dpkg -----------------------------------------------------------------------------------------------------------


def test_a_nearly_full_journal_survives_everything_and_arrives_once(machine, packages, tmp_path, record_property):
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto: apt-get install mosquitto")
    old, new = (f"/root/{package.name}" for package in packages)
    setup(machine)
    made = fill(machine)
    record_property("records", len(made))
    machine.run("systemctl", "restart", UNIT)
    before = configuration(machine)

    def expect(version, what):
        until(lambda: is_active(machine) and machine.gateway().get("waiting"), what)
        assert machine.run("bocage", "--version").stdout == f"bocage {version}\n"
        assert machine.gateway()["waiting"]["lanes"]["telemetry"] >= len(made), what
        assert configuration(machine) == before, what

    expect("0.1.0", "installed")
    first = pid_of(machine)
    machine.apt("install", new)
    expect("0.2.0", "upgraded")
    assert pid_of(machine) != first, "the new version runs"
    machine.apt("install", "--allow-downgrades", old)
    expect("0.1.0", "downgraded")
    machine.apt("remove", "bocage-gateway")
    assert not machine.path("/usr/bin/bocage").exists() and not machine.path("/usr/share/bocage").exists()
    assert int(machine.path("/var/lib/bocage/waiting-at-removal").read_text()) >= len(made)
    assert configuration(machine) == before
    purged = machine.apt("purge", "bocage-gateway").stdout  # apt shows there what dpkg says on either
    assert "relevés" in purged and "rm -r /etc/bocage /var/lib/bocage" in purged
    assert configuration(machine) == before and made <= held(machine)
    machine.apt("install", new)
    expect("0.2.0", "installed again")

    with centre(machine, tmp_path) as database:
        until(lambda: waiting(machine) == 0, "the journal does not drain")
    archive = Archive.open(str(database))
    try:
        arrived = [identity for identity in archive.identities() if identity[0] == NODE]
    finally:
        archive.close()
    assert arrived == sorted(made), "every record once"

    machine.apt("remove", "bocage-gateway")
    assert machine.path("/var/lib/bocage/waiting-at-removal").read_text().strip() == "0"
    assert "rm -r" not in machine.apt("purge", "bocage-gateway").stdout
    assert not machine.path("/etc/bocage").exists() and not machine.path("/var/lib/bocage").exists()
    left = machine.run("find", "/etc", "/usr", "/var/lib", "-name", "*bocage*", "-not", "-path", "/var/lib/dpkg/*",
                       "-not", "-path", "/usr/share/bocage-probe.py").stdout  # fmt: skip
    assert left == "", "a purge leaves nothing"


def configuration(machine):
    return {path.name: path.read_bytes() for path in machine.path("/etc/bocage").iterdir()}


def waiting(machine):
    return sum(machine.gateway().get("waiting", {"lanes": {"unknown": 1}})["lanes"].values())


def sign(authority, request, certificate):
    """What the territory's authority does with a request."""
    key = authority.certificate.with_suffix(".key")
    subprocess.run(
        ["openssl", "x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", key, "-days", "30",
         "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip


class centre:  # noqa: N801
    """A broker with the territory's certificates and an ingest, beside the machine on its loopback; yields the
    warehouse. The gateway's certificate is signed and installed by the wizard, as the guide says."""

    def __init__(self, machine, folder):
        self._machine = machine
        self._folder = folder
        self._processes = []

    def __enter__(self):
        authority = Authority(self._folder, "territory")
        server, server_key = authority.issue("localhost", address="127.0.0.1")
        ingest, ingest_key = authority.issue("ingest-1")
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener 8883 127.0.0.1\ncafile {authority.certificate}\ncertfile {server}\nkeyfile {server_key}\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\nuser root\n"
        )
        self._start(find_mosquitto(), "-c", str(config))
        until(self._listens, "the broker does not listen")
        database = self._folder / "centre.db"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "firmware"), str(REPOSITORY)))}
        self._start(
            sys.executable, "-m", "tools", "centre", "ingest", "--db", str(database), "--broker", "127.0.0.1:8883",
            "--ca", str(authority.certificate), "--cert", str(ingest), "--key", str(ingest_key), env=environment,
        )  # fmt: skip
        signed = self._folder / "cab-1.pem"
        sign(authority, self._machine.path("/etc/bocage/gateway.csr"), signed)
        keys = self._folder / "commune.keys"
        key = receipts.load_or_make(receipts.default_path(str(database)))
        keys.write_bytes(keyset.encode(keyset_of("49135", key.public)))
        for path in (authority.certificate, signed, keys):
            shutil.copy(path, self._machine.path("/root"))
        files = f'ca = "/root/{authority.certificate.name}"\ncertificate = "/root/{signed.name}"\n'
        setup(
            self._machine,
            f'[gateway]\nkeys = "/root/{keys.name}"\n[uplink]\nbroker = "127.0.0.1:8883"\n{files}',
        )
        self._machine.run("systemctl", "restart", UNIT)
        return database

    def __exit__(self, *_):
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def _start(self, *command, **options):
        log = (self._folder / f"{len(self._processes)}.log").open("w")
        words = [*self._machine.beside(), *MORTAL, *command]
        self._processes.append(subprocess.Popen(words, stdout=log, stderr=log, **options))
        log.close()

    def _listens(self):
        connect = "import socket; socket.create_connection(('127.0.0.1', 8883))"
        words = [*self._machine.beside(), sys.executable, "-c", connect]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
