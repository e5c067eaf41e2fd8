"""The facts of hardware/, sound as they stand; each test may change its own copy."""

import copy

import pytest

from tests.conftest import ROOT
from tools.hardware import generate


@pytest.fixture(scope="session")
def all_facts():
    facts, found = generate.load_facts(ROOT)
    assert found == []
    return facts


@pytest.fixture
def facts(all_facts):
    return copy.deepcopy(all_facts)
