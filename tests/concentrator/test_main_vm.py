"""The concentrator's own main.py on a real MicroPython VM: its line are the process's pipes, its radio a script."""

import shutil

import pytest

from tests.support import concentrator_process
from wire import radio, radio_update, slip

pytestmark = [pytest.mark.vm, pytest.mark.live]

NODE = b"\x02\x00\x00\x00\x00\x09"


def start(folder, micropython, firmware):
    """The program at the root, without the loader."""
    concentrator_process.furnish(folder)
    source = (firmware / "concentrator" / "main.py").read_text(encoding="utf-8")
    (folder / "main.py").write_text(concentrator_process.with_air_poll(source), encoding="utf-8")
    for name in ("chip", "crash", "slot_files"):
        shutil.copy(firmware / "esp32" / f"{name}.py", folder)
    return concentrator_process.Process(folder, micropython, f"{folder}:{firmware}:.frozen")


@pytest.mark.every_vm
def test_the_whole_concentrator_on_a_vm(tmp_path, micropython, repository):
    process = start(tmp_path, micropython, repository / "firmware")
    try:
        hello = process.until(radio.Hello)
        assert (hello.cause, hello.channel, hello.firmware) == ("watchdog", 6, "0.1.0") and hello.session > 0
        assert process.until(radio_update.State) == (0, radio_update.FIXED, 0)
        process.tell(b"\x03 noise, and a Ctrl-C\xc0" + slip.encode(radio.ask(0xC0DB, 0)))
        process.until(radio.Hello, lambda message: message.heard == 0xC0DB)
        assert process.until(radio.Credit).free > 0
        longest = b"\xc0" * 244
        for number, datagram in enumerate((b"one", longest, b"three"), 1):
            process.tell(slip.encode(radio.down(number, NODE, datagram)))
            up = process.until(radio.Up, lambda up, datagram=datagram: up.datagram.endswith(datagram))
            assert up == (NODE, -77, b"echo " + datagram)
        process.tell(slip.encode(radio.channel(11)))
        process.until(radio.Hello, lambda message: message.channel == 11)
        assert (tmp_path / "channel.json").read_text() == '{"channel": 11}'
    finally:
        process.kill()
    again = start(tmp_path, micropython, repository / "firmware")
    try:
        assert again.until(radio.Hello).channel == 11, "remembered"
        assert again.heard[0].session != hello.session
    finally:
        again.kill()
