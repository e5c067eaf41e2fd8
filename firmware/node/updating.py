"""Updates a node: asks the gateway for a new image, block by block, and writes it into the folder that the node does
not run from. Both the application and the rescue program contain it.

GET `f/<product>` is the manifest of the image that the gateway has for nodes of this kind, signed (`wire.cose`,
IMAGE_AAD); GET `f/<product>/<number>/<n>` is file n of it. The gateway only relays it: the node verifies the signature
itself, under the keys of its settings. So control of a gateway gives no control of a node's program. The question for
the manifest states what the node runs (`wire.image.question`), by which the gateway follows its campaign; a gateway
that answers 5.03 with a Max-Age wants to be asked again after it, for it lets nodes in one after the other.

**The states.** IDLE: the node asks every few hours (UPDATE_CHECK_MS), in rescue every few minutes; with the ETag of the
manifest judged last that is one short exchange. ASKING: it receives the manifest, by blocks. VERIFYING: it verifies the
signature, in small steps. FINDING: it reads the manifest in the other folder; if that is of another image the folder is
cleared (CLEARING) and the manifest stored (STORING). Then each file is read back and compared with its digest
(CHECKING), and if it differs, received (RECEIVING) and checked again: a power cut costs the file that was under way.
READY: when the trade allows a restart, which may be a day later, the gateway is asked once more whether it still offers
this manifest; then the choice of the next start is written, and a restart into the trial follows.

An update never goes backwards: the number must be above the running one and every one that was ever confirmed. The
rescue also accepts that number again, for the copy on flash may be broken. A number that was tried and given up is not
tried again. On trial the node does not ask: the other folder holds the image to fall back to. Must not touch a file.

Long because one machine leads from the question to the restart, in the order of its states.
"""

from hashlib import sha256

from node import limits
from wire import block, coap_message, cose, image
from wire.block import Answered, Download, Restarted
from wire.coap import Failed, Refused, Response
from wire.coap_message import Content
from wire.ed25519 import Verification
from wire.faults import WireFault

PATH = b"f"

# Outcomes, for an event: (number, word). A refusal is reported once for each image.
READY = "ready"  # the image is complete; the restart follows
SIGNER = "signer"
SIGNATURE = "signature"
MANIFEST = "manifest"
PRODUCT = "product"
DIGEST = "digest"
STATE = "state"

_IDLE = "idle"
_ASKING = "asking"
_VERIFYING = "verifying"
_FINDING = "finding"
_CLEARING = "clearing"
_STORING = "storing"
_CHECKING = "checking"
_RECEIVING = "receiving"
_READY = "ready"

_SIGNED_BYTES_MAX = image.MANIFEST_BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES


