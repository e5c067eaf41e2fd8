"""A real update on a MicroPython VM: loader, the concentrator's own program, an image over the process's pipes."""

import time

import pytest

from gateway.core.concentrator import Concentrator
from gateway.core.concentrator_update import DONE, FAILED, FELL_BACK, TRIAL
from tests.support import concentrator_process
from tests.support.update_rig import image_of
from tools.link import image as link_image
from wire import image, radio, radio_update

pytestmark = [pytest.mark.vm, pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(240)]

MAIN = "concentrator/main.py"
LIMITS = "concentrator/limits.py"
DEADLINE_S = 100


def program(firmware, number, *, crashes=False):
    """The image of the real program under a version of its own, with a short trial."""
    files = link_image.program_files(firmware, None)
    source = concentrator_process.with_air_poll(files[MAIN].decode())
    assert source.count('VERSION = "0.1.0"') == 1 and source.count("    wdt = machine.WDT(") == 1
    source = source.replace('VERSION = "0.1.0"', f'VERSION = "0.{number}.0"')
    if crashes:
        begins = "    wdt = machine.WDT("
        source = source.replace(begins, f"    raise ValueError('of this version')\n{begins}")
    files[MAIN] = source.encode()
    trial = files[LIMITS].decode()
    assert trial.count("TRIAL_MIN_MS = 60_000") == 1
    files[LIMITS] = trial.replace("TRIAL_MIN_MS = 60_000", "TRIAL_MIN_MS = 1_500").encode()
    return image_of(number, files=files, text=f"0.{number}.0")


class Chip:
    """A board with the loader and image 1 in folder `a`; a process a start. `core`: the gateway's side."""

    def __init__(self, folder, micropython, firmware):
        self._folder, self._micropython = folder, micropython
        concentrator_process.furnish(folder)
        (folder / "main.py").write_bytes((firmware / "concentrator" / "loader.py").read_bytes())
        (folder / "slots.py").write_bytes((firmware / "esp32" / "slots.py").read_bytes())
        one = program(firmware, 1)
        for file, data in zip(image.decode(one.manifest).files, one.files, strict=True):
            path = folder / "a" / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (folder / "a" / "manifest.bin").write_bytes(one.manifest)
        self.core = Concentrator(session=77, now_ms=_now_ms())
        self.starts = 0
        self.hellos = []
        self.process = None
        self._start()

    def _start(self):
        self.starts += 1
        self.core.closed()
        # No firmware in the search path: what runs comes from the folder that was chosen.
        self.process = concentrator_process.Process(self._folder, self._micropython, f"{self._folder}:.frozen")
        self._heard = 0
        self.core.opened(now_ms=_now_ms())

    def turn(self):
        status = self.process.ended()
        if status is not None:
            assert status == concentrator_process.RESET_STATUS, self.process.noise[-2000:]
            self.process.kill()
            self._start()
        for frame in self.core.poll(now_ms=_now_ms()):
            try:
                self.process.tell(frame)
            except BrokenPipeError:
                return
        data = self.process.noise
        new, self._heard = data[self._heard :], len(data)
        self.core.receive(new, now_ms=_now_ms())
        if self.core.hello is not None and self.core.hello.firmware not in self.hellos[-1:]:
            self.hellos.append(self.core.hello.firmware)

    def cut_power(self):
        self.process.kill()
        self._start()

    def until(self, *states):
        end_s = time.monotonic() + DEADLINE_S
        while self.core.update.state not in states:
            assert time.monotonic() < end_s, (self.core.update.health(), self.process.noise[-1000:])
            self.turn()
            time.sleep(0.002)
        return self.core.update


def _now_ms():
    return time.monotonic_ns() // 1_000_000


@pytest.fixture
def chip(tmp_path, micropython, repository):
    board = Chip(tmp_path, micropython, repository / "firmware")
    yield board
    board.process.kill()


def test_a_running_concentrator_takes_an_image_restarts_into_it_and_confirms_it(chip, repository):
    two = program(repository / "firmware", 2)
    chip.core.update.offer(two)
    chip.until(TRIAL)
    assert chip.starts == 2 and chip.hellos == ["0.1.0", "0.2.0"]
    chip.until(DONE)
    health = chip.core.health()
    assert (health["firmware"], health["concentrator"]["number"], health["concentrator"]["phase"]) == (
        "0.2.0", 2, "confirmed",
    )  # fmt: skip
    chip.cut_power()
    chip.core.update.offer(program(repository / "firmware", 3))
    chip.until(DONE)
    assert chip.hellos == ["0.1.0", "0.2.0", "0.3.0"], "and back into the first folder"


def test_a_version_that_crashes_at_its_start_falls_back_by_itself(chip, repository):
    chip.core.update.offer(program(repository / "firmware", 2, crashes=True))
    assert chip.until(FAILED).why == FELL_BACK
    assert chip.starts == 5, "the old one, three trials, the old one"
    assert chip.hellos == ["0.1.0"] and chip.core.health()["concentrator"]["given_up"] == 2
    assert any(isinstance(told, radio_update.State) and told.failed == 2 for told in chip.process.heard)
    assert any(isinstance(told, radio.Hello) for told in chip.process.heard)
    assert "of this version" in (chip._folder / "crash.txt").read_text()


def test_a_version_that_does_not_even_compile_falls_back_as_well(chip, repository):
    two = program(repository / "firmware", 2)
    files = dict(zip([file.path for file in image.decode(two.manifest).files], two.files, strict=True))
    chip.core.update.offer(image_of(2, files={**files, MAIN: b"def main(:\n"}))
    assert chip.until(FAILED).why == FELL_BACK and chip.starts == 5
