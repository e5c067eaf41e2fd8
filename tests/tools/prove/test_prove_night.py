"""`bocage prove night` finds nothing in sound code, and finds the bugs that it is there for, planted one by one."""

import json

import pytest

from gateway.core.cabinet.equipment import SetContactor
from simulator.cabinet.host import CabinetHost
from simulator.cabinet.points import WHOLE
from simulator.cabinet.system_clock import SystemClock
from simulator.plants.fallback import Programme
from tools import cli
from tools.prove import night

pytestmark = pytest.mark.slow

HUNG, KILLED, UNPLUGGED = "hung", "killed", "unplugged"
# 10 January 2027, 21:30 in Béhuard; extinction an hour later, the end of it eight.
START_S = 1_799_613_000


def one_night(what, from_h, for_h, *, make_host=CabinetHost, lines_fall=True):
    """An ordinary January night with one trouble, some hours after half past nine."""
    drawn = night.draw(0, "ordinary")
    setup = drawn.setup._replace(
        ordinary=Programme(0, 22 * 60 + 30, 5 * 60 + 30), wiring=WHOLE._replace(photocell=False), clock_error_ms=0
    )
    for_s = None if for_h is None else int(3600 * for_h)
    drawn = drawn._replace(
        clock="good",
        start_s=START_S,
        hours_s=9 * 3600,
        setup=setup,
        system_clock=SystemClock(),
        troubles=(night.Trouble(what, int(3600 * from_h), for_s, lines_fall),),
        emergency=None,
        mains_cut=None,
        has_centre=False,
        ntp_s=20,
    )
    return night.live_through(drawn, "one night", make_host)


# --- sound code -------------------------------------------------------------------------------------------------


def test_a_few_nights_of_every_kind_hold_and_the_command_prints_one_object(capsys):
    assert cli.main(["prove", "night", "--seeds", "4", "--seed", "1", "--json"]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    assert figures["seeds"] == 4 and "night 4/4" in said.err
    assert figures["violations"] == 0 and night.is_proven(figures)
    assert figures["worst_dark_s"] <= 120 and figures["worst_burning_s"] <= 120
    assert set(figures["nights"]) == set(night.NIGHTS)
    assert figures["judged_permille"] > 500


def test_every_kind_of_night_trouble_and_clock_meets_every_other():
    met = set()
    for number in range(196):
        drawn = night.draw(number, f"deck-{number}")
        met.add((drawn.night, drawn.clock, tuple(one.what for one in drawn.troubles)))
        assert 10 * 3600 < drawn.hours_s < 22 * 3600
        assert all(0 < one.at_s < drawn.hours_s for one in drawn.troubles)
    kinds = {(kind, clock) for kind, clock, _ in met}
    assert len(kinds) == len(night.NIGHTS) * len(night.CLOCKS)
    for what in night.TROUBLES:
        assert {clock for _, clock, troubles in met if what in troubles} == set(night.CLOCKS)


def test_a_seed_is_a_night():
    assert night.prove(1, 5) | {"wall_s": 0, "hours_per_s": 0} == night.prove(1, 5) | {"wall_s": 0, "hours_per_s": 0}


def test_a_night_with_and_without_the_centre_is_lit_alike(monkeypatch):
    monkeypatch.setattr(night, "_WEEK_S", 18 * 3600)  # of these ends at six in the morning
    figures = night.compare(1, 1)
    assert figures["apart_without_s"] == figures["apart_alone_s"] == 0 and figures["violations"] == 0
    assert all(abs(lit - wanted) < 1 for lit, wanted in zip(figures["lit_s"]["with"], figures["wanted_s"], strict=True))


@pytest.mark.parametrize(
    ("what", "for_h"), [(HUNG, 0.02), (HUNG, None), (KILLED, 3), (KILLED, None), (UNPLUGGED, 0.02), (UNPLUGGED, 3)]
)
def test_the_night_of_the_planted_bugs_holds_with_sound_code(what, for_h):
    street = one_night(what, 0.9, for_h)
    assert street.checker.violations == []


# --- planted bugs -----------------------------------------------------------------------------------------------


class PulsesByTimer(CabinetHost):
    """The watchdog's pulse comes from a timer of the process, not from the turn that decides."""

    def _start_core(self, life):
        super()._start_core(life)
        self._pulse_by_timer(life)

    def _pulse_by_timer(self, life):
        if life == self._life:
            self.side.do(self.side.plant.pulse)
            self._world.after(10_000, self._pulse_by_timer, life)


class RestoresItsLastState(CabinetHost):
    """After a start it sets the contactors as it left them, and moves them when the policy next changes."""

    kept: dict
    restored: dict

    def _start_core(self, life):
        self.kept = getattr(self, "kept", {})
        self.restored = dict(self.kept)
        super()._start_core(life)

    def _carry_out(self, effect):
        if isinstance(effect, SetContactor):
            if effect.feeder in self.restored:
                first, closed = self.restored[effect.feeder], effect.closed
                if not isinstance(first, tuple):
                    first = self.restored[effect.feeder] = (first, closed)
                if closed == first[1]:
                    effect = SetContactor(effect.feeder, first[0])
                else:
                    del self.restored[effect.feeder]
            self.kept[effect.feeder] = effect.closed
        super()._carry_out(effect)


class NeverLetsGo(CabinetHost):
    """Its output lines stay, and the relay with them: wired past the watchdog."""

    def _start_core(self, life):
        super()._start_core(life)
        self.side.plant._relay.due_ms = lambda: None


def test_a_pulse_that_does_not_come_from_the_deciding_turn_is_caught():
    street = one_night(HUNG, 0.9, None, make_host=PulsesByTimer)  # lit at 22:24, and for ever
    assert {violation.what for violation in street.checker.violations} == {"burning"}
    street = one_night(HUNG, 1.1, None, make_host=PulsesByTimer)  # put out at 22:30, and for ever
    assert {violation.what for violation in street.checker.violations} == {"dark"}


def test_an_agent_that_restores_its_last_state_is_caught():
    # Unplugged while lit, back in the hours of extinction.
    street = one_night(UNPLUGGED, 0.5, 2, make_host=RestoresItsLastState)
    assert {violation.what for violation in street.checker.violations} == {"burning"}
    # Unplugged while dark, back when it should be lit.
    street = one_night(UNPLUGGED, 6.5, 2, make_host=RestoresItsLastState)
    assert "dark" in {violation.what for violation in street.checker.violations}


def test_a_watchdog_that_is_not_wired_is_caught():
    street = one_night(KILLED, 0.9, None, make_host=NeverLetsGo, lines_fall=False)
    assert {violation.what for violation in street.checker.violations} == {"burning"}
    street = one_night(KILLED, 0.9, None, make_host=NeverLetsGo, lines_fall=True)
    assert {violation.what for violation in street.checker.violations} == {"dark"}


def test_a_planted_bug_is_caught_by_a_drawn_night_too():
    figures = night.prove(1, 5, make_host=PulsesByTimer)
    assert figures["violations"] > 0 and not night.is_proven(figures)
    assert all(said.startswith("seed ") for said in figures["first_violations"])
