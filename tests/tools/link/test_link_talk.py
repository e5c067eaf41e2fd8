"""`bocage link talk`: what a context file may be, numbers on disk before they are used, and one exchange."""

import json
import os
import socket
import threading

import pytest

from gateway.io.crypto import AesCcm
from tools import cli
from tools.link import conversation as link_talk
from tools.link.sequence import BLOCK
from wire import coap_message as messages
from wire import oscore, oscore_context
from wire.coap_message import Content

SECRET = bytes(range(200, 216))
LINES = (f'master_secret = "{SECRET.hex()}"', 'sender_id = "fe"', 'recipient_id = "00"', 'id_context = "62656e6368"')
SERVER = oscore_context.derive(SECRET, sender_id=b"\0", recipient_id=b"\xfe", id_context=b"bench")


@pytest.fixture
def context_path(tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text("\n".join(LINES), encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_context_file_is_the_context(context_path):
    context = link_talk.load_context(context_path)
    assert (context.sender_id, context.recipient_id, context.id_context) == (b"\xfe", b"\0", b"bench")
    assert (context.sender_key, context.recipient_key) == (SERVER.recipient_key, SERVER.sender_key)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "three are needed"),
        ("master_secret = 7", "hexadecimal"),
        ('master_secret = "zz"', "hexadecimal"),
        ("= broken", "hexadecimal"),
        ("\n".join([*LINES, 'key = "00"']), "no field key"),
        ("\n".join(['master_secret = "00ff00ff"', *LINES[1:]]), "16 to 64 bytes"),
        ("\n".join([LINES[0], LINES[1], 'recipient_id = "fe"']), "different ids"),
    ],
)
def test_another_file_is_refused_with_its_reason_and_without_its_secret(context_path, text, why):
    context_path.write_text(text, encoding="utf-8")
    with pytest.raises(link_talk.TalkError, match=why) as raised:
        link_talk.load_context(context_path)
    assert SECRET.hex() not in str(raised.value) and "00ff00ff" not in str(raised.value)


@pytest.mark.skipif(os.name != "posix", reason="no permission bits here")
def test_a_file_that_others_may_read_is_refused(context_path):
    context_path.chmod(0o640)
    with pytest.raises(link_talk.TalkError, match="chmod 600"):
        link_talk.load_context(context_path)


def test_an_absent_file_is_said(tmp_path):
    with pytest.raises(link_talk.TalkError, match="No such file"):
        link_talk.load_context(tmp_path / "none.toml")


def test_numbers_are_on_disk_before_they_are_used(context_path):
    stored = context_path.with_name("bench.toml.sequence")
    sequence = link_talk.SequenceFile(context_path, is_first=True)
    assert sequence.reserve() == 0 and stored.read_text(encoding="ascii") == str(BLOCK)
    assert sequence.reserve() == 1
    assert link_talk.SequenceFile(context_path, is_first=False).reserve() == BLOCK
    assert stored.read_text(encoding="ascii") == str(2 * BLOCK)


def test_a_context_is_used_for_the_first_time_once(context_path):
    stored = context_path.with_name("bench.toml.sequence")
    with pytest.raises(link_talk.TalkError, match="NEVER used"):
        link_talk.SequenceFile(context_path, is_first=False)
    link_talk.SequenceFile(context_path, is_first=True)
    with pytest.raises(link_talk.TalkError, match="used before"):
        link_talk.SequenceFile(context_path, is_first=True)
    for damaged in ("", "x", "-1", str(1 << 41)):
        stored.write_text(damaged, encoding="ascii")
        with pytest.raises(link_talk.TalkError, match="damaged"):
            link_talk.SequenceFile(context_path, is_first=False)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["http://h/t"], "coap://"),
        (["coap:///t"], "coap://"),
        (["coap://h:x/t"], "number"),
        (["coap://h/t", "--payload", "4"], "digits"),
    ],
)
def test_a_request_that_cannot_be_is_refused_before_a_number_is_used(context_path, capsys, words, why):
    assert cli.main(["link", "talk", str(context_path), *words, "--first", "--lang", "en"]) == 2
    assert why in capsys.readouterr().err
    assert not context_path.with_name("bench.toml.sequence").exists()


class Peer:
    """Answers each datagram with what `answers` makes of it, on a thread."""

    def __init__(self, answer):
        self.answer, self.stopped, self.heard = answer, False, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return f"coap://127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()
        self.socket.close()

    def run(self):
        while not self.stopped:
            try:
                datagram, peer = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            message = messages.decode(datagram)
            content = self.answer(message, self.heard)
            if content is not None:
                made = (messages.ACK, content.code, message.message_id, message.token, content.options, content.payload)
                self.socket.sendto(messages.encode(messages.Message(*made)), peer)


def protected(message, heard):
    content, exchange, _ = oscore.unprotect_request(SERVER, message, AesCcm(), window=oscore_context.NEW)
    heard.append((exchange.number, content))
    if len(heard) == 1:
        answer = Content(messages.UNAUTHORIZED, ((messages.ECHO, b"echo1234"),), b"")
    else:
        answer = Content(messages.CHANGED, (), b"\x81\x01")
    return oscore.protect_response(SERVER, answer, AesCcm(), exchange)


@pytest.mark.live
def test_one_exchange_meets_a_demand_for_echo_and_prints_the_answer(context_path, capsys):
    peer = Peer(protected)
    with peer as uri:
        words = ["--method", "post", "--payload", "a1", "--format", "60", "--first", "--wait", "60"]
        assert cli.main(["link", "talk", str(context_path), f"{uri}/t?x=1", *words]) == 0
    assert json.loads(capsys.readouterr().out) == {"code": "2.04", "payload": "8101"}
    options = ((messages.URI_PATH, b"t"), (messages.CONTENT_FORMAT, b"\x3c"), (messages.URI_QUERY, b"x=1"))
    echoed = (*options, (messages.ECHO, b"echo1234"))
    assert peer.heard == [(0, Content(messages.POST, options, b"\xa1")), (1, Content(messages.POST, echoed, b"\xa1"))]


@pytest.mark.live
def test_an_answer_that_is_not_protected_is_told_as_such(context_path, capsys):
    with Peer(lambda message, heard: oscore.refusal("oscore-replay")) as uri:
        assert cli.main(["link", "talk", str(context_path), f"{uri}/t", "--first", "--wait", "60"]) == 2
    assert "unprotected answer 4.01 'Replay detected'" in capsys.readouterr().err


@pytest.mark.live
def test_silence_ends(context_path, capsys):
    with Peer(lambda message, heard: None) as uri:
        words = ["link", "talk", str(context_path), f"{uri}/t", "--first", "--wait", "0.2", "--lang", "en"]
        assert cli.main(words) == 2
    assert "within 0.2 s" in capsys.readouterr().err
