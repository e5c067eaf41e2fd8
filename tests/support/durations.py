"""Tells where the time of a run goes: how far it is, and at its end what took long, by folder, and what tests recorded.

The durations of each test's last run are kept in `.pytest_cache` (not in git): they are what the share of a run under
`pytest -n` that is done is reckoned from. pytest's own percentage counts tests, and half of the time is in 1 % of them.
"""

import time
from collections import Counter

import pytest

KEPT = "bocage/durations"
UNKNOWN_S = 0.02  # of a test that never ran: the median
STEP_PERCENT = 5  # between two lines of a log; a terminal has one line, which is always fresh
TOLD_FROM_S = 60  # a shorter run has no table
FOLDERS_TOLD, TESTS_TOLD = 12, 8


class Durations:
    """A plugin of the process that reports (not of xdist's workers)."""

    def __init__(self, config):
        self._cache = config.cache
        self._known = self._cache.get(KEPT, {})
        self._plugins = config.pluginmanager
        self._spent = Counter()
        self._begun_s = time.monotonic()
        self._expected = {}  # of the tests of a run under xdist
        self._sum_s = self._done_s = 0
        self._told = -1

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        self._expected = {test: self._known.get(test, UNKNOWN_S) for test in ids}
        self._sum_s = sum(self._expected.values())

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report):
        if self._expected and report.passed:
            return "passed" if report.when == "call" else "", "", ""  # no dot: the share that is done stands there
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        self._spent[report.nodeid] += report.duration
        if self._expected:
            self._done_s += self._expected.pop(report.nodeid, 0)  # of a test that fails more than one report comes
            self._tell(100 * self._done_s // self._sum_s, report.nodeid.partition("::")[0])

    def _tell(self, percent, file):
        if percent == self._told:
            return
        reporter = self._plugins.get_plugin("terminalreporter")
        line = f" {percent:3.0f} %  {self._run_s():5.0f} s  {file}"
        if reporter.isatty:
            reporter.rewrite(line, erase=True)
            self._told = percent
        elif percent // STEP_PERCENT != self._told // STEP_PERCENT:
            reporter.write_line(line)
            self._told = percent

    def pytest_sessionfinish(self):
        known = self._cache.get(KEPT, {})  # again: another run may have ended meanwhile
        self._cache.set(KEPT, known | {test: round(spent, 3) for test, spent in self._spent.items()})

    def pytest_terminal_summary(self, terminalreporter):
        for report in terminalreporter.stats.get("passed", ()):
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name} {value}  {report.nodeid}")
        sum_s = sum(self._spent.values())
        if sum_s < TOLD_FROM_S:
            return
        by_folder, tests = Counter(), Counter()
        for test, spent in self._spent.items():
            by_folder[_folder(test)] += spent
            tests[_folder(test)] += 1
        terminalreporter.section(f"where {sum_s:.0f} s went, beside each other in {self._run_s():.0f}")
        for folder, spent in by_folder.most_common(FOLDERS_TOLD):
            terminalreporter.write_line(f"{spent:6.0f} s  {tests[folder]:5} tests  {folder}")
        terminalreporter.write_line("the longest:")
        for test, spent in self._spent.most_common(TESTS_TOLD):
            terminalreporter.write_line(f"{spent:6.0f} s  {test}")

    def _run_s(self):
        return time.monotonic() - self._begun_s


def _folder(test):
    """Returns the first three folders of a test, or those it has."""
    return "/".join(test.partition("::")[0].split("/")[:-1][:3])
