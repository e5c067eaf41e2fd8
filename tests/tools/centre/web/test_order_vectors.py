"""The bytes that the browser's script must make are those that firmware/wire makes."""

from tests.support import order_vectors


def test_the_vectors_are_what_the_wire_writes_today():
    assert order_vectors.PATH.read_text(encoding="utf-8") == order_vectors.text()
