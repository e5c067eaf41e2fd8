"""The register's files: as communes write them, as we write them, and both ways without a difference."""

import csv
import io
import json
import shutil
import sqlite3
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.centre.register import csv_file, geopackage, mapping, projection, register, statements
from tools.centre.register.changes import Plan
from tools.centre.register.equipment import (
    CABINET,
    COMMUNE,
    FEEDER,
    KINDS,
    Equipment,
    Key,
    fold,
    following_day,
    kind_word,
    parse,
)
from tools.centre.register.table import Unreadable
from tools.centre.store import schema

NOW = statements.Context(None, parse("valid_from", "2026-11-29"))
LAMPS = """identifiant;rue;puissance;longitude;latitude;armoire;départ;valable du
0117;rue de l’Église;35,5;-0,5567;47,4711;mairie-1;bourg;29/11/2026
0118;"allée; des Tilleuls";1 070 W;-0,5568;47,4712;mairie-1;bourg;2026-11-29
"""


ANGERS = NOW._replace(insee="49007")


def read(data, known=None, context=ANGERS):
    known = known or mapping.known()
    table = csv_file.read(data if isinstance(data, bytes) else data.encode(), known)
    found, faults = statements.read(table, known, context)
    assert not faults, faults
    return {statement.key.id: statement for statement in found}


# --- as communes write them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_french_spreadsheet_is_read_whatever_its_encoding(encoding, ending):
    found = read(LAMPS.replace("\n", ending).encode(encoding))
    church, lime = found["0117"].given, found["0118"].given
    assert church["street"] == "rue de l’Église" and church["power_dw"] == 355
    assert (church["longitude"], church["latitude"]) == (-0.5567, 47.4711)
    assert church["cabinet"] == "49007-mairie-1" and church["feeder"] == "bourg"
    assert lime["street"] == "allée; des Tilleuls" and lime["power_dw"] == 10_700
    assert found["0117"].from_unix_s == found["0118"].from_unix_s == NOW.from_unix_s


@pytest.mark.parametrize("text", ["2026-11-29", "29/11/2026", "29.11.2026", "2026/11/29"])
def test_days_are_read_as_france_iso_and_gdal_write_them(text):
    assert parse("valid_from", text) == NOW.from_unix_s == 1_795_906_800


def test_commas_tabs_and_english_headings_are_read_too():
    for sign in ",\t":
        text = sign.join(("ID", "Street", "Watts")) + "\n" + sign.join(("1", "rue du Port", "35.5")) + "\n"
        assert read(text)["1"].given == {"street": "rue du Port", "power_dw": 355}


def test_an_equipment_is_known_by_its_address_as_screens_show_it():
    found = read("id;node\n49007-0117;00000000000000A1\n49135-2;00:00:00:00:00:00:00:a2\n", context=NOW)
    assert found["0117"].key == Key("49007", "light", "0117") and found["0117"].given["node"][-1] == 0xA1
    assert found["2"].key.insee == "49135" and found["2"].given["node"][-1] == 0xA2


def test_a_feeder_is_known_by_its_cabinet_and_its_name():
    rows = "type;identifiant;armoire;départ\ndépart;bourg;mairie-1;\ndépart;;mairie-1;gare\ndépart;mairie-1/rd-768;;\n"
    found = read(rows)
    assert set(found) == {"mairie-1/bourg", "mairie-1/gare", "mairie-1/rd-768"}
    assert found["mairie-1/rd-768"].given == {"cabinet": "49007-mairie-1", "feeder": "rd-768"}


@pytest.mark.parametrize(
    ("code", "x", "y", "longitude", "latitude"),
    [  # by gdaltransform 3.10 (PROJ 9.6)
        (2154, 432000, 6713000, -0.558639193, 47.462996535),
        (3942, 1432000, 1250000, -0.256401717, 42.404283507),
        (3947, 1432000, 6250000, -0.551411189, 47.395123118),
        (3950, 1432000, 9250000, -0.770328956, 50.388796241),
    ],
)
def test_metres_of_french_surveys_become_degrees(code, x, y, longitude, latitude):
    found = projection.degrees(code, x, y)
    assert found == pytest.approx((longitude, latitude), abs=1e-9)


def test_a_mapping_names_columns_kinds_and_projection(tmp_path):
    path = tmp_path / "sig.toml"
    path.write_text(
        'kind = "cabinet"\ncrs = "EPSG:2154"\n[kinds]\nPL = "light"\n'
        '[columns]\nid = "REF"\nkind = "NAT"\nname = ["LIB1", "LIB2"]\n'
    )
    rows = "REF;NAT;LIB2;X;Y\nmairie-1;;Mairie;432000,0;6 713 000\n0117;pl;;;\n"
    found = read(rows, mapping.load(path))
    assert found["mairie-1"].key.kind == CABINET and found["0117"].key.kind == "light"
    assert found["mairie-1"].given["name"] == "Mairie" and found["mairie-1"].given["longitude"] == -0.5586392


