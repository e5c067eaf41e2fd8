"""The guide of the telephone that lights the commune: its block is an operator that may light and nothing else."""

import re

from policy import document
from tests.support.sample_policy import SAMPLE
from tools.policy.compiler import compile_text
from tools.policy.description import file_lines
from tools.policy.files import recognise


def test_the_block_of_the_guide_is_an_operator_whose_fingerprint_is_shown(repository):
    text = (repository / "tools" / "centre" / "TELEPHONE.md").read_text()
    (block,) = re.findall("```toml\n(.*?)```", text, re.DOTALL)
    compiled = compile_text(f"{SAMPLE}\n{block}")
    assert compiled.faults == ()
    phone = compiled.policy.operators[-1]
    assert phone.rights == document.LIGHT
    shown = file_lines(recognise(document.encode(compiled.policy)), None, "fr")
    (line,) = [line for line in shown if phone.key.hex() in line]
    assert line.split()[0] in text.replace(" ", "") and line.endswith("Maire: light, jusqu’au 01/04/2032 à 00:00")
