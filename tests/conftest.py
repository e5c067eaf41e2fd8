"""What every test may ask for: the other programs on this machine, and the rule on skipping them; how a run is chosen.

`BOCAGE_REQUIRE=live,broker,vm` turns a skip of a test with one of these marks into a failure, so that a
machine that lacks a program cannot pass by testing nothing. Must hold no fixture of a single subject: those
stand beside their tests.
"""

import gc
import os
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol  # not public; pytest-rerunfailures stands on it too
from hypothesis import settings

from tests.support.affected import affected
from tests.support.durations import Durations
from tools.bare import build, machine
from tools.package import catalogue

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
REQUIRED = frozenset(mark for mark in os.environ.get("BOCAGE_REQUIRE", "").split(",") if mark)
MICROPYTHON_MIN = (1, 25)  # what Debian 13 ships; the portable subset is measured from there on
NO_MICROPYTHON = "no MicroPython VM of 1.25 or newer (apt-get install micropython, or set BOCAGE_MICROPYTHON)"

# The same examples in every run: a failure repeats, and no database is written. A test that wants more than others asks
# for a multiple (`examples(times=...)` in tests/support/examples.py).
settings.register_profile("full", derandomize=True, database=None, deadline=None, max_examples=50)
settings.register_profile("quick", settings.get_profile("full"), max_examples=10)
settings.load_profile("full")


