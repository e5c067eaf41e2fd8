"""The ways to the centre, joined: whose fault a missing link is, what resets a modem, what the budget holds back."""

from random import Random

import pytest

from gateway.core import limits
from gateway.core.bearers.bearer import Bearer
from gateway.core.bearers.bearers import Bearers
from gateway.core.bearers.connection import Connect, Probe
from gateway.core.bearers.modem import CutPower
from gateway.core.wallclock import WallClock
from simulator.world.disk import SimDisk
from wire import event
from wire.record import EventBody

FIBRE = Bearer("fibre")
MOBILE = Bearer("mobile", is_metered=True, has_modem=True, has_modem_power=True)
HOUR_MS = 3_600_000


class Cabinet:
    """Bearers whose probes and attempts end at once, as `passes` and `answer` say; a modem's port that is absent."""

    def __init__(self, *bearers, disk=None):
        self.now_ms = 0
        self.passes = {bearer.name: True for bearer in bearers}
        self.answer = None  # why an attempt fails; None: it is accepted
        self.cuts, self.logs, self.said = [], [], []
        self.core = Bearers(
            bearers,
            reconnect_last_ms=120_000,
            disk=disk or SimDisk(Random(1)),
            clock=WallClock(started_ms=0),
            random_below=Random(1).randrange,
            log=lambda what, **values: self.logs.append((what, values)),
            report=lambda body, now_ms: self.said.append(body) or True,
            now_ms=0,
        )

    def run(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            for effect in self.core.poll(now_ms=self.now_ms):
                self._carry_out(effect)
            deadline_ms = self.core.deadline_ms()
            assert deadline_ms is None or deadline_ms >= self.now_ms
            self.now_ms = min(end_ms, max(self.now_ms + 1, end_ms if deadline_ms is None else deadline_ms))

    def _carry_out(self, effect):
        if isinstance(effect, Probe):
            self.core.connection.probed(effect.bearer, self.passes[effect.bearer], 40, now_ms=self.now_ms)
        elif isinstance(effect, Connect):
            if self.answer is None:
                self.core.connected(effect.bearer, now_ms=self.now_ms)
            elif self.answer != "":
                self.core.disconnected(effect.bearer, self.answer, now_ms=self.now_ms)
        elif isinstance(effect, CutPower):
            self.cuts.append((self.now_ms, effect.bearer))


def test_a_modem_is_not_reset_while_it_carries_whatever_its_probes_say():
    cabinet = Cabinet(FIBRE, MOBILE)
    cabinet.passes["fibre"] = False
    cabinet.run(60_000)
    cabinet.core.disconnected("fibre", "connection-timeout: cut", now_ms=cabinet.now_ms)
    cabinet.run(60_000)
    assert cabinet.core.connection.active == "mobile"
    cabinet.passes["mobile"] = False  # the operator drops what looks like a scan; the connection lives
    cabinet.run(24 * HOUR_MS)
    assert cabinet.core.connection.active == "mobile" and not cabinet.core.connection.is_up("mobile")
    assert cabinet.cuts == []
    cabinet.core.disconnected("mobile", "mqtt-silent: keep alive", now_ms=cabinet.now_ms)
    cabinet.answer = "network-error: unreachable"
    cabinet.run(3 * HOUR_MS)
    assert cabinet.cuts, "now it carries nothing any more"


@pytest.mark.parametrize(
    "answer", ["connection-refused: [Errno 111]", "mqtt-refused: Not authorized (0x87)", "certificate-expired: 2026"]
)
def test_a_broker_that_refuses_over_a_lone_bearer_resets_no_modem(answer):
    """A weekend without the centre's broker is no reason to take the modem off the network six times a day."""
    cabinet = Cabinet(MOBILE)
    cabinet.answer = answer
    cabinet.run(48 * HOUR_MS)
    assert cabinet.cuts == []


@pytest.mark.parametrize("answer", ["network-error: no route", "connection-timeout: timed out", ""])
def test_a_lone_bearer_that_reaches_nobody_has_its_modem_reset(answer):
    cabinet = Cabinet(MOBILE)
    cabinet.answer = answer  # empty: nothing is ever heard of the attempt
    cabinet.run(24 * HOUR_MS)
    assert 1 <= len(cabinet.cuts) <= limits.MODEM_RESETS_PER_DAY_MAX


SPARE = Bearer("orange", is_metered=True, monthly_bytes=20_000_000, has_modem=True, has_modem_power=True)


def test_two_modems_have_each_a_budget_and_resets_of_their_own():
    cabinet = Cabinet(FIBRE, MOBILE._replace(monthly_bytes=50_000_000), SPARE)
    cabinet.passes |= {"fibre": False, "mobile": False}
    cabinet.run(60_000)
    cabinet.core.disconnected("fibre", "connection-timeout: cut", now_ms=cabinet.now_ms)
    cabinet.answer = None
    cabinet.run(4 * HOUR_MS)
    assert cabinet.core.connection.active == "orange", "the only one that works carries"
    assert cabinet.cuts and {bearer for _, bearer in cabinet.cuts} == {"mobile"}, "what carries is not reset"
    cabinet.core.count("orange", 1_000, "boot/5", now_ms=cabinet.now_ms)
    cabinet.core.count("orange", 19_900_000, "boot/5", now_ms=cabinet.now_ms)
    status = cabinet.core.status()
    assert list(status) == ["fibre", "mobile", "orange"], "in order of preference"
    assert (status["fibre"].budget, status["fibre"].modem) == (None, None)
    assert (status["mobile"].budget.limit, status["orange"].budget.limit) == (50_000_000, 20_000_000)
    assert status["mobile"].budget.used < status["orange"].budget.used
    assert cabinet.core.policy() == status["orange"].budget.policy == "hold"
    cabinet.core.modems["orange"].opened(now_ms=cabinet.now_ms)
    assert [one.modem.link for one in cabinet.core.status().values() if one.modem] == ["absent", "silent"]


@pytest.fixture
def disk_of_a_cut():
    """The state folder of an agent that stopped while the fibre was cut."""
    disk = SimDisk(Random(1))
    cabinet = Cabinet(FIBRE, MOBILE, disk=disk)
    cabinet.passes["fibre"] = False
    cabinet.run(60_000)
    assert EventBody(event.BEARER_FAILURE, True, ["fibre"]) in cabinet.said
    return disk


@pytest.mark.parametrize("bearers", [(FIBRE,), (MOBILE,), (), (SPARE, MOBILE)])
def test_the_failure_of_a_bearer_ends_whatever_is_configured_after_a_restart(disk_of_a_cut, bearers):
    for told in ([EventBody(event.BEARER_FAILURE, False, ["fibre"])], []):
        cabinet = Cabinet(*bearers, disk=disk_of_a_cut)
        cabinet.run(HOUR_MS)
        cabinet.run(1)
        assert cabinet.said == told and cabinet.core.connection.active is not None


@pytest.mark.parametrize("damage", [b"", b"[", b"{}", b"[3]", b"\xff"])
def test_a_damaged_file_of_failed_bearers_gives_way_to_the_one_before(disk_of_a_cut, damage):
    disk_of_a_cut.append("bearers-00000009", damage)
    cabinet = Cabinet(FIBRE, MOBILE, disk=disk_of_a_cut)
    assert not cabinet.core.connection.is_up("fibre") and cabinet.core.connection.is_up("mobile")
