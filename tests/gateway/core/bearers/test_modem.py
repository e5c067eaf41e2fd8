"""The dialogue with a modem, in virtual time against its simulated twin, and against what no twin would do."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers.modem import CutPower, Modem, ModemState, Write
from tests.support.modem_bench import SimModem

MINUTE_MS = 60_000


class Bench:
    """A gateway's `Modem` and a twin, joined by bytes that come in random pieces."""

    def __init__(self, state="registered", *, seed=1, has_power=True, **options):
        self.rng = Random(seed)
        self.now_ms = 0
        self.twin = SimModem(state, **options)
        self.core = Modem("mobile", has_power=has_power, now_ms=0)
        self.cuts = []
        self.on_cut = lambda: None
        self.written = []

    def plug(self):
        self.core.opened(now_ms=self.now_ms)

    def run(self, ms):
        end_ms = self.now_ms + ms
        while True:
            self._turn()
            deadline_ms = self.core.deadline_ms()
            if deadline_ms is None or deadline_ms >= end_ms:
                self.now_ms = end_ms
                return
            assert deadline_ms > self.now_ms, "a deadline in the past"
            self.now_ms = deadline_ms

    def _turn(self):
        while effects := self.core.poll(now_ms=self.now_ms):
            for effect in effects:
                if isinstance(effect, CutPower):
                    self.cuts.append(self.now_ms)
                    self.on_cut()
                else:
                    self.written.append(effect.data)
                    self.hear(self.twin.receive(effect.data))

    def hear(self, data):
        while data:
            size = 1 + self.rng.randrange(9)
            self.core.received(data[:size], now_ms=self.now_ms)
            data = data[size:]


KNOWN = ModemState("answers", "ready", "home", "Orange F", "4G", True, -77)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("state", "options", "expected"),
    [
        ("registered", {}, KNOWN),
        ("registered", {"echo": False}, KNOWN),
        ("roaming", {}, KNOWN._replace(registration="roaming")),
        ("searching", {}, ModemState("answers", "ready", "searching", None, None, False, None)),
        ("denied", {}, ModemState("answers", "ready", "denied", None, None, False, None)),
        ("no-sim", {}, ModemState("answers", "absent", "idle", None, None, False, None)),
        ("pin", {}, ModemState("answers", "pin", "idle", None, None, False, None)),
        ("puk", {}, ModemState("answers", "puk", "idle", None, None, False, None)),
        ("hung", {}, ModemState("silent")),
    ],
)
def test_what_it_knows_after_a_minute_of_each_state(state, options, expected, seed):
    bench = Bench(state, seed=seed, **options)
    bench.plug()
    bench.run(MINUTE_MS)
    assert bench.core.state == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_modem_that_talks_in_between_is_understood(seed):
    bench = Bench(chatty=True, seed=seed)
    bench.plug()
    bench.run(3 * MINUTE_MS)
    assert bench.core.state == KNOWN
    health = bench.core.health()
    assert health["unsolicited"] > 5 and health["garbage"] > 2 and health["echoes"] == 2


def test_without_a_port_nothing_is_asked():
    bench = Bench()
    bench.run(60 * MINUTE_MS)
    assert bench.core.state == ModemState("absent") and bench.written == []
    assert bench.core.deadline_ms() is None


def test_a_change_is_told_once_and_signal_is_none():
    bench = Bench("searching")
    bench.plug()
    bench.run(MINUTE_MS)
    bench.core.drain_changes()
    bench.twin.state = "registered"
    bench.run(2 * MINUTE_MS)
    told = {(change.what, change.before, change.now) for change in bench.core.drain_changes()}
    assert told == {
        ("registration", "searching", "home"),
        ("attached", False, True),
        ("operator", None, "Orange F"),
        ("technology", None, "4G"),
    }
    assert bench.core.drain_changes() == []
    for _ in range(200):
        bench.hear(b"\r\n+CREG: 2\r\n\r\n+CEREG: 2\r\n\r\n+CEREG: 1\r\n")
    assert len(bench.core.drain_changes()) <= limits.MODEM_CHANGES_MAX


def test_news_that_comes_by_itself_counts_at_once():
    bench = Bench()
    bench.plug()
    bench.run(MINUTE_MS)
    bench.hear(b"\r\n+CREG: 2\r\n\r\n+CEREG: 2\r\n\r\n^RSSI: 3\r\n")
    assert (bench.core.state.registration, bench.core.state.signal_dbm) == ("searching", -107)


