"""Settings: all faults at once, each with its path and a remedy; integers only; nothing unknown passes."""

import pytest

from kinds import streetlight
from node import settings
from policy import civil, lighting, lighting_form
from tests.support.commune import MAYOR, PUBLISHED

GOOD = {
    "node": "7c1f0a2c01000001",
    "gateway": ["192.0.2.1", 5683],
    "kid": "010001",
    "master_secret": "000102030405060708090a0b0c0d0e0f",
    "site": [474736, -5516],
    "lamp": [360, 6],
}


def faults_of(**changes):
    decoded, faults = settings.decode({**GOOD, **changes}, streetlight)
    assert decoded is None
    return {fault.path: fault for fault in faults}


def test_the_least_that_is_needed_and_the_defaults():
    decoded, faults = settings.decode(GOOD, streetlight)
    assert not faults
    assert decoded.node == bytes.fromhex("7c1f0a2c01000001")
    assert decoded.gateway == ("192.0.2.1", 5683)
    assert decoded.own.site == lighting.Site(474736, -5516, civil.PARIS)
    assert decoded.own.lamp == (360, 6)
    assert decoded.own.calendar == lighting.DEFAULT_CALENDAR
    timing = (decoded.sample_s, decoded.telemetry_s, decoded.health_s, decoded.report_spread_s, decoded.ack_timeout_ms)
    assert timing == (60, 900, 3600, 120, 4000)
    assert decoded.trace is False


def test_everything_may_be_given():
    plain = lighting_form.encode(lighting.DIMMING_CALENDAR)
    wide = {"calendar": plain, "sample_s": 5, "trace": True, "wifi": ["net", "key"], "kind": "streetlight"}
    decoded, faults = settings.decode(GOOD | wide, streetlight)
    assert not faults
    assert decoded.own.calendar == lighting.DIMMING_CALENDAR
    assert decoded.sample_s == 5 and decoded.trace is True


@pytest.mark.parametrize("plain", [None, [], "settings", 7])
def test_what_is_no_map_is_one_fault(plain):
    decoded, faults = settings.decode(plain, streetlight)
    assert decoded is None
    assert [fault.problem for fault in faults] == ["is not a map"]


def test_all_faults_come_at_once_with_path_and_remedy():
    plain = {
        "node": "7c1f",
        "gateway": ["", 70_000],
        "site": [474736],
        "lamp": [360, -1],
        "calendar": [1, [[0, 0, 0, 0]], [[[1, 0, 101]]]],
        "telemetry_s": 900.0,
        "sample_s": 0,
        "colour": "blue",
    }
    decoded, faults = settings.decode(plain, streetlight)
    assert decoded is None
    assert {fault.path for fault in faults} == {
        "colour",
        "node",
        "gateway[0]",
        "gateway[1]",
        "site",
        "lamp[1]",
        "calendar.rules[0].weekdays",
        "calendar.programs[0][0].level",
        "telemetry_s",
        "sample_s",
        "kid",
        "master_secret",
    }
    assert all(fault.problem and fault.remedy for fault in faults)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_of_them_is_needed(name):
    decoded, faults = settings.decode({key: value for key, value in GOOD.items() if key != name}, streetlight)
    assert decoded is None
    assert [fault.path.partition("[")[0] for fault in faults] == [name]


@pytest.mark.parametrize("name", ["telemetry", "Node", "", "sample_ms"])
def test_an_unknown_name_is_a_fault(name):
    assert faults_of(**{name: 1})[name].remedy == "remove it, or correct its spelling"


@pytest.mark.parametrize(
    "node", ["7c1f0a2c0100000", "7c1f0a2c010000011", "7c1f0a2c0100000g", 7, None, b"7c1f0a2c01000001"]
)
def test_an_id_is_sixteen_hex_digits(node):
    assert set(faults_of(node=node)) == {"node"}


@pytest.mark.parametrize("kid", ["01", "01000100", "01000g", 7, None])
def test_an_oscore_id_is_two_or_three_bytes(kid):
    assert set(faults_of(kid=kid)) == {"kid"}
    assert settings.decode({**GOOD, "kid": "0001"}, streetlight)[0].pairing.own_id == b"\x00\x01"


@pytest.mark.parametrize("secret", ["", "00" * 15, "00" * 17, "0g" * 16, 7, None])
def test_a_secret_has_sixteen_bytes_and_is_not_shown(secret):
    found = faults_of(master_secret=secret)
    assert set(found) == {"master_secret"}
    assert not secret or str(secret) not in repr(found["master_secret"])


