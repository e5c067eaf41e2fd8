"""An interrupt that comes while a process is being started is told after it, to whoever was to hear it."""

import signal

import pytest

from simulator.hosts.vm import uninterrupted


@pytest.fixture
def heard():
    told = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, _frame: told.append(number))
    yield told
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_comes_after_the_block(heard, number):
    with uninterrupted():
        signal.raise_signal(number)
        assert heard == []
    assert heard == [number]
    signal.raise_signal(number)
    assert heard == [number, number], "its handler is back"


def test_what_is_started_has_its_name_when_control_c_comes(heard):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        started.append("process")
    assert started == ["process"]


def test_an_error_within_is_told_as_itself(heard):
    with pytest.raises(FileNotFoundError), uninterrupted():
        raise FileNotFoundError
    assert heard == []
