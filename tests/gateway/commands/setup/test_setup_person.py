"""The wizard and a person at a terminal: asked until the answer can be, never shown a password."""

import subprocess
import sys
import tomllib

import pytest

from gateway.commands.setup import draft as drafts
from gateway.commands.setup import files, questions
from gateway.commands.setup.dialogue import Abandoned, Terminal
from gateway.config import password
from tests.support.setup_answers import ANSWERS, CABINET, SECRET, written
from tools import cli as command_line

# --- a person -------------------------------------------------------------------------------------------------------


class Person:
    """Answers by the beginning of the question; anything else with an empty line."""

    def __init__(self, answers, secrets=(), language="fr"):
        self.shown = []
        self.asked = []
        self._answers = {question: list(given) for question, given in answers.items()}
        self._secrets = list(secrets)
        self.terminal = Terminal(
            language, read_line=self._read, read_secret=self._read_secret, write=self.shown.append
        )

    def _read(self, prompt):
        self.asked.append(prompt)
        for question, left in self._answers.items():
            if prompt.startswith(question) and left:
                return left.pop(0)
        return ""

    def _read_secret(self, prompt):
        self.asked.append(prompt)
        return self._secrets.pop(0)


FIRST = {
    "Code INSEE": ["feneu", "49135"],
    "Position": ["-0.594 47.572", "47.572 -0.594"],
    "Serveur": ["", "centre.example.fr"],
    "Port du bus": ["/dev/serial/by-id/usb-x"],
    "Nom du départ 1": ["", "bourg"],
    "Nombre de points lumineux": ["quatorze", "0", "14", "6"],
    "Puissance": ["32", "25"],
    "Commande du contacteur": ["gpio", "", ""],
    "Ajouter": ["o", "n"],
    "Nom du départ 2": ["parc"],
}


def asked(root, person):
    draft = drafts.open_draft(root)
    questions.Questions(person.terminal, draft).ask_all()
    return draft


def test_a_person_is_asked_again_until_the_answer_can_be(tmp_path):
    person = Person(FIRST, [SECRET, "another one", "short", SECRET, SECRET])
    draft = asked(tmp_path, person)
    assert draft.check("en") == []
    cabinet = draft.document["cabinet"]
    assert (cabinet["latitude"], cabinet["door"]) == (47.572, "!modbus:1/input:4"), "the guide's wiring is offered"
    assert cabinet["feeder"][1] == {
        "name": "parc", "lamps": 6, "lamp_watts": 25, "contactor": "modbus:1/coil:1", "feedback": "modbus:1/input:1",
        "meter": "modbus:11/sdm120",
    }  # fmt: skip
    assert password.check(SECRET, draft.document["page"]["password"])
    said = "\n".join(person.shown)
    for words_ in ("Cinq caractères", "inversées", "0,5940° ouest", "pas les mêmes", "8 caractères"):
        assert words_ in said
    assert SECRET not in said + "".join(person.asked)


def test_with_gpio_alone_its_lines_are_offered(tmp_path):
    given = FIRST | {"Port du bus": ["-"], "Contrôleur GPIO": ["/dev/gpiochip0"], "Commande": ["", ""]}
    cabinet = asked(tmp_path, Person(given, [SECRET, SECRET])).document["cabinet"]
    assert (cabinet["watchdog"], cabinet["feeder"][0]["contactor"]) == ("gpio:22", "gpio:17")
    assert cabinet["feeder"][0]["feedback"] == "!gpio:27/pull-up" and "meter" not in cabinet["feeder"][0]


def test_what_stands_is_the_answer_to_an_empty_line(setup, image):
    setup(ANSWERS)
    before = written(image)
    draft = asked(image, Person({}))
    assert draft.document == before | {"cabinet": before["cabinet"] | {"modbus_baud": 9600}}


