"""Signed messages, commands and what goes with them: the same bytes and the same refusals on every interpreter.

Signatures are stood in for by digests: no interpreter here has Ed25519, and the forms do not depend on it.
"""

from binascii import hexlify
from hashlib import sha256

from policy import ceiling, document, keyset, lighting
from policy.civil import PARIS
from wire import command, cose
from wire.faults import WireFault
from wire.line import is_line


def hexed(data):
    return hexlify(data).decode()


def reason(decode, *arguments, **named):
    try:
        return decode(*arguments, **named)
    except WireFault as fault:
        return "fault " + fault.reason


class Person:
    def __init__(self, number):
        self.key = sha256(bytes([number])).digest()
        self.kid = cose.kid_of(self.key)

    def sign(self, data):
        return digest_of(self.key, data)


def digest_of(key, data):
    half = sha256(key + data).digest()
    return half + sha256(half).digest()


def verify(key, signature, data):
    return signature == digest_of(key, data)


people = [Person(number) for number in range(4)]
keys = keyset.KeySet(1, "49135", 2, tuple((one.key, "Nom é") for one in people[:3]), ())
section = document.Lighting(
    lighting.Site(475720, -5940, PARIS),
    (lighting.DEFAULT_CALENDAR,),
    (document.FeederRule("étang", document.SWITCHED, 0, "parcs"),),
    (
        document.Limit("parcs", document.DARK_WINDOW, 60, 420, "État", "2018", 0, 0),
        document.Limit("*", document.DARK_BY_DAY, 30, 30, "Commune", "4", 0, 0),
        document.Limit("parcs", document.EXEMPTION, 1, 0, "Maire", "12", 20270621, 20270621),
    ),
)
policy = document.Policy(
    3, "49135", 1798801200, 1893409200, "Conseil", "41", section, (document.Operator(people[3].key, "A", 7, 0),)
)
payload = document.encode(policy)
signed = cose.sign1_encode(payload, people[0].kid, cose.POLICY_AAD, people[0].sign)
print(hexed(signed))
print(keyset.open_policy(signed, keys, verify) == (policy, people[0].kid, ()))
following = keyset.KeySet(2, "49135", 2, keys.keys, keys.warehouses)
signers = [(one.kid, one.sign) for one in people[:2]]
signed_set = cose.sign_encode(keyset.encode(following), signers, cose.KEYS_AAD)
print(hexed(signed_set), keyset.open_keyset(signed_set, keys, verify) == (following, ()))

for data in (signed, signed_set):
    for place in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        damaged = bytes(damaged)
        print(place, keyset.open_policy(damaged, keys, verify)[2][0].path, end=" ")
        print(keyset.open_keyset(damaged, keys, verify)[1][0].path)

for place in range(0, len(payload), 2):
    damaged = bytearray(payload)
    damaged[place] ^= 1 << place % 7
    found, faults = document.decode(bytes(damaged))
    print(place, found is None, [(fault.path, fault.problem, fault.remedy) for fault in faults])

for evening in (20902, 20901, 20816, 21033):
    for first, last, limit in ceiling.dark_spans(section, section.feeders[0], evening):
        print(evening, (first + 30) // 60, (last + 30) // 60, limit.kind)

order = command.Command(b"12345678", 1, "Jeanne", "Fête", 100, 200, "49135", "mairie-1", None, 100, None, None)
print(hexed(command.encode_command(order)), command.decode_command(command.encode_command(order)) == order)
ends = command.Command(b"12345678", 3, "J", "F", 100, 200, "49135", None, None, None, b"87654321", None)
print(hexed(command.encode_command(ends)), command.decode_command(command.encode_command(ends)) == ends)
for said in (
    command.Outcome(b"12345678", "measured", None, "étang", 4512, 1798801200),
    command.Outcome(None, "refused", "malformed", None, None, None),
    command.Ask(b"abcdefgh", 900, 3, 1),
):
    print(hexed(command.encode_reply(said)), command.decode_reply(command.encode_reply(said)) == said)
grant = command.Grant(b"abcdefgh", 900)
print(hexed(command.encode_grant(grant)), command.decode_control(command.encode_grant(grant)) == grant)
print(hexed(command.encode_bundle(b"k", None)), command.decode_bundle(command.encode_bundle(None, b"p")))

for data in (b"", bytes(100), b"\xd2" * 50, b"\xd2\x84", b"\xd8\x62\x84", bytes(20000), command.encode_command(order)):
    for decode in (command.decode_command, command.decode_control, command.decode_reply, command.decode_bundle):
        found = reason(decode, data)
        print(len(data), found if isinstance(found, str) else "taken")
    for decode in (cose.sign1_decode, cose.sign_decode):
        print(len(data), reason(decode, data, bytes_max=4096))

for text in ("a", "é" * 12, "é" * 13, " a", "a ", "a\n", "a\u202eb", "a\x85", "", None, 7):
    print(is_line(text, 24), end=" ")
print()
for key in (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f", b"\xff" * 32, people[0].key, b"short"):
    print(cose.is_sound_key(key), end=" ")
print()
