"""Updates the concentrator itself: receives an image piece by piece into the folder that it does not run from.

Messages and results go in; bodies for the line and operations on files come out, one small operation at a time. So the
radio never waits for the flash longer than one piece takes.

**The states.** An OFFER is refused at once, or the manifest in the other folder is read (FINDING). If that is of
another image the folder is cleared (CLEARING), and the manifest received (MANIFEST) and stored (STORING). Then each
file is read back and compared with its digest (CHECKING), and if it differs, received (RECEIVING) and checked again. So
a restart of either side costs the file that was under way. READY: ACTIVATE writes the choice of the next start, and a
restart follows.

**On trial** the program confirms itself when its radio was started completely, the gateway has sent it ASK or OFFER,
and it has run for a minute. If that does not happen in TRIAL_MAX_MS it restarts: the loader counts the trials.

The gateway has verified the signature; this module checks that all bytes are those that were signed, that the product
is ours and that the number rises. Must not touch a file.
"""

from hashlib import sha256

from concentrator import limits
from wire import image
from wire import radio_update as words
from wire.faults import WireFault
from wire.image import (  # fmt: skip
    BEGIN,
    CHOOSE,
    CLEAR,
    CONFIRM,
    END,
    MANIFEST_NAME,
    PIECE_BYTES,
    READ,
    RECEIVED_MAX,
    WRITE,
)

_IDLE = "idle"
_FINDING = "finding"
_CLEARING = "clearing"
_MANIFEST = "manifest"
_STORING = "storing"
_CHECKING = "checking"
_RECEIVING = "receiving"
_READY = "ready"
_REFUSED = "refused"


