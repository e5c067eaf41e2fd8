"""Defines the one error of `wire`: bytes that break the contract. The caller of a decoder handles it; it goes no
further."""


class WireFault(Exception):
    """Is raised for bytes from a peer, or values of ours, that the contract refuses.

    `reason` is a short stable word: it names a counter and appears in health records, so it carries no data.
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason
