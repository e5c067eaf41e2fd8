"""A process that dies by SIGKILL right after it has answered: what it said must stand on the disk."""

import signal
import subprocess
import sys


def answers_and_is_killed(text):
    """Runs a program that is killed at once after its last line."""
    text = f"{text}print('answered', flush=True)\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "answered\n"), done.stderr
