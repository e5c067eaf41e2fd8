"""Builds that would burn, shock, fail or stay unconnected are refused with their reason; sheets and drawings follow the
data."""

import hashlib

import pytest

from tests.conftest import ROOT
from tools.hardware import builds, drawing, files

NAMES = sorted(path.stem for path in (ROOT / "hardware" / "builds").glob("*.toml"))
STREET = "streetlight-street"
BENCH = "streetlight-bench"


def told(facts, name):
    """The faults of one build, "path: problem; remedy"."""
    faults = builds.check_build(facts.builds[name], facts)
    return [f"{fault.path}: {fault.problem}; {fault.remedy}" for fault in faults]


def wire(build, start, end):
    """The wire between two terminals."""
    return next(row for row in build["wire"] if (row["from"], row["to"]) == (start, end))


def lead(build, start, end, **changes):
    """Changes the wire between two terminals."""
    wire(build, start, end).update(changes)


def test_a_wire_that_joins_the_mains_to_what_people_touch_is_refused(facts):
    lead(facts.builds[STREET], "alim.-", "carte.J6.0V", mm2="1.5", **{"from": "bornier.N"})
    (unreached, fault) = told(facts, STREET)
    assert unreached == "item.alim: no wire reaches -; wire it, or leave it out (`unwired` for a use of a node)"
    assert "joins mains (bornier.N) to selv (carte.J6.0V); keep the mains" in fault


def test_what_an_inlet_feeds_before_a_fuse_is_refused(facts):
    build = facts.builds[STREET]
    lead(build, "bornier.L", "alim.L", **{"from": "arrivee.L", "mm2": "1.5"})
    (fault,) = told(facts, STREET)
    assert fault.endswith("feeds alim before a fuse; lead arrivee to a fuse first")


@pytest.mark.parametrize(
    ("ends", "mm2", "fuse_ma", "fault"),
    [
        (("bornier.L", "alim.L"), "0.75", 6300, "is 0.75 mm2 behind 6300 mA, and may have 6000 mA"),
        (("bornier.L", "alim.L"), "0.5", 4000, "is 0.5 mm2 behind 4000 mA, and may have 3000 mA"),
        (("arrivee.L", "F1.1"), "0.75", 4000, "is 0.75 mm2 behind 10000 mA, and may have 6000 mA"),
    ],
)
def test_a_wire_thinner_than_its_fuse_allows_is_refused(facts, ends, mm2, fuse_ma, fault):
    build = facts.builds["thermostat-wall"]
    build["item"]["F1"]["fuse_ma"] = fuse_ma
    lead(build, *ends, mm2=mm2)
    number = build["wire"].index(wire(build, *ends)) + 1
    assert f"wire {number}.mm2: {fault}; take a thicker wire or a smaller fuse" in told(facts, "thermostat-wall")


def test_a_cell_is_judged_like_an_inlet_and_its_wires_by_the_fuse_at_their_end(facts):
    build = facts.builds["irrigation-street"]
    lead(build, "F1.2", "carte.J10.BAT+", mm2="0.5")
    lead(build, "accu.-", "carte.J10.BAT-", mm2="0.25")
    (fault,) = told(facts, "irrigation-street")
    assert fault == "wire 2.mm2: is 0.5 mm2 behind 3150 mA, and may have 3000 mA; take a thicker wire or a smaller fuse"
    lead(build, "F1.2", "carte.J10.BAT+", **{"from": "accu.+"})
    assert any("feeds carte before a fuse" in line for line in told(facts, "irrigation-street"))


def test_an_inlet_of_the_mains_names_the_protection_before_it(facts):
    del facts.builds[STREET]["item"]["arrivee"]["upstream_ma"]
    assert told(facts, STREET) == [
        "item.arrivee.upstream_ma: is missing; give the protection that the network has before it"
    ]


def test_consumers_take_at_most_80_percent_of_their_supply(facts):
    board = facts.builds[BENCH]["item"]["carte"]
    board["peak_ma"] = 800
    assert told(facts, BENCH) == []
    board["peak_ma"] = 801
    (fault,) = told(facts, BENCH)
    assert fault.startswith(
        "item.usb.supply_ma: gives 1000 mA, and its consumers may take 801 mA at once; keep them below 80 %"
    )


def test_a_consumer_without_a_supply_of_its_voltage_is_refused(facts):
    facts.builds[BENCH]["item"]["lampe"]["volts_mv"] = 24000
    (fault,) = told(facts, BENCH)
    assert fault.startswith("item.lampe: has a current, and no supply of its voltage")


def test_mains_in_a_street_need_surge_protection(facts):
    del facts.builds[STREET]["item"]["parafoudre"]["surge"]
    assert told(facts, STREET) == ["item: has no surge protection; mains in a street need an item with surge = true"]


