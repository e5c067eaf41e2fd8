"""The sample of `bocage policy sample` with an operator's key in the place of its placeholder, as a commune has it."""

from tests.support.commune import ON_CALL
from tools.policy.commands.sample import PLACEHOLDER
from tools.policy.commands.sample import SAMPLE as _SAMPLE

KEY = ON_CALL.key.hex()
SAMPLE = _SAMPLE.read_text(encoding="utf-8").replace(PLACEHOLDER, KEY)
