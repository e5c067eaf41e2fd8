"""The guard between paho and a broker: frames followed byte by byte, bounds, backpressure, the last word."""

import random
import socket
import ssl
import threading

import pytest

from gateway.io.guarded_socket import Broken, GuardedSocket, Places
from tests.support.hostile_broker import CONNACK, DISCONNECT, PINGRESP, PUBLISH, packet

BYTES_MAX, UNANSWERED_MAX = 1000, 3
ACCEPTED = packet(CONNACK, 0, b"\0\0\0")
AT_QOS_1 = packet(PUBLISH, 2, b"\0\1a\0\1\0x")


@pytest.fixture
def guard():
    """A guard whose broker is `guard.broker`; `guard.counted` is what it counted."""
    ours, theirs = socket.socketpair()
    counted = []
    made = GuardedSocket(
        ours, Places(2), packet_bytes_max=BYTES_MAX, unanswered_max=UNANSWERED_MAX, count=counted.append
    )
    made.broker, made.counted = theirs, counted
    yield made
    made.close()
    theirs.close()


def read_packet(guard, piece_max=1 << 20):
    """As paho does: type, length byte by byte, then the rest in whatever pieces come."""
    data = guard.recv(1)
    length = shift = 0
    while True:
        byte = guard.recv(1)
        data += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if not byte[0] & 0x80:
            break
    while length:
        piece = guard.recv(min(length, piece_max))
        data, length = data + piece, length - len(piece)
    return data


def test_packets_pass_whole_however_they_are_cut(guard):
    chance = random.Random(5)
    packets = [ACCEPTED]
    for size in (0, 1, 120, 121, 122, 500, BYTES_MAX - 4):
        packets += [packet(PUBLISH, 0, b"\0\1a" + bytes(size)), packet(PINGRESP, 0, b"")]
    guard.broker.sendall(b"".join(packets))
    for expected in packets:
        assert read_packet(guard, chance.randint(1, 200)) == expected
    assert guard.error is None and guard.counted == []


def test_a_packet_longer_than_the_bound_is_refused_by_its_announcement(guard):
    guard.broker.sendall(ACCEPTED + packet(PUBLISH, 0, bytes(BYTES_MAX + 1)))
    read_packet(guard)
    with pytest.raises(Broken, match=f"mqtt-packet-too-large: {BYTES_MAX + 1}"):
        read_packet(guard)
    assert guard.counted == ["mqtt-packet-too-large"]


@pytest.mark.parametrize("kind", [0x00, 0x10, 0x21, 0x34, 0x36, 0x41, 0x50, 0x82, 0xC0, 0xF0, 0x20], ids=hex)
def test_what_no_broker_sends_is_refused_by_its_first_byte(guard, kind):
    guard.broker.sendall(ACCEPTED + bytes((kind, 0)))
    read_packet(guard)
    with pytest.raises(Broken, match="mqtt-malformed"):
        read_packet(guard)


def test_anything_before_connack_is_no_mqtt(guard):
    guard.broker.sendall(AT_QOS_1)
    with pytest.raises(Broken, match="not-mqtt"):
        read_packet(guard)


def test_messages_beyond_our_receive_maximum_end_it_unless_answers_leave(guard):
    guard.broker.sendall(ACCEPTED + AT_QOS_1 * (2 * UNANSWERED_MAX + 1))
    read_packet(guard)
    for _ in range(UNANSWERED_MAX):
        read_packet(guard)
    guard.send(b"an answer")
    for _ in range(UNANSWERED_MAX):
        read_packet(guard)
    with pytest.raises(Broken, match="mqtt-flood"):
        read_packet(guard)


def test_the_brokers_verdict_is_remembered(guard):
    guard.broker.sendall(packet(CONNACK, 0, b"\0\x99\0") + packet(DISCONNECT, 0, b"\x8b"))
    read_packet(guard, 1)
    assert (guard.refused(), guard.dismissed()) == (0x99, None)
    read_packet(guard)
    assert (guard.refused(), guard.dismissed()) == (None, 0x8B)


def test_without_a_reason_a_connack_accepts_and_a_disconnect_is_normal(guard):
    guard.broker.sendall(ACCEPTED + packet(DISCONNECT, 0, b""))
    read_packet(guard)
    assert guard.refused() is None
    read_packet(guard)
    assert guard.dismissed() == 0


def test_without_a_place_a_new_packet_waits_but_a_begun_one_is_finished(guard):
    guard.broker.sendall(ACCEPTED + AT_QOS_1 * 2)
    assert guard.recv(1) == ACCEPTED[:1]
    guard._places.occupy()
    guard._places.occupy()
    guard.recv(1)
    guard.recv(3)
    seen = []
    reader = threading.Thread(target=lambda: seen.append(read_packet(guard)))
    reader.start()
    while not guard._places.waits:
        pass  # the reader is about to wait
    assert not seen
    guard._places.give_back()
    reader.join()
    assert seen == [AT_QOS_1]


def test_stopping_ends_the_wait_for_a_place(guard):
    for _ in range(2):
        guard._places.occupy()
    reader = threading.Thread(target=guard._places.wait)
    reader.start()
    guard._places.stop()
    reader.join()


def test_the_end_of_the_stream_is_an_error_to_tell(guard):
    guard.broker.close()
    assert guard.recv(1) == b""
    assert str(guard.error).startswith("connection-closed: ")


def test_the_brokers_alert_is_heard_when_a_reset_comes_before_it_was_read(guard):
    """TLS 1.3: the refusal of our certificate arrives while CONNECT is being written."""

    class Refused:
        def send(self, data):
            raise ConnectionResetError(104, "reset")

        def recv(self, size):
            raise ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca")

        def close(self):
            pass

    guard._inner.close()
    guard._inner = Refused()
    with pytest.raises(ConnectionResetError):
        guard.send(b"CONNECT")
    assert "UNKNOWN_CA" in str(guard.error)
