"""`bocage centre register`: a file comes in whole or not at all, what was so stays known, the unknown is listed."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.centre_world import EVENT_TOPIC, GATEWAY, NODE, NOW, batch, fact, reading
from tools import cli
from tools.centre.ingest.warehouse import Warehouse
from tools.centre.register.equipment import Equipment, parse
from tools.centre.register.history import at, stated
from tools.centre.register.register import Register
from tools.centre.store import schema
from wire import event


def node_of(number):
    return b"lamp" + number.to_bytes(4, "big")


LAMPS = "identifiant;rue;puissance;armoire;départ;nœud\n" + "".join(
    f"{number:04};rue du Port;35,5;mairie-1;bourg;{node_of(number).hex()}\n" for number in range(400)
)


@pytest.fixture
def bring(tmp_path, capsys):
    """Imports a text as a file; returns the exit status and what was printed."""

    def run(text, *arguments):
        path = tmp_path / "lampes.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        status = cli.main(["centre", "register", "import", str(path), "--db", str(tmp_path / "centre.db"), *arguments])
        told = capsys.readouterr()
        return status, (told.out + told.err).replace(f"{path}:", "")

    run.db = str(tmp_path / "centre.db")
    return run


def versions(path):
    connection = schema.open_to_read(path)
    register = Register(connection)
    found = list(register.versions())
    connection.close()
    return found


def day(text):
    return parse("valid_from", text)


# --- a file --------------------------------------------------------------------------------------------------


def test_four_hundred_lamps_come_in_by_one_command(bring):
    status, told = bring(LAMPS, "--commune", "49007", "--from", "2026-11-29")
    assert status == 0 and "nouveaux : 400, modifiés : 0, inchangés : 0" in told
    assert "armoire 49007-mairie-1 (400)" in told, "a cabinet that the register does not have yet is named"
    held = versions(bring.db)
    assert len(held) == 400 and {version.key.insee for version in held} == {"49007"}
    assert held[0].equipment == Equipment(
        street="rue du Port", power_dw=355, cabinet="49007-mairie-1", feeder="bourg", node=node_of(0)
    )
    assert "inchangés : 400" in bring(LAMPS, "--commune", "49007", "--from", "2027-01-01")[1]
    assert versions(bring.db) == held


def test_a_dry_run_tells_what_would_change_and_makes_no_file(bring, tmp_path):
    status, told = bring(LAMPS, "--commune", "49007", "--dry-run")
    assert status == 0 and "nouveaux : 400," in told and "rien n’est écrit" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lampes.csv"]
    bring(LAMPS, "--commune", "49007", "--from", "2026-11-29")
    before = versions(bring.db)
    status, told = bring("id;puissance\n0007;24\n", "--commune", "49007", "--dry-run", "--from", "2026-12-24")
    assert "2: 49007-0007 (point lumineux), depuis le 2026-12-24 : puissance 35,5 W → 24 W" in told.replace(": :", ":")
    document = json.loads(bring("id;watts\n0007;24\n", "--commune", "49007", "--dry-run", "--json")[1])
    assert document["changed"] == 1 and document["changes"][0]["after"]["power_dw"] == 240
    assert versions(bring.db) == before


def test_every_fault_is_shown_with_line_column_and_remedy_and_nothing_comes_in(bring):
    bring(LAMPS, "--commune", "49007")
    before = versions(bring.db)
    status, told = bring(
        "identifiant;puissance;nœud;lat;lon;valable du;valable au\n"
        "0001;35 kW;;47,5;-0,5;;\n"
        "0002;;0000000000000A;-0,5;47,5;;\n"
        "0003;;;6 713 000;432 000;;\n"
        ";;;;;2026-02-30;\n"
        "0005;;;47,5;;2026-11-29;2026-11-28\n"
        "0006;1;;;\n"
        "0007;;;;;;\n"
        "0007;;;;;;\n"
        f"0008;;{node_of(1).hex()};;;;\n",
        "--commune",
        "49007",
    )
    lines = dict(line.split(":", 1) for line in told.splitlines() if line[:1].isdigit() and ":" in line[:4])
    assert status == 1 and set(lines) == {"2", "3", "4", "5", "6", "7", "9"}
    assert "puissance: « 35 kW » n’est pas un nombre ; écrire un nombre, comme 35 ou 35,5" in lines["2"]
    assert "nœud" in lines["3"] and "16 chiffres" in lines["3"]
    assert "EPSG:2154" in told and "2026-02-30" in lines["5"] and "7 cases" not in lines["5"]
    assert "5 cases" in lines["7"] and "ligne 8" in lines["9"] and "rien n’est importé" in told
    assert versions(bring.db) == before


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("numero;rue\n1;x\n", (), ("numero", "--mapping")),
        ("id;rue\n1;x\n", (), ("commune", "--commune")),
        ("id;départ\n1;bourg\n", ("--commune", "49007"), ("armoire",)),
        ("id;lat\n1;47\n", ("--commune", "49007"), ("longitude",)),
        ("id;lat;lon\n1;-0,5;47,5\n", ("--commune", "49007"), ("échang",)),
        ("id;x;longitude;y\n1;2;3;4\n", ("--commune", "49007"), ("longitude", "--mapping")),
        ("id;type\n1;chaudière\n", ("--commune", "49007"), ("chaudière", "--mapping")),
        ('id;rue\n1;"sans fin\n', ("--commune", "49007"), ("CSV",)),
        (b"id;rue\n1;\x81\xff\n", ("--commune", "49007"), ("Windows-1252",)),
        (b"", (), ("id",)),
        ("id;nœud\n1;00000000000000a1\n2;00000000000000a1\n", ("--commune", "49007"), ("49007-1", "zone")),
        ("id\n1\n", ("--commune", "49007", "--mapping", "absent.toml"), ("absent.toml",)),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_the_remedy(bring, text, arguments, words):
    status, told = bring(text, *arguments)
    assert status == 1
    for word in words:
        assert word in told


def test_a_column_that_is_wrong_as_a_whole_is_told_ten_times(bring):
    rows = "".join(f"{number};x\n" for number in range(300))
    status, told = bring(f"id;puissance\n{rows}", "--commune", "49007")
    assert status == 1 and told.count("« x »") == 10 and "puissance: … et 290 autres" in told and "300 fautes" in told
    assert len(json.loads(bring(f"id;puissance\n{rows}", "--commune", "49007", "--json")[1])["faults"]) == 300


def test_one_node_serves_green_spaces_by_its_zones(bring):
    rows = "type;id;nom;nœud;zone\nespace vert;1;Mail;00000000000000a1;1\nespace vert;2;Étang;00000000000000a1;2\n"
    assert bring(rows, "--commune", "49007")[0] == 0
    connection = schema.open_to_read(bring.db)
    register = Register(connection)
    assert register.of_node(NODE, unix_s=0, zone=2).name == "Étang"
    assert register.of_node(NODE, unix_s=0).name == "Mail, Étang"
    connection.close()


CELLS = st.sampled_from(
    ["", "0001", "1", "35,5", "x", "47,5", "-0,5", "2026-11-29", "bourg", "00000000000000a1", '"', "é"]
)
FIELDS = [
    "id",
    "rue",
    "puissance",
    "lat",
    "lon",
    "armoire",
    "départ",
    "nœud",
    "zone",
    "valable du",
    "valable au",
    "type",
]


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A folder with a register of one light."""
    folder = tmp_path_factory.mktemp("register")
    (folder / "file.csv").write_text("id;rue;nœud\n0001;rue du Port;00000000000000a1\n")
    assert import_into(folder) == 0
    return folder


