"""Block-wise transfers both ways with aiocoap and with libcoap, over loopback UDP, in the clear and under OSCORE.

The file is aiocoap's process too: `test_block_interop.py client FOLDER URI FILE` sends what FILE holds to `/up` of URI,
fetches `/doc` into FILE, and prints the answer's codes; `… server FOLDER PORT` keeps what is put to `/doc` until its
input ends. FOLDER `-` is in the clear.
"""

import asyncio
import json
import random
import secrets
import shutil
import socket
import sys
import time
from pathlib import Path

import pytest

from gateway.io.crypto import AesBlocks
from tests.support.coap_peers import (
    LIBCOAP_CLIENT,
    LIBCOAP_SERVER,
    OURS,
    SALT,
    SECRET,
    THEIRS,
    WAIT_S,
    ServingThread,
    Started,
    aiocoap_folder,
    context,
    free_port,
    libcoap_file,
    run_client,
)
from tools import cli
from tools.link import talk as link_talk
from wire import block as blocks
from wire import coap, limits, oscore
from wire import coap_message as messages
from wire.block import Body, Restarted
from wire.block_download import Download
from wire.block_receive import Receiver, Whole
from wire.block_serve import digest_etag, serve
from wire.oscore_inner import Content

pytestmark = [pytest.mark.live, pytest.mark.timeout(60)]

BYTES = random.Random(7959).randbytes(5000)
UP, DOC = BYTES[:3333], BYTES[3000:]
PEER = (sys.executable, Path(__file__))
CIPHER = AesBlocks()
sizes = pytest.mark.parametrize("size", [64, 1024])
protections = pytest.mark.parametrize("is_protected", [False, True], ids=["clear", "oscore"])


def szx_of(size):
    return [blocks.block_bytes(szx) for szx in range(blocks.SZX_MAX + 1)].index(size)


def now_ms():
    return time.monotonic_ns() // 1_000_000


def endpoint(is_protected):
    return coap.Endpoint(
        random_below=secrets.randbelow,
        first_message_id=secrets.randbelow(0x10000),
        datagram_max=limits.COAP_UDP_DATAGRAM_BYTES_MAX,
        handled_options=(messages.OSCORE,) if is_protected else (messages.BLOCK1, messages.BLOCK2),
        exchanges_max=200,
        exchanges_per_peer_max=200,
    )


class Server(ServingThread):
    """Serves `/doc` by Block2 and takes bodies put to `/up` by Block1, in blocks of at most `size`."""

    def __init__(self, size, security=None):
        super().__init__()
        self.szx, self.security, self.window = szx_of(size), security, oscore.NEW
        self.receiver = Receiver(szx=self.szx)
        self.bodies, self.answers, self.payload_bytes_max = [], 0, 0
        self.end = endpoint(security is not None)

    def take(self, datagram, peer):
        for event in self.end.receive(datagram, peer, now_ms=now_ms()):
            answer = self.protected(event) if self.security else self.answer(event.peer, event)
            self.end.respond(event.exchange, answer.code, answer.payload, options=answer.options, now_ms=now_ms())
        return self.end.outgoing()

    def protected(self, event):
        content, exchange, self.window = oscore.unprotect_request(self.security, event, CIPHER, window=self.window)
        answer = self.answer(exchange.kid, content)
        return oscore.protect_response(self.security, answer, CIPHER, exchange)

    def answer(self, peer, content):
        self.answers += 1
        if content.code == messages.GET:
            answer = serve(content, Body(DOC), etag=digest_etag(Body(DOC)), szx=self.szx, content_format=42)
            self.payload_bytes_max = max(self.payload_bytes_max, len(answer.payload))
            return answer
        found = self.receiver.receive(peer, content, now_ms=now_ms())
        if not isinstance(found, Whole):
            return found
        self.bodies.append(found.content.payload)
        return self.receiver.answer(found, Content(messages.CHANGED, (), b"taken"))


