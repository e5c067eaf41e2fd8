"""What a sender says while nobody answers: little, and of what flash holds nothing."""

from node.outbox import Outbox
from tests.node.test_sender import TIME, Bench, lane_of
from wire import coap_message as messages
from wire.event import TELEMETRY


class StoredAlone(Outbox):
    """Telemetry that flash holds, and who read it."""

    reads = 0

    def any_stored(self, lanes):
        return TELEMETRY in lanes and self._lanes[TELEMETRY] != []

    def any_in(self, lanes):
        return any(self._lanes[lane] for lane in lanes if lane != TELEMETRY)

    def first(self, lanes, bytes_max, count_max):
        return [] if TELEMETRY in lanes else super().first(lanes, bytes_max, count_max)

    def stored(self, lanes, bytes_max, count_max):
        self.reads += TELEMETRY in lanes
        return super().first(lanes, bytes_max, count_max)


def test_in_a_silence_an_empty_question_stands_for_what_flash_holds():
    bench = Bench()
    bench.box = bench.sender._outbox = StoredAlone()
    bench.put(TELEMETRY, 3, size=100)
    bench.reachable = False
    bench.run(600)
    assert bench.box.reads == 1, "read once before anybody failed to answer, and never in the silence"
    sent = bench.datagrams[1:]
    assert len(sent) > 10 and max(len(each) for each in sent[8:]) < 40
    bench.reachable = True
    bench.run(300, lambda request: (messages.CHANGED, TIME))
    assert [lane_of(request) for _, request in bench.requests][:2] == ["empty", "t"]
    assert bench.box.sequences() == [] and bench.sender.deadline_ms() is None
