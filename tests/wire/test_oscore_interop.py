"""OSCORE both ways with aiocoap and with libcoap, over loopback UDP.

The file is aiocoap's process too: `test_oscore_interop.py client FOLDER URI PAYLOAD COUNT` prints the code and payload
of each answer; `… server FOLDER PORT` prints "ready" and echoes what is posted to `/t`, until its input ends.
"""

import asyncio
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.support.coap_peers import (
    CIPHER,
    LIBCOAP_CLIENT,
    LIBCOAP_SERVER,
    OURS,
    THEIRS,
    UDP,
    Conversation,
    ServingThread,
    Started,
    aiocoap_folder,
    context,
    free_port,
    libcoap_file,
    now_ms,
    run_client,
)
from wire import coap, limits, oscore, oscore_context
from wire import coap_message as messages
from wire.coap_message import Content
from wire.faults import WireFault

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

PEER = (sys.executable, Path(__file__))


class Server(ServingThread):
    """A gateway's shell at its smallest: every protected POST is echoed, every other message refused."""

    def __init__(self, security, echo=b""):
        super().__init__()
        self.security, self.echo, self.echoed = security, echo, 0
        self.window = oscore_context.NEW
        self.heard, self.faults, self.number = [], [], 0
        self.end = coap.Endpoint(
            random_below=lambda bound: 0,
            first_message_id=1,
            datagram_max=limits.COAP_UDP_DATAGRAM_BYTES_MAX,
            handled_options=(messages.OSCORE,),
        )

    def take(self, datagram, peer):
        for event in self.end.receive(datagram, peer, now_ms=now_ms()):
            answer = self.answer(event)
            self.end.respond(event.exchange, answer.code, answer.payload, options=answer.options, now_ms=now_ms())
        return self.end.outgoing()

    def answer(self, request):
        try:
            content, exchange, window = oscore.unprotect_request(self.security, request, CIPHER, window=self.window)
        except WireFault as fault:
            self.faults.append(fault.reason)
            return oscore.refusal(fault.reason)
        if self.echo and messages.option_values(content.options, messages.ECHO) != (self.echo,):
            self.echoed += 1
            return self.protect(Content(messages.UNAUTHORIZED, ((messages.ECHO, self.echo),), b""), exchange)
        self.echo = b""
        self.window = window
        self.heard.append(content)
        return self.protect(Content(messages.CHANGED, (), content.payload), exchange)

    def protect(self, content, exchange):
        """With a number of its own on every second answer."""
        self.number += 1
        number = self.number if self.number % 2 else None
        return oscore.protect_response(self.security, content, CIPHER, exchange, number=number)


@pytest.mark.parametrize("id_context", [None, b"node7\x01"], ids=["plain", "id-context"])
def test_an_aiocoap_client_is_served(tmp_path, id_context):
    folder = aiocoap_folder(tmp_path, id_context)
    with Server(context(id_context)) as server:
        uri = f"coap://127.0.0.1:{server.port}/t?lane=alarm"
        done = run_client(*PEER, "client", folder, uri, "hello", "3")
    assert done.stdout.splitlines() == ["2.04 hello"] * 3, done.stderr
    first = server.heard[0]
    assert first.code == messages.POST and not server.faults
    inside = [option for option in first.options if option[0] not in (messages.URI_HOST, messages.URI_PORT)]
    expected = {messages.URI_PATH: b"t", messages.CONTENT_FORMAT: b"\x3c", messages.URI_QUERY: b"lane=alarm"}
    assert inside == list(expected.items())


def test_an_aiocoap_client_answers_our_demand_for_echo(tmp_path):
    folder = aiocoap_folder(tmp_path)
    with Server(context(), echo=b"rebooted") as server:
        uri = f"coap://127.0.0.1:{server.port}/t"
        done = run_client(*PEER, "client", folder, uri, "hello", "2")
    assert done.stdout.splitlines() == ["2.04 hello"] * 2, done.stderr
    assert server.echoed and len(server.heard) == 2


def test_an_aiocoap_client_with_another_secret_is_told_unprotected(tmp_path):
    folder = aiocoap_folder(tmp_path)
    other = oscore_context.derive(bytes(16), sender_id=OURS, recipient_id=THEIRS)
    with Server(other) as server:
        done = run_client(*PEER, "client", folder, f"coap://127.0.0.1:{server.port}/t", "hello", "1")
    assert server.faults and set(server.faults) == {"decrypt"}
    assert "2.04" not in done.stdout and not server.heard


