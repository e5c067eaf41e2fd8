"""How many examples Hypothesis draws: a test asks for a multiple, the profile of the run (tests/conftest.py) says of
what."""

from hypothesis import settings


def examples(*, times):
    """A test whose examples are cheap and whose input comes from strangers draws `times` as many as the others, one
    whose examples are whole worlds a part of them."""
    return settings(max_examples=max(1, int(times * settings().max_examples)))
