"""SHA-512 and Ed25519 in steps, the same on both interpreters: published vectors, and what must not hold."""

from binascii import hexlify, unhexlify

from wire.ed25519 import Sha512, Verification


def digest(data):
    machine = Sha512(data)
    steps = 1
    while not machine.step():
        steps += 1
    return steps, hexlify(machine.digest()).decode()


def verify(public, signature, data):
    machine = Verification(public, signature, data)
    steps = 0
    while True:
        steps += 1
        said = machine.step()
        if said is not None:
            return said, steps, machine.step()


# FIPS 180-4 examples, and lengths around the padding.
for data in (b"", b"abc", b"a" * 111, b"a" * 112, b"a" * 127, b"a" * 128, b"a" * 129, b"q" * 1000):
    print(len(data), digest(data))

# RFC 8032 section 7.1, tests 1 to 3.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
        "be24655141438e7a100b",
        "",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
        "2aeeb00d291612bb0c00",
        "72",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
        "d28dc027beceea1ec40a",
        "af82",
    ),
)
for public, signature, data in VECTORS:
    public, signature, data = unhexlify(public), unhexlify(signature), unhexlify(data)
    print(verify(public, signature, data))
    for index in (0, 31, 32, 62, 63):
        spoilt = bytearray(signature)
        spoilt[index] ^= 1
        print(index, verify(public, bytes(spoilt), data)[0], end=" ")
    print(verify(public, signature, data + b"x")[0], verify(b"\xff" * 32, signature, data)[0])
    print(verify(public, signature[:63], data), verify(public[:31], signature, data))
    # The same answer written with the order added: malleable elsewhere, refused here.
    order = (1 << 252) + 27742317777372353535851937790883648493
    more = int.from_bytes(signature[32:], "little") + order
    print(verify(public, signature[:32] + more.to_bytes(32, "little"), data))
