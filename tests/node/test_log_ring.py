"""The log keeps the last lines, whole, within its bounds, and never a key."""

from node.log_ring import CHARS_MAX, LINE_CHARS_MAX, LINES_MAX, LogRing, blotted


def test_the_last_lines_stay_in_order():
    ring = LogRing()
    for number in range(100):
        ring.add(f"line {number}", uptime_s=number)
    assert ring.lines() == [f"{number} line {number}" for number in range(100 - LINES_MAX, 100)]


def test_long_lines_are_fewer():
    ring = LogRing()
    for number in range(100):
        ring.add("x" * 200, uptime_s=number)
        assert sum(len(line) for line in ring.lines()) <= CHARS_MAX
    assert len(ring.lines()) == CHARS_MAX // LINE_CHARS_MAX and ring.lines()[-1].startswith("99 ")


def test_a_tail_holds_whole_lines_oldest_first_within_its_bytes():
    ring = LogRing()
    for number in range(10):
        ring.add("é" * number, uptime_s=number)
    for room in range(1, 200):
        tail = ring.tail(room)
        assert len(tail) <= room
        if room >= 22:
            assert tail.decode().split("\n")[-1] == "9 " + "é" * 9
    assert ring.tail(10_000).decode().split("\n") == ring.lines()


def test_a_long_line_is_cut_and_a_traceback_is_one_line():
    ring = LogRing()
    ring.add("a\nb" + "x" * 500, uptime_s=1)
    assert ring.lines()[0].startswith("1 a | bxx") and len(ring.lines()[0]) == LINE_CHARS_MAX


def test_what_may_be_a_key_is_blotted_out_and_a_node_id_is_not():
    assert blotted("key 00112233445566778899aabbccddeeff!") == "key ...!"
    assert blotted("node 7c1f0a2c01000001 boot 3") == "node 7c1f0a2c01000001 boot 3"
    assert blotted("0123456789ABCDEF" * 4) == "..." and blotted("") == ""


def test_the_end_of_the_life_before_is_kept_apart_and_rubbish_is_nothing():
    assert LogRing(b"7 watchdog").before == "7 watchdog"
    assert LogRing(b"\xff\xfe").before == "" and LogRing(None).before == ""