def import_into(folder):
    db = str(folder / "centre.db")
    return cli.main(["centre", "register", "import", str(folder / "file.csv"), "--db", db, "--commune", "49007"])


@given(st.data())
def test_a_file_that_is_refused_has_changed_nothing(of_sqlite, standing, data):
    path, before = standing / "file.csv", versions(str(standing / "centre.db"))
    headings = data.draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6, unique=True))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(headings), max_size=len(headings)), max_size=4))
    raw = bytearray("\n".join(";".join(row) for row in [headings, *rows]).encode())
    if data.draw(st.booleans()):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)
    status = import_into(standing)
    assert status in (0, 1)
    assert status == 0 or versions(str(standing / "centre.db")) == before


# --- what was so ---------------------------------------------------------------------------------------------


def test_a_replaced_node_and_a_moved_light_leave_what_was_so(bring):
    bring(LAMPS, "--commune", "49007", "--from", "2026-01-01")
    assert bring("id;nœud\n0003;00000000000000ff\n", "--commune", "49007", "--from", "2026-06-01")[0] == 0
    assert bring("id;départ;valable du\n0003;gare;01/09/2026\n", "--commune", "49007")[0] == 0
    connection = schema.open_to_read(bring.db)
    register = Register(connection)
    old, new = node_of(3), bytes(7) + b"\xff"
    assert register.of_node(old, unix_s=day("2026-03-01")).key.address == "49007-0003"
    assert register.of_node(old, unix_s=day("2026-06-01") + 9 * 3600).key.id == "0003", "on the day it was taken off"
    assert register.of_node(new, unix_s=day("2026-08-31")).feeder == "bourg"
    assert register.of_node(new, unix_s=day("2026-09-01")).feeder == "gare"
    spans = [(one.from_unix_s, one.until_unix_s, one.equipment.node) for one in register.find("49007-0003")]
    first, second, third = day("2026-01-01"), day("2026-06-01"), day("2026-09-01")
    assert spans == [(first, second, old), (second, third, new), (third, None, new)]
    on_the_day = [
        one.equipment.feeder for one in register.versions(at_unix_s=day("2026-08-31")) if one.key.id == "0003"
    ]
    assert on_the_day == ["bourg"]
    connection.close()


