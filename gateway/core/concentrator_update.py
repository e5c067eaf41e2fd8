"""Brings a new image to a radio concentrator, beside the datagrams and after them: one chunk is under way at a time.

Bodies of `wire.radio_update` in and out; the line is `gateway.core.concentrator`'s. Sans-IO. An image is verified
before it is given to this module (`gateway.shell.images`), and nothing of it is sent before the
concentrator has reported which number it runs: numbers only rise.

**The states.** NONE: no image. UNKNOWN: the concentrator has not reported what it runs (an old one never does: it is
asked once a minute). OFFERING, SENDING: see `concentrator.update`, which requests each next chunk; when an answer stays
away, the image is offered again, which repairs any loss on the line and any restart. ACTIVATING: all is there, the
command to start it was sent. TRIAL: it runs, and is not confirmed. DONE. FAILED (`why`): not offered again; the shell
remembers it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.core import limits
from wire import radio_update as words
from wire.faults import WireFault

NONE = "none"
UNKNOWN = "unknown"
OFFERING = "offering"
SENDING = "sending"
ACTIVATING = "activating"
TRIAL = "trial"
DONE = "done"
FAILED = "failed"

_ACTIVE = (OFFERING, SENDING, ACTIVATING, TRIAL)
# Reasons of a failure that the concentrator did not report in an answer.
FELL_BACK = "trial"
OLDER = "number"


class Image(NamedTuple):
    """Holds a verified image. `digest`: SHA-256 of the manifest; `files`: their bytes in the manifest's order."""

    digest: bytes
    manifest: bytes
    number: int
    text: str
    files: tuple[bytes, ...]

    @property
    def bytes(self) -> int:
        return len(self.manifest) + sum(map(len, self.files))


class ConcentratorUpdate:
    """Runs the update of one concentrator. `log(event, **details)`: lines for the operator."""

    def __init__(self, log: Callable[..., None]) -> None:
        self.state = NONE
        self.why = ""
        self.image: Image | None = None
        self._log = log
        self._state: words.State | None = None
        self._body = b""
        self._at: tuple[int, int] | None = None  # file and offset of the chunk that is under way
        self._due_ms = 0
        self._faults = 0

    # --- events ---------------------------------------------------------------------------------------------------

    def offer(self, image: Image | None, failed: str = "") -> None:
        """Sets another image, or none. `failed`: why this one must not be offered, from an earlier start of the
        agent."""
        self.image, self.why = image, failed
        self._body, self._at, self._due_ms = b"", None, 0
        self.state = NONE if image is None else FAILED if failed else UNKNOWN
        if self._state is not None:
            self._judge(self._state)

    def on_start(self) -> None:
        """Notes that the concentrator has restarted: it will report anew what it runs."""
        self._state = None
        self._body, self._at, self._due_ms = b"", None, 0
        if self.state in _ACTIVE or self.state == DONE:
            self.state = UNKNOWN

    def on_body(self, body: bytes, *, now_ms: int) -> None:
        """Handles a body of a kind in `radio_update.TOLD`."""
        try:
            message = words.decode(body)
        except WireFault:
            self._faults += 1
            return
        if isinstance(message, words.State):
            self._state = message
            self._judge(message)
        else:
            self._on_want(message, now_ms)

    def poll(self, *, now_ms: int) -> bytes:
        """Returns the body that is due, for a line that is up; empty when there is none."""
        if self.image is None or self.state not in _ACTIVE:
            return b""
        body, self._body = self._body, b""
        if not body and now_ms >= self._due_ms:
            self._at = None
            body = words.offer(self.image.digest, self.image.number, len(self.image.manifest))
        if body:
            slowly = self.state == TRIAL
            self._due_ms = now_ms + (limits.RADIO_UPDATE_SLOWLY_MS if slowly else limits.RADIO_UPDATE_WAIT_MS)
        return body

    def asks(self, *, now_ms: int) -> bool:
        """Returns whether the concentrator must be asked for its STATE."""
        if self.state != UNKNOWN or now_ms < self._due_ms:
            return False
        self._due_ms = now_ms + limits.RADIO_UPDATE_SLOWLY_MS
        return True

    def deadline_ms(self) -> int | None:
        """Returns when `poll` or `asks` is due without an event."""
        return self._due_ms if self.state in _ACTIVE or self.state == UNKNOWN else None

    def health(self) -> dict[str, Any]:
        """Returns plain data for the status."""
        state = self._state
        running = {} if state is None else {"number": state.number, "phase": state.phase, "given_up": state.failed}
        if self.image is None:
            return {**running, "update": self.state}
        offered = {"image_number": self.image.number, "image_text": self.image.text, "why": self.why}
        progress = {"sent_bytes": self._sent_bytes(), "bytes": self.image.bytes, "faults": self._faults}
        return {**running, "update": self.state, **offered, **progress}

    # --- messages of the concentrator -----------------------------------------------------------------------------

    def _judge(self, state: words.State) -> None:
        """Decides, from the number that runs, the state of the image."""
        image = self.image
        if image is None or self.state == FAILED:
            return
        if state.number == image.number:
            if state.phase == words.TRIAL:
                self._step(TRIAL)
            elif self.state != DONE:
                self.state = DONE
                self._log("concentrator-updated", number=image.number, text=image.text)
        elif state.failed == image.number:
            self._fail(FELL_BACK)
        elif state.number > image.number:
            self._fail(OLDER)
        elif state.phase == words.FIXED:
            self._fail(words.FIXED)
        elif self.state in (UNKNOWN, TRIAL, DONE):
            self._step(OFFERING)

    def _on_want(self, want: words.Want, now_ms: int) -> None:
        image = self.image
        if image is None or self.state not in _ACTIVE or want.tag != image.digest[: words.TAG_BYTES]:
            return
        if want.answer == words.NEXT:
            at = (want.file, want.offset)
            data = self._piece(*at)
            if not data:
                self._faults += 1
            elif at != self._at or now_ms >= self._due_ms:
                self._at = at
                self._body = words.chunk(want.tag, want.file, want.offset, data)
                self._step(SENDING)
        elif want.answer == words.READY:
            if self.state != ACTIVATING:
                self._log("concentrator-update-activated", number=image.number)
            self.state = ACTIVATING
            self._body = words.activate(want.tag)
        elif want.answer == words.BUSY:
            self._due_ms = now_ms + limits.RADIO_UPDATE_SLOWLY_MS
        else:
            self._fail(want.answer)

    def _piece(self, file: int, offset: int) -> bytes:
        assert self.image is not None
        if file > len(self.image.files):
            return b""
        data = self.image.files[file - 1] if file else self.image.manifest
        return data[offset : offset + words.CHUNK_BYTES_MAX]

    def _sent_bytes(self) -> int:
        assert self.image is not None
        if self.state in (ACTIVATING, TRIAL, DONE):
            return self.image.bytes
        if self._at is None:
            return 0
        file, offset = self._at
        whole = (self.image.manifest, *self.image.files)
        return sum(map(len, whole[:file])) + offset

    def _step(self, state: str) -> None:
        before, self.state = self.state, state
        assert self.image is not None
        if state == OFFERING or (state == TRIAL and before != TRIAL):
            self._due_ms = 0
        if state == SENDING and before == OFFERING:
            self._log("concentrator-update-begun", number=self.image.number, text=self.image.text)

    def _fail(self, why: str) -> None:
        assert self.image is not None
        self.state, self.why = FAILED, why
        self._body, self._at = b"", None
        self._log("concentrator-update-failed", number=self.image.number, why=why)
