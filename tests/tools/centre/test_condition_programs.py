"""Which cabinets wait too long for Debian's updates, by what they told of them."""

from contextlib import closing

import pytest

from tests.support.centre_world import batch, fact, synced
from tools.centre.condition import programs
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.limits import SYSTEM_AGE_DAYS_MAX
from tools.centre.store import schema
from wire import event

NOW_S, DAY_S = 1_795_964_400, 86_400  # 29 November 2026, 15:00 UTC
LONG_S = (SYSTEM_AGE_DAYS_MAX + 1) * DAY_S
RECENT, OLD = "20261101T000000Z", "20261001T000000Z"


@pytest.mark.parametrize(
    ("told", "seen_s", "heard_s", "found"),
    [
        ([OLD, None, "kept", None], LONG_S, 0, (True, 59)),
        ([RECENT, OLD, "kept", None], LONG_S, 0, None),
        ([RECENT, OLD, "rolled-back", "agent"], LONG_S, 0, (True, 59)),
        ([RECENT, None, "refused", "no-such-state"], LONG_S, 0, (False, 46)),
        (None, LONG_S, 0, (False, 46)),
        (None, DAY_S, 0, None),
        (["never", 7, "kept", None], LONG_S, 0, (False, 46)),
        ([OLD, None, "kept", None], LONG_S, DAY_S, None),  # silent: it may have updated itself
    ],
)
def test_an_old_system_is_named_and_one_that_is_not_known_to_be(tmp_path, told, seen_s, heard_s, found):
    path = str(tmp_path / "centre.db")
    with closing(Warehouse(path, synchronous="OFF")) as warehouse:
        bodies = [] if told is None else [(event.SYSTEM_UPDATE, told, seen_s)]
        bodies = [(event.CLOCK_STEPPED, [0, 0, 1], seen_s), *bodies, (event.CLOCK_STEPPED, [0, 0, 1], heard_s)]
        for n, (code, detail, ago_s) in enumerate(bodies):
            one = fact(n, code, detail, node=b"gw-00001", boot=1, stamp=synced(NOW_S - ago_s))
            payload = batch([one], n, oldest=0, lane=event.EVENT, gateway=b"gw-00001")
            warehouse.accept("tc/1/e/49135/cab-1", payload, received_unix_s=NOW_S - ago_s)
    with closing(schema.open_to_read(path)) as connection:
        old = programs.outdated(connection, now_s=NOW_S)
        assert old == programs.outdated(connection, "49135", now_s=NOW_S)
        assert not programs.outdated(connection, "49007", now_s=NOW_S)
    assert [(one.cabinet, one.state_unix_s is not None, one.days) for one in old] == (
        [] if found is None else [("49135-cab-1", *found)]
    )
