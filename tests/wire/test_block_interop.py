"""Block-wise transfers with aiocoap and with libcoap, over loopback UDP, in the clear and under OSCORE.

The file is aiocoap's process too: `test_block_interop.py client FOLDER URI FILE` fetches `/doc` of URI into FILE and
prints the answer's code; `… server FOLDER PORT FILE` serves FILE as `/doc` until its input ends. FOLDER `-` is in the
clear.
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

from gateway.io.crypto import AesCcm
from tests.support.coap_peers import (
    LIBCOAP_CLIENT,
    LIBCOAP_SERVER,
    OURS,
    SALT,
    SECRET,
    THEIRS,
    UDP,
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
from wire import coap, limits, oscore, oscore_context
from wire import coap_message as messages
from wire.block import Body, Download, Restarted, digest_etag, serve
from wire.coap_message import Content

pytestmark = [pytest.mark.live, pytest.mark.timeout(60)]

BYTES = random.Random(7959).randbytes(5000)
DOC = BYTES[:3333]
PEER = (sys.executable, Path(__file__))
CIPHER = AesCcm()
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
        handled_options=(messages.OSCORE,) if is_protected else (messages.BLOCK2,),
        exchanges_max=200,
        exchanges_per_peer_max=200,
    )


class Server(ServingThread):
    """Serves `/doc` by Block2, in blocks of at most `size`."""

    def __init__(self, size, security=None):
        super().__init__()
        self.szx, self.security, self.window = szx_of(size), security, oscore_context.NEW
        self.answers, self.payload_bytes_max = 0, 0
        self.end = endpoint(security is not None)

    def take(self, datagram, peer):
        for event in self.end.receive(datagram, peer, now_ms=now_ms()):
            answer = self.protected(event) if self.security else self.answer(event)
            self.end.respond(event.exchange, answer.code, answer.payload, options=answer.options, now_ms=now_ms())
        return self.end.outgoing()

    def protected(self, event):
        content, exchange, self.window = oscore.unprotect_request(self.security, event, CIPHER, window=self.window)
        answer = self.answer(content)
        return oscore.protect_response(self.security, answer, CIPHER, exchange)

    def answer(self, content):
        self.answers += 1
        answer = serve(content, Body(DOC), etag=digest_etag(Body(DOC)), szx=self.szx, content_format=42)
        self.payload_bytes_max = max(self.payload_bytes_max, len(answer.payload))
        return answer


def check_served(server, size):
    assert server.payload_bytes_max == size
    assert server.answers >= -(-len(DOC) // size), "each block was a message of its own"


@sizes
@protections
def test_an_aiocoap_client_is_served(tmp_path, size, is_protected):
    """aiocoap begins with 1024 and follows us down."""
    folder = aiocoap_folder(tmp_path) if is_protected else "-"
    file = tmp_path / "body"
    with Server(size, context() if is_protected else None) as server:
        done = run_client(*PEER, "client", folder, server.uri, file)
    assert done.stdout.splitlines() == ["2.05 42"], done.stderr
    assert file.read_bytes() == DOC
    check_served(server, size)


@sizes
@protections
def test_a_libcoap_client_is_served(tmp_path, size, is_protected):
    if shutil.which(LIBCOAP_CLIENT) is None:
        pytest.skip(f"no {LIBCOAP_CLIENT} (apt-get install libcoap3-bin)")
    got = tmp_path / "got"
    security = f"{libcoap_file(tmp_path)},{tmp_path / 'sequence'}"
    words = [LIBCOAP_CLIENT, "-B", "8", "-b", str(size), *(["-E", security] if is_protected else [])]
    with Server(size, context() if is_protected else None) as server:
        fetched = run_client(*words, "-m", "get", "-o", got, f"{server.uri}/doc")
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


def fetched(tmp_path, port, path, size, is_protected):
    """Code and payload of the answer to a GET, by what a person uses where there is a way."""
    if is_protected:
        return talked(tmp_path, port, path, size)
    request = Content(messages.GET, ((messages.URI_PATH, path.encode()),), b"")
    told = []
    with ClearConversation(port) as conversation:
        answer = link_talk.transfer(
            conversation.ask, request, szx=szx_of(size), progress=lambda *words: told.append(words)
        )
    assert {*range(size, len(DOC), size)} <= {done for _, done, _ in told}, "block by block"
    return f"{answer.code >> 5}.{answer.code & 31:02}", answer.payload


def talked(tmp_path, port, path, size):
    """One `bocage link talk`."""
    file, got = tmp_path / "bench.toml", tmp_path / "got"
    fields = {"master_secret": SECRET, "master_salt": SALT, "sender_id": OURS, "recipient_id": THEIRS}
    file.write_text("\n".join(f'{name} = "{value.hex()}"' for name, value in fields.items()), encoding="utf-8")
    file.chmod(0o600)
    words = ["--out", str(got), "--block", str(size), "--wait", str(WAIT_S), "--first"]
    assert cli.main(["link", "talk", str(file), f"coap://127.0.0.1:{port}/{path}", *words]) == 0
    return json.loads(talked.capsys.readouterr().out)["code"], got.read_bytes()


def document(tmp_path):
    file = tmp_path / "document"
    file.write_bytes(DOC)
    return file


def put_by_libcoap(tmp_path, port, security):
    """What libcoap's server serves is what a client of its own has put there."""
    done = run_client(
        LIBCOAP_CLIENT, "-B", "8", *security, "-m", "put", "-f", document(tmp_path), f"coap://127.0.0.1:{port}/example_data"
    )
    assert not done.stderr, done.stderr


