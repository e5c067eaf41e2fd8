"""Campaigns under power cuts, and planted bugs that the checkers catch."""

import pytest

from gateway.core.campaigns.campaign import Campaign
from simulator.hosts.programs import Behaviour
from tools.prove.campaign import Town

pytestmark = pytest.mark.slow

# A campaign is over after twelve hours, with all faults in the first thirteen; `bocage prove campaign` has three days.
HOURS = 24


def violations(seed, behaviour, spoil=None):
    return " ".join(Town(seed, behaviour, spoil, hours=HOURS).run()["violations"])


@pytest.mark.parametrize("behaviour", Behaviour)
def test_a_good_program_reaches_all_and_a_bad_one_two(behaviour):
    found = Town(3, behaviour, hours=HOURS).run()
    assert found["violations"] == [] and found["unfinished"] == 0
    assert found["updated"] == 12 or behaviour is not Behaviour.WELL
    assert found["updated"] <= 4 or behaviour is Behaviour.WELL


def test_a_campaign_that_ignores_the_hour_is_caught():
    def spoil(core):
        core.campaigns._lamps = None

    assert "is served outside its hours" in violations(3, Behaviour.WELL, spoil)


def test_a_campaign_that_goes_on_after_failures_is_caught(monkeypatch):
    monkeypatch.setattr(Campaign, "is_halted", property(lambda self: False, lambda self, value: None), raising=False)
    assert "is served after too many failures" in violations(3, Behaviour.CRASHES)


def test_a_gateway_that_offers_what_runs_already_is_caught():
    def spoil(core):
        core.images._judge = lambda _asked, _image, _is_manifest, *, now_ms: 0

    assert "is served a program that is not newer" in violations(3, Behaviour.WELL, spoil)


def test_a_campaign_without_canaries_is_caught(monkeypatch):
    monkeypatch.setattr(Campaign, "_turn_s", lambda self, one, unix_s: 0)
    assert "is served before the canaries have run it" in violations(3, Behaviour.WELL)
