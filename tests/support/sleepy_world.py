"""The story of one irrigation node on a battery (`simulator.estates.sleeper`), in a dry June, for tests."""

from policy import civil
from simulator.estates.sleeper import NODE, SleeperStory
from tests.support.green import DryClimate, own, plain, programs

__all__ = ["NODE", "Sleepy"]

MIDNIGHT_S = civil.unix_from_local(civil.PARIS, civil.days_from_civil(2026, 6, 1), 0)
# Every night at five: 5 mm for each zone, whatever the balance.
NIGHTLY = programs(plain(valves=[2, 2, 2, 2, 0], battery=[2600, 1000, 12000]), [0, 127, 0, 0, 0, 300, 0, 7, 50])


class Sleepy(SleeperStory):
    def __init__(self, settings=NIGHTLY, **facts):
        super().__init__(own(settings), DryClimate(), begin_s=MIDNIGHT_S, **facts)
