"""The agent's serial bearers from end to end: protected nodes on RS-485, on a wire and behind a concentrator."""

import asyncio
import threading
import time
from random import Random

import pytest

from concentrator import bridge as deciding
from concentrator.bridge import Bridge
from concentrator.update import Update
from esp32.slot_files import SlotFiles
from gateway.shell import images
from gateway.shell import keys as node_keys
from simulator.hosts.keys import key_of, link_of
from simulator.rig.pty import Pty
from tests.support.agent_process import now_ms, run_agent, without_broker
from tests.support.bus_bench import BusBench
from tests.support.gateway_world import payload, reading
from tests.support.signed_image import KEY, signed
from tests.support.update_rig import image_of
from wire import bus, coap_message, image, limits, radio_update, slip
from wire.coap import Response

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


def nodes(count):
    return [bytes.fromhex("7c1f0a2c01") + number.to_bytes(3, "big") for number in range(1, count + 1)]


class Speaker:
    """A node that has one record to say. `heard(datagram)` and `outgoing()` are its bearer's."""

    def __init__(self, node, number):
        self.link = link_of(node, "gateway", boot=1, random_below=Random(number).randrange)
        self.answer = None
        self.link.request("gateway", coap_message.POST, (b"t",), payload(reading(number)), now_ms=now_ms())

    def heard(self, datagram):
        self._note(self.link.receive(datagram, "gateway", now_ms=now_ms()))

    def outgoing(self):
        self._note(self.link.poll(now_ms=now_ms()))
        return [datagram for _, datagram in self.link.outgoing()]

    def _note(self, events):
        for happened in events:
            self.answer = happened.code if isinstance(happened, Response) else happened.reason


def settings(folder, known, lines):
    path = without_broker(folder)
    for node in known:
        node_keys.write(folder / "data" / "keys", key_of(node))
    text = path.read_text().replace('bind = "127.0.0.1:0"\n', "")
    path.write_text(f"{text}{lines}\n")
    return path


async def all_answered(speakers, turn):
    while any(speaker.answer is None for speaker in speakers):
        turn()
        await asyncio.sleep(0.02)


def run(path, speakers, turn, monkeypatch, bearer):
    async def beside(agent):
        await all_answered(speakers, turn)
        told = agent._link.health()[bearer]
        assert told.get("state", told.get("port")) in ("open", "up")
        assert agent._link.address is None, "no UDP was asked for"
        agent._stop.set()

    run_agent(path, beside, monkeypatch)
    assert [speaker.answer for speaker in speakers] == [coap_message.CHANGED] * len(speakers)


def test_nodes_on_an_rs485_line_agree_on_keys_and_are_answered(tmp_path, monkeypatch):
    known = nodes(3)
    bench = BusBench(tmp_path / "rs485", range(1, 4), bus.line())
    bench.start()
    try:
        lines = f'[bus]\nport = "{bench.pty.link.resolve()}"\naddresses = [1, 2, 3]'
        speakers = {address: Speaker(node, address) for address, node in enumerate(known, 1)}

        def turn():
            for address, speaker in speakers.items():
                for datagram in [bench.said[address].pop(0) for _ in range(len(bench.said[address]))]:
                    speaker.heard(datagram)
                bench.up[address] += speaker.outgoing()

        run(settings(tmp_path, known, lines), list(speakers.values()), turn, monkeypatch, "bus")
        assert bench.unasked == 0
    finally:
        bench.close()


def test_a_node_on_a_wire_is_answered(tmp_path, monkeypatch):
    (node,) = known = nodes(1)
    pty = Pty(tmp_path / "wire")
    pty.plug()
    try:
        speaker = Speaker(node, 1)
        decoder = slip.Decoder(limits.DATAGRAM_BYTES_MAX)

        def turn():
            for datagram in decoder.feed(pty.read(0.001)):
                speaker.heard(datagram)
            for datagram in speaker.outgoing():
                pty.write(slip.encode(datagram))

        lines = f'[wire]\nport = "{pty.link.resolve()}"'
        run(settings(tmp_path, known, lines), [speaker], turn, monkeypatch, "wire")
    finally:
        pty.unplug()


class Air:
    """A concentrator's real bridge on a pseudo-terminal, and nodes in a perfect air. Its files are in a folder."""

    def __init__(self, folder, speakers):
        self.pty = Pty(folder / "radio")
        self.pty.plug()
        self.speakers = speakers  # by MAC
        self.update = Update(number=1, floor=1, phase=radio_update.CONFIRMED, failed=0, now_ms=now_ms())
        self.chosen = []
        self.files = SlotFiles(str(folder / "b"), self._choose, lambda _number: True)
        self.bridge = Bridge(
            session=5, cause="power-on", firmware="0.1.0", channel=6, now_ms=now_ms(), update=self.update
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _choose(self, number):
        self.chosen.append(number)
        return True

    def _run(self):
        while not self._stop.is_set():
            data = self.pty.read(0.005)
            if data:
                self.bridge.on_serial(data)
            for mac, speaker in self.speakers.items():
                for datagram in speaker.outgoing():
                    self.bridge.on_radio(mac, -80, datagram)
            self.bridge.poll(now_ms=now_ms())
            operation = self.update.next_operation()
            if operation is not None:
                self.update.on_result(operation, self.files.do(operation))
            for action in self.bridge.drain_actions():
                if action[0] == deciding.SEND:
                    self.speakers[action[1]].heard(action[2])
                    self.bridge.on_done(True)
            while frame := self.bridge.next_frame(heap_free=1, radio_dropped=0, now_ms=now_ms()):
                self.pty.write(frame)
            time.sleep(0.001)

    def close(self):
        self._stop.set()
        self._thread.join()
        self.pty.unplug()


def test_nodes_behind_a_concentrator_are_answered(tmp_path, monkeypatch):
    known = nodes(3)
    speakers = {b"\x02\x00\x00\x00\x00" + bytes([number]): Speaker(node, number) for number, node in enumerate(known)}
    air = Air(tmp_path, speakers)
    try:
        lines = f'[radio]\nport = "{air.pty.link.resolve()}"\nchannel = 6'
        run(settings(tmp_path, known, lines), list(speakers.values()), lambda: None, monkeypatch, "radio")
    finally:
        air.close()


def test_the_agent_brings_an_image_that_an_operator_put_into_its_folder(tmp_path, monkeypatch):
    air = Air(tmp_path, {})
    new = image_of(2)
    path = settings(
        tmp_path, nodes(1), f'[radio]\nport = "{air.pty.link.resolve()}"\nupdate_keys = ["{KEY.hex()}"]'
    )
    images.put_concentrator_image(tmp_path / "data", signed(new))

    async def beside(agent):
        while not air.chosen:
            await asyncio.sleep(0.02)
        told = agent._link.health()["radio"]["concentrator"]
        assert (told["number"], told["update"], told["image_number"]) == (1, "activating", 2)
        agent._stop.set()

    try:
        run_agent(path, beside, monkeypatch)
    finally:
        air.close()
    assert air.chosen == [2]
    for (name, _, _), data in zip(image.decode(new.manifest).files, new.files, strict=True):
        assert (tmp_path / "b" / name).read_bytes() == data
