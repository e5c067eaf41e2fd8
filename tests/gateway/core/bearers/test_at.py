"""What a modem says, in lines and in meaning: real answers, odd ones, and rubbish."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers import at


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_come_whole_out_of_any_pieces(size):
    data = b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n\r\nRING\r\r\n  +CREG: 1 \n"
    lines = at.Lines()
    found = [line for start in range(0, len(data), size) for line in lines.feed(data[start : start + size])]
    assert found == ["+CSQ: 18,99", "OK", "RING", "+CREG: 1"]
    assert lines.garbage == 0


def test_half_a_line_waits():
    lines = at.Lines()
    assert lines.feed(b"\r\n+CSQ: 1") == []
    assert lines.feed(b"8,99\r") == ["+CSQ: 18,99"]


@pytest.mark.parametrize("size", [1, 100, 5000])
def test_a_line_without_end_is_one_piece_of_rubbish_and_takes_no_memory(size):
    data = b"x" * 5000 + b"\r\nOK\r\n"
    lines = at.Lines()
    found = []
    for start in range(0, len(data), size):
        found += lines.feed(data[start : start + size])
        assert len(lines._rest) <= limits.MODEM_LINE_BYTES_MAX
    assert found == ["OK"] and lines.garbage == 1


def test_bytes_that_are_no_text_spoil_their_line_only():
    lines = at.Lines()
    assert lines.feed(b"+CSQ\xff: 18\r\nOK\r\n\x00\r\n") == ["OK"]
    assert lines.garbage == 2


@pytest.mark.parametrize("seed", range(30))
def test_rubbish_never_raises(seed):
    rng = Random(seed)
    lines = at.Lines()
    for _ in range(200):
        data = bytes(rng.choice(b'+CREGCOPSQ:0123456789,"\r\n \x80') for _ in range(rng.randrange(30)))
        for line in lines.feed(data):
            at.is_final(line)
            at.sim_error(line)
            for meaning in (at.registration, at.operator, at.sim, at.first_number):
                meaning(line.partition(":")[2])


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ("OK", True),
        ("ERROR", True),
        ("+CME ERROR: 10", True),
        ("+CMS ERROR: 310", True),
        ("NO CARRIER", True),
        ("OKAY", False),
        ("+CREG: 1", False),
        ("RING", False),
    ],
)
def test_which_line_ends_an_answer(line, final):
    assert at.is_final(line) is final


@pytest.mark.parametrize(
    ("rssi", "dbm"), [(0, -113), (1, -111), (18, -77), (31, -51), (32, None), (99, None), (-1, None), (100, -116),
                      (191, -25), (192, None), (255, None)]
)  # fmt: skip
def test_signal(rssi, dbm):
    assert at.signal_dbm(rssi) == dbm


@pytest.mark.parametrize(
    ("values", "registration"),
    [
        (" 0,1", "home"),
        ("0,5", "roaming"),
        (" 2,2", "searching"),
        ("0,3", "denied"),
        ("0,0", "idle"),
        ("0,4", "unknown"),
        ("0,6", "limited"),
        ("0,8", "limited"),
        ('2,1,"1A2B","01C3D4E5",7', "home"),
        ("0,10", "roaming"),
        (" 1", "home"),  # by itself
        ('5,"1A2B","01C3D4E5",7', "roaming"),  # by itself, with cells
        ("1,1A2B,01C3D4E5", "home"),  # by itself, of a modem without quotes
        ("0,77", None),
        ("", None),
        ("x,y", None),
        (",", None),
        ("999999999999999999", None),
    ],
)
def test_registration_as_an_answer_and_by_itself(values, registration):
    assert at.registration(values) == registration


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (' 0,0,"Orange F",7', at.Operator("Orange F", "4G")),
        ('0,2,"20801",2', at.Operator("20801", "3G")),
        ('1,0,"F SFR"', at.Operator("F SFR", None)),
        (' 0,0,"Bouygues",13', at.Operator("Bouygues", "5G")),
        ('0,0,"x",0', at.Operator("x", "2G")),
        ("0", at.Operator(None, None)),
        ('0,0,""', at.Operator(None, None)),
        (f'0,0,"{"x" * 200}",7', at.Operator("x" * limits.MODEM_TEXT_MAX, "4G")),
        ("", None),
        ('0,0,"half', None),
        ("(1,2,3)", None),
    ],
)
def test_operator(values, told):
    assert at.operator(values) == told


@pytest.mark.parametrize(
    ("values", "sim"),
    [
        (" READY", "ready"),
        ("SIM PIN", "pin"),
        ("SIM PUK", "puk"),
        ("SIM PIN2", "ready"),
        ("PH-NET PIN", "locked"),
        ("NOT INSERTED", "absent"),
        ("NOT READY", "busy"),
        ("WHAT", "unknown"),
    ],
)
def test_sim(values, sim):
    assert at.sim(values) == sim


@pytest.mark.parametrize(
    ("final", "sim"),
    [
        ("+CME ERROR: 10", "absent"),
        ("+CME ERROR: SIM not inserted", "absent"),
        ("+CME ERROR: 11", "pin"),
        ("+CME ERROR: SIM PUK required", "puk"),
        ("+CME ERROR: 13", "failed"),
        ("+CME ERROR: 14", "busy"),
        ("+CME ERROR: 100", "unknown"),
        ("ERROR", "unknown"),
    ],
)
def test_sim_by_its_error(final, sim):
    assert at.sim_error(final) == sim