def test_either_kind_of_registration_is_enough():
    bench = Bench()
    bench.plug()
    bench.run(MINUTE_MS)
    bench.hear(b"\r\n+CREG: 3\r\n")  # no voice with this SIM
    assert bench.core.state.registration == "home"
    bench.hear(b"\r\n+CREG: 5\r\n\r\n+CEREG: 3\r\n")
    assert bench.core.state.registration == "roaming"


def test_a_hung_modem_is_seen_and_forgotten_and_found_again():
    bench = Bench()
    bench.plug()
    bench.run(MINUTE_MS)
    bench.twin.state = "hung"
    bench.run(3 * MINUTE_MS)
    assert bench.core.state == ModemState("silent")
    assert len(bench.written) < 30
    bench.twin.state = "registered"
    bench.twin.echo = True
    bench.run(MINUTE_MS)
    assert bench.core.state == KNOWN and not bench.twin.echo


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one():
    bench = Bench()
    bench.plug()
    bench.run(MINUTE_MS)
    answers = bench.twin.receive
    bench.twin.receive = lambda data: b"" if data == b"AT+CSQ\r" else answers(data)
    bench.run(MINUTE_MS)
    assert bench.core.counters["timeouts"] >= 1
    written = len(bench.written)
    bench.hear(b"\r\n+CSQ: 10,99\r\n\r\nERROR\r\n")
    assert len(bench.written) == written
    assert bench.core.state.signal_dbm == -93
    assert bench.core.state.registration == "home" and bench.core.state.link == "answers"


def test_a_port_that_goes_takes_what_is_known_with_it_and_half_a_line_too():
    bench = Bench()
    bench.plug()
    bench.run(MINUTE_MS)
    bench.hear(b"\r\n+CSQ: 3")
    bench.core.closed("unplugged", now_ms=bench.now_ms)
    assert bench.core.state == ModemState("absent")
    bench.run(10 * MINUTE_MS)
    bench.plug()
    bench.hear(b"1,99\r\n")
    assert bench.core.state.signal_dbm is None
    bench.hear(b"+CREG: 2\r\n")
    assert bench.core.state.registration == "searching"  # what +CEREG said was another time's
    bench.run(MINUTE_MS)
    assert bench.core.state == KNOWN and bench.core.counters["ports-lost"] == 1


def test_commands_that_the_modem_does_not_know_leave_the_rest_known():
    bench = Bench()
    answers = bench.twin._answer
    bench.twin._answer = lambda c: ("", "ERROR") if c in ("AT+CEREG?", "AT+CMEE=1", "AT+CGATT?") else answers(c)
    bench.plug()
    bench.run(MINUTE_MS)
    assert bench.core.state == KNOWN._replace(attached=None)


@pytest.mark.parametrize("seed", range(20))
def test_rubbish_never_raises_nor_stops_the_questions(seed):
    bench = Bench(seed=seed)
    bench.plug()
    rng = Random(seed)
    words = [b"OK", b"+CREG: ", b"+COPS: 0,0,\"", b"\r\n", b"\xff", b"+CME ERROR: ", b"1", b",", b"AT", b"x" * 300]
    for _ in range(300):
        bench.hear(b"".join(rng.choice(words) for _ in range(rng.randrange(12))))
        bench.run(rng.randrange(5000))
    bench.hear(b"\r\n")
    bench.run(3 * MINUTE_MS)
    assert bench.core.state == KNOWN


# --- resets -------------------------------------------------------------------------------------------------------


def test_a_bearer_that_stays_down_has_its_modem_reset_ever_harder():
    bench = Bench()
    bench.plug()
    bench.run(MINUTE_MS)
    bench.core.bearer_is_down(True, now_ms=bench.now_ms)
    bench.run(9 * MINUTE_MS)
    assert "AT+COPS=0" not in bench.twin.asked
    bench.run(2 * MINUTE_MS)
    assert bench.twin.asked.count("AT+COPS=0") == 1 and bench.twin.restarts == 0
    bench.run(21 * MINUTE_MS)
    assert bench.twin.restarts == 1 and bench.cuts == []
    assert not bench.twin.echo  # it was set up anew
    bench.run(60 * MINUTE_MS)
    assert len(bench.cuts) == 1
    bench.core.bearer_is_down(False, now_ms=bench.now_ms)
    bench.run(24 * 60 * MINUTE_MS)
    assert len(bench.cuts) == 1 and bench.twin.restarts == 1
    health = bench.core.health()
    assert (health["resets-reselect"], health["resets-restart"], health["resets-power"]) == (1, 1, 1)


