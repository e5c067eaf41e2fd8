"""Orders that people signed in a browser: durable before the answer, believed by nobody, obeyed by the cabinet once."""

import os
from contextlib import closing

import pytest

from policy import document, limits
from tests.support.control_world import (
    INSEE,
    MAYOR,
    NOW_S,
    STRANGER,
    new_file,
    order,
    person,
    policy,
    put,
    signed_order,
)
from tests.support.killed_process import answers_and_is_killed
from tools.centre.control import drafts, orders, outbox
from tools.centre.limits import COMMANDS_OF_ONE_MAX, COMMANDS_OPEN_MAX, OUTBOX_KEPT_S, OUTBOX_TRY_S
from tools.centre.store import sqlite_file, web_outbox
from wire import command

PHONE = person("Téléphone")


class Web:
    """The web's outbox, and the daemon's side of it over a control file."""

    def __init__(self, folder):
        self.folder = folder
        self.path = outbox.path_of(str(folder / "web.sqlite3"))
        self.control = str(folder / "control.db")
        self.connection = new_file(self.control, policies=(policy(operators=OPERATORS),))
        self.logged = []
        self.daemon = None
        self.start()

    def close(self):
        self.daemon.close()
        self.connection.close()

    def start(self):
        if self.daemon is not None:
            self.daemon.close()
        self.daemon = outbox.Outbox(self.path, self.control, lambda what, **more: self.logged.append((what, more)))

    def put(self, one, key=PHONE, *, now_s=NOW_S):
        outbox.put(self.path, orders.opened(signed(one, key), now_s), "A. Martin", now_s=now_s)

    def fetch(self, now_s=NOW_S):
        """The ids that the daemon then has."""
        self.daemon.fetch(now_s=now_s)
        return [one.command.id for one in orders.latest(self.connection, 99)]

    def refused(self, data):
        with pytest.raises(drafts.NotAllowed) as found:
            drafts.checked(self.connection, data, now_s=NOW_S)
        return found.value.key


OPERATORS = ((PHONE, document.LIGHT), (MAYOR, document.ALL_RIGHTS))


def light(number=1, **changes):
    return order(number)._replace(**{"author": PHONE.name, **changes})


def signed(one, key=PHONE):
    return signed_order(one, key)


@pytest.fixture
def web(tmp_path):
    made = Web(tmp_path)
    yield made
    made.close()


def test_what_was_signed_in_the_web_is_kept_by_the_daemon_once_however_often_it_comes(web):
    assert web.fetch() == []  # no outbox yet
    web.put(light(1))
    web.put(light(1))
    web.put(light(2))
    assert web.fetch() == [light(1).id, light(2).id]
    web.start()
    assert web.fetch() == [light(1).id, light(2).id]
    assert [one.command for one in outbox.signed_in(web.path, INSEE)] == [light(1), light(2)]
    assert outbox.signed_in(web.path, "49007") == []


@pytest.mark.parametrize(("ahead_s", "signed_s"), [(0, NOW_S), (3600, NOW_S + 50)])
def test_an_order_that_the_daemon_fetches_late_keeps_the_time_of_its_signing(web, ahead_s, signed_s):
    web.put(order(1, start_s=NOW_S + ahead_s), MAYOR, now_s=NOW_S + 50)
    before = outbox.signed_in(web.path, INSEE)
    web.fetch(NOW_S + 1200)
    kept = orders.latest(web.connection, 1)
    assert kept == before and kept[0].made_unix_s == signed_s


def test_an_outbox_that_was_made_again_is_read_from_its_start(web):
    web.put(light(1))
    web.fetch()
    os.remove(web.path)
    web.put(light(2))
    assert web.fetch() == [light(1).id, light(2).id]


def test_an_order_is_seen_at_the_next_poll_and_a_poll_without_news_reads_no_row(web, monkeypatch):
    web.put(light(1))
    web.fetch()
    reads = []
    found = web_outbox.Reader._found
    monkeypatch.setattr(web_outbox.Reader, "_found", lambda *args: reads.append(1) or found(*args))
    web.fetch()
    assert not reads
    web.put(light(2))
    assert web.fetch() == [light(1).id, light(2).id]


def test_an_order_that_looked_late_is_fetched_once_the_clock_is_put_right(web):
    web.put(light(1))
    assert web.fetch(NOW_S + 86_400) == []
    assert web.fetch(NOW_S) == [light(1).id]