class Update:
    """Accepts an image and judges the one on trial. `number`: of the running image; `floor`: no image may have this
    number or a lower one. `phase`: see `wire.radio_update`. `failed`: number of the image that was given up last.
    """

    def __init__(self, *, number, floor, phase, failed, now_ms):
        self.phase = phase
        self.wants_restart = False
        self._number = number
        self._floor = max(number, floor)
        self._failed = failed
        self._started_ms = now_ms
        self._confirm_ms = now_ms + limits.TRIAL_MIN_MS
        self._was_asked = False
        self._state = _IDLE
        self._digest = b""
        self._size = 0
        self._manifest = None
        self._raw = bytearray()
        self._refusal = ""
        # For the file at `_index`: `_at`, how much of it has been read or written; `_received`, how often it was
        # received.
        self._index = 0
        self._at = 0
        self._is_ending = False
        self._received = 0
        self._sha = None
        self._operation = None
        self._is_doing = False
        self._state_due = False
        self._want_due = False
        self._results = {
            _FINDING: self._found,
            _CLEARING: self._cleared,
            _STORING: self._stored,
            _CHECKING: self._checked,
            _RECEIVING: self._written,
            _READY: self._chosen,
            _REFUSED: self._swept,
        }

    # --- events ---------------------------------------------------------------------------------------------------

    def on_asked(self) -> None:
        """Notes that the gateway has sent ASK; HELLO answers it."""
        self._was_asked = True

    def on_greeting(self) -> None:
        """Notes that HELLO is sent: STATE follows it."""
        self._state_due = True

    def on_message(self, message) -> None:
        """Accepts an Offer, a Chunk or an Activate."""
        if isinstance(message, words.Offer):
            self._on_offer(message)
        elif message.tag != self._digest[: words.TAG_BYTES]:
            return  # of an image that is no longer offered
        elif isinstance(message, words.Chunk):
            self._on_chunk(message)
        elif self._state == _READY and not self._is_busy():
            self._operation = (CHOOSE, self._manifest.number)

    def poll(self, *, radio_is_whole, now_ms) -> None:
        """Judges the image on trial: confirms it, asks for a restart, or waits."""
        if self.phase != words.TRIAL:
            return
        if now_ms >= self._confirm_ms and self._was_asked and radio_is_whole and not self._is_busy():
            self._operation = (CONFIRM, self._number)
            self._confirm_ms = now_ms + limits.TRIAL_MIN_MS  # when to try again, if the flash refuses
        elif now_ms - self._started_ms >= limits.TRIAL_MAX_MS:
            self.wants_restart = True

    def is_on_trial(self) -> bool:
        """Returns whether a restart now would count against the image."""
        return self.phase == words.TRIAL

    # --- operations and messages -----------------------------------------------------------------------------------

    def next_operation(self):
        """Returns the operation on files to do now, once, or None; its result goes to `on_result`."""
        operation, self._operation = self._operation, None
        self._is_doing = operation is not None
        return operation

    def on_result(self, operation, result) -> None:
        self._is_doing = False
        if operation[0] == CONFIRM:
            if result:
                self.phase = words.CONFIRMED
                self._floor = max(self._floor, self._number)
                self._state_due = True
            return
        self._results[self._state](result)

    def next_body(self) -> bytes:
        """Returns the next body for the line, or b""."""
        if self._state_due:
            self._state_due = False
            return words.state(self._number, self.phase, self._failed)
        # The answer is not known while the flash is busy; a duplicate on the line may have asked for one.
        if self._want_due and not self._is_busy():
            self._want_due = False
            return self._want()
        return b""

    # --- the states of an image -------------------------------------------------------------------------------------

    def _on_offer(self, offer):
        self._state_due = True  # the gateway may wait for a STATE that was lost
        self._was_asked = True  # our HELLO may have been lost, and a gateway that noticed no reset sends no ASK
        if offer.digest != self._digest or self._state == _IDLE:
            self._digest = offer.digest
            self._size = offer.size
            self._manifest = None
            self._operation = None
            self._state = _IDLE
            refusal = self._refusal_of(offer)
            if refusal == words.BUSY:
                self._refusal = refusal
                self._want_due = True
            elif refusal:
                self._refuse(refusal)
            else:
                self._raw = bytearray()
                self._go(_FINDING, (READ, MANIFEST_NAME, 0))
            return
        # The offer is repeated because an answer was lost. While the flash is busy the answer comes by itself.
        if not self._is_busy():
            self._want_due = True

    def _refusal_of(self, offer):
        if self.phase == words.TRIAL:
            return words.BUSY
        if self.phase == words.FIXED:
            return "fixed"
        if offer.number <= self._floor:
            return "number"
        if not 0 < offer.size <= image.MANIFEST_BYTES_MAX:
            return "size"
        return ""

    def _found(self, piece):
        """Accepts a piece of the manifest in the other folder."""
        self._raw.extend(piece)
        if len(piece) == PIECE_BYTES and len(self._raw) <= image.MANIFEST_BYTES_MAX:
            self._operation = (READ, MANIFEST_NAME, len(self._raw))
        elif sha256(self._raw).digest() == self._digest:
            if self._read_manifest():
                self._check(0)
        else:
            self._go(_CLEARING, (CLEAR,))

    def _cleared(self, result):
        if result is True:
            self._raw = bytearray()
            self._go(_MANIFEST)
            self._want_due = True
        elif result is False:
            self._operation = (CLEAR,)
        else:
            self._refuse(result)

    def _on_chunk(self, chunk):
        if self._is_busy():
            return
        if self._state == _MANIFEST:
            self._on_manifest(chunk)
        elif self._state == _RECEIVING:
            left = self._file().size - self._at
            if chunk.file == self._index + 1 and chunk.offset == self._at and 0 < len(chunk.data) <= left:
                self._at += len(chunk.data)
                self._operation = (WRITE, chunk.data)
            else:
                self._want_due = True

    def _on_manifest(self, chunk):
        left = self._size - len(self._raw)
        self._want_due = True
        if chunk.file or chunk.offset != len(self._raw) or not 0 < len(chunk.data) <= left:
            return
        self._raw.extend(chunk.data)
        if len(chunk.data) < left:
            return
        if sha256(self._raw).digest() != self._digest:
            self._refuse("manifest")
        elif self._read_manifest():
            self._want_due = False
            self._at = 0
            self._go(_STORING, (BEGIN, MANIFEST_NAME))

    def _read_manifest(self):
        """Decodes the manifest and returns whether the image is for us; otherwise refuses it."""
        try:
            manifest = image.decode(bytes(self._raw))
        except WireFault as fault:
            self._refuse(fault.reason if fault.reason in words.ANSWERS else "manifest")
            return False
        if manifest.product != image.CONCENTRATOR:
            self._refuse("product")
        elif manifest.number <= self._floor:
            self._refuse("number")
        else:
            self._manifest = manifest
            return True
        return False

    def _stored(self, fault):
        """Accepts the result of a write, and writes the next piece of the manifest to the folder."""
        if fault:
            self._refuse(fault)
        elif self._is_ending:
            self._check(0)
        elif self._at < len(self._raw):
            piece = bytes(self._raw[self._at : self._at + PIECE_BYTES])
            self._at += len(piece)
            self._operation = (WRITE, piece)
        else:
            self._is_ending = True
            self._operation = (END,)

    def _check(self, index, received=0):
        """Starts to read back the file of this index; after the last file the image is READY."""
        self._index, self._received = index, received
        self._raw = bytearray()  # the manifest is in the folder, and read
        if index == len(self._manifest.files):
            self._go(_READY)
            self._want_due = True
            return
        self._sha = sha256()
        self._at = 0
        self._go(_CHECKING, (READ, self._file().path, 0))

    def _checked(self, piece):
        file = self._file()
        self._sha.update(piece)
        self._at += len(piece)
        if len(piece) == PIECE_BYTES and self._at <= file.size:
            self._operation = (READ, file.path, self._at)
        elif self._at == file.size and self._sha.digest() == file.digest and (file.size or self._received):
            self._check(self._index + 1)  # an empty file reads as an absent one: it is written once
        elif self._received == RECEIVED_MAX:
            self._refuse("digest")
        else:
            self._received += 1
            self._at = 0
            self._go(_RECEIVING, (BEGIN, file.path))

    def _written(self, fault):
        """Accepts the result of BEGIN, of a WRITE, or of END."""
        if fault:
            self._refuse(fault)
        elif self._is_ending:
            self._check(self._index, self._received)
        elif self._at == self._file().size:
            self._is_ending = True
            self._operation = (END,)
        else:
            self._want_due = True

    def _chosen(self, is_written):
        if is_written:
            self.wants_restart = True
        else:
            self._refuse("state")

    def _refuse(self, word):
        """Refuses the image and reports why. Its files are cleared: they are of no use, and the space may be needed."""
        touched = self._state in (_CLEARING, _STORING, _CHECKING, _RECEIVING, _READY)
        self._refusal = word
        self._go(_REFUSED, (CLEAR,) if touched else None)
        self._want_due = True

    def _swept(self, result):
        if result is False:
            self._operation = (CLEAR,)

    def _want(self):
        tag = self._digest[: words.TAG_BYTES]
        if self._state == _READY:
            return words.want(tag, words.READY)
        if self._state == _MANIFEST:
            return words.want(tag, words.NEXT, 0, len(self._raw))
        if self._state == _RECEIVING:
            return words.want(tag, words.NEXT, self._index + 1, self._at)
        return words.want(tag, self._refusal)

    def _go(self, state, operation=None):
        self._is_ending = False
        self._state = state
        self._operation = operation

    def _file(self):
        return self._manifest.files[self._index]

    def _is_busy(self):
        return self._is_doing or self._operation is not None
