"""Panel, log, trial and update of a node, the same on both interpreters."""

from binascii import hexlify
from hashlib import sha256

from node import limits, panel
from node.log_ring import LogRing, blotted
from node.panel import Panel
from node.trial import Trial
from node.updating import Updating
from wire import block, coap_message, image
from wire import image as words
from wire.block import Body
from wire.coap import Failed, Response
from wire.coap_message import Content

ring = LogRing(b"3 before")
for number in range(45):
    ring.add("line %d of the day" % number, uptime_s=number)
print(ring.before, len(ring.lines()), ring.tail(60), blotted("k 00112233445566778899aabbccddeeff x"))

desk = Panel(is_locked=False, test_ms=60_000, now_ms=0)
now_ms = 0
for pressed, for_ms in ((1, 300), (0, 300), (1, 5300), (0, 300), (1, 5300), (0, 300)):
    for _ in range(for_ms // 20):
        now_ms += 20
        desk.observe(bool(pressed), now_ms=now_ms)
    print(now_ms, desk.local(), desk.is_locked, desk.drain_events(), desk.led(panel.WELL, now_ms=now_ms))

trial = Trial(is_trial=True, now_ms=0)
print(trial.missing(is_sound=False), trial.is_good_start(0), trial.is_good_start(limits.GOOD_START_MS))
trial.applied(True)
trial.sampled({1: 2}, (3,))
print(trial.missing(is_sound=True))
trial.sampled({1: 2}, (1,))
trial.exchanged()
print(trial.may_confirm(is_sound=True, now_ms=limits.GOOD_START_MS), trial.is_over(limits.TRIAL_MAX_MS))

# --- an update, from bytes that somebody signed ---------------------------------------------------------------------

FILES = {"clock.py": b"clock", "main.py": b"main " * 300}
ROWS = [image.File(path, len(FILES[path]), sha256(FILES[path]).digest()) for path in ("clock.py", "main.py")]
MANIFEST = image.encode(image.Manifest("streetlight", 2, "0.2.0", ROWS))
# Signed once by the key whose seed is 32 times 01.
KEY = bytes.fromhex("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")
SIGNED = bytes.fromhex(
    "d2844da20127044834750f98bd59fcfca05870846b7374726565746c696768740265302e322e30828368636c6f636b2e7079"
    "055820d8198efa3604d164853468608c55efa148bc56e3564d5a30232bf98b8ab43aeb83676d61696e2e70791905dc5820a1"
    "3152758186e43c19162f927827940d40e5663d26abc896144ff6f0f63b39865840a5fd6c71a36c66a560fff9a081a848043b"
    "0736b6f25f7b6219eb222e9be395af1db4ce5a9bfa8c1ecedb30670c76a4803e6becd49e7f95faf090e975c13ec101"
)
SERVED = {
    (b"f", b"streetlight"): SIGNED,
    (b"f", b"streetlight", b"2", b"0"): FILES["clock.py"],
    (b"f", b"streetlight", b"2", b"1"): FILES["main.py"],
}


class Link:
    """Answers at once; every fifth question not at all."""

    def __init__(self):
        self.number = 0
        self.events = []

    def request(self, peer, code, path, payload=b"", *, options=(), now_ms):
        self.number += 1
        if self.number % 5 == 0:
            self.events.append(Failed(peer, self.number, "timeout"))
            return self.number
        body = Body(SERVED[coap_message.option_values(options, coap_message.URI_PATH)])
        answer = block.serve(Content(code, options, b""), body, etag=block.digest_etag(body))
        self.events.append(Response(peer, self.number, answer.code, None, answer.payload, answer.options))
        return self.number


def carry_out(folder, operation):
    what = operation[0]
    if what == words.READ:
        return bytes(folder.get(operation[1], b"")[operation[2] : operation[2] + words.PIECE_BYTES])
    if what == words.CLEAR:
        folder.clear()
        return True
    if what == words.BEGIN:
        folder["open"] = operation[1]
        folder[operation[1]] = bytearray()
    elif what == words.WRITE:
        folder[folder["open"]].extend(operation[1])
    elif what == words.CHOOSE:
        return True
    return ""


link = Link()
updating = Updating(
    link, peer="g", product="streetlight", keys=(KEY,), number=1, floor=1, failed=0, is_rescue=False,
    random_below=lambda n: 0, first_ms=0,
)  # fmt: skip
folder = {}
done = {}
for turn in range(4000):
    now_ms = 100 * turn
    for happened in link.events:
        if updating.is_ours(happened):
            updating.handle(happened, now_ms)
    link.events = []
    updating.poll(lambda now_ms: True, now_ms=now_ms)
    operation = updating.next_operation()
    if operation is not None:
        done[operation[0]] = done.get(operation[0], 0) + 1
        updating.on_result(operation, carry_out(folder, operation), now_ms=now_ms)
    if updating.wants_restart:
        break
print(turn, updating.drain_outcomes(), sorted(done.items()))
print(sorted([(name, hexlify(sha256(folder[name]).digest()[:4])) for name in folder if name != "open"]))
