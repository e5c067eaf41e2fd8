"""Capture files down to the datagram: every format and link layer that is promised; no exception for any bytes."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import pcap_files as files
from tests.support.examples import examples
from tools.link import capture as link_capture
from tools.link import decode as link_decode
from tools.link.capture import Datagram, Flaw, Packet
from tools.link.opener import REQUESTS_MAX, Opener
from tools.link.sources import Sources
from wire import coap_message as messages

V4 = (("10.0.0.7", 40_001), ("10.0.0.1", 5683))
V6 = (("2001:db8::7", 40_001), ("fe80::1", 5683))
DATA = b"\x40\x01\x12\x34"
NS = 1_795_561_200_123_456_789
CLASSICS = [
    pytest.param(files.classic, {"order": order, "nanoseconds": fine}, id=f"pcap{order}{'ns' if fine else 'us'}")
    for order in "<>"
    for fine in (False, True)
]
FORMATS = [*CLASSICS, *(pytest.param(files.pcapng, {"order": order}, id=f"pcapng{order}") for order in "<>")]


def read(data, *, port=5683):
    sources = Sources(port=port)
    return list(sources.stream("x", io.BytesIO(data))), sources.skipped


@pytest.mark.parametrize("ends", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("link_type", files.LINK_TYPES)
@pytest.mark.parametrize(("form", "options"), FORMATS)
def test_every_format_and_link_layer_gives_the_same_datagram(form, options, link_type, ends):
    frame = files.frame(link_type, files.ip_packet(*ends, DATA), options["order"])
    found, skipped = read(form([(NS, frame)], link_type, **options))
    is_coarse = form is files.classic and not options["nanoseconds"]
    assert found == [Datagram(NS // 1000 * 1000 if is_coarse else NS, *ends, DATA)] and skipped == 0


def test_only_the_port_that_is_asked_for_counts():
    packets = [files.ip_packet(("10.0.0.1", 53), ("10.0.0.2", 5353), b"x"), files.ip_packet(*V4, DATA)]
    packets.append(packets[0][:9] + b"\6" + packets[0][10:])  # TCP
    packets.append(b"\x50" + bytes(40))
    data = files.classic([(NS, packet) for packet in packets], files.RAW)
    assert [item.data for item in read(data)[0]] == [DATA] and read(data)[1] == 3
    assert [item.data for item in read(data, port=53)[0]] == [b"x"]


def test_ethernet_has_tags_padding_and_other_protocols():
    packet = files.ip_packet(*V4, DATA)
    tagged = b"\2" * 12 + b"\x88\xa8\0\1" + b"\x81\0\0\2" + b"\x08\0" + packet + bytes(14)
    arp = b"\2" * 12 + b"\x08\x06" + bytes(28)
    found, skipped = read(files.classic([(NS, tagged), (NS, arp)], files.ETHERNET))
    assert [item.data for item in found] == [DATA] and skipped == 1


def test_headers_before_udp_are_passed_and_fragments_are_said():
    packet = files.ip_packet(*V6, DATA)
    options = b"\x2b\0\0\0\0\0\0\0" + b"\x11\1" + bytes(14)  # hop-by-hop, then a routing header of 16 bytes
    length = struct.pack(">H", len(packet) - 40 + len(options))
    longer = packet[:4] + length + b"\0" + packet[7:40] + options + packet[40:]
    fragments = [
        packet[:6] + b"\x2c" + packet[7:40] + b"\x11\0" + at + bytes(4) + packet[40:] for at in (b"\0\1", b"\0\x09")
    ]
    fragments += [files.ip_packet(*V4, DATA, fragment=fragment) for fragment in (0x2000, 0x2003, 3)]
    fragments.append(files.ip_packet(("10.0.0.1", 53), ("10.0.0.2", 5353), DATA, fragment=0x2000))
    whole = packet[:6] + b"\x2c" + packet[7:40] + b"\x11\0\0\0" + bytes(4) + packet[40:]  # RFC 6946: of itself alone
    whole = whole[:4] + struct.pack(">H", len(whole) - 40) + whole[6:]
    found, skipped = read(files.classic([(NS, each) for each in (longer, *fragments, whole)], files.RAW))
    assert found[0] == found[-1] == Datagram(NS // 1000 * 1000, *V6, DATA)
    assert ["fragment" in item.reason for item in found[1:-1]] == [True] * 2 and skipped == 4


def test_what_the_capture_has_cut_is_said_at_every_length():
    for ends in (V4, V6):
        whole = files.ip_packet(*ends, DATA)
        for snap in range(1, len(whole)):
            ((only,), _) = read(files.classic([(NS, whole)], files.RAW, snap=snap))
            assert isinstance(only, Flaw) and ("cut" in only.reason or "holds" in only.reason), (snap, only)


@pytest.mark.parametrize("form", [files.classic, files.pcapng])
def test_a_file_that_ends_early_gives_what_is_whole_and_one_reason(form):
    frame = files.frame(files.ETHERNET, files.ip_packet(*V4, DATA))
    whole = form([(NS, frame)] * 2, files.ETHERNET)
    one = len(form([(NS, frame)], files.ETHERNET))
    for length in range(link_capture.MAGIC_BYTES, len(whole)):
        found, _ = read(whole[:length])
        datagrams = [item for item in found if isinstance(item, Datagram)]
        assert len(datagrams) == (length >= one)
        assert len(found) - len(datagrams) <= 1 and (len(found) > len(datagrams) or length in (one, *_clean(whole)))


def _clean(whole):
    """Lengths at which a pcapng file may end: between blocks. Of pcap: behind the header."""
    if whole[:4] != b"\x0a\x0d\x0d\x0a":
        return (24,)
    ends, cursor = [], 0
    while cursor < len(whole):
        cursor += struct.unpack_from("<I", whole, cursor + 4)[0]
        ends.append(cursor)
    return ends


def test_pcapng_interfaces_have_their_own_link_type_clock_and_section():
    v4, v6 = files.ip_packet(*V4, DATA), files.ip_packet(*V6, DATA)
    data = (
        files.section() + files.interface(files.RAW) + files.interface(files.ETHERNET, resolution=0x80 | 10, offset=5)
    )
    data += files.block(5, bytes(8)) + files.enhanced(1_500_000, v4)
    data += files.enhanced(1536, files.frame(files.ETHERNET, v6), index=1)
    frame = files.frame(files.LINUX_SLL, v4)
    data += files.section(">") + files.interface(files.LINUX_SLL, ">", snap=len(frame))
    data += files.block(3, struct.pack(">I", 999) + frame, ">")
    found, _ = read(data)
    assert [item.time_ns for item in found] == [1_500_000_000, 6_500_000_000, None]
    assert [item.source for item in found] == [V4[0], V6[0], V4[0]]
    obsolete = struct.pack("<HHIIII", 0, 0, 0, 7, len(v4), len(v4)) + v4
    (item,), _ = read(files.section() + files.interface(files.RAW) + files.block(2, obsolete))
    assert item == Datagram(7000, *V4, DATA)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (files.classic([(NS, b"")], 147), "link type 147"),
        (files.classic([], 1) + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30) + b"x", "says 1073741824 bytes"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\1\2\3\4" + bytes(16), "without a byte order"),
        (files.section() + struct.pack("<II", 9, 0xFFFFFFF0), "says 4294967280 bytes"),
        (files.section() + struct.pack("<II", 6, 8_000_000) + b"x", "more than a packet"),
        (files.section() + struct.pack("<II", 6, 8), "says 8 bytes"),
        (files.section() + files.enhanced(0, b"x"), "interface"),
        (files.section() + files.block(6, b""), "too short"),
        (files.section() + files.block(1, b""), "no interface"),
        (files.section() + files.interface(1)[:-4] + bytes(4), "another length"),
        (files.section() + files.interface(1) * 1025, "one too many"),
        (files.section() + files.interface(1) + files.block(6, struct.pack("<5I", 0, 0, 0, 99, 99) + b"x"), "99 bytes"),
        (files.classic([(0, b"")], files.RAW), "an empty IP packet"),
    ],
)
def test_what_cannot_be_read_is_one_reason(data, reason):
    ((flaw,), _) = read(data)
    assert reason in flaw.reason


def test_a_time_that_is_no_date_is_seconds():
    assert link_decode.time_text(NS) == "2026-11-24T23:00:00.123456Z"
    assert link_decode.time_text((1 << 70) * 1_000_000_000) == f"{1 << 70} s"
    assert link_decode.time_text(-(1 << 90)).endswith(" s")


def test_requests_without_an_answer_are_forgotten_in_time():
    opener = Opener()
    for number in range(REQUESTS_MAX + 10):
        request = messages.Message(0, 1, number, number.to_bytes(4, "big"), (), b"")
        opener.show(Datagram(None, *V4, messages.encode(request)))
    assert len(opener._asked) == REQUESTS_MAX


# --- any bytes --------------------------------------------------------------------------------------------


def told(data):
    """Every line of both kinds that these bytes make; nothing may raise, and lines stay lines."""
    opener = Opener()
    sources = Sources(port=5683)
    for shown in link_decode.shown_of(sources.stream("x", io.BytesIO(data)), opener):
        line = link_decode.line(shown)
        assert line.isprintable(), line
    return opener.counters["datagrams"]


WHOLE = [
    form([(NS, files.frame(link_type, files.ip_packet(*ends, DATA)))] * 2, link_type)
    for form in (files.classic, files.pcapng)
    for link_type in files.LINK_TYPES
    for ends in (V4, V6)
]


@examples(times=30)
@given(st.binary(max_size=300))
def test_random_bytes_as_a_file(data):
    told(data)


@examples(times=30)
@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.integers(0, 400),
)
def test_damaged_captures(whole, changes, cut):
    data = bytearray(whole)
    for place, value in changes:
        data[place % len(data)] = value
    told(bytes(data[: len(data) - cut if cut < len(data) else None]))


@examples(times=30)
@given(st.sampled_from([*files.LINK_TYPES, 12, 14, 228, 229, 147]), st.binary(max_size=120), st.sampled_from([0, 5683]))
def test_random_packets_of_every_link_type(link_type, data, port):
    found = link_capture.datagram(Packet(None, link_type, data), port)
    assert found is None or isinstance(found, (Flaw, Datagram))


@examples(times=30)
@given(st.binary(max_size=120))
def test_random_datagrams(data):
    opener = Opener()
    assert link_decode.line(opener.show(Datagram(None, None, None, data))).isprintable()
    message = messages.Message(0, 2, 1, b"t", ((messages.URI_PATH, data[:20]), (999, data)), data)
    encoded = messages.encode(message, 2000)
    assert link_decode.line(opener.show(Datagram(None, None, None, encoded))).isprintable()


@examples(times=10)
@given(st.binary(max_size=120))
def test_random_records(data):
    for path in (b"t", b"b"):
        encoded = messages.encode(messages.Message(0, 2, 1, b"t", ((messages.URI_PATH, path),), data), 2000)
        assert link_decode.line(Opener().show(Datagram(None, None, None, encoded))).isprintable()
    shown = next(link_decode.shown_of(iter([Datagram(None, None, None, data)]), Opener(), is_payload=True))
    assert link_decode.line(shown).isprintable()


@examples(times=10)
@given(st.text(alphabet="0123456789abcdefxX#: \t\r\nzé\0", max_size=200), st.booleans())
def test_random_lines(text, serial):
    sources = Sources(port=5683, serial=serial)
    for shown in link_decode.shown_of(sources.stream("x", io.BytesIO(text.encode())), Opener()):
        assert link_decode.line(shown).isprintable()


def test_the_magic_numbers_are_known():
    assert all(link_capture.is_capture(data[:4]) for data in WHOLE) and not link_capture.is_capture(b"4402")
