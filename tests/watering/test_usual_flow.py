"""What a zone usually passes: learned from clean runs, kept, and never far from what it passed when it was new."""

from tests.support.green import ONE, Green
from wire import event


def test_a_zones_flow_is_learned_from_three_clean_runs_and_kept():
    green = Green(ONE, flows=[18_000, 20_000, 8000])
    green.run(hours=24 * 3 + 8)
    assert abs(green.desk.trade.balance.flow(1) - 18_000) < 300
    green.cut(remembered=True)
    green.run(minutes=1)
    assert abs(green.desk.trade.balance.flow(1) - 18_000) < 300


def test_a_leak_that_grows_by_three_percent_a_day_is_told_and_not_learned_as_usual():
    green = Green(ONE)
    green.run(hours=24 * 4)
    usual = green.desk.trade.balance.flow(1)
    told = []
    for day in range(20):
        green.pipes.flows[0] = 20_000 * (103 + 3 * day) // 100
        green.run(hours=24)
        told += [(day, detail) for *_, active, detail in green.events(event.FLOW_TOO_HIGH)[len(told) :] if active]
    first_day, (zone, flow, reference) = told[0]
    assert zone == 1 and 5 <= first_day <= 7, "the drift, while the zone is still watered"
    assert 115 * usual <= 100 * flow <= 121 * usual and abs(reference - usual) <= usual // 100
    assert green.desk.trade.balance.flow(1) <= 116 * usual // 100
    assert any(detail[1] > 140 * usual // 100 for _, detail in told), "then its runs are ended"
    reasons = [detail[4] for _, _, _, detail in green.events(event.WATERING_DONE)]
    assert reasons[-1] == "high" and reasons[:10] == ["complete"] * 10


def test_drippers_that_clog_are_told_and_the_drift_ends_when_they_are_clean_again():
    green = Green(ONE)
    green.run(hours=24 * 4)
    for percent in (94, 88, 82, 80, 80, 80):
        green.pipes.flows[0] = 200 * percent
        green.run(hours=24)
    assert [active for *_, active, _ in green.events(event.FLOW_TOO_LOW)] == [True]
    green.cut(remembered=True)
    green.pipes.flows[0] = 20_000
    green.run(hours=24 * 4)
    assert [active for *_, active, _ in green.events(event.FLOW_TOO_LOW)] == [True, True, False]
    assert green.desk.trade.balance.flow(1) > 19_500
