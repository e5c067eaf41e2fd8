"""SQLite and PostgreSQL hold the same, compute the same, and lose nothing when anything of them is killed with -9."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.support import postgres_cluster
from tests.support.centre_world import EVENT_TOPIC, GATEWAY, TELEMETRY_TOPIC, batch, fact, reading, synced, unset
from tools.centre.condition.states import States
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.rollup import hours
from tools.centre.rollup.worker import Worker
from tools.centre.store import schema, views
from tools.centre.store.archive import Archive
from wire import event, quantity

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[3]

DAY = hours.hours_of(20_770)[0]  # midnight of 2026-11-13 in France
NOW = {"received_unix_s": DAY + 60 * 86_400}
NODES = [bytes(7) + bytes([n]) for n in range(1, 9)]
TABLES = {
    "records": 3, "conflicts": 4, "gaps": 6, "anchors": 6, "doubts": 3, "faults": 3, "feeders": 2, "serving": 2,
    "boots": 1, "latest": 1, "day_spans": 3, "hours": 3, "days": 3, "calendar": 1, "prefixes": 3, "alarms": 1,
    "counters": 1, "brought": 2,
}  # fmt: skip


def story():
    """What a cabinet says in ten days: readings with and without a clock, anchors, doubts, alarms, twins."""
    random, items = Random(11), []
    for node in NODES:
        wh = 0
        for step in range(240):
            boot, seconds = 1 + step // 90, 900 * step + random.randrange(600)
            wh += random.randrange(40)
            stamp = unset(seconds) if boot == 2 and node[-1] % 2 else synced(DAY + 4 * seconds)
            body = {quantity.ENERGY: wh, quantity.POWER: 10 * random.randrange(60), quantity.TEMPERATURE: 1900 + step}
            items.append(reading(step, body, node=node, boot=boot, stamp=stamp))
        items.append(reading(3, {quantity.POWER: 1}, node=node, stamp=synced(DAY)))  # a twin's body
        for number, (code, said) in enumerate((
            (event.ANCHOR, [node, 2, 100, DAY + 86_400, 3]),
            (event.TIME_DOUBTFUL, [node, 1, 7, 5]),
            (event.GAP, [node, 1, 300, 310, "full"]),
        )):  # fmt: skip
            items.append(fact(500 + number, code, said, node=GATEWAY, boot=node[-1], stamp=synced(DAY)))
        for step in range(6):
            own = {"node": node, "boot": 3, "stamp": synced(DAY + 9000 * step)}
            items.append(fact(600 + step, event.LAMP_FAILURE, None, active=step % 3 < 2, **own))
    for step in range(4):
        said = ["bourg", step % 2 == 0]
        items.append(fact(700 + step, event.FEEDER_SWITCHED, said, node=GATEWAY, boot=1, stamp=synced(DAY + step)))
    random.shuffle(items)
    return items


def messages(items):
    """The story as messages, with a piece that comes late and one that comes twice."""
    found, at = [], {}
    for lane, topic in ((event.TELEMETRY, TELEMETRY_TOPIC), (event.ALARM, EVENT_TOPIC), (event.EVENT, EVENT_TOPIC)):
        own = [item for item in items if lane_of(item) == lane]
        for first in range(0, len(own), 40):
            found.append((topic, batch(own[first : first + 40], first, oldest=0, lane=lane)))
        at[lane] = len(own)
    found.insert(3, found.pop(1))
    return [*found, found[2]]


def lane_of(item):
    if isinstance(item.record.body, dict):
        return event.TELEMETRY
    return event.ALARM if item.record.body.code == event.LAMP_FAILURE else event.EVENT


def contents(connection):
    found = {}
    for table, keys in TABLES.items():
        order = ", ".join(map(str, range(1, keys + 1)))
        found[table] = connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
    return found


def rolled(connection):
    worker = Worker(connection)
    worker.fill_calendar(now_s=DAY)
    while worker.step(3):
        pass


def test_both_engines_hold_and_compute_the_same(postgres_server):
    answers = []
    for where in (":memory:", postgres_server.new()):
        warehouse = Warehouse(where)
        for message in messages(story()):
            warehouse.accept(*message, **NOW)
        connection = warehouse._connection
        rolled(connection)
        shown = {view: sorted(connection.execute(f"SELECT * FROM {view}"), key=repr) for view in views.STATEMENTS}
        states = [tuple(one) for one in States(connection, now_s=DAY + 100_000).of_strangers()]
        answers.append((contents(connection), warehouse.digest(), shown, states, list(warehouse.held())))
        warehouse.close()
    for table in TABLES:
        assert answers[0][0][table] == answers[1][0][table] != [], table
    assert answers[0][1:] == answers[1][1:]


# --- killed ------------------------------------------------------------------------------------------------------

INGEST = """
import sys
from tests.tools.centre.test_engines import NOW, messages, story
from tools.centre.ingest.warehouse import Warehouse
where, first = sys.argv[1], int(sys.argv[2])
warehouse = Warehouse(where)
for number, message in enumerate(messages(story())):
    if number >= first:
        warehouse.accept(*message, **NOW)
        print(number, flush=True)
"""
WORKER = """
import sys
from tools.centre.rollup.worker import Worker
from tools.centre.store import schema
worker = Worker(schema.open_to_write(sys.argv[1]))
while True:
    worker.step(1)
    print("stepped", flush=True)
"""


def start(script, *words):
    command = [sys.executable, "-c", script, *words]
    environment = postgres_cluster.environment()
    # A traceback is what the loss of the database looks like from here.
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=ROOT
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_alone(request, tmp_path):
    """Where a warehouse is kept, and what kills the database itself; that of SQLite lives in its users."""
    if request.param == "sqlite":
        yield str(tmp_path / "centre.db"), lambda: None
        return
    with postgres_cluster.temporary() as cluster:
        yield cluster.address(), cluster.kill


def test_nothing_is_lost_doubled_or_altered_by_kill_9(engine_alone):
    """The ingest begins again behind what it has acknowledged, as a broker delivers it; some messages come twice."""
    where, kill_database = engine_alone
    told, random, kills = messages(story()), Random(5), {"ingest": 0, "worker": 0, "database": 0}
    done = 0
    while done < len(told):
        ingest, worker = start(INGEST, where, str(done)), start(WORKER, where)
        for _ in range(random.randrange(1, 6)):
            line = ingest.stdout.readline()
            done = int(line) + 1 if line else done
        victim = random.choice(["ingest", "worker", "database"])
        if victim == "worker":
            worker.stdout.readline()
        {"ingest": ingest.kill, "worker": worker.kill, "database": kill_database}[victim]()
        kills[victim] += 1
        for process in (ingest, worker):
            process.kill()
        rest, _ = ingest.communicate()
        done = max([done, *(int(line) + 1 for line in rest.split())])
        worker.communicate()
    assert min(kills.values()) > 0, kills

    straight = Warehouse(":memory:")
    for message in told:
        straight.accept(*message, **NOW)
    with closing(schema.open_to_write(where)) as connection:
        assert Archive(connection).digest() == straight.digest()
        assert Archive(connection).prefixes() == straight.prefixes()
        rolled(connection)
        found = contents(connection)
        Worker(connection).mark_all()
        rolled(connection)
        assert {table: contents(connection)[table] for table in ("hours", "days")} == {
            table: found[table] for table in ("hours", "days")
        }
    rolled(straight._connection)
    expected = contents(straight._connection)
    # Three count what came twice; a span stays on the day on which a reading lay before its anchor came.
    for table in TABLES.keys() - {"counters", "alarms", "brought", "day_spans"}:
        assert found[table] == expected[table], table
