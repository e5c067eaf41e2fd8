"""What `night` and `explain` say is what the contactors do: drawn policies in words beside the cabinet's decisions."""

import itertools
import re
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.cabinet.feeder import Feeder, FeederOptions, LocalControl, considered
from gateway.core.cabinet.orders import CabinetPlace, Orders
from gateway.core.cabinet.time_basis import CLOCK, Basis
from gateway.io.crypto import verify_ed25519
from gateway.show.explain.calendar import PERMANENT, law_of, night_of, wish
from policy import civil, document
from tests.support.commune import FENEU, INSEE
from tests.support.examples import examples
from tests.support.sample_policy import SAMPLE
from tools.policy import description
from tools.policy.compiler import compile_text

FIRST = civil.days_from_civil(2027, 1, 1)
NOON_S = 43_200
_SPAN = re.compile(r"allumé de (\d\d):(\d\d) à (\d\d):(\d\d)")
# Until 02:10 an hour passes twice in autumn; at 02:30 in spring there is no such time.
_TIMES = ("22:40", "23:00", "00:30", "02:10", "02:30", "04:15", "05:30", "06:30")


class Contactors:
    """The contactors of a cabinet that follows a policy, with a clock that is right and nothing ordered."""

    def __init__(self, policy):
        names = [one.name for one in policy.lighting.feeders]
        self.names = names
        self._feeders = [Feeder(FeederOptions(name, 4, 800), FENEU) for name in names]
        for feeder in self._feeders:
            feeder.set_rules(policy.lighting)
        place = CabinetPlace(INSEE, "mairie-1", tuple((one.name, one.group) for one in policy.lighting.feeders))
        self._orders = Orders(place, verify_ed25519, lambda *_, **__: None, lambda *_, **__: None)

    def demand(self, index, unix_s):
        demands = considered(
            index, self._feeders[index], Basis(CLOCK, unix_s), switch=None, hand=LocalControl(), orders=self._orders,
            has_lease=True,
        )  # fmt: skip
        return next(demand for demand in demands if demand is not None)

    def by_the_minute(self, index, start_s, end_s):
        """The minutes at whose end the contactor is closed, from `start_s` on: a printed time is cut to its minute."""
        return {at_s - 59 for at_s in range(start_s + 59, end_s, 60) if self.demand(index, at_s).closed}

    def by_the_change(self, index, start_s, end_s):
        """The same, asked only where the cabinet says that its answer may change, and a second before and after."""
        closed = set()
        at_s = start_s
        while at_s < end_s:
            demand = self.demand(index, at_s)
            until_s = min(end_s, demand.until_s or end_s)
            assert self.demand(index, until_s - 1).closed is self.demand(index, at_s + 1).closed is demand.closed
            if demand.closed:
                closed |= {minute for minute in minutes(at_s, until_s, start_s) if at_s <= minute + 59 < until_s}
            at_s = until_s
        return closed


def minutes(from_s, to_s, start_s):
    return range(from_s - (from_s - start_s) % 60, to_s, 60)


def printed(policy, evening):
    """The minutes of light that a person reads, by feeder: of the night's text, and of nothing else."""
    start_s, end_s = (civil.unix_from_local(civil.PARIS, evening + days, NOON_S) for days in (0, 1))
    lines = description.night_lines(policy, evening, (), "fr")
    found = {}
    for line in lines:
        name, _, words = line.strip().partition("  ")
        if not line.startswith("  ") or not words:
            continue
        spans = [(start_s, end_s)] if "toujours alimenté" in words else []
        for match in _SPAN.findall(words):
            first, last = (60 * int(match[i]) + int(match[i + 1]) for i in (0, 2))
            spans.append((at(evening, first, start_s, False), at(evening, last, end_s, True)))
        assert spans or "éteint toute la nuit" in words, line
        found[name] = set(itertools.chain.from_iterable(range(first, last, 60) for first, last in spans))
    return found, start_s, end_s


def at(evening, minute, noon_s, is_end):
    """The instant of a printed time: of the evening from noon on, else of the morning; an end at noon is the next."""
    if minute == 720:
        return noon_s
    return civil.unix_from_local(civil.PARIS, evening + (minute < 720), 60 * minute)


def faults_of(policy, evening, ask):
    """(feeder, minute) of each difference between what is printed and what is done."""
    found, start_s, end_s = printed(policy, evening)
    contactors = Contactors(policy)
    done = {name: ask(contactors, index, start_s, end_s) for index, name in enumerate(contactors.names)}
    assert found.keys() == done.keys()
    return [(name, minute) for name in done for minute in sorted(found[name] ^ done[name])]


