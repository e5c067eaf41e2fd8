"""No call of a node's program blocks: the list of banned calls, checked in every file that runs on the chip."""

import ast

import pytest

from tools import firmware_modules, tidy

# Reads without a time-out wait for the peer; a UART or a socket of ours is opened so that they return at once.
WAITS = {"connect_ex", "makefile", "recv", "readline", "wait_for"}
# Slices of a constant named there: a crash, which has ended everything else; the enable pin, for microseconds.
PAUSES = {"firmware/esp32/crash.py", "firmware/links/rs485.py"}


def complaints(name, text):
    """What would hold the loop in this file."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found += [f"{name}: import of {word}" for word in names if word.split(".")[0] in tidy.BLOCKING_MODULES]
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in WAITS:
                found.append(f"{name}:{node.lineno}: {called}() waits")
            elif ast.unparse(node.func) == "select_module.poll":  # makes one
                continue
            elif tidy.blocks(node) and not (called.startswith("sleep") and name in PAUSES):
                found.append(f"{name}:{node.lineno}: {tidy.blocks(node)}")
            elif called == "UART" and not any(word.arg == "timeout" for word in node.keywords):
                found.append(f"{name}:{node.lineno}: UART() without timeout=0 waits for bytes")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_no_module_of_a_node_blocks(repository, kind):
    found = []
    for path in firmware_modules.of_kind(kind).values():
        found += complaints(path.relative_to(repository).as_posix(), path.read_text(encoding="utf-8"))
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "socket.getaddrinfo('a', 1)",
        "time.sleep(1)",
        "time.sleep_ms(101)",
        "time.sleep_ms(pause)",
        "poller.poll()",
        "import requests",
        "sock.recv(9)",
        "uart.readline()",
        "machine.UART(1, baudrate=9600)",
        "station.scan()",
    ],
)
def test_a_call_that_blocks_is_seen(text):
    assert len(complaints("firmware/node/a.py", text)) == 1
    assert complaints("firmware/node/a.py", "time.sleep_ms(20); poller.poll(5); machine.UART(1, timeout=0)") == []
