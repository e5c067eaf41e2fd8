"""RFC 7959 played by client and server against vectors/block.txt, then broken peers and many uploads.

Prints one line a message. `failures` holds what differs from the file; it must stay empty.
"""

from binascii import hexlify, unhexlify
from hashlib import sha256

from wire import block as blocks
from wire import coap_message as messages
from wire.block import Answered, Block, Body, Stopped
from wire.block_download import Download, Part
from wire.block_receive import Receiver, Whole
from wire.block_serve import digest_etag, serve
from wire.block_upload import Upload
from wire.faults import WireFault
from wire.oscore_inner import Content

METHODS = {"GET": messages.GET, "PUT": messages.PUT, "POST": messages.POST}
PATH = ((messages.URI_PATH, b"status"),)
BODIES = b"".join([sha256(bytes([number])).digest() for number in range(64)])
failures = []


def hexed(data):
    return hexlify(data).decode()


def same(found, expected, what):
    if found != expected:
        failures.append("%s: %s, not %s" % (what, found, expected))


def written(block):
    return "%d/%d/%d" % (block.number, block.more, blocks.block_bytes(block.szx))


def read(text):
    number, more, size = text.split("/")
    return Block(int(number), more == "1", szx_of(size))


def szx_of(size):
    szx = 0
    while blocks.block_bytes(szx) < int(size):
        szx += 1
    return szx


def shown(content):
    """A message as the vectors write it."""
    words = ["%d.%02d" % (content.code >> 5, content.code & 31)]
    for name in METHODS:
        if METHODS[name] == content.code:
            words = [name]
    for prefix, number in (("1:", messages.BLOCK1), ("2:", messages.BLOCK2)):
        block = blocks.block_of(content.options, number)
        if block is not None:
            words.append(prefix + written(block))
    return " ".join(words)


def reason(value):
    try:
        return written(blocks.decode(value))
    except WireFault as fault:
        return fault.reason


def play_download(words, lines):
    size, client, when, server = words
    body = Body(BODIES[: int(size)])
    etag = digest_etag(body)
    download = Download(Content(messages.GET, PATH, b""), total_max=1000, szx=szx_of(client), is_early=when == "early")
    got = b""
    for line in lines:
        request = download.request()
        response = serve(request, body, etag=etag, szx=szx_of(server))
        told(line, request, response)
        got += download.receive(response).payload
    same((download.is_over, got == body.read(0, 1000), download.size), (True, True, int(size)), "download")


def play_upload(words, lines):
    method, size, client, server = words
    body = Body(BODIES[: int(size)])
    upload = Upload(Content(METHODS[method], PATH, b""), body, szx=szx_of(client), request_tag=b"tag")
    receiver = Receiver(szx=szx_of(server), body_max=1000)
    for line in lines:
        request = upload.request()
        response = receiver.receive("peer", request, now_ms=0)
        if isinstance(response, Whole):
            same(response.content.payload == body.read(0, 1000), True, "upload")
            response = receiver.answer(response, Content(messages.CHANGED, (), b""))
        told(line, request, response)
        event = upload.receive(response)
    same((upload.is_over, isinstance(event, Answered)), (True, True), "upload")


def play_client(words, lines):
    """Against the responses of the vectors themselves."""
    method, size, client = words
    transfer = Upload(Content(METHODS[method], PATH, b""), Body(BODIES[: int(size)]), szx=szx_of(client))
    sent = got = b""
    for line in lines:
        request = transfer.request()
        response = said(line)
        told(line, request, response)
        event = transfer.receive(response)
        if isinstance(transfer, Upload):
            sent += request.payload
        if isinstance(event, Answered) and blocks.block_of(response.options, messages.BLOCK2):
            begun = Content(METHODS[method], PATH, b"")
            transfer = Download(begun, total_max=1000, szx=szx_of(client), is_early=False)
            event = transfer.receive(response)
        if isinstance(event, Part):
            got += event.payload
    same((transfer.is_over, sent == BODIES[: int(size)], len(got) % 128), (True, True, 0), "client")


