"""Hypothesis strategies: sound policies, commands, outcomes and asks, any of them."""

from hypothesis import strategies as st

from policy import lighting, limits
from policy.document import FeederRule
from tests.support.commune import EXTINCTION, LIGHTING, POLICY
from wire import command, directive
from wire.command import DIRECTIVE, EMERGENCY, END, OVERRIDE, TEST_FEEDER, Ask, Command, Outcome

letters = st.characters(min_codepoint=0x21, max_codepoint=0x24F, exclude_categories=("Cc",))
lines = st.text(letters, min_size=1, max_size=12)
starts = st.integers(0, 4_000_000_000)
kinds = st.sampled_from((OVERRIDE, EMERGENCY, END, TEST_FEEDER, DIRECTIVE))
values = st.fixed_dictionaries(
    {}, optional={code: st.integers(low, high) for code, (_, low, high) in directive.TABLE.items()}
).filter(bool)


@st.composite
def commands(draw):
    kind = draw(kinds)
    start = draw(starts)
    told = draw(values) if kind == DIRECTIVE else None
    window = command.window_s_max(kind, told)
    return Command(
        draw(st.binary(min_size=8, max_size=8)),
        kind,
        draw(lines),
        draw(lines),
        start,
        start + draw(st.integers(1, window)),
        draw(st.sampled_from(("49135", "2A004", "75056"))),
        draw(st.sampled_from((None, "mairie-1", "a"))),
        None if kind == END else draw(st.none() | lines),
        draw(st.sampled_from((0, 100))) if kind == OVERRIDE else None,
        draw(st.binary(min_size=8, max_size=8)) if kind == END else None,
        told,
    )


outcomes = st.builds(
    Outcome,
    st.none() | st.binary(min_size=8, max_size=8),
    st.sampled_from(command.OUTCOMES),
    st.none() | st.sampled_from(command.WHY),
    st.none() | lines,
    st.none() | st.integers(-1000, 10**8),
    st.none() | starts,
)
asks = st.builds(
    Ask,
    st.binary(min_size=8, max_size=8),
    st.integers(1, command.LEASE_S_MAX),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)

names = st.text("abcdefghé-1", min_size=1, max_size=12)


@st.composite
def policies(draw):
    calendars = (lighting.DEFAULT_CALENDAR, EXTINCTION)[: draw(st.integers(1, 2))]
    found = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    rules = tuple(
        FeederRule(name, draw(st.integers(0, 1)), draw(st.integers(0, len(calendars) - 1)), f"g.{name}"[:12])
        for name in found
    )
    return POLICY._replace(
        version=draw(st.integers(1, limits.version_max)),
        valid_from_s=draw(st.integers(limits.unix_min_s, 2 * 10**9)),
        valid_until_s=draw(st.integers(2 * 10**9 + 1, limits.unix_max_s)),
        lighting=LIGHTING._replace(calendars=calendars, feeders=rules, limits=()),
        operators=tuple(draw(st.lists(st.sampled_from(POLICY.operators), max_size=1))),
    )