def test_an_order_is_on_the_disk_before_the_person_reads_that_it_is_signed(web, tmp_path):
    """The web's process is killed at once after its answer."""
    data = signed(light(1)).hex()
    answers_and_is_killed(
        "from tools.centre.control import orders, outbox\n"
        f"one = orders.opened(bytes.fromhex('{data}'), {NOW_S})\n"
        f"outbox.put({web.path!r}, one, 'A. Martin', now_s={NOW_S})\n"
    )
    assert web.fetch() == [light(1).id]


def test_the_daemon_refuses_what_the_centre_would_not_have_drafted(web):
    forged = bytearray(signed(light(1)))
    forged[-1] ^= 1
    assert web.refused(bytes(forged)) == "refused.signature"
    assert web.refused(b"\xd2\x84") == "refused.malformed"
    assert web.refused(signed(light(1), STRANGER)) == "refused.stranger"
    assert web.refused(signed(light(1, author="Un autre"))) == "refused.malformed"
    assert web.refused(signed(light(1, insee="49007"))) == "refused.no_policy"
    assert web.refused(signed(light(1, target="gare"))) == "refused.target"
    assert web.refused(signed(light(1, kind=command.OVERRIDE, level=0))) == "refused.right"
    assert web.refused(signed(light(1, expires_s=NOW_S + limits.light_s_max + 1))) == "refused.light-only"
    late = light(1, not_before_s=NOW_S - 3600, expires_s=NOW_S)
    assert web.refused(signed(late)) == "refused.ahead"


def test_its_own_light_is_ended_and_nobody_elses(web):
    mine, other = light(1), order(2)
    web.put(mine)
    web.fetch()
    put(web.connection, other)
    end = order(3, kind=command.END, ends=mine.id)._replace(author=PHONE.name)
    assert drafts.checked(web.connection, signed(end), now_s=NOW_S).command == end
    assert web.refused(signed(end._replace(ends=other.id))) == "refused.right"
    assert web.refused(signed(end._replace(ends=b"nowhere."))) == "refused.command"
    over = end._replace(not_before_s=NOW_S - 60, expires_s=NOW_S)
    assert web.refused(signed(over)) == "refused.malformed"


def test_a_web_that_was_broken_into_can_fill_neither_the_file_nor_the_places_of_others(web):
    for number in range(1, COMMANDS_OF_ONE_MAX + 5):
        web.put(light(number))
    with closing(sqlite_file.open_to_write(web.path)) as intruder:
        rows = [(bytes([number]) * 8, INSEE, NOW_S + 60, os.urandom(99), "x", NOW_S) for number in range(100)]
        rows.append((b"too long", INSEE, NOW_S + 60, bytes(100_000), "x", NOW_S))
        intruder.executemany(
            "INSERT INTO orders (id, insee, expires_s, signed, person, put_unix_s) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
    for _ in range(9):
        found = web.fetch()
    assert found == [light(number).id for number in range(1, COMMANDS_OF_ONE_MAX + 1)]
    why = [more["why"] for what, more in web.logged if what == "order-refused"]
    assert why == ["refused.full"] * 4 + ["refused.malformed"] * 100
    put(web.connection, order(1_000))  # there is room for others


def test_an_outbox_that_is_none_delays_nothing_and_is_tried_again(web):
    with open(web.path, "wb") as file:
        file.write(b"no database at all" * 100)
    assert web.fetch() == [] and [what for what, _ in web.logged] == ["outbox-unreadable"]
    os.remove(web.path)
    web.put(light(1))
    assert web.fetch() == []
    assert web.fetch(NOW_S + OUTBOX_TRY_S) == [light(1).id]


def test_an_outbox_that_nobody_fetches_does_not_grow_for_ever(web):
    for number in range(1, COMMANDS_OPEN_MAX + 1):
        web.put(light(number))
    web.put(light(1))  # again: it stands there
    with pytest.raises(orders.Full):
        web.put(light(1_000))


def test_an_order_leaves_the_outbox_a_week_after_its_end(web):
    web.put(light(1))
    later = NOW_S + 3600 + OUTBOX_KEPT_S + 1
    web.put(order(2, start_s=later)._replace(author=PHONE.name), now_s=later)
    assert [one.command.id for one in outbox.signed_in(web.path, INSEE)] == [order(2).id]