def test_the_sample_for_eclext_is_refused_until_it_is_filled_in(tmp_path):
    sample = mapping.__file__.replace("mapping.py", "eclext.toml")
    with pytest.raises(Unreadable) as refused:
        mapping.load(type(tmp_path)(sample))
    assert {fault.column for fault in refused.value.faults} >= {"columns.id", "columns.watts", "columns.street"}
    text = type(tmp_path)(sample).read_text(encoding="utf-8")
    (tmp_path / "filled.toml").write_text(text.replace("à compléter", "colonne"), encoding="utf-8")
    assert mapping.load(tmp_path / "filled.toml").headings["watts"] == ("colonne",)


@pytest.mark.parametrize(
    "content", ["kind = 'lamp'", "[columns]\nwatt = 'P'", "crs = 27572", "columns = 3", "a =", "b = 1"]
)
def test_a_wrong_mapping_is_refused(tmp_path, content):
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(Unreadable):
        mapping.load(path)


# --- GeoPackage ----------------------------------------------------------------------------------------------


def geopackage_of(path, blobs, *, code=4326):
    """A layer as QGIS makes it, with columns of its own."""
    geopackage.write(path, [])
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES ('x', ?, 'EPSG', ?, 'x', NULL)", (code, code))
    connection.execute("CREATE TABLE lampes (ogc_fid INTEGER PRIMARY KEY, forme POINT, numero INTEGER, rue TEXT)")
    rows = [(number, blob, 100 + number, "rue du Port") for number, blob in enumerate(blobs)]
    connection.executemany("INSERT INTO lampes VALUES (?, ?, ?, ?)", rows)
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('lampes', 'features', ?)", (code,)
    )
    connection.execute("INSERT INTO gpkg_geometry_columns VALUES ('lampes', 'forme', 'POINT', ?, 0, 0)", (code,))
    connection.close()
    return path


def gp(wkb, *, flags=1, envelope=b""):
    return struct.pack("<2sBBi", b"GP", 0, flags, 2154) + envelope + wkb


def test_points_of_all_sorts_are_read_in_lambert_93(tmp_path):
    point = struct.pack("<BIdd", 1, 1, 432000.0, 6713000.0)
    with_height = struct.pack(">BIddd", 0, 1001, 432000.0, 6713000.0, 20.0)
    multipoint = struct.pack("<BII", 1, 4, 1) + point
    nowhere = struct.pack("<BIdd", 1, 1, float("nan"), float("nan"))
    envelope = struct.pack("<4d", 432000.0, 432000.0, 6713000.0, 6713000.0)
    blobs = [gp(point), gp(with_height), gp(multipoint, flags=3, envelope=envelope), gp(nowhere), None]
    (tmp_path / "sig.toml").write_text('[columns]\nid = "numero"\n')
    known = mapping.load(tmp_path / "sig.toml")
    table = geopackage.read(geopackage_of(tmp_path / "lampes.gpkg", blobs, code=2154), known, "lampes")
    found, faults = statements.read(table, known, ANGERS)
    assert not faults and table.columns.unread == ()
    assert [one.key.id for one in found] == ["100", "101", "102", "103", "104"]
    assert [one.given["longitude"] for one in found] == [-0.5586392] * 3 + [None] * 2


def test_what_is_no_point_no_layer_or_no_known_projection_is_said(tmp_path):
    polygon = struct.pack("<BII", 1, 3, 0)
    path = geopackage_of(tmp_path / "a.gpkg", [gp(polygon), b"GP", b"XXXXXXXXXX", gp(b"\x01\x01")])
    known = mapping.known()
    assert len(geopackage.read(path, known, "lampes").faults) == 4
    with pytest.raises(Unreadable, match="lampes"):
        geopackage.read(path, known)  # two layers: which one?
    with pytest.raises(Unreadable, match="27572"):
        geopackage.read(geopackage_of(tmp_path / "b.gpkg", [], code=27572), known, "lampes")
    (tmp_path / "c.gpkg").write_bytes(geopackage.MAGIC + bytes(200))
    with pytest.raises(Unreadable):
        geopackage.read(tmp_path / "c.gpkg", known)


# --- both ways -----------------------------------------------------------------------------------------------

