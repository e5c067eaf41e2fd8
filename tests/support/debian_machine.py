"""A clean Debian 13 in a folder, made by debootstrap, and a machine booted from it: systemd as process 1 of
namespaces of its own, with its own loopback and no other network, devices or clock. What a package does to a real
system is seen there.

Needs root. The mirror is the one that this machine's apt uses. Nothing is left behind: processes, mounts and cgroups
go.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

SUITE = "trixie"
# Nothing waits for a time to pass: these only end what would hang.
PATIENCE_S = 180
_INSTALL_S = 400

# Signatures are checked; dates are not, for the machines that test may stand in another year than their mirror.
_APT = ("-o", "Acquire::Check-Valid-Until=false", "-o", "Acquire::Check-Date=false", "-o", "APT::Sandbox::User=root")
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}

# Ends with the test, however that ends.
MORTAL = ("setpriv", "--pdeathsig", "KILL")

# $1 the root, $2 the name of the cgroup, $3 what comes inside, $4 a serial adapter if there is one. Process 1 keeps
# no right over the machine's clock, modules or ports.
_OUTER = """
set -e
mount --make-rprivate /
cgroups=$(mktemp -d)
mount -t cgroup2 cgroup2 "$cgroups"
mkdir -p "$cgroups/$2"
echo $$ >"$cgroups/$2/cgroup.procs"
umount "$cgroups"
rmdir "$cgroups"
exec unshare --net --pid --fork --kill-child --mount --cgroup --ipc --uts sh -c "$3" sh "$1" "$4"
"""
_INNER = """
set -e
ip link set lo up
hostname cabinet
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
if [ -n "$2" ]; then  # as udev shows an adapter
    mkdir -p dev/serial/by-id
    touch dev/ttyUSB0
    mount --bind "$(readlink -f "$2")" dev/ttyUSB0
    chown root:20 dev/ttyUSB0
    chmod 0660 dev/ttyUSB0
    ln -s ../../ttyUSB0 dev/serial/by-id/usb-FTDI_USB-RS485-if00-port0
fi
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
mount --make-rshared /
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-sys_boot \\
    env -i container=bocage PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    /usr/lib/systemd/systemd --system --unit=multi-user.target
"""
_TIDY = """
cgroups=$(mktemp -d)
mount -t cgroup2 cgroup2 "$cgroups"
for _ in 1 2 3 4 5 6 7 8 9 10; do  # what was killed takes a moment to be gone
    find "$cgroups/$1" -depth -type d -exec rmdir {} \\; 2>/dev/null
    [ -d "$cgroups/$1" ] || break
    sleep 0.1
