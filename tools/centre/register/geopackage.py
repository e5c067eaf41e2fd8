"""Reads and writes equipment as a GeoPackage, an SQLite file that QGIS, GDAL and ArcGIS open (OGC 12-128, version 1.3).

Any layer of points is read, in degrees or in a French projection. One layer `equipment` is written, in WGS84; equipment
without a position has no geometry. Blobs: a header (annex "GeoPackageBinary", clause 2.1.3), then WKB (OGC 06-103).
"""

import sqlite3
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.language import N_
from tools.centre.limits import REGISTER_ROWS_MAX
from tools.centre.register import projection
from tools.centre.register.equipment import FIELDS, Version, row_of
from tools.centre.register.mapping import Mapping, columns
from tools.centre.register.table import Table, fault, unreadable
from tools.centre.store import sqlite_file

MAGIC = b"SQLite format 3\x00"

_LAYER = "equipment"
_APPLICATION_ID = 0x47504B47  # "GPKG"
_VERSION = 10_300
_TYPES = {"watts": "DOUBLE", "zone": "INTEGER", "valid_from": "DATE", "valid_until": "DATE"}
_ATTRIBUTES = tuple(field for field in FIELDS if field not in ("longitude", "latitude"))
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
    srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT
);
CREATE TABLE gpkg_contents (
    table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
    last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
    srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id)
);
CREATE TABLE gpkg_geometry_columns (
    table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents(table_name), column_name TEXT NOT NULL,
    geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys(srs_id),
    z TINYINT NOT NULL, m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name)
);
"""
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
_SYSTEMS = (
    ("Undefined Cartesian", -1, "NONE", -1, "undefined"),
    ("Undefined geographic", 0, "NONE", 0, "undefined"),
    ("WGS 84 geodetic", 4326, "EPSG", 4326, _WGS84),
)
_POINT, _MULTIPOINT = 1, 4
# Bytes of the envelope, by its code in bits 1 to 3 of the header's flags.
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_HEADER_BYTES = 8


def read(path: Path, mapping: Mapping, layer: str | None = None) -> Table:
    """Returns the table in a layer; Unreadable when there is none."""
    connection = sqlite3.connect(sqlite_file.uri_to_read(str(path.resolve())), uri=True)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")  # somebody else's views call no function of ours
        return _table(connection, mapping, layer)
    except sqlite3.Error as error:
        raise unreadable(N_("is no GeoPackage: {why}"), N_("save it anew from QGIS"), why=error) from error
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, mapping: Mapping, layer: str | None) -> Table:
    found = connection.execute(
        "SELECT table_name, column_name, organization_coordsys_id FROM gpkg_geometry_columns AS columns"
        " JOIN gpkg_spatial_ref_sys AS systems ON systems.srs_id = columns.srs_id ORDER BY table_name"
    ).fetchall()
    chosen = [entry for entry in found if layer is None or entry[0] == layer]
    if len(chosen) != 1:
        names = ", ".join(entry[0] for entry in found) or "—"
        raise unreadable(N_("has the layers {names}"), N_("name one of them: --layer"), names=names)
    table, geometry, code = chosen[0]
    crs = projection.code_of(code)
    if crs is None:
        names = ", ".join(projection.NAMES)
        raise unreadable(N_("is in {crs}"), N_("save it in one of {names}"), crs=f"EPSG:{code}", names=names)
    rows = connection.execute(f"SELECT rowid, * FROM {_quoted(table)} ORDER BY rowid")
    headings = [entry[0] for entry in rows.description[1:]]
    at = headings.index(geometry)
    keys = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (table,))
    for name in (geometry, *(key for (key,) in keys)):
        headings[headings.index(name)] = ""
    read_columns = columns(headings, mapping)
    places = dict(read_columns.places)
    places["longitude"] = (len(headings), geometry)
    places["latitude"] = (len(headings) + 1, geometry)
    held, faults = [], []
    for fid, *cells in rows:
        try:
            held.append((fid, (*cells, *_position(cells[at]))))
        except (ValueError, struct.error):
            remedy = N_("take its centroid (QGIS: Vector, Geometry Tools)")
            faults.append(fault(fid, geometry, N_("is no point"), remedy))
        if len(held) > REGISTER_ROWS_MAX:
            raise unreadable(N_("has too many lines"), N_("split it"), at=fid)
    return Table(read_columns._replace(places=places), held, crs, tuple(faults))


def _position(blob: Any) -> tuple[float | None, float | None]:
    """Returns x and y; None where there is no geometry; ValueError when it is no point."""
    if blob is None:
        return None, None
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < _HEADER_BYTES:
        raise ValueError("no GeoPackage geometry")
    envelope = blob[3] >> 1 & 7
    if envelope >= len(_ENVELOPE_BYTES):
        raise ValueError("no envelope of GeoPackage")
    return _wkb(blob[_HEADER_BYTES + _ENVELOPE_BYTES[envelope] :])


def _wkb(blob: bytes) -> tuple[float | None, float | None]:
    order = "<" if blob[:1] == b"\x01" else ">"
    kind = struct.unpack_from(order + "I", blob, 1)[0] % 1000  # 1001, 2001 and 3001 have Z, M or both
    if kind == _MULTIPOINT and struct.unpack_from(order + "I", blob, 5)[0] == 1:
        return _wkb(blob[9:])
    if kind != _POINT:
        raise ValueError("no point")
    x, y = struct.unpack_from(order + "dd", blob, 5)
    return (None, None) if x != x else (x, y)  # an empty point is NaN


def write(path: Path, versions: Iterable[Version]) -> None:
    """Writes a new file; `path` must not exist. Errors of the disk are sqlite3.Error."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("BEGIN")
        for statement in _TABLES.split(";")[:-1]:
            connection.execute(statement)
        attributes = ", ".join(f'"{field}" {_TYPES.get(field, "TEXT")}' for field in _ATTRIBUTES)
        connection.execute(f"CREATE TABLE {_LAYER} (fid INTEGER PRIMARY KEY AUTOINCREMENT, geom POINT, {attributes})")
        connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)", _SYSTEMS)
        rows, bounds = _rows(versions)
        places = ", ".join("?" * (2 + len(_ATTRIBUTES)))
        connection.executemany(f"INSERT INTO {_LAYER} VALUES ({places})", rows)
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y, srs_id)"
            " VALUES (?, 'features', ?, ?, ?, ?, ?, ?)",
            (_LAYER, _LAYER, *bounds, projection.WGS84),
        )
        connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', 4326, 0, 0)", (_LAYER,))
        connection.execute("COMMIT")
    finally:
        connection.close()


def _rows(versions: Iterable[Version]) -> tuple[list[tuple], tuple[float | None, ...]]:
    rows = []
    longitudes, latitudes = [], []
    for version in versions:
        cells = row_of(version)
        longitude, latitude = cells.pop("longitude"), cells.pop("latitude")
        blob = None
        if isinstance(longitude, float) and isinstance(latitude, float):
            # Little-endian, no envelope; its system is written twice, as the standard wants it.
            blob = struct.pack("<2sBBiBIdd", b"GP", 0, 1, projection.WGS84, 1, _POINT, longitude, latitude)
            longitudes.append(longitude)
            latitudes.append(latitude)
        rows.append((None, blob, *cells.values()))
    if not longitudes:
        return rows, (None, None, None, None)
    return rows, (min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
