"""Each kind of node on a bare 32-bit machine, beside the gateway's link: a busy day in the two areas of heap of a
module with PSRAM, its program in a folder, and for one kind in place. `bocage bench bare` runs the other ones."""

import pytest

from tools import firmware_modules
from tools.bench import bare
from tools.bench.node_program import compile_kind, lay_out
from tools.bench.node_world import DAY_MS, BusyDay, Vm, VmFault, World
from wire import event

pytestmark = [pytest.mark.services, pytest.mark.vm]
TEN_MINUTES_MS = 600_000


def lived(node, program, for_ms=TEN_MINUTES_MS):
    """The world after it, and the turns."""
    with node:
        world = World(node, program.case, range(0), BusyDay(program.kind))
        return world, list(world.run(for_ms, idles=False))


@pytest.mark.usefixtures("elf")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "heap"), [*((kind, "two") for kind in firmware_modules.kinds()), ("thermostat", bare.IN_PLACE)]
)
def test_a_day_is_reported_to_the_gateways_link_within_the_stack_of_a_chip(tmp_path, kind, heap):
    program = lay_out(compile_kind(kind), tmp_path)
    world, turns = lived(bare.node_in(heap, program, tmp_path, counted=False), program, DAY_MS)
    assert [code for code, _ in world.events].count(event.BOOT) == 1
    assert world.acknowledged >= max(24, sum(turn.records for turn in turns) - 3), "the last are still under way"
    assert bare.stack_in(tmp_path) <= bare.STACK_BYTES_MAX


@pytest.mark.usefixtures("elf")
def test_a_heap_that_is_too_small_is_seen(tmp_path):
    program = lay_out(compile_kind("thermostat"), tmp_path)
    with pytest.raises(VmFault, match="MemoryError"):
        lived(Vm(bare.stand_in(tmp_path), program, 200_000), program)


@pytest.mark.usefixtures("elf")
def test_a_count_of_instructions_repeats(tmp_path):
    program = lay_out(compile_kind("water_meter"), tmp_path)
    _, once = lived(bare.node_in("one", program, tmp_path), program)
    _, again = lived(bare.node_in("one", program, tmp_path), program)
    # Not to the last one: the collector takes a word that is left over on the stack for a pointer, or does not.
    assert all(abs(turn.work - other.work) * 1000 < turn.work for turn, other in zip(once, again, strict=True))


@pytest.mark.usefixtures("elf")
def test_a_collection_moves_all_that_is_live_through_the_cache_and_a_usual_turn_little(tmp_path):
    made = bare.cached(lay_out(compile_kind("water_meter"), tmp_path), "two", 1, tmp_path)
    assert made["most_lines"] * 32 > 250_000 > made["usual_lines"] * 32 * 3
