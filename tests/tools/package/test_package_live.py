"""The package in a clean Debian, made by debootstrap and booted: the real systemd starts the real unit in its sandbox.

A journal that is nearly full goes through an upgrade, a downgrade, a removal, a purge and a new installation, and
then to a warehouse, where every record must be found once. Not `live`: where namespaces are refused this is skipped,
and that must be allowed.
"""

import os
import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.core.custody import entry
from gateway.core.custody.journal import Journal
from gateway.io.disk import FileDisk
from simulator.rig.rig import find_mosquitto
from tests.support.agent_process import held_in
from tests.support.debian_machine import Machine
from tests.support.gateway_world import NODE, payload, reading
from tests.support.packaged_gateway import JOURNAL_BYTES_MAX, UNIT, Centre, is_active, journal, setup, until
from tools.centre.store.archive import Archive

pytestmark = [
    pytest.mark.root,
    pytest.mark.services,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb program: Debian builds packages"),
]

@pytest.fixture
def machine(root, packages):
    """Booted, with both versions of the package at hand and the older one installed."""
    for package in packages:
        shutil.copy(package, root / "root" / package.name)
    with Machine(root) as booted:
        booted.apt("install", f"/root/{packages[0].name}")
        yield booted


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

    with Centre(machine, tmp_path) as database:
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