def test_feeders_are_kept_changed_removed_and_added(setup, image):
    second = CABINET.partition("[[")[2].replace("bourg", "parc").replace("coil:0", "coil:1")
    setup(ANSWERS + "[[" + second)
    given = {"Garder": ["s", "m"], "Nom du départ 1": ["place"], "Ajouter": ["o", "n"], "Nom du départ 2": ["gare"],
             "Nombre": ["6", "3"]}  # fmt: skip
    draft = asked(image, Person(given))
    found = [(feeder["name"], feeder["lamps"], feeder["contactor"]) for feeder in draft.document["cabinet"]["feeder"]]
    assert found == [("place", 6, "modbus:1/coil:1"), ("gare", 3, "modbus:1/coil:1")]
    assert any("feeder[1].contactor" in fault for fault in draft.check("en")), "one point for two is told at the end"


BEARERS = """
[[bearer]]
name = "fibre"
kind = "fibre"
interface = "eth0"
[[bearer]]
name = "mobile"
kind = "mobile"
interface = "wwan0"
monthly_bytes = 500000000
"""


def test_a_minus_takes_an_optional_thing_away(setup, image):
    setup(ANSWERS + BEARERS)
    draft = asked(image, Person({"Interface de la 4G": ["-"], "Servir": ["n"]}))
    assert [one["name"] for one in draft.document["bearer"]] == ["fibre"] and "page" not in draft.document


def test_4g_comes_with_its_budget_and_its_modem(setup, image):
    setup(ANSWERS)
    given = {"Interface de la 4G": ["wwan0"], "Forfait": ["beaucoup", "500"], "Port de commande": ["/dev/ttyUSB2"]}
    (*_, mobile) = asked(image, Person(given)).document["bearer"]
    assert mobile == {
        "name": "mobile", "kind": "mobile", "interface": "wwan0", "monthly_bytes": 500_000_000, "modem": "/dev/ttyUSB2",
    }  # fmt: skip


def test_bearers_that_were_written_by_hand_stay_where_they_are(setup, image):
    spare = '[[bearer]]\nname = "spare"\nkind = "mobile"\ninterface = "wwan1"\n'
    setup(ANSWERS + BEARERS + spare)
    document = asked(image, Person({})).document
    assert [one["name"] for one in document["bearer"]] == ["fibre", "mobile", "spare"]
    text = files.toml_text(document, lambda _path: None)
    assert tomllib.loads(text)["bearer"] == document["bearer"]


def test_a_question_mark_explains_and_a_number_chooses(tmp_path):
    dev = tmp_path / "dev/serial/by-id"
    dev.mkdir(parents=True)
    for name in ("usb-a", "usb-b"):
        (dev / name).touch()
    person = Person(FIRST | {"Port du bus": ["?", "2"]}, [SECRET, SECRET])
    assert asked(tmp_path, person).document["cabinet"]["modbus"] == "/dev/serial/by-id/usb-b"
    assert any("/dev/serial/by-id/…" in line for line in person.shown)


def test_english_asks_in_english(tmp_path):
    given = {
        "INSEE code": ["49135"],
        "Position": ["47.572 -0.594"],
        "The centre": ["c.example:8883"],
        "GPIO": ["/dev/gpiochip0"],
        "Name of feeder": ["bourg"],
        "Number of lamps": ["3"],
        "Serve": ["n"],
    }
    person = Person(given, language="en")
    assert asked(tmp_path, person).check("en") == []
    assert not any("é" in line for line in (*person.shown, *person.asked))


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
def test_going_away_writes_nothing(image, monkeypatch, capsys, end):
    def leave(_prompt):
        raise end

    monkeypatch.setattr("builtins.input", leave)
    monkeypatch.setattr(Terminal.__init__, "__kwdefaults__", Terminal.__init__.__kwdefaults__ | {"read_line": leave})
    assert command_line.main(["gateway", "setup", "--root", str(image)]) == 2
    assert "Abandonné" in capsys.readouterr().err and not (image / "etc/bocage").exists()
    with pytest.raises(Abandoned):
        Terminal("fr", read_line=leave).confirm("write", default=True)


def test_the_agent_does_not_load_the_wizard(repository):

    program = "import sys; from tools.cli import main; sys.argv = ['x']\ntry: main(['gateway', 'check', '--help'])\n"
    program += "except SystemExit: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True)
    loaded = done.stderr.split()
    assert "gateway.commands.check" in loaded and "gateway.commands.setup.wizard" not in loaded


def test_its_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["gateway", "setup", "--help"])
    assert "--answers cab-12.toml" in capsys.readouterr().out
