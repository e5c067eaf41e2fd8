"""The budget on its disk: no crash and no damaged file makes it count too little, and writes are few."""

import errno
from random import Random

import pytest

from gateway.core import limits
from tests.support.budget_world import DAY_S, LIMIT, MB, NOVEMBER_1, Meter


@pytest.mark.parametrize("seed", range(60))
def test_a_power_cut_at_any_write_counts_too_much_at_most_and_by_a_block_or_two(seed):
    rng = Random(seed)
    meter = Meter(seed=seed)
    meter.use(0)
    true = 0
    block = limits.BUDGET_BLOCK_BYTES_MAX
    for _ in range(8):
        for _ in range(rng.randrange(30)):
            used = rng.randrange(200_000)
            true += used
            meter.use(used)
        meter.disk.power_cut()
        before = meter.used
        meter.counter, meter.interface = 0, f"boot-{rng.random()}/3"  # the machine has started anew
        meter.restart()
        meter.use(0)
        assert true <= meter.used <= before + 3 * block


def test_a_restart_of_the_agent_alone_is_exact_even_for_what_went_by_meanwhile():
    meter = Meter()
    meter.use(0)
    meter.use(3 * MB + 17)
    meter.restart()
    meter.use(1000)
    assert meter.used == 3 * MB + 1017


def test_an_orderly_stop_costs_nothing_over_a_reboot():
    meter = Meter()
    meter.use(0)
    meter.use(3 * MB + 17)
    meter.budget.close()
    meter.counter, meter.interface = 0, "boot-b/3"
    meter.restart()
    meter.use(5)
    assert meter.used == 3 * MB + 22


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 200, b"[1,2,3] 00000000\n", b"x" * 100_000, b"\xff\xfe" * 50])
@pytest.mark.parametrize("spoilt", [1, 2])
def test_a_newest_file_that_is_garbage_counts_as_the_reservation_it_was(garbage, spoilt):
    meter = Meter()
    meter.use(0)
    for _ in range(100):
        meter.use(MB // 10)
    while meter.budget._used + meter.budget._block // 2 + MB // 10 <= meter.budget._reserved:
        meter.use(MB // 10)
    true = meter.used
    for name in meter.disk.list()[-spoilt:]:
        meter.disk.put(name, garbage)
    meter.counter, meter.interface = 0, "boot-b/3"
    meter.restart()
    meter.use(0)
    assert true <= meter.used <= true + 3 * limits.BUDGET_BLOCK_BYTES_MAX
    assert meter.budget.counters["damaged-files"] == spoilt


def test_every_flipped_byte_of_the_newest_file_is_seen():
    meter = Meter()
    meter.use(0)
    meter.use(10 * MB)
    newest = meter.disk.list()[-1]
    whole = meter.disk.read(newest, 0, 10_000)
    for index in range(len(whole)):
        meter.disk.put(newest, whole[:index] + bytes([whole[index] ^ 0x10]) + whole[index + 1 :])
        meter.restart()
        assert meter.budget.counters["damaged-files"] == 1
        meter.disk.put(newest, whole[:index])
        meter.restart()
        assert meter.budget.counters["damaged-files"] == 1


def test_when_no_file_can_be_read_telemetry_is_thinned_and_not_stopped():
    meter = Meter()
    meter.use(0)
    for _ in range(300):
        meter.use(MB, after_s=3600)
    for name in meter.disk.list():
        meter.disk.put(name, b"\x00" * 100)
    meter.restart()
    meter.counter, meter.interface = 0, "boot-b/1"
    meter.use(0)
    assert meter.budget.policy() == "thin"
    meter.use(LIMIT)
    assert meter.budget.policy() == "hold"


def test_when_the_first_file_of_all_cannot_be_read_a_block_is_counted():
    meter = Meter()
    meter.use(0)
    meter.disk.put(meter.disk.list()[-1], b"")
    meter.interface = "boot-b/1"
    meter.restart()
    meter.use(0)
    assert meter.used == limits.BUDGET_BLOCK_BYTES_MAX


def test_files_stay_few_small_and_apart_from_others():
    meter = Meter()
    meter.disk.put("boot-0000000001", b"")
    meter.disk.put("budget-mobile-²²²²²²²²²²", b"somebody's")
    meter.disk.put("budget-mobile-2-0000000009", b"another bearer's")
    meter.use(0)
    for _ in range(300):
        meter.use(MB)
    ours = [name for name in meter.disk.list() if name.startswith("budget-mobile-0")]
    assert len(ours) == limits.BUDGET_FILES_KEPT
    assert all(meter.disk.size(name) <= limits.BUDGET_FILE_BYTES_MAX for name in ours)
    assert {"boot-0000000001", "budget-mobile-²²²²²²²²²²", "budget-mobile-2-0000000009"} < set(meter.disk.list())


def test_writes_a_day_are_bounded_by_traffic_and_by_a_clock_that_leaps():
    meter = Meter()
    meter.use(0)
    for _ in range(24_000):
        meter.use(MB)
    assert limits.BUDGET_WRITES_PER_DAY < meter.budget.counters["written"] < limits.BUDGET_WRITES_PER_DAY_MAX
    for day in range(2000):
        meter.unix_s = NOVEMBER_1 + (day % 2) * 40 * DAY_S
        meter.use(1)
    assert meter.budget.counters["written"] <= limits.BUDGET_WRITES_PER_DAY_MAX
    meter.unix_s = None
    before = meter.budget.counters["written"]
    meter.use(2000 * 1000 * MB, after_s=DAY_S)
    assert meter.budget.counters["written"] == before + 1
    assert meter.budget._reserved - meter.used == limits.BUDGET_BLOCK_BYTES_MAX


def test_an_ordinary_day_of_mobile_is_written_a_few_dozen_times():
    meter = Meter()
    meter.use(0)
    for _ in range(8640):
        meter.use(3000, after_s=10)  # 26 MB
    assert meter.budget.counters["written"] <= 60


def test_a_disk_that_fails_is_counted_and_the_count_goes_on():
    meter = Meter()
    meter.use(0)
    meter.disk.append_error = errno.ENOSPC
    meter.use(20 * MB)
    assert meter.used == 20 * MB and meter.budget.counters["disk-errors"] == 1
    meter.disk.append_error = None
    meter.use(1)
    meter.use(2 * MB)
    assert meter.budget.counters["disk-errors"] == 1
    meter.counter, meter.interface = 0, "boot-b/3"
    meter.restart()
    meter.use(0)
    assert meter.used >= 22 * MB


def test_a_folder_that_cannot_be_listed_at_the_start_is_read_later(monkeypatch):
    meter = Meter()
    meter.use(0)
    meter.use(50 * MB)

    def fail():
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as patched:
        patched.setattr(meter.disk, "list", fail)
        meter.restart()
        meter.interface = "boot-b/3"
        meter.use(MB)
        assert meter.budget.counters["disk-errors"] >= 1
        meter.budget.close()
    meter.use(MB)
    assert meter.used >= 51 * MB
    numbers = [name for name in meter.disk.list() if name.startswith("budget-")]
    assert numbers == sorted(numbers) and len(numbers) <= limits.BUDGET_FILES_KEPT
    meter.restart()
    meter.interface = "boot-c/3"
    meter.use(0)
    assert meter.used >= 51 * MB
