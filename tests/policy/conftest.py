"""Property tests draw the same examples every time: failures repeat, and no database is written."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")
