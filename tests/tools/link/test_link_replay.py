"""`bocage link replay`: what was recorded is sent as it was, what comes back is shown, and a replayed command does
nothing."""

import json
import time

import pytest

from gateway.io.crypto import AesCcm
from tests.support import pcap_files
from tests.support import protected_traffic as traffic
from tests.support.coap_peers import ServingThread
from tools import cli
from tools.link import replay as link_replay
from wire import coap, oscore, oscore_context
from wire import coap_message as messages
from wire.faults import WireFault


class Server(ServingThread):
    """A gateway's shell at its smallest, on a thread: it does what an authentic request says, once."""

    def __init__(self):
        super().__init__()
        _, self.context = traffic.contexts()
        self.window, self.done, self.heard = oscore_context.NEW, [], []
        self.end = coap.Endpoint(
            random_below=lambda bound: 0, first_message_id=1, exchanges_max=99, handled_options=(messages.OSCORE,)
        )

    def take(self, datagram, peer):
        self.heard.append(datagram)
        now_ms = time.monotonic_ns() // 1_000_000
        for event in self.end.receive(datagram, peer, now_ms=now_ms):
            answer = self.answer(event)
            self.end.respond(event.exchange, answer.code, answer.payload, options=answer.options, now_ms=now_ms)
        return self.end.outgoing()

    def answer(self, request):
        try:
            content, exchange, self.window = oscore.unprotect_request(
                self.context, request, AesCcm(), window=self.window
            )
        except WireFault as fault:
            return oscore.refusal(fault.reason)
        self.done.append(content)
        answer = messages.Content(messages.CHANGED, (traffic.FORMAT,), traffic.ANSWER)
        return oscore.protect_response(self.context, answer, AesCcm(), exchange)


@pytest.fixture
def capture(tmp_path):
    frames = [
        (ns, pcap_files.frame(pcap_files.LINUX_SLL2, pcap_files.ip_packet(*datagram)))
        for ns, *datagram, _ in traffic.an_hour()
    ]
    path = tmp_path / "capture.pcapng"
    path.write_bytes(pcap_files.pcapng(frames, pcap_files.LINUX_SLL2))
    return path


def replay(capsys, *words):
    status = cli.main(["link", "replay", *map(str, words), "--json"])
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    return status, lines, said.err


@pytest.mark.live
def test_a_replayed_command_changes_nothing_and_that_is_shown(capture, tmp_path, capsys):
    words = (capture, "--context", traffic.context_file(tmp_path), "--wait", "0.3")
    to_server = [item[3] for item in traffic.an_hour() if item[2] == traffic.GATEWAY]
    with Server() as server:
        status, lines, said = replay(capsys, words[0], server.uri, *words[1:])
        assert status == 0 and server.heard == to_server and len(server.done) == 6
        assert "unaltered" in said and server.uri.removeprefix("coap://") in said
        status, again, _ = replay(capsys, words[0], server.uri, *words[1:])
        assert status == 0 and server.heard == to_server * 2 and len(server.done) == 6
    *first, summary = lines
    assert summary == {"summary": {"sent": 7, "answered": 6, "silent": 1, "failed": 0}}
    assert first[0]["sent"]["inner"]["path"] == "/b" and first[0]["answers"][0]["inner"]["answer"]["uncertainty_s"] == 2
    acknowledgement = next(line for line in first if line["sent"]["name"] == "empty")
    assert acknowledgement["answers"] == []
    refused = [line["answers"][0] for line in again[:-1] if line["answers"]]
    assert {answer["text"] for answer in refused} == {"Replay detected"} and len(refused) == 6
    assert all("anybody" in answer["unprotected"] for answer in refused)


@pytest.mark.live
def test_a_vector_file_is_sent_line_by_line_and_silence_is_a_word(tmp_path, capsys):
    path = tmp_path / "vectors"
    path.write_text("# a ping\n40000001\nzz\n00\n", encoding="ascii")
    with Server() as server:
        assert cli.main(["link", "replay", str(path), server.uri, "--wait", "0.2"]) == 2
        assert server.heard == [b"\x40\0\0\1", b"\0"]
    lines = capsys.readouterr().out.splitlines()
    assert "CON id=1 empty" in lines[0] and "came" in lines[1] and "RST id=1" in lines[1]
    assert "line 3" in lines[2] and "malformed" in lines[3] and lines[4] == "  silence"
    assert lines[-1] == "2 sent, 1 answered, 1 silent, 1 failed"


@pytest.mark.live
def test_a_port_where_nobody_listens_is_told(tmp_path, capsys):
    with Server() as server:
        uri = server.uri
    status, lines, _ = replay(capsys, _vector(tmp_path), uri, "--wait", "0.2")
    assert status == 2 and lines[0]["fault"] == "nothing listens there"


@pytest.mark.live
def test_it_ends_by_itself(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(link_replay, "DATAGRAMS_MAX", 2)
    with Server() as server:
        assert replay(capsys, _vector(tmp_path, "40000001\n" * 5), server.uri, "--wait", "0.1")[0] == 0
        assert len(server.heard) == 2


def _vector(folder, text="40000001\n"):
    path = folder / "vector"
    path.write_text(text, encoding="ascii")
    return path


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["http://127.0.0.1"], "coap://"),
        (["coap://127.0.0.1/t"], "paths are in the datagrams"),
        (["coap://127.0.0.1:99999"], "below 65536"),
        (["coap://224.0.1.187"], "not one host"),
        (["coap://255.255.255.255"], "not one host"),
        (["coap://[ff02::fd]"], "not one host"),
        (["coap://0.0.0.0"], "not one host"),
        (["coap://127.0.0.1", "--wait", "0.01"], "--wait"),
        (["coap://127.0.0.1", "--context", "/none"], "No such file"),
    ],
)
def test_what_must_not_be_sent_to_is_refused_before_anything_is_sent(tmp_path, capsys, words, why):
    assert cli.main(["link", "replay", str(_vector(tmp_path)), *words, "--lang", "en"]) == 2
    said = capsys.readouterr()
    assert why in said.err and not said.out
