"""`bocage link talk` with more than a datagram: a request by Block1 and its answer by Block2, over any exchange.

Must not know sockets or keys: `ask` is one exchange, protected or not.
"""

import secrets
import time
from collections.abc import Callable
from typing import TextIO

from wire import block as blocks
from wire import limits
from wire.block import Answered, Body, Restarted, Stopped
from wire.block_download import Download, Part
from wire.block_upload import Acked, Upload
from wire.oscore_inner import Content

# A node's flash holds 8 MB: nothing larger is served to it, or to whoever looks after it.
ANSWER_BYTES_MAX = 8 << 20
# Uploads of one context are told apart by it (RFC 9175 section 3.5.1).
_REQUEST_TAG_BYTES = 4
_SHOWN_EVERY_S = 1.0

_WHY = {
    "block-number": "it answered for another block",
    "block-size": "it made a block larger than asked for",
    "block-cut": "a block has not the size it claims",
    "block-missing": "it does not say which block it has",
    "block-continue": "it wants more after the last block",
    "block-total": f"it sends more than {ANSWER_BYTES_MAX} bytes, or than can be counted",
    "changed": "what it sends changes all the time",
    "refused": "it refuses blocks that it has announced",
    "whole": "it no longer sends blocks",
}


class TransferError(Exception):
    """The peer breaks off or breaks RFC 7959; the text says how."""


class Progress:
    """Lines about a long transfer: none in its first second, then at most one a second."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic):
        self._stream = stream
        self._clock = clock
        self._next_s = clock() + _SHOWN_EVERY_S

    def __call__(self, word: str, done: int, total: int | None) -> None:
        """word: "sent" or "received"; `done` of `total` bytes, None when nobody has said."""
        if self._clock() < self._next_s:
            return
        self._next_s = self._clock() + _SHOWN_EVERY_S
        bound = f" of {total}" if total else ""
        print(f"bocage link: {word} {done}{bound} bytes", file=self._stream, flush=True)


def transfer(
    ask: Callable[[Content], Content],
    request: Content,
    *,
    szx: int | None,
    progress: Callable[[str, int, int | None], None],
) -> Content:
    """The whole answer to the whole request. TransferError when there is none.

    szx: of the largest block either way, asked for from the start; None leaves an answer's to the peer.
    """
    upload = Upload(
        request._replace(payload=b""),
        Body(request.payload),
        szx=limits.BLOCK_LINK_SZX if szx is None else szx,
        request_tag=secrets.token_bytes(_REQUEST_TAG_BYTES),
    )
    first = _upload(ask, upload, len(request.payload), progress) if request.payload else None
    download = Download(
        # The tag names the request for its answer's blocks as well.
        Content(request.code, upload.options, b""),
        total_max=ANSWER_BYTES_MAX,
        szx=blocks.SZX_MAX if szx is None else szx,
        is_early=szx is not None and first is None,
    )
    return _download(ask, download, ask(download.request()) if first is None else first, progress)


def _upload(ask, upload, total, progress) -> Content:
    while True:
        event = upload.receive(ask(upload.request()))
        if isinstance(event, Answered):
            return event.content
        if isinstance(event, Stopped):
            raise TransferError(_text(event))
        assert isinstance(event, Acked | Restarted)
        progress("sent", upload.offset, total)


def _download(ask, download, answer, progress) -> Content:
    got = bytearray()
    while True:
        event = download.receive(answer)
        if isinstance(event, Answered):
            return event.content
        if isinstance(event, Stopped):
            raise TransferError(_text(event))
        if isinstance(event, Part):
            got += event.payload
            if event.is_last:
                first = download.response
                return Content(first.code, first.options, bytes(got))
        else:
            got.clear()
        progress("received", download.offset, download.size)
        answer = ask(download.request())


def _text(stopped: Stopped) -> str:
    return f"the peer's transfer cannot go on: {_WHY.get(stopped.reason, stopped.reason)}"