# --- what may be skipped --------------------------------------------------------------------------


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        catalogue.compile_all(ROOT)  # a checkout's French is never older than its .po
        if getattr(config, "cache", None):
            config.pluginmanager.register(Durations(config))
    known = {line.partition(":")[0] for line in config.getini("markers")}
    if unknown := REQUIRED - known:
        raise pytest.UsageError(
            f"BOCAGE_REQUIRE: no such mark in pyproject.toml: {', '.join(sorted(unknown))}"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        marks = REQUIRED.intersection(mark.name for mark in item.iter_markers())
        _refuse_skip(report, marks)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    report = yield
    if report.skipped:
        _refuse_skip(report, REQUIRED)  # a module that skips itself whole hides the marks it has
    return report


def _refuse_skip(report, marks):
    if not marks:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{reason}\n(no skip here: BOCAGE_REQUIRE asks for {', '.join(sorted(marks))})"


# --- the quick tests, and those of a change --------------------------------------------------------

QUICK = "not (vm or broker or live or root or slow or services)"
QUICK_SEEDS = 4  # of a test that is asked with many, in the quick loop: the first ones


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="what needs no real part and no long time; few examples")
    parser.addoption(
        "--of", action="append", metavar="PATH", help="what tests this file or folder; `changed`: what git sees changed"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if config.option.quick:
        config.option.markexpr = config.option.markexpr or QUICK
        settings.load_profile("quick")


@cache
def _chosen(*names):
    return affected(names)


def pytest_ignore_collect(collection_path, config):
    if config.option.of and collection_path.match("test_*.py") and collection_path not in _chosen(*config.option.of):
        return True
    return None


# --- several processes ----------------------------------------------------------------------------

# What follows each other in one process: these want the same night.
TOGETHER = (("tests/simulator/test_territory.py", "tests/simulator/report"),)
CORES, WAITING = os.cpu_count() or 1, 4
FEW_FILES = 12  # are tested in the time in which processes start


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """`-n auto`: one for each core, and four for real parts, which are waited for: twenty minutes in all.
    The quick loop waits for nothing."""
    if config.option.of and len(_chosen(*config.option.of)) <= FEW_FILES:
        return 0
    return CORES + (0 if config.option.markexpr == QUICK else WAITING)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Under `pytest -n`: of a test that passes one report is sent, with the time of all three parts, and no word of its
    beginning and end: six messages a test are 5 s of processor in the quick loop."""
    if not hasattr(item.config, "workerinput"):
        return None
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    told = [report for report in reports if report.when == "call" or not report.passed]
    told[0].duration = sum(report.duration for report in reports)
    for report in told:
        item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Under `pytest -n`: a process is given a whole file, or those that belong together, so that what their tests share
    is made once. One process for each core begins at the end of the queue, where the long files without real parts are:
    so the processors work while the other processes wait, and the last files of a run are short ones."""
    # Not `--dist loadgroup`: what pytest-xdist 3.8 writes for that pytest 9.2 does not read.
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.partition("::")[0]
            return next((paths[0] for paths in TOGETHER if path.startswith(paths)), path)

        def _assign_work_unit(self, node):
            if node in self.nodes[:CORES]:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
            # After each test all that a process was ever given is looked through: of files that are over, for nothing.
            given = self.assigned_work[node].items()
            self.assigned_work[node] = {file: tests for file, tests in given if not all(tests.values())}
            super()._assign_work_unit(node)

    config.option.loadscopereorder = False  # the order of collection, below
    return Together(config, log)


def pytest_collection_modifyitems(config, items):
    """In the quick loop a test has few seeds. Under `pytest -n` the queue begins with what has real parts, the largest
    limit of time before all, and ends with the files that have the most slow tests, or tests on a VM."""
    if config.option.markexpr == QUICK:
        few = list(_with_few_seeds(items))
        config.hook.pytest_deselected(items=set(items).difference(few))
        items[:] = few
    if hasattr(config, "workerinput"):
        slow = Counter(item.path for item in items for mark in ("slow", "vm") if item.get_closest_marker(mark))
        items.sort(key=lambda item: _patience_s(item) or -slow[item.path], reverse=True)


def _with_few_seeds(items):
    seeds = {}  # of each test, in their order
    for item in items:
        seed = item.callspec.params.get("seed") if hasattr(item, "callspec") else None
        own = seeds.setdefault((item.path, item.originalname), {})
        if seed is None or own.setdefault(seed, len(own)) < QUICK_SEEDS:
            yield item


def _patience_s(item):
    """Returns the limit of time of a long test with real parts; a second for a short one, 0 without real parts."""
    marks = {mark.name for mark in item.iter_markers()}
    if marks.isdisjoint(("live", "root", "broker")):
        return 0
    limit = item.get_closest_marker("timeout")
    return 1 if "slow" not in marks else limit.args[0] if limit else 2


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keeps the collector of garbage from looking for it among what is only made: a sixth of the time of collecting."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


# --- MicroPython VMs ------------------------------------------------------------------------------


def _micropython_vms():
    """Paths of the MicroPython VMs to test on, the newest last."""
    if not _vms:
        _vms.extend(_found_vms() or [None])
    return [vm for vm in _vms if vm]


def _found_vms():
    from simulator.hosts.vm import micropythons  # here, for most runs ask for none

    paths = micropythons()
    if os.environ.get("BOCAGE_MICROPYTHON"):
        if absent := [path for path in paths if not shutil.which(path)]:
            raise pytest.UsageError(f"BOCAGE_MICROPYTHON names no program: {', '.join(absent)}")
        return paths
    versions = sorted((_version(path), path) for path in paths)
    return [path for version, path in versions if version >= MICROPYTHON_MIN]


def _version(path):
    """(major, minor) of the VM at `path`; (0, 0) for what does not start."""
    command = [path, "-c", "import sys; print('%d.%d' % sys.implementation[1][:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return (0, 0)
    told = re.fullmatch(r"(\d+)\.(\d+)\s*", done.stdout)
    return (int(told[1]), int(told[2])) if told else (0, 0)


_vms = []  # found once, at the first test that asks


def _label(vm):
    return "no-vm" if vm is None else "-".join(Path(vm).parts[-3:]).replace("-bin-micropython", "")


def pytest_generate_tests(metafunc):
    if "micropython" in metafunc.fixturenames:
        vms = _micropython_vms() or [None]
        if metafunc.definition.get_closest_marker("every_vm") is None:
            vms = vms[-1:]
        metafunc.parametrize("micropython", vms, ids=[_label(vm) for vm in vms], indirect=True)


@pytest.fixture
def micropython(request):
    """Path of the newest MicroPython VM; a test marked `every_vm` runs once on each."""
    if request.param is None:
        pytest.skip(NO_MICROPYTHON)
    return request.param


@pytest.fixture(scope="session")
def micropython_interpreters():
    """Paths of all MicroPython VMs, at least one; without any the test is skipped."""
    return _micropython_vms() or pytest.skip(NO_MICROPYTHON)


# --- other programs -------------------------------------------------------------------------------


def _program(name, package):
    # Debian keeps daemons where the PATH of an ordinary user does not look.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(name, path=path) or pytest.skip(f"no {name} (apt-get install {package})")


@pytest.fixture(scope="session")
def mosquitto_path():
    """Path of the Mosquitto broker."""
    return _program("mosquitto", "mosquitto")


@pytest.fixture(scope="session")
def coap_client_path():
    """Path of libcoap's command-line client, without TLS."""
    return _program("coap-client-notls", "libcoap3-bin")


@pytest.fixture(scope="session")
def tshark_path():
    """Path of Wireshark's command-line dissector; `editcap` stands beside it."""
    return _program("tshark", "tshark")


@pytest.fixture(scope="session")
def elf():
    """Path of MicroPython for the bare 32-bit machine; QEMU for it is there, too."""
    if not machine.is_installed():
        pytest.skip(f"no {machine.QEMU} (apt-get install {machine.PACKAGE})")
    return build.find() or pytest.skip("no MicroPython for RV32 (python -m tools.bare.build)")


@pytest.fixture(scope="session")
def repository():
    """Path of the repository's root."""
    return ROOT
