"""A program at a terminal, and somebody who reads its questions and types the answers."""

import os
import select
import subprocess
import time

PATIENCE_S = 60


def converse(words, rows, **options):
    """Run `words` with a pseudo-terminal as its own; for each (question, answer) of `rows` wait until the question is
    asked and type the answer. (Exit status, all that the terminal showed)."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, **options)
    os.close(theirs)
    shown = ""
    try:
        at = 0
        for question, answer in rows:
            while question not in shown[at:]:
                more = _read(ours)
                assert more, f"not asked: {question}\n{shown}"
                shown += more
            at = shown.index(question, at) + len(question)
            time.sleep(0.05)  # a password's question is asked before the echo is off
            os.write(ours, f"{answer}\n".encode())
        while more := _read(ours):
            shown += more
        return process.wait(PATIENCE_S), shown.replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(terminal):
    """What came, once something did; nothing when the program has let go of the terminal."""
    ready, _, _ = select.select([terminal], [], [], PATIENCE_S)
    assert ready, "the program neither asks nor ends"
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:
        return ""
