"""Orders for coils."""

from gateway.io.cabinet import limits
from gateway.io.cabinet.modbus import Coils

A, B, OTHER = (1, 0), (1, 1), (2, 0)


def test_an_order_waits_until_it_is_written():
    coils = Coils()
    assert coils.due(now_ms=0) is None
    coils.order(A, True, now_ms=5)
    coil, order = coils.due(now_ms=5)
    assert (coil, order.on) == (A, True) and coils.waits_since_ms(A) == 5
    coils.written(coil, order)
    assert coils.due(now_ms=5) is None and coils.waits_since_ms(A) is None


def test_the_last_order_counts_also_when_it_comes_while_one_is_being_written():
    coils = Coils()
    coils.order(A, True, now_ms=0)
    being_written = coils.due(now_ms=0)
    coils.order(A, False, now_ms=1)
    coils.written(*being_written)
    assert coils.due(now_ms=1)[1].on is False


def test_a_dead_board_does_not_keep_the_line_to_itself():
    coils = Coils()
    for coil in (A, B, OTHER):
        coils.order(coil, True, now_ms=0)
    coils.failed(A, now_ms=500)
    assert coils.due(now_ms=500)[0] == OTHER
    coils.written(*coils.due(now_ms=500))
    assert coils.due(now_ms=501) is None and coils.due(now_ms=500 + limits.COIL_RETRY_MS)[0] == A
    assert coils.waits_since_ms(B) == 0, "and it is known since when"


def test_repeating_an_order_that_waits_does_not_make_it_younger():
    coils = Coils()
    coils.order(A, True, now_ms=0)
    coils.order(A, True, now_ms=4000)
    assert coils.waits_since_ms(A) == 0


def test_a_coil_that_is_found_otherwise_is_put_back():
    coils = Coils()
    coils.found(A, True, now_ms=0)
    assert coils.due(now_ms=0) is None, "nobody has said what it should be"
    coils.order(A, True, now_ms=1)
    coils.found(A, False, now_ms=1)
    assert coils.put_back == 0, "it is not written yet"
    coils.written(*coils.due(now_ms=1))
    coils.found(A, True, now_ms=2)
    assert coils.due(now_ms=2) is None
    coils.found(A, False, now_ms=3)
    assert coils.put_back == 1 and coils.due(now_ms=3)[1].on is True
