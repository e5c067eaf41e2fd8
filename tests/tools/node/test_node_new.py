"""`bocage node new`: tables as spreadsheets write them, questions, what is wrong told in French with its remedy."""

import ast
import errno
import json
import re

import pytest

from tests.support.workbench import SHARED, bocage
from tools.link.image import FIRMWARE
from tools.node import faults, new, settings
from tools.node.workshop import Workshop


def test_a_table_makes_nodes_and_a_fault_in_it_makes_none(bench):
    (bench / "street.csv").write_text('place,lamp\nRue du Port 1,"[360, 6]"\nRue du Port 2,"[0, 6]"\n')
    status, told = bocage("new", "--csv", "street.csv", "--like", "street.json")
    assert status == 2 and "street.csv:3: lamp[0]: is 0; give an integer from 1 to 100000" in told
    assert not (bench / "nodes").exists()
    (bench / "street.csv").write_text('place,lamp\nRue du Port 1,"[360, 6]"\nRue du Port 2,"[240, 6]"\n')
    status, told = bocage("new", "--csv", "street.csv", "--like", "street.json")
    assert status == 0
    first, second = [line.split(",") for line in (bench / "nodes" / "nodes.csv").read_text().splitlines()[1:]]
    assert (int(second[0], 16) - int(first[0], 16), second[2]) == (1, "Rue du Port 2")
    plain = json.loads((bench / "nodes" / f"{second[0]}.json").read_text())
    assert plain["lamp"] == [240, 6] and plain["wifi"] == SHARED["wifi"]
    assert plain["master_secret"] not in told
    assert (bench / "nodes" / f"{second[0]}.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text",
    [
        '\ufeffplace,lamp\r\n12 rue du Pré,"[360, 6]"\r\n\r\n14 rue Éluard,"[240, 6]"\r\n',
        "place;lamp\r\n12 rue du Pré;[360, 6]\r\n;\r\n14 rue Éluard;[240, 6]\r\n",
    ],
    ids=["commas of a file with a mark", "semicolons of a French spreadsheet"],
)
def test_the_tables_of_spreadsheets_are_read(bench, text):
    (bench / "street.csv").write_text(text, newline="")
    status, told = bocage("new", "--csv", "street.csv", "--like", "street.json")
    assert status == 0, told
    assert [row.place for row in Workshop(bench / "nodes").rows()] == ["12 rue du Pré", "14 rue Éluard"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lieu,lamp\nA,5\n", "street.csv:2: lieu : n’est pas un réglage ; l’enlever, ou corriger son nom"),
        ("place,lamp\nA,\n", "street.csv:2: lamp[0] : est 0 ; donner un entier de 1 à 100000"),
        ("place,kind\nA,lampadaire\n", "street.csv:2: kind : n’est pas connu ; donner le type de nœud"),
        ("place,lamp\nA,[360, 6]\n", "street.csv:2 : a plus de cellules que la première ligne ; entre virgules"),
        ("place,node\nA,7c1f0a2c01000001\n", "street.csv : node : est propre à un nœud"),
        ('place,lamp\n,"[360, 6]"\n', "street.csv:2 : place : est vide ; dire où sera le nœud"),
        ("place,lamp\n", "street.csv : n’a aucun nœud"),
        ("place,lamp\nPr\udce9,1\n", "; dans le tableur, l’enregistrer en « CSV UTF-8 »"),
    ],
)
def test_a_table_that_is_wrong_is_told_in_french_with_field_and_remedy(bench, text, said):
    (bench / "street.json").write_text(json.dumps({**SHARED, "lamp": [0, 6]}))
    (bench / "street.csv").write_text(text, errors="surrogateescape")
    status, told = bocage("new", "--csv", "street.csv", "--like", "street.json", language="fr")
    assert (status, said in told) == (2, True), told
    assert not (bench / "nodes").exists()


def test_a_table_that_was_cut_short_makes_what_is_missing_and_no_node_twice(bench, monkeypatch):
    (bench / "street.csv").write_text("place\nA\nB\nB\nC\n")
    words = ("new", "--csv", "street.csv", "--like", "street.json")
    real, left = Workshop._write, [2]

    def cut(self, rows):  # the third node has its key and settings, and no line in the list
        if not left[0]:
            raise OSError(errno.ENOSPC, "full")
        left[0] -= 1
        real(self, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Workshop, "_write", cut)
        assert "the disk is full" in bocage(*words)[1]
    status, told = bocage(*words)
    assert status == 0 and "2 lines have their nodes already" in told
    rows = Workshop(bench / "nodes").rows()
    assert [row.place for row in rows] == ["A", "B", "B", "C"]
    assert [row.node[-2:] for row in rows] == ["01", "02", "04", "05"]
    assert bocage(*words)[0] == 0 and len(Workshop(bench / "nodes").rows()) == 4
    (bench / "street.json").write_text(json.dumps({**SHARED, "lamp": [240, 6]}))
    status, told = bocage(*words)
    assert status == 2 and f"street.csv:2: A: its node {rows[0].node} has other settings (lamp)" in told