done
umount "$cgroups"
rmdir "$cgroups"
"""


def why_not():
    """What is missing for a Debian root here; None when all is there."""
    if os.geteuid() != 0:
        return "a Debian root needs root"
    for program, package in (("debootstrap", "debootstrap"), ("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(program) is None:
            return f"no {program} program: apt-get install {package}"
    if mirror() is None:
        return "this machine's apt knows no Debian mirror"
    tried = subprocess.run(["unshare", "--pid", "--fork", "--mount", "--net", "--cgroup", "true"], capture_output=True)
    return None if tried.returncode == 0 else f"namespaces are refused here: {tried.stderr.decode().strip()}"


def mirror():
    """The address of the main archive that apt uses, without its name standing here."""
    command = ["apt-get", "indextargets", "--format", "$(SITE) $(SUITE) $(COMPONENT)", "Created-By: Packages"]
    if shutil.which("apt-get") is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    targets = [line.split() for line in done.stdout.splitlines()]
    sites = [words[0] for words in targets if len(words) == 3 and words[1:] in ([SUITE, "main"], ["stable", "main"])]
    return next((site for site in sites if site.startswith("http") and "security" not in site), None)


def shared(tmp_path_factory, name, make, root):
    """The system called `name`, in the folder `root`. The first process of a run that asks makes it by `make(root)` and
    packs it; the others unpack it: one file, for a disk writes the thousands of small ones in a minute."""
    run = tmp_path_factory.getbasetemp()
    run = run.parent if "PYTEST_XDIST_WORKER" in os.environ else run
    packed, being_packed = run / f"{name}.tar", run / f"{name}.new"
    words = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--directory", str(root), "--file"]
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if packed.exists():
            root.mkdir()
            subprocess.run(["tar", "--extract", "--preserve-permissions", *words, str(packed)], check=True)
        else:
            make(root)
            subprocess.run(["tar", "--create", *words, str(being_packed), "."], check=True)
            being_packed.rename(packed)
    return root


def make_root(folder):
    """A minimal system in the folder, which apt can be run in and which knows what the mirror has."""
    command = ["debootstrap", "--variant=minbase", SUITE, str(folder), mirror()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (folder / "etc/hosts").write_text("127.0.0.1 localhost cabinet\n")
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    in_root(folder, "apt-get", "clean")
    update(folder)


def update(root):
    """Make apt know what the mirror has."""
    done = in_root(root, "apt-get", "-qq", *_APT, "update", timeout=_INSTALL_S)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def install(root, *packages):
    """apt-get install in a root that is not booted, with the network of this machine; how many seconds it took. Paths
    of packages are those outside."""
    names = []
    for package in packages:
        if isinstance(package, Path):
            shutil.copy(package, root / "root" / package.name)
            names.append(f"/root/{package.name}")
        else:
            names.append(package)
    begun = time.monotonic()
    done = in_root(root, "apt-get", "-qq", "--yes", *_APT, "install", *names, timeout=_INSTALL_S)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    took_s = time.monotonic() - begun
    in_root(root, "apt-get", "clean")  # what it fetched is not copied with each machine
    return took_s


def purge(root, name):
    """apt-get purge of one package, whose dependencies stay."""
    done = in_root(root, "apt-get", "-qq", "--yes", "purge", name)
    assert done.returncode == 0, done.stdout + done.stderr


def in_root(root, *command, **options):
    """Run a command in a root that is not booted, with a /proc of its own."""
    script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
    words = ["unshare", "--mount", "sh", "-c", script, str(root), *command]
    options = {"capture_output": True, "text": True, "check": False, "timeout": PATIENCE_S} | options
    return subprocess.run(words, env=ENVIRONMENT, **options)


class Machine:
    """A root that runs. Use as a context manager; its end is a power cut. `adapter`: a pseudo-terminal that it is to
    have as a serial adapter."""

    def __init__(self, root, adapter=None):
        self.root = root
        self._adapter = adapter
        self._cgroup = f"bocage-machine-{os.getpid()}-{root.name}"
        self._outer = None
        self._init = None

    def __enter__(self):
        words = [str(self.root), self._cgroup, _INNER, str(self._adapter or "")]
        self._outer = subprocess.Popen(
            [*MORTAL, "unshare", "--mount", "sh", "-c", _OUTER, "sh", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self._init = self._wait_for_init()
            self.run("systemctl", "is-system-running", "--wait", check=False)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init, 9)
        self._outer.kill()
        self._outer.wait(PATIENCE_S)
        self._outer.stderr.close()
        subprocess.run(["unshare", "--mount", "sh", "-c", _TIDY, "sh", self._cgroup], capture_output=True, check=False)

    def wait_for_end(self):
        """Returns once the machine has ended by itself, as it does for `systemctl reboot`: it may be booted again."""
        self._outer.wait(PATIENCE_S)

    def run(self, *command, check=True, stdin=None, timeout=PATIENCE_S):
        """What a command in the machine did; both streams as text."""
        done = subprocess.run(
            [*self._enter(), *command], env=ENVIRONMENT, capture_output=True, text=True, input=stdin, timeout=timeout,
            check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def popen(self, *command, **options):
        """A process in the machine that goes on."""
        return subprocess.Popen([*self._enter(), *command], env=ENVIRONMENT, **options)

    def apt(self, *words, check=True):
        """apt-get in the machine, which has no network."""
        return self.run("apt-get", "-qq", "--yes", *_APT, *words, check=check)

    def status(self, unit, *names):
        """Properties of a unit as systemctl shows them."""
        shown = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout
        return dict(line.split("=", 1) for line in shown.splitlines())

    def gateway(self):
        """What `bocage gateway status --json` says."""
        words = ("gateway", "status", "--json", "--config", "/etc/bocage/gateway.toml")
        return json.loads(self.run("bocage", *words, check=False).stdout)

    @property
    def init(self):
        """Process 1, as this machine counts."""
        return self._init

    def path(self, path):
        """A file of the machine, seen from outside."""
        return self.root / path.removeprefix("/")

    def terminal(self, *command):
        """The words that run a command in the machine with the terminal they are given as its own."""
        return [*self._enter(), "setsid", "--ctty", "--wait", *command]

    def beside(self):
        """The words before a command of this machine that is to share the other's loopback, and nothing else of it."""
        return ["nsenter", "-t", str(self._init), "-n", "--"]

    def _enter(self):
        # The root and working folder are process 1's; everything else of it as well.
        return ["nsenter", "-t", str(self._init), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"]

    def _wait_for_init(self):
        """The process that became systemd."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            assert self._outer.poll() is None, f"the machine does not start: {self._outer.stderr.read()}"
            for child in _children(self._outer.pid):
                with contextlib.suppress(OSError):  # one of the script's commands, and it has ended meanwhile
                    if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                        return child
            time.sleep(0.02)
        raise AssertionError("the machine does not become systemd")


def _children(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
