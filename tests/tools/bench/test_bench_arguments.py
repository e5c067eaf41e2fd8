"""Arguments of benchmarks: a bad word ends a benchmark before it begins, and says what would do."""

import pytest

from tools.cli import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["node", "--days", "0"], "'0' is no whole number from 2 to 400"),
        (["node", "--days", "x"], "'x' is no whole number"),
        (["node", "--vm", "/nonexistent"], "/nonexistent is no program"),
        (["sleep", "--days", "0"], "from 1 to 366"),
        (["heating", "--days", "-3"], "from 1 to 366"),
        (["watering", "--months", "13"], "as in 4-9"),
        (["watering", "--months", "9-4"], "as in 4-9"),
        (["watering", "--months", "0-13"], "as in 4-9"),
    ],
)
def test_a_bad_word_is_told_before_anything_runs(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["bench", *words, "--lang", "en"])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
