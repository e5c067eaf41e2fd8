"""The bench tool is tested in English; that it speaks French by default is for the tests of the command line."""

import pytest

from tests.support.captured_street import street

__all__ = ["street"]

from tools import command_line


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(command_line, "DEFAULT_LANGUAGE", "en")
