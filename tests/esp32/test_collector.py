"""The collector's own turns: when they come, and that they keep a heap of many modules quick."""

import sys
import types

import pytest


@pytest.fixture
def collector(monkeypatch, repository):
    monkeypatch.syspath_prepend(str(repository / "firmware/esp32"))
    import collector

    # On a node modules are few, and plain ones.
    few = types.ModuleType("sys")
    few.modules = {"collector": collector, "gc": collector.gc}
    monkeypatch.setattr(collector, "sys", few)
    runs = []
    monkeypatch.setattr(collector.gc, "collect", lambda: runs.append(1))
    monkeypatch.setattr(collector.gc, "mem_free", lambda: 1000 + len(runs), raising=False)
    made = collector.Collector()
    yield made, runs
    sys.modules.pop("collector")


def test_it_begins_with_a_collection_and_a_turn_that_fills_holes(collector):
    made, runs = collector
    assert [made.turn() for _ in range(3)] == [True, True, False]
    assert runs == [1] and not made.is_due()


@pytest.mark.parametrize(("is_long", "turns"), [(True, 4), (False, 64)])
def test_a_collection_is_due_after_64_kb_of_garbage(collector, is_long, turns):
    made, runs = collector
    made.turn(), made.turn()
    for _ in range(turns):
        assert not made.turn()
        made.add(is_long)
    assert made.is_due() and made.turn() and runs == [1, 1]


def test_what_is_free_is_asked_after_the_first_collection_and_after_each_sixteenth(collector):
    made, runs = collector
    free = [made.free_bytes]
    while len(runs) < 18:
        made.add(True)
        made.turn()
        free.append(made.free_bytes)
    assert sorted(set(free)) == [1000, 1001, 1017]


def test_a_module_that_another_uses_is_looked_at_before_it(collector):
    made, _ = collector
    own = sys.modules["collector"]
    user, used = types.ModuleType("zz_user"), types.ModuleType("aa_used")
    user.used, used.user = used, user
    own.sys.modules |= {"zz_user": user, "aa_used": used}
    type(made)()
    looked, chain = [], own.MODULES
    while chain is not None:
        chain, last = chain
        looked.append(last)
    assert looked.index(used) < looked.index(user) and len(looked) == len(set(looked))
