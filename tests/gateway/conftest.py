"""Fixtures that several files of this folder use."""

from tests.support.hostile_link import against

__all__ = ["against"]
