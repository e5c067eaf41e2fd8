"""A node may say anything: whatever its events have as details, the pages about it are shown."""

from contextlib import closing

from tests.support.scoped_world import NOW_S
from tools.bench import screens_world
from tools.bench.screens_world import INSEE
from tools.centre.scope import grants
from tools.centre.store import schema
from wire import event, event_table, record

# None of them, too few, numbers for words and words for numbers, readings.
DETAILS = ([], [1], ["x"] * 20, [7] * 20, {1: 5})


def say_anything(connection, now_s):
    """Gives each node and gateway an event of each code with these details, as a row has it."""
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(records)")]
    for node, boot in connection.execute("SELECT node, max(boot) FROM records GROUP BY node").fetchall():
        row = connection.execute("SELECT * FROM records WHERE node = ? AND boot = ? LIMIT 1", (node, boot)).fetchone()
        sequence = 1_000_000
        for code in event_table.BY_CODE:
            if code in (event.BOOT, event.GAP, event.ANCHOR):  # whose details are judged at their receipt
                continue
            for detail in DETAILS:
                sequence += 1
                body = record.encode_body(record.EventBody(code, None, detail))
                given = dict(zip(columns, row, strict=True)) | {
                    "boot": boot + 1, "sequence": sequence, "seconds": now_s - 60, "body": body,
                    "lane": event.LANES.index(event.lane(code)),
                }  # fmt: skip
                places = ", ".join("?" * len(columns))
                connection.execute(f"INSERT INTO records VALUES ({places})", [given[name] for name in columns])
    connection.commit()


def test_pages_are_shown_whatever_nodes_have_said(served, browser, tmp_path, monkeypatch):
    from django.conf import settings

    where = str(tmp_path / "unsound.db")
    screens_world.build(where, 3, now_s=NOW_S, has_spaces=True)
    with closing(schema.open_to_write(where)) as connection:
        grants.give(connection, grants.Grant("operator", "*", "*", 0, None, "secretary", 0))
        say_anything(connection, NOW_S)
        (light,) = connection.execute("SELECT id FROM equipment WHERE kind = 'light' LIMIT 1").fetchone()
        (zone,) = connection.execute("SELECT id FROM equipment WHERE kind = 'green_space' LIMIT 1").fetchone()
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=where))
    person = browser("operator")
    for page in ("lights", f"lights/{light}", "rooms", "rooms/ecole-2", "greens", f"greens/{zone}", "health", "faults"):
        assert person.get(f"/{INSEE}/{page}").status_code == 200, page
