"""The order book: what is kept of commands, when one is pending, and the bounds of it."""

import sqlite3

import pytest

from tests.support.control_world import INSEE, MAYOR, NOW_S, new_file, order, outcome, put, signed_order
from tools.centre.control import file as control_file
from tools.centre.control import gateways, orders
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import COMMANDS_OPEN_MAX
from wire import command


@pytest.fixture
def connection(tmp_path):
    connection = new_file(tmp_path / "control.db")
    gateways.note_seen(connection, INSEE, "cab-1", is_own=True, now_s=NOW_S)
    yield connection
    connection.close()


def pending(connection, now_s=NOW_S):
    return [(one.id[-1], one.gateway) for one in orders.pending(connection, now_s=now_s)]


def test_a_command_is_kept_as_it_was_signed(connection):
    put(connection, order(1))
    (kept,) = orders.latest(connection, 9)
    assert kept == orders.Order(order(1), signed_order(order(1)), MAYOR.kid, NOW_S)
    with pytest.raises(sqlite3.IntegrityError):
        put(connection, order(1))


def test_commands_are_listed_oldest_first_by_commune_and_found_by_how_their_id_begins(connection):
    for number in (3, 1, 2):
        put(connection, order(number))
    assert [kept.command.id[-1] for kept in orders.latest(connection, 2)] == [1, 2]
    assert orders.latest(connection, 9, "49007") == []
    assert [kept.command.id[-1] for kept in orders.find(connection, "0000000000000003")] == [3]
    assert len(orders.find(connection, "0000")) == 2, "enough to see that it is ambiguous"
    for nonsense in ("1", "%", "_", "0000000000000003ff", "é"):
        assert orders.find(connection, nonsense) == []


def test_a_command_is_pending_until_a_word_an_end_or_its_expiry(connection):
    put(connection, order(1, for_s=60))
    put(connection, order(2))
    put(connection, order(3))
    assert pending(connection) == [(1, "cab-1"), (2, "cab-1"), (3, "cab-1")]
    assert pending(connection, NOW_S + 60) == [(2, "cab-1"), (3, "cab-1")]
    orders.accept_outcome(connection, INSEE, "cab-1", outcome(order(2), "received"), now_s=NOW_S)
    put(connection, order(4, kind=command.END, ends=order(3).id))
    assert pending(connection) == [(1, "cab-1")], "what was never sent is withdrawn, and its end has nothing to do"


def test_an_end_follows_a_sending_that_the_broker_took_once(connection):
    put(connection, order(1))
    orders.note_sent(connection, order(1).id, "cab-1", None, now_s=NOW_S)
    orders.note_sent(connection, order(1).id, "cab-1", "Not authorized", now_s=NOW_S + 5)
    assert orders.sendings(connection, order(1).id) == [orders.Sending("cab-1", NOW_S, NOW_S + 5, 2, None)]
    put(connection, order(2, kind=command.END, ends=order(1).id))
    assert pending(connection) == [(2, "cab-1")]


def test_a_sending_that_the_broker_refused_is_told_as_that_until_it_takes_one(connection):
    put(connection, order(1))
    orders.note_sent(connection, order(1).id, "cab-1", "No matching subscribers", now_s=NOW_S)
    assert orders.sendings(connection, order(1).id)[0].problem == "No matching subscribers"
    orders.note_sent(connection, order(1).id, "cab-1", None, now_s=NOW_S + 5)
    assert orders.sendings(connection, order(1).id)[0].problem is None


def test_an_outcome_is_kept_once_and_another_reason_of_it_too(connection):
    one = put(connection, order(1)).command
    said = [("applied", None), ("applied", "again"), ("refused", "lease"), ("refused", "lease"), ("refused", "locked")]
    kept = [
        orders.accept_outcome(connection, INSEE, "cab-1", outcome(one, word, feeder="bourg", why=why), now_s=NOW_S)
        for word, why in said
    ]
    assert kept == [None, orders.REPEATED, None, orders.REPEATED, None]
    assert [told.why for told in orders.outcomes(connection, one.id)] == [None, "locked"]


def test_a_commune_has_no_more_commands_under_way_than_a_gateway_knows(connection):
    for number in range(COMMANDS_OPEN_MAX):
        put(connection, order(number))
    with pytest.raises(orders.Full):
        put(connection, order(200))
    put(connection, order(201, kind=command.END, ends=order(0).id))  # makes room, and needs none
    with pytest.raises(orders.Full):
        put(connection, order(202))
    put(connection, order(203, kind=command.END, ends=order(1).id))
    put(connection, order(204, start_s=NOW_S + 3600), now_s=NOW_S + 3600)


def test_another_kind_of_file_is_not_taken_for_a_control_file(tmp_path):
    path = str(tmp_path / "centre.db")
    Warehouse(path).close()
    with pytest.raises(sqlite3.DatabaseError, match="not a control file"):
        control_file.open_to_write(path)
    with pytest.raises(sqlite3.DatabaseError, match="not a control file"):
        control_file.open_to_read(path)
    other = str(tmp_path / "control.db")
    control_file.open_to_write(other).close()
    with pytest.raises(sqlite3.DatabaseError, match="not a warehouse"):
        Warehouse(other)


def test_what_is_open_to_read_cannot_write(tmp_path):
    path = str(tmp_path / "control.db")
    control_file.open_to_write(path).close()
    connection = control_file.open_to_read(path)
    with pytest.raises(sqlite3.OperationalError):
        orders.note_sent(connection, b"12345678", "cab-1", None, now_s=NOW_S)
    connection.close()
