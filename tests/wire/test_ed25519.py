"""Our verification in steps agrees with an independent one, and no step is long."""

from hashlib import sha512
from random import Random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire.ed25519 import Sha512, Verification


def ours(public, signature, data):
    verification = Verification(public, signature, data)
    for _ in range(250):
        said = verification.step()
        if said is not None:
            return said
    raise AssertionError("it does not end")


def theirs(public, signature, data):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_it_agrees_with_an_independent_implementation_on_drawn_messages_sound_and_spoilt():
    prng = Random(5)
    for turn in range(25):
        key = Ed25519PrivateKey.from_private_bytes(prng.randbytes(32))
        data = prng.randbytes(prng.randrange(400))
        public, signature = key.public_key().public_bytes_raw(), key.sign(data)
        assert ours(public, signature, data)
        spoilt = [bytearray(public), bytearray(signature), bytearray(data + b"x")]
        victim = spoilt[turn % 3]
        victim[prng.randrange(len(victim))] ^= 1 << prng.randrange(8)
        spoilt = [bytes(one) for one in spoilt]
        assert not ours(*spoilt) and not theirs(*spoilt)


def test_what_is_no_point_or_no_scalar_does_not_hold():
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"m")
    for number in range(32):
        candidate = bytes([number]) + b"\x02" * 31
        assert ours(candidate, signature, b"m") is theirs(candidate, signature, b"m") is False
    assert not ours(public, signature[:32] + b"\xff" * 32, b"m")


def test_the_digest_is_that_of_the_library_at_every_length_around_a_block():
    for length in [*range(100, 140), 4096, 4300]:
        data = bytes(index & 0xFF for index in range(length))
        machine = Sha512(memoryview(data))
        while not machine.step():
            pass
        assert machine.digest() == sha512(data).digest()


def test_no_step_has_more_of_the_work_than_a_turn_may_take():
    """On a chip a block of the digest takes 150 ms, a root or an inverse 250 ms, a bit of the scalars 10 ms."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, data = key.public_key().public_bytes_raw(), bytes(200)
    verification = Verification(public, key.sign(data), data)
    steps = 1
    while verification.step() is None:
        steps += 1
    blocks = 3
    assert steps > 10 * blocks + 2 * 256 // 16 + 256 // 2
