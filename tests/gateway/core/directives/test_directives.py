"""Who is told what, until when, and what outlives a restart."""

from contextlib import suppress

import pytest

from gateway.core import limits
from gateway.core.directives.directive import AskingNode, Directive, parse_directive, rank, winners
from gateway.core.directives.directives import CLEARED, EXPIRED, REFUSED, TOLD, Directives
from gateway.core.link.link import NodeRequest
from gateway.core.wallclock import WallClock
from policy import civil
from simulator.world.chance import Prng
from simulator.world.disk import PowerCut, SimDisk
from tests.support.told_world import DROUGHT, EXCEPTION, OCCUPIED, SHED, here
from wire import coap_message as messages
from wire import command, directive

NOW_S = 1_800_000_000
NODE, OTHER = bytes.fromhex("7c1f0a2c01000001"), bytes.fromhex("7c1f0a2c01000002")
DAY_S = 86_400


class Desk:
    """One gateway's directives over its lives, on a disk that tears."""

    def __init__(self, *, clock=True, groups=None, now_s=NOW_S):
        self.now_s = now_s
        self.disk = SimDisk(Prng(1))
        self.groups = {NODE: frozenset(("écoles",))} if groups is None else groups
        self.now_ms = 5_000
        self.happened, self.used = [], []
        self.start(clock=clock)

    def start(self, *, clock=True):
        self.clock = WallClock(started_ms=self.now_ms)
        if clock:
            self.tell_clock()
        self.one = Directives(
            self.disk,
            self.clock,
            groups=self.groups,
            report=lambda happened, now_ms: self.happened.append(happened),
            on_used=lambda ids, now_ms: self.used.append(ids),
        )
        return self.one.start()

    def tell_clock(self, wrong_s=0, doubt_s=1):
        self.clock.observe(1000 * (self.now_s + wrong_s) + self.now_ms, doubt_s, now_ms=self.now_ms)

    @property
    def unix_s(self):
        return self.now_s + self.now_ms // 1000

    def say(self, values, **changes):
        begins_s = self.unix_s + changes.pop("after_s", 0)
        return self.one.accept(here(values, begins_s, **changes), now_ms=self.now_ms)

    def wait(self, seconds):
        self.now_ms += 1000 * seconds
        self.one.poll(now_ms=self.now_ms)

    def sync(self, error=None):
        for pending in list(self.disk.pending):
            found = self.disk.complete(pending.ticket)
            self.one.on_synced(pending.ticket, error or found, now_ms=self.now_ms)

    def cut(self, **options):
        self.disk.power_cut()
        return self.start(**options)

    def ask(self, node=NODE, kind="irrigation", codes=None, query=None):
        """{code: value} as told, or the code of a refusal."""
        query = directive.encode_question(kind, codes or directive.TABLE) if query is None else query
        code, payload = self.one.answer(
            NodeRequest(node, "peer", 1, messages.GET, (b"d",), b"", tuple(query)), now_ms=self.now_ms
        )
        if code != messages.CONTENT:
            return code
        self.held = directive.decode(payload)[0]
        return {code: value for code, (value, _) in self.held.items()}


def told(number, values, scope=None, begins_s=0):
    return Directive(bytes([number]), False, "x", "y", scope, values, begins_s, 100)


# --- aiming -------------------------------------------------------------------------------------------------------


def test_the_narrowest_scope_wins_whatever_came_later_and_of_one_scope_what_began_last():
    asker = AskingNode(NODE, "irrigation", frozenset(("parc",)))
    known = [
        told(1, {7: 4}, NODE.hex(), 1),
        told(2, {7: 3, 8: 3}, "parc", 2),
        told(3, {7: 2, 8: 2, 9: 2}, "irrigation", 3),
        told(4, {7: 1, 8: 1, 9: 1, 1: 1}, None, 9),
        told(5, {1: 0}, None, 8),
        told(6, {7: 0}, "thermostat", 99),
        told(7, {7: 0}, OTHER.hex(), 99),
    ]
    for order in (known, known[::-1]):
        assert {code: one.id[0] for code, one in winners(order, asker).items()} == {7: 1, 8: 2, 9: 3, 1: 4}


def test_a_node_that_does_not_say_its_kind_is_told_by_its_groups_and_its_id_alone():
    asker = AskingNode(NODE, None, frozenset(("parc",)))
    assert [rank(scope, asker) for scope in (None, "irrigation", "parc", NODE.hex())] == [0, None, 2, 3]


