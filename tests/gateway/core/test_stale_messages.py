"""What a broker kept, repeats or makes up moves nothing."""

from gateway.core import limits
from tests.support.gateway_world import ANSWERS, GATEWAY, OPTIONS, GatewayWorld, alarm, payload, reading
from wire import cbor, event, topic
from wire.receipt import Receipt

FAR = cbor.encode([1, b"epoch-01", event.TELEMETRY, 1 << 40], 64)  # nobody has signed it
COMMANDS = (b"", b"ON", b"\xff" * 70_000, b'{"state": "OFF"}', b"\xa2\x00\x01\x01\x18\x64", FAR)


def test_stale_retained_and_replayed_messages_are_refused_and_counted():
    """zigbee2mqtt#1709 and OpenMQTTGateway#102 (retained commands replay), thin-edge.io#2542, #2150.

    This agent takes no commands: whatever comes on a class other than that of receipts, or is no receipt, is refused
    and counted; a receipt of before, of elsewhere or of the future moves nothing. Nothing is sent because of them.
    """
    world = GatewayWorld(auto_sync=True)
    for sequence in range(60):
        world.ask(payload(reading(sequence)))
        world.wait(OPTIONS.commit_ms)
    world.ask(payload(alarm(60)))
    world.connect()
    for publication in world.take_publications():
        world.core.on_puback(publication.token, 0, now_ms=world.now_ms)
    world.turn()
    assert world.core.connection_topics() == [ANSWERS], "it asks for nothing else"
    world.wait(30_000)
    world.publications.clear()
    world.sent.clear()
    held, connects, now_ms = world.held(), world.connects, world.now_ms
    stale = [Receipt(GATEWAY, epoch, event.TELEMETRY, 3, ()) for epoch in (b"epoch-00", b"another!")]
    count = 0
    for _ in range(50):
        for kind in (topic.COMMAND, topic.POLICY, topic.STATE, topic.TELEMETRY, topic.EVENT, topic.OUTCOME):
            for data in COMMANDS:
                world.hear(data, topic.build(kind, "49007", "cab-12"))
                count += 1
        for data in COMMANDS:
            world.hear(data)
            count += 1
        for message in stale:
            world.hear(message)
    assert world.core.counters["messages-refused"] == count == 50 * (6 * 6 + 6)
    assert world.now_ms == now_ms and world.held() == held and world.connects == connects
    assert world.publications == [] and world.sent == []
    assert world.state_disk.bytes_used <= limits.REFUSED_FILES_MAX * limits.REFUSED_FILE_BYTES_MAX
