"""`bocage centre tell`: a person signs what nodes are told; it is kept, and what became of it is told in words."""

import time

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed")

from policy import civil
from tests.support.control_world import INSEE
from tests.tools.centre.test_orders_cli import World
from tools.centre.control import file as control_file
from tools.centre.control import gateways, orders
from tools.centre.control.progress import lines, progress_of
from tools.centre.store import database
from wire import command, directive

DROUGHT = directive.DROUGHT_LEVEL


@pytest.fixture
def world(tmp_path, capsys):
    made = World(tmp_path)
    assert made.publish(None, "--keyset", str(made.folder / "commune.keys")) == 0
    capsys.readouterr()
    return made


def tell(world, *words, who="Maire"):
    reason = ("--reason", "arrêté 2027-41", "--commune", INSEE)
    return world.give("tell", *words, *reason, who=who)


def test_it_is_signed_with_scope_values_and_an_end(world, capsys):
    assert tell(world, "sécheresse", "crise", "--to", "irrigation", "--for", "60j") == 1  # no daemon to send it
    said = capsys.readouterr()
    assert "consigne : sécheresse crise (4) · 49135 · toutes les armoires · irrigation" in said.out
    (kept,) = world.kept()
    asked = kept.command
    assert (asked.kind, asked.target, asked.values) == (command.DIRECTIVE, "irrigation", {DROUGHT: 4})
    assert asked.expires_s - asked.not_before_s == 60 * 86_400


def test_a_day_as_an_end_is_included(world):
    civil_day = civil.local_from_unix(civil.PARIS, int(time.time())).civil_day + 20
    year, month, day = civil.civil_from_days(civil_day)
    tell(world, "exception", "closed", "--until", f"{year}-{month:02}-{day:02}", "--gateway", "cab-1")
    (kept,) = world.kept()
    assert kept.command.expires_s == civil.unix_from_local(civil.PARIS, civil_day + 1, 0)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("drought", "--for", "2h"), "donner un nom et une valeur"),
        (("pluie", "2", "--for", "2h"), "pluie : consigne inconnue"),
        (("drought", "9", "--for", "2h"), "0 aucune"),
        (("drought", "2"), "donner une fin"),
        (("drought", "2", "--for", "2h", "--until", "2027-08-31"), "donner une fin"),
        (("wind", "2", "--for", "4h"), "10800 s"),
        (("drought", "2", "--for", "2h", "--to", "x" * 25), "24 octets"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_signed(world, capsys, words, sentence):
    assert tell(world, *words) == 1
    assert sentence in capsys.readouterr().err and world.kept() == []


def test_who_has_not_the_right_signs_nothing(world, capsys):
    assert tell(world, "drought", "2", "--for", "2h", who="Agent") == 1
    assert "n’a pas ce droit" in capsys.readouterr().err and world.kept() == []


def test_what_became_of_it_is_told_as_of_nodes_and_it_can_be_ended(world, capsys):
    tell(world, "drought", "2", "--for", "2h")
    (kept,) = world.kept()
    connection = control_file.open_to_write(str(world.path))
    now_s = int(time.time())
    with database.transaction(connection):
        gateways.note_seen(connection, INSEE, "cab-1", is_own=True, now_s=now_s)

    def say(outcome):
        with database.transaction(connection):
            said = command.Outcome(kept.command.id, outcome, None, None, None, now_s)
            assert orders.accept_outcome(connection, INSEE, "cab-1", said, now_s=now_s) is None
        return progress_of(connection, kept, now_s=now_s)

    found = say("received")
    assert not found.is_settled and not found.is_fulfilled
    assert any("aucun équipement ne l’a encore demandé" in line for line in lines(found, "fr", now_s=now_s))
    found = say("applied")
    assert found.is_settled and found.is_fulfilled and found.missing == ()
    assert any("told to one node at least" in line for line in lines(found, "en", now_s=now_s))
    connection.close()
    capsys.readouterr()
    world.give("end", "--command", kept.command.id.hex())
    assert [one.command.kind for one in world.kept()] == [command.DIRECTIVE, command.END]
