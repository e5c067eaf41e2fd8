"""Finds what a cabinet may be connected to: serial ports, GPIO chips, network interfaces; and whether systemd runs this
machine.

Reads names only, opens nothing and changes nothing. `root` is where the system lies: `/`, or the folder of an image,
which has no devices.
"""

import re
from pathlib import Path

_NET = Path("/sys/class/net")
# As udev and the kernel name them: cable (eth0, end0, enp3s0) and mobile networks (wwan0, wwp0s20u4, usb0, ppp0).
_WIRED = re.compile(r"(eth|en)[a-z0-9]+")
_MOBILE = re.compile(r"(wwan|ww|usb|ppp)[a-z0-9]*")


def serial_ports(root: Path = Path("/")) -> list[str]:
    """Returns paths that survive a reboot first (by-id), then the UARTs of the board itself."""
    dev = root / "dev"
    stable = _names(dev / "serial" / "by-id", "*")
    own = [path for pattern in ("ttyAMA*", "serial[0-9]", "ttyS[0-9]") for path in _names(dev, pattern)]
    named = {(dev / "serial" / "by-id" / Path(path).name).resolve() for path in stable}
    # Adapters that have no name of their own.
    loose = [path for pattern in ("ttyUSB*", "ttyACM*") for path in _names(dev, pattern)]
    loose = [path for path in loose if (dev / Path(path).name).resolve() not in named]
    return [*stable, *loose, *(path for path in own if _is_wired_uart(Path(path).name))]


def gpio_chips(root: Path = Path("/")) -> list[str]:
    """Returns the paths of the chips of GPIO lines."""
    return _names(root / "dev", "gpiochip*")


def interfaces() -> tuple[list[str], list[str]]:
    """Returns (by cable, mobile), as the kernel names them now."""
    try:
        names = sorted(path.name for path in _NET.iterdir())
    except OSError:
        return [], []
    return [name for name in names if _WIRED.fullmatch(name)], [name for name in names if _MOBILE.fullmatch(name)]


def runs_systemd(root: Path) -> bool:
    """True where a service can be started: not in an image, and not where another program is process 1."""
    return root == Path("/") and Path("/run/systemd/system").is_dir()


def _names(folder: Path, pattern: str) -> list[str]:
    try:
        found = sorted(path.name for path in folder.glob(pattern))
    except OSError:
        return []
    return [f"/dev/{'serial/by-id/' if folder.name == 'by-id' else ''}{name}" for name in found]


def _is_wired_uart(name: str) -> bool:
    """Returns whether a UART has hardware. A PC lists ttyS0 to ttyS3 in any case; the kernel gives type 0 for none."""
    if not name.startswith("ttyS"):
        return True
    try:
        return Path(f"/sys/class/tty/{name}/type").read_text().strip() != "0"
    except OSError:
        return False
