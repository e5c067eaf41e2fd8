"""The Linky's port over real pyserial on a pseudo-terminal: both modes, a bad line, an adapter that comes and goes."""

import termios

import pytest
import serial

from gateway.core.cabinet.equipment import Linky
from gateway.io import clock
from gateway.io.cabinet import limits
from gateway.io.cabinet.linky import LinkyPort
from tests.support.broker import until
from tests.support.tic_bench import TicBench

pytestmark = pytest.mark.live
GENEROUS_S = 60


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "PORT_REOPEN_FIRST_MS", 50)
    monkeypatch.setattr(limits, "PORT_REOPEN_LAST_MS", 100)
    monkeypatch.setattr(limits, "LINKY_STALE_MS", 1500)
    made = []

    def make(mode="standard", **options):
        bench = TicBench(tmp_path / "linky", mode, **options)
        port = LinkyPort(str(tmp_path / "linky"), mode)
        made.append((bench, port))
        bench.start()
        port.start()
        return bench, port

    yield make
    for bench, port in made:
        port.close(timeout_s=GENEROUS_S)
        bench.close()


def seen(port):
    return port.seen(now_ms=clock.monotonic_ms())


def index_of(port):
    return seen(port) and seen(port).index_wh


@pytest.mark.parametrize(("mode", "tariff"), [("standard", "BASE"), ("historique", "HP..")])
@pytest.mark.parametrize("raw_parity", [False, True])
def test_a_meter_is_read_in_both_modes(rig, mode, tariff, raw_parity):
    bench, port = rig(mode, raw_parity=raw_parity)
    until(lambda: seen(port) == Linky(mode, "064468368739", 11_887_649, 240, tariff), f"it says {seen(port)}")
    bench.index_wh, bench.apparent_va = 11_887_650, 1310
    until(lambda: seen(port) == Linky(mode, "064468368739", 11_887_650, 1310, tariff), f"it says {seen(port)}")
    assert port.health()["state"] == "open" and port.health()["frames"] >= port.health()["values"] >= 2


@pytest.mark.parametrize(
    ("fault", "counter"),
    [("silent", None), ("garbage", "bytes-astray"), ("checksum", "groups-refused"),
     ("interrupted", "frames-interrupted")],
)  # fmt: skip
def test_a_bad_line_is_none_after_its_time_counted_and_left_behind(rig, fault, counter):
    bench, port = rig("historique")
    until(lambda: index_of(port) == 11_887_649, "no index")
    bench.fault = fault
    until(lambda: seen(port) is None, "it is still known")
    assert counter is None or port.health()[counter] > 0
    bench.index_wh += 5
    bench.fault = "none"
    until(lambda: index_of(port) == 11_887_654, "it does not return")


def test_an_adapter_that_is_unplugged_is_found_again(rig):
    bench, port = rig()
    for _ in range(2):
        until(lambda: seen(port) is not None, "no index")
        bench.pty.unplug()
        until(lambda: port.state.startswith(("lost", "cannot be opened")), port.state)
        until(lambda: seen(port) is None, "it is still known")
        bench.pty.plug()
    until(lambda: seen(port) is not None, "it does not return")
    assert port.ports_lost == 2


def test_a_port_that_is_not_there_is_waited_for(tmp_path, rig):
    port = LinkyPort(str(tmp_path / "linky"), "standard")
    port.start()
    until(lambda: "cannot be opened" in port.state, port.state)
    rig()
    until(lambda: port.state == "open" or "busy" in port.state.lower() or "lock" in port.state.lower(), port.state)
    port.close(timeout_s=GENEROUS_S)
    assert port.alive_ms is None and not port._thread.is_alive()


def test_a_driver_without_seven_bits_is_opened_with_eight(monkeypatch):
    asked = []

    class EightBitsOnly:
        def __init__(self, path, baud, bits, parity, **options):
            asked.append((baud, bits, parity))
            if bits == serial.SEVENBITS:
                raise termios.error(22, "Invalid argument")

        def fileno(self):
            return 0

    monkeypatch.setattr("gateway.io.cabinet.linky.serial.Serial", EightBitsOnly)
    monkeypatch.setattr("gateway.io.cabinet.linky._check_parity", lambda port: None)
    assert isinstance(LinkyPort("/dev/x", "historique")._open(), EightBitsOnly)
    assert asked == [(1200, 7, "E"), (1200, 8, "N")]


def test_a_value_is_known_for_its_time_and_no_longer(rig):
    _, port = rig()
    until(lambda: seen(port) is not None, "no index")
    port.close(timeout_s=GENEROUS_S)
    _, heard_ms = port._last
    assert port.seen(now_ms=heard_ms + limits.LINKY_STALE_MS) is not None
    assert port.seen(now_ms=heard_ms + limits.LINKY_STALE_MS + 1) is None
