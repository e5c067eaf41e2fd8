"""RFC 7959 played by client and server against vectors/block.txt, then broken servers.

Prints one line a message. `failures` holds what differs from the file; it must stay empty.
"""

from binascii import hexlify, unhexlify
from hashlib import sha256

from wire import block as blocks
from wire import coap_message as messages
from wire.block import Block, Body, Download, Stopped, digest_etag, serve
from wire.coap_message import Content
from wire.faults import WireFault

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
    if content.code == messages.GET:
        words = ["GET"]
    block = blocks.block_of(content.options, messages.BLOCK2)
    if block is not None:
        words.append("2:" + written(block))
    return " ".join(words)


def reason(value):
    try:
        return written(blocks.decode(value))
    except WireFault as fault:
        return fault.reason


def play_download(words, lines):
    size, client, server = words
    body = Body(BODIES[: int(size)])
    etag = digest_etag(body)
    download = Download(Content(messages.GET, PATH, b""), total_max=1000, szx=szx_of(client))
    got = b""
    for line in lines:
        request = download.request()
        response = serve(request, body, etag=etag, szx=szx_of(server))
        told(line, request, response)
        got += download.receive(response).payload
    same((download.is_over, got == body.read(0, 1000), download.size), (True, True, int(size)), "download")


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
            elif first in ("download", "option", "broken"):
                play, words, lines = first, line.split(" ")[1:], []
                if first in ("option", "broken"):
                    yield first, (line.partition(" ")[2].partition(" =")[0], line.partition("=")[2].strip()), []
                    play = None
            elif play is not None:
                lines.append(line)


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
        play_download(words, lines)
print(count, "vectors")
assert count == 19

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

print(len(failures), "failures")
assert not failures, "\n".join(failures)
