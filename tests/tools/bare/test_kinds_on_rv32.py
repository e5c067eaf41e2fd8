"""Each kind of node on a bare 32-bit machine, beside the gateway's link: the first ten minutes of a busy day.
`bocage bench bare` runs whole days."""

import pytest

from tools import firmware_modules
from tools.bench import bare
from tools.bench.node_program import compile_kind, lay_out
from tools.bench.node_world import BusyDay, Vm, VmFault, World
from wire import event

pytestmark = [pytest.mark.services, pytest.mark.vm]
TEN_MINUTES_MS = 600_000


def ten_minutes(kind, heap, folder):
    """The world after it, and the turns."""
    program = lay_out(compile_kind(kind), folder)
    with Vm(bare.stand_in(folder, heap.second), program, heap.first) as node:
        world = World(node, program.case, range(0), BusyDay(kind))
        return world, list(world.run(TEN_MINUTES_MS, idles=False))


@pytest.mark.usefixtures("elf")
@pytest.mark.parametrize(
    ("kind", "heap"), [*((kind, "two") for kind in firmware_modules.kinds()), ("thermostat", "one")]
)
def test_a_node_reports_to_the_gateways_link(tmp_path, kind, heap):
    world, turns = ten_minutes(kind, bare.HEAPS[heap], tmp_path)
    assert [code for code, _ in world.events].count(event.BOOT) == 1
    assert world.acknowledged >= max(2, sum(turn.records for turn in turns) - 3), "the last are still under way"


@pytest.mark.usefixtures("elf")
def test_a_heap_that_is_too_small_is_seen(tmp_path):
    with pytest.raises(VmFault, match="MemoryError"):
        ten_minutes("thermostat", bare.Heap(200_000, 0), tmp_path)


@pytest.mark.usefixtures("elf")
def test_a_count_of_instructions_repeats(tmp_path):
    _, once = ten_minutes("water_meter", bare.HEAPS["one"], tmp_path)
    _, again = ten_minutes("water_meter", bare.HEAPS["one"], tmp_path)
    # Not to the last one: the collector takes a word that is left over on the stack for a pointer, or does not.
    assert all(abs(turn.work - other.work) * 1000 < turn.work for turn, other in zip(once, again, strict=True))
