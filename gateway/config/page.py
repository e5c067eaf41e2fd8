"""What the page needs from outside: where it listens, who may enter, and the agent's hand for orders."""

from typing import NamedTuple, Protocol


class PageOptions(NamedTuple):
    """`bind`: a numeric address of the maintenance port, and a port. `password`: a line of
    `gateway/config/password.py`. `certificate` and `key`: PEM files; without them the page is plain HTTP."""

    bind: tuple[str, int]
    password: str
    certificate: str | None = None
    key: str | None = None
    language: str = "fr"


class Orders(Protocol):
    """What somebody at the cabinet may order. `feeder` is its place in the configuration, `who` the name they gave.
    Each returns None when it was taken, or the word of a refusal. Zero seconds end a test."""

    def test(self, feeder: int, seconds: int, who: str) -> str | None: ...

    def lock(self, feeder: int, who: str) -> str | None: ...

    def unlock(self, feeder: int, who: str) -> str | None: ...