# --- policies -----------------------------------------------------------------------------------------------------


@st.composite
def nights(draw, head=""):
    """A night: lit at dusk, cut and lit again or not, out at dawn."""
    times = draw(st.lists(st.integers(0, len(_TIMES) - 1), max_size=3, unique=True).map(sorted))
    steps = [f"sunset{draw(st.integers(-60, 30)):+} on"]
    steps += [f"{_TIMES[place]} {('off', 'on')[count % 2]}" for count, place in enumerate(times)]
    if len(times) % 2 == 0:
        steps.append(f"sunrise{draw(st.integers(-30, 60)):+} off")
    written = ", ".join(f'"{step}"' for step in steps)
    return f"  [[calendar.night]]\n{head}  steps = [{written}]\n"


@st.composite
def texts(draw):
    heads = st.sampled_from(('  weekdays = "ven sam"\n', '  dates = ["12-24", "10-31"]\n', '  dates = "05-01..08-20"\n',
                             '  weekdays = "dim"\n  dates = "03-01..10-31"\n'))  # fmt: skip
    text = SAMPLE[: SAMPLE.index("# --- Calendriers")]
    for name in ("a", "b"):
        text += f'[[calendar]]\nname = "{name}"\n'
        text += "".join(draw(nights(head)) for head in draw(st.lists(heads, max_size=2, unique=True)))
        text += draw(nights())
        text += f'[[group]]\nname = "groupe {name}"\ncalendar = "{name}"\nfeeders = ["{name} 1"]\n'
    return text + '[[group]]\nname = "sports"\nkind = "permanent"\nfeeders = ["stade"]\n'


def compiled(text):
    """The policy of a drawn text; one with a step that never acts is no policy."""
    found = compile_text(text)
    assert {fault.key for fault in found.faults} <= {"never_step", "never_night"}, found.faults
    assume(found.policy is not None)
    return found.policy


CHANGES_OF_TIME = [civil.days_from_civil(2027, 3, 27), civil.days_from_civil(2027, 10, 30)]


@given(texts(), st.integers(FIRST, FIRST + 364) | st.sampled_from(CHANGES_OF_TIME))
def test_a_night_is_printed_as_the_contactors_will_have_it_to_the_minute(text, evening):
    assert faults_of(compiled(text), evening, Contactors.by_the_minute) == []


@given(texts(), st.integers(FIRST, FIRST + 364) | st.sampled_from(CHANGES_OF_TIME))
def test_an_explanation_says_what_the_contactors_will_do(text, evening):
    """Every hour, and on the second of each change that it announces."""
    policy = compiled(text)
    contactors = Contactors(policy)
    cabinet = SimpleNamespace(policy_plain=document.encode(policy))
    for index, one in enumerate(policy.lighting.feeders):
        law = law_of(cabinet, one)
        start_s, end_s = (civil.unix_from_local(civil.PARIS, evening + days, NOON_S) for days in (0, 1))
        changes = [] if law.kind == PERMANENT else [at_s for at_s, _, _ in night_of(law, start_s).changes()]
        for at_s in [*range(start_s, end_s, 3600), *changes, *(at_s - 1 for at_s in changes)]:
            assert wish(law, at_s).wants_light is contactors.demand(index, at_s).closed


@pytest.mark.slow
@examples(times=0.05)
@given(texts())
def test_a_year_is_printed_as_the_contactors_will_have_it(text):
    policy = compiled(text)
    for evening in range(FIRST, FIRST + 365):
        assert faults_of(policy, evening, Contactors.by_the_change) == []


@pytest.mark.parametrize("evening", [FIRST, FIRST + 180, *CHANGES_OF_TIME])
def test_the_sample_is_printed_as_the_contactors_will_have_it(evening):
    policy = compile_text(SAMPLE).policy
    for ask in (Contactors.by_the_minute, Contactors.by_the_change):
        assert faults_of(policy, evening, ask) == []


def test_a_night_that_is_printed_a_minute_wrong_is_seen(monkeypatch):
    """The comparison catches a minute, and a feeder that is always powered and printed by a calendar."""
    policy = compile_text(SAMPLE).policy
    right = description._time
    monkeypatch.setattr(description, "_time", lambda unix_s: right(unix_s + (60 if unix_s % 86_400 < 43_200 else 0)))
    assert faults_of(policy, FIRST, Contactors.by_the_minute)
    monkeypatch.undo()
    stadium = compile_text(SAMPLE.replace('"gare"]', '{ name = "gare", kind = "permanent" }]')).policy
    monkeypatch.setattr(description, "_follows", lambda feeder: True)
    assert faults_of(stadium, FIRST, Contactors.by_the_change)