def test_an_empty_cell_empties_and_a_column_that_is_not_there_keeps(bring):
    bring(LAMPS, "--commune", "49007", "--from", "2026-01-01")
    bring("id;nœud;rue\n0003;;\n", "--commune", "49007", "--from", "2026-01-01")
    (found,) = [version for version in versions(bring.db) if version.key.id == "0003"]
    assert found.equipment == Equipment(power_dw=355, cabinet="49007-mairie-1", feeder="bourg")


def test_a_light_that_is_taken_away_ends_with_its_last_day(bring):
    bring("id;rue\n1;rue du Port\n", "--commune", "49007", "--from", "2026-01-01")
    bring("id;valable du;valable au\n1;2026-01-01;2026-03-28\n", "--commune", "49007")
    (one,) = versions(bring.db)
    assert one.until_unix_s == day("2026-03-29") and one.equipment.street == "rue du Port"


A, B, C = (Equipment(name=name) for name in "ABC")


@pytest.mark.parametrize(
    ("history", "start", "end", "name", "expected"),
    [
        ((), 5, None, "A", ((5, None, A),)),
        (((1, None, A),), 5, None, "B", ((1, 5, A), (5, None, B))),
        (((1, None, A),), 1, None, "B", ((1, None, B),)),
        (((1, None, A),), 5, None, "A", ((1, None, A),)),
        (((5, None, A),), 1, None, "A", ((1, None, A),)),
        (((1, 9, A), (9, None, B)), 5, None, "C", ((1, 5, A), (5, 9, C), (9, None, B))),
        (((1, 9, A), (9, None, B)), 5, None, "B", ((1, 5, A), (5, None, B))),
        (((1, 9, A),), 9, None, "A", ((1, None, A),)),
        (((1, 9, A),), 12, None, "B", ((1, 9, A), (12, None, B))),
        (((1, None, A),), 1, 7, "A", ((1, 7, A),)),
        (((1, 3, A), (3, 9, B), (9, None, C)), 2, 5, "C", ((1, 2, A), (2, 5, C), (9, None, C))),
    ],
)
def test_a_statement_holds_to_its_end_or_to_the_next_change(history, start, end, name, expected):
    assert stated(history, start, end, {"name": name}) == expected


@given(st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(1, 9), st.sampled_from("AB")), max_size=6))
def test_a_history_is_ordered_disjoint_and_says_what_was_stated_last(stated_lines):
    history = ()
    for start, length, name in stated_lines:
        end = None if length is None else start + length
        history = stated(history, start, end, {"name": name})
        assert at(history, start).name == name and (end is None or at(history, end - 1).name == name)
        for (_, until, one), (following, _, other) in pairwise(history):
            assert until is not None and until <= following and (until < following or one != other)
        if end is None or at(history, end) != Equipment(name=name):  # else it is one with what began there
            assert stated(history, start, end, {"name": name}) == history


# --- what is not known ---------------------------------------------------------------------------------------