def said(line):
    """The response of a line, with as many bytes as its Block2 says."""
    words = line.split(" > ")[1].split()
    options = []
    payload = b""
    for word in words[1:]:
        block = read(word[2:])
        options.insert(0, (messages.BLOCK1 if word[0] == "1" else messages.BLOCK2, blocks.encode(block)))
        if word[0] == "2":
            payload = bytes(blocks.block_bytes(block.szx))
    code = int(words[0][0]) << 5 | int(words[0][2:])
    return Content(code, tuple(sorted(options)), payload)


def told(line, request, response):
    found = shown(request) + " > " + shown(response)
    print(found)
    same(found, line, "message")


def sections():
    folder = __file__.replace("\\", "/").rpartition("/")[0] or "."
    play, words, lines = None, (), []
    with open(folder + "/../vectors/block.txt") as file:
        for line in file:
            line = line.strip()
            first = line.split(" ")[0]
            if first == "end":
                yield play, words, lines
                play = None
            elif first in ("download", "upload", "client", "option", "broken"):
                play, words, lines = first, line.split(" ")[1:], []
                if first in ("option", "broken"):
                    yield first, (line.partition(" ")[2].partition(" =")[0], line.partition("=")[2].strip()), []
                    play = None
            elif play is not None:
                lines.append(line)


PLAYS = {"download": play_download, "upload": play_upload, "client": play_client}
count = 0
for play, words, lines in sections():
    count += 1
    if play == "option":
        same(hexed(blocks.encode(read(words[0]))), words[1], "option " + words[0])
        same(reason(unhexlify(words[1])), words[0], "option " + words[1])
    elif play == "broken":
        same(reason(unhexlify(words[0])), words[1], "broken " + words[0])
    else:
        print(play, " ".join(words))
        PLAYS[play](words, lines)
print(count, "vectors")
assert count >= 24

# Every answer a broken server may give to the second block of a download, by class of its event.
for number in (0, 1, 2, 1 << 19):
    for more in (True, False):
        for szx in (0, 1, 2, 3, 6):
            for length in (0, 16, 32, 63, 64, 65):
                download = Download(Content(messages.GET, PATH, b""), total_max=200, szx=2)
                first = ((messages.ETAG, b"e"), (messages.BLOCK2, blocks.encode(Block(0, True, 2))))
                download.receive(Content(messages.CONTENT, first, bytes(64)))
                options = ((messages.ETAG, b"e"), (messages.BLOCK2, blocks.encode(Block(number, more, szx))))
                event = download.receive(Content(messages.CONTENT, options, bytes(length)))
                told_event = event.reason if isinstance(event, Stopped) else "part %d" % len(event.payload)
                print(number, more, szx, length, told_event, download.offset, download.is_over)

# Many peers, drawn blocks, a small receiver: the counters say what became of each.
receiver = Receiver(szx=1, body_max=200, bodies_max=3, wait_ms=50)
seed = b""
answers = {}
for turn in range(3000):
    seed = sha256(seed + bytes([turn & 0xFF])).digest()
    block = Block(seed[0] % 5, seed[1] % 3 > 0, seed[2] % 3)
    size = blocks.block_bytes(block.szx)
    length = size if block.more or seed[3] % 4 else seed[4] % (size + 4)
    options = [(messages.URI_PATH, b"ab"[seed[5] % 2 : seed[5] % 2 + 1])]
    options.append((messages.BLOCK1, blocks.encode(block) if seed[6] > 8 else seed[7 : 7 + seed[6] % 5]))
    if seed[8] > 200:
        options.append((messages.SIZE1, bytes([seed[9]])))
    found = receiver.receive(seed[10] % 6, Content(messages.PUT, tuple(options), bytes(length)), now_ms=turn)
    if isinstance(found, Whole):
        found = receiver.answer(found, Content(messages.CHANGED, (), b""))
    answers[found.code] = answers.get(found.code, 0) + 1
    assert len(receiver._incoming) <= 3
print(sorted(answers.items()))
print(sorted(receiver.counters.items()))
print(len(failures), "failures")
assert not failures, "\n".join(failures)
