"""One MQTT message a batch: its topic, its token, and no more of them unacknowledged than the broker takes."""

import pytest

from gateway.core.custody.stream import Stream
from gateway.core.uplink.post import Post
from gateway.core.uplink.sending import Gathered
from tests.support.gateway_world import EPOCH, GATEWAY, INSEE, NAME, unpack
from wire import event

QUESTION = Gathered(7, 6, [], 0, None)


def test_telemetry_and_events_have_a_topic_each_and_every_message_its_own_token():
    post = Post(GATEWAY, INSEE, NAME)
    post.begin(100)
    sent = [post.publish(Stream(EPOCH, lane), 3, QUESTION) for lane in event.LANES]
    assert [publication.topic for publication in sent] == [
        f"tc/1/e/{INSEE}/{NAME}",
        f"tc/1/e/{INSEE}/{NAME}",
        f"tc/1/t/{INSEE}/{NAME}",
    ]
    assert len({publication.token for publication in sent}) == 3
    batch = unpack(sent[2])
    assert batch[:6] == (GATEWAY, EPOCH, event.TELEMETRY, 7, 6, 3) and batch.items == []


@pytest.mark.parametrize("receive_max", [1, 5, 20])
def test_room_ends_at_the_smaller_of_window_and_receive_maximum(receive_max):
    post = Post(GATEWAY, INSEE, NAME)
    assert not post.has_room(10), "no connection yet"
    post.begin(receive_max)
    sent = []
    while post.has_room(10):
        sent.append(post.publish(Stream(EPOCH, event.ALARM), 0, QUESTION))
    assert len(sent) == min(10, receive_max)
    post.acknowledged(sent[0].token)
    post.acknowledged(10**9)
    assert post.has_room(10) and post.is_idle() == (receive_max == 1)
    post.begin(receive_max)
    assert post.is_idle()
