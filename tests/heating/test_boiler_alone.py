"""A boiler whose node has no network, is blocked or dies: its frames go on, or it falls back, never at its maximum."""

from itertools import pairwise

from heating.boiler import BoilerLink, BoilerModel
from simulator.twins.otgw import Otgw
from tests.support.warm_world import WarmWorld, model_of


class Chain:
    """Trade, boiler machine, the gateway's twin and a boiler of a room: as kinds.thermostat.Ports joins them."""

    def __init__(self):
        self.world = WarmWorld(model_of("opentherm"), start_ck=1500)
        self.otgw = Otgw(lambda number: {0: 0x0A, 3: 0x0100, 5: 0, 17: 0x2000, 18: 0x0180, 25: 0x2B80}.get(number))
        self.boiler = BoilerLink(BoilerModel(self.world.model.flow_max_ck, None), now_ms=0)
        self.now_ms = 0

    def live(self, for_s, *, runs=True, network=True):
        """A turn each 100 ms, as the shell's. Without a network nothing comes from above: no order, time or
        directive."""
        for _ in range(10 * for_s):
            self.now_ms += 100
            self.otgw.advance(self.now_ms)
            if not runs:
                continue
            if self.now_ms % 10_000 == 0:
                self.world.unix_s = self.world.boot_s + self.now_ms // 1000
                self.world.clock = 0 if network else None
                self.world.ports.settle()
                self.world.step()
            outputs = self.world.trade.outputs
            self.boiler.demand(outputs.on, outputs.flow_ck, now_ms=self.now_ms)
            waiting = self.otgw.any()
            if waiting:
                self.boiler.receive(self.otgw.read(waiting), now_ms=self.now_ms)
            for line in self.boiler.outgoing(now_ms=self.now_ms):
                self.otgw.write(line)

    def longest_silence_ms(self):
        frames = self.otgw.frames_ms
        return max(later - earlier for earlier, later in pairwise(frames))


def test_ten_minutes_without_network_change_nothing_for_the_boiler():
    chain = Chain()
    chain.live(120)
    asked = len(chain.otgw.frames_ms)
    for _ in range(60):
        chain.live(10, network=False)
        assert chain.otgw.ch_enabled, "the lease is renewed by the loop, not by the network"
        assert 2000 * 256 // 100 < chain.otgw.control_setpoint <= chain.world.model.flow_max_ck * 256 // 100
    assert len(chain.otgw.frames_ms) - asked >= 600
    assert chain.longest_silence_ms() <= 1150, "OpenTherm 2.2, section 4.3.1: 1 s + 15 %"
    assert chain.otgw.max_ch == chain.world.model.flow_max_ck * 256 // 100, "id 57 is asserted"


def test_a_block_of_thirty_seconds_leaves_no_gap_and_a_dead_node_leaves_no_boiler_at_maximum():
    chain = Chain()
    chain.live(120)
    chain.live(30, runs=False)
    assert chain.otgw.ch_enabled
    assert chain.longest_silence_ms() <= 1150
    chain.live(60, runs=False)
    assert not chain.otgw.ch_enabled, "the lease has run out: the boiler heats no more"
    assert chain.otgw.control_setpoint == 0
    chain.live(30)
    assert chain.otgw.ch_enabled, "and the node takes it up again by itself"