def greet(conversation, payload=b"hello"):
    options = ((messages.URI_PATH, b"t"), (messages.URI_QUERY, b"q"))
    return conversation.ask(Content(messages.POST, options, payload))


@pytest.fixture
def started():
    """started(command…) -> process; it ends with the test."""
    with Started() as start:
        yield start


@pytest.mark.parametrize("sequence", [None, {"next-to-send": 100, "received": "unknown"}], ids=["new", "rebooted"])
def test_an_aiocoap_server_serves_us_and_sees_a_replay(tmp_path, started, sequence):
    port = free_port()
    process = started(*PEER, "server", aiocoap_folder(tmp_path, sequence=sequence), port)
    started.ready(process)
    with Conversation(port, context()) as conversation:
        assert greet(conversation) == Content(messages.CHANGED, (), b"qhello")
        assert conversation.number == (2 if sequence else 1)  # one more for its Echo
        assert greet(conversation).payload == b"qhello"
        conversation.number -= 1
        with pytest.raises(WireFault):  # a refusal in the clear
            greet(conversation, b"other")
        assert (conversation.came.code, conversation.came.payload) == (messages.UNAUTHORIZED, b"Replay detected")
    stranger = oscore_context.derive(bytes(16), sender_id=OURS, recipient_id=THEIRS)
    with Conversation(port, stranger) as conversation, pytest.raises(WireFault):
        greet(conversation)
    assert (conversation.came.code, conversation.came.payload) == (messages.BAD_REQUEST, b"Decryption failed")


def test_a_libcoap_client_is_served(tmp_path):
    if shutil.which(LIBCOAP_CLIENT) is None:
        pytest.skip(f"no {LIBCOAP_CLIENT} (apt-get install libcoap3-bin)")
    with Server(context()) as server:
        uri = f"coap://127.0.0.1:{server.port}/t?lane=alarm"
        done = run_client(
            LIBCOAP_CLIENT, "-E", libcoap_file(tmp_path), "-B", "8", "-m", "post", "-t", "60", "-e", "hello", uri
        )
    assert done.stdout.strip() == "hello", done.stderr
    assert (messages.URI_QUERY, b"lane=alarm") in server.heard[0].options and not server.faults


def test_a_libcoap_server_serves_us(tmp_path, started):
    if shutil.which(LIBCOAP_SERVER) is None:
        pytest.skip(f"no {LIBCOAP_SERVER} (apt-get install libcoap3-bin)")
    port = free_port()
    started(LIBCOAP_SERVER, "-A", "127.0.0.1", "-p", port, "-E", libcoap_file(tmp_path))
    time.sleep(0.5)  # if it is not up by then, CoAP sends again
    request = Content(messages.GET, ((messages.URI_PATH, b"time"), (messages.URI_QUERY, b"ticks")), b"")
    with Conversation(port, context()) as conversation:
        answers = [conversation.ask(request) for _ in range(2)]  # the first meets its demand for Echo
    for answer in answers:
        assert answer.code == messages.CONTENT and answer.payload.isdigit()


# --- aiocoap's process ---


async def aiocoap_client(folder, uri, payload, count):
    import aiocoap
    from aiocoap.oscore import FilesystemSecurityContext

    client = await aiocoap.Context.create_client_context()
    client.client_credentials[uri] = FilesystemSecurityContext(folder)
    for _ in range(int(count)):
        message = aiocoap.Message(code=aiocoap.POST, uri=uri, payload=payload.encode(), content_format=60)
        answer = await client.request(message).response
        print(answer.code.dotted, answer.payload.decode(), flush=True)
    await client.shutdown()


async def aiocoap_server(folder, port):
    import aiocoap
    from aiocoap import resource
    from aiocoap.credentials import CredentialsMap
    from aiocoap.oscore import FilesystemSecurityContext
    from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

    class Echo(resource.Resource):
        async def render_post(self, request):
            told = ",".join(request.opt.uri_query).encode()
            return aiocoap.Message(code=aiocoap.CHANGED, payload=told + request.payload)

    site = resource.Site()
    site.add_resource(["t"], Echo())
    credentials = CredentialsMap()
    credentials[":bocage"] = FilesystemSecurityContext(folder)
    wrapped = OscoreSiteWrapper(site, credentials)
    server = await aiocoap.Context.create_server_context(wrapped, bind=("127.0.0.1", int(port)), transports=UDP)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


if __name__ == "__main__":
    asyncio.run({"client": aiocoap_client, "server": aiocoap_server}[sys.argv[1]](*sys.argv[2:]))