# --- telling ------------------------------------------------------------------------------------------------------


def test_a_node_is_told_what_aims_at_it_with_the_seconds_that_are_left_for_sure():
    desk = Desk()
    assert desk.say({DROUGHT: 2}, scope="irrigation", lasts_s=5000) is None
    assert desk.say({EXCEPTION: 1}, number=2, scope="écoles", lasts_s=30 * DAY_S) is None
    assert desk.ask() == {DROUGHT: 2, EXCEPTION: 1}
    assert desk.held == {DROUGHT: (2, 4999), EXCEPTION: (1, directive.FOR_S_MAX)}
    assert desk.ask(OTHER) == {DROUGHT: 2} and desk.ask(OTHER, "thermostat") == {}
    assert desk.ask(codes=(SHED, EXCEPTION)) == {EXCEPTION: 1}
    assert {len(ids) for ids in desk.used} == {2, 1, 0}


ET0, RAIN, DAY = directive.EVAPOTRANSPIRATION, directive.RAIN_DAY, directive.WEATHER_DAY


def midnight_desk():
    """A gateway at local 01:00, and yesterday's civil day."""
    desk = Desk()
    today = civil.local_from_unix(civil.PARIS, desk.unix_s).civil_day + 1
    desk.wait(civil.unix_from_local(civil.PARIS, today, 3600) - desk.unix_s)
    return desk, today - 1


def test_the_weather_of_yesterday_is_told_with_its_date_and_ends_at_midnight_whatever_was_said():
    desk, yesterday = midnight_desk()
    desk.say({ET0: 480, RAIN: 12, DROUGHT: 1}, lasts_s=2 * DAY_S)
    assert desk.ask() == {ET0: 480, RAIN: 12, DAY: yesterday, DROUGHT: 1}
    assert 23 * 3600 - 60 < desk.held[ET0][1] == desk.held[DAY][1] < 23 * 3600 < desk.held[DROUGHT][1]
    assert desk.ask(codes=(ET0, DROUGHT)) == {ET0: 480, DROUGHT: 1}, "an older node, which knows no dates"
    desk.wait(23 * 3600)
    assert desk.ask() == {DROUGHT: 1}


def test_a_date_that_is_said_is_the_date_that_is_told_and_of_two_days_only_the_later_is():
    desk, yesterday = midnight_desk()
    desk.say({ET0: 480, DAY: yesterday - 1}, number=1, scope="irrigation", lasts_s=2 * DAY_S)
    assert desk.ask() == {}, "it is of the day before yesterday"
    desk.say({ET0: 300, DAY: yesterday + 1}, number=2, lasts_s=2 * DAY_S)
    desk.say({RAIN: 7}, number=3, scope="irrigation", lasts_s=2 * DAY_S)
    assert desk.ask() == {ET0: 300, DAY: yesterday + 1}
    desk.wait(DAY_S)
    desk.say({RAIN: 9}, number=4, lasts_s=2 * DAY_S)
    assert desk.ask() == {ET0: 300, RAIN: 9, DAY: yesterday + 1}