def test_the_list_may_be_saved_by_a_spreadsheet_and_an_id_that_it_changed_is_refused(bench):
    bocage("new", "--like", "street.json", "--place", "Rue du Port 1")
    listed = bench / "nodes" / "nodes.csv"
    listed.write_text("\ufeff" + listed.read_text().replace(",", ";"), newline="\r\n")
    status, told = bocage("new", "--like", "street.json", "--place", "Rue du Port 2")
    assert status == 0, told
    assert listed.read_text().startswith("node,kind,") and bocage("list")[1].count("not written yet") == 2
    listed.write_text(listed.read_text().replace(bocage("list")[1][:16], "1.23457E+15"))
    status, told = bocage("list", language="fr")
    assert status == 1 and "nodes.csv:2 : '1.23457E+15' n’est pas un identifiant" in told


def test_a_node_that_could_never_be_updated_is_told(bench):
    assert "without update_keys" in bocage("new", "--like", "street.json")[1]
    bocage("keys", "new", "--commune", "49135", "--name", "Programs", "--out", "programs.key", level="policy")
    status, told = bocage("new", "--like", "street.json", "--signer", "programs.pub")
    assert status == 0 and "without update_keys" not in told
    *_, plain = (json.loads(path.read_text()) for path in sorted((bench / "nodes").glob("*.json")))
    assert plain["update_keys"] == [(bench / "programs.pub").read_text().split()[2]]
    status, told = bocage("new", "--like", "street.json", "--signer", "programs.key")
    assert status == 1 and "programs.key" in told


def test_what_settings_say_is_in_the_catalogue():
    """Each text that the readers of settings, calendars and programmes have is found."""
    missing = []
    readers = ("*/settings.py", "kinds/*.py", "policy/*_form.py", "policy/fault.py")
    for path in (path for pattern in readers for path in FIRMWARE.glob(pattern)):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add":
                texts = [ast.unparse(one) for one in call.args[1:] if isinstance(one, ast.Constant | ast.JoinedStr)]
                texts = [re.sub(r"\{[^{}]+\}", "7", ast.literal_eval(text.removeprefix("f"))) for text in texts]
                missing += [text for text in texts if isinstance(faults.said(text), str)]
    assert missing == []


def test_what_nobody_answers_is_refused_by_its_name(bench):
    (bench / "street.json").write_text(json.dumps({name: value for name, value in SHARED.items() if name != "lamp"}))
    status, told = bocage("new", "--like", "street.json")
    assert status == 2 and told.startswith("bocage node new: lamp: ")


def test_a_shared_file_holds_no_nodes_own_secret(bench):
    (bench / "street.json").write_text(json.dumps({**SHARED, "master_secret": "00" * 16}))
    status, told = bocage("new", "--like", "street.json")
    assert status == 2 and "master_secret is one node's own" in told and "0000" not in told


@pytest.mark.parametrize("kind", ["streetlight", "thermostat", "water_meter"])
def test_the_examples_in_the_questions_are_accepted(kind, bench, monkeypatch):
    asked = []

    def answer(question):
        asked.append(question)
        name = question.partition(" ")[0]
        assert "par exemple " in question and name in new.ASKED
        return question.rpartition("par exemple ")[2].removesuffix(" : ")

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    status, told = bocage("new", "--kind", kind, language="fr")
    assert status == 0 and len(asked) >= 3, told
    assert all(" est " not in question for question in asked), "each is asked once"


def test_settings_are_asked_for_until_the_kind_accepts_them():
    answers = iter(["[474736]", "[474736, -5516]", "[360, 6]"])
    own = {"node": "7c1f0a2c01000001", "kid": "010001", "master_secret": "00" * 16}
    given = {name: value for name, value in SHARED.items() if name not in ("lamp", "site")}
    assert settings.asked({**given, **own}, lambda fault: next(answers)) == {**SHARED, **own}
