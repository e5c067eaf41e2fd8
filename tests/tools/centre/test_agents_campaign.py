"""A version reaches the first cabinets, a tenth, then all; it stops on failures, and cabinets read what was written."""

from contextlib import closing

import pytest

from gateway.core import self_update
from gateway.shell import self_update as shell_self_update
from tests.support.centre_world import batch, fact, synced
from tools import cli
from tools.centre.agents import campaign
from tools.centre.agents.campaign import ALL, FIRST, STOPPED, TENTH, Seen
from tools.centre.broker import screens
from tools.centre.commands import agents_campaign
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.rollup.worker import Worker
from tools.centre.store import schema
from wire import event

NOW_S = 1_795_000_000
DAY_S = 86_400
NAMES = [f"49007-cab-{n}" for n in range(400)]
LONG_AGO = NOW_S - 10 * DAY_S
WELL, OLD = Seen("0.3.0", LONG_AGO, True), Seen("0.2.0", LONG_AGO, True)


def planned(**change):
    first = ("49007-cab-1", "49007-cab-2")
    plan = campaign.begin(None, "0.3.0", first, after_s=3 * DAY_S, watch_s=1200, now_s=LONG_AGO - DAY_S)
    return plan._replace(**change)


def territory(**named):
    """All cabinets run the former version, but for those named by number."""
    return dict.fromkeys(NAMES, OLD) | {f"49007-cab-{key[1:]}": one for key, one in named.items()}


def advance(plan, cabinets):
    return campaign.advance(plan, cabinets, now_s=NOW_S)


@pytest.mark.parametrize(
    "second",
    [
        OLD,
        WELL._replace(is_linked=False),
        WELL._replace(received_unix_s=NOW_S - DAY_S),  # it was started again yesterday
        Seen(None, None, True),
    ],
)
def test_the_first_are_waited_for(second):
    assert advance(planned(), territory(n1=WELL, n2=second)) == planned()


def test_a_first_that_was_never_heard_is_waited_for():
    cabinets = territory(n1=WELL)
    del cabinets["49007-cab-2"]
    assert advance(planned(), cabinets).state == FIRST