class Updating:
    """Runs the update of one node.

    `link`: the node's; `keys`: public keys (32 bytes) of the people who may sign. `number`: of the image in the folder
    that the node starts from, 0 unknown. `floor`: no image with a lower number is accepted, nor with this number unless
    `is_rescue`; `failed`: number of the image that was given up last.
    `first_ms`: when to ask first; None: never (on trial, or where there is no second folder).
    """

    def __init__(self, link, *, peer, product, keys, number, floor, failed, is_rescue, random_below, first_ms):
        self.wants_restart = False
        self._link = link
        self._peer = peer
        self._product = product
        self._keys = keys
        self._query = image.question(number, failed, is_rescue)
        self._floor = floor
        self._failed = failed
        self._is_rescue = is_rescue
        self._random_below = random_below
        self._ask_at_ms = first_ms
        self._delay_ms = limits.UPDATE_RETRY_FIRST_MS
        self._state = _IDLE
        self._download = None
        self._exchange = None
        self._etag = None  # of the manifest that was judged last
        self._raw, self._signed, self._untried = bytearray(), None, ()
        self._verification = None
        self._manifest, self._bytes = None, b""
        # For the file at `_index`: `_at`, how much of it has been read or written; `_received`, how often it was
        # received.
        self._index = 0
        self._at = 0
        self._received = 0
        self._is_last = False
        self._is_ending = False
        self._sha = None
        self._is_agreed = False  # the gateway has just said that it still offers the complete image
        self._operation = None
        self._is_doing = False
        self._outcomes = []
        self._reported = None
        self._results = {
            _FINDING: self._found,
            _CLEARING: self._cleared,
            _STORING: self._stored,
            _CHECKING: self._checked,
            _RECEIVING: self._written,
            _READY: self._chosen,
        }

    def ask_at(self, at_ms) -> None:
        """Sets when to ask next, after the trial is over."""
        self._ask_at_ms = at_ms

    # --- in -------------------------------------------------------------------------------------------------

    def poll(self, may_restart, *, now_ms) -> None:
        """Does what is due: a question, a step of the verification, the choice of the next start. `may_restart(now_ms)`
        is called when the image is complete."""
        if self._state == _VERIFYING:
            self._verify(now_ms)
        elif self._state == _READY:
            if self._exchange is None and not self._is_busy() and not self.wants_restart:
                self._choose(may_restart, now_ms)
        elif self._ask_at_ms is not None and now_ms >= self._ask_at_ms and self._may_ask():
            if self._state == _IDLE:
                self._begin_manifest()
            self._ask(now_ms)

    def is_ours(self, happened) -> bool:
        """Returns whether an event of the link is about our question."""
        if self._exchange is None or not isinstance(happened, (Response, Failed)):
            return False
        return happened.exchange == self._exchange

    def handle(self, happened, now_ms) -> None:
        """Accepts the outcome of our question."""
        self._exchange = None
        if isinstance(happened, Failed):
            self._later(now_ms)
            return
        self._delay_ms = limits.UPDATE_RETRY_FIRST_MS
        self._ask_at_ms = now_ms + limits.UPDATE_PACE_MS
        event = self._download.receive(Content(happened.code, happened.options, happened.payload))
        is_valid = isinstance(event, Answered) and event.content.code == coap_message.VALID
        if self._state == _READY and is_valid:
            self._is_agreed = True
        elif self._state != _READY and isinstance(event, block.Part):
            self._part(event, now_ms)
        elif isinstance(event, Restarted):
            self._begin_again()
        else:
            if self._state != _ASKING:
                self._etag = None  # the image was withdrawn during the transfer: the next one must be judged again
            self._give_up(now_ms)  # no image for us, nothing new, or an unreadable answer
            if isinstance(event, Answered) and event.content.code == coap_message.UNAVAILABLE:
                self._wait(event.content.options, now_ms)

    def on_result(self, operation, result, *, now_ms) -> None:
        """Accepts the result of an operation."""
        self._is_doing = False
        self._results[self._state](result, now_ms)

    # --- out ------------------------------------------------------------------------------------------------

    def next_operation(self):
        """Returns the operation on files to do now, once, or None; its result goes to `on_result`."""
        operation, self._operation = self._operation, None
        self._is_doing = operation is not None
        return operation

    def drain_outcomes(self) -> list:
        """Drains the outcomes to report: [(number, word)]."""
        if not self._outcomes:
            return ()
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def deadline_ms(self, now_ms):
        """Returns when `poll` has something to do, or None."""
        if self._operation is not None or self._state == _VERIFYING:
            return now_ms
        if self._state == _READY or not self._may_ask():
            return None
        return self._ask_at_ms

    def is_idle(self) -> bool:
        """Returns whether there is nothing to do or to report before the next question."""
        return self._state == _IDLE and self._exchange is None and not (self._outcomes or self._is_busy())

    def rest_ms(self, now_ms):
        """Returns the milliseconds until the next question, for a node that would sleep; None: it must stay awake now.
        It does not wait for a gateway that falls silent during a transfer."""
        left_ms = limits.UPDATE_CHECK_MS if self._ask_at_ms is None else self._ask_at_ms - now_ms
        is_open = self._exchange is not None or self._is_busy()
        is_unheard = self._delay_ms > limits.UPDATE_RETRY_FIRST_MS
        if not is_open and is_unheard and self._state in (_ASKING, _RECEIVING, _READY):
            return max(limits.UPDATE_FIRST_MS, left_ms)
        return left_ms if self._state == _IDLE and left_ms > 0 and not is_open else None

    # --- the link -------------------------------------------------------------------------------------------

    def _may_ask(self):
        return self._exchange is None and not self._is_busy() and self._state in (_IDLE, _ASKING, _RECEIVING)

    def _choose(self, may_restart, now_ms):
        """Chooses the complete image for the next start once the trade allows a restart and the gateway agrees."""
        if not may_restart(now_ms):
            self._is_agreed = False
        elif self._is_agreed or self._etag is None:
            self._operation = (image.CHOOSE, self._manifest.number)
        elif now_ms >= self._ask_at_ms:
            self._start_manifest()
            self._ask(now_ms)

    def _begin_manifest(self):
        self._start_manifest()
        self._raw = bytearray()
        self._state = _ASKING

    def _start_manifest(self):
        options = []
        if self._etag is not None:
            options.append((coap_message.ETAG, self._etag))
        self._start_download((), options, _SIGNED_BYTES_MAX, self._query)

    def _start_download(self, segments, options, total_max, query=()):
        path = (PATH, self._product.encode()) + segments
        for segment in path:
            options.append((coap_message.URI_PATH, segment))
        for word in query:
            options.append((coap_message.URI_QUERY, word))
        self._download = Download(Content(coap_message.GET, tuple(options), b""), total_max=total_max)

    def _ask(self, now_ms):
        question = self._download.request()
        outcome = self._link.request(self._peer, question.code, (), options=question.options, now_ms=now_ms)
        if isinstance(outcome, Refused):
            self._later(now_ms)
            return
        self._exchange = outcome

    def _part(self, part, now_ms):
        if self._state == _ASKING:
            self._raw.extend(part.payload)
            if part.is_last:
                self._etag = self._download.etag
                self._judge(now_ms)
            return
        self._is_last = part.is_last
        if self._at + len(part.payload) > self._file().size:
            self._check(self._index, self._received, now_ms)  # too long: received again, a few times
            return
        self._at += len(part.payload)
        self._operation = (image.WRITE, part.payload) if part.payload else (image.END,)
        self._is_ending = not part.payload

    def _begin_again(self):
        """Drops the bytes received so far: the transfer begins again."""
        if self._state == _ASKING:
            self._raw = bytearray()
        else:
            self._at = 0
            self._is_ending = False
            self._operation = (image.BEGIN, self._file().path)

    def _later(self, now_ms):
        """Schedules the same question again after no answer; the delay doubles each time, with jitter."""
        self._ask_at_ms = now_ms + self._delay_ms // 2 + self._random_below(self._delay_ms // 2 + 1)
        self._delay_ms = min(2 * self._delay_ms, limits.UPDATE_RETRY_LAST_MS)

    def _give_up(self, now_ms):
        """Rests until the next question. The files received so far stay: they may be used then."""
        self._state = _IDLE
        self._is_agreed = False
        self._download = None
        self._operation = None
        period_ms = limits.UPDATE_CHECK_RESCUE_MS if self._is_rescue else limits.UPDATE_CHECK_MS
        self._ask_at_ms = now_ms + period_ms // 2 + self._random_below(period_ms)

    def _wait(self, options, now_ms):
        """Asks again after the Max-Age of the answer, between a minute and the usual period."""
        for value in coap_message.option_values(options, coap_message.MAX_AGE):
            wait_ms = 1000 * int.from_bytes(value[:4], "big")
            wait_ms = min(max(wait_ms, limits.UPDATE_WAIT_MIN_MS), limits.UPDATE_CHECK_MS)
            self._ask_at_ms = now_ms + wait_ms + self._random_below(wait_ms // 8)

    def _refuse(self, number, word, now_ms):
        """Reports a refusal. A faulty image is refused for good; after a failure of our flash it is tried again, and
        reported once."""
        if self._state not in (_ASKING, _VERIFYING):
            self._etag = None
        if (number, word) != self._reported:
            self._reported = (number, word)
            self._outcomes.append(self._reported)
        self._give_up(now_ms)
        if word == image.SPACE:  # settings, counters and records need the space that a partial image fills
            self._manifest = None
            self._go(_CLEARING, (image.CLEAR,))

    # --- whose it is ----------------------------------------------------------------------------------------

    def _judge(self, now_ms):
        """Decodes the complete signed manifest and looks up its key. Nothing in it is trusted yet."""
        try:
            self._signed = cose.sign1_decode(bytes(self._raw), bytes_max=_SIGNED_BYTES_MAX)
        except WireFault:
            self._refuse(0, MANIFEST, now_ms)
            return
        kid = self._signed.signatures[0].kid
        self._untried = [key for key in self._keys if cose.kid_of(key) == kid and cose.is_sound_key(key)]
        if not self._untried:
            self._refuse(0, SIGNER, now_ms)
            return
        self._state = _VERIFYING
        self._next_key()

    def _next_key(self):
        signed, key = self._signed, self._untried.pop()
        to_be_signed = cose.to_be_signed(signed, cose.IMAGE_AAD)
        self._verification = Verification(key, signed.signatures[0].signature, to_be_signed)

    def _verify(self, now_ms):
        holds = self._verification.step()
        if holds is None:
            return
        if not holds and self._untried:
            self._next_key()
            return
        self._verification = None
        payload, self._signed, self._raw = self._signed.payload, None, bytearray()
        if not holds:
            self._refuse(0, SIGNATURE, now_ms)
            return
        try:
            manifest = image.decode(payload)
        except WireFault:
            self._refuse(0, MANIFEST, now_ms)
            return
        if manifest.product != self._product:
            self._refuse(manifest.number, PRODUCT, now_ms)
        elif self._is_new(manifest.number):
            self._manifest, self._bytes = manifest, payload
            self._go(_FINDING, (image.READ, image.MANIFEST_NAME, 0))
        else:
            self._give_up(now_ms)

    def _is_new(self, number):
        if number == self._failed:
            return False
        return number >= self._floor if self._is_rescue else number > self._floor

    # --- the folder -----------------------------------------------------------------------------------------

    def _found(self, piece, now_ms):
        """Accepts a piece of the manifest in the other folder."""
        self._raw.extend(piece)
        if len(piece) == image.PIECE_BYTES and len(self._raw) <= image.MANIFEST_BYTES_MAX:
            self._operation = (image.READ, image.MANIFEST_NAME, len(self._raw))
            return
        is_same, self._raw = bytes(self._raw) == self._bytes, bytearray()
        if is_same:
            self._check(0, 0, now_ms)
        else:
            self._go(_CLEARING, (image.CLEAR,))

    def _cleared(self, result, now_ms):
        if self._manifest is None and result is not False:
            self._state = _IDLE
            self._ask_at_ms = now_ms + 4 * limits.UPDATE_CHECK_MS  # space will not come soon: try tomorrow
        elif result is True:
            self._at = 0
            self._go(_STORING, (image.BEGIN, image.MANIFEST_NAME))
        elif result is False:
            self._operation = (image.CLEAR,)
        else:
            self._refuse(self._manifest.number, result, now_ms)

    def _stored(self, fault, now_ms):
        """Accepts the result of a write, and stores the next piece of the manifest in the folder."""
        if fault:
            self._refuse(self._manifest.number, fault, now_ms)
        elif self._is_ending:
            self._check(0, 0, now_ms)
        elif self._at < len(self._bytes):
            piece = self._bytes[self._at : self._at + image.PIECE_BYTES]
            self._at += len(piece)
            self._operation = (image.WRITE, piece)
        else:
            self._is_ending = True
            self._operation = (image.END,)

    def _check(self, index, received, now_ms):
        """Starts to read back the file of this index; after the last file the image is READY."""
        self._index, self._received = index, received
        if index == len(self._manifest.files):
            self._outcomes.append((self._manifest.number, READY))
            self._go(_READY, None)
            return
        self._sha = sha256()
        self._at = 0
        self._go(_CHECKING, (image.READ, self._file().path, 0))

    def _checked(self, piece, now_ms):
        file = self._file()
        self._sha.update(piece)
        self._at += len(piece)
        if len(piece) == image.PIECE_BYTES and self._at <= file.size:
            self._operation = (image.READ, file.path, self._at)
        elif self._at == file.size and self._sha.digest() == file.digest and (file.size or self._received):
            self._check(self._index + 1, 0, now_ms)  # an empty file reads as an absent one: it is written once
        elif self._received == image.RECEIVED_MAX:
            self._refuse(self._manifest.number, DIGEST, now_ms)
        else:
            self._received += 1
            self._at = 0
            segments = (str(self._manifest.number).encode(), str(self._index).encode())
            self._start_download(segments, [], image.FILE_BYTES_MAX)
            self._ask_at_ms = now_ms
            self._go(_RECEIVING, (image.BEGIN, file.path))

    def _written(self, fault, now_ms):
        """Accepts the result of BEGIN, of a WRITE, or of END."""
        if fault:
            self._refuse(self._manifest.number, fault, now_ms)
        elif self._is_ending:
            self._check(self._index, self._received, now_ms)
        elif self._is_last:
            self._is_ending = True
            self._operation = (image.END,)

    def _chosen(self, is_written, now_ms):
        if is_written:
            self.wants_restart = True
        else:
            self._refuse(self._manifest.number, STATE, now_ms)

    def _go(self, state, operation):
        self._is_ending = False
        self._is_last = False
        self._state = state
        self._operation = operation

    def _file(self):
        return self._manifest.files[self._index]

    def _is_busy(self):
        return self._is_doing or self._operation is not None
