"""The bench of lamps without a clock, one night of a few: the street is lit, and a defect shows in its status."""

from lighting import limits
from tools import cli
from tools.bench import stray


def test_a_night_beside_its_own_lamp_and_one_under_a_sign():
    own = stray.measure("own lamp 60 lx", "winter", 1, 1)
    assert own.spell_min <= 2 and own.switchings == 2 and own.distrusted_min <= 60
    sign = stray.measure("sign, always", "summer", 1, 1)
    assert sign.spell_min <= stray.SPELL_MIN_MAX and sign.distrusted_min <= 60
    assert stray.measure("headlamps", "winter", 1, 1).distrusted_min is None


def test_a_cell_that_believes_any_twilight_does_not_pass(monkeypatch, capsys):
    monkeypatch.setattr(limits, "CELL_TWILIGHT_MS", 1 << 60)
    monkeypatch.setattr(stray, "STRAY", {"sign, always": stray.STRAY["sign, always"]})
    monkeypatch.setattr(stray, "SKIES", {})
    assert cli.main(["bench", "stray", "--days", "1"]) == 1
    assert "sign, always" in capsys.readouterr().out
