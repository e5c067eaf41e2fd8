"""Block-wise transfers with aiocoap and with libcoap, over loopback UDP, in the clear and under OSCORE.

The file is aiocoap's process too: `test_block_interop.py client FOLDER URI FILE` fetches `/doc` of URI into FILE and
prints the answer's code; `… server FOLDER PORT FILE` serves FILE as `/doc` until its input ends. FOLDER `-` is in the
clear.
"""

import asyncio
import random
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.support.coap_peers import (
    CIPHER,
    LIBCOAP_CLIENT,
    LIBCOAP_SERVER,
    UDP,
    Conversation,
    ServingThread,
    Started,
    aiocoap_folder,
    context,
    endpoint,
    free_port,
    libcoap_file,
    now_ms,
    run_client,
)
from wire import block as blocks
from wire import coap_message as messages
from wire import oscore, oscore_context
from wire.block import Body, Download, digest_etag, serve
from wire.coap_message import Content

pytestmark = [pytest.mark.live, pytest.mark.timeout(60)]

BYTES = random.Random(7959).randbytes(5000)
DOC = BYTES[:3333]
PEER = (sys.executable, Path(__file__))
sizes = pytest.mark.parametrize("size", [64, 1024])
protections = pytest.mark.parametrize("is_protected", [False, True], ids=["clear", "oscore"])


def szx_of(size):
    return [blocks.block_bytes(szx) for szx in range(blocks.SZX_MAX + 1)].index(size)


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


# --- we are the client ---


def fetched(port, path, size, is_protected):
    """Code and payload of the answer to a GET, block by block."""
    request = Content(messages.GET, ((messages.URI_PATH, path.encode()),), b"")
    download, got = Download(request, total_max=5000, szx=szx_of(size)), bytearray()
    with Conversation(port, context() if is_protected else None) as conversation:
        while not download.is_over:
            got += download.receive(conversation.ask(download.request())).payload
            assert len(got) == len(DOC) or len(got) % size == 0, "block by block"
    return download.response.code, bytes(got)


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


@sizes
@protections
def test_an_aiocoap_server_serves_us(tmp_path, size, is_protected):
    folder, port = aiocoap_folder(tmp_path) if is_protected else "-", free_port()
    with Started() as started:
        process = started(*PEER, "server", folder, port, document(tmp_path))
        started.ready(process)
        assert fetched(port, "doc", size, is_protected) == (messages.CONTENT, DOC)


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
        assert fetched(port, "example_data", size, is_protected) == (messages.CONTENT, DOC)


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
