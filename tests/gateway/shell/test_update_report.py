"""The outcome of an update becomes records of the gateway: once, under custody, and after a power cut all the same."""

import json

from gateway.shell.update_report import AGENT, SYSTEM, UpdateReport
from tests.support.gateway_world import GATEWAY, GatewayWorld
from wire import event

FAILED = {"number": 4, "version": "0.3.0", "before": "0.2.0", "outcome": "rolled-back", "why": "agent"}
KEPT = {"number": 5, "version": "0.3.1", "before": "0.2.0", "outcome": "kept", "why": None}


class World:
    """A gateway's core, the folder of root and that of the agent."""

    def __init__(self, folder, subject=AGENT):
        self.subject = subject
        self.gateway = GatewayWorld()
        self.data, self.root = folder / "data", folder / "root"
        self.data.mkdir()
        self.root.mkdir()
        self.logs = []
        self.start()

    def start(self):
        def log(what, **_values):
            self.logs.append(what)

        self.report = UpdateReport(self.subject, self.data, self.gateway.core, log, folder=self.root)

    def write(self, plain):
        fresh = self.root / "fresh"
        fresh.write_text(plain if isinstance(plain, str) else json.dumps(plain))
        fresh.replace(self.root / self.subject.outcome)

    def poll(self, times=2, *, syncs=True):
        for _ in range(times):
            self.report.poll(now_ms=self.gateway.now_ms)
            self.gateway.wait(1000)
            if syncs:
                self.gateway.sync()

    def told(self):
        items = [item for lane in self.gateway.held().values() for item in lane]
        codes = (self.subject.code, self.subject.failure)
        found = [item.record.body for item in items if item.node == GATEWAY]
        return sorted([(body.code, body.active, list(body.detail)) for body in found if body.code in codes], key=str)


UPDATE = (event.AGENT_UPDATE, None, ["0.3.0", "0.2.0", "rolled-back", "agent"])
ALARM = (event.AGENT_UPDATE_FAILURE, True, ["0.3.0", "agent"])
END = (event.AGENT_UPDATE_FAILURE, False, ["0.3.1", None])
SECOND = (event.AGENT_UPDATE, None, ["0.3.1", "0.2.0", "kept", None])


def test_a_failure_is_an_alarm_that_a_kept_update_ends(tmp_path):
    world = World(tmp_path)
    world.poll()
    assert world.told() == []
    world.write(FAILED)
    world.poll(4)
    assert world.told() == [ALARM, UPDATE]
    world.start()
    world.poll()
    assert len(world.told()) == 2, "a restart tells nothing again"
    world.write(KEPT)
    world.poll()
    assert world.told() == sorted([UPDATE, ALARM, SECOND, END], key=str)
    assert world.logs == ["update-failed", "updated"]


def test_a_second_failure_is_told_as_one_of_its_own(tmp_path):
    world = World(tmp_path)
    for number in (4, 5):
        world.write({**FAILED, "number": number})
        world.poll()
    alarms = [active for code, active, _ in world.told() if code == event.AGENT_UPDATE_FAILURE]
    assert sorted(alarms) == [False, True, True]


def test_what_was_not_durable_is_told_again(tmp_path):
    world = World(tmp_path)
    world.write(KEPT)
    world.poll(syncs=False)
    assert not list(world.data.iterdir()), "nothing is noted before it is durable"
    world.gateway.power_cut()  # of what was under way, something may have been written
    world.start()
    world.poll()
    assert SECOND in world.told() and list(world.data.iterdir())


def test_a_failure_of_the_system_names_its_packages(tmp_path):
    world = World(tmp_path, SYSTEM)
    world.write({**FAILED, "version": "20261130T000000Z", "before": None, "packages": "openssl libssl3t64"})
    world.poll()
    assert world.told() == [
        (event.SYSTEM_UPDATE_FAILURE, True, ["20261130T000000Z", "agent", "openssl libssl3t64"]),
        (event.SYSTEM_UPDATE, None, ["20261130T000000Z", None, "rolled-back", "agent"]),
    ]


def test_an_outcome_that_cannot_be_read_is_logged(tmp_path):
    world = World(tmp_path)
    for text in ("{", "[]", "{}"):
        world.write(text)
        world.poll(1)
    assert world.logs == ["update-failed"] * 3 and world.told() == []
