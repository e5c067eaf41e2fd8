"""OSCORE with each interpreter's own AES: vectors, digests, refusals, windows."""

from binascii import hexlify, unhexlify
from hashlib import sha256

from wire import ccm, oscore, oscore_context
from wire import coap_message as messages
from wire.faults import WireFault

try:
    from cryptolib import aes
except ImportError:
    print("this interpreter has no cryptolib")
    raise SystemExit(1)

CIPHER = ccm.CryptolibCipher(aes)


def hexed(data):
    return hexlify(data).decode()


def digest(data):
    return hexed(sha256(data).digest()[:8])


def reason(act, *arguments, **named):
    try:
        return act(*arguments, **named)
    except WireFault as fault:
        return "fault " + fault.reason


def shown(found):
    if isinstance(found, str):
        return found
    if isinstance(found, messages.Content):
        options = [(number, hexed(value)) for number, value in found.options]
        return "%d %s %s" % (found.code, options, hexed(found.payload))
    return shown(found[0]) + " %d %d" % tuple(found[2] or (-9, -9))


# Key material is made of digests, so that no byte of it is special.
SECRET = sha256(b"secret").digest()[:16]
print(digest(oscore_context.hkdf_expand(oscore_context.hkdf_extract(b"salt", SECRET), b"info", 300)))
sealed = b""
for length in (0, 1, 7, 8, 15, 16, 17, 48, 230):
    for aad in (b"", b"a", bytes(14), bytes(15), bytes(40)):
        plain = sha256(bytes([length, len(aad)])).digest() * 8
        one = ccm.seal(CIPHER, SECRET, SECRET[3:], aad, plain[:length])
        assert ccm.unseal(CIPHER, SECRET, SECRET[3:], aad, one) == plain[:length]
        sealed += one
print(digest(sealed))

VECTOR = {"master_salt": unhexlify("9e7ca92223786340")}
client = oscore_context.derive(bytes(range(1, 17)), sender_id=b"", recipient_id=b"\1", **VECTOR)
server = oscore_context.derive(bytes(range(1, 17)), sender_id=b"\1", recipient_id=b"", **VECTOR)
print(client, digest(client.sender_key + client.recipient_key + client.common_iv))
asked = messages.decode(unhexlify("44015d1f00003974396c6f63616c686f737483747631"))
content, exchange = oscore.protect_request(client, asked, CIPHER, number=20)
print(shown(content))  # RFC 8613 C.4
heard = oscore.unprotect_request(server, content, CIPHER, window=oscore_context.NEW)
print(shown(heard), heard[1].number)
for number in (None, 0, (1 << 40) - 1):  # C.7, C.8, the last there is
    answer = messages.Content(messages.CONTENT, (), b"Hello World!")
    content = oscore.protect_response(server, answer, CIPHER, heard[1], number=number)
    print(shown(content), shown(oscore.unprotect_response(client, content, CIPHER, exchange)))

node = oscore_context.derive(SECRET, sender_id=b"\0\7", recipient_id=b"g", id_context=b"node7\1")
gateway = oscore_context.derive(SECRET, sender_id=b"g", recipient_id=b"\0\7", id_context=b"node7\1")
request = messages.Content(messages.POST, ((3, b"h"), (11, b"t"), (12, b"\x3c"), (252, b"12345678")), bytes(48))
content, exchange = oscore.protect_request(node, request, CIPHER, number=40000, kid_context=node.id_context)
whole = messages.Message(messages.CON, content.code, 7, b"tokn", content.options, content.payload)
good = messages.encode(whole)
print(len(good), digest(good))
window = oscore_context.window_with(oscore_context.NEW, 39999)


def attack(data):
    message = messages.decode(data)
    if isinstance(message, messages.Fault):
        return message.reason
    found = reason(oscore.unprotect_request, gateway, message, CIPHER, window=window)
    return shown(found) + " " + shown(reason(oscore.unprotect_response, node, message, CIPHER, exchange))


for length in range(0, len(good), 5):
    print(length, attack(good[:length]))
for place in range(len(good)):
    damaged = bytearray(good)
    damaged[place] ^= 1 << place % 8
    print(place, attack(bytes(damaged)))
stream = b""
for number in range(300):
    stream = sha256(stream + bytes([number & 0xFF])).digest()
    head = bytes([0x41, messages.POST, 0, 1, 116, 0x90 | number % 10])
    print(attack(head + stream[: number % 10] + b"\xff" + stream), end=" ")
    print(reason(oscore.decode_header, stream[: number % 12]))

for begun in (window, oscore_context.NEW):
    window = begun
    for number in (3, 1, 2, 3, 40, 8, 9, 41, 1 << 33, (1 << 33) - 31, (1 << 33) - 32, (1 << 40) - 1):
        fresh = oscore_context.window_allows(window, number)
        if fresh:
            window = oscore_context.window_with(window, number)
        print(number, fresh, window.highest, window.seen)
