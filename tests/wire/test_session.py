"""The session in the clear: only when asked for, and one form of id."""

import pytest

from wire.session import ClearSession

NODE = bytes.fromhex("7c1f0a2c01000001")


@pytest.mark.parametrize("insecure", [False, None, 1, "true"])
def test_nobody_gets_the_clear_session_by_a_default(insecure):
    with pytest.raises(ValueError, match="insecure"):
        ClearSession(insecure=insecure)


def test_the_gateway_reads_the_id_that_the_node_wrote():
    session = ClearSession(insecure=True)
    assert session.node_of(session.query(NODE)) == NODE


def test_the_id_is_found_among_other_segments():
    session = ClearSession(insecure=True)
    assert session.node_of((b"x=1", *session.query(NODE), b"y")) == NODE


@pytest.mark.parametrize(
    "query",
    [
        (),
        (b"n=",),
        (b"n=7c1f0a2c0100000",),
        (b"n=7c1f0a2c010000011",),
        (b"n=7c1f0a2c0100000g",),
        (b"m=7c1f0a2c01000001",),
    ],
)
def test_what_names_no_node_is_nobody(query):
    assert ClearSession(insecure=True).node_of(query) is None