def test_settings_show_no_secret():
    decoded, _ = settings.decode(GOOD, streetlight)
    assert GOOD["master_secret"] not in repr(decoded) and "0001020304" not in repr(decoded)


@pytest.mark.parametrize("name", sorted(settings._TIMING))
def test_timing_is_bounded_on_both_sides(name):
    default, low, high = settings._TIMING[name]
    assert low <= default <= high
    for value in (low, high):
        decoded, faults = settings.decode({**GOOD, name: value}, streetlight)
        assert not faults and getattr(decoded, name) == value
    for value in (low - 1, high + 1, True, str(low), None):
        assert set(faults_of(**{name: value})) == {name}


@pytest.mark.parametrize("site", [[900_001, 0], [0, -1_800_001], [47.5, 0], [474736, -5516, 0], {}])
def test_a_site_is_two_integers_on_the_globe(site):
    assert all(path.startswith("site") for path in faults_of(site=site))


@pytest.mark.parametrize("trace", [1, "yes", None, False])
def test_the_trace_is_on_for_true_alone(trace):
    assert settings.decode({**GOOD, "trace": trace}, streetlight)[0].trace is False


# --- bearers ------------------------------------------------------------------------------------------------------

LINE = {key: value for key, value in GOOD.items() if key != "gateway"}


def test_udp_is_what_a_node_speaks_when_nothing_is_said():
    assert settings.decode(GOOD, streetlight)[0].bearer == ("udp",)
    assert settings.decode({**GOOD, "bearer": ["udp"]}, streetlight)[0].gateway == ("192.0.2.1", 5683)


@pytest.mark.parametrize(
    ("plain", "bearer"),
    [
        (["rs485", 7, 115_200, 32], ("rs485", 7, 115_200, 32)),
        (["uart", 57_600], ("uart", 57_600)),
        (["espnow", "0200000000AB", 6], ("espnow", b"\x02\x00\x00\x00\x00\xab", 6)),
    ],
)
def test_a_line_or_a_radio_has_no_address(plain, bearer):
    decoded, faults = settings.decode({**LINE, "bearer": plain}, streetlight)
    assert not faults and decoded.bearer == bearer and decoded.gateway == "gateway"
    _, (fault,) = settings.decode({**GOOD, "bearer": plain}, streetlight)
    assert fault.path == "gateway"


@pytest.mark.parametrize(
    ("plain", "path"),
    [
        ([], "bearer"),
        ("udp", "bearer"),
        (["lora"], "bearer"),
        ([["udp"]], "bearer"),
        (["uart"], "bearer"),
        (["uart", 115_200, 1], "bearer"),
        (["uart", 9600], "bearer[1]"),
        (["rs485", 7, 115_200], "bearer"),
        (["rs485", 0, 115_200, 32], "bearer[1]"),
        (["rs485", 248, 115_200, 32], "bearer[1]"),
        (["rs485", 7, "fast", 32], "bearer[2]"),
        (["rs485", 7, 115_200, 0], "bearer[3]"),
        (["espnow", "0200", 6], "bearer[1]"),
        (["espnow", "0200000000zz", 6], "bearer[1]"),
        (["espnow", "0200000000ab", 14], "bearer[2]"),
    ],
)
def test_a_bearer_that_cannot_be_is_named(plain, path):
    _, faults = settings.decode({**LINE, "gateway": ["192.0.2.1", 5683], "bearer": plain}, streetlight)
    assert path in [fault.path for fault in faults]
    assert all(fault.problem and fault.remedy for fault in faults)


# --- keys of those who may sign its program -------------------------------------------------------------------------


def test_keys_that_may_sign_are_read_and_bad_ones_are_a_fault():
    from node import limits as node_limits

    good, published = MAYOR.key.hex(), PUBLISHED.key.hex()
    for value, is_good in (
        ([], True), ([good], True), ([good] * node_limits.UPDATE_KEYS_MAX, True),
        ([good] * (node_limits.UPDATE_KEYS_MAX + 1), False), (good, False), ([good[:-1]], False), ([7], False),
        (["00" * 32], False), ([published], False), (None, False),
    ):  # fmt: skip
        made, faults = settings.decode({**GOOD, "update_keys": value}, streetlight)
        assert (made is not None) is is_good, value
        assert [fault.path for fault in faults] == ([] if is_good else ["update_keys"])


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "255.255.255.255"])
def test_dotted_decimals_are_literal(address):
    assert settings.is_literal(address)


@pytest.mark.parametrize(
    "address",
    ["", "gateway", "gateway.local", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3", "1.2.3.4a", "::1", "1.2.3.٤"],
)
def test_names_are_not_literal(address):
    assert not settings.is_literal(address)
