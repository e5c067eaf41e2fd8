"""Names the files of an installed centre, and writes small ones whole or not at all.

    /etc/bocage-centre       authority, certificates and keys of the centre, where the warehouse is (root's)
    /var/lib/bocage-centre   warehouse, control file, the key of receipts         (bocage-centre's)
    /var/lib/bocage-web      accounts of the screens, what people said on them    (bocage-web's)
    /var/lib/bocage-agents   packages for cabinets, signed elsewhere, and the plan     (bocage-centre's)
    /var/backups/bocage-centre   one folder a backup                              (root's)
    /etc/mosquitto/conf.d/bocage.conf, /var/lib/mosquitto/dynamic-security.json   the broker's part
    /etc/nginx/conf.d/bocage.conf   nginx's part
"""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from gateway.language import N_
from gateway.language.reasons import of_file
from tools.centre.store import database
from tools.command_line import Refused

USER, BROKER_USER, WEB_USER = "bocage-centre", "mosquitto", "bocage-web"
SETTING = "WAREHOUSE="
# The broker's certificate and key: of the territory's own authority, for the names by which cabinets reach the centre.
BROKER = "broker"


class Place(NamedTuple):
    """Holds the root of an installed centre: `/`, or the folder of a trial, whose configuration names files in it."""

    root: Path

    @property
    def is_system(self) -> bool:
        return self.root == Path("/")

    @property
    def etc(self) -> Path:
        return self.root / "etc/bocage-centre"

    @property
    def var(self) -> Path:
        return self.root / "var/lib/bocage-centre"

    @property
    def agents(self) -> Path:
        """Returns the folder that nginx gives to cabinets."""
        return self.root / "var/lib/bocage-agents"

    @property
    def plan(self) -> Path:
        """Returns the campaign, as cabinets read it."""
        return self.agents / "plan.json"

    @property
    def system_plan(self) -> Path:
        """Returns the campaign of the system's packages, as cabinets read it."""
        return self.agents / "system.json"

    @property
    def programs(self) -> Path:
        """Returns the plan of programs for nodes, as cabinets read it."""
        return self.agents / "nodes.json"

    @property
    def backups(self) -> Path:
        return self.root / "var/backups/bocage-centre"

    @property
    def broker_configuration(self) -> Path:
        return self.root / "etc/mosquitto/conf.d/bocage.conf"

    @property
    def roles(self) -> Path:
        return self.root / "var/lib/mosquitto/dynamic-security.json"

    @property
    def proxy_configuration(self) -> Path:
        return self.root / "etc/nginx/conf.d/bocage.conf"

    @property
    def web_setting(self) -> Path:
        """Returns the file that says where the screens are; their service reads it, as it does `setting`."""
        return self.etc / "web.conf"

    @property
    def web_socket(self) -> Path:
        return self.root / "run/bocage-web.sock"

    @property
    def web(self) -> Path:
        return self.root / "var/lib/bocage-web"

    @property
    def web_data(self) -> Path:
        """Returns the path for `bocage centre web --data`: accounts, sessions. Outbox and key lie beside it."""
        return self.web / "web.sqlite3"

    @property
    def warehouse_file(self) -> Path:
        """Where the warehouse is as long as no server is named."""
        return self.var / "warehouse.db"

    @property
    def setting(self) -> Path:
        """Returns the file that names the warehouse's server; the services read it (systemd.exec(5),
        EnvironmentFile)."""
        return self.etc / "warehouse.conf"

    @property
    def warehouse(self) -> str:
        """What `--db` is given. OSError."""
        return server_named(self.setting) or str(self.warehouse_file)

    @property
    def disk(self) -> Path:
        """A folder on the disk that the warehouse fills, where that is one of this machine."""
        server = self.root / "var/lib/postgresql"
        return server if database.is_server(self.warehouse) and server.is_dir() else self.var

    @property
    def user(self) -> pwd.struct_passwd | None:
        """Returns the services' user, as whom root asks a server of PostgreSQL: that knows who opens its socket (17,
        section 20.9), and its password is in that user's home. None in a trial, and for who is not root."""
        with suppress(KeyError):  # run from a checkout
            return pwd.getpwnam(USER) if self.is_system and os.geteuid() == 0 else None
        return None

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Acts as `user`, where there is one."""
        user, home = self.user, os.environ.get("HOME", "/")
        if user is not None:
            os.setegid(user.pw_gid)
            os.seteuid(user.pw_uid)
            os.environ["HOME"] = user.pw_dir
        try:
            yield
        finally:
            if user is not None:
                os.environ["HOME"] = home
                os.seteuid(0)
                os.setegid(0)

    @property
    def control(self) -> Path:
        return self.var / "control.db"

    @property
    def duty_setting(self) -> Path:
        """Returns the path for `bocage centre duty --config`. Without that file the service does not start."""
        return self.etc / "duty.toml"

    @property
    def duty_book(self) -> Path:
        return self.var / "duty.db"

    @property
    def requests(self) -> Path:
        return self.var / "requests"

    def pair(self, name: str) -> tuple[Path, Path]:
        """Returns the certificate and the key of an account of the centre."""
        return self.etc / f"{name}.pem", self.etc / f"{name}.key"


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turns what the disk refuses into a refusal that names the file; `path` where the system names none."""
    try:
        yield
    except OSError as error:
        raise Refused(N_("{path}: {why}"), path=error.filename or path, why=of_file(error)) from error


def setting_in(path: Path, name: str) -> str:
    """Returns the value of a setting in a file of lines NAME=VALUE, empty where there is none. OSError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix(f"{name}=") for line in lines if line.startswith(f"{name}=")), "").strip()


def server_named(setting: Path) -> str | None:
    """Returns the server in a file that `Place.setting` is, or was; None where there is none. OSError."""
    try:
        return setting.read_text(encoding="utf-8").strip().removeprefix(SETTING)
    except FileNotFoundError:
        return None


def write(path: Path, data: bytes, *, mode: int = 0o600, user: str | None = None, group: str | None = None) -> None:
    """Writes a file by rename: a power cut leaves the old one or the new one. OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # `os.open` takes the bits of the umask away
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    give(fresh, user, group)
    fresh.replace(path)
    sync(path.parent)


def give(path: Path, user: str | None, group: str | None) -> None:
    """Gives a file to a user and a group where root may, and where the system has them (a trial may be anywhere)."""
    if os.geteuid() == 0:
        with suppress(LookupError):
            if user is not None:
                shutil.chown(path, user)
            if group is not None:
                shutil.chown(path, None, group)


def sync(path: Path) -> None:
    """Makes a file durable, or what a folder lists. OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