def test_a_modem_that_needs_50_minutes_to_return_is_given_them():
    bench = Bench("hung")
    bench.plug()
    bench.core.bearer_is_down(True, now_ms=0)

    def cut():
        bench.back_ms = bench.now_ms + 50 * MINUTE_MS

    bench.on_cut = cut
    bench.run(61 * MINUTE_MS)
    assert len(bench.cuts) == 1
    bench.run(bench.back_ms - bench.now_ms)
    bench.twin.state = "registered"
    bench.core.bearer_is_down(False, now_ms=bench.now_ms)
    bench.run(24 * 60 * MINUTE_MS)
    assert len(bench.cuts) == 1 and bench.core.state == KNOWN


def test_a_hung_modem_gets_no_commands_but_its_power_cut():
    bench = Bench()
    bench.plug()
    bench.run(MINUTE_MS)
    bench.twin.state = "hung"
    bench.run(2 * MINUTE_MS)
    bench.core.bearer_is_down(True, now_ms=bench.now_ms)
    bench.on_cut = bench.twin.restart
    bench.run(62 * MINUTE_MS)
    assert len(bench.cuts) == 1 and "AT+COPS=0" not in bench.twin.asked
    assert bench.core.state.registration == "searching"


@pytest.mark.slow
@pytest.mark.parametrize("state", ["pin", "puk"])
def test_a_sim_that_asks_for_its_code_is_never_reset_and_never_answered(state):
    bench = Bench(state)
    bench.plug()
    bench.run(MINUTE_MS)
    bench.core.bearer_is_down(True, now_ms=bench.now_ms)
    bench.run(3 * 24 * 60 * MINUTE_MS)
    assert bench.cuts == [] and bench.twin.restarts == 0 and "AT+COPS=0" not in bench.twin.asked
    bench.core.closed("unplugged", now_ms=bench.now_ms)
    bench.run(24 * 60 * MINUTE_MS)
    assert bench.cuts == []
    assert not any(b"CPIN" in data and data != b"AT+CPIN?\r" for data in bench.written)
    bench.twin.state = "searching"  # the code was entered
    bench.plug()
    opened_ms = bench.now_ms
    bench.run(9 * MINUTE_MS)
    assert "AT+COPS=0" not in bench.twin.asked
    bench.run(3 * MINUTE_MS)
    assert "AT+COPS=0" in bench.twin.asked and bench.now_ms > opened_ms


def test_a_modem_that_is_gone_has_its_power_cut_after_an_hour_and_a_few_times_a_day():
    bench = Bench()
    bench.core.bearer_is_down(True, now_ms=0)
    bench.run(59 * MINUTE_MS)
    assert bench.cuts == []
    bench.run(23 * 60 * MINUTE_MS)
    assert 2 <= len(bench.cuts) <= limits.MODEM_RESETS_PER_DAY_MAX


def test_questions_are_one_at_a_time():
    core = Modem("mobile", now_ms=0)
    core.opened(now_ms=0)
    assert core.poll(now_ms=0) == [Write("mobile", b"AT\r")]
    assert core.poll(now_ms=1) == []
    core.received(b"\r\nO", now_ms=2)
    assert core.poll(now_ms=2) == []
    core.received(b"K\r\n", now_ms=3)
    assert core.poll(now_ms=3) == [Write("mobile", b"ATE0\r")]


def test_a_reset_that_still_waits_is_not_done_once_the_bearer_is_up():
    core, written = Modem("mobile", now_ms=0), []

    def turn(now_ms, *, answer):
        for effect in core.poll(now_ms=now_ms):
            written.append(effect.data)
            if answer:
                core.received(b"OK\r\n", now_ms=now_ms)

    core.opened(now_ms=0)
    core.bearer_is_down(True, now_ms=0)
    for _ in range(12):
        turn(0, answer=True)
    due_ms = limits.MODEM_RESELECT_WAIT_MS
    turn(due_ms - 1, answer=False)  # a question is open when the reset is due
    turn(due_ms, answer=False)
    assert core.health()["resets-reselect"] == 1 and b"AT+COPS=0\r" not in written
    core.bearer_is_down(False, now_ms=due_ms + 1)
    for now_ms in range(due_ms + 1, due_ms + 12):
        core.received(b"OK\r\n", now_ms=now_ms)
        turn(now_ms, answer=False)
    assert b"AT+COPS?\r" in written[-3:] and b"AT+COPS=0\r" not in written