def test_a_tenth_follows_then_all():
    plan = advance(planned(), territory(n1=WELL, n2=WELL))
    assert plan.state == TENTH and set(plan.first) <= set(plan.cabinets)
    assert 20 <= len(plan.cabinets) <= 60, "a tenth of 400, by chance"
    tenth = {name: WELL if name in plan.cabinets else OLD for name in NAMES}
    silent = dict.fromkeys(plan.cabinets[: len(plan.cabinets) // 5], OLD)
    assert advance(plan, tenth | silent) == plan, "a fifth of them has not got it"
    plan = advance(plan, tenth)
    assert (plan.state, plan.cabinets) == (ALL, None)
    assert advance(plan, tenth) == plan


def failed(at_s=NOW_S - 60, version="0.3.0"):
    return OLD._replace(failed=(version, at_s))


def test_one_failure_among_the_first_stops():
    plan = advance(planned(), territory(n1=WELL, n2=failed()))
    assert (plan.state, plan.cabinets, plan.why) == (STOPPED, (), ("49007-cab-2",))
    assert advance(plan, territory(n1=WELL, n2=WELL)) == plan, "only a person begins again"


@pytest.mark.parametrize(("count", "state"), [(1, ALL), (8, ALL), (9, STOPPED)])
def test_later_one_in_fifty_may_fail(count, state):
    plan = planned(state=ALL, cabinets=None)
    assert advance(plan, territory(**{f"n{n}": failed() for n in range(10, 10 + count)})).state == state


def test_failures_of_another_version_or_campaign_do_not_count():
    for other in (failed(version="0.2.9"), failed(at_s=planned().begun_unix_s - 1)):
        assert advance(planned(), territory(n1=WELL, n2=other)).state == FIRST


@pytest.mark.parametrize(("state", "cabinets"), [(FIRST, ("49007-cab-1",)), (ALL, None), (STOPPED, ())])
def test_a_cabinet_reads_what_the_centre_wrote(tmp_path, state, cabinets):
    plan = planned(state=state, cabinets=cabinets)
    campaign.save(tmp_path / "plan.json", plan)
    assert campaign.read(tmp_path / "plan.json") == plan
    read = self_update.parse_plan((tmp_path / "plan.json").read_bytes())
    named = None if cabinets is None else frozenset(cabinets)
    assert read == self_update.Plan(plan.number, plan.version, plan.watch_s, named)


def test_the_centre_gives_what_cabinets_accept_where_they_call():
    assert agents_campaign._WATCH_S == (self_update.WATCH_S_MIN, self_update.WATCH_S_MAX)
    assert screens.AGENTS_PORT == shell_self_update.PORT


def test_a_new_campaign_has_a_higher_number():
    assert campaign.begin(planned(number=7), "0.4.0", ("49007-cab-1",), after_s=1, watch_s=60, now_s=1).number == 8


# --- on a centre ----------------------------------------------------------------------------------------------------


class Centre:
    """A centre's folder, with a warehouse and a repository that says what it has; two cabinets."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys = folder, capsys
        self.db = folder / "var/lib/bocage-centre/warehouse.db"
        self.agents = folder / "var/lib/bocage-agents"
        self.db.parent.mkdir(parents=True)
        self.agents.mkdir(parents=True)
        (self.agents / "Packages").write_text("Version: 0.2.0\n\nVersion: 0.3.0\n")
        self._positions, self._sequence = {}, 0

    def report(self, number, code, detail, *, active=None, boot=9, at_s=NOW_S - 60):
        """A cabinet states an event."""
        gateway, lane = b"gateway%d" % number, event.lane(code)
        position = self._positions[number, lane] = self._positions.get((number, lane), -1) + 1
        self._sequence += 1
        item = fact(self._sequence, code, detail, active=active, node=gateway, boot=boot, stamp=synced(at_s))
        payload = batch([item], position, oldest=0, lane=lane, gateway=gateway)
        with closing(Warehouse(str(self.db), synchronous="OFF")) as warehouse:
            warehouse.accept(f"tc/1/e/49007/cab-{number}", payload, received_unix_s=at_s)

    def started(self, number, version, *, boot=9, at_s=NOW_S - 60):
        self.report(number, event.BOOT, [boot - 1, None, "start", "gateway", version], boot=boot, at_s=at_s)

    def run(self, *words, status=0):
        assert cli.main(["centre", "agents", *words, "--root", str(self.folder), "--lang", "en"]) == status
        said = self._capsys.readouterr()
        return said.err if status else said.out

    @property
    def plan(self):
        return campaign.read(self.agents / "plan.json")


@pytest.fixture
def centre(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("time.time", lambda: NOW_S)
    made = Centre(tmp_path, capsys)
    for number in (1, 2):
        made.started(number, "0.2.0", at_s=NOW_S - 9 * DAY_S)
    return made


def test_a_campaign_goes_on_by_what_cabinets_report(centre, monkeypatch):
    assert centre.run("campaign") == "no campaign has been begun\n"
    assert "first 1" in centre.run("campaign", "0.3.0", "--first", "49007-cab-1", "--after", "1h")
    assert centre.plan.cabinets == ("49007-cab-1",)
    assert "49007-cab-1: 0.2.0, silent" in centre.run("advance")
    centre.started(1, "0.3.0", boot=10, at_s=NOW_S + 60)
    monkeypatch.setattr("time.time", lambda: NOW_S + 120)
    assert "49007-cab-1: 0.3.0, not for long enough" in centre.run("advance")
    centre.report(1, event.AUDIT_HEAD, [1, b"h"], boot=10, at_s=NOW_S + 3700)
    monkeypatch.setattr("time.time", lambda: NOW_S + 3720)
    assert "a tenth" in centre.run("advance") and centre.plan.state == TENTH
    assert "all cabinets" in centre.run("advance") and centre.plan.cabinets is None
    assert "1 of 2 cabinets have it, 0 took it back" in centre.run("campaign")
    assert "no further cabinet changes" in centre.run("campaign", "--stop")
    assert centre.plan.cabinets == ()


def test_a_version_that_was_taken_back_stops_the_campaign_and_says_where(centre):
    centre.run("campaign", "0.3.0", "--first", "49007-cab-1")
    centre.report(1, event.AGENT_UPDATE_FAILURE, ["0.3.0", "agent"], active=True, at_s=NOW_S)
    with closing(schema.open_to_write(str(centre.db))) as connection:
        Worker(connection).step(10)
    said = centre.run("advance")
    assert "stopped" in said and "49007-cab-1: 0.2.0, took it back" in said
    assert (centre.plan.state, centre.plan.why) == (STOPPED, ("49007-cab-1",))


def test_debians_updates_go_the_same_way_by_what_cabinets_say_of_their_system(centre, monkeypatch):
    state = "20261118T000000Z"  # the midnight before NOW_S
    said = centre.run("campaign", "--system", "--first", "49007-cab-1", "--after", "1h")
    assert f"version {state}: the first 1" in said and centre.plan is None
    read = self_update.parse_plan((centre.agents / "system.json").read_bytes())
    assert (read.version, read.cabinets) == (state, frozenset(["49007-cab-1"])) and self_update.is_state(state)
    centre.report(1, event.SYSTEM_UPDATE, [state, None, "kept", None], at_s=NOW_S + 60)
    monkeypatch.setattr("time.time", lambda: NOW_S + 120)
    assert f"49007-cab-1: {state}, not for long enough" in centre.run("advance")
    centre.report(1, event.AUDIT_HEAD, [1, b"h"], at_s=NOW_S + 3700)
    monkeypatch.setattr("time.time", lambda: NOW_S + 3720)
    assert "a tenth" in centre.run("advance")
    centre.report(2, event.SYSTEM_UPDATE, [state, None, "rolled-back", "agent"], at_s=NOW_S + 3800)
    centre.report(2, event.SYSTEM_UPDATE_FAILURE, [state, "agent", "openssl"], active=True, at_s=NOW_S + 3800)
    centre.report(1, event.SYSTEM_UPDATE, [state, state, "rolled-back", "agent"], at_s=NOW_S + 3800)
    centre.report(1, event.SYSTEM_UPDATE_FAILURE, [state, "agent", "openssl"], active=True, at_s=NOW_S + 3800)
    with closing(schema.open_to_write(str(centre.db))) as connection:
        Worker(connection).step(10)
    said = centre.run("advance")
    assert "stopped" in said and "49007-cab-2: ?, took it back" in said
    assert "no further cabinet changes" in centre.run("campaign", "--system")


@pytest.mark.parametrize("state", ["20261118", "20270101T000000Z", "0.3.0"])
def test_what_is_no_state_of_the_archive_begins_nothing(centre, state):
    assert "an instant that has been" in centre.run("campaign", "--system", state, "--first", "49007-cab-1", status=2)
    assert not (centre.agents / "system.json").exists()


def test_a_first_cabinet_with_a_later_system_is_refused(centre):
    centre.report(1, event.SYSTEM_UPDATE, ["20261115T000000Z", None, "kept", None])
    said = centre.run("campaign", "--system", "20261101T000000Z", "--first", "49007-cab-1", status=1)
    assert "20261115T000000Z already, which is higher" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("0.4.0", "--first", "49007-cab-1"), "version 0.4.0 is not published"),
        (("0.3.0", "--first", "49007-cab-9"), "never heard"),
        (("0.2.0", "--first", "49007-cab-3"), "0.5.0, which is not published: there would be no way back"),
        (("0.2.0", "--first", "49007-cab-4"), "version 0.3.0 already, which is higher"),
    ],
)
def test_what_the_first_could_not_follow_is_refused(centre, words, said):
    centre.started(3, "0.5.0")
    centre.started(4, "0.3.0")
    assert said in centre.run("campaign", *words, status=1) and centre.plan is None


@pytest.mark.parametrize(
    "words", [("0.3.0",), ("0.3.0", "--first", "cab"), ("0.3.0", "--first", "49007-cab-1", "--watch", "3h")]
)
def test_bad_usage_begins_nothing(centre, words):
    assert centre.run("campaign", *words, status=2).count("\n") == 1 and centre.plan is None


def test_a_plan_that_is_damaged_is_refused(centre):
    (centre.agents / "plan.json").write_text("{}")
    assert "begin anew" in centre.run("campaign", status=1)