def test_what_sends_and_is_not_in_the_register_is_listed_and_loses_nothing(bring, capsys):
    warehouse = Warehouse(bring.db)
    warehouse.accept("tc/1/t/49007/mairie-1", batch([reading(0), reading(1), reading(0, node=node_of(0))]), **NOW)
    warehouse.close()
    bring(LAMPS, "--commune", "49007")
    unknown = ["centre", "register", "unknown", "--db", bring.db]
    assert cli.main(unknown) == 0
    told = capsys.readouterr().out
    assert NODE.hex() in told and "49007-mairie-1" in told and GATEWAY.hex() in told
    assert "armoire 49007-mairie-1 : nommé par 400" in told and node_of(0).hex() not in told
    assert cli.main([*unknown, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [node["node"] for node in document["nodes"]] == [NODE.hex()]
    bring(
        "type;id;nœud\ncommune;49007;\narmoire;mairie-1;\ndépart;mairie-1/bourg;\nlight;new;00000000000000a1\n",
        "--commune",
        "49007",
    )
    assert cli.main(unknown) == 0
    assert "connaît tout" in capsys.readouterr().out


# --- names everywhere ----------------------------------------------------------------------------------------


@pytest.fixture
def named(bring):
    """A warehouse with alarms of a lamp, a cabinet's feeder and a stranger, and a register that knows the first two."""
    warehouse = Warehouse(bring.db)
    alarms = [
        fact(1, event.LAMP_FAILURE, {1: 3}, active=True),
        fact(1, event.FEEDER_FAILURE, ["bourg", 0, 4000], active=True, node=GATEWAY),
        fact(1, event.DOOR_OPEN, [], active=True, node=b"stranger"),
    ]
    warehouse.accept(EVENT_TOPIC, batch(alarms, lane="alarm"), **NOW)
    twice = [reading(0), reading(0, {4: 1})]
    warehouse.accept("tc/1/t/49007/mairie-1", batch(twice), **NOW)
    warehouse.close()
    status, told = bring(
        "type;id;nom;rue;armoire;départ;nœud\n"
        "commune;49007;Angers;;;;\n"
        "armoire;mairie-1;;place du Ralliement;;;\n"
        "point lumineux;0117;;rue du Port;mairie-1;bourg;00000000000000a1\n",
        "--commune",
        "49007",
    )
    assert status == 0, told
    return bring.db


def test_alarms_speak_names(named, capsys):
    assert cli.main(["centre", "alarms", "--db", named]) == 0
    told = capsys.readouterr().out
    assert "  armoire mairie-1, place du Ralliement, Angers, départ bourg\n    Départ « bourg » sans courant" in told
    assert "1 autre panne de même cause : point lumineux 0117\n" in told
    assert f"  {b'stranger'.hex()}  49007-mairie-1\n" in told
    assert f"de point lumineux 0117, rue du Port, Angers, départ bourg ({NODE.hex()}) portent" in " ".join(told.split())
    assert cli.main(["centre", "alarms", "--db", named, "--json"]) == 0
    places = {one["event"]: one["place"] for one in json.loads(capsys.readouterr().out) if "event" in one}
    assert places["doorOpen"] is None and places["lampFailure"]["street"] == "rue du Port"
    assert places["feederFailure"]["id"] == "49007-mairie-1" and places["feederFailure"]["feeder"] == "bourg"


def test_stats_and_exports_speak_names(named, capsys):
    assert cli.main(["centre", "stats", "--db", named]) == 0
    told = capsys.readouterr().out
    assert "(armoire mairie-1, place du Ralliement, Angers)" in told
    assert cli.main(["centre", "export", "--db", named, "--format", "csv", "--node", NODE.hex()]) == 0
    assert "49007-0117,,rue du Port,Angers,49007-mairie-1,bourg" in capsys.readouterr().out
    assert cli.main(["centre", "export", "--db", named, "--node", NODE.hex()]) == 0
    assert json.loads(capsys.readouterr().out)[0]["street"] == "rue du Port"


NAMES = ("a.csv", "a.gpkg")


def test_show_and_export_by_day(bring, tmp_path, capsys):
    bring("id;rue;support\n1;rue du Port;77\n", "--commune", "49007", "--from", "2026-01-01")
    bring("id;rue\n1;rue Neuve\n", "--commune", "49007", "--from", "2026-06-01")
    for what in ("1", "49007-1", "77"):
        assert cli.main(["centre", "register", "show", what, "--db", bring.db]) == 0
        told = capsys.readouterr().out
        assert "du 2026-01-01 au 2026-05-31 : rue : rue du Port" in told and "depuis le 2026-06-01" in told
    assert cli.main(["centre", "register", "show", "2", "--db", bring.db]) == 2
    for name in NAMES:
        arguments = [
            str(tmp_path / name),
            "--db",
            bring.db,
            "--at",
            "2026-05-31",
            "--commune",
            "49007",
            "--kind",
            "light",
        ]
        assert cli.main(["centre", "register", "export", *arguments]) == 0
        assert (tmp_path / name).stat().st_size > 0
    assert "rue du Port" in (tmp_path / "a.csv").read_text() and "Neuve" not in (tmp_path / "a.csv").read_text()
    assert cli.main(["centre", "register", "export", "a.xls", "--db", bring.db]) == 2
    assert cli.main(["centre", "register", "export", str(tmp_path / "no" / "a.csv"), "--db", bring.db]) == 1
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith("centre.db")} == {*NAMES, "lampes.csv"}