def check_served(server, size):
    assert server.bodies == [UP] and server.receiver.counters["finished"] == 1
    assert server.receiver.counters["incomplete"] == 0
    assert server.payload_bytes_max == size
    assert server.answers >= -(-len(DOC) // size) + 4, "each block was a message of its own"


@sizes
@protections
def test_an_aiocoap_client_is_served(tmp_path, size, is_protected):
    """aiocoap begins with 1024 and follows us down."""
    folder = aiocoap_folder(tmp_path) if is_protected else "-"
    file = tmp_path / "body"
    file.write_bytes(UP)
    with Server(size, context() if is_protected else None) as server:
        done = run_client(*PEER, "client", folder, server.uri, file)
    assert done.stdout.splitlines() == ["2.04 taken", "2.05 42"], done.stderr
    assert file.read_bytes() == DOC
    check_served(server, size)


@sizes
@protections
def test_a_libcoap_client_is_served(tmp_path, size, is_protected):
    if shutil.which(LIBCOAP_CLIENT) is None:
        pytest.skip(f"no {LIBCOAP_CLIENT} (apt-get install libcoap3-bin)")
    file, got = tmp_path / "body", tmp_path / "got"
    file.write_bytes(UP)
    security = f"{libcoap_file(tmp_path)},{tmp_path / 'sequence'}"
    words = [LIBCOAP_CLIENT, "-B", "8", "-b", str(size), *(["-E", security] if is_protected else [])]
    with Server(size, context() if is_protected else None) as server:
        put = run_client(*words, "-m", "put", "-f", file, f"{server.uri}/up")
        fetched = run_client(*words, "-m", "get", "-o", got, f"{server.uri}/doc")
    assert put.stdout.strip() == "taken", put.stderr
    assert got.read_bytes() == DOC, fetched.stderr
    check_served(server, size)


# --- we are the client: `bocage link talk` under OSCORE, and its transfer over a socket in the clear ---


class ClearConversation:
    """As `link_talk.Conversation`, in the clear."""

    def __init__(self, port):
        self.address, self.end = ("127.0.0.1", port), endpoint(False)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, content):
        self.end.request(self.address, content.code, (), content.payload, options=content.options, now_ms=now_ms())
        end_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_s:
            for peer, datagram in self.end.outgoing():
                self.socket.sendto(datagram, peer)
            events = self.end.poll(now_ms=now_ms())
            try:
                events += self.end.receive(*self.socket.recvfrom(2048), now_ms=now_ms())
            except TimeoutError:
                continue
            for event in events:
                assert isinstance(event, coap.Response), event
                return Content(event.code, event.options, event.payload)
        raise AssertionError("no answer")


def put_and_get(tmp_path, port, path, size, is_protected):
    """Code and payload of the answers to a PUT of UP and a GET, by what a person uses where there is a way."""
    if is_protected:
        return talked(tmp_path, port, path, "put", size), talked(tmp_path, port, path, "get", size)
    options = ((messages.URI_PATH, path.encode()),)
    answers, told = [], []
    for request in (Content(messages.PUT, options, UP), Content(messages.GET, options, b"")):
        with ClearConversation(port) as conversation:
            answer = link_talk.transfer(
                conversation.ask, request, szx=szx_of(size), progress=lambda *words: told.append(words)
            )
        answers.append((f"{answer.code >> 5}.{answer.code & 31:02}", answer.payload))
    for word in ("sent", "received"):
        places = [done for said, done, _ in told if said == word]
        assert {*range(size, len(UP), size)} <= set(places), "block by block"
    return tuple(answers)


def talked(tmp_path, port, path, method, size):
    """One `bocage link talk`."""
    file, sent, got = tmp_path / "bench.toml", tmp_path / "sent", tmp_path / "got"
    first = [] if file.exists() else ["--first"]
    fields = {"master_secret": SECRET, "master_salt": SALT, "sender_id": OURS, "recipient_id": THEIRS}
    file.write_text("\n".join(f'{name} = "{value.hex()}"' for name, value in fields.items()), encoding="utf-8")
    file.chmod(0o600)
    sent.write_bytes(UP)
    payload = ["--payload-file", str(sent)] if method == "put" else []
    words = ["--method", method, *payload, "--out", str(got), "--block", str(size), "--wait", str(WAIT_S), *first]
    assert cli.main(["link", "talk", str(file), f"coap://127.0.0.1:{port}/{path}", *words]) == 0
    return json.loads(talked.capsys.readouterr().out)["code"], got.read_bytes()


@pytest.fixture(autouse=True)
def captured(capsys):
    talked.capsys = capsys


@sizes
@protections
def test_an_aiocoap_server_takes_and_serves_ours(tmp_path, size, is_protected):
    folder, port = aiocoap_folder(tmp_path) if is_protected else "-", free_port()
    with Started() as started:
        process = started(*PEER, "server", folder, port)
        assert process.stdout.readline() == b"ready\n"
        put, got = put_and_get(tmp_path, port, "doc", size, is_protected)
    assert put == ("2.04", UP[::-1]), "a body by blocks in one, its answer by blocks in the other direction"
    assert got == ("2.05", UP)