@pytest.fixture(autouse=True)
def captured(capsys):
    talked.capsys = capsys


@sizes
@protections
def test_an_aiocoap_server_serves_us(tmp_path, size, is_protected):
    folder, port = aiocoap_folder(tmp_path) if is_protected else "-", free_port()
    with Started() as started:
        process = started(*PEER, "server", folder, port, document(tmp_path))
        started.ready(process)
        assert fetched(tmp_path, port, "doc", size, is_protected) == ("2.05", DOC)


@sizes
@protections
def test_a_libcoap_server_serves_us(tmp_path, size, is_protected):
    if shutil.which(LIBCOAP_SERVER) is None:
        pytest.skip(f"no {LIBCOAP_SERVER} (apt-get install libcoap3-bin)")
    port = free_port()
    security = ["-E", libcoap_file(tmp_path)] if is_protected else []
    with Started() as started:
        started(LIBCOAP_SERVER, "-A", "127.0.0.1", "-p", port, *security)
        time.sleep(0.5)  # if it is not up by then, CoAP sends again
        put_by_libcoap(tmp_path, port, [])
        assert fetched(tmp_path, port, "example_data", size, is_protected) == ("2.05", DOC)


def test_a_rebooted_client_begins_again_at_servers_that_keep_a_body_for_its_address(tmp_path):
    """libcoap gives each address another ETag, aiocoap has no block for who did not ask for the first one."""
    if shutil.which(LIBCOAP_SERVER) is None:
        pytest.skip(f"no {LIBCOAP_SERVER} (apt-get install libcoap3-bin)")
    with Started() as started:
        libcoap, other = free_port(), free_port()
        started(LIBCOAP_SERVER, "-A", "127.0.0.1", "-p", libcoap)
        aiocoap = started(*PEER, "server", "-", other, document(tmp_path))
        started.ready(aiocoap)
        time.sleep(0.5)
        put_by_libcoap(tmp_path, libcoap, [])
        assert resumed(libcoap, b"example_data") == (["changed"], DOC)
        assert resumed(other, b"doc") == (["refused"], DOC)


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
    answer = await client.request(aiocoap.Message(code=aiocoap.GET, uri=f"{uri}/doc")).response
    Path(file).write_bytes(answer.payload)
    print(answer.code.dotted, int(answer.opt.content_format), flush=True)
    await client.shutdown()


async def aiocoap_server(folder, port, file):
    import aiocoap
    from aiocoap import resource
    from aiocoap.credentials import CredentialsMap
    from aiocoap.oscore import FilesystemSecurityContext
    from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

    payload = Path(file).read_bytes()

    class Document(resource.Resource):
        async def render_get(self, request):
            return aiocoap.Message(code=aiocoap.CONTENT, payload=payload)

    site = resource.Site()
    site.add_resource(["doc"], Document())
    if folder != "-":
        credentials = CredentialsMap()
        credentials[":bocage"] = FilesystemSecurityContext(folder)
        site = OscoreSiteWrapper(site, credentials)
    server = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", int(port)), transports=UDP)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


if __name__ == "__main__":
    asyncio.run({"client": aiocoap_client, "server": aiocoap_server}[sys.argv[1]](*sys.argv[2:]))
