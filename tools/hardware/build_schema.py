"""Lists what a build's file (hardware/builds/ROLE-PLACE.toml) may hold: what a person buys and wires. Tables only.

Must not judge one fact by another: tools/hardware/builds.py does.
"""

from tools.hardware.schema import TABLE, TABLES, TEXT, TEXTS, TRUTH, Field, whole, word

_OPTION = Field(TEXT, needed=False)
_TEXTS_OPTION = Field(TEXTS, needed=False)

# The least protection of an enclosure (IEC 60529: solids, water) by where it stands. A street and a wall indoors are
# our choice; a closed cabinet has the IP34 that NF C 17-200 asks above ground (standard not read; a teacher's summary
# of it: genieelectromecanique.com/?p=2262, read on 2026-11-29).
PLACES = {"bench": (0, 0), "wall": (5, 4), "cabinet": (3, 4), "street": (6, 5)}
# Where the mains come from a network of the street, and need surge protection.
EXPOSED = ("cabinet", "street")

# mm2 -> the greatest fuse before it, mA. 1.5 and 2.5 mm2: forcemat.fr on NF C 15-100 (lighting and sockets), read on
# 2026-11-29. The thinner ones are our choice, the standard was not read.
SECTIONS_MA = {"0.2": 800, "0.25": 1000, "0.5": 3000, "0.75": 6000, "1.5": 16_000, "2.5": 20_000}
# IEC 60757, as WireViz has them.
COLOURS = ("BK", "BN", "RD", "OG", "YE", "GN", "BU", "VT", "GY", "WH", "PK", "TQ", "GNYE")

OTHER_ROLES = ("concentrator", "cabinet")

# "?" as a reference or a source: to be filled when the part is bought.
BUILD = {
    "title": Field(TEXT),
    "title_en": Field(TEXT),
    # A kind of node, or one of OTHER_ROLES.
    "role": Field(TEXT),
    "made": Field(TABLE),
    "enclosure": Field(TABLE),
    "item": Field(TABLE),
    "wire": Field(TABLES),
    "check": Field(TABLES),
    # What this build does not say: a guide to go on with, and what is left open.
    "note": _OPTION,
    "note_en": _OPTION,
}
# Has anybody bought these parts, run them on a bench, put them where they belong?
MADE = {"bought": Field(TRUTH), "bench": Field(TRUTH), "place": Field(TRUTH)}
ENCLOSURE = {
    "place": word(*PLACES),
    "ip": _OPTION,
    "what": Field(TEXT),
    "what_en": Field(TEXT),
    "reference": Field(TEXT),
    "source": Field(TEXT),
}
ITEM = {
    "what": Field(TEXT),
    "what_en": Field(TEXT),
    "reference": Field(TEXT),
    "source": Field(TEXT),
    # Terminals by voltage: dangerous, or safe to touch (SELV). An item with `node` has all terminals of that node's
    # fitted uses, and names those that are mains.
    "mains": _TEXTS_OPTION,
    "selv": _TEXTS_OPTION,
    "node": _OPTION,
    # Options of the node that are fitted, and uses that this build leaves without a wire.
    "fitted": _TEXTS_OPTION,
    "unwired": _TEXTS_OPTION,
    # The terminals where energy comes in that a fuse must follow: a phase, a battery's positive pole. `upstream_ma`:
    # the protection that the network has before them.
    "inlet": _TEXTS_OPTION,
    "upstream_ma": whole(100, 63_000, needed=False),
    "fuse_ma": whole(10, 63_000, needed=False),
    "surge": Field(TRUTH, needed=False),
    # A supply: its voltage and greatest current. A consumer: the voltage it is fed with, and what it takes.
    "volts_mv": whole(1000, 48_000, needed=False),
    "supply_ma": whole(1, 100_000, needed=False),
    "typical_ma": whole(0, 100_000, needed=False),
    "peak_ma": whole(0, 100_000, needed=False),
}
WIRE = {
    "from": Field(TEXT),
    "to": Field(TEXT),
    "mm2": word(*SECTIONS_MA),
    "colour": word(*COLOURS),
}
CHECK = {"fr": Field(TEXT), "en": Field(TEXT)}