DAYS = [parse("valid_from", day) for day in ("1999-12-31", "2024-02-29", "2026-03-29", "2026-10-25", "2026-11-29")]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
EQUIPMENT = st.builds(
    Equipment,
    name=st.none() | WORDS,
    street=st.none() | st.sampled_from(["rue du Port", 'place "Ney"; nord', "=1+1", "0117", "12,5"]),
    post=st.none() | WORDS,
    lamp=st.none() | WORDS,
    power_dw=st.none() | st.integers(0, 1_000_000),
    longitude=st.none(),
    latitude=st.none(),
    cabinet=st.none() | WORDS.map(lambda name: f"49007-{name}"),
    feeder=st.none() | WORDS,
    node=st.none() | st.binary(min_size=8, max_size=8),
    zone=st.none() | st.integers(1, 255),
)
DEGREES = st.integers(-400_000_000, 400_000_000).map(lambda number: number / 10_000_000)  # none is swapped


@st.composite
def histories(draw):
    """A register of a few equipments, each with a past."""
    found = {}
    for _ in range(draw(st.integers(0, 4))):
        insee, kind, id = draw(st.sampled_from(["49007", "2A004"])), draw(st.sampled_from(list(KINDS))), draw(WORDS)
        cabinet, feeder = draw(WORDS), draw(WORDS.filter(lambda word: "/" not in word))
        key = Key(insee, kind, {COMMUNE: insee, FEEDER: f"{cabinet}/{feeder}"}.get(kind, id))
        bounds = sorted(draw(st.sets(st.sampled_from(DAYS), min_size=1)))
        ends = [*bounds[1:], draw(st.none() | st.just(following_day(bounds[-1])))]
        found[key] = _history(draw, key, zip(bounds, ends, strict=True), f"{insee}-{cabinet}", feeder)
    return found


def _history(draw, key, spans, cabinet, feeder):
    versions = []
    for start, end in spans:
        what = draw(EQUIPMENT)
        if draw(st.booleans()):
            what = what._replace(longitude=draw(DEGREES), latitude=draw(DEGREES))
        if key.kind == FEEDER:
            what = what._replace(cabinet=cabinet, feeder=feeder)
        elif key.kind == CABINET:
            what = what._replace(cabinet=None, feeder=None)
        elif what.cabinet is None:
            what = what._replace(feeder=None)
        if what.node is not None:  # one node serves one equipment
            what = what._replace(node=fold(f"{key}").encode()[-4:].rjust(4, b"0") + what.node[:4])
        if not versions or versions[-1][2] != what:
            versions.append((start, end, what))
    return tuple(versions)


def register_of(held):
    connection = schema.open_to_write(":memory:", "OFF")
    register.apply(connection, Plan((), held, 0, 0, 0, ()))
    return connection


def import_table(connection, table):
    found, faults = statements.read(table, mapping.known(), NOW)
    assert not faults, faults
    planned = register.plan_of(connection, found, table.columns.heading)
    assert not planned.faults, planned.faults
    register.apply(connection, planned)
    return planned


@given(histories(), st.sampled_from(["fr", "en", "gpkg"]))
def test_what_is_exported_and_imported_is_the_same_register(tmp_path_factory, held, form):
    connection = register_of(held)
    versions = list(register.Register(connection).versions())
    if form == "gpkg":
        path = tmp_path_factory.mktemp("register") / "all.gpkg"
        geopackage.write(path, versions)
        table = geopackage.read(path, mapping.known())
    else:
        table = csv_file.read(csv_file.write(versions, form), mapping.known())
    empty = register_of({})
    import_table(empty, table)
    assert list(register.Register(empty).versions()) == versions
    assert import_table(connection, table).histories == {}, "an export changes nothing where it comes from"


def test_exported_csv_is_what_a_french_spreadsheet_opens():
    what = Equipment(street="rue du Port", power_dw=355, longitude=-0.5567, latitude=47.4711)
    version = (Key("49007", "light", "0117"), NOW.from_unix_s, None, what)
    connection = register_of({version[0]: (version[1:],)})
    data = csv_file.write(register.Register(connection).versions(), "fr")
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=";")
    assert row["puissance"] == "35,5" and row["longitude"] == "-0,5567" and row["type"] == kind_word("light", "fr")
    assert row["valable du"] == "2026-11-29" and row["valable au"] == ""


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="no GDAL (apt-get install gdal-bin)")
def test_gdal_reads_the_geopackage(tmp_path):
    what = Equipment(street="rue de l’Église", power_dw=355, longitude=-0.5567, latitude=47.4711, zone=3)
    connection = register_of({Key("49007", "light", "0117"): ((NOW.from_unix_s, None, what),)})
    geopackage.write(tmp_path / "all.gpkg", register.Register(connection).versions())
    command = ["ogrinfo", "-json", "-features", str(tmp_path / "all.gpkg"), "equipment"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (layer,) = json.loads(done.stdout)["layers"]
    (feature,) = layer["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [-0.5567, 47.4711]}
    assert feature["properties"]["street"] == "rue de l’Église" and feature["properties"]["watts"] == 35.5
    assert layer["geometryFields"][0]["coordinateSystem"]["projjson"]["id"] == {"authority": "EPSG", "code": 4326}
    assert "Warning" not in done.stderr
