"""The concentrator's update, the same on both interpreters: an image by chunks, some lost, into a folder in memory."""

from binascii import hexlify
from hashlib import sha256

from concentrator.update import BEGIN, CHOOSE, CLEAR, END, READ, WRITE, Update
from wire import image
from wire import radio_update as words
from wire.faults import WireFault

CONTENTS = (("clock.py", b"ticks"), ("wire/__init__.py", b""), ("concentrator/main.py", bytes(range(256)) * 5))
rows = [image.File(path, len(data), sha256(data).digest()) for path, data in CONTENTS]
manifest = image.encode(image.Manifest(image.CONCENTRATOR, 9, "0.9.0", rows))
digest = sha256(manifest).digest()
print(hexlify(manifest).decode())
print(image.decode(manifest) == image.Manifest(image.CONCENTRATOR, 9, "0.9.0", rows))

files = {"old.py": b"old"}
opened = [""]


def done(operation):
    what = operation[0]
    if what == READ:
        return files.get(operation[1], b"")[operation[2] : operation[2] + image.PIECE_BYTES]
    if what == CLEAR:
        if not files:
            return True
        files.pop(sorted(files)[0])
        return False
    if what == BEGIN:
        opened[0] = operation[1]
        files[opened[0]] = b""
    elif what == WRITE:
        files[opened[0]] += operation[1]
    elif what == CHOOSE:
        return True
    return ""


update = Update(number=3, floor=3, phase=words.CONFIRMED, failed=0, now_ms=0)
update.on_greeting()
sent = [manifest] + [data for _, data in CONTENTS]
turn = 0
while not update.wants_restart and turn < 400:
    turn += 1
    operation = update.next_operation()
    if operation is not None:
        print(turn, operation[0], operation[1] if operation[0] in (READ, BEGIN, CHOOSE) else "")
        update.on_result(operation, done(operation))
    body = update.next_body()
    if turn % 7 == 1:
        update.on_message(words.decode(words.offer(digest, 9, len(manifest))))
    if not body or turn % 5 == 0:
        continue
    message = words.decode(body)
    print(turn, message[1:] if isinstance(message, words.Want) else tuple(message))
    if isinstance(message, words.Want) and message.answer == words.NEXT:
        piece = sent[message.file][message.offset : message.offset + words.CHUNK_BYTES_MAX]
        update.on_message(words.decode(words.chunk(message.tag, message.file, message.offset, piece)))
    elif isinstance(message, words.Want) and message.answer == words.READY:
        update.on_message(words.decode(words.activate(message.tag)))
print(update.wants_restart, sorted(files), files["concentrator/main.py"] == CONTENTS[2][1], END)

for path in ("a.py", "a/b.mpy", "../a.py", "/a.py", "a//b.py", "A.py", ".py", "a.txt", "a/b/c/d.py", "a-b.py"):
    print(path, image.is_path(path))
state = 7
for _ in range(400):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    broken = bytearray(manifest)
    broken[(state >> 8) % len(broken)] ^= 1 << (state & 7)
    try:
        print(len(image.decode(bytes(broken)).files), end=" ")
    except WireFault as fault:
        print(fault.reason, end=" ")
print()