@pytest.mark.parametrize(
    ("place", "ip", "remedy"),
    [
        ("street", "IP65", ""),
        ("street", "IP56", "street needs IP65 or better"),
        ("street", "IP64", "street needs IP65 or better"),
        ("wall", "IP54", ""),
        ("wall", "IP53", "wall needs IP54 or better"),
        ("cabinet", "IP24", "cabinet needs IP34 or better"),
        ("street", "IP6", "street needs IP65 or better"),
    ],
)
def test_an_enclosure_protects_as_its_place_asks(facts, place, ip, remedy):
    facts.builds[STREET]["enclosure"] |= {"place": place, "ip": ip}
    assert told(facts, STREET) == ([f"enclosure.ip: is '{ip}'; {remedy}"] if remedy else [])


def test_a_bench_has_no_mains(facts):
    facts.builds[STREET]["enclosure"]["place"] = "bench"
    (fault,) = told(facts, STREET)
    assert fault == "item: has mains terminals; a bench build has no mains: feed it by USB or a plug-in supply"


def test_a_wire_or_an_inlet_at_a_terminal_that_is_not_there_is_refused(facts):
    build = facts.builds[STREET]
    lead(build, "alim.+", "carte.J6.5V", to="carte.J7.5V")
    build["item"]["arrivee"]["inlet"] = ["L", "L2"]
    said = told(facts, STREET)
    assert "wire 12.to: 'carte.J7.5V' is no terminal; name ITEM.TERMINAL of an item" in said
    assert "item.arrivee.inlet: 'L2' is no terminal of it; name one of its own" in said
    assert (
        "item.carte: no wire reaches J6.5V of supply; wire it, or leave it out (`unwired` for a use of a node)" in said
    )


def test_a_terminal_that_the_node_does_not_have_is_refused(facts):
    facts.builds[STREET]["item"]["carte"]["mains"] += ["J5.OUT"]
    (fault, _unreached) = told(facts, STREET)
    assert fault.startswith("item.carte: 'J5.OUT' is no terminal of what is fitted on streetlight; name one")


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("fitted", ["photocell", "presence"], "item.carte: no wire reaches J5.12V of presence"),
        ("unwired", ["bus"], "item.carte: no wire reaches J1.N of meter"),
        ("fitted", ["dali"], "item.carte: no wire reaches J2.DA1 of dali"),
        ("fitted", ["sunset"], "item.carte.fitted: 'sunset' is no use of streetlight"),
        ("node", "lighthouse", "item.carte.node: 'lighthouse' is no node"),
    ],
)
def test_every_terminal_of_what_is_fitted_is_reached(facts, key, value, fault):
    facts.builds[BENCH]["item"]["carte"][key] = value
    assert any(line.startswith(fault) for line in told(facts, BENCH))


def test_a_file_of_the_wrong_shape_is_refused_with_the_place(facts):
    build = facts.builds[BENCH]
    build["wire"][0]["colour"] = "blau"
    build["item"]["usb"]["amps"] = 1
    build["made"]["place"] = "no"
    said = [str(fault.path) for fault in files.check_build(build)]
    assert said == ["made.place", "item.usb.amps", "wire 1.colour"]


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_names_the_digest_of_what_it_shows(name):
    folder = ROOT / "hardware" / "builds"
    digest = hashlib.sha256((folder / f"{name}.yml").read_bytes()).hexdigest()
    assert digest in (folder / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_names_every_part_wire_and_check_in_both_languages(facts, name):
    build = facts.builds[name]
    french, english = (ROOT / "hardware" / "builds" / f"{name}.md").read_text(encoding="utf-8").split("\n---\n")
    for half, suffix, key in ((french, "", "fr"), (english, "_en", "en")):
        assert all(item["what" + suffix] in half for item in build["item"].values())
        assert all(f"| {row['from']} | {row['to']} | {row['mm2']} |" in half for row in build["wire"])
        assert all(f"* [ ] {row[key]}" in half for row in build["check"])


def test_a_sheet_says_what_was_never_made_and_what_the_supply_gives(facts):
    half = (ROOT / "hardware" / "builds" / f"{STREET}.md").read_text(encoding="utf-8").partition("\n---\n")[2]
    assert "**This build was never made.** bought: no, on a bench: no, where it belongs: no." in half
    assert "| alim | **sum** (60 % of the 1000 mA of the supply, at 5 V; 80 % at most) | 180 | 600 |" in half


def test_a_drawing_of_other_data_is_stale(tmp_path):
    path = tmp_path / "a.svg"
    assert drawing.is_stale(path, "connectors:")
    path.write_text(f"<svg/><!-- {hashlib.sha256(b'connectors:').hexdigest()} -->", encoding="utf-8")
    assert not drawing.is_stale(path, "connectors:")
    assert drawing.is_stale(path, "cables:")
