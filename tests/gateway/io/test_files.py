"""The boot number: never used twice, wherever the power goes between two steps."""

import os
from pathlib import Path

import pytest

from gateway.io import files
from gateway.io.files import foreign_boots, next_boot


class Stop(BaseException):
    """The power, going."""


@pytest.fixture
def stop_at(monkeypatch):
    """Arms a stop before (or after) the n-th system call of the counter; returns how many there were."""
    real = {"open": os.open, "fsync": os.fsync, "close": os.close}
    unlink = Path.unlink
    state = {"calls": 0, "stop": None, "after": False}

    def guarded(call):
        def step(*arguments, **options):
            state["calls"] += 1
            stops = state["calls"] == state["stop"]
            if stops and not state["after"]:
                raise Stop
            result = call(*arguments, **options)
            if stops:
                raise Stop
            return result

        return step

    class Os:
        """`os` as the counter sees it."""

        O_CREAT, O_WRONLY, O_RDONLY, name = os.O_CREAT, os.O_WRONLY, os.O_RDONLY, os.name
        open, fsync, close = (staticmethod(guarded(real[name])) for name in ("open", "fsync", "close"))

    for module in (files, files):
        monkeypatch.setattr(module, "os", Os)
    monkeypatch.setattr(Path, "unlink", guarded(unlink))

    def arm(stop, *, after=False):
        state.update(calls=0, stop=stop, after=after)
        return state

    return arm


def test_it_begins_at_one_and_rises_by_one(tmp_path):
    folder = tmp_path / "state"
    assert [next_boot(folder) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_stop_at_every_step_never_gives_a_number_twice(tmp_path, stop_at, after):
    state = stop_at(None)
    for _ in range(3):
        next_boot(tmp_path)
    used = 3
    steps = 0
    while True:
        steps += 1
        stop_at(steps, after=after)
        try:
            boot = next_boot(tmp_path)
        except Stop:
            stop_at(None)
            boot = next_boot(tmp_path)
            assert boot > used
            used = boot
            continue
        assert boot > used
        break
    assert steps > 6 and state["calls"] > 5, "the stops touched nothing"


def test_a_number_is_durable_before_it_is_used(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: order.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    next_boot(tmp_path)
    assert order == [str(tmp_path / "boot-0000000001"), str(tmp_path)]


def test_a_disk_that_does_not_sync_gives_no_number(tmp_path, monkeypatch):
    def fail(_descriptor):
        raise OSError(5, "simulated")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="simulated"):
            next_boot(tmp_path)
    assert next_boot(tmp_path) == 2


def test_other_names_are_left_alone(tmp_path):
    for name in ("boot-²", "boot-", "boot-x", "refused-00000001.log"):
        (tmp_path / name).touch()
    assert [next_boot(tmp_path) for _ in range(3)] == [1, 2, 3]
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("name", ["boot-" + "9" * 30, "boot-4294967295", "boot-7", "boot-0000000007x"])
def test_a_number_that_no_start_had_is_named_and_left_alone(tmp_path, name):
    next_boot(tmp_path)
    (tmp_path / name).touch()
    assert [next_boot(tmp_path) for _ in range(3)] == [2, 3, 4]
    assert foreign_boots(tmp_path) == [name]


def test_a_card_that_loses_the_newest_name_does_not_begin_at_one_again(tmp_path):
    for _ in range(4):
        next_boot(tmp_path)
    (tmp_path / "boot-0000000004").unlink()
    assert next_boot(tmp_path) == 4


def test_a_folder_from_an_old_backup_uses_no_number_again(tmp_path):
    october, november = 1_793_000_000, 1_795_600_000
    used = {next_boot(tmp_path, october + 40 * number) for number in range(5)}
    saved = [path.name for path in tmp_path.iterdir()]
    used |= {next_boot(tmp_path, october + 86_400 * number) for number in range(1, 30)}
    for path in tmp_path.iterdir():
        path.unlink()
    for name in saved:
        (tmp_path / name).touch()
    assert len(used) == 34 and next_boot(tmp_path, november) not in used


@pytest.mark.parametrize("unix_s", [0, -5, 1_767_225_600, 1_767_225_599 + 101 * 366 * 86_400, 1 << 60])
def test_a_clock_that_is_not_set_or_mad_leaves_the_counter_alone(tmp_path, unix_s):
    assert [next_boot(tmp_path, unix_s) for _ in range(3)] == [1, 2, 3]