@sizes
@protections
def test_a_libcoap_server_takes_and_serves_ours(tmp_path, size, is_protected):
    if shutil.which(LIBCOAP_SERVER) is None:
        pytest.skip(f"no {LIBCOAP_SERVER} (apt-get install libcoap3-bin)")
    port = free_port()
    security = ["-E", libcoap_file(tmp_path)] if is_protected else []
    with Started() as started:
        started(LIBCOAP_SERVER, "-A", "127.0.0.1", "-p", port, *security)
        time.sleep(0.5)  # if it is not up by then, CoAP sends again
        put, got = put_and_get(tmp_path, port, "example_data", size, is_protected)
    assert put[0] in ("2.01", "2.04")
    assert got == ("2.05", UP)


def test_a_rebooted_client_begins_again_at_servers_that_keep_a_body_for_its_address(tmp_path):
    """libcoap gives each address another ETag, aiocoap has no block for who did not ask for the first one."""
    if shutil.which(LIBCOAP_SERVER) is None:
        pytest.skip(f"no {LIBCOAP_SERVER} (apt-get install libcoap3-bin)")
    with Started() as started:
        libcoap, other = free_port(), free_port()
        started(LIBCOAP_SERVER, "-A", "127.0.0.1", "-p", libcoap)
        aiocoap = started(*PEER, "server", "-", other)
        assert aiocoap.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        put_and_get(tmp_path, libcoap, "example_data", 1024, False)
        put_and_get(tmp_path, other, "doc", 1024, False)
        assert resumed(libcoap, b"example_data") == (["changed"], UP)
        assert resumed(other, b"doc") == (["refused"], UP)


def resumed(port, path):
    """(what made it begin again, the bytes) of a download whose client reboots after ten blocks."""
    request = Content(messages.GET, ((messages.URI_PATH, path),), b"")
    first, flash, restarts = Download(request, total_max=5000, szx=2), bytearray(), []
    with ClearConversation(port) as conversation:
        for _ in range(10):
            flash += first.receive(conversation.ask(first.request())).payload
    second = Download(request, total_max=5000, szx=2, offset=first.offset, etag=first.etag or b"none")
    with ClearConversation(port) as conversation:
        while not second.is_over:
            event = second.receive(conversation.ask(second.request()))
            if isinstance(event, Restarted):
                restarts.append(event.reason)
                flash.clear()
            else:
                flash += event.payload
    return restarts, bytes(flash)


# --- aiocoap's process ---


async def aiocoap_client(folder, uri, file):
    import aiocoap
    from aiocoap.oscore import FilesystemSecurityContext

    client = await aiocoap.Context.create_client_context()
    if folder != "-":
        client.client_credentials[f"{uri}/*"] = FilesystemSecurityContext(folder)
    put = aiocoap.Message(code=aiocoap.PUT, uri=f"{uri}/up", payload=Path(file).read_bytes())
    answer = await client.request(put).response
    print(answer.code.dotted, answer.payload.decode(), flush=True)
    answer = await client.request(aiocoap.Message(code=aiocoap.GET, uri=f"{uri}/doc")).response
    Path(file).write_bytes(answer.payload)
    print(answer.code.dotted, int(answer.opt.content_format), flush=True)
    await client.shutdown()


async def aiocoap_server(folder, port):
    import aiocoap
    from aiocoap import resource
    from aiocoap.credentials import CredentialsMap
    from aiocoap.oscore import FilesystemSecurityContext
    from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

    class Document(resource.Resource):
        payload = b""

        async def render_put(self, request):
            self.payload = request.payload
            return aiocoap.Message(code=aiocoap.CHANGED, payload=request.payload[::-1])

        async def render_get(self, request):
            return aiocoap.Message(code=aiocoap.CONTENT, payload=self.payload)

    site = resource.Site()
    site.add_resource(["doc"], Document())
    if folder != "-":
        credentials = CredentialsMap()
        credentials[":bocage"] = FilesystemSecurityContext(folder)
        site = OscoreSiteWrapper(site, credentials)
    server = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", int(port)))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


if __name__ == "__main__":
    asyncio.run({"client": aiocoap_client, "server": aiocoap_server}[sys.argv[1]](*sys.argv[2:]))
