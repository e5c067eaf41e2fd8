"""The proofs' cabinet tells its gateway what both disks have synced, so that a full journal makes room at its pace."""

import pytest

from gateway.core import limits
from gateway.core.gateway import Gateway
from simulator.world.chance import Prng
from tools.prove.cabinet import Cabinet, Town, options, real_disks


def deeds(folder, for_ms):
    """Segments that a gateway on real disks let go of in so much virtual time."""
    with real_disks(folder) as disks:
        prng = Prng(5)
        core = options(journal_bytes_max=30_000, alarm_reserve_bytes=4_000)
        cabinet = Cabinet(Town(6, prng.split("town")), disks, prng=prng.split("cabinet"), options=core)
        cabinet.start()
        cabinet.run(for_ms, making=True)
        counters = cabinet.core.thinner.counters
        return sum(counters[f"segments-{kind}"] for kind in ("thinned", "dropped", "merged"))


@pytest.mark.slow
def test_no_deed_waits_for_a_sync_of_the_ledger_that_is_over(tmp_path):
    assert deeds(tmp_path, 3 * limits.THINNING_LEDGER_WAIT_MS) > 100


def test_the_check_sees_a_cabinet_that_does_not_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(Gateway, "on_state_synced", lambda *_, **__: None)
    assert deeds(tmp_path, 3 * limits.THINNING_LEDGER_WAIT_MS) < 10