def test_hours_are_told_before_they_begin_beside_a_closure_and_the_first_before_the_next():
    desk = Desk()
    begins_s = desk.unix_s + DAY_S
    desk.say({EXCEPTION: 1}, number=1, lasts_s=30 * DAY_S)
    desk.say({OCCUPIED: 1}, number=2, lasts_s=3600, after_s=2 * DAY_S)
    desk.say({OCCUPIED: 1}, number=3, lasts_s=3600, after_s=DAY_S)
    assert desk.ask() == {EXCEPTION: 1, OCCUPIED: begins_s // 60}
    assert desk.held[OCCUPIED][1] in (DAY_S + 3600, DAY_S + 3599)
    desk.wait(DAY_S + 1800)
    assert desk.ask() == {EXCEPTION: 1, OCCUPIED: begins_s // 60}
    desk.wait(1800)
    assert desk.ask() == {EXCEPTION: 1, OCCUPIED: (begins_s + DAY_S) // 60}
    desk.wait(DAY_S)
    assert desk.ask() == {EXCEPTION: 1}
    assert [one.what for one in desk.happened] == [TOLD, TOLD, TOLD, EXPIRED, EXPIRED]


def test_it_ends_at_its_expiry_by_utc_and_by_the_monotonic_clock_if_utc_is_put_back():
    desk = Desk()
    desk.say({SHED: 100}, lasts_s=600)
    desk.one.poll(now_ms=desk.now_ms)
    assert desk.one.deadline_ms(now_ms=desk.now_ms) == desk.now_ms + 600_000
    desk.tell_clock(wrong_s=-5_000)
    desk.wait(599)
    assert desk.ask() == {} or desk.held[SHED][1] <= 1
    desk.wait(1)
    assert desk.ask() == {} and desk.happened[-1].what == EXPIRED and desk.one.deadline_ms(now_ms=desk.now_ms) is None
    desk = Desk()
    desk.say({SHED: 100}, lasts_s=600)
    desk.tell_clock(wrong_s=300)
    assert desk.one.deadline_ms(now_ms=desk.now_ms) == desk.now_ms + 300_000
    desk.tell_clock(wrong_s=601)
    desk.one.poll(now_ms=desk.now_ms)
    assert desk.ask() == {}


def test_doubt_about_the_clock_shortens_what_is_left_and_too_much_of_it_says_nothing():
    desk = Desk()
    desk.say({SHED: 100}, lasts_s=600)
    desk.tell_clock(doubt_s=limits.DIRECTIVES_DOUBT_S_MAX)
    assert desk.ask() == {SHED: 100} and desk.held[SHED] == (100, 600 - limits.DIRECTIVES_DOUBT_S_MAX)
    desk.tell_clock(doubt_s=limits.DIRECTIVES_DOUBT_S_MAX + 1)
    assert desk.ask() == messages.UNAVAILABLE
    assert desk.ask(kind="irrigation", node=OTHER) == messages.UNAVAILABLE


def test_without_a_clock_only_those_whom_something_aims_at_are_put_off():
    desk = Desk(clock=False)
    assert desk.ask() == {}
    assert desk.say({SHED: 100}, scope="thermostat") is None
    assert desk.ask() == {} and desk.ask(kind="thermostat") == messages.UNAVAILABLE
    desk.tell_clock()
    assert desk.ask(kind="thermostat") == {SHED: 100}


@pytest.mark.parametrize("query", [(b"k=UPPER",), (b"c=zz",), (b"k=",)])
def test_a_question_that_makes_no_sense_is_refused_and_counted(query):
    desk = Desk()
    assert desk.ask(query=query) == messages.BAD_REQUEST and desk.one.counters["malformed"] == 1


def test_a_question_without_a_query_is_told_all_that_is_for_everybody():
    desk = Desk()
    desk.say({DROUGHT: 1})
    desk.say({DROUGHT: 3}, number=2, scope="irrigation")
    assert desk.ask(query=()) == {DROUGHT: 1}


def test_what_is_refused_is_told_with_its_reason():
    desk = Desk()
    desk.now_ms += 10_000_000
    late = here({DROUGHT: 2}, NOW_S, lasts_s=60)
    assert desk.one.accept(late, now_ms=desk.now_ms) == "expired"
    assert desk.say({DROUGHT: 2}, after_s=command.WINDOW_S_MAX + 1) == "too-early"
    for number in range(limits.DIRECTIVES_LOCAL_MAX):
        assert desk.say({DROUGHT: 1}, number=1000 + number) is None
    assert desk.say({DROUGHT: 2}, number=7) == "full"
    assert desk.say({DROUGHT: 2}, number=1000) == "id-taken"
    assert [one.why for one in desk.happened if one.what == REFUSED] == ["expired", "too-early", "full", "id-taken"]
    assert desk.one.clear(b"nobodys!", "Jeanne", now_ms=desk.now_ms) == "unknown"


def test_saying_it_twice_changes_nothing_and_taking_it_back_ends_it():
    desk = Desk()
    one = here({DROUGHT: 2}, desk.unix_s)
    assert desk.one.accept(one, now_ms=desk.now_ms) is None
    desk.wait(1)
    assert desk.one.accept(one, now_ms=desk.now_ms) is None
    assert desk.one.clear(one.id, "Jeanne", now_ms=desk.now_ms) is None
    assert desk.ask() == {}
    assert [(one.what, one.by) for one in desk.happened] == [(TOLD, "le technicien"), (CLEARED, "Jeanne")]


def test_the_status_lists_what_is_told_and_how_many_of_those_who_asked_it_aims_at():
    desk = Desk()
    desk.say({DROUGHT: 2}, scope="irrigation")
    desk.say({EXCEPTION: 1}, number=2, after_s=60)
    desk.ask()
    desk.ask(OTHER, "thermostat")
    first, second = desk.one.status(now_ms=desk.now_ms)
    assert (first.source, first.scope, first.values, first.state, first.nodes) == (
        "here", "irrigation", {"7": 2}, "active", 1,
    )  # fmt: skip
    assert (second.state, second.nodes) == ("waiting", 2)
    desk.one.keep_only([OTHER])
    assert [one.nodes for one in desk.one.status(now_ms=desk.now_ms)] == [0, 1]


# --- the card -----------------------------------------------------------------------------------------------------


def test_what_was_said_outlives_a_power_cut_once_it_is_safe():
    desk = Desk()
    desk.say({DROUGHT: 2}, lasts_s=DAY_S)
    assert not desk.one.is_safe
    desk.sync()
    assert desk.one.is_safe
    desk.cut()
    assert desk.ask() == {DROUGHT: 2}
    desk.now_ms += 1000 * DAY_S
    desk.cut(clock=False)
    assert desk.ask() == messages.UNAVAILABLE
    desk.tell_clock()
    desk.wait(0)
    assert desk.ask() == {} and desk.happened[-1].what == EXPIRED


def test_a_cut_at_any_write_leaves_what_was_safe_or_what_was_being_written():
    for operations in range(1, 16):
        desk = Desk()
        for number in (1, 2):
            desk.say({DROUGHT: number}, number=number)
            desk.sync()
        desk.disk.stop_after(operations)
        safe = 2
        with suppress(PowerCut):
            for number in (3, 4, 5):
                desk.say({DROUGHT: 4}, number=number)
                desk.sync()
                safe = number
                assert desk.one.is_safe
        desk.cut()
        kept = {int(one.id, 16) for one in desk.one.status(now_ms=desk.now_ms)}
        assert kept in (set(range(1, safe + 1)), set(range(1, safe + 2))), operations


def test_damaged_files_are_counted_and_the_newest_good_one_counts():
    desk = Desk()
    desk.say({DROUGHT: 2})
    desk.sync()
    last = max(name for name in desk.disk.list() if name.startswith("directives-"))
    desk.disk.put("directives-00000090", b'{"local": [{"id": "00"}], "signed": []}\n')
    desk.disk.put("directives-00000091", b'{"local"')
    desk.disk.put("directives-00000092", b"[]")
    desk.cut()
    assert desk.ask() == {DROUGHT: 2} and desk.one.health()["damaged-files"] == 3
    assert last in desk.disk.list()
    desk.say({DROUGHT: 3}, number=9)
    desk.sync()
    assert "directives-00000093" in desk.disk.list()


def test_a_card_that_refuses_is_tried_again_and_nobody_is_told_that_it_is_safe():
    desk = Desk()
    desk.say({DROUGHT: 2})
    desk.sync(error="input/output error")
    assert not desk.one.is_safe and desk.one.deadline_ms(now_ms=desk.now_ms) <= desk.now_ms + limits.DIRECTIVES_RETRY_MS
    desk.wait(limits.DIRECTIVES_RETRY_MS // 1000)
    desk.sync()
    assert desk.one.is_safe and desk.one.health()["disk-errors"] == 1


def test_files_do_not_pile_up_and_polling_writes_none():
    desk = Desk()
    for number in range(1, 30):
        desk.say({DROUGHT: number % 5}, number=number)
        desk.sync()
        desk.wait(1)
    assert len(desk.disk.list()) <= 2
    before = desk.disk.list()
    for _ in range(50):
        desk.wait(1)
    assert desk.disk.list() == before


GOOD = {
    "id": "0011223344556677", "author": "Jeanne", "reason": "sécheresse", "scope": None, "values": {"7": 2},
    "begins_s": 5, "expires_s": 65,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"id": "00"}, {"id": "zz"}, {"id": 7}, {"author": ""}, {"author": None}, {"reason": "x" * 61}, {"scope": ""},
        {"scope": 7}, {"values": {}}, {"values": {"7": 5}}, {"values": {"7": True}}, {"values": {"x": 1}},
        {"values": None}, {"values": {"99": 0}}, {"begins_s": "5"}, {"begins_s": True}, {"expires_s": 5},
        {"expires_s": 2.5}, {"values": {"8": 100}, "expires_s": 5 + DAY_S + 1},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_none_of_ours(change):
    assert parse_directive(GOOD).values == {7: 2}
    with pytest.raises((ValueError, KeyError, TypeError)):
        parse_directive({**GOOD, **change})
