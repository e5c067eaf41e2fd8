"""Stands in on CPython for the chip's `cryptolib`: AES as far as `wire.ccm` uses it."""

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES


class aes:  # noqa: N801, its name on MicroPython
    def __init__(self, key, mode, iv=None):
        assert (mode == 2) == (iv == bytes(16))
        self.encryptor = Cipher(AES(key), modes.ECB() if iv is None else modes.CBC(iv)).encryptor()

    def encrypt(self, data, into):
        into[:] = self.encryptor.update(data)
